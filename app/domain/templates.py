"""Field mappings: `{category.name}: {message.title}`. Only the names below exist; nothing else is evaluated. Pure."""

import re

from app.domain.errors import InvalidInput

NAMES = (
    "message.title", "message.text", "message.id", "message.sent_at", "message.link", "contact.name",
    "channel", "bot", "category.key", "category.name", "priority", "language", "sentiment",
)  # fmt: skip
REPLY_NAMES = ("contact.name", "message.title", "category.name")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def check(template: str, field: str = "", names: tuple[str, ...] = NAMES) -> None:
    """Raises InvalidInput naming the first placeholder that does not exist."""
    for name in PLACEHOLDER.findall(template):
        if name not in names:
            raise InvalidInput(f"{{{name}}} is not known. Use one of: {', '.join(names)}.", field)


def render(template: str, values: dict[str, str]) -> str:
    """Replace the placeholders once: text of a customer that looks like a placeholder stays as it is."""
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), template)
