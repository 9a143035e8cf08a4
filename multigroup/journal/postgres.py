"""The journal in a PostgreSQL database: durable, for all machines that reach it.

Each transaction has a connection of its own. Other writers are kept off a send or an
event by a lock on its row, and off the name of a message by an advisory lock: news
that comes before the reply leaves no row that could be locked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Final, TypeVar

from ..archive import Cut, Erased, Place, Swept
from ..effects import Reserved, Stored
from ..errors import ConfigError, JournalError
from ..events import Event, EventKey
from ..models import LineId, Number, SendId
from ..records import Begun, Change, SendRecord

try:
    import psycopg
except ImportError as missing:
    raise ConfigError(
        "a journal in PostgreSQL needs psycopg: pip install 'multigroup[postgres]'"
    ) from missing

from .dsn import database
from .forks import after_fork
from .migrate import lock_of, run
from .port import Access, Name
from .sessions import Sessions
from .sql import Known, OvertakenError, SQLJournal

__all__ = ["PostgresJournal"]

T = TypeVar("T")

_TRIES: Final = 20
"""How often a transaction is repeated that others got ahead of: nothing was kept."""

LOCK_ALL: Final = (
    "SELECT pg_advisory_xact_lock(key) "
    "FROM (SELECT unnest(?::bigint[]) AS key ORDER BY 1) AS keys"
)

_CLOCK: Final = "extract(epoch FROM clock_timestamp())::float8"

TURN: Final = (
    # ruff: noqa: S608 - the parts are constants
    f"INSERT INTO turns AS t (account, line, next_at) VALUES (?, ?, {_CLOCK} + ?) "
    "ON CONFLICT (account, line) DO UPDATE "
    f"SET next_at = greatest(t.next_at, {_CLOCK}) + ? "
    f"WHERE t.next_at - {_CLOCK} <= ?::float8 "
    f"RETURNING greatest(t.next_at - ? - {_CLOCK}, 0)"
)
"""Take the next turn by the database's clock: one statement, so that none is lost."""

AHEAD: Final = (
    f"SELECT greatest(next_at - {_CLOCK}, 0) FROM turns WHERE account = ? AND line = ?"
)
"""How far ahead the turn is that was not taken."""


class _Transaction:
    __slots__ = ("_access", "_sessions")

    def __init__(self, sessions: Sessions, access: Access) -> None:
        self._sessions = sessions
        self._access = access

    def __enter__(self) -> None:
        self._sessions.begin(self._access)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sessions.end(error)


class PostgresJournal(SQLJournal):
    """Keeps sends and events in the PostgreSQL database that *url* names.

    Any number of processes on any number of machines may use it. The tables are in a
    *schema* of their own, made if it is not there; `?schema=` in *url* says the same.
    A process has up to so many *connections*, which its threads take turns with.

    Raises:
        ConfigError: the database cannot be reached or used, its tables are of a later
            version, or psycopg is not installed.
    """

    def __init__(
        self, url: str, *, schema: str | None = None, connections: int = 8
    ) -> None:
        self._database = database(url, schema)
        self._sessions = Sessions(self._database, connections)
        self._key = self._sessions.prepare()
        after_fork(self)

    def __repr__(self) -> str:
        """Show where the database is, not how one gets in."""
        return f"PostgresJournal({self._database.shown!r})"

    def close(self) -> None:
        """Close all connections; a client that still uses the journal opens others."""
        self._sessions.close()

    def reserve(self, record: SendRecord, begun: Begun | None = None) -> Reserved:
        """Put *record* under its reference, or return the send that holds it."""
        return self._again(partial(super().reserve, record, begun))

    def take_over(
        self, send: SendId, owner: str, now: float, until: float
    ) -> SendRecord | None:
        """Give a send that is open and abandoned to *owner*, or return `None`."""
        return self._again(partial(super().take_over, send, owner, now, until))

    def write(
        self, send: SendId, change: Change, fence: int | None = None
    ) -> SendRecord:
        """Apply *change* to a send and return the send after it."""
        return self._again(partial(super().write, send, change, fence))

    def turn(
        self,
        line: LineId,
        copies: int,
        rate: float,
        now: float,
        limit: float = math.inf,
    ) -> float:
        """Reserve the next *copies* of *rate* per second; return seconds to wait.

        The database's clock counts, the same for all machines, and not *now*.
        """
        del now
        return self._again(partial(self._turn, line, copies / rate, limit))

    def store(self, namespace: str, events: Sequence[Event]) -> tuple[Stored, ...]:
        """Keep *events*; merge delivery news into the sends it belongs to."""
        return self._again(partial(super().store, namespace, events))

    def claim(
        self, namespace: str, key: EventKey, owner: str, now: float, until: float
    ) -> bool | None:
        """Take an event: true if ours now, false if taken, `None` if it is over."""
        return self._again(partial(super().claim, namespace, key, owner, now, until))

    def settle(
        self,
        namespace: str,
        key: EventKey,
        *,
        done: bool,
        shed: bool = False,
        now: float = 0.0,
        claim: float | None = None,
    ) -> None:
        """End a claim: *done* for good, otherwise so that it can be claimed again."""
        settle = partial(super().settle, namespace, key, done=done)
        self._again(partial(settle, shed=shed, now=now, claim=claim))

    def memorize(self, namespace: str, key: str, value: str) -> None:
        """Note *value* under *key*, in the place of what was there."""
        self._again(partial(super().memorize, namespace, key, value))

    def shed(self, namespace: str, reference: str) -> None:
        """Erase what was said in the send under *reference*, if it is settled."""
        self._again(partial(super().shed, namespace, reference))

    def prune(self, namespace: str, cut: Cut, place: Place, limit: int) -> Swept:
        """Erase what is too old among the next *limit* sends and events."""
        return self._again(partial(super().prune, namespace, cut, place, limit))

    def forget(self, namespace: str, number: Number) -> Erased:
        """Erase every send and every event that *number* is in."""
        return self._again(partial(super().forget, namespace, number))

    def _again(self, transaction: Callable[[], T]) -> T:
        """Carry *transaction* out, anew if others got ahead and nothing was kept."""
        for _ in range(_TRIES):
            with suppress(OvertakenError):
                return transaction()
        raise JournalError(
            f"the journal {self._database.shown} was overtaken by other writers "
            f"{_TRIES} times: try again"
        )

    def _turn(self, line: LineId, span: float, limit: float) -> float:
        with self._transaction(Access.WRITE):
            asked = (line.account, line.number, span, span, limit, span)
            taken = self._run(TURN, asked).fetchone()
            if taken is not None:
                return float(taken[0])
            ahead = self._run(AHEAD, (line.account, line.number)).fetchone() or (0.0,)
            # The clock went on since: what was not taken must not look as if it were.
            return max(float(ahead[0]), math.nextafter(limit, math.inf))

    def _transaction(self, access: Access) -> _Transaction:
        return _Transaction(self._sessions, access)

    def _run(
        self, query: str, values: Sequence[object] = ()
    ) -> psycopg.Cursor[tuple[Any, ...]]:
        return run(self._sessions.current.link, query, values)

    @property
    def _known(self) -> dict[SendId, Known]:
        return self._sessions.current.known

    @property
    def _secret(self) -> bytes:
        return self._key

    def _to_write(self, query: str) -> str:
        return query if self._reads else f"{query} FOR UPDATE"

    @property
    def _reads(self) -> bool:
        return self._sessions.current.access is Access.READ

    def _make_room_for(self, namespace: str, events: Sequence[Event]) -> None:
        """Let others who bring the same events in another order wait, not clash."""
        if len(events) > 1:
            keys = {(namespace, *event.key) for event in events}
            locks = sorted(lock_of(self._database.schema, *key) for key in keys)
            self._run(LOCK_ALL, (locks,))

    def _reserve_name(self, name: Name) -> None:
        lock = lock_of(self._database.schema, *name)
        self._run("SELECT pg_advisory_xact_lock(?)", (lock,))

    def _called(self, name: Name) -> SendRecord | None:
        """Look a send up by name; if there is none, nobody may give the name first.

        Otherwise news that waits for the name, and the reply that brings it, could each
        be written without seeing the other.
        """
        found = super()._called(name)
        if found is not None or self._reads:
            return found
        self._reserve_name(name)
        return super()._called(name)

    def _forked(self) -> None:
        self._sessions.forked()
