"""`up --demo` as a visitor meets it: one command, no accounts, a task, the tour, and out again."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import expect

from app import embedded
from tests.browser import CHROMIUM, at, free_port, open_page, open_screen, press, settled, sign_in, signed_in

ROOT = Path(__file__).parents[2]
OWN = "a short sentence of mine"
START_S = 60


class Demo:
    def __init__(self, folder: Path):
        self.folder, self.log, self.ui, self.world = folder, folder / "log", free_port(), free_port()
        self.environment = os.environ | {
            # What a real installation may have set must not be touched by a demo.
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/real", "REDIS_URL": "redis://127.0.0.1:1/0",
            "OCTOPUS_DATA_DIR": str(folder / "data"), "OCTOPUS_SECRET_KEY": "", "OCTOPUS_UI_PORT": str(self.ui),
            "OCTOPUS_RECEIVER_PORT": str(free_port()), "OCTOPUS_API_PORT": str(free_port()),
            "OCTOPUS_DEMO_PORT": str(self.world), "OCTOPUS_ALLOW_PRIVATE_HOSTS": "false",
        }  # fmt: skip
        self.process: subprocess.Popen | None = None

    def start(self, *options: str) -> None:
        self.environment["OCTOPUS_COMMAND_AT"] = str(time.time())
        self.log.write_text("")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "up", "--demo", "--workers", "1", *options], cwd=ROOT,
            env=self.environment, stdout=self.log.open("ab"), stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def said(self, pattern: str) -> re.Match:
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.process.poll() is None:
            if found := re.search(pattern, self.log.read_text()):
                return found
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def stop(self) -> None:
        """As Ctrl-C does."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(60) == 0, self.log.read_text()
        assert psutil.wait_procs(children, timeout=5)[1] == []


@pytest.fixture
def demo(tmp_path):
    found = Demo(tmp_path)
    yield found
    if found.process.poll() is None:
        found.process.terminate()
        found.process.wait(60)
    embedded.remove(tmp_path / "data" / "demo")


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")
def test_one_command_gives_a_task_and_a_tour_that_ticks_itself(demo, browser):
    demo.start()
    password = demo.said(r"Sign in as demo@octopus\.local with the password (\S+)")[1]
    seconds = float(demo.said(r"first task after (\d+) s: '.+' at the simulated (?:Jira|Linear|Trello)")[1])
    print(f"first task after {seconds:.0f} s")
    assert "This is a demo. Simulated: customers" in demo.log.read_text()

    page = open_page(browser, f"http://127.0.0.1:{demo.ui}", viewport={"width": 1360, "height": 1200})
    sign_in(page, "demo@octopus.local", password)
    for key, typed in (("old", password), ("new", OWN), ("again", OWN)):
        page.locator(f".st-key-password-{key} input").fill(typed)
    page.get_by_role("button", name="Save password").click()
    signed_in(page)
    expect(at(page, "tour-step-1-done")).to_be_visible()
    expect(at(page, "tour-step-6-open")).to_be_visible()

    at(page, "tour-step-2-open").get_by_role("link", name="Open the newest one").click()
    expect(page.get_by_role("tab", name="Why")).to_be_visible()
    open_screen(page, "Overview")
    expect(at(page, "tour-step-2-done")).to_be_visible()

    with page.context.expect_page() as opened:
        at(page, "tour-step-4-open").get_by_role("link", name="Open a task").click()
    expect(opened.value.get_by_role("heading", name="simulated")).to_be_visible()
    assert opened.value.locator("article:target").count() == 1
    opened.value.close()
    expect(at(page, "tour-step-4-done")).to_be_visible()

    press(page, "tour-hide")
    expect(at(page, "tour")).to_have_count(0)
    press(page, "tour-show")
    expect(at(page, "tour")).to_be_visible()

    open_screen(page, "Destinations")
    for key in ("service", "product", "warehouse"):
        expect(at(page, f"setup-destinations-{key}")).to_contain_text("Simulated")
    press(page, "destinations-replace-service")
    expect(page.get_by_text("takes the place of the simulated one")).to_be_visible()
    settled(page)
    assert at(page, "destinations-service-real-email").locator("input").input_value() == ""
    page.context.close()

    sent = int((demo.folder / "data" / "demo" / "customers-sent").read_text())
    demo.stop()
    demo.start("--no-ui")
    demo.said("Sign in as demo@octopus.local with the password you chose")
    while int((demo.folder / "data" / "demo" / "customers-sent").read_text()) <= sent:
        assert demo.process.poll() is None, demo.log.read_text()
        time.sleep(0.1)
    assert "first task after" not in demo.log.read_text()
    demo.stop()


def test_a_taken_port_of_the_world_is_named_before_anything_starts(demo):
    demo.environment["OCTOPUS_DEMO_PORT"] = demo.environment["OCTOPUS_RECEIVER_PORT"]
    demo.start()

    assert demo.process.wait(30) == 1

    assert "OCTOPUS_RECEIVER_PORT and OCTOPUS_DEMO_PORT are the same port." in demo.log.read_text()
    assert not (demo.folder / "data" / "demo" / "postgres").exists()
