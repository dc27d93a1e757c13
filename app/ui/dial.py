"""The dial of a workspace: how right answers given alone must be, and how much is looked at."""

import streamlit as st

from app.services import learning
from app.services.learning import LocalSettings
from app.ui import session, setup
from app.ui.i18n import _


def draw(settings: LocalSettings) -> None:
    st.subheader(_("How much may run alone"))
    locked = not setup.editable()
    target = st.slider(
        _("Answers given alone should be right"), 80.0, 99.5, settings.target_accuracy * 100, 0.5, format="%.1f %%",
        key="learning-target", disabled=locked,
        help=_("Higher: fewer messages run alone and more wait for a person or a language model."),
    )  # fmt: skip
    checked = st.slider(
        _("Looked at by chance"), 0.0, 20.0, settings.audit_share * 100, 0.5, format="%.1f %%", key="learning-audit",
        disabled=locked,
        help=_("So many answers given alone wait for a person's look. Only they tell how good the model is."),
    )  # fmt: skip
    twice = st.slider(
        _("Decided by two persons"), 0.0, 20.0, settings.double_share * 100, 0.5, format="%.1f %%",
        key="learning-twice", disabled=locked,
        help=_("So many decisions are made again by a colleague who does not know the first one. It changes nothing "
               "but shows which categories people cannot tell apart."),
    )  # fmt: skip
    kept = st.slider(
        _("Kept for examination"), 0.0, 50.0, settings.golden_share * 100, 1.0, format="%.0f %%", key="learning-golden",
        disabled=locked,
        help=_("The golden set: what people say about so many of the messages never trains a model. Each new version "
               "is examined on it."),
    )  # fmt: skip
    from_llm = st.toggle(
        _("Learn from the language model's answers"), settings.learn_from_llm, key="learning-from-llm", disabled=locked,
        help=_("At a third of the weight of a person's. Check that your provider's terms allow it."),
    )  # fmt: skip
    enabled = st.toggle(_("Use the local model"), settings.enabled, key="learning-enabled", disabled=locked)
    wanted = LocalSettings(
        enabled=enabled, target_accuracy=round(target / 100, 4), audit_share=round(checked / 100, 4),
        learn_from_llm=from_llm, double_share=round(twice / 100, 4),
        golden_share=round(kept / 100, 4),
    )  # fmt: skip
    if st.button(_("Save"), key="learning-save", type="primary", disabled=locked or wanted == settings):
        learning.save_settings(session.actor(), wanted)
        setup.done("learning", _("Saved. The next messages follow it; the thresholds with the next fitting."))
