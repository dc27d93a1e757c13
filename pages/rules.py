"""Rules: decide messages without a model, in the manager's order."""

from typing import Any

import streamlit as st

from app.db.tables import Rule
from app.services import taxonomy
from app.ui import conditions, draft_bar, release_diff, session, setup, states, text, words
from app.ui.i18n import _, ngettext, number

PAGE = "rules"
KINDS = words.RULE_EFFECTS
workspace_id = session.workspace().id
rows = taxonomy.list_rules(workspace_id)
categories = {row.key: row.name for row in taxonomy.categories(workspace_id)}


def form(row: Rule | None) -> None:
    place = f"rules-{row.key if row else 'new'}"
    key = setup.key_field(PAGE, row.key if row else None, [each.key for each in rows], "rule")
    st.markdown("##### " + _("When a message arrives and"))
    when = conditions.draw(PAGE, row.conditions if row else {}, of_routes=False)
    preview(when)
    st.markdown("##### " + _("Then"))
    then = actions(place, row.actions if row else {})
    go_on = st.toggle(
        _("Ask the rules below as well"), value=row.go_on if row else False, key=f"{place}-on",
        help=_("Off: the first rule that matches is the last one asked."),
    )  # fmt: skip
    place_of_error = st.empty()
    pressed = setup.buttons(PAGE, _("Save"), _("Delete this rule") if row else None)
    if pressed == "save" and not when.complete:
        with place_of_error.container(key="error-lines"):
            st.text(_("A line of the condition is empty. Fill it in or remove it."))
    elif pressed == "save":
        enabled = row.enabled if row else True
        act = lambda: taxonomy.save_rule(session.actor(), key, when.condition, then, go_on, enabled)  # noqa: E731
        if setup.attempt(act, lambda error: show(error, when, place_of_error)):
            setup.done(PAGE, _("Rule {key} is saved in the draft. It works once that is published.").format(key=key))
    elif pressed == "remove":
        setup.remove(
            PAGE, _("Rule {key} is deleted in the draft.").format(key=row.key),
            lambda: taxonomy.delete(session.actor(), Rule, row.key),
            lambda gone: taxonomy.restore(session.actor(), gone),
        )  # fmt: skip


def show(error: taxonomy.InvalidInput, when: conditions.Drawn, foot: Any) -> None:
    if error.field.startswith("when"):
        when.show(error)
    else:
        with foot.container(key="error-rule"):
            st.text(_(setup.said(error)))


def actions(place: str, current: dict[str, Any]) -> dict[str, Any]:
    kind = next((name for name in KINDS if current.get(name)), "" if current else "category")
    left, right = st.columns(2)
    with left:
        kind = st.selectbox(
            _("What happens"), list(KINDS), list(KINDS).index(kind), lambda name: _(KINDS[name]), key=f"{place}-kind"
        )
        tag = st.text_input(
            _("{field} (optional)").format(field=_("Tag the contact")), current.get("tag") or "", key=f"{place}-tag"
        )
    chosen = None
    with right:
        if kind == "category":
            known = list(categories)
            index = known.index(current["category"]) if current.get("category") in known else None
            chosen = st.selectbox(
                _("Category"), known, index, categories.get, key=f"{place}-category", placeholder=_("Choose")
            )
        priority = st.segmented_control(
            _("{field} (optional)").format(field=_("Priority")), list(words.PRIORITIES),
            default=current.get("priority"), format_func=lambda each: words.shown(words.PRIORITIES, each),
            key=f"{place}-priority",
        )  # fmt: skip
    typed = {"category": chosen, "priority": priority, "tag": tag.strip(), kind: chosen if kind == "category" else True}
    return {name: value for name, value in typed.items() if name and value}


def preview(when: conditions.Drawn) -> None:
    found = setup.attempt(lambda: taxonomy.would_match(workspace_id, when.condition), when.show)
    if found is None or not when.complete or not found.total:
        return
    with st.container(key="rules-preview", gap="xxsmall"):
        said = ngettext(
            "Would have matched {count} of the last {total} message (30 days)",
            "Would have matched {count} of the last {total} messages (30 days)", found.total,
        )  # fmt: skip
        st.markdown(f"**{said.format(count=number(found.count), total=number(found.total))}**")
        for _id, said in found.sample[:3]:
            text.plain("“" + text.shorten(said, 110) + "”")


def effect(row: Rule) -> str:
    below = " · " + _("the rules below are asked as well") if row.go_on else ""
    return ":material/arrow_forward: " + release_diff.effect(row.actions, categories) + below


def switch(row: Rule) -> None:
    with states.boundary("switch"):
        taxonomy.save_rule(session.actor(), row.key, row.conditions, row.actions, row.go_on, not row.enabled)


def controls(position: int, row: Rule) -> None:
    st.toggle(
        _("On"), value=row.enabled, key=f"rules-on-{row.key}", on_change=switch, args=(row,),
        label_visibility="collapsed", help=_("Switch on or off"),
    )  # fmt: skip
    setup.mover(PAGE, Rule, row.key, position, len(rows))


explanation = _("Rules decide first, at no cost. They are asked from top to bottom; the first that matches wins.")
setup.heading(_("Rules"), explanation, PAGE, _("Add a rule") if rows else None)
waiting = draft_bar.draw(PAGE)
if chosen := setup.editing(PAGE):
    with st.container(border=True, width=900, key="rules-form"):
        form(next((each for each in rows if each.key == chosen), None))
elif not rows:
    setup.empty(
        PAGE,
        _("No rule yet"),
        _("Rules decide what you are sure of: a word, a channel, the hours of the night. Everything else is "
          "classified by the models."), "rule", _("Add a rule"),
    )  # fmt: skip
for position, row in enumerate(rows if not chosen else []):
    lines = [conditions.in_words(row.conditions), effect(row)]
    controlled = lambda p=position, r=row: controls(p, r)  # noqa: E731
    setup.row(PAGE, row.key, "rule", row.key, lines, controlled, not row.enabled, ("rule", row.key) in waiting)
