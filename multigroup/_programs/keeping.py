"""What was said, read back; and how it goes: by age, once settled, or on request."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from .. import models
from ..archive import Erased, Mark, Page, Retention, Said, Thread, ThreadMark
from ..effects import Forget, History, Now, Program, Prune, Shed, Threads
from ..errors import ConfigError, InvalidNumberError, JournalError, SendError, is_a
from ..events import MessageReceived
from ..models import ConversationId, Receipt
from ..phone import lenient, parse
from ..records import receipt
from .carry import moment

__all__ = ["conversations", "forget", "history", "prune", "shed", "shedding"]

_MOST: Final = 1000
"""Entries of a page."""

_BATCH: Final = 500
"""Sends and events that one transaction of a prune looks at: some 50 ms."""

_DIGITS: Final = 3
"""Of a number at least: no short code has fewer."""


def history(
    namespace: str, conversation: ConversationId, before: str | None, limit: int
) -> Program[Page[Said | MessageReceived]]:
    """Return what was said in a conversation, both ways, the newest first.

    Raises:
        ConfigError: *before* is no cursor, or *limit* out of range.
    """
    most = _checked(limit)
    mark = Mark.read(before)
    found = yield from History(namespace, conversation, mark, most + 1)
    shown = found[:most]
    items = tuple(
        entry
        if isinstance(entry, MessageReceived)
        else Said(receipt(entry), entry.message, entry.began_at)
        for _, entry in shown
    )
    return Page(items, str(shown[-1][0]) if len(found) > most else None)


def conversations(
    namespace: str, before: str | None, limit: int
) -> Program[Page[Thread]]:
    """Return the conversations there are, the last active first.

    Raises:
        ConfigError: *before* is no cursor, or *limit* out of range.
    """
    most = _checked(limit)
    mark = ThreadMark.read(before)
    found = yield from Threads(namespace, mark, most + 1)
    shown = found[:most]
    if len(found) <= most:
        return Page(shown)
    return Page(shown, str(ThreadMark(shown[-1].active_at, shown[-1].conversation)))


def _checked(limit: int) -> int:
    if not (is_a(limit, int) and 0 < limit <= _MOST):
        raise ConfigError(f"limit={limit!r}: give a number from 1 to {_MOST}")
    return limit


def prune(namespace: str, retention: Retention) -> Program[Erased]:
    """Erase what is older than *retention* keeps, batch by batch.

    Raises:
        JournalError: the journal failed; the batches before are erased.
    """
    now = yield from Now()
    cut = retention.cut(moment(now))
    sends, events, place = 0, 0, (0, 0)
    while cut is not None:
        swept = yield from Prune(namespace, cut, place, _BATCH)
        sends += swept.sends
        events += swept.events
        if swept.place is None:
            break
        place = swept.place
    return Erased(sends, events)


def forget(namespace: str, own: frozenset[str], number: str) -> Program[Erased]:
    """Erase whatever *number* is in, here and in the caches of this process.

    Raises:
        InvalidNumberError: it is one of our own lines, or no number.
        JournalError: the journal failed.
    """
    written = lenient(number)
    if written in own:
        raise InvalidNumberError(
            number, "is one of our own lines: only people can be forgotten"
        )
    if len(re.sub("[^0-9]", "", written)) < _DIGITS:
        raise InvalidNumberError(
            number, "is not a phone number; write it as members are written"
        )
    erased = yield from Forget(namespace, written)
    parse.cache_clear()
    models._identity.cache_clear()
    return erased


def shed(namespace: str, references: set[str]) -> Program[None]:
    """Erase what was said in those of the sends that are settled.

    A journal that fails at it must not hide what became of a message.
    """
    for reference in sorted(references):
        with suppress(JournalError):
            yield from Shed(namespace, reference)


def shedding(namespace: str, sending: Program[Receipt]) -> Program[Receipt]:
    """Carry *sending* out, then erase what was said if the send is settled."""
    try:
        known = yield from sending
    except SendError as error:
        yield from shed(namespace, {error.receipt.reference})
        raise
    yield from shed(namespace, {known.reference})
    return known
