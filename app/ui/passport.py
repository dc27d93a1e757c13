"""The parts of a message's passport: its conversation, why it was classified so, what happened, where it went."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from app.services.inbox import Passport
from app.ui import text, words
from app.ui.i18n import _, ago, duration, later, moment, money, ngettext, number, percent

MOST_SHOWN = 64_000  # characters of a request's body
Row = Mapping[str, Any]

EVENTS = {
    "received": later("Received"),
    "edited": later("Edited by the customer"),
    "deleted": later("Deleted by the customer"),
    "postponed": later("Put off"),
    "classified": later("Classified"),
    "needs_review": later("Waits for a person"),
    "routed": later("Routed"),
    "ignored": later("Nothing to do"),
    "failed": later("Failed"),
    "delivery_delivered": later("Delivered"),
    "delivery_retrying": later("Not delivered yet"),
    "delivery_unknown": later("Nobody saw how the delivery ended"),
    "delivery_failed": later("Delivery failed"),
    "delivery_cancelled": later("Delivery handed on"),
    "replayed": later("Delivery sent again by hand"),
    "cancelled": later("Delivery cancelled by hand"),
    "reply_delivered": later("The customer was told"),
    "reply_retrying": later("The customer could not be told yet"),
    "reply_unknown": later("Nobody saw whether the customer was told"),
    "reply_failed": later("The customer was not told"),
    "taken_back": later("Decision taken back"),
    "erased": later("Everything about the contact erased"),
    "remote_status": later("Changed at the destination"),
    "remote_comment": later("Comment at the destination"),
}
ACTIONS = {
    "create": later("Create the task"),
    "find": later("Look for the task"),
    "adopted": later("Found the task"),
    "comment": later("Add a comment"),
    "update": later("Bring the task up to date"),
    "withdraw": later("Withdraw the task"),
    "wait": later("Not sent"),
}


def heading(message: Row, zone: str) -> None:
    with st.container(key="passport-heading", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"## {text.escape(message['contact_name'])}", width="content")
        words.badge(words.MESSAGE_STATES, message["status"])
        if message["category_name"]:
            st.badge(text.escape(message["category_name"]), color="primary")
        if message["priority"] in ("urgent", "high"):
            words.badge(words.PRIORITIES, message["priority"])
        parts = [message["bot_name"] or message["bot"], moment(message["received_at"], zone), *message["contact_tags"]]
        st.caption(" · ".join(text.escape(part) for part in parts), width="content")
    if message["status_reason"]:
        text.plain(_(message["status_reason"]))


# ---- the conversation


def thread(found: Passport, zone: str, earlier: int | None = None) -> None:
    """What the customer wrote, this message marked. Their words are only ever plain text.

    earlier: so many messages before this one and none after it; None: all that are at hand.
    """
    position = next(i for i, row in enumerate(found.thread) if row["id"] == found.message["id"])
    rows = found.thread if earlier is None else found.thread[max(0, position - earlier) : position + 1]
    for row in rows:
        here = row["id"] == found.message["id"]
        with st.container(key=f"bubble-{'here' if here else 'other'}-{row['id']}", gap="xsmall"):
            if row["text"]:
                text.plain(row["text"])
            else:
                st.caption(_("No text, only: {kind}").format(kind=text.escape(row["kind"])))
            st.caption(f"{moment(row['received_at'], zone)} · {words.shown(words.MESSAGE_STATES, row['status'])}")
    for row in found.attachments:
        size = f" · {number(round(row['size_bytes'] / 1024))} KB" if row["size_bytes"] else ""
        st.caption(f":material/attach_file: {text.escape(row['name'] or row['kind'])}{size}")


# ---- why


def classifications(rows: Sequence[Row], zone: str) -> None:
    """Newest first, each with the steps that led to it."""
    if not rows:
        st.caption(_("Nobody has looked at this message yet."))
    for row in reversed(rows):
        with st.container(key=f"verdict-{row['id']}", border=True, gap="small"):
            _verdict(row, zone)
            steps(row["steps"], str(row["id"]))


def _verdict(row: Row, zone: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        name = text.escape(row["category_name"] or _("No category"))
        st.markdown(f"**{name}**", width="content")
        words.badge(words.PRIORITIES, row["priority"])
        if row["sentiment"]:
            words.badge(words.SENTIMENTS, row["sentiment"])
    who = words.shown(words.SOURCES, row["source"]) or _("Nobody was sure")
    sure = percent(row["confidence"]) if row["confidence"] is not None and row["source"] != "person" else ""
    by = row["actor"] if row["actor"] != "worker" else ""
    parts = [who, sure, by, words.language(row["language"]), moment(row["at"], zone, seconds=True)]
    cost = money(row["cost_usd"]) if row["cost_usd"] else ""
    st.caption(" · ".join(text.escape(part) for part in (*parts, cost) if part))
    if row["review_reason"]:
        text.plain(_(row["review_reason"]))


def steps(rows: Sequence[Row], key: str) -> None:
    """Each tier that was asked, in order: its answer, how sure it was, why, how long it took, what it cost."""
    for position, row in enumerate(rows):
        with st.container(key=f"step-{position}-{key}", gap=None):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{words.shown(words.SOURCES, row['source'])}**", width="content")
                st.markdown(text.escape(row["answer"] or _("no answer")), width="content")
                st.caption(" · ".join(_measured(row)), width="content")
            if row["reason"]:
                text.plain(_(row["reason"]))
            for line in learnt(row.get("detail") or {}):
                text.plain(line)
            if row.get("detail"):
                with st.expander(_("Details"), key=f"detail-{position}-{key}"):
                    st.code(pretty(row["detail"]), language="json", wrap_lines=True)


def learnt(detail: dict[str, Any]) -> list[str]:
    """What weighed, in words, where the answer came from what was learnt."""
    lines = []
    if detail.get("words"):
        found = ", ".join(f"“{word}”" for word, _share in detail["words"])
        lines.append(_("Words that weighed most: {words}").format(words=found))
    if detail.get("likeliest"):
        found = ", ".join(f"{key} {percent(share)}" for key, share in detail["likeliest"][:3])
        lines.append(_("Likeliest: {categories}").format(categories=found))
    return lines


def _measured(row: Row) -> list[str]:
    sure = [percent(row["confidence"])] if row["confidence"] is not None else []
    cost = [money(row["cost_usd"])] if row["cost_usd"] else []
    return [*sure, f"{number(round(row['took_ms'], 1))} ms", *cost]


# ---- what happened


def timeline(rows: Sequence[Row], zone: str) -> None:
    for row in rows:
        with st.container(key=f"moment-{row['event']}-{row['id']}", horizontal=True, gap="small"):
            st.caption(moment(row["at"], zone, seconds=True), width=150)
            with st.container(gap=None, width="stretch"):
                who = _("Octopus") if row["actor"] == "worker" else text.escape(row["actor"])
                st.markdown(f"**{text.escape(words.shown(EVENTS, row['event']))}** · {who}")
                if said := _told(row["data"]):
                    text.plain(said)


def _told(data: Row) -> str:
    """The data of a timeline entry, a line for each thing it says."""
    source = words.shown(words.SOURCES, data.get("source"))
    sure = percent(data["confidence"]) if data.get("confidence") is not None else ""
    lines = [" · ".join(part for part in (data.get("category"), source, sure) if part)]
    lines.append(" · ".join(part for part in (data.get("destination"), data.get("ref")) if part))
    remote = words.shown(words.REMOTE_STATES, data.get("to"))
    lines.append(" · ".join(part for part in (remote, data.get("assignee")) if part))
    lines.append(data.get("text") or "")
    if routes := data.get("routes"):
        lines.append(_("Route: {names}").format(names=", ".join(routes)))
    if data.get("joined"):
        lines.append(_("Added to the open task of an earlier message"))
    lines += [_(data.get("reason") or ""), data.get("error") or ""]
    if before := data.get("before"):
        lines.append(_("Before: {words}").format(words=before))
    if wait_s := data.get("next_try_in_s"):
        lines.append(_("Next try after {time}").format(time=duration(wait_s)))
    if other := data.get("failed_over_to"):
        lines.append(_("Handed on to {name}").format(name=other))
    return "\n".join(line for line in lines if line)


# ---- where it went


def deliveries(found: Passport, zone: str) -> None:
    if not found.deliveries:
        st.caption(_("Nothing was to be delivered for this message."))
    for row in found.deliveries:
        with st.container(key=f"delivery-{row['id']}", border=True, gap="small"):
            _delivery(row)
            for attempt in reversed(found.attempts.get(row["id"], [])):
                _attempt(attempt, zone)


def _delivery(row: Row) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{text.escape(row['destination_name'] or row['destination'] or '–')}**", width="content")
        words.badge(words.DELIVERY_STATES, row["status"])
        if row["kind"] in words.CHANGES:
            st.badge(_(words.CHANGES[row["kind"]]), color="gray")
        elif row["ref_checked_at"] and row["ref_status"] in words.REMOTE_STATES:
            st.badge(_(words.REMOTE_STATES[row["ref_status"]]), color="gray")
            st.caption(text.escape(row["ref_assignee"]))
        if row["ref_url"].startswith(("https://", "http://")):
            st.link_button(
                text.escape(row["ref_id"]), row["ref_url"], icon=":material/open_in_new:", key=f"remote-{row['id']}",
                type="tertiary",
            )  # fmt: skip
    route = _("Route: {names}").format(names=text.escape(row["route_key"]))
    tries = ngettext("{n} try", "{n} tries", row["tries"]).format(n=number(row["tries"]))
    waits = row["status"] in ("pending", "retrying", "unknown")
    following = [_("next try {when}").format(when=ago(row["next_try_at"]))] if waits else []
    st.caption(" · ".join([route, tries, *following]))
    if row["error"]:
        text.plain(row["error"])


def _attempt(row: Row, zone: str) -> None:
    took = _took(row["started_at"], row["finished_at"])
    outcome = words.shown(words.DELIVERY_STATES, row["outcome"]) or _("Nobody saw how it ended")
    parts = [f"{row['number']}", words.shown(ACTIONS, row["action"]), outcome, took]
    parts.append(moment(row["started_at"], zone, seconds=True))
    with st.expander(" · ".join(text.escape(part) for part in parts if part), key=f"attempt-{row['id']}"):
        if row["error"]:
            text.plain(row["error"])
        if not row["exchanges"]:
            st.caption(_("No request was sent."))
        for exchange in row["exchanges"]:
            _exchange(exchange)


def _exchange(exchange: Row) -> None:
    status = exchange["status"] or _("no answer")
    st.code(f"{exchange['method']} {exchange['url']} → {status}, {exchange['took_ms']} ms", language=None,
            wrap_lines=True)  # fmt: skip
    for title, content in ((_("Request"), exchange["request"]), (_("Answer"), exchange["answer"])):
        if content:
            st.caption(title)
            st.code(pretty(content), language="json", wrap_lines=True)
    if exchange["error"]:
        text.plain(exchange["error"])


def _took(started_at: datetime, finished_at: datetime | None) -> str:
    return f"{number(round((finished_at - started_at).total_seconds() * 1000))} ms" if finished_at else ""


# ---- as it came in


def raw_event(row: Row | None, zone: str) -> None:
    if row is None:
        st.caption(_("The request itself is no longer kept."))
        return
    st.caption(f"{moment(row['received_at'], zone, seconds=True)} · {text.escape(row['event_key'])}")
    if row["headers"]:
        st.markdown(_("Headers"))
        st.code(pretty(row["headers"]), language="json", wrap_lines=True)
    st.markdown(_("Body"))
    st.code(readable(bytes(row["body"])), language="json", wrap_lines=True)


def readable(body: bytes) -> str:
    """JSON with line breaks, other text as it is, anything else in hexadecimal; at most 64,000 characters."""
    try:
        shown = pretty(body.decode())
    except UnicodeDecodeError:
        shown = body[: MOST_SHOWN // 3].hex(" ")
    return shown if len(shown) <= MOST_SHOWN else shown[:MOST_SHOWN] + "…"


def pretty(content: Any) -> str:
    """content: JSON as text or as data; text that is not JSON stays as it is."""
    try:
        data = json.loads(content) if isinstance(content, str) else content
    except ValueError:
        return content
    return json.dumps(data, ensure_ascii=False, indent=2, default=str)
