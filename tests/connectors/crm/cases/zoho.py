from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import TaskRef

from ..case import SECRET, Case, Reply

ZOHO_TOKEN = ("POST", "/oauth/v2/token")
ZOHO_ID = "3652397000000649013"


def zoho_row(code: str, message: str, **details: Any) -> dict[str, Any]:
    """An answer with the outcome of one record, as Zoho writes it."""
    status = "success" if code == "SUCCESS" else "error"
    return {"data": [{"code": code, "details": details, "message": message, "status": status}]}


CASE = Case(
    config={"client_id": "1000.CLIENT", "client_secret": SECRET, "refresh_token": "1000.refresh-token"},
    create=("POST", "/crm/v8/Cases/upsert"),
    created=zoho_row("SUCCESS", "record added", id=ZOHO_ID),
    ref=TaskRef(ZOHO_ID, f"{{address}}/crm/tab/Cases/{ZOHO_ID}"),
    lookup=("POST", "/crm/v8/coql"),
    found={"data": [{"id": ZOHO_ID}], "info": {"count": 1, "more_records": False}},
    nothing={"data": [], "info": {"count": 0, "more_records": False}},
    around={
        ZOHO_TOKEN: {"access_token": "1000.first-token", "api_domain": "https://www.zohoapis.eu", "expires_in": 3600},
    },
    names_a_field=Reply(
        202,
        zoho_row("MANDATORY_NOT_FOUND", "required field not found", api_name="Case_Origin"),
        Rejected,
        "Case_Origin",
    ),
    conflict=Reply(202, zoho_row("DUPLICATE_DATA", "duplicate data", api_name="Email", id="7"), Rejected),
    asked_too_often=Reply(
        429,
        {"code": "TOO_MANY_REQUESTS", "details": {}, "message": "too many", "status": "error"},
        headers={"Retry-After": "7"},
        wait_s=7.0,
    ),
    secrets=(SECRET, "1000.refresh-token", "1000.first-token"),
)  # fmt: skip
