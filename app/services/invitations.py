"""Links with which people become members: one person each, once, within a week.

The link holds 256 random bits, of which only the SHA-256 is kept. An invitation is for one e-mail address, so nobody
can make an account in somebody else's name with it, and it stands only while whoever gave it could still give it.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from app.db.engine import in_system, in_workspace
from app.db.tables import Invitation, Membership, Person, Workspace
from app.db.tables.base import now
from app.db.tables.people import Role
from app.domain.errors import Forbidden, InvalidInput, NotFound
from app.services import audit, members, memberships
from app.services.members import RANK, Actor, require
from app.settings import settings

LIVES = timedelta(days=7)
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Invited:
    """What an invitation that stands says to the one who opens it."""

    workspace_id: UUID
    workspace: str
    email: str
    role: Role
    has_account: bool


def link(token: str) -> str:
    return f"{settings().app_url}/?invite={token}"


# ---- giving


def invite(actor: Actor, email: str, role: str) -> tuple[Invitation, str]:
    """Returns the row and the token, which nobody can find out again. One that waited for the same address ends.

    Raises InvalidInput naming the field, Forbidden above the actor's own role.
    """
    wanted = memberships.known_role(role)
    memberships.require_giving(actor, wanted)
    address = email.strip().lower()
    if "@" not in address.strip("@") or " " in address:
        raise InvalidInput(f"'{address}' is not an e-mail address.", "email")
    if actor.person_id is None:
        raise Forbidden("Only a person can invite somebody.")
    token = secrets.token_urlsafe(32)
    with in_system() as session:
        if _is_member(session, address, actor.workspace_id):
            raise InvalidInput(f"{address} is a member already. Change the role in the list.", "email")
        for earlier in session.exec(_waiting(actor.workspace_id).where(Invitation.email == address)):
            earlier.revoked_at = now()
        row = Invitation(
            workspace_id=actor.workspace_id, email=address, role=wanted, token_hash=_hashed(token),
            invited_by=actor.person_id, expires_at=now() + LIVES,
        )  # fmt: skip
        session.add(row)
        audit.record(
            session, actor.email, actor.workspace_id, "add", "invitation", address, None, {"role": str(wanted)}
        )
    return row, token


def waiting(workspace_id: UUID) -> list[Invitation]:
    """Neither accepted, revoked nor expired, the newest first."""
    with in_workspace(workspace_id) as session:
        return list(session.exec(_waiting(workspace_id).order_by(col(Invitation.id).desc())))


def revoke(actor: Actor, invitation_id: UUID) -> None:
    """From now on the link opens nothing. Twice is as good as once."""
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        row = session.exec(select(Invitation).where(Invitation.id == invitation_id).with_for_update()).one_or_none()
        if row is None:
            raise NotFound("There is no such invitation any more.", "invitation")
        if row.accepted_at is not None:
            raise InvalidInput(f"{row.email} has joined already. Remove the member instead.", "invitation")
        if row.revoked_at is None:
            row.revoked_at = now()
            audit.record(
                session, actor.email, actor.workspace_id, "revoke", "invitation", row.email, {"role": row.role}
            )


# ---- accepting


def look(token: str) -> Invited | None:
    """None when the link opens nothing (any more); why not is said to nobody."""
    with in_system() as session:
        row = _standing(session, token)
        if row is None:
            return None
        name = session.get_one(Workspace, row.workspace_id).name
        return Invited(row.workspace_id, name, row.email, Role(row.role), _person(session, row.email) is not None)


def accept_as_new(token: str, name: str, password: str | None) -> Person:
    """Make the account and the membership. password: None for somebody whom single sign-on lets in.

    Raises InvalidInput naming the field.
    """
    if not name.strip() or len(name.strip()) > LONGEST_NAME:
        raise InvalidInput(f"Say in at most {LONGEST_NAME} characters what you are called.", "name")
    hashed = members.hashed(secrets.token_urlsafe(32) if password is None else password)
    with in_system() as session:
        row = _required(session, token)
        if _person(session, row.email) is not None:
            raise InvalidInput(f"{row.email} has an account already. Sign in with it to join.", "email")
        person = Person(email=row.email, name=name.strip(), password_hash=hashed)
        session.add(person)
        session.flush()
        _join(session, row, person)
    return person


def accept(token: str, person_id: UUID) -> UUID:
    """Make somebody with an account a member; returns the workspace. Raises InvalidInput for another one's link."""
    with in_system() as session:
        row = _required(session, token)
        person = session.get_one(Person, person_id)
        if person.email != row.email:
            raise InvalidInput(
                f"This invitation is for {row.email}, and you are signed in as {person.email}. Nothing was changed.",
                "email",
            )
        _join(session, row, person)
        return row.workspace_id


def _join(session: Session, row: Invitation, person: Person) -> None:
    row.accepted_at = now()
    if session.get(Membership, (person.id, row.workspace_id)) is None:
        session.add(Membership(person_id=person.id, workspace_id=row.workspace_id, role=row.role))
        inviter = session.get_one(Person, row.invited_by)
        audit.record(
            session, person.email, row.workspace_id, "join", "member", person.email,
            None, {"role": row.role, "invited_by": inviter.email},
        )  # fmt: skip


def _required(session: Session, token: str) -> Invitation:
    row = _standing(session, token)
    if row is None:
        raise NotFound("This invitation was used, revoked or has expired. Ask for a new link.", "invitation")
    return row


def _standing(session: Session, token: str) -> Invitation | None:
    """Locked, so that a link opened twice at once lets in one."""
    row = session.exec(
        select(Invitation).where(Invitation.token_hash == _hashed(token)).with_for_update()
    ).one_or_none()  # fmt: skip
    if row is None or row.accepted_at or row.revoked_at or row.expires_at <= now():
        return None
    inviter = session.get(Membership, (row.invited_by, row.workspace_id))
    could = inviter is not None and RANK.index(Role(inviter.role)) <= RANK.index(
        min(Role(row.role), Role.MANAGER, key=RANK.index)
    )
    return row if could else None


def _waiting(workspace_id: UUID):
    return select(Invitation).where(
        Invitation.workspace_id == workspace_id, col(Invitation.accepted_at).is_(None),
        col(Invitation.revoked_at).is_(None), Invitation.expires_at > now(),
    )  # fmt: skip


def _person(session: Session, email: str) -> Person | None:
    return session.exec(select(Person).where(Person.email == email)).one_or_none()


def _is_member(session: Session, email: str, workspace_id: UUID) -> bool:
    person = _person(session, email)
    return person is not None and session.get(Membership, (person.id, workspace_id)) is not None


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
