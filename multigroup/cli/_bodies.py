"""What a file or pipe holds: one webhook body, or one a line; and a headers file."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import BinaryIO, Final, TypeAlias

from .. import codec
from ..errors import PayloadError
from ..webhooks import as_json
from ..wire import Json

__all__ = ["BODY_CAP", "TOO_LONG", "Numbered", "bodies", "fields"]

BODY_CAP: Final = 1 << 20
"""Bytes a body may have, as at the webhook endpoint; it bounds the memory used."""

TOO_LONG: Final = "the body is longer than 1 MiB, which no carrier's is"

Numbered: TypeAlias = tuple[int, bytes | None]
"""A line's number, 0 for the whole input, and the body; `None` if it is too long."""

_LINE_END: Final = b"\r\n"
_PIECE: Final = BODY_CAP + len(_LINE_END)
_REQUEST_LINE: Final = re.compile(r"[A-Z]+ \S+ HTTP/[0-9.]+")


def bodies(stream: BinaryIO) -> Iterator[Numbered]:
    """Yield the bodies in *stream*, reading no further ahead than it takes.

    If the first line is a whole body, every line is one. If not, either one body is
    spread over lines, or the first of many lines is damaged: the input is one body if
    it can be read as such, else lines if one of them can be, else one bad body.
    """
    pieces = _pieces(stream)
    blank = (b"", 0)
    first, number = next(
        ((piece, n) for n, piece in enumerate(pieces, 1) if piece.strip()), blank
    )
    if not first:
        return
    if _is_body(first) or len(first) > BODY_CAP:
        yield from _told_apart(_lines(chain([first], pieces), number))
        return
    held, more = _held(first, pieces)
    whole = b"".join(held).rstrip(_LINE_END)
    if not more and _is_body(whole):
        yield 0, whole
    elif any(not piece[:1].isspace() and _is_object(piece) for piece in held[1:]):
        yield from _lines(chain(held, pieces), number)
    else:
        yield 0, None if more else whole


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    """Yield lines, in pieces where one is too long for a body, without the BOM."""
    first = stream.readline(_PIECE).removeprefix(BOM_UTF8)
    return chain([first] if first else [], iter(partial(stream.readline, _PIECE), b""))


def _held(first: bytes, pieces: Iterator[bytes]) -> tuple[list[bytes], bool]:
    """Return as much as a body may have, and whether there may be more."""
    held, size = [first], len(first)
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size > BODY_CAP:
            return held, True
    return held, False


def _lines(pieces: Iterable[bytes], number: int) -> Iterator[Numbered]:
    """Yield every line that is not blank, the first of them with *number*."""
    torn = False
    for piece in pieces:
        line = piece.rstrip(_LINE_END)
        if not torn and len(line) > BODY_CAP:
            yield number, None
        elif not torn and line.strip():
            yield number, line
        ended = piece.endswith(b"\n")
        torn = not ended
        number += ended


def _told_apart(lines: Iterator[Numbered]) -> Iterator[Numbered]:
    """Yield *lines*, a bad one that is all there is without a number.

    Only after a bad one is it waited for the next: from a pipe that may take hours.
    """
    for number, line in lines:
        if line is None or not _is_object(line):
            following = next(lines, None)
            yield 0 if following is None else number, line
            yield from () if following is None else (following,)
        else:
            yield number, line
        break
    yield from lines


def _is_body(piece: bytes) -> bool:
    try:
        codec.loads(as_json(piece))
    except PayloadError:
        return False
    return True


def _is_object(piece: bytes) -> bool:
    """Tell whether *piece* is what carriers send: an object, or a form."""
    try:
        return isinstance(codec.loads(as_json(piece)), dict)
    except PayloadError:
        return False


def fields(written: bytes) -> list[tuple[str, str]]:
    """Return the header fields in a file: `Name: value` lines, or a JSON object.

    Raises:
        ValueError: it is neither. No line is quoted, as it may hold a credential.
    """
    if written.removeprefix(BOM_UTF8).lstrip().startswith(b"{"):
        return list(_of_object(written))
    return list(_of_lines(written.decode("utf-8-sig", "replace").splitlines()))


def _of_lines(lines: list[str]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(map(str.strip, lines), start=1):
        if not line or (number == 1 and _REQUEST_LINE.fullmatch(line)):
            continue
        name, colon, value = line.partition(":")
        if not colon or not name:
            raise ValueError(f"line {number} is not 'Name: value'")
        yield name.rstrip(), value.lstrip()


def _of_object(written: bytes) -> Iterator[tuple[str, str]]:
    try:
        document = codec.table(codec.loads(written))
    except PayloadError:
        raise ValueError("it is not readable JSON") from None
    for name in document:
        for value in codec.items(document, name):
            yield name, _scalar(value)


def _scalar(value: Json) -> str:
    if isinstance(value, dict | list):
        raise ValueError("a value is neither a text nor a list of texts")  # noqa: TRY004
    return str(value)
