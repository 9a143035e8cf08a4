"""Receiving: verify, read, store, claim, hand over, settle."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from ..effects import Claim, Notify, Now, Program, Settle, Store
from ..errors import (
    InvalidMessageError,
    InvalidNumberError,
    PartialSendError,
    PayloadError,
    RefusedError,
    UncertainError,
    UnsupportedError,
)
from ..events import Event, Unrecognized
from ..providers.base import Provider
from ..webhooks import Reception
from ..wire import Request

__all__ = ["ingest"]

LEASE: Final = 60.0
"""Seconds an event stays taken while its handlers run."""


def ingest(
    namespace: str, provider: Provider, own: frozenset[str], request: Request
) -> Program[Reception]:
    """Take one webhook in: nothing is read before the signature holds.

    All its events are stored before the first handler runs. An event settled before is
    not handled again; one that is being handled at this moment, or whose handler
    raised, asks the carrier to deliver once more. A failure that would only come again,
    such as a refusal or an uncertain send, settles the event all the same.

    Raises:
        SignatureError: the webhook is not proven to be *provider*'s.
        ConfigError: *provider* has no key to verify with.
        JournalError: the events could not be stored.
    """
    now = yield from Now()
    provider.verify(request, now)
    events = _read(provider, own, request.body, datetime.fromtimestamp(now, UTC))
    stored = yield from Store(namespace, tuple(events))
    handled: list[Event] = []
    duplicates: list[Event] = []
    failures: list[Exception] = []
    busy = False
    for event in (kept.event for kept in stored):
        now = yield from Now()  # handlers before this one may have taken long
        free = yield from Claim(namespace, event.key, now, now + LEASE)
        if free:
            failures += yield from _handle(namespace, event)
            handled.append(event)
        elif free is None:
            duplicates.append(event)
        else:
            busy = True
    again = busy or any(map(_passing, failures))
    return Reception(
        tuple(handled),
        tuple(duplicates),
        tuple(failures),
        HTTPStatus.SERVICE_UNAVAILABLE if again else HTTPStatus.OK,
    )


_LASTING: Final = (
    InvalidMessageError,
    InvalidNumberError,
    PartialSendError,
    RefusedError,
    UncertainError,
    UnsupportedError,
)
"""What a handler may raise that another delivery of the webhook would not mend."""


def _passing(failure: Exception) -> bool:
    return not isinstance(failure, _LASTING)


def _read(
    provider: Provider, own: frozenset[str], body: bytes, received_at: datetime
) -> Sequence[Event]:
    """Return the events; an authentic body that cannot be read is one event too."""
    try:
        return provider.parse(body, own=own, received_at=received_at)
    except PayloadError as error:
        return (
            Unrecognized(
                id=hashlib.sha256(body).hexdigest()[:32],
                provider=provider.carrier,
                account=provider.name,
                occurred_at=received_at,
                received_at=received_at,
                raw=body,
                why=str(error),
            ),
        )


def _handle(namespace: str, event: Event) -> Program[tuple[Exception, ...]]:
    failures: tuple[Exception, ...] = ()
    done = False
    try:
        failures = yield from Notify(event)
        done = not any(map(_passing, failures))
    finally:  # also when the server cancels us: the carrier will deliver again
        yield from Settle(namespace, event.key, done)
    return failures
