"""Keys with which programs use the REST API: each belongs to one workspace and to none of its people.

A key reads `oct_<prefix>_<secret>`. The secret is 256 random bits, so a plain SHA-256 of the whole is as good as a slow
hash, and costs nothing at every request.
"""

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlmodel import col, select

from app.db.engine import in_system, in_workspace
from app.db.tables import ApiKey, Scope
from app.db.tables.base import now
from app.db.tables.people import Role
from app.domain.errors import Forbidden, InvalidInput, NotFound, OctopusError
from app.services import audit
from app.services.members import Actor, require

FORM = re.compile(r"oct_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
LONGEST_NAME = 60
USE_NOTED_EVERY = timedelta(minutes=1)  # a write per request would cost more than most requests
ROLES = {
    Scope.READ: Role.VIEWER, Scope.WRITE: Role.AGENT, Scope.DECIDE: Role.AGENT, Scope.DELIVER: Role.MANAGER,
    Scope.CONFIGURE: Role.MANAGER,
}  # fmt: skip


class KeyRefused(OctopusError):
    """No key, none that we know, or one that was revoked."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The program behind a request."""

    key_id: UUID
    workspace_id: UUID
    prefix: str
    scopes: frozenset[str]

    def acting(self, scope: Scope) -> Actor:
        """Who it acts as when it uses this scope; raises Forbidden without it."""
        if scope not in self.scopes:
            raise Forbidden(
                f"This needs a key with the scope {scope}; yours has: {', '.join(sorted(self.scopes))}. Nothing was "
                "done. A manager makes keys on the page API keys."
            )
        return Actor(None, f"key:{self.prefix}", ROLES[scope], self.workspace_id)


# ---- at every request


def caller(key: str) -> Caller:
    """Whose key this is. Raises KeyRefused; unknown and revoked say the same."""
    if FORM.fullmatch(key):
        with in_system() as session:
            row = session.exec(select(ApiKey).where(ApiKey.key_hash == _hashed(key))).one_or_none()
            if row is not None and row.revoked_at is None:
                if row.last_used_at is None or row.last_used_at < now() - USE_NOTED_EVERY:
                    row.last_used_at = now()
                return Caller(row.id, row.workspace_id, row.prefix, frozenset(row.scopes))
    raise KeyRefused(
        "A key that is in force is needed, in the header Authorization: Bearer oct_… Nothing was done. A manager makes "
        "keys on the page API keys."
    )


# ---- what managers do


def listed(workspace_id: UUID) -> list[ApiKey]:
    """All keys, revoked ones too, newest first."""
    with in_workspace(workspace_id) as session:
        return list(session.exec(select(ApiKey).order_by(col(ApiKey.id).desc())))


def create(actor: Actor, name: str, scopes: Collection[str]) -> tuple[ApiKey, str]:
    """Returns the row and the key itself, which nobody can find out again. Raises InvalidInput naming the field."""
    require(actor, Role.MANAGER)
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise InvalidInput(f"Say in at most {LONGEST_NAME} characters what the key is for.", "name")
    if not scopes or not set(scopes) <= set(Scope):
        raise InvalidInput(f"Choose what the key may be used for: {', '.join(Scope)}.", "scopes")
    prefix = secrets.token_hex(6)
    key = f"oct_{prefix}_{secrets.token_urlsafe(32)}"
    row = ApiKey(
        workspace_id=actor.workspace_id, name=name, prefix=prefix, key_hash=_hashed(key), created_by=actor.email,
        scopes=[scope for scope in Scope if scope in scopes],
    )  # fmt: skip
    with in_workspace(actor.workspace_id) as session:
        session.add(row)
        audit.record(session, actor.email, actor.workspace_id, "add", "api_key", prefix, None, _audited(row))
    return row, key


def revoke(actor: Actor, key_id: UUID) -> None:
    """From now on the key opens nothing. Twice is as good as once."""
    require(actor, Role.MANAGER)
    with in_workspace(actor.workspace_id) as session:
        row = session.exec(select(ApiKey).where(ApiKey.id == key_id).with_for_update()).one_or_none()
        if row is None:
            raise NotFound("There is no such key any more.", "key")
        if row.revoked_at is None:
            row.revoked_at = now()
            audit.record(session, actor.email, actor.workspace_id, "revoke", "api_key", row.prefix, _audited(row))


def _audited(row: ApiKey) -> dict:
    return {"name": row.name, "scopes": list(map(str, row.scopes))}


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
