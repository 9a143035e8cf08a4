"""What must not stay in a cassette, and what stands there instead.

Every replacement is its own replacement: vcrpy scrubs on replay what it scrubbed when
it recorded, and the second time must change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any, Final

__all__ = ["FICTITIOUS", "REPLY_HEADERS", "REQUEST_HEADERS", "Scrubber", "in_order"]

REQUEST_HEADERS: Final = frozenset(
    {"accept", "authorization", "content-type", "idempotency-key"}
)
REPLY_HEADERS: Final = frozenset(
    {
        "content-encoding",
        "content-type",
        "idempotent-replayed",
        "retry-after",
        "server",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
    }
)
"""What is kept of a reply's header: all that our code reads, and who answered."""

FICTITIOUS: Final = re.compile(r"[2-9][0-9]{2}55501[0-9]{2}")
"""A number reserved for fiction, without its country code."""

_DIGITS: Final = re.compile(
    r"(?<![0-9])(?<![0-9]\.)(?P<plus>\+|%2[Bb]|\\u002[Bb])?(?P<digits>[0-9]{7,15})(?![0-9])"
)
_AMERICAN: Final = re.compile(r"(?P<country>1?)(?P<rest>[2-9][0-9]{2}[2-9][0-9]{6})")
_UNMARKED: Final = 11
"""Digits from which a run without a plus may be a number of another country."""

_SEND: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?=[.-][0-9]+(?![0-9]))")
_ID: Final = re.compile(r"(?<!\w)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?!\w)")
_OUR_ID: Final = "00000000-0000-4000-8000-{:012d}"
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
_MILLISECONDS: Final = re.compile(r"(?<![0-9])1[0-9]{12}(?![0-9])")
_FRACTION: Final = re.compile(r"(?<=T00:00:00)\.[0-9]+")
_CARRIER: Final = re.compile(r'("carrier":\s*")[^"]+"')


def in_order(numbers: Iterable[str]) -> dict[str, str]:
    """Return a pseudonym for each of *numbers*, all in E.164, in the same order.

    The order matters: our requests name a group's members sorted.
    """
    given = sorted(numbers)
    kept = {number for number in given if FICTITIOUS.fullmatch(number[2:])}
    free = (name for name in map("+1415555{:04d}".format, range(101, 150)))
    unused = (name for name in free if name not in kept)
    return {number: number if number in kept else next(unused) for number in given}


class Scrubber:
    """Replaces what is private, the same way in a request and in its reply.

    Args:
        names: phone number to pseudonym, both in E.164; others get one when met.
        secrets: credentials, wherever they turn up.
        hosts: beginning of an address to what stands for it.
    """

    def __init__(
        self,
        names: Mapping[str, str] | None = None,
        *,
        secrets: Iterable[str] = (),
        hosts: Mapping[str, str] | None = None,
    ) -> None:
        self._names = {
            number.removeprefix("+1"): name.removeprefix("+1")
            for number, name in (names or {}).items()
        }
        self._secrets = tuple(secrets)
        self._hosts = dict(hosts or {})
        self._strangers: Iterator[int] = count(150)
        self._ids: dict[str, str] = {}

    def text(self, text: str) -> str:
        """Return *text* without what is private or differs from run to run."""
        for secret in self._secrets:
            text = text.replace(secret, "<secret>")
        for host, alias in self._hosts.items():
            text = text.replace(host, alias)
        text = _SEND.sub("<send>", text)
        text = _ID.sub(self._id, text)
        text = _DIGITS.sub(self._number, text)
        text = _MOMENT.sub("2026-01-01T00:00:00", text)
        text = _FRACTION.sub(lambda found: re.sub("[0-9]", "0", found[0]), text)
        text = _MILLISECONDS.sub("1767225600000", text)
        return _CARRIER.sub(r'\g<1>EXAMPLE WIRELESS"', text)

    def request(self, request: Any) -> Any:
        """Scrub vcrpy's copy of a request: a `before_record_request`."""
        request.uri = self.text(request.uri)
        request.body = self._body(request.body)
        kept = {
            name.lower(): self._field(name, value)
            for name, value in request.headers.items()
            if name.lower() in REQUEST_HEADERS
        }
        request.headers = dict(sorted(kept.items()))
        return request

    def response(self, response: dict[str, Any]) -> dict[str, Any]:
        """Scrub vcrpy's copy of a reply: a `before_record_response`."""
        kept = {
            name.lower(): [self._field(name, value) for value in values]
            for name, values in response["headers"].items()
            if name.lower() in REPLY_HEADERS
        }
        body = self._body(response["body"]["string"])
        ordered = dict(sorted(kept.items()))
        # The phrase is the server library's and differs between its versions.
        status = {"code": response["status"]["code"], "message": None}
        return {"status": status, "headers": ordered, "body": {"string": body}}

    def _field(self, name: str, value: str) -> str:
        if name.lower() == "authorization":
            return f"{value.partition(' ')[0]} <secret>"
        return self.text(value)

    def _body(self, body: bytes | str | None) -> bytes | str | None:
        if not isinstance(body, bytes):
            return body if body is None else self.text(body)
        try:
            return self.text(body.decode()).encode()
        except UnicodeDecodeError:  # no text: the leak check refuses such a cassette
            return body

    def _id(self, found: re.Match[str]) -> str:
        given = found[0]
        if given.startswith(_OUR_ID[:24]):
            return given
        return self._ids.setdefault(given, _OUR_ID.format(len(self._ids) + 1))

    def _number(self, found: re.Match[str]) -> str:
        plus, digits = found["plus"] or "", found["digits"]
        if american := _AMERICAN.fullmatch(digits):
            return f"{plus}{american['country']}{self._named(american['rest'])}"
        if not _from_abroad(digits, marked=bool(plus)):
            return found[0]
        return f"{plus}1{self._named(digits)}"

    def _named(self, number: str) -> str:
        if number not in self._names:
            known = FICTITIOUS.fullmatch(number)
            self._names[number] = (
                number if known else f"3035550{next(self._strangers):03d}"
            )
        return self._names[number]


def _from_abroad(digits: str, *, marked: bool) -> bool:
    if digits.startswith("0") or _MILLISECONDS.fullmatch(digits):
        return False
    return marked or len(digits) >= _UNMARKED
