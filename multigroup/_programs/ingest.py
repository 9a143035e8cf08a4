"""Receiving: verify, read, store, claim, hand over, settle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from attrs import frozen

from ..consent import Keyword, keyword
from ..effects import Claim, Notify, Now, Program, Settle, Store, Waiting
from ..errors import (
    InvalidMessageError,
    InvalidNumberError,
    MultigroupError,
    OptedOutError,
    PartialSendError,
    PayloadError,
    RefusedError,
    UncertainError,
    UnsupportedError,
)
from ..events import Event, MessageReceived, OptedIn, OptedOut, Unrecognized
from ..providers.base import Provider
from ..webhooks import Reception
from ..wire import Request
from .keeping import shed

__all__ = ["Intake", "catch_up", "handle", "ingest", "let_go"]

LEASE: Final = 60.0
"""Seconds an event stays taken while its handlers run."""

BATCH: Final = 100
"""Events that are caught up with at a time."""


@frozen(kw_only=True)
class Intake:
    """What webhooks are taken in with.

    *owner* is this process; *durable* says that the journal outlives it, so that what
    a handler could not do now is done later without the carrier. *react* is our own
    part of an event's handling, before the application's. With *sheds* what was said
    goes once it is settled.
    """

    namespace: str
    owner: str
    durable: bool
    react: Callable[[Event], Program[None]]
    sheds: bool = False


def ingest(
    intake: Intake, provider: Provider, own: frozenset[str], request: Request
) -> Program[Reception]:
    """Take one webhook in: nothing is read before the signature holds.

    All its events are stored before the first handler runs. An event settled before is
    not handled again. On a durable journal the webhook is answered 200 whatever its
    handlers do: `run_due` runs them again. On another the carrier is asked to deliver
    once more what is being handled at this moment or could not be; a failure that
    would only come again, such as a refusal or an uncertain send, settles the event.

    Raises:
        SignatureError: the webhook is not proven to be *provider*'s.
        ConfigError: *provider* has no key to verify with.
        JournalError: the events could not be stored.
    """
    now = yield from Now()
    provider.verify(request, now)
    events = yield from _told(provider, own, request.body, now)
    stored = yield from Store(intake.namespace, tuple(with_wishes(events)))
    handled: list[Event] = []
    duplicates: list[Event] = []
    failures: list[Exception] = []
    busy = False
    for event in (kept.event for kept in stored):
        free, raised = yield from handle(intake, event)
        failures += raised
        if free:
            handled.append(event)
        elif free is None:
            duplicates.append(event)
        else:
            busy = True
    if not busy:
        yield from let_go(intake, (kept.event for kept in stored), failures)
    again = not intake.durable and (busy or any(map(_passing, failures)))
    return Reception(
        tuple(handled),
        tuple(duplicates),
        tuple(failures),
        HTTPStatus.SERVICE_UNAVAILABLE if again else HTTPStatus.OK,
    )


def catch_up(
    intake: Intake,
) -> Program[tuple[tuple[Event, ...], tuple[Exception, ...]]]:
    """Handle the events that nobody handled yet, or not to the end."""
    now = yield from Now()
    events = yield from Waiting(intake.namespace, now, BATCH)
    handled: list[Event] = []
    failures: list[Exception] = []
    for event in events:
        free, raised = yield from handle(intake, event)
        failures += raised
        if free:
            handled.append(event)
    yield from let_go(intake, handled, failures)
    return tuple(handled), tuple(failures)


def let_go(
    intake: Intake, events: Iterable[Event], failures: Iterable[Exception]
) -> Program[None]:
    """Erase what was said in the sends that *events* tell of, if they are settled.

    Only once all handlers are done: one of them may have the send retried.
    """
    if not intake.sheds or any(map(_passing, failures)):
        return
    told = {getattr(event, "reference", None) for event in events}
    yield from shed(intake.namespace, {reference for reference in told if reference})


def handle(
    intake: Intake, event: Event
) -> Program[tuple[bool | None, tuple[Exception, ...]]]:
    """Claim *event* and handle it; return what the claim said and what was raised."""
    now = yield from Now()  # handlers before this one may have taken long
    key, until = event.key, now + LEASE
    free = yield from Claim(intake.namespace, key, intake.owner, now, until)
    if not free:
        return free, ()
    return free, (yield from _handle(intake, event, until))


def with_wishes(events: Iterable[Event]) -> Iterator[Event]:
    """Yield *events*, and the opt-outs that are in them as plain words.

    Some carriers tell of a member's STOP by an event of its own and some only hand the
    message on. HELP is the application's to answer.
    """
    events = tuple(events)
    told = {event.id for event in events if isinstance(event, OptedOut | OptedIn)}
    for event in events:
        yield event
        if isinstance(event, MessageReceived) and event.id not in told:
            kind = _SPOKEN.get(keyword(event.text))
            if kind is not None:
                yield kind(
                    id=event.id,
                    provider=event.provider,
                    account=event.account,
                    occurred_at=event.occurred_at,
                    received_at=event.received_at,
                    raw=event.raw,
                    member=event.sender,
                    line=event.line,
                )


_SPOKEN: Final[Mapping[Keyword | None, type[OptedOut | OptedIn]]] = {
    Keyword.STOP: OptedOut,
    Keyword.START: OptedIn,
}


_LASTING: Final = (
    InvalidMessageError,
    InvalidNumberError,
    OptedOutError,
    PartialSendError,
    RefusedError,
    UncertainError,
    UnsupportedError,
)
"""What a handler may raise that another delivery of the webhook would not mend."""


def _passing(failure: Exception) -> bool:
    return not isinstance(failure, _LASTING)


def _told(
    provider: Provider, own: frozenset[str], body: bytes, now: float
) -> Program[tuple[Event, ...]]:
    """Return the events in *body*, with what it left out if the carrier tells it."""
    whole: list[Event] = []
    for event in _read(provider, own, body, datetime.fromtimestamp(now, UTC)):
        completed = yield from provider.completed(event, own=own, now=now)
        whole.append(completed)
    return tuple(whole)


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


def _handle(
    intake: Intake, event: Event, claim: float
) -> Program[tuple[Exception, ...]]:
    try:
        failures = yield from _reacted(intake, event)
        failures += yield from Notify(event)
    except GeneratorExit:  # nobody plays on: nothing can be asked any more
        raise
    except BaseException:  # the server cancels us: it will be handled again
        yield from Settle(intake.namespace, event.key, done=False, claim=claim)
        raise
    done = not any(map(_passing, failures))
    now = yield from Now()
    yield from Settle(intake.namespace, event.key, done, intake.sheds, now, claim)
    return failures


def _reacted(intake: Intake, event: Event) -> Program[tuple[Exception, ...]]:
    """Do our own part; what goes wrong at it counts like a handler's failure."""
    try:
        yield from intake.react(event)
    except MultigroupError as error:
        return (error,)
    return ()
