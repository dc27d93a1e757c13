"""Conformance: what each connector was seen to do, check by check."""

import streamlit as st

from app.domain.tasks import Capability
from app.services import conformance
from app.services.conformance import Conformance
from app.ui import setup, text
from app.ui.conformance_names import NAMES
from app.ui.i18n import _, day_label, later, number
from connectors import registry

MARKS = {
    "passed": (":material/check_circle:", "green", later("passed")),
    "failed": (":material/cancel:", "red", later("failed")),
    "skipped": (":material/remove:", "gray", later("not checked")),
}
# Why the suite leaves a check out, as it says it.
WHY = (
    later("this vendor cannot search and needs not"), later("not held against a published contract"),
    later("its case signs in with a key that does not end; the renewal of its consent has tests of its own"),
)  # fmt: skip
CAN = {
    Capability.FIND: later("finds its tasks"), Capability.UPDATE: later("updates"),
    Capability.COMMENT: later("comments"), Capability.STATUS: later("reads the status"),
    Capability.TRANSITION: later("closes and reopens"), Capability.COMMENTS: later("reads comments"),
    Capability.CHANGES: later("lists changes"), Capability.HOOK: later("webhook"),
    Capability.PEOPLE: later("lists people"),
}  # fmt: skip


def one(found: Conformance) -> None:
    connector = registry.crm(found.key).Connector
    with st.expander(f"{found.label} · {summary(found)}", icon=icon(found)):
        st.caption(text.linked(_(connector.EXACTLY_ONCE)))
        st.markdown(" · ".join(_(name) for capability, name in CAN.items() if capability in connector.CAN))
        left, right = st.columns(2, gap="medium")
        checks = list(NAMES)
        for place, part in zip((left, right), (checks[: len(checks) // 2], checks[len(checks) // 2 :]), strict=True):
            with place:
                for check in part:
                    line(found, check)
        st.link_button(_("The vendor's documentation"), connector.docs, icon=":material/open_in_new:", type="tertiary")


def line(found: Conformance, check: str) -> None:
    state, why = found.checks.get(check, ("skipped", ""))
    mark, colour, said = MARKS[state]
    reason = f": {text.escape(_(why))}" if why else ""
    st.markdown(f":{colour}[{mark}] {_(NAMES[check])}", help=f"{_(said)}{reason}")


def summary(found: Conformance) -> str:
    if found.checked_on is None:
        return _("never checked")
    said = _("{n} checks passed on {day}").format(n=number(found.passed), day=day_label(found.checked_on))
    if found.failed:
        said += " · " + _("{n} failed").format(n=number(found.failed))
    return said + (" · " + _("changed since") if found.is_stale else "")


def icon(found: Conformance) -> str:
    if found.failed:
        return ":material/error:"
    return ":material/help:" if found.checked_on is None or found.is_stale else ":material/verified:"


setup.heading(
    _("Conformance"),
    _("Before each version ships, every connector is put through the same checks over real HTTP. The vendors are "
      "stand-ins that answer as the vendors' published contracts and documentation say; no call reaches the vendors "
      "themselves."), "conformance", None,
)  # fmt: skip
for each in conformance.report():
    one(each)
