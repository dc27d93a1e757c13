"""How soon the next message is on the screen after a key, in headless Chromium; what was decided is saved meanwhile.

The floor is a page that only changes a text at the key and is painted.
"""

import time
from pathlib import Path

from bench.measure import percentile
from bench.system import free_port, product, world
from bench.visit import first_visit, write
from tests.browser import chromium

MESSAGES = 120
WORKSPACE = Path(__file__).with_name("review.yaml")
BETWEEN_MS = 250  # a person could not be faster
FIND = """
    const find = root => root.querySelector('#stage')
        ?? [...root.querySelectorAll('*')].map(e => e.shadowRoot && find(e.shadowRoot)).find(Boolean);"""
TO_THE_NEXT = (
    "async ([presses, pause]) => {"
    + FIND
    + """
    const shown = () => find(document).querySelector('.message .text')?.textContent;
    const times = [];
    for (let i = 0; i < presses; i++) {
        const before = shown();
        if (!before) break;
        const start = performance.now();
        document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'b', bubbles: true, composed: true}));
        while (shown() === before && performance.now() - start < 5000) await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - start);
        await new Promise(done => setTimeout(done, pause));
    }
    return times;
}"""
)
FLOOR = """async presses => {
    const text = document.createElement('p'), times = [];
    document.body.append(text);
    for (let i = 0; i < presses; i++) {
        const start = performance.now();
        text.textContent = `message ${i}`;
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - start);
    }
    text.remove();
    return times;
}"""


def report() -> dict:
    port = free_port()
    with world() as around, product(around, ui=port, workspace=WORKSPACE, OCTOPUS_WORKERS="1") as running:
        for number in range(1, MESSAGES + 21):
            write(running.hooks["support"], number, f"Person {number}", f"Something is wrong with order {number}")
        with chromium() as browser:
            page = first_visit(browser, running, port)
            page.wait_for_function("() => document.cookie.includes('octopus_session')")
            page.goto("/review?workspace=acme")
            page.locator("#stage .message .text").wait_for()
            times = page.evaluate(TO_THE_NEXT, [MESSAGES, BETWEEN_MS])
            floor = page.evaluate(FLOOR, 60)
            time.sleep(3)
            waiting = page.locator("#stage .count").inner_text()
    return {
        "key_to_next_p50_ms": round(percentile(times, 0.5), 1), "key_to_next_p95_ms": round(percentile(times, 0.95), 1),
        "key_to_next_worst_ms": round(max(times), 1), "floor_p95_ms": round(percentile(floor, 0.95), 1),
        "ratio_to_floor": round(percentile(times, 0.95) / percentile(floor, 0.95), 2), "presses": len(times),
        "shown_as_waiting_afterwards": waiting,
    }  # fmt: skip
