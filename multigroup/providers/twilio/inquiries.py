"""Twilio, asked: whether a message whose answer was lost is in its conversation.

A conversation lists its messages with their attributes, in which ours bear the leg's
key. That it is not among the last fifty proves nothing: it may be taken yet.
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from ... import codec
from ...events import Event
from ...models import Leg
from ...wire import Reply, Request, Response
from ..reading import Body
from .replies import document_of
from .webhooks import attributes_token, taken

__all__ = ["answers", "question"]

_LAST = "?Order=desc&PageSize=50"


def question(leg: Leg) -> Request:
    """Return what asks for the last messages of the conversation *leg* went to."""
    return Request("GET", leg.request.url + _LAST, {"accept": "application/json"})


def answers(
    reply: Reply, key: str, *, received_at: datetime, account: str
) -> tuple[Event, ...]:
    """Return the news in *reply* of the leg *key*: that its message was taken."""
    if not isinstance(reply, Response) or reply.status != HTTPStatus.OK:
        return ()
    for entry in codec.items(document_of(reply), "messages"):
        message = codec.table(entry)
        sid = codec.text(message, "sid")
        if sid and attributes_token(codec.text(message, "attributes")) == key:
            raw = codec.dumps(message)
            read = Body("twilio", account, raw, message, frozenset(), received_at)
            return (taken(read, sid, key, codec.text(message, "date_created")),)
    return ()
