"""Access tokens of destinations, shared by all processes: kept sealed in the database, renewed by one at a time."""

from threading import Lock
from uuid import UUID

import orjson
import psycopg.errors
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from app.db import crypto
from app.db.engine import in_workspace
from app.domain.errors import TransientError
from connectors.oauth import Renew, Token

LONGEST_WAIT = "25s"  # for somebody else's renewal; longer than one call may take


class TokensOfDestination:
    """A `connectors.oauth.TokenStore`. One per configured destination and process."""

    def __init__(self, workspace_id: UUID, destination_id: UUID):
        self._workspace_id = workspace_id
        self._destination_id = destination_id
        self._lock = Lock()
        self._kept: Token | None = None

    def current(self, renew: Renew, refused: str = "") -> Token:
        kept = self._kept
        if kept and kept.is_good(refused):
            return kept
        with self._lock:
            if self._kept is None or not self._kept.is_good(refused):
                self._kept = self._shared(renew, refused)
            return self._kept

    def _shared(self, renew: Renew, refused: str) -> Token:
        """The row is locked while one process asks for a token: the others wait and take what it got.

        The vendor is called inside the transaction, on purpose: a refresh token that rotates must be kept before
        anybody else could use the old one.
        """
        try:
            with in_workspace(self._workspace_id) as session:
                kept = self._read(session)
                if kept is None or not kept.is_good(refused):
                    kept = renew(kept)
                    self._write(session, kept)
                return kept
        except OperationalError as error:
            if isinstance(error.orig, psycopg.errors.LockNotAvailable):
                raise TransientError(
                    "Another process renews the access token for too long; nothing was sent. It is tried again."
                ) from error
            raise

    def _read(self, session: Session) -> Token | None:
        connection = session.connection()
        values = {"id": self._destination_id, "workspace": self._workspace_id}
        connection.exec_driver_sql(f"set local lock_timeout = '{LONGEST_WAIT}'")
        connection.exec_driver_sql(
            "insert into destination_sync (destination_id, workspace_id, token, last_error) "
            "values (%(id)s, %(workspace)s, '', '') on conflict do nothing", values,
        )  # fmt: skip
        sealed = connection.exec_driver_sql(
            "select token from destination_sync where destination_id = %(id)s for update", values
        ).scalar_one()
        return Token(**orjson.loads(crypto.decrypt(sealed, self._workspace_id, self._place))) if sealed else None

    def _write(self, session: Session, token: Token) -> None:
        sealed = crypto.encrypt(orjson.dumps(token).decode(), self._workspace_id, self._place)
        session.connection().exec_driver_sql(
            "update destination_sync set token = %(token)s where destination_id = %(id)s",
            {"token": sealed, "id": self._destination_id},
        )

    @property
    def _place(self) -> str:
        return f"destination/{self._destination_id}/access"


def forget(session: Session, destination_id: UUID) -> None:
    """Other credentials or another address: what was kept belongs to the old ones."""
    session.connection().exec_driver_sql(
        "update destination_sync set token = '' where destination_id = %(id)s", {"id": destination_id}
    )
