"""A bucket of requests that refills as time goes by."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Bucket"]


class Bucket:
    """Let through some requests a second, and as many at once."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._used = 0.0
        self._at = now()

    def take(self, rate: int | None) -> bool:
        """Take one request out; tell whether there was one. No rate, no limit."""
        if rate is None:
            return True
        now = self._now()
        self._used = max(0.0, self._used - (now - self._at) * rate)
        self._at = now
        if self._used + 1 > rate:
            return False
        self._used += 1
        return True
