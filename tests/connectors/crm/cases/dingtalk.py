from app.domain.errors import Rejected, TransientError
from app.domain.tasks import TaskRef

from ..case import KEY, SECRET, Case, Reply

TOKEN = ("POST", "/v1.0/oauth2/accessToken")
TODOS = "/v1.0/todo/users/PUoiinWIpa2yH2ymhiiGiP6g"
CREATE, BY_KEY = ("POST", f"{TODOS}/tasks"), ("GET", f"{TODOS}/tasks/sources/{KEY}")
TODO_ID = "task86e68644789bd6"
READ, CHANGE = ("GET", f"{TODOS}/tasks/{TODO_ID}"), ("PUT", f"{TODOS}/tasks/{TODO_ID}")
TODO = {"id": TODO_ID, "sourceId": KEY, "subject": "Saving shows error 5", "done": False, "requestId": "r1"}

CASE = Case(
    config={"client_id": "dingtest", "client_secret": SECRET, "owner": "PUoiinWIpa2yH2ymhiiGiP6g"},
    create=CREATE,
    created=TODO,
    ref=TaskRef(TODO_ID),
    lookup=BY_KEY,
    found=TODO,
    nothing={"code": "todo.taskGet.paramError", "message": "task not exist", "requestid": "r1"},
    around={TOKEN: {"accessToken": "accesstoken000001", "expireIn": 7200}, READ: TODO},
    names_a_field=Reply(
        400, {"code": "todo.taskCreate.paramError", "message": "dueTime is invalid"}, Rejected, "dueTime"
    ),
    conflict=Reply(400, {"code": "todo.taskCreate.lockError", "message": "todo.taskCreate.lockError"}, TransientError),
    asked_too_often=Reply(
        403, {"code": "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", "message": "qps limit"}, wait_s=1.0
    ),
    secrets=(SECRET, "accesstoken000001"),
)
