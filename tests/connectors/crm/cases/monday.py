from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import TaskRef

from ..case import SECRET, Case, Reply

BOARD = "1234567890"
ITEM = {
    "id": "9876543210", "url": "https://acme.monday.example/boards/1234567890/pulses/9876543210", "state": "active",
    "updated_at": "2026-11-20T10:00:00Z", "column_values": [{"id": "octopus_key", "text": "key"}],
}  # fmt: skip


def refused(code: str, message: str, **more: Any) -> dict[str, Any]:
    """monday.com's error inside a 200. more: the other extensions."""
    return {"data": None, "errors": [{"message": message, "extensions": {"code": code, **more}}]}


def found(*items: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"items_page_by_column_values": {"items": [*items]}}}


CASE = Case(
    config={"token": SECRET, "board": BOARD},
    create=("POST", "/v2"),
    created={"data": {"create_item": {"id": ITEM["id"], "url": ITEM["url"]}}},
    ref=TaskRef(ITEM["id"], ITEM["url"]),
    lookup=("POST", "/v2"),
    found=found({"id": ITEM["id"], "url": ITEM["url"]}),
    nothing=found(),
    names_a_field=Reply(
        200,
        refused(
            "ColumnValueException", "invalid value, please check our API documentation", status_code=200,
            error_data={"column_id": "date4", "column_type": "date", "column_validation_error_code": "invalidDate"},
        ),
        Rejected,
        "date4",
    ),
    conflict=Reply(409, refused("DeleteLastGroupException", "conflict", status_code=409), Rejected),
    asked_too_often=Reply(
        200,
        refused("COMPLEXITY_BUDGET_EXHAUSTED", "Complexity budget exhausted", retry_in_seconds=7, status_code=429),
        wait_s=7.0,
    ),
)  # fmt: skip
