"""The alarm for topics no category stands for: looked for every hour, told until somebody makes a category or says no.

A topic goes by itself: once a category is there and a few of its messages are sorted, the model knows them.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session

from app import enqueue
from app.db import learning as learning_store
from app.db import topics as store
from app.db.engine import in_system, in_workspace
from app.db.tables import NewTopic
from app.db.tables.base import now
from app.domain.errors import NotFound
from app.services import audit, learning
from app.services.members import Actor, Role, require

LASTS = timedelta(days=14)
MOST_LOOKED_THROUGH, MOST_KNOWN = 1_000, 2_000
KNOWN_FROM = 0.9  # probability from which the model knows what a message is
FEWEST_CONVERSATIONS = 3  # one customer who repeats themselves is no topic
SAME = 0.5  # share of the smaller one's messages that both must have, to be one topic


@dataclass(frozen=True, slots=True)
class Found:
    """messages: (id, text), newest first; those that are gone left out."""

    id: UUID
    words: list[str]
    messages: list[tuple[UUID, str]]


def wake_watchers() -> int:
    """Queue a look at every workspace in which something was unsure; returns how many there are."""
    with in_system() as session:
        due = store.with_unsure(session, LASTS)
    for workspace_id in due:
        enqueue.wake(enqueue.TOPICS, {workspace_id: [workspace_id]})
    return len(due)


def watch(workspace_id: UUID) -> None:
    """Look for new topics; what is one no longer goes, unless somebody dismissed it. Safe to run twice."""
    from app.classify import topics

    with in_workspace(workspace_id) as session:
        if learning_store.current_version(session, workspace_id) is None:
            return
        learning.follow(session, workspace_id, learning_store.settings(session, workspace_id))
        rows = store.unsure(session, workspace_id, LASTS, MOST_LOOKED_THROUGH)
        decided = learning_store.corrections(session, workspace_id, learning_store.FIRST, MOST_KNOWN)
    model = learning.learner(workspace_id).learned.model
    rows = [row for row in rows if model.answer(row.text).probability < KNOWN_FROM]
    known = [(one.text, one.category) for one in decided if one.category]
    found = []
    for topic in topics.find([row.text for row in rows], known, model.vectoriser):
        members = [rows[i] for i in topic.members]
        if len({row.conversation_id for row in members}) >= FEWEST_CONVERSATIONS:
            found.append((list(topic.words), [str(row.id) for row in members]))
    with in_workspace(workspace_id) as session:
        _save(session, workspace_id, found)


def _save(session: Session, workspace_id: UUID, found: list[tuple[list[str], list[str]]]) -> None:
    before = store.topics(session, workspace_id)
    for words, ids in found:
        topic = next((one for one in before if _is_same(one.message_ids, ids)), None)
        if topic is None:
            session.add(NewTopic(workspace_id=workspace_id, words=words, message_ids=ids))
        else:
            before.remove(topic)
            topic.words, topic.message_ids, topic.last_seen_at = words, ids, now()
    for gone in before:
        if not gone.dismissed_by:
            session.delete(gone)


def _is_same(one: list[str], other: list[str]) -> bool:
    return len(set(one) & set(other)) >= SAME * min(len(one), len(other))


# ---- for a person


def alarms(workspace_id: UUID) -> list[Found]:
    """What was found and nobody dismissed, oldest first."""
    with in_workspace(workspace_id) as session:
        rows = [row for row in store.topics(session, workspace_id) if not row.dismissed_by]
        texts = learning_store.texts(session, [UUID(id_) for row in rows for id_ in row.message_ids])
    found = []
    for row in rows:
        there = [UUID(id_) for id_ in row.message_ids if UUID(id_) in texts]
        found.append(Found(row.id, row.words, [(id_, texts[id_]) for id_ in there]))
    return found


def dismiss(actor: Actor, topic_id: UUID) -> None:
    """Say that it is no topic. What resembles it is not told again."""
    _mark(actor, topic_id, actor.email, "dismiss")


def bring_back(actor: Actor, topic_id: UUID) -> None:
    """Take a dismissal back."""
    _mark(actor, topic_id, "", "restore")


def _mark(actor: Actor, topic_id: UUID, by: str, action: str) -> None:
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        topic = session.get(NewTopic, topic_id)
        if topic is None:
            raise NotFound("The topic is gone: the model knows its messages by now, or they are too old.")
        topic.dismissed_by = by
        audit.record(session, actor.email, actor.workspace_id, action, "topic", " ".join(topic.words))
