"""A draft is tried on past messages, on the Releases page."""

import pytest

from app.db.tables.people import Role
from app.services import learning, taxonomy
from app.services.learning import LocalSettings
from app.services.members import Actor
from tests.answering_model import arrange
from tests.pages.test_shell import words


@pytest.fixture
def mia(kit):
    return Actor(None, "mia@acme.test", Role.MANAGER, kit.workspace_id)


def played(visit, person, role=Role.MANAGER):
    page = visit(person(role), "releases")
    return page.button(key="backtest-play").click().run()


def test_it_says_what_would_be_decided_differently_and_where_tasks_would_go(kit, mia, visit, person):
    kit.vendor("jira")
    kit.route("jira")
    kit.process(kit.receive("#bug [crash](https://evil.test)", chat=1), kit.receive("#billing hello", chat=2))
    taxonomy.save_rule(mia, "bug", {"text_contains": "#bug"}, {"category": "billing"})

    page = played(visit, person)

    said = words(page)
    assert not page.exception and "1 of 2 messages would be decided differently" in said
    link = next(one for one in page.get("page_link") if "crash" in one.proto.label)
    assert "Bug" in link.proto.label and "**Billing" in link.proto.label and "message=" in link.proto.query_string
    assert r"\[crash\]" in link.proto.label, "a customer's words are no markup"


def test_what_nobody_was_asked_yet_is_named_and_asked_only_by_a_click(kit, mia, model, visit, person):
    arrange(kit)
    kit.process(kit.receive("hello there"), kit.receive("#bug", chat=2))
    taxonomy.save_category(mia, "wish", "Wish", description="Wish")
    asked = len(model)

    page = played(visit, person)

    assert "1 message would be asked of the language model anew" in words(page) and len(model) == asked
    assert "0 of 1 message would be decided differently" in words(page)

    page.button(key="backtest-ask").click().run()

    assert not page.exception and len(model) == asked + 1
    assert "1 of 2 messages would be decided differently" in words(page)


def test_a_change_of_the_draft_makes_the_old_answer_go(kit, mia, visit, person):
    kit.process(kit.receive("#bug one"))
    taxonomy.save_category(mia, "wish", "Wish")
    page = played(visit, person)
    assert "0 of 1 message would be decided differently" in words(page)

    taxonomy.save_category(mia, "praise", "Praise")

    assert "would be decided differently" not in words(page.run())


def test_what_cannot_be_played_is_said(mia, visit, person):
    taxonomy.save_category(mia, "wish", "Wish")
    assert "Not played" not in words(visit(person(Role.MANAGER), "releases"))

    learning.save_settings(mia, LocalSettings(target_accuracy=0.9))

    assert "Not played: how often answers given alone should be right" in words(visit(person(), "releases"))


def test_without_a_message_it_says_so(mia, visit, person):
    taxonomy.save_category(mia, "wish", "Wish")

    assert "No message in this period" in words(played(visit, person))


def test_who_may_not_change_anything_is_not_offered_it(mia, visit, person):
    taxonomy.save_category(mia, "wish", "Wish")

    page = visit(person(Role.VIEWER), "releases")

    assert "backtest-play" not in [button.key for button in page.button]
