"""`normalize`: one event model over every carrier's webhooks, without a client."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from multigroup import (
    ConfigError,
    DeliveryStatus,
    DeliveryUpdated,
    Event,
    MessageReceived,
    OptedOut,
    PayloadError,
    Unrecognized,
    conversation_id,
    normalize,
)

OURS = "+12125550100"
ANA, BEN, CLEO = PEOPLE = ("+14155550101", "+14155550102", "+14155550103")
WHEN = datetime(2026, 11, 21, 7, 59, 58, tzinfo=UTC)


def _telnyx(kind_: str = "message.received", /, **payload: Any) -> bytes:
    said = {
        "id": "in-1",
        "from": {"phone_number": ANA},
        "to": [{"phone_number": OURS}],
        "cc": [BEN, CLEO],
        "text": "I bring dessert",
        **payload,
    }
    data = {
        "id": "event-1",
        "event_type": kind_,
        "occurred_at": WHEN.isoformat(),
        "payload": said,
    }
    return json.dumps({"data": data}).encode()


def _vonage(**fields: Any) -> bytes:
    said = {
        "channel": "mms",
        "message_uuid": "in-1",
        "from": ANA[1:],
        "to": OURS[1:],
        "timestamp": WHEN.isoformat(),
        "message_type": "text",
        "text": "I bring dessert",
        "mms": {"participants": [BEN[1:], CLEO[1:]]},
        **fields,
    }
    return json.dumps(said).encode()


def _bandwidth(line: str = OURS, **fields: Any) -> bytes:
    said = {
        "id": "in-1",
        "owner": line,
        "to": [line, BEN, CLEO],
        "from": ANA,
        "text": "I bring dessert",
        **fields,
    }
    about = {"type": "message-received", "time": WHEN.isoformat(), "to": line}
    return json.dumps([{**about, "message": said}]).encode()


BODIES = {"bandwidth": _bandwidth(), "telnyx": _telnyx(), "vonage": _vonage()}


def _heard(carrier: str, body: bytes, *own: str) -> MessageReceived:
    (event,) = normalize(carrier, body, own=own)
    assert isinstance(event, MessageReceived)
    return event


def test_the_same_people_are_the_same_conversation_at_every_carrier() -> None:
    """A reply by one carrier and by another of the same group has one identity."""
    for carrier, body in BODIES.items():
        event = _heard(carrier, body)
        assert event.conversation == conversation_id(PEOPLE)
        assert event.members == frozenset(PEOPLE)
        assert (event.sender, event.line) == (ANA, OURS)
        assert (event.text, event.provider) == ("I bring dessert", carrier)


@pytest.mark.parametrize("sender", PEOPLE)
def test_whoever_writes_it_is_the_same_conversation(sender: str) -> None:
    """The group does not depend on which of its members wrote."""
    others = [one for one in PEOPLE if one != sender]
    telnyx = _telnyx(cc=[OURS, *others], **{"from": sender})
    vonage = _vonage(
        mms={"participants": [one[1:] for one in others]}, **{"from": sender[1:]}
    )

    bandwidth = _bandwidth(to=[OURS, *others], **{"from": sender})
    bodies = {"bandwidth": bandwidth, "telnyx": telnyx, "vonage": vonage}

    for carrier, body in bodies.items():
        event = _heard(carrier, body)
        assert event.sender == sender
        assert event.conversation == conversation_id(PEOPLE)


@pytest.mark.parametrize("carrier", sorted(BODIES))
def test_the_line_a_message_came_to_does_not_change_its_conversation(
    carrier: str,
) -> None:
    """Two lines, two threads on the phones, one conversation."""
    other = "+13125550100"
    body = BODIES[carrier].replace(OURS[1:].encode(), other[1:].encode())

    event = _heard(carrier, body)

    assert event.line == other
    assert event.conversation == conversation_id(PEOPLE)


@pytest.mark.parametrize("carrier", sorted(BODIES))
@pytest.mark.parametrize("own", [OURS, "12125550100", "(212) 555-0100", "212.555.0100"])
def test_our_numbers_may_be_written_as_people_do(carrier: str, own: str) -> None:
    """`own` takes a number in any form; it is never a member."""
    second = "+12125550199"
    named = {
        "bandwidth": _bandwidth(second, to=[OURS, second, BEN, CLEO]),
        "telnyx": _telnyx(to=[second, OURS], cc=[BEN, CLEO]),
        "vonage": _vonage(
            to=second[1:], mms={"participants": [OURS[1:], BEN[1:], CLEO[1:]]}
        ),
    }

    event = _heard(carrier, named[carrier], own, second)

    assert event.members == frozenset(PEOPLE)
    assert event.line == second


@pytest.mark.parametrize("carrier", sorted(BODIES))
def test_nobody_received_it_so_its_own_time_counts(carrier: str) -> None:
    """The carrier's time stands for the time of receipt."""
    event = _heard(carrier, BODIES[carrier])

    assert event.occurred_at == event.received_at == WHEN


@pytest.mark.parametrize("carrier", sorted(BODIES))
def test_the_body_is_kept_whole(carrier: str) -> None:
    """What the model has no place for is still there, byte for byte."""
    assert _heard(carrier, BODIES[carrier]).raw == BODIES[carrier]


def test_delivery_news_of_both_carriers_is_one_class() -> None:
    """A final status reads the same whichever carrier tells it."""
    telnyx = _telnyx(
        "message.finalized", to=[{"phone_number": ANA, "status": "delivered"}]
    )
    vonage = json.dumps(
        {"message_uuid": "in-1", "to": ANA[1:], "status": "delivered"}
    ).encode()

    for carrier, body in (("telnyx", telnyx), ("vonage", vonage)):
        (event,) = normalize(carrier, body)
        assert isinstance(event, DeliveryUpdated)
        assert (event.member, event.status) == (ANA, DeliveryStatus.DELIVERED)
        assert event.message_id == "in-1"


def test_one_body_may_hold_several_events() -> None:
    """A STOP comes as the message and as the opt-out, in this order."""
    events: list[Event] = normalize("telnyx", _telnyx(autoresponse_type="STOP"))

    assert [type(event) for event in events] == [MessageReceived, OptedOut]


@pytest.mark.parametrize("carrier", sorted(BODIES))
def test_an_object_of_another_kind_is_unrecognized(carrier: str) -> None:
    """An unknown webhook is an event as well, never an error."""
    (event,) = normalize(carrier, b'{"hello": "world"}')

    assert isinstance(event, Unrecognized)
    assert event.raw == b'{"hello": "world"}'


@pytest.mark.parametrize("carrier", sorted(BODIES))
@pytest.mark.parametrize("body", [b"", b"[]", b"hello", b"\xff"])
def test_what_is_no_object_is_a_payload_error(carrier: str, body: bytes) -> None:
    """A body that no carrier sends raises, and raises one thing only."""
    with pytest.raises(PayloadError):
        normalize(carrier, body)


@pytest.mark.parametrize("carrier", ["", "Telnyx", "telnyx2"])
def test_a_carrier_must_be_known_by_its_name(carrier: str) -> None:
    """The error names a carrier that there is."""
    with pytest.raises(ConfigError, match="telnyx"):
        normalize(carrier, BODIES["telnyx"])


@pytest.mark.parametrize("carrier", sorted(BODIES))
def test_one_number_of_ours_may_be_given_bare(carrier: str) -> None:
    """A lone string is one number, not a list of its digits."""
    (event,) = normalize(carrier, BODIES[carrier], own=OURS)

    assert isinstance(event, MessageReceived)
    assert (event.line, event.members) == (OURS, frozenset(PEOPLE))


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"Content-Type": "application/json; charset=utf-8"},
        [(b"content-type", b"application/problem+json")],
    ],
)
@pytest.mark.parametrize("carrier", sorted(BODIES))
def test_headers_of_json_change_nothing(carrier: str, headers: Any) -> None:
    """A body of JSON is read as one, with or without being announced."""
    (event,) = normalize(carrier, BODIES[carrier], headers=headers)

    assert isinstance(event, MessageReceived)
    assert event.conversation == conversation_id(PEOPLE)
