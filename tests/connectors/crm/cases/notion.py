from app.domain.errors import Rejected, TransientError
from app.domain.tasks import TaskRef

from ..case import SECRET, Case, Reply

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

CASE = Case(
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
)  # fmt: skip
