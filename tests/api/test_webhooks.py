"""Webhooks through the API: subscribed, told, rotated, replayed."""

from datetime import timedelta
from uuid import UUID

import pytest
from standardwebhooks import Webhook
from werkzeug import Response

from app.db.tables.base import now
from app.services import telling
from app.services.pool import pool


@pytest.fixture
def heard(httpserver):
    """Requests the address /told has had; it says 204."""
    requests = []

    def hear(request):
        requests.append((dict(request.headers), request.get_data()))
        return Response(status=204)

    httpserver.expect_request("/told", method="POST").respond_with_handler(hear)
    return requests


def added(api, httpserver, *events: str) -> dict:
    asked = {"url": httpserver.url_for("/told"), "events": events or ["message.needs_review"], "name": "Warehouse"}
    answer = api.client("configure").post("/webhooks", json=asked)
    assert answer.status_code == 201
    return answer.json()


def test_a_program_subscribes_and_is_told(api, httpserver, heard):
    webhook = added(api, httpserver)
    api.kit.say("what now")
    telling.tell(api.kit.workspace_id, UUID(webhook["id"]))
    assert pool().drain(20)

    [(headers, body)] = heard
    assert Webhook(webhook["secret"]).verify(body, headers)["type"] == "message.needs_review"
    [event] = api.client("read").get(f"/webhooks/{webhook['id']}/events").json()["items"]
    assert (event["id"], event["status"]) == (headers["Webhook-Id"], "delivered")
    assert event["attempts"][0]["status"] == 204


def test_the_secret_is_in_no_later_answer(api, httpserver, heard):
    webhook = added(api, httpserver)
    client = api.client("read")

    listed, read = client.get("/webhooks"), client.get(f"/webhooks/{webhook['id']}")
    assert webhook["secret"] not in listed.text + read.text
    assert "secret" not in read.json() and "enc:" not in read.text
    assert listed.json() == [read.json()]


def test_a_webhook_is_changed_switched_off_and_deleted(api, httpserver, heard):
    webhook = added(api, httpserver)
    client, address = api.client(), f"/webhooks/{webhook['id']}"

    put = {"url": webhook["url"], "events": ["task.created"], "enabled": False}
    assert client.put(address, json=put).json()["enabled"] is False
    assert client.get(address).json()["events"] == ["task.created"]
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


def test_a_rotated_secret_is_told_once_with_the_end_of_the_old_one(api, httpserver, heard):
    webhook = added(api, httpserver)
    rotated = api.client("configure").post(f"/webhooks/{webhook['id']}/secret").json()

    assert rotated["secret"] != webhook["secret"] and rotated["old_secret_ends_at"] > now().isoformat()
    sent = api.client("configure").post(f"/webhooks/{webhook['id']}/test").json()
    assert sent["status"] == "delivered"
    [(headers, body)] = heard
    assert Webhook(webhook["secret"]).verify(body, headers) == Webhook(rotated["secret"]).verify(body, headers)


def test_what_failed_is_sent_again(api, httpserver, heard):
    webhook = added(api, httpserver)
    api.kit.say("what now")
    api.kit.sql("update webhook_event set status = 'failed'")
    client = api.client("deliver", "read")
    [event] = client.get(f"/webhooks/{webhook['id']}/events", params={"failed": True}).json()["items"]

    yesterday = {"since": (now() - timedelta(days=1)).isoformat()}
    assert client.post(f"/webhooks/{webhook['id']}/replay", json=yesterday).json() == {"changed": 1}
    assert client.post(f"/webhooks/{webhook['id']}/replay", json=yesterday).json() == {"changed": 0}
    assert client.post("/webhook-events/replay", json={"ids": [event["id"]]}).json() == {"changed": 1}


def test_a_neighbour_sees_and_changes_nothing(api, httpserver, heard, neighbour):
    webhook = added(api, httpserver)
    client = api.client(workspace_id=neighbour)

    assert client.get("/webhooks").json() == []
    assert client.delete(f"/webhooks/{webhook['id']}").status_code == 404
    assert client.get(f"/webhooks/{webhook['id']}/events").json()["items"] == []


def test_an_event_that_does_not_exist_is_refused_by_name(api):
    answer = api.client("configure").post("/webhooks", json={"url": "https://example.com", "events": ["task.gone"]})

    assert answer.status_code == 422 and answer.json()["field"] == "events.0"
