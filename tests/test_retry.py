"""Sending again what surely did not go out, and never more than that."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any, Final

import pytest

from multigroup import (
    AsyncClient,
    Client,
    ConfigError,
    DeliveryStatus,
    DeliveryUpdated,
    Line,
    MemoryJournal,
    Number,
    OptedOutError,
    PartialSendError,
    Policy,
    Reason,
    Receipt,
    RefusedError,
    Response,
    Scope,
    SendError,
    SendInProgressError,
    ThreadMoved,
    UncertainError,
    UnsupportedError,
)
from multigroup._programs.recover import retry
from multigroup._programs.send import send
from multigroup.effects import AnyEffect, Sleep, TakeOver, Write
from multigroup.records import Reopened
from multigroup.wire import Reply
from tests.helpers.paper import (
    BAD_LINE,
    BROKEN,
    GONE,
    LOST,
    OK,
    ONE,
    STOPPED,
    THREE,
    THROTTLED,
    TWO,
    WHOLE,
)
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
    whom,
)
from tests.helpers.world import PEOPLE, World

BAD_NUMBER: Final = Response(400, {}, b"member")
ALL: Final = (ANA, BEN, CLEO)


def _again(player: Player, *lines: Line, **more: Any) -> Receipt:
    return player.play(retry("default", means(*lines), "dinner", **more))


def _error(player: Player, *lines: Line, **more: Any) -> SendError:
    with pytest.raises(SendError) as caught:
        _again(player, *lines, **more)
    return caught.value


def _sent(*replies: Reply, lines: tuple[Line, ...] = (ONE, TWO)) -> Player:
    """Return the player of a send to three people that had these replies."""
    player = Player(replies)
    with suppress(SendError):
        player.play(send(order(*lines, members=ALL)))
    player.seen.clear()
    return player


def _texted(player: Player) -> list[Number]:
    """Return whom requests went to since, one entry per copy."""
    return [who for request in player.requests for who in whom(request)]


def _told(player: Player, member: Number, scope: Scope | None, **more: Any) -> None:
    """Let a webhook say that *member*'s last copy is lost, and what is to blame."""
    attempt = [a for a in player.record.attempts if member in a.members][-1]
    given: dict[str, Any] = {
        "status": DeliveryStatus.FAILED,
        "reason": Reason.EXPIRED,
        **more,
    }
    event = DeliveryUpdated(
        id=f"fate of {attempt.leg} {member}",
        provider="paper",
        account=attempt.line.account,
        occurred_at=played_at(player.now),
        received_at=played_at(player.now),
        raw=b"",
        member=member,
        provider_status="failed",
        scope=scope,
        token=attempt.leg,
        **given,
    )
    player.journal.store("default", [event])


def test_an_unknown_reference_cannot_be_retried() -> None:
    """There is nothing to send again, which the caller has to mend."""
    with pytest.raises(ConfigError, match="'dinner'"):
        _again(Player())


def test_a_send_that_reached_everybody_is_left_alone() -> None:
    """Its receipt is given again, and no request leaves."""
    player = _sent()

    receipt = _again(player)

    assert {d.outcome.word for d in receipt.deliveries.values()} == {"ACCEPTED"}
    assert player.requests == []


def test_only_those_who_surely_got_nothing_are_texted_again() -> None:
    """Of three one was texted, one not sent, one in doubt: one request leaves."""
    player = _sent(OK, GONE, LOST)

    error = _error(player)

    assert type(error) is UncertainError
    assert _texted(player) == [BEN]
    words = [d.outcome.word for d in error.receipt.deliveries.values()]
    assert words == ["ACCEPTED", "ACCEPTED", "UNKNOWN"]


def test_whoever_asks_for_it_texts_those_in_doubt_again() -> None:
    """With `unknown=True` the others who got nothing are texted too, once each."""
    player = _sent(OK, GONE, LOST)

    receipt = _again(player, unknown=True)

    assert _texted(player) == [BEN, CLEO]
    assert {d.outcome.word for d in receipt.deliveries.values()} == {"ACCEPTED"}


def test_part_of_a_group_is_completed_on_its_own_line_only() -> None:
    """Though another line is preferred by now, the thread stays one."""
    player = _sent(OK, GONE, OK, lines=(TWO, ONE))

    _again(player, ONE, TWO)

    assert used(player) == [TWO.id]


def test_part_of_a_group_does_not_move_to_another_line() -> None:
    """When the line fails again the retry ends in the same partial send."""
    player = _sent(OK, GONE, OK)
    player.replies.append(GONE)

    error = _error(player)

    assert type(error) is PartialSendError
    assert used(player) == [ONE.id]
    assert "another line would split it" in error.receipt.attempts[-1].then


def test_naming_another_line_for_a_part_is_refused() -> None:
    """It would split the group; the error names the line that would not."""
    player = _sent(OK, GONE, OK)

    with pytest.raises(UnsupportedError, match=str(ONE.id)):
        _again(player, via=TWO)

    assert player.requests == []
    assert player.record.closed


def test_a_line_that_is_gone_leaves_a_part_uncompleted() -> None:
    """The line that texted the others is no line of this client any more."""
    player = _sent(OK, GONE, OK)

    with pytest.raises(UnsupportedError, match="no line of this client"):
        _again(player, TWO)


def test_a_part_goes_where_a_part_can_go() -> None:
    """One refused for good, two unsent: a line that texts whole groups cannot help."""
    player = _sent(BAD_NUMBER, GONE, GONE, lines=(ONE,))

    _error(player, WHOLE, ONE)

    assert _texted(player) == [BEN, CLEO]
    assert used(player) == [ONE.id]


def test_a_member_who_opted_out_holds_the_others_back_too() -> None:
    """Every copy names all members, so none leaves while one must not be texted."""
    player = _sent(STOPPED, GONE, GONE, lines=(ONE,))

    with pytest.raises(OptedOutError):
        _again(player, ONE)
    assert player.requests == []


def test_a_part_that_only_a_whole_group_line_could_take_is_refused() -> None:
    """It would text everybody again, so nothing leaves."""
    player = _sent(BAD_NUMBER, GONE, GONE, lines=(ONE,))

    with pytest.raises(UnsupportedError, match="as a whole"):
        _again(player, WHOLE)

    assert player.requests == []


def test_a_whole_group_in_doubt_stays_on_its_line() -> None:
    """Texted again elsewhere the group would have it in two threads."""
    player = _sent(LOST, lines=(WHOLE, ONE))

    receipt = _again(player, ONE, WHOLE, unknown=True)

    assert receipt.line == WHOLE.id
    assert _texted(player) == list(ALL)


def test_nobody_was_texted_so_another_line_may_try() -> None:
    """A retry of a send of which nothing left fails over like a send."""
    player = _sent(GONE, GONE, GONE, lines=(ONE,))
    player.replies.extend([GONE, GONE, GONE])

    receipt = _again(player, ONE, TWO)

    assert used(player) == [ONE.id, TWO.id]
    assert receipt.line == TWO.id


def test_a_retry_by_a_named_line_uses_no_other() -> None:
    """Even when that one fails and another is free."""
    player = _sent(GONE, GONE, GONE, lines=(ONE,))
    player.replies.extend([GONE, GONE, GONE])

    _error(player, ONE, TWO, via=TWO)

    assert used(player) == [ONE.id, TWO.id]
    assert len(player.requests) == 3


def test_a_refused_message_is_not_sent_again() -> None:
    """What a member's number or the message itself forbids stays forbidden."""
    player = _sent(Response(422, {}, b"message"), lines=(WHOLE,))

    assert type(_error(player, WHOLE, ONE)) is RefusedError
    assert player.requests == []


def test_leg_keys_go_on_counting_in_a_retry() -> None:
    """A carrier never sees one key for two requests of ours."""
    player = _sent(OK, GONE, OK)
    _again(player)

    keys = [attempt.leg for attempt in player.record.attempts]
    assert len(set(keys)) == len(keys)


def test_a_retry_checks_consent_before_anything_leaves() -> None:
    """Somebody wrote STOP since: nobody of the group is texted again."""
    player = _sent(OK, GONE, OK)
    _stop(player, CLEO)

    with pytest.raises(OptedOutError) as caught:
        _again(player)

    assert caught.value.value == (CLEO,)
    assert player.requests == []


def _stop(player: Player, member: Number) -> None:
    """Let the carrier tell that *member* opted out, about a send we never made."""
    event = DeliveryUpdated(
        id=f"stop of {member}",
        provider="paper",
        account="one",
        occurred_at=played_at(player.now),
        received_at=played_at(player.now),
        raw=b"",
        member=member,
        status=DeliveryStatus.FAILED,
        provider_status="failed",
        reason=Reason.OPTED_OUT,
        scope=Scope.MEMBER,
    )
    player.journal.store("default", [event])


def test_a_throttled_retry_is_waited_for_like_a_send() -> None:
    """The client's own timeout is how long a retry has patience."""
    player = _sent(OK, GONE, OK)
    player.replies.append(THROTTLED)

    _again(player)

    assert sum(pause.seconds for pause in player.of(Sleep)) == 7.0
    assert _texted(player) == [BEN, BEN]


def test_a_lost_send_goes_to_everybody_on_a_line_that_did_not_lose_it() -> None:
    """All copies expired in the carrier's queue: the other line brings them."""
    player = _sent(OK, lines=(WHOLE, ONE))
    for member in ALL:
        _told(player, member, Scope.LINE)

    receipt = _again(player, WHOLE, ONE)

    assert used(player) == [WHOLE.id, ONE.id]
    assert _texted(player) == list(ALL)
    assert {d.status for d in receipt.deliveries.values()} == {DeliveryStatus.ACCEPTED}
    (moved,) = player.told(ThreadMoved)
    assert (moved.left, moved.joined) == (WHOLE.id, ONE.id)


@pytest.mark.parametrize(
    "fate",
    [
        {"status": DeliveryStatus.DELIVERED, "scope": None, "reason": None},
        {"status": DeliveryStatus.SENT, "scope": None, "reason": None},
        {"status": DeliveryStatus.UNCONFIRMED, "scope": None, "reason": None},
        {"scope": Scope.MEMBER},
        {"scope": Scope.MESSAGE},
        {"scope": None},
    ],
    ids=["delivered", "sent", "unconfirmed", "member", "message", "nobody knows"],
)
def test_one_copy_that_may_be_there_keeps_a_lost_send_where_it_is(
    fate: dict[str, Any],
) -> None:
    """Delivered, unconfirmed, or lost for a reason that moves along: no retry."""
    player = _sent(OK, lines=(WHOLE, ONE))
    for member in (ANA, BEN):
        _told(player, member, Scope.LINE)
    _told(player, CLEO, **fate)

    _again(player, WHOLE, ONE)

    assert player.requests == []


def test_a_lost_send_may_go_to_a_line_that_was_only_unreachable() -> None:
    """A line that failed to take it did not lose it: it may try again later."""
    player = _sent(OK, lines=(WHOLE, ONE))
    for member in ALL:
        _told(player, member, Scope.LINE)
    player.replies.extend([GONE] * 3)
    _error(player, WHOLE, ONE)

    assert _again(player, WHOLE, ONE).line == ONE.id


def test_a_send_that_every_line_lost_says_so() -> None:
    """No line is left by itself; naming one with `via=` is the way out."""
    player = _sent(OK, lines=(WHOLE,))
    for member in ALL:
        _told(player, member, Scope.LINE)

    with pytest.raises(UnsupportedError, match="via="):
        _again(player, WHOLE)
    assert _again(player, WHOLE, via=WHOLE).line == WHOLE.id


@pytest.mark.parametrize("reply", [LOST, BROKEN], ids=["lost", "broken"])
def test_a_lost_send_in_doubt_elsewhere_is_not_sent_a_third_time(reply: Reply) -> None:
    """Perhaps the second line brought it: only `unknown=True` would text again."""
    player = _sent(OK, lines=(WHOLE, ONE, THREE))
    for member in ALL:
        _told(player, member, Scope.LINE)
    player.replies.extend([reply] * 3)
    assert type(_error(player, WHOLE, ONE, THREE)) is UncertainError
    player.seen.clear()

    assert type(_error(player, WHOLE, ONE, THREE)) is UncertainError
    assert player.requests == []


def test_a_lost_send_that_the_other_line_refuses_is_no_success() -> None:
    """The first line's acceptance says nothing any more: its copies are lost."""
    player = _sent(OK, lines=(WHOLE, ONE))
    for member in ALL:
        _told(player, member, Scope.LINE)
    player.replies.extend([BAD_LINE] * 3)

    assert type(_error(player, WHOLE, ONE)) is RefusedError


def test_a_lost_send_is_not_moved_when_a_member_opted_out_meanwhile() -> None:
    """The first line lost it for its own reasons; then one of them wrote STOP."""
    player = _sent(OK, lines=(WHOLE, ONE))
    for member in ALL:
        _told(player, member, Scope.LINE)
    _stop(player, BEN)

    with pytest.raises(OptedOutError):
        _again(player, WHOLE, ONE)
    assert player.requests == []


def test_a_send_under_way_elsewhere_is_not_retried() -> None:
    """Its owner is alive, so the caller is told to wait."""
    player = Player([OK, Crash()], dies=True)
    with pytest.raises(Crash):
        player.play(send(order(members=ALL)))

    with pytest.raises(SendInProgressError):
        _again(player)
    assert player.of(TakeOver)


def test_a_send_whose_owner_died_is_closed_and_then_retried() -> None:
    """What was in flight is in doubt and stays so; nobody is texted twice."""
    player = Player([OK, Crash()], dies=True)
    with pytest.raises(Crash):
        player.play(send(order(members=ALL)))
    player.now += timedelta(minutes=2).total_seconds()
    player.seen.clear()

    error = _error(player)

    assert type(error) is UncertainError
    assert player.requests == []
    assert player.record.closed


def test_a_retry_is_announced_only_if_it_moved_the_thread() -> None:
    """Another line wrote since, but this retry reached nobody: nothing moved."""
    player = _sent(OK, GONE, OK)
    player.now += 60
    player.play(send(order(TWO, members=ALL, reference="next")))
    player.seen.clear()
    player.replies.append(GONE)

    _error(player)

    assert player.told(ThreadMoved) == []


def test_two_retries_at_once_text_once() -> None:
    """Both read the send before either wrote: the fence lets one of them through."""
    player = _sent(GONE, GONE, GONE, lines=(ONE,))
    rival = Player(journal=player.journal)

    def meanwhile(effect: AnyEffect) -> None:
        if isinstance(effect, Write) and isinstance(effect.change, Reopened):
            player.before = lambda _effect: None
            _again(rival, ONE)

    player.before = meanwhile
    with pytest.raises(SendInProgressError, match="being retried elsewhere"):
        _again(player, ONE)

    assert _texted(rival) == list(ALL)
    assert player.requests == []


def test_eight_threads_that_retry_text_everybody_once() -> None:
    """Whoever is second is told that it is under way, or gets the receipt."""
    journal = MemoryJournal()
    with suppress(SendError):
        Player([GONE] * 3, journal).play(send(order(ONE, members=ALL)))
    players = [Player(journal=journal, now=START + 1) for _ in range(8)]
    gate = Barrier(len(players))

    def run(player: Player) -> None:
        gate.wait()
        with suppress(SendInProgressError):
            _again(player, ONE)

    threads = [Thread(target=run, args=(player,)) for player in players]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(who for p in players for who in _texted(p)) == list(ALL)


def test_a_reference_used_again_leaves_out_who_opted_out_since() -> None:
    """Nothing had left; then Ben wrote STOP: the policy drops him, this time too."""
    player = _sent(GONE, GONE, GONE, lines=(ONE,))
    _stop(player, BEN)

    wanted = order(ONE, members=ALL, policy=Policy(on_opt_out="drop"))
    receipt = player.play(send(wanted))

    assert _texted(player) == [ANA, CLEO]
    assert receipt.members == (ANA, CLEO)
    assert receipt.notes == ("left out: …0102 told by one on 2026-11-18",)


def _do(world: World, reference: str = "r", **more: Any) -> Receipt:
    client: Client | AsyncClient = world.client
    return world.wait(client.retry(reference, **more))


def test_a_retry_completes_the_group_on_every_phone(world: World) -> None:
    """What an outage kept back arrives in one thread, and nobody has it twice."""
    with world.network.telnyx.outage(), world.network.vonage.outage():
        world.fail(SendError, "Dinner?", reference="r")

    receipt = _do(world)

    assert {d.outcome.word for d in receipt.deliveries.values()} == {"ACCEPTED"}
    assert [len(world.phone(who).bubbles) for who in PEOPLE] == [1, 1, 1]
    assert world.phone().latest == world.thread(world.number)


def test_a_lost_reply_is_texted_again_on_demand_only(world: World) -> None:
    """Without `unknown=True` nobody is; with it everybody has it twice."""
    with world.face.lose_replies():
        world.fail(UncertainError, "Dinner?", reference="r")

    with pytest.raises(UncertainError):
        _do(world)
    assert [len(world.phone(who).bubbles) for who in PEOPLE] == [1, 1, 1]
    _do(world, unknown=True)
    assert [len(world.phone(who).bubbles) for who in PEOPLE] == [2, 2, 2]
