"""Which property of a Notion page tells its status, and by which options. Pure.
Source: https://developers.notion.com/reference/property-object (read 2026-11).
"""

from dataclasses import dataclass
from typing import Any

from app.domain.errors import Rejected
from app.domain.tasks import TaskStatus
from connectors.answers import inside
from connectors.notion_properties import Schema, options
from connectors.statuses import Statuses

TO_DO, IN_PROGRESS, COMPLETE = "To-do", "In progress", "Complete"  # every status property has these three groups
KINDS = ("status", "select", "checkbox")


@dataclass(frozen=True, slots=True)
class StatusProperty:
    """kind: its type, empty where the data source has no such property. named: the options the manager gave names of;
    without names a status property's groups tell.
    """

    name: str
    kind: str
    options: tuple[str, ...]
    groups: dict[str, str]  # option's id -> name of its group
    ids: dict[str, str]  # option's name -> id
    named: Statuses

    @classmethod
    def of(cls, schema: Schema, name: str, named: Statuses) -> "StatusProperty":
        """name: the manager's choice; when empty, the first property of the type Status."""
        name = name or next((one for one, kind in schema.items() if kind.get("type") == "status"), "")
        kind = inside(schema, name, "type")
        if kind not in KINDS:
            return cls(name, "", (), {}, {}, named)
        groups = {
            option: str(group.get("name"))
            for group in inside(schema, name, kind, "groups") or ()
            for option in group.get("option_ids", ())
        }
        ids = {one["name"]: str(one.get("id")) for one in inside(schema, name, kind, "options") or ()}
        return cls(name, kind, options(schema[name]), groups, ids, named)

    def read(self, properties: Any) -> TaskStatus:
        """properties: of a page. One without a status is open."""
        value = inside(properties, self.name, self.kind) if self.kind else None
        if self.kind == "checkbox":
            return self.named.of(value is True)
        option, name = inside(value, "id"), inside(value, "name")
        if name and name.casefold() in self._named_options() or self.kind != "status" or not value:
            return self.named.of(name)
        group = self.groups.get(str(option)) or self.groups.get(self.ids.get(str(name), ""))
        if group is None:
            return TaskStatus.UNKNOWN  # an option made since the properties were read
        return Statuses(TO_DO, COMPLETE, "").of(group)

    def value_for(self, status: TaskStatus) -> tuple[TaskStatus, dict[str, Any]]:
        """The status the property can tell, and its value that means it. Raises Rejected where it has none."""
        wanted, option = self.named.nearest(status)
        if self.kind == "checkbox":
            return wanted if wanted is TaskStatus.OPEN else TaskStatus.DONE, {"checkbox": wanted is not TaskStatus.OPEN}
        if not option and self.kind == "status":
            option = self._first_of(TO_DO if wanted is TaskStatus.OPEN else COMPLETE)
        if not option or option not in self.options:
            raise Rejected(
                f"The Notion database has no status that means '{wanted}'; nothing was changed. On Destinations name a "
                f"status property and its options{': ' + ', '.join(self.options) if self.options else ''}.",
                self.name,
            )
        return wanted, {self.kind: {"name": option}}

    def _first_of(self, group: str) -> str:
        """The first option of a group that does not mean cancelled."""
        cancelled = self.named.cancelled.casefold()
        found = (one for one in self.options if self.groups.get(self.ids[one]) == group)
        return next((one for one in found if not cancelled or one.casefold() != cancelled), "")

    def _named_options(self) -> tuple[str, ...]:
        named = (self.named.open, self.named.done, self.named.cancelled)
        return tuple(one.casefold() for one in named if one)
