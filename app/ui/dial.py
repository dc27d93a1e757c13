"""The dials of a workspace: how right answers given alone must be, how much is looked at, and the team's own rules."""

from typing import Any

import streamlit as st
from pydantic import BaseModel

from app.classify.prompt import LONGEST_INSTRUCTIONS
from app.services import learning
from app.services.learning import LlmSettings, LocalSettings
from app.ui import session, setup
from app.ui.i18n import _


def draw(settings: LocalSettings) -> None:
    st.subheader(_("How much may run alone"))
    locked = not setup.editable()
    _follow("learning-local", settings, {
        "learning-target": settings.target_accuracy * 100, "learning-audit": settings.audit_share * 100,
        "learning-twice": settings.double_share * 100, "learning-from-llm": settings.learn_from_llm,
        "learning-enabled": settings.enabled, "learning-golden": settings.golden_share * 100,
    })  # fmt: skip
    target = st.slider(
        _("Answers given alone should be right"), min(80.0, settings.target_accuracy * 100),
        max(99.5, settings.target_accuracy * 100), step=0.5, format="%.1f %%", key="learning-target",
        disabled=locked, help=_("Higher: fewer messages run alone and more wait for a person or a language model."),
    )  # fmt: skip
    checked = st.slider(
        _("Looked at by chance"), 0.0, max(20.0, settings.audit_share * 100), step=0.5,
        format="%.1f %%", key="learning-audit", disabled=locked,
        help=_("So many answers given alone wait for a person's look. Only they tell how good the model is."),
    )  # fmt: skip
    twice = st.slider(
        _("Decided by two persons"), 0.0, max(20.0, settings.double_share * 100), step=0.5,
        format="%.1f %%", key="learning-twice", disabled=locked,
        help=_("So many decisions are made again by a colleague who does not know the first one. It changes nothing "
               "but shows which categories people cannot tell apart."),
    )  # fmt: skip
    kept = st.slider(
        _("Kept for examination"), 0.0, 50.0, step=1.0, format="%.0f %%", key="learning-golden", disabled=locked,
        help=_("The golden set: what people say about so many of the messages never trains a model. Each new version "
               "is examined on it."),
    )  # fmt: skip
    from_llm = st.toggle(
        _("Learn from the language model's answers"), key="learning-from-llm", disabled=locked,
        help=_("At a third of the weight of a person's. Check that your provider's terms allow it."),
    )  # fmt: skip
    enabled = st.toggle(_("Use the local model"), key="learning-enabled", disabled=locked)
    wanted = LocalSettings(
        enabled=enabled, target_accuracy=round(target / 100, 4), audit_share=round(checked / 100, 4),
        learn_from_llm=from_llm, double_share=round(twice / 100, 4),
        golden_share=round(kept / 100, 4),
    )  # fmt: skip
    if st.button(_("Save"), key="learning-save", type="primary", disabled=locked or wanted == settings):
        learning.save_settings(session.actor(), wanted)
        setup.done("learning", _("Saved in the draft. It works once that is published; the thresholds with the next "
                                 "fitting."))  # fmt: skip


def draw_llm(settings: LlmSettings) -> None:
    """What the language models are held to."""
    st.subheader(_("The language model"))
    locked = not setup.editable()
    _follow("learning-llm", settings, {
        "learning-bar": settings.bar * 100, "learning-instructions": settings.instructions
    })  # fmt: skip
    bar = st.slider(
        _("Its answer stands alone from"), 0.0, 100.0, step=1.0, format="%.0f %%", key="learning-bar", disabled=locked,
        help=_("How sure it must say it is. Below that a person decides."),
    )  # fmt: skip
    instructions = st.text_area(
        _("{field} (optional)").format(field=_("House rules")), key="learning-instructions", height=140,
        max_chars=LONGEST_INSTRUCTIONS, disabled=locked,
        placeholder=_("A question about a refund is billing, even when something is broken as well."),
        help=_("What a new colleague would have to be told. The language model reads it with every message."),
    )  # fmt: skip
    wanted = LlmSettings(bar=round(bar / 100, 4), instructions=instructions.strip())
    if st.button(_("Save"), key="learning-llm-save", type="primary", disabled=locked or wanted == settings):
        learning.save_llm_settings(session.actor(), wanted)
        setup.done("learning", _("Saved in the draft. It works once that is published."))


def _follow(place: str, saved: BaseModel, values: dict[str, Any]) -> None:
    """Let the widgets show what is saved whenever that is another than before: after a draft was discarded, say."""
    other = st.session_state.get(f"{place}-saved") != saved
    for key, value in values.items():
        if other or key not in st.session_state:
            st.session_state[key] = value
    st.session_state[f"{place}-saved"] = saved
