"""Vonage, inward: statuses and replies in each form they come in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from multigroup import (
    DeliveryStatus,
    DeliveryUpdated,
    Event,
    Meaning,
    MemoryJournal,
    MessageReceived,
    Money,
    PayloadError,
    Reason,
    Unrecognized,
    Vonage,
    conversation_id,
)
from multigroup.codec import dump

OURS, OURS_TOO = "+12125550100", "+12125550199"
ANA, BEN, CLEO = PEOPLE = ("+14155550101", "+14155550102", "+14155550103")
RECEIVED = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
LEG = f"{'5e4d' * 8}.0"
NOBODY: frozenset[str] = frozenset()
ACCOUNT = Vonage(api_key="key", api_secret="secret")


def _parse(body: object, own: frozenset[str] = NOBODY) -> Sequence[Event]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ACCOUNT.parse(raw, own=own, received_at=RECEIVED)


def _one(body: object, own: frozenset[str] = NOBODY) -> Event:
    (event,) = _parse(body, own)
    return event


def _bare(number: str) -> str:
    return number.removeprefix("+")


def _reply(**fields: Any) -> dict[str, Any]:
    """Return a webhook of Ana's reply to a group of three and us."""
    return {
        "channel": "mms",
        "message_uuid": "in-1",
        "from": _bare(ANA),
        "to": _bare(OURS),
        "timestamp": "2026-11-21T07:59:58Z",
        "origin": {"network_code": "310260"},
        "message_type": "text",
        "text": "I bring dessert",
        "mms": {"participants": [_bare(BEN), _bare(CLEO)]},
        **fields,
    }


def _pictured(**fields: Any) -> dict[str, Any]:
    """Return a webhook of Ana's picture."""
    body = _reply(message_type="image", **fields)
    del body["text"]
    return {"image": {"url": "https://media.example/1", "name": "a.jpg"}, **body}


def _status(word: object = "delivered", **fields: Any) -> dict[str, Any]:
    """Return a status webhook of Ana's copy."""
    return {
        "channel": "mms",
        "message_uuid": "m-1",
        "to": _bare(ANA),
        "from": _bare(OURS),
        "timestamp": "2026-11-21T07:59:58Z",
        "status": word,
        "client_ref": LEG,
        **fields,
    }


def _error(title: object, **fields: Any) -> dict[str, Any]:
    kind = f"https://developer.vonage.com/api-errors/messages#{title}"
    return {"error": {"type": kind, "title": title, "detail": "No", **fields}}


def _heard(body: object, own: frozenset[str] = NOBODY) -> MessageReceived:
    event = _one(body, own)
    assert isinstance(event, MessageReceived)
    return event


def _news(body: object) -> DeliveryUpdated:
    event = _one(body)
    assert isinstance(event, DeliveryUpdated)
    return event


@pytest.mark.parametrize("own", [{OURS}, set()], ids=["known", "unknown"])
@pytest.mark.parametrize(
    "participants",
    [
        [_bare(BEN), _bare(CLEO)],
        [_bare(CLEO), _bare(BEN), _bare(CLEO)],
        [BEN, CLEO],
        [_bare(ANA), _bare(BEN), _bare(CLEO), _bare(OURS)],
        [int(_bare(BEN)), _bare(CLEO), None, ""],
    ],
)
def test_a_reply_is_of_the_sender_and_the_participants(
    participants: list[object], own: set[str]
) -> None:
    """The group is its sender and the participants, never our own number."""
    event = _heard(_reply(mms={"participants": participants}), frozenset(own))

    assert (event.sender, event.line) == (ANA, OURS)
    assert event.members == frozenset(PEOPLE)
    assert event.conversation == conversation_id(PEOPLE)


@pytest.mark.parametrize(
    "alone", [None, {}, {"participants": []}, {"participants": None}, []]
)
def test_a_message_to_us_alone_has_one_member(alone: object) -> None:
    """Without participants a message is the conversation of its sender."""
    event = _heard(_reply(mms=alone))

    assert event.members == frozenset({ANA})
    assert event.conversation == conversation_id([ANA])


def test_none_of_our_numbers_is_a_member() -> None:
    """A second number of ours in the group is no person, and not the line."""
    body = _reply(mms={"participants": [_bare(n) for n in (BEN, OURS_TOO, CLEO)]})

    event = _heard(body, frozenset({OURS, OURS_TOO}))

    assert event.line == OURS
    assert event.members == frozenset(PEOPLE)


def test_a_short_code_of_ours_is_a_line() -> None:
    """A short code stands as it is, without a plus."""
    event = _heard(_reply(to="28228"), frozenset({"28228"}))

    assert event.line == "28228"
    assert event.members == frozenset(PEOPLE)


def test_a_foreign_sender_is_kept_as_received() -> None:
    """A sender outside +1 loses no message: the number stands as it was given."""
    event = _heard(_reply(**{"from": "447700900123", "mms": None}))

    assert event.sender == "+447700900123"
    assert event.members == frozenset({"+447700900123"})


@pytest.mark.parametrize(
    "participants",
    [
        [{"type": "mms", "name": "Ben"}],
        [True, False],
        [[]],
        {"a": 1},
        [{}],
    ],
)
def test_what_is_no_number_is_no_member(participants: object) -> None:
    """Objects and truth values among the participants put nobody into the group."""
    event = _heard(_reply(mms={"participants": participants}))

    assert event.members == frozenset({ANA})


def test_a_reply_keeps_what_was_said() -> None:
    """Text, ids, times and the body itself stand in the event."""
    body = _reply()

    event = _heard(body)

    assert event.text == "I bring dessert"
    assert (event.id, event.message_id) == ("in-1", "in-1")
    assert (event.provider, event.account) == ("vonage", "vonage")
    assert (event.subject, event.media) == (None, ())
    assert event.occurred_at == datetime(2026, 11, 21, 7, 59, 58, tzinfo=UTC)
    assert event.received_at == RECEIVED
    assert event.raw == json.dumps(body).encode()


@pytest.mark.parametrize("kind", ["image", "vcard", "audio", "video", "file"])
def test_each_type_of_attachment_is_read(kind: str) -> None:
    """The attachment's address and caption are the message's media and text."""
    item = {"url": "https://media.example/1", "name": "a", "caption": "Look"}
    body = _reply(message_type=kind, **{kind: item})
    del body["text"]

    event = _heard(body)

    assert [media.url for media in event.media] == ["https://media.example/1"]
    assert event.text == "Look"


@pytest.mark.parametrize("repeated", [True, False])
def test_several_attachments_come_once_each(*, repeated: bool) -> None:
    """Whether or not `content` repeats the first attachment, it is there once."""
    urls = [f"https://media.example/{n}" for n in (1, 2, 3)]
    further = urls if repeated else urls[1:]
    content = [{"type": "image", "url": url} for url in further]

    event = _heard(_pictured(content=content))

    assert [media.url for media in event.media] == urls
    assert event.text == ""


@pytest.mark.parametrize("content", [None, [], {}, [{}], ["x"], [{"url": None}]])
def test_an_empty_content_adds_nothing(content: object) -> None:
    """A `content` that names no address leaves the one attachment alone."""
    assert len(_heard(_pictured(content=content)).media) == 1


@pytest.mark.parametrize(
    ("written", "second", "micro"),
    [
        ("2026-11-21T07:59:58Z", 58, 0),
        ("2026-11-21T07:59:58.000Z", 58, 0),
        ("2026-11-21T07:59:58.217Z", 58, 217_000),
        ("2026-11-21T08:59:57+01:00", 57, 0),
    ],
)
def test_times_come_with_and_without_milliseconds(
    written: str, second: int, micro: int
) -> None:
    """Both forms are one aware time, for replies and statuses alike."""
    when = datetime(2026, 11, 21, 7, 59, second, micro, UTC)

    assert _heard(_reply(timestamp=written)).occurred_at == when
    assert _news(_status(timestamp=written)).occurred_at == when


@pytest.mark.parametrize("written", [None, "", "now", 1_795_000_000_000, {}])
def test_without_a_time_the_moment_of_receipt_counts(written: object) -> None:
    """An event without a readable time happened when we heard of it."""
    assert _heard(_reply(timestamp=written)).occurred_at == RECEIVED


@pytest.mark.parametrize(
    ("word", "status", "meaning"),
    [
        ("submitted", DeliveryStatus.SENT, Meaning.HANDED_OVER),
        ("delivered", DeliveryStatus.DELIVERED, Meaning.CARRIER),
        ("read", DeliveryStatus.DELIVERED, Meaning.HANDSET),
        ("rejected", DeliveryStatus.FAILED, None),
        ("undeliverable", DeliveryStatus.FAILED, None),
    ],
)
def test_every_status_word_has_its_meaning(
    word: str, status: DeliveryStatus, meaning: Meaning | None
) -> None:
    """A status is one member's, with our leg key and the carrier's own word."""
    event = _news(_status(word, destination={"network_code": "310260"}))

    assert (event.status, event.provider_status) == (status, word)
    assert event.meaning == meaning
    assert (event.member, event.message_id) == (ANA, "m-1")
    assert (event.token, event.network) == (LEG, "310260")


@pytest.mark.parametrize(
    "reference",
    ["Dinner with Ana +14155550101", "14155550101", "5e4d.0", LEG[:-2], f"{LEG}\n", ""],
)
def test_another_programs_reference_is_no_token(reference: str) -> None:
    """Other programs use the same account; only the form of our leg keys is ours."""
    event = _news(_status(client_ref=reference))

    assert event.token is None
    assert reference not in repr(event) or not reference


def test_the_shortest_status_is_enough() -> None:
    """Only five fields are required; all else is not known."""
    body = _status("submitted")
    del body["client_ref"]

    event = _news(body)

    assert (event.token, event.cost, event.network) == (None, None, None)
    assert (event.code, event.detail, event.reason) == (None, None, None)


def test_each_status_of_a_message_is_an_event_of_its_own() -> None:
    """The same status again is the same event; the next status is another one."""
    submitted, again, delivered = (
        _news(_status(word)) for word in ("submitted", "submitted", "delivered")
    )

    assert submitted.key == again.key
    assert submitted.key != delivered.key
    assert submitted.key != _news(_status("submitted", message_uuid="m-2")).key


@pytest.mark.parametrize(
    ("code", "reason", "status"),
    [
        (1240, Reason.OPTED_OUT, DeliveryStatus.FAILED),
        (1360, Reason.EXPIRED, DeliveryStatus.EXPIRED),
        (1000, Reason.THROTTLED, DeliveryStatus.FAILED),
        (1070, Reason.ACCOUNT, DeliveryStatus.FAILED),
        (1120, Reason.REGISTRATION, DeliveryStatus.FAILED),
        (1170, Reason.INVALID_NUMBER, DeliveryStatus.FAILED),
        (1180, Reason.UNREACHABLE, DeliveryStatus.FAILED),
        (1210, Reason.SPAM, DeliveryStatus.FAILED),
        (1381, Reason.MEDIA, DeliveryStatus.FAILED),
        (1431, Reason.OTHER, DeliveryStatus.FAILED),
        (9999, Reason.OTHER, DeliveryStatus.FAILED),
    ],
)
def test_a_rejection_says_why(
    code: int, reason: Reason, status: DeliveryStatus
) -> None:
    """The code is the error's title, as a string or a number, in every document."""
    for title in (code, str(code)):
        event = _news(_status("rejected", **_error(title)))
        assert (event.code, event.reason) == (str(code), reason)
        assert event.status is status
        assert event.detail == "No"


def test_undeliverable_is_the_carriers_own_outage() -> None:
    """Without a code, `undeliverable` still says that nobody could be reached."""
    silent, coded = _status("undeliverable"), _status("undeliverable", **_error(1260))

    assert _news(silent).reason is Reason.UNREACHABLE
    assert _news(silent).code is None
    assert _news(coded).reason is Reason.UNREACHABLE


def test_the_carriers_words_show_no_whole_number() -> None:
    """A rejection's detail is kept with the numbers in it masked."""
    event = _news(_status("rejected", **_error(1170, detail=f"{_bare(ANA)} is odd")))

    assert event.detail is not None
    assert event.detail.endswith("is odd")
    assert _bare(ANA) not in event.detail


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"currency": "EUR", "price": "0.0333"}, Money(Decimal("0.0333"), "EUR")),
        ({"currency": "EUR", "price": 0.0333}, Money(Decimal("0.0333"), "EUR")),
        ({"currency": "EUR", "price": "0"}, Money(Decimal(0), "EUR")),
        ({"price": "0.0333"}, None),
        ({"currency": "EUR", "price": "n/a"}, None),
        ({"currency": "EUR", "price": "Infinity"}, None),
        ([], None),
        (None, None),
    ],
)
def test_usage_is_this_members_cost(usage: object, cost: Money | None) -> None:
    """A price is kept exactly, in the currency it is told in; else it is unknown."""
    assert _news(_status("submitted", usage=usage)).cost == cost


def test_the_older_form_is_read_as_well() -> None:
    """v0.1 gives numbers as objects and the error as code and reason."""
    event = _news(
        _status(
            "rejected",
            to={"type": "mms", "number": _bare(ANA)},
            **{"from": {"type": "mms", "number": _bare(OURS)}},
            error={"code": 1240, "reason": "Illegal Number"},
        )
    )

    assert event.member == ANA
    assert (event.code, event.reason) == ("1240", Reason.OPTED_OUT)
    assert event.detail == "Illegal Number"


@pytest.mark.parametrize("to", [None, "", {}, [], {"number": None}, True])
def test_a_status_of_nobody_named_is_still_news(to: object) -> None:
    """Without a readable `to` the token tells whose copy it is."""
    event = _news(_status(to=to))

    assert (event.member, event.token) == (None, LEG)


@pytest.mark.parametrize(
    "word", ["teleported", "", None, 5, ["delivered"], "DELIVERED"]
)
def test_a_strange_status_is_kept_unread(word: object) -> None:
    """A word in no table is an unrecognized event with the body whole."""
    body = _status(word)

    event = _one(body)

    assert isinstance(event, Unrecognized)
    assert event.raw == json.dumps(body).encode()
    assert "delivery status" in event.why
    assert "<0 characters>" not in event.why


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"channel": "mms"},
        {"message": {"content": {"type": "text", "text": "hi"}}},
        {"message_type": "text", "text": "from nobody"},
        {"message_type": "text", "from": None},
        {"message_type": "text", "from": ["14155550101"]},
    ],
)
def test_news_that_we_cannot_read_is_kept(body: dict[str, Any]) -> None:
    """What is neither a status nor a message from somebody is unrecognized."""
    event = _one(body)

    assert isinstance(event, Unrecognized)
    assert event.raw == json.dumps(body).encode()
    assert event.id
    assert event.why


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'"x"', b"{", b"\xff", b"[" * 100_000, b"a=1&b=2"]
)
def test_what_is_no_json_object_is_a_payload_error(body: bytes) -> None:
    """A body that is not an object at all is refused, and refused in one way."""
    with pytest.raises(PayloadError):
        _parse(body)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([_bare(OURS), ANA, "sent", "1240", "1" * 30, "+", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["participants", "number", "url", "title", "price", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
FIELDS = "message_uuid from to timestamp text image content mms error usage client_ref"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    is_status=st.booleans(),
    fields=st.dictionaries(
        st.sampled_from([*FIELDS.split(), "destination"]), JSON, max_size=5
    ),
)
def test_hostile_types_never_break_the_reader(
    *, is_status: bool, fields: dict[str, Any]
) -> None:
    """Numbers for strings, lists for objects: still events, fit to show and store."""
    body = {**(_status("rejected") if is_status else _reply()), **fields}

    events = _parse(body, frozenset({OURS}))

    assert len(events) == 1
    assert json.dumps(dump(events[0])).encode()
    assert str(events[0].key)
    assert repr(events[0])
    assert MemoryJournal().store("default", events)
