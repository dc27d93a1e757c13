"""Every service, asked from another workspace for what is ours, gets nothing and changes nothing."""

import importlib
import inspect
import pkgutil
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import NoResultFound, ProgrammingError
from sqlmodel import SQLModel

import app.services
from app.classify.quality import Judged
from app.db import work
from app.db.engine import in_system, in_workspace
from app.db.releases import COPIED
from app.db.tables import Category, Destination, Membership, NewTopic, Person
from app.db.tables.base import now
from app.domain.errors import OctopusError
from app.domain.tickets_file import Columns, Table, Ticket
from app.services import (
    api_keys,
    connections,
    consent,
    deliveries,
    examples,
    inbox,
    invitations,
    members,
    memberships,
    release_content,
    releases,
    service_report,
    taxonomy,
    webhooks,
)
from app.services.audit import Wanted
from app.services.examples import Found
from app.services.learning import LocalSettings
from app.services.members import Actor, Role
from tests.kit import Kit

OURS = "zebra-crossing"  # stands in everything of ours that a neighbour could read
# Pure, or given rows that their callers have read inside a workspace already.
NOT_ASKED = {
    "circuits.check", "circuits.failed", "circuits.succeeded", "connections.new_bot", "members.require",
    "planning.carry_out", "planning.take_back", "preview.request", "preview.task", "review_queue.may_decide",
    "secrets.opened", "secrets.seal", "secrets.unseal", "audit.record",
}  # fmt: skip
REFUSALS = (OctopusError, NoResultFound, ProgrammingError)


def services() -> list[str]:
    """Every public function that acts for somebody or in a workspace."""
    found = []
    for module in pkgutil.iter_modules(app.services.__path__):
        loaded = importlib.import_module(f"app.services.{module.name}")
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            asks = {"actor", "workspace_id"} & inspect.signature(function).parameters.keys()
            if asks and function.__module__ == loaded.__name__ and not name.startswith("_"):
                found.append(f"{module.name}.{name}")
    return [name for name in found if name not in NOT_ASKED]


def _member(workspace_id, name: str) -> UUID:
    """Make an owner of the workspace; returns the id."""
    with in_system() as session:
        person = Person(email=f"{name}-{uuid4().hex[:8]}@acme.test", name=name, password_hash="")
        session.add(person)
        session.flush()
        session.add(Membership(person_id=person.id, workspace_id=workspace_id, role=Role.OWNER))
    return person.id


@pytest.fixture
def ours(kit: Kit):
    """A workspace with something of everything, and what a neighbour would name to get at it."""
    kit.vendor("jira")
    kit.route("jira", when={"category": ["bug"]})
    kit.say(f"#bug {OURS}")
    kit.say(f"what about {OURS}", chat=2)
    [(message,)] = kit.sql("select id from message where status = 'routed'")
    [(open_message,)] = kit.sql("select id from message where status = 'needs_review'")
    [delivery] = kit.sql("select id, destination_id from delivery")
    [(event,)] = kit.sql("select id from raw_event limit 1")
    [bot] = connections.bots(kit.workspace_id)
    owner = Actor(uuid4(), "mia@acme.test", Role.OWNER, kit.workspace_id)
    linear = connections.save_destination(
        owner, "linear", "linear", {"client_id": OURS, "client_secret": OURS, "team": OURS}
    )
    state = consent.begin(owner, linear.id).partition("state=")[2].partition("&")[0]
    api_key, _key = api_keys.create(owner, OURS, ["read"])
    old = Found((Ticket(2, OURS, "bug"),), (), 1, 0, 0, {"bug": 1})
    taxonomy.save_category(owner, "zebra", OURS)
    discarded = releases.discard(owner)
    releases.restore(owner, discarded)
    nothing = release_content.nothing()
    topic = NewTopic(workspace_id=kit.workspace_id, words=[OURS], message_ids=[str(open_message)])
    kit._add(topic)
    brought = examples.bring_in(owner, f"{OURS}.csv", old, {"bug": "bug"}, {})
    kit.sql("update contact set name = %(name)s", name=OURS)
    person_id = _member(kit.workspace_id, OURS)
    sign_in = members.create_session(person_id, OURS, OURS)
    told, _secret = webhooks.add(owner, f"http://127.0.0.1:9/{OURS}", ["message.classified"], OURS)
    test = webhooks.send_test(owner, told.id)
    connections.save_bot(owner, "shop", "api", {})
    invitation, _token = invitations.invite(
        Actor(person_id, "mia@acme.test", Role.OWNER, kit.workspace_id), f"new-{OURS}@acme.test", "agent"
    )
    return kit, {
        "message_id": open_message, "message_ids": [message, open_message], "delivery_ids": [delivery.id],
        "deliveries": [delivery.id], "event_ids": [event, test.id], "destination_id": linear.id, "key": "jira",
        "version_id": uuid4(), "table": Category,
        "row": Category(workspace_id=kit.workspace_id, key="zebra", name=OURS, position=9),
        "removed": connections.Removed(Destination(**linear.model_dump()), True), "state": state, "code": "1",
        "bot_id": bot.id, "category": "bug", "suggestion": "bug", "values": {}, "connector": "linear", "to": 0,
        "channel": "telegram", "name": "Bug", "when": {"text_contains": OURS}, "then": {"category": "bug"},
        "strategy": "failover", "destinations": ["jira"], "settings": LocalSettings(), "zone": "UTC",
        "ops": [{"op": "decide", "n": "1", "id": str(open_message), "category": None}],
        "budget_usd": 1.0, "days": 30, "scopes": ["read"], "key_id": api_key.id, "ids": [delivery.id], "text": "Hello",
        "conversation_id": kit.sql("select id from conversation limit 1")[0].id,
        "import_id": brought.id, "file": Table(["text", "label"], [(2, ["It crashed", "bug"])]),
        "columns": Columns("text", "label"), "file_name": "old.csv", "found": old, "meanings": {"bug": "bug"},
        "added": {}, "topic_id": topic.id, "judged": [Judged(message, now(), "billing", 0.9, "bug", 1.0)],
        "schema": "draft", "before": nothing, "after": nothing, "author": "noa@neighbour.test",
        "discarded": discarded, "number": 1, "noun": "category",
        "column": "actor", "person_id": person_id, "session_id": sign_in, "role": "viewer",
        "email": "new@neighbour.test", "invitation_id": invitation.id, "words": OURS, "limits": {"texts": 1},
        "contact_id": kit.sql("select id from contact limit 1")[0].id,
        "gone": memberships.Removed(kit.workspace_id, person_id, f"{OURS}@acme.test", Role.VIEWER),
        "hidden": True, "endpoint_id": told.id, "event_id": test.id, "since": now(), "deleted": told,
        "bot_key": "shop", "content": {"id": "1", "sender_id": "1", "text": OURS},
        "task_id": work.task_id(message, "bugs"), "raw_event_id": event, "delivery_id": delivery.id, "source": "rule",
        "hours": 24, "bucket_h": 1,
        "url": "https://neighbour.test/told", "events": ["message.classified"], "enabled": False,
    }  # fmt: skip


def arguments(function, given: dict, actor: Actor, session) -> dict:
    wanted = {"inbox": inbox.Filter, "deliveries": deliveries.Filter, "audit": Wanted, "learning": LocalSettings,
              "service_report": service_report.Filter}  # fmt: skip
    of_module = wanted.get(function.__module__.rpartition(".")[2])
    known = given | {"actor": actor, "workspace_id": actor.workspace_id, "session": session}
    known |= {"wanted": of_module()} if of_module else {}
    known |= {"settings": {}} if function.__name__ == "follow" else {}
    return {
        name: known[name]
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty
    }


def everything(workspace_id) -> dict[str, str]:
    """A fingerprint of each table's rows of the workspace."""
    tables = [name for name, table in SQLModel.metadata.tables.items() if "workspace_id" in table.columns]
    tables += [f"draft.{name}" for name, column in COPIED.items() if column == "workspace_id"]
    with in_system() as session:
        return {
            name: session.connection().exec_driver_sql(
                f"select md5(coalesce(string_agg(t::text, '' order by t::text), '')) from {name} t "
                "where workspace_id = %(id)s", {"id": workspace_id},
            ).scalar_one()
            for name in tables
        }  # fmt: skip


@pytest.mark.parametrize("name", services())
def test_a_neighbour_gets_nothing_and_changes_nothing(name, ours, neighbour):
    kit, given = ours
    module, _, function_name = name.partition(".")
    function = getattr(importlib.import_module(f"app.services.{module}"), function_name)
    actor = Actor(_member(neighbour.workspace_id, "noa"), "noa@neighbour.test", Role.OWNER, neighbour.workspace_id)
    before = everything(kit.workspace_id)

    with in_workspace(neighbour.workspace_id) as session:
        asked = arguments(
            function, given, actor, session if "session" in inspect.signature(function).parameters else None
        )
    try:
        with in_workspace(neighbour.workspace_id) as session:
            answer = function(**asked | ({"session": session} if "session" in asked else {}))
    except REFUSALS as refusal:
        answer = refusal

    assert OURS not in repr(answer)
    assert everything(kit.workspace_id) == before
