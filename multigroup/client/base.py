"""What both clients know, register and ask for as programs: all but the colour."""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, Final, TypeVar

from .._drive import BaseDriver, Timeouts
from .._programs.due import Due, run_due
from .._programs.ingest import Intake, ingest
from .._programs.keeping import conversations, forget, prune, shed
from .._programs.planning import Plan, plan
from .._programs.recover import resume, retry
from ..archive import Erased, Page, Retention, Thread
from ..breaker import BreakerState
from ..conversation import Conversation, Setup
from ..effects import Now, Program, Recall
from ..errors import ConfigError, UnsupportedError, is_a
from ..events import Event, MessageReceived, SendFailed
from ..explain import explain
from ..journal.owners import me
from ..models import LineId, Message, Number, Receipt
from ..providers.base import Line
from ..records import receipt
from ..routing import Fleet, Policy
from ..webhooks import Reception, Router
from ..wire import Request

__all__ = ["BaseClient", "make_setup", "place"]

_HOUR: Final = 3600.0

_ADDRESS: Final = re.compile(r"https?://[^\s?#]+")

H = TypeVar("H", bound=Callable[..., object])


class BaseClient(ABC):
    """What both clients know and register: all but the colour."""

    _setup: Setup
    _router: Router
    _awaits: ClassVar[bool]
    _pruned_at: float | None = None

    def on(self, kind: type[Event]) -> Callable[[H], H]:
        """Register the decorated function as a handler of *kind* of event.

        Handlers run in the order they were registered, on the thread or task that
        received the webhook. What a handler sends gets its reference from the event,
        so a handler that is run again does not text again.

        Raises:
            ConfigError: *kind* is no class of event, or the handler a coroutine
                function and the client a blocking one.
        """
        if not (is_a(kind, type) and Event in kind.__mro__):
            raise ConfigError(
                "client.on() takes a class of event, as @client.on(MessageReceived)"
            )

        def register(handler: H) -> H:
            if inspect.iscoroutinefunction(handler) and not self._awaits:
                raise ConfigError(
                    f"handler {handler.__qualname__} is a coroutine function, which a "
                    "blocking client never awaits: use AsyncClient"
                )
            self._router.add(kind, handler)
            return handler

        return register

    @property
    def lines(self) -> tuple[Line, ...]:
        """Return our own numbers, in order of preference."""
        return self._setup.fleet.lines

    @property
    def breakers(self) -> Mapping[LineId, BreakerState]:
        """Return which lines are left alone at this moment, as they keep failing."""
        now = self._base_driver.clock()
        breakers = self._setup.breakers
        return {line.id: breakers.state(line.id, now) for line in self.lines}

    @property
    @abstractmethod
    def _base_driver(self) -> BaseDriver:
        """The driver of either colour."""

    def _receiving(self, name: str, request: Request) -> Program[Reception]:
        fleet = self._setup.fleet
        return ingest(self._intake(), fleet.account(name), fleet.own, request)

    def _recalling(self, reference: str) -> Program[Receipt | None]:
        record = yield from Recall(self._setup.namespace, reference)
        return None if record is None else receipt(record)

    def _explaining(self, reference: str) -> Program[str]:
        record = yield from Recall(self._setup.namespace, reference)
        if record is None:
            return f"no send has the reference {reference!r}"
        return explain(record)

    def _resuming(self) -> Program[tuple[Receipt, ...]]:
        setup = self._setup
        receipts = yield from resume(setup.namespace, setup.means())
        if setup.retention.sheds:
            yield from shed(setup.namespace, {known.reference for known in receipts})
        return receipts

    def _retrying(
        self, reference: str, *, unknown: bool, via: Line | None
    ) -> Program[Receipt]:
        if via is not None:
            self._setup.fleet.check(via)
        setup = self._setup
        return setup.shedding(
            retry(setup.namespace, setup.means(), reference, unknown=unknown, via=via)
        )

    def _catching_up(self) -> Program[Due]:
        setup = self._setup
        due = yield from run_due(self._intake(), setup.means(), setup.fleet.own)
        now = yield from Now()
        if self._pruned_at is None or now - self._pruned_at >= _HOUR:
            self._pruned_at = now
            yield from self._pruning()
        return due

    def _listing(self, before: str | None, limit: int) -> Program[Page[Thread]]:
        return conversations(self._setup.namespace, before, limit)

    def _pruning(self) -> Program[Erased]:
        return prune(self._setup.namespace, self._setup.retention)

    def _forgetting(self, number: str) -> Program[Erased]:
        return forget(self._setup.namespace, self._setup.fleet.own, number)

    def _planning(self, group: Conversation, message: str | Message) -> Program[Plan]:
        setup = self._setup
        said = Message(message) if isinstance(message, str) else message
        line = group._answering_line
        return plan(setup.namespace, setup.means(), group.members, said, line)

    def _intake(self) -> Intake:
        return Intake(
            namespace=self._setup.namespace,
            owner=me(),
            durable=self._base_driver.journal.durable,
            react=self._react,
            sheds=self._setup.retention.sheds,
        )

    def _react(self, event: Event) -> Program[None]:
        """Do what the policy says should follow from an event by itself."""
        late = self._setup.policy.late_failover
        if late and isinstance(event, SendFailed) and event.movable:
            try:
                yield from self._retrying(event.reference, unknown=False, via=None)
            except UnsupportedError:  # no line is left: there is nothing to be done
                return


def make_setup(
    lines: Iterable[Line],
    namespace: str,
    policy: Policy | None,
    timeout: float | Timeouts | None,
    webhook_url: str | None,
    strict_numbers: bool,  # noqa: FBT001
    *,
    retention: Retention | None,
) -> Setup:
    """Return what a client goes by, checked.

    Raises:
        ConfigError: the settings contradict each other.
    """
    if webhook_url is not None and not _ADDRESS.fullmatch(webhook_url):
        raise ConfigError(
            "webhook_url must be an http or https address without query: "
            "the account's name is added to its path"
        )
    limits = timeout if isinstance(timeout, Timeouts) else Timeouts.of(timeout)
    fleet, chosen = Fleet(lines), policy or Policy()
    for line in chosen.order:
        fleet.check(line)
    return Setup(
        fleet=fleet,
        namespace=namespace,
        policy=chosen,
        timeouts=limits,
        callback=webhook_url,
        strict_numbers=strict_numbers,
        retention=retention or Retention(),
    )


def place(event: MessageReceived) -> tuple[frozenset[Number], LineId | None]:
    """Return who is in *event*'s conversation and the line it came to.

    Raises:
        ConfigError: the carrier left the members out.
    """
    if event.members is None:
        raise ConfigError("the carrier did not say who is in this group")
    line = None if event.line is None else LineId(event.account, event.line)
    return event.members, line
