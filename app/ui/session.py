"""Who is looking, and at which workspace. Set by the entry script on every run; pages only ask."""

from uuid import UUID

import streamlit as st

from app.db.tables.people import Person, Role
from app.db.tables.workspaces import Workspace
from app.services import members
from app.services.members import Actor

_WANTED = "wanted-workspace"


def actor() -> Actor:
    return st.session_state["actor"]


def workspace() -> Workspace:
    return st.session_state["workspace"]


def person() -> Person:
    return st.session_state["person"]


def workspaces() -> list[Workspace]:
    """All the signed-in person may switch to."""
    return st.session_state["workspaces"]


def require(role: Role) -> None:
    """Raises Forbidden unless the person's role in this workspace is at least `role`."""
    members.require(actor(), role)


def may(role: Role) -> bool:
    """Whether the person's role in this workspace is at least `role`: what they may not do is not offered."""
    return members.RANK.index(actor().role) <= members.RANK.index(role)


def enter(who: Person) -> bool:
    """Choose the workspace: the one switched to, else the one in the address, else the first. False: there is none.

    Roles are read on every run, so a changed role or a removed member takes effect at the next click.
    """
    found = members.workspaces_of(who.id)
    if not found:
        return False
    wanted = st.session_state.get(_WANTED) or st.query_params.get("workspace")
    chosen, role = next((pair for pair in found if wanted in (pair[0].key, pair[0].id)), found[0])
    st.session_state["person"] = who
    st.session_state["workspaces"] = [each for each, _role in found]
    st.session_state["workspace"] = chosen
    st.session_state["actor"] = Actor(who.id, who.email, Role(role), chosen.id)
    st.session_state[_WANTED] = chosen.key
    if len(found) > 1:
        st.query_params["workspace"] = chosen.key
    return True


def switch_to(workspace: str | UUID) -> None:
    """By key or id, from the next run on."""
    st.session_state[_WANTED] = workspace
