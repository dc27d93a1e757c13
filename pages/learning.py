"""Learning: what the corrections taught, whether it holds, and how much may run alone."""

import plotly.graph_objects as go
import streamlit as st

from app.classify.calibration import CLOSED, FEWEST_REVIEWED, Thresholds
from app.db.tables import ModelVersion
from app.services import learning
from app.services.learning import Figures, LocalSettings
from app.ui import agreement, charts, dial, draft_bar, nav, quality, session, setup, theme, topics, words
from app.ui.i18n import _, ago, day_label, moment, money, number, percent

workspace = session.workspace()


def tiles(figures: Figures) -> None:
    without = figures.decided_by("memory", "local")
    accuracy = figures.accuracy
    with st.container(key="learning-tiles"):
        first, second, third, fourth = st.columns(4, gap="small")
        share = percent(without / figures.total) if figures.total else "–"
        first.metric(
            _("Decided by what was learnt"), share,
            help=_("Of all messages of the last 30 days: answered from earlier corrections or by the local model, "
                   "without a language model and without a person."),
        )  # fmt: skip
        second.metric(
            _("Right in random checks"), percent(accuracy.share, 1) if accuracy.n else "–",
            help=_("Answers the local model gave are picked by chance and shown to a person. {n} of them so far; with "
                   "90 % certainty the true share lies between {low} and {high}.").format(
                       n=number(accuracy.n), low=percent(accuracy.low, 1), high=percent(accuracy.high, 1)),
        )  # fmt: skip
        cost = money(figures.spent_usd / figures.total * 1000) if figures.total else "–"
        third.metric(
            _("Cost per 1,000 messages"), cost,
            help=_("What the language models cost in the last 30 days, over all messages. They were asked about "
                   "{n} messages.").format(n=number(figures.asked)),
        )  # fmt: skip
        fourth.metric(
            _("Decisions learnt from"), number(figures.corrections),
            help=_("Every message a person decided. Each counts at once, in every worker."),
        )  # fmt: skip


def chart(figures: Figures) -> None:
    drawn = go.Figure()
    days = [day_label(day) for day in figures.days]
    colours = theme.colour("chartCategoricalColors", theme.is_dark())
    for (source, name), colour in zip(words.SOURCES.items(), colours, strict=False):
        counts = [day.get(source, 0) for day in figures.days.values()]
        if any(counts):
            drawn.add_bar(x=days, y=counts, name=_(name), marker_color=colour)
    drawn.update_layout(barmode="stack", xaxis={"type": "category"})
    st.subheader(_("Who decided"))
    charts.show(drawn, "learning-days")


def standing(found: tuple[ModelVersion, Thresholds] | None, settings: LocalSettings) -> None:
    """In one sentence: does the model answer alone, and if not, why."""
    if not settings.enabled:
        st.info(_("The local model is switched off: it neither answers nor suggests."), icon=":material/pause_circle:")
    elif found is None:
        st.info(_("The local model suggests in Review as soon as it has seen 20 decisions."), icon=":material/school:")
    elif found[1].reviewed < FEWEST_REVIEWED:
        said = _("The local model only suggests so far: {n} of {least} decisions that prove how good it is are there.")
        st.info(said.format(n=number(found[1].reviewed), least=FEWEST_REVIEWED), icon=":material/school:")
    elif found[1].level == CLOSED:
        said = _("The local model only suggests: so far no part of the messages is proven to be {target} right.")
        st.warning(said.format(target=percent(found[1].target, 1)), icon=":material/shield:")
    else:
        said = _("The local model answers alone where it is proven to be {target} right: about {share} of the messages "
                 "that reach it.")  # fmt: skip
        told = said.format(target=percent(found[1].target, 1), share=percent(found[1].expected_share))
        st.success(told, icon=":material/verified:")


def versions() -> None:
    rows = learning.versions(workspace.id)
    if not rows:
        return
    st.subheader(_("Versions of the model"))
    for row in rows:
        with st.container(horizontal=True, vertical_alignment="center", key=f"version-{row.id}"):
            st.markdown(f"**{moment(row.created_at, workspace.timezone)}**", width="content")
            said = _("{persons} decisions of persons, {llm} of language models, {imported} imported tickets, "
                     "{categories} categories")  # fmt: skip
            st.caption(said.format(
                persons=number(row.metrics["by_persons"]), llm=number(row.metrics["from_llm"]),
                imported=number(row.metrics.get("imported", 0)), categories=number(row.metrics["categories"]),
            ), width="stretch")  # fmt: skip
            if row.is_current:
                st.badge(_("Answers now"), color="green")
            elif setup.editable() and st.button(_("Go back to this one"), key=f"back-{row.id}", type="tertiary"):
                learning.roll_back(session.actor(), row.id)
                setup.done("learning", _("The version of {when} answers again.").format(when=ago(row.created_at)))


setup.heading(
    _("Learning"), _("Every decision of a person teaches. Here you see what it brought, and how much may run alone."),
    "learning", None,
)  # fmt: skip
draft_bar.draw("learning")
now_answering = learning.now_answering(workspace.id)
numbers = learning.figures(workspace.id, workspace.timezone)
standing(now_answering, learning.settings(workspace.id, live=True))
tiles(numbers)
topics.draw()
left, right = st.columns([3, 2], gap="large")
with left:
    if numbers.total:
        chart(numbers)
    quality.draw(workspace.id)
    agreement.draw(workspace.id, numbers.seconds)
    quality.examined(learning.versions(workspace.id), workspace.timezone)
    versions()
with right:
    dial.draw(learning.settings(workspace.id))
    dial.draw_llm(learning.llm_settings(workspace.id))
    if setup.editable():
        label = _("Import old tickets that are sorted already")
        st.page_link(nav.page("import_tickets"), label=label, icon=":material/upload_file:")
