"""Asking one Dataverse environment: lists page by page, the columns of a table, and its webhooks."""

import re
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from pydantic import AfterValidator

from app.domain.errors import Refused
from connectors.answers import Kept, inside, rows
from connectors.dynamics_errors import AlreadyThere
from connectors.dynamics_tables import BIND, LABEL, Table
from connectors.oauth import TokenClient
from connectors.payloads import answered

API = "/api/data/v9.2"
WITH_NAMES = {"Prefer": 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"'}
DESCRIBED_FOR_S = 300.0
COLUMNS = "LogicalName,DisplayName,AttributeType,RequiredLevel,IsValidForCreate,IsValidForUpdate"
CHOICES = {
    "$select": "LogicalName",
    "$expand": "OptionSet($select=Options),GlobalOptionSet($select=Options)",
}
HOST = re.compile(r"[\w-]+\.crm\d*\.(dynamics\.com|dynamics\.cn|microsoftdynamics\.us|appsplatform\.us)")
# Source: https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
SIGN_IN_OF = {"cn": "https://login.partner.microsoftonline.cn", "us": "https://login.microsoftonline.us"}
# Source: https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/serviceendpoint
WEBHOOK, SECRET_IN_CODE = 8, 4
AFTER_IT_HAPPENED, LATER = 40, 1  # stage and mode: a webhook that fails must not undo what a person did


def _only_the_host(environment: str) -> str:
    host = re.sub(r"^https?://", "", environment.lower()).split("/")[0]
    if not HOST.fullmatch(host):
        raise ValueError("should be a host name such as acme.crm4.dynamics.com")
    return host


Environment = Annotated[str, AfterValidator(_only_the_host)]


def sign_in_address(environment: str) -> str:
    """Of Microsoft Entra ID in the environment's cloud."""
    return SIGN_IN_OF.get(environment.rsplit(".", 1)[1], "https://login.microsoftonline.com")


class Account:
    """name: the table's own, such as `task`."""

    def __init__(self, api: TokenClient, name: str, table: Table):
        self.api = api
        self._name = name
        self._table = table
        self._described: Kept[list[dict[str, Any]]] = Kept()
        self._choices: Kept[dict[str, dict[str, int]]] = Kept()

    def rows(self, path: str, condition: str, select: str, **params: str) -> Iterator[dict[str, Any]]:
        asked: dict[str, str] | None = {"$select": select, "$filter": condition} | params
        path = f"{API}/{path}"
        while path:
            answer = self.api.call("GET", path, params=asked, headers=WITH_NAMES)
            yield from rows(LABEL, answer, "value")
            after = urlsplit(inside(answer, "@odata.nextLink") or "")
            path, asked = (f"{after.path}?{after.query}" if after.path else ""), None

    def user(self) -> str:
        """The name of the user Octopus acts as. Raises Refused naming the privilege on the table that is missing."""
        user_id = answered(LABEL, self.api.call("GET", f"{API}/WhoAmI"), "UserId")
        for privilege in (f"prvCreate{self._table.privileges}", f"prvWrite{self._table.privileges}"):
            function = f"Microsoft.Dynamics.CRM.RetrieveUserPrivilegeByPrivilegeName(PrivilegeName='{privilege}')"
            if not rows(LABEL, self.api.call("GET", f"{API}/systemusers({user_id})/{function}"), "RolePrivileges"):
                raise Refused(
                    f"The Dynamics 365 user lacks the privilege {privilege}; nothing was changed. Add it to a security "
                    "role of the user and connect again."
                )
        asked = {"$select": "fullname"}
        return answered(LABEL, self.api.call("GET", f"{API}/systemusers({user_id})", params=asked), "fullname")

    def columns(self) -> list[dict[str, Any]]:
        return self._described.get(self._ask_columns)

    def choices(self) -> dict[str, dict[str, int]]:
        """The columns with a closed list: label -> value."""
        return self._choices.get(self._ask_choices)

    def _ask_columns(self) -> tuple[list[dict[str, Any]], float]:
        answer = self.api.call("GET", f"{self._definition}/Attributes", params={"$select": COLUMNS})
        return rows(LABEL, answer, "value"), DESCRIBED_FOR_S

    def _ask_choices(self) -> tuple[dict[str, dict[str, int]], float]:
        found: dict[str, dict[str, int]] = {}
        path = f"{self._definition}/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
        for column in rows(LABEL, self.api.call("GET", path, params=CHOICES), "value"):
            options = inside(column, "OptionSet", "Options") or inside(column, "GlobalOptionSet", "Options") or []
            labels = {inside(one, "Label", "UserLocalizedLabel", "Label"): one.get("Value") for one in options}
            found[column["LogicalName"]] = {label: value for label, value in labels.items() if label}
        return found, DESCRIBED_FOR_S

    @property
    def _definition(self) -> str:
        return f"{API}/EntityDefinitions(LogicalName='{self._name}')"

    def resolve_case(self, row_id: str, reason: int) -> None:
        """Source: https://learn.microsoft.com/dynamics365/customer-engagement/web-api/closeincident."""
        resolution = {"subject": "Done in Octopus", f"incidentid{BIND}": f"/incidents({row_id})"}
        self.api.call("POST", f"{API}/CloseIncident", json={"IncidentResolution": resolution, "Status": reason})

    def watch(self, url: str, secret: str) -> None:
        """Source: https://learn.microsoft.com/power-apps/developer/data-platform/register-web-hook.

        The ids follow from `url`, so a second click renews the secret instead of adding another webhook.
        """
        endpoint = uuid5(NAMESPACE_URL, url)
        wanted = {
            "name": f"Octopus {endpoint}", "url": url, "contract": WEBHOOK, "authtype": SECRET_IN_CODE,
            "authvalue": secret,
        }  # fmt: skip
        self.api.call("PATCH", f"{API}/serviceendpoints({endpoint})", json=wanted)
        for message, name in (("Update", self._name), ("Delete", self._name), ("Create", "annotation")):
            self._step(url, endpoint, message, name)

    def _step(self, url: str, endpoint: Any, message: str, name: str) -> None:
        condition = f"primaryobjecttypecode eq '{name}' and sdkmessageid/name eq '{message}'"
        found = self.rows("sdkmessagefilters", condition, "sdkmessagefilterid,_sdkmessageid_value")
        one = next(found, None)
        step = {
            "sdkmessageprocessingstepid": str(uuid5(NAMESPACE_URL, f"{url}#{message}-{name}")),
            "name": f"Octopus: {message} of {name}", "stage": AFTER_IT_HAPPENED, "mode": LATER, "rank": 1,
            "asyncautodelete": True, "supporteddeployment": 0,
            f"eventhandler_serviceendpoint{BIND}": f"/serviceendpoints({endpoint})",
            f"sdkmessageid{BIND}": f"/sdkmessages({answered(LABEL, one, '_sdkmessageid_value')})",
            f"sdkmessagefilterid{BIND}": f"/sdkmessagefilters({answered(LABEL, one, 'sdkmessagefilterid')})",
        }  # fmt: skip
        try:
            self.api.call("POST", f"{API}/sdkmessageprocessingsteps", json=step)
        except AlreadyThere:
            return  # by an earlier click
