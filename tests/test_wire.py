"""Requests, responses and headers as they stand on the wire."""

from __future__ import annotations

import pytest

from multigroup.wire import Failure, Headers, Request, Response

URL = "https://api.carrier.example/v2/messages?token=s3cret#at"


def test_a_request_shows_neither_query_nor_headers_nor_body() -> None:
    """What a request shows is method, bare URL and size: no token, no text."""
    request = Request("POST", URL, {"Authorization": "Bearer s3cret"}, b"s3cret!")

    shown = repr(request)

    assert "s3cret" not in shown
    assert "'POST'" in shown
    assert "'https://api.carrier.example/v2/messages'" in shown
    assert "<7 bytes>" in shown


@pytest.mark.parametrize("separator", ["?", "#"])
def test_a_request_hides_a_token_after_either_separator(separator: str) -> None:
    """A fragment is hidden as a query is."""
    request = Request("GET", f"https://carrier.example/in{separator}leg=s3cret")
    assert "s3cret" not in repr(request)
    assert "https://carrier.example/in" in repr(request)


def test_a_response_shows_its_status_and_its_size_only() -> None:
    """A carrier's reply may quote the message, so its body is not shown."""
    response = Response(200, {"Set-Cookie": "s3cret"}, b'{"text": "s3cret"}')

    assert "s3cret" not in repr(response)
    assert "status=200" in repr(response)
    assert "<18 bytes>" in repr(response)


def test_headers_on_their_own_show_no_value() -> None:
    """Header fields carry credentials and stay hidden when shown by themselves."""
    request = Request("GET", URL, {"authorization": "Bearer s3cret"})
    assert "s3cret" not in repr(request.headers)


def test_header_names_are_compared_without_case() -> None:
    """A field is found however it and the question are written."""
    headers = Request("GET", URL, {"Telnyx-Timestamp": "12"}).headers
    assert headers.get("telnyx-timestamp") == "12"
    assert headers.get("TELNYX-TIMESTAMP") == "12"
    assert headers.get("telnyx") is None


def test_headers_are_taken_as_bytes_too() -> None:
    """ASGI servers hold pairs of bytes; any byte is read, none refused."""
    headers = Request("GET", URL, [(b"X-Name", b"caf\xe9"), (b"A", b"")]).headers
    assert headers.get("x-name") == "caf\xe9"
    assert headers.get("a") == ""


def test_repeated_fields_are_joined() -> None:
    """Two fields of one name read as one, joined by a comma (RFC 9110)."""
    headers = Request("GET", URL, [("Via", "one"), ("x", "y"), ("VIA", "two")]).headers
    assert headers.get("via") == "one, two"


def test_merging_replaces_namesakes_and_keeps_the_rest() -> None:
    """A field merged in stands in place of all fields of its name."""
    given = Request("GET", URL, [("A", "1"), ("B", "2"), ("a", "3")]).headers

    merged = given.merged({"A": "new", "C": "4"})

    assert isinstance(merged, Headers)
    assert tuple(merged) == (("b", "2"), ("a", "new"), ("c", "4"))
    assert tuple(given) == (("a", "1"), ("b", "2"), ("a", "3"))


def test_headers_are_kept_as_they_are_when_given_again() -> None:
    """A request made of another's headers has equal ones."""
    first = Request("GET", URL, {"A": "1"})
    assert Request("GET", URL, first.headers) == first


def test_a_failure_may_have_left_unless_it_says_otherwise() -> None:
    """Only what is known to be unsent counts as such."""
    assert not Failure("ReadTimeout").unsent
    assert Failure("ConnectError", unsent=True).unsent
