"""Jira Cloud, REST API v3. Source: https://developer.atlassian.com/cloud/jira/platform/rest/v3 (read 2026-11)."""

import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr, field_validator, model_validator

from app.domain.errors import Refused, Rejected
from app.domain.messages import Answer, RawRequest
from app.domain.tasks import Capability, Person, RemoteComment, RemoteField, Target, Task, TaskRef, TaskStatus
from connectors.answers import clipped, inside, rows
from connectors.base import CrmConfig
from connectors.http import ApiClient
from connectors.jira_documents import document
from connectors.jira_errors import error_of
from connectors.jira_fields import LONGEST_TEXT, remote_field
from connectors.jira_issues import (
    CLOSED,
    ISSUE,
    comment_of,
    content_of,
    has_custom_fields,
    label_of,
    labels_of,
    ref_of,
    status_of,
    step_to,
    transition_of,
)
from connectors.jira_project import API, Project, quoted
from connectors.oauth import Consent, TokenStore
from connectors.payloads import answered, identifier, json_object, walks_the_body
from connectors.signatures import check_hmac_sha256

MOST_STEPS = 5  # on the way to a status, over those between


class Config(CrmConfig):
    site: str = Field(
        "",
        title="Site",
        description="The part before .atlassian.net in your browser's address bar when Jira is open, such as acme",
    )
    email: str = Field(
        title="E-mail", min_length=3, description="Of the Jira user who shall appear as the author of the tasks"
    )
    token: SecretStr = Field(
        title="API token",
        min_length=1,
        description="As that user, open id.atlassian.com, then Security, API tokens, Create API token",
    )
    project: str = Field(
        title="Project key", min_length=1, description="The letters before the dash in issue numbers: OCT in OCT-12"
    )
    issue_type: str = Field(
        "Task", title="Issue type", min_length=1, description="As shown when you create an issue in this project"
    )

    @field_validator("site")
    @classmethod
    def _only_the_name(cls, site: str) -> str:
        name = re.sub(r"^https?://", "", site).split("/")[0].removesuffix(".atlassian.net")
        if not re.fullmatch(r"[A-Za-z0-9-]*", name):
            raise ValueError("should be one word such as acme, the part before .atlassian.net")
        return name

    @model_validator(mode="after")
    def _has_an_address(self) -> "Config":
        if not self.site and self.base_url is None:
            raise ValueError("Site is missing: the part before .atlassian.net in your browser's address bar")
        return self


class Connector:
    label: ClassVar[str] = "Jira"
    docs: ClassVar[str] = "https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/"
    CAN: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.IDEMPOTENT_CREATE}
    EXACTLY_ONCE: ClassVar[str] = (
        "Jira takes no idempotency key, so each issue carries the task's key as a label, and after an uncertain end "
        "that label is searched, twice because the search lags, before anything is created again. "
        "https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/"
    )
    RATE_PER_S: ClassVar[float | None] = None  # burst limits are announced in the headers only
    # Apps that sign in by consent cannot set webhooks that are signed with a secret, and Atlassian does not want
    # customers to make such apps of their own: https://developer.atlassian.com/cloud/jira/software/oauth-2-3lo-apps/
    CONSENT: ClassVar[Consent | None] = None
    HOOK_STEPS: ClassVar[tuple[str, ...]] = (  # for users who are no administrators; `set_hook` tells them
        "Let a Jira administrator open Settings, System, WebHooks and choose Create a WebHook.",
        "Enter {url} as URL, choose Generate secret, copy it into the field 'Webhook secret' on Destinations and save.",
        "Enter project = {project} as JQL, tick Issue updated, Issue deleted and Comment created, and choose Create.",
    )

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, tokens: TokenStore | None = None):
        self.config = config
        self.transport = transport
        self.site = f"https://{config.site}.atlassian.net" if config.site else config.base_url
        self.address = config.base_url or self.site

    @cached_property
    def api(self) -> ApiClient:
        token = self.config.token.get_secret_value()
        return ApiClient(
            self.label, self.address, auth=(self.config.email, token), transport=self.transport, error_of=error_of,
            secrets=(token,),
        )  # fmt: skip

    @cached_property
    def project(self) -> Project:
        return Project(self.api, self.config.project, self.config.issue_type)

    def check(self) -> str:
        name = answered(self.label, self.api.call("GET", f"{API}/myself"), "displayName")
        self.project.issue_type_id()
        return name

    def targets(self) -> list[Target]:
        return [
            Target(f"{project.get('name')} ({project['key']})", {"project": project["key"]})
            for project in self.project.pages(f"{API}/project/search", "values")
        ]

    def fields(self) -> list[RemoteField]:
        return [remote_field(described) for described in self.project.fields()]

    def people(self) -> list[Person]:
        return self.project.people()

    def create(self, task: Task) -> TaskRef:
        fields = {"project": {"key": self.config.project}, "issuetype": {"name": self.config.issue_type}}
        fields |= self._content(task) | {"labels": labels_of(task)}
        made = self.api.call("POST", f"{API}/issue", json={"fields": fields})
        return ref_of(answered(self.label, made, "key"), self.site)

    def find(self, key: str) -> TaskRef | None:
        found = self.project.search(f"labels = {quoted(label_of(key))} AND {self.project.jql}")
        return next(map(self._ref, found), None)

    def update(self, ref: TaskRef, task: Task) -> None:
        """Labels stay as they are: people may have changed them."""
        self.api.call("PUT", f"{API}/issue/{ref.id}", json={"fields": self._content(task)})

    def comment(self, ref: TaskRef, text: str, key: str) -> None:
        """Jira takes no key here: a comment whose end was uncertain may appear twice."""
        wanted = {"body": document(clipped(text, LONGEST_TEXT))}
        self.api.call("POST", f"{API}/issue/{ref.id}/comment", json=wanted)

    def transition(self, ref: TaskRef, status: TaskStatus) -> None:
        """Over the statuses between, where the workflow has no direct way. Closed is closed: done or cancelled."""
        now = inside(self._issue(ref), "fields", "status")
        passed, path = {inside(now, "id")}, f"{API}/issue/{ref.id}/transitions"
        while (status_of(now) in CLOSED) is not (status in CLOSED):
            if len(passed) > MOST_STEPS:
                raise Rejected(
                    f"Jira's workflow takes more than {MOST_STEPS} steps to '{status}'; the issue was left in "
                    f"'{inside(now, 'name')}'. Move it in Jira.",
                    "status",
                )
            answer = self.api.call("GET", path, params={"expand": "transitions.fields"})
            step = step_to(status, rows(self.label, answer, "transitions"), passed)
            self.api.call("POST", path, json=transition_of(step, status))
            now = inside(step, "to")
            passed.add(inside(now, "id"))

    def status(self, ref: TaskRef) -> TaskRef:
        return ref_of(ref.id, self.site, self._issue(ref))

    def comments(self, ref: TaskRef) -> list[RemoteComment]:
        return [
            comment_of(one)
            for one in self.project.pages(f"{API}/issue/{ref.id}/comment", "comments", orderBy="created")
        ]

    def changes(self, since: datetime) -> Iterable[TaskRef]:
        """Moved and deleted issues are left out: that shows when their own status is asked.

        JQL compares times by the minute, and reads written ones in the user's own time zone; milliseconds have none.
        """
        since_ms = int(since.timestamp()) // 60 * 60_000
        for ref in map(self._ref, self.project.search(f"{self.project.jql} AND updated >= {since_ms}")):
            if ref.changed_at is None or ref.changed_at >= since:
                yield ref

    def set_hook(self, url: str) -> dict[str, str]:
        if self.project.lacking("ADMINISTER"):
            steps = " ".join(self.HOOK_STEPS).replace("{url}", url).replace("{project}", self.config.project)
            raise Refused(f"Only Jira administrators may set webhooks, and this user is none; none was set. {steps}")
        secret = secrets.token_urlsafe(32)
        self.project.set_hook(url, secret)
        return {"hook_secret": secret}

    def verify_hook(self, request: RawRequest, now: float) -> None:
        """Source: https://developer.atlassian.com/cloud/jira/platform/webhooks/ (Secure admin webhooks).

        No time is signed.
        """
        secret, sent = self.config.hook_secret.get_secret_value(), request.headers.get("x-hub-signature", "")
        if not secret:  # anybody can sign with an empty one
            sent = ""
        check_hmac_sha256(self.label, sent, secret, request.body, "sha256=", "X-Hub-Signature header")

    def answer_hook(self, request: RawRequest) -> Answer:
        return Answer()

    @walks_the_body
    def changed(self, request: RawRequest) -> tuple[str, ...]:
        event = json_object(self.label, request.body)
        if not event["webhookEvent"].startswith(("jira:issue_", "comment_")):
            return ()  # a sprint, version, user: whatever else an administrator ticked
        return (identifier(event["issue"]["key"]),)

    def _issue(self, ref: TaskRef) -> dict[str, Any]:
        issue = self.api.call("GET", f"{API}/issue/{ref.id}", params={"fields": ",".join(ISSUE)})
        answered(self.label, issue, "key")  # else an empty answer would look like a new issue
        return issue

    def _ref(self, issue: dict[str, Any]) -> TaskRef:
        return ref_of(answered(self.label, issue, "key"), self.site, issue)

    def _content(self, task: Task) -> dict[str, Any]:
        described = self.project.fields() if has_custom_fields(task) else []
        return content_of(task, described, self.project.account_id)
