"""What Twilio signs of a webhook: the address it called, and the form it posted.

twilio.com/docs "Security", read 2026-11-21, and the validator in twilio/twilio-python.
The names and values of a form are signed one after the other with nothing between
them, and nothing tells when it was signed: that much the carrier makes possible.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from ... import codec
from ...signatures import body_hash_is
from ...wire import Request

__all__ = ["signed_texts"]

_PORTS: Final = {"https": "443", "http": "80"}
_MOST_FIELDS: Final = 1000


def signed_texts(request: Request, public_url: str | None) -> tuple[bytes, ...]:
    """Return what may have been signed for *request*; nothing if it cannot be genuine.

    *public_url* stands in for what the address began with before proxies changed it.
    The port may have been signed or left out.
    """
    try:
        said = _posted(request)
        called = _called(request.url, public_url)
        addresses = dict.fromkeys((called, *_addresses(urlsplit(called))))
        return tuple((address + said).encode() for address in addresses)
    except ValueError:  # no such form, no such address, no such characters
        return ()


def _posted(request: Request) -> str:
    """Return what is signed of the body; of JSON it is its hash, in the address.

    Raises:
        ValueError: the body is not what such an address is called with.
    """
    claimed = codec.query_value(request.url, "bodySHA256")
    if claimed is not None:
        if not body_hash_is(claimed, request.body):
            raise ValueError
        return ""
    if not request.body:
        return ""
    pairs = parse_qsl(
        request.body.decode(),
        keep_blank_values=True,
        strict_parsing=True,  # whatever is in the body must be in what is signed
        errors="strict",
        max_num_fields=_MOST_FIELDS,
    )
    return "".join(name + value for name, value in sorted(set(pairs)))


def _called(url: str, public_url: str | None) -> str:
    if public_url is None:
        return url
    parts = urlsplit(url)
    return public_url + parts._replace(scheme="", netloc="").geturl()


def _addresses(parts: SplitResult) -> Iterator[str]:
    """Yield the address without its port, or with the usual one."""
    host, colon, port = parts.netloc.rpartition(":")
    if colon and port.isdecimal():
        yield parts._replace(netloc=host).geturl()
    elif parts.scheme in _PORTS:
        yield parts._replace(netloc=f"{parts.netloc}:{_PORTS[parts.scheme]}").geturl()
