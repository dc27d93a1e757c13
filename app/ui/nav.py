"""The pages, in the order of the sidebar, and who sees them. A page that is not registered cannot be reached."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app.db.tables.people import Role
from app.ui.i18n import _, later

HIDDEN = "hidden"  # the section of pages that are reached from elsewhere than the sidebar
POWER = {role: rank for rank, role in enumerate(Role)}
PAGES = Path(__file__).parents[2] / "pages"


@dataclass(frozen=True, slots=True)
class Screen:
    """`least`: the least powerful role that may open it. `icon`: a Material symbol."""

    name: str
    title: str
    icon: str
    section: str = ""
    least: Role = Role.VIEWER


SCREENS = (
    Screen("overview", later("Overview"), "monitoring"),
    Screen("service", later("Service"), "query_stats"),
    Screen("inbox", later("Inbox"), "inbox"),
    Screen("review", later("Review"), "fact_check"),
    Screen("deliveries", later("Deliveries"), "local_shipping"),
    Screen("learning", later("Learning"), "school"),
    Screen("bots", later("Bots"), "smart_toy", section=later("Set-up")),
    Screen("categories", later("Categories"), "category", section=later("Set-up")),
    Screen("rules", later("Rules"), "rule", section=later("Set-up")),
    Screen("destinations", later("Destinations"), "output", section=later("Set-up")),
    Screen("routes", later("Routes"), "alt_route", section=later("Set-up")),
    Screen("llm_accounts", later("LLM accounts"), "neurology", section=later("Set-up")),
    Screen("releases", later("Releases"), "published_with_changes", section=later("Set-up")),
    Screen("api_keys", later("API keys"), "key", section=later("Set-up"), least=Role.MANAGER),
    Screen("webhooks", later("Webhooks"), "webhook", section=later("Set-up"), least=Role.MANAGER),
    Screen("members", later("Members"), "group", section=later("Administration")),
    Screen("audit_log", later("Audit log"), "history", section=later("Administration"), least=Role.MANAGER),
    Screen(
        "retention", later("Data retention"), "auto_delete", section=later("Administration"), least=Role.MANAGER
    ),  # fmt: skip
    Screen("import_tickets", later("Import old tickets"), "upload_file", section=HIDDEN, least=Role.MANAGER),
    Screen("conformance", later("Conformance"), "verified", section=HIDDEN),
    Screen("consent", later("Connecting"), "login", section=HIDDEN, least=Role.MANAGER),
    Screen("account", later("Your account"), "person", section=HIDDEN),
)


def allowed(role: Role) -> list[Screen]:
    return [screen for screen in SCREENS if POWER[role] <= POWER[screen.least]]


def pages(role: Role = Role.OWNER) -> dict[Screen, st.Page]:
    """The pages of a role; people land on the first."""
    return {screen: _page(screen) for screen in allowed(role)}


def page(name: str) -> st.Page:
    """A page to link to, with `st.page_link` or `st.switch_page`. The reader's role must allow it."""
    return _page(next(screen for screen in SCREENS if screen.name == name))


def _page(screen: Screen) -> st.Page:
    return st.Page(
        PAGES / f"{screen.name}.py",
        title=_(screen.title),
        icon=f":material/{screen.icon}:",
        url_path=screen.name,
        default=screen is SCREENS[0],
    )
