"""The Bots page: connecting a bot, its health, and taking it away."""

from app.db.tables.people import Role
from app.services import connections
from app.services.members import Actor
from tests.pages.test_shell import words
from tests.pages.vendors import TELEGRAM_TOKEN, telegram


def new_telegram_bot(page, address: str, token: str = TELEGRAM_TOKEN):
    page.button(key="bots-add").click().run()
    page.pills(key="bots-channel").set_value("telegram").run()
    page.text_input(key="bots-telegram-name").input("Support bot")
    page.text_input(key="bots-telegram-token").input(token)
    page.text_input(key="bots-telegram-webhook_secret").input("a-secret-word")
    page.text_input(key="bots-telegram-base_url").input(address)
    page.button(key="bots-save").click().run()
    return page


def bots(workspace) -> list:
    return connections.bots(workspace)


def test_without_bots_it_says_how_to_begin(visit, person):
    page = visit(person(), "bots")

    assert not page.exception
    assert "No bot is connected yet" in words(page)


def test_a_bot_is_checked_saved_and_connected_with_one_click(visit, person, workspace, httpserver):
    page = new_telegram_bot(visit(person(Role.MANAGER), "bots"), telegram(httpserver))

    assert not page.exception
    assert "Connected as" in page.success[0].value
    [bot] = bots(workspace)
    assert (bot.key, bot.name, bot.channel) == ("support-bot", "Support bot", "telegram")
    assert TELEGRAM_TOKEN not in str(bot.config)

    page.button(key="bots-webhook").click().run()

    assert "Done" in page.success[0].value
    sent = [request.get_json() for request, _answer in httpserver.log if request.path.endswith("/setWebhook")]
    assert [each["url"] for each in sent] == [connections.hook_url(bot)]


def test_the_address_shown_before_saving_is_the_bots_own(visit, person, workspace):
    page = visit(person(), "bots")
    page.button(key="bots-add").click().run()
    page.pills(key="bots-channel").set_value("slack").run()
    [manifest] = [block.value for block in page.code]
    for name, value in {"bot_token": "xoxb-1", "signing_secret": "0" * 32}.items():
        page.text_input(key=f"bots-slack-{name}").input(value)
    page.text_input(key="bots-slack-base_url").input("http://127.0.0.1:9")
    page.button(key="bots-save").click().run()
    page.button(key="bots-insist").click().run()

    [bot] = bots(workspace)
    assert f"request_url: {connections.hook_url(bot)}" in manifest


def test_a_failed_check_saves_nothing_until_the_person_insists(visit, person, workspace, httpserver):
    httpserver.expect_request("/bot123:AAwrong/getMe").respond_with_json({"ok": False}, status=401)
    page = new_telegram_bot(visit(person(), "bots"), httpserver.url_for("").rstrip("/"), token="123:AAwrong")

    assert "The check failed, so nothing is saved yet" in words(page)
    assert "does not know the bot token" in words(page)
    assert bots(workspace) == []

    page.button(key="bots-insist").click().run()

    assert [bot.name for bot in bots(workspace)] == ["Support bot"]


def test_wrong_input_is_told_beside_its_field(visit, person, workspace):
    page = new_telegram_bot(visit(person(), "bots"), "", token="not a token")

    assert "should look like 123456789:AAExample" in words(page)
    assert bots(workspace) == []


def test_a_stored_secret_is_not_shown_and_stays_when_left_empty(visit, person, workspace, httpserver):
    page = new_telegram_bot(visit(person(), "bots"), telegram(httpserver))
    assert page.text_input(key="bots-support-bot-token").value == ""

    page.text_input(key="bots-support-bot-name").input("Renamed")
    page.button(key="bots-save").click().run()

    [bot] = bots(workspace)
    assert bot.name == "Renamed"
    assert connections.check(bot) == "@acme_support_bot"


def test_a_bot_shows_its_last_event_and_its_last_refusal(visit, person, kit):
    sql = """insert into bot_health (workspace_id, bot_id, last_event_at, refused, last_refused_at, last_refused_reason)
             values (%(workspace)s, %(bot)s, now(), 2, now() - interval '5 minutes', 'The secret header is missing.')"""
    kit.sql(sql, workspace=kit.workspace_id, bot=kit.bot_id)
    said = words(visit(person(), "bots"))

    assert "Telegram · Last event" in said
    assert "Last refused request 5 minutes ago: The secret header is missing" in said


def test_a_deleted_bot_is_put_back_by_undo(visit, person, workspace, httpserver):
    page = new_telegram_bot(visit(person(), "bots"), telegram(httpserver))
    [before] = bots(workspace)
    page.button(key="bots-delete").click().run()
    assert bots(workspace) == []

    page.button(key="undo-button").click().run()

    assert [(bot.id, bot.hook_key) for bot in bots(workspace)] == [(before.id, before.hook_key)]


def test_a_viewer_reads_bots_and_changes_none(visit, person, kit):
    page = visit(person(Role.VIEWER), "bots", **{"bots-editing": "tg"})

    assert "Telegram" in words(page)
    assert "Changes need the role manager" in words(page)
    assert not [button for button in page.button if (button.key or "").startswith("bots-")]


def test_a_test_message_is_sent_into_a_chat_somebody_began(visit, person, kit, httpserver):
    httpserver.expect_request("/bot1:a/sendMessage", method="POST").respond_with_json(
        {"ok": True, "result": {"message_id": 77}}
    )
    [bot] = bots(kit.workspace_id)
    owner = Actor(None, "mia@acme.test", Role.OWNER, kit.workspace_id)
    address = httpserver.url_for("").rstrip("/")
    connections.save_bot(owner, "tg", "telegram", {"token": "1:a", "webhook_secret": "s", "base_url": address})
    page = visit(person(Role.MANAGER), "bots")
    page.button(key="bots-edit-tg").click().run()
    assert "Write to the bot first" in words(page)

    kit.say("hello")
    page.run()
    page.text_input(key="bots-test-text").input("Are you there?").run()
    page.button(key="bots-test-send").click().run()

    assert "Sent. Look into the chat." in [each.value for each in page.success]
    [(request, _answer)] = [pair for pair in httpserver.log if pair[0].path.endswith("/sendMessage")]
    assert (str(request.get_json()["chat_id"]), request.get_json()["text"]) == ("1", "Are you there?")
