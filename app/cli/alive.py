"""`python -m app.cli.alive worker`: exit code 0 while that process of this machine tells Redis that it lives.

For the health checks of containers that open no port.
"""

import socket
import sys

from rq import Worker
from rq.cron import CronScheduler

from app import enqueue


def alive(process: str) -> bool:
    """process: `worker` or `cron`. Raises redis.RedisError when Redis does not answer."""
    host = socket.gethostname()
    if process == "cron":
        return any(scheduler.hostname == host for scheduler in CronScheduler.all(enqueue.redis()))
    workers = Worker.all(connection=enqueue.redis(), serializer="json")
    return any(worker.hostname == host for worker in workers)


if __name__ == "__main__":
    sys.exit(0 if alive(sys.argv[1]) else f"No {sys.argv[1]} of this machine has lately told Redis that it lives.")
