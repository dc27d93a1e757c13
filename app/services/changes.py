"""Bringing a task that exists in line with what a person decided later. Each call may be repeated."""

from app.db.work import Claimed
from app.domain.errors import Rejected, TargetGone
from app.domain.routing import DeliveryKind, WhenWrong
from app.domain.tasks import Capability, Task, TaskRef, TaskStatus
from connectors.base import Connector

WITHDRAWN, CHANGED = "A person decided that the message ", "Decided anew: "  # begin our comments


def make(claimed: Claimed, connector: Connector, task: Task, when_wrong: WhenWrong) -> TaskRef:
    """Carry out an UPDATE or WITHDRAW. Returns an empty reference where no task is there to be changed."""
    ref = _there(claimed, connector)
    if ref is None:
        return TaskRef("")
    if claimed.kind is DeliveryKind.UPDATE:
        _update(claimed, connector, ref, task)
    else:
        _withdraw(claimed, connector, ref, when_wrong)
    return ref


def _there(claimed: Claimed, connector: Connector) -> TaskRef | None:
    """The creation may have ended without anybody knowing how."""
    if claimed.ref_id:
        return TaskRef(claimed.ref_id, claimed.ref_url)
    return connector.find(str(claimed.task_id)) if Capability.FIND in connector.CAN else None


def _update(claimed: Claimed, connector: Connector, ref: TaskRef, task: Task) -> None:
    if claimed.reopens and Capability.TRANSITION in connector.CAN:
        connector.transition(ref, TaskStatus.OPEN)
    if Capability.UPDATE in connector.CAN:
        connector.update(ref, task)
    else:
        _say(claimed, connector, ref, f"{CHANGED}{task.category_name}, priority {task.priority}.")


def _withdraw(claimed: Claimed, connector: Connector, ref: TaskRef, when_wrong: WhenWrong) -> None:
    said = f"is about {claimed.decided}" if claimed.decided else "needs no task"
    can_close = Capability.TRANSITION in connector.CAN
    closes = when_wrong is WhenWrong.CLOSE and can_close and not claimed.is_shared
    try:
        if closes:
            connector.transition(ref, TaskStatus.CANCELLED)
        if Capability.COMMENT in connector.CAN or not closes:
            _say(claimed, connector, ref, f"{WITHDRAWN}{said}.")
    except TargetGone:
        return  # deleted there already


def _say(claimed: Claimed, connector: Connector, ref: TaskRef, text: str) -> None:
    if Capability.COMMENT not in connector.CAN:
        raise Rejected(
            f"{connector.label} lets nobody change or comment a task from outside. A person decided anew about its "
            f"message; nothing was changed there. Open the task and change or close it by hand: {ref.url or ref.id}"
        )
    connector.comment(ref, text, str(claimed.id))
