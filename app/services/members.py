"""People who can sign in, what they may do where, and their sessions."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import bcrypt
from sqlmodel import Session, col, select

from app.db.engine import in_system
from app.db.tables import LoginSession, Membership, Person, Workspace
from app.db.tables.base import now
from app.db.tables.people import Role
from app.domain.errors import Forbidden, InvalidInput, OctopusError
from app.services import audit

ATTEMPTS, LOCKED_FOR = 5, timedelta(minutes=15)
SESSION_DAYS = 7.0
SEEN_NOTED_EVERY = timedelta(minutes=1)  # a write per click would be one too many
LONGEST_USER_AGENT = 300
SHORTEST_PASSWORD, LONGEST_PASSWORD_BYTES = 10, 72  # bcrypt reads no further
FIRST_OWNER, FIRST_WORKSPACE = "owner@octopus.local", "main"
RANK = list(Role)
# Of a password nobody knows, at the strength of all others: an unknown address takes as long as a known one.
NOBODYS_HASH = b"$2b$12$z6oUycBIVR/h3.g/dOYeiur/sPuoXOUWL6rblI8Z9X0qi2BSi9xau"
WORDS = "abcdefghjkmnpqrstuvwxyz23456789"  # no character that looks like another


class SignInRefused(OctopusError):
    pass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, in which workspace, with which role."""

    person_id: UUID | None
    email: str
    role: Role
    workspace_id: UUID


def require(actor: Actor, role: Role) -> None:
    """Raises Forbidden unless the actor's role is `role` or a more powerful one."""
    if RANK.index(Role(actor.role)) > RANK.index(role):
        raise Forbidden(f"This needs the role {role}; yours is {actor.role}. Ask an owner of the workspace.")


# ---- signing in


def sign_in(email: str, password: str) -> Person:
    """Raises SignInRefused. Wrong, unknown and locked say and take the same: nobody learns who has an account."""
    found = _checked(email, password)
    if found is None:
        raise SignInRefused(
            f"The e-mail address or the password is not right. After {ATTEMPTS} wrong passwords an account is locked "
            f"for {LOCKED_FOR.seconds // 60} minutes."
        )
    return found


def _checked(email: str, password: str) -> Person | None:
    with in_system() as session:
        person = _by_email(session, email, lock=True)
        matches = _matches(password, person.password_hash.encode() if person else NOBODYS_HASH)
        if person is None or (person.locked_until and person.locked_until > now()):
            return None
        if not matches:
            person.failed_logins += 1
            if person.failed_logins >= ATTEMPTS:
                person.failed_logins, person.locked_until = 0, now() + LOCKED_FOR
            return None
        person.failed_logins, person.locked_until = 0, None
        return person


def create_session(person_id: UUID, ip: str = "", user_agent: str = "") -> UUID:
    """ip, user_agent: what the browser is known by, so that its person recognises it in a list."""
    row = LoginSession(
        person_id=person_id, expires_at=now() + timedelta(days=SESSION_DAYS), last_seen_at=now(), ip=ip,
        user_agent=user_agent[:LONGEST_USER_AGENT],
    )  # fmt: skip
    with in_system() as session:
        session.add(row)
    return row.id


def session_valid(session_id: str, email: str) -> bool:
    """Whether this sign-in still stands: not revoked, not expired, and of this person."""
    try:
        wanted = UUID(session_id)
    except ValueError:
        return False
    with in_system() as session:
        row = session.exec(
            select(LoginSession)
            .join(Person, col(Person.id) == col(LoginSession.person_id))
            .where(LoginSession.id == wanted, Person.email == email.lower())
        ).one_or_none()
        if row is None or row.revoked_at is not None or row.expires_at <= now():
            return False
        if row.last_seen_at is None or row.last_seen_at < now() - SEEN_NOTED_EVERY:
            row.last_seen_at = now()
        return True


def revoke_session(session_id: str) -> None:
    with in_system() as session:
        row = session.get(LoginSession, UUID(session_id))
        if row is not None and row.revoked_at is None:
            row.revoked_at = now()


def sessions_of(person_id: UUID) -> list[LoginSession]:
    """Sign-ins that still stand, newest first."""
    with in_system() as session:
        standing = (
            select(LoginSession)
            .where(LoginSession.person_id == person_id, col(LoginSession.revoked_at).is_(None))
            .where(LoginSession.expires_at > now())
            .order_by(col(LoginSession.id).desc())
        )
        return list(session.exec(standing))


def change_password(person_id: UUID, old: str, new: str) -> None:
    """Raises InvalidInput. Ends all of the person's sessions but those made afterwards."""
    with in_system() as session:
        person = session.get(Person, person_id)
        if person is None or not _matches(old, person.password_hash.encode()):
            raise InvalidInput("The present password is not right.", "old")
        if old == new:
            raise InvalidInput("The new password is the old one.", "new")
        person.password_hash, person.must_change_password = hashed(new), False
        _end_sessions(session, person_id)


def set_locale(person_id: UUID, locale: str) -> None:
    with in_system() as session:
        session.get_one(Person, person_id).locale = locale


# ---- who is who


def person(email: str) -> Person | None:
    with in_system() as session:
        return _by_email(session, email)


def workspaces_of(person_id: UUID) -> list[tuple[Workspace, Role]]:
    with in_system() as session:
        rows = session.exec(
            select(Workspace, Membership.role)
            .join(Membership, col(Membership.workspace_id) == col(Workspace.id))
            .where(Membership.person_id == person_id)
            .order_by(Workspace.name)
        )
        return [(workspace, Role(role)) for workspace, role in rows]


def colleagues(workspace_id: UUID) -> list[Person]:
    """Who may decide on messages of the workspace, by name."""
    with in_system() as session:
        deciding = [role for role in Role if RANK.index(role) <= RANK.index(Role.AGENT)]
        found = session.exec(
            select(Person).join(Membership, col(Membership.person_id) == col(Person.id))
            .where(Membership.workspace_id == workspace_id, col(Membership.role).in_(deciding))
            .order_by(col(Person.name), col(Person.email))
        )  # fmt: skip
        return list(found)


def ensure_first_owner() -> tuple[str, str] | None:
    """On an installation without people: make a workspace and its owner; returns the e-mail and the password."""
    with in_system() as session:
        if session.exec(select(Person.id).limit(1)).first() is not None:
            return None
        workspace = session.exec(select(Workspace).order_by(col(Workspace.id)).limit(1)).first()
        if workspace is None:
            workspace = Workspace(key=FIRST_WORKSPACE, name="My workspace")
            session.add(workspace)
            session.flush()
        _, password = _add(session, FIRST_OWNER, Role.OWNER, workspace, "")
        return FIRST_OWNER, password


def add_user(email: str, role: str, workspace_key: str, name: str = "") -> str | None:
    """Make somebody a member; returns the first password, or None when the person had an account already."""
    if role not in list(Role):
        raise InvalidInput(f"There is no role '{role}'. Use one of: {', '.join(Role)}.", "role")
    if "@" not in email.strip("@ "):
        raise InvalidInput(f"'{email}' is not an e-mail address.", "email")
    with in_system() as session:
        workspace = session.exec(select(Workspace).where(Workspace.key == workspace_key)).one_or_none()
        if workspace is None:
            known = ", ".join(session.exec(select(Workspace.key).order_by(Workspace.key))) or "none yet"
            raise InvalidInput(f"There is no workspace '{workspace_key}'. Known: {known}.", "workspace")
        before, password = _add(session, email, Role(role), workspace, name)
        if before != role:
            audit.record(
                session, "cli", workspace.id, "change" if before else "add", "member", email.strip().lower(),
                {"role": before} if before else None, {"role": role},
            )  # fmt: skip
        return password


def reset_password(email: str) -> str:
    """Give the person a new first password and end their sessions; returns it."""
    with in_system() as session:
        found = _by_email(session, email, lock=True)
        if found is None:
            raise InvalidInput(f"Nobody signs in as '{email}'.", "email")
        password = _new_password()
        found.password_hash, found.must_change_password = hashed(password), True
        found.failed_logins, found.locked_until = 0, None
        _end_sessions(session, found.id)
        return password


def _end_sessions(session: Session, person_id: UUID) -> None:
    for row in session.exec(select(LoginSession).where(LoginSession.person_id == person_id)):
        row.revoked_at = row.revoked_at or now()


def _add(session: Session, email: str, role: Role, workspace: Workspace, name: str) -> tuple[str | None, str | None]:
    """Returns the role the person had here before, if any, and the first password of a new account."""
    found, password = _by_email(session, email), None
    if found is None:
        password = _new_password()
        found = Person(
            email=email.strip().lower(), name=name, password_hash=hashed(password), must_change_password=True
        )
        session.add(found)
        session.flush()
    membership = session.get(Membership, (found.id, workspace.id))
    if membership is None:
        session.add(Membership(person_id=found.id, workspace_id=workspace.id, role=role))
        return None, password
    before, membership.role = membership.role, role
    return before, password


def _by_email(session: Session, email: str, lock: bool = False) -> Person | None:
    query = select(Person).where(Person.email == email.strip().lower())
    return session.exec(query.with_for_update() if lock else query).one_or_none()


# ---- passwords


def hashed(password: str) -> str:
    """For storing. Raises InvalidInput (field `new`) for one that is too short or too long."""
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInput(f"The password needs at least {SHORTEST_PASSWORD} characters.", "new")
    if len(password.encode()) > LONGEST_PASSWORD_BYTES:
        raise InvalidInput(f"The password may hold {LONGEST_PASSWORD_BYTES} bytes; this one is longer.", "new")
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()


def _matches(password: str, hashed: bytes) -> bool:
    """A password too long for bcrypt is compared as well, so that it takes as long, and never matches."""
    typed = password.encode()
    return bcrypt.checkpw(typed[:LONGEST_PASSWORD_BYTES], hashed) and len(typed) <= LONGEST_PASSWORD_BYTES


def _new_password() -> str:
    return "-".join("".join(secrets.choice(WORDS) for _ in range(5)) for _ in range(3))
