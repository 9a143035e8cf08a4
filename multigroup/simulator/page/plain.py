"""What was wrong, in plain words, from whatever shape of error a carrier answers in."""

from __future__ import annotations

from collections.abc import Iterator

from ...wire import Failure, Json, Reply
from ..face import from_json

__all__ = ["answer_of", "why"]

_WORDS = ("title", "detail", "message", "description", "reason")
_PLACES = ("pointer", "parameter", "name", "fieldName")
_CODES = ("code", "type")
_LONGEST = 400

_FAILURES = {
    "ConnectError": "the connection was refused",
    "ReadError": "the connection was reset before an answer",
    "RemoteProtocolError": "the connection was closed without an answer",
    "ReadTimeout": "no answer came",
    "TimeoutError": "no answer came in time",
    "RemoteDestinationRefused": "not sent: the address is on another machine, "
    "which needs --allow-remote",
}


def answer_of(reply: Reply | None) -> tuple[int | None, str]:
    """Return the status of *reply*, if it has one, and what to call it."""
    match reply:
        case None:
            return None, "under way"
        case Failure():
            return None, _FAILURES.get(reply.kind, reply.kind)
        case _:
            return reply.status, str(reply.status)


def why(reply: Reply) -> str:
    """Return what *reply* complains about; nothing if it does not."""
    if isinstance(reply, Failure):
        return _FAILURES.get(reply.kind, reply.kind)
    if reply.status in range(200, 300):
        return ""
    document = from_json(reply.body)
    if document is None:
        return f"{reply.status}, and the body is no JSON object"
    said = dict.fromkeys(_said(document))
    return "; ".join(said)[:_LONGEST] or f"{reply.status}, without a reason"


def _said(document: Json) -> Iterator[str]:
    if isinstance(document, list):
        for one in document:
            yield from _said(one)
        return
    if not isinstance(document, dict):
        return
    words = [str(document[name]) for name in _WORDS if document.get(name)]
    place = next((str(document[name]) for name in _PLACES if document.get(name)), "")
    code = next((str(document[name]) for name in _CODES if document.get(name)), "")
    if words:
        head = f"{place}: " if place else ""
        tail = f" ({code.rpartition('#')[2]})" if code else ""
        yield head + ": ".join(dict.fromkeys(words)) + tail
    elif place:
        yield f"see {place}"
    for value in document.values():
        yield from _said(value)
