"""Review: what nobody was sure about, one message after another, oldest first. One key decides."""

from uuid import UUID

import streamlit as st

from app.domain.classification import Priority, Sentiment
from app.domain.lifecycle import MessageStatus
from app.services import configuration, deliveries, inbox, review
from app.services.members import Role
from app.services.review import Waiting
from app.ui import nav, passport, session, states, text, words
from app.ui.i18n import _, ago, ngettext, number, percent
from connectors import registry

LATER = "review-later"
KEYS = "123456789"
EARLIER = 3  # messages of the conversation shown above the one to decide on
workspace = session.workspace()


@st.fragment(run_every="5s")
def watch() -> None:
    """An empty queue fills itself."""
    if review.count(workspace.id):
        st.rerun()


def all_done() -> None:
    with states.empty(
        _("All decided"),
        _("Nothing waits for a person. The next message nobody is sure about shows up here by itself."),
        icon="task_alt",
    ):
        st.page_link(nav.page("inbox"), label=_("Look at all messages"))
    watch()


def item(first: Waiting, waiting: int) -> None:
    label = ngettext("{n} message waits", "{n} messages wait", waiting).format(n=number(waiting))
    st.caption(_("{count}, the oldest came {when}").format(count=label, when=ago(first.received_at)))
    left, right = st.container(key="sides").columns([1.25, 1], gap="large")
    with left:
        _message(first)
    with right:
        if session.may(Role.AGENT):
            _decision(first)
        else:
            st.info(_("You may look here. Deciding needs the role agent; ask an owner of the workspace."))


def _message(first: Waiting) -> None:
    found = inbox.passport(workspace.id, first.id)
    if found is None:
        return
    with st.container(key="review-message", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{text.escape(first.contact_name)}**", width="content")
            channel = registry.channel(first.channel).Channel.label
            st.caption(f"{text.escape(channel)} · {ago(first.received_at)}", width="content")
        passport.thread(found, workspace.timezone, earlier=EARLIER)
    with st.container(key="review-why", gap="xsmall"):
        st.caption(_("Why a person is asked"))
        text.plain(_(first.reason))
        passport.steps(found.classifications[-1]["steps"] if found.classifications else [], str(first.id))
        label = _("Everything about this message")
        st.page_link(nav.page("inbox"), label=label, query_params={"message": str(first.id)})


def _decision(first: Waiting) -> None:
    categories = configuration.current(workspace.id).categories_by_key
    suggested = categories.get(first.suggestion or "")
    with st.container(key="decision", border=True, gap="small"):
        if suggested:
            sure = f" · {percent(first.confidence)}" if first.confidence else ""
            label = _("Confirm: {category}").format(category=text.escape(suggested.name)) + sure
            _button(first.id, suggested.key, label, "Enter", type="primary", icon=":material/check:")
        st.caption(_("Or choose another category") if suggested else _("Choose the category"))
        others = [category for category in categories.values() if category is not suggested]
        with st.container(key="categories", gap="xsmall"):
            for position, category in enumerate(others):
                shortcut = KEYS[position] if position < len(KEYS) else None
                _button(first.id, category.key, text.escape(category.name), shortcut, help=category.description or None)
        _details(first)
        with st.container(horizontal=True, gap="small"):
            _button(first.id, None, _("Nothing to do"), "0", type="tertiary", icon=":material/do_not_disturb_on:")
            st.button(_("Later"), key="later", shortcut="L", type="tertiary", icon=":material/schedule:",
                      on_click=_put_off, args=(first.id,))  # fmt: skip


def _button(message_id: UUID, category: str | None, label: str, shortcut: str | None, **options) -> None:
    st.button(
        label, key=f"decide-{category or 'nothing'}", shortcut=shortcut, width="stretch" if category else "content",
        on_click=_decide, args=(message_id, category), **options,
    )  # fmt: skip


def _details(first: Waiting) -> None:
    """Left alone, the category's own priority stands; what the machine found is chosen beforehand."""
    found = first.priority if first.priority != Priority.NORMAL else None
    st.segmented_control(
        _("Priority"), list(words.PRIORITIES), default=found, key=f"priority-{first.id}",
        format_func=lambda key: words.shown(words.PRIORITIES, key), help=_("Left empty: the category's own"),
    )  # fmt: skip
    st.segmented_control(
        _("Sentiment"), list(words.SENTIMENTS), default=first.sentiment, key=f"sentiment-{first.id}",
        format_func=lambda key: words.shown(words.SENTIMENTS, key),
    )  # fmt: skip


def _decide(message_id: UUID, category: str | None) -> None:
    chosen = {kind: st.session_state.get(f"{kind}-{message_id}") for kind in ("priority", "sentiment")}
    with states.boundary("decide"):
        status = review.decide(
            session.actor(), message_id, category,
            Priority(chosen["priority"]) if chosen["priority"] else None,
            Sentiment(chosen["sentiment"]) if chosen["sentiment"] else None,
        )  # fmt: skip
        st.toast(_outcome(message_id, status), icon=":material/check:")


def _outcome(message_id: UUID, status: MessageStatus) -> str:
    """Where the message went, in a sentence."""
    names = [text.escape(name) for name in deliveries.whereabouts(workspace.id, message_id)]
    if status is MessageStatus.ROUTED:
        return _("Sent to {names}").format(names=", ".join(names)) if names else _("Added to an open task")
    if status is MessageStatus.FAILED:
        return _("Decided, but its route has no destination that is switched on. It waits in the inbox as failed.")
    return _("Decided. Nothing is to be done about it.")


def _put_off(message_id: UUID) -> None:
    st.session_state.setdefault(LATER, set()).add(message_id)


st.title(_("Review"))
items = review.waiting(workspace.id, limit=20)
later = st.session_state.setdefault(LATER, set())
if not items:
    all_done()
else:
    chosen_item = next((each for each in items if each.id not in later), None)
    if chosen_item is None:
        later.clear()  # all were put off: begin again with the oldest
    item(chosen_item or items[0], review.count(workspace.id))
