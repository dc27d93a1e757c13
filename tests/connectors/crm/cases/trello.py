from app.domain.errors import Rejected
from app.domain.tasks import TaskRef

from ..case import KEY, SECRET, Case, Reply

BOARD, LIST, DONE_LIST = "5f0000000000000000000001", "5f0000000000000000000002", "5f0000000000000000000003"
CARD = {"id": "5f00000000000000000000c1", "shortUrl": "https://trello.example/c/AbCd", "idList": LIST}

CASE = Case(
    config={"key": "k3y-of-the-app", "token": SECRET, "list": LIST},
    create=("POST", "/1/cards"),
    created=CARD,
    ref=TaskRef(CARD["id"], CARD["shortUrl"]),
    lookup=("GET", f"/1/boards/{BOARD}/cards"),
    found=[{"id": "5f00000000000000000000c0", "desc": "another"}, CARD | {"desc": f"text\n\noctopus-{KEY}"}],
    nothing=[],
    around={
        ("GET", f"/1/lists/{LIST}"): {"id": LIST, "name": "Inbox", "idBoard": BOARD, "closed": False},
        ("GET", f"/1/boards/{BOARD}/labels"): [{"id": "5f00000000000000000000b1", "name": "Bug", "color": "red"}],
    },
    names_a_field=Reply(400, {"message": "invalid value for due", "error": "ERROR"}, Rejected, "due"),
    conflict=Reply(409, {"message": "conflict", "error": "ERROR"}, Rejected),
    asked_too_often=Reply(429, {"message": "Rate limit exceeded", "error": "API_TOKEN_LIMIT_EXCEEDED"}, wait_s=10.0),
    secrets=(SECRET, "k3y-of-the-app"),
)
