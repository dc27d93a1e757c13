"""The Routes page: where messages go, tried before it happens."""

from app.db.tables.people import Role
from app.services import taxonomy
from tests.pages.test_shell import words


def route(kit, key: str):
    return next((row for row in taxonomy.routes(kit.workspace_id) if row.key == key), None)


def message_id(kit, text: str) -> str:
    return str(kit.sql("select id from message where text = %(text)s", text=text)[0].id)


def test_without_a_destination_it_leads_there_first(visit, person, workspace):
    page = visit(person(), "routes")

    assert not page.exception
    assert "Connect a destination first" in words(page)


def test_a_manager_adds_a_route(visit, person, kit):
    kit.vendor("jira")
    kit.vendor("notion")
    page = visit(person(Role.MANAGER), "routes")
    assert "Without a route no task is made" in words(page)

    page.button(key="routes-add").click().run()
    page.text_input(key="routes-key").input("bugs")
    page.button(key="routes-add-all").click().run()
    page.selectbox(key="routes-line-0-what").select("category").run()
    page.multiselect(key="routes-line-0-category").select("bug").run()
    page.multiselect(key="routes-new-destinations").set_value(["notion", "jira"]).run()
    page.radio(key="routes-new-strategy").set_value("parallel")
    page.button(key="routes-save").click().run()

    assert not page.exception
    saved = route(kit, "bugs")
    assert (saved.conditions, saved.strategy, saved.destinations) == (
        {"category": ["bug"]}, "parallel", ["notion", "jira"],
    )  # fmt: skip
    assert "Category **Bug**" in words(page)
    assert "**notion** + **jira**" in words(page)


def test_a_route_without_a_destination_is_refused_in_a_sentence(visit, person, kit):
    kit.vendor("jira")
    page = visit(person(), "routes")
    page.button(key="routes-add").click().run()
    page.button(key="routes-save").click().run()

    assert "Choose at least one destination." in words(page)
    assert taxonomy.routes(kit.workspace_id) == []


def test_there_is_one_default_route(visit, person, kit):
    kit.vendor("jira")
    page = visit(person(), "routes")
    page.button(key="routes-add").click().run()
    page.toggle(key="routes-new-default").set_value(True).run()
    page.multiselect(key="routes-new-destinations").set_value(["jira"]).run()
    page.button(key="routes-save").click().run()
    assert route(kit, "route").is_default

    page.button(key="routes-add").click().run()
    assert page.toggle(key="routes-new-default").disabled


def test_trying_a_past_message_shows_the_destinations_and_the_task(visit, person, kit):
    kit.vendor("jira")
    kit.vendor("notion")
    kit.say("it broke #bug")
    kit.route("jira", "notion")
    kit.sql("update destination set fields = %(f)s::jsonb where key = 'jira'", f='{"env": "{contact.name}"}')
    page = visit(person(), "routes")
    page.selectbox(key="routes-message").select(message_id(kit, "it broke #bug")).run()
    said = words(page)

    assert not page.exception
    assert "**bugs**" in said
    assert "**jira** _else_ **notion**" in said
    assert "it broke #bug" in said
    assert "Ann" in [element.value for element in page.text]
    assert kit.states() == []


def test_trying_says_when_no_route_would_take_it(visit, person, kit):
    kit.vendor("jira")
    kit.say("hello")
    kit.route("jira")
    page = visit(person(), "routes")
    page.selectbox(key="routes-message").select(message_id(kit, "hello")).run()
    assert "no category yet" in page.info[0].value

    page.selectbox(key="routes-category").select("billing").run()
    assert "no route takes this category" in page.warning[0].value


def test_a_route_is_moved_switched_off_deleted_and_put_back(visit, person, kit):
    kit.vendor("jira")
    kit.route("jira", key="one")
    kit.route("jira", key="second")
    page = visit(person(), "routes")
    page.button(key="routes-up-second").click().run()
    assert [row.key for row in taxonomy.routes(kit.workspace_id)] == ["second", "one"]

    page.toggle(key="routes-on-one").set_value(False).run()
    assert not route(kit, "one").enabled

    page.button(key="routes-edit-one").click().run()
    page.button(key="routes-delete").click().run()
    assert route(kit, "one") is None

    page.button(key="undo-button").click().run()
    assert route(kit, "one") is not None


def test_a_viewer_reads_and_tries_routes_and_changes_none(visit, person, kit):
    kit.vendor("jira")
    kit.say("it broke #bug")
    kit.route("jira")
    page = visit(person(Role.VIEWER), "routes")

    assert page.selectbox(key="routes-message")
    assert not [button for button in page.button if (button.key or "").startswith("routes-")]


def test_the_simulator_says_what_an_outage_would_have_moved(visit, person, kit):
    kit.vendor("jira")
    kit.vendor("zoho")
    kit.route("jira", "zoho")
    for number in range(20):
        kit.say(f"#bug number {number}", chat=number)
    page = visit(person(Role.MANAGER), "routes")

    assert page.button(key="what-if-play").disabled
    page.selectbox(key="what-if-down").select("jira").run()
    page.button(key="what-if-play").click().run()

    assert not page.exception
    assert "20 of 20 messages would have gone elsewhere." in words(page)
    assert kit.states() == [("jira", "delivered")] * 20
