"""Connections to a database that threads take turns with."""

from __future__ import annotations

from collections.abc import Callable
from threading import BoundedSemaphore, Lock
from typing import Any, Final, TypeAlias

from psycopg import Connection
from psycopg.pq import TransactionStatus

__all__ = ["BusyError", "Link", "Pool"]

Link: TypeAlias = Connection[tuple[Any, ...]]

PATIENCE: Final = 10.0
"""Seconds to wait for a connection, or for a row that another one holds."""


class BusyError(Exception):
    """All connections are in use, and none was given back in time."""


class Pool:
    """Up to *size* connections, opened by *connect* when they are needed.

    Who wants one when all are in use waits *patience* seconds.

    One that lies idle may have been lost: whoever takes it finds out.
    """

    __slots__ = (
        "_connect",
        "_idle",
        "_inherited",
        "_lock",
        "_patience",
        "_places",
        "_size",
    )

    def __init__(
        self, connect: Callable[[], Link], size: int, patience: float = PATIENCE
    ) -> None:
        self._connect = connect
        self._size = size
        self._patience = patience
        self._inherited: list[Link] = []
        self._idle: list[Link] = []
        self._lock = Lock()
        self._places = BoundedSemaphore(size)

    def take(self) -> Link:
        """Return a connection that nobody else uses.

        Raises:
            BusyError: none came free in time.
        """
        if not self._places.acquire(timeout=self._patience):
            raise BusyError
        try:
            with self._lock:
                found = self._idle.pop() if self._idle else None
            return found or self._connect()
        except BaseException:
            self._places.release()
            raise

    def give_back(self, link: Link) -> None:
        """Let others use *link*, or another one in its place if it is no good."""
        if link.closed or link.info.transaction_status is not TransactionStatus.IDLE:
            link.close()
        else:
            with self._lock:
                self._idle.append(link)
        self._places.release()

    def clear(self) -> None:
        """Close what lies idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for link in idle:
            link.close()

    def forked(self) -> None:
        """Start anew in a child: no connection is shared with the parent.

        The parent's are kept untouched, since closing one would end the parent's.
        """
        self._inherited += self._idle
        self._idle = []
        self._lock = Lock()
        self._places = BoundedSemaphore(self._size)
