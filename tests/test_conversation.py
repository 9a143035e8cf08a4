"""The main job, on the simulated network: every carrier, sync and async."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from multigroup import (
    Accepted,
    ConfigError,
    DeliveryStatus,
    MessageReceived,
    NotSentError,
    OptedOutError,
    Policy,
    ThreadMoved,
    UncertainError,
)
from multigroup.simulator import TelnyxQuirks
from tests.helpers.world import NUMBERS, PEOPLE, Colour, World

ANA, BEN, CLEO = PEOPLE


def test_a_group_send_opens_one_thread_on_every_phone(world: World) -> None:
    """Every phone shows the message once, in a thread with all the others."""
    receipt = world.send("Dinner at 7?")

    assert len(receipt.attempts) == world.legs
    for number in PEOPLE:
        (thread,) = world.phone(number).threads.items()
        key, (bubble,) = thread
        assert key == world.thread(world.number)
        assert (bubble.sender, bubble.text) == (world.number, "Dinner at 7?")


def test_a_reply_arrives_as_an_event_of_the_same_conversation(world: World) -> None:
    """A reply to all tells who wrote, on which line, and to which group."""
    world.send("Dinner at 7?")

    world.phone(BEN).reply("I bring dessert")
    world.network.run_due()

    (event,) = world.heard()
    assert (event.sender, event.text) == (BEN, "I bring dessert")
    assert event.line == world.number
    assert event.members == frozenset(PEOPLE)
    assert event.conversation == world.conversation


def test_an_answer_goes_into_the_thread_it_answers(world: World) -> None:
    """Answering an event texts everybody, on the line the event came to."""

    @world.client.on(MessageReceived)
    def answer(event: MessageReceived) -> object:
        return world.client.conversation(event).send(f"got it, {event.sender}")

    world.send("Dinner at 7?")
    world.phone(BEN).reply("yes")
    world.network.run_due()

    for number in PEOPLE:
        (bubbles,) = world.phone(number).threads.values()
        assert [b.text for b in bubbles] == ["Dinner at 7?", "yes", f"got it, {BEN}"]


def test_receipts_settle_every_copy(world: World) -> None:
    """A copy ends as delivered, or as unconfirmed where no receipt exists."""
    world.network.handset(CLEO, on_net=True)
    world.send("Dinner at 7?", reference="dinner")

    world.network.settle()

    receipt = world.receipt("dinner")
    statuses = {number: receipt.deliveries[number].status for number in PEOPLE}
    off_net = {
        "telnyx": DeliveryStatus.UNCONFIRMED,
        "vonage": DeliveryStatus.DELIVERED,
    }[world.carrier]
    assert statuses == {ANA: off_net, BEN: off_net, CLEO: DeliveryStatus.DELIVERED}
    assert receipt.settled


def test_cost_is_unknown_until_the_carrier_tells_it(world: World) -> None:
    """Telnyx prices the reply, Vonage each status; before that nothing is assumed."""
    first = world.send("Dinner at 7?", reference="dinner")
    world.network.settle()

    told = world.receipt("dinner").cost
    assert (first.cost is None) == (world.carrier == "vonage")
    assert str(told) == {"telnyx": "0.0720 USD", "vonage": "0.0999 EUR"}[world.carrier]


def test_news_bears_the_callers_reference(world: World) -> None:
    """Every delivery event names the send it belongs to."""
    world.send("Dinner at 7?", reference="dinner")

    world.network.settle()

    assert {event.reference for event in world.updates()} == {"dinner"}
    assert {event.member for event in world.updates()} == set(PEOPLE)


def test_a_lost_reply_is_unknown_and_texts_everybody_once(world: World) -> None:
    """When the reply is lost nobody is texted again, and the caller is told."""
    with world.face.lose_replies():
        error = world.fail(UncertainError, "Dinner at 7?")

    assert [len(world.phone(number).bubbles) for number in PEOPLE] == [1, 1, 1]
    assert {a.outcome.word for a in error.receipt.attempts} == {"UNKNOWN"}
    assert error.receipt.attempts[-1].then.startswith("stopped: it was perhaps sent")


def test_a_signed_webhook_resolves_a_lost_reply(world: World) -> None:
    """The token in the carrier's own webhook proves that it took the message."""
    with world.face.lose_replies():
        world.fail(UncertainError, "Dinner at 7?", reference="dinner")

    world.network.settle()

    receipt = world.receipt("dinner")
    assert all(isinstance(d.outcome, Accepted) for d in receipt.deliveries.values())
    assert receipt.settled


def test_a_send_repeated_after_a_lost_reply_texts_nobody_again(world: World) -> None:
    """Under one reference the first outcome is given again, whatever it was."""
    with world.face.lose_replies():
        first = world.fail(UncertainError, "Dinner at 7?", reference="dinner")

    again = world.fail(UncertainError, "Dinner at 7?", reference="dinner")

    assert again.receipt == first.receipt
    assert [len(world.phone(number).bubbles) for number in PEOPLE] == [1, 1, 1]


def test_an_outage_moves_the_send_to_the_other_carrier(world: World) -> None:
    """A carrier that cannot be reached sent nothing, so the other one may."""
    with world.face.outage():
        receipt = world.send("Dinner at 7?")

    assert receipt.line is not None
    assert receipt.line.account == world.other
    assert receipt.attempts[0].outcome.word == "NOT_SENT"
    assert receipt.attempts[0].then.startswith("nothing was sent, so it moved on to")
    assert {*world.phone().threads} == {world.thread(NUMBERS[world.other])}


def test_leaving_a_thread_is_announced(world: World) -> None:
    """An application that shows threads learns that this one goes on elsewhere."""
    world.send("Dinner at 7?")
    with world.face.outage():
        world.send("Table booked")

    (moved,) = [event for event in world.events if isinstance(event, ThreadMoved)]
    assert (moved.left.account, moved.joined.account) == (world.carrier, world.other)
    assert moved.conversation == world.conversation


def test_a_conversation_stays_where_it_moved_to(world: World) -> None:
    """After a move the next message joins the thread people are now in."""
    with world.face.outage():
        world.send("Dinner at 7?")

    receipt = world.send("Bring cake")

    assert receipt.line is not None
    assert receipt.line.account == world.other


def test_with_nowhere_to_go_nothing_was_sent(world: World) -> None:
    """When no carrier can be reached, the error says that trying again is safe."""
    with world.network.telnyx.outage(), world.network.vonage.outage():
        error = world.fail(NotSentError, "Dinner at 7?", reference="dinner")

    assert error.receipt.attempts[-1].then == "stopped: no other line is left"
    assert world.send("Dinner at 7?", reference="dinner").reference == "dinner"
    assert [len(world.phone(number).bubbles) for number in PEOPLE] == [1, 1, 1]


def test_an_account_that_refuses_lets_the_other_carrier_try(world: World) -> None:
    """A refusal of the account says nothing about the message."""
    code = {"telnyx": "20012", "vonage": ""}[world.carrier]
    with world.face.refuse(403, code, title="Forbidden"):
        receipt = world.send("Dinner at 7?")

    assert {a.outcome.word for a in receipt.attempts[: world.legs]} == {"REFUSED"}
    assert {*world.phone().threads} == {world.thread(NUMBERS[world.other])}


def test_an_opt_out_is_never_carried_to_another_line(world: World) -> None:
    """Who told one line to stop is not texted from another behind their back."""
    world.send("Dinner at 7?")
    world.phone(BEN).reply("STOP")
    world.network.run_due()

    error = world.fail(OptedOutError, "Still on?", reference="still")

    assert error.value == (BEN,)
    assert world.wait(world.client.receipt("still")) is None
    assert all(b.text != "Still on?" for b in world.phone(BEN).bubbles)


def test_an_altered_webhook_is_not_read(world: World) -> None:
    """One byte changed after signing, and the application never hears of it."""
    world.send("Dinner at 7?")
    world.face.hooks.tamper(count=1)

    world.phone(BEN).reply("yes")
    world.network.run_due()

    assert world.answered == [401]
    assert world.events == []


def test_a_webhook_delivered_twice_is_handled_once(world: World) -> None:
    """A carrier's duplicate is answered 200 and shown to nobody."""
    world.send("Dinner at 7?")
    world.face.hooks.duplicate(count=1)

    world.phone(BEN).reply("yes")
    world.network.run_due()

    assert world.answered == [200, 200]
    assert len(world.heard()) == 1


def test_a_handler_that_fails_runs_again_and_texts_once(world: World) -> None:
    """The carrier delivers again; what the handler had sent is not sent again."""
    troubles: Iterator[Exception | None] = iter([ValueError("later"), None])

    async def answer_async(event: MessageReceived) -> None:
        await world.client.conversation(event).send("got it")  # type: ignore[misc]
        if trouble := next(troubles):
            raise trouble

    def answer_sync(event: MessageReceived) -> None:
        world.client.conversation(event).send("got it")
        if trouble := next(troubles):
            raise trouble

    handler = answer_sync if world.colour == "sync" else answer_async
    world.client.on(MessageReceived)(handler)
    world.send("Dinner at 7?")
    world.phone(BEN).reply("yes")
    world.network.settle()

    assert world.answered[:1] == [503]
    assert next(troubles, "ran twice") == "ran twice"
    assert [b.text for b in world.phone(ANA).bubbles] == [
        "Dinner at 7?",
        "yes",
        "got it",
    ]


def test_one_person_is_a_conversation_too(world: World) -> None:
    """A conversation of one is texted without a group, and its reply is its own."""
    world.send("Just you", to=(ANA,))
    world.phone(ANA).reply("me?")
    world.network.run_due()

    (event,) = world.heard()
    assert event.members == frozenset({ANA})
    assert {*world.phone(ANA).threads} == {world.thread(world.number, ANA)}


def test_media_reach_every_phone(world: World) -> None:
    """Text and several files travel in one message."""
    urls = ["https://example.com/menu.jpg", "https://example.com/map.pdf"]
    world.send("The menu", media=urls)

    for number in PEOPLE:
        (bubble,) = world.phone(number).bubbles
        assert (bubble.text, list(bubble.media)) == ("The menu", urls)


def test_a_picture_in_a_reply_is_in_the_event(world: World) -> None:
    """An event's media lead to what the person sent."""
    world.send("Dinner at 7?")
    world.phone(BEN).reply("look", media=["https://example.com/cake.jpg"])
    world.network.run_due()

    (event,) = world.heard()
    assert event.text == "look"
    assert len(event.media) == 1


@pytest.mark.parametrize(
    "quirks",
    [
        TelnyxQuirks(cc_as="strings", cc_includes_us=True),
        TelnyxQuirks(cc_as="strings", cc_includes_us=False),
        TelnyxQuirks(cc_as="objects", cc_includes_us=True),
        TelnyxQuirks(cc_as="objects", cc_includes_us=False),
        TelnyxQuirks(roster_in_to=True),
    ],
    ids=["strings", "strings-without-us", "objects", "objects-without-us", "all-in-to"],
)
def test_every_documented_roster_gives_the_same_members(
    colour: Colour, quirks: TelnyxQuirks
) -> None:
    """However Telnyx writes the group down, it is the same group."""
    world = World("telnyx", colour)
    world.network.telnyx.quirks = quirks
    world.send("Dinner at 7?")
    world.phone(BEN).reply("yes")
    world.network.run_due()

    (event,) = world.heard()
    assert event.members == frozenset(PEOPLE)
    assert event.conversation == world.conversation
    world.close()


@pytest.mark.parametrize(
    "quirks",
    [
        TelnyxQuirks(finalized="all"),
        TelnyxQuirks(distinct_ids=True),
        TelnyxQuirks(distinct_ids=True, group_id_in_answer=True),
        TelnyxQuirks(bare_events=True),
        TelnyxQuirks(meta=False),
        TelnyxQuirks(from_as="string", cost="null"),
    ],
    ids=["all-in-one", "own-ids", "group-id", "few-fields", "no-meta", "old-page"],
)
def test_every_documented_receipt_finds_its_send(
    colour: Colour, quirks: TelnyxQuirks
) -> None:
    """However Telnyx reports, each member's copy settles."""
    world = World("telnyx", colour)
    world.network.telnyx.quirks = quirks
    world.send("Dinner at 7?", reference="dinner")
    world.network.settle()

    assert world.receipt("dinner").settled
    world.close()


def test_both_carriers_replies_name_one_conversation(colour: Colour) -> None:
    """The same people are the same conversation, whichever carrier they wrote by."""
    world = World("telnyx", colour)
    for line in world.client.lines:
        world.send("Dinner at 7?", via=line)
        world.phone(BEN).reply("yes")
        world.network.run_due()

    first, second = world.heard()
    assert {first.provider, second.provider} == {"telnyx", "vonage"}
    assert first.conversation == second.conversation == world.conversation
    world.close()


def test_a_quiet_conversation_returns_to_the_preferred_line(world: World) -> None:
    """A thread nobody wrote in for long is not worth leaving the first choice for."""
    with world.face.outage():
        world.send("Dinner at 7?")
    world.network.advance((Policy().sticky + timedelta(hours=1)).total_seconds())

    receipt = world.send("Long time no see")

    assert receipt.line is not None
    assert receipt.line.account == world.carrier


def test_nothing_is_sent_once_the_client_is_closed(world: World) -> None:
    """A closed client opens no connection behind its owner's back."""
    world.wait(world.client.close())

    error = world.fail(ConfigError, "Dinner at 7?")

    assert "closed already" in str(error)
    assert world.phone(ANA).bubbles == ()
