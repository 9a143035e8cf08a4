"""What time the simulated network believes it is.

Statuses, webhooks and retries fall due by this clock and by nothing else, so a test
that steps it sees a day of retries in an instant.
"""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["Clock", "SteppedClock", "WallClock"]


class Clock(Protocol):
    """Anything that tells the time in seconds since 1970."""

    def now(self) -> float:
        """Return the time."""
        ...


class SteppedClock:
    """Stand still until told to move.

    It starts at the real time unless *start* is given, so that webhooks signed by it
    look fresh to an application that lives by the wall clock.
    """

    def __init__(self, start: float | None = None) -> None:
        self._now = time.time() if start is None else start

    def now(self) -> float:
        """Return the time to which the clock was last moved."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward by *seconds*.

        Raises:
            ValueError: *seconds* is negative.
        """
        if seconds < 0:
            raise ValueError(f"a clock cannot go back by {-seconds} s")
        self._now += seconds


class WallClock:
    """Tell the real time."""

    def now(self) -> float:
        """Return the real time."""
        return time.time()
