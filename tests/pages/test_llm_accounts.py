"""The LLM accounts page: whom to ask, in which order, and at what price."""

from app.db.tables.people import Role
from app.services import connections
from tests.pages.test_shell import words
from tests.pages.vendors import chat_completions


def add(page, address: str, key: str = "main"):
    page.button(key="llm_accounts-add").click().run()
    page.text_input(key="llm_accounts-key").input(key)
    page.selectbox(key="llm-new-provider").select("openai_chat")
    page.text_input(key="llm-new-model").input("small")
    page.text_input(key="llm-new-api_key").input("sk-secret")
    page.number_input(key="llm-new-price_in").set_value(1.5)
    page.text_input(key="llm-new-base_url").input(address)
    page.button(key="llm_accounts-save").click().run()
    return page


def keys(workspace) -> list[str]:
    return [row.key for row in connections.llm_accounts(workspace)]


def test_without_accounts_it_says_what_happens_then(visit, person):
    page = visit(person(), "llm_accounts")

    assert not page.exception
    assert "No LLM account yet" in words(page)


def test_an_account_is_checked_with_a_tiny_question_and_saved(visit, person, workspace, httpserver):
    page = add(visit(person(Role.MANAGER), "llm_accounts"), chat_completions(httpserver))

    assert not page.exception
    assert "Connected as small" in page.success[0].value
    [row] = connections.llm_accounts(workspace)
    assert (row.key, row.config["provider"], row.config["price_in"]) == ("main", "openai_chat", 1.5)
    assert "sk-secret" not in str(row.config)
    assert len(httpserver.log) == 1


def test_an_account_that_does_not_answer_is_saved_only_when_the_person_insists(visit, person, workspace, httpserver):
    httpserver.expect_request("/v1/chat/completions").respond_with_json({"error": {"message": "no"}}, status=401)
    page = add(visit(person(), "llm_accounts"), httpserver.url_for("/v1"))
    assert "The check failed, so nothing is saved yet" in words(page)
    assert keys(workspace) == []

    page.button(key="llm_accounts-insist").click().run()
    assert keys(workspace) == ["main"]


def test_accounts_change_places_and_keep_working(visit, person, workspace, httpserver):
    address = chat_completions(httpserver)
    page = add(add(visit(person(), "llm_accounts"), address), address, "second")
    page.button(key="llm_accounts-up-second").click().run()

    assert keys(workspace) == ["second", "main"]
    assert connections.check(connections.llm_accounts(workspace)[0]).startswith("small")


def test_a_deleted_account_is_put_back_by_undo(visit, person, workspace, httpserver):
    page = add(visit(person(), "llm_accounts"), chat_completions(httpserver))
    page.button(key="llm_accounts-edit-main").click().run()
    page.button(key="llm_accounts-delete").click().run()
    assert keys(workspace) == []

    page.button(key="undo-button").click().run()
    assert keys(workspace) == ["main"]


def test_an_agent_reads_accounts_and_changes_none(visit, person, workspace, httpserver):
    add(visit(person(), "llm_accounts"), chat_completions(httpserver))
    page = visit(person(Role.AGENT), "llm_accounts")

    assert "small" in words(page)
    assert not [button for button in page.button if (button.key or "").startswith("llm_accounts-")]
