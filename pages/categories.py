"""Categories: what messages are sorted into."""

import streamlit as st

from app.db.tables import Category
from app.domain.classification import Priority
from app.services import taxonomy
from app.ui import draft_bar, session, setup, states, text, words
from app.ui.i18n import _, duration

PAGE = "categories"
every = taxonomy.categories(session.workspace().id, archived=True)
rows = [row for row in every if row.archived_at is None]
archived = [row for row in every if row.archived_at is not None]


def form(row: Category | None) -> None:
    place = f"categories-{row.key if row else 'new'}"
    name = st.text_input(_("Name"), value=row.name if row else "", key=f"{place}-name", max_chars=60)
    place_of_error = st.empty()
    description = st.text_area(
        _("What belongs here"), value=row.description if row else "", key=f"{place}-description",
        placeholder=_("Something that worked is broken, or shows an error"),
        help=_("One sentence. The language model reads it, so the clearer it is, the better it sorts."),
    )  # fmt: skip
    left, right = st.columns(2)
    priority = left.segmented_control(
        _("Priority"), list(words.PRIORITIES), default=row.priority if row else Priority.NORMAL, required=True,
        format_func=lambda key: words.shown(words.PRIORITIES, key), key=f"{place}-priority",
    )  # fmt: skip
    sla_min = right.number_input(
        _("{field} (optional)").format(field=_("Answer within, in minutes")), value=row.sla_min if row else None,
        min_value=1, step=30, key=f"{place}-sla", help=_("Tasks get this due date."),
    )  # fmt: skip
    pressed = setup.buttons(PAGE, _("Save"), _("Archive this category") if row else None)
    if pressed == "save":
        key = row.key if row else setup.free_key(name if name.isascii() else "category", [each.key for each in every])

        def show(error: taxonomy.InvalidInput) -> None:
            with place_of_error.container(key="error-category"):
                st.text(_(setup.said(error)))

        if setup.attempt(
            lambda: taxonomy.save_category(session.actor(), key, name, description, priority, sla_min), show
        ):
            said = _("Category {name} is saved in the draft. It works once that is published.")
            setup.done(PAGE, said.format(name=name.strip()))
    elif pressed == "remove":
        setup.remove(
            PAGE, _("Category {name} is archived in the draft.").format(name=row.name),
            lambda: taxonomy.delete(session.actor(), Category, row.key),
            lambda gone: taxonomy.restore(session.actor(), gone),
        )  # fmt: skip


def lines_of(row: Category) -> list[str]:
    facts = [_("Priority") + f" **{words.shown(words.PRIORITIES, row.priority)}**"]
    if row.sla_min:
        facts.append(_("Answer within {time}").format(time=duration(row.sla_min * 60)))
    said = text.escape(row.description) or ":material/info: " + _("Without a description the model knows only the name")
    return [said, " · ".join(facts) + f" · `{row.key}`"]


def restore(row: Category) -> None:
    with states.boundary("restore"):
        taxonomy.restore(session.actor(), row)


explanation = _("What messages are sorted into. Rules, models and routes use them; Review shows them in this order.")
setup.heading(_("Categories"), explanation, PAGE, _("Add a category") if rows else None)
waiting = draft_bar.draw(PAGE)
if chosen := setup.editing(PAGE):
    with st.container(border=True, width=760, key="categories-form"):
        form(next((each for each in rows if each.key == chosen), None))
elif not rows:
    setup.empty(
        PAGE,
        _("No category yet"), _("Add what your customers write about: bugs, invoices, wishes. Five to ten will do."),
        "category", _("Add a category"),
    )  # fmt: skip
for position, row in enumerate(rows if not chosen else []):
    setup.row(
        PAGE, row.key, "category", row.name, lines_of(row),
        lambda p=position, r=row: setup.mover(PAGE, Category, r.key, p, len(rows)),
        waiting=("category", row.key) in waiting,
    )  # fmt: skip
if archived and not chosen:
    with st.expander(_("Archived categories"), key="categories-archived"):
        for row in archived:
            with st.container(horizontal=True, vertical_alignment="center", key=f"setup-archived-{row.key}"):
                st.markdown(f":material/archive: {text.escape(row.name)}")
                if setup.editable():
                    st.button(_("Restore"), key=f"categories-restore-{row.key}", on_click=restore, args=(row,))
