"""Messages through the API: found, read whole, decided on, taken back."""

from datetime import UTC, datetime, timedelta

from app.domain.tasks import Capability
from app.services import inbox
from tests.api.conftest import Api
from tests.api.test_keys import is_problem


def ids(api: Api, **filters) -> list[str]:
    return [line["id"] for line in api.client("read").get("/messages", params=filters).json()["items"]]


def test_messages_are_listed_newest_first_and_narrowed_by_filters(api):
    api.kit.say("#bug the app crashes")
    api.kit.say("#billing the invoice is wrong", chat=2)
    api.kit.say("hello there", chat=3)
    newest, invoice, crash = ids(api)

    assert ids(api, status="needs_review") == [newest]
    assert ids(api, category=["bug", "billing"]) == [invoice, crash]
    assert ids(api, text="invoice") == [invoice]
    assert ids(api, bot="tg", channel="telegram", days=1) == [newest, invoice, crash]
    assert ids(api, channel="slack") == []


def test_a_cursor_leads_through_all_pages_without_a_gap_or_a_repetition(api, monkeypatch):
    monkeypatch.setattr(inbox, "PAGE", 2)
    for number in range(5):
        api.kit.say(f"message {number}", chat=number + 1)
    client, seen, cursor = api.client("read"), [], None
    while True:
        page = client.get("/messages", params={"cursor": cursor} if cursor else {}).json()
        seen.append([line["text"] for line in page["items"]])
        cursor = page["next"]
        if cursor is None:
            break

    assert seen == [["message 4", "message 3"], ["message 2", "message 1"], ["message 0"]]


def test_a_message_comes_with_its_passport_and_without_what_only_machines_need(api):
    api.kit.vendor("jira")
    api.kit.route("jira")
    api.kit.say("#bug the app crashes")
    [id_] = ids(api)

    passport = api.client("read").get(f"/messages/{id_}").json()

    assert (passport["text"], passport["status"], passport["category"]) == ("#bug the app crashes", "routed", "bug")
    assert [each["source"] for each in passport["classifications"]] == ["rule"]
    [delivery] = passport["deliveries"]
    assert (delivery["destination"], delivery["status"], delivery["route"]) == ("jira", "delivered", "bugs")
    assert [attempt["outcome"] for attempt in delivery["attempts"]] == ["delivered"]
    assert [entry["event"] for entry in passport["timeline"]] == api.kit.events()
    assert not {"workspace_id", "lease_token", "search", "raw_event_id"} & passport.keys()


def test_a_decision_makes_the_task_and_taking_it_back_withdraws_it(api):
    jira = api.kit.vendor("jira", can=frozenset(Capability))
    api.kit.route("jira")
    api.kit.say("it does not work")
    [id_] = ids(api)
    client = api.client("decide")

    decided = client.post(f"/messages/{id_}/decision", json={"category": "bug", "priority": "urgent"})

    assert (decided.status_code, decided.json()) == (200, {"status": "routed"})
    api.kit.deliver()
    [[task]] = jira.tasks.values()
    assert task.priority == "urgent"
    [actor] = api.kit.sql("select actor from classification where source = 'person'")
    assert actor[0].startswith("key:")

    taken_back = client.delete(f"/messages/{id_}/decision")

    assert (taken_back.status_code, taken_back.content) == (204, b"")
    api.kit.deliver()
    assert [status for _ref, status in jira.moved] == ["cancelled"]
    assert ids(api, status="needs_review") == [id_]


def test_nothing_to_do_and_spam_are_told_apart(api):
    for chat, spam in ((1, False), (2, True)):
        api.kit.say("buy my watches", chat=chat)
        api.client("decide").post(f"/messages/{ids(api)[0]}/decision", json={"category": None, "spam": spam})

    reasons = [row.status_reason for row in api.kit.sql("select status_reason from message order by id")]
    assert reasons == ["nothing to do", "spam"]


def test_a_category_that_does_not_exist_is_refused_by_name(api):
    api.kit.say("hello")

    answer = api.client("decide").post(f"/messages/{ids(api)[0]}/decision", json={"category": "wish"})

    assert is_problem(answer, 422)
    assert answer.json()["field"] == "category" and "no category 'wish'" in answer.json()["detail"]


def test_a_message_that_is_still_being_classified_cannot_be_decided_on(api):
    kit = api.kit
    kit.say("hello")
    [id_] = ids(api)
    kit.sql("update message set status = 'classified', next_try_at = %(later)s",
            later=datetime.now(UTC) + timedelta(hours=1))  # fmt: skip

    answer = api.client("decide").post(f"/messages/{id_}/decision", json={"category": "bug"})

    assert is_problem(answer, 409)
    assert kit.messages() == [("hello", "classified")]


def test_the_decision_of_somebody_else_is_not_taken_back(api):
    api.kit.say("hello")
    [id_] = ids(api)
    api.client("decide").post(f"/messages/{id_}/decision", json={"category": None})

    assert is_problem(api.client("decide").delete(f"/messages/{id_}/decision"), 422)
