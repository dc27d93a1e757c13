"""Signing in, sessions, and who may do what."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import bcrypt
import psycopg
import pytest
from sqlalchemy.engine import make_url

from app.db.engine import engine, in_system
from app.db.migrate import upgrade
from app.db.tables import Workspace
from app.domain.errors import Forbidden, InvalidInput
from app.services import audit, members
from app.services.members import Actor, Role, SignInRefused
from app.settings import settings

NEW = "a sentence of mine"
USUAL_STRENGTH = bcrypt.gensalt()[:7]


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    """Cost 4 instead of 12: a hash takes a millisecond, not a quarter of a second."""
    real = bcrypt.gensalt
    monkeypatch.setattr(bcrypt, "gensalt", lambda: real(4))


@pytest.fixture
def key(workspace):
    with in_system() as session:
        return session.get_one(Workspace, workspace).key


@pytest.fixture
def mia(key):
    """(e-mail, first password) of a manager."""
    email = f"mia-{uuid4().hex[:8]}@acme.test"
    return email, members.add_user(email, "manager", key, "Mia Chen")


def set_person(email: str, change: str) -> None:
    with in_system() as session:
        session.connection().exec_driver_sql(f"update person set {change} where email = %(email)s", {"email": email})


def fail(email: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(SignInRefused):
            members.sign_in(email, "not the password")


# ---- signing in


def test_the_right_password_signs_in_and_must_be_changed_first(mia):
    email, password = mia

    person = members.sign_in(f" {email.upper()} ", password)

    assert (person.email, person.name, person.must_change_password) == (email, "Mia Chen", True)


def test_the_fifth_wrong_password_locks_the_account_even_for_the_right_one(mia):
    email, password = mia
    fail(email, 4)
    members.sign_in(email, password)  # the count starts again
    fail(email, 5)

    with pytest.raises(SignInRefused):
        members.sign_in(email, password)


def test_the_lock_opens_by_itself(mia):
    email, password = mia
    fail(email, 5)

    set_person(email, "locked_until = now() - interval '1 second'")

    assert members.sign_in(email, password).email == email


def test_wrong_passwords_tried_at_once_are_all_counted(mia):
    email, password = mia

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: fail(email, 1), range(5)))

    with pytest.raises(SignInRefused):
        members.sign_in(email, password)


def test_wrong_unknown_and_locked_say_the_same(mia):
    said = []
    for email in (mia[0], "nobody@acme.test", mia[0]):
        with pytest.raises(SignInRefused) as refused:
            members.sign_in(email, "not the password")
        said.append(str(refused.value))
        set_person(mia[0], "locked_until = now() + interval '1 hour'")

    assert len(set(said)) == 1


def test_an_unknown_address_costs_one_hash_of_the_usual_strength_like_a_known_one(mia, monkeypatch):
    checked, made = [], []
    monkeypatch.setattr(bcrypt, "checkpw", lambda _password, hashed: checked.append(hashed) or False)
    monkeypatch.setattr(bcrypt, "hashpw", lambda *_: made.append(1))

    fail("nobody@acme.test", 1)
    fail(mia[0], 1)

    assert len(checked) == 2 and made == []
    assert checked[0].startswith(USUAL_STRENGTH)


def test_a_password_longer_than_bcrypt_reads_is_refused_and_not_cut(mia):
    person = members.sign_in(*mia)

    with pytest.raises(InvalidInput) as too_long:
        members.change_password(person.id, mia[1], "ü" * 37)
    members.change_password(person.id, mia[1], "ü" * 36)

    assert too_long.value.field == "new" and "72" in str(too_long.value)
    assert members.sign_in(mia[0], "ü" * 36).id == person.id
    with pytest.raises(SignInRefused):
        members.sign_in(mia[0], "ü" * 36 + "more")


# ---- sessions


def test_a_session_is_valid_for_its_person_until_it_is_revoked(mia):
    person = members.sign_in(*mia)
    session_id = str(members.create_session(person.id))

    before = members.session_valid(session_id, mia[0]), members.session_valid(session_id, "other@acme.test")
    members.revoke_session(session_id)

    assert before == (True, False)
    assert not members.session_valid(session_id, mia[0])
    assert not members.session_valid("not an id", mia[0])


def test_a_session_expires(mia):
    person = members.sign_in(*mia)
    session_id = members.create_session(person.id)

    with in_system() as session:
        session.connection().exec_driver_sql(
            "update login_session set expires_at = now() - interval '1 second' where id = %(id)s", {"id": session_id}
        )

    assert not members.session_valid(str(session_id), mia[0])
    assert members.sessions_of(person.id) == []


def test_changing_the_password_ends_the_sessions_and_the_duty_to_change_it(mia):
    person = members.sign_in(*mia)
    session_id = str(members.create_session(person.id))

    members.change_password(person.id, mia[1], NEW)

    assert not members.session_valid(session_id, mia[0])
    assert members.sign_in(mia[0], NEW).must_change_password is False


@pytest.mark.parametrize(("old", "new", "field"), [("wrong", NEW, "old"), (None, "short", "new"), (None, None, "new")])
def test_a_password_that_cannot_be_changed_names_the_field(mia, old, new, field):
    person = members.sign_in(*mia)

    with pytest.raises(InvalidInput) as refused:
        members.change_password(person.id, old or mia[1], new or mia[1])

    assert refused.value.field == field


def test_a_reset_gives_a_new_password_opens_the_lock_and_ends_the_sessions(mia):
    email, old = mia
    session_id = str(members.create_session(members.sign_in(email, old).id))
    fail(email, 5)

    new = members.reset_password(email)

    assert members.sign_in(email, new).must_change_password
    assert not members.session_valid(session_id, email)
    with pytest.raises(SignInRefused):
        members.sign_in(email, old)


def test_nobody_can_be_reset_who_does_not_exist(database):
    with pytest.raises(InvalidInput, match="nobody@acme.test"):
        members.reset_password("nobody@acme.test")


# ---- members


def test_somebody_with_an_account_joins_another_workspace_with_the_same_password(mia, neighbour):
    with in_system() as session:
        other = session.get_one(Workspace, neighbour.workspace_id).key

    assert members.add_user(mia[0], "viewer", other) is None

    person = members.sign_in(*mia)
    assert {(row.key, role) for row, role in members.workspaces_of(person.id)} >= {(other, Role.VIEWER)}
    assert len(members.workspaces_of(person.id)) == 2


def test_a_changed_role_is_audited_with_the_one_before(mia, key, workspace):
    members.add_user(mia[0].upper(), "agent", key)

    newest, first = audit.entries(workspace, audit.Wanted(noun="member", key=mia[0]))
    assert (first.action, first.before, first.after) == ("add", None, {"role": "manager"})
    assert (newest.action, newest.before, newest.after) == ("change", {"role": "manager"}, {"role": "agent"})


@pytest.mark.parametrize(
    ("email", "role", "workspace_key", "field"),
    [("a@b.test", "king", "", "role"), ("nobody", "agent", "", "email"), ("a@b.test", "agent", "nowhere", "workspace")],
)
def test_a_member_that_cannot_be_added_names_the_field(key, email, role, workspace_key, field):
    with pytest.raises(InvalidInput) as refused:
        members.add_user(email, role, workspace_key or key)

    assert refused.value.field == field
    assert members.person(email) is None


def test_a_role_includes_those_below_it_and_none_above():
    for place, role in enumerate(Role):
        allowed = []
        for asked in Role:
            try:
                members.require(Actor(None, "a@b.test", role, uuid4()), asked)
                allowed.append(asked)
            except Forbidden:
                pass
        assert allowed == list(Role)[place:]


# ---- the first start


@pytest.fixture
def empty_installation(services, database, monkeypatch):
    """A migrated database without a person or a workspace."""
    name = f"empty_{uuid4().hex[:8]}"
    with psycopg.connect(services.database_url, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    url = make_url(services.database_url).set(database=name).render_as_string(hide_password=False)
    upgrade(url)
    monkeypatch.setenv("DATABASE_URL", url)
    settings.cache_clear()
    engine.cache_clear()
    yield
    engine().dispose()
    monkeypatch.undo()
    settings.cache_clear()
    engine.cache_clear()


def test_the_first_start_makes_a_workspace_and_an_owner_and_the_second_nobody(empty_installation):
    email, password = members.ensure_first_owner()

    person = members.sign_in(email, password)
    [(workspace, role)] = members.workspaces_of(person.id)
    assert (workspace.key, role, person.must_change_password) == ("main", Role.OWNER, True)
    assert members.ensure_first_owner() is None


def test_the_first_owner_gets_the_workspace_that_a_file_made(empty_installation):
    with in_system() as session:
        session.add(Workspace(key="acme", name="Acme"))

    email, _ = members.ensure_first_owner()

    assert [row.key for row, _role in members.workspaces_of(members.person(email).id)] == ["acme"]
