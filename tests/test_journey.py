"""The main job as a manager meets it: one command, then clicks, then a customer writes."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest
from playwright.sync_api import expect
from werkzeug import Request, Response

from app import embedded
from tests.browser import CHROMIUM, free_port, open_page, open_screen, sign_in, signed_in
from tests.pages.clicks import add_bot, add_category, add_destination, add_route, add_rule, publish
from tests.pages.vendors import jira, telegram

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")]
ROOT = Path(__file__).parents[1]
OWN = "a short sentence of mine"
START_S = 90


class Installation:
    """`up` on an empty data directory."""

    def __init__(self, folder: Path):
        self.data_dir, self.log, self.ui, self.receiver = folder / "data", folder / "log", free_port(), free_port()
        environment = os.environ | {
            "DATABASE_URL": "", "REDIS_URL": "", "OCTOPUS_SECRET_KEY": "", "OCTOPUS_DATA_DIR": str(self.data_dir),
            "OCTOPUS_UI_PORT": str(self.ui), "OCTOPUS_RECEIVER_PORT": str(self.receiver),
            "OCTOPUS_API_PORT": str(free_port()),
            "OCTOPUS_ALLOW_PRIVATE_HOSTS": "true",
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "up", "--workers", "1"], cwd=ROOT, env=environment,
            stdout=self.log.open("wb"), stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def first_sign_in(self) -> tuple[str, str]:
        """E-mail and password, as `up` prints them."""
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.process.poll() is None:
            if said := re.search(r"Sign in as (\S+) with the password (\S+)", self.log.read_text()):
                return said[1], said[2]
            time.sleep(0.2)
        raise AssertionError(self.log.read_text())

    def stop(self) -> None:
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.terminate()
        self.process.wait(60)
        assert psutil.wait_procs(children, timeout=5)[1] == []
        embedded.remove(self.data_dir)


@pytest.fixture
def installation(tmp_path):
    started = Installation(tmp_path)
    yield started
    started.stop()


@pytest.fixture
def issues(httpserver) -> list[dict]:
    """The issues made at the Jira stub, in order."""
    made: list[dict] = []

    def create(request: Request) -> Response:
        made.append(request.get_json()["fields"])
        body = f'{{"id": "{10000 + len(made)}", "key": "SUP-{len(made)}"}}'
        return Response(body, content_type="application/json")

    telegram(httpserver)
    jira(httpserver)
    httpserver.expect_request("/rest/api/3/issue", method="POST").respond_with_handler(create)
    return made


def write(hook: str, number: int, text: str) -> None:
    """What Telegram sends when a customer, another one for each number, writes."""
    person = {"id": 70 + number, "is_bot": False, "first_name": "Zoë"}
    message = {"message_id": number, "date": 1_790_000_000 + number, "text": text, "from": person,
               "chat": {"id": 70 + number, "type": "private", "first_name": "Zoë"}}  # fmt: skip
    proof = {"X-Telegram-Bot-Api-Secret-Token": "a-secret-word"}
    httpx.post(hook, json={"update_id": number, "message": message}, headers=proof, timeout=10).raise_for_status()


def wait_for(there, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_from_the_first_sign_in_to_a_task_and_its_passport(installation, issues, browser, httpserver):
    email, password = installation.first_sign_in()
    address = httpserver.url_for("").rstrip("/")
    page = open_page(browser, f"http://127.0.0.1:{installation.ui}", viewport={"width": 1360, "height": 1400})
    sign_in(page, email, password)
    for key, typed in (("old", password), ("new", OWN), ("again", OWN)):
        page.locator(f".st-key-password-{key} input").fill(typed)
    page.get_by_role("button", name="Save password").click()
    signed_in(page)

    add_category(page, "Bug")
    add_rule(page, "crash", "Bug")
    add_bot(page, address)
    add_destination(page, address)
    add_route(page)
    publish(page)
    [hook] = [r.get_json()["url"] for r, _answer in httpserver.log if r.path.endswith("/setWebhook")]

    write(hook, 1, "The app crashes when I save")
    wait_for(lambda: len(issues) == 1)
    assert "The app crashes when I save" in issues[0]["summary"]
    open_screen(page, "Inbox")
    page.locator(".stDataFrameGlideDataEditor").first.click(position={"x": 300, "y": 54})  # the first row
    delivery = page.locator("[class*='st-key-delivery-']").first
    expect(delivery).to_contain_text("SUP-1")
    expect(page.locator("[class*='st-key-verdict-']").first).to_contain_text("by-word")

    write(hook, 2, "I cannot find my invoice")
    open_screen(page, "Review")
    expect(page.get_by_text("I cannot find my invoice").first).to_be_visible()
    page.locator("#stage [data-name=decide-bug]").click()
    wait_for(lambda: len(issues) == 2)
    assert "I cannot find my invoice" in issues[1]["summary"]

    write(hook, 1, "The app crashes when I save")  # Telegram sends it once more
    time.sleep(2)
    assert len(issues) == 2
