"""What each vendor's answers look like, for the contract suite. A connector without a case here fails it."""

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.domain.classification import Priority
from app.domain.errors import Rejected, RemoteError, TransientError
from app.domain.tasks import Link, Task, TaskRef

SECRET = "s3cret-word"
KEY = "da6d6fe2-138f-5f35-99a3-01d9b2aa6e5c"
TASK = Task(
    key=KEY,
    title="Saving shows error 5 😀",
    body="Jedes Mal beim Speichern: Fehler 5. 一打开就崩溃 😀\n\nCustomer: Zoë\nCategory: bug (Bug)\nPriority: high",
    category="bug",
    category_name="Bug",
    priority=Priority.HIGH,
    due_at=datetime(2026, 12, 1, 9, 30, tzinfo=UTC),
    labels=("bug",),
    attachments=(Link("screen.png", "https://files.example/screen.png"),),
    link="https://octopus.example/inbox?message=1",
)


@dataclass(frozen=True)
class Reply:
    """status, JSON body and headers of a vendor's answer, and what must become of it."""

    status: int
    body: Any
    error: type[RemoteError] | None = None
    field: str = ""
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    wait_s: float | None = None


@dataclass(frozen=True)
class Case:
    """create, lookup: method and path. found: the lookup's answer when it is there; nothing: when it is not.

    around: other calls a create makes, and their answers. lookup is None where the vendor cannot search.
    """

    config: dict[str, Any]
    create: tuple[str, str]
    created: Any
    ref: TaskRef
    names_a_field: Reply
    conflict: Reply
    asked_too_often: Reply
    lookup: tuple[str, str] | None = None
    found: Any = None
    nothing: Any = None
    around: dict[tuple[str, str], Any] = dataclasses.field(default_factory=dict)
    spoken: str = "message"  # where the vendor puts its words
    secrets: tuple[str, ...] = (SECRET,)


NOTION_PROPERTIES = {
    "Task": {"id": "title", "type": "title", "title": {}},
    "Octopus key": {"id": "a", "type": "rich_text", "rich_text": {}},
    "Due": {"id": "b", "type": "date", "date": {}},
    "Kind": {"id": "c", "type": "select", "select": {"options": [{"name": "bug"}, {"name": "wish"}]}},
    "Size": {"id": "d", "type": "number", "number": {}},
    "State": {
        "id": "e",
        "type": "status",
        "status": {
            "options": [{"id": "o1", "name": "New"}, {"id": "o2", "name": "Shipped"}],
            "groups": [{"name": "To-do", "option_ids": ["o1"]}, {"name": "Complete", "option_ids": ["o2"]}],
        },
    },
    "Made": {"id": "f", "type": "created_time", "created_time": {}},
}
NOTION_PAGE = {"object": "page", "id": "59833787-2cf9-4fdf-8782-e53db20768a5", "url": "https://notion.example/p1"}
LINEAR_ID = "da6d6fe2-138f-4f35-99a3-01d9b2aa6e5c"
LARK_TOKEN = "/open-apis/auth/v3/tenant_access_token/internal"
LARK_TASK = {"guid": "83912691-2e43-47fc-94a4-d512e03984fa", "url": "https://lark.example/t1", "status": "todo"}


def _graphql_error(code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"data": None, "errors": [{"message": message, "extensions": {"code": code, **more}}]}


CASES = {
    "jira": Case(
        config={"email": "a@example.com", "token": SECRET, "project": "OCT"},
        create=("POST", "/rest/api/3/issue"),
        created={"id": "10001", "key": "OCT-1", "self": "/rest/api/3/issue/10001"},
        ref=TaskRef("OCT-1", "{address}/browse/OCT-1"),
        lookup=("POST", "/rest/api/3/search/jql"),
        found={"isLast": True, "issues": [{"id": "10001", "key": "OCT-1"}]},
        nothing={"isLast": True, "issues": []},
        names_a_field=Reply(
            400, {"errorMessages": [], "errors": {"duedate": "Field 'duedate' cannot be set."}}, Rejected, "duedate"
        ),
        conflict=Reply(409, {"errorMessages": ["edit conflict"], "errors": {}}, Rejected),
        asked_too_often=Reply(429, {"errorMessages": ["Too often"]}, headers={"Retry-After": "7"}, wait_s=7.0),
    ),
    "linear": Case(
        config={"api_key": SECRET, "team": "9cfb482a-81e3-4154-b5b9-2c805e70a02d"},
        create=("POST", "/graphql"),
        created={"data": {"issueCreate": {"success": True, "issue": {"id": LINEAR_ID, "url": "https://linear.example/1"}}}},
        ref=TaskRef(LINEAR_ID, "https://linear.example/1"),
        lookup=("POST", "/graphql"),
        found={"data": {"issues": {"nodes": [{"id": LINEAR_ID, "url": "https://linear.example/1"}]}}},
        nothing={"data": {"issues": {"nodes": []}}},
        names_a_field=Reply(
            200,
            _graphql_error("INVALID_INPUT", "Argument Validation Error", validationErrors=[{"property": "dueDate"}]),
            Rejected,
            "dueDate",
        ),
        conflict=Reply(409, _graphql_error("INPUT_ERROR", "conflict"), Rejected),
        asked_too_often=Reply(
            400, _graphql_error("RATELIMITED", "Rate limit exceeded"), headers={"Retry-After": "7"}, wait_s=7.0
        ),
    ),
    "notion": Case(
        config={"token": SECRET, "data_source": "d9824bdc-8445-4327-be8b-5b47500af6ce"},
        create=("POST", "/v1/pages"),
        created=NOTION_PAGE,
        ref=TaskRef(NOTION_PAGE["id"], NOTION_PAGE["url"]),
        lookup=("POST", "/v1/data_sources/d9824bdc-8445-4327-be8b-5b47500af6ce/query"),
        found={"object": "list", "results": [NOTION_PAGE], "has_more": False, "next_cursor": None},
        nothing={"object": "list", "results": [], "has_more": False, "next_cursor": None},
        around={
            ("GET", "/v1/data_sources/d9824bdc-8445-4327-be8b-5b47500af6ce"): {
                "object": "data_source", "properties": NOTION_PROPERTIES,
            }
        },
        names_a_field=Reply(
            400,
            {"object": "error", "code": "validation_error", "message": "Kind is expected to be multi_select."},
            Rejected,
            "Kind",
        ),
        conflict=Reply(409, {"object": "error", "code": "conflict_error", "message": "Conflict"}, TransientError),
        asked_too_often=Reply(
            429, {"code": "rate_limited", "message": "slow"}, headers={"Retry-After": "7"}, wait_s=7.0
        ),
    ),
    "hubspot": Case(
        config={"token": SECRET},
        create=("POST", "/crm/v3/objects/tickets"),
        created={"id": "512", "properties": {}, "url": "https://hubspot.example/512"},
        ref=TaskRef("512", "https://hubspot.example/512"),
        lookup=("POST", "/crm/v3/objects/tickets/search"),
        found={"total": 1, "results": [{"id": "512", "properties": {}, "url": "https://hubspot.example/512"}]},
        nothing={"total": 0, "results": []},
        names_a_field=Reply(
            400,
            {
                "category": "VALIDATION_ERROR",
                "message": 'Property values were not valid: [{"error":"INVALID_OPTION","name":"hs_kind"}]',
            },
            Rejected,
            "hs_kind",
        ),
        conflict=Reply(409, {"category": "CONFLICT", "message": "The record is locked"}, Rejected),
        asked_too_often=Reply(
            429, {"category": "RATE_LIMITS", "message": "limit", "policyName": "TEN_SECONDLY_ROLLING"}, wait_s=10.0
        ),
    ),
    "lark": Case(
        config={"app_id": "cli_test", "app_secret": SECRET},
        create=("POST", "/open-apis/task/v2/tasks"),
        created={"code": 0, "msg": "success", "data": {"task": LARK_TASK}},
        ref=TaskRef(LARK_TASK["guid"], LARK_TASK["url"]),
        around={("POST", LARK_TOKEN): {"code": 0, "msg": "ok", "expire": 7200, "tenant_access_token": "t-first-token"}},
        names_a_field=Reply(
            200,
            {"code": 1470400, "msg": "invalid", "error": {"field_violations": [{"field": "due.timestamp"}]}},
            Rejected,
            "due.timestamp",
        ),
        conflict=Reply(409, {"code": 1470422, "msg": "conflict"}, Rejected),
        asked_too_often=Reply(
            400, {"code": 99991400, "msg": "frequency limit"}, headers={"x-ogw-ratelimit-reset": "7"}, wait_s=7.0
        ),
        spoken="msg",
        secrets=(SECRET, "t-first-token"),
    ),
}  # fmt: skip
