"""Switches for what goes wrong between an application and a carrier."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeAlias

from attrs import define

from ..wire import Reply, Response

__all__ = ["Answer", "Faults", "Switch"]

Answer: TypeAlias = Reply | Callable[[Response | None], Reply]
"""What to answer, or how to make it from what the carrier would have answered."""


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
    answer: Answer
    after: bool
    left: int | None
    name: str
    spent: Callable[[], None] | None


class Faults:
    """Hold the answers that stand in for a carrier's own, in the order set."""

    def __init__(self) -> None:
        self._active: list[_Fault] = []
        self.last = ""
        """What the answer last taken was called."""

    def add(
        self,
        answer: Answer,
        *,
        after: bool,
        count: int | None,
        name: str = "a switch",
        spent: Callable[[], None] | None = None,
    ) -> Switch:
        """Give *answer* to the next *count* sends, or to all until turned off.

        *after* says when: once the carrier has accepted the send, or instead. *spent*
        is called when the count is used up.
        """
        fault = _Fault(answer, after, count, name, spent)
        self._active.append(fault)
        return Switch(lambda: self._drop(fault))

    def take(self, *, after: bool) -> Answer | None:
        """Return the answer to give now, if any, and count it."""
        for fault in self._active:
            if fault.after is after:
                if fault.left is not None:
                    fault.left -= 1
                    if fault.left <= 0:
                        self._wear_out(fault)
                self.last = fault.name
                return fault.answer
        return None

    def _wear_out(self, fault: _Fault) -> None:
        self._drop(fault)
        if fault.spent is not None:
            fault.spent()

    def _drop(self, fault: _Fault) -> None:
        if fault in self._active:
            self._active.remove(fault)
