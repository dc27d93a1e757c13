"""What runs by the clock. Started once per installation: `rq cron workers/schedule.py`."""

from functools import partial

import rq.cron

from app import enqueue
from workers import jobs

SWEEP_EVERY_S = 3
LEARN_EVERY_S = 30
TOPICS_EVERY_S = 3600
RENEW_EVERY_S = 3600  # webhooks that end by themselves
RETAIN_EVERY_S = 600  # each run deletes a bounded number of rows
ROLL_UP_EVERY_S = 60
POLL_EVERY_S = 60  # for changes no webhook told of

# rq cron has no option for the serialiser and would queue pickles, which our workers rightly refuse to read.
rq.cron.Queue = partial(rq.Queue, serializer="json")

rq.cron.register(
    jobs.sweep, queue_name=enqueue.SWEEP_QUEUE, interval=SWEEP_EVERY_S, result_ttl=0, failure_ttl=3600, name="sweep"
)
rq.cron.register(
    jobs.wake_learners, queue_name=enqueue.SWEEP_QUEUE, interval=LEARN_EVERY_S, result_ttl=0, failure_ttl=3600,
    name="learn",
)  # fmt: skip
rq.cron.register(
    jobs.wake_pollers, queue_name=enqueue.SWEEP_QUEUE, interval=POLL_EVERY_S, result_ttl=0, failure_ttl=3600,
    name="poll",
)  # fmt: skip
rq.cron.register(
    jobs.wake_topic_watchers, queue_name=enqueue.SWEEP_QUEUE, interval=TOPICS_EVERY_S, result_ttl=0, failure_ttl=86400,
    name="topics",
)  # fmt: skip
rq.cron.register(
    jobs.wake_counters, queue_name=enqueue.SWEEP_QUEUE, interval=ROLL_UP_EVERY_S, result_ttl=0, failure_ttl=3600,
    name="roll up",
)  # fmt: skip
rq.cron.register(
    jobs.renew_hooks, queue_name=enqueue.SWEEP_QUEUE, interval=RENEW_EVERY_S, result_ttl=0, failure_ttl=86400,
    name="renew hooks",
)  # fmt: skip
rq.cron.register(
    jobs.retain, queue_name=enqueue.SWEEP_QUEUE, interval=RETAIN_EVERY_S, result_ttl=0, failure_ttl=86400,
    name="retention",
)  # fmt: skip
