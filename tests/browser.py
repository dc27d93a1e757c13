"""For tests in a real browser: the app on a free port, and Chromium driving it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
START_S = 40
expect.set_options(timeout=15_000)  # a busy machine draws a page late


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def app_running(environment: dict[str, str], log: Path) -> Iterator[str]:
    """Start `streamlit run app/main.py`; yields its address."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", f"--server.port={port}",
               "--server.address=127.0.0.1"]  # fmt: skip
    environment = os.environ | {"OCTOPUS_UI_PORT": str(port)} | environment
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(process, address, log)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_up(process: subprocess.Popen, address: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/_stcore/health", timeout=2).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
        if process.poll() is not None:
            break
    raise RuntimeError(f"The app did not start. It said:\n{log.read_text()}")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


def open_page(browser: Browser, address: str, locale: str = "en-US", dark: bool = False, **options) -> Page:
    """A page of a fresh visitor. `options`: those of Playwright's `new_context`, such as `viewport`."""
    size = {"width": 1360, "height": 850}
    scheme = "dark" if dark else "light"
    context = browser.new_context(
        base_url=address, locale=locale, color_scheme=scheme, **({"viewport": size} | options)
    )
    context.set_default_timeout(20_000)
    return context.new_page()


def sign_in(page: Page, email: str, password: str, path: str = "/") -> None:
    """Fill in the sign-in form at `path` and send it; what follows is for the caller to wait for."""
    page.goto(path)
    form = page.locator(".st-key-form-inner")
    expect(form).to_be_visible(timeout=20_000)
    settled(page)  # a click during a run may be lost
    form.locator("input[type=email]").fill(email)
    form.locator("input[type=password]").fill(password)
    form.locator(".st-key-sign-in button").click()


def signed_in(page: Page) -> None:
    """Wait until the app itself is on the screen."""
    expect(page.locator(".st-key-person-menu")).to_be_visible(timeout=20_000)


def sign_out(page: Page) -> None:
    page.locator(".st-key-person-menu button").first.click()
    page.locator(".st-key-sign-out button").click()
    expect(page.locator(".st-key-sign-in button")).to_be_visible(timeout=20_000)


# ---- clicking; `key` is a widget's key


def at(page: Page, key: str):
    return page.locator(f".st-key-{key}")


def press(page: Page, key: str) -> None:
    at(page, key).locator("button").click()


def type_in(page: Page, key: str, words: str) -> None:
    """And wait until the app has taken it in: a click right after typing would meet the form as it was."""
    box = at(page, key).locator("input")
    box.fill(words)
    box.press("Tab")
    page.wait_for_timeout(400)  # secrets are sent a quarter of a second after the last letter
    settled(page)


def settled(page: Page) -> None:
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")


def choose(page: Page, key: str, option: str) -> None:
    expect(at(page, key)).to_be_visible()
    settled(page)
    at(page, key).locator("input").click()
    page.get_by_role("option", name=option, exact=True).click()


def open_screen(page: Page, name: str) -> None:
    settled(page)  # a click during a run may be lost
    page.locator(".st-key-pages").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
