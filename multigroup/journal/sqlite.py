"""The journal in an SQLite file: durable, for all threads and processes of a machine.

One connection per process and a lock around it: SQLite has one writer at a time
anyway, and threads that wait for a lock cost less than connections that poll for one.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import ClassVar, Final, NamedTuple

from ..errors import ConfigError, JournalError
from ..events import DeliveryUpdated, Event, EventKey
from ..models import ConversationId, LineId, Number, SendId
from ..records import SendRecord
from . import rows, statements as sql
from .rules import Access, Hold, Name, RuledJournal, changed
from .schema import connect, explain, place

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


class _Known(NamedTuple):
    """A send as it is in the file, and its row's number there."""

    n: int
    record: SendRecord


class _Transaction:
    """One transaction of a journal, by hand: a generator would double its overhead."""

    __slots__ = ("_access", "_journal")

    def __init__(self, journal: SQLiteJournal, access: Access) -> None:
        self._journal = journal
        self._access = access

    def __enter__(self) -> None:
        self._journal._lock.acquire()
        try:
            self._journal._begin(self._access)
        except BaseException as error:
            self._end(error)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._journal._commit()
        except BaseException as failure:
            self._end(failure)
            raise
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        """Let the next one in, and say what went wrong in our own words."""
        try:
            if error is not None:
                self._journal._abandon()
        finally:
            self._journal._lock.release()
        explain(self._journal._path, error)


class SQLiteJournal(RuledJournal):
    """Keeps sends and events in the SQLite file at *path*, made if it is not there.

    A send's intent and a webhook's events are on the disk before anything else
    happens; the rest outlives the process at once and a power cut soon after. Any
    number of threads, clients and processes of one machine may use the file.

    Raises:
        ConfigError: the file cannot be used: it is a directory, another program's, of
            a later version, not writable, or on a network file system.
    """

    blocks: ClassVar[bool] = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = place(path)
        self._lock = Lock()
        self._known: dict[SendId, _Known] = {}
        self._changes = 0
        self._sync: Access | None = None
        self._connection: sqlite3.Connection | None = connect(self._path)
        self._inherited: sqlite3.Connection | None = None
        _after_fork(self)

    @property
    def path(self) -> Path:
        """Return the file's absolute path."""
        return self._path

    def __repr__(self) -> str:
        """Show the path, nothing of what is in it."""
        return f"SQLiteJournal({str(self._path)!r})"

    def close(self) -> None:
        """Let go of the file; a client that still uses the journal opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _transaction(self, access: Access) -> _Transaction:
        return _Transaction(self, access)

    def _begin(self, access: Access) -> None:
        if self._connection is None:
            self._reopen()
        if access is not Access.READ and access is not self._sync:
            self._run(_SYNC[access])
            self._sync = access
        self._run(_BEGIN[access])
        (changes,) = self._run("PRAGMA data_version").fetchone()
        if changes != self._changes:  # somebody else's, since our last transaction
            self._known.clear()
            self._changes = changes

    def _commit(self) -> None:
        self._run("COMMIT")

    def _abandon(self) -> None:
        """Undo the transaction: nothing we remember of it is true."""
        self._known.clear()
        if self._connection is not None and self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:  # a new connection will: nothing is committed
                self._connection.close()
                self._connection = None

    def _reopen(self) -> None:
        try:
            self._connection = connect(self._path)
        except ConfigError as error:
            raise JournalError(str(error)) from error
        self._sync = None
        self._known.clear()

    def _one(self, query: str, values: Sequence[object]) -> rows.Row | None:
        found: rows.Row | None = self._run(query, values).fetchone()
        return found

    def _run(self, query: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        assert self._connection is not None  # noqa: S101 - we are in a transaction
        return self._connection.execute(query, values)

    def _find(self, query: str, values: Sequence[object]) -> SendRecord | None:
        """Return the send that *query* finds, from memory if it is there."""
        found = self._one(query, values)
        if found is None:
            return None
        n, send = found
        if send not in self._known:
            self._remember(_Known(n, self._load(n)))
        return self._known[send].record

    def _remember(self, known: _Known) -> None:
        """Keep a send as it now is; the one longest there makes room."""
        if len(self._known) >= _REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[known.record.id] = known

    def _load(self, n: int) -> SendRecord:
        return rows.load_send(
            self._run(sql.WHOLE, (n,)).fetchone(),
            self._run(sql.ATTEMPTS, (n,)),
            self._run(sql.REPORTS, (n,)),
        )

    def _under(self, namespace: str, reference: str) -> SendRecord | None:
        return self._find(sql.UNDER, (namespace, reference))

    def _send(self, send: SendId) -> SendRecord | None:
        known = self._known.get(send)
        return known.record if known else self._find(sql.SEND, (send,))

    def _called(self, name: Name) -> SendRecord | None:
        return self._find(sql.CALLED, name)

    def _call(self, name: Name, send: SendId) -> None:
        self._run(sql.CALL, (*name, self._known[send].n))

    def _add(self, record: SendRecord) -> None:
        n = self._run(sql.ADD, rows.send_row(record)).lastrowid or 0
        self._remember(_Known(n, record))

    def _replace(self, old: SendRecord, new: SendRecord) -> None:
        n = self._known[old.id].n
        self._write_attempts(n, old, new)
        for (leg, member), event in new.reports.items():
            if old.reports.get((leg, member)) is not event:
                self._run(sql.REPORT, (n, leg, member, rows.event_text(event)))
        if new.message is not old.message or new.notes is not old.notes:
            message, *notes = rows.send_row(new)[6:8]
            self._run(sql.REWORD, (message, *notes, n))
        if new.closed is not old.closed:
            self._run(sql.CLOSE, (new.closed, n))
        self._known[old.id] = _Known(n, new)

    def _write_attempts(self, n: int, old: SendRecord, new: SendRecord) -> None:
        for at, attempt in changed(old.attempts, new.attempts):
            if at < len(old.attempts):
                self._run(sql.END, (*rows.end_row(attempt), n, at))
            else:
                fresh = attempt.leg not in old.legs
                leg = new.legs.get(attempt.leg) if fresh else None
                self._run(sql.TRY, (n, at, *rows.attempt_row(attempt, leg)))

    def _line(
        self, namespace: str, conversation: ConversationId
    ) -> tuple[LineId, datetime] | None:
        found = self._one(sql.LINE, (namespace, conversation))
        if found is None:
            return None
        account, line, active_at = found
        return LineId(account, Number(line)), rows.moment(active_at)

    def _set_line(
        self, namespace: str, conversation: ConversationId, line: LineId, at: datetime
    ) -> None:
        when = rows.microseconds(at)
        self._run(
            sql.SET_LINE, (namespace, conversation, line.account, line.number, when)
        )

    def _hold(self, namespace: str, key: EventKey) -> Hold | None:
        found = self._one(sql.HOLD, (namespace, *key))
        return None if found is None else Hold(bool(found[0]), found[1])

    def _set_hold(self, namespace: str, key: EventKey, hold: Hold) -> None:
        self._run(sql.SET_HOLD, (*hold, namespace, *key))

    def _keep(self, namespace: str, event: Event, early: Iterable[Name]) -> None:
        received_at = rows.microseconds(event.received_at)
        written = (namespace, *event.key, received_at, rows.event_text(event))
        n = self._run(sql.KEEP, written).lastrowid
        for name in early:
            self._run(sql.WAIT, (*name, n))

    def _take_early(self, name: Name) -> Sequence[DeliveryUpdated]:
        found = self._run(sql.WAITING, name).fetchall()
        if not found:
            return ()
        self._run(sql.COME, name)
        written = [self._run(sql.EVENT, one).fetchone()[0] for one in found]
        return [rows.load_delivery(text) for text in written]

    def _forked(self) -> None:
        """Start anew in a child: no SQLite connection lives through a fork."""
        self._lock = Lock()
        self._inherited = self._connection  # closing it would break the parent's locks
        self._connection = None


def _after_fork(journal: SQLiteJournal) -> None:
    found = weakref.ref(journal)

    def tell() -> None:
        there = found()
        if there is not None:
            there._forked()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=tell)
