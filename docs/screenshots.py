"""Makes the pictures of the README: `.venv/bin/python -m docs.screenshots`. Needs Chromium; talks to stubs only."""

import time
from pathlib import Path

from playwright.sync_api import Page

from bench.system import product, world
from bench.visit import OWNER, PASSWORD, first_visit, write
from tests.browser import chromium, free_port, open_page, sign_in, signed_in

HERE = Path(__file__).parent
MESSAGES = (
    ("Mia Wong", "The app crashes when I open my order history"),
    ("Jonas Weber", "I was charged twice for invoice 2041, please refund one"),
    ("李娜", "打开订单页面就崩溃，已经重启三次了"),
    ("Priya Nair", "Where is my parcel? The courier says delivered, I have nothing"),
    ("Tom Baker", "Could you add a dark theme to the reports?"),
    ("王强", "请问发票可以改抬头吗"),
    ("Sofia Rossi", "Error 500 when I export the invoices to Excel"),
    ("Liam Chen", "I cannot sign in since I changed my e-mail"),
    ("Ana Silva", "Thank you, it works again!"),
    ("陈伟", "快递显示已签收，但是我没有收到"),
)


def main() -> None:
    port = free_port()
    with world() as around, product(around, ui=port, workspace=HERE / "workspace.yaml", OCTOPUS_WORKERS="1") as running:
        for number, (name, text) in enumerate(MESSAGES, 1):
            write(running.hooks["support"], number, name, text)
        time.sleep(5)
        with chromium() as browser:
            take(first_visit(browser, running, port), "en")
            page = open_page(browser, f"http://127.0.0.1:{port}", locale="zh-CN")
            sign_in(page, OWNER, PASSWORD)
            signed_in(page)
            take(page, "zh")


def take(page: Page, language: str) -> None:
    for screen, address in (("overview", "/"), ("inbox", "/inbox"), ("review", "/review")):
        page.wait_for_function("() => document.cookie.includes('octopus_session')")
        page.goto(f"{address}?workspace=acme")
        signed_in(page)
        page.wait_for_timeout(3000)
        page.screenshot(path=HERE / "images" / f"{screen}-{language}.png")


if __name__ == "__main__":
    main()
