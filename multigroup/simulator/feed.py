"""What has changed, for whoever looks on: a short memory with a number for each change.

A reader asks for what came after the number it knows. One that fell too far behind is
told so and begins anew; so a slow reader costs no memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal, TypeAlias

from attrs import frozen

from .faults import Switch

__all__ = ["Change", "ChangeKind", "Feed"]

ChangeKind: TypeAlias = Literal["message", "phone", "entry", "faults", "clock"]

_KEPT = 4000


@frozen
class Change:
    """One change: *subject* is what is new or different now."""

    kind: ChangeKind
    subject: object


class Feed:
    """Count the changes, keep the latest, and wake those who wait for one."""

    def __init__(self) -> None:
        self.number = 0
        self._changes: deque[Change] = deque(maxlen=_KEPT)
        self._wakers: list[Callable[[], None]] = []

    def tell(self, kind: ChangeKind, subject: object = None) -> None:
        """Take down a change; called with the network's lock held."""
        self.number += 1
        self._changes.append(Change(kind, subject))
        for wake in tuple(self._wakers):
            wake()

    def since(self, number: int) -> tuple[Change, ...] | None:
        """Return what came after *number*, or `None` if that is no longer known."""
        missed = self.number - number
        if not 0 <= missed <= len(self._changes):
            return None
        return tuple(self._changes)[len(self._changes) - missed :]

    def on_change(self, wake: Callable[[], None]) -> Switch:
        """Have *wake* called at every change, from whatever thread makes it."""
        self._wakers.append(wake)
        return Switch(lambda: self._wakers.remove(wake))
