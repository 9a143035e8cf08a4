"""Failures that come after a carrier's yes, and proofs that come after a second try."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from attrs import evolve

from multigroup import (
    DeliveryStatus,
    DeliveryUpdated,
    Event,
    LateAcceptance,
    LineId,
    MemoryJournal,
    Number,
    Policy,
    Reason,
    SendFailed,
    Telnyx,
    ThreadMoved,
    UncertainError,
    Vonage,
)
from multigroup._programs.recover import retry
from multigroup._programs.send import send
from multigroup.effects import Exchange
from multigroup.journal import Journal
from multigroup.simulator import Failing
from tests.helpers.paper import LOST, WHOLE
from tests.helpers.player import Player, means, order, played_at
from tests.helpers.values import (
    ANA,
    BEN,
    CLEO,
    PEOPLE,
    RED,
    accepted,
    at,
    begun,
    ended,
    leg,
    record,
    refused,
)
from tests.helpers.world import PEOPLE as PHONES, Carrier, Colour, World

OURS: Final = {
    "telnyx": LineId("telnyx", Number("+12125550100")),
    "vonage": LineId("vonage", Number("+13125550100")),
}
KEYS: Final = {
    "telnyx": dict.fromkeys(PEOPLE, f"{RED}.0"),
    "vonage": {who: f"{RED}.{n}" for n, who in enumerate(PEOPLE)},
}


def _taken(carrier: Carrier) -> Journal:
    """Return a journal with a send to three people that *carrier* took."""
    journal = MemoryJournal()
    keys, line = KEYS[carrier], OURS[carrier]
    legs = [
        leg(key, tuple(who for who in PEOPLE if keys[who] == key))
        for key in dict.fromkeys(keys.values())
    ]
    journal.reserve(record(), begun(*legs, line=line))
    for one in legs:
        journal.write(RED, ended(accepted(f"id of {one.key}"), one.key))
    return journal


def _telnyx(member: Number, status: str, code: str | None) -> list[Event]:
    """Return what Telnyx's adapter reads of a final status."""
    errors = [{"code": code, "title": "No"}] if code else []
    payload = {
        "id": f"id of {RED}.0",
        "to": [{"phone_number": member, "status": status}],
        "errors": errors,
        "webhook_url": f"https://app.example/telnyx?leg={RED}.0",
    }
    data = {"id": f"{member} {status}", "event_type": "message.finalized"}
    body = json.dumps({"data": {**data, "payload": payload}}).encode()
    return list(Telnyx(api_key="KEY").parse(body, own=frozenset(), received_at=at(9)))


def _vonage(member: Number, status: str, code: str | None) -> list[Event]:
    """Return what Vonage's adapter reads of a status."""
    document: dict[str, Any] = {
        "message_uuid": f"id of {KEYS['vonage'][member]}",
        "client_ref": KEYS["vonage"][member],
        "to": member.removeprefix("+"),
        "status": status,
    }
    if code:
        document["error"] = {"title": code}
    account = Vonage(api_key="k", api_secret="s")
    body = json.dumps(document).encode()
    return list(account.parse(body, own=frozenset(), received_at=at(9)))


READ: Final[dict[Carrier, Callable[..., list[Event]]]] = {
    "telnyx": _telnyx,
    "vonage": _vonage,
}


def _tell(
    journal: Journal, carrier: Carrier, *fates: tuple[str, str | None]
) -> list[SendFailed]:
    """Let *carrier* tell each member's fate; return the failures that follow."""
    stored = [
        one
        for member, (status, code) in zip(PEOPLE, fates, strict=True)
        for one in journal.store("default", READ[carrier](member, status, code))
    ]
    return [one.event for one in stored if isinstance(one.event, SendFailed)]


MOVABLE: Final[list[tuple[Carrier, str, str | None, Reason | None]]] = [
    ("telnyx", "expired", "40014", Reason.EXPIRED),
    ("telnyx", "sending_failed", "40014", Reason.EXPIRED),
    ("telnyx", "delivery_failed", "40010", Reason.REGISTRATION),
    ("telnyx", "delivery_failed", "40011", Reason.THROTTLED),
    ("telnyx", "delivery_failed", "40016", Reason.THROTTLED),
    ("telnyx", "delivery_failed", "20012", Reason.ACCOUNT),
    ("vonage", "undeliverable", None, Reason.UNREACHABLE),
    ("vonage", "undeliverable", "1100", Reason.UNREACHABLE),
    ("vonage", "rejected", "1000", Reason.THROTTLED),
    ("vonage", "rejected", "1460", Reason.THROTTLED),
    ("vonage", "rejected", "1070", Reason.ACCOUNT),
    ("vonage", "rejected", "1120", Reason.REGISTRATION),
    ("vonage", "rejected", "1250", Reason.UNREACHABLE),
]
STAYS: Final[list[tuple[Carrier, str, str | None, Reason | None]]] = [
    ("telnyx", "delivery_failed", "40001", Reason.NOT_MOBILE),
    ("telnyx", "delivery_failed", "40002", Reason.SPAM),
    ("telnyx", "delivery_failed", "40005", Reason.EXPIRED),
    ("telnyx", "delivery_failed", "40008", Reason.UNREACHABLE),
    ("telnyx", "delivery_failed", "40012", Reason.INVALID_NUMBER),
    ("telnyx", "delivery_failed", "40300", Reason.OPTED_OUT),
    ("telnyx", "delivery_failed", "49999", Reason.OTHER),
    ("telnyx", "delivery_failed", None, None),
    ("vonage", "rejected", "1240", Reason.OPTED_OUT),
    ("vonage", "rejected", "1210", Reason.SPAM),
    ("vonage", "rejected", "1170", Reason.INVALID_NUMBER),
    ("vonage", "rejected", "1360", Reason.EXPIRED),
    ("vonage", "rejected", "1380", Reason.MEDIA),
    ("vonage", "rejected", "9999", Reason.OTHER),
    ("vonage", "rejected", None, None),
]


@pytest.mark.parametrize(("carrier", "status", "code", "reason"), MOVABLE)
def test_what_a_line_lost_another_may_bring(
    carrier: Carrier, status: str, code: str | None, reason: Reason
) -> None:
    """Nothing was handed over, or the line or the account was to blame."""
    journal = _taken(carrier)

    (failed,) = _tell(journal, carrier, *[(status, code)] * 3)

    assert failed.movable
    assert (failed.reason, failed.line) == (reason, OURS[carrier])
    assert (failed.reference, failed.send_id) == ("dinner", RED)


@pytest.mark.parametrize(("carrier", "status", "code", "reason"), STAYS)
def test_what_another_line_would_lose_too_stays_lost(
    carrier: Carrier, status: str, code: str | None, reason: Reason | None
) -> None:
    """The number, the message, an opt-out, or nobody knows what: it is not movable."""
    journal = _taken(carrier)

    (failed,) = _tell(journal, carrier, *[(status, code)] * 3)

    assert not failed.movable
    assert failed.reason == reason


@pytest.mark.parametrize("odd", range(3))
@pytest.mark.parametrize("carrier", ["telnyx", "vonage"])
def test_one_lost_for_a_reason_of_their_own_holds_the_others(
    carrier: Carrier, odd: int
) -> None:
    """Two may move and one may not: the group is not moved in part."""
    line, own = MOVABLE[0 if carrier == "telnyx" else 6], STAYS[0]
    own = own if carrier == "telnyx" else STAYS[10]
    fates = [line[1:3]] * 3
    fates[odd] = own[1:3]

    (failed,) = _tell(_taken(carrier), carrier, *fates)

    assert not failed.movable


GOOD: Final[list[tuple[Carrier, str]]] = [
    ("telnyx", "delivered"),
    ("telnyx", "unknown"),
    ("telnyx", "delivery_unconfirmed"),
    ("telnyx", "sent"),
    ("vonage", "delivered"),
    ("vonage", "submitted"),
]


@pytest.mark.parametrize(("carrier", "status"), GOOD)
def test_one_copy_that_is_there_or_may_be_is_no_failure(
    carrier: Carrier, status: str
) -> None:
    """Nothing is said, as a second thread would reach somebody who has the first."""
    bad = MOVABLE[0 if carrier == "telnyx" else 6][1:3]

    assert _tell(_taken(carrier), carrier, bad, (status, None), bad) == []


def test_a_failure_is_told_once(carrier: Carrier) -> None:
    """With the last copy's fate, and not again when its webhook comes twice."""
    journal = _taken(carrier)
    bad = MOVABLE[0 if carrier == "telnyx" else 6][1:3]

    assert len(_tell(journal, carrier, bad, bad, bad)) == 1
    assert _tell(journal, carrier, bad, bad, bad) == []


def test_a_refusal_and_a_late_loss_are_one_failure() -> None:
    """One leg was refused at once, the others were taken and lost."""
    journal = MemoryJournal()
    keys = KEYS["vonage"]
    legs = [leg(keys[who], (who,)) for who in PEOPLE]
    journal.reserve(record(), begun(*legs, line=OURS["vonage"]))
    journal.write(RED, ended(refused(), keys[ANA]))
    for who in (BEN, CLEO):
        journal.write(RED, ended(accepted(f"id of {keys[who]}"), keys[who]))

    found = [
        one.event
        for who in (BEN, CLEO)
        for one in journal.store("default", _vonage(who, "undeliverable", None))
        if isinstance(one.event, SendFailed)
    ]
    assert [failed.movable for failed in found] == [True]


def test_news_that_beat_the_reply_is_a_failure_too() -> None:
    """The webhooks came before the answer, without our token: both are put together."""
    journal = MemoryJournal()
    line = OURS["telnyx"]
    journal.reserve(record(), begun(leg(), line=line))
    for who in PEOPLE:
        (event,) = _telnyx(who, "expired", "40014")
        assert isinstance(event, DeliveryUpdated)
        journal.store("default", [_without_token(event)])
    assert _failures(journal) == []

    journal.write(RED, ended(accepted(f"id of {RED}.0")))
    assert [failed.movable for failed in _failures(journal)] == [True]


def _without_token(event: DeliveryUpdated) -> DeliveryUpdated:
    return evolve(event, token=None)


def _failures(journal: Journal) -> list[SendFailed]:
    """Return the failures that wait in *journal* to be handled."""
    waiting = journal.waiting("default", 0.0, 100)
    return [event for event in waiting if isinstance(event, SendFailed)]


BREAKS: Final[dict[Carrier, Failing]] = {
    "telnyx": "expired",
    "vonage": "carrier_down",
}


@pytest.fixture
def moving(carrier: Carrier, colour: Colour) -> Iterator[World]:
    """Give an application that moves a lost send by itself."""
    made = World(carrier, colour, policy=Policy(late_failover=True))
    yield made
    made.close()


def _break(world: World, carriers: int) -> None:
    """Have every phone be beyond reach for the first *carriers* that try."""
    second = BREAKS[world.other] if carriers > 1 else None
    then = dict.fromkeys(PHONES, second)
    for who in PHONES:
        world.phone(who).failing = BREAKS[world.carrier]

    def mend(event: DeliveryUpdated) -> None:
        if event.status in (DeliveryStatus.FAILED, DeliveryStatus.EXPIRED):
            who = str(event.member)
            world.phone(who).failing = then.pop(who, None)

    world.client.on(DeliveryUpdated)(mend)


def _told(world: World, kind: type[Any]) -> list[Any]:
    return [event for event in world.events if isinstance(event, kind)]


def test_a_lost_send_moves_by_itself_where_the_policy_says_so(moving: World) -> None:
    """Everybody has it once, from the other carrier, in a new thread; it is told."""
    _break(moving, 1)
    moving.send("Dinner?", reference="r")
    moving.network.settle()

    receipt = moving.receipt("r")
    assert receipt.line == moving.client.lines[1].id
    assert [len(moving.phone(who).bubbles) for who in PHONES] == [1, 1, 1]
    (failed,) = _told(moving, SendFailed)
    assert failed.movable
    (thread,) = _told(moving, ThreadMoved)
    assert (thread.left, thread.joined) == (moving.line.id, receipt.line)
    moving.wait(moving.client.run_due())
    assert _told(moving, LateAcceptance) == []


def test_a_lost_send_moves_once(moving: World) -> None:
    """Its webhooks come twice and in any order; nobody has it twice."""
    _break(moving, 1)
    moving.network.telnyx.hooks.duplicate(3)
    moving.network.vonage.hooks.duplicate(3)
    moving.send("Dinner?", reference="r")
    moving.network.settle()

    assert [len(moving.phone(who).bubbles) for who in PHONES] == [1, 1, 1]
    assert len(_told(moving, SendFailed)) == 1


def test_a_send_that_every_line_lost_ends_there(moving: World) -> None:
    """Both carriers tried it once; the application is told of both failures."""
    _break(moving, 2)
    moving.send("Dinner?", reference="r")
    moving.network.settle()

    lines = [attempt.line for attempt in moving.receipt("r").attempts]
    assert set(lines) == {line.id for line in moving.client.lines}
    assert len(lines) == moving.legs + (3 if moving.other == "vonage" else 1)
    assert len(_told(moving, SendFailed)) == 2
    assert set(moving.answered) == {200}


def test_without_the_policy_a_lost_send_is_the_applications_to_move(
    world: World,
) -> None:
    """It is told, and nothing is done; `retry` does it when the application asks."""
    _break(world, 1)
    world.send("Dinner?", reference="r")
    world.network.settle()
    assert [len(world.phone(who).bubbles) for who in PHONES] == [0, 0, 0]
    (failed,) = _told(world, SendFailed)

    world.wait(world.client.retry(failed.reference))
    assert [len(world.phone(who).bubbles) for who in PHONES] == [1, 1, 1]


def test_a_lost_send_does_not_move_by_itself_to_who_opted_out(moving: World) -> None:
    """One of them wrote STOP before the failure came: consent is asked again."""
    _break(moving, 1)
    moving.send("Dinner?", reference="r")
    moving.phone(PHONES[1]).reply("STOP", to=moving.thread(moving.number))
    moving.network.settle()

    shown = {bubble.sender for who in PHONES for bubble in moving.phone(who).bubbles}
    assert shown <= {PHONES[1]}
    assert len(_told(moving, SendFailed)) == 1


def _twice(player: Player) -> None:
    """Send with a lost reply, and then again on demand."""
    with pytest.raises(UncertainError):
        player.play(send(order(WHOLE, members=PEOPLE)))
    player.play(retry("default", means(WHOLE), "dinner", unknown=True))


def _news(player: Player, place: int) -> DeliveryUpdated:
    """Return the carrier's word that attempt *place* was taken."""
    attempt = player.record.attempts[place]
    return DeliveryUpdated(
        id=f"news of {attempt.leg}",
        provider="paper",
        account=attempt.line.account,
        occurred_at=played_at(player.now),
        received_at=played_at(player.now),
        raw=b"",
        member=ANA,
        status=DeliveryStatus.SENT,
        provider_status="sent",
        message_id="late",
        token=attempt.leg,
    )


def _late(player: Player, event: Event) -> list[LateAcceptance]:
    stored = player.journal.store("default", [event])
    return [one.event for one in stored if isinstance(one.event, LateAcceptance)]


def test_a_proof_after_a_second_try_says_who_has_it_twice() -> None:
    """The first leg was taken after all, and everybody was texted again since."""
    player = Player([LOST])
    _twice(player)

    (late,) = _late(player, _news(player, 0))

    assert late.members == frozenset(PEOPLE)
    assert (late.reference, late.line) == ("dinner", WHOLE.id)
    assert _late(player, _news(player, 0)) == []


def test_a_proof_of_the_second_try_is_no_surprise() -> None:
    """News of the leg that was accepted anyway tells nothing new."""
    player = Player([LOST])
    _twice(player)

    assert _late(player, _news(player, 1)) == []


def test_a_proof_without_a_second_try_is_no_surprise() -> None:
    """It settles the doubt: nobody has it twice."""
    player = Player([LOST])
    with pytest.raises(UncertainError):
        player.play(send(order(WHOLE, members=PEOPLE)))

    assert _late(player, _news(player, 0)) == []


def test_a_first_request_that_ends_late_is_told_too() -> None:
    """Its own answer may be the proof: the process was only held for dead."""
    player, heirs = Player(), list[Player]()

    def stand_still(effect: object) -> None:
        if isinstance(effect, Exchange) and not heirs:
            heirs.append(Player(journal=player.journal, now=player.now + 300))
            given = means(WHOLE, owner="heir")
            heirs[0].play(retry("default", given, "dinner", unknown=True))

    player.before = stand_still
    player.play(send(order(WHOLE, members=PEOPLE)))

    waiting = player.journal.waiting("default", 0.0, 10)
    (late,) = [event for event in waiting if isinstance(event, LateAcceptance)]
    assert late.members == frozenset(PEOPLE)


def test_a_late_proof_reaches_the_application(world: World) -> None:
    """Webhooks of the first try were held back until the second was sent."""
    hooks = world.face.hooks
    with world.face.lose_replies():
        hooks.hold()
        world.fail(UncertainError, "Dinner?", reference="r")
        world.network.advance(5)
    world.wait(world.client.retry("r", unknown=True))
    hooks.release()
    world.network.settle()

    late = _told(world, LateAcceptance)
    assert {who for event in late for who in event.members} == set(PHONES)
    assert len(late) == world.legs
