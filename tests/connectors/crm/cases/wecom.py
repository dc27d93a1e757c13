from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import TaskRef

from ..case import KEY, SECRET, Case, Reply

TOKEN = ("GET", "/cgi-bin/gettoken")
SHEETS = "/cgi-bin/wedoc/smartsheet"
COLUMNS, ROWS = ("POST", f"{SHEETS}/get_fields"), ("POST", f"{SHEETS}/get_records")
ADD, CHANGE = ("POST", f"{SHEETS}/add_records"), ("POST", f"{SHEETS}/update_records")
ROW, LINK = "rABC01", "https://doc.weixin.qq.com/smartsheet/s3_test"


def column(title: str, kind: str, *options: str) -> dict[str, Any]:
    described: dict[str, Any] = {"field_id": f"f{title}", "field_title": title, "field_type": f"FIELD_TYPE_{kind}"}
    if options:
        texts = [{"id": f"o{at}", "text": option} for at, option in enumerate(options)]
        described[f"property_{kind.lower()}"] = {"is_quick_add": True, "options": texts}
    return described


DESCRIBED = [
    column("Octopus key", "TEXT"),
    column("标题", "TEXT"),
    column("Details", "TEXT"),
    column("Updates", "TEXT"),
    column("Status", "SINGLE_SELECT", "Open", "In progress", "Done", "Cancelled"),
    column("截止日期", "DATE_TIME"),
    column("优先级", "SINGLE_SELECT", "紧急", "高", "中", "低"),
    column("标签", "SELECT", "bug", "vip"),
    column("负责人", "USER"),
    column("Size", "NUMBER"),
    column("Seen", "CHECKBOX"),
    column("Page", "URL"),
    column("Phone", "PHONE_NUMBER"),
    column("Changed", "MODIFIED_TIME"),
]


def text(value: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": value}]


def good(**more: Any) -> dict[str, Any]:
    return {"errcode": 0, "errmsg": "ok", **more}


def row(**cells: Any) -> dict[str, Any]:
    values = {"Octopus key": text(KEY)} | cells
    return {"record_id": ROW, "create_time": "1763880000000", "values": values, "creator_name": "Octopus"}


def listed(*found: dict[str, Any], **more: Any) -> dict[str, Any]:
    return good(**({"total": len(found), "has_more": False, "next": len(found), "records": [*found]} | more))


CASE = Case(
    config={"corp_id": "ww5823bf96d3bd56", "corp_secret": SECRET, "document": "DOCID", "sheet": "123Abc", "link": LINK},
    create=ADD,
    created=good(records=[row()]),
    ref=TaskRef(ROW, LINK),
    lookup=ROWS,
    found=listed(row(**{"Octopus key": text("another key")}) | {"record_id": "r0"}, row()),
    nothing=listed(),
    around={
        TOKEN: good(access_token="accesstoken000001", expires_in=7200),
        COLUMNS: good(total=len(DESCRIBED), fields=DESCRIBED),
    },
    names_a_field=Reply(200, {"errcode": 2022004, "errmsg": 'field "Details" not exists'}, Rejected, "Details"),
    conflict=Reply(200, {"errcode": 2022017, "errmsg": "Smartsheet invalid field property"}, Rejected),
    asked_too_often=Reply(200, {"errcode": 45009, "errmsg": "api freq out of limit"}, wait_s=60.0),
    spoken="errmsg",
    secrets=(SECRET, "accesstoken000001"),
)  # fmt: skip
