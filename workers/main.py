"""One worker process: takes jobs from all shards in turn and works on their rows with its own threads."""

import os
import signal
import sys
from secrets import token_hex

from rq import SimpleWorker

from app import enqueue, logs
from app.logs import log
from app.services import outbound
from app.services.pool import pool

DRAIN_S = 20
# RQ's own maintenance walks every registry of every queue; the sweeper makes it unnecessary for us.
LIVENESS = {"worker_ttl": 60, "maintenance_interval": 3600}


def main() -> None:
    logs.start("worker")
    outbound.warm_up()
    worker = SimpleWorker(
        enqueue.queue_names(),
        connection=enqueue.redis(),
        serializer="json",
        # The name of one that was killed stays taken for a while; in a container host and pid come again.
        name=f"worker-{os.uname().nodename}-{os.getpid()}-{token_hex(3)}",
        **LIVENESS,
    )
    worker.work(logging_level="WARNING", dequeue_strategy="round_robin")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the supervisor may ask twice; draining is already under way
    if not pool().drain(DRAIN_S):
        log.warning("left_under_lease", next_step="another worker takes these over when the leases run out")
    sys.stdout.flush()
    os._exit(0)  # threads that hang in a vendor's call must not hold up the stop; their rows are leased


if __name__ == "__main__":
    main()
