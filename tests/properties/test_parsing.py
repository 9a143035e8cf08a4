"""Any body into any reader: events or a `WebhookError`, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import example, given, strategies as st

from multigroup import (
    DeliveryUpdated,
    Event,
    MessageReceived,
    PayloadError,
    Unrecognized,
    WebhookError,
    codec,
    conversation_id,
    normalize,
)
from tests.properties.accounts import ACCOUNTS, client, signed
from tests.properties.mischief import broken_bodies
from tests.properties.strategies import (
    LINES,
    READERS,
    Reader,
    bodies,
    documents,
    json_documents,
    one_in,
)

AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
OURS = frozenset(LINES.values())

carriers = st.sampled_from(READERS)
hostile = st.one_of(
    st.binary(max_size=200), json_documents(), *map(broken_bodies, READERS)
)


def _read(
    carrier: Reader,
    body: bytes,
    own: frozenset[str] = OURS,
    at: datetime = AT,
) -> Sequence[Event] | str:
    """Return the events in *body*, or why there are none."""
    try:
        return ACCOUNTS[carrier].parse(body, own=own, received_at=at)
    except PayloadError as error:
        return str(error)


def _sound(event: Event) -> None:
    """Check what holds of every event, whatever it was read from."""
    assert event.occurred_at.tzinfo is not None
    assert event.id
    assert hash(event.key) == hash(event.key)
    assert repr(event).encode()
    assert str(event.key).encode()
    assert codec.dumps(codec.dump(event))
    if isinstance(event, MessageReceived):
        assert event.members is not None
        assert event.conversation == conversation_id(event.members)
        assert all(item.url for item in event.media)
        assert event.text.encode() is not None
    if isinstance(event, DeliveryUpdated):
        assert event.cost is None or event.cost.amount.is_finite()


@given(carriers, hostile)
@example(
    "telnyx", b'{"data":{"event_type":"message.received","payload":{"from":[[]]}}}'
)
@example("vonage", b'{"status":{},"message_type":1e999,"to":"\\ud800"}')
def test_any_body_gives_events_or_a_payload_error(carrier: Reader, body: bytes) -> None:
    """Whatever a body holds, reading it ends in sound events or in `PayloadError`."""
    events = _read(carrier, body)

    if not isinstance(events, str):
        for event in events:
            _sound(event)
            assert event.raw == body
            assert (event.received_at, event.provider) == (AT, carrier)


@given(carriers, hostile, st.sampled_from(["", "application/json", "form", "x"]))
def test_any_body_is_normalised_or_refused(
    carrier: Reader, body: bytes, kind: str
) -> None:
    """`normalize` gives events or a `WebhookError`, whatever the content type says."""
    word = "application/x-www-form-urlencoded" if kind == "form" else kind
    try:
        events = normalize(carrier, body, own=OURS, headers={"content-type": word})
    except WebhookError:
        return
    for event in events:
        _sound(event)
        assert event.raw == body


@given(carriers, hostile)
def test_reading_is_pure_and_repeatable(carrier: Reader, body: bytes) -> None:
    """A body read twice gives equal events, whatever is read in between."""
    first = _read(carrier, body)
    for other in READERS:
        if other != carrier:
            _read(other, body, frozenset())
    assert _read(carrier, bytes(bytearray(body)), frozenset(sorted(OURS))) == first


@given(carriers, hostile, st.timedeltas(timedelta(0), timedelta(days=2)))
def test_the_time_of_receipt_changes_times_only(
    carrier: Reader, body: bytes, later: timedelta
) -> None:
    """A body received at another time tells the same, but for when it came."""
    first, second = _read(carrier, body), _read(carrier, body, at=AT + later)

    assert _timeless(first) == _timeless(second)


def _timeless(events: Sequence[Event] | str) -> Any:
    if isinstance(events, str):
        return events
    told = [codec.table(codec.dump(event)) for event in events]
    return [{**one, "received_at": "", "occurred_at": ""} for one in told]


@given(st.data(), carriers)
def test_a_genuine_body_is_always_understood(
    data: st.DataObject, carrier: Reader
) -> None:
    """What a carrier writes is never `Unrecognized`, and each event is another one."""
    events = _read(carrier, data.draw(bodies(carrier)))

    assert not isinstance(events, str)
    assert events
    assert not any(isinstance(event, Unrecognized) for event in events)
    assert len({event.key for event in events}) == len(events)


@given(st.data(), st.permutations(READERS))
def test_another_carriers_body_is_no_message(
    data: st.DataObject, carriers: list[Reader]
) -> None:
    """A body of one carrier tells the reader of another nothing it could mistake."""
    carrier, other, *_ = carriers
    events = _read(other, data.draw(bodies(carrier)))

    assert all(isinstance(event, Unrecognized) for event in events)


@one_in(2)
@given(carriers, hostile)
def test_an_authentic_body_is_always_taken(carrier: Reader, body: bytes) -> None:
    """A signed webhook is stored and answered 200 whatever is in it, and only once."""
    with client() as app:
        heard: list[Event] = []
        app.on(Event)(heard.append)
        request = signed(carrier, body)

        first, second = app.receive(carrier, request), app.receive(carrier, request)

    assert (first.status, second.status) == (200, 200)
    assert first.failures == second.failures == ()
    assert second.events == ()
    assert heard == list(first.events)


@given(st.data(), carriers)
def test_a_word_that_nobody_knows_changes_nothing(
    data: st.DataObject, carrier: Reader
) -> None:
    """Fields that a carrier adds one day are passed over."""
    document = data.draw(documents(carrier))
    body = codec.dumps(document)
    grown = codec.dumps({**document, "x_new": {"to": ["+14155550199"], "status": "x"}})

    plain, more = _read(carrier, body), _read(carrier, grown)

    assert [_bare(event) for event in plain] == [_bare(event) for event in more]


def _bare(event: Any) -> Any:
    return {**codec.table(codec.dump(event)), "raw": ""}
