from app.domain.errors import Rejected
from app.domain.tasks import TaskRef

from ..case import SECRET, Case, Reply

RECORD = {
    "id": "512", "createdAt": "2026-11-20T08:00:00Z", "updatedAt": "2026-11-20T09:30:00.250Z", "archived": False,
    "properties": {"hs_pipeline": "0", "hs_pipeline_stage": "1", "hubspot_owner_id": "7"},
    "url": "https://hubspot.example/512",
}  # fmt: skip


def stage(stage_id: str, label: str, order: int, **metadata: str) -> dict[str, object]:
    return {"id": stage_id, "label": label, "displayOrder": order, "metadata": metadata}


PIPELINES = {
    "results": [
        {
            "id": "0", "label": "Support", "stages": [
                stage("1", "New", 0, ticketState="OPEN"), stage("2", "Waiting", 1, ticketState="OPEN"),
                stage("5", "Rejected", 3, ticketState="CLOSED"), stage("4", "Closed", 2, ticketState="CLOSED"),
            ],
        },
        {
            "id": "9", "label": "Sales", "stages": [
                stage("won", "Won", 2, isClosed="true", probability="1.0"),
                stage("lost", "Lost", 3, isClosed="true", probability="0.0"),
                stage("talks", "Talks", 1, isClosed="false", probability="0.2"),
                stage("fresh", "Fresh", 0, isClosed="false", probability="0.1"),
            ],
        },
        {"id": "10", "label": "Endless", "stages": [stage("on", "On", 0, ticketState="OPEN")]},
    ]
}  # fmt: skip
OWNERS = {
    "results": [
        {"id": "7", "firstName": "Ann", "lastName": "Lee", "email": "ann@example.com", "type": "PERSON"},
        {"id": "8", "firstName": "", "lastName": "", "email": "bo@example.com", "type": "PERSON"},
        {"id": "9", "type": "QUEUE"},
    ]
}

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
