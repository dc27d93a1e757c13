"""Who belongs to a workspace, and how people join it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import bcrypt
import pytest

from app.db.engine import in_system
from app.db.tables import Membership, Person
from app.db.tables.base import now
from app.db.tables.people import Role
from app.domain.errors import Forbidden, InvalidInput, NotFound, OctopusError
from app.services import audit, invitations, members, memberships
from app.services.members import Actor

PASSWORD = "a sentence of mine"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    real = bcrypt.gensalt
    monkeypatch.setattr(bcrypt, "gensalt", lambda: real(4))


@pytest.fixture
def member(workspace):
    """Make a member; returns them as an actor."""

    def make(role: Role, name: str = "") -> Actor:
        person = Person(email=f"{role}-{uuid4().hex[:8]}@acme.test", name=name, password_hash=members.hashed(PASSWORD))
        with in_system() as session:
            session.add(person)
            session.flush()
            session.add(Membership(person_id=person.id, workspace_id=workspace, role=role))
        return Actor(person.id, person.email, role, workspace)

    return make


@pytest.fixture
def owner(member):
    return member(Role.OWNER)


def role_of(who: Actor) -> Role | None:
    found = {row.person_id: row.role for row in memberships.listed(who.workspace_id)}
    return found.get(who.person_id)


def audited(workspace) -> list[tuple]:
    rows = audit.entries(workspace, audit.Wanted())
    return [(row.actor, row.action, row.noun, row.key, row.before, row.after) for row in rows]


# ---- roles


def test_members_are_listed_from_the_most_to_the_least_powerful_then_by_name(member):
    made = [member(Role.VIEWER, "Zoe"), member(Role.OWNER, "Noa"), member(Role.AGENT, "ben"), member(Role.AGENT, "Ann")]

    found = memberships.listed(made[0].workspace_id)

    assert [(row.name, row.role) for row in found] == [
        ("Noa", "owner"), ("Ann", "agent"), ("ben", "agent"), ("Zoe", "viewer")
    ]  # fmt: skip


def test_a_changed_role_counts_and_is_audited(owner, member):
    ann = member(Role.AGENT)

    memberships.change_role(owner, ann.person_id, "manager")

    assert role_of(ann) == Role.MANAGER
    assert audited(owner.workspace_id) == [
        (owner.email, "change", "member", ann.email, {"role": "agent"}, {"role": "manager"})
    ]


@pytest.mark.parametrize("act", ["demote", "remove"])
def test_the_last_owner_stays(owner, act):
    with pytest.raises(InvalidInput, match="last owner"):
        if act == "demote":
            memberships.change_role(owner, owner.person_id, "viewer")
        else:
            memberships.remove(owner, owner.person_id)

    assert role_of(owner) == Role.OWNER
    assert audited(owner.workspace_id) == []


def test_two_owners_who_demote_each_other_at_once_leave_one(owner, member):
    pairs = [(owner, other := member(Role.OWNER)), (other, owner)]

    def demote(pair):
        try:
            memberships.change_role(pair[0], pair[1].person_id, "viewer")
        except OctopusError as refused:
            return refused

    with ThreadPoolExecutor(2) as pool:
        refusals = [answer for answer in pool.map(demote, pairs) if answer]

    assert len(refusals) == 1
    assert [row.role for row in memberships.listed(owner.workspace_id)].count(Role.OWNER) == 1


def test_nobody_gives_a_role_above_their_own_nor_touches_who_has_one(owner, member):
    manager, agent = member(Role.MANAGER), member(Role.AGENT)
    refused = [
        lambda: memberships.change_role(manager, manager.person_id, "owner"),
        lambda: memberships.change_role(manager, owner.person_id, "viewer"),
        lambda: memberships.remove(manager, owner.person_id),
        lambda: memberships.restore(
            manager, memberships.Removed(manager.workspace_id, uuid4(), "x@acme.test", Role.OWNER)
        ),
        lambda: invitations.invite(manager, "new@acme.test", "owner"),
        lambda: invitations.invite(agent, "new@acme.test", "viewer"),
        lambda: memberships.change_role(agent, agent.person_id, "agent"),
        lambda: memberships.sessions(manager, agent.person_id),
        lambda: memberships.sign_out(manager, agent.person_id),
    ]

    for act in refused:
        with pytest.raises(Forbidden):
            act()

    assert (role_of(owner), role_of(manager), role_of(agent)) == (Role.OWNER, Role.MANAGER, Role.AGENT)
    assert audited(owner.workspace_id) == []


def test_a_removed_member_is_outside_at_once_and_comes_back_with_the_same_role(owner, member):
    ann = member(Role.AGENT)

    removed = memberships.remove(owner, ann.person_id)
    assert members.workspaces_of(ann.person_id) == []
    memberships.restore(owner, removed)
    memberships.restore(owner, removed)  # pressed twice

    assert role_of(ann) == Role.AGENT
    assert [entry[1] for entry in audited(owner.workspace_id)] == ["restore", "delete"]


def test_a_removal_of_another_workspace_is_not_undone_here(owner, member, neighbour):
    removed = memberships.remove(owner, member(Role.AGENT).person_id)

    with pytest.raises(NotFound):
        memberships.restore(neighbour, removed)

    assert memberships.listed(neighbour.workspace_id) == []


# ---- where people are signed in


def test_an_owner_sees_a_members_sign_ins_and_ends_one_of_them(owner, member):
    ann = member(Role.AGENT)
    kept, ended = (members.create_session(ann.person_id, ip, "Firefox/1") for ip in ("203.0.113.7", "203.0.113.8"))

    assert {row.ip for row in memberships.sessions(owner, ann.person_id)} == {"203.0.113.7", "203.0.113.8"}
    memberships.sign_out(owner, ann.person_id, ended)

    assert [row.id for row in memberships.sessions(owner, ann.person_id)] == [kept]
    assert not members.session_valid(str(ended), ann.email)
    assert [entry[:4] for entry in audited(owner.workspace_id)] == [(owner.email, "sign_out", "member", ann.email)]


def test_a_sign_in_of_somebody_else_cannot_be_ended_through_a_member(owner, member):
    ann, ben = member(Role.AGENT), member(Role.AGENT)
    of_ben = members.create_session(ben.person_id)

    memberships.sign_out(owner, ann.person_id, of_ben)

    assert members.session_valid(str(of_ben), ben.email)


def test_a_visit_is_noted_at_most_once_a_minute(member):
    ann = member(Role.AGENT)
    session_id = members.create_session(ann.person_id)
    [made] = members.sessions_of(ann.person_id)
    members.session_valid(str(session_id), ann.email)
    [soon] = members.sessions_of(ann.person_id)
    with in_system() as session:
        session.connection().exec_driver_sql("update login_session set last_seen_at = now() - interval '2 minutes'")

    members.session_valid(str(session_id), ann.email)

    [later] = members.sessions_of(ann.person_id)
    assert soon.last_seen_at == made.last_seen_at
    assert now() - later.last_seen_at < timedelta(minutes=1)


# ---- invitations


def email() -> str:
    return f"new-{uuid4().hex[:8]}@acme.test"


def test_an_invited_person_makes_an_account_and_is_a_member_with_that_role(owner):
    address = email()
    row, token = invitations.invite(owner, f" {address.upper()} ", "agent")

    invited = invitations.look(token)
    person = invitations.accept_as_new(token, " Ann Li ", PASSWORD)

    assert (invited.workspace, invited.email, invited.role, invited.has_account) == (
        "Acme Support", address, Role.AGENT, False
    )  # fmt: skip
    assert (person.name, members.sign_in(address, PASSWORD).id) == ("Ann Li", person.id)
    assert [role for _workspace, role in members.workspaces_of(person.id)] == [Role.AGENT]
    assert invitations.waiting(owner.workspace_id) == []
    assert audited(owner.workspace_id) == [
        (address, "join", "member", address, None, {"role": "agent", "invited_by": owner.email}),
        (owner.email, "add", "invitation", address, None, {"role": "agent"}),
    ]


def test_the_token_is_nowhere_in_the_database(owner, sql):
    _row, token = invitations.invite(owner, email(), "agent")

    [(stored,)] = sql("select i::text || coalesce((select string_agg(a::text, '') from audit_entry a), '') "
                      "from invitation i")  # fmt: skip

    assert token not in stored


def test_a_link_lets_in_once(owner):
    _row, token = invitations.invite(owner, email(), "agent")
    invitations.accept_as_new(token, "Ann", PASSWORD)

    assert invitations.look(token) is None
    with pytest.raises(NotFound):
        invitations.accept_as_new(token, "Ben", PASSWORD)


def test_a_link_opened_twice_at_once_makes_one_account(owner):
    _row, token = invitations.invite(owner, email(), "agent")

    def accept(name):
        try:
            return invitations.accept_as_new(token, name, PASSWORD)
        except InvalidInput:
            return None

    with ThreadPoolExecutor(2) as pool:
        made = [person for person in pool.map(accept, ["Ann", "Ben"]) if person]

    assert len(made) == 1
    assert len(memberships.listed(owner.workspace_id)) == 2


@pytest.mark.parametrize("how", ["revoked", "expired", "unknown", "replaced", "inviter removed", "inviter demoted"])
def test_a_link_that_should_not_stand_opens_nothing(owner, member, sql, how):
    inviter, address = member(Role.MANAGER), email()
    row, token = invitations.invite(inviter, address, "manager")
    assert invitations.look(token)
    if how == "revoked":
        invitations.revoke(owner, row.id)
    elif how == "expired":
        sql("update invitation set expires_at = now() - interval '1 second'")
    elif how == "unknown":
        token = token[::-1]
    elif how == "replaced":
        invitations.invite(owner, address, "viewer")
    elif how == "inviter removed":
        memberships.remove(owner, inviter.person_id)
    else:
        memberships.change_role(owner, inviter.person_id, "agent")

    assert invitations.look(token) is None
    with pytest.raises(NotFound):
        invitations.accept_as_new(token, "Ann", PASSWORD)
    assert members.person(address) is None


def test_a_new_link_lives_seven_days_and_is_listed_until_then(owner):
    row, _token = invitations.invite(owner, email(), "agent")

    assert timedelta(days=7) - (row.expires_at - now()) < timedelta(minutes=1)
    assert [waiting.id for waiting in invitations.waiting(owner.workspace_id)] == [row.id]


def test_somebody_with_an_account_joins_with_it_and_nobody_else_can(owner, neighbour, workspace):
    address = email()
    row, token = invitations.invite(owner, address, "manager")
    other = invitations.accept_as_new(invitations.invite(owner, email(), "agent")[1], "Ben", PASSWORD)
    with in_system() as session:
        ann = Person(email=address, name="Ann", password_hash=members.hashed(PASSWORD))
        session.add(ann)

    assert invitations.look(token).has_account
    with pytest.raises(InvalidInput, match="has an account"):
        invitations.accept_as_new(token, "Somebody", PASSWORD)
    with pytest.raises(InvalidInput, match="is for"):
        invitations.accept(token, other.id)
    invitations.accept(token, ann.id)

    assert {row.email: row.role for row in memberships.listed(workspace)}[address] == Role.MANAGER
    assert members.sign_in(address, PASSWORD).id == ann.id


def test_a_member_is_not_invited_again(owner, member):
    with pytest.raises(InvalidInput, match="member already"):
        invitations.invite(owner, member(Role.AGENT).email, "owner")


@pytest.mark.parametrize(
    ("name", "password", "field"), [("", PASSWORD, "name"), ("n" * 81, PASSWORD, "name"), ("Ann", "short", "new")]
)
def test_an_account_that_cannot_be_made_names_the_field_and_the_link_still_stands(owner, name, password, field):
    _row, token = invitations.invite(owner, email(), "agent")

    with pytest.raises(InvalidInput) as refused:
        invitations.accept_as_new(token, name, password)

    assert refused.value.field == field
    assert invitations.look(token)


@pytest.mark.parametrize(("address", "role", "field"), [("nobody", "agent", "email"), ("a@b.test", "king", "role")])
def test_an_invitation_that_cannot_be_made_names_the_field(owner, address, role, field):
    with pytest.raises(InvalidInput) as refused:
        invitations.invite(owner, address, role)

    assert refused.value.field == field
