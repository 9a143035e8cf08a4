"""Transactions in PostgreSQL: each on a connection of its own, one per thread."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Final

import psycopg

from ..errors import ConfigError, JournalError
from ..models import SendId
from .dsn import Database
from .migrate import upgrade
from .pgerrors import explained
from .pool import PATIENCE, Link, Pool
from .port import Access
from .sql import Known

__all__ = ["Session", "Sessions"]

_BEGIN: Final = {
    Access.READ: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    Access.WRITE: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; "
    "SET LOCAL synchronous_commit = off",
    Access.DURABLE: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; "
    "SELECT set_config('synchronous_commit', 'on', true) "
    "WHERE current_setting('synchronous_commit') = 'off'",
}
"""A send is read by several statements, which have to see the same of it.

Who writes locks the row first and reads then, which needs to see what was just written.
"""

_ABANDONED: Final = 60
"""Seconds after which the server ends a transaction whose process stopped in it."""


class Session:
    """One transaction under way: its connection, and the sends it has read."""

    __slots__ = ("access", "known", "link")

    def __init__(self, link: Link, access: Access) -> None:
        self.link = link
        self.access = access
        self.known: dict[SendId, Known] = {}


class Sessions:
    """The transactions of a process in one *database*, up to *size* at a time."""

    def __init__(self, database: Database, size: int) -> None:
        self._database = database
        self._pool = Pool(self._connect, size)
        self._local = threading.local()
        # Said anew in each transaction, and so true behind a pooler as well.
        settings = (
            f"; SET LOCAL search_path = {database.schema}"
            f"; SET LOCAL lock_timeout = '{PATIENCE:g}s'"
            f"; SET LOCAL idle_in_transaction_session_timeout = '{_ABANDONED}s'"
        )
        self._begin = {
            access: f"{begin}{settings}".encode() for access, begin in _BEGIN.items()
        }

    @property
    def current(self) -> Session:
        """The transaction that this thread is in."""
        session: Session = self._local.session
        return session

    def prepare(self) -> bytes:
        """Bring the tables up to date and return the secret in them.

        Raises:
            ConfigError: the database cannot be reached or used.
        """
        try:
            link = self._pool.take()
            try:
                return upgrade(link, self._database)
            finally:
                self._pool.give_back(link)
        except Exception as error:
            self._pool.clear()
            wrong = explained(self._database, error, ConfigError)
            if wrong is None:
                raise
            raise wrong from None

    def begin(self, access: Access) -> None:
        """Begin a transaction; nothing of it is sent twice.

        Raises:
            JournalError: there is no connection to be had.
        """
        try:
            link = self._pool.take()
            try:
                link = self._begun(link, self._begin[access])
            except BaseException:
                self._pool.give_back(link)
                raise
        except Exception as error:
            self._explain(error)
            raise
        self._local.session = Session(link, access)

    def _begun(self, link: Link, begin: bytes) -> Link:
        """Begin on *link*, or on a fresh one if it was lost while it lay idle."""
        try:
            link.execute(begin, prepare=False)
        except psycopg.OperationalError:
            if not link.closed:
                raise
        else:
            return link
        self._pool.clear()  # the others were lost as well, most likely
        fresh = self._connect()
        try:
            fresh.execute(begin, prepare=False)
        except BaseException:
            fresh.close()
            raise
        return fresh

    def end(self, error: BaseException | None) -> None:
        """Commit, or undo the transaction that *error* ended and say why.

        Raises:
            JournalError: the store failed.
            OvertakenError: others got ahead, nothing was kept, and trying again helps.
        """
        session, self._local.session = self.current, None
        try:
            if error is None:
                self._commit(session)
            else:
                self._undo(session.link, error)
        finally:
            self._pool.give_back(session.link)

    def _commit(self, session: Session) -> None:
        try:
            session.link.execute(b"COMMIT", prepare=False)
        except psycopg.Error as error:
            if session.access is Access.READ:
                return  # what was read is no less true
            if session.link.closed:
                raise JournalError(
                    f"the journal {self._database.shown} was lost while it committed: "
                    "whether it kept the change is not known. Look the send up by its "
                    "reference before you go on"
                ) from None
            self._explain(error)
            raise

    def _undo(self, link: Link, error: BaseException) -> None:
        if link.closed and isinstance(error, psycopg.Error):
            raise JournalError(
                f"the journal {self._database.shown} was lost in a transaction, and "
                "nothing of it was kept: try again"
            ) from None
        with suppress(psycopg.Error):
            link.execute(b"ROLLBACK", prepare=False)
        self._explain(error)

    def _explain(self, error: BaseException) -> None:
        wrong = explained(self._database, error)
        if wrong is not None:
            raise wrong from None

    def _connect(self) -> Link:
        link = psycopg.connect(self._database.conninfo, autocommit=True)
        link.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        link.read_only = False
        return link

    def close(self) -> None:
        """Close the connections that nobody uses; others are opened when needed."""
        self._pool.clear()

    def forked(self) -> None:
        """Start anew in a child process."""
        self._pool.forked()
        self._local = threading.local()
