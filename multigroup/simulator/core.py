"""What the carriers and the handsets of one network share.

One lock guards everything here and in the faces. It is never held while a webhook is
under way: the application may call a face before it answers.
"""

from __future__ import annotations

import logging
import random
import threading
import uuid
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, Protocol, TypeAlias

from attrs import frozen

from .agenda import Agenda, Job
from .clock import Clock
from .feed import Feed
from .handset import Arrival, Bubble, Handset, ThreadKey
from .ledger import Ledger
from .timeline import Timeline

__all__ = ["Core", "Entry", "EntryKind", "Owner", "uuid_from"]

EntryKind: TypeAlias = Literal["call", "ring", "webhook", "reply"]

_LOG = logging.getLogger("multigroup")
_KEPT = 10_000  # entries: a long run must not eat the machine's memory


def uuid_from(source: random.Random) -> str:
    """Return a UUID drawn from *source*."""
    return str(uuid.UUID(int=source.getrandbits(128), version=4))


@frozen
class Entry:
    """One thing that happened, in plain words and without message text.

    *kind* is `call` (the application called a carrier), `ring` (a handset got a
    message), `reply` (a person wrote) or `webhook` (one attempt at a delivery).
    *status* is the HTTP status, where one was given.
    """

    at: datetime
    kind: EntryKind
    carrier: str
    words: str
    status: int | None = None


class Owner(Protocol):
    """A carrier, as the handsets see it."""

    def inbound(self, arrival: Arrival) -> None:
        """Take a message for one of this carrier's numbers."""
        ...

    def blocks(self, member: str) -> bool:
        """Tell whether *member* has opted out."""
        ...


class Core:
    """Hold the clock, the agenda, the log, the handsets and who owns which number.

    Beside the log, which is short words: *timeline* has the last calls and webhooks
    whole, *ledger* who got which message, and *feed* what has changed.
    """

    def __init__(self, clock: Clock, seed: int | None) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.agenda = Agenda()
        self.log: deque[Entry] = deque(maxlen=_KEPT)
        self.feed = Feed()
        self.ledger = Ledger(self.feed)
        self.timeline = Timeline(self.when, self.feed)
        self.owners: dict[str, Owner] = {}
        # Not for secrets that guard anything: seeded, a run repeats to the last id.
        self.random = random.Random(seed)  # noqa: S311
        self._seed = seed
        self._handsets: dict[str, Handset] = {}
        self._listeners: list[Callable[[Entry], None]] = []
        self._wake: Callable[[], None] | None = None

    def handset(self, number: str, *, on_net: bool | None = None) -> Handset:
        """Return the phone with *number*, made at its first mention.

        *on_net* says whether the phone is a customer of the carrier that sends: only
        then does a carrier learn that a group message reached it.

        Raises:
            ValueError: *number* is not in E.164, or belongs to a carrier.
        """
        with self.lock:
            if number in self.owners:
                raise ValueError(f"{number} is a carrier's number, not a person's")
            if number not in self._handsets:
                self._handsets[number] = Handset(self, number)
                self.feed.tell("phone", number)
            phone = self._handsets[number]
            if on_net is not None:
                phone.on_net = on_net
            return phone

    @property
    def handsets(self) -> tuple[Handset, ...]:
        """Return every phone mentioned so far."""
        with self.lock:
            return tuple(self._handsets.values())

    def own(self, number: str, owner: Owner) -> None:
        """Give *number* to a carrier.

        Raises:
            ValueError: another carrier or a person has it.
        """
        if number in self._handsets or self.owners.get(number, owner) is not owner:
            raise ValueError(f"{number} is taken by a person or another carrier")
        self.owners[number] = owner

    def numbers_of(self, owner: Owner) -> tuple[str, ...]:
        """Return the numbers that belong to *owner*."""
        with self.lock:
            return tuple(number for number, one in self.owners.items() if one is owner)

    def ring(self, to: str, key: ThreadKey, bubble: Bubble) -> bool:
        """Bring *bubble* to the person or carrier number *to*; tell whether it came."""
        owner = self.owners.get(to)
        if owner is not None:
            owner.inbound(Arrival.seen_by(to, key, bubble))
            return True
        return self.handset(to).receive(key, bubble)

    def later(self, seconds: float, job: Job) -> None:
        """Have *job* run *seconds* from now."""
        with self.lock:
            self.agenda.add(self.clock.now() + seconds, job)
            wake = self._wake
        if wake is not None:
            wake()

    def on_schedule(self, wake: Callable[[], None] | None) -> None:
        """Have *wake* called whenever a job is added."""
        self._wake = wake

    def now(self) -> float:
        """Return the network's time in seconds since 1970."""
        return self.clock.now()

    def when(self, seconds: float = 0.0) -> datetime:
        """Return the network's time in *seconds* from now, aware."""
        return datetime.fromtimestamp(self.clock.now() + seconds, UTC)

    def uuid(self) -> str:
        """Return a random UUID."""
        return uuid_from(self.random)

    def stream(self, name: str) -> random.Random:
        """Return random numbers of *name*'s own, which leave all others as they are."""
        seed = None if self._seed is None else f"{name} {self._seed}"
        return random.Random(seed)  # noqa: S311 - as above

    def note(
        self, kind: EntryKind, carrier: str, words: str, status: int | None = None
    ) -> None:
        """Write an entry into the log and tell those who listen."""
        with self.lock:
            entry = Entry(self.when(), kind, carrier, words, status)
            self.log.append(entry)
            for listener in tuple(self._listeners):
                try:
                    listener(entry)
                except Exception:  # noqa: BLE001 - a reader is no part of the network
                    _LOG.warning("a listener of the simulator failed", exc_info=True)

    def on_entry(self, callback: Callable[[Entry], None]) -> None:
        """Have *callback* called with every entry from now on.

        What it raises is logged and goes no further.
        """
        with self.lock:
            self._listeners.append(callback)
