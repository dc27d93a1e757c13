"""People of a DingTalk organisation, whom to-dos name by unionId. Their names are asked of the old API.

Source: https://open.dingtalk.com/document/development/queries-the-complete-information-of-a-department-user,
https://open.dingtalk.com/document/development/obtain-a-sub-department-id-list-v2 and
https://open.dingtalk.com/document/development/query-users-by-phone-number.
"""

from collections.abc import Iterator
from typing import Any

from app.domain.errors import PermanentError, TransientError
from app.domain.tasks import Person
from connectors.answers import inside, rows
from connectors.oauth import TokenClient
from connectors.payloads import answered

LABEL = "DingTalk"
PAGE = 100
MOST_DEPARTMENTS = 200  # each takes two calls and more; a larger organisation names a department


class People:
    def __init__(self, api: TokenClient, department: int):
        self._api = api
        self._department = department
        self._names: dict[str, str] = {}

    def all(self) -> list[Person]:
        """Members of the department and of those below it, each once, by name."""
        found = {person.id: person for one in self._departments() for person in self._members(one)}
        self._names |= {person.id: person.name for person in found.values()}
        return sorted(found.values(), key=lambda person: person.name)

    def union_id(self, person: str) -> str:
        """The unionId of a person who may be named by mobile number."""
        if not person.removeprefix("+").isdigit():
            return person
        by_number = self._asked("/topapi/v2/user/getbymobile", mobile=person)
        user = self._asked("/topapi/v2/user/get", userid=answered(LABEL, by_number, "result", "userid"))
        return answered(LABEL, user, "result", "unionid")

    def name(self, union_id: str) -> str:
        """The name to show; the id itself where the app may not see the person."""
        if union_id not in self._names:
            try:
                user = self._asked("/topapi/user/getbyunionid", unionid=union_id)
                user = self._asked("/topapi/v2/user/get", userid=answered(LABEL, user, "result", "userid"))
                self._names[union_id] = inside(user, "result", "name") or union_id
            except PermanentError:  # a status without a name is worth more than none
                self._names[union_id] = union_id
        return self._names[union_id]

    def _departments(self) -> Iterator[int]:
        """The department and those below it, asked for in turn with their members: DingTalk limits each call's rate."""
        found = [self._department]
        for one in found:  # grows meanwhile
            yield one
            if len(found) < MOST_DEPARTMENTS:
                below = inside(self._asked("/topapi/v2/department/listsubid", dept_id=one), "result", "dept_id_list")
                found += [department for department in below or [] if department not in found]
                del found[MOST_DEPARTMENTS:]

    def _members(self, department: int) -> Iterator[Person]:
        cursor = 0
        while True:
            answer = self._asked("/topapi/v2/user/list", dept_id=department, cursor=cursor, size=PAGE)
            for user in rows(LABEL, answer, "result", "list"):
                if user.get("unionid"):  # people who have not joined yet have none
                    yield Person(user["unionid"], user.get("name") or user["unionid"], user.get("email") or "")
            following = inside(answer, "result", "next_cursor")
            if not inside(answer, "result", "has_more"):
                return
            if not isinstance(following, int) or following <= cursor:
                raise TransientError("DingTalk's list of members leads nowhere; nothing was changed. Try again.")
            cursor = following

    def _asked(self, path: str, **what: Any) -> Any:
        return self._api.call("POST", path, json=what, changes_nothing=True)
