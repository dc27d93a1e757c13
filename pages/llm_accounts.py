"""LLM accounts: who is asked about messages that rules and the local model leave open, in this order."""

import streamlit as st

from app.classify import llm
from app.db.tables import LlmAccount
from app.services import budget, connections, demo
from app.ui import forms, session, setup, text
from app.ui.i18n import _, later, money

PAGE = "llm_accounts"
PROVIDERS = {"anthropic": "Anthropic", "openai": "OpenAI", "openai_chat": later("Other, with chat completions")}
workspace_id = session.workspace().id
rows = connections.llm_accounts(workspace_id)


def form(row: LlmAccount | None) -> None:
    fresh = row is None or setup.replacing(PAGE)
    place = f"llm-{row.key if row else 'new'}{'-real' if row and fresh else ''}"
    key = setup.key_field(PAGE, row.key if row else None, [each.key for each in rows], "main")
    drawn = forms.draw(llm.Account, place, {"provider": "anthropic"} if fresh else row.config, without=("key",))
    enabled = st.toggle(_("Is asked"), value=row.enabled, key=f"{place}-enabled") if row else True
    st.caption(":material/info: " + _("To check it, one tiny greeting is classified; that costs next to nothing."))
    draft = row or LlmAccount(workspace_id=workspace_id, key=key, position=len(rows))
    if setup.connect(
        PAGE, place, drawn,
        check=lambda: connections.check(draft, drawn.values()),
        save=lambda: connections.save_llm_account(session.actor(), key, drawn.values(), enabled=enabled),
        remove=_("Delete this account") if row else None,
    ):  # fmt: skip
        setup.remove(
            PAGE, _("LLM account {key} is deleted.").format(key=row.key),
            lambda: connections.delete_llm_account(session.actor(), row.key),
            lambda removed: connections.restore(session.actor(), removed),
        )  # fmt: skip


def month() -> None:
    """What was spent this month, and the most that may be."""
    spent, limit = budget.spent(workspace_id, session.workspace().timezone), budget.limit(session.workspace().settings)
    with st.container(border=True, width=760, key="llm_accounts-budget"):
        of = _("{spent} of {limit} this month") if limit is not None else _("{spent} this month, without a limit")
        st.markdown(f"**{of.format(spent=money(spent), limit=money(limit or 0))}**")
        if limit:
            st.progress(min(1.0, spent / limit))
        wanted = st.number_input(
            _("Most in US dollars a month"), 0.0, value=limit, step=10.0, key="llm_accounts-limit",
            placeholder=_("No limit"), disabled=not setup.editable(),
            help=_("Once it is spent, rules and the local model go on deciding; what they leave open waits in Review."),
        )  # fmt: skip
        pressed = setup.editable() and st.button(_("Save"), key="llm_accounts-budget-save", disabled=wanted == limit)
        if pressed and setup.attempt(lambda: budget.save(session.actor(), wanted) or True):
            setup.done(PAGE, _("The budget is saved."))


def lines_of(row: LlmAccount) -> list[str]:
    config = row.config
    facts = [_(PROVIDERS.get(config["provider"], config["provider"])), text.escape(config["model"])]
    if config.get("price_in") or config.get("price_out"):
        facts.append(
            _("{price_in} in, {price_out} out per million tokens").format(
                price_in=money(config.get("price_in", 0)), price_out=money(config.get("price_out", 0))
            )
        )
    return [" · ".join(facts)]


explanation = _("Asked in this order about what rules and the local model leave open; the next one when one is down.")
setup.heading(_("LLM accounts"), explanation, PAGE, _("Add an account") if rows else None)
if chosen := setup.editing(PAGE):
    with st.container(border=True, width=760, key="llm_accounts-form"):
        form(next((each for each in rows if each.key == chosen), None))
elif not rows:
    setup.empty(
        PAGE,
        _("No LLM account yet"),
        _("Without one, messages no rule decides wait for a person. One account is enough; a second stands in for it."),
        "neurology", _("Add an account"),
    )  # fmt: skip
for position, row in enumerate(rows if not chosen else []):
    setup.row(
        PAGE, row.key, "neurology", row.key, lines_of(row),
        lambda p=position, r=row: setup.mover(PAGE, LlmAccount, r.key, p, len(rows)), off=not row.enabled,
        simulated=demo.is_simulated(row),
    )  # fmt: skip
if rows and not chosen:
    month()
