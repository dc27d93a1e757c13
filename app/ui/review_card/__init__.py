"""The card on which a person decides: a component that shows the next message without asking Python first."""

from pathlib import Path
from typing import Any

import streamlit as st

from app.domain.classification import Category
from app.services import configuration, members, review_queue
from app.services.review_queue import Outcome, Queue
from app.ui import passport, session, states, words
from app.ui.i18n import _, ago, language, number, percent
from app.ui.review_card.labels import LABELS, REASONS
from connectors import registry

HERE = Path(__file__).parent
KEY = "review-card"
ACKS, SWEPT = "review-acks", "review-swept"
KEPT_ACKS = 200
SECOND_LOOK_AT = 3  # after so many others
TAKEN = set("cflkmprux")  # keys with another meaning, here or in Streamlit
TEXT_SHOWN = 4000  # characters of a message; all of it is on its passport
_mount = st.components.v2.component(
    "review_card", html='<div id="stage"></div>', css=(HERE / "review.css").read_text("utf-8"),
    js=(HERE / "review.js").read_text("utf-8"),
)  # fmt: skip


def draw(queue: Queue, swept: list[Any], suggestions: dict[str, int]) -> None:
    """queue: what this person has in hand. swept: what waits with the suggestion chosen for a sweep."""
    categories = configuration.current(session.workspace().id).categories
    _mount(
        key=KEY, data=_data(queue, swept, suggestions, categories), on_ops_change=_apply, on_sweep_change=_choose_sweep
    )


def swept_category() -> str:
    """Empty while messages are decided one by one."""
    return st.session_state.get(SWEPT, "")


def _apply() -> None:
    """The browser sent what was decided since its last batch; it keeps all of it until it reads that it is saved."""
    ops = st.session_state[KEY].ops
    with states.boundary("review-save"):
        acks = [_ack(outcome) for outcome in review_queue.apply(session.actor(), ops)]
        st.session_state[ACKS] = (st.session_state.get(ACKS, []) + acks)[-KEPT_ACKS:]


def _choose_sweep() -> None:
    st.session_state[SWEPT] = st.session_state[KEY].sweep or ""


def _ack(outcome: Outcome) -> dict[str, Any]:
    return {
        "n": outcome.n, "error": _(outcome.error) if outcome.error else "", "category": outcome.category,
        "alike": [{"id": str(id_), "text": text[:TEXT_SHOWN]} for id_, text in outcome.alike],
    }  # fmt: skip


# ---- what the browser gets


def _data(queue: Queue, swept: list[Any], suggestions: dict[str, int], categories: tuple[Category, ...]) -> dict:
    actor, names = session.actor(), {category.key: category.name for category in categories}
    return {
        "storage": f"octopus-review-{actor.workspace_id}-{actor.person_id}",
        "may": review_queue.may_decide(actor), "waiting": queue.waiting, "elsewhere": queue.elsewhere,
        "items": _mixed(queue, names), "acks": st.session_state.get(ACKS, []),
        "categories": with_letters(categories), "inbox": "inbox", "lang": language().replace("_", "-"),
        "labels": {name: _(text) for name, text in LABELS.items()},
        "reasons": [{"key": key, "name": _(name)} for key, name in REASONS.items()],
        "priorities": _choices(words.PRIORITIES), "sentiments": _choices(words.SENTIMENTS),
        "people": [
            {"id": str(one.id), "name": one.name or one.email}
            for one in members.colleagues(actor.workspace_id) if one.id != actor.person_id
        ],
        "suggestions": [
            {"key": key, "name": names[key], "count": number(n)} for key, n in suggestions.items() if key in names
        ],
        "sweep": {"category": swept_category(), "items": [_line(row) for row in swept]} if swept_category() else None,
    }  # fmt: skip


def _mixed(queue: Queue, names: dict[str, str]) -> list[dict[str, Any]]:
    """Second looks stand between the others, so that nobody knows which they are."""
    items = [_item(row, names, False) for row in queue.rows]
    for position, row in enumerate(queue.again):
        items.insert(SECOND_LOOK_AT + position * SECOND_LOOK_AT, _item(row, names, True))
    return items


def _item(row: Any, names: dict[str, str], again: bool) -> dict[str, Any]:
    """again: a colleague decided it already. As with a random check, what others think is not shown."""
    blind = again or row.is_check
    likeliest = [key for key, _share in review_queue.likeliest(row) if key in names]
    steps = row.steps or []
    return {
        "id": str(row.id), "text": row.text[:TEXT_SHOWN], "contact": row.contact, "ago": ago(row.received_at),
        "channel": registry.channel(row.channel).Channel.label, "reason": _(row.reason), "is_check": blind,
        "again": again, "suggestion": row.suggestion if row.suggestion in names and not blind else None,
        "sure": percent(row.confidence) if row.confidence and not blind else "",
        "likeliest": [] if blind else likeliest, "sentiment": None if again else row.sentiment,
        "priority": row.priority if row.priority != "normal" and not again else None, "asked_by": row.asked_by,
        "note": row.note,
        "because": [line for step in steps for line in passport.learnt(step.get("detail") or {})],
        "earlier": [text[:300] for text in row.earlier], "attachments": row.attachments,
    }  # fmt: skip


def _line(row: Any) -> dict[str, Any]:
    sure = percent(row.confidence) if row.confidence else ""
    return {"id": str(row.id), "text": row.text[:300], "contact": row.contact, "sure": sure}


def _choices(of: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "name": words.shown(of, key)} for key in of]


def with_letters(categories: tuple[Category, ...]) -> list[dict[str, str]]:
    """The first ten get a letter each, of their name where one is free, so that hands learn them."""
    free = [letter for letter in "abcdefghijklmnopqrstuvwxyz" if letter not in TAKEN]
    listed = []
    for position, category in enumerate(categories):
        fitting = [letter for letter in (category.name + category.key).lower() if letter in free]
        letter = next(iter(fitting or free), "") if position < 10 else ""
        if letter:
            free.remove(letter)
        listed.append(
            {"key": category.key, "name": category.name, "description": category.description, "letter": letter}
        )
    return listed
