"""Bandwidth, inward: who may call, and what statuses and replies say in any form."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from multigroup import (
    Bandwidth,
    Client,
    ConfigError,
    DeliveryStatus,
    DeliveryUpdated,
    Event,
    Meaning,
    MemoryJournal,
    MessageReceived,
    OptedOut,
    PayloadError,
    Reason,
    Request,
    Scope,
    SignatureError,
    Unrecognized,
    conversation_id,
)
from multigroup.codec import dump
from multigroup.consent import wishes
from multigroup.providers.bandwidth.facts import CODES

OURS, OURS_TOO = "+12125550100", "+12125550199"
ANA, BEN, CLEO = PEOPLE = ("+14155550101", "+14155550102", "+14155550103")
RECEIVED = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
WHEN = datetime(2026, 11, 27, 7, 59, 58, tzinfo=UTC)
LEG = f"{'5e4d' * 8}.0"
NOBODY: frozenset[str] = frozenset()
NOW = 1_795_000_000.0
HOOK = ("hook-user", "hook-password")
IDS: dict[str, Any] = {"account_id": "9900000", "application_id": "app-of-ours"}
KEYS: dict[str, Any] = {**IDS, "client_id": "our-client", "client_secret": "our-secret"}
ACCOUNT = Bandwidth(**KEYS, callback_credentials=HOOK)
WITH_RECEIPTS = Bandwidth(**KEYS, mms_dlr=True)


def _parse(
    body: object, own: frozenset[str] = NOBODY, account: Bandwidth = ACCOUNT
) -> Sequence[Event]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return account.parse(raw, own=own, received_at=RECEIVED)


def _one(
    body: object, own: frozenset[str] = NOBODY, account: Bandwidth = ACCOUNT
) -> Event:
    (event,) = _parse(body, own, account)
    return event


def _reply(line: str = OURS, **fields: Any) -> dict[str, Any]:
    """Return the event of Ana's message to Ben, Cleo and our number *line*."""
    message = {
        "id": "in-1",
        "owner": line,
        "applicationId": "app-of-ours",
        "time": "2026-11-27T07:59:57Z",
        "segmentCount": 1,
        "direction": "in",
        "to": [BEN, line, CLEO],
        "from": ANA,
        "text": "I bring dessert",
        **fields,
    }
    about = {"type": "message-received", "description": "Incoming message received"}
    return {**about, "time": "2026-11-27T07:59:58Z", "to": line, "message": message}


def _status(
    word: object = "message-delivered", of: object = ANA, **fields: Any
) -> dict[str, Any]:
    """Return a status event of the copy of *of*; *fields* are the message's."""
    message = {
        "id": "m-1",
        "owner": OURS,
        "time": "2026-11-27T07:59:50Z",
        "segmentCount": 1,
        "direction": "out",
        "to": [*PEOPLE],
        "from": OURS,
        "text": "",
        "tag": LEG,
        **fields,
    }
    return {
        "type": word,
        "time": "2026-11-27T07:59:58Z",
        "description": "ok",
        "to": of,
        "message": message,
    }


def _failed(code: object, **more: Any) -> dict[str, Any]:
    return {**_status("message-failed"), "errorCode": code, **more}


def _heard(body: object, own: frozenset[str] = NOBODY) -> MessageReceived:
    event = _one(body, own)
    assert isinstance(event, MessageReceived)
    return event


def _news(body: object, account: Bandwidth = ACCOUNT) -> DeliveryUpdated:
    event = _one(body, account=account)
    assert isinstance(event, DeliveryUpdated)
    return event


def _called(header: str | bytes | None) -> Request:
    fields = [] if header is None else [("Authorization", header)]
    return Request("POST", "https://app.example/bandwidth", fields, b"[]")


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _refused(header: str | bytes | None) -> int:
    with pytest.raises(SignatureError) as caught:
        ACCOUNT.verify(_called(header), NOW)
    assert "hook-" not in str(caught.value)
    return caught.value.status


def test_a_webhook_with_our_user_and_password_passes() -> None:
    """Basic credentials are all there is to check: neither body nor age is signed."""
    ACCOUNT.verify(_called(_basic(*HOOK)), NOW)
    ACCOUNT.verify(_called(_basic(*HOOK).encode()), 0.0)

    auth = ACCOUNT.capabilities.webhook_auth
    assert (auth.binds_body, auth.has_freshness) == (False, False)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic ",
        _basic("", ""),
        _basic("hook-user", ""),
        _basic("", "hook-password"),
        _basic("hook-user", "hook-passwor"),
        _basic("hook-user", "hook-password "),
        _basic("Hook-user", "hook-password"),
        _basic("our-client", "our-secret"),
        _basic(*HOOK).replace("Basic", "Bearer"),
        _basic(*HOOK)[:-1],
        _basic(*HOOK) + ", " + _basic(*HOOK),
        _basic(*HOOK).replace(" ", ""),
        "Basic " + "A" * 200_000,
        "Basic \ud800",
        "Basic \x00",
        b"Basic \xff\xfe",
        "hook-user:hook-password",
    ],
    ids=range(20),
)
def test_anything_else_is_a_forgery(header: str | bytes | None) -> None:
    """Without our user and password whole, a webhook is answered 401 and not read."""
    assert _refused(header) == 401


def test_each_of_several_pairs_holds() -> None:
    """Inbound and outbound callbacks may have credentials of their own."""
    other = ("other-user", "p:w")
    given: dict[str, Any] = {**KEYS, "callback_credentials": [HOOK, other]}
    account = Bandwidth(**given)

    for pair in (HOOK, other):
        account.verify(_called(_basic(*pair)), NOW)
    with pytest.raises(SignatureError):
        account.verify(_called(_basic("other-user", "hook-password")), NOW)


@pytest.mark.parametrize("given", [None, (), []])
def test_an_account_without_callback_credentials_verifies_nothing(given: Any) -> None:
    """Without any every webhook is a setting to mend, never a pass."""
    account = Bandwidth(**KEYS, callback_credentials=given)

    for header in (None, _basic("", ""), _basic(*HOOK)):
        with pytest.raises(ConfigError, match="callback_credentials"):
            account.verify(_called(header), NOW)


@pytest.mark.parametrize(
    "given",
    [
        ("u", ""),
        ("", "p"),
        ("u:v", "p"),
        [("u", "p"), ("u", "")],
        ["u:p"],
        "u:p",
        [("u", "p", "q")],
        [("u", 7)],
        [7],
        ("u", "\ud800"),
    ],
)
def test_callback_credentials_that_are_no_pair_are_refused(given: Any) -> None:
    """Anybody could call with an empty password, so none is accepted."""
    with pytest.raises(ConfigError, match="callback_credentials") as caught:
        Bandwidth(**KEYS, callback_credentials=given)

    assert "u:p" not in str(caught.value)


def test_a_webhook_is_read_only_with_the_password() -> None:
    """A client takes it in once; without the password it is not even stored."""
    with Client(lines=[ACCOUNT.line(OURS)], clock=lambda: NOW) as client:
        body = json.dumps([_reply()]).encode()
        genuine = Request("POST", "/bandwidth", {"authorization": _basic(*HOOK)}, body)
        with pytest.raises(SignatureError):
            client.receive("bandwidth", Request("POST", "/bandwidth", {}, body))
        first, again = (client.receive("bandwidth", genuine) for _ in range(2))

    assert [type(event) for event in first.events] == [MessageReceived]
    assert (len(again.events), len(again.duplicates)) == (0, 1)


@pytest.mark.parametrize("own", [{OURS}, set()], ids=["known", "unknown"])
@pytest.mark.parametrize("listed", [True, False], ids=["list", "alone"])
def test_a_reply_is_of_the_sender_and_of_those_it_went_to(
    own: set[str], *, listed: bool
) -> None:
    """The group is `from` and `to` without our number, in a list or as one object."""
    body = [_reply()] if listed else _reply()

    event = _heard(body, frozenset(own))

    assert (event.sender, event.line) == (ANA, OURS)
    assert event.members == frozenset(PEOPLE)
    assert event.conversation == conversation_id(PEOPLE)


def test_a_reply_keeps_what_was_said() -> None:
    """Text, ids, times and the whole body stand in the event."""
    body = [_reply(media=["https://messaging.bandwidth.com/m/1.jpg", "", None, 7])]

    event = _heard(body)

    assert event.text == "I bring dessert"
    assert (event.id, event.message_id) == ("in-1", "in-1")
    assert (event.provider, event.account) == ("bandwidth", "bandwidth")
    assert (event.subject, event.provider_thread) == (None, None)
    assert [item.url for item in event.media][:1] == [body[0]["message"]["media"][0]]
    assert (event.occurred_at, event.received_at) == (WHEN, RECEIVED)
    assert event.raw == json.dumps(body).encode()


def test_two_of_our_numbers_get_a_copy_each_of_one_conversation() -> None:
    """Each copy has its own id and line; the members are the same in both."""
    both = [OURS, OURS_TOO]
    copies = [_reply(one, id=f"in-{one}", to=[BEN, *both, CLEO]) for one in both]

    first, second = _parse(copies, frozenset(both))

    assert isinstance(first, MessageReceived)
    assert isinstance(second, MessageReceived)
    assert [first.line, second.line] == both
    assert first.conversation == second.conversation == conversation_id(PEOPLE)
    assert first.key != second.key


@pytest.mark.parametrize("owner", [None, "", [], BEN, "+19995550100"])
def test_without_an_owner_of_ours_the_line_is_who_it_went_to(owner: object) -> None:
    """What we know to be ours counts for more than what the event says of itself."""
    assert _heard(_reply(owner=owner), frozenset({OURS})).line == OURS


def test_a_message_to_us_alone_has_one_member() -> None:
    """An ordinary text is the conversation of its sender."""
    event = _heard(_reply(to=[OURS]))

    assert event.members == frozenset({ANA})
    assert event.conversation == conversation_id([ANA])


def test_a_group_beyond_what_may_be_answered_is_read_whole() -> None:
    """More than ten may be in a group that writes to us."""
    many = [f"+141555501{n:02}" for n in range(10, 30)]

    event = _heard(_reply(to=[OURS, *many]))

    assert event.members == frozenset({ANA, *many})


def test_a_foreign_sender_and_a_short_code_are_kept_as_received() -> None:
    """A sender outside +1 loses no message."""
    for sender in ("+447700900123", "28228"):
        fields: dict[str, Any] = {"to": [OURS], "from": sender}
        event = _heard(_reply(**fields))
        assert (event.sender, event.members) == (sender, frozenset({sender}))


@pytest.mark.parametrize("sender", [None, "", [], {}, True])
def test_a_message_from_nobody_is_kept_unread(sender: object) -> None:
    """Without a sender there is no conversation; the body stays."""
    fields: dict[str, Any] = {"from": sender}
    event = _one(_reply(**fields))

    assert isinstance(event, Unrecognized)
    assert event.id == "in-1"


@pytest.mark.parametrize("written", [None, "", "now", 1_795_000_000_000, {}])
def test_without_a_time_the_messages_own_counts(written: object) -> None:
    """Then that of receipt, if there is none at all."""
    of_message = {**_reply(), "time": None}
    assert _heard(of_message).occurred_at.second == 57
    assert _heard({**_reply(time=written), "time": written}).occurred_at == RECEIVED


SENT, DELIVERED = DeliveryStatus.SENT, DeliveryStatus.DELIVERED
WORDS = [
    ("message-sending", DeliveryStatus.SENDING, None),
    ("message-sent", SENT, Meaning.HANDED_OVER),
    ("message-read", DELIVERED, Meaning.HANDSET),
    ("message-failed", DeliveryStatus.FAILED, None),
]


@pytest.mark.parametrize(
    ("word", "status", "meaning"),
    [*WORDS, ("message-delivered", SENT, Meaning.HANDED_OVER)],
)
def test_every_status_word_has_its_meaning(
    word: str, status: DeliveryStatus, meaning: Meaning | None
) -> None:
    """A status is one member's; without MMS receipts nothing is proof of delivery."""
    event = _news([{**_status(word), "carrierName": "T-Mobile"}])

    assert (event.status, event.provider_status) == (status, word)
    assert event.meaning == meaning
    assert (event.member, event.message_id) == (ANA, "m-1")
    assert (event.token, event.network) == (LEG, "T-Mobile")
    assert (event.cost, event.occurred_at) == (None, WHEN)


@pytest.mark.parametrize(
    ("word", "status", "meaning"),
    [*WORDS, ("message-delivered", DELIVERED, Meaning.CARRIER)],
)
def test_receipts_switched_on_make_delivered_true(
    word: str, status: DeliveryStatus, meaning: Meaning | None
) -> None:
    """With MMS receipts the next carrier says so, and all other words stay."""
    event = _news([_status(word)], WITH_RECEIPTS)

    assert (event.status, event.meaning) == (status, meaning)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"to": [ANA]}, DELIVERED),
        ({"to": ANA, "media": []}, DELIVERED),
        ({"to": [ANA], "media": ["https://files.example/a.jpg"]}, SENT),
        ({"to": [ANA, BEN]}, SENT),
        ({"to": []}, SENT),
        ({"to": None}, SENT),
    ],
)
def test_a_plain_text_to_one_gets_real_receipts(
    fields: dict[str, Any], status: DeliveryStatus
) -> None:
    """One recipient and no file is an SMS; what is not surely one is no proof."""
    assert _news(_status(**fields)).status is status


@pytest.mark.parametrize("code", CODES)
def test_a_failure_says_why(code: str) -> None:
    """Each documented code has a reason and a scope, as a number or as a string."""
    for written in (int(code), code):
        event = _news(_failed(written))
        ruling = CODES[code]
        assert (event.code, event.reason, event.scope) == (
            code,
            ruling.reason,
            ruling.scope,
        )
        expired = ruling.reason is Reason.EXPIRED
        assert event.status.value == ("expired" if expired else "failed")
        assert event.detail == "ok"


def test_a_receipt_that_never_came_is_no_failure() -> None:
    """Code 9902 says that nobody knows: neither delivered nor failed, and final."""
    event = _news(_failed(9902), WITH_RECEIPTS)

    assert event.status is DeliveryStatus.UNCONFIRMED
    assert (event.code, event.reason, event.scope) == ("9902", None, None)


def test_an_opt_out_blocks_the_member_it_is_about() -> None:
    """4775 is one member's STOP, and holds for nobody else of the group."""
    event = _news({**_failed(4775), "to": BEN})

    assert (event.reason, event.scope) == (Reason.OPTED_OUT, Scope.MEMBER)
    assert [(wish.subject, wish.blocked) for wish in wishes(event)] == [(BEN, True)]


@pytest.mark.parametrize("code", [4999, "7", 10**30, "a sentence of Ana's", 1.5])
def test_an_unknown_code_is_a_failure_of_unknown_reach(code: object) -> None:
    """Its reason is `other`, and no sentence is taken for a code."""
    event = _news(_failed(code))

    assert (event.status, event.reason) == (DeliveryStatus.FAILED, Reason.OTHER)
    assert event.scope is None
    assert "Ana" not in repr(event)


def test_the_carriers_words_show_no_whole_number() -> None:
    """A failure's words are kept with the numbers in them masked."""
    event = _news(_failed(4720, description=f"{ANA} is odd"))

    assert event.detail is not None
    assert event.detail.endswith("is odd")
    assert ANA not in event.detail


def test_each_members_news_is_an_event_of_its_own() -> None:
    """One id for the group: the place of the member in it tells the events apart."""
    events = _parse([_status(of=one) for one in PEOPLE])
    again = _parse([_status(of=one) for one in reversed(PEOPLE)])

    assert len({event.id for event in events}) == 3
    assert {event.key for event in events} == {event.key for event in again}
    assert not any(one in event.id for one in PEOPLE for event in events)
    assert _news(_status("message-sending")).key != _news(_status()).key
    assert _news(_status(id="m-2")).key != _news(_status()).key


def test_a_failure_of_another_code_is_other_news() -> None:
    """What became of a receipt that had not come in time may yet be told."""
    late, later = _news(_failed(9902)), _news(_failed(4720))

    assert late.key != later.key
    assert later.key == _news(_failed("4720")).key


def test_an_event_that_comes_twice_in_a_body_is_one() -> None:
    """A repeated entry is the same news, and a repeated body too."""
    assert len(_parse([_status(), _status(), _reply(), _reply()])) == 2
    assert _parse([_status()])[0].key == _parse([_status(), _reply()])[0].key


def test_news_without_a_message_id_are_told_apart_by_their_place() -> None:
    """Two of them in one body are two, and the same two when it comes again."""
    body = [_status(id=None), _status(id=None), _status(of="+14155550120")]

    first, second = _parse(body), _parse(body)

    assert len({event.id for event in first}) == 3
    assert first == second


def test_an_event_about_several_is_read_as_several() -> None:
    """Should a status ever name a list, it is news of each."""
    events = _parse(_status(of=[ANA, BEN, "+14155550120", "+14155550121"]))

    told = [event.member for event in events if isinstance(event, DeliveryUpdated)]
    assert told == [ANA, BEN, "+14155550120", "+14155550121"]
    assert len({event.id for event in events}) == 4


@pytest.mark.parametrize("to", [None, "", {}, [], [{}], True])
def test_a_status_of_nobody_named_is_still_news(to: object) -> None:
    """The token proves that the leg was taken; of a group of one it is that one's."""
    of_three, of_one = _news(_status(of=to)), _news({**_status(to=[ANA]), "to": to})

    assert (of_three.member, of_three.token) == (None, LEG)
    assert of_one.member == ANA


@pytest.mark.parametrize(
    "tag", ["Dinner with Ana", "14155550101", LEG[:-2], f"{LEG}\n", "", None, 5, [LEG]]
)
def test_another_programs_tag_is_no_token(tag: object) -> None:
    """Other programs use the same account; only the form of our leg keys is ours."""
    event = _news(_status(tag=tag))

    assert event.token is None
    assert "Dinner" not in repr(event)


def test_an_owner_that_is_the_recipient_changes_nothing() -> None:
    """The manual's own examples have it both ways in outbound events."""
    assert _news(_status(owner=ANA)) != _news(_status())
    assert _news(_status(owner=ANA)).key == _news(_status()).key
    assert _news(_status(owner=ANA)).member == ANA


@pytest.mark.parametrize(
    "word", ["message-teleported", "", None, 5, ["message-sent"], "MESSAGE-SENT"]
)
def test_a_strange_word_is_kept_unread(word: object) -> None:
    """A word in no table is an unrecognized event with the body whole."""
    body = [_status(word)]

    event = _one(body)

    assert isinstance(event, Unrecognized)
    assert event.raw == json.dumps(body).encode()
    assert "event type" in event.why


def test_strange_words_of_two_members_are_two_events() -> None:
    """They are told apart as other news is."""
    events = _parse([_status("message-teleported", of=one) for one in (ANA, BEN)])

    assert len({event.id for event in events}) == 2


@pytest.mark.parametrize(
    "body",
    [{}, [{}], [{}, {}, 7, None], {"message": {}}, {"type": "message-received"}],
)
def test_what_names_nothing_is_kept_as_one_event(body: object) -> None:
    """However many entries say nothing, there is one event, with an id."""
    event = _one(body)

    assert isinstance(event, Unrecognized)
    assert event.id
    assert event.why


def test_what_can_be_read_is_read_beside_what_cannot() -> None:
    """A broken entry loses no other."""
    events = _parse([7, _reply(), {"type": "x"}, _status()])

    kinds = [type(event).__name__ for event in events]
    assert kinds == ["Unrecognized", "MessageReceived", "DeliveryUpdated"]


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"[[]]", b"[1]", b'"x"', b"[", b"\xff", b"[" * 100_000],
    ids=range(9),
)
def test_what_holds_no_object_is_a_payload_error(body: bytes) -> None:
    """A body without any event is refused, and refused in one way."""
    with pytest.raises(PayloadError):
        _parse(body)


def test_a_body_of_many_entries_is_read_in_a_moment() -> None:
    """Neither thousands of entries nor thousands of numbers take their square."""
    many = [f"+1415555{n:04}" for n in range(5000)]

    assert len(_parse([{}] * 100_000)) == 1
    assert len(_parse(_status("message-sent", of=many, to=many))) == 5000


def test_a_stop_in_plain_words_is_an_opt_out() -> None:
    """Bandwidth answers no STOP itself: the words are read here."""
    with Client(lines=[ACCOUNT.line(OURS)], clock=lambda: NOW) as client:
        body = json.dumps([_reply(text="Stop")]).encode()
        reception = client.receive(
            "bandwidth",
            Request("POST", "/bandwidth", {"authorization": _basic(*HOOK)}, body),
        )

    (out,) = [event for event in reception.events if isinstance(event, OptedOut)]
    assert (out.member, out.line) == (ANA, OURS)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([OURS, ANA, "message-sent", "4775", "1" * 30, "+", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["to", "id", "from", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = ("id", "to", "from", "owner", "time", "text", "media", "tag")
ABOUT = ("type", "time", "to", "errorCode", "description", "carrierName", "message")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    base=st.sampled_from([_status("message-failed"), _reply()]),
    fields=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4),
    about=st.dictionaries(st.sampled_from(ABOUT), JSON, max_size=3),
)
def test_hostile_types_never_break_the_reader(
    base: dict[str, Any], fields: dict[str, Any], about: dict[str, Any]
) -> None:
    """Numbers for strings, lists for objects: still events, fit to show and store."""
    entry = {**base, "message": {**base["message"], **fields}, **about}

    events = _parse([entry, entry], frozenset({OURS}))

    assert events
    assert len({(type(event), event.id) for event in events}) == len(events)
    for event in events:
        assert json.dumps(dump(event)).encode()
        assert str(event.key)
        assert repr(event)
    assert MemoryJournal().store("default", events)
