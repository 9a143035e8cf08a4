"""Signed webhooks, changed: a body never passes, a header changes no meaning."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import assume, example, given, strategies as st

from multigroup import Event, SignatureError
from multigroup.providers.telnyx import facts as telnyx_facts
from multigroup.providers.vonage import facts as vonage_facts
from multigroup.signatures import hs256_claims, unix_seconds
from multigroup.simulator.keys import hs256, sha256_hex
from multigroup.wire import Headers, Request
from tests.helpers.world import Carrier
from tests.properties.accounts import ACCOUNTS, NOW, SECRET, client, signed, token
from tests.properties.mischief import altered, respelt
from tests.properties.strategies import CARRIERS, bodies, json_values

WINDOWS = {
    "telnyx": (telnyx_facts.WINDOW, telnyx_facts.WINDOW),
    "vonage": (vonage_facts.WINDOW, vonage_facts.SKEW),
}
carriers = st.sampled_from(CARRIERS)
genuine = carriers.flatmap(lambda name: st.tuples(st.just(name), bodies(name)))


def _passes(carrier: Carrier, request: Request, now: float = NOW) -> bool:
    """Tell whether *request* is taken for the carrier's; nothing but that may come."""
    try:
        ACCOUNTS[carrier].verify(request, now)
    except SignatureError as error:
        sound = error.status in {401, 503} and str(error).isascii()
    else:
        return True
    assert sound
    return False


def _with_body(request: Request, body: bytes) -> Request:
    return Request(request.method, request.url, request.headers, body)


def _with_headers(request: Request, headers: Any) -> Request:
    return Request(request.method, request.url, headers, request.body)


@given(carriers, st.binary() | bodies("telnyx") | bodies("vonage"))
def test_what_a_carrier_signs_passes(carrier: Carrier, body: bytes) -> None:
    """A signature holds for any body there is, once it is the carrier's own."""
    assert _passes(carrier, signed(carrier, body))


@given(st.data(), genuine)
def test_a_mutated_body_never_passes(
    data: st.DataObject, webhook: tuple[Carrier, bytes]
) -> None:
    """Whatever befalls a body on its way, its signature no longer fits."""
    carrier, body = webhook
    request = signed(carrier, body)
    other = data.draw(altered(body))

    assert other != body
    assert not _passes(carrier, _with_body(request, other))


@given(genuine, st.binary())
def test_no_other_body_passes(webhook: tuple[Carrier, bytes], other: bytes) -> None:
    """A genuine signature vouches for no body but its own."""
    carrier, body = webhook
    assume(other != body)

    assert not _passes(carrier, _with_body(signed(carrier, body), other))


@given(st.data(), genuine)
def test_a_mutated_header_fails_or_means_the_same(
    data: st.DataObject, webhook: tuple[Carrier, bytes]
) -> None:
    """A header that was tampered with and still passes says what it said before."""
    carrier, body = webhook
    request = signed(carrier, body)
    victim = data.draw(st.integers(0, len(request.headers) - 1))
    headers = list(request.headers)
    name, value = headers[victim]
    headers[victim] = (name, data.draw(respelt(value)))
    changed = _with_headers(request, headers)

    if _passes(carrier, changed):
        assert _meaning(carrier, changed) == _meaning(carrier, request)


def _meaning(carrier: Carrier, request: Request) -> Any:
    """Return what the headers say, as far as it counts."""
    if carrier == "vonage":
        header = request.headers.get("authorization") or ""
        written = header.strip().split(" ")[-1]
        head, claims, _ = written.split(".")
        return head, claims, hs256_claims(written, [SECRET.encode()])
    stamp = request.headers.get("telnyx-timestamp")
    signature = request.headers.get("telnyx-signature-ed25519") or ""
    return stamp, unix_seconds(stamp), base64.b64decode(signature)


@given(st.data(), genuine)
def test_headers_around_the_signature_do_not_count(
    data: st.DataObject, webhook: tuple[Carrier, bytes]
) -> None:
    """Other headers, their order and the case of their names change nothing."""
    carrier, body = webhook
    request = signed(carrier, body)
    mine = [(data.draw(st.sampled_from([n, n.upper()])), v) for n, v in request.headers]
    names = st.text(max_size=9).filter(
        lambda name: name.lower() not in dict(request.headers)
    )
    others = data.draw(st.lists(st.tuples(names, st.text(max_size=9)), max_size=3))

    assert _passes(
        carrier, _with_headers(request, data.draw(st.permutations(mine + others)))
    )


@given(genuine, st.data())
def test_a_header_given_twice_fails(
    webhook: tuple[Carrier, bytes], data: st.DataObject
) -> None:
    """A second field of one name smuggles nothing in, before or after the first."""
    carrier, body = webhook
    request = signed(carrier, body)
    name, value = data.draw(st.sampled_from(list(request.headers)))
    twin = (name.upper(), data.draw(st.just(value) | st.text(max_size=90)))
    first = data.draw(st.booleans())
    headers = [twin, *request.headers] if first else [*request.headers, twin]

    assert not _passes(carrier, _with_headers(request, headers))


@given(carriers, st.binary(max_size=9), st.data())
@example("telnyx", b"", None)
def test_headers_of_anything_are_refused_quietly(
    carrier: Carrier, body: bytes, data: st.DataObject | None
) -> None:
    """Whatever a socket can carry in the place of a signature is a `SignatureError`."""
    names = dict(signed(carrier, body).headers)
    anything = st.text() | st.binary() | st.integers(0, 10**30).map(str)
    fields = {name: data.draw(anything) if data else "9" * 5000 for name in names}

    assert not _passes(carrier, Request("POST", "/", fields.items(), body))


@given(genuine, genuine)
def test_no_part_of_one_webhook_serves_another(
    one: tuple[Carrier, bytes], two: tuple[Carrier, bytes]
) -> None:
    """The signature of a webhook cannot be put above another, of either carrier."""
    assume(one[1] != two[1])
    first, second = signed(*one), signed(*two)

    assert not _passes(two[0], _with_headers(second, first.headers))
    assert not _passes(one[0], _with_body(first, second.body))
    both = Headers((*first.headers, *second.headers))
    assert one[0] != two[0] or not _passes(one[0], _with_headers(first, both))


@given(genuine, st.integers(-200_000, 200_000))
@example(("telnyx", b"{}"), 300)
@example(("telnyx", b"{}"), -301)
@example(("vonage", b"{}"), 24 * 3600 + 300)
@example(("vonage", b"{}"), 24 * 3600 + 301)
def test_a_webhook_passes_within_its_window_only(
    webhook: tuple[Carrier, bytes], age: int
) -> None:
    """A genuine webhook passes while it is fresh, and at no other time."""
    carrier, body = webhook
    past, future = WINDOWS[carrier]

    assert _passes(carrier, signed(carrier, body, NOW - age)) is (
        -future <= age <= past
    )


@given(
    st.binary(max_size=20),
    st.dictionaries(
        st.sampled_from(["iss", "iat", "payload_hash", "alg"]),
        json_values(),
        min_size=1,
    ),
)
def test_claims_of_anything_are_refused_or_true(
    body: bytes, claims: dict[str, Any]
) -> None:
    """A well-signed token passes only if issuer, time and hash are right."""
    request = signed("vonage", body)
    forged = {"authorization": f"Bearer {token(body, **claims)}"}
    passes = _passes("vonage", _with_headers(request, forged))

    issued = claims.get("iat", NOW)
    timely = type(issued) in (int, float) and abs(NOW - issued) <= WINDOWS["vonage"][0]
    assert not passes or (
        claims.get("iss", "Vonage") == "Vonage"
        and timely
        and str(claims.get("payload_hash", sha256_hex(body))).lower()
        == sha256_hex(body)
    )


@given(
    st.binary(max_size=20),
    st.text(min_size=1).filter(lambda word: word.rstrip("\0") != SECRET),
)
def test_no_other_secret_signs(body: bytes, secret: str) -> None:
    """A token signed with any other secret is a forgery."""
    assume(all(not "\ud800" <= letter <= "\udfff" for letter in secret))
    claims: Any = {"iat": int(NOW), "iss": "Vonage", "payload_hash": sha256_hex(body)}
    header = {"authorization": f"Bearer {hs256(claims, secret)}"}

    assert not _passes("vonage", Request("POST", "/", header, body))


@given(st.data(), genuine)
def test_a_forgery_leaves_nothing_behind(
    data: st.DataObject, webhook: tuple[Carrier, bytes]
) -> None:
    """A client stores and handles nothing of a body that was tampered with."""
    carrier, body = webhook
    forged = _with_body(signed(carrier, body), data.draw(altered(body)))
    with client() as app:
        heard: list[Event] = []
        app.on(Event)(heard.append)
        with pytest.raises(SignatureError) as refused:
            app.receive(carrier, forged)
        reception = app.receive(carrier, signed(carrier, body))

    assert refused.value.status == 401
    assert heard == list(reception.events)
    assert reception.duplicates == ()
