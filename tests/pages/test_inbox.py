"""The Inbox page: a filtered list, and the passport of one message."""

from uuid import uuid4

from app.db.tables.people import Role
from app.domain.errors import Rejected, TransientError
from tests.pages.test_shell import titles, words


def open_inbox(visit, somebody, **query):
    """The app as a link into the inbox opens it."""
    page = visit(somebody)
    for name, value in query.items():
        page.query_params[name] = value
    return page.switch_page("../pages/inbox.py").run()


def listed(page) -> list[str]:
    return list(page.dataframe[0].value["Message"]) if page.dataframe else []


def message_id(kit, text: str) -> str:
    return str(kit.sql("select id from message where text = %(text)s", text=text)[0].id)


def test_an_empty_inbox_says_what_will_come(visit, person, kit):
    page = visit(person(), "inbox")

    assert not page.exception
    assert "No messages yet" in words(page)


def test_the_newest_message_is_on_top_with_its_category_and_status(visit, person, kit):
    kit.vendor("jira")
    kit.route("jira")
    kit.say("it broke #bug")
    kit.say("hello there")

    rows = visit(person(), "inbox").dataframe[0].value

    assert list(rows["Message"]) == ["hello there", "it broke #bug"]
    assert list(rows["From"]) == ["Ann", "Ann"]
    assert list(rows["Category"]) == ["", "Bug"]
    assert [list(cell) for cell in rows["Status"]] == [["Waits for review"], ["Routed"]]


def test_a_link_opens_the_list_as_it_was_filtered(visit, person, kit):
    kit.vendor("jira")
    kit.route("jira")
    kit.say("it broke #bug")
    kit.say("hello there")

    page = open_inbox(visit, person(), status="needs_review")

    assert listed(page) == ["hello there"]
    assert page.multiselect(key="status").value == ["needs_review"]


def test_typing_searches(visit, person, kit):
    kit.say("the invoice is wrong")
    kit.say("hello there")
    page = visit(person(), "inbox")
    page.text_input(key="q").input("invo").run()

    assert listed(page) == ["the invoice is wrong"]

    page.button(key="clear-filters").click().run()
    assert len(listed(page)) == 2


def test_a_clicked_row_opens_its_passport_and_back_returns_to_the_same_list(visit, person, kit):
    kit.say("hello there")
    page = open_inbox(visit, person(), status="needs_review")
    page.session_state["messages"] = {"selection": {"rows": [], "columns": [], "cells": [(0, "Message")]}}
    page.run()

    assert page.query_params["message"] == message_id(kit, "hello there")
    assert "hello there" in [element.value for element in page.text]

    page.button(key="back").click().run()
    assert titles(page) == ["Inbox"]
    assert page.multiselect(key="status").value == ["needs_review"]


def test_a_click_opens_the_message_that_was_on_the_screen_even_when_another_has_arrived(visit, person, kit):
    kit.say("hello there")
    page = visit(person(), "inbox")
    kit.say("a newer one")
    page.session_state["messages"] = {"selection": {"rows": [], "columns": [], "cells": [(0, "Message")]}}
    page.run()

    assert page.query_params["message"] == message_id(kit, "hello there")


def test_the_passport_says_why_what_happened_and_where_it_went(visit, person, kit):
    kit.vendor("jira", script=[TransientError("Jira answered 503.")])
    kit.route("jira")
    kit.say("it broke #bug")
    kit.make_due()
    kit.deliver()

    page = open_inbox(visit, person(), message=message_id(kit, "it broke #bug"))
    said = words(page)

    assert not page.exception
    assert "rule 'bug'" in said  # why
    assert "**Delivered** · Octopus" in said  # the timeline
    assert "Jira answered 503." in said  # an attempt
    assert [attempt.label.split(" · ")[:3] for attempt in page.expander if attempt.label[0].isdigit()] == [
        ["2", "Create the task", "Delivered"], ["1", "Create the task", "Will try again"],
    ]  # fmt: skip
    assert any('"message_id"' in block.value for block in page.code)  # as received


def test_an_agent_corrects_a_message_and_its_route_is_asked_again(visit, person, kit):
    kit.vendor("jira")
    kit.vendor("notion")
    kit.route("jira")
    kit.route("notion", key="money", when={"category": ["billing"]})
    kit.say("it broke #bug")
    mia = person(Role.AGENT)
    page = open_inbox(visit, mia, message=message_id(kit, "it broke #bug"))
    message = message_id(kit, "it broke #bug")

    page.selectbox(key=f"category-{message}").select("billing")
    page.button(key="correct").click().run()

    assert not page.exception
    assert kit.sql("select actor, source from classification order by id desc limit 1") == [(mia.email, "person")]
    kinds = kit.sql("select x.key, d.kind from delivery d join destination x on x.id = d.destination_id order by d.id")
    assert kinds == [("jira", "create"), ("jira", "withdraw"), ("notion", "create")]


def test_a_viewer_reads_the_passport_and_has_no_form(visit, person, kit):
    kit.say("it broke #bug")
    page = open_inbox(visit, person(Role.VIEWER), message=message_id(kit, "it broke #bug"))

    assert "it broke #bug" in [element.value for element in page.text]
    assert "Is this right?" not in words(page)


def test_a_customers_markup_is_never_rendered(visit, person, kit):
    text = "[click](https://evil.test) <img src=x> :smile:"
    kit.say(text)
    page = open_inbox(visit, person(), message=message_id(kit, text))

    assert text in [element.value for element in page.text]
    assert not any("evil.test" in element.value for element in (*page.markdown, *page.caption))


def test_a_link_to_no_message_says_so(visit, person, kit):
    for wanted in (str(uuid4()), "not-an-id"):
        page = open_inbox(visit, person(), message=wanted)

        assert not page.exception
        assert "There is no such message here" in words(page)


def test_a_failed_delivery_shows_its_error_on_the_passport(visit, person, kit):
    kit.vendor("jira", script=[Rejected("The field 'summary' is required.")])
    kit.route("jira")
    kit.say("it broke #bug")

    page = open_inbox(visit, person(), message=message_id(kit, "it broke #bug"))

    assert "The field 'summary' is required." in words(page)
