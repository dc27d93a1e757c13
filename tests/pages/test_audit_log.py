"""The page on which managers read who changed what."""

import pytest

from app.db.engine import in_workspace
from app.db.tables.people import Role
from app.services import audit, connections, taxonomy
from app.services.members import Actor
from app.ui import nav, text
from tests.browser import CHROMIUM, at, open_page, press, sign_in
from tests.pages.test_shell import words


@pytest.fixture
def noa(workspace):
    return Actor(None, "noa@acme.test", Role.MANAGER, workspace)


def write(workspace, *keys: str, noun: str = "route", before: dict | None = None, after: dict | None = None) -> None:
    for key in keys:
        with in_workspace(workspace) as session:
            audit.record(session, "noa@acme.test", workspace, "change", noun, key, before, after)


def test_a_change_reads_as_a_line_of_before_and_after(visit, person, noa):
    taxonomy.save_category(noa, "bug", "Bug", "Broken", "low")
    taxonomy.save_category(noa, "bug", "Bug", "Broken", "high")

    page = visit(person(Role.MANAGER), "audit_log")

    assert not page.exception
    assert ":gray[priority] ~~low~~ → :green[high]" in words(page)
    assert "changed in the draft · Category" in words(page) and text.escape("noa@acme.test") in words(page)


def test_no_secret_stands_in_the_log(visit, person, noa):
    connections.save_bot(noa, "tg", "telegram", {"token": "123:verysecret", "webhook_secret": "alsosecret"})
    connections.save_bot(noa, "tg", "telegram", {"token": "124:othersecret"})

    page = visit(person(), "audit_log")

    assert text.escape("tg") in words(page)
    assert "••••" in words(page)
    assert not [secret for secret in ("verysecret", "alsosecret", "othersecret") if secret in words(page)]
    assert b"othersecret" not in audit.export(noa.workspace_id, audit.Wanted())


def test_what_was_typed_into_a_setting_never_becomes_markup(visit, person, workspace):
    write(workspace, "<b>[x](http://evil.test)</b>", after={"name": "![y](http://evil.test/y.png) :red[z]"})

    page = visit(person(), "audit_log")

    assert "evil" in words(page)
    assert "](http" not in words(page) and "<b>" not in words(page) and ":red[z]" not in words(page)


def test_kind_person_name_and_period_narrow_the_list(visit, person, workspace):
    write(workspace, "bugs")
    write(workspace, "tg", noun="bot")
    page = visit(person(), "audit_log")

    page.selectbox(key="kind").set_value("bot").run()

    assert "**tg**" in words(page) and "**bugs**" not in words(page)
    page.text_input(key="called").input("bugs").run()
    assert "No entry matches" in words(page)
    page.button(key="clear-filters").click().run()
    assert "**bugs**" in words(page)


def test_a_page_turns(visit, person, workspace):
    write(workspace, *(f"r{number}" for number in range(audit.PAGE + 1)))
    page = visit(person(), "audit_log")
    assert "**r0**" not in words(page)

    page.button(key="audit-older").click().run()

    assert "**r0**" in words(page) and "**r1**" not in words(page)


def test_an_untouched_workspace_says_what_will_stand_here(visit, person):
    assert "Nothing was changed yet" in words(visit(person(), "audit_log"))


def test_agents_do_not_see_the_log():
    assert "audit_log" not in [screen.name for screen in nav.allowed(Role.AGENT)]


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")
def test_the_export_is_downloaded_with_the_filter_of_the_screen(app, browser, person, workspace):
    write(workspace, "bugs")
    write(workspace, "tg", noun="bot")
    mia = person(Role.MANAGER)
    page = open_page(browser, app)
    sign_in(page, mia.email, mia.password, "/audit_log?kind=bot")
    at(page, "audit-export").wait_for()

    with page.expect_download() as download:
        press(page, "audit-export")

    assert download.value.path().read_bytes() == audit.export(workspace, audit.Wanted(noun="bot"))
    assert b"tg" in download.value.path().read_bytes() and b"bugs" not in download.value.path().read_bytes()
