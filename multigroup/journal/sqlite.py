"""The journal in an SQLite file: durable, for all threads and processes of a machine.

One connection per process and a lock around it: SQLite has one writer at a time
anyway, and threads that wait for a lock cost less than connections that poll for one.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn

from ..errors import ConfigError, JournalError
from ..models import SendId
from .baton import Baton, Group, Runner
from .files import connect, explain, place, wipe
from .forks import after_fork
from .meta import secret
from .port import Access
from .sql import Known, SQLJournal
from .tenant import Tenant

__all__ = ["SQLiteJournal"]

_REMEMBERED: Final = 1024
"""Sends kept in memory as well: a send is written four times within a second."""

_BEGIN: Final = {
    Access.READ: "BEGIN",
    Access.WRITE: "BEGIN IMMEDIATE",
    Access.DURABLE: "BEGIN IMMEDIATE",
}
_SYNC: Final = {
    Access.WRITE: "PRAGMA synchronous = NORMAL",
    Access.DURABLE: "PRAGMA synchronous = FULL",
}


class _Transaction(Runner):
    """One transaction of a journal, by hand: a generator would double its overhead."""

    __slots__ = ("_access", "_joined", "_journal")

    def __init__(self, journal: SQLiteJournal, access: Access) -> None:
        super().__init__(access)
        self._journal = journal
        self._access = access
        self._joined = False

    def __enter__(self) -> None:
        journal = self._journal
        journal._take(self)
        try:
            self._joined = journal._begin(self._access)
        except BaseException as error:
            journal._undo(error, joined=False)
            explain(journal._path, error)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        journal = self._journal
        if error is None:
            try:
                journal._keep_all(self._access, joined=self._joined)
            except sqlite3.Error as failure:
                explain(journal._path, failure)
        else:
            journal._undo(error, joined=self._joined)
            explain(journal._path, error)


class SQLiteJournal(SQLJournal):
    """Keeps sends and events in the SQLite file at *path*, made if it is not there.

    A send's intent and a webhook's events are on the disk before anything else
    happens; the rest outlives the process at once and a power cut soon after. Any
    number of threads, clients and processes of one machine may use the file.

    *tenant* tells this machine's name and the time; a test may give another one.

    Raises:
        ConfigError: the file cannot be used: it is a directory, another program's, of
            a later version, not writable, on a network file system, or used by
            another machine.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, tenant: Tenant | None = None
    ) -> None:
        self._path = place(path)
        self._tenant = tenant or Tenant()
        self._baton = Baton()
        self._group: Group | None = None
        self._remembered: dict[SendId, Known] = {}
        self._changes = 0
        self._sync: Access | None = None
        self._connection: sqlite3.Connection | None = None
        self._connect()
        self._inherited: sqlite3.Connection | None = None
        after_fork(self)

    @property
    def path(self) -> Path:
        """Return the file's absolute path."""
        return self._path

    def __repr__(self) -> str:
        """Show the path, nothing of what is in it."""
        return f"SQLiteJournal({str(self._path)!r})"

    def close(self) -> None:
        """Let go of the file; a client that still uses the journal opens it again."""
        self._take(Runner(None))
        try:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
        finally:
            self._baton.drop()

    def _transaction(self, access: Access) -> _Transaction:
        return _Transaction(self, access)

    def _take(self, runner: Runner) -> None:
        """Wait until nobody else is at the connection."""
        try:
            self._baton.take(runner)
        except BaseException:  # a signal's, while we waited
            if not self._baton.withdraw(runner):
                self._leave()
            raise

    def _begin(self, access: Access) -> bool:
        """Begin a transaction, or a part of the group's; true if it is such a part."""
        if self._group is not None:
            self._run("SAVEPOINT part")
            return True
        if self._connection is None:
            self._reopen()
        if access is not Access.READ and access is not self._sync:
            self._run(_SYNC[access])
            self._sync = access
        self._run(_BEGIN[access])
        if access is not Access.READ:
            self._tenant.stay(self._run, self._path)
        (changes,) = self._run("PRAGMA data_version").fetchone()
        if changes != self._changes:  # somebody else's, since our last transaction
            self._remembered.clear()
            self._changes = changes
        return False

    def _keep_all(self, access: Access, *, joined: bool) -> None:
        """Commit, unless somebody does it for us who comes after."""
        if joined:
            self._release()
        elif access is not Access.READ and self._baton.wanted:
            self._group = Group(access)
        if not self._passed_on():
            self._commit()

    def _release(self) -> None:
        try:
            self._run("RELEASE part")
        except BaseException as error:
            self._undo(error, joined=True)
            raise

    def _passed_on(self) -> bool:
        """Let the next one join and wait for the commit; false if nobody is to."""
        group = self._group
        if group is None:
            return False
        told = self._baton.pass_on(group)
        if told is None:
            return False
        told.acquire()
        if group.error is not None:
            self._fail(group.error)
        return True

    def _fail(self, error: BaseException) -> NoReturn:
        """Raise why the commit that we shared was not made."""
        explain(self._path, error)
        raise JournalError(
            f"the journal {str(self._path)!r} kept nothing: a thread that shares the "
            f"commit was interrupted ({type(error).__name__}); try again"
        ) from error

    def _commit(self) -> None:
        """Commit for the whole group, and let the next one in."""
        group, self._group = self._group, None
        lost: BaseException | None = None
        try:
            self._run("COMMIT")
        except BaseException as error:
            open_yet = self._connection is None or self._connection.in_transaction
            if open_yet or isinstance(error, sqlite3.Error):
                lost = error
            self._abandon()
            raise
        finally:
            if group is not None:
                group.end(lost)
            self._baton.drop()

    def _leave(self) -> None:
        """Give the baton on, with nothing of our own to be kept."""
        group = self._group
        if group is None:
            self._baton.drop()
        elif self._baton.pass_on(group) is None:
            with suppress(sqlite3.Error):  # the others are told
                self._commit()

    def _undo(self, error: BaseException, *, joined: bool) -> None:
        """Undo what failed, leave alone what others did before in the transaction."""
        if joined and self._undid_part():
            self._leave()
            return
        group, self._group = self._group, None
        self._abandon()
        if group is not None:
            group.end(error)
        self._baton.drop()

    def _undid_part(self) -> bool:
        self._remembered.clear()
        try:
            self._run("ROLLBACK TO part")
            self._run("RELEASE part")
        except sqlite3.Error:  # the failure ended the whole transaction
            return False
        return True

    def _abandon(self) -> None:
        """Undo the transaction: nothing we remember of it is true."""
        self._remembered.clear()
        if self._connection is not None and self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:  # a new connection will: nothing is committed
                self._connection.close()
                self._connection = None

    def _wipe(self, *, thorough: bool) -> None:
        self._take(Runner(None))
        try:
            if self._connection is None:
                self._reopen()
            assert self._connection is not None  # noqa: S101 - it is open now
            wipe(self._connection, self._path, thorough=thorough)
        except sqlite3.Error as error:
            if thorough:
                explain(self._path, error)
        finally:
            self._baton.drop()

    def _reopen(self) -> None:
        try:
            self._connect()
        except ConfigError as error:
            raise JournalError(str(error)) from error

    def _connect(self) -> None:
        self._connection = connect(self._path, self._greet)
        self._sync = None
        self._remembered.clear()

    def _greet(self, connection: sqlite3.Connection) -> None:
        self._tenant.move_in(connection.execute, self._path)
        self._key = secret(connection.execute)

    def _run(self, query: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        assert self._connection is not None  # noqa: S101 - we are in a transaction
        return self._connection.execute(query, values)

    @property
    def _known(self) -> dict[SendId, Known]:
        return self._remembered

    @property
    def _secret(self) -> bytes:
        return self._key

    def _remember(self, known: Known) -> None:
        """Keep a send as it now is; the one longest there makes room."""
        if len(self._remembered) >= _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[known.record.id] = known

    def _forked(self) -> None:
        """Start anew in a child: no SQLite connection lives through a fork."""
        self._baton, self._group = Baton(), None
        self._inherited = self._connection  # closing it would break the parent's locks
        self._connection = None
