"""Phones thread as phones do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from multigroup.simulator import Network, ThreadKey
from multigroup.simulator.handset import keyword
from multigroup.wire import Reply, Request

A, B, C = "+14155550101", "+14155550102", "+14155550103"
TELNYX, VONAGE = "+14155550150", "+14155550160"
Send = Callable[..., Reply]


def test_a_group_is_one_thread_on_every_phone(network: Network, telnyx: Send) -> None:
    """All members show the message under the same key."""
    telnyx(to=[A, B])
    key = ThreadKey(TELNYX, frozenset({A, B}))
    for number in (A, B):
        (bubble,) = network.handset(number).threads[key]
        assert (bubble.sender, bubble.text) == (TELNYX, "Hello")


def test_vonage_s_legs_make_one_thread(
    network: Network, vonage_group: Callable[..., list[Reply]]
) -> None:
    """A leg per member shows the same thread on every phone, once each."""
    vonage_group(A[1:], B[1:], C[1:])
    key = ThreadKey(VONAGE, frozenset({A, B, C}))
    for number in (A, B, C):
        assert [len(t) for t in network.handset(number).threads.values()] == [1]
        assert network.handset(number).latest == key


def test_a_wrong_roster_forks_the_thread(network: Network, vonage: Send) -> None:
    """A leg that forgets a participant opens another thread on that phone."""
    vonage(to=A[1:], mms={"participants": [B[1:], C[1:]]})
    vonage(to=A[1:], mms={"participants": [B[1:]]})
    assert len(network.handset(A).threads) == 2


def test_another_sender_is_another_thread(
    network: Network, telnyx: Send, vonage_group: Callable[..., list[Reply]]
) -> None:
    """The same people from another carrier's number are a second thread."""
    telnyx(to=[A, B])
    vonage_group(A[1:], B[1:])
    assert [key.number for key in network.handset(A).threads] == [TELNYX, VONAGE]


def test_a_reply_reaches_the_others_directly(network: Network, telnyx: Send) -> None:
    """The other members show it at once; the writer shows it too."""
    telnyx(to=[A, B, C])
    network.handset(A).reply("On my way")
    for number in (A, B, C):
        assert network.handset(number).bubbles[-1].text == "On my way"
        assert network.handset(number).bubbles[-1].sender == A


def test_a_reply_reaches_the_application_by_webhook(
    network: Network, telnyx: Send, events: Callable[[], list[Any]]
) -> None:
    """The carrier of the thread's number posts what was written."""
    telnyx(to=[A, B])
    network.handset(A).reply("On my way")
    network.run_due()
    (event,) = events()
    assert event["data"]["event_type"] == "message.received"
    assert event["data"]["payload"]["text"] == "On my way"


def test_a_reply_may_go_to_an_older_thread(
    network: Network, telnyx: Send, vonage: Send, inbox: list[Request]
) -> None:
    """Named, a thread that is not the latest is answered."""
    telnyx(to=[A, B])
    vonage(to=A[1:])
    network.handset(A).reply("Here", to=ThreadKey(TELNYX, frozenset({A, B})))
    network.run_due()
    assert [request.url for request in inbox] == ["http://app.test/telnyx"]
    assert network.handset(A).latest == ThreadKey(TELNYX, frozenset({A, B}))


def test_without_a_thread_there_is_no_answering(network: Network) -> None:
    """A phone that got nothing has nowhere to reply."""
    with pytest.raises(LookupError, match="no such thread"):
        network.handset(A).reply("Hello?")


def test_one_cannot_answer_in_a_stranger_s_thread(
    network: Network, telnyx: Send
) -> None:
    """A thread without this phone's number is refused."""
    telnyx(to=[A, B])
    with pytest.raises(LookupError, match="no such thread"):
        network.handset(C).reply("Me too", to=network.handset(A).latest)


def test_a_person_may_write_first(
    network: Network, events: Callable[[], list[Any]]
) -> None:
    """A thread that is not there yet begins on all phones and at the carrier."""
    key = ThreadKey(TELNYX, frozenset({A, B}))
    network.handset(A).reply("Hello?", to=key)
    network.run_due()
    assert network.handset(B).threads[key][0].text == "Hello?"
    assert events()[0]["data"]["payload"]["text"] == "Hello?"


def test_nobody_can_be_written_to(network: Network) -> None:
    """A thread on a number that no carrier has is refused."""
    with pytest.raises(LookupError, match="no carrier"):
        network.handset(A).reply("Hi", to=ThreadKey("+14155550199", frozenset({A})))


def test_a_failing_phone_shows_nothing(network: Network, telnyx: Send) -> None:
    """What cannot be reached gets no bubble; the others do."""
    network.handset(A).failing = "landline"
    telnyx(to=[A, B])
    assert network.handset(A).bubbles == ()
    assert len(network.handset(B).bubbles) == 1


def test_our_other_number_in_a_group_gets_a_webhook(
    network: Network, telnyx: Send, inbox: list[Request]
) -> None:
    """A member that is a carrier's number is no phone; its carrier posts a webhook."""
    telnyx(to=[A, VONAGE])
    network.run_due()
    assert [request.url for request in inbox] == ["http://app.test/inbound"]
    network.settle()
    assert b'"status":"delivered"' in inbox[-1].body


def test_a_carrier_s_number_is_no_phone(network: Network) -> None:
    """Asking for a handset with an account's number is refused."""
    with pytest.raises(ValueError, match="carrier's number"):
        network.handset(TELNYX)


@pytest.mark.parametrize("number", ["4155550101", "+1", "+1415555010x", ""])
def test_a_phone_has_an_e164_number(network: Network, number: str) -> None:
    """Anything else is refused with a hint."""
    with pytest.raises(ValueError, match=r"E\.164"):
        network.handset(number)


def test_a_phone_remembers_its_network(network: Network) -> None:
    """Being on the carrier's own network is said once and stays."""
    network.handset(A, on_net=True)
    assert network.handset(A).on_net
    assert network.handset(A) in network.handsets


def test_stop_blocks_until_start(network: Network, telnyx: Send) -> None:
    """The carrier of the thread's number blocks, and lifts the block."""
    telnyx(to=[A, B])
    network.handset(A).reply(" stop ")
    assert network.handset(A).opted_out_of(TELNYX)
    assert not network.handset(A).opted_out_of(VONAGE)
    network.handset(A).reply("START")
    assert not network.handset(A).opted_out_of(TELNYX)


def test_an_unknown_carrier_number_has_no_opt_outs(network: Network) -> None:
    """Asking about a number nobody has is refused."""
    with pytest.raises(LookupError, match="no carrier"):
        network.handset(A).opted_out_of("+14155550199")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("STOP", "STOP"),
        (" stop all\n", "STOP"),
        ("unstop", "START"),
        ("Help", "HELP"),
        ("please stop", None),
        ("", None),
    ],
)
def test_a_keyword_is_the_whole_text(text: str, word: str | None) -> None:
    """Case and outer blanks do not matter, other words do."""
    assert keyword(text) == word


def test_a_phone_s_repr_is_short(network: Network, telnyx: Send) -> None:
    """It names the number and counts threads."""
    telnyx(to=[A, B])
    assert repr(network.handset(A)) == f"<Handset {A}: 1 threads>"


def test_a_reply_may_carry_media(
    network: Network, telnyx: Send, events: Callable[[], list[Any]]
) -> None:
    """Files show on the other phones and in the webhook."""
    telnyx(to=[A, B])
    url = "http://media.test/cat.jpg"
    network.handset(A).reply("Look", media=[url])
    network.run_due()
    assert network.handset(B).bubbles[-1].media == (url,)
    assert events()[0]["data"]["payload"]["media"][0]["url"] == url
