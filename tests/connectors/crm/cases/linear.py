from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import TaskRef

from ..case import SECRET, Case, Reply

LINEAR_ID = "da6d6fe2-138f-4f35-99a3-01d9b2aa6e5c"


def _graphql_error(code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"data": None, "errors": [{"message": message, "extensions": {"code": code, **more}}]}


CASE = Case(
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
)  # fmt: skip
