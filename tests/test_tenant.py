"""A file for one machine: who is let in, who is told to leave."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from multigroup.errors import ConfigError, JournalError
from multigroup.journal import SQLiteJournal
from multigroup.journal.owners import host
from multigroup.journal.tenant import Tenant
from tests.helpers.values import LINE, record

HERE = "default"
A, B = "alpha/11111111/4026531836", "beta/22222222/4026531836"


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


Opening = Callable[[str], SQLiteJournal]


@pytest.fixture
def clock() -> Clock:
    """Give the clock of all machines."""
    return Clock()


@pytest.fixture
def opened(tmp_path: Path, clock: Clock) -> Iterator[Opening]:
    """Give what opens the same file on the machine of that name."""
    made: list[SQLiteJournal] = []

    def make(name: str) -> SQLiteJournal:
        tenant = Tenant(name, clock)
        made.append(SQLiteJournal(tmp_path / "sends.db", tenant=tenant))
        return made[-1]

    yield make
    for each in made:
        each.close()


def _write(journal: SQLiteJournal) -> None:
    journal.turn(LINE, 1, 1, 0)


def _noted(journal: SQLiteJournal) -> dict[str, str]:
    with closing(sqlite3.connect(journal.path)) as seen:
        return dict(seen.execute("SELECT name, value FROM meta"))


@pytest.mark.parametrize("silent", [0, 59, -5])
def test_a_file_in_use_on_another_machine_is_refused(
    opened: Opening, clock: Clock, silent: int
) -> None:
    """The error names the machine, the rule and the way out; a fast clock is no gap."""
    opened(A)
    clock.now += silent
    with pytest.raises(ConfigError, match=r"alpha\).*one machine: use PostgreSQL"):
        opened(B)


def test_a_file_whose_machine_is_gone_is_adopted(opened: Opening, clock: Clock) -> None:
    """A container that starts anew has another name, and the same sends."""
    opened(A).reserve(record())
    clock.now += 60
    assert opened(B).recall(HERE, "dinner") == record()


def test_containers_of_one_kernel_are_one_machine(opened: Opening) -> None:
    """The next container does not wait until the last one is forgotten."""
    opened(A).reserve(record())
    second = opened("gamma/11111111/4026532177")
    assert second.recall(HERE, "dinner") == record()


def test_without_a_kernel_to_ask_the_name_decides(opened: Opening) -> None:
    """Where nothing tells when the machine was started, two names are two machines."""
    opened("alpha//")
    opened("alpha//")
    with pytest.raises(ConfigError, match="alpha"):
        opened("gamma//")


def test_a_machine_that_writes_stays(opened: Opening, clock: Clock) -> None:
    """It says so again every 15 s, and not at every write."""
    journal = opened(A)
    for _ in range(3):
        clock.now += 14
        _write(journal)
    assert float(_noted(journal)["seen"]) == 1_000_028

    clock.now += 45  # 87 s after it was opened, 59 s after it said so last
    with pytest.raises(ConfigError, match="alpha"):
        opened(B)


def test_a_machine_that_only_reads_is_held_for_gone(
    opened: Opening, clock: Clock
) -> None:
    """Reading does no harm, so nothing is written for its sake."""
    journal = opened(A)
    clock.now += 60
    journal.recall(HERE, "dinner")
    opened(B)
    assert journal.recall(HERE, "dinner") is None


def test_a_machine_whose_file_was_adopted_writes_no_more(
    opened: Opening, clock: Clock
) -> None:
    """It was silent for too long; nothing of its write is kept, now or later."""
    first = opened(A)
    clock.now += 60
    second = opened(B)

    for _ in range(2):
        with pytest.raises(JournalError, match=r"beta\).*one machine"):
            first.reserve(record())

    assert second.recall(HERE, "dinner") is None
    assert second.reserve(record()).ours


def test_a_machine_that_had_to_leave_may_come_back(
    opened: Opening, clock: Clock
) -> None:
    """Opened again after the other one was silent, the file is its own again."""
    first = opened(A)
    clock.now += 60
    opened(B)
    first.close()
    with pytest.raises(JournalError, match="beta"):
        first.reserve(record())

    clock.now += 60

    assert first.reserve(record()).ours


def test_a_journal_notes_the_machine_it_is_on(tmp_path: Path) -> None:
    """Unless a test says otherwise it is this one."""
    journal = SQLiteJournal(tmp_path / "sends.db")
    assert _noted(journal)["host"] == host()
    journal.close()
