"""What a chat service meets at the door."""

import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from app.db.engine import in_workspace
from app.db.tables import Destination
from app.services import secrets
from connectors import registry
from tests.receiver.conftest import add_bots, start_receiver


def test_a_signed_request_is_stored_before_it_is_answered(receiver):
    answer = receiver.telegram(1)

    assert answer.status_code == 200
    [event] = receiver.rows("select status, event_key, body from raw_event")
    assert (event.status, event.event_key) == ("received", "update_id:1")
    assert json.loads(bytes(event.body))["update_id"] == 1


def test_the_same_request_again_is_answered_and_changes_nothing(receiver):
    statuses = [receiver.telegram(1).status_code for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert len(receiver.rows("select 1 from raw_event")) == 1


def test_many_at_once_are_each_stored_once(receiver):
    with ThreadPoolExecutor(16) as senders:
        statuses = list(senders.map(lambda number: receiver.telegram(number % 100).status_code, range(200)))

    assert set(statuses) == {200}
    assert len(receiver.rows("select 1 from raw_event")) == 100


def test_a_wrong_secret_is_refused_counted_and_not_stored(receiver):
    answer = receiver.telegram(1, secret="wrong")

    assert answer.status_code == 401
    assert "wrong" not in answer.text.replace("missing or wrong", "")
    assert receiver.rows("select 1 from raw_event") == []
    assert 'outcome="bad_signature"' in receiver.client.get("/metrics").text


def test_an_unknown_bot_is_not_found_and_neither_is_a_known_one_under_another_channel(receiver):
    key = receiver.hooks["telegram"].rsplit("/", 1)[1]

    assert receiver.client.post("/hooks/telegram/guess", json={}).status_code == 404
    assert receiver.client.post(f"/hooks/slack/{key}", json={}).status_code == 404


def test_a_body_over_a_megabyte_is_refused(receiver):
    answer = receiver.client.post(receiver.hooks["telegram"], content=b" " * 1_000_001)

    assert answer.status_code == 413


def test_whatsapps_handshake_is_answered_and_not_stored(receiver):
    params = {"hub.mode": "subscribe", "hub.verify_token": "v", "hub.challenge": "4242"}

    answer = receiver.client.get(receiver.hooks["whatsapp"], params=params)

    assert (answer.status_code, answer.text) == (200, "4242")
    assert receiver.client.get(receiver.hooks["whatsapp"], params=params | {"hub.verify_token": "x"}).status_code == 401
    assert receiver.rows("select 1 from raw_event") == []


def slack(receiver, body: bytes, age_s: float = 0) -> httpx.Response:
    stamp = str(int(time.time() - age_s))
    signature = hmac.new(b"slack-secret", b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}"}
    return receiver.client.post(receiver.hooks["slack"], content=body, headers=headers)


def test_slacks_handshake_is_answered(receiver):
    answer = slack(receiver, b'{"type": "url_verification", "challenge": "abc"}')

    assert (answer.status_code, "abc" in answer.text) == (200, True)


def test_a_replayed_old_request_is_refused(receiver):
    assert slack(receiver, b'{"type": "url_verification", "challenge": "abc"}', age_s=301).status_code == 401


def test_a_verified_body_nobody_can_read_is_kept_as_its_bytes(receiver):
    for body in (b'{"text": "\\u0000 \\ud800"}', b"[" * 50 + b"]" * 50, b"\xff\xfe not json"):
        assert slack(receiver, body).status_code == 200

    kept = [bytes(row.body) for row in receiver.rows("select body from raw_event order by id")]
    assert kept[2] == b"\xff\xfe not json"
    assert len(kept) == 3


def test_a_bots_last_event_and_refusals_are_noted(receiver):
    receiver.telegram(1)
    receiver.telegram(2, secret="wrong")

    end = time.monotonic() + 10
    while not (rows := receiver.rows("select last_event_at, refused from bot_health")) and time.monotonic() < end:
        time.sleep(0.1)
    [health] = rows
    assert health.last_event_at is not None
    assert health.refused == 1


def test_it_is_ready_when_database_and_redis_answer(receiver):
    answer = receiver.client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"database": True, "redis": True, "spooled": 0})


def test_while_the_database_is_away_senders_that_resend_hear_so_and_the_others_are_sheltered(
    services, workspace, tmp_path
):
    """Telegram resends; Discord does not, so its event goes to the spool and drains when the database is back."""
    from tests.receiver.discord import signed_command, with_our_key

    hooks = add_bots(workspace)
    with_our_key(workspace)
    process, address = start_receiver(OCTOPUS_DATA_DIR=str(tmp_path))
    with httpx.Client(base_url=address, timeout=20) as client:
        secret = {"X-Telegram-Bot-Api-Secret-Token": "telegram-secret"}
        assert client.post(hooks["telegram"], json={"update_id": 1}, headers=secret).status_code == 200
        body, headers = signed_command("first")
        assert client.post(hooks["discord"], content=body, headers=headers).status_code == 200

        services.postgres.stop()
        try:
            refused = client.post(hooks["telegram"], json={"update_id": 2}, headers=secret)
            body, headers = signed_command("second")
            sheltered = client.post(hooks["discord"], content=body, headers=headers)
            spooled = client.get("/readyz").json()["spooled"]
        finally:
            services.postgres.start()

        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert (sheltered.status_code, spooled) == (200, 1)
        end = time.monotonic() + 30
        while client.get("/readyz").json()["spooled"] and time.monotonic() < end:
            time.sleep(0.2)
        assert list((tmp_path / "spool").glob("*.json")) == []
    process.terminate()
    process.wait(20)
    from app.db.engine import in_workspace

    with in_workspace(workspace) as session:
        rows = session.connection().exec_driver_sql("select event_key from raw_event").all()
    assert len(rows) == 3


def linear(receiver, body: bytes, secret: str = "hook-word") -> httpx.Response:
    [(key,)] = receiver.rows("select hook_key from destination")
    proof = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return receiver.client.post(f"/crm-hooks/{key}", content=body, headers={"Linear-Signature": proof})


def test_a_crm_may_only_hint_at_changes_with_proof_and_at_its_own_address(receiver):
    row = Destination(workspace_id=receiver.workspace_id, key="linear", connector="linear")
    config = registry.crm("linear").Config(api_key="k", team="t", hook_secret="hook-word")
    row.config = secrets.seal(config, receiver.workspace_id, f"destination/{row.id}")
    with in_workspace(receiver.workspace_id) as session:
        session.add(row)
    now_ms = int(time.time() * 1000)
    body = json.dumps({"type": "Issue", "action": "update", "data": {"id": "i1"}, "webhookTimestamp": now_ms}).encode()

    assert linear(receiver, body).status_code == 200
    assert linear(receiver, body, secret="guessed").status_code == 401
    assert linear(receiver, body, secret="").status_code == 401
    assert receiver.client.post("/crm-hooks/guessed", content=body).status_code == 404
    assert len(receiver.rows("select 1 from destination_sync where last_notice_at is not null")) == 1
    assert 'channel="crm",outcome="bad_signature"' in receiver.client.get("/metrics").text
