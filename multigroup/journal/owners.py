"""Who works on the journal: a name for this process, and whether another still lives.

A process that was killed lets go of nothing. On its own machine it is known to be gone
at once, by its number and the time it started; of another machine only a lease that
ran out tells.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

__all__ = ["gone", "host", "kernel", "me"]


def me() -> str:
    """Return the name of this process: machine, number, time of its start."""
    return _name(os.getpid())


def gone(owner: str) -> bool:
    """Tell whether *owner* certainly ended; of another machine nobody knows."""
    if not owner:
        return True
    where, _, number = owner.rpartition("/")[0].rpartition("/")
    if where != host() or not number.isdecimal() or owner == me():
        return False
    return _started(int(number)) != owner.rpartition("/")[2]


@cache
def host() -> str:
    """Return the name of this machine as it runs since it was last started.

    Containers of one machine may share a host name and not see each other's
    processes: the space that a process number counts in is part of the name.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        space = str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    except OSError:  # not Linux
        boot = space = ""
    return f"{socket.gethostname()}/{boot.strip()[:8]}/{space}"


def kernel(where: str) -> str:
    """Return which start of which machine the `host` *where* is on; empty if unknown.

    Containers of one machine have names of their own, but one kernel.
    """
    return where.partition("/")[2].partition("/")[0]


@cache
def _name(pid: int) -> str:
    return f"{host()}/{pid}/{_started(pid)}"


def _started(pid: int) -> str:
    """Return when process *pid* began, in the kernel's ticks; empty if it is gone."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return _alive(pid) if not Path("/proc/self/stat").exists() else ""
    except OSError:
        return "0"
    after = status.rpartition(")")[2].split()
    return "" if after[0] in "ZX" else after[19]


def _alive(pid: int) -> str:
    """Return `0` if there is a process *pid*, where nothing tells when it began."""
    if os.name == "nt":  # signal 0 would interrupt it there: nobody knows
        return "0"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except OSError:
        return "0"
    return "0"
