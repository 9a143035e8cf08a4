"""Who got which message."""

from __future__ import annotations

from collections.abc import Callable

from multigroup.simulator import Network
from multigroup.simulator.feed import Feed
from multigroup.simulator.handset import KEPT_BUBBLES
from multigroup.simulator.ledger import KEPT_MESSAGES
from multigroup.wire import Reply

A, B, C = "+14155550101", "+14155550102", "+14155550103"
Send = Callable[..., Reply]


def test_a_group_message_is_one_on_all_phones(network: Network, telnyx: Send) -> None:
    """Both phones of the thread show it."""
    telnyx(to=[A, B])
    (thread,) = network.ledger.threads
    (message,) = thread.messages
    assert message.on == {A, B}


def test_legs_of_one_message_are_one(
    network: Network, vonage_group: Callable[..., list[Reply]]
) -> None:
    """A carrier that takes a leg per member makes no more of them."""
    vonage_group(A[1:], B[1:], C[1:])
    (thread,) = network.ledger.threads
    assert [message.on for message in thread.messages] == [{A, B, C}]


def test_a_leg_that_never_came_is_missing(network: Network, vonage: Send) -> None:
    """The phone that got none is not among those that show it."""
    vonage(to=A[1:], mms={"participants": [B[1:]]})
    (thread,) = network.ledger.threads
    assert thread.key.members == {A, B}
    assert thread.messages[0].on == {A}


def test_a_phone_that_cannot_be_reached_misses_it(
    network: Network, telnyx: Send
) -> None:
    """Even if nobody got the message, it is known that one was under way."""
    network.handset(A).failing = "unreachable"
    telnyx(path="/messages", to=A)
    (thread,) = network.ledger.threads
    assert [message.on for message in thread.messages] == [set()]


def test_a_second_copy_is_a_message_of_its_own(network: Network, telnyx: Send) -> None:
    """It is marked as the same text again."""
    telnyx()
    telnyx()
    (thread,) = network.ledger.threads
    assert [message.again for message in thread.messages] == [False, True]
    assert [message.on for message in thread.messages] == [{A, B}, {A, B}]


def test_a_wrong_roster_is_another_thread(network: Network, vonage: Send) -> None:
    """The two have different ids."""
    vonage(to=A[1:], mms={"participants": [B[1:], C[1:]]})
    vonage(to=A[1:], mms={"participants": [B[1:]]})
    first, second = network.ledger.threads
    assert first.id != second.id
    assert network.ledger.find(second.id) is second
    assert network.ledger.find("none") is None


def test_a_thread_keeps_its_last_messages(network: Network, telnyx: Send) -> None:
    """Ledger and phone are bounded, however much is written."""
    telnyx()
    for number in range(KEPT_BUBBLES + 20):
        network.handset(A).reply(str(number))
    (thread,) = network.ledger.threads
    assert len(thread.messages) == KEPT_MESSAGES
    assert len(network.handset(A).bubbles) == KEPT_BUBBLES
    assert network.handset(A).bubbles[-1] == thread.messages[-1].bubble


def test_the_feed_gives_what_came_since() -> None:
    """A reader at the end gets nothing, one further back the rest."""
    feed = Feed()
    feed.tell("clock")
    feed.tell("phone", A)
    assert feed.since(2) == ()
    found = feed.since(1)
    assert found is not None
    assert [(one.kind, one.subject) for one in found] == [("phone", A)]


def test_a_reader_too_far_behind_begins_anew() -> None:
    """What is no longer known is not made up; nor is what is still to come."""
    feed = Feed()
    for _ in range(10_000):
        feed.tell("clock")
    assert feed.since(0) is None
    assert feed.since(10_001) is None


def test_the_feed_wakes_until_turned_off() -> None:
    """Every change calls whoever waits."""
    feed, woken = Feed(), list[int]()
    with feed.on_change(lambda: woken.append(feed.number)):
        feed.tell("faults")
    feed.tell("faults")
    assert woken == [1]
