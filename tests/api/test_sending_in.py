"""Messages sent in by a program go the way of all others."""

from uuid import UUID

import pytest

from app import enqueue
from app.services import connections
from app.services.members import Actor, Role

MESSAGE = {"bot": "shop", "id": "m1", "sender_id": "ann@shop.test", "sender_name": "Ann", "text": "#bug It crashed"}


@pytest.fixture
def shop(api):
    """A bot of the channel API."""
    owner = Actor(None, "mia@acme.test", Role.MANAGER, api.kit.workspace_id)
    connections.save_bot(owner, "shop", "api", {}, "Web shop")


def process(api, answer) -> None:
    api.kit.process(UUID(answer.json()["event_id"]))


def test_a_message_sent_in_becomes_a_task(api, shop):
    jira = api.kit.vendor("jira")
    api.kit.route("jira")
    client = api.client("write", "read")
    answer = client.post("/messages", json=MESSAGE)
    assert answer.status_code == 202 and answer.json()["known"] is False
    event = client.get(f"/events/{answer.json()['event_id']}").json()
    assert (event["status"], event["message_ids"]) == ("received", [])
    process(api, answer)

    event = client.get(f"/events/{answer.json()['event_id']}").json()
    [message_id] = event["message_ids"]
    message = client.get(f"/messages/{message_id}").json()
    assert (event["status"], message["status"], message["category"]) == ("processed", "routed", "bug")
    assert (message["channel"], message["bot"], message["contact_name"]) == ("api", "shop", "Ann")
    assert len(jira.tasks) == 1


def test_a_worker_is_woken_for_it(api, shop):
    client = api.client("write")
    client.post("/messages", json=MESSAGE)

    assert sum(enqueue.backlog().values()) == 1


def test_the_same_message_sent_twice_is_one(api, shop):
    client = api.client("write")
    first = client.post("/messages", json=MESSAGE)
    second = client.post("/messages", json=MESSAGE | {"text": "something else"})
    process(api, first)

    assert second.json() == {"event_id": first.json()["event_id"], "known": True}
    assert api.kit.messages() == [("#bug It crashed", "ignored")]


def test_messages_without_an_id_are_different_ones_unless_the_request_is_repeated(api, shop):
    client, message = api.client("write"), {key: value for key, value in MESSAGE.items() if key != "id"}
    again = {"Idempotency-Key": "one"}
    events = [
        client.post("/messages", json=message, headers=headers).json()["event_id"] for headers in (again, again, {})
    ]

    assert events[0] == events[1] != events[2]


def test_messages_of_one_sender_are_one_conversation_and_an_attachment_is_enough(api, shop):
    client = api.client("write", "read")
    photo = {"url": "https://shop.test/broken.jpg", "name": "broken.jpg", "mime_type": "image/jpeg"}
    sent_at = "2026-11-20T10:00:00+01:00"
    file = {"bot": "shop", "sender_id": "ann@shop.test", "attachments": [photo], "sent_at": sent_at}
    process(api, client.post("/messages", json=MESSAGE))
    process(api, client.post("/messages", json=file))

    rows = api.kit.sql("select id, kind, conversation_id, sent_at from message order by id")
    assert rows[0].conversation_id == rows[1].conversation_id and rows[1].kind == "image"
    assert rows[1].sent_at.isoformat() == "2026-11-20T09:00:00+00:00"
    assert client.get(f"/messages/{rows[1].id}").json()["attachments"][0]["url"] == photo["url"]


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"text": " "}, 422, None),
        ({"sender_id": ""}, 422, "sender_id"),
        ({"id": "with space"}, 422, "id"),
        ({"bot": "nobody"}, 404, "bot"),
        ({"bot": "tg"}, 422, "bot"),
        ({"sent_at": "2026-11-20T10:00:00"}, 422, "sent_at"),
        ({"attachments": [{"url": "no address"}]}, 422, "attachments.0.url"),
    ],
)
def test_what_cannot_be_a_message_is_refused_and_not_stored(api, shop, change, status, field):
    answer = api.client("write").post("/messages", json=MESSAGE | change)

    assert (answer.status_code, answer.json().get("field")) == (status, field)
    assert api.kit.sql("select id from raw_event") == []


def test_characters_the_database_cannot_hold_are_mended_or_refused(api, shop):
    client = api.client("write")
    process(api, client.post("/messages", json=MESSAGE | {"text": "a\0b"}))
    half_an_emoji = b'{"bot": "shop", "sender_id": "1", "text": "\\ud83d"}'
    refused = client.post("/messages", content=half_an_emoji, headers={"Content-Type": "application/json"})

    assert [text for text, _status in api.kit.messages()] == ["ab"] and refused.status_code == 422


def test_a_bot_of_a_neighbour_takes_nothing(api, shop, neighbour):
    answer = api.client("write", workspace_id=neighbour).post("/messages", json=MESSAGE)

    assert answer.status_code == 404
    assert api.kit.sql("select id from raw_event") == []
