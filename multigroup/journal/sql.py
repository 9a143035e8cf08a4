"""What a journal in an SQL database does, said once for all of them.

Which database it is shows in a few hooks: how a statement is run, and how rows and
names are kept from other writers where there can be any. The texts are in `statements`.
"""

from __future__ import annotations

import hmac
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Protocol

from attrs import evolve

from ..consent import Block, Wish, at_group
from ..events import DeliveryUpdated, Event, EventKey
from ..models import ConversationId, LineId, Number, SendId
from ..records import SendRecord
from . import rows, statements as sql
from .port import Hold, Members, Name, State
from .rules import changed
from .sql_archive import SQLArchive
from .standing import Row, encode, microseconds, moment, standing_row, stands_alike

__all__ = ["Answer", "Known", "OvertakenError", "SQLJournal"]


class Answer(Protocol):
    """What a database answers a statement with."""

    def fetchone(self) -> Row | None:
        """Return the next row."""
        ...

    def fetchall(self) -> list[Row]:
        """Return all rows that are left."""
        ...


class Known(NamedTuple):
    """A send as it is in the database, and its row's number there."""

    n: int
    record: SendRecord


class OvertakenError(Exception):
    """Another writer put the row there since we looked: look again."""


class SQLJournal(SQLArchive):
    """A journal but for its database."""

    blocks: ClassVar[bool] = True
    durable: ClassVar[bool] = True

    @abstractmethod
    def _run(self, query: str, values: Sequence[object] = ()) -> Answer:
        """Run a statement within the transaction."""

    @property
    @abstractmethod
    def _known(self) -> dict[SendId, Known]:
        """The sends that need not be read again: at least this transaction's."""

    @property
    @abstractmethod
    def _secret(self) -> bytes:
        """The key of the digests of persons' subjects."""

    def _remember(self, known: Known) -> None:
        self._known[known.record.id] = known

    def _to_write(self, query: str) -> str:
        """Return *query* so that it keeps the rows it finds from other writers."""
        return query

    def _reserve_name(self, name: Name) -> None:
        """Keep others from looking for *name*, or taking it, until we are done."""

    def _find(self, query: str, values: Sequence[object]) -> SendRecord | None:
        found = self._run(self._to_write(query), values).fetchone()
        return None if found is None else self._held(found)

    def _held(self, row: Row) -> SendRecord:
        """Return the send of its row, read whole unless it is known."""
        n, send, *_ = row
        if send not in self._known:
            attempts = self._run(sql.ATTEMPTS, (n,)).fetchall()
            reports = self._run(sql.REPORTS, (n,)).fetchall()
            self._remember(Known(n, rows.load_send(row[1:], attempts, reports)))
        return self._known[send].record

    def _under(self, namespace: str, reference: str) -> SendRecord | None:
        return self._find(sql.UNDER, (namespace, reference))

    def _send(self, send: SendId) -> SendRecord | None:
        known = self._known.get(send)
        return known.record if known else self._find(sql.SEND, (send,))

    def _called(self, name: Name) -> SendRecord | None:
        return self._find(sql.CALLED, name)

    def _open(self, namespace: str) -> Iterator[SendRecord]:
        return map(self._held, self._run(sql.OPEN, (namespace,)).fetchall())

    def _in_doubt(self, namespace: str, since: datetime) -> Iterator[SendRecord]:
        found = self._run(sql.IN_DOUBT, (namespace, microseconds(since)))
        return map(self._held, found.fetchall())

    def _call(self, name: Name, send: SendId) -> None:
        self._reserve_name(name)
        self._run(sql.CALL, (*name, self._known[send].n))

    def _add(self, record: SendRecord) -> None:
        n = self._insert(sql.ADD, rows.send_row(record))
        if record.attempts:
            bare = evolve(record, attempts=(), legs={}, reports={})
            self._write_parts(n, bare, record)
        self._remember(Known(n, record))

    def _insert(self, query: str, values: Row) -> int:
        added = self._run(query, values).fetchone()
        if added is None:
            raise OvertakenError
        n: int = added[0]
        return n

    def _replace(self, old: SendRecord, new: SendRecord) -> None:
        n = self._known[old.id].n
        self._write_parts(n, old, new)
        self._spend(n, old, new)
        if _worded(new) != _worded(old):
            self._run(sql.REWORD, (*rows.worded_row(new), n))
        if not stands_alike(old, new):
            self._run(sql.STAND, (*standing_row(new), n))
        self._known[old.id] = Known(n, new)

    def _write_parts(self, n: int, old: SendRecord, new: SendRecord) -> None:
        """Write the attempts and the news that *new* has and *old* has not."""
        for at, attempt in changed(old.attempts, new.attempts):
            if at < len(old.attempts):
                self._run(sql.END, (*rows.end_row(attempt), n, at))
            else:
                fresh = attempt.leg not in old.legs
                leg = new.legs.get(attempt.leg) if fresh else None
                self._run(sql.TRY, (n, at, *rows.attempt_row(attempt, leg)))
        if new.reports is not old.reports:
            for (leg_key, member), event in new.reports.items():
                if old.reports.get((leg_key, member)) is not event:
                    written = rows.event_text(event)
                    self._run(sql.REPORT, (n, leg_key, member, written))

    def _line(
        self, namespace: str, conversation: ConversationId
    ) -> tuple[LineId, datetime] | None:
        found = self._run(sql.LINE, (namespace, conversation)).fetchone()
        if found is None:
            return None
        account, line, active_at = found
        return LineId(account, Number(line)), moment(active_at)

    def _set_line(
        self,
        namespace: str,
        conversation: ConversationId,
        line: LineId,
        at: datetime,
        members: Members | None,
    ) -> None:
        named = (namespace, conversation, line.account, line.number)
        whom = None if members is None else encode(sorted(members))
        self._run(sql.SET_LINE, (*named, microseconds(at), whom))

    def _next_turn(self, line: LineId) -> float:
        found = self._run(sql.NEXT_TURN, (line.account, line.number)).fetchone()
        return 0.0 if found is None else float(found[0])

    def _set_next_turn(self, line: LineId, at: float) -> None:
        self._run(sql.SET_NEXT_TURN, (line.account, line.number, at))

    def _blocks(self, namespace: str, subjects: Sequence[str]) -> Iterable[Block]:
        if not subjects or not self._run(sql.ANY_BLOCK, (namespace,)).fetchone():
            return
        kept = {self._kept_as(subject): subject for subject in subjects}
        found = self._run(sql.blocks(len(kept)), (namespace, *kept)).fetchall()
        held = {kept[subject]: (moment(since), how) for subject, since, how in found}
        for subject in subjects:
            if subject in held:
                yield Block(subject, *held[subject])

    def _consent(self, namespace: str, wish: Wish) -> None:
        subject, since = self._kept_as(wish.subject), microseconds(wish.at)
        said = (namespace, subject, int(wish.blocked), since, wish.how)
        self._run(sql.CONSENT, said)

    def _kept_as(self, subject: str) -> str:
        """Return what stands for *subject*: a digest of the number or the group in it.

        So an opt-out outlives the number it is of. A group's subject begins with the
        line, which `_lift_groups` looks for.
        """
        line, slash, whom = subject.rpartition("/")
        named = whom.encode("utf-8", "surrogatepass")
        return line + slash + hmac.digest(self._secret, named, "sha256").hex()

    def _lift_groups(self, namespace: str, line: LineId, at: datetime) -> None:
        first = at_group(line, ConversationId(""))
        after = first[:-1] + chr(ord(first[-1]) + 1)
        self._run(sql.LIFT, (namespace, first, after, microseconds(at)))

    def _memo(self, namespace: str, key: str) -> str | None:
        found = self._run(sql.MEMO, (namespace, key)).fetchone()
        return None if found is None else str(found[0])

    def _set_memo(self, namespace: str, key: str, value: str) -> None:
        self._run(sql.SET_MEMO, (namespace, key, value))

    def _hold(self, namespace: str, key: EventKey) -> Hold | None:
        named = (namespace, *self._named(key))
        found = self._run(self._to_write(sql.HOLD), named).fetchone()
        return None if found is None else _hold(found)

    def _set_hold(self, namespace: str, key: EventKey, hold: Hold) -> None:
        named = (namespace, *self._named(key))
        self._run(sql.SET_HOLD, (int(hold.state), *hold[1:], *named))

    def _unsettled(self, namespace: str) -> Iterator[tuple[Event, Hold]]:
        last = 0
        while found := self._run(sql.UNSETTLED, (namespace, last)).fetchall():
            for n, event, *hold in found:
                yield rows.load_event(event), _hold(hold)
                last = n

    def _keep(self, namespace: str, event: Event, early: Iterable[Name]) -> None:
        conversation: ConversationId | None = getattr(event, "conversation", None)
        about = (microseconds(event.received_at), conversation)
        n = self._insert(
            sql.KEEP, (namespace, *event.key, *about, rows.event_text(event))
        )
        for name in early:
            self._run(sql.WAIT, (*name, n))

    def _take_early(self, name: Name) -> Sequence[DeliveryUpdated]:
        found = self._run(sql.EARLY, name).fetchall()
        if found:
            self._run(sql.COME, name)
        return [rows.load_delivery(event) for (event,) in found]


def _worded(record: SendRecord) -> tuple[object, ...]:
    """Return what `worded_row` writes; the same objects compare at no cost."""
    return record.message, record.members, record.notes


def _hold(row: Sequence[Any]) -> Hold:
    state, until, owner, tries = row
    return Hold(State(state), until, owner, tries)
