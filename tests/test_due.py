"""What has fallen due: events left unhandled, carriers to be asked, keys to try."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import evolve

from multigroup import (
    ConfigError,
    DeliveryStatus,
    DeliveryUpdated,
    Due,
    Event,
    MemoryJournal,
    MessageReceived,
    OptedOutError,
    Policy,
    Receipt,
    Response,
    UncertainError,
    Unknown,
)
from multigroup._programs.due import FIRST_INQUIRY, GIVE_UP, SELDOM, run_due
from multigroup._programs.ingest import LEASE, Intake
from multigroup._programs.recover import retry
from multigroup._programs.send import send
from multigroup.effects import AnyEffect, Claim, Notify, Program, Settle, Turn
from multigroup.journal.rules import LONGEST, PAUSE, TRIES
from multigroup.models import Accepted
from multigroup.wire import Failure, Reply
from tests.helpers.paper import (
    BAD_LINE,
    BROKEN,
    GONE,
    LOST,
    OK,
    STOPPED,
    THROTTLED,
    WHOLE_GROUPS,
    Paper,
)
from tests.helpers.player import ANA, BEN, Crash, Player, means, order, played_at
from tests.helpers.values import received
from tests.helpers.world import PEOPLE, Carrier, Colour, World

MINUTE: Final = FIRST_INQUIRY.total_seconds()
KEYED: Final = Paper(name="one", capabilities=WHOLE_GROUPS, keys=True)
LINE: Final = KEYED.line("+12125550100")
REPLAY: Final = Policy(replay=True)


def _nothing(event: Event) -> Program[None]:
    del event
    yield from ()


def _due(player: Player, *lines: Any, **more: Any) -> Due:
    """Play one round of what is due, as on a durable journal."""
    intake = Intake(namespace="default", owner="due", durable=True, react=_nothing)
    given = means(*(lines or (LINE,)), owner="due", **more)
    return player.play(run_due(intake, given, frozenset()))


def _doubtful(*replies: Reply, line: Any = LINE) -> Player:
    """Return the player of a send whose reply was lost, and then these *replies*."""
    player = Player([LOST, *replies])
    with pytest.raises(UncertainError):
        player.play(send(order(line)))
    player.seen.clear()
    return player


def _outcomes(player: Player) -> set[str]:
    return {attempt.outcome.word for attempt in player.record.attempts}


@pytest.fixture
def durable(carrier: Carrier, colour: Colour, tmp_path: Path) -> Iterator[World]:
    """Give an application whose journal is a file."""
    made = World(carrier, colour, journal=f"sqlite:///{tmp_path / 'j.db'}")
    yield made
    made.close()


def _run(world: World) -> Due:
    return world.wait(world.client.run_due())


def _failing(world: World, times: int, error: Exception) -> list[Event]:
    """Have the first *times* runs of a handler raise; return the list of all runs."""
    runs: list[Event] = []

    def handler(event: MessageReceived) -> None:
        runs.append(event)
        if len(runs) <= times:
            raise error

    world.client.on(MessageReceived)(handler)
    return runs


def _spoken(world: World) -> None:
    """Have a member answer, and the carrier deliver that."""
    world.send("Dinner?")
    world.network.settle()
    world.phone().reply("yes")
    world.network.settle()


def test_a_handler_that_raised_is_run_again(durable: World) -> None:
    """The carrier had its 200; `run_due` does it after a pause, and a longer one."""
    runs = _failing(durable, 2, RuntimeError("the database is away"))
    _spoken(durable)
    assert (len(runs), set(durable.answered)) == (1, {200})

    assert _run(durable).events == ()  # not at once
    durable.network.advance(PAUSE)
    assert [type(error) for error in _run(durable).failures] == [RuntimeError]
    durable.network.advance(2 * PAUSE)
    done = _run(durable)

    assert [event.id for event in done.events] == [runs[0].id]
    assert done.failures == ()
    assert len({event.id for event in runs}) == 1
    assert (len(runs), _run(durable).events) == (3, ())


def test_an_event_is_parked_after_ten_tries(durable: World) -> None:
    """Nobody tries for ever what fails every time."""
    runs = _failing(durable, 1000, RuntimeError("a bug"))
    _spoken(durable)
    for _ in range(20):
        durable.network.advance(LONGEST)
        _run(durable)

    assert len(runs) == TRIES == 10


def test_a_failure_that_would_only_come_again_is_not_repeated(durable: World) -> None:
    """A handler that was told of an opt-out cannot do better the next time."""
    runs = _failing(durable, 1, OptedOutError("Ben opted out"))
    _spoken(durable)
    _run(durable)

    assert len(runs) == 1


def test_an_event_whose_process_died_is_handled_by_the_next() -> None:
    """Its claim has run out: the handlers run from the beginning."""
    journal = MemoryJournal()
    journal.store("default", [received()])

    def die(effect: AnyEffect) -> None:
        if isinstance(effect, Notify):
            raise Crash

    dead = Player(journal=journal, before=die, dies=True)
    with pytest.raises(Crash):
        _due(dead)
    early = Player(journal=journal, now=dead.now + LEASE - 1)
    assert _due(early).events == ()

    late = Player(journal=journal, now=dead.now + LEASE)
    assert _due(late).events == (received(),)
    assert len(late.of(Settle)) == 1


def test_an_event_is_handled_by_one_of_two() -> None:
    """Who is second to claim it leaves it alone."""
    journal = MemoryJournal()
    journal.store("default", [received()])
    rival = Player(journal=journal)

    def meanwhile(effect: AnyEffect) -> None:
        if isinstance(effect, Claim) and not rival.seen:
            _due(rival)

    player = Player(journal=journal, before=meanwhile)

    assert _due(player).events == ()
    assert player.of(Notify) == []
    assert len(rival.of(Notify)) == 1


def test_sends_left_behind_are_gone_on_with() -> None:
    """`run_due` resumes them, and tells what became of each."""
    slow = Paper(name="one").line("+12125550100", rate=1.0)

    def die(effect: AnyEffect) -> None:
        if isinstance(effect, Turn):
            raise Crash

    dead = Player(before=die, dies=True)
    with pytest.raises(Crash):
        dead.play(send(order(slow)))

    heir = Player(journal=dead.journal, now=dead.now + 300)
    (ended,) = _due(heir, slow).resumed
    assert {d.outcome.word for d in ended.deliveries.values()} == {"ACCEPTED"}


def test_settings_that_keep_a_send_do_not_keep_the_events() -> None:
    """What is wrong is among the failures, and the rest of the round is done."""
    locked = Paper(name="one", locked=True).line("+12125550100", rate=1.0)

    def die(effect: AnyEffect) -> None:
        if isinstance(effect, Turn):
            raise Crash

    dead = Player(before=die, dies=True)
    with pytest.raises(Crash):
        dead.play(send(order(locked)))
    dead.journal.store("default", [received()])

    due = _due(Player(journal=dead.journal, now=dead.now + 300), locked)
    assert [type(failure) for failure in due.failures] == [ConfigError]
    assert due.events == (received(),)


def _asked(player: Player, until: timedelta) -> list[float]:
    """Run what is due every 15 s; return when a carrier was asked, in minutes."""
    began, asked = player.now, list[float]()
    while player.now < began + until.total_seconds():
        player.seen.clear()
        _due(player)
        asked += [(player.now - began) / 60 for _ in player.requests]
        player.now += 15
    return asked


def test_a_carrier_is_asked_less_and_less_often() -> None:
    """After one minute, then two, four and so on up to an hour."""
    asked = _asked(_doubtful(), timedelta(hours=4))

    pauses = [b - a for a, b in zip([0.0, *asked], asked, strict=False)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert timedelta(hours=1) == SELDOM


def test_a_carrier_is_not_asked_for_ever() -> None:
    """Of a send three days old nobody is asked any more; it stays in doubt."""
    player = _doubtful()
    player.now += GIVE_UP.total_seconds()
    _due(player)

    assert player.requests == []
    assert player.record.inquiries == 0
    assert _outcomes(player) == {"UNKNOWN"}


def test_an_answer_without_news_proves_nothing() -> None:
    """The carrier knows of no webhook for that leg: it stays in doubt."""
    player = _doubtful()
    player.now += MINUTE
    _due(player)

    assert [request.method for request in player.requests] == ["GET"]
    assert _outcomes(player) == {"UNKNOWN"}
    assert player.record.inquiries == 1


def test_what_a_carrier_tells_when_asked_is_an_event_like_any_other() -> None:
    """It proves the leg, is handed to the handlers, and is not handed over twice."""
    player = _doubtful()
    (attempt,) = player.record.attempts
    news = DeliveryUpdated(
        id="news",
        provider="paper",
        account="one",
        occurred_at=played_at(player.now),
        received_at=played_at(player.now),
        raw=b"",
        member=ANA,
        status=DeliveryStatus.SENT,
        provider_status="sent",
        message_id="m",
        token=attempt.leg,
    )
    KEYED.told[attempt.leg] = (news, news)
    player.now += MINUTE
    due = _due(player)

    assert _outcomes(player) == {"ACCEPTED"}
    assert [event.id for event in due.events] == ["news"]
    assert len(player.of(Notify)) == 1
    player.now += 10 * MINUTE
    assert _due(player) == Due()


def test_without_the_policy_nothing_is_sent_again() -> None:
    """A key would make it safe; whether to rely on that is the application's choice."""
    player = _doubtful()
    player.now += MINUTE
    _due(player)

    assert [request.method for request in player.requests] == ["GET"]


def test_the_same_bytes_are_sent_again_under_the_same_key() -> None:
    """Nothing is written anew: what left first leaves once more, and proves it."""
    player = _doubtful(OK, OK)
    (leg,) = player.record.legs.values()
    player.now += MINUTE
    _due(player, policy=REPLAY)

    again = player.requests[-1]
    assert (again.method, again.url, again.body) == (
        leg.request.method,
        leg.request.url,
        leg.request.body,
    )
    assert len(player.record.attempts) == 1
    assert isinstance(player.record.attempts[0].outcome, Accepted)
    then = "asked again under the same idempotency key"
    assert player.record.attempts[0].then == then


@pytest.mark.parametrize(
    "reply",
    [GONE, THROTTLED, BAD_LINE, STOPPED, LOST, BROKEN, Response(409, {}, b"message")],
    ids=["gone", "throttled", "line", "stopped", "lost", "broken", "in flight"],
)
def test_only_a_yes_to_the_second_request_tells_of_the_first(reply: Reply) -> None:
    """A no is said of the second: the first was perhaps taken all the same."""
    player = _doubtful(OK, reply)
    player.now += MINUTE
    _due(player, policy=REPLAY)

    assert len(player.requests) == 2
    assert _outcomes(player) == {"UNKNOWN"}
    player.now += 10 * MINUTE
    player.seen.clear()
    with pytest.raises(UncertainError):
        player.play(retry("default", means(LINE), "dinner"))
    assert player.requests == []


def test_an_old_message_is_not_sent_again() -> None:
    """It might be texted for the first time: nobody wants it that late."""
    player = _doubtful()
    player.now += timedelta(minutes=61).total_seconds()
    _due(player, policy=REPLAY)
    assert [request.method for request in player.requests] == ["GET"]

    patient = Policy(replay=True, expires_after=timedelta(days=2))
    player.now += timedelta(hours=23).total_seconds()
    player.seen.clear()
    _due(player, policy=patient)  # the key is a day old, and perhaps forgotten
    assert [request.method for request in player.requests] == ["GET"]


def test_nobody_who_opted_out_since_is_sent_it_again() -> None:
    """Perhaps it never reached them; it must not do so now."""
    player = _doubtful()
    stop = received(
        text="STOP",
        sender=BEN,
        occurred_at=played_at(player.now),
        received_at=played_at(player.now),
    )
    player.journal.store("default", [stop])
    player.now += MINUTE
    _due(player, policy=REPLAY)

    assert [request.method for request in player.requests] == ["GET"]


def test_a_leg_that_was_sent_anew_is_not_replayed() -> None:
    """With `unknown=True` everybody was texted by another leg: this one is the past."""
    player = _doubtful(OK)
    player.play(retry("default", means(LINE), "dinner", unknown=True))
    player.seen.clear()
    player.now += MINUTE
    _due(player, policy=REPLAY)

    assert [request.method for request in player.requests] == ["GET"]


def test_a_leg_without_a_key_is_not_replayed() -> None:
    """Sent twice it would ring twice."""
    bare = Paper(name="one", capabilities=WHOLE_GROUPS).line("+12125550100")
    player = _doubtful(line=bare)
    player.now += MINUTE
    _due(player, bare, policy=REPLAY)

    assert [request.method for request in player.requests] == ["GET"]


def test_what_was_told_first_needs_no_second_request() -> None:
    """The carrier's own webhooks proved it a moment before."""
    player = _doubtful()
    (attempt,) = player.record.attempts
    news = DeliveryUpdated(
        id="news",
        provider="paper",
        account="one",
        occurred_at=played_at(player.now),
        received_at=played_at(player.now),
        raw=b"",
        member=ANA,
        status=DeliveryStatus.SENT,
        provider_status="sent",
        token=attempt.leg,
    )
    KEYED.told[attempt.leg] = (news,)
    player.now += MINUTE
    _due(player, policy=REPLAY)

    assert [request.method for request in player.requests] == ["GET"]


def _lost(world: World, lose: Callable[[World], Any]) -> Receipt:
    """Send while the reply is lost and no webhook arrives; return what is known."""
    world.deaf = True
    with lose(world):
        error = world.fail(UncertainError, "Dinner?", reference="r")
    world.network.settle()
    world.deaf = False
    return error.receipt


def test_telnyx_is_asked_for_the_webhooks_that_never_came(durable: World) -> None:
    """Reply and webhooks were lost; its list of deliveries has them, Vonage none."""
    _lost(durable, lambda world: world.face.lose_replies())
    durable.network.advance(MINUTE)
    due = _run(durable)

    known = {d.outcome.word for d in durable.receipt("r").deliveries.values()}
    if durable.carrier == "vonage":
        assert (known, due.events) == ({"UNKNOWN"}, ())
        return
    assert known == {"ACCEPTED"}
    assert {e.reference for e in due.events if isinstance(e, DeliveryUpdated)} == {"r"}
    assert [e.id for e in durable.events] == [e.id for e in due.events]
    assert durable.receipt("r").settled
    assert _run(durable).events == ()


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
def test_telnyx_takes_a_message_once_under_its_key(
    colour: Colour, tmp_path: Path, *, taken: bool
) -> None:
    """Whether the first request was taken or not, everybody has it once in the end."""
    world = World(
        "telnyx", colour, policy=REPLAY, journal=f"sqlite:///{tmp_path / 'j.db'}"
    )
    cut = Failure("ReadError")
    face = world.network.telnyx
    face.quirks = evolve(face.quirks, finalized="never", send_sent_event=False)
    _lost(world, lambda _: face.answer(cut, after_acceptance=taken))
    assert len(world.phone().bubbles) == taken

    world.network.advance(MINUTE)
    with face.hold_keys():
        _run(world)
    if taken:
        assert isinstance(world.receipt("r").attempts[0].outcome, Unknown)
        world.network.advance(2 * MINUTE)
        _run(world)

    assert isinstance(world.receipt("r").attempts[0].outcome, Accepted)
    assert [len(world.phone(who).bubbles) for who in PEOPLE] == [1, 1, 1]
    world.close()


def test_a_round_with_nothing_to_do_does_nothing() -> None:
    """It asks the journal and nobody else."""
    player = Player()

    assert _due(player) == Due()
    assert player.requests == []
