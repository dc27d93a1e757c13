"""The Overview page: the funnel, what is stuck, and how bots and destinations are."""

from app.db.tables.people import Role
from app.domain.errors import Rejected, Unauthorized
from tests.pages.test_shell import words


def links(page) -> list[str]:
    return [link.proto.label for link in page.get("page_link")]


def test_without_a_bot_it_says_what_to_do_next(visit, person):
    page = visit(person())

    assert "No bot is connected yet" in words(page)
    assert "Connect a bot" in links(page)


def test_a_viewer_is_not_sent_to_a_page_they_cannot_use(visit, person):
    page = visit(person(Role.VIEWER))

    assert "Connect a bot" not in links(page)
    assert "A manager of the workspace can do this" in words(page)


def test_the_funnel_counts_the_last_day(visit, person, kit):
    kit.vendor("jira")
    kit.route("jira")
    for text in ("it broke #bug", "again #bug", "hello there"):
        kit.say(text)

    page = visit(person())
    shown = [element.value for element in page.markdown]

    assert not page.exception
    assert [value for value in shown if value in ("**1**", "**2**", "**3**")] == ["**3**", "**2**", "**1**", "**2**"]
    assert "OK" in words(page) or any("OK" in element.value for element in page.markdown)


def test_what_is_stuck_is_red_and_one_click_from_its_list(visit, person, kit):
    kit.vendor("jira", script=[Rejected("The field 'summary' is required.")])
    kit.route("jira")
    kit.say("it broke #bug")
    kit.sql("update delivery set created_at = now() - interval '2 hours'")

    page = visit(person())

    assert any(label.startswith(":red[1 stuck, the oldest for 2 hours") for label in links(page))
    assert ":red[1 failed]" in links(page)


def test_a_destination_with_dead_credentials_says_so_and_why(visit, person, kit):
    kit.vendor("jira", script=[Unauthorized("Jira refused the token (401).")])
    kit.route("jira")
    kit.say("it broke #bug")

    page = visit(person())

    assert "Needs to be connected again" in words(page)
    assert "Jira refused the token (401)." in words(page)
    assert "1 waiting" in links(page)


def test_a_bot_shows_its_last_refusal_with_the_reason(visit, person, kit):
    kit.sql(
        "insert into bot_health (workspace_id, bot_id, refused, last_refused_at, last_refused_reason) "
        "values (%(w)s, %(b)s, 4, now(), 'The signature is missing.')", w=kit.workspace_id, b=kit.bot_id,
    )  # fmt: skip

    page = visit(person())

    assert "Requests refused: 4, the last" in words(page)
    assert "The signature is missing." in words(page)
