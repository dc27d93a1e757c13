"""The simulator looks at real messages and changes nothing."""

from app.domain.routing import Strategy
from app.services import what_if
from app.services.what_if import Change


def test_a_destination_that_was_down_moves_its_tasks(kit):
    kit.vendor("jira")
    kit.vendor("zoho")
    kit.route("jira", "zoho")
    for number in range(30):
        kit.say(f"#bug number {number}", chat=number)
    before = kit.states()

    found = what_if.compare(kit.workspace_id, down="jira")

    assert (found.messages, found.usual["jira"].made) == (30, 30)
    assert found.otherwise["zoho"].made == found.moved_count == 30
    assert found.moved[0].now == ("jira",) and found.moved[0].then == ("zoho",)
    assert kit.states() == before


def test_a_changed_route_says_who_would_get_what(kit):
    kit.vendor("jira")
    kit.vendor("zoho")
    kit.route("jira")
    kit.say("#bug one")
    kit.say("#billing two", chat=2)

    found = what_if.compare(kit.workspace_id, change=Change("bugs", ("jira", "zoho"), Strategy.PARALLEL))

    [moved] = found.moved
    assert (moved.text, moved.now, moved.then) == ("#bug one", ("jira",), ("jira", "zoho"))


def test_an_empty_workspace_is_no_fault(kit):
    assert what_if.compare(kit.workspace_id, down="jira").messages == 0
