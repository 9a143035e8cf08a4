"""What the command `normalize` makes of a file: one body, or one a line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest

from multigroup.cli._bodies import BODY_CAP, Numbered, bodies, fields

ONE = b'{"a": 1}'
PRETTY = b'{\n  "a": [\n    {"b": 2}\n  ]\n}'
BOM = b"\xef\xbb\xbf"


class Endless(io.RawIOBase):
    """A stream of bodies, a line each, that counts what was taken."""

    taken = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # a narrower buffer will do
        """Give one more line."""
        buffer[: len(ONE) + 1] = ONE + b"\n"
        self.taken += 1
        return len(ONE) + 1


def told(written: bytes) -> list[Numbered]:
    """Return the bodies in *written*."""
    return list(bodies(io.BytesIO(written)))


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n"])
@pytest.mark.parametrize("body", [PRETTY, PRETTY.replace(b"\n", b"\r\n"), b"[\n{}\n]"])
def test_a_document_over_several_lines_is_one_body(body: bytes, end: bytes) -> None:
    """It is given as it stands, without the end of its last line."""
    assert told(body + end) == [(0, body)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n"])
def test_a_document_per_line_is_many_bodies(end: bytes) -> None:
    """Blank lines and line ends are none of them."""
    found = [body for _, body in told(end.join([ONE, b'{"b":2}', b"A=1&B=2", b""]))]
    assert found == [ONE, b'{"b":2}', b"A=1&B=2"]


def test_lines_are_numbered_as_an_editor_does() -> None:
    """Blank ones count."""
    assert told(b"\n\r\n" + ONE + b"\n\n" + ONE) == [(3, ONE), (5, ONE)]


@pytest.mark.parametrize("body", [ONE, PRETTY, b"A=1"])
def test_a_byte_order_mark_is_not_part_of_a_body(body: bytes) -> None:
    """Some editors put one at the start of a file."""
    assert [found for _, found in told(BOM + body + b"\n")] == [body]


@pytest.mark.parametrize("written", [b"", b"\n", BOM, b" \r\n\t\n"])
def test_nothing_holds_no_body(written: bytes) -> None:
    """Blank lines alone are nothing."""
    assert told(written) == []


def test_lines_are_told_before_the_stream_ends() -> None:
    """A log that is being written can be followed, in flat memory."""
    stream = Endless()
    found: Iterator[Numbered] = bodies(io.BufferedReader(stream, buffer_size=1024))
    assert next(found) == (1, ONE)
    assert stream.taken < 1000


def test_a_damaged_first_line_does_not_hide_the_others() -> None:
    """One later line that is a body tells that all lines are."""
    assert told(b"{bad\n" + ONE + b"\nbad\n") == [(1, b"{bad"), (2, ONE), (3, b"bad")]


def test_forms_after_a_damaged_first_line_are_not_hidden() -> None:
    """A form is a body as much as an object is."""
    assert told(b"bad\nA=1&B=2\n") == [(1, b"bad"), (2, b"A=1&B=2")]


@pytest.mark.parametrize("body", [b"[]", b"5", b'"A=1"'])
def test_a_bad_line_is_numbered_among_others_only(
    body: bytes,
) -> None:
    """Alone it is the whole input."""
    assert told(body + b"\n\n") == [(0, body)]
    assert told(body + b"\n\n" + ONE + b"\n" + ONE) == [(1, body), (3, ONE), (4, ONE)]


def test_a_damaged_document_is_one_bad_body() -> None:
    """None of its lines is a body of its own."""
    damaged = PRETTY.removesuffix(b"}")
    assert told(damaged) == [(0, damaged.rstrip())]


@pytest.mark.parametrize(
    "body",
    [json.dumps(["x" * BODY_CAP], indent=1), json.dumps("x" * BODY_CAP)],
    ids=["lines", "line"],
)
def test_no_body_may_be_longer_than_an_endpoint_takes(body: str) -> None:
    """Its length is found out without holding all of it."""
    assert [found for _, found in told(body.encode() * 3)] == [None]


def test_a_line_too_long_does_not_hide_the_others() -> None:
    """Neither as the first nor in between, whatever its length."""
    long = b'"' + b"x" * (3 * BODY_CAP) + b'"'
    found = told(b"\n".join([long, ONE, long, ONE]))
    assert found == [(1, None), (2, ONE), (3, None), (4, ONE)]


def test_a_long_damaged_start_does_not_hide_the_others() -> None:
    """What was held back to see whether it is one document is told as lines."""
    pad = b'{"pad": "' + b"x" * 1000 + b'"}'
    lines = [b"{bad", *[pad] * 1100]
    assert [body for _, body in told(b"\n".join(lines))] == lines


def test_a_body_as_long_as_an_endpoint_takes_is_one() -> None:
    """The end of its line does not count."""
    body = b'"' + b"x" * (BODY_CAP - 2) + b'"'
    assert told(body + b"\r\n" + ONE) == [(1, body), (2, ONE)]


@pytest.mark.parametrize(
    "written",
    [
        b"POST /hook HTTP/1.1\r\nHost: a.test\r\nX-Id:  7:8 \r\n\r\n",
        b"\xef\xbb\xbfHost: a.test\nX-Id: 7:8",
        b'{"Host": "a.test", "X-Id": ["7:8"]}',
    ],
    ids=["captured", "lines", "json"],
)
def test_headers_are_lines_or_an_object(written: bytes) -> None:
    """A request line before them is passed over."""
    assert fields(written) == [("Host", "a.test"), ("X-Id", "7:8")]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (b"Host: a\nsecret", "line 2 is not"),
        (b": secret", "line 1 is not"),
        (b'{"a": secret}', "not readable JSON"),
        (b'{"a": {"b": "secret"}}', "neither a text"),
    ],
)
def test_headers_of_another_kind_are_refused(written: bytes, why: str) -> None:
    """The error does not quote them: they may hold credentials."""
    with pytest.raises(ValueError, match=why) as caught:
        fields(written)
    assert "secret" not in str(caught.value)
