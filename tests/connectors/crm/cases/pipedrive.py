from app.domain.errors import Rejected
from app.domain.tasks import TaskRef

from ..case import KEY, SECRET, Case, Reply

ACTIVITIES = "/api/v2/activities"
ACTIVITY = {
    "id": 512, "subject": "Saving shows error 5", "type": "task", "owner_id": 7, "done": False, "is_deleted": False,
    "update_time": "2026-11-20T08:00:00Z", "note": f"Fehler 5.<br><br>octopus-{KEY}",
}  # fmt: skip


def answer(data: object, **more: object) -> dict[str, object]:
    return {"success": True, "data": data, "additional_data": more}


def refused(error: str, code: str = "ERR_SCHEMA_VALIDATION_FAILED") -> dict[str, object]:
    return {"success": False, "error": error, "error_info": "See developers.pipedrive.com", "code": code, "data": None}


CASE = Case(
    config={"token": SECRET},
    create=("POST", ACTIVITIES),
    created=answer(ACTIVITY),
    ref=TaskRef("512", "https://acme.pipedrive.com/activities/list/user/everyone?selected=512"),
    lookup=("GET", ACTIVITIES),
    found=answer([{"id": 1, "note": "another"}, {"id": 512, "note": ACTIVITY["note"]}], next_cursor=None),
    nothing=answer([{"id": 1, "note": "another"}, {"id": 2, "note": None}], next_cursor=None),
    around={
        ("GET", "/v1/users/me"): answer(
            {"id": 7, "name": "Ann", "company_name": "Acme", "company_domain": "acme", "email": "ann@example.com"}
        ),
        ("GET", "/v1/users"): answer(
            [
                {"id": 7, "name": "Ann", "email": "ann@example.com", "active_flag": True},
                {"id": 8, "name": "Bo", "email": "bo@example.com", "active_flag": False},
            ]
        ),
        ("GET", "/v1/activityTypes"): answer(
            [
                {"id": 1, "name": "Task", "key_string": "task", "active_flag": True},
                {"id": 2, "name": "Call", "key_string": "call", "active_flag": True},
                {"id": 3, "name": "Fax", "key_string": "fax", "active_flag": False},
            ]
        ),
        ("GET", "/api/v2/activityFields"): answer(
            [
                {"field_code": "subject", "field_name": "Subject", "field_type": "varchar", "options": None},
                {
                    "field_code": "priority", "field_name": "Priority", "field_type": "enum",
                    "options": [{"id": 101, "label": "Low"}, {"id": 103, "label": "High"}],
                },
            ]
        ),
        ("GET", f"{ACTIVITIES}/512"): answer(ACTIVITY),
    },
    names_a_field=Reply(400, refused("Validation failed: due_date: Invalid value"), Rejected, "due_date"),
    conflict=Reply(409, refused("conflict", "ERR_CONFLICT"), Rejected),
    asked_too_often=Reply(
        429, refused("Request over limit", "ERR_RATE_LIMIT"), headers={"x-ratelimit-reset": "2"}, wait_s=2.0
    ),
    spoken="error",
)  # fmt: skip
