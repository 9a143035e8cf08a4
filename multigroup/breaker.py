"""Leave a line alone that keeps failing: one breaker per line, kept by the client.

Only what condemns the line counts: a carrier that cannot be reached, that answers 5xx,
or that refuses the line or the account. A bad number, an opt-out, a throttled request
or the caller's own deadline say nothing about the line.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum, unique
from threading import Lock
from typing import Final, assert_never

from attrs import define, field, frozen

from .models import Accepted, LineId, NotSent, Outcome, Refused, Scope, Unknown
from .wire import Failure, Reply

__all__ = ["BreakerState", "Breakers"]

_OURS: Final = frozenset(
    {
        "CancelledError",
        "Interrupted",
        "InvalidURL",
        "LocalProtocolError",
        "PoolTimeout",
        "TotalTimeout",
        "UnsupportedProtocol",
    }
)
"""Failures that came about on our side: a deadline, a full pool, a bad address."""


@unique
class BreakerState(StrEnum):
    """What a breaker lets through: everything, nothing, or one send to try it."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@frozen
class _Record:
    failures: int = 0
    open_until: float = 0.0
    probing: bool = False


@define(eq=False)
class Breakers:
    """Opens after *threshold* failures in a row, for *pause* seconds.

    Then one send may try; it closes the breaker or opens it again.
    """

    threshold: int = 5
    pause: float = 30.0
    _records: dict[LineId, _Record] = field(factory=dict[LineId, _Record], init=False)
    _lock: Lock = field(factory=Lock, init=False)

    def state(self, line: LineId, now: float) -> BreakerState:
        """Return what the breaker of *line* does at *now* (Unix seconds)."""
        with self._lock:
            return self._state(line, now)

    def refusal(self, line: LineId, now: float) -> NotSent | None:
        """Return why *line* is left alone at *now*, or `None` if it may be used.

        Whoever is let through half-open is the one that tries the line.
        """
        with self._lock:
            record = self._records.get(line)
            if record is None or record.failures < self.threshold:
                return None
            if self._state(line, now) is BreakerState.HALF_OPEN:
                until = now + self.pause
                self._records[line] = _Record(record.failures, until, probing=True)
                return None
            left = max(record.open_until - now, 0.0)
            return NotSent(
                f"{line} failed {record.failures} times in a row and is left alone "
                f"for {left:.0f} s more"
            )

    def heard(
        self, line: LineId, news: Iterable[tuple[Outcome, Reply]], now: float
    ) -> None:
        """Take note of what came of a batch on *line*.

        Legs that fail together are one failure; one that was taken shows that the
        line works.
        """
        verdicts = {_blames(known, reply) for known, reply in news}
        with self._lock:
            record = self._records.get(line, _Record())
            if False in verdicts:
                self._records.pop(line, None)
            elif True in verdicts:
                failures = record.failures + 1
                opens = now + self.pause if failures >= self.threshold else 0.0
                self._records[line] = _Record(failures, opens)
            elif record.probing:  # nothing was learned: the next one may try
                self._records[line] = _Record(record.failures, now)

    def _state(self, line: LineId, now: float) -> BreakerState:
        record = self._records.get(line)
        if record is None or record.failures < self.threshold:
            return BreakerState.CLOSED
        return BreakerState.OPEN if record.open_until > now else BreakerState.HALF_OPEN


def _blames(known: Outcome, reply: Reply) -> bool | None:
    """Tell whether the line is to blame; `None` if nothing is learned about it."""
    if isinstance(reply, Failure) and reply.kind in _OURS:
        return None
    match known:
        case Accepted():
            return False
        case Refused(scope=scope):
            return scope in (Scope.LINE, Scope.ACCOUNT)
        case NotSent():  # by a reply only a throttled request is
            return True if isinstance(reply, Failure) else None
        case Unknown():
            return True
        case _:
            assert_never(known)
