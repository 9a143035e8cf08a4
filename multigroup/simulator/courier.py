"""Webhooks on their way: signed at every try, retried, and spoilt on demand."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import assert_never

from attrs import field, frozen

from ..wire import Failure, Json, Reply, Request, Response
from .agenda import Errand
from .core import Core
from .faults import Switch

__all__ = ["REFUSED", "Courier", "Parcel", "Policy", "Trial", "in_words"]

REFUSED = "RemoteDestinationRefused"
"""The `Failure.kind` of a webhook whose address is not on this machine."""

_LAST_DIGIT = re.compile(rb"[0-9](?=[^0-9]*\Z)")


@frozen
class Policy:
    """How a carrier delivers: patience, what counts as success, when it tries again.

    *waits* lie between the tries at one URL. *retried* judges a status that is no
    success; a lost connection or a timeout is always tried again.
    """

    timeout: float
    success: range
    waits: tuple[float, ...]
    retried: Callable[[int], bool]

    def settled(self, reply: Reply) -> bool:
        """Tell whether *reply* ends the matter."""
        if isinstance(reply, Failure):
            return reply.kind == REFUSED
        return self.succeeds(reply) or not self.retried(reply.status)

    def succeeds(self, reply: Reply) -> bool:
        """Tell whether the event was taken."""
        return isinstance(reply, Response) and reply.status in self.success


@frozen
class Parcel:
    """One event: where to, in which order, and its body for a try at a URL.

    *document* is the event itself, for a carrier that keeps what it delivered.
    """

    about: str
    urls: tuple[str, ...]
    render: Callable[[int, str], bytes]
    document: dict[str, Json] = field(factory=dict[str, Json], repr=False)


@frozen
class Trial:
    """One try at a parcel, and how it went; none follows the *last*."""

    request: Request = field(repr=False)
    reply: Reply
    began: float
    ended: float
    success: bool
    last: bool


class Courier:
    """Deliver one carrier's webhooks, and hold the switches that spoil them.

    A switch with a *count* acts on that many next tries, then turns itself off.
    """

    def __init__(
        self,
        core: Core,
        carrier: str,
        policy: Policy,
        sign: Callable[[bytes, float], Mapping[str, str]],
        keep: Callable[[Parcel, Trial], None] = lambda _parcel, _trial: None,
    ) -> None:
        self._keep = keep
        self._core = core
        self._carrier = carrier
        self._policy = policy
        self._sign = sign
        self._tampers = 0
        self._unsigned = 0
        self._duplicates = 0
        self._ages: deque[float] = deque()
        self._holding = False
        self._held: list[tuple[Parcel, int]] = []

    def submit(self, parcel: Parcel, delay: float = 0.0) -> None:
        """Deliver *parcel* in *delay* seconds; with nowhere to go it is dropped."""
        if not parcel.urls:
            note = f"{parcel.about}: no webhook URL is set"
            self._core.note("webhook", self._carrier, note)
            return
        self._core.later(delay, partial(self._begin, parcel))

    def tamper(self, count: int = 1) -> None:
        """Change one digit of the body after it was signed; it stays valid JSON."""
        self._tampers += count

    def unsigned(self, count: int = 1) -> None:
        """Leave the signature out."""
        self._unsigned += count

    def stale(self, seconds: float, count: int = 1) -> None:
        """Sign as if it were *seconds* ago; negative means from the future."""
        self._ages.extend([seconds] * count)

    def duplicate(self, count: int = 1) -> None:
        """Deliver the next events twice."""
        self._duplicates += count

    def hold(self) -> Switch:
        """Keep what falls due until `release()` or the end of a `with`."""
        self._holding = True
        return Switch(self.release)

    def release(self, *, reverse: bool = False) -> None:
        """Deliver what was held, in order or the last first."""
        with self._core.lock:
            held, self._held = self._held, []
            self._holding = False
        for parcel, number in reversed(held) if reverse else held:
            self._core.later(0.0, partial(self._attempt, parcel, number))

    def _begin(self, parcel: Parcel) -> Errand | None:
        with self._core.lock:
            if self._duplicates:
                self._duplicates -= 1
                self._core.later(0.0, partial(self._attempt, parcel, 1))
        return self._attempt(parcel, 1)

    def _attempt(self, parcel: Parcel, number: int) -> Errand | None:
        with self._core.lock:
            if self._holding:
                self._held.append((parcel, number))
                return None
            url = parcel.urls[(number - 1) // (len(self._policy.waits) + 1)]
            request = self._sealed(url, parcel.render(number, url))
        began = self._core.now()

        def done(reply: Reply) -> None:
            last = self._conclude(parcel, number, reply)
            success = self._policy.succeeds(reply)
            ended = self._core.now()
            self._keep(parcel, Trial(request, reply, began, ended, success, last))

        return Errand(request, self._policy.timeout, done)

    def _sealed(self, url: str, body: bytes) -> Request:
        age = self._ages.popleft() if self._ages else 0.0
        headers = dict(self._sign(body, self._core.now() - age))
        if self._unsigned:
            self._unsigned -= 1
            headers = {}
        if self._tampers:
            self._tampers -= 1
            body = _tampered(body)
        headers = {"content-type": "application/json", **headers}
        return Request("POST", url, headers, body)

    def _conclude(self, parcel: Parcel, number: int, reply: Reply) -> bool:
        """See to the next try, if there is to be one; tell if this was the last."""
        policy, (status, answer) = self._policy, in_words(reply)
        words = f"{parcel.about}: try {number}, {answer}"
        wait = self._wait(parcel, number)
        if policy.settled(reply):
            self._core.note("webhook", self._carrier, words, status)
        elif wait is None:
            self._core.note("webhook", self._carrier, f"{words}, given up", status)
        else:
            more = f"{words}, next in {wait:g} s"
            self._core.note("webhook", self._carrier, more, status)
            self._core.later(wait, partial(self._attempt, parcel, number + 1))
            return False
        return True

    def _wait(self, parcel: Parcel, number: int) -> float | None:
        per_url = len(self._policy.waits) + 1
        if number >= per_url * len(parcel.urls):
            return None
        at_this_url = number % per_url  # 0: the next try is at the next URL, at once
        return self._policy.waits[at_this_url - 1] if at_this_url else 0.0


def in_words(reply: Reply) -> tuple[int | None, str]:
    """Return the HTTP status of *reply*, if any, and what to call it in the log."""
    match reply:
        case Response():
            return reply.status, str(reply.status)
        case Failure():
            return None, reply.kind
        case _:
            assert_never(reply)


def _tampered(body: bytes) -> bytes:
    found = _LAST_DIGIT.search(body)
    place = found.start() if found else len(body) - 1
    # The lowest bit turns a digit into its neighbour, so JSON stays JSON.
    return body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
