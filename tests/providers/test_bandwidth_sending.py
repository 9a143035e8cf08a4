"""Bandwidth, outward: one request for all, who may see credentials, what is proven."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from multigroup import (
    Accepted,
    Bandwidth,
    ConfigError,
    Message,
    NotSent,
    Number,
    Outcome,
    Reason,
    Refused,
    Request,
    Response,
    Scope,
    SendId,
    Unknown,
)
from multigroup.effects import AnyEffect, Exchange, Now
from multigroup.models import Leg
from multigroup.providers.bandwidth.facts import CODES
from multigroup.providers.base import Draft, Rail, outcome
from multigroup.providers.reading import own_token
from multigroup.wire import Failure, Reply

OURS = "+12125550100"
PEOPLE = tuple(Number(f"+141555501{n:02}") for n in range(1, 11))
SEND = SendId("0123456789abcdef0123456789abcdef")
NOW = 1_795_000_000.0
IDS: dict[str, Any] = {"account_id": "9900000", "application_id": "app-of-ours"}
ACCOUNT = Bandwidth(**IDS, username="our-user", password="our-password")
TOKENS = "https://api.bandwidth.com/api/v1/oauth2/token"


def _granted() -> Bandwidth:
    return Bandwidth(**IDS, client_id="our-client", client_secret="our-secret")


def _draft(members: int = 3, message: Message | None = None, first: int = 0) -> Draft:
    return Draft(
        send=SEND,
        line=ACCOUNT.line(OURS),
        members=PEOPLE[:members],
        message=message or Message("Dinner at 7?"),
        first=first,
        callback="https://app.example/bandwidth",
    )


def _leg(members: int = 3, message: Message | None = None, first: int = 0) -> Leg:
    (leg,) = ACCOUNT.legs(_draft(members, message, first), Rail())
    return leg


def _body(leg: Leg) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(leg.request.body)
    return body


def _read(status: int, body: object, headers: dict[str, str] | None = None) -> Outcome:
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return outcome(ACCOUNT, _leg(), Response(status, headers or {}, written))


def _problem(field: str | None = None, words: str = "No", **more: Any) -> object:
    """Return what a 400 says, of one field of the request."""
    errors = [{"fieldName": field, "description": words}] if field else []
    told = {"type": "request-validation", "description": "Not accepted", **more}
    return {**told, "fieldErrors": errors}


def _prepared(
    account: Bandwidth, reply: Reply, now: float = NOW
) -> tuple[list[Request], object]:
    """Return what `prepare` asked for and what it came to."""
    flow, asked = account.prepare(_draft()), list[Request]()
    try:
        effect: AnyEffect = next(flow)
        while True:
            if isinstance(effect, Exchange):
                asked += effect.requests
                effect = flow.send((reply,))
            else:
                assert isinstance(effect, Now)
                effect = flow.send(now)
    except StopIteration as ended:
        return asked, ended.value


def _grant(**more: Any) -> Response:
    told = {"access_token": "a-token", "token_type": "Bearer", "expires_in": 3600}
    return Response(200, {}, json.dumps({**told, **more}).encode())


def _shown(account: Bandwidth, url: str | None = None) -> str:
    request = Request("POST", url) if url else _leg().request
    return account.authorize(request, NOW).headers.get("authorization") or ""


@pytest.mark.parametrize("size", range(1, 10))
def test_a_group_is_one_request_with_all_its_members(size: int) -> None:
    """The whole group rings by one leg, and `to` is a list even for one."""
    leg = _leg(size)

    assert leg.members == PEOPLE[:size]
    assert _body(leg)["to"] == [*PEOPLE[:size]]


def test_the_whole_body_of_a_leg() -> None:
    """A leg says the message, who it is from and for, our token, and nothing more."""
    leg = _leg(2)

    assert leg.request.method == "POST"
    assert leg.request.url == (
        "https://messaging.bandwidth.com/api/v2/users/9900000/messages"
    )
    assert leg.request.headers.get("content-type") == "application/json"
    assert leg.request.headers.get("authorization") is None
    assert _body(leg) == {
        "applicationId": "app-of-ours",
        "from": OURS,
        "to": ["+14155550101", "+14155550102"],
        "text": "Dinner at 7?",
        "tag": f"{SEND}.0",
    }


def test_the_tag_is_the_legs_own() -> None:
    """It is the leg's key, which a webhook brings back as our token."""
    legs = [_leg(first=n) for n in range(3)]

    tags = [_body(leg)["tag"] for leg in legs]

    assert tags == [leg.key for leg in legs]
    assert len(set(tags)) == 3
    assert [own_token(tag) for tag in tags] == tags


def test_media_go_by_their_addresses() -> None:
    """Files need no text beside them, and are named whole, queries too."""
    urls = ["https://files.example/a.jpg?sig=1", "https://files.example/b.png"]

    with_text, without = (_body(_leg(message=Message(t, urls))) for t in ("Look", ""))

    assert with_text["media"] == without["media"] == urls
    assert with_text["text"] == "Look"
    assert "text" not in without


@pytest.mark.parametrize(
    ("members", "message", "number", "word"),
    [
        (10, Message("hi"), OURS, "9 members"),
        (2, Message("hi"), "+18335550100", "toll_free"),
        (2, Message("hi"), "28228", "short_code"),
        (2, Message("hi", subject="s"), OURS, "subject"),
        (2, Message("x" * 2049), OURS, "2048"),
        (2, Message("", ["https://a.example"] * 11), OURS, "10 media"),
    ],
)
def test_what_cannot_be_said_is_not_tried(
    members: int, message: Message, number: str, word: str
) -> None:
    """Each documented limit stops a message before it leaves."""
    line = ACCOUNT.line(number)

    why = ACCOUNT.unsupported(line, PEOPLE[:members], message)

    assert why is not None
    assert word in why
    assert ACCOUNT.unsupported(ACCOUNT.line(OURS), PEOPLE[:9], Message("hi")) is None


def test_one_member_may_be_texted_from_a_toll_free_number() -> None:
    """Only groups need a long code."""
    line = ACCOUNT.line("+18335550100")

    assert ACCOUNT.unsupported(line, PEOPLE[:1], Message("hi")) is None


def test_basic_credentials_are_user_and_password() -> None:
    """An API User's name and password stand in each request."""
    scheme, _, pair = _shown(ACCOUNT).partition(" ")

    assert scheme == "Basic"
    assert base64.b64decode(pair) == b"our-user:our-password"


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example/a.jpg",
        "https://messaging.bandwidth.com.example/api/v2/users/9900000/messages",
        "https://messaging.bandwidth.com/api/v2.example/x",
        "http://messaging.bandwidth.com/api/v2/users/9900000/messages",
        "https://messaging.bandwidth.com@files.example/api/v2/",
        TOKENS,
    ],
)
def test_credentials_go_to_no_other_host(url: str) -> None:
    """Whatever address a request has, only the API itself sees who we are."""
    granted = _granted()
    _prepared(granted, _grant())

    assert _shown(ACCOUNT, url) == _shown(granted, url) == ""
    assert _shown(granted) == "Bearer a-token"


def test_user_and_password_need_no_preparation() -> None:
    """Nothing is asked of anybody before the message itself."""
    assert _prepared(ACCOUNT, Failure("unused")) == ([], Rail())


def test_a_token_is_asked_for_as_documented() -> None:
    """Client id and secret are shown to the token's address, in a form post."""
    (asked,), known = _prepared(_granted(), _grant())

    assert known == Rail()
    assert (asked.method, asked.url) == ("POST", TOKENS)
    assert asked.body == b"grant_type=client_credentials"
    pair = base64.b64encode(b"our-client:our-secret").decode()
    assert asked.headers.get("authorization") == f"Basic {pair}"
    form = "application/x-www-form-urlencoded"
    assert asked.headers.get("content-type") == form


@pytest.mark.parametrize(
    ("told", "life"),
    [
        (3600, 2880),
        (60.0, 48),
        (None, 240),
        ("3600", 240),
        (True, 240),
        (0, 240),
        (-1, 240),
        (float("nan"), 240),
        (float("inf"), 69_120),
        (10**400, 69_120),
    ],
)
def test_a_token_is_used_until_four_fifths_of_its_life(
    told: object, life: float
) -> None:
    """One token serves many sends; where its life is not told, it is a short one."""
    account = _granted()
    first, _ = _prepared(account, _grant(expires_in=told))

    same, _ = _prepared(account, Failure("unused"), NOW + life - 0.1)
    renewed, _ = _prepared(account, _grant(access_token="next"), NOW + life)

    assert (len(first), len(same), len(renewed)) == (1, 0, 1)
    assert _shown(account) == "Bearer next"


@pytest.mark.parametrize(
    "reply",
    [
        Failure("ConnectError", unsent=True),
        Failure("ReadTimeout"),
        Response(500),
        Response(302),
        Response(408),
        Response(201, {}, b'{"access_token":"a"}'),
        Response(200, {}, b"<html>"),
        Response(200, {}, b"[]"),
        Response(200, {}, b'{"access_token":["a"]}'),
        _grant(access_token=""),
        _grant(access_token="a\r\nb"),
        _grant(access_token="caf\u00e9"),
    ],
)
def test_without_a_token_nothing_is_sent(reply: Reply) -> None:
    """Whatever became of the question, the message surely did not leave."""
    _, known = _prepared(_granted(), reply)

    assert isinstance(known, NotSent)
    assert known.wait is None


def test_a_throttled_token_names_its_wait() -> None:
    """Too many questions are a matter of time."""
    _, known = _prepared(_granted(), Response(429, {"retry-after": "7"}))

    assert isinstance(known, NotSent)
    assert known.wait == 7.0


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refused_token_is_the_accounts_trouble(status: int) -> None:
    """Another account's line may be tried; the detail shows no secret."""
    body = b'{"error":"invalid_client","error_description":"not our-secret-0123456789"}'

    _, known = _prepared(_granted(), Response(status, {}, body))

    assert isinstance(known, Refused)
    assert (known.code, known.reason) == ("invalid_client", Reason.ACCOUNT)
    assert known.scope is Scope.ACCOUNT
    assert "our-secret-0123456789" not in known.detail


def test_a_token_that_could_not_be_had_leaves_the_old_one() -> None:
    """A failed renewal is no reason to forget; without any, a send is a mistake."""
    account = _granted()
    with pytest.raises(ConfigError, match="token"):
        _shown(account)
    _prepared(account, _grant())

    _prepared(account, Response(500), NOW + 3600)

    assert _shown(account) == "Bearer a-token"


def test_client_and_secret_go_before_user_and_password() -> None:
    """With both given, the token is used; half a pair is none."""
    user: dict[str, Any] = {"username": "u", "password": "p"}
    both = Bandwidth(**IDS, **user, client_id="c", client_secret="s")
    half = Bandwidth(**IDS, **user, client_id="c")

    assert len(_prepared(both, _grant())[0]) == 1
    assert _shown(half).startswith("Basic ")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"username": "u"},
        {"password": "p"},
        {"client_id": "c"},
        {"client_id": "c", "password": "p"},
        {"username": "u", "password": ""},
    ],
)
def test_an_account_needs_one_whole_pair_of_credentials(given: dict[str, Any]) -> None:
    """Half a pair is refused before anything is sent with it."""
    with pytest.raises(ConfigError, match="client_id"):
        Bandwidth(**IDS, **given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("account_id", ""),
        ("account_id", "99/../1"),
        ("application_id", ""),
        ("application_id", "a b"),
        ("base_url", "ftp://carrier.example"),
        ("token_url", "carrier.example/token"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_its_name(
    name: str, value: str
) -> None:
    """Ids are part of addresses, and addresses are of the web."""
    given: dict[str, Any] = {**IDS, "username": "u", "password": "p", name: value}

    with pytest.raises(ConfigError, match=name):
        Bandwidth(**given)


def test_an_account_shows_no_secret() -> None:
    """Neither credentials nor tokens stand in a log of the account."""
    account = Bandwidth(
        **IDS,
        client_id="our-client",
        client_secret="our-secret",
        username="our-user",
        password="our-password",
        callback_credentials=("hook-user", "hook-password"),
    )
    _prepared(account, _grant())

    shown = repr(account) + repr(account._own)

    for secret in ("our-", "hook-", "a-token", "9900000"):
        assert secret not in shown


@pytest.mark.parametrize("status", [200, 201, 202])
def test_an_id_proves_acceptance(status: int) -> None:
    """The whole group has one id; its price is told nowhere."""
    body = {"id": "1795000000000abcdefghijklmnop", "segmentCount": 1, "to": [*PEOPLE]}

    assert _read(status, body) == Accepted("1795000000000abcdefghijklmnop", None)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]", b'{"id":null}'])
def test_a_success_without_an_id_is_unknown(body: bytes) -> None:
    """An empty 202 may be a message accepted: it is neither repeated nor moved."""
    assert isinstance(_read(202, body), Unknown)


@pytest.mark.parametrize("status", [301, 408, 500, 502, 503])
def test_what_proves_nothing_is_unknown(status: int) -> None:
    """A 5xx may have been taken, whatever its page says."""
    body = {"type": "internal-server-error", "id": "1"}

    assert isinstance(_read(status, body), Unknown)


@pytest.mark.parametrize(
    ("status", "word"),
    [(401, "unauthorized"), (402, "payment"), (403, "forbidden"), (404, "not-found")],
)
def test_the_accounts_troubles_let_another_line_try(status: int, word: str) -> None:
    """Credentials and permissions are the account's: refused, and movable."""
    known = _read(status, {"type": word, "description": "Denied"})

    assert known == Refused(word, Reason.ACCOUNT, Scope.ACCOUNT, "Denied")


def test_a_404_of_another_shape_is_read_by_its_status() -> None:
    """The path's own 404 has no type."""
    known = _read(404, {"status": 404, "error": "Not Found", "path": "/api/v2/x"})

    assert known == Refused("HTTP 404", Reason.ACCOUNT, Scope.ACCOUNT, "Not Found")


@pytest.mark.parametrize(
    ("field", "reason", "scope"),
    [
        ("from", Reason.INVALID_NUMBER, Scope.LINE),
        ("to", Reason.INVALID_NUMBER, Scope.MEMBER),
        ("to[1]", Reason.INVALID_NUMBER, Scope.MEMBER),
        ("applicationId", Reason.ACCOUNT, Scope.ACCOUNT),
        ("media[0]", Reason.MEDIA, Scope.MESSAGE),
        ("text", Reason.OTHER, Scope.MESSAGE),
        ("of next year", Reason.OTHER, Scope.MESSAGE),
        (None, Reason.OTHER, Scope.MESSAGE),
    ],
)
def test_a_400_goes_by_the_field_it_names(
    field: str | None, reason: Reason, scope: Scope
) -> None:
    """The first field of its `fieldErrors` tells who or what is to blame."""
    known = _read(400, _problem(field))

    words = "No" if field else "Not accepted"
    assert known == Refused("request-validation", reason, scope, words)


def test_a_refusal_names_whom_it_quotes() -> None:
    """A number of the group in its words is whom it blames; others are nobody."""
    words = f"{PEOPLE[1]} and +1415555010199 are odd"

    known = _read(400, _problem("to", words))

    assert isinstance(known, Refused)
    assert known.named == (PEOPLE[1],)
    assert PEOPLE[1] not in known.detail
    assert "555010199" not in known.detail


def test_only_a_members_refusal_names_anybody() -> None:
    """A number quoted for another reason is not blamed."""
    known = _read(400, _problem("text", f"call {PEOPLE[0]}"))

    assert isinstance(known, Refused)
    assert known.named == ()


def test_an_opt_out_names_who_opted_out() -> None:
    """Code 4775 blocks the members it names and, in a group, nobody else."""
    known = _read(400, _problem("to", f"{PEOPLE[2]} opted out", errorCode=4775))

    assert isinstance(known, Refused)
    assert (known.code, known.reason) == ("4775", Reason.OPTED_OUT)
    assert known.named == (PEOPLE[2],)


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_read_alike_in_a_refusal(code: str) -> None:
    """Were a webhook's code ever to stand in an answer, it would mean the same."""
    known = _read(400, _problem(errorCode=int(code)))

    assert isinstance(known, Refused)
    assert (known.reason, known.scope) == (CODES[code].reason, CODES[code].scope)


@pytest.mark.parametrize("status", [400, 406, 415])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>No</html>",
        b"[]",
        b'{"type":[1],"fieldErrors":{"fieldName":7}}',
        b'{"fieldErrors":["x",null],"description":{}}',
    ],
)
def test_without_a_readable_body_the_status_decides(status: int, body: bytes) -> None:
    """A proxy's page, or no page at all, is read by its status."""
    known = _read(status, body)

    assert known == Refused(f"HTTP {status}", Reason.OTHER, Scope.MESSAGE, "")


def test_a_sentence_in_the_place_of_a_code_is_not_repeated() -> None:
    """It may quote what was said: of it only the length is told."""
    known = _read(400, {"type": "Dinner at 7?"})

    assert isinstance(known, Refused)
    assert known.code == "<12 characters>"


def test_a_full_queue_is_a_matter_of_time() -> None:
    """A 429 sent nothing; how long to wait it may not say."""
    body = {"type": "max-message-queue-size-exceeded"}

    silent, told = _read(429, body), _read(429, body, {"Retry-After": "60"})

    assert isinstance(silent, NotSent)
    assert isinstance(told, NotSent)
    assert (silent.wait, told.wait) == (0.0, 60.0)


def test_a_leg_is_never_safe_to_repeat() -> None:
    """Bandwidth knows no idempotency key: the same tag twice is two messages."""
    assert not ACCOUNT.repeatable(_leg())
