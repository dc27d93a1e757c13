from app.domain.errors import Rejected
from app.domain.tasks import TaskRef

from ..case import SECRET, Case, Reply

CASE = Case(
    config={"token": SECRET},
    create=("POST", "/crm/v3/objects/tickets"),
    created={"id": "512", "properties": {}, "url": "https://hubspot.example/512"},
    ref=TaskRef("512", "https://hubspot.example/512"),
    lookup=("POST", "/crm/v3/objects/tickets/search"),
    found={"total": 1, "results": [{"id": "512", "properties": {}, "url": "https://hubspot.example/512"}]},
    nothing={"total": 0, "results": []},
    names_a_field=Reply(
        400,
        {
            "category": "VALIDATION_ERROR",
            "message": 'Property values were not valid: [{"error":"INVALID_OPTION","name":"hs_kind"}]',
        },
        Rejected,
        "hs_kind",
    ),
    conflict=Reply(409, {"category": "CONFLICT", "message": "The record is locked"}, Rejected),
    asked_too_often=Reply(
        429, {"category": "RATE_LIMITS", "message": "limit", "policyName": "TEN_SECONDLY_ROLLING"}, wait_s=10.0
    ),
)  # fmt: skip
