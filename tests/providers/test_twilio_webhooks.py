"""Twilio, inward: what a form says, whom it leaves out, and who may have posted it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from multigroup import (
    ConfigError,
    DeliveryStatus,
    DeliveryUpdated,
    Event,
    Meaning,
    MessageReceived,
    Number,
    OptedIn,
    OptedOut,
    PayloadError,
    Reason,
    Scope,
    SignatureError,
    Twilio,
    Unrecognized,
    conversation_id,
    normalize,
)
from multigroup.effects import Exchange
from multigroup.wire import Failure, Reply, Request, Response
from tests.helpers.player import ANA, BEN, CLEO, START, Player

OURS: Final = Number("+12125550100")
OWN: Final = frozenset({OURS})
NOW: Final = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
GROUP, MESSAGE = "CH" + "1" * 32, "IM" + "3" * 32
PERSON, RECEIPT = "MB" + "4" * 32, "DY" + "6" * 32
SERVICE: Final = "IS" + "7" * 32
TOKEN: Final = f"{'5e' * 16}.0"
SIDS: Final[dict[str, Any]] = {
    "account_sid": "AC" + "a" * 32,
    "messaging_service_sid": "MG" + "5" * 32,
}
ACCOUNT: Final = Twilio(auth_token="token", **SIDS)
CLASSIC: Final = Twilio(auth_token="token", inbound="classic", **SIDS)
URL: Final = "https://app.example.com/hooks/twilio"


def _added(**more: str | None) -> dict[str, str]:
    """Return the form of a message that a handset wrote to a conversation."""
    given: dict[str, str | None] = {
        "EventType": "onMessageAdded",
        "ConversationSid": GROUP,
        "ChatServiceSid": SERVICE,
        "MessageSid": MESSAGE,
        "ParticipantSid": PERSON,
        "Author": ANA,
        "Body": "I bring dessert",
        "Source": "SMS",
        "Attributes": "{}",
        "DateCreated": "2026-11-27T07:59:00.500Z",
        "RetryCount": "0",
        **more,
    }
    return {name: value for name, value in given.items() if value is not None}


def _delivered(**more: str | None) -> dict[str, str]:
    """Return the form of one participant's receipt."""
    given: dict[str, str | None] = {
        "EventType": "onDeliveryUpdated",
        "ConversationSid": GROUP,
        "MessageSid": MESSAGE,
        "ParticipantSid": PERSON,
        "DeliveryReceiptSid": RECEIPT,
        "ChannelMessageSid": "SM" + "8" * 32,
        "Status": "delivered",
        "DateUpdated": "2026-11-27T07:59:30.000Z",
        **more,
    }
    return {name: value for name, value in given.items() if value is not None}


def _classic(**more: str | None) -> dict[str, str]:
    """Return the form of a message by the classic hook."""
    given: dict[str, str | None] = {
        "MessageSid": "MM" + "9" * 32,
        "From": ANA,
        "To": OURS,
        "OtherRecipients0": BEN,
        "OtherRecipients1": CLEO,
        "Body": "I bring dessert",
        "NumMedia": "0",
        **more,
    }
    return {name: value for name, value in given.items() if value is not None}


def _events(form: dict[str, str], account: Twilio = ACCOUNT) -> Sequence[Event]:
    body = urlencode(form).encode()
    return account.parse(body, own=OWN, received_at=NOW)


def _message(form: dict[str, str], account: Twilio = ACCOUNT) -> MessageReceived:
    (event,) = _events(form, account)
    assert isinstance(event, MessageReceived)
    return event


def _update(form: dict[str, str]) -> DeliveryUpdated:
    (event,) = _events(form)
    assert isinstance(event, DeliveryUpdated)
    return event


def _strange(form: dict[str, str], account: Twilio = ACCOUNT) -> str:
    (event,) = _events(form, account)
    assert isinstance(event, Unrecognized)
    return event.why


def test_a_conversations_hook_tells_who_wrote_and_what() -> None:
    """And the conversation's id; it does not tell who else is in it."""
    event = _message(_added())

    assert (event.sender, event.text) == (ANA, "I bring dessert")
    assert (event.id, event.message_id) == (MESSAGE, MESSAGE)
    assert event.provider_thread == GROUP
    assert (event.members, event.conversation, event.line) == (None, None, None)
    assert event.occurred_at == datetime(2026, 11, 27, 7, 59, 0, 500_000, UTC)
    assert event.raw == urlencode(_added()).encode()


def test_the_files_of_a_message_are_listed() -> None:
    """By the address that the account's credentials open, with type and size."""
    files = [
        {"Sid": "ME1", "ContentType": "image/jpeg", "Size": 42, "Filename": "a.jpg"},
        {"Sid": "ME2", "ContentType": "text/vcard", "Size": "much"},
        {"ContentType": "image/png"},
        {"Sid": "../../evil"},
        7,
    ]

    event = _message(_added(Media=json.dumps(files), Body=None))

    first, second = event.media
    assert first.url == f"https://mcs.us1.twilio.com/v1/Services/{SERVICE}/Media/ME1"
    assert (first.content_type, first.size) == ("image/jpeg", 42)
    assert (second.content_type, second.size) == ("text/vcard", None)
    assert event.text == ""


@pytest.mark.parametrize("media", ["", "{", "[[[", "null", "7", '"ME1"'])
def test_files_that_cannot_be_read_lose_no_message(media: str) -> None:
    """What was said arrives, whatever stands where the files should be."""
    event = _message(_added(Media=media))

    assert (event.text, event.media) == ("I bring dessert", ())


def test_our_own_message_comes_back_with_our_token() -> None:
    """The webhook of a message of ours proves it taken, and names its leg."""
    attributes = json.dumps({"leg": TOKEN})

    event = _update(_added(Source="API", Author=OURS, Attributes=attributes))

    assert (event.token, event.message_id) == (TOKEN, MESSAGE)
    assert (event.status, event.member) == (DeliveryStatus.ACCEPTED, None)
    assert event.id == f"{MESSAGE}:accepted"


@pytest.mark.parametrize(
    "more",
    [
        {"Source": "API", "Attributes": "{}"},
        {"Source": "SDK", "Attributes": None},
        {"Source": "API", "Attributes": '{"leg":"somebody else\'s"}'},
        {"Source": "API", "Attributes": "[[["},
        {"Source": "SMS", "Author": OURS},
    ],
    ids=["bare", "sdk", "another token", "odd", "our number"],
)
def test_another_programs_message_is_no_members(more: dict[str, str | None]) -> None:
    """Nobody in the group wrote it, and no leg of ours is proven by it."""
    assert "another program" in _strange(_added(**more))


def test_a_receipt_tells_of_one_participant() -> None:
    """Status, ids and time; whose copy it is the participant's id alone says."""
    event = _update(_delivered())

    assert event.status is DeliveryStatus.DELIVERED
    assert event.meaning is Meaning.CARRIER
    assert (event.message_id, event.participant) == (MESSAGE, PERSON)
    assert event.also_known_as == ("SM" + "8" * 32,)
    assert (event.id, event.member) == (f"{RECEIPT}:delivered", None)
    assert event.occurred_at == datetime(2026, 11, 27, 7, 59, 30, tzinfo=UTC)


def test_each_state_of_a_receipt_is_an_event_of_its_own() -> None:
    """And the same state told twice is one, also where it has no id of its own."""
    words = ("sent", "delivered", "sent")
    for more in ({}, {"DeliveryReceiptSid": None}):
        ids = [_update(_delivered(Status=word, **more)).id for word in words]
        assert ids[0] == ids[2] != ids[1]


def test_a_failed_copy_says_why() -> None:
    """21610 is a STOP: that member's copy failed, for a reason that is theirs."""
    event = _update(_delivered(Status="failed", ErrorCode="21610"))

    assert event.status is DeliveryStatus.FAILED
    assert (event.code, event.reason, event.scope) == (
        "21610",
        Reason.OPTED_OUT,
        Scope.MEMBER,
    )


@pytest.mark.parametrize("code", ["99999", f"call {ANA}"])
def test_an_unknown_code_is_a_reason_of_another_kind(code: str) -> None:
    """It is shown if it is a code, and only measured if it is a sentence."""
    event = _update(_delivered(Status="undelivered", ErrorCode=code))

    assert (event.reason, event.scope) == (Reason.OTHER, None)
    assert ANA not in (event.code or "")


@pytest.mark.parametrize(
    "form",
    [
        _delivered(Status="teleported"),
        _delivered(Status=None),
        {"EventType": "onConversationStateUpdated", "StateTo": "inactive"},
        {"EventType": "onBirthday"},
        _added(Author=None),
        {"From": ANA, "MessageSid": "SM1"},
        {"MessageStatus": "sent", "From": OURS, "To": ANA, "MessageSid": "SM1"},
        {"Hello": "there"},
    ],
    ids=["word", "no word", "state", "type", "author", "to", "status", "nothing"],
)
def test_what_is_not_known_is_kept_as_unrecognized(form: dict[str, str]) -> None:
    """A new word, a missing field, a hook of another kind: an event, and no error."""
    for account in (ACCOUNT, CLASSIC):
        assert _strange(form, account)


def test_the_classic_hook_names_everybody() -> None:
    """From, To and the other recipients: everyone but us is a member."""
    event = _message(_classic(), CLASSIC)

    assert event.members == frozenset({ANA, BEN, CLEO})
    assert event.conversation == conversation_id([ANA, BEN, CLEO])
    assert (event.line, event.sender, event.text) == (OURS, ANA, "I bring dessert")


def test_a_number_of_ours_among_the_others_is_no_member() -> None:
    """Two lines of ours in one group leave the people as they are."""
    event = _message(_classic(OtherRecipients1=OURS), CLASSIC)

    assert event.members == frozenset({ANA, BEN})


@pytest.mark.parametrize(
    ("more", "members"),
    [
        ({"MessageSid": "SM1"}, {ANA}),
        ({"MessageSid": "MM1", "NumMedia": "1"}, {ANA}),
        ({"MessageSid": "MM1"}, None),
    ],
    ids=["SMS", "picture", "text by MMS"],
)
def test_without_the_others_it_is_a_pair_or_unknown(
    more: dict[str, str], members: set[Number] | None
) -> None:
    """A plain text comes as an MMS only to a group: then somebody was left out."""
    alone = {"OtherRecipients0": None, "OtherRecipients1": None}

    assert _message(_classic(**alone, **more), CLASSIC).members == members


def test_the_classic_hooks_files_have_addresses() -> None:
    """Each with its type, in their order."""
    event = _message(
        _classic(
            NumMedia="2",
            MediaUrl0="https://api.example/0",
            MediaContentType0="image/png",
            MediaUrl1="https://api.example/1",
        ),
        CLASSIC,
    )

    assert [(item.url[-1], item.content_type) for item in event.media] == [
        ("0", "image/png"),
        ("1", None),
    ]


@pytest.mark.parametrize(("word", "kind"), [("STOP", OptedOut), ("START", OptedIn)])
def test_the_carriers_own_opt_out_is_told(
    word: str, kind: type[OptedOut | OptedIn]
) -> None:
    """With Advanced Opt-Out the carrier says itself how it took the word."""
    message, wish = _events(_classic(Body="ya basta", OptOutType=word), CLASSIC)

    assert isinstance(message, MessageReceived)
    assert isinstance(wish, kind)
    assert (wish.member, wish.line) == (ANA, OURS)


def test_an_opt_out_is_told_whatever_the_hook_of_messages() -> None:
    """The carrier blocks that member now, and only the classic hook says so."""
    (wish,) = _events(_classic(Body="ya basta", OptOutType="STOP"))

    assert isinstance(wish, OptedOut)
    assert (wish.member, wish.line) == (ANA, OURS)


def test_messages_are_taken_from_one_hook_only() -> None:
    """Each message comes by both, with no id in common; deliveries come by one."""
    assert "inbound='conversations'" in _strange(_classic())
    assert "inbound='classic'" in _strange(_added(), CLASSIC)
    assert _events(_delivered(), CLASSIC) == _events(_delivered())


def test_normalize_reads_forms_and_json_by_either_hook() -> None:
    """Somebody else verified them; a form and its JSON say the same."""
    for form in (_added(), _classic(), _delivered()):
        by_form = normalize("twilio", urlencode(form).encode(), own=OWN)
        by_json = normalize("twilio", json.dumps(form).encode(), own=OWN)
        assert [type(e) for e in by_form] == [type(e) for e in by_json]
        assert by_form[0].key == by_json[0].key
        assert not isinstance(by_form[0], Unrecognized)


@pytest.mark.parametrize("body", [b"", b"[]", b"hello", b"\xff\xfe", b'"a=b"'])
def test_what_is_no_form_at_all_is_refused(body: bytes) -> None:
    """Only then is there no event: it is not the carrier's."""
    with pytest.raises(PayloadError):
        ACCOUNT.parse(body, own=OWN, received_at=NOW)


def _people(*bindings: dict[str, str] | None) -> Response:
    entries = [
        {"sid": PERSON if n == 0 else f"MB{n}", "messaging_binding": binding}
        for n, binding in enumerate(bindings)
    ]
    return Response(200, {}, json.dumps({"participants": entries}).encode())


THREE: Final = _people(
    {"address": ANA}, {"address": BEN}, {"projected_address": OURS}, None
)


def _completed(
    event: Event, *replies: Reply, account: Twilio | None = None
) -> tuple[Player, Event]:
    player = Player(replies)
    account = account or Twilio(auth_token="token", **SIDS)
    return player, player.play(account.completed(event, own=OWN, now=START))


def test_a_message_is_completed_by_one_look_up() -> None:
    """Line, members and conversation, asked for within two seconds."""
    player, event = _completed(_message(_added()), THREE)

    assert isinstance(event, MessageReceived)
    assert (event.line, event.members) == (OURS, frozenset({ANA, BEN}))
    assert event.conversation == conversation_id([ANA, BEN])
    (asked,) = player.of(Exchange)
    assert asked.within == 2.0
    (request,) = asked.requests
    assert request.url.endswith(f"/v1/Conversations/{GROUP}/Participants")
    assert request.headers.get("authorization")


@pytest.mark.parametrize(
    "reply",
    [
        Failure("TotalTimeout"),
        Response(404),
        Response(200, {}, b"<html>"),
        _people(),
        _people({"address": BEN}, {"projected_address": OURS}),
    ],
    ids=["late", "gone", "html", "empty", "sender missing"],
)
def test_without_an_answer_the_members_stay_unknown(reply: Reply) -> None:
    """The message goes out as it came: unknown is a value."""
    event = _message(_added())

    assert _completed(event, reply)[1] == event


def test_who_writes_behind_a_proxy_number_is_in_a_thread_of_two() -> None:
    """Whoever else is in the conversation: their phone shows the proxy alone."""
    masked = _people(
        {"address": ANA, "proxy_address": OURS}, {"address": BEN, "proxy_address": OURS}
    )

    _, event = _completed(_message(_added()), masked)

    assert isinstance(event, MessageReceived)
    assert (event.line, event.members) == (OURS, frozenset({ANA}))


def test_a_receipt_gets_its_member_and_asks_once() -> None:
    """A participant's id stands for one person for ever; the next need not be asked."""
    account = Twilio(auth_token="token", **SIDS)
    first = _completed(_update(_delivered(Status="sent")), THREE, account=account)
    later = _completed(_update(_delivered()), account=account)

    for _, event in (first, later):
        assert isinstance(event, DeliveryUpdated)
        assert event.member == ANA
    assert later[0].requests == []


def test_who_is_in_the_group_is_asked_for_each_message() -> None:
    """Somebody may have been added since; what was known may hold no more."""
    account = Twilio(auth_token="token", **SIDS)
    _completed(_message(_added()), THREE, account=account)

    _, event = _completed(_message(_added()), Failure("Late"), account=account)

    assert isinstance(event, MessageReceived)
    assert event.members is None


def test_what_is_whole_is_not_asked_about() -> None:
    """The classic hook said everything, and a proof of acceptance is of all."""
    attributes = json.dumps({"leg": TOKEN})
    whole = _message(_classic(), CLASSIC)
    proof = _update(_added(Source="API", Attributes=attributes))
    odd = _message(_added(ConversationSid="CH/../../Services"))

    for event in (whole, proof, odd):
        player, same = _completed(event)
        assert (same, player.requests) == (event, [])


def _signature(url: str, form: Sequence[tuple[str, str]], key: str = "token") -> str:
    said = url + "".join(f"{name}{value}" for name, value in sorted(set(form)))
    digest = hmac.digest(key.encode(), said.encode(), hashlib.sha1)
    return base64.b64encode(digest).decode()


FORM: Final = [("Body", "Crème & co"), ("Author", ANA), ("Empty", ""), ("Zone", "a b")]


def _hook(
    url: str = URL,
    *,
    signed: str = URL,
    form: Sequence[tuple[str, str]] = FORM,
    body: bytes | None = None,
    key: str = "token",
) -> Request:
    headers = {"X-Twilio-Signature": _signature(signed, form, key)}
    sent = urlencode(form).encode() if body is None else body
    return Request("POST", url, headers, sent)


def _refused(request: Request, account: Twilio = ACCOUNT) -> int:
    with pytest.raises(SignatureError) as caught:
        account.verify(request, START)
    return caught.value.status


def test_a_genuine_webhook_passes() -> None:
    """Address and fields are signed, those that are empty or told twice as well."""
    twice = [("Digits", "2"), ("Digits", "1"), ("Digits", "1"), *FORM]
    for form in (FORM, twice, FORM[:1], []):
        ACCOUNT.verify(_hook(form=form), START)
    query = f"{URL}?zone=b&a=%20"
    ACCOUNT.verify(_hook(query, signed=query), START)


@pytest.mark.parametrize(
    ("called", "signed"),
    [
        (URL, URL.replace(".com/", ".com:443/")),
        (URL.replace(".com/", ".com:443/"), URL),
        (URL.replace(".com/", ".com:8443/"), URL),
        ("http://app.example.com/t", "http://app.example.com:80/t"),
    ],
)
def test_the_port_may_be_signed_or_not(called: str, signed: str) -> None:
    """The carrier has done both."""
    ACCOUNT.verify(_hook(called, signed=signed), START)


@pytest.mark.parametrize(
    ("public", "seen"),
    [
        ("https://app.example.com", "http://10.0.0.7:8000/hooks/twilio"),
        ("https://app.example.com/hooks/", "/twilio"),
        ("https://app.example.com", "http://evil.example/hooks/twilio"),
    ],
)
def test_behind_a_proxy_the_public_address_counts(public: str, seen: str) -> None:
    """Scheme, host, port and what the proxy cut off come from the setting."""
    account = Twilio(auth_token="token", public_url=public, **SIDS)

    account.verify(_hook(f"{seen}?zone=b", signed=f"{URL}?zone=b"), START)
    assert _refused(_hook(f"{seen}?zone=c", signed=f"{URL}?zone=b"), account) == 401


def test_the_message_for_a_wrong_address_names_the_setting() -> None:
    """Most often nothing is forged: a proxy changed the address."""
    with pytest.raises(SignatureError, match="public_url"):
        ACCOUNT.verify(_hook("http://10.0.0.7/hooks/twilio"), START)


@pytest.mark.parametrize("place", range(40))
def test_one_flipped_bit_is_a_forgery(place: int) -> None:
    """No byte of the form can change under its signature."""
    genuine = _hook()
    altered = bytearray(genuine.body)
    altered[place] ^= 1

    assert _refused(Request("POST", URL, genuine.headers, bytes(altered))) == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"&", b"a", b"Body=", b"\xff=1", b"a=%ff", b"a=1&" * 2000],
    ids=lambda body: repr(body[:8]),
)
def test_another_body_under_a_genuine_signature_is_a_forgery(body: bytes) -> None:
    """Also one that is no form, of which nothing would be in what is signed."""
    empty = _signature(URL, [])
    headers = {"X-Twilio-Signature": empty}

    assert _refused(_hook(body=body)) == 401
    if body:
        assert _refused(Request("POST", URL, headers, body)) == 401


def test_a_json_body_is_bound_by_its_hash_in_the_address() -> None:
    """The address alone is signed, and the hash in it is of the body."""
    body = b'{"EventType":"onMessageAdded"}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    genuine = _hook(url, signed=url, form=[], body=body)

    ACCOUNT.verify(genuine, START)

    other = url[:-1] + ("0" if url[-1] != "0" else "1")
    assert _refused(Request("POST", url, genuine.headers, body + b" ")) == 401
    assert _refused(Request("POST", other, genuine.headers, body)) == 401
    assert _refused(Request("POST", URL, genuine.headers, body)) == 401


def test_both_tokens_hold_while_one_is_changed() -> None:
    """The new and the old one are good, and no third."""
    account = Twilio(auth_token=["new", "old"], **SIDS)

    for key in ("new", "old"):
        account.verify(_hook(key=key), START)
    assert _refused(_hook(key="third"), account) == 401


@pytest.mark.parametrize(
    "header", ["", "x", "====", "é", "\udcff", "A" * 100_000, "Basic abc", "\x00"]
)
def test_a_hostile_header_is_only_refused(header: str) -> None:
    """Whatever a socket can carry ends in a refusal."""
    request = Request("POST", URL, {"x-twilio-signature": header}, b"a=1")

    assert _refused(request) == 401


@pytest.mark.parametrize("url", ["", "\udcff", "http://[", "//", "https://a:b/c", "?"])
def test_a_hostile_address_is_only_refused(url: str) -> None:
    """It need not be an address at all."""
    assert _refused(_hook(url)) == 401


def test_an_unsigned_webhook_is_refused() -> None:
    """Before a byte of it is read."""
    assert _refused(Request("POST", URL, {}, b"a=1")) == 401


def test_an_account_without_a_token_cannot_verify() -> None:
    """An API key sends, but signs no webhook; nothing is taken unverified."""
    account = Twilio(api_key="SK1", api_secret="secret", **SIDS)

    with pytest.raises(ConfigError, match="auth_token"):
        account.verify(_hook(), START)
