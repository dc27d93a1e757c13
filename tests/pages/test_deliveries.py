"""The Deliveries page: failures by cause with what to do, and a person's hand on them."""

import pytest

from app.db.tables.people import Role
from app.domain.errors import Rejected, TargetGone, TransientError
from app.services import deliveries, sync
from app.services.deliveries import Filter, State
from tests.pages.test_shell import words


@pytest.fixture
def failing(kit):
    """Two deliveries refused for their content, one whose project is gone."""
    kit.vendor("jira", script=[Rejected("'summary' is required."), Rejected("'summary' is required."),
                               TargetGone("The project is gone.")])  # fmt: skip
    kit.route("jira")
    for number in range(3):
        kit.say(f"it broke #bug {number}")
    return kit


def tick(page, *positions: int):
    page.session_state[table_key(page)] = {"selection": {"rows": list(positions), "columns": [], "cells": []}}
    return page.run()


def table_key(page) -> str:
    return page.dataframe[0].proto.id[page.dataframe[0].proto.id.index("deliveries-") :]


def test_when_nothing_failed_it_says_so(visit, person, kit):
    page = visit(person(), "deliveries")

    assert not page.exception
    assert "Nothing failed" in words(page)


def test_failures_are_grouped_by_cause_with_what_to_do(visit, person, failing):
    page = visit(person(), "deliveries")
    said = words(page)

    assert "**2**" in said
    assert "The content was refused" in said
    assert "Correct the field mapping" in said
    assert "The project or board is gone" in said
    assert len(page.dataframe[0].value) == 3


def test_a_cause_narrows_the_list(visit, person, failing):
    page = visit(person(), "deliveries")
    page.selectbox(key="cause").select("target_gone").run()

    assert list(page.dataframe[0].value["What happened"]) == ["The project is gone."]
    assert page.query_params["cause"] == "target_gone"


def test_a_manager_replays_the_ticked_rows_and_reads_the_result(visit, person, failing):
    page = tick(visit(person(Role.MANAGER), "deliveries"), 0, 1)
    page.button(key="replay-yes").click().run()
    failing.deliver()

    assert not page.exception
    assert page.success[0].value == "2 sent again."
    assert sorted(status for _destination, status in failing.states()) == ["delivered", "delivered", "failed"]


def test_a_manager_cancels_the_ticked_rows(visit, person, failing):
    page = tick(visit(person(Role.MANAGER), "deliveries"), 2)
    page.button(key="cancel-yes").click().run()

    assert page.success[0].value == "1 cancelled."
    assert sorted(status for _destination, status in failing.states()) == ["cancelled", "failed", "failed"]


def test_what_could_not_be_changed_is_told_with_the_reason(visit, person, failing):
    page = tick(visit(person(Role.MANAGER), "deliveries"), 0)
    failing.sql("update delivery set status = 'sending'")  # a worker was quicker
    page.button(key="replay-yes").click().run()

    assert page.success[0].value == (
        "0 sent again. 1 left as they were: delivered, under way, withdrawn, or taken by another destination."
    )


def test_ticks_are_taken_away_when_other_rows_come_to_stand_there(visit, person, failing):
    page = tick(visit(person(Role.MANAGER), "deliveries"), 0)
    assert page.button(key="replay-yes")

    failing.sql("update delivery set status = 'delivered' where cause = 'target_gone'")
    page.run()

    assert len(page.dataframe[0].value) == 2
    assert not [button for button in page.button if button.key == "replay-yes"]


def test_an_agent_sees_failures_and_cannot_replay(visit, person, failing):
    page = tick(visit(person(Role.AGENT), "deliveries"), 0)

    assert len(page.dataframe[0].value) == 3
    assert "needs the role manager" in words(page)
    assert not [button for button in page.button if button.key in ("replay-yes", "cancel-yes")]


def test_what_waits_is_shown_first_when_nothing_failed(visit, person, kit):
    kit.vendor("jira", script=[TransientError("Jira answered 503.")])
    kit.route("jira")
    kit.say("it broke #bug")

    page = visit(person(), "deliveries")

    assert page.segmented_control(key="state").value == "waiting"
    assert list(page.dataframe[0].value["What happened"]) == ["Jira answered 503."]


def test_a_delivered_row_links_to_its_remote_task(visit, person, kit):
    kit.vendor("jira")
    kit.route("jira")
    kit.say("it broke #bug")
    page = visit(person(), "deliveries")
    page.segmented_control(key="state").set_value("delivered").run()

    assert page.dataframe[0].value["Remote task"][0].startswith("https://vendor.test/")


# ---- the read model


def test_pages_follow_each_other_without_a_gap_or_a_repeat(failing, monkeypatch):
    monkeypatch.setattr(deliveries, "PAGE", 2)
    wanted = Filter(State.FAILED)

    first = deliveries.page(failing.workspace_id, wanted)
    second = deliveries.page(failing.workspace_id, wanted, before=first.older)
    back = deliveries.page(failing.workspace_id, wanted, after=second.newer)

    ids = [line.id for line in (*first.lines, *second.lines)]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 3
    assert (first.newer, second.older) == (None, None)
    assert [line.id for line in back.lines] == [line.id for line in first.lines]


def test_every_id_is_the_whole_list_behind_a_filter(failing):
    every = deliveries.every_id(failing.workspace_id, Filter(State.FAILED))
    refused = deliveries.every_id(failing.workspace_id, Filter(State.FAILED, cause="rejected", destination="jira"))

    assert len(every) == 3
    assert len(refused) == 2
    assert deliveries.every_id(failing.workspace_id, Filter(State.FAILED, destination="elsewhere")) == []


def test_delivered_tasks_are_compared_with_what_the_destination_has(visit, person, kit):
    jira = kit.vendor("jira")
    kit.route("jira")
    for chat in (1, 2):
        kit.say("#bug It crashed", chat=chat)
    [(one,), (other,)] = kit.sql("select ref_id from delivery order by id")
    jira.gone.add(one)
    sync.refresh(kit.workspace_id, [row.id for row in kit.sql("select id from delivery")])

    page = visit(person(), "deliveries")
    page.segmented_control(key="state").set_value("delivered").run()

    assert not page.exception
    assert any("2 made, 1 found there" in line.value and "1 deleted there" in line.value for line in page.markdown)
