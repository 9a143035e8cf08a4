"""Switches for what goes wrong between an application and a carrier."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from attrs import define

from ..wire import Reply

__all__ = ["Faults", "Switch"]


class Switch:
    """Something turned on, to be turned off by `off()` or at the end of a `with`."""

    def __init__(self, off: Callable[[], None]) -> None:
        self._off: Callable[[], None] | None = off

    def off(self) -> None:
        """Turn it off; twice does no harm."""
        off, self._off = self._off, None
        if off is not None:
            off()

    def __enter__(self) -> Self:
        """Return the switch, which is already on."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Turn it off."""
        self.off()


@define(eq=False)
class _Fault:
    reply: Reply
    after: bool
    left: int | None


class Faults:
    """Hold the answers that stand in for a carrier's own, in the order set."""

    def __init__(self) -> None:
        self._active: list[_Fault] = []

    def add(self, reply: Reply, *, after: bool, count: int | None) -> Switch:
        """Give *reply* to the next *count* sends, or to all until turned off.

        *after* says when: once the carrier has accepted the send, or instead.
        """
        fault = _Fault(reply, after, count)
        self._active.append(fault)
        return Switch(lambda: self._drop(fault))

    def take(self, *, after: bool) -> Reply | None:
        """Return the answer to give now, if any, and count it."""
        for fault in self._active:
            if fault.after is after:
                if fault.left is not None:
                    fault.left -= 1
                    if fault.left <= 0:
                        self._drop(fault)
                return fault.reply
        return None

    def _drop(self, fault: _Fault) -> None:
        if fault in self._active:
            self._active.remove(fault)
