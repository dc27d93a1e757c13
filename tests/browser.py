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


@contextmanager
def app_running(environment: dict[str, str], log: Path) -> Iterator[str]:
    """Start `streamlit run app/main.py`; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", f"--server.port={port}",
               "--server.address=127.0.0.1"]  # fmt: skip
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=output, stderr=output)
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
