"""The measurements. Each prints its figure beside a floor measured in the same run, or the latencies it adds to."""

import json
import subprocess
import sys
import time
from statistics import median

import httpx
import psutil

from bench.system import RIG, Product, World, free_port, load

FLOOR_S = 15
QUIET = {"llm": {"median_ms": 0}, "crm": {"median_ms": 0}}
ONLY_ACCEPTS = ("--connections", "64", "--stall", "0.1", "--timeout", "0.1", "--settle", "0")
USUAL = {"llm": {"median_ms": 800}, "crm": {"median_ms": 150}}


def accept(product: Product, world: World, seconds: int = 10) -> dict:
    """Durable signed accepts at 64 connections, workers paused, so that the receiver is what is measured.

    Floor: the same bytes to a server that only writes them to PostgreSQL in group commits (rig/floor.py).
    """
    world.configure(**QUIET)
    n = 3000 * seconds
    floor = _floor(product, world, "--n", str(n), *ONLY_ACCEPTS)
    workers = product.named("workers.main")
    for process in workers:
        process.suspend()
    try:
        report = load(
            product, world, "--n", str(n), "--connections", "64", "--stall", "0.1", "--timeout", "0.1", "--settle", "0"
        )
    finally:
        for process in workers:
            process.resume()
    return {
        "accepts_per_s": report["sent_per_s"], "floor_per_s": floor["sent_per_s"],
        "ratio_to_floor": round(report["sent_per_s"] / floor["sent_per_s"], 2),
        "p99_ms": report["ack_service_ms"]["p99"], "floor_p99_ms": floor["ack_service_ms"]["p99"],
        "not_acked": report["not_acked"], "n": n, "connections": 64,
    }  # fmt: skip


def idle(product: Product, world: World, n: int = 60) -> dict:
    """What the product adds to the two vendor latencies when nothing else happens: one message at a time."""
    world.configure(llm={"median_ms": 0, "dist": "const"}, crm={"median_ms": 0, "dist": "const"})
    load(product, world, "--n", "20", "--rate", "4")  # the workers have started, their libraries are loaded
    report = load(product, world, "--n", str(n), "--rate", "4")
    return {"overhead_p50_ms": report["e2e_ms"]["p50"], "overhead_p95_ms": report["e2e_ms"]["p95"], "n": n}


def flow(product: Product, world: World, rate: int = 250, seconds: int = 60, rule_share: float = 0.0) -> dict:
    """The main job at a fixed rate, LLM median 800 ms and CRM 150 ms; CPU of every process of the product counts."""
    world.configure(**USUAL)
    load(product, world, "--n", str(rate), "--rate", str(rate / 2))  # connections and caches are warm in real life too
    report = load(
        product, world, "--n", str(rate * seconds), "--rate", str(rate), "--rule-share", str(rule_share),
        "--pid", f"app={product.supervisor.pid}",
    )  # fmt: skip
    figures = _summary(report, product)  # before the floor takes the workers' pages
    floor = _floor(
        product, world, "--n", str(rate * FLOOR_S), "--rate", str(rate), "--rule-share", str(rule_share)
    )  # fmt: skip
    floor_cpu = floor["app_cpu_ms_per_msg"]
    return figures | {"floor_cpu_ms": floor_cpu, "cpu_times_floor": round(figures["cpu_ms_per_message"] / floor_cpu, 1)}


def crash(product: Product, world: World, rate: int = 100) -> dict:
    """kill -9 of everything in the middle of load; how long until a request is acknowledged again."""
    world.configure(**USUAL)
    product.kill_everything()
    started = time.monotonic()
    product.start()
    url = product.hooks["tg"]
    while httpx.post(url, json={}, timeout=5).status_code != 401:
        time.sleep(0.02)
    return {"answering_again_s": round(time.monotonic() - started, 2)}


def memory(product: Product) -> dict:
    """Resident memory of each process, MB."""
    parts = {"receiver": "webhook_receiver", "worker": "workers.main", "cron": "workers/schedule.py"}
    return {
        name: [round(p.memory_info().rss / 2**20) for p in product.named(part) if p.status() != psutil.STATUS_ZOMBIE]
        for name, part in parts.items()
    }


def _summary(report: dict, product: Product) -> dict:
    return {
        "messages_per_s": report["tasks_per_s_mid80"], "offered_per_s": report["rate"],
        "e2e_p50_ms": report["e2e_ms"]["p50"], "e2e_p95_ms": report["e2e_ms"]["p95"],
        "cpu_ms_per_message": report["app_cpu_ms_per_msg"], "lost": report["lost"],
        "duplicated": report["duplicated"], "wrong_category": report["wrong_category"],
        "misrouted": report["misrouted"], "not_acked": report["not_acked"], "llm_repeats": report["llm_repeats"],
        "worker_rss_mb": memory(product)["worker"], "n": report["n"],
    }  # fmt: skip


def _floor(product: Product, world: World, *options: str) -> dict:
    """The same load on a server that does the least a program can do for this job, with the product's PostgreSQL."""
    port = free_port()
    command = [
        sys.executable, str(RIG / "floor.py"), "--port", str(port), "--world", world.url,
        "--pg", product.runtime()["database_url"],
    ]  # fmt: skip
    floor = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        floor.stdout.readline()
        targets = {"telegram": f"http://127.0.0.1:{port}/telegram", "slack": f"http://127.0.0.1:{port}/slack"}
        addresses = [part for channel, url in targets.items() for part in ("--target", f"{channel}={url}")]
        done = subprocess.run(
            [sys.executable, str(RIG / "load.py"), "--world", world.url, *addresses, *options,
             "--pid", f"app={floor.pid}", "--compact"],
            stdout=subprocess.PIPE, text=True, timeout=300, check=True,
        )  # fmt: skip
        return json.loads(done.stdout.splitlines()[-1])
    finally:
        floor.terminate()
        floor.wait(10)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: list[float]) -> dict:
    return {"p50": round(median(values), 1), "p95": round(percentile(values, 0.95), 1)}
