"""One machine at a time: who uses a file that only one machine may use.

SQLite's locks hold between the processes of one machine. On a disk that two machines
share they may not, and a group would be texted twice. So a file bears the name of the
machine that uses it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from ..errors import ConfigError, JournalError
from . import statements as sql
from .owners import host, kernel

__all__ = ["Tenant"]

Run: TypeAlias = Callable[[str, Sequence[object]], Any]

FRESH: Final = 15.0
"""Seconds after which a machine that writes says again that it is there."""

SILENT: Final = 60.0
"""Seconds after which a machine that said nothing has left: several times `FRESH`."""


class Tenant:
    """The machine *here*, as it notes itself in a file and looks for others there.

    *clock* tells the time in seconds since the epoch.
    """

    __slots__ = ("_clock", "_here", "_told_at")

    def __init__(
        self, here: str | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._here = here or host()
        self._clock = clock
        self._told_at = 0.0

    def move_in(self, run: Run, file: Path) -> None:
        """Note that we are here from now on.

        Raises:
            ConfigError: another machine was here a moment ago.
        """
        now = self._clock()
        there, seen = _noted(run, "host"), float(_noted(run, "seen") or 0)
        if self._strange(there) and now - seen < SILENT:
            raise ConfigError(
                f"the journal {str(file)!r} is used by another machine "
                f"({_name(there)}), and SQLite is for one machine: use PostgreSQL, "
                "journal='postgresql://…', or stop that one and wait a minute"
            )
        run(sql.NOTE, ("host", self._here))
        self._tell(run, now)

    def stay(self, run: Run, file: Path) -> None:
        """Note that we are still here, if it is time to.

        Raises:
            JournalError: another machine moved in.
        """
        now = self._clock()
        if 0 <= now - self._told_at < FRESH:
            return
        there = _noted(run, "host")
        if self._strange(there):
            raise JournalError(
                f"the journal {str(file)!r} was taken over by another machine "
                f"({_name(there)}), and SQLite is for one machine: use PostgreSQL, "
                "journal='postgresql://…', or stop one and start the other again"
            )
        self._tell(run, now)

    def _tell(self, run: Run, now: float) -> None:
        run(sql.NOTE, ("seen", repr(now)))
        self._told_at = now

    def _strange(self, there: str) -> bool:
        """Tell whether *there* is another machine.

        Among the containers of one kernel SQLite's locks hold.
        """
        if not there or there == self._here:
            return False
        return not kernel(there) or kernel(there) != kernel(self._here)


def _noted(run: Run, name: str) -> str:
    found = run(sql.NOTED, (name,)).fetchone()
    return "" if found is None else str(found[0])


def _name(host: str) -> str:
    return host.partition("/")[0]
