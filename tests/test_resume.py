"""Going on with what a dead process left, wherever it stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import evolve

from multigroup import (
    Accepted,
    ConfigError,
    JournalError,
    Line,
    MemoryJournal,
    MessageReceived,
    NotSent,
    NotSentError,
    Number,
    Policy,
    Receipt,
    Refused,
    SendError,
    SendInProgressError,
    SQLiteJournal,
    ThreadMoved,
    Unknown,
    conversation_id,
)
from multigroup._programs.carry import Means
from multigroup._programs.recover import resume, resumed
from multigroup._programs.send import Order, send
from multigroup.breaker import Breakers
from multigroup.effects import (
    AnyEffect,
    Exchange,
    Orphans,
    Sleep,
    TakeOver,
    Turn,
    Write,
)
from multigroup.errors import TakenOverError
from multigroup.journal import Journal
from multigroup.records import Begun, Closed, Kept, SendRecord, Taken, receipt
from multigroup.wire import Reply
from tests.helpers.paper import GONE, LOST, OK, ONE, THROTTLED, TWO, WHOLE, Paper
from tests.helpers.player import (
    ANA,
    BEN,
    CLEO,
    START,
    Crash,
    Player,
    means,
    order,
    played_at,
    used,
)
from tests.helpers.values import RED, accepted, begun, ended, leg, record

ALL: Final = (ANA, BEN, CLEO)
LONG: Final = timedelta(minutes=5).total_seconds()
"""After it every lease has run out."""

CANARY: Final = Policy(fan_out="canary")
SLOW: Final = Paper(name="one").line("+12125550100", rate=1.0)


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """Give a journal of either kind, empty."""
    kind: str = request.param
    made = MemoryJournal() if kind == "memory" else SQLiteJournal(tmp_path / "j.db")
    yield made
    made.close()


def _dies_at(number: int) -> Callable[[AnyEffect], None]:
    """Return what kills the process before its effect *number*."""
    left = iter(range(number))

    def before(_effect: AnyEffect) -> None:
        if next(left, None) is None:
            raise Crash

    return before


def _left_behind(
    number: int, wanted: Order, journal: Journal, replies: tuple[Reply, ...] = ()
) -> Player | None:
    """Play *wanted* until it dies before effect *number*; `None` if it ended first."""
    now = START + 1000 * number  # the heirs before used up turns
    player = Player(replies, journal, _dies_at(number), now, dies=True)
    with suppress(SendError):
        try:
            player.play(send(wanted))
        except Crash:
            return player
    return None


def _dead(
    wanted: Order,
    at: type[AnyEffect] | Callable[[AnyEffect], bool],
    journal: Journal | None = None,
) -> Player:
    """Play *wanted* until it dies before the first effect that is *at*."""
    wanted_effect = (lambda e: isinstance(e, at)) if isinstance(at, type) else at

    def before(effect: AnyEffect) -> None:
        if wanted_effect(effect):
            raise Crash

    player = Player(journal=journal or MemoryJournal(), before=before, dies=True)
    with pytest.raises(Crash):
        player.play(send(wanted))
    return player


def _next(dead: Player, *replies: Reply, after: float = LONG) -> Player:
    """Return the player of the next process."""
    return Player(replies, dead.journal, now=dead.now + after)


def _resume(player: Player, *lines: Line, **more: Any) -> tuple[Receipt, ...]:
    return player.play(resume("default", _theirs(*lines, **more)))


def _theirs(*lines: Line, **more: Any) -> Means:
    return means(*lines, owner="the next process", **more)


SENDS: Final[dict[str, tuple[Order, tuple[Reply, ...]]]] = {
    "all at once": (order(members=ALL), ()),
    "a canary first": (order(members=ALL, policy=CANARY), ()),
    "one a second": (order(SLOW, members=ALL), ()),
    "a canary, then one a second": (order(SLOW, members=ALL, policy=CANARY), ()),
    "moved to the other line": (order(members=ALL), (GONE, GONE, GONE)),
    "the canary moved": (order(members=ALL, policy=CANARY), (GONE,)),
    "waited for in part": (
        order(members=ALL, deadline=60.0),
        (OK, THROTTLED, OK),
    ),
    "in doubt in part": (order(members=ALL), (OK, LOST, OK)),
    "whole groups": (order(WHOLE, members=ALL), ()),
}


@pytest.mark.parametrize("story", SENDS)
def test_a_death_at_any_point_texts_nobody_twice(story: str, journal: Journal) -> None:
    """What had begun is left alone and in doubt; the rest is done by the same steps."""
    wanted, replies = SENDS[story]
    for number in range(1, 100):
        given = evolve(wanted.means, breakers=Breakers())
        each = evolve(wanted, reference=f"{story} {number}", means=given)
        dead = _left_behind(number, each, journal, replies)
        if dead is None:
            assert number > 5
            return
        heir = Player((), journal, now=dead.now + LONG)
        _resume(heir, *wanted.means.lines, policy=wanted.means.policy)

        held = journal.recall("default", f"{story} {number}")
        rung = Counter([*dead.rung, *heir.rung])
        assert set(rung.values()) <= {1}, number
        if held is None:  # it died before anything was written
            assert not rung
        else:
            assert held.closed
            _check(held, rung, heir)
    raise AssertionError("the send never ended")


def _check(held: SendRecord, rung: Counter[Number], heir: Player) -> None:
    """Check that what the journal says of each member is what their phone did."""
    for member, delivery in receipt(held).deliveries.items():
        match delivery.outcome:
            case Accepted():
                assert rung[Number(member)] == 1
            case Unknown():
                assert Number(member) not in heir.rung
            case NotSent(why=why):
                assert why.startswith("held back, ")
                assert rung[Number(member)] == 0
            case Refused():
                raise AssertionError(member)


def test_a_send_whose_owner_is_alive_is_left_alone() -> None:
    """Its lease has not run out: nobody takes it over."""
    dead = _dead(order(), Exchange)
    heir = _next(dead, after=59)

    assert _resume(heir) == ()
    assert heir.requests == []
    assert not heir.record.closed


def test_what_was_never_begun_is_sent() -> None:
    """The reference was reserved and nothing more: everybody is texted now."""
    dead = _dead(order(SLOW, members=ALL), Turn)
    heir = _next(dead)

    (ended,) = _resume(heir, SLOW)

    assert heir.rung == list(ALL)
    assert {d.outcome.word for d in ended.deliveries.values()} == {"ACCEPTED"}


def test_what_was_in_flight_stays_in_doubt() -> None:
    """Nobody is there to hear the answer, and nobody is texted again."""
    dead = _dead(order(members=ALL), Exchange)
    heir = _next(dead)

    (ended,) = _resume(heir)

    outcomes = [d.outcome for d in ended.deliveries.values()]
    assert outcomes == [
        Unknown("the process that sent it ended before the answer came")
    ] * len(ALL)
    assert heir.requests == []


def test_what_is_too_old_is_not_sent_any_more() -> None:
    """Nobody wants an invitation for yesterday; the receipt says why."""
    dead = _dead(order(SLOW, members=ALL), Turn)
    heir = _next(dead, after=3601)

    (ended,) = _resume(heir, SLOW)

    assert heir.requests == []
    assert {d.outcome for d in ended.deliveries.values()} == {
        NotSent("expired: it was found unfinished after more than 1:00:00")
    }


def test_what_is_too_old_but_was_begun_stays_in_doubt() -> None:
    """The canary was in flight; the others were never tried, and never will be."""
    dead = _dead(order(members=ALL, policy=CANARY), Exchange)
    heir = _next(dead, after=3601)

    (ended,) = _resume(heir, policy=CANARY)

    words = [d.outcome.word for d in ended.deliveries.values()]
    assert words == ["UNKNOWN", "NOT_SENT", "NOT_SENT"]


def test_nobody_is_texted_when_a_member_opted_out_meanwhile() -> None:
    """Consent is asked again before anything more leaves."""
    dead = _dead(order(SLOW, members=ALL), Turn)
    _wrote(dead.journal, CLEO, "STOP")
    heir = _next(dead)

    (ended,) = _resume(heir, SLOW)

    assert heir.requests == []
    assert {d.outcome for d in ended.deliveries.values()} == {
        NotSent("a member opted out meanwhile")
    }


def _wrote(journal: Journal, who: Number, text: str, line: Line = ONE) -> None:
    """Let *journal* take in what *who* wrote to the group, on *line*."""
    at = played_at(START)
    event = MessageReceived(
        id=f"{text} of {who}",
        provider="paper",
        account=line.id.account,
        occurred_at=at,
        received_at=at,
        raw=b"",
        sender=who,
        line=line.number,
        members=frozenset(ALL),
        conversation=conversation_id(ALL),
        text=text,
    )
    journal.store("default", [event])


def test_a_second_heir_finds_nothing_left() -> None:
    """What one process took over no other takes over while it lives."""
    dead = _dead(order(SLOW, members=ALL), Turn)
    first = Player(journal=dead.journal, now=dead.now + LONG, dies=True)
    first.before = lambda effect: _raise_at(effect, Exchange)
    with pytest.raises(Crash):
        _resume(first, SLOW)

    second = Player(journal=dead.journal, now=first.now + 1)
    assert _resume(second, SLOW) == ()


def _raise_at(effect: AnyEffect, kind: type[AnyEffect]) -> None:
    if isinstance(effect, kind):
        raise Crash


def test_an_owner_held_for_dead_writes_no_intent_any_more() -> None:
    """It stood still for too long: what it still wants to begin is refused."""
    player, heirs = Player(), list[tuple[Receipt, ...]]()

    def stand_still(effect: AnyEffect) -> None:
        if isinstance(effect, Turn) and not heirs:
            heir = Player(journal=player.journal, now=player.now + LONG)
            heirs.append(_resume(heir, SLOW))

    player.before = stand_still
    with pytest.raises(SendInProgressError, match="taken over"):
        player.play(send(order(SLOW, members=ALL)))

    assert player.requests == []
    assert len(heirs[0]) == 1


def test_an_owner_held_for_dead_does_not_begin_the_others_after_a_canary() -> None:
    """The heir texts them; the first owner's intent comes too late and is refused."""
    player, heirs = Player(), list[Player]()

    def stand_still(effect: AnyEffect) -> None:
        if _second_intent(effect) and not heirs:
            heirs.append(Player(journal=player.journal, now=player.now + LONG))
            _resume(heirs[0], policy=CANARY)

    player.before = stand_still
    with pytest.raises(SendInProgressError, match="taken over"):
        player.play(send(order(members=ALL, policy=CANARY)))

    assert (player.rung, heirs[0].rung) == ([ANA], [BEN, CLEO])


def test_a_fence_holds_off_acts_and_lets_news_through(journal: Journal) -> None:
    """What an earlier owner learns is true all the same; what it wants is not done."""
    held = journal.reserve(record()).record
    journal.write(held.id, begun(leg()), held.lease.fence)
    taken = journal.take_over(held.id, "heir", LONG, 2 * LONG)
    assert taken is not None

    for act in (begun(leg(f"{RED}.1")), Closed(), Kept(3 * LONG)):
        with pytest.raises(TakenOverError):
            journal.write(held.id, act, held.lease.fence)
    after = journal.write(held.id, ended(accepted()), held.lease.fence)
    assert after.attempts[0].outcome == accepted()


def test_the_answer_to_an_owner_held_for_dead_is_still_believed() -> None:
    """News of the world is never fenced off: the doubt is gone when it comes."""
    player = Player()

    def stand_still(effect: AnyEffect) -> None:
        if isinstance(effect, Exchange):
            heir = Player(journal=player.journal, now=player.now + LONG)
            (ended,) = _resume(heir)
            assert {d.outcome.word for d in ended.deliveries.values()} == {"UNKNOWN"}

    player.before = stand_still
    ended = player.play(send(order()))

    assert {d.outcome.word for d in ended.deliveries.values()} == {"ACCEPTED"}


def test_an_heir_goes_on_where_the_send_was_without_failover() -> None:
    """The group wrote on another line since, but the send is on the first."""
    policy = Policy(failover=False, fan_out="canary")
    dead = _dead(order(ONE, TWO, members=ALL, policy=policy), _second_intent)
    _wrote(dead.journal, ANA, "hello", TWO)
    heir = _next(dead)

    (ended,) = _resume(heir, TWO, ONE, policy=policy)

    assert {d.outcome.word for d in ended.deliveries.values()} == {"ACCEPTED"}
    assert used(heir) == [ONE.id]


def _second_intent(effect: AnyEffect) -> bool:
    """Tell whether *effect* begins the batch after the one a send begins with."""
    return isinstance(effect, Write) and isinstance(effect.change, Begun)


def test_an_heir_keeps_to_the_line_the_caller_named() -> None:
    """With `via=` no other line was allowed, and none is when it fails now."""
    wanted = order(SLOW, members=ALL, via=SLOW.id)
    dead = _dead(wanted, Turn)
    heir = _next(dead, GONE, GONE, GONE)

    (ended,) = _resume(heir, SLOW, TWO)

    assert used(heir) == [SLOW.id]
    assert {d.outcome.word for d in ended.deliveries.values()} == {"NOT_SENT"}


def test_a_line_that_was_taken_away_is_told_of() -> None:
    """The client of today has other lines: nothing leaves, and the receipt says so."""
    dead = _dead(order(SLOW, members=ALL), Turn)
    heir = _next(dead)

    (ended,) = _resume(heir, TWO)

    assert heir.requests == []
    assert {d.outcome for d in ended.deliveries.values()} == {
        NotSent(f"{SLOW.id} is no line of ours now")
    }


def test_a_move_to_another_thread_is_announced_by_the_heir() -> None:
    """The group was on the second line; only the canary had it from the first."""
    journal = MemoryJournal()
    _wrote(journal, ANA, "hello", TWO)
    wanted = order(ONE, members=ALL, policy=CANARY, via=ONE.id)
    dead = _dead(wanted, _second_intent, journal)
    heir = _next(dead)

    _resume(heir, ONE, TWO, policy=CANARY)

    (moved,) = heir.told(ThreadMoved)
    assert (moved.left, moved.joined) == (TWO.id, ONE.id)
    assert heir.rung == [BEN, CLEO]


def test_credentials_of_one_line_do_not_keep_the_other_sends() -> None:
    """Both were left behind; one cannot be sent, and the other is all the same."""
    journal = MemoryJournal()
    locked = Paper(name="locked", locked=True).line("+13125550100", rate=1.0)
    for name, line in (("first", locked), ("second", SLOW)):
        player = Player(journal=journal, dies=True)
        player.before = lambda effect: _raise_at(effect, Turn)
        with pytest.raises(Crash):
            player.play(send(order(line, members=ALL, reference=name)))
    heir = Player(journal=journal, now=START + LONG)

    with pytest.raises(ConfigError, match="locked"):
        _resume(heir, locked, SLOW)
    assert heir.rung == list(ALL)
    assert _resume(heir, locked, SLOW) == ()


def test_a_journal_that_fails_while_resuming_is_told_of() -> None:
    """Nothing left, and the next call takes it up again."""
    dead = _dead(order(SLOW, members=ALL), Turn)
    heir = _next(dead)
    heir.before = lambda effect: _fail_at(effect, Orphans)
    with pytest.raises(JournalError):
        _resume(heir, SLOW)
    heir.before = lambda _effect: None

    assert len(_resume(heir, SLOW)) == 1


def _fail_at(effect: AnyEffect, kind: type[AnyEffect]) -> None:
    if isinstance(effect, kind):
        raise JournalError("the disk is full")


def test_the_same_send_repeated_goes_on_with_what_was_left() -> None:
    """Whoever uses the reference again is given the whole group's receipt."""
    dead = _dead(order(members=ALL, policy=CANARY), _second_intent)
    heir = _next(dead)

    ended = heir.play(send(order(members=ALL, policy=CANARY)))

    assert heir.rung == [BEN, CLEO]
    assert {d.outcome.word for d in ended.deliveries.values()} == {"ACCEPTED"}


def test_the_same_send_repeated_by_another_line_waits_for_an_heir() -> None:
    """A send begun on one line is not ended by a caller who names another."""
    dead = _dead(order(SLOW, members=ALL), Turn)
    heir = _next(dead)

    with pytest.raises(SendInProgressError):
        heir.play(send(order(TWO, members=ALL, via=TWO.id)))

    assert not heir.record.closed
    assert heir.requests == []


def test_the_same_send_repeated_does_not_text_who_opted_out_since() -> None:
    """Though the policy would leave them out, what was begun names them all."""
    policy = Policy(on_opt_out="drop")
    dead = _dead(order(SLOW, members=ALL, policy=policy), Turn)
    _wrote(dead.journal, BEN, "STOP")
    heir = _next(dead)

    with pytest.raises(NotSentError, match="opted out meanwhile"):
        heir.play(send(order(SLOW, members=ALL, policy=policy)))
    assert heir.requests == []

    again = heir.play(send(order(SLOW, members=ALL, policy=policy)))
    assert heir.rung == [ANA, CLEO]
    assert again.members == (ANA, CLEO)


def test_a_heir_that_dies_leaves_it_to_the_next() -> None:
    """Twice abandoned, and still everybody is texted once."""
    dead = _dead(order(SLOW, members=ALL), Turn)
    first = Player(journal=dead.journal, now=dead.now + LONG, dies=True)
    first.before = lambda effect: _raise_at(effect, Sleep)
    with pytest.raises(Crash):
        _resume(first, SLOW)
    second = _next(first)

    _resume(second, SLOW)

    rung = Counter([*first.rung, *second.rung])
    assert rung == {ANA: 1, BEN: 1, CLEO: 1}
    fences = [e.send for e in second.of(TakeOver)]
    assert len(fences) == 1


def test_a_send_taken_over_in_between_is_nobody_elses_news() -> None:
    """A second heir was faster: the first says nothing of that send."""
    dead = _dead(order(SLOW, members=ALL), Turn)
    _wrote(dead.journal, BEN, "STOP")
    heir = _next(dead)

    def faster(effect: AnyEffect) -> None:
        if isinstance(effect, Write) and isinstance(effect.change, Closed):
            heir.before = lambda _effect: None
            taken = Taken("a third process", heir.now + LONG, played_at(heir.now))
            heir.journal.write(heir.record.id, taken)

    heir.before = faster
    assert heir.play(resumed("default", _theirs(SLOW))) == ((), ())
