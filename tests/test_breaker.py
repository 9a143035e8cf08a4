"""A line that keeps failing is left alone for a while, and then tried by one send."""

from __future__ import annotations

from typing import Any, Final

import pytest

from multigroup import (
    BreakerState,
    DeliveryStatus,
    DeliveryUpdated,
    NotSentError,
    Policy,
    Response,
    SendError,
    UncertainError,
)
from multigroup._programs.recover import retry
from multigroup._programs.send import send
from multigroup.breaker import Breakers
from multigroup.models import NotSent, Outcome, Reason, Refused, Scope, Unknown
from multigroup.wire import Failure, Reply
from tests.helpers.paper import (
    BAD_ACCOUNT,
    BAD_LINE,
    BAD_MESSAGE,
    BROKEN,
    GONE,
    LOST,
    OK,
    ONE,
    OPTED_OUT,
    THROTTLED,
    TWO,
    Paper,
)
from tests.helpers.player import ANA, BEN, CLEO, START, Player, means, order, played_at
from tests.helpers.values import LINE, OTHER_LINE, accepted
from tests.helpers.world import World

ALL: Final = (ANA, BEN, CLEO)
CLOSED, OPEN, HALF = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
GONE_OUTCOME: Final = NotSent("could not reach red (ConnectError)")
LOST_OUTCOME: Final = Unknown("the connection ended without an answer (ReadTimeout)")


def _hear(breakers: Breakers, *news: tuple[Outcome, Reply], at: float = 0) -> None:
    breakers.heard(LINE, news, at)


def _failed(times: int = 3, at: float = 0) -> Breakers:
    """Return breakers of a line that failed so often; three are too many."""
    breakers = Breakers(threshold=3, pause=30)
    for _ in range(times):
        _hear(breakers, (GONE_OUTCOME, GONE), at=at)
    return breakers


def test_so_many_failures_in_a_row_open_it_for_so_long() -> None:
    """Not one earlier, and not a moment longer."""
    breakers = _failed(2)
    assert breakers.state(LINE, 0) is CLOSED
    assert breakers.refusal(LINE, 0) is None

    _hear(breakers, (GONE_OUTCOME, GONE))

    assert breakers.state(LINE, 29.9) is OPEN
    assert breakers.state(LINE, 30) is HALF
    refusal = breakers.refusal(LINE, 10)
    assert refusal is not None
    assert refusal.why == (
        f"{LINE} failed 3 times in a row and is left alone for 20 s more"
    )


def test_a_success_in_between_begins_the_count_anew() -> None:
    """Only failures in a row count."""
    breakers = _failed(2)
    _hear(breakers, (accepted(), OK))
    _hear(breakers, (GONE_OUTCOME, GONE))

    assert breakers.state(LINE, 0) is CLOSED


def test_legs_that_fail_together_are_one_failure() -> None:
    """A group of eight at one dead moment does not condemn the line for good."""
    breakers = Breakers(threshold=3, pause=30)
    _hear(breakers, *[(LOST_OUTCOME, LOST)] * 8)

    assert breakers.state(LINE, 0) is CLOSED


def test_a_line_that_took_one_of_a_batch_works() -> None:
    """Whatever became of the others."""
    breakers = _failed(2)
    _hear(breakers, (LOST_OUTCOME, LOST), (accepted(), OK), (GONE_OUTCOME, GONE))
    _hear(breakers, (GONE_OUTCOME, GONE))

    assert breakers.state(LINE, 0) is CLOSED


def test_lines_fail_apart() -> None:
    """One line's breaker says nothing of another's."""
    assert _failed().state(OTHER_LINE, 0) is CLOSED


def test_half_open_lets_one_try_and_holds_the_others() -> None:
    """The first to ask is let through; until it is heard of, nobody else is."""
    breakers = _failed()

    assert breakers.refusal(LINE, 30) is None
    assert breakers.refusal(LINE, 30) is not None
    assert breakers.refusal(LINE, 59) is not None


@pytest.mark.parametrize(
    ("news", "state"),
    [
        ((accepted(), OK), CLOSED),
        ((GONE_OUTCOME, GONE), OPEN),
        ((NotSent("throttled", 0.0), Response(429)), HALF),
    ],
    ids=["it worked", "it failed", "nothing learned"],
)
def test_the_one_that_tried_decides(
    news: tuple[Outcome, Reply], state: BreakerState
) -> None:
    """It closes the breaker, opens it again, or leaves the trying to the next."""
    breakers = _failed()
    breakers.refusal(LINE, 30)
    _hear(breakers, news, at=31)

    assert breakers.state(LINE, 31) is state


def test_one_that_tried_and_was_never_heard_of_bars_nobody_for_ever() -> None:
    """Its process may have been cancelled: after the pause another may try."""
    breakers = _failed()
    breakers.refusal(LINE, 30)

    assert breakers.refusal(LINE, 60) is None


BLAMED: Final[dict[str, tuple[Outcome, Reply]]] = {
    "unreachable": (GONE_OUTCOME, GONE),
    "lost": (LOST_OUTCOME, LOST),
    "5xx": (Unknown("one answered HTTP 503"), BROKEN),
    "line refused": (Refused("1", Reason.OTHER, Scope.LINE), BAD_LINE),
    "account refused": (Refused("1", Reason.OTHER, Scope.ACCOUNT), BAD_ACCOUNT),
}
SPARED: Final[dict[str, tuple[Outcome, Reply]]] = {
    "throttled": (NotSent("throttled", 7.0), THROTTLED),
    "throttled, no time named": (NotSent("throttled", 0.0), Response(429)),
    "bad number": (Refused("1", Reason.OTHER, Scope.MEMBER), OPTED_OUT),
    "bad message": (Refused("1", Reason.OTHER, Scope.MESSAGE), BAD_MESSAGE),
    "our deadline": (Unknown("gone"), Failure("TotalTimeout")),
    "our deadline, unsent": (NotSent("x"), Failure("TotalTimeout", unsent=True)),
    "cancelled": (Unknown("gone"), Failure("CancelledError")),
    "our pool": (NotSent("x"), Failure("PoolTimeout", unsent=True)),
    "our address": (NotSent("x"), Failure("InvalidURL", unsent=True)),
}


@pytest.mark.parametrize("name", [*BLAMED, *SPARED])
def test_only_what_condemns_the_line_counts(name: str) -> None:
    """A bad number, a throttled request or our own deadline say nothing of it."""
    breakers = Breakers(threshold=1, pause=30)
    _hear(breakers, (BLAMED | SPARED)[name])

    assert (breakers.state(LINE, 0) is OPEN) is (name in BLAMED)


FAST: Final = Policy(breaker_after=1)


def _broken(*replies: Reply, line: Any = ONE, now: float = START) -> tuple[Any, Player]:
    """Return means whose first line has failed too often, and a player."""
    given = means(line, TWO, policy=FAST, breakers=Breakers(1, 30.0))
    player = Player(replies, now=now)
    first = order(members=ALL, means=given, reference="first")
    player.replies.extendleft([LOST] * 3)
    with pytest.raises(UncertainError):
        player.play(send(first))
    player.seen.clear()
    player.rung.clear()
    return given, player


def test_an_open_breaker_sends_by_the_other_line_at_once() -> None:
    """Nothing leaves on the line that is left alone; its attempt says why."""
    given, player = _broken()

    receipt = player.play(send(order(members=ALL, means=given)))

    assert [request.url for request in player.requests] == ["http://paper.test"] * 3
    foiled = receipt.attempts[0]
    assert foiled.line == ONE.id
    assert isinstance(foiled.outcome, NotSent)
    assert foiled.outcome.why.endswith("left alone for 30 s more")
    assert receipt.line == TWO.id


def test_a_named_line_that_is_left_alone_sends_nothing() -> None:
    """The caller allowed no other, and is told why nothing was tried."""
    given, player = _broken()
    wanted = order(members=ALL, means=means(ONE, breakers=given.breakers), via=ONE.id)

    with pytest.raises(NotSentError, match="left alone") as caught:
        player.play(send(wanted))

    assert player.requests == []
    (foiled,) = caught.value.receipt.attempts
    assert (foiled.members, foiled.then) == (ALL, "stopped: no other line is left")


def test_a_send_that_was_foiled_may_be_repeated_when_the_pause_is_over() -> None:
    """The same reference tries the line: it is the one that is let through."""
    given, player = _broken()
    alone = means(ONE, breakers=given.breakers)
    with pytest.raises(NotSentError):
        player.play(send(order(members=ALL, means=alone)))
    player.now += 30

    receipt = player.play(send(order(members=ALL, means=alone)))

    assert receipt.line == ONE.id
    assert player.rung == list(ALL)
    assert alone.breakers.state(ONE.id, player.now) is CLOSED


def test_a_send_that_finds_its_reference_in_use_tries_no_line() -> None:
    """Asking for an earlier receipt does not use up the one try of a line."""
    given, player = _broken()
    player.now += 30
    with pytest.raises(UncertainError):
        player.play(send(order(members=ALL, means=given, reference="first")))

    assert given.breakers.state(ONE.id, player.now) is HALF
    assert player.play(send(order(members=ALL, means=given))).line == ONE.id


def test_a_foiled_attempt_has_a_key_of_its_own() -> None:
    """The breaker opened between two batches of one send: late news stays apart."""
    slow = Paper(name="one").line("+12125550100", rate=1.0)
    given = means(slow, policy=FAST, breakers=Breakers(1, 30.0))
    player = Player([LOST])
    with pytest.raises(UncertainError):
        player.play(send(order(members=ALL, means=given)))

    keys = [attempt.leg for attempt in player.record.attempts]
    assert len(set(keys)) == len(keys) == 2
    _told(player, keys[0], ANA)
    words = [a.outcome.word for a in player.record.attempts]
    assert words == ["ACCEPTED", "NOT_SENT"]


def _told(player: Player, token: str, member: Any) -> None:
    """Let a signed webhook prove the leg *token*."""
    event = DeliveryUpdated(
        id=f"news of {token}",
        provider="paper",
        account="one",
        occurred_at=played_at(player.now),
        received_at=played_at(player.now),
        raw=b"",
        member=member,
        status=DeliveryStatus.SENT,
        provider_status="sent",
        message_id="m",
        token=token,
    )
    player.journal.store("default", [event])


def test_a_retry_on_the_groups_own_line_waits_for_its_breaker() -> None:
    """Part of the group has it, so no other line can help; later it is completed."""
    given = means(ONE, policy=FAST, breakers=Breakers(1, 30.0))
    player = Player([OK, GONE, GONE])
    with pytest.raises(SendError):
        player.play(send(order(members=ALL, means=given)))
    given.breakers.heard(ONE.id, [(GONE_OUTCOME, GONE)], player.now)
    with pytest.raises(SendError):
        player.play(retry("default", given, "dinner"))
    player.now += 30

    player.play(retry("default", given, "dinner"))

    assert player.rung == list(ALL)


def test_the_client_shows_which_lines_are_left_alone(world: World) -> None:
    """Five sends that nobody could take, then half a minute of peace."""
    first, second = world.client.lines
    with world.face.outage():
        for _ in range(5):
            assert world.client.breakers[first.id] is CLOSED
            world.fail(NotSentError, "Dinner?", via=first)
    assert world.client.breakers == {first.id: OPEN, second.id: CLOSED}

    receipt = world.send("Still there?", via=second)
    assert receipt.line == second.id
    world.network.advance(30)
    assert world.client.breakers[first.id] is HALF
    world.send("Back again", via=first)
    assert world.client.breakers[first.id] is CLOSED
