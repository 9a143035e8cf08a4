"""Events to JSON and back: nothing is lost, and nothing else is let in."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import pytest
from hypothesis import example, given, strategies as st

from multigroup import (
    DeliveryStatus,
    DeliveryUpdated,
    Event,
    LateAcceptance,
    LineId,
    Meaning,
    Media,
    MessageReceived,
    Money,
    Number,
    OptedIn,
    OptedOut,
    PayloadError,
    Reason,
    Scope,
    SendFailed,
    SendId,
    ThreadMoved,
    Unrecognized,
    codec,
    conversation_id,
    events,
)
from tests.properties.accounts import ACCOUNTS
from tests.properties.mischief import broken_bodies, retyped
from tests.properties.strategies import (
    LINES as OURS,
    READERS,
    json_values,
    numbers,
    people,
    said,
)

ZONES: Final = st.integers(-86_399, 86_399).map(
    lambda seconds: timezone(timedelta(seconds=seconds))
)
TIMES: Final = st.datetimes(
    datetime(2, 1, 1),  # noqa: DTZ001 - its zone is drawn beside it
    datetime(9998, 1, 1),  # noqa: DTZ001
    timezones=ZONES,
).map(lambda moment: moment.replace(fold=0))  # which only local times have
RAW: Final = st.one_of(
    st.binary(),
    said().map(str.encode),
    said().map(lambda text: f'{{"text": "{text}"}}'.encode()),
    st.binary().map(lambda body: json.dumps(body.hex()).encode()),
    st.from_regex(rb"(?:[A-Za-z0-9+/]{4}){0,4}", fullmatch=True),  # may be base64
)
NUMBERS: Final = st.builds(Number, numbers() | st.sampled_from(["28228", "VERIFY"]))
MONEY: Final = st.builds(
    Money,
    st.decimals(allow_nan=False, allow_infinity=False),
    st.sampled_from(["USD", "EUR"]),
)
LINES: Final = st.builds(
    LineId, said(1), st.builds(Number, numbers() | st.just("28228"))
)
MEDIA: Final = st.builds(
    Media,
    said(1),
    st.none() | said(),
    st.none() | st.integers(0),
    st.none() | st.just("00" * 32),
)
WORD: Final = st.none() | said()
ABOUT: Final[dict[str, Any]] = {
    "id": said(1),
    "provider": said(1),
    "account": said(1),
    "occurred_at": TIMES,
    "received_at": TIMES,
    "raw": RAW,
}
NAMES: Final = people().map(conversation_id)
SENT: Final[dict[str, Any]] = {
    "conversation": NAMES,
    "send_id": st.builds(SendId, said(1)),
    "reference": said(1),
}
KINDS: Final[dict[type[Event], st.SearchStrategy[Event]]] = {
    MessageReceived: st.builds(
        MessageReceived,
        sender=NUMBERS,
        line=st.none() | NUMBERS,
        members=st.none() | st.frozensets(NUMBERS),
        conversation=st.none() | NAMES,
        provider_thread=WORD,
        message_id=WORD,
        text=said(),
        subject=WORD,
        media=st.lists(MEDIA, max_size=3).map(tuple),
        **ABOUT,
    ),
    DeliveryUpdated: st.builds(
        DeliveryUpdated,
        member=st.none() | NUMBERS,
        participant=WORD,
        status=st.sampled_from(DeliveryStatus),
        provider_status=said(),
        code=WORD,
        detail=WORD,
        reason=st.none() | st.sampled_from(Reason),
        scope=st.none() | st.sampled_from(Scope),
        message_id=WORD,
        also_known_as=st.lists(said(), max_size=3).map(tuple),
        token=WORD,
        reference=WORD,
        cost=st.none() | MONEY,
        network=WORD,
        meaning=st.none() | st.sampled_from(Meaning),
        **ABOUT,
    ),
    OptedOut: st.builds(OptedOut, member=NUMBERS, line=st.none() | NUMBERS, **ABOUT),
    OptedIn: st.builds(OptedIn, member=NUMBERS, line=st.none() | NUMBERS, **ABOUT),
    Unrecognized: st.builds(Unrecognized, why=said(), **ABOUT),
    ThreadMoved: st.builds(
        ThreadMoved,
        conversation=NAMES,
        previous=st.none() | NAMES,
        send_id=st.builds(SendId, said(1)),
        left=LINES,
        joined=LINES,
        why=said(),
        **ABOUT,
    ),
    SendFailed: st.builds(
        SendFailed,
        **SENT,
        line=LINES,
        reason=st.none() | st.sampled_from(Reason),
        movable=st.booleans(),
        **ABOUT,
    ),
    LateAcceptance: st.builds(
        LateAcceptance, **SENT, line=LINES, members=st.frozensets(NUMBERS), **ABOUT
    ),
}
every = st.one_of(*KINDS.values())


def test_every_kind_of_event_is_drawn() -> None:
    """A new kind of event cannot be forgotten here: all that are public are tried."""
    public = {getattr(events, name) for name in events.__all__}
    kinds = {
        one
        for one in public
        if isinstance(one, type) and issubclass(one, Event) and one is not Event
    }
    assert kinds == set(KINDS)


def _equal(one: Event, two: Event) -> None:
    """Check that two events are equal down to the types of what is in them."""
    assert type(one) is type(two)
    assert one == two
    # Letter by letter, in any order (a set has none): tells a `Number` from a `str`,
    # and 1.0 from 1.00.
    assert sorted(repr(one)) == sorted(repr(two))
    assert one.key == two.key


@given(every)
def test_every_event_comes_back_as_it_was(event: Event) -> None:
    """`load_event` gives back exactly what `dump` was given, for every event."""
    _equal(codec.load_event(codec.dump(event)), event)


@given(every)
def test_every_event_survives_being_stored(event: Event) -> None:
    """Between the two an event may become bytes, as in a database or a file."""
    stored = codec.dumps(codec.dump(event))
    _equal(codec.load_event(codec.loads(stored)), event)
    assert json.loads(stored) == codec.dump(event)


@given(RAW)
@example(b"\xff")
@example(b"/w==")
@example(b"L3c9PQ==")
@example(b"")
def test_no_two_bodies_are_written_alike(raw: bytes) -> None:
    """A body that is text stays readable, and any other is told from it."""
    told = codec.table(codec.dump(Unrecognized(**_about(raw), why="")))

    assert codec.load_event(told).raw == raw
    if raw.startswith((b"{", b"[")) and _is_text(raw):
        assert told["raw"] == raw.decode()


def _is_text(raw: bytes) -> bool:
    return raw.decode("utf-8", "replace").encode() == raw


def _about(raw: bytes) -> dict[str, Any]:
    at = datetime.fromisoformat("2026-11-21T08:00:00+00:00")
    return {
        "id": "e",
        "provider": "p",
        "account": "a",
        "occurred_at": at,
        "received_at": at,
        "raw": raw,
    }


@given(st.data(), st.sampled_from(READERS))
def test_what_carriers_tell_comes_back_as_it_was(
    data: st.DataObject, carrier: Any
) -> None:
    """Events read from any body, broken ones too, survive being stored."""
    body = data.draw(broken_bodies(carrier))
    at = data.draw(TIMES)
    try:
        told = ACCOUNTS[carrier].parse(
            body, own=frozenset(OURS.values()), received_at=at
        )
    except PayloadError:
        return
    for event in told:
        _equal(codec.load_event(codec.loads(codec.dumps(codec.dump(event)))), event)


@given(json_values())
def test_any_other_json_is_a_payload_error(document: Any) -> None:
    """What `dump` never wrote is refused, and not made to fit."""
    with pytest.raises(PayloadError, match="event type"):
        codec.load_event(document)


@given(st.data(), every)
def test_a_broken_event_is_refused_or_sound(data: st.DataObject, event: Event) -> None:
    """A document that was tampered with is refused, or is an event like others."""
    document = data.draw(retyped({**codec.table(codec.dump(event))}))
    try:
        loaded = codec.load_event(document)
    except PayloadError:
        return
    _equal(codec.load_event(codec.dump(loaded)), loaded)


@given(every, st.data())
def test_a_refusal_quotes_nothing(event: Event, data: st.DataObject) -> None:
    """What is wrong with a document is said without the numbers and words in it."""
    document = {**codec.table(codec.dump(event))}
    victim = data.draw(st.sampled_from(sorted({*document} - {"type"})))
    document[victim] = {"+14155550101": ["Dinner at seven?"]}

    with pytest.raises(PayloadError, match=victim) as refused:
        codec.load_event(document)
    assert "4155550101" not in str(refused.value)
    assert "Dinner" not in str(refused.value)
