"""Writes a page for each CRM from what its connector declares: `.venv/bin/python -m docs.crm_pages`.

What only a person can know stands in `docs/crm/notes/<key>.md` and is put into the page.
"""

from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from app.domain.tasks import Capability
from connectors import registry

HERE = Path(__file__).parent / "crm"
NAMES = {
    Capability.IDEMPOTENT_CREATE: "creating twice cannot make two",
    Capability.FIND: "a task is found by its key",
    Capability.FIND_LAGS: "… but a new one may show up late, so it is looked for twice",
    Capability.UPDATE: "a task is brought up to date",
    Capability.COMMENT: "comments are added",
    Capability.STATUS: "what became of a task is read",
    Capability.TARGETS: "places are listed to choose from",
    Capability.FIELDS: "fields are listed for the mapping",
    Capability.PEOPLE: "assignees are listed, with e-mail where the vendor shows it",
    Capability.TRANSITION: "a task is closed and opened again",
    Capability.COMMENTS: "what people wrote there is read",
    Capability.CHANGES: "changes are polled every minute",
    Capability.HOOK: "changes arrive at once by webhook",
    Capability.SETS_HOOK: "… which one click sets",
}


def page(key: str) -> str:
    module = registry.crm(key)
    connector, can = module.Connector, module.Connector.CAN
    lines = [f"# {connector.label}", "", f"Vendor's documentation: <{connector.docs}>", ""]
    lines += [(HERE / "notes" / f"{key}.md").read_text("utf-8").strip(), ""]
    lines += ["## Exactly one task", "", connector.EXACTLY_ONCE, ""]
    lines += ["## What it can do", "", "| | |", "|---|---|"]
    lines += [f"| {'yes' if capability in can else 'no'} | {name} |" for capability, name in NAMES.items()]
    rate = (
        f"{connector.RATE_PER_S:g} calls a second" if connector.RATE_PER_S else "none published; its answers are obeyed"
    )
    lines += ["", f"Rate limit of one account: {rate}.", "", "## Settings", "", "| Field | Needed | Where to find it |"]
    lines += ["|---|---|---|", *(_setting(name, info) for name, info in module.Config.model_fields.items()), ""]
    if getattr(connector, "CONSENT", None):
        scopes = " ".join(connector.CONSENT.scopes) or "none"
        lines += ["## Connecting by the vendor's own page", "", f"Scopes asked for: `{scopes}`.", ""]
    if steps := getattr(connector, "HOOK_STEPS", ()):
        lines += ["## Setting the webhook", "", *(f"{n}. {step}" for n, step in enumerate(steps, 1)), ""]
    return "\n".join(lines)


def _setting(name: str, info: FieldInfo) -> str:
    needed = "yes" if info.is_required() else "no"
    return f"| {_cell(info.title or name)} (`{name}`) | {needed} | {_cell(info.description or '')} |"


def _cell(text: Any) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def index() -> str:
    columns = [c for c in Capability if c not in (Capability.FIND_LAGS, Capability.SETS_HOOK)]
    lines = ["# CRMs and trackers", "", f"| | {' | '.join(c.replace('_', ' ') for c in columns)} |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for key in registry.crm_keys():
        connector = registry.crm(key).Connector
        marks = " | ".join("✓" if c in connector.CAN else "–" for c in columns)
        lines.append(f"| [{connector.label}]({key}.md) | {marks} |")
    return "\n".join([*lines, ""])


def pages() -> dict[str, str]:
    """By file name."""
    return {"README.md": index()} | {f"{key}.md": page(key) for key in registry.crm_keys()}


def main() -> None:
    for name, text in pages().items():
        (HERE / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
