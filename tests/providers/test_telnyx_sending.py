"""Telnyx, outward: the bytes that leave, and what each reply proves."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from multigroup import (
    Accepted,
    ConfigError,
    Media,
    Message,
    Money,
    NotSent,
    Number,
    Outcome,
    Reason,
    Refused,
    Scope,
    SendId,
    Telnyx,
    Unknown,
)
from multigroup.models import Leg
from multigroup.providers.base import Draft, Rail, outcome
from multigroup.providers.reading import token_in
from multigroup.wire import Request, Response

OURS = "+12125550100"
PEOPLE = tuple(Number(f"+141555501{n:02}") for n in range(1, 9))
SEND = SendId("0123456789abcdef0123456789abcdef")
ACCOUNT = Telnyx(api_key="KEY-of-ours")


def _leg(
    members: int = 3,
    message: Message | None = None,
    *,
    account: Telnyx = ACCOUNT,
    callback: str | None = None,
    first: int = 0,
) -> Leg:
    draft = Draft(
        send=SEND,
        line=account.line(OURS),
        members=PEOPLE[:members],
        message=message or Message("Dinner at 7?"),
        first=first,
        callback=callback,
    )
    (leg,) = account.legs(draft, Rail())
    return leg


def _body(leg: Leg) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(leg.request.body)
    return body


def _read(status: int, body: object, headers: dict[str, str] | None = None) -> Outcome:
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return outcome(ACCOUNT, _leg(), Response(status, headers or {}, written))


def _answer(**fields: Any) -> dict[str, Any]:
    """Return the body of a 200, as the vendor's reference shows it."""
    data = {
        "record_type": "message",
        "direction": "outbound",
        "id": "m-1",
        "type": "MMS",
        "from": {"phone_number": OURS, "carrier": "TELNYX LLC", "line_type": "VoIP"},
        "to": [{"phone_number": one, "status": "queued"} for one in PEOPLE[:3]],
        "text": "Dinner at 7?",
        "errors": [],
        **fields,
    }
    return {"data": data}


def _refused(code: str | int, status: int = 400, **more: Any) -> Outcome:
    return _read(status, {"errors": [{"code": code, "title": "No", **more}]})


@pytest.mark.parametrize("size", range(2, 9))
def test_a_group_goes_out_in_one_request(size: int) -> None:
    """Two to eight members are one POST that names them all and nothing more."""
    leg = _leg(size)

    assert leg.request.method == "POST"
    assert leg.request.url == "https://api.telnyx.com/v2/messages/group_mms"
    assert leg.request.headers.get("content-type") == "application/json"
    assert leg.members == PEOPLE[:size]
    assert _body(leg) == {
        "from": OURS,
        "to": list(PEOPLE[:size]),
        "text": "Dinner at 7?",
    }


def test_one_member_is_an_ordinary_mms() -> None:
    """The group endpoint takes no lone member, the ordinary one takes no list."""
    leg = _leg(1)

    assert leg.request.url == "https://api.telnyx.com/v2/messages"
    assert _body(leg) == {
        "from": OURS,
        "to": PEOPLE[0],
        "text": "Dinner at 7?",
        "type": "MMS",
    }


def test_the_body_is_written_once() -> None:
    """The bytes in the journal are the bytes on the wire, compact UTF-8."""
    leg = _leg(2, Message("Crème brûlée 🍮"))

    sent = ACCOUNT.authorize(leg.request, 1.0)

    assert (
        leg.request.body
        == (
            '{"from":"+12125550100","to":["+14155550101","+14155550102"],'
            '"text":"Crème brûlée 🍮"}'
        ).encode()
    )
    assert sent.body is leg.request.body


def test_subject_and_media_are_passed_on() -> None:
    """A subject and the media's addresses stand in the fields the manual names."""
    urls = [f"https://files.example/{n}.jpg?sig=a%20b" for n in range(10)]
    message = Message("Look", [Media(urls[0], "image/jpeg"), *urls[1:]], "Dinner")

    body = _body(_leg(message=message))

    assert body["text"] == "Look"
    assert body["subject"] == "Dinner"
    assert body["media_urls"] == urls


def test_media_alone_goes_without_a_text() -> None:
    """An empty text or subject is left out: the manual wants them non-empty."""
    body = _body(_leg(message=Message("", ["https://files.example/a.jpg"], "")))

    assert body == {
        "from": OURS,
        "to": list(PEOPLE[:3]),
        "media_urls": ["https://files.example/a.jpg"],
    }


@pytest.mark.parametrize("size", [1, 3])
def test_every_way_back_bears_our_token(size: int) -> None:
    """The webhook and its failover both name the leg, whatever their query."""
    account = Telnyx(
        api_key="KEY", webhook_failover_url="https://backup.example/t?zone=b"
    )

    leg = _leg(size, account=account, callback="https://app.example/telnyx", first=4)

    body = _body(leg)
    assert leg.key == f"{SEND}.4"
    assert body["webhook_url"] == f"https://app.example/telnyx?leg={SEND}.4"
    assert body["webhook_failover_url"].startswith("https://backup.example/t?zone=b&")
    assert token_in(body["webhook_failover_url"]) == leg.key


@pytest.mark.parametrize("wanted", [True, False])
def test_the_profiles_webhooks_can_be_chosen(*, wanted: bool) -> None:
    """`use_profile_webhooks` goes out as given, also when it is false."""
    account = Telnyx(api_key="KEY", use_profile_webhooks=wanted)

    assert _body(_leg(account=account))["use_profile_webhooks"] is wanted


def test_the_idempotency_key_belongs_to_the_leg() -> None:
    """The same leg has the same key, another one another, of plain characters only."""
    keys = [_leg(first=n).request.headers.get("idempotency-key") for n in (0, 0, 1)]

    assert keys[0] == keys[1] != keys[2]
    for key in keys:
        assert re.fullmatch("[A-Za-z0-9_-]{1,255}", key or "")
        assert SEND in (key or "")


def test_a_leg_leaves_with_the_api_key() -> None:
    """The key joins the request as it leaves, and every other header stays."""
    leg = _leg()

    sent = ACCOUNT.authorize(leg.request, 1.0)

    assert sent.headers.get("Authorization") == "Bearer KEY-of-ours"
    rest = [pair for pair in sent.headers if pair[0] != "authorization"]
    assert rest == list(leg.request.headers)


def test_an_account_needs_a_whole_key() -> None:
    """An empty API key or a garbled public key is refused at once."""
    with pytest.raises(ConfigError, match="api_key"):
        Telnyx(api_key="")
    for garbled in ("", "not base64!", "c2hvcnQ=", ["c2hvcnQ="], "\ud800"):
        with pytest.raises(ConfigError, match="public_key"):
            Telnyx(api_key="KEY", public_key=garbled)


@pytest.mark.parametrize(
    ("fields", "message_id"),
    [
        ({}, "m-1"),
        ({"from": OURS}, "m-1"),
        ({"from": None, "cc": [PEOPLE[0]]}, "m-1"),
        ({"cc": []}, "m-1"),
        ({"group_message_id": "g-1"}, "g-1"),
        ({"group_message_id": "m-1"}, "m-1"),
        ({"group_message_id": None}, "m-1"),
        ({"group_message_id": ""}, "m-1"),
        ({"id": None, "group_message_id": "g-1"}, "g-1"),
    ],
)
def test_acceptance_is_read_from_every_form_of_the_answer(
    fields: dict[str, Any], message_id: str
) -> None:
    """The group's id counts where there is one, the message's own id elsewhere."""
    known = _read(200, _answer(**fields))

    assert isinstance(known, Accepted)
    assert known.message_id == message_id


@pytest.mark.parametrize(
    ("cost", "money"),
    [
        (None, None),
        ({}, None),
        ({"amount": None, "currency": "USD"}, None),
        ({"amount": "0.0800", "currency": "USD"}, Money(Decimal("0.0800"), "USD")),
        ({"amount": 0.0051, "currency": "USD"}, Money(Decimal("0.0051"), "USD")),
        ({"amount": "0", "currency": "usd"}, Money(Decimal(0), "USD")),
        ({"amount": "free", "currency": "USD"}, None),
        ({"amount": "NaN", "currency": "USD"}, None),
        ({"amount": "0.08"}, None),
        ("0.0800", None),
    ],
)
def test_cost_is_exact_or_unknown(cost: object, money: Money | None) -> None:
    """A total is kept as the decimal it was written as; what is not said is `None`."""
    assert _read(200, _answer(cost=cost)) == Accepted("m-1", money)


@pytest.mark.parametrize(
    "data", [None, [], "m-1", {"id": None}, {"id": ""}, {"id": {}}, {"id": True}]
)
def test_a_success_without_an_id_is_unknown(data: object) -> None:
    """A 200 whose `data` names no message may or may not have texted the group."""
    known = _read(200, {"data": data})

    assert isinstance(known, Unknown)
    assert "200" in known.why


@pytest.mark.parametrize("word", ["true", "True", "TRUE"])
def test_a_replayed_answer_on_a_first_attempt_is_unknown(word: str) -> None:
    """A replay means the key was used before: that message may be another one."""
    known = _read(200, _answer(), {"Idempotent-Replayed": word})

    assert isinstance(known, Unknown)
    assert isinstance(_read(200, _answer(), {"Idempotent-Replayed": "false"}), Accepted)


FIX = "10002 10003 10004 10015 10016 10023 10025 10026 10027 10029 10032 10033"
CONTENT = "40302 40304 40306 40307 40310 40311 40313 40316 40317 40322 40325 40328"
ELSEWHERE = "40100 40301 40305 40308 40309 40312 40314 40315 40319 40320 40321"
ACCOUNTS = "10009 10010 10038 10039 20001 20002 20003 20004 20005 20006 20007"


@pytest.mark.parametrize("code", f"10001 {FIX} {CONTENT} 40300".split())
def test_the_callers_mistake_condemns_message_or_member(code: str) -> None:
    """What the caller must mend is refused so that no other line tries it."""
    known = _refused(code)

    assert isinstance(known, Refused)
    assert known.code == code
    assert known.scope in {Scope.MESSAGE, Scope.MEMBER}


@pytest.mark.parametrize(
    "code", f"{ELSEWHERE} {ACCOUNTS} 20012 20015 20017 40329 40330 40331 40333".split()
)
def test_a_fault_of_line_or_account_lets_another_line_try(code: str) -> None:
    """What only this line or account cannot do is refused for it alone."""
    known = _refused(code)

    assert isinstance(known, Refused)
    assert known.scope in {Scope.LINE, Scope.ACCOUNT}


@pytest.mark.parametrize(
    ("code", "reason", "scope"),
    [
        ("40300", Reason.OPTED_OUT, Scope.MEMBER),
        ("40310", Reason.INVALID_NUMBER, Scope.MEMBER),
        ("40305", Reason.REGISTRATION, Scope.LINE),
        ("40308", Reason.REGISTRATION, Scope.LINE),
        ("40301", Reason.NOT_MOBILE, Scope.LINE),
        ("10009", Reason.ACCOUNT, Scope.ACCOUNT),
        ("20012", Reason.ACCOUNT, Scope.ACCOUNT),
        ("40317", Reason.MEDIA, Scope.MESSAGE),
        ("40322", Reason.SPAM, Scope.MESSAGE),
        ("40316", Reason.OTHER, Scope.MESSAGE),
    ],
)
@pytest.mark.parametrize("status", [400, 403, 409, 422])
def test_the_code_decides_whatever_the_status(
    code: str, reason: Reason, scope: Scope, status: int
) -> None:
    """A documented code means the same under any 4xx, as a string or a number."""
    wanted = Refused(code, reason, scope, "No")

    assert _refused(code, status) == wanted
    assert _refused(int(code), status) == wanted


@pytest.mark.parametrize(
    ("status", "scope"),
    [
        (400, Scope.MESSAGE),
        (401, Scope.ACCOUNT),
        (402, Scope.ACCOUNT),
        (403, Scope.ACCOUNT),
        (404, Scope.ACCOUNT),
        (422, Scope.MESSAGE),
    ],
)
@pytest.mark.parametrize(
    "body", [b"<html>", b"{}", b"[]", b'{"errors":[]}', b'{"errors":"no"}']
)
def test_without_a_code_the_status_decides(
    status: int, scope: Scope, body: bytes
) -> None:
    """A gateway's page in the place of an error is read by its status."""
    known = _read(status, body)

    assert isinstance(known, Refused)
    assert (known.code, known.scope) == (f"HTTP {status}", scope)


def test_an_unknown_code_goes_by_its_status() -> None:
    """A code in no table keeps its name; the status says whose fault it is."""
    ours, theirs = _refused("40500", 422), _refused("49999", 403)

    assert ours == Refused("40500", Reason.OTHER, Scope.MESSAGE, "No")
    assert theirs == Refused("49999", Reason.ACCOUNT, Scope.ACCOUNT, "No")


@pytest.mark.parametrize("code", ["10011", "40318"])
@pytest.mark.parametrize("status", [400, 403, 422])
def test_a_full_queue_sent_nothing(code: str, status: int) -> None:
    """Too many requests and a full queue are no judgement: nothing was sent."""
    known = _refused(code, status)

    assert isinstance(known, NotSent)
    assert code in known.why
    assert known.wait == 0.0


@pytest.mark.parametrize("code", ["10007", "10008", "10036", "10037"])
@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_fault_of_theirs_is_unknown(code: str, status: int) -> None:
    """A key in flight, an unexpected error, a timeout: it may have been taken."""
    known = _refused(code, status)

    assert isinstance(known, Unknown)
    assert code in known.why


def test_a_throttled_send_says_how_long_to_wait() -> None:
    """Telnyx names the wait in `x-ratelimit-reset`, with or without a body."""
    body = {"errors": [{"code": "10011", "title": "Too many requests"}]}

    known = _read(429, body, {"x-ratelimit-limit": "10", "x-ratelimit-reset": "4"})

    assert isinstance(known, NotSent)
    assert known.wait == 4.0


def test_the_carriers_words_are_kept_without_numbers() -> None:
    """A refusal's title is kept for people, any phone number in it masked."""
    known = _refused("40300", title=f"Blocked: {PEOPLE[0]} sent STOP")

    assert isinstance(known, Refused)
    assert "sent STOP" in known.detail
    assert "0101" in known.detail
    assert PEOPLE[0] not in known.detail


def test_a_leg_read_elsewhere_needs_no_request() -> None:
    """Reading a reply takes only the reply: a journal's leg is as good as a new one."""
    bare = Leg("5e4d.0", PEOPLE, Request("POST", "https://carrier.example"))

    known = ACCOUNT.read(bare, Response(201, {}, json.dumps(_answer()).encode()))

    assert known == Accepted("m-1")
