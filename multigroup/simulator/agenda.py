"""What is still to happen: a heap of jobs by the time they fall due.

A job does no I/O. One that wants a request sent returns an `Errand`, and whoever runs
the agenda sends it: a plain loop in a test, an event loop when the network is served.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TypeAlias

from attrs import frozen

from ..wire import Reply, Request

__all__ = ["Agenda", "Errand", "Job"]


@frozen
class Errand:
    """A request to send, how long to wait for the answer, and whom to tell."""

    request: Request
    timeout: float
    done: Callable[[Reply], None]


Job: TypeAlias = Callable[[], Errand | None]


class Agenda:
    """Keep jobs in order of time, and in order of arrival within one instant."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Job]] = []
        self._count = 0

    def __len__(self) -> int:
        """Return how many jobs wait."""
        return len(self._heap)

    def add(self, when: float, job: Job) -> None:
        """Have *job* run at *when*."""
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, job))

    def next_due(self) -> float | None:
        """Return when the next job falls due."""
        return self._heap[0][0] if self._heap else None

    def pop(self, now: float) -> Job | None:
        """Take out the next job that is due at *now*."""
        if not self._heap or self._heap[0][0] > now:
            return None
        return heapq.heappop(self._heap)[2]
