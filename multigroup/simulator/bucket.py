"""A bucket of requests that refills as time goes by."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Bucket"]


class Bucket:
    """Let through some requests a second, and as many at once unless told otherwise."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._used = 0.0
        self._at = now()

    def take(
        self, rate: float | None, *, count: int = 1, room: float | None = None
    ) -> bool:
        """Take *count* requests out; tell whether they were there. No rate, no limit.

        *room* is how many may come at once, a second's worth unless it is given.
        """
        if rate is None:
            return True
        now = self._now()
        self._used = max(0.0, self._used - (now - self._at) * rate)
        self._at = now
        if self._used + count > (rate if room is None else room):
            return False
        self._used += count
        return True
