"""Telnyx, inward: every form its webhooks are known to take."""

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
    Media,
    MemoryJournal,
    MessageReceived,
    Money,
    OptedIn,
    OptedOut,
    PayloadError,
    Reason,
    Telnyx,
    Unrecognized,
    conversation_id,
)
from multigroup.codec import dump

OURS, OURS_TOO = "+12125550100", "+12125550199"
ANA, BEN, CLEO = PEOPLE = ("+14155550101", "+14155550102", "+14155550103")
RECEIVED = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
LEG, NEXT = (f"{'5e4d' * 8}.{place}" for place in (0, 1))
NOBODY: frozenset[str] = frozenset()
ACCOUNT = Telnyx(api_key="KEY")


def _parse(body: object, own: frozenset[str] = NOBODY) -> Sequence[Event]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ACCOUNT.parse(raw, own=own, received_at=RECEIVED)


def _one(body: object, own: frozenset[str] = NOBODY) -> Event:
    (event,) = _parse(body, own)
    return event


def _number(number: str, **more: Any) -> dict[str, Any]:
    return {"phone_number": number, "carrier": "T-MOBILE USA, INC.", **more}


def _event(kind: str, payload: dict[str, Any], **more: Any) -> dict[str, Any]:
    data = {
        "record_type": "event",
        "id": "event-1",
        "event_type": kind,
        "occurred_at": "2026-11-21T07:59:58.148+00:00",
        "payload": payload,
    }
    return {"data": data, **more}


def _reply(**payload: Any) -> dict[str, Any]:
    """Return a webhook of Ana's reply to a group of three and us."""
    return _event(
        "message.received",
        {
            "direction": "inbound",
            "id": "in-1",
            "type": "MMS",
            "from": _number(ANA, line_type="long_code"),
            "to": [_number(OURS, status="webhook_delivered")],
            "cc": [BEN, CLEO],
            "text": "I bring dessert",
            "media": [],
            **payload,
        },
    )


def _told(
    *to: object, kind: str = "message.finalized", **payload: Any
) -> dict[str, Any]:
    """Return a webhook of what became of copies of our message."""
    return _event(
        kind,
        {
            "direction": "outbound",
            "id": "m-1",
            "from": _number(OURS),
            "to": list(to),
            "text": "Dinner at 7?",
            "type": "MMS",
            **payload,
        },
    )


def _heard(body: object, own: frozenset[str] = NOBODY) -> MessageReceived:
    event = _one(body, own)
    assert isinstance(event, MessageReceived)
    return event


def _news(body: object) -> list[DeliveryUpdated]:
    events = [e for e in _parse(body) if isinstance(e, DeliveryUpdated)]
    assert len(events) == len(_parse(body))
    return events


ROSTERS: dict[str, dict[str, Any]] = {
    "cc as strings": {"cc": [BEN, CLEO]},
    "cc as objects": {"cc": [_number(BEN), _number(CLEO, status="")]},
    "cc strings with ours": {"cc": [BEN, OURS, CLEO]},
    "cc objects with ours": {"cc": [_number(OURS), _number(CLEO), _number(BEN)]},
    "everyone in to": {"to": [_number(OURS), _number(BEN), _number(CLEO)], "cc": []},
    "everyone in to and cc": {"to": [OURS, BEN, CLEO], "cc": [CLEO, OURS, BEN]},
    "sender in cc": {"cc": [ANA, BEN, CLEO]},
    "mixed": {"to": OURS, "cc": [BEN, _number(CLEO)]},
    "from as a string": {"from": ANA},
    "numbers as people write them": {
        "from": "4155550101",
        "cc": ["(415) 555-0102", CLEO],
    },
}


@pytest.mark.parametrize("own", [{OURS}, set()], ids=["known", "unknown"])
@pytest.mark.parametrize("written", ROSTERS)
def test_a_roster_means_the_same_however_it_is_written(
    written: str, own: set[str]
) -> None:
    """Every form gives one group, whether or not our own number is known."""
    event = _heard(_reply(**ROSTERS[written]), frozenset(own))

    assert event.sender == ANA
    assert event.line == OURS
    assert event.members == frozenset(PEOPLE)
    assert event.conversation == conversation_id(PEOPLE)


def test_our_number_need_not_come_first() -> None:
    """A known number of ours is the line wherever it stands in `to`."""
    event = _heard(_reply(to=[BEN, CLEO, OURS], cc=[]), frozenset({OURS}))

    assert event.line == OURS
    assert event.members == frozenset(PEOPLE)


def test_our_number_may_stand_in_cc_alone() -> None:
    """A known number of ours is the line even where `to` names only others."""
    event = _heard(_reply(to=[BEN], cc=[CLEO, OURS]), frozenset({OURS}))

    assert event.line == OURS
    assert event.members == frozenset(PEOPLE)


@pytest.mark.parametrize("alone", [{"cc": []}, {"cc": None}, {"cc": [OURS]}])
def test_a_message_to_us_alone_has_one_member(alone: dict[str, Any]) -> None:
    """A one-to-one message is the conversation of its sender."""
    event = _heard(_reply(**alone))

    assert event.line == OURS
    assert event.members == frozenset({ANA})
    assert event.conversation == conversation_id([ANA])


def test_to_may_be_a_plain_string() -> None:
    """Old payloads give the number that was texted without a list or an object."""
    event = _heard(_reply(to=OURS, cc=[]), frozenset({OURS}))

    assert (event.line, event.members) == (OURS, frozenset({ANA}))


@pytest.mark.parametrize(("to", "line"), [(OURS, OURS), (OURS_TOO, OURS_TOO)])
def test_none_of_our_numbers_is_a_member(to: str, line: str) -> None:
    """With two of ours in a group, the one in `to` is the line, none a member."""
    both = frozenset({OURS, OURS_TOO})

    event = _heard(_reply(to=[_number(to)], cc=[BEN, CLEO, OURS_TOO, OURS]), both)

    assert event.line == line
    assert event.members == frozenset(PEOPLE)
    assert event.conversation == conversation_id(PEOPLE)


def test_a_message_keeps_what_was_said() -> None:
    """Text, subject, ids, times and the body itself stand in the event."""
    body = _reply(subject="Dinner")

    event = _heard(body)

    assert (event.text, event.subject) == ("I bring dessert", "Dinner")
    assert (event.id, event.message_id) == ("event-1", "in-1")
    assert (event.provider, event.account) == ("telnyx", "telnyx")
    assert event.occurred_at == datetime(2026, 11, 21, 7, 59, 58, 148_000, UTC)
    assert event.received_at == RECEIVED
    assert event.raw == json.dumps(body).encode()


@pytest.mark.parametrize("nothing", [None, ""])
def test_empty_means_absent(nothing: str | None) -> None:
    """An empty subject is none, and a message without text has the empty text."""
    event = _heard(_reply(subject=nothing, text=nothing, media=nothing))

    assert (event.subject, event.text, event.media) == (None, "", ())


def test_an_event_belongs_to_the_account_it_came_by() -> None:
    """Two accounts at one carrier are told apart by the names they were given."""
    second = Telnyx(api_key="KEY", name="backup")

    (event,) = second.parse(
        json.dumps(_reply()).encode(), own=NOBODY, received_at=RECEIVED
    )

    assert (event.provider, event.account) == ("telnyx", "backup")


@pytest.mark.parametrize("hashed", ["sha256", "hash_sha256"])
def test_media_keep_address_type_size_and_hash(hashed: str) -> None:
    """The two names of the hash are one, and its length is not judged."""
    url = "https://media.example/a.jpg"
    item = {"url": url, "content_type": "image/jpeg", "size": 1024, hashed: "ab" * 16}

    assert _heard(_reply(media=[item])).media == (
        Media(url, "image/jpeg", 1024, "ab" * 16),
    )


def test_media_without_details_are_media_all_the_same() -> None:
    """Only the address is needed; an attachment without one is left out."""
    items = [
        {"url": "https://media.example/a", "content_type": None, "size": None},
        {"url": "", "content_type": "image/png"},
        {"url": "https://media.example/b", "size": "1024"},
    ]

    media = _heard(_reply(media=items)).media

    assert media == (
        Media("https://media.example/a"),
        Media("https://media.example/b"),
    )


@pytest.mark.parametrize(
    ("word", "kind"),
    [("STOP", OptedOut), ("START", OptedIn), ("stop", OptedOut)],
)
def test_a_keyword_is_an_event_of_its_own(
    word: str, kind: type[OptedOut | OptedIn]
) -> None:
    """STOP and START come as the message and as news of the member's consent."""
    message, news = _parse(_reply(text=word, autoresponse_type=word))

    assert isinstance(message, MessageReceived)
    assert isinstance(news, kind)
    assert (news.member, news.line) == (ANA, OURS)
    assert message.key != news.key
    assert news.raw == message.raw


@pytest.mark.parametrize("word", ["HELP", "", None, "STOPPED", ["STOP"]])
def test_other_autoresponses_change_no_consent(word: object) -> None:
    """HELP and words unknown are messages and nothing else."""
    assert _heard(_reply(autoresponse_type=word)).sender == ANA


@pytest.mark.parametrize(
    ("written", "second", "micro"),
    [
        ("2026-11-21T07:59:58Z", 58, 0),
        ("2026-11-21T07:59:58.574Z", 58, 574_000),
        ("2026-11-21T07:59:58.12Z", 58, 120_000),
        ("2026-11-21T07:59:58.129+00:00", 58, 129_000),
        ("2026-11-21T08:59:57.5+01:00", 57, 500_000),
        ("2026-11-21T07:59:56.123456789Z", 56, 123_456),
        ("2026-11-21T07:59:55", 55, 0),
    ],
)
def test_times_are_read_in_every_form(written: str, second: int, micro: int) -> None:
    """With Z, an offset or nothing, with any number of digits: one aware time."""
    body = _reply()
    body["data"]["occurred_at"] = written

    occurred = _heard(body).occurred_at

    assert occurred == datetime(2026, 11, 21, 7, 59, second, micro, UTC)
    assert occurred.utcoffset() is not None


@pytest.mark.parametrize("written", [None, "", "yesterday", 5, [], "2026-13-41"])
def test_without_a_time_the_moment_of_receipt_counts(written: object) -> None:
    """An event without a readable time happened, for us, when we heard of it."""
    body = _reply()
    body["data"]["occurred_at"] = written

    assert _heard(body).occurred_at == RECEIVED


STATUSES = {
    "queued": DeliveryStatus.QUEUED,
    "sending": DeliveryStatus.SENDING,
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "sending_failed": DeliveryStatus.FAILED,
    "delivery_failed": DeliveryStatus.FAILED,
    "failed": DeliveryStatus.FAILED,
    "gw_reject": DeliveryStatus.FAILED,
    "cancelled": DeliveryStatus.FAILED,
    "expired": DeliveryStatus.EXPIRED,
    "unknown": DeliveryStatus.UNCONFIRMED,
    "delivery_unconfirmed": DeliveryStatus.UNCONFIRMED,
    "dlr_unconfirmed": DeliveryStatus.UNCONFIRMED,
    "dlr_timeout": DeliveryStatus.UNCONFIRMED,
    "gw_timeout": DeliveryStatus.UNCONFIRMED,
}


@pytest.mark.parametrize(("word", "status"), STATUSES.items())
def test_every_status_word_has_its_meaning(word: str, status: DeliveryStatus) -> None:
    """The carrier's word is kept beside the status it stands for."""
    (event,) = _news(_told(_number(ANA, status=word)))

    assert (event.status, event.provider_status) == (status, word)
    assert (event.member, event.network) == (ANA, "T-MOBILE USA, INC.")
    assert event.id == "event-1"


def test_unknown_is_the_normal_end_beyond_their_network() -> None:
    """`unknown` is final, proves nothing and condemns nobody."""
    (event,) = _news(_told(_number(ANA, status="unknown")))

    assert event.status is DeliveryStatus.UNCONFIRMED
    assert event.status.final
    assert (event.reason, event.code, event.meaning) == (None, None, None)


def test_how_much_a_good_status_proves() -> None:
    """Sent is handed over, delivered is the carrier's word, queued proves nothing."""
    words = ("sent", "delivered", "queued")

    events = [_news(_told(_number(ANA, status=word)))[0] for word in words]

    assert [e.meaning for e in events] == [Meaning.HANDED_OVER, Meaning.CARRIER, None]


@pytest.mark.parametrize(
    "kind", ["message.sent", "message.finalized", "message.delivered", "message.read"]
)
def test_the_status_counts_and_not_the_event_type(kind: str) -> None:
    """Event types that no schema names are read by what they say of recipients."""
    (event,) = _news(_told(_number(ANA, status="sent"), kind=kind))

    assert event.status is DeliveryStatus.SENT


def test_one_webhook_may_tell_of_several_members() -> None:
    """Each recipient is an event of its own, each to be claimed apart."""
    events = _news(
        _told(_number(ANA, status="delivered"), _number(BEN, status="unknown"))
    )

    assert [(e.member, e.provider_status) for e in events] == [
        (ANA, "delivered"),
        (BEN, "unknown"),
    ]
    assert len({e.key for e in events}) == 2


def test_a_strange_status_does_not_hide_the_others() -> None:
    """A word in no table is one unrecognized event; its neighbours are read."""
    first, second, third = _parse(
        _told(
            _number(ANA, status="teleported"),
            _number(BEN, status="sent"),
            {"status": "sent"},
        )
    )

    assert isinstance(first, Unrecognized)
    assert "teleported" in first.why
    assert isinstance(second, DeliveryUpdated)
    assert isinstance(third, Unrecognized)
    assert len({event.key for event in (first, second, third)}) == 3


def test_an_error_concerns_the_member_it_points_at() -> None:
    """An error with a pointer is one member's; the other one has none."""
    error = {
        "code": "40300",
        "title": "Blocked",
        "source": {"pointer": "/to/1/phone_number"},
    }

    ana, ben = _news(
        _told(
            _number(ANA, status="delivered"),
            _number(BEN, status="sending_failed"),
            errors=[error],
        )
    )

    assert (ana.code, ana.reason, ana.detail) == (None, None, None)
    assert (ben.code, ben.reason) == ("40300", Reason.OPTED_OUT)
    assert ben.detail == "Blocked"


def test_pointers_are_read_whole() -> None:
    """Member 1 is not member 10: the error of one does not fall on the other."""
    error = {"code": "40006", "title": "x", "source": {"pointer": "/to/10"}}
    others = [_number(f"+141555501{n}", status="sent") for n in range(10, 21)]

    events = _news(_told(*others, errors=[error]))

    assert [e.code for e in events] == [None] * 10 + ["40006"]


@pytest.mark.parametrize(
    "source", [{}, {"source": {}}, {"source": None}, {"source": {"pointer": "/to"}}]
)
def test_an_error_that_points_at_nobody_concerns_all(source: dict[str, Any]) -> None:
    """Without a pointer an error is the whole message's."""
    error = {"code": 40008, "title": "Undeliverable", **source}

    events = _news(
        _told(
            _number(ANA, status="delivery_failed"),
            _number(BEN, status="delivery_failed"),
            errors=[error],
        )
    )

    assert [(e.code, e.reason) for e in events] == [("40008", Reason.UNREACHABLE)] * 2


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("40001", Reason.NOT_MOBILE),
        ("40003", Reason.SPAM),
        ("40005", Reason.EXPIRED),
        ("40014", Reason.EXPIRED),
        ("40010", Reason.REGISTRATION),
        ("40012", Reason.INVALID_NUMBER),
        ("40018", Reason.THROTTLED),
        ("49999", Reason.OTHER),
    ],
)
def test_a_code_gives_the_reason(code: str, reason: Reason) -> None:
    """Codes of a later failure have reasons; a code in no table is `other`."""
    errors = [{"code": code, "title": "No"}]

    (event,) = _news(_told(_number(ANA, status="delivery_failed"), errors=errors))

    assert (event.code, event.reason) == (code, reason)


def test_a_carriers_words_show_no_whole_number() -> None:
    """What the carrier says of a failure is kept with its numbers masked."""
    errors = [{"code": "40012", "title": f"{ANA} is not a number"}]

    (event,) = _news(_told(_number(ANA, status="delivery_failed"), errors=errors))

    assert event.detail is not None
    assert "is not a number" in event.detail
    assert ANA not in event.detail


def test_only_the_final_word_on_one_member_tells_a_price() -> None:
    """An event of several, or one before the end, holds a total or an estimate."""
    cost = {"amount": "0.0235", "currency": "USD"}
    ana, ben = (_number(one, status="sent") for one in (ANA, BEN))

    (final,) = _news(_told(ana, cost=cost))
    (early,) = _news(_told(ana, cost=cost, kind="message.sent"))
    several = _news(_told(ana, ben, cost=cost))
    (silent,) = _news(_told(ana, cost=None))

    assert final.cost == Money(Decimal("0.0235"), "USD")
    assert [e.cost for e in (early, *several, silent)] == [None] * 4


@pytest.mark.parametrize(
    ("webhook_url", "delivered_to", "token"),
    [
        (f"https://app.example/telnyx?leg={LEG}", None, LEG),
        (None, f"https://app.example/telnyx?leg={LEG}", LEG),
        ("", f"https://app.example/telnyx?a=1&leg={LEG}#top", LEG),
        ("https://app.example/profile", f"https://b.example/?leg={NEXT}", NEXT),
        (f"https://app.example/?leg={LEG}", f"https://b.example/?leg={NEXT}", LEG),
        ("https://app.example/telnyx", "https://app.example/telnyx", None),
        ("https://app.example/?leg=14155550101", None, None),
        (5, [f"https://app.example/telnyx?leg={LEG}"], None),
    ],
)
def test_our_token_comes_back_in_either_place(
    webhook_url: object, delivered_to: object, token: str | None
) -> None:
    """The message's own address names the leg, else the address that was called."""
    body = _told(_number(ANA, status="sent"), webhook_url=webhook_url)
    body["meta"] = {"attempt": 1, "delivered_to": delivered_to}

    assert _news(body)[0].token == token


def test_each_members_news_in_one_body_has_an_id_of_its_own() -> None:
    """Two answers to one webhook must not be taken for one; alone, the id is kept."""
    ana, ben = (_number(one, status="sent") for one in (ANA, BEN))

    assert [event.id for event in _news(_told(ana, ben))] == ["event-1/0", "event-1/1"]
    assert [event.id for event in _news(_told(ana))] == ["event-1"]


def test_a_size_that_is_none_is_not_told() -> None:
    """A number in the place of a file's size is no size."""
    media = [{"url": "https://m.example/1", "size": size} for size in (14155550101, -1)]

    heard = _heard(
        _event("message.received", {"from": ANA, "to": OURS, "media": media})
    )

    assert [item.size for item in heard.media] == [None, None]


@pytest.mark.parametrize("meta", [None, [], "meta"])
def test_the_envelopes_meta_may_be_missing(meta: object) -> None:
    """Group examples have no `meta`: news without it is news without a token."""
    body = {**_told(_number(ANA, status="sent")), "meta": meta}

    assert _news(body)[0].token is None


@pytest.mark.parametrize(
    ("group", "own", "message_id", "also"),
    [
        (None, "m-1", "m-1", ()),
        ("m-1", "m-1", "m-1", ()),
        ("g-1", "m-1", "g-1", ("m-1",)),
        ("g-1", None, "g-1", ()),
        ("", "m-1", "m-1", ()),
        (None, None, None, ()),
    ],
)
def test_a_message_goes_by_the_groups_id_and_its_own(
    group: str | None, own: str | None, message_id: str | None, also: tuple[str, ...]
) -> None:
    """The group's id comes first, as in the answer to the send; the other is kept."""
    (event,) = _news(_told(_number(ANA, status="sent"), group_message_id=group, id=own))

    assert (event.message_id, event.also_known_as) == (message_id, also)


def test_a_bare_group_example_is_enough() -> None:
    """The manual's shortest payload has neither errors, cost nor times."""
    payload = {
        "direction": "outbound",
        "from": {"phone_number": OURS},
        "group_message_id": "m-1",
        "id": "m-1",
        "to": [{"phone_number": ANA, "status": "delivered"}],
        "text": "Dinner at 7?",
        "type": "MMS",
    }
    body = {"data": {"event_type": "message.finalized", "payload": payload}}

    (event,) = _news(body)

    assert (event.member, event.message_id) == (ANA, "m-1")
    assert (event.network, event.cost, event.code) == (None, None, None)
    assert event.occurred_at == RECEIVED


def test_a_delivery_without_a_key_is_still_one_event() -> None:
    """Where the carrier gave no id, the same body has the same key again."""
    body = _told(_number(ANA, status="sent"))
    del body["data"]["id"]

    once, again = _one(body), _one(body)

    assert once.key == again.key
    assert once.key != _one({**body, "meta": {"attempt": 2}}).key


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": None},
        {"data": []},
        {"data": {"event_type": None}},
        {"data": {"event_type": ["message.received"]}},
        {"data": {"event_type": "message.received"}},
        {"data": {"event_type": "message.received", "payload": [1]}},
        {"data": {"event_type": "message.finalized", "payload": {}}},
        {"data": {"event_type": "link.clicked", "payload": {"to": [{}]}}},
        {"data": {"event_type": "call.initiated", "id": "event-9"}},
    ],
)
def test_news_that_we_cannot_read_is_kept(body: dict[str, Any]) -> None:
    """An event of another kind or shape is unrecognized, with its body whole."""
    event = _one(body)

    assert isinstance(event, Unrecognized)
    assert event.raw == json.dumps(body).encode()
    assert event.why
    assert event.id


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"x"', b"5", b"{", b"\xff\xfe", b"[" * 100_000, b"<html>"],
)
def test_what_is_no_json_object_is_a_payload_error(body: bytes) -> None:
    """A body that is not an object at all is refused, and refused in one way."""
    with pytest.raises(PayloadError):
        _parse(body)


def test_half_a_surrogate_pair_does_no_harm() -> None:
    """Text that cannot be encoded is mended before anybody has to store it."""
    body = json.dumps(_reply(text="oops")).replace("oops", "a\\ud83d!").encode()

    event = _heard(body)

    assert event.text.encode().startswith(b"a")
    assert event.text.endswith("!")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([OURS, ANA, "sent", "/to/0", "1" * 30, "+", "\ud800", "STOP"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["phone_number", "status", "url", "code", "amount", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
FIELDS = "from to cc text subject media id group_message_id cost errors webhook_url"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(["message.received", "message.finalized", "message.sent"]),
    payload=st.dictionaries(
        st.sampled_from([*FIELDS.split(), "autoresponse_type"]), JSON, max_size=5
    ),
    envelope=st.dictionaries(
        st.sampled_from(["id", "occurred_at", "event_type"]), JSON, max_size=1
    ),
    meta=JSON,
)
def test_hostile_types_never_break_the_reader(
    kind: str, payload: dict[str, Any], envelope: dict[str, Any], meta: object
) -> None:
    """Numbers for strings, lists for objects: still events, fit to show and store."""
    base = (
        _reply() if kind == "message.received" else _told(_number(ANA, status="sent"))
    )
    body = _event(kind, {**base["data"]["payload"], **payload}, meta=meta)
    body["data"].update(envelope)

    events = _parse(body, frozenset({OURS}))

    assert events
    assert json.dumps(dump(events[0])).encode()
    assert all(str(event.key) and repr(event) for event in events)
    assert MemoryJournal().store("default", events)


@pytest.mark.parametrize("data", [{}, {"event_type": ""}, {"event_type": ["a"]}, None])
def test_a_body_without_an_event_type_says_so(data: object) -> None:
    """The reason tells that there was no word, not that an empty one was odd."""
    event = _one({"data": data})

    assert isinstance(event, Unrecognized)
    assert event.why == "no event type"
