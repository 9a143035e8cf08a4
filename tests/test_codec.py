"""JSON in and out: tolerant readers, one converter."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from multigroup.codec import (
    amount,
    dump,
    dumps,
    event_type,
    items,
    loads,
    moment,
    query_value,
    table,
    text,
)
from multigroup.errors import PayloadError
from multigroup.events import (
    Event,
    Meaning,
    OptedIn,
    OptedOut,
    ThreadMoved,
    Unrecognized,
)
from multigroup.models import (
    ConversationId,
    Media,
    Money,
    Reason,
    conversation_id,
)
from multigroup.wire import Json
from tests.helpers.values import (
    ANA,
    BEN,
    LINE,
    OTHER_LINE,
    PEOPLE,
    RED,
    at,
    money,
    received,
    update,
)

ABOUT: dict[str, Any] = {
    "id": "evt-1",
    "provider": "telnyx",
    "account": "red",
    "occurred_at": at(0),
    "received_at": at(1),
    "raw": b"{}",
}
EVENTS: dict[str, Event] = {
    "message_received": received(media=(Media("https://media.example/a.jpg"),)),
    "delivery_updated": update(
        cost=money("0.0800"), reason=Reason.SPAM, meaning=Meaning.CARRIER
    ),
    "opted_out": OptedOut(member=ANA, line=LINE.number, **ABOUT),
    "opted_in": OptedIn(member=ANA, line=None, **ABOUT),
    "unrecognized": Unrecognized(why="event type 'strange'", **ABOUT),
    "thread_moved": ThreadMoved(
        conversation=conversation_id(PEOPLE),
        send_id=RED,
        left=LINE,
        joined=OTHER_LINE,
        why="throttled",
        **ABOUT,
    ),
}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe\xfd",
        b"hello",
        b'{"a": 1} {"b": 2}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"9" * 5000,
        b'{"at": -' + b"9" * 5000 + b"}",
    ],
    ids=lambda body: f"{body[:6]!r}x{len(body)}",
)
def test_what_is_not_readable_json_is_a_payload_error(body: bytes) -> None:
    """Garbage, endless nesting and endless numbers end in the same error."""
    with pytest.raises(PayloadError, match="not readable JSON"):
        loads(body)


@given(st.binary(max_size=64))
@example(b'"\xed\xa0\xbd"')
@example('"\\ud83d"'.encode("utf-16"))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    """Whatever a socket can carry is a `PayloadError` or can be written again."""
    try:
        document = loads(body)
    except PayloadError:
        document = None
    assert json.dumps(document, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "body",
    [b'{"text": "a\\ud83d"}', b'{"text": "a\\uDE00"}', b'{"text": "a\\uD83D"}'],
    ids=["high", "low", "upper-case"],
)
def test_half_a_surrogate_pair_is_replaced(body: bytes) -> None:
    """The rest of the message is not lost over a character that is torn."""
    assert loads(body) == {"text": "a?"}


def test_whole_surrogate_pairs_are_one_character() -> None:
    """An emoji written as two escapes stays whole beside a lone half."""
    body = b'{"one": "\\ud83d\\ude00", "\\ud83d": "\\u00e9"}'
    assert loads(body) == {"one": "\U0001f600", "?": "\xe9"}


def test_what_is_written_is_compact_and_utf_8() -> None:
    """The bytes that are sent are the bytes that are signed: no spaces, no escapes."""
    assert dumps({"a": ["\xe9", 1, None]}) == '{"a":["\xe9",1,null]}'.encode()
    assert dumps("\ud83d") == b'"?"'


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_json_written_and_read_again_is_the_same(document: Any) -> None:
    """Reading takes back exactly what writing gave."""
    assert loads(dumps(document)) == document


@pytest.mark.parametrize("document", [None, 3, "a", [], [{"a": {}}], {"a": "b"}])
def test_a_table_that_is_not_there_is_empty(document: Json) -> None:
    """A path through anything but objects leads to an empty one."""
    assert table(document, "a", "b") == {}
    assert table({"a": {"b": {"c": 1}}}, "a", "b") == {"c": 1}


def test_a_lone_value_is_a_list_of_one() -> None:
    """Carriers write one recipient as an object and several as a list."""
    assert items({"to": "x"}, "to") == ["x"]
    assert items({"to": ["x", "y"]}, "to") == ["x", "y"]
    assert items({"to": None}, "to") == []
    assert items({}, "to") == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"),
        ("", None),
        (40305, "40305"),
        (0, "0"),
        (0.5, "0.5"),
        (True, None),
        (None, None),
        (["a"], None),
        ({"a": 1}, None),
    ],
)
def test_text_is_a_string_or_a_number(value: Json, expected: str | None) -> None:
    """A code is read alike as string and number; other shapes are absent."""
    assert text({"code": value}, "code") == expected
    assert text({}, "code") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.0800", "0.0800"),
        (0.08, "0.08"),
        (0.1, "0.1"),
        (0, "0"),
        (2, "2"),
        ("-0.5", "-0.5"),
        ("1e-2", "0.01"),
    ],
)
def test_money_is_exact(value: Json, expected: str) -> None:
    """An amount is what the carrier wrote, without binary fractions."""
    cost = amount({"sum": value, "unit": "usd"}, value="sum", currency="unit")
    assert cost == Money(Decimal(expected), "USD")


@pytest.mark.parametrize(
    "value",
    [
        *("NaN", "sNaN", "inf", "-Infinity", float("nan"), float("inf")),
        *("", "free", "0.08 USD", "9e999999", None, True, [], {}),
        *("14155550101", 14155550101),
    ],
    ids=repr,
)
def test_an_amount_that_is_none_is_unknown(value: Json) -> None:
    """Nothing that cannot be added up is taken for money."""
    document: Json = {"sum": value, "unit": "USD"}
    assert amount(document, value="sum", currency="unit") is None


@pytest.mark.parametrize(
    "document",
    [
        *(
            None,
            "0.08",
            [],
            {},
            {"sum": "1", "unit": ""},
            {"sum": "1", "unit": "euros"},
        ),
        {"sum": "1", "unit": "to +14155550101"},
    ],
)
def test_an_amount_without_a_currency_is_unknown(document: Json) -> None:
    """A number alone is no money."""
    assert amount(document, value="sum", currency="unit") is None


@pytest.mark.parametrize(
    ("written", "micro"),
    [
        ("2026-11-21T08:00:03Z", 0),
        ("2026-11-21T08:00:03.25Z", 250_000),
        ("2026-11-21T08:00:03.123456789Z", 123_456),
        ("2026-11-21T08:00:03+00:00", 0),
        ("2026-11-21T10:00:03+02:00", 0),
        ("2026-11-21T03:00:03-0500", 0),
        ("2026-11-21 08:00:03 +0000", 0),
        ("2026-11-21T08:00:03", 0),
    ],
)
def test_a_moment_is_read_in_every_dialect(written: str, micro: int) -> None:
    """Any ISO 8601 time becomes an aware one in UTC, with any count of decimals."""
    assert moment(written) == datetime(2026, 11, 21, 8, 0, 3, micro, UTC)
    assert str(getattr(moment(written), "tzinfo", None)) == "UTC"


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "soon",
        "1795248003",
        "2026-13-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-05:00",
        "0001-01-01T00:00:00+05:00",
        "2026-11-21T08:00:03+99:00",
        "\ud83d",
        "9" * 5000,
    ],
    ids=lambda written: repr(written)[:24],
)
def test_what_is_no_time_is_none(written: str | None) -> None:
    """Garbage and times beyond the calendar are absent, not an error."""
    assert moment(written) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x.example/in?leg=5e4d.0", "5e4d.0"),
        ("https://x.example/in?a=1&leg=5e4d.0&b=2", "5e4d.0"),
        ("https://x.example/in?leg=5e4d.0#top", "5e4d.0"),
        ("https://x.example/in?leg=one&leg=two", "one"),
        ("https://x.example/in?leg=", None),
        ("https://x.example/in?leg=a%20b", None),
        ("https://x.example/in?leg=\xe9", None),
        ("https://x.example/in?bootleg=5e4d.0", None),
        ("https://x.example/leg=5e4d.0", None),
        ("", None),
        (None, None),
    ],
)
def test_a_query_value_is_ours_or_none(url: str | None, expected: str | None) -> None:
    """Only a value such as we write is read back from a callback's URL."""
    assert query_value(url, "leg") == expected


def test_a_query_name_is_not_a_pattern() -> None:
    """A point in the name matches a point only."""
    assert query_value("https://x.example/?axb=1", "a.b") is None
    assert query_value("https://x.example/?a.b=1", "a.b") == "1"


def _plain(document: Json) -> bool:
    """Tell whether *document* is made of JSON's own types and no subclass."""
    if isinstance(document, dict):
        return all(type(k) is str and _plain(v) for k, v in document.items())
    if isinstance(document, list):
        return all(map(_plain, document))
    return document is None or type(document) in (bool, int, float, str)


@pytest.mark.parametrize("kind", EVENTS)
def test_every_event_is_dumped_with_its_type(kind: str) -> None:
    """An event becomes plain JSON that names its kind in snake_case."""
    dumped = dump(EVENTS[kind])

    assert isinstance(dumped, dict)
    assert dumped["type"] == kind == event_type(EVENTS[kind])
    assert _plain(dumped)
    assert json.loads(json.dumps(dumped, allow_nan=False)) == dumped
    assert dumped["received_at"] == EVENTS[kind].received_at.isoformat()


def test_a_dumped_message_lists_its_members_in_order() -> None:
    """A set has no order, its JSON has: by number."""
    dumped = table(dump(EVENTS["message_received"]))
    assert dumped["members"] == sorted(PEOPLE)
    assert dumped["sender"] == "+14155550101"
    assert dumped["media"] == [
        {
            "url": "https://media.example/a.jpg",
            "content_type": None,
            "size": None,
            "sha256": None,
        }
    ]


def test_a_dumped_message_of_unknown_members_says_null() -> None:
    """A roster that the carrier left out is not an empty one."""
    dumped = table(dump(received(members=None, conversation=None)))
    assert dumped["members"] is None
    assert dumped["conversation"] is None


def test_dumped_money_is_text() -> None:
    """No digit of an amount is lost to a binary fraction."""
    dumped = table(dump(EVENTS["delivery_updated"]))
    assert dumped["cost"] == {"amount": "0.0800", "currency": "USD"}
    assert (dumped["status"], dumped["reason"]) == ("delivered", "spam")
    assert dumped["meaning"] == "carrier"


def test_dumped_lines_are_account_and_number() -> None:
    """A line is one word."""
    dumped = table(dump(EVENTS["thread_moved"]))
    assert dumped["left"] == "red:+12125550100"
    assert dumped["joined"] == "blue:+13125550100"
    assert dumped["conversation"] == ConversationId(conversation_id(PEOPLE))


@pytest.mark.parametrize(
    ("raw", "expected"), [(b'{"a": "\xc3\xa9"}', '{"a": "\xe9"}'), (b"\xff", "/w==")]
)
def test_a_raw_body_is_dumped_readable_or_in_base64(raw: bytes, expected: str) -> None:
    """Text stays text; other bytes are kept whole."""
    assert table(dump(update(raw=raw, member=BEN)))["raw"] == expected
