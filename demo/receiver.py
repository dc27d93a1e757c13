"""Handing a customer's message to Octopus as a chat service does: a signed webhook over HTTP."""

from urllib.parse import urlsplit
from uuid import UUID

import httpx

from app.logs import log
from app.services import connections, demo
from app.settings import settings
from demo.chats import EVENTS


class Receiver:
    def __init__(self, workspace_id: UUID):
        self._workspace_id = workspace_id
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{settings().receiver_port}", timeout=10)

    def take(self, channel: str, number: int, customer: int, name: str, text: str) -> bool:
        """False: it could not take it just now. A bot that is real by now, or off, gets nothing.

        number: the same again is a resend, which changes nothing.
        """
        bots = [bot for bot in connections.bots(self._workspace_id) if bot.channel == channel and bot.enabled]
        bot = next((bot for bot in bots if demo.is_simulated(bot)), None)
        if bot is None:
            return True
        body, headers = EVENTS[channel](number, customer, name, text)
        try:
            answer = self._client.post(urlsplit(connections.hook_url(bot)).path, content=body, headers=headers)
        except httpx.HTTPError:
            return False
        if answer.is_client_error:  # its secret was changed, say
            log.warning("customer_not_heard", bot=bot.key, status=answer.status_code, next_step="the next message")
        return not answer.is_server_error
