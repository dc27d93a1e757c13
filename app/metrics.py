"""Prometheus metrics. Processes of one machine share PROMETHEUS_MULTIPROC_DIR; the receiver's /metrics adds them up."""

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

HOOKS = Counter("octopus_hooks_total", "Webhook requests by outcome", ["channel", "outcome"])
ACK_SECONDS = Histogram(
    "octopus_ack_seconds",
    "From the request's last byte to the answer",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 3),
)
QUEUED = Gauge("octopus_accept_queue", "Requests waiting for their commit", multiprocess_mode="livesum")
SPOOLED = Gauge("octopus_spool_events", "Events in the local spool", multiprocess_mode="livesum")
CLASSIFIED = Counter("octopus_classified_total", "Messages, by who decided; nobody: they wait for a person", ["source"])
LLM_SECONDS = Histogram("octopus_llm_seconds", "One question to an LLM", buckets=(0.2, 0.5, 1, 2, 5, 10, 30))
LLM_TOKENS = Counter("octopus_llm_tokens_total", "Tokens of LLM calls", ["direction"])
LLM_COST = Counter("octopus_llm_cost_usd_total", "What the LLM calls cost, in US dollars")
ATTEMPTS = Counter(
    "octopus_delivery_attempts_total", "Attempts to deliver, by how they ended", ["connector", "outcome"]
)
OPEN = Gauge("octopus_open_work", "Unfinished rows, every few seconds", ["kind"], multiprocess_mode="mostrecent")
JOBS = Gauge("octopus_jobs", "Waiting jobs, every few seconds", ["queue"], multiprocess_mode="mostrecent")


def exposition() -> tuple[bytes, str]:
    """The body and content type of /metrics."""
    registry = None
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return generate_latest(registry or REGISTRY), CONTENT_TYPE_LATEST
