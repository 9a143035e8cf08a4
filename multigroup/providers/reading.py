"""Reading a webhook's body: what every carrier's reader needs at hand."""

from __future__ import annotations

import hashlib
import re
from codecs import BOM_UTF8
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Self
from urllib.parse import parse_qsl

from attrs import frozen

from .. import codec
from ..errors import PayloadError
from ..events import Unrecognized
from ..masking import term
from ..models import Number
from ..wire import Json

__all__ = ["Body", "as_json", "own_token", "token_in", "with_token"]

_TOKEN: Final = "leg"  # noqa: S105 - a parameter's name


def with_token(url: str | None, key: str) -> str | None:
    """Return *url* with the leg key in its query, for a carrier to call back."""
    if url is None:
        return None
    return f"{url}{'&' if '?' in url else '?'}{_TOKEN}={key}"


def token_in(url: str | None) -> str | None:
    """Return the leg key that `with_token` put into *url*."""
    return own_token(codec.query_value(url, _TOKEN))


def own_token(returned: str | None) -> str | None:
    """Return *returned* if it can be a leg key, `None` if it is somebody else's."""
    return returned if returned and _LEG_KEY.fullmatch(returned) else None


_LEG_KEY: Final = re.compile("[0-9a-f]{32}[.][0-9]{1,4}")
"""`Draft.key`: the 128 bits of a send id, and which of its legs."""


_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_FORM: Final = re.compile(rb"[\w.*%+~-][\w.*%+~\[\]-]*=[^\s\"<>{}]*", re.ASCII)
_MOST_FIELDS: Final = 1000  # a webhook has a few dozen; more is somebody's mischief


def as_json(body: bytes, content_type: str = "") -> bytes:
    """Return *body* as JSON: a form becomes one flat object, all else stays.

    Raises:
        PayloadError: *content_type* says it is a form, and it is none.
    """
    bare = body.removeprefix(BOM_UTF8).strip()
    said = _FORM_TYPE in content_type
    if not said and ("json" in content_type or not _FORM.fullmatch(bare)):
        return body
    written = bare.decode("utf-8", "replace")
    try:
        pairs = parse_qsl(
            written,
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        pairs = []
    if not pairs:
        raise PayloadError("the body is not a readable form")
    return codec.dumps(dict[str, Json](pairs))


@frozen
class Body:
    """A webhook body being read: what every carrier's reader needs at hand."""

    carrier: str
    account: str
    raw: bytes
    document: dict[str, Json]
    own: frozenset[str]
    received_at: datetime

    @classmethod
    def read(
        cls,
        carrier: str,
        account: str,
        raw: bytes,
        own: frozenset[str],
        received_at: datetime,
    ) -> Self:
        """Return *raw* as a JSON object.

        Raises:
            PayloadError: it is not one.
        """
        document = codec.loads(raw)
        if not isinstance(document, dict):
            raise PayloadError("the body is JSON but not an object")
        return cls(carrier, account, raw, document, own, received_at)

    @property
    def digest(self) -> str:
        """Return what stands in for a key the carrier did not give."""
        return hashlib.sha256(self.raw).hexdigest()[:32]

    def about(self, key: str | None, occurred_at: str | None) -> dict[str, Any]:
        """Return what every event says of itself.

        Where the carrier gave no key, the body's digest serves: a repeated delivery
        is still one event.
        """
        return {
            "id": key or self.digest,
            "provider": self.carrier,
            "account": self.account,
            "occurred_at": codec.moment(occurred_at) or self.received_at,
            "received_at": self.received_at,
            "raw": self.raw,
        }

    def line(self, to: Iterable[Number]) -> Number | None:
        """Return which of *to* is ours; the first where none is known to be."""
        given = list(to)
        return next((n for n in given if n in self.own), next(iter(given), None))

    def unread(self, what: str, word: str, key: str | None = None) -> Unrecognized:
        """Return the event for a *word* of the carrier's that we do not know."""
        return self.strange(f"{what} {term(word)!r}" if word else f"no {what}", key)

    def strange(self, why: str, key: str | None = None) -> Unrecognized:
        """Return the event for what we cannot read; *why* quotes a `term` at most."""
        return Unrecognized(why=why, **self.about(key, None))
