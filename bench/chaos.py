"""Faults and kills under load: every acknowledged message becomes one task, whatever dies meanwhile.

A scenario sends messages at a steady rate, each webhook three times, and hurts the product on the way. Afterwards the
world's ledger is compared with what was acknowledged. Seeded; bounded in count and time.
"""

import random
import signal
import threading
import time

import psutil
import redis

from bench.system import Product, World, load

RATE = 60
CHANNELS = {"telegram": "tg", "slack": "sl", "whatsapp": "wa"}
QUICK = {"llm": {"median_ms": 200}, "crm": {"median_ms": 80}}
PATIENCE = (
    "--timeout", "240", "--stall", "90", "--settle", "5", "--redeliver", "60", "--redeliver-wait", "1",
    "--ack-timeout", "5",
)  # fmt: skip


def kill_at_random(part: str, seed: int, pause_s: float = 2.0):
    """SIGKILL to one process of a kind, again and again at random instants; the first within 2 s."""

    def hurt(product: Product, over: threading.Event, done: list[float]) -> None:
        rng = random.Random(seed)
        wait_s = rng.uniform(0.5, 2.0)
        while not over.wait(wait_s):
            wait_s = pause_s * rng.uniform(0.5, 1.5)
            victims = product.named(part)
            if victims:
                try:
                    rng.choice(victims).send_signal(signal.SIGKILL)
                except psutil.NoSuchProcess:
                    continue
                done.append(time.time())

    return hurt


def flush_redis(product: Product, over: threading.Event, done: list[float]) -> None:
    while not over.wait(1):
        done.append(time.time())
        redis.Redis.from_url(product.runtime()["redis_url"]).flushall()


def nothing(product: Product, over: threading.Event, done: list[float]) -> None:
    """The vendors' faults are hurt enough."""
    over.wait()


SCENARIOS = {
    "workers killed": (kill_at_random("workers.main", 1), {}),
    "receiver killed": (kill_at_random("webhook_receiver", 2, 6.0), {}),
    "postgres killed": (kill_at_random("bin/postgres -D", 3, 6.0), {}),
    "redis killed": (kill_at_random("redis-server", 4), {}),
    "redis flushed": (flush_redis, {}),
    "crm failing": (nothing, {"crm": {"p500": 0.1, "p429": 0.05, "pambiguous": 0.1, "pdrop": 0.05}}),
    "crm hanging": (nothing, {"crm": {"phang": 0.02}}),
}


def scenario(product: Product, world: World, name: str, n: int) -> dict:
    """One scenario over n messages."""
    hurt, faults = SCENARIOS[name]
    world.reset(**{part: QUICK[part] | faults.get(part, {}) for part in QUICK})
    over, done = threading.Event(), []
    hurting = threading.Thread(target=hurt, args=(product, over, done), daemon=True)
    hurting.start()
    stopping = threading.Timer(n / RATE, over.set)
    stopping.start()
    try:
        report = load(
            product, world, "--n", str(n), "--rate", str(RATE), "--dup-share", "2", *PATIENCE, channels=CHANNELS
        )
    finally:
        over.set()
        hurting.join(10)
    kept = ("acked", "created_once", "lost", "duplicated", "wrong_category", "drained_s")
    hurts = len(done) + sum(world.faults().values())
    return {figure: report[figure] for figure in kept} | {"e2e_p95_ms": report["e2e_ms"]["p95"], "hurt": hurts}


def report(product: Product, world: World, n: int = 2000) -> dict:
    results = {}
    for name in SCENARIOS:
        results[name] = scenario(product, world, name, n)
        time.sleep(2)
    return results
