"""Several threads at one connection: who shares a commit, whose failure is whose."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from multigroup.errors import JournalError
from multigroup.journal import SQLiteJournal
from multigroup.journal.baton import LARGEST, Baton, Group, Runner
from multigroup.journal.port import Access
from multigroup.records import Closed
from tests.helpers.values import LINE, RED, received, record

HERE: Final = "default"
Act = Callable[[], object]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SQLiteJournal]:
    """Give an empty journal."""
    made = SQLiteJournal(tmp_path / "sends.db")
    yield made
    made.close()


def _said(journal: SQLiteJournal) -> list[str]:
    """Return the list that all further statements are noted in."""
    said: list[str] = []
    assert journal._connection is not None
    journal._connection.set_trace_callback(said.append)
    return said


def _storing(journal: SQLiteJournal, *keys: str) -> Act:
    return lambda: journal.store(HERE, [received(key) for key in keys])


def _kept(journal: SQLiteJournal, *keys: str) -> list[bool]:
    kept = {event.id for event in journal.waiting(HERE, 0, 1000)}
    return [key in kept for key in keys]


def _together(
    journal: SQLiteJournal, *acts: Act, access: Access = Access.DURABLE
) -> Sequence[Future[object]]:
    """Carry *acts* out on threads that wait, in this order, for a transaction of ours.

    It notes a turn of `LINE`; whether it could commit is told before the others' fates.
    """
    fates: list[Future[object]] = []
    with ThreadPoolExecutor(len(acts)) as pool:
        ours: Future[object] = Future()
        try:
            with journal._transaction(access):
                journal._set_next_turn(LINE, 500.0)
                for place, act in enumerate(acts, 1):
                    fates.append(pool.submit(act))
                    _until_queued(journal, place)
        except JournalError as error:
            ours.set_exception(error)
        else:
            ours.set_result(None)
    return [ours, *fates]


def _until_queued(journal: SQLiteJournal, several: int) -> None:
    _until(lambda: len(journal._baton._queue) == several)


def _until(reached: Callable[[], bool]) -> None:
    while not reached():
        pass


def test_threads_at_once_share_their_commits(journal: SQLiteJournal) -> None:
    """Eight threads of fifty durable transactions each wait for the disk less often."""
    said = _said(journal)

    def store(thread: int) -> None:
        for n in range(50):
            _storing(journal, f"{thread}-{n}")()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store, range(8)))

    assert said.count("COMMIT") < 200
    assert len(journal.waiting(HERE, 0, 1000)) == 400


def test_one_thread_alone_commits_each_time(journal: SQLiteJournal) -> None:
    """Nobody is waited for, and no savepoint is made."""
    said = _said(journal)
    for key in ("a", "b"):
        _storing(journal, key)()
    assert said.count("COMMIT") == 2
    assert not [each for each in said if "part" in each]


def test_those_who_wait_join_and_commit_once(journal: SQLiteJournal) -> None:
    """Whoever comes last commits for all, and a reader sees what they wrote."""
    said = _said(journal)

    fates = _together(
        journal,
        _storing(journal, "a"),
        lambda: journal.reserve(record()),
        lambda: _kept(journal, "a", "b"),
        _storing(journal, "b"),
    )

    assert said.count("COMMIT") == 1
    assert fates[3].result() == [True, False]
    assert _kept(journal, "a", "b") == [True, True]
    assert journal.recall(HERE, "dinner") == record()


def test_one_that_fails_does_not_undo_the_others(journal: SQLiteJournal) -> None:
    """In the middle or at the end of a group it loses its own part only."""

    def broken() -> object:
        return journal.store(HERE, [received("lost"), received(account="\ud800")])

    said = _said(journal)
    fates = _together(
        journal, _storing(journal, "a"), broken, _storing(journal, "b"), broken
    )

    assert said.count("COMMIT") == 1
    told = [type(fate.exception()) for fate in fates]
    assert told == [type(None), type(None), JournalError, type(None), JournalError]
    assert _kept(journal, "a", "lost", "b") == [True, False, True]
    assert journal.turn(LINE, 1, 1, 100.0) == 400.0


def test_what_one_that_fails_remembered_is_forgotten(journal: SQLiteJournal) -> None:
    """A send it had changed is read again by the next of the group."""
    journal.reserve(record())

    def broken() -> None:
        with journal._transaction(Access.WRITE):
            held = journal._send(RED)
            assert held is not None
            journal._change(held, Closed())
            raise JournalError

    fates = _together(journal, broken, lambda: journal.recall(HERE, "dinner"))

    assert isinstance(fates[1].exception(), JournalError)
    assert fates[2].result() == record()


def _deny_commit(journal: SQLiteJournal, *, deny: bool) -> None:
    def allowed(action: int, what: str | None, *_: str | None) -> int:
        commit = (action, what) == (sqlite3.SQLITE_TRANSACTION, "COMMIT")
        return sqlite3.SQLITE_DENY if commit and deny else sqlite3.SQLITE_OK

    assert journal._connection is not None
    journal._connection.set_authorizer(allowed)


def test_a_commit_that_fails_fails_for_all(journal: SQLiteJournal) -> None:
    """Everybody is told, nothing is kept, and the next group is not concerned."""
    _deny_commit(journal, deny=True)
    fates = _together(
        journal, _storing(journal, "a"), lambda: journal.reserve(record())
    )
    _deny_commit(journal, deny=False)

    assert [type(fate.exception()) for fate in fates] == [JournalError] * 3
    assert len({id(fate.exception()) for fate in fates}) == 3
    assert _kept(journal, "a") == [False]
    assert journal.reserve(record()).ours
    assert journal.turn(LINE, 1, 1, 100.0) == 0


def test_a_commit_that_fails_does_not_hide_why_the_last_one_failed(
    journal: SQLiteJournal,
) -> None:
    """Its own failure came first; the others are told of the commit's."""

    def broken() -> object:
        return journal.store(HERE, [received(account="\ud800")])

    _deny_commit(journal, deny=True)
    fates = _together(journal, _storing(journal, "a"), broken)
    _deny_commit(journal, deny=False)

    assert ["surrogate" in str(fate.exception()) for fate in fates] == [0, 0, 1]
    assert all(isinstance(fate.exception(), JournalError) for fate in fates)


def test_nobody_durable_joins_those_who_are_not(journal: SQLiteJournal) -> None:
    """How long to wait for the disk is settled when a transaction begins."""
    said = _said(journal)
    _together(journal, _storing(journal, "a"), access=Access.WRITE)
    assert [each for each in said if each == "COMMIT" or "synchronous" in each] == [
        "PRAGMA synchronous = NORMAL",
        "COMMIT",
        "PRAGMA synchronous = FULL",
        "COMMIT",
    ]


def test_nobody_joins_a_reader(journal: SQLiteJournal) -> None:
    """It began without the right to write."""
    said = _said(journal)
    with ThreadPoolExecutor(1) as pool:
        with journal._transaction(Access.READ):
            fate = pool.submit(journal.turn, LINE, 1, 1, 100.0)
            _until(lambda: journal._baton.wanted)
        fate.result()
    assert said.count("COMMIT") == 2


def test_closing_joins_nobody(journal: SQLiteJournal) -> None:
    """What is open is committed first; the file is opened again by the next one."""
    fates = _together(journal, _storing(journal, "a"), journal.close)
    assert [fate.exception() for fate in fates] == [None] * 3
    assert _kept(journal, "a") == [True]


@pytest.mark.parametrize(
    ("began", "joins", "admitted"),
    [
        (Access.DURABLE, Access.DURABLE, True),
        (Access.DURABLE, Access.WRITE, True),
        (Access.DURABLE, Access.READ, True),
        (Access.WRITE, Access.WRITE, True),
        (Access.WRITE, Access.DURABLE, False),
        (Access.DURABLE, None, False),
    ],
)
def test_who_may_join_whom(
    began: Access, joins: Access | None, *, admitted: bool
) -> None:
    """Whoever needs no more of the disk than the first one may."""
    assert Group(began).admits(joins) is admitted


def test_a_group_has_an_end() -> None:
    """After so many somebody commits, however many wait."""
    group = Group(Access.DURABLE)
    admitted = 1
    while group.admits(Access.DURABLE):
        group.join()
        admitted += 1
    assert admitted == LARGEST


def test_who_waits_in_vain_may_leave() -> None:
    """Unless the baton was given to them in the meantime: then they have it."""
    baton, first, second = Baton(), Runner(None), Runner(None)
    baton.take(first)
    second.stand_by()
    baton._queue.append(second)

    assert baton.withdraw(second)
    assert not baton.wanted
    assert not baton.withdraw(second)


class _Interrupted(BaseException):
    """What a signal raises in the middle of something."""


@pytest.fixture
def interrupt() -> Iterator[Act]:
    """Give what interrupts the main thread, once, wherever it is."""
    hit = threading.Event()

    def raised(*_: object) -> None:
        if not hit.is_set():
            hit.set()
            raise _Interrupted

    def send() -> None:
        while not hit.wait(0.01):  # a signal just before a wait for a lock is not seen
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, raised)
    yield send
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.skipif(os.name == "nt", reason="this system has no such signals")
def test_a_signal_while_waiting_concerns_nobody_else(
    journal: SQLiteJournal, interrupt: Act
) -> None:
    """Who waits may be interrupted; those before and after have their turn."""
    held, left = threading.Event(), threading.Event()

    def hold() -> None:
        with journal._transaction(Access.DURABLE):
            held.set()
            _until_queued(journal, 2)
            interrupt()
            assert left.wait(10)

    with ThreadPoolExecutor(2) as pool:
        holder = pool.submit(hold)
        assert held.wait(10)
        other = pool.submit(_storing(journal, "other"))
        _until_queued(journal, 1)
        waiting = list(journal._baton._queue)
        with pytest.raises(_Interrupted):
            _storing(journal, "never")()
        still = list(journal._baton._queue)
        left.set()

    assert still == waiting
    assert (holder.exception(), other.exception()) == (None, None)
    assert _kept(journal, "other", "never") == [True, False]


class _Late(Baton):
    """A baton whose taker is interrupted at the moment it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.armed = False

    def take(self, runner: Runner) -> None:
        """Take it, and be interrupted if that is wanted."""
        super().take(runner)
        if self.armed:
            self.armed = False
            raise _Interrupted


@pytest.mark.parametrize("others", [False, True], ids=["alone", "in a group"])
def test_a_signal_at_the_moment_it_is_our_turn_loses_nothing(
    journal: SQLiteJournal, *, others: bool
) -> None:
    """The next one goes on, and what the group had written is committed."""
    journal._baton = baton = _Late()

    def arm_and_store() -> object:
        baton.armed = True
        return _storing(journal, "b")()

    if others:
        fates = _together(journal, arm_and_store)
        assert fates[0].exception() is None
    else:
        fates = [_fate(arm_and_store)]

    assert isinstance(fates[-1].exception(), _Interrupted)
    assert _kept(journal, "b") == [False]
    assert journal.turn(LINE, 1, 1, 100.0) == (400.0 if others else 0)


def _fate(act: Act) -> Future[object]:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act)


class _Breaking(SQLiteJournal):
    """A journal that one statement of which breaks, once it is *armed*."""

    armed: tuple[str, type[BaseException], bool] | None = None

    def _run(self, query: str, values: Sequence[object] = ()) -> Any:
        """Fail before or after the statement that was named."""
        if self.armed is None or self.armed[0] != query:
            return super()._run(query, values)
        _, error, done = self.armed
        self.armed = None
        if done:
            super()._run(query, values)
        raise error


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_an_interrupted_commit_is_told_as_it_went(
    tmp_path: Path, *, done: bool
) -> None:
    """The others learn whether it was made, whoever was interrupted in it."""
    journal = _Breaking(tmp_path / "sends.db")
    journal.armed = ("COMMIT", _Interrupted, done)

    ours, theirs, last = _together(
        journal, _storing(journal, "a"), _storing(journal, "b")
    )

    assert isinstance(last.exception(), _Interrupted)
    for fate in (ours, theirs):
        if done:
            assert fate.exception() is None
        else:
            assert "interrupted" in str(fate.exception())
    assert _kept(journal, "a", "b") == [done, done]
    journal.close()


@pytest.mark.parametrize(
    "statement", ["SAVEPOINT part", "RELEASE part", "ROLLBACK TO part"]
)
def test_a_part_that_cannot_be_undone_fails_for_all(
    tmp_path: Path, statement: str
) -> None:
    """What may be half there is not committed, and the journal goes on."""
    journal = _Breaking(tmp_path / "sends.db")
    journal.armed = (statement, sqlite3.OperationalError, False)

    def broken() -> object:
        return journal.store(HERE, [received("b"), received(account="\ud800")])

    act = broken if "ROLLBACK" in statement else _storing(journal, "b")
    fates = _together(journal, act)

    assert isinstance(fates[1].exception(), JournalError)
    lost = statement != "RELEASE part"  # a part that was not released can be undone
    assert isinstance(fates[0].exception(), JournalError) is lost
    assert _kept(journal, "b") == [False]
    assert journal.turn(LINE, 1, 1, 100.0) == (0 if lost else 400.0)
    journal.close()


def test_one_that_fails_with_the_whole_transaction_fails_for_all(
    journal: SQLiteJournal,
) -> None:
    """Some failures of a disk undo everything: then nobody is told it was kept."""

    def broken() -> None:
        with journal._transaction(Access.DURABLE):
            journal._run("ROLLBACK")
            raise JournalError

    fates = _together(journal, _storing(journal, "a"), broken, _storing(journal, "b"))

    told = [type(fate.exception()) for fate in fates]
    assert told == [JournalError, JournalError, JournalError, type(None)]
    assert _kept(journal, "a", "b") == [False, True]
