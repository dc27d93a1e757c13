"""WeCom (企业微信): rows of a smart sheet (智能表格).

WeCom's API has no task or to-do that carries a state, an assignee and columns of one's own. A smart sheet has them,
and its rows can be read, changed and watched. An app reaches the smart sheets it made itself only, and is told their
id only then, so Octopus makes one where the manager names none.
Source: https://developer.work.weixin.qq.com/document/path/97392.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr

from app.domain.errors import TransientError
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import inside
from connectors.base import CrmConfig
from connectors.http import ApiClient, recording
from connectors.oauth import USUAL_LIFE_S, Consent, Token, TokenClient, TokenStore, tokens_of_process
from connectors.payloads import answered
from connectors.statuses import Statuses
from connectors.waits import number
from connectors.wecom_cells import ASSIGNEE, SELECT, TEXT, TICK, added_to, cells_of, moment_of, parts
from connectors.wecom_errors import error_of
from connectors.wecom_events import changed_rows, opened
from connectors.wecom_layout import Layout
from connectors.wecom_sheet import Sheet

ADDRESS = "https://qyapi.weixin.qq.com"


class Config(CrmConfig):
    corp_id: str = Field(
        title="Corp ID",
        min_length=1,
        description="In the admin console work.weixin.qq.com under My Company, Company Info, at the bottom",
    )
    corp_secret: SecretStr = Field(
        title="Secret",
        min_length=1,
        description="Under Apps open your own app, Secret. Put this server's address into the app's Trusted IPs, and "
        "let the app call the API under Collaboration, Documents, API",
    )
    hook_token: SecretStr = Field(
        SecretStr(""), title="Callback token", description="Of the app's Receive Messages; needed only for webhooks"
    )
    hook_secret: SecretStr = Field(
        SecretStr(""), title="EncodingAESKey", description="Beside the callback token; needed only for webhooks"
    )
    members: str = Field(
        "", title="Managers of a new smart sheet", description="Their accounts as in Contacts, with commas between"
    )
    document: str = Field(
        "",
        title="Smart sheet",
        description="Leave it empty and choose the place from the list: Octopus then makes a smart sheet, because an "
        "app cannot open those people made. Or paste the docid of one the app made before",
    )
    sheet: str = Field(title="Sub-sheet", min_length=1, description="Chosen with the smart sheet")
    link: str = Field("", title="Address of the smart sheet", description="Where a task's link leads; chosen with it")
    key_field: str = Field("Octopus key", title="Column for the key", min_length=1, description="A text column")
    body_field: str = Field("Details", title="Column for the text", min_length=1, description="A text column")
    updates_field: str = Field(
        "Updates",
        title="Column for further messages",
        description="A text column. A smart sheet has no comments, so they are added to its end; empty for none",
    )
    status_field: str = Field(
        "Status", title="Status column", description="A single select or a checkbox; empty when the sheet has none"
    )
    open_value: str = Field("Open", title="Option of open tasks", description="Given to new tasks and reopened ones")
    done_value: str = Field("Done", title="Option of finished tasks", description="As it stands in the status column")
    cancelled_value: str = Field(
        "Cancelled", title="Option of cancelled tasks", description="When empty, cancelled tasks count as finished"
    )


@dataclass(frozen=True, slots=True)
class _WithToken:
    """WeCom wants the token in the query of each call."""

    client: ApiClient
    token: str

    def call(self, method: str, path: str, **options: Any) -> Any:
        return self.client.call(method, path, params={"access_token": self.token}, **options)


class Connector:
    label: ClassVar[str] = "WeCom"
    docs: ClassVar[str] = "https://developer.work.weixin.qq.com/document/path/99907"
    # Without PEOPLE: an app may look a member up, not list them by name. Without COMMENTS: a smart sheet has none.
    # WeCom does not say how soon a new row shows up, so that a search is made twice.
    CAN: ClassVar[frozenset[Capability]] = frozenset(Capability) - {
        Capability.IDEMPOTENT_CREATE,
        Capability.PEOPLE,
        Capability.COMMENTS,
        Capability.SETS_HOOK,
    }
    EXACTLY_ONCE: ClassVar[str] = (
        "WeCom takes no idempotency key, so each row carries the task's key in a column of its own, and after an "
        "uncertain end that column is read, twice, before anything is added again. "
        "https://developer.work.weixin.qq.com/document/path/99915"
    )
    # 150,000 an hour for each call: https://developer.work.weixin.qq.com/document/path/90312
    RATE_PER_S: ClassVar[float | None] = 150_000 / 3_600
    CONSENT: ClassVar[Consent | None] = None  # the app acts for itself, with Corp ID and Secret
    HOOK_STEPS: ClassVar[tuple[str, ...]] = (
        "In the WeCom admin console under Apps open your app, then Receive Messages, Set API.",
        "Press 'Get randomly' beside Token and beside EncodingAESKey, paste both into the fields 'Callback token' and "
        "'EncodingAESKey' on Destinations and save there first: WeCom tests the address at once.",
        "Back in the admin console enter {url} as URL and save. WeCom then tells of each row members change.",
    )

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self._address = config.base_url or ADDRESS
        self._secret = config.corp_secret.get_secret_value()
        tokens = tokens or tokens_of_process(self._address, config.corp_id, self._secret)
        self.api = TokenClient(lambda token: _WithToken(self._client(token.value), token.value), self._renew, tokens)
        self.sheet = Sheet(self.api, config.document, config.sheet)
        statuses = Statuses(config.open_value, config.done_value, config.cancelled_value)
        self.layout = Layout(
            config.key_field, config.body_field, config.updates_field, config.status_field, statuses, config.link
        )
        cannot = {Capability.TRANSITION: not config.status_field, Capability.COMMENT: not config.updates_field}
        self.CAN = Connector.CAN - {capability for capability, is_missing in cannot.items() if is_missing}

    def check(self) -> str:
        title = self.sheet.title()
        for name in (*self.layout.ours, self.layout.body):
            self.sheet.check_column(name, (TEXT,), "a text")
        if self.layout.status:
            self.sheet.check_column(self.layout.status, (SELECT, TICK), "a single select or a checkbox")
        return f"{self.config.corp_id}: {title}"

    def targets(self) -> list[Target]:
        """The sub-sheets of the smart sheet; where none is named, one is made."""
        document = self.config.document
        if not document:
            return [self._new_sheet()]
        return [
            Target(one.get("title") or one["sheet_id"], {"document": document, "sheet": one["sheet_id"]})
            for one in self.sheet.all_in(document)
        ]

    def fields(self) -> list[RemoteField]:
        return self.sheet.columns().fields(besides=self.layout.ours)

    def create(self, task: Task) -> TaskRef:
        columns = self.sheet.columns()
        cells = self.layout.given_at_first(task.key, columns)
        assignee = columns.column(ASSIGNEE)
        if task.assignee and assignee:
            cells[assignee] = [{"user_id": self._member(task.assignee)}]
        return TaskRef(self.sheet.add(cells | self._content(task)), self.layout.link)

    def find(self, key: str) -> TaskRef | None:
        return next((self._ref(row) for row in self._rows() if self.layout.key_of(row) == key), None)

    def update(self, ref: TaskRef, task: Task) -> None:
        """Status and assignee stay as they are, unless they are mapped: people may have changed them."""
        self.sheet.change(ref.id, self._content(task))

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """Add the text to the end of its column. What somebody types there in the same moment may be lost.

        WeCom takes no key, but a text that stands at the end already is not added again.
        """
        column = self.layout.updates
        self.sheet.check_column(column, (TEXT,), "a text")
        before = inside(self.sheet.row(ref.id, [column]), "values", column)
        after = added_to(before, text)
        if after != before:
            self.sheet.change(ref.id, {column: after})

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        wanted, cell = self.layout.nearest(status, self.sheet.columns())
        now = self.status(ref).status
        if now is not wanted and not (wanted is TaskStatus.OPEN and now is TaskStatus.IN_PROGRESS):
            self.sheet.change(ref.id, {self.layout.status: cell})

    def status(self, ref: TaskRef) -> TaskRef:
        return self._ref(self.sheet.row(ref.id, self.layout.read(self.sheet.columns())))

    def changes(self, since: datetime) -> Iterable[TaskRef]:
        """Of Octopus' own rows; all are read, as WeCom documents no search. Deleted rows show when they are asked."""
        for row in self._rows():
            changed_at = moment_of(row.get("update_time"))
            if self.layout.key_of(row) and changed_at and changed_at >= since:
                yield self._ref(row)

    def verify_hook(self, request: RawRequest, now: float) -> None:
        """An old request sent again is let pass: it is a hint only."""
        self._opened(request)

    def answer_hook(self, request: RawRequest) -> Answer:
        if request.method == "GET":
            return Answer(body=self._opened(request), store=False)
        return Answer(body=b"success")

    def changed(self, request: RawRequest) -> tuple[str, ...]:
        return changed_rows(self.label, self._opened(request))

    def _opened(self, request: RawRequest) -> bytes:
        token, aes_key = self.config.hook_token.get_secret_value(), self.config.hook_secret.get_secret_value()
        return opened(self.label, request, token, aes_key, self.config.corp_id)

    def _content(self, task: Task) -> dict[str, Any]:
        return cells_of(task, self.sheet.columns(), self.layout.body, self.layout.ours)

    def _rows(self) -> Iterable[dict[str, Any]]:
        return self.sheet.all_rows(self.layout.read(self.sheet.columns()))

    def _ref(self, row: dict[str, Any]) -> TaskRef:
        return self.layout.ref_of(row, self.sheet.columns())

    def _member(self, assignee: str) -> str:
        """The account of a member, who may be named by e-mail address."""
        if "@" not in assignee:
            return assignee
        answer = self.api.call("POST", "/user/get_userid_by_email", json={"email": assignee}, changes_nothing=True)
        return answered(self.label, answer, "userid")

    def _new_sheet(self) -> Target:
        document, link, first = self.sheet.made("Octopus", parts(self.config.members), self.layout.new_columns())
        chosen = {"document": document, "sheet": first["sheet_id"], "link": link}
        return Target(f"Octopus: {first.get('title') or first['sheet_id']}", chosen)

    def _renew(self, kept: Token | None) -> Token:
        """Source: https://developer.work.weixin.qq.com/document/path/91039."""
        asked = {"corpid": self.config.corp_id, "corpsecret": self._secret}
        with recording():  # and thrown away: the answer holds the token
            answer = self._client().call("GET", "/gettoken", params=asked)
        token = inside(answer, "access_token")
        if not isinstance(token, str) or not token:
            raise TransientError("WeCom gave no access token; nothing was sent. It is asked again by itself.")
        return Token(token, time.time() + (number(str(inside(answer, "expires_in"))) or USUAL_LIFE_S))

    def _client(self, token: str = "") -> ApiClient:
        return ApiClient(
            self.label, f"{self._address}/cgi-bin", transport=self.transport, error_of=error_of,
            secrets=(self._secret, token),
        )  # fmt: skip
