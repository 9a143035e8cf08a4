"""Who works on the journal, and whether a killed process is known to be gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from multigroup import SQLiteJournal
from multigroup.journal.owners import gone, host, me
from multigroup.records import Lease
from tests.helpers.values import record

LINUX: Final = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="only /proc tells when one began"
)
SAYS: Final = """
import sys
from multigroup.journal.owners import me
print(me(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    """Give another process of this machine, which waits."""
    with subprocess.Popen(  # noqa: S603 - what it runs stands above
        [sys.executable, "-c", SAYS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def _name(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_process_has_one_name_that_no_other_has(
    child: subprocess.Popen[str],
) -> None:
    """It names machine, number and start, and stays the same."""
    assert me() == me()
    assert me().startswith(f"{host()}/{os.getpid()}/")
    theirs = _name(child)
    assert theirs != me()
    assert theirs.startswith(f"{host()}/{child.pid}/")


def test_nobody_is_gone_who_runs(child: subprocess.Popen[str]) -> None:
    """Neither this process nor another one that is alive."""
    assert not gone(me())
    assert not gone(_name(child))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_is_gone_at_once(
    child: subprocess.Popen[str], how: signal.Signals
) -> None:
    """It let go of nothing, and yet it need not be waited for."""
    theirs = _name(child)
    child.send_signal(how)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert gone(theirs)  # a zombie still, which nobody has waited for
    child.wait()
    assert gone(theirs)


@LINUX
def test_a_number_used_again_is_another_process() -> None:
    """This process has the number, but began at another time."""
    assert gone(f"{host()}/{os.getpid()}/1")


@pytest.mark.parametrize(
    "owner",
    [
        f"another-machine/0a1b2c3d/4026531836/{os.getpid()}/1",
        f"{host()}0/999999999/1",
        f"{host()[:-1]}/999999999/1",
        "worker",
        "a/b",
        f"{host()}/not-a-number/1",
    ],
)
def test_of_another_machine_nobody_knows(owner: str) -> None:
    """Only the lease tells then; a name we never gave is nobody of ours either."""
    assert not gone(owner)


def test_nobody_at_all_is_gone() -> None:
    """A send that was never owned may be taken over."""
    assert gone("")


def test_a_send_of_a_killed_process_is_taken_over_at_once(
    child: subprocess.Popen[str], tmp_path: Path
) -> None:
    """Its lease has an hour to run; on this machine nobody waits for that."""
    theirs = _name(child)
    journal = SQLiteJournal(tmp_path / "j.db")
    journal.reserve(record(lease=Lease(theirs, 3600.0)))
    assert journal.orphans("default", 0.0) == ()

    child.kill()
    child.wait()

    (orphan,) = journal.orphans("default", 0.0)
    taken = journal.take_over(orphan.id, me(), 0.0, 60.0)
    assert taken is not None
    assert taken.lease == Lease(me(), 60.0, 1)
    journal.close()
