"""The alarm for topics no category stands for: what its messages say, and a category of it in one click."""

import re

import streamlit as st

from app.services import taxonomy, topics
from app.services.topics import Found
from app.ui import nav, session, setup, text, undo
from app.ui.i18n import _, ngettext, number

PAGE = "learning"
SHOWN, QUOTED = 3, 10


def draw() -> None:
    for found in topics.alarms(session.workspace().id):
        with st.container(border=True, key=f"topic-{found.id}"):
            _one(found)


def _one(found: Found) -> None:
    said = ngettext(
        "{n} recent message speaks of something no category stands for", 
        "{n} recent messages speak of something no category stands for", len(found.messages),
    )  # fmt: skip
    st.markdown(f":material/notification_important: **{said.format(n=number(len(found.messages)))}**")
    st.caption(" · ".join(text.escape(word) for word in found.words))
    for id_, words in found.messages[:SHOWN]:
        label = "“" + text.escape(text.shorten(words, 90)) + "”"
        st.page_link(nav.page("inbox"), label=label, query_params={"message": str(id_)})
    if not setup.editable():
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        proposed = " ".join(found.words).capitalize()
        name = st.text_input(_("Name of the category"), proposed, key=f"topic-name-{found.id}").strip()
        if st.button(_("Make a category of it"), key=f"topic-add-{found.id}", type="primary", disabled=not name):
            _add(found, name)
        if st.button(_("Not a topic"), key=f"topic-no-{found.id}", type="tertiary"):
            _dismiss(found)


def _add(found: Found, name: str) -> None:
    """Described by what its messages say, so that a language model understands it before it has a better text."""
    quoted = "; ".join(text.shorten(words, 80) for _id, words in found.messages[:QUOTED])
    key = f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')[:30] or 'topic'}-{found.id.hex[-4:]}"
    made = setup.attempt(lambda: taxonomy.save_category(session.actor(), key, name, quoted))
    if made is not None:
        said = _("The category {name} waits in the draft. Once it is published, sort a few of its messages in Review: "
                 "the model knows them then, and this notice goes.")  # fmt: skip
        setup.done(PAGE, said.format(name=name))


def _dismiss(found: Found) -> None:
    me = session.actor()
    setup.attempt(lambda: topics.dismiss(me, found.id))
    undo.offer(_("Nothing is told of it any more."), lambda: topics.bring_back(me, found.id), PAGE)
    st.rerun()
