"""What the demo shows, scene by scene."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http import HTTPStatus

from ..._programs.verdict import in_words
from ...codec import dump
from ...errors import UncertainError
from ...events import DeliveryUpdated, MessageReceived, ThreadMoved
from ...models import Accepted, DeliveryStatus, Receipt
from ...providers.base import Line
from ...simulator import Handset
from ...wire import Json
from .facts import Fact, Scene
from .stage import PEOPLE, Stage

__all__ = ["scenes_for"]

OFF_NET = (
    "unconfirmed is final and normal: phones of other networks send no receipt "
    "for group MMS"
)


def scenes_for(carrier: str | None) -> list[Scene]:
    """Return the scenes of both carriers, or of one."""
    carriers = ["telnyx", "vonage"] if carrier is None else [carrier]
    scenes = [scene for name in carriers for scene in _carrier_scenes(name)]
    if carrier is None:
        scenes.append(
            Scene("failover", "Vonage goes down", "trying both lines", failover)
        )
    chosen = carriers[0]
    scenes += [
        Scene(
            "forgery",
            "Somebody alters a webhook on its way",
            "waiting for the altered webhook and the carrier's second try",
            partial(forgery, carrier=chosen),
        ),
        Scene(
            "lost_reply",
            "The carrier takes a message, but its reply is lost",
            "sending into the dark",
            partial(lost_reply, carrier=chosen),
        ),
    ]
    return scenes


def _carrier_scenes(carrier: str) -> list[Scene]:
    word = carrier.capitalize()
    return [
        Scene(
            f"{carrier}_send",
            f"Three people texted as one group through {word}",
            f"sending through {word}",
            partial(text_group, carrier=carrier),
        ),
        Scene(
            f"{carrier}_reply",
            "One of them replies to all",
            "waiting for the signed webhook",
            partial(reply, carrier=carrier),
        ),
        Scene(
            f"{carrier}_settle",
            "What became of each copy",
            "waiting for delivery receipts",
            partial(settle, carrier=carrier),
        ),
    ]


def text_group(stage: Stage, *, carrier: str) -> Iterator[Fact]:
    """A group send: how many requests it took, and what the phones show."""
    line = _line(stage, carrier)
    receipt = stage.client.group(*PEOPLE).send(
        "Dinner at 7?", reference=f"dinner-{carrier}", via=line
    )
    legs = len(receipt.attempts)
    how = "one request for all" if legs == 1 else f"{legs} requests, one a member"
    yield Fact(
        "sent",
        f"{carrier.capitalize()} accepted it: {how}",
        {"legs": legs, "conversation": receipt.conversation},
    )
    yield _cost(receipt)
    yield _phones(stage)


def reply(stage: Stage, *, carrier: str) -> Iterator[Fact]:
    """A reply from one phone arrives as a verified, normalised event."""
    seen = len(stage.events)
    stage.phones["Ben"].reply("I bring dessert")
    event = stage.event_of(MessageReceived, since=seen)
    yield Fact(
        "event",
        f"{carrier.capitalize()}'s signature holds; it reads",
        {"event": _without_raw(event)},
    )
    again = stage.client.conversation(event).id
    yield Fact(
        "same_conversation",
        "the same people, so the same conversation on every carrier",
        {"conversation": again},
    )
    yield _phones(stage)


def settle(stage: Stage, *, carrier: str) -> Iterator[Fact]:
    """Delivery receipts come in until nothing more is expected."""
    receipt = stage.wait_for(lambda: _settled(stage, f"dinner-{carrier}"))
    yield _deliveries(stage, receipt)
    statuses = {delivery.status for delivery in receipt.deliveries.values()}
    if DeliveryStatus.UNCONFIRMED in statuses:
        yield Fact("note", OFF_NET)
    yield _cost(receipt)


def failover(stage: Stage) -> Iterator[Fact]:
    """The conversation's line is down; the send moves, and says what that costs."""
    seen = len(stage.events)
    with stage.network.vonage.outage():
        receipt = stage.client.group(*PEOPLE).send("Table booked", reference="booked-1")
    failed = receipt.attempts[0]
    yield Fact(
        "moved",
        f"{in_words(failed.outcome)}; {failed.then}",
        {"attempts": _attempts(receipt)},
    )
    moved = stage.event_of(ThreadMoved, since=seen)
    yield Fact(
        "thread_moved",
        "phones thread by our number: for everybody the talk goes on in another "
        "thread, and the application was told",
        {"left": str(moved.left), "joined": str(moved.joined)},
    )
    yield _phones(stage)
    yield _cost(receipt)


def forgery(stage: Stage, *, carrier: str) -> Iterator[Fact]:
    """A flipped byte is refused; the genuine second try is taken, once."""
    face = stage.network.telnyx if carrier == "telnyx" else stage.network.vonage
    seen = len(stage.events)
    face.hooks.tamper(count=1)
    stage.phones["Cleo"].reply("Who pays?")
    refused = HTTPStatus.UNAUTHORIZED
    stage.wait_for(lambda: refused in _statuses(stage, carrier) or None)
    yield Fact(
        "refused",
        f"one byte was changed after signing: answered {refused}, nothing was read",
        {"status": refused},
    )
    if carrier == "telnyx":
        event = stage.event_of(MessageReceived, since=seen)
        yield Fact(
            "event",
            "Telnyx delivered it again, unaltered, and so it was not lost",
            {"event": _without_raw(event)},
        )
    else:
        yield Fact("note", "Vonage does not repeat what was answered 401")


def lost_reply(stage: Stage, *, carrier: str) -> Iterator[Fact]:
    """A lost reply is not a failure: unknown, until evidence arrives."""
    face = stage.network.telnyx if carrier == "telnyx" else stage.network.vonage
    before = _shown(stage)
    with face.lose_replies():
        try:
            stage.client.group(*PEOPLE).send(
                "See you there", reference="see-you", via=_line(stage, carrier)
            )
        except UncertainError as error:
            yield Fact("unknown", f"UncertainError: {error}", _outcomes(error.receipt))
    yield Fact(
        "not_repeated",
        f"each phone shows it {_times(_shown(stage), before)}: it was not sent again",
    )
    receipt = stage.wait_for(lambda: _settled(stage, "see-you"))
    yield Fact(
        "resolved",
        "then the carrier's signed webhooks came, with our token in them: "
        "it had been accepted after all",
        _outcomes(receipt),
    )
    yield _cost(receipt)


def _line(stage: Stage, carrier: str) -> Line:
    return stage.telnyx if carrier == "telnyx" else stage.vonage


def _settled(stage: Stage, reference: str) -> Receipt | None:
    receipt = stage.client.receipt(reference)
    if receipt is None or not receipt.settled or not _accepted(receipt):
        return None
    return receipt


def _accepted(receipt: Receipt) -> bool:
    deliveries = receipt.deliveries.values()
    return all(isinstance(delivery.outcome, Accepted) for delivery in deliveries)


def _statuses(stage: Stage, carrier: str) -> list[int]:
    """Return what the application answered the carrier's webhooks, in order."""
    return [
        entry.status
        for entry in list(stage.network.log)
        if entry.kind == "webhook" and entry.carrier == carrier and entry.status
    ]


def _shown(stage: Stage) -> dict[str, int]:
    return {name: len(phone.bubbles) for name, phone in stage.phones.items()}


def _times(now: dict[str, int], before: dict[str, int]) -> str:
    counts = {now[name] - before[name] for name in now}
    if counts != {1}:
        raise AssertionError(f"phones rang {sorted(counts)} times instead of once")
    return "once"


def _cost(receipt: Receipt) -> Fact:
    if receipt.cost is None:
        words = "cost: unknown until the carrier's status webhooks say"
    else:
        words = f"cost: {receipt.cost}, by the carrier's own word"
    return Fact("cost", words, {"cost": dump(receipt.cost)})


def _phones(stage: Stage) -> Fact:
    """Return what each phone shows, thread by thread."""
    shown = {name: _threads(phone) for name, phone in stage.phones.items()}
    return Fact("phones", data={"phones": shown})


def _threads(phone: Handset) -> Json:
    return dump(
        [
            {
                "from": key.number,
                "with": sorted(PEOPLE[who] for who in key.members - {phone.number}),
                "bubbles": [
                    {"sender": PEOPLE.get(one.sender, "us"), "text": one.text}
                    for one in thread
                ],
            }
            for key, thread in phone.threads.items()
        ]
    )


def _deliveries(stage: Stage, receipt: Receipt) -> Fact:
    """Return each member's way to the final status, and what the copy cost."""
    rows: list[Json] = [
        {
            "member": PEOPLE[member],
            "states": _states(stage, receipt, member),
            "cost": dump(delivery.cost),
        }
        for member, delivery in receipt.deliveries.items()
    ]
    return Fact("deliveries", data={"members": rows})


def _states(stage: Stage, receipt: Receipt, member: str) -> list[Json]:
    """Return the statuses a copy went through; the receipt knows the last."""
    news = [
        event.status
        for event in list(stage.events)
        if isinstance(event, DeliveryUpdated)
        and (event.reference, event.member) == (receipt.reference, member)
    ]
    final = receipt.deliveries[member].status
    ways = dict.fromkeys(["accepted", *map(str, news), str(final)])
    return list(ways)


def _outcomes(receipt: Receipt) -> dict[str, Json]:
    outcomes: dict[str, Json] = {
        PEOPLE[member]: delivery.outcome.word
        for member, delivery in receipt.deliveries.items()
    }
    return {"outcomes": outcomes}


def _attempts(receipt: Receipt) -> list[Json]:
    return [
        {
            "line": str(attempt.line),
            "members": len(attempt.members),
            "outcome": attempt.outcome.word,
            "then": attempt.then,
        }
        for attempt in receipt.attempts
    ]


def _without_raw(event: MessageReceived) -> Json:
    told = dump(event)
    if isinstance(told, dict):
        told.pop("raw")
    return told
