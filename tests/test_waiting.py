"""Waiting for a carrier that throttles: for how long, how often, and for whom."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest
from attrs import evolve

from multigroup import (
    Accepted,
    NotSent,
    NotSentError,
    PartialSendError,
    Policy,
    Response,
    UncertainError,
)
from multigroup._programs.send import send
from multigroup._programs.steps import MOST_WAITS
from multigroup.effects import AnyEffect, Exchange, Sleep
from multigroup.wire import Reply
from tests.helpers.paper import LOST, OK, ONE, THROTTLED, TWO
from tests.helpers.player import ANA, BEN, CLEO, START, Player, failed, order, used
from tests.helpers.world import PEOPLE, Carrier, Colour, World

ALL: Final = (ANA, BEN, CLEO)
UNSAID: Final = Response(429)
"""A carrier that throttles and does not say for how long."""

WAITS: Final[dict[str, Reply]] = {
    "Retry-After": Response(429, {"retry-after": "7"}),
    "x-ratelimit-reset": Response(429, {"x-ratelimit-reset": "7"}),
    "a date after all": Response(
        429, {"retry-after": "Sat, 21 Nov 2026 08:00:00 GMT", "x-ratelimit-reset": "7"}
    ),
}


def _slept(player: Player) -> list[float]:
    return [pause.seconds for pause in player.of(Sleep)]


@pytest.mark.parametrize("said", WAITS)
def test_a_wait_within_the_deadline_is_waited_for(said: str) -> None:
    """The same line is tried again after as long as the carrier said."""
    player = Player([WAITS[said]] * 2)

    receipt = player.play(send(order(deadline=7.0)))

    assert _slept(player) == [7.0]
    assert used(player) == [ONE.id]
    assert {d.outcome.word for d in receipt.deliveries.values()} == {"ACCEPTED"}
    then = {attempt.then for attempt in receipt.attempts}
    assert then == {"throttled: waited 7 s for another turn", ""}


@pytest.mark.parametrize("said", WAITS)
def test_a_wait_beyond_the_deadline_is_not(said: str) -> None:
    """Nobody was texted, so the other line may try at once."""
    player = Player([WAITS[said]] * 2)

    player.play(send(order(deadline=6.9)))

    assert _slept(player) == []
    assert used(player) == [ONE.id, TWO.id]


def test_without_a_deadline_the_next_line_is_tried_at_once() -> None:
    """Who gave no deadline would rather be sent elsewhere than wait."""
    player = Player([THROTTLED] * 2)

    player.play(send(order(deadline=None)))

    assert _slept(player) == []
    assert used(player) == [ONE.id, TWO.id]


def test_two_waits_must_fit_the_deadline_together() -> None:
    """Time that was spent waiting is spent: the second wait would be too long."""
    player = Player([THROTTLED] * 4)

    player.play(send(order(deadline=13.9)))

    assert _slept(player) == [7.0]
    assert used(player) == [ONE.id, TWO.id]


def test_the_longest_of_several_waits_counts() -> None:
    """Legs of one batch may be told different times: the last turn is for all."""
    player = Player([THROTTLED, Response(429, {"retry-after": "9"})])

    player.play(send(order(deadline=60.0)))

    assert _slept(player) == [9.0]


@pytest.mark.parametrize(
    ("reply", "waits"),
    [
        (UNSAID, [0.25, 0.5, 1.0, 2.0, 4.0, 8.0]),
        (Response(429, {"retry-after": "0"}), [0.25, 0.5, 1.0, 2.0, 4.0, 8.0]),
        (Response(429, {"retry-after": "1"}), [1.0, 1.0, 1.0, 2.0, 4.0, 8.0]),
    ],
    ids=["says nothing", "says none", "says one second"],
)
def test_a_carrier_that_never_stops_is_waited_for_so_often(
    reply: Reply, waits: list[float]
) -> None:
    """Each wait is longer, whatever it says; after the last one nothing was sent."""
    player = Player([reply] * 100)

    end = failed(player, order(ONE, deadline=3600.0))

    assert type(end) is NotSentError
    assert _slept(player) == waits
    assert len(waits) == MOST_WAITS


def test_each_line_is_waited_for_anew_but_no_more_often_altogether() -> None:
    """The limit is for the send: a second line that throttles too is left at once."""
    player = Player([UNSAID] * 100)

    failed(player, order(deadline=3600.0))

    assert len(_slept(player)) == MOST_WAITS
    assert used(player) == [ONE.id, TWO.id]


@pytest.mark.parametrize("deadline", [None, 60.0])
def test_a_group_texted_in_part_is_completed_on_its_line(
    deadline: float | None,
) -> None:
    """Only those who were throttled are texted after the wait: nobody has it twice."""
    player = Player([OK, THROTTLED, OK])

    receipt = player.play(send(order(members=ALL, deadline=deadline)))

    assert Counter(player.rung) == {ANA: 1, BEN: 1, CLEO: 1}
    assert used(player) == [ONE.id]
    assert _slept(player) == [7.0]
    assert [a.then for a in receipt.attempts] == [
        "",
        "throttled: waited 7 s for another turn",
        "",
        "",
    ]


def test_a_group_texted_in_part_is_not_completed_beyond_the_deadline() -> None:
    """The receipt says who has it and who surely has not."""
    player = Player([OK, THROTTLED, OK])

    end = failed(player, order(members=ALL, deadline=1.0))

    assert type(end) is PartialSendError
    words = [d.outcome.word for d in end.receipt.deliveries.values()]
    assert words == ["ACCEPTED", "NOT_SENT", "ACCEPTED"]
    assert player.rung == [ANA, CLEO]


def test_a_group_texted_in_part_is_not_completed_on_another_line() -> None:
    """However often its own line throttles, the group stays one thread."""
    player = Player([OK, THROTTLED, OK, *[THROTTLED] * 100])

    end = failed(player, order(members=ALL, deadline=3600.0))

    assert type(end) is PartialSendError
    assert used(player) == [ONE.id]
    assert len(_slept(player)) == MOST_WAITS


def test_doubt_about_one_is_not_waited_out() -> None:
    """Perhaps texted is a reason to stop, whatever another leg was told."""
    player = Player([LOST, THROTTLED, OK])

    end = failed(player, order(members=ALL, deadline=60.0))

    assert type(end) is UncertainError
    assert _slept(player) == []


def test_a_throttled_canary_waits_and_then_goes_first_again() -> None:
    """Nobody was texted, so the others still wait for the first one's answer."""
    player = Player([THROTTLED])

    player.play(
        send(order(members=ALL, deadline=60.0, policy=Policy(fan_out="canary")))
    )

    assert [len(batch.requests) for batch in player.of(Exchange)] == [1, 1, 2]
    assert Counter(player.rung) == {ANA: 1, BEN: 1, CLEO: 1}


def test_the_lease_is_kept_while_a_send_waits() -> None:
    """A wait longer than a lease looks like a death to nobody."""
    player = Player([Response(429, {"retry-after": "100"})] * 2)
    leases: list[float] = []

    def look(effect: AnyEffect) -> None:
        if isinstance(effect, Sleep):
            leases.append(player.record.lease.until - player.now - effect.seconds)
            assert player.journal.orphans("default", player.now) == ()

    player.before = look
    player.play(send(order(ONE, deadline=120.0)))

    assert len(leases) > 1
    assert min(leases) >= 30.0
    assert player.now == START + 100


@pytest.mark.parametrize(
    ("name", "reply", "wait"),
    [
        ("telnyx", Response(429, {"x-ratelimit-reset": "4"}), 4.0),
        ("vonage", Response(429, {"retry-after": "4"}), 4.0),
        ("telnyx", Response(429), 0.25),
        ("vonage", Response(429), 0.25),
    ],
    ids=["telnyx", "vonage", "telnyx unsaid", "vonage unsaid"],
)
def test_both_carriers_waits_are_waited_for(
    name: Carrier, colour: Colour, reply: Response, wait: float
) -> None:
    """Blocking or not, on both carriers, in the simulated network's time."""
    world = World(name, colour)
    began = world.network.now()
    with world.face.answer(reply, count=world.legs):
        receipt = world.send("Dinner?", deadline=5.0)

    assert world.network.now() - began == wait
    assert receipt.line == world.line.id
    assert [len(world.phone(who).bubbles) for who in PEOPLE] == [1, 1, 1]
    world.close()


@pytest.mark.parametrize("status", [400, 429], ids=["400", "429"])
def test_a_full_queue_is_waited_for_within_the_deadline(
    colour: Colour, status: int
) -> None:
    """Telnyx 40318 is over when one message has left the line's queue."""
    world = World("telnyx", colour)
    with world.face.refuse(status, "40318", count=2):
        receipt = world.send("Dinner?", deadline=5.0)

    assert receipt.line == world.line.id
    assert [a.outcome.word for a in receipt.attempts] == [
        "NOT_SENT",
        "NOT_SENT",
        "ACCEPTED",
    ]
    assert [len(world.phone(who).bubbles) for who in PEOPLE] == [1, 1, 1]
    world.close()


def test_a_full_queue_moves_the_send_when_nobody_waits(colour: Colour) -> None:
    """Without a deadline the other carrier brings it; nothing is in doubt."""
    world = World("telnyx", colour)
    with world.face.refuse(429, "40318"):
        receipt = world.send("Dinner?")

    assert receipt.line == world.client.lines[1].id
    assert isinstance(receipt.attempts[0].outcome, NotSent)
    assert [len(world.phone(who).bubbles) for who in PEOPLE] == [1, 1, 1]
    world.close()


def test_a_fan_out_beyond_the_carriers_rate_reaches_everybody_once(
    colour: Colour,
) -> None:
    """Vonage takes two a second here: the third copy follows a second later."""
    world = World("vonage", colour)
    face = world.network.vonage
    face.quirks = evolve(face.quirks, rate=2)
    receipt = world.send("Dinner?")

    assert all(isinstance(d.outcome, Accepted) for d in receipt.deliveries.values())
    assert [len(world.phone(who).bubbles) for who in PEOPLE] == [1, 1, 1]
    assert {world.phone(who).latest for who in PEOPLE} == {world.thread(world.number)}
    assert receipt.attempts[-1].line == world.line.id
    world.close()
