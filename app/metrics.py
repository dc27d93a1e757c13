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


def exposition() -> tuple[bytes, str]:
    """The body and content type of /metrics."""
    registry = None
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return generate_latest(registry or REGISTRY), CONTENT_TYPE_LATEST
