"""Old labelled tickets: looked at before they come in, and taken out again in one click."""

import streamlit as st

from app.domain import tickets_file
from app.domain.tickets_file import Columns, Table
from app.services import examples, taxonomy
from app.services.examples import Found, Standing
from app.ui import nav, old_tickets, session, setup, states, text
from app.ui.i18n import _, moment, ngettext, number

PAGE = "import"
FILE = "import-file"  # of the session: what was read and looked at of the chosen file
workspace = session.workspace()


def chosen() -> tuple[str, Table] | None:
    """(name, content) of the file, read once."""
    generation = st.session_state.setdefault("import-generation", 0)
    file = st.file_uploader(
        _("File with tickets and their categories"), ["csv", "tsv", "txt", "jsonl", "ndjson", "json"],
        key=f"import-file-{generation}", max_upload_size=tickets_file.MOST_BYTES // 2**20,
        help=_("CSV, or JSON with one object a line, in UTF-8: up to 20 MB and 50,000 rows. Nothing is saved before "
               "you have seen what would come in."),
    )  # fmt: skip
    if file is None:
        st.session_state.pop(FILE, None)
        return None
    kept = st.session_state.get(FILE)
    if kept is None or kept["id"] != file.file_id:
        with states.loading(_("Reading the file …")):
            table = setup.attempt(lambda: tickets_file.read(file.name, file.getvalue()))
        kept = st.session_state[FILE] = {"id": file.file_id, "table": table, "looked": {}}
        if table is None:
            return None
    return (file.name, kept["table"]) if kept["table"] else None


def looked_at(table: Table, columns: Columns) -> Found | None:
    looked = st.session_state[FILE]["looked"]
    if columns not in looked:
        with states.loading(_("Looking through the tickets …")):
            found = setup.attempt(lambda: examples.look(workspace.id, table, columns))
        looked.clear()
        if found is None:
            return None
        looked[columns] = found
    return looked[columns]


def bring_in(name: str, found: Found, meanings: dict, added: dict) -> None:
    bar = st.progress(0.0, _("Importing …"))
    made = setup.attempt(lambda: examples.bring_in(session.actor(), name, found, meanings, added, bar.progress))
    bar.empty()
    if made is None:
        return
    st.session_state.pop(FILE, None)
    st.session_state["import-generation"] += 1
    said = ngettext("{n} ticket is imported. The model learns it now.",
                    "{n} tickets are imported. The model learns them now.", made.rows)  # fmt: skip
    setup.done(PAGE, said.format(n=number(made.rows)))


def importer() -> None:
    file = chosen()
    if file is None:
        return
    name, table = file
    with st.container(border=True, key="import-form"):
        st.markdown("##### " + _("Which column is what?"))
        columns = old_tickets.columns(table)
        found = looked_at(table, columns) if columns else None
        if found is None:
            return
        st.markdown("##### " + _("What would come in"))
        old_tickets.summary(found)
        if not found.new:
            st.info(_("There is nothing new in this file."), icon=":material/info:")
            return
        st.markdown("##### " + _("What its categories mean here"))
        every = taxonomy.categories(workspace.id, archived=True, live=True)  # tickets do not wait for a release
        names = {row.key: row.name for row in every if row.archived_at is None}
        meanings, added = old_tickets.meanings(found, names, [row.key for row in every])
        count = sum(number_of for name, number_of in found.counts.items() if meanings[name])
        label = ngettext("Import {n} ticket", "Import {n} tickets", count).format(n=number(count))
        if st.button(label, key="import-start", type="primary", icon=":material/upload:", disabled=not count):
            bring_in(name, found, meanings, added)


def learning_state(found: Standing) -> None:
    """Asked again every two seconds while the model is behind."""
    if not found.enabled:
        st.caption(_("The local model is switched off. The tickets are kept until it is switched on again."))
    elif not found.learnt:
        st.fragment(_wait, run_every="2s")()
    elif found.imports:
        st.caption(":material/check_circle: " + _("The model has learnt these tickets."))


def _wait() -> None:
    if examples.standing(workspace.id).learnt:
        st.rerun()
    st.markdown(":material/progress_activity: " + _("The model is being fitted anew; this takes up to a minute."))


def remove(row: examples.ExampleImport) -> None:
    if setup.attempt(lambda: examples.remove(session.actor(), row.id)):
        said = _("{file} is taken out again. The model forgets its tickets now.")
        setup.done(PAGE, said.format(file=row.file_name))


def imports(found: Standing) -> None:
    if found.imports:
        st.subheader(_("Imports"))
    learning_state(found)
    for row in found.imports:
        with st.container(horizontal=True, vertical_alignment="center", key=f"setup-import-{row.id}"):
            with st.container(gap="xxsmall"):
                st.markdown(f":material/description: **{text.escape(row.file_name)}**")
                count = ngettext("{n} ticket", "{n} tickets", row.rows).format(n=number(row.rows))
                st.caption(f"{count} · {text.escape(row.actor)} · {moment(row.at, workspace.timezone)}")
            if st.button(_("Take out again"), key=f"import-remove-{row.id}", icon=":material/undo:"):
                remove(row)


setup.heading(
    _("Import old tickets"),
    _("Tickets your team sorted elsewhere let the model suggest from the first message. They prove nothing yet: "
      "whether it may answer alone is still measured on what people decide here."),
    PAGE, None,
)  # fmt: skip
st.page_link(nav.page("learning"), label=_("Back to Learning"), icon=":material/arrow_back:")
importer()
imports(examples.standing(workspace.id))
