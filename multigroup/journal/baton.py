"""Who is at a connection: one thread at a time, and those that wait share a commit.

A thread that is done while others wait does not commit. It passes the baton on with the
transaction open, and waits for the commit of the last one: what eight threads wrote at
once is on the disk after one wait for the disk.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import Final

from .port import Access

__all__ = ["LARGEST", "Baton", "Group", "Runner"]

LARGEST: Final = 64
"""So many share a commit at most: the first must not wait for ever."""


class Runner:
    """One who wants the baton, to do something with *access*; `None` to be alone."""

    __slots__ = ("_called", "access")

    def __init__(self, access: Access | None) -> None:
        self.access = access
        self._called: Lock | None = None

    def stand_by(self) -> None:
        """Get ready to be called."""
        self._called = _taken()

    def wait(self) -> None:
        """Wait until the baton is ours."""
        if self._called is not None:
            self._called.acquire()

    def call(self) -> None:
        """Give the baton over."""
        if self._called is not None:
            self._called.release()


class Group:
    """Those who share a commit; the first of them wanted *access*."""

    __slots__ = ("_members", "access", "error")

    def __init__(self, access: Access) -> None:
        self.access = access
        self.error: BaseException | None = None
        self._members: list[Lock] = []

    def join(self) -> Lock:
        """Return what a member waits for the commit by."""
        self._members.append(_taken())
        return self._members[-1]

    def admits(self, access: Access | None) -> bool:
        """Tell whether one more may do with *access* what the group began.

        Who wants the disk to be waited for cannot join those who do not: that is
        settled at the beginning of a transaction.
        """
        return (
            len(self._members) + 1 < LARGEST
            and access is not None
            and (access is not Access.DURABLE or self.access is Access.DURABLE)
        )

    def end(self, error: BaseException | None) -> None:
        """Tell all members that the commit was made, or why not."""
        self.error = error
        for member in self._members:
            member.release()


class Baton:
    """Is given to one at a time, in the order they came."""

    __slots__ = ("_gate", "_held", "_queue")

    def __init__(self) -> None:
        self._gate = Lock()
        self._queue: deque[Runner] = deque()
        self._held = False

    @property
    def wanted(self) -> bool:
        """Whether somebody waits; it may change at any time."""
        return bool(self._queue)

    def take(self, runner: Runner) -> None:
        """Wait for the baton."""
        with self._gate:
            if not self._held:
                self._held = True
                return
            runner.stand_by()
            self._queue.append(runner)
        runner.wait()

    def withdraw(self, runner: Runner) -> bool:
        """Wait no more; false if the baton was given to *runner* in the meantime."""
        with self._gate:
            if runner not in self._queue:
                return False
            self._queue.remove(runner)
            return True

    def pass_on(self, group: Group) -> Lock | None:
        """Give the baton to the next one if it may join *group*, which we are of.

        The answer is what tells us of the commit, or `None` if the baton is still ours.
        """
        with self._gate:
            if not self._queue or not group.admits(self._queue[0].access):
                return None
            told, runner = group.join(), self._queue.popleft()
        runner.call()
        return told

    def drop(self) -> None:
        """Give the baton to the next one, or lay it down."""
        with self._gate:
            if not self._queue:
                self._held = False
                return
            runner = self._queue.popleft()
        runner.call()


def _taken() -> Lock:
    lock = Lock()
    lock.acquire()
    return lock
