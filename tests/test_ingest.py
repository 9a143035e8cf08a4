"""The ingest program, played by hand: effects answered from a memory journal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, cast

import pytest
from attrs import define, evolve, field

from multigroup import (
    Capabilities,
    ConfigError,
    Event,
    JournalError,
    MemoryJournal,
    MessageReceived,
    Number,
    OptedOut,
    PayloadError,
    Provider,
    Reception,
    SignatureError,
    Telnyx,
    Unrecognized,
    conversation_id,
)
from multigroup._drive import BaseDriver
from multigroup._programs.ingest import LEASE, Intake, ingest
from multigroup.effects import (
    AnyEffect,
    Claim,
    JournalEffect,
    Notify,
    Now,
    Program,
    Settle,
    Sleep,
    Store,
)
from multigroup.events import EventKey
from multigroup.journal.owners import me
from multigroup.models import Leg, Outcome, Unknown
from multigroup.providers.base import Draft, Rail
from multigroup.wire import Request, Response

NOW = 1_795_000_000.0
WHEN = datetime.fromtimestamp(NOW, UTC)
OURS = Number("+12125550100")
ANA, BEN = Number("+14155550101"), Number("+14155550102")
HOOK = Request("POST", "https://app.example/red", {}, b'{"said": "hello"}')


@define(eq=False)
class Red(Provider):
    """A carrier that says what the test has it say."""

    carrier: ClassVar[str] = "red"

    events: Sequence[Event] = ()
    forged: Exception | None = None
    unreadable: bool = False
    name: str = "red-1"
    base_url: str = "https://carrier.example"
    capabilities: Capabilities = Telnyx(api_key="KEY").capabilities
    verified: list[tuple[Request, float]] = field(factory=list, init=False)
    read_: list[tuple[bytes, frozenset[str], datetime]] = field(
        factory=list, init=False
    )

    def legs(self, draft: Draft, rail: Rail) -> tuple[Leg, ...]:
        """Ring nobody."""
        del draft, rail
        return ()

    def authorize(self, request: Request, now: float) -> Request:
        """Sign nothing."""
        del now
        return request

    def read(self, leg: Leg, response: Response) -> Outcome:
        """Know nothing."""
        del leg, response
        return Unknown("nothing is known")

    def verify(self, request: Request, now: float) -> None:
        """Raise what the test wants raised."""
        self.verified.append((request, now))
        if self.forged is not None:
            raise self.forged

    def parse(
        self, body: bytes, *, own: frozenset[str], received_at: datetime
    ) -> Sequence[Event]:
        """Return the events the test wants read."""
        self.read_.append((body, own, received_at))
        if self.unreadable:
            raise PayloadError("the body is not readable JSON")
        return self.events


@define(eq=False)
class Asked(Red):
    """One that can be asked who is in a group."""

    def completed(
        self, event: Event, *, own: frozenset[str], now: float
    ) -> Program[Event]:
        """Ask, and return the event whole."""
        del event, own, now
        yield from Sleep(0.0)
        return _message()


Handler = Callable[[Event], tuple[Exception, ...]]


def _quiet(event: Event) -> tuple[Exception, ...]:
    del event
    return ()


def _into(heard: list[Event]) -> Handler:
    """Return a handler that keeps what it is told."""

    def keep(event: Event) -> tuple[Exception, ...]:
        heard.append(event)
        return ()

    return keep


def _answer(
    effect: AnyEffect, journal: MemoryJournal, now: float, handler: Handler
) -> object:
    match effect:
        case Now():
            return now
        case Sleep():
            return None
        case Notify(event=event):
            return handler(event)
        case _:
            return BaseDriver(journal)._kept(cast("JournalEffect", effect))


def _nothing(event: Event) -> Program[None]:
    """Do nothing of our own about an event."""
    del event
    yield from ()


def intake(namespace: str = "default", *, durable: bool = False) -> Intake:
    """Return what webhooks are taken in with by this process."""
    return Intake(namespace=namespace, owner=me(), durable=durable, react=_nothing)


def play(
    program: Program[Reception],
    journal: MemoryJournal,
    *,
    now: float = NOW,
    handler: Handler = _quiet,
    log: list[AnyEffect] | None = None,
) -> Reception:
    """Answer *program*'s effects from *journal* until it returns or raises."""
    step: Callable[[], AnyEffect]
    effect = next(program)
    while True:
        if log is not None:
            log.append(effect)
        try:
            answer = _answer(effect, journal, now, handler)
        except BaseException as error:  # noqa: BLE001 - the program decides
            step = partial(program.throw, error)
        else:
            step = partial(program.send, answer)
        try:
            effect = step()
        except StopIteration as stop:
            result: Reception = stop.value
            return result


def _message(key: str = "in-1") -> MessageReceived:
    return MessageReceived(
        id=key,
        provider="red",
        account="red-1",
        occurred_at=WHEN,
        received_at=WHEN,
        raw=HOOK.body,
        sender=ANA,
        line=OURS,
        members=frozenset({ANA, BEN}),
        conversation=conversation_id([ANA, BEN]),
    )


def _opt_out(key: str = "in-1") -> OptedOut:
    return OptedOut(
        id=key,
        provider="red",
        account="red-1",
        occurred_at=WHEN,
        received_at=WHEN,
        raw=HOOK.body,
        member=ANA,
        line=OURS,
    )


def _ingest(provider: Provider, namespace: str = "default") -> Program[Reception]:
    return ingest(intake(namespace), provider, frozenset({OURS}), HOOK)


def test_a_webhook_is_verified_read_stored_and_handled() -> None:
    """The event goes to the handlers once, and the answer is 200."""
    carrier, heard = Red([_message()]), list[Event]()

    reception = play(_ingest(carrier), MemoryJournal(), handler=_into(heard))

    assert reception == Reception((_message(),), (), (), 200)
    assert heard == [_message()]
    assert carrier.verified == [(HOOK, NOW)]
    assert carrier.read_ == [(HOOK.body, frozenset({OURS}), WHEN)]


@pytest.mark.parametrize(
    "error", [SignatureError("forged"), SignatureError("stale", status=503)]
)
def test_nothing_is_read_before_the_signature_holds(error: SignatureError) -> None:
    """A forgery is not parsed, stored or handed on: only the time was asked for."""
    carrier, asked = Red([_message()], forged=error), list[AnyEffect]()

    with pytest.raises(SignatureError) as caught:
        play(_ingest(carrier), MemoryJournal(), log=asked)

    assert caught.value is error
    assert asked == [Now()]
    assert carrier.read_ == []


def test_an_account_that_cannot_verify_reads_nothing() -> None:
    """A missing key is a setting to mend, and the webhook is not looked at."""
    carrier = Red([_message()], forged=ConfigError("no key"))

    with pytest.raises(ConfigError):
        play(_ingest(carrier), MemoryJournal())

    assert carrier.read_ == []


def test_an_authentic_body_that_cannot_be_read_is_an_event() -> None:
    """It is stored whole and answered 200: the carrier could only send it again."""
    heard: list[Event] = []

    reception = play(
        _ingest(Red(unreadable=True)),
        MemoryJournal(),
        handler=_into(heard),
    )

    (event,) = reception.events
    assert reception.status == 200
    assert isinstance(event, Unrecognized)
    assert (event.raw, event.account, event.provider) == (HOOK.body, "red-1", "red")
    assert "JSON" in event.why
    assert heard == [event]


def test_an_unreadable_body_delivered_twice_is_one_event() -> None:
    """Its bytes are its key."""
    journal = MemoryJournal()

    first, second = (
        play(_ingest(Red(unreadable=True)), journal, now=NOW + n) for n in (0, 5)
    )

    assert [len(first.events), len(second.events)] == [1, 0]
    assert len(second.duplicates) == 1
    assert second.status == 200


def test_a_settled_event_is_not_handled_again() -> None:
    """A second delivery is a duplicate: answered 200, no handler runs."""
    journal, heard = MemoryJournal(), list[Event]()

    *_, last = [
        play(_ingest(Red([_message()])), journal, handler=_into(heard))
        for _ in range(3)
    ]

    assert last == Reception((), (_message(),), (), 200)
    assert heard == [_message()]


def test_namespaces_do_not_share_events() -> None:
    """Two applications on one journal are both told."""
    journal = MemoryJournal()

    receptions = [play(_ingest(Red([_message()]), one), journal) for one in ("a", "b")]

    assert [len(reception.events) for reception in receptions] == [1, 1]


def test_an_event_in_other_hands_is_asked_for_again() -> None:
    """While a handler runs elsewhere the answer is 503, and nothing is lost."""
    journal, heard = MemoryJournal(), list[Event]()
    journal.store("default", [_message()])
    assert journal.claim("default", _message().key, me(), NOW, NOW + 10)

    during = play(_ingest(Red([_message()])), journal, now=NOW + 9)
    after = play(
        _ingest(Red([_message()])),
        journal,
        now=NOW + 10,
        handler=_into(heard),
    )

    assert during == Reception((), (), (), 503)
    assert (after.status, heard) == (200, [_message()])


def test_a_delivery_during_the_handler_is_asked_for_again() -> None:
    """A carrier that gave up waiting and delivers anew does not run it twice."""
    journal, statuses = MemoryJournal(), list[int]()

    def slow(event: Event) -> tuple[Exception, ...]:
        again = play(_ingest(Red([event])), journal, now=NOW + LEASE - 1)
        statuses.append(again.status)
        return ()

    reception = play(_ingest(Red([_message()])), journal, handler=slow)

    assert statuses == [503]
    assert reception.status == 200


def test_a_handler_that_raised_runs_again_at_the_next_delivery() -> None:
    """The failure is in the reception, the answer 503, and the claim is free."""
    journal, error = MemoryJournal(), RuntimeError("database is away")

    first = play(_ingest(Red([_message()])), journal, handler=lambda _: (error,))
    second = play(_ingest(Red([_message()])), journal, now=NOW + 1)
    third = play(_ingest(Red([_message()])), journal, now=NOW + 2)

    assert first == Reception((_message(),), (), (error,), 503)
    assert second == Reception((_message(),), (), (), 200)
    assert third == Reception((), (_message(),), (), 200)


def test_one_failed_event_does_not_run_its_neighbour_again() -> None:
    """Of two events in one body, only the one that failed is handled anew."""
    journal, runs = MemoryJournal(), list[str]()

    def handler(event: Event) -> tuple[Exception, ...]:
        runs.append(type(event).__name__)
        failed = isinstance(event, OptedOut) and runs.count("OptedOut") == 1
        return (RuntimeError(),) if failed else ()

    events = [_message(), _opt_out()]
    first, second = (
        play(_ingest(Red(events)), journal, handler=handler) for _ in range(2)
    )

    assert runs == ["MessageReceived", "OptedOut", "OptedOut"]
    assert [first.status, second.status] == [503, 200]
    assert second.duplicates == (_message(),)


def test_all_events_are_stored_before_the_first_handler_runs() -> None:
    """A crash in the first handler cannot lose the second event of the body."""
    asked: list[AnyEffect] = []
    events = (_message(), _opt_out())

    play(_ingest(Red(events)), MemoryJournal(), log=asked)

    kinds = [type(effect) for effect in asked]
    handling = [Now, Claim, Notify, Now, Settle]
    assert kinds == [Now, Store, *handling, *handling]
    assert asked[1] == Store("default", events)


@pytest.mark.parametrize(
    "stop", [KeyboardInterrupt, SystemExit, asyncio.CancelledError]
)
def test_a_cancelled_handler_gives_its_event_back(
    stop: type[BaseException],
) -> None:
    """What ends the server ends the handler, and the next delivery runs it again."""
    journal = MemoryJournal()

    def cancelled(event: Event) -> tuple[Exception, ...]:
        raise stop(event.id)

    with pytest.raises(stop):
        play(_ingest(Red([_message()])), journal, handler=cancelled)
    again = play(_ingest(Red([_message()])), journal, now=NOW + 1)

    assert again == Reception((_message(),), (), (), 200)


def test_a_cancelled_handler_settles_as_not_done() -> None:
    """Thrown into while it waits for the handlers, the program releases the claim."""
    program, journal = _ingest(Red([_message()])), MemoryJournal()
    effect = next(program)
    while not isinstance(effect, Notify):
        effect = program.send(_answer(effect, journal, NOW, _quiet))

    released = program.throw(KeyboardInterrupt())

    key, claim = _message().key, NOW + LEASE
    assert released == Settle("default", key, done=False, claim=claim)
    with pytest.raises(KeyboardInterrupt):
        program.send(None)


def test_a_journal_that_fails_stops_the_handlers() -> None:
    """What was not stored is not handled: the caller answers 503."""

    class Broken(MemoryJournal):
        def store(self, namespace: str, events: Sequence[Event]) -> tuple[()]:
            raise JournalError(f"{namespace}: {len(events)} not stored")

    heard: list[Event] = []

    with pytest.raises(JournalError):
        play(
            _ingest(Red([_message()])),
            Broken(),
            handler=_into(heard),
        )

    assert heard == []


def test_what_a_webhook_left_out_is_asked_for_before_it_is_stored() -> None:
    """Handlers, and the journal, have the event with what the carrier was asked for."""
    bare = evolve(_message(), members=None, conversation=None)
    asked: list[AnyEffect] = []

    reception = play(_ingest(Asked([bare])), MemoryJournal(), log=asked)

    assert reception.events == (_message(),)
    assert [type(effect) for effect in asked[:3]] == [Now, Sleep, Store]


def test_a_webhook_without_events_is_answered() -> None:
    """A body that tells nothing is stored as nothing and answered 200."""
    assert play(_ingest(Red()), MemoryJournal()) == Reception((), (), (), 200)


def test_the_claim_is_by_account_key_kind_and_member() -> None:
    """The same carrier key is another event at another account or of another kind."""
    asked: list[AnyEffect] = []

    play(_ingest(Red([_message(), _opt_out()])), MemoryJournal(), log=asked)

    claims = [effect for effect in asked if isinstance(effect, Claim)]
    assert [claim.key for claim in claims] == [
        EventKey("red-1", "in-1", "MessageReceived", ""),
        EventKey("red-1", "in-1", "OptedOut", ANA),
    ]
    assert {(claim.now, claim.until) for claim in claims} == {(NOW, NOW + LEASE)}


def test_a_real_carrier_is_verified_in_the_program() -> None:
    """An unsigned webhook of a real account never reaches its reader."""
    telnyx = Telnyx(
        api_key="KEY", public_key="BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="
    )
    body = json.dumps({"data": {"event_type": "message.received"}}).encode()
    hook = Request("POST", "https://app.example/telnyx", {}, body)
    asked: list[AnyEffect] = []

    with pytest.raises(SignatureError):
        play(ingest(intake(), telnyx, frozenset(), hook), MemoryJournal(), log=asked)

    assert asked == [Now()]
