"""roll up: hourly counts for dashboards. An hour is counted once it is over, and again when something in it changed.

A change and the mark that its hour is stale are one transaction, and so are taking the mark and counting anew:
a worker killed at any instant leaves the hour marked. Counting twice gives the same.
"""

import time
from uuid import UUID

from app import enqueue
from app.db import rollups as store
from app.db.engine import in_system, in_workspace
from app.domain.business_hours import bucket_minutes

HOURS_AT_ONCE = 24  # a transaction
LONGEST_S = 60  # a job; the next one goes on


def wake_counters() -> int:
    """Queue the counting of every workspace with stale hours; returns how many there are."""
    with in_system() as session:
        due = store.with_stale_hours(session)
    for workspace_id in due:
        enqueue.wake(enqueue.ROLL_UP, {workspace_id: [workspace_id]})
    return len(due)


def roll_up(workspace_id: UUID) -> int:
    """Count the stale hours of a workspace, the newest first; returns how many were counted. Safe to run twice."""
    counted, until = 0, time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        with in_workspace(workspace_id) as session:
            zone = store.zone_for_counting(session, workspace_id)
            hours = store.take_stale(session, workspace_id, HOURS_AT_ONCE) if zone else []
            if not hours:
                break
            store.count_again(session, workspace_id, hours, bucket_minutes(zone))
        counted += len(hours)
    return counted
