from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import TaskRef

from ..case import KEY, SECRET, Case, Reply

TENANT = "8f0e5a3c-1111-4222-8333-944455556666"
DYNAMICS_TOKEN = ("POST", f"/{TENANT}/oauth2/v2.0/token")
TASK_ROW = {
    "@odata.etag": 'W/"536530"', "activityid": KEY, "statecode": 0, "statuscode": 2,
}  # fmt: skip


def refused(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


CASE = Case(
    config={
        "environment": "acme.crm4.dynamics.com", "tenant": TENANT, "client_id": "c1d2", "client_secret": SECRET,
        "refresh_token": "0.refresh-token",
    },
    create=("POST", "/api/data/v9.2/tasks"),
    created=TASK_ROW,
    ref=TaskRef(KEY, f"{{address}}/main.aspx?etn=task&pagetype=entityrecord&id={KEY}"),
    lookup=("GET", "/api/data/v9.2/tasks"),
    found={"value": [TASK_ROW]},
    nothing={"value": []},
    around={
        DYNAMICS_TOKEN: {
            "token_type": "Bearer", "expires_in": 3599, "access_token": "eyJ.first-token",
            "refresh_token": "0.second-refresh",
        },
    },
    names_a_field=Reply(
        400,
        refused(
            "0x80044331",
            "A validation error occurred. The value 9 of 'prioritycode' on record of type 'task' is outside the valid "
            "range.",
        ),
        Rejected,
        "prioritycode",
    ),
    conflict=Reply(409, refused("0x80048d0a", "conflict"), Rejected),
    asked_too_often=Reply(
        429, refused("0x80072322", "Number of requests exceeded the limit"), headers={"Retry-After": "7"}, wait_s=7.0
    ),
    secrets=(SECRET, "0.refresh-token", "eyJ.first-token"),
)  # fmt: skip
