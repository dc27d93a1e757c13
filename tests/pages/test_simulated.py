"""What is simulated in a demo is marked, and something real takes its place from the same screen."""

from uuid import uuid4

import pytest

from app.services import connections, demo
from app.services.members import Actor, Role
from app.settings import settings
from tests.pages.test_shell import words
from tests.pages.vendors import TELEGRAM_TOKEN, chat_completions, jira, telegram


@pytest.fixture
def simulated(workspace, monkeypatch):
    """A bot, a destination and an LLM account at the world of a demo, and a destination that is real already."""
    monkeypatch.setattr(settings(), "demo", True)
    world = settings().demo_url
    owner = Actor(uuid4(), "mia@acme.test", Role.OWNER, workspace)
    connections.save_bot(
        owner, "tg", "telegram", {"token": "1:simulated", "webhook_secret": "s", "base_url": f"{world}/telegram"}
    )
    account = {"email": "a@b.test", "token": "simulated", "project": "OCTODEMO"}
    connections.save_destination(owner, "service", "jira", account | {"base_url": f"{world}/jira"}, "Service")
    connections.save_destination(owner, "real", "jira", account | {"site": "acme"})
    connections.save_llm_account(
        owner, "model", {"provider": "anthropic", "model": "m", "api_key": "k", "base_url": f"{world}/llm"}
    )


def is_replaced(rows) -> list[bool]:
    return [not demo.is_simulated(row) for row in rows]


def test_only_what_is_simulated_is_marked_and_can_be_replaced(visit, person, simulated):
    page = visit(person(), "destinations")

    assert words(page).count("Simulated") == 1
    assert [button.key for button in page.button if "-replace-" in (button.key or "")] == [
        "destinations-replace-service"
    ]


def test_who_may_only_look_sees_the_mark_without_a_button(visit, person, simulated):
    page = visit(person(Role.VIEWER), "bots")

    assert "Simulated" in words(page)
    assert not [button for button in page.button if "-replace-" in (button.key or "")]


def test_a_real_destination_takes_the_place_of_a_simulated_one(visit, person, workspace, simulated, httpserver):
    page = visit(person(Role.MANAGER), "destinations")
    page.button(key="destinations-replace-service").click().run()
    assert "What simulated customers write from now on reaches it, too." in page.info[0].value
    place = "destinations-service-real"
    assert page.text_input(key=f"{place}-email").value == page.text_input(key=f"{place}-base_url").value == ""

    page.text_input(key=f"{place}-email").input("me@acme.test")
    page.text_input(key=f"{place}-token").input("real-secret")
    page.text_input(key=f"{place}-project").input("SUP")
    page.text_input(key=f"{place}-base_url").input(jira(httpserver))
    page.button(key="destinations-save").click().run()

    assert not page.exception
    assert "Connected as Octo Pus" in page.success[0].value
    rows = connections.destinations(workspace)
    assert [row.key for row in rows] == ["real", "service"] and all(is_replaced(rows))
    assert (rows[1].name, rows[1].config["project"]) == ("Service", "SUP")


def test_a_real_bot_takes_the_place_of_a_simulated_one_and_its_webhook_comes_next(
    visit, person, workspace, simulated, httpserver
):
    page = visit(person(), "bots")
    page.button(key="bots-replace-tg").click().run()
    assert page.info[0].value.endswith("Rules and routes go on as they are.")
    page.text_input(key="bots-tg-real-token").input(TELEGRAM_TOKEN)
    page.text_input(key="bots-tg-real-webhook_secret").input("a-secret-word")
    page.text_input(key="bots-tg-real-base_url").input(telegram(httpserver))
    page.button(key="bots-save").click().run()

    assert not page.exception
    assert is_replaced(connections.bots(workspace)) == [True]
    assert page.button(key="bots-webhook")


def test_a_real_model_takes_the_place_of_a_simulated_one(visit, person, workspace, simulated, httpserver):
    page = visit(person(), "llm_accounts")
    page.button(key="llm_accounts-replace-model").click().run()
    page.selectbox(key="llm-model-real-provider").select("openai_chat")
    page.text_input(key="llm-model-real-model").input("small")
    page.text_input(key="llm-model-real-api_key").input("sk-real")
    page.text_input(key="llm-model-real-base_url").input(chat_completions(httpserver))
    page.button(key="llm_accounts-save").click().run()

    assert not page.exception
    [row] = connections.llm_accounts(workspace)
    assert (row.key, row.config["model"], is_replaced([row])) == ("model", "small", [True])
