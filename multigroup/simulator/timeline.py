"""The last calls and webhooks with all that was said, under ids that stay.

Bounded: the oldest entry makes room for the newest.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Literal, TypeAlias

from attrs import define, evolve, field, frozen

from ..wire import Headers, Reply, Request, Response
from .feed import Feed
from .parcels import Parcel

__all__ = [
    "KEPT_ATTEMPTS",
    "KEPT_ENTRIES",
    "Attempt",
    "Call",
    "Delivery",
    "State",
    "Timeline",
]

KEPT_ENTRIES = 500
KEPT_ATTEMPTS = 12
_LONGEST_BODY = 32_768
_SECRET = frozenset({"authorization", "proxy-authorization", "cookie"})

State: TypeAlias = Literal[
    "due", "under way", "held", "delivered", "refused", "given up", "dropped"
]


@frozen
class Call:
    """An application's call: what it asked, and what it was told.

    *because* names the switch that answered in the carrier's place. Credentials are
    left out, and long bodies are cut.
    """

    id: str
    at: datetime
    carrier: str
    request: Request
    reply: Reply
    because: str


@define(eq=False)
class Attempt:
    """One try at delivering a webhook.

    *marks* says in words what is unusual about it; *took* is how long the application
    needed, in seconds of real time.
    """

    id: str
    number: int
    at: datetime
    request: Request
    marks: tuple[str, ...]
    reply: Reply | None = None
    took: float | None = None
    _began: float = field(factory=time.perf_counter)

    def end(self, reply: Reply) -> None:
        """Take down the application's answer."""
        self.reply = reply
        self.took = time.perf_counter() - self._began


@define(eq=False)
class Delivery:
    """A webhook from its event to its end.

    *tries* counts the carrier's own tries; *made* all requests, replays included.
    *ticket* is void once another time was set for the next try.
    """

    id: str
    carrier: str
    at: datetime
    parcel: Parcel
    state: State = "due"
    why: str = ""
    tries: int = 0
    made: int = 0
    next_at: datetime | None = None
    ticket: int = 0
    waved_on: bool = False
    attempts: deque[Attempt] = field(
        factory=lambda: deque[Attempt](maxlen=KEPT_ATTEMPTS)
    )

    def stop(self, state: State, why: str = "") -> None:
        """Have no next try, for the reason *why*."""
        self.state, self.why, self.next_at = state, why, None
        self.ticket += 1


class Timeline:
    """Keep calls and webhooks in the order they began."""

    def __init__(self, when: Callable[[], datetime], feed: Feed) -> None:
        self._when = when
        self._feed = feed
        self._numbers = count(1)
        self._entries: OrderedDict[str, Call | Delivery] = OrderedDict()

    @property
    def entries(self) -> tuple[Call | Delivery, ...]:
        """Return all that is kept, the oldest first."""
        return tuple(self._entries.values())

    def find(self, entry_id: str) -> Call | Delivery | None:
        """Return the entry with *entry_id*, unless it had to make room."""
        return self._entries.get(entry_id)

    def call(self, carrier: str, request: Request, reply: Reply, because: str) -> None:
        """Take down a call that was answered."""
        shown = evolve(
            request, headers=_masked(request.headers), body=request.body[:_LONGEST_BODY]
        )
        if isinstance(reply, Response):
            reply = evolve(reply, body=reply.body[:_LONGEST_BODY])
        call_id = f"c{next(self._numbers)}"
        self._keep(Call(call_id, self._when(), carrier, shown, reply, because))

    def delivery(self, carrier: str, parcel: Parcel) -> Delivery:
        """Take down a webhook that is to be delivered."""
        made = Delivery(f"w{next(self._numbers)}", carrier, self._when(), parcel)
        self._keep(made)
        return made

    def attempt(
        self, delivery: Delivery, number: int, request: Request, marks: tuple[str, ...]
    ) -> Attempt:
        """Take down a try that begins."""
        delivery.made += 1
        attempt_id = f"{delivery.id}.{delivery.made}"
        made = Attempt(attempt_id, number, self._when(), request, marks)
        delivery.attempts.append(made)
        self.changed(delivery)
        return made

    def changed(self, delivery: Delivery) -> None:
        """Tell that something about *delivery* is different now."""
        self._feed.tell("entry", delivery)

    def _keep(self, entry: Call | Delivery) -> None:
        self._entries[entry.id] = entry
        if len(self._entries) > KEPT_ENTRIES:
            self._entries.popitem(last=False)
        self._feed.tell("entry", entry)


def _masked(headers: Headers) -> Headers:
    return Headers(
        (name, _hidden(value) if name in _SECRET else value) for name, value in headers
    )


def _hidden(value: str) -> str:
    scheme, _, secret = value.rpartition(" ")
    return f"{scheme} ({len(secret)} characters)".lstrip()
