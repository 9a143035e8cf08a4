"""What a send would do, told without doing it: the plan and the send must agree."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from multigroup import (
    Block,
    BreakerState,
    Candidate,
    Line,
    LineId,
    Message,
    OptedOutError,
    Plan,
    Policy,
    Receipt,
    conversation_id,
)
from multigroup._programs.planning import plan
from multigroup._programs.send import send
from multigroup.breaker import Breakers
from multigroup.models import NotSent
from tests.helpers.paper import GONE, ONE, SUBJECTS, THREE, TWO, Paper
from tests.helpers.player import ANA, BEN, CLEO, START, Player, means, order, played_at
from tests.helpers.values import received
from tests.helpers.world import PEOPLE, World

ALL: Final = (ANA, BEN, CLEO)
ABLE: Final = Paper(name="able", capabilities=SUBJECTS).line("+17025550100")


def _plan(player: Player, *lines: Line, **more: Any) -> Plan:
    message: Message = more.pop("message", Message("Hello"))
    answering: LineId | None = more.pop("answering", None)
    given = means(*(lines or (ONE, TWO, THREE)), **more)
    return player.play(plan("default", given, ALL, message, answering))


def _heard(player: Player, line: Line, at: float = START - 60, text: str = "x") -> None:
    """Let the group write on *line*."""
    when = played_at(at)
    event = received(
        f"{text} at {at}",
        account=line.id.account,
        line=line.number,
        sender=BEN,
        text=text,
        members=frozenset(ALL),
        conversation=conversation_id(ALL),
        occurred_at=when,
        received_at=when,
    )
    player.journal.store("default", [event])


def _lines(made: Plan) -> list[tuple[LineId, bool]]:
    return [(candidate.line, candidate.able) for candidate in made.candidates]


def test_a_new_conversation_takes_the_first_choice() -> None:
    """The lines stand in the order in which they would be tried."""
    made = _plan(Player())

    assert made.line == ONE.id
    assert [candidate.why for candidate in made.candidates] == [
        "it is the first choice",
        "it is tried if surely nothing was sent before",
        "it is tried if surely nothing was sent before",
    ]
    assert made.conversation == conversation_id(ALL)
    assert (made.members, made.blocks) == (ALL, ())


def test_a_conversation_stays_on_its_thread() -> None:
    """Unless it was quiet for too long."""
    player = Player()
    _heard(player, TWO)
    made = _plan(player)
    assert made.line == TWO.id
    assert made.candidates[0].why == "the conversation's thread is on it"

    player.now += timedelta(days=8).total_seconds()
    assert _plan(player).line == ONE.id


def test_an_answer_goes_by_the_line_of_what_it_answers() -> None:
    """Before the conversation's last one."""
    player = Player()
    _heard(player, TWO)
    made = _plan(player, answering=THREE.id)

    assert made.line == THREE.id
    assert made.candidates[0].why == "the event that is answered came to it"


def test_a_line_that_cannot_carry_it_says_why() -> None:
    """It comes last, and is not the one that would be tried."""
    message = Message("Hello", subject="Dinner")
    made = _plan(Player(), ONE, ABLE, message=message)

    assert _lines(made) == [(ABLE.id, True), (ONE.id, False)]
    assert made.candidates[1].why == "one has no MMS subject: leave the subject out"


def test_a_plan_without_any_able_line_is_a_plan_too() -> None:
    """It says why for each, where a send would raise."""
    made = _plan(Player(), ONE, TWO, message=Message("Hello", subject="Dinner"))

    assert made.line is None
    assert _lines(made) == [(ONE.id, False), (TWO.id, False)]


def test_without_failover_one_line_would_be_tried() -> None:
    """The others are named all the same."""
    made = _plan(Player(), policy=Policy(failover=False))

    assert _lines(made) == [(ONE.id, True), (TWO.id, False), (THREE.id, False)]
    assert made.candidates[1].why == "failover is off"


def test_a_line_that_is_left_alone_is_passed_over() -> None:
    """Half open it is not: the next send would be the one that tries it."""
    breakers = Breakers(1, 30.0)
    breakers.heard(ONE.id, [(NotSent("x"), GONE)], START)
    player = Player()
    made = _plan(player, breakers=breakers)
    assert made.candidates[0] == Candidate(
        ONE.id,
        able=False,
        why="it keeps failing and is left alone for now",
        breaker=BreakerState.OPEN,
    )
    assert made.line == TWO.id

    player.now += 30
    made = _plan(player, breakers=breakers)
    assert (made.line, made.candidates[0].breaker) == (ONE.id, BreakerState.HALF_OPEN)
    assert breakers.refusal(ONE.id, player.now) is None  # the plan used nothing up


def test_opt_outs_are_told_with_their_reason() -> None:
    """What would raise, or leave somebody out, stands in the plan."""
    player = Player()
    _heard(player, ONE, text="STOP")

    made = _plan(player)

    assert made.blocks == (Block(BEN, played_at(START - 60), "wrote STOP"),)
    with pytest.raises(OptedOutError):
        player.play(send(order(members=ALL)))


def test_a_plan_sends_nothing_and_writes_nothing() -> None:
    """It asks the time and the journal, and changes neither."""
    player = Player()
    _heard(player, TWO)
    _plan(player)

    assert {type(effect).__name__ for effect in player.seen} <= {
        "Now",
        "LastLine",
        "Blocked",
        "Standing",
    }


@pytest.mark.parametrize("failing", range(3))
def test_a_send_does_what_the_plan_says(failing: int) -> None:
    """As many lines fail as may: those tried are the plan's, in its order."""
    player = Player([GONE] * 3 * failing)
    _heard(player, TWO)
    made = _plan(player)

    receipt = player.play(send(order(ONE, TWO, THREE, members=ALL, policy=Policy())))

    tried = list(dict.fromkeys(attempt.line for attempt in receipt.attempts))
    planned = [candidate.line for candidate in made.candidates if candidate.able]
    assert tried == planned[: failing + 1]


def _planned(world: World, message: str | Message, *people: str) -> Plan:
    client: Any = world.client
    made: Plan = world.wait(client.plan(client.group(*(people or PEOPLE)), message))
    return made


def test_a_client_plans_what_it_would_send(world: World) -> None:
    """By text or by message, blocking or not; then it does just that."""
    made = _planned(world, "Dinner?")
    assert made == _planned(world, Message("Dinner?"))
    titled = _planned(world, Message("Dinner?", subject="Tonight"))
    able = {candidate.line.account: candidate.able for candidate in titled.candidates}
    assert able == {"telnyx": True, "vonage": False}
    assert [phone for phone in PEOPLE if world.phone(phone).bubbles] == []

    receipt: Receipt = world.send("Dinner?")
    assert receipt.line == made.line == world.line.id
    other = world.client.lines[1]
    world.send("By the other one", via=other)
    assert _planned(world, "Dessert?").line == other.id


def test_a_client_plans_by_the_event_it_answers(world: World) -> None:
    """The conversation of an event is planned on the event's line."""
    world.send("Dinner?")
    world.phone().reply("yes")
    world.network.settle()
    (event,) = world.heard()
    other = world.client.lines[1]
    world.send("By the other one", via=other)

    client: Any = world.client
    made: Plan = world.wait(client.plan(client.conversation(event), "Fine"))
    assert made.line == world.line.id
    assert made.candidates[0].why == "the event that is answered came to it"


def test_a_client_plans_with_opt_outs(world: World) -> None:
    """A STOP heard on one line stands in the plan for all."""
    world.send("Dinner?")
    world.phone().reply("STOP")
    world.network.settle()

    (block,) = _planned(world, "Still there?").blocks
    assert block.subject == PEOPLE[0]
