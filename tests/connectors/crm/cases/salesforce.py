from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import TaskRef

from ..case import KEY, SECRET, Case, Reply

SALESFORCE_TOKEN = ("POST", "/services/oauth2/token")
SALESFORCE_ID = "00Txx0000001gPLEAY"
RECORD = {
    "attributes": {"type": "Task", "url": f"/services/data/v68.0/sobjects/Task/{SALESFORCE_ID}"},
    "Id": SALESFORCE_ID,
    "Status": "Not Started",
    "IsClosed": False,
    "Description": f"Error 5\n\noctopus-{KEY}",
}


def refused(code: str, message: str, *fields: str) -> list[dict[str, Any]]:
    return [{"message": message, "errorCode": code, "fields": list(fields)}]


def found(*records: dict[str, Any]) -> dict[str, Any]:
    return {"totalSize": len(records), "done": True, "records": list(records)}


CASE = Case(
    config={"domain": "acme", "client_id": "3MVG.key", "client_secret": SECRET, "refresh_token": "5Aep.refresh"},
    create=("POST", "/services/data/v68.0/sobjects/Task"),
    created={"id": SALESFORCE_ID, "success": True, "errors": []},
    ref=TaskRef(SALESFORCE_ID, f"{{address}}/lightning/r/Task/{SALESFORCE_ID}/view"),
    lookup=("GET", "/services/data/v68.0/query"),
    found=found(RECORD | {"Id": "00Tother", "Description": None}, RECORD),
    nothing=found(),
    around={
        SALESFORCE_TOKEN: {
            "access_token": "00Dxx!first-token", "instance_url": "https://acme.my.salesforce.com",
            "token_type": "Bearer",
        },
    },
    names_a_field=Reply(
        400, refused("REQUIRED_FIELD_MISSING", "Required fields are missing: [Type__c]", "Type__c"), Rejected, "Type__c"
    ),
    conflict=Reply(400, refused("DUPLICATES_DETECTED", "Use one of these records?"), Rejected),
    asked_too_often=Reply(403, refused("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), wait_s=600.0),
    secrets=(SECRET, "5Aep.refresh", "00Dxx!first-token"),
)  # fmt: skip
