"""The Review page without a browser: what its card is given. What the card does with it: test_review_browser.py."""

import json

from app.db.tables.people import Role


def card(page) -> dict:
    """What the browser gets."""
    [mounted] = page.get("bidi_component")
    return json.loads(mounted.proto.json)


def test_an_empty_queue_is_drawn_without_fault(visit, person, kit):
    page = visit(person(), "review")

    assert not page.exception
    assert (card(page)["items"], card(page)["waiting"]) == ([], 0)


def test_the_card_holds_the_message_its_thread_and_what_the_machine_thinks(visit, person, kit):
    kit.say("hello")
    kit.sql("update message set status = 'ignored'")
    kit.say("my invoice is wrong")
    likeliest = [["billing", 0.41], ["bug", 0.3]]
    step = {"source": "local", "answer": None, "confidence": 0.41, "reason": "unsure", "took_ms": 1, "cost_usd": 0,
            "detail": {"likeliest": likeliest, "words": [["invoice", 0.4]]}}  # fmt: skip
    kit.sql("update classification set steps = %(steps)s::jsonb", steps=json.dumps([step]))

    [item] = card(visit(person(Role.AGENT), "review"))["items"]

    assert (item["text"], item["earlier"], item["likeliest"]) == ("my invoice is wrong", ["hello"], ["billing", "bug"])
    assert item["suggestion"] is None and "invoice" in item["because"][0]


def test_a_random_check_does_not_say_what_the_machine_thinks(visit, person, kit):
    kit.say("my invoice is wrong")
    step = {"source": "llm", "answer": "billing", "confidence": 0.9, "reason": "", "took_ms": 1, "cost_usd": 0}
    kit.sql("update classification set review_rate = 0.03, steps = %(steps)s::jsonb", steps=json.dumps([step]))

    [item] = card(visit(person(Role.AGENT), "review"))["items"]

    assert (item["is_check"], item["suggestion"], item["likeliest"], item["sure"]) == (True, None, [], "")
    assert "billing" not in json.dumps(item)


def test_a_viewer_sees_the_messages_and_holds_none(visit, person, kit):
    kit.say("my invoice is wrong")
    data = card(visit(person(Role.VIEWER), "review"))

    assert data["may"] is False and [item["text"] for item in data["items"]] == ["my invoice is wrong"]
    assert kit.sql("select * from review_hold") == []


def test_letters_are_the_names_first_where_they_are_free(visit, person, kit):
    data = card(visit(person(), "review"))

    assert [(one["name"], one["letter"]) for one in data["categories"]] == [("Bug", "b"), ("Billing", "i")]
