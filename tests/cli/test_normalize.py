"""`multigroup.normalize`: any carrier's body, JSON or form, as events."""

from __future__ import annotations

import pytest

from multigroup import ConfigError, MessageReceived, PayloadError, normalize
from multigroup.webhooks import NEVER, as_json
from tests.cli.captured import Captured
from tests.helpers.values import ANA, PEOPLE
from tests.helpers.world import NUMBERS

FORM = "application/x-www-form-urlencoded"


def test_a_webhook_is_read_without_its_signature(captured: Captured) -> None:
    """It is received when it occurred, as nobody received it."""
    own = NUMBERS[captured.carrier]
    (event,) = normalize(captured.carrier, captured.request.body, own=[own])
    assert isinstance(event, MessageReceived)
    assert (event.sender, event.line, event.members) == (ANA, own, frozenset(PEOPLE))
    assert event.received_at == event.occurred_at > NEVER
    assert event.raw == captured.request.body


def test_our_number_may_be_given_alone(captured: Captured) -> None:
    """A string is one number, not its characters."""
    own, body = NUMBERS[captured.carrier], captured.request.body
    assert normalize(captured.carrier, body, own=own) == normalize(
        captured.carrier, body, own=[own]
    )


def test_the_headers_of_a_webhook_may_come_along(captured: Captured) -> None:
    """JSON that is said to be JSON is read as before."""
    plain = normalize(captured.carrier, captured.request.body)
    headers = captured.request.headers
    assert normalize(captured.carrier, captured.request.body, headers=headers) == plain


@pytest.mark.parametrize("carrier", ["bandwidth", "telnyx", "vonage"])
@pytest.mark.parametrize("body", [b"A=1&B=%C3%A9+", b"A=&A=2", b"\xef\xbb\xbfA=1\r\n"])
def test_a_form_gives_an_event_that_keeps_it_whole(carrier: str, body: bytes) -> None:
    """No carrier that sends JSON is taken at its word, and none crashes."""
    (event,) = normalize(carrier, body)
    assert type(event).__name__ == "Unrecognized"
    assert event.raw == body


def test_a_form_becomes_one_flat_object() -> None:
    """Names are decoded as well as values, and empty ones are kept."""
    assert as_json(b"To=%2B1&a%5B0%5D=b+c&Empty=") == (
        b'{"To":"+1","a[0]":"b c","Empty":""}'
    )


def test_the_content_type_decides_where_it_is_given() -> None:
    """The body is asked only when the headers do not say."""
    assert as_json(b"a=1", "application/json; charset=utf-8") == b"a=1"
    assert as_json(b'{"a=1', FORM) == b'{"{\\"a":"1"}'
    assert as_json(b"a=1", "text/plain") == b'{"a":"1"}'


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"<a b=1>", b"a b=1", b"{a=1", b'"a=1"', b"[]", b"\xff\xfe"]
)
def test_what_is_neither_json_nor_form_is_refused(body: bytes) -> None:
    """The carriers send nothing of the kind."""
    with pytest.raises(PayloadError):
        normalize("telnyx", body)


@pytest.mark.parametrize("body", [b"hello", b"", b"&".join([b"a=1"] * 1001)])
def test_a_form_by_its_headers_must_be_one(body: bytes) -> None:
    """With at most a thousand fields."""
    with pytest.raises(PayloadError):
        normalize("vonage", body, headers=[(b"Content-Type", FORM.encode())])


def test_an_unknown_carrier_is_answered_with_the_likely_one() -> None:
    """Or with all there are."""
    with pytest.raises(ConfigError, match="did you mean 'vonage'"):
        normalize("Vontage", b"{}")
    with pytest.raises(ConfigError, match="there is bandwidth, telnyx, twilio"):
        normalize("x", b"{}")
