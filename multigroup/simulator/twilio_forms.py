"""Forms: what Twilio is sent, and how it reads them.

Sources: OpenAPI document of Conversations v1 (2026-04-14) and the Conversations
(classic) pages, read 2026-11-27.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from attrs import frozen

from ..wire import Json, Request
from .twilio_errors import TwilioError

__all__ = ["Form", "Wanted", "form_of", "query_of", "seconds", "wanted", "wanted_json"]

_DURATION = re.compile(
    r"P(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?:(?P<hours>\d{1,8})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9})S)?)?"
)


@frozen
class Form:
    """Named values, of which most names have one."""

    values: Mapping[str, list[str]]

    def get(self, name: str) -> str | None:
        """Return the last value of *name*, or `None` where it is empty or missing."""
        given = self.values.get(name)
        return given[-1] if given else None

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of *name*."""
        return tuple(self.values.get(name, ()))


def form_of(request: Request) -> Form:
    """Return the form in the body of *request*."""
    return Form(parse_qs(request.body.decode("utf-8", "replace")))


def query_of(request: Request) -> Form:
    """Return the form in the URL of *request*."""
    return Form(parse_qs(urlsplit(request.url).query))


@frozen
class Wanted:
    """A participant as asked for.

    *address* alone is a member's phone, *projected* one of our numbers in a group,
    *address* with *proxy* a person who is texted alone from the number *proxy*.
    """

    identity: str | None = None
    address: str | None = None
    projected: str | None = None
    proxy: str | None = None
    attributes: str = "{}"


def wanted(form: Form) -> Wanted:
    """Return the participant that *form* asks for."""
    return Wanted(
        identity=form.get("Identity"),
        address=form.get("MessagingBinding.Address"),
        projected=form.get("MessagingBinding.ProjectedAddress"),
        proxy=form.get("MessagingBinding.ProxyAddress"),
        attributes=form.get("Attributes") or "{}",
    )


def wanted_json(text: str) -> Wanted:
    """Return the participant that a `Participant` parameter asks for, in snake case.

    Raises:
        TwilioError: it is no JSON object.
    """
    try:
        given: Json = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise TwilioError(20001, "Participant must be a JSON object")
    binding = given.get("messaging_binding")
    bound = binding if isinstance(binding, dict) else {}
    return Wanted(
        identity=_word(given.get("identity")),
        address=_word(bound.get("address")),
        projected=_word(bound.get("projected_address")),
        proxy=_word(bound.get("proxy_address")),
        attributes=_word(given.get("attributes")) or "{}",
    )


def seconds(text: str, least: float) -> float:
    """Return how long the ISO 8601 duration *text* is.

    Raises:
        TwilioError: it is no duration, or shorter than *least*.
    """
    found = _DURATION.fullmatch(text)
    parts = {} if found is None else found.groupdict("0")
    length = timedelta(**{name: int(value) for name, value in parts.items()})
    if length.total_seconds() < least:
        raise TwilioError(20001, f"{text!r} is no duration of {least:g} s or more")
    return length.total_seconds()


def _word(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None
