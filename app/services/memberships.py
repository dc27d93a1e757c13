"""Who belongs to a workspace: their roles, taking them out, and where they are signed in.

Nobody gives, changes or takes a role above their own, and a workspace keeps at least one owner.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from app.db.engine import in_system
from app.db.tables import LoginSession, Membership, Person
from app.db.tables.base import now
from app.db.tables.people import Role
from app.domain.errors import Forbidden, InvalidInput, NotFound
from app.services import audit, members
from app.services.members import RANK, Actor, require


@dataclass(frozen=True, slots=True)
class Member:
    person_id: UUID
    email: str
    name: str
    role: Role
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Removed:
    """Who was taken out, to be put back."""

    workspace_id: UUID
    person_id: UUID
    email: str
    role: Role


def listed(workspace_id: UUID) -> list[Member]:
    """The most powerful first, then by name."""
    with in_system() as session:
        rows = session.connection().exec_driver_sql("""
            select p.id, p.email, p.name, m.role, (select max(s.last_seen_at) from login_session s
                                                   where s.person_id = p.id) as last_seen_at
            from membership m join person p on p.id = m.person_id where m.workspace_id = %(workspace)s
            order by lower(coalesce(nullif(p.name, ''), p.email))""", {"workspace": workspace_id}).all()  # fmt: skip
    found = [Member(row.id, row.email, row.name, Role(row.role), row.last_seen_at) for row in rows]
    return sorted(found, key=lambda member: RANK.index(member.role))


def may_give(actor: Actor, role: Role) -> bool:
    """Whether the actor's own role is `role` or a more powerful one."""
    return RANK.index(Role(actor.role)) <= RANK.index(role)


def change_role(actor: Actor, person_id: UUID, role: str) -> None:
    """Raises Forbidden above the actor's own role, InvalidInput for the last owner."""
    wanted = known_role(role)
    require_giving(actor, wanted)
    with in_system() as session:
        membership, email = _locked(session, actor, person_id)
        if membership.role == wanted:
            return
        if membership.role == Role.OWNER:
            _require_another_owner(session, actor, email)
        audit.record(
            session, actor.email, actor.workspace_id, "change", "member", email,
            {"role": membership.role}, {"role": str(wanted)},
        )  # fmt: skip
        membership.role = wanted


def remove(actor: Actor, person_id: UUID) -> Removed:
    """From their next click on, the person sees nothing of the workspace. The account stays; `restore` undoes it."""
    require(actor, Role.MANAGER)
    with in_system() as session:
        membership, email = _locked(session, actor, person_id)
        if membership.role == Role.OWNER:
            _require_another_owner(session, actor, email)
        session.delete(membership)
        audit.record(session, actor.email, actor.workspace_id, "delete", "member", email, {"role": membership.role})
        return Removed(actor.workspace_id, person_id, email, Role(membership.role))


def restore(actor: Actor, gone: Removed) -> None:
    """Take a removal back, unless the person has become a member again meanwhile."""
    require_giving(actor, gone.role)
    if gone.workspace_id != actor.workspace_id:
        raise NotFound("That person was removed from another workspace; switch to it to undo that.", "member")
    with in_system() as session:
        if session.get(Person, gone.person_id) is None:
            raise NotFound(f"The account of {gone.email} is gone, so it was not put back.", "member")
        if session.get(Membership, (gone.person_id, actor.workspace_id)) is None:
            session.add(Membership(person_id=gone.person_id, workspace_id=actor.workspace_id, role=gone.role))
            audit.record(
                session, actor.email, actor.workspace_id, "restore", "member", gone.email,
                None, {"role": str(gone.role)},
            )  # fmt: skip


# ---- where members are signed in


def sessions(actor: Actor, person_id: UUID) -> list[LoginSession]:
    """Of a member, the newest first. Raises Forbidden unless the actor is an owner."""
    require(actor, Role.OWNER)
    with in_system() as session:
        _locked(session, actor, person_id)
    return members.sessions_of(person_id)


def sign_out(actor: Actor, person_id: UUID, session_id: UUID | None = None) -> None:
    """End one sign-in of a member, or all of them. Raises Forbidden unless the actor is an owner."""
    require(actor, Role.OWNER)
    with in_system() as session:
        _membership, email = _locked(session, actor, person_id)
        standing = select(LoginSession).where(
            LoginSession.person_id == person_id, col(LoginSession.revoked_at).is_(None)
        )
        found = session.exec(standing.where(LoginSession.id == session_id) if session_id else standing).all()
        for row in found:
            row.revoked_at = now()
        if found:
            audit.record(session, actor.email, actor.workspace_id, "sign_out", "member", email)


# ---- shared with invitations


def known_role(role: str) -> Role:
    if role not in list(Role):
        raise InvalidInput(f"There is no role '{role}'. Use one of: {', '.join(Role)}.", "role")
    return Role(role)


def require_giving(actor: Actor, role: Role) -> None:
    require(actor, Role.MANAGER)
    if not may_give(actor, role):
        raise Forbidden(f"Your role is {actor.role}, so you cannot give the role {role}. Nothing was changed.")


def _locked(session: Session, actor: Actor, person_id: UUID) -> tuple[Membership, str]:
    """The membership of somebody the actor may change, locked, and the person's e-mail."""
    found = session.exec(
        select(Membership, Person.email).join(Person, col(Person.id) == col(Membership.person_id))
        .where(Membership.workspace_id == actor.workspace_id, Membership.person_id == person_id)
        .with_for_update(of=Membership)
    ).one_or_none()  # fmt: skip
    if found is None:
        raise NotFound("That person is no member of this workspace any more.", "member")
    membership, email = found
    if not may_give(actor, Role(membership.role)):
        raise Forbidden(
            f"{email} is {membership.role} and you are {actor.role}: only somebody with that role may do this. "
            "Nothing was changed."
        )
    return membership, email


def _require_another_owner(session: Session, actor: Actor, email: str) -> None:
    """Locks all owners in one order, so that two of them cannot take each other out at the same time."""
    owners = session.exec(
        select(Membership).where(Membership.workspace_id == actor.workspace_id, Membership.role == Role.OWNER)
        .order_by(col(Membership.person_id)).with_for_update()
    ).all()  # fmt: skip
    if len(owners) < 2:
        raise InvalidInput(
            f"{email} is the last owner of this workspace, so nothing was changed. Make somebody else an owner first.",
            "role",
        )
