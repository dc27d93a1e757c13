"""Whether the people who review decide alike, and what they mix up."""

from uuid import UUID

import streamlit as st

from app.domain.agreement import Agreement
from app.services import configuration, review_queue
from app.ui import nav, text
from app.ui.i18n import _, later, number, percent

FIELDS = {"category": later("Category"), "priority": later("Priority"), "sentiment": later("Sentiment")}
SHOWN = 3
# Landis and Koch, "The measurement of observer agreement for categorical data", 1977
WORTH = ((0.8, later("almost always alike")), (0.6, later("mostly alike")), (0.4, later("often apart")))


def draw(workspace_id: UUID, seconds: float | None) -> None:
    """seconds: the median look at a message."""
    found = review_queue.agreed(workspace_id)
    st.subheader(_("Do people decide alike?"))
    if seconds is not None:
        st.caption(_("Half of the decisions took at most {s} seconds.").format(s=number(round(seconds, 1))))
    if not found.by_field["category"].n:
        st.caption(_("As soon as two persons review, a few messages are decided by both without their knowing."))
        return
    for place, (field, name) in zip(st.columns(3, gap="small"), FIELDS.items(), strict=True):
        one = found.by_field[field]
        place.metric(
            _(name), percent(one.share) if one.n else "–", worth(one), delta_color="off", delta_arrow="off",
            help=_("Of {n} messages two persons decided, so many were decided alike.").format(n=number(one.n)),
        )  # fmt: skip
    names = {category.key: category.name for category in configuration.current(workspace_id).categories}
    for (first, second), times in found.mixed_up[:SHOWN]:
        pair = [text.escape(names.get(key or "", "") or _("nothing to do")) for key in (first, second)]
        st.markdown(
            ":material/compare_arrows: "
            + _("**{first}** and **{second}** were mixed up {n} times. Say in each description what belongs to the "
                "other.").format(first=pair[0], second=pair[1], n=number(times))
        )  # fmt: skip
    if found.mixed_up:
        st.page_link(nav.page("categories"), label=_("Change the descriptions"))


def worth(one: Agreement) -> str:
    """In words, beyond what chance would give."""
    if one.kappa is None:
        return ""
    return _(next((said for least, said in WORTH if one.kappa >= least), later("hardly better than chance")))
