"""What a manager sees while connecting a destination, and what became of a task afterwards."""

import pytest

from app.domain.errors import TargetGone
from app.domain.tasks import Target, TaskStatus

from .cases.lark import LARK_TASK
from .cases.notion import NOTION_PROPERTIES

GRAPHQL = ("POST", "/graphql")
TEAMS = {"nodes": [{"id": "u1", "key": "SUP", "name": "Support"}], "pageInfo": {"hasNextPage": False}}
SOURCE = {"id": "d1", "title": [{"plain_text": "Tasks"}], "properties": NOTION_PROPERTIES}
PIPELINES = {"results": [{"id": "0", "label": "Support", "stages": [{"id": "1", "label": "New", "metadata": {}}]}]}


@pytest.mark.parametrize(
    ("key", "answers", "name"),
    [
        ("linear", {GRAPHQL: {"data": {"viewer": {"name": "Ann"}, "team": {"name": "Support"}}}}, "Ann in Support"),
        (
            "hubspot",
            {
                ("GET", "/account-info/v3/details"): {"portalId": 62515},
                ("GET", "/crm/v3/objects/tickets"): {"results": []},
                ("GET", "/crm/v3/pipelines/tickets"): PIPELINES,
            },
            "Account 62515",
        ),
        ("lark", {("GET", "/open-apis/bot/v3/info"): {"code": 0, "bot": {"app_name": "Octopus"}}}, "Octopus"),
    ],
)
def test_check_names_the_account(key, answers, name, vendor):
    there = vendor(key, around=key == "lark")
    for call, body in answers.items():
        there.answers(call, body)

    assert there.connector().check() == name


@pytest.mark.parametrize(
    ("key", "call", "body", "target"),
    [
        ("linear", GRAPHQL, {"data": {"teams": TEAMS}}, Target("Support (SUP)", {"team": "u1"})),
        ("notion", ("POST", "/v1/search"), {"results": [SOURCE]}, Target("Tasks", {"data_source": "d1"})),
        (
            "hubspot",
            ("GET", "/crm/v3/pipelines/tickets"),
            PIPELINES,
            Target("Support: New", {"pipeline": "0", "stage": "1"}),
        ),
        (
            "lark",
            ("GET", "/open-apis/task/v2/tasklists"),
            {"code": 0, "data": {"items": [{"guid": "l1", "name": "Support"}], "has_more": False}},
            Target("Support", {"tasklist": "l1"}),
        ),
    ],
)
def test_targets_can_be_chosen_and_fit_the_config(key, call, body, target, vendor):
    there = vendor(key)
    there.answers(call, body)

    assert there.connector().targets() == [target]
    assert there.connector(**target.config)


@pytest.mark.parametrize(
    ("key", "call", "theirs", "ours"),
    [
        ("jira", ("GET", "/rest/api/3/issue/OCT-1"), "new", TaskStatus.OPEN),
        ("jira", ("GET", "/rest/api/3/issue/OCT-1"), "done", TaskStatus.DONE),
        ("jira", ("GET", "/rest/api/3/issue/OCT-1"), "their own", TaskStatus.UNKNOWN),
        ("linear", GRAPHQL, "started", TaskStatus.IN_PROGRESS),
        ("linear", GRAPHQL, "canceled", TaskStatus.CANCELLED),
        ("lark", ("GET", f"/open-apis/task/v2/tasks/{LARK_TASK['guid']}"), "done", TaskStatus.DONE),
    ],
)
def test_status_is_told_in_our_words(key, call, theirs, ours, vendor):
    there = vendor(key)
    issue = {"id": there.ref.id, "state": {"type": theirs}}
    answers = {
        "jira": {"key": "OCT-1", "fields": {"status": {"statusCategory": {"key": theirs}}}},
        "linear": {"data": {"issues": {"nodes": [issue]}}},
        "lark": {"code": 0, "data": {"task": LARK_TASK | {"status": theirs}}},
    }
    there.answers(call, answers[key])

    assert there.connector().status(there.ref).status is ours


def test_an_issue_deleted_at_linear_is_gone(vendor):
    there = vendor("linear")
    there.answers(GRAPHQL, there.case.nothing)

    with pytest.raises(TargetGone):
        there.connector().status(there.ref)


def test_hubspot_fields_leave_out_what_cannot_be_written(vendor):
    there = vendor("hubspot")
    known = [
        {"name": "subject", "label": "Name", "type": "string"},
        {"name": "hs_kind", "label": "Kind", "type": "enumeration", "options": [{"value": "A"}]},
        {"name": "createdate", "label": "Made", "modificationMetadata": {"readOnlyValue": True}},
    ]
    there.answers(("GET", "/crm/v3/properties/tickets"), {"results": known})

    fields = there.connector().fields()

    assert [(field.key, field.required, field.options) for field in fields] == [
        ("subject", True, ()),
        ("hs_kind", False, ("A",)),
    ]


def test_notion_fields_are_the_databases_properties(vendor):
    fields = {field.key: field for field in vendor("notion").connector().fields()}

    assert "Octopus key" not in fields
    assert fields["Task"].required
    assert fields["Kind"].options == ("bug", "wish")
