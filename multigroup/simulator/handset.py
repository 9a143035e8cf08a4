"""Phones, which show threads the way phones do.

A phone knows no conversation id. It files a message under the number that sent it and
the set of people on it, so a wrong roster or another sender opens another thread; that
is how a test sees that a group was, or was not, made.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from attrs import frozen

if TYPE_CHECKING:
    from .core import Core

__all__ = [
    "KEPT_BUBBLES",
    "Arrival",
    "Bubble",
    "Failing",
    "Handset",
    "ThreadKey",
    "keyword",
]

KEPT_BUBBLES = 1000
_KEPT_THREADS = 1000

Failing: TypeAlias = Literal[
    "carrier_down", "expired", "landline", "not_registered", "spam", "unreachable"
]
"""Why a phone gets nothing. Each carrier says it with codes of its own."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")

_KEYWORDS: Mapping[str, Literal["STOP", "START", "HELP"]] = {
    **dict.fromkeys(
        ("STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"), "STOP"
    ),
    **dict.fromkeys(("START", "UNSTOP"), "START"),
    "HELP": "HELP",
}


def keyword(text: str) -> Literal["STOP", "START", "HELP"] | None:
    """Return what *text* asks of a carrier: the whole trimmed text must be a word."""
    return _KEYWORDS.get(text.strip().upper())


@frozen
class ThreadKey:
    """What tells one thread from another on a phone.

    *number* is the carrier number on the thread. *members* is every person on it, the
    phone's own number included, so one group has one key on all its phones.
    """

    number: str
    members: frozenset[str]


@frozen
class Bubble:
    """One message as a phone shows it."""

    sender: str
    text: str
    media: tuple[str, ...]
    subject: str | None
    at: datetime


@frozen
class Arrival:
    """A message that reached a carrier's number.

    *others* is everyone on the thread but the sender and the number itself.
    """

    number: str
    others: frozenset[str]
    bubble: Bubble

    @classmethod
    def seen_by(cls, number: str, key: ThreadKey, bubble: Bubble) -> Arrival:
        """Return what *bubble* in thread *key* is to the carrier of *number*."""
        everyone = key.members | {key.number}
        return cls(number, everyone - {number, bubble.sender}, bubble)


class Handset:
    """A person's phone.

    Set *failing* to have carriers fail to reach it, each with its own code.
    """

    def __init__(self, core: Core, number: str) -> None:
        if not _E164.fullmatch(number):
            raise ValueError(f"{number!r} is not E.164; write it like +14155550101")
        self.number = number
        self.on_net = False
        self.failing: Failing | None = None
        self._core = core
        self._threads: dict[ThreadKey, deque[Bubble]] = {}

    def __repr__(self) -> str:
        """Show the number and how many threads there are."""
        return f"<Handset {self.number}: {len(self._threads)} threads>"

    @property
    def threads(self) -> Mapping[ThreadKey, tuple[Bubble, ...]]:
        """Return the phone's threads as they stand, the one last used at the end.

        Of each the last thousand messages are kept.
        """
        with self._core.lock:
            threads = {key: tuple(bubbles) for key, bubbles in self._threads.items()}
        return MappingProxyType(threads)

    @property
    def bubbles(self) -> tuple[Bubble, ...]:
        """Return all messages the phone shows, thread by thread."""
        return tuple(one for thread in self.threads.values() for one in thread)

    @property
    def latest(self) -> ThreadKey | None:
        """Return the thread last used."""
        with self._core.lock:
            return next(reversed(self._threads), None)

    def receive(self, key: ThreadKey, bubble: Bubble) -> bool:
        """Show *bubble*, unless the phone cannot be reached; tell which."""
        with self._core.lock:
            if self.failing is not None:
                self._core.ledger.missed(self.number, key, bubble)
                return False
            self._show(key, bubble)
        size = len(key.members)
        what = f"a group of {size}" if size > 1 else "a message"
        words = f"{self.number} shows {what} from {bubble.sender}, on {key.number}"
        self._core.note("ring", "", words)
        return True

    def reply(
        self,
        text: str = "",
        *,
        media: Iterable[str] = (),
        subject: str | None = None,
        to: ThreadKey | None = None,
    ) -> Bubble:
        """Answer in thread *to*, or in the one last used.

        *to* may be a thread that is not there yet: people write first, too.

        The other phones show the answer at once: copies between people do not pass
        through a carrier's API. The carrier of the thread's number posts a webhook,
        which falls due now: `Network.run_due` or `settle` sends it.

        Raises:
            LookupError: the phone has no thread to answer in, is not on thread *to*,
                or no carrier has its number.
        """
        core = self._core
        with core.lock:
            key = to or self.latest
            if key is None or self.number not in key.members:
                raise LookupError(f"{self.number} is on no such thread")
            if key.number not in core.owners:
                raise LookupError(f"no carrier has {key.number}")
            files = (media,) if isinstance(media, str) else tuple(media)
            bubble = Bubble(self.number, text, files, subject, core.when())
            self._show(key, bubble)
            core.note("reply", "", f"{self.number} writes on {key.number}")
            for other in (*sorted(key.members - {self.number}), key.number):
                core.ring(other, key, bubble)
        return bubble

    def opted_out_of(self, number: str) -> bool:
        """Tell whether the carrier of *number* blocks messages to this phone.

        Raises:
            LookupError: no carrier has *number*.
        """
        with self._core.lock:
            if number not in self._core.owners:
                raise LookupError(f"no carrier has {number}")
            return self._core.owners[number].blocks(self.number)

    def _show(self, key: ThreadKey, bubble: Bubble) -> None:
        thread = self._threads.pop(key, None) or deque[Bubble](maxlen=KEPT_BUBBLES)
        thread.append(bubble)
        self._threads[key] = thread
        if len(self._threads) > _KEPT_THREADS:
            del self._threads[next(iter(self._threads))]
        self._core.ledger.shown(self.number, key, bubble)
