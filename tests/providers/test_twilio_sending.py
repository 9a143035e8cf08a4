"""Twilio, outward: the one message, what each reply proves, what is asked later."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from multigroup import (
    Accepted,
    Client,
    ConfigError,
    DeliveryStatus,
    DeliveryUpdated,
    Message,
    NotSent,
    NotSentError,
    Number,
    Outcome,
    Policy,
    Reason,
    Refused,
    RefusedError,
    Scope,
    SendId,
    Twilio,
    Unknown,
    UnsupportedError,
)
from multigroup._programs.send import send
from multigroup.models import Leg
from multigroup.providers.base import Draft, Rail, outcome
from multigroup.providers.twilio.rail import GroupRail
from multigroup.wire import Failure, Reply, Request, Response
from tests.helpers.player import ANA, BEN, START, Player, failed, order, played_at

OURS: Final = "+12125550100"
SEND: Final = SendId("0123456789abcdef0123456789abcdef")
GROUP, ANEW = "CH" + "1" * 32, "CH" + "2" * 32
SIDS: Final[dict[str, Any]] = {
    "account_sid": "AC" + "a" * 32,
    "messaging_service_sid": "MG" + "5" * 32,
}
ACCOUNT: Final = Twilio(auth_token="token", **SIDS)
LINE: Final = ACCOUNT.line(OURS)
MESSAGE: Final = "IM" + "3" * 32
KEY: Final = f"{SEND}.0"


def _leg(text: str = "Dinner at 7?", *, first: int = 0) -> Leg:
    draft = Draft(
        send=SEND, line=LINE, members=(ANA, BEN), message=Message(text), first=first
    )
    (leg,) = ACCOUNT.legs(draft, GroupRail(GROUP))
    return leg


def _says(code: int, /, **document: Any) -> Response:
    return Response(code, {}, json.dumps(document).encode())


def _read(reply: Reply, *, first: int = 0) -> Outcome:
    return outcome(ACCOUNT, _leg(first=first), reply)


def _built(sid: str = GROUP) -> list[Reply]:
    """Return the replies to what sets a group up."""
    people = [{"projected_address": OURS}, {"address": ANA}, {"address": BEN}]
    entries = [{"sid": f"MB{n}", "messaging_binding": b} for n, b in enumerate(people)]
    return [
        _says(202, sid=sid, state="initializing"),
        _says(200, sid=sid, state="active", messaging_service_sid="MG" + "5" * 32),
        _says(200, participants=entries),
    ]


TAKEN: Final = _says(201, sid=MESSAGE)
GONE: Final = _says(404, code=20404, message="not found")


def test_a_group_is_one_message_in_its_conversation() -> None:
    """Our projected number wrote it, so that handsets show the group's thread."""
    leg = _leg("Crème brûlée & 50% off?")

    url = f"https://conversations.twilio.com/v1/Conversations/{GROUP}/Messages"
    assert (leg.request.method, leg.request.url) == ("POST", url)
    assert (leg.key, leg.members) == (KEY, (ANA, BEN))
    assert leg.request.headers.get("content-type") == (
        "application/x-www-form-urlencoded"
    )
    assert parse_qsl(leg.request.body.decode()) == [
        ("Author", OURS),
        ("Body", "Crème brûlée & 50% off?"),
        ("Attributes", f'{{"leg":"{KEY}"}}'),
    ]


def test_the_messages_own_webhook_is_asked_for() -> None:
    """It bears our token back, which proves the message taken if the answer is lost."""
    assert _leg().request.headers.get("X-Twilio-Webhook-Enabled") == "true"


def test_without_a_rail_of_its_own_there_is_nothing_to_send() -> None:
    """Another carrier's rail leads nowhere here."""
    draft = Draft(SEND, LINE, (ANA, BEN), Message("Hi"))

    assert ACCOUNT.legs(draft, Rail()) == ()


@pytest.mark.parametrize(
    ("given", "pair"),
    [
        ({"auth_token": "token"}, f"AC{'a' * 32}:token"),
        ({"auth_token": ["new", "old"]}, f"AC{'a' * 32}:new"),
        (
            {"auth_token": "token", "api_key": "SK1", "api_secret": "secret"},
            "SK1:secret",
        ),
        ({"api_key": "SK1", "api_secret": "secret"}, "SK1:secret"),
    ],
    ids=["token", "tokens", "both", "key"],
)
def test_a_request_leaves_with_basic_credentials(
    given: dict[str, Any], pair: str
) -> None:
    """The API key's if there is one, else the first token's; the body stays."""
    leg = _leg()

    sent = Twilio(**SIDS, **given).authorize(leg.request, 1.0)

    written = (sent.headers.get("authorization") or "").removeprefix("Basic ")
    assert base64.b64decode(written).decode() == pair
    assert sent.body is leg.request.body
    assert leg.request.headers.get("authorization") is None


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"auth_token": ""},
        {"auth_token": []},
        {"auth_token": ["token", ""]},
        {"api_key": "SK1"},
        {"auth_token": "token", "api_secret": "alone"},
        {"auth_token": "token", "account_sid": "SK1"},
        {"auth_token": "token", "messaging_service_sid": ""},
        {"auth_token": "token", "inbound": "both"},
        {"auth_token": "token", "public_url": "app.example.com"},
        {"auth_token": "token", "base_url": "ftp://twilio.test"},
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_refused_at_once(given: dict[str, Any]) -> None:
    """Half a key, an empty token, another sort of SID: none of it waits for a send."""
    with pytest.raises(ConfigError) as caught:
        Twilio(**{**SIDS, **given})

    assert "alone" not in str(caught.value)


def test_its_repr_keeps_secrets() -> None:
    """Neither token, key, secret nor the header made of them is shown."""
    account = Twilio(
        auth_token="the-token", api_key="SK-key", api_secret="the-secret", **SIDS
    )

    shown = repr(account)

    assert not any(s in shown for s in ("the-token", "SK-key", "the-secret", "Basic"))


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (TAKEN, "ACCEPTED"),
        (_says(200, sid=MESSAGE), "ACCEPTED"),
        (_says(201), "UNKNOWN"),
        (Response(201, {}, b"<html>"), "UNKNOWN"),
        (Response(302), "UNKNOWN"),
        (Response(408), "UNKNOWN"),
        (Response(500), "UNKNOWN"),
        (Failure("ReadTimeout"), "UNKNOWN"),
        (Failure("ConnectError", unsent=True), "NOT_SENT"),
        (Response(429), "NOT_SENT"),
        (_says(400, code=20429), "NOT_SENT"),
        (_says(400, code=21610), "REFUSED"),
    ],
    ids=str,
)
def test_what_a_reply_proves(reply: Reply, word: str) -> None:
    """Only the message's own id proves it taken; only a refusal that it was not."""
    assert _read(reply).word == word


def test_the_messages_id_is_kept() -> None:
    """Deliveries are told by it."""
    assert _read(TAKEN) == Accepted(MESSAGE)


def test_a_throttling_carrier_says_for_how_long() -> None:
    """Nothing was sent, and the send waits if its deadline allows."""
    throttled = Response(429, {"retry-after": "3"}, b'{"code": 20429}')

    assert _read(throttled) == NotSent("twilio is throttling (HTTP 429)", 3.0)


@pytest.mark.parametrize(
    ("code", "status", "reason", "scope"),
    [
        (21610, 400, Reason.OPTED_OUT, Scope.MEMBER),
        (50452, 403, Reason.ACCOUNT, Scope.ACCOUNT),
        (20003, 401, Reason.ACCOUNT, Scope.ACCOUNT),
        (99999, 401, Reason.ACCOUNT, Scope.ACCOUNT),
        (30007, 400, Reason.SPAM, Scope.MESSAGE),
    ],
)
def test_a_refusal_goes_by_its_code(
    code: int, status: int, reason: Reason, scope: Scope
) -> None:
    """The code says more than the HTTP status, which counts where it is unknown."""
    found = _read(_says(status, code=code, message="No"))

    assert isinstance(found, Refused)
    assert (found.code, found.reason, found.scope) == (str(code), reason, scope)


@pytest.mark.parametrize(
    "reply",
    [
        GONE,
        _says(400, code=50513),
        _says(409, code=50999),
        _says(403, code=50999),
        Response(404),
    ],
    ids=["gone", "our number is out", "unknown", "unknown and forbidden", "no code"],
)
def test_a_conversation_that_does_not_take_it_is_stale_once(reply: Reply) -> None:
    """The first leg trusted what was noted; a later one did not, and is refused."""
    first, later = _read(reply), _read(reply, first=1)

    assert isinstance(first, NotSent)
    assert first.stale
    assert isinstance(later, Refused)


def test_a_stale_group_is_set_up_anew_and_sent_to() -> None:
    """In one send, whatever its deadline, and every phone rings once."""
    player = Player([*_built(), TAKEN])
    player.play(send(order(LINE, reference="first")))
    player.replies.extend([GONE, GONE, *_built(ANEW), TAKEN])

    receipt = player.play(send(order(LINE, deadline=0.0)))

    assert [a.outcome.word for a in receipt.attempts] == ["NOT_SENT", "ACCEPTED"]
    assert "set up anew" in receipt.attempts[0].then
    assert f"/{ANEW}/Messages" in player.requests[-1].url


def test_a_group_that_stays_stale_is_given_up() -> None:
    """It is set up anew once in a send, and the second refusal stands."""
    player = Player([*_built(), TAKEN])
    player.play(send(order(LINE, reference="first")))
    player.replies.extend([GONE, GONE, *_built(ANEW), GONE])

    error = failed(player, order(LINE))

    assert isinstance(error, RefusedError)
    assert [a.outcome.word for a in error.receipt.attempts] == ["NOT_SENT", "REFUSED"]


def test_a_group_that_cannot_be_set_up_is_not_sent() -> None:
    """A lost answer to a step that rings nobody leaves no doubt."""
    player = Player([Failure("ReadTimeout")])

    error = failed(player, order(LINE))

    assert isinstance(error, NotSentError)
    assert len(player.requests) == 1


def test_what_it_cannot_say_is_refused_before_anything_leaves() -> None:
    """Files, a subject, one member or ten, a short code: another line is needed."""
    ten = [Number(f"+141555501{n:02}") for n in range(10)]
    picture = Message("Look", ["https://files.example/a.jpg"])
    short = ACCOUNT.line("28228")

    assert ACCOUNT.unsupported(LINE, ten[:9], Message("x" * 1600)) is None
    for line, members, message in (
        (LINE, ten, Message("Hi")),
        (LINE, ten[:1], Message("Hi")),
        (LINE, ten[:2], picture),
        (LINE, ten[:2], Message("Hi", subject="Dinner")),
        (LINE, ten[:2], Message("x" * 1601)),
        (short, ten[:2], Message("Hi")),
    ):
        assert ACCOUNT.unsupported(line, members, message)


def test_a_client_says_why_it_cannot_send() -> None:
    """Nothing is asked of the carrier for a message it cannot carry."""
    client = Client(lines=[LINE], policy=Policy())

    with pytest.raises(UnsupportedError, match="two members or more"):
        client.group(ANA).send("Hi")


def _listed(*messages: Any) -> Response:
    return _says(200, messages=messages)


def _message(key: str = KEY, **more: Any) -> dict[str, Any]:
    attributes = json.dumps({"leg": key})
    return {
        "sid": MESSAGE,
        "attributes": attributes,
        "date_created": "2026-11-27T07:59:00Z",
        **more,
    }


def _inquired(reply: Reply) -> tuple[list[Request], list[DeliveryUpdated]]:
    player = Player([reply])
    told = player.play(ACCOUNT.inquire(_leg(), own=frozenset(), now=START))
    return player.requests, [e for e in told if isinstance(e, DeliveryUpdated)]


def test_a_lost_answer_is_looked_for_in_the_conversation() -> None:
    """The last messages are listed, and ours is known by its token."""
    ((asked,), (event,)) = _inquired(_listed(_message("6f" * 16 + ".0"), _message()))

    address = urlsplit(asked.url)
    assert (asked.method, address.path) == (
        "GET",
        f"/v1/Conversations/{GROUP}/Messages",
    )
    assert parse_qs(address.query) == {"Order": ["desc"], "PageSize": ["50"]}
    assert asked.headers.get("authorization")
    assert (event.token, event.message_id) == (KEY, MESSAGE)
    assert event.status is DeliveryStatus.ACCEPTED
    assert event.occurred_at == datetime(2026, 11, 27, 7, 59, tzinfo=UTC)
    assert event.received_at == played_at(START)


@pytest.mark.parametrize(
    "reply",
    [
        _listed(),
        _listed(_message("6f" * 16 + ".0")),
        _listed(_message(attributes="{"), _message(sid=None), 7, None),
        GONE,
        Response(200, {}, b"<html>"),
        Failure("ReadTimeout"),
    ],
    ids=["empty", "another's", "odd", "gone", "html", "lost"],
)
def test_any_other_list_tells_nothing(reply: Reply) -> None:
    """Silence proves nothing: no event comes of it, and no error."""
    assert _inquired(reply)[1] == []


def test_a_2xx_without_an_id_is_in_doubt_until_it_is_found() -> None:
    """What is unknown stays so, and says why."""
    assert _read(_says(201)) == Unknown("HTTP 201 without a message id")
