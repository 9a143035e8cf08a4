"""Vonage, outward: one request per member, who signs it, what each reply proves."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from multigroup import (
    Accepted,
    ConfigError,
    Media,
    Message,
    NotSent,
    Number,
    Outcome,
    Reason,
    Refused,
    Scope,
    SendId,
    Unknown,
    Vonage,
)
from multigroup.models import Leg
from multigroup.providers.base import Draft, Rail, outcome
from multigroup.providers.reading import token_in
from multigroup.wire import Request, Response

OURS = "+12125550100"
PEOPLE = tuple(Number(f"+141555501{n:02}") for n in range(1, 11))
SEND = SendId("0123456789abcdef0123456789abcdef")
ACCOUNT = Vonage(api_key="abcd1234", api_secret="secret-of-ours")
NOW = 1_795_000_000.0


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    """Give an application's key, which takes a moment to make."""
    return rsa.generate_private_key(65537, 2048)


def _pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
    password: bytes | None = None,
) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    ).decode()


def _of_unknown_algorithm() -> str:
    """Return a well-formed PKCS #8 key of algorithm 1.2.3.4."""
    der = bytes.fromhex("302e020100300506032a030404220420") + bytes(32)
    written = base64.b64encode(der).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{written}\n-----END PRIVATE KEY-----"


def _legs(
    members: int = 3,
    message: Message | None = None,
    *,
    number: str = OURS,
    callback: str | None = None,
    first: int = 0,
) -> tuple[Leg, ...]:
    draft = Draft(
        send=SEND,
        line=ACCOUNT.line(number),
        members=PEOPLE[:members],
        message=message or Message("Dinner at 7?"),
        first=first,
        callback=callback,
    )
    return ACCOUNT.legs(draft, Rail())


def _body(leg: Leg) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(leg.request.body)
    return body


def _said(message: Message) -> dict[str, Any]:
    """Return what a body says, without what every body says."""
    body = _body(_legs(1, message)[0])
    frame = ("channel", "from", "to", "webhook_version", "client_ref")
    return {name: value for name, value in body.items() if name not in frame}


def _read(status: int, body: object, headers: dict[str, str] | None = None) -> Outcome:
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return outcome(ACCOUNT, _legs()[0], Response(status, headers or {}, written))


def _problem(title: object, **more: Any) -> dict[str, Any]:
    return {
        "type": "https://developer.vonage.com/api-errors/messages#1120",
        "title": title,
        "instance": "bf0ca0bf",
        **more,
    }


def _decoded(part: str) -> dict[str, Any]:
    raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    document: dict[str, Any] = json.loads(raw)
    return document


def _token(account: Vonage, now: float) -> str:
    sent = account.authorize(Request("POST", "https://carrier.example"), now)
    scheme, _, token = (sent.headers.get("authorization") or "").partition(" ")
    assert scheme == "Bearer"
    return token


@pytest.mark.parametrize("size", range(2, 11))
def test_a_group_is_one_request_per_member(size: int) -> None:
    """Each leg rings one member and names all the others as participants."""
    legs = _legs(size)

    bare = [number.removeprefix("+") for number in PEOPLE[:size]]
    assert [leg.members for leg in legs] == [(one,) for one in PEOPLE[:size]]
    assert [_body(leg)["to"] for leg in legs] == bare
    for leg, to in zip(legs, bare, strict=True):
        others = [one for one in bare if one != to]
        assert _body(leg)["mms"] == {"participants": others}


def test_the_whole_body_of_a_leg() -> None:
    """A leg says the message, who it is from and for, and nothing more."""
    leg = _legs(3)[1]

    assert leg.request.method == "POST"
    assert leg.request.url == "https://api.nexmo.com/v1/messages"
    assert leg.request.headers.get("content-type") == "application/json"
    assert _body(leg) == {
        "channel": "mms",
        "message_type": "text",
        "text": "Dinner at 7?",
        "from": "12125550100",
        "to": "14155550102",
        "mms": {"participants": ["14155550101", "14155550103"]},
        "client_ref": f"{SEND}.1",
        "webhook_version": "v1",
    }


def test_no_number_bears_a_plus() -> None:
    """Vonage writes E.164 without its sign; a short code stays as it is."""
    for leg in _legs(5, callback="https://app.example/vonage"):
        assert b"+" not in leg.request.body
    assert _body(_legs(number="28228")[0])["from"] == "28228"


def test_one_member_gets_a_plain_mms() -> None:
    """Without others there are no participants to name."""
    (leg,) = _legs(1)

    assert "mms" not in _body(leg)
    assert _body(leg)["to"] == "14155550101"


def test_every_leg_has_a_reference_of_its_own() -> None:
    """`client_ref` is the leg's key, unlike its neighbours', within 100 characters."""
    legs = (*_legs(8), *_legs(8, first=8))

    references = [_body(leg)["client_ref"] for leg in legs]

    assert references == [leg.key for leg in legs]
    assert len(set(references)) == 16
    assert max(map(len, references)) <= 100


def test_every_leg_says_where_its_news_go() -> None:
    """The status webhook is the leg's own, in the form we read."""
    for leg in _legs(3, callback="https://app.example/vonage"):
        body = _body(leg)
        assert body["webhook_url"] == f"https://app.example/vonage?leg={leg.key}"
        assert token_in(body["webhook_url"]) == leg.key
        assert body["webhook_version"] == "v1"
    assert "webhook_url" not in _body(_legs()[0])


def test_one_attachment_carries_the_text_as_its_caption() -> None:
    """Text and one picture are one message of the picture's type."""
    url = "https://files.example/a.jpg?sig=1"

    with_text = _said(Message("Look", [url]))
    without = _said(Message("", [url]))

    assert with_text == {
        "message_type": "image",
        "image": {"url": url, "caption": "Look"},
    }
    assert without == {"message_type": "image", "image": {"url": url}}


def test_several_attachments_are_one_message_of_content() -> None:
    """The first of several attachments bears the text, and there is no other text."""
    urls = [f"https://files.example/a.{ending}" for ending in ("jpg", "mp4", "pdf")]

    assert _said(Message("Look", urls)) == {
        "message_type": "content",
        "content": [
            {"type": "image", "url": urls[0], "caption": "Look"},
            {"type": "video", "url": urls[1]},
            {"type": "file", "url": urls[2]},
        ],
    }


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        *((one, "image") for one in ("jpg", "JPEG", "png", "gif", "bmp")),
        *((one, "audio") for one in ("mp3", "amr", "midi", "wav", "ac3")),
        *((one, "video") for one in ("mp4", "3gp", "avi", "mpg")),
        ("vcf", "vcard"),
        *((one, "file") for one in ("pdf", "zip", "webp", "unknown")),
    ],
)
def test_the_ending_tells_the_type(ending: str, kind: str) -> None:
    """Without a content type the path's ending decides, whatever the query says."""
    url = f"https://files.example/v1.0/card.{ending}?as=b.mp3#c.gif"

    assert _said(Message(media=[url])) == {"message_type": kind, kind: {"url": url}}


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("image/jpeg", "image"),
        ("image/png; q=1", "image"),
        ("IMAGE/GIF", "image"),
        ("audio/mpeg", "audio"),
        ("audio/wav", "audio"),
        ("audio/amr", "audio"),
        ("video/mp4", "video"),
        ("video/mpeg", "video"),
        ("video/3gpp", "video"),
        ("text/vcard", "vcard"),
        ("text/x-vcard", "vcard"),
        ("application/pdf", "file"),
    ],
)
def test_the_content_type_goes_before_the_ending(content_type: str, kind: str) -> None:
    """What the media is said to be counts, not what its address looks like."""
    for url in ("https://files.example/v3/media/0a1b", "https://files.example/a.bmp"):
        message = Message("Look", [Media(url, content_type)])
        assert _said(message) == {
            "message_type": kind,
            kind: {"url": url, "caption": "Look"},
        }


@pytest.mark.parametrize(
    "url", ["https://files.example", "https://files.example/", "https://a.jpg/media"]
)
def test_media_of_no_known_type_are_files(url: str) -> None:
    """An address without an ending, or with one in the host only, is a file."""
    assert _said(Message(media=[url]))["message_type"] == "file"


def test_basic_credentials_are_key_and_secret() -> None:
    """Without an application the account's key and secret sign each request."""
    sent = ACCOUNT.authorize(_legs()[0].request, NOW)

    scheme, _, pair = (sent.headers.get("authorization") or "").partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(pair) == b"abcd1234:secret-of-ours"


def test_an_applications_token_is_signed_with_its_key(
    rsa_key: rsa.RSAPrivateKey,
) -> None:
    """The JWT is RS256 over the claims the manual requires, for 15 minutes."""
    account = Vonage(application_id="app-1", private_key=_pem(rsa_key))

    head, claims, signature = _token(account, NOW).split(".")

    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    signed = f"{head}.{claims}".encode()
    rsa_key.public_key().verify(raw, signed, padding.PKCS1v15(), hashes.SHA256())
    assert _decoded(head) == {"alg": "RS256", "typ": "JWT"}
    said = _decoded(claims)
    assert said.pop("jti")
    assert said == {
        "application_id": "app-1",
        "iat": int(NOW),
        "exp": int(NOW) + 900,
    }


def test_a_token_is_used_until_four_fifths_of_its_life(
    rsa_key: rsa.RSAPrivateKey,
) -> None:
    """Signing costs, so one token serves 720 s; the next one has another `jti`."""
    account = Vonage(application_id="app-1", private_key=_pem(rsa_key))

    first, same, renewed = (_token(account, NOW + s) for s in (0, 719.9, 720))

    assert first == same != renewed
    old, new = (_decoded(token.split(".")[1]) for token in (first, renewed))
    assert new["iat"] == int(NOW) + 720
    assert old["jti"] != new["jti"]


def test_an_application_goes_before_basic_credentials(
    rsa_key: rsa.RSAPrivateKey,
) -> None:
    """With both given, the JWT is used; half an application is none."""
    pem = _pem(rsa_key)
    both = Vonage(api_key="a", api_secret="b", application_id="app-1", private_key=pem)
    half = Vonage(api_key="a", api_secret="b", application_id="app-1")

    headers = [
        one.authorize(_legs()[0].request, NOW).headers.get("authorization") or ""
        for one in (both, half)
    ]

    assert [header.split(" ")[0] for header in headers] == ["Bearer", "Basic"]


@pytest.mark.parametrize(
    "pem",
    [
        "garbage",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "-----BEGIN PRIVATE KEY-----\ngarbage\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n\x00\n",
    ],
)
def test_garbage_in_the_place_of_a_key_is_a_setting_to_mend(pem: str) -> None:
    """What is no PEM key raises `ConfigError`, and its text does not quote it."""
    with pytest.raises(ConfigError) as caught:
        _token(Vonage(application_id="app-1", private_key=pem), NOW)

    assert "private_key" in str(caught.value)
    assert "AAAA" not in str(caught.value)


def test_a_key_that_is_not_rsa_is_a_setting_to_mend(
    rsa_key: rsa.RSAPrivateKey,
) -> None:
    """Vonage takes RS256 only: other keys, and locked ones, are refused by name."""
    wrong = [
        _pem(ec.generate_private_key(ec.SECP256R1())),
        _pem(ed25519.Ed25519PrivateKey.generate()),
        _pem(rsa_key, password=b"locked"),
        _of_unknown_algorithm(),
    ]

    for pem in wrong:
        with pytest.raises(ConfigError, match="private_key"):
            _token(Vonage(application_id="app-1", private_key=pem), NOW)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"api_key": "a"},
        {"api_secret": "b"},
        {"application_id": "app-1"},
        {"private_key": "-----BEGIN PRIVATE KEY-----"},
        {"api_key": "a", "api_secret": "", "application_id": "app-1"},
    ],
)
def test_an_account_needs_one_whole_pair_of_credentials(given: dict[str, str]) -> None:
    """Half a pair is refused before anything is sent with it."""
    with pytest.raises(ConfigError, match="api_key"):
        Vonage(**given)  # type: ignore[arg-type]  # one field takes more than strings


def test_an_id_proves_acceptance() -> None:
    """202 with a `message_uuid` is an acceptance; its price comes later, in events."""
    body = {"message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"}

    known = _read(202, {**body, "workflow_id": "3Tc"}, {"X-Request-Id": "r"})

    assert known == Accepted(body["message_uuid"], None)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b'{"message_uuid":null}', b'{"message_uuid":[]}']
)
def test_a_success_without_an_id_is_unknown(body: bytes) -> None:
    """An empty 202 may be a message accepted: it is neither repeated nor moved."""
    assert isinstance(_read(202, body), Unknown)


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (401, "You did not provide correct credentials."),
        (402, "Low balance"),
        (403, "Forbidden"),
        (404, "Not Found"),
    ],
)
def test_the_accounts_troubles_let_another_line_try(status: int, title: str) -> None:
    """Credentials, credit and permission are the account's: refused, and movable."""
    assert _read(status, _problem(title)) == Refused(
        f"HTTP {status}", Reason.ACCOUNT, Scope.ACCOUNT, title
    )


@pytest.mark.parametrize(
    ("title", "reason", "scope"),
    [
        ("Invalid sender", Reason.REGISTRATION, Scope.LINE),
        ("INVALID SENDER", Reason.REGISTRATION, Scope.LINE),
        ("Invalid recipient", Reason.INVALID_NUMBER, Scope.MEMBER),
        ("Unsupported channel", Reason.ACCOUNT, Scope.ACCOUNT),
        ("Invalid params", Reason.OTHER, Scope.MESSAGE),
        ("Invalid message type", Reason.OTHER, Scope.MESSAGE),
        ("Invalid client reference", Reason.OTHER, Scope.MESSAGE),
        ("The request body did not contain valid JSON", Reason.OTHER, Scope.MESSAGE),
        ("A title of next year", Reason.OTHER, Scope.MESSAGE),
    ],
)
def test_a_422_goes_by_its_title(title: str, reason: Reason, scope: Scope) -> None:
    """The title decides; the number in `type` is of an older scheme and does not."""
    known = _read(422, _problem(title, detail="See the reference"))

    assert known == Refused("HTTP 422", reason, scope, "See the reference")


@pytest.mark.parametrize(
    ("status", "scope"),
    [(400, Scope.MESSAGE), (401, Scope.ACCOUNT), (403, Scope.ACCOUNT)],
)
@pytest.mark.parametrize("body", [b"", b"<html>No</html>", b"[]", b'{"title":[1]}'])
def test_without_a_title_the_status_decides(
    status: int, scope: Scope, body: bytes
) -> None:
    """A proxy's page, or no page at all, is read by its status."""
    known = _read(status, body)

    assert isinstance(known, Refused)
    assert (known.code, known.scope, known.detail) == (f"HTTP {status}", scope, "")


def test_throttling_names_its_wait() -> None:
    """A 429 sent nothing; `Retry-After` counts, a reset in milliseconds does not."""
    headers = {
        "Retry-After": "15",
        "X-RateLimit-Limit": "30",
        "X-RateLimit-Reset": "1769182705723",
    }

    known = _read(429, _problem("Rate Limit Hit"), headers)

    assert isinstance(known, NotSent)
    assert known.wait == 15.0


def test_the_carriers_words_are_kept_without_numbers() -> None:
    """A refusal's detail is kept for people, any phone number in it masked."""
    known = _read(422, _problem("Invalid recipient", detail="14155550101 is odd"))

    assert isinstance(known, Refused)
    assert known.detail.endswith("is odd")
    assert "14155550101" not in known.detail
