from app.domain.errors import Rejected
from app.domain.tasks import TaskRef

from ..case import SECRET, Case, Reply

LARK_TOKEN = "/open-apis/auth/v3/tenant_access_token/internal"
LARK_TASK = {"guid": "83912691-2e43-47fc-94a4-d512e03984fa", "url": "https://lark.example/t1", "status": "todo"}

CASE = Case(
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
)  # fmt: skip
