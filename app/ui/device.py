"""The browser somebody uses, as far as it can be known, in words its owner recognises."""

import re
from ipaddress import ip_address

import streamlit as st

from app.ui import text
from app.ui.i18n import _

# The first that is found counts: Edge and Opera call themselves Chrome as well, and Chrome calls itself Safari.
BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"),
            ("Chrome/", "Chrome"), ("Safari/", "Safari"))  # fmt: skip
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
           ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))  # fmt: skip


def user_agent() -> str:
    return st.context.headers.get("User-Agent") or ""


def ip() -> str:
    """Where the browser connects from. A proxy of our own is believed when it names the address; nobody else is."""
    peer = st.context.ip_address or ""
    if peer and ip_address(peer).is_global:
        return peer
    named = (st.context.headers.get("X-Forwarded-For") or "").rpartition(",")[2].strip()
    return named if re.fullmatch(r"[0-9a-fA-F.:]{3,45}", named) else peer


def shown(user_agent_: str, ip_: str) -> str:
    """Markdown like `Firefox on Windows, 203.0.113.7`."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent_), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent_), "")
    both = _("{browser} on {system}").format(browser=browser, system=system) if browser and system else ""
    known = [part for part in (both or browser or system or _("A browser"), text.escape(ip_)) if part]
    return ", ".join(known)
