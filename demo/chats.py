"""Two simulated chat services: what bots call at Telegram and Slack, and the signed events these send.

Ids are such that the real services have nobody of that name: what is meant for a customer of the demo reaches no one.
"""

import hashlib
import hmac
import html
import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.book import Book

TELEGRAM_TOKEN, TELEGRAM_SECRET = "1:simulated", "simulated-telegram-secret"
SLACK_TOKEN, SLACK_SECRET = "xoxb-simulated", "simulated-slack-secret"
FIRST_CHAT = 4_000_000_000_000_000  # far above what Telegram has given out


def telegram_event(number: int, customer: int, name: str, text: str) -> tuple[bytes, dict[str, str]]:
    """Body and headers of an update. number: the same again is taken for a resend."""
    first, _, last = name.partition(" ")
    person = {"id": FIRST_CHAT + customer, "is_bot": False, "first_name": first, "last_name": last}
    message = {
        "message_id": number + 1, "date": int(time.time()), "text": text, "from": person,
        "chat": {"id": person["id"], "type": "private", "first_name": first},
    }  # fmt: skip
    body = json.dumps({"update_id": number + 1, "message": message}).encode()
    return body, {"X-Telegram-Bot-Api-Secret-Token": TELEGRAM_SECRET, "Content-Type": "application/json"}


def slack_event(number: int, customer: int, name: str, text: str) -> tuple[bytes, dict[str, str]]:
    now = time.time()
    person = f"USIM{customer:06}"
    event = {
        "type": "message", "channel": f"DSIM{customer:06}", "channel_type": "im", "user": person, "text": text,
        "ts": f"{now:.6f}", "event_ts": f"{now:.6f}", "user_profile": {"real_name": name, "display_name": name},
    }  # fmt: skip
    envelope = {
        "type": "event_callback", "team_id": "TSIM", "api_app_id": "ASIM", "event_id": f"EvSIM{number:06}",
        "event_time": int(now), "event": event,
    }  # fmt: skip
    body = json.dumps(envelope).encode()
    signed = b"v0:" + str(int(now)).encode() + b":" + body
    proof = "v0=" + hmac.new(SLACK_SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return body, {
        "X-Slack-Request-Timestamp": str(int(now)), "X-Slack-Signature": proof, "Content-Type": "application/json",
    }  # fmt: skip


EVENTS = {"telegram": telegram_event, "slack": slack_event}


# ---- what bots call


def _book(request: Request) -> Book:
    return request.app.state.book


async def telegram(request: Request) -> Response:
    method = request.path_params["method"]
    said = await request.json() if request.method == "POST" else {}
    answer: Any = True
    if method == "getMe":
        answer = {"id": 1, "is_bot": True, "first_name": "Lumo", "username": "lumo_support_bot"}
    elif method == "sendMessage":
        answer = {"message_id": _book(request).write("telegram", str(said["chat_id"]), said["text"])}
    elif method != "setWebhook":
        return JSONResponse({"ok": False, "error_code": 404, "description": "Not Found"}, 404)
    return JSONResponse({"ok": True, "result": answer})


async def slack(request: Request) -> Response:
    method = request.path_params["method"]
    if method == "auth.test":
        return JSONResponse({"ok": True, "user": "lumo-support", "team": "Lumo customers (simulated)"})
    if method == "chat.postMessage":
        said = await request.json()
        number = _book(request).write("slack", said["channel"], html.unescape(said["text"]))
        return JSONResponse({"ok": True, "ts": f"{int(time.time())}.{number:06}", "channel": said["channel"]})
    return JSONResponse({"ok": False, "error": "unknown_method"})


ROUTES = [
    Route("/telegram/bot{token}/{method}", telegram, methods=["GET", "POST"]),
    Route("/slack/api/{method}", slack, methods=["POST"]),
]
