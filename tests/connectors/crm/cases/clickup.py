from app.domain.errors import Rejected
from app.domain.tasks import TaskRef

from ..case import KEY, SECRET, Case, Reply

LIST, SPACE, TEAM = "901100000001", "90110000002", "9011000003"
CLICKUP_TASK = {"id": "86cv5pkvr", "url": "https://app.clickup.example/t/86cv5pkvr", "status": {"type": "open"}}


def refused(sentence: str, code: str) -> dict[str, str]:
    return {"err": sentence, "ECODE": code}


CASE = Case(
    config={"token": SECRET, "list": LIST},
    create=("POST", f"/api/v2/list/{LIST}/task"),
    created=CLICKUP_TASK,
    ref=TaskRef(CLICKUP_TASK["id"], CLICKUP_TASK["url"]),
    lookup=("GET", f"/api/v2/list/{LIST}/task"),
    found={
        "tasks": [{"id": "86cv5pkvp", "description": "another"}, CLICKUP_TASK | {"description": f"x\n\noctopus-{KEY}"}],
        "last_page": True,
    },
    nothing={"tasks": [], "last_page": True},
    names_a_field=Reply(400, refused("Task name invalid", "INPUT_005"), Rejected, "name"),
    conflict=Reply(409, refused("Task was changed meanwhile", "ITEM_001"), Rejected),
    asked_too_often=Reply(429, refused("Rate limit reached", "APP_002"), headers={"Retry-After": "7"}, wait_s=7.0),
    spoken="err",
)
