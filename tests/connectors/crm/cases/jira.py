from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import TaskRef

from ..case import SECRET, Case, Reply


def status(category: str, name: str, status_id: str = "1") -> dict[str, Any]:
    return {"id": status_id, "name": name, "statusCategory": {"key": category}}


CASE = Case(
    config={"email": "a@example.com", "token": SECRET, "project": "OCT"},
    create=("POST", "/rest/api/3/issue"),
    created={"id": "10001", "key": "OCT-1", "self": "/rest/api/3/issue/10001"},
    ref=TaskRef("OCT-1", "{address}/browse/OCT-1"),
    lookup=("POST", "/rest/api/3/search/jql"),
    found={"isLast": True, "issues": [{"id": "10001", "key": "OCT-1", "fields": {"status": status("new", "To Do")}}]},
    nothing={"isLast": True, "issues": []},
    names_a_field=Reply(
        400, {"errorMessages": [], "errors": {"duedate": "Field 'duedate' cannot be set."}}, Rejected, "duedate"
    ),
    conflict=Reply(409, {"errorMessages": ["edit conflict"], "errors": {}}, Rejected),
    asked_too_often=Reply(429, {"errorMessages": ["Too often"]}, headers={"Retry-After": "7"}, wait_s=7.0),
)  # fmt: skip
