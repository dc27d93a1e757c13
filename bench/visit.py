"""A customer who writes and an owner who signs in, for measurements and pictures in a real browser."""

import re
import time

import httpx
from playwright.sync_api import Browser, Page

from bench.system import Product
from tests.browser import open_page, sign_in, signed_in

OWNER, PASSWORD = "owner@octopus.local", "a short sentence of mine"


def write(hook: str, number: int, name: str, text: str) -> None:
    """One Telegram message, signed with the bench workspaces' secret."""
    person = {"id": number, "is_bot": False, "first_name": name}
    message = {"message_id": number, "date": int(time.time()), "text": text, "from": person,
               "chat": {"id": number, "type": "private"}}  # fmt: skip
    proof = {"X-Telegram-Bot-Api-Secret-Token": "octopus-telegram-secret"}
    httpx.post(hook, json={"update_id": number, "message": message}, headers=proof, timeout=10).raise_for_status()


def first_visit(browser: Browser, product: Product, port: int, locale: str = "en-US") -> Page:
    """The owner's very first sign-in, with a password of their own chosen."""
    first = re.search(r"signs in with: (\S+)", product.command("user", "reset", OWNER))[1]
    page = open_page(browser, f"http://127.0.0.1:{port}", locale=locale)
    sign_in(page, OWNER, first)
    for key, typed in (("old", first), ("new", PASSWORD), ("again", PASSWORD)):
        page.locator(f".st-key-password-{key} input").fill(typed)
    page.get_by_role("button", name="Save password").click()
    signed_in(page)
    return page
