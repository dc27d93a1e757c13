from app.domain.errors import Rejected
from app.domain.tasks import TaskRef

from ..case import KEY, SECRET, Case, Reply

PROJECT, WORKSPACE, TAG = "1200000000000001", "1200000000000002", "1200000000000003"
ASANA_TASK = {"gid": "1200000000000010", "permalink_url": "https://app.asana.example/0/1/10"}
TAGS = ("GET", f"/api/1.0/workspaces/{WORKSPACE}/typeahead")


def refused(message: str) -> dict[str, object]:
    return {"errors": [{"message": message, "help": "For more information on API status codes, read the docs"}]}


CASE = Case(
    config={"token": SECRET, "project": PROJECT},
    create=("POST", "/api/1.0/tasks"),
    created={"data": ASANA_TASK},
    ref=TaskRef(ASANA_TASK["gid"], ASANA_TASK["permalink_url"]),
    lookup=("GET", "/api/1.0/tasks"),
    found={
        "data": [{"gid": "1", "notes": "another"}, ASANA_TASK | {"notes": f"text\n\noctopus-{KEY}"}],
        "next_page": None,
    },
    nothing={"data": [], "next_page": None},
    around={
        ("GET", f"/api/1.0/projects/{PROJECT}"): {
            "data": {"gid": PROJECT, "name": "Support", "archived": False, "workspace": {"gid": WORKSPACE}}
        },
        TAGS: {"data": [{"gid": "1200000000000009", "name": "bugs"}, {"gid": TAG, "name": "Bug"}]},
    },
    names_a_field=Reply(400, refused("assignee: Not a recognized ID: x"), Rejected, "assignee"),
    conflict=Reply(409, refused("conflict"), Rejected),
    asked_too_often=Reply(429, refused("You have made too many requests"), headers={"Retry-After": "7"}, wait_s=7.0),
)
