"""What every store does alike with what was said: pages of it, and how it goes."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Final

from ..archive import Cut, Erased, Mark, Place, Swept, Thread, ThreadMark
from ..events import MessageReceived
from ..models import ConversationId, Number
from ..records import SendRecord, blank, wordless
from .port import Access, Listed, Members, Port, Slip, State
from .traces import Traces

__all__ = ["ArchivedRules"]

_SENT: Final = 0
_RECEIVED: Final = 1
_LATEST: Final = datetime.max.replace(tzinfo=UTC)
_LAST: Final = (1 << 62) - 1
"""More than any row's number."""


class ArchivedRules(Port):
    """The archive's part of a journal: whole methods, each one transaction."""

    __slots__ = ()

    def history(
        self,
        namespace: str,
        conversation: ConversationId,
        before: Mark | None,
        limit: int,
    ) -> tuple[tuple[Mark, SendRecord | MessageReceived], ...]:
        """Return up to *limit* sends and messages before a mark, the newest first."""
        mark = before or Mark(_LATEST, _SENT, 0)
        with self._transaction(Access.READ):
            sent = [
                (Mark(record.began_at, _SENT, n), record)
                for n, record in self._sends_of(
                    namespace, conversation, _bound(mark, _SENT), limit
                )
            ]
            heard = [
                (Mark(event.received_at, _RECEIVED, n), event)
                for n, event in self._messages_of(
                    namespace, conversation, _bound(mark, _RECEIVED), limit
                )
            ]
        entries: list[tuple[Mark, SendRecord | MessageReceived]] = [*sent, *heard]
        entries.sort(key=lambda entry: entry[0], reverse=True)
        return tuple(entries[:limit])

    def threads(
        self, namespace: str, before: ThreadMark | None, limit: int
    ) -> tuple[Thread, ...]:
        """Return up to *limit* conversations before a mark, the last active first."""
        mark = before or ThreadMark(_LATEST, ConversationId(""))
        with self._transaction(Access.READ):
            found = list(self._listed(namespace, mark, limit))
            return tuple([self._thread(namespace, listed) for listed in found])

    def _thread(self, namespace: str, listed: Listed) -> Thread:
        conversation, line, at, members = listed
        if members is None:
            members = self._people(namespace, conversation)
        return Thread(conversation, members, line, at)

    def _people(self, namespace: str, conversation: ConversationId) -> Members:
        """Return who is in a conversation that was noted without its members."""
        top = (_LATEST, 0)
        for _, record in self._sends_of(namespace, conversation, top, 1):
            return frozenset(record.members)
        for _, event in self._messages_of(namespace, conversation, top, 1):
            return event.members or frozenset()
        return frozenset()

    def shed(self, namespace: str, reference: str) -> None:
        """Erase what was said in the send under *reference*, if it is settled."""
        with self._transaction(Access.WRITE):
            record = self._under(namespace, reference)
            if record is not None:
                self._reword(record, wordless(record))

    def _reword(self, old: SendRecord, new: SendRecord) -> None:
        if new is not old and new != old:
            self._replace(old, new)

    def prune(self, namespace: str, cut: Cut, place: Place, limit: int) -> Swept:
        """Erase what is too old among the next *limit* sends and events.

        Both lie nearly in the order of time: where nothing is too old any more, the
        rest is too young as well.
        """
        with self._transaction(Access.WRITE):
            sends = self._sends_from(namespace, place[0], limit)
            slips = self._events_from(namespace, place[1], limit)
            old = [(n, r) for n, r in sends if r.began_at < cut.before]
            aged = [slip for slip in slips if slip.at < cut.before]
            closed = [(n, record) for n, record in old if record.closed]
            for n, record in closed:
                self._drop_send(n, record)
            erased = self._sweep(namespace, cut, aged)
            self._drop_lines(namespace, cut.before)
        further = (old and len(sends) == limit) or (aged and len(slips) == limit)
        then = (
            sends[-1][0] if old and sends else place[0],
            slips[-1].n if aged and slips else place[1],
        )
        swept = Swept(len(closed), erased, then if further else None)
        if swept.place is None:
            self._wipe(thorough=False)
        return swept

    def _sweep(self, namespace: str, cut: Cut, aged: list[Slip]) -> int:
        """Erase events; of those that may be delivered again the key stays."""
        over = [slip for slip in aged if slip.state is not State.OPEN]
        gone = [slip for slip in over if slip.at < cut.claims]
        kept = [slip for slip in over if slip.at >= cut.claims and not slip.blank]
        self._drop_events(namespace, gone)
        self._blank_events(namespace, kept)
        return sum(not slip.blank for slip in gone) + len(kept)

    def forget(self, namespace: str, number: Number) -> Erased:
        """Erase every send and every event that *number* is in."""
        traces = Traces.of(number)
        with self._transaction(Access.DURABLE):
            sends = self._sends_with(namespace, traces)
            events = dict(self._events_with(namespace, traces))
            theirs = {record.conversation for _, record in sends}
            theirs |= {named for names in events.values() for named in names}
            conversations = frozenset(filter(None, theirs))
            if conversations:
                naming = Traces.naming(conversations)
                events |= dict(self._events_with(namespace, naming))
            for n, record in sends:
                self._blank_send(n, record, blank(record, _nameless(record, traces)))
            self._blank_events(namespace, events)
            self._unlist(namespace, conversations)
        self._wipe(thorough=True)
        return Erased(len(sends), len(events))

    @abstractmethod
    def _transaction(self, access: Access) -> AbstractContextManager[object]:
        """Begin; at the end of the block all is kept, or nothing if it raised."""


def _bound(mark: Mark, rank: int) -> tuple[datetime, int]:
    """Return before which time and number the entries of *rank* lie before *mark*."""
    if mark.rank == rank:
        return mark.at, mark.n
    return mark.at, _LAST if rank < mark.rank else 0


def _nameless(record: SendRecord, traces: Traces) -> str:
    """Return the reference of a send, or another if it has *traces* in it."""
    if traces.found(record.reference):
        return f"forgotten:{record.id}"
    return record.reference
