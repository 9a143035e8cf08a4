"""The archive's part of a journal in an SQL database, and its statements."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ..events import EventKey, MessageReceived
from ..models import ConversationId, LineId, Number, SendId
from ..records import SPENT, SendRecord, bare
from . import rows
from .port import Listed, Slip, State
from .rules import RuledJournal, names
from .standing import Row, encode, microseconds, moment, numbers, standing_row
from .statements import SEND
from .traces import Traces, plain

if TYPE_CHECKING:
    from .sql import Answer, Known

__all__ = ["SQLArchive"]

# ruff: noqa: S608 - the parts put together here are constants

_WHOLE: Final = SEND.partition(" WHERE ")[0]
SENDS_OF: Final = (
    f"{_WHOLE} WHERE namespace = ? AND conversation = ? AND (began_at, n) < (?, ?) "
    "ORDER BY began_at DESC, n DESC LIMIT ?"
)
MESSAGES_OF: Final = (
    "SELECT n, event FROM events WHERE namespace = ? AND conversation = ? "
    "AND (received_at, n) < (?, ?) AND type = 'MessageReceived' "
    "ORDER BY received_at DESC, n DESC LIMIT ?"
)
LISTED: Final = (
    "SELECT conversation, account, line, active_at, members FROM lines "
    "WHERE namespace = ? AND (active_at, conversation) < (?, ?) "
    "ORDER BY active_at DESC, conversation DESC LIMIT ?"
)
_ONWARD: Final = "WHERE namespace || '' = ? AND n > ? ORDER BY n LIMIT ?"
"""Row by row: by an index of namespaces all rows would be sorted first."""

SENDS_FROM: Final = f"{_WHOLE} {_ONWARD}"
_SLIP: Final = (
    "SELECT n, account, id, type, member, received_at, state, event = '' FROM events"
)
EVENTS_FROM: Final = f"{_SLIP} {_ONWARD}"
SENDS_WITH: Final = (
    f"{_WHOLE} WHERE namespace = ? AND (members LIKE ? ESCAPE '!' "
    "OR message LIKE ? ESCAPE '!' OR reference LIKE ? ESCAPE '!') ORDER BY n"
)
EVENTS_WITH: Final = (
    "SELECT n, account, id, type, member, received_at, state, event FROM events "
    "WHERE namespace = ? AND event LIKE ? ESCAPE '!' ORDER BY n"
)
SPEND: Final = (
    "UPDATE attempts SET request = ?, body = ? WHERE send = ? AND request IS NOT NULL"
)
BLANK_SEND: Final = (
    "UPDATE sends SET reference = ?, fingerprint = ?, conversation = ?, members = ?, "
    "message = ?, notes = ?, closed = ?, doubtful = ?, owner = ?, lease_until = ?, "
    "fence = ?, state = ? WHERE n = ?"
)
DROP_SEND: Final = "DELETE FROM sends WHERE n = ?"
DROP_ATTEMPTS: Final = "DELETE FROM attempts WHERE send = ?"
DROP_REPORTS: Final = "DELETE FROM reports WHERE send = ?"
DROP_NAME: Final = (
    "DELETE FROM messages "
    "WHERE namespace = ? AND account = ? AND message_id = ? AND send = ?"
)
DROP_EVENT: Final = "DELETE FROM events WHERE n = ?"
BLANK_EVENT: Final = (
    "UPDATE events SET event = '', member = ?, conversation = NULL, state = ?, "
    "owner = '', taken_until = 0 WHERE n = ?"
)
DROP_EARLY: Final = (
    "DELETE FROM early WHERE namespace = ? AND NOT EXISTS "
    "(SELECT 1 FROM events WHERE events.n = early.event AND events.event <> '')"
)
_KEY: Final = (
    "namespace = ? AND account = ? AND id = ? AND type = ? AND member IN (?, ?)"
)
EVENT: Final = f"SELECT n, event FROM events WHERE {_KEY}"
REWRITE: Final = "UPDATE events SET event = ? WHERE n = ?"
DROP_LINES: Final = "DELETE FROM lines WHERE namespace = ? AND active_at < ?"
UNLIST: Final = "DELETE FROM lines WHERE namespace = ? AND conversation = ?"

_SPENT: Final = (encode([SPENT.method, SPENT.url, []]), SPENT.body)


class SQLArchive(RuledJournal):
    """What is read back, and what goes, of a journal in a database."""

    @abstractmethod
    def _run(self, query: str, values: Sequence[object] = ()) -> Answer:
        """Run a statement within the transaction."""

    @property
    @abstractmethod
    def _known(self) -> dict[SendId, Known]:
        """The sends that need not be read again: at least this transaction's."""

    @abstractmethod
    def _to_write(self, query: str) -> str:
        """Return *query* so that it keeps the rows it finds from other writers."""

    @abstractmethod
    def _held(self, row: Row) -> SendRecord:
        """Return the send of its row, read whole unless it is known."""

    @abstractmethod
    def _kept_as(self, subject: str) -> str:
        """Return what stands for *subject*: a digest of whom it names."""

    def _named(self, key: EventKey) -> tuple[str, ...]:
        """Return the values an event is looked up by.

        A member who was forgotten stands there as a digest.
        """
        return (*key, self._digest(key))

    def _digest(self, key: EventKey) -> str:
        return self._kept_as(key.member) if key.member else ""

    def _sends_of(
        self,
        namespace: str,
        conversation: ConversationId,
        before: tuple[datetime, int],
        limit: int,
    ) -> Iterator[tuple[int, SendRecord]]:
        bound = (microseconds(before[0]), before[1])
        values = (namespace, conversation, *bound, limit)
        return self._numbered(SENDS_OF, values)

    def _numbered(
        self, query: str, values: Sequence[object]
    ) -> Iterator[tuple[int, SendRecord]]:
        for row in self._run(self._to_write(query), values).fetchall():
            yield row[0], self._held(row)

    def _messages_of(
        self,
        namespace: str,
        conversation: ConversationId,
        before: tuple[datetime, int],
        limit: int,
    ) -> Iterator[tuple[int, MessageReceived]]:
        bound = (microseconds(before[0]), before[1])
        values = (namespace, conversation, *bound, limit)
        for n, written in self._run(MESSAGES_OF, values).fetchall():
            event = rows.load_event(written)
            if isinstance(event, MessageReceived):
                yield n, event

    def _listed(
        self, namespace: str, before: tuple[datetime, str], limit: int
    ) -> Iterator[Listed]:
        values = (namespace, microseconds(before[0]), before[1], limit)
        for row in self._run(LISTED, values).fetchall():
            conversation, account, line, active_at, members = row
            whom = None if members is None else frozenset(numbers(json.loads(members)))
            where = LineId(account, Number(line))
            yield ConversationId(conversation), where, moment(active_at), whom

    def _sends_from(
        self, namespace: str, n: int, limit: int
    ) -> Sequence[tuple[int, SendRecord]]:
        return list(self._numbered(SENDS_FROM, (namespace, n, limit)))

    def _events_from(self, namespace: str, n: int, limit: int) -> Sequence[Slip]:
        query = self._to_write(EVENTS_FROM)
        found = self._run(query, (namespace, n, limit)).fetchall()
        return [_slip(row[:-1], blank=bool(row[-1])) for row in found]

    def _sends_with(
        self, namespace: str, traces: Traces
    ) -> Sequence[tuple[int, SendRecord]]:
        values = (namespace, traces.like, traces.like, traces.like)
        found = self._numbered(SENDS_WITH, values)
        return [(n, record) for n, record in found if traces.found_in(record)]

    def _events_with(
        self, namespace: str, traces: Traces
    ) -> Sequence[tuple[Slip, frozenset[ConversationId]]]:
        found: list[tuple[Slip, frozenset[ConversationId]]] = []
        query = self._to_write(EVENTS_WITH)
        for row in self._run(query, (namespace, traces.like)).fetchall():
            written = plain(row[-1])
            if traces.found(written):
                found.append((_slip(row[:-1]), Traces.conversations(written)))
        return found

    def _drop_send(self, n: int, record: SendRecord) -> None:
        self._drop_parts(n, record)
        self._run(DROP_SEND, (n,))
        self._known.pop(record.id, None)

    def _blank_send(self, n: int, old: SendRecord, new: SendRecord) -> None:
        self._drop_parts(n, old)
        said = (new.reference, new.fingerprint, *rows.worded_row(new))
        self._run(BLANK_SEND, (*said, *standing_row(new), n))
        self._known.pop(old.id, None)

    def _drop_parts(self, n: int, record: SendRecord) -> None:
        """Erase attempts, news and messages' names of a send."""
        for query in (DROP_ATTEMPTS, DROP_REPORTS):
            self._run(query, (n,))
        for name in names(record):
            self._run(DROP_NAME, (*name, n))

    def _drop_events(self, namespace: str, slips: Iterable[Slip]) -> None:
        gone = [self._run(DROP_EVENT, (slip.n,)) for slip in slips]
        if gone:
            self._run(DROP_EARLY, (namespace,))

    def _blank_events(self, namespace: str, slips: Iterable[Slip]) -> None:
        settled = int(State.SETTLED)
        gone = [
            self._run(BLANK_EVENT, (self._digest(slip.key), settled, slip.n))
            for slip in slips
        ]
        if gone:
            self._run(DROP_EARLY, (namespace,))

    def _bare_event(self, namespace: str, key: EventKey) -> None:
        values = (namespace, *self._named(key))
        for n, written in self._run(EVENT, values).fetchall():
            event = bare(rows.load_event(written))
            self._run(REWRITE, (rows.event_text(event), n))

    def _drop_lines(self, namespace: str, before: datetime) -> None:
        self._run(DROP_LINES, (namespace, microseconds(before)))

    def _unlist(self, namespace: str, conversations: Iterable[ConversationId]) -> None:
        for conversation in conversations:
            self._run(UNLIST, (namespace, conversation))

    def _spend(self, n: int, old: SendRecord, new: SendRecord) -> None:
        """Erase the frozen requests of legs once they are spent."""
        if new.legs is old.legs:
            return
        if any(new.legs[key].request != leg.request for key, leg in old.legs.items()):
            self._run(SPEND, (*_SPENT, n))


def _slip(row: Sequence[Any], *, blank: bool = False) -> Slip:
    n, *key, received_at, state = row
    return Slip(n, EventKey(*key), moment(received_at), State(state), blank)
