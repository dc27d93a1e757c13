"""A task as it will arrive at a destination."""

import streamlit as st

from app.domain.tasks import Task
from app.ui import text, words
from app.ui.i18n import _, moment


def draw(task: Task, key: str, zone: str) -> None:
    with st.container(key=f"task-{key}", gap="xxsmall"):
        st.text(task.title)
        facts = [words.shown(words.PRIORITIES, task.priority), task.category_name]
        if task.due_at:
            facts.append(_("due {when}").format(when=moment(task.due_at, zone)))
        st.caption(" · ".join(text.escape(fact) for fact in facts))
        text.plain(task.body)
        for name, value in task.fields.items():
            st.caption(text.escape(name))
            text.plain(value or "—")
