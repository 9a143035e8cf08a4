"""So many copies a second on a line, over all sends and processes of one journal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest

from multigroup import (
    ConfigError,
    JournalError,
    Line,
    MemoryJournal,
    NotSent,
    PartialSendError,
    Policy,
    SQLiteJournal,
    UncertainError,
)
from multigroup._programs.send import send
from multigroup.effects import AnyEffect, Exchange, Sleep, Turn
from multigroup.journal import Journal
from tests.helpers.paper import GONE, LOST, OK, STOPPED, TWO, WHOLE_GROUPS, Paper
from tests.helpers.player import ANA, BEN, CLEO, START, Player, failed, order, whom
from tests.helpers.values import LINE, OTHER_LINE

ALL: Final = (ANA, BEN, CLEO)


def _at(rate: float, **more: Any) -> Line:
    return Paper(name="one", **more).line("+12125550100", rate=rate)


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """Give a journal of either kind, empty."""
    kind: str = request.param
    made = MemoryJournal() if kind == "memory" else SQLiteJournal(tmp_path / "j.db")
    yield made
    made.close()


def test_turns_are_given_one_after_the_other(journal: Journal) -> None:
    """Each waits for the copies before it; who comes late waits for nobody."""
    turns = [journal.turn(LINE, copies, 2.0, 100.0) for copies in (1, 3, 2, 1)]
    assert turns == [0.0, 0.5, 2.0, 3.0]

    assert journal.turn(LINE, 1, 2.0, 102.0) == 1.5
    assert journal.turn(LINE, 1, 2.0, 200.0) == 0.0


def test_lines_take_turns_apart(journal: Journal) -> None:
    """What one line sends keeps no other waiting."""
    journal.turn(LINE, 8, 1.0, 100.0)

    assert journal.turn(OTHER_LINE, 1, 1.0, 100.0) == 0.0


def test_threads_never_get_the_same_turn(journal: Journal) -> None:
    """Eight at once are spread over eight turns."""
    turns: list[float] = []

    def take() -> None:
        turns.extend(journal.turn(LINE, 1, 1.0, 100.0) for _ in range(4))

    threads = [Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(turns) == [float(n) for n in range(32)]


def _times(player: Player) -> list[tuple[float, list[str]]]:
    """Return when requests left, in seconds from the start, and whose phones rang."""
    times: list[tuple[float, list[str]]] = []
    now = 0.0
    for effect in player.seen:
        if isinstance(effect, Sleep):
            now += effect.seconds
        if isinstance(effect, Exchange):
            people = [str(who) for r in effect.requests for who in whom(r)]
            times.append((now, people))
    return times


def test_a_fan_out_leaves_as_fast_as_its_line_may() -> None:
    """Three copies at one a second take two seconds, one request at a time."""
    player = Player()
    player.play(send(order(_at(1.0), members=ALL)))

    assert _times(player) == [(0.0, [ANA]), (1.0, [BEN]), (2.0, [CLEO])]


@pytest.mark.parametrize(
    ("rate", "times"),
    [(2.0, [0.0, 0.5, 1.0]), (10.0, [0.0, 0.1, 0.2]), (0.5, [0.0, 2.0, 4.0])],
)
def test_every_copy_has_a_turn_of_its_own(rate: float, times: list[float]) -> None:
    """However fast the line: what leaves in a batch would be over the rate at once."""
    player = Player()
    player.play(send(order(_at(rate), members=ALL)))

    assert [round(when, 6) for when, _ in _times(player)] == times
    assert [len(people) for _, people in _times(player)] == [1, 1, 1]


def test_a_whole_group_counts_as_many_copies_as_it_has_members() -> None:
    """One request rings three phones: the next one waits three seconds."""
    line = _at(1.0, capabilities=WHOLE_GROUPS)
    player = Player()
    for n in range(3):
        player.play(send(order(line, members=ALL, reference=f"{n}", deadline=5.0)))

    assert [when for when, _ in _times(player)] == [0.0, 3.0, 6.0]
    assert [turn.copies for turn in player.of(Turn)] == [3, 3, 3]


def test_a_line_without_a_rate_asks_for_no_turn() -> None:
    """The carrier queues then, or says no."""
    player = Player()
    player.play(send(order(Paper(name="one").line("+12125550100"), members=ALL)))

    assert player.of(Turn) == []


def test_the_turn_is_awaited_before_anything_is_written_as_begun() -> None:
    """Who dies while it waits has sent nothing, and whoever goes on knows it."""
    player = Player()
    begun: list[bool] = []

    def look(effect: AnyEffect) -> None:
        if isinstance(effect, Sleep):
            begun.append(len(player.record.attempts) > len(begun) + 1)

    player.before = look
    player.play(send(order(_at(1.0), members=ALL)))

    assert begun == [False, False]


@pytest.mark.parametrize("reply", [LOST, STOPPED], ids=["doubt", "opted out"])
def test_one_members_misfortune_does_not_keep_the_others_from_theirs(
    reply: Any,
) -> None:
    """As if all had left at once: the rate must make no difference."""
    player = Player([OK, reply])
    failed(player, order(_at(1.0), members=ALL))

    assert [people for _, people in _times(player)] == [[ANA], [BEN], [CLEO]]


def test_a_line_that_fails_half_way_stops_there() -> None:
    """Who has it has it; the next turn is not waited for, nor another line tried."""
    player = Player([OK, GONE])
    end = failed(player, order(_at(1.0), members=ALL))

    assert type(end) is PartialSendError
    words = [d.outcome.word for d in end.receipt.deliveries.values()]
    assert words == ["ACCEPTED", "NOT_SENT", "NOT_SENT"]


def test_a_canary_takes_a_turn_like_the_others() -> None:
    """One first, and the others at their pace once it was taken."""
    player = Player()
    canary = Policy(fan_out="canary")
    player.play(send(order(_at(2.0), members=ALL, policy=canary)))

    assert _times(player) == [(0.0, [ANA]), (0.5, [BEN]), (1.0, [CLEO])]


def test_a_canary_in_doubt_takes_no_more_turns() -> None:
    """Nobody else is texted, and nobody waits for it."""
    player = Player([LOST])
    canary = Policy(fan_out="canary")
    end = failed(player, order(_at(1.0), members=ALL, policy=canary))

    assert type(end) is UncertainError
    assert len(player.of(Turn)) == 1


def test_two_processes_share_a_line(journal: Journal) -> None:
    """Their sends interleave: never two copies within one second."""
    first, second = Player(journal=journal), Player(journal=journal)
    for n, player in enumerate((first, second)):
        patient = order(_at(1.0), members=ALL, reference=f"{n}", deadline=5.0)
        player.play(send(patient))

    times = sorted([when for p in (first, second) for when, _ in _times(p)])
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(times))


def test_the_lease_is_kept_while_a_turn_is_awaited() -> None:
    """A turn far away looks like a death to nobody."""
    player = Player()
    player.journal.turn(_at(1.0).id, 300, 1.0, START)

    def look(effect: AnyEffect) -> None:
        if isinstance(effect, Sleep):
            assert player.journal.orphans("default", player.now) == ()
            assert player.record.lease.until >= player.now + effect.seconds + 30

    player.before = look
    player.play(send(order(_at(1.0), deadline=400.0)))

    assert _times(player)[0][0] == 300.0


def test_a_turn_beyond_the_deadline_is_left_to_others(journal: Journal) -> None:
    """The send moves on, or tells how long it would have to wait; no turn is lost."""
    full = _at(1.0)
    journal.turn(full.id, 60, 1.0, START)
    player = Player(journal=journal)

    end = failed(player, order(full, deadline=30.0))
    moved = player.play(send(order(full, TWO, reference="other", deadline=30.0)))

    assert [a.outcome for a in end.receipt.attempts] == [
        NotSent(f"{full.id} has no turn at its rate for 60 s", 60.0)
    ]
    assert moved.line == TWO.id
    assert journal.turn(full.id, 1, 1.0, START) == 60.0


def test_a_send_that_has_begun_gets_all_its_turns() -> None:
    """Half a group would be worse than a deadline that is passed."""
    player = Player()

    receipt = player.play(send(order(_at(1.0), members=ALL, deadline=0.5)))

    assert {d.outcome.word for d in receipt.deliveries.values()} == {"ACCEPTED"}


def test_a_journal_that_fails_at_the_turn_sends_nothing() -> None:
    """Without a turn nothing leaves."""

    def fail(effect: AnyEffect) -> None:
        if isinstance(effect, Turn):
            raise JournalError("the disk is full")

    player = Player(before=fail)
    with pytest.raises(JournalError):
        player.play(send(order(_at(1.0), members=ALL)))
    assert player.requests == []


@pytest.mark.parametrize("rate", [0.0, -1.0, float("inf"), float("nan")])
def test_a_rate_must_be_a_number_above_nothing(rate: float) -> None:
    """What would mean never, or all at once, is refused where it is written."""
    with pytest.raises(ConfigError, match="rate="):
        _at(rate)
