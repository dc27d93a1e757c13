"""Circuit breakers of destinations and LLM accounts, shared by all processes through PostgreSQL.

Asking costs nothing: states are read once a second per workspace. Only a change is written, so the screen shows it and
the other processes hear of it within that second. A dead credential parks its owner until a person connects it again.
"""

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from app.db.engine import in_workspace
from app.db.tables import DestinationHealth, LlmAccountHealth
from app.db.tables.base import now
from app.domain import breaker
from app.domain.breaker import Circuit
from app.domain.errors import PermanentError, RemoteError, TransientError, Unauthorized
from app.domain.retry import CircuitOpen
from app.logs import log

FRESH_S = 1.0
NOTE_SUCCESS_EVERY_S = 5.0
Health = type[DestinationHealth] | type[LlmAccountHealth]


@dataclass
class _State:
    circuit: Circuit = field(default_factory=Circuit)
    parked_reason: str = ""
    success_noted_at: float = 0.0


_states: dict[UUID, _State] = {}
_read_at: dict[UUID, float] = {}
_lock = threading.Lock()


def check(workspace_id: UUID, owner_id: UUID, label: str) -> None:
    """Raises CircuitOpen while the circuit is open, Unauthorized while the credentials are known to be dead."""
    _refresh(workspace_id)
    state = _states.get(owner_id)
    if state is None:
        return
    if state.parked_reason:
        raise Unauthorized(f"{label} is parked: {state.parked_reason} Nothing was sent.")
    if state.circuit.is_open(time.time()):
        wait_s = state.circuit.open_until - time.time()
        raise CircuitOpen(
            f"{label} failed {state.circuit.failures} times in a row, so nothing is sent for another {wait_s:.0f} s.",
            wait_s,
        )


def succeeded(health: Health, workspace_id: UUID, owner_id: UUID) -> None:
    state = _states.setdefault(owner_id, _State())
    recovered = state.circuit.failures > 0 or bool(state.parked_reason)
    if recovered or time.time() - state.success_noted_at > NOTE_SUCCESS_EVERY_S:
        state.circuit, state.parked_reason, state.success_noted_at = Circuit(), "", time.time()
        _write(health, workspace_id, owner_id, **_columns(Circuit()), parked_reason="", last_success_at=now())


def failed(health: Health, workspace_id: UUID, owner_id: UUID, error: RemoteError) -> None:
    """Refused content says nothing about the service's health; everything else counts."""
    state = _states.setdefault(owner_id, _State())
    if isinstance(error, Unauthorized):
        state.parked_reason = str(error)
    elif isinstance(error, TransientError):
        state.circuit = breaker.after_failure(state.circuit, time.time())
    elif isinstance(error, PermanentError):
        return
    _write(
        health, workspace_id, owner_id, **_columns(state.circuit), parked_reason=state.parked_reason,
        last_failure_at=now(), last_error=str(error),
    )  # fmt: skip


def forget() -> None:
    """Read every state anew at the next question; for tests."""
    _states.clear()
    _read_at.clear()


def _refresh(workspace_id: UUID) -> None:
    if time.monotonic() - _read_at.get(workspace_id, -FRESH_S) < FRESH_S or not _lock.acquire(blocking=False):
        return  # fresh, or another thread is just reading
    try:
        with in_workspace(workspace_id) as session:
            _load(session, DestinationHealth, DestinationHealth.destination_id)
            _load(session, LlmAccountHealth, LlmAccountHealth.llm_account_id)
        _read_at[workspace_id] = time.monotonic()
    finally:
        _lock.release()


def _load(session: Session, health: Health, owner: object) -> None:
    for row in session.exec(select(health)):
        state = _states.setdefault(getattr(row, col(owner).key), _State())
        state.circuit = Circuit(row.failures, _seconds(row.failing_since), _seconds(row.open_until), row.pauses)
        state.parked_reason = row.parked_reason


def _columns(circuit: Circuit) -> dict[str, Any]:
    return {
        "failures": circuit.failures, "failing_since": _moment(circuit.since), "pauses": circuit.pauses,
        "open_until": _moment(circuit.open_until),
    }  # fmt: skip


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _write(health: Health, workspace_id: UUID, owner_id: UUID, **values: object) -> None:
    owner = "destination_id" if health is DestinationHealth else "llm_account_id"
    full = {"failures": 0, "pauses": 0, "last_error": "", "parked_reason": "", **values}
    row = insert(health).values(workspace_id=workspace_id, **{owner: owner_id}, **full)
    try:
        with in_workspace(workspace_id) as session:
            session.execute(row.on_conflict_do_update(index_elements=[owner], set_=values))
    except Exception:  # noqa: BLE001  an observation must never fail the work it observes
        log.exception("circuit_state_not_saved", owner_id=str(owner_id))
