"""`Client` and `AsyncClient`: lines, a journal, webhooks and conversations in one."""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Final, Self, TypeVar

from ._drive import AsyncDriver, Driver, Timeouts
from ._programs.ingest import ingest
from .conversation import AsyncGroupConversation, GroupConversation, Setup
from .effects import Program, Recall
from .errors import ConfigError, is_a
from .events import Event, MessageReceived
from .journal import Journal, open_journal
from .models import LineId, Number, Receipt
from .providers.base import Line
from .records import receipt
from .routing import Fleet, Policy
from .webhooks import Reception, Router
from .wire import Request

if TYPE_CHECKING:
    import httpx

__all__ = ["AsyncClient", "Client"]

_ADDRESS: Final = re.compile(r"https?://[^\s?#]+")

H = TypeVar("H", bound=Callable[..., object])


class _Client:
    """What both clients know and register: all but the colour."""

    _setup: Setup
    _router: Router
    _awaits: ClassVar[bool]

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

    def _receiving(self, name: str, request: Request) -> Program[Reception]:
        fleet = self._setup.fleet
        return ingest(self._setup.namespace, fleet.account(name), fleet.own, request)

    def _recalling(self, reference: str) -> Program[Receipt | None]:
        record = yield from Recall(self._setup.namespace, reference)
        return None if record is None else receipt(record)


class Client(_Client):
    """Texts groups over several lines and takes their carriers' webhooks in.

    One client is meant to live as long as the application and may be used from several
    threads; it keeps one HTTP client and its connections.

    Args:
        lines: our own numbers, the preferred one first.
        journal: where sends and events are kept: `"memory:"`, `"sqlite:///path"`, or a
            `Journal`.
        namespace: keeps the references and events of several applications on one
            journal apart.
        policy: how lines are chosen.
        timeout: longest exchange with a carrier, in seconds, or `Timeouts`.
        http: a client with httpx's interface to use instead of an own one; it is not
            closed.
        webhook_url: public address of the webhook endpoint, without the account's
            name; carriers are told to call it back with a token of ours, by which a
            lost reply is found again.
        strict_numbers: refuse numbers in ranges unknown to `phonenumbers`.
        clock: gives the time in Unix seconds; for tests in virtual time.

    Raises:
        ConfigError: the settings contradict each other.
    """

    _awaits = False

    def __init__(
        self,
        *,
        lines: Iterable[Line],
        journal: str | Journal = "memory:",
        namespace: str = "default",
        policy: Policy | None = None,
        timeout: float | Timeouts | None = None,
        http: httpx.Client | None = None,
        webhook_url: str | None = None,
        strict_numbers: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._setup = _setup(
            lines, namespace, policy, timeout, webhook_url, strict_numbers
        )
        self._router = Router()
        self._journal = open_journal(journal)
        if http is not None and inspect.iscoroutinefunction(http.send):
            raise ConfigError("http= is an async client: use AsyncClient")
        self._driver = Driver(
            self._journal, self._router, self._setup.timeouts, clock, http
        )

    def group(self, *members: str) -> GroupConversation:
        """Return the conversation of *members*; see `GroupConversation` for errors."""
        return GroupConversation._of(members, self._setup, self._driver, None)

    def conversation(self, event: MessageReceived) -> GroupConversation:
        """Return the conversation *event* belongs to, to answer on its line.

        Raises:
            ConfigError: the carrier left the members out.
        """
        members, line = _place(event)
        return GroupConversation._of(members, self._setup, self._driver, line)

    def receive(self, name: str, request: Request) -> Reception:
        """Take in a webhook of the account called *name*.

        Verifies, reads, stores, then runs the handlers of each event that is new.
        A handler's exception is in the reception, not raised.

        Raises:
            SignatureError: the webhook is not proven to be the carrier's; answer with
                the error's `status`.
            ConfigError: no account has that name, or it has no key to verify with.
            JournalError: the events could not be stored; answer 503.
        """
        return self._driver.run(self._receiving(name, request))

    def receipt(self, reference: str) -> Receipt | None:
        """Return what is known by now of the send under *reference*."""
        return self._driver.run(self._recalling(reference))

    def close(self) -> None:
        """Close connections and journal."""
        self._driver.close()
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()


class AsyncClient(_Client):
    """The same as `Client`, with `await`; handlers may be coroutine functions."""

    _awaits = True

    def __init__(
        self,
        *,
        lines: Iterable[Line],
        journal: str | Journal = "memory:",
        namespace: str = "default",
        policy: Policy | None = None,
        timeout: float | Timeouts | None = None,
        http: httpx.AsyncClient | None = None,
        webhook_url: str | None = None,
        strict_numbers: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._setup = _setup(
            lines, namespace, policy, timeout, webhook_url, strict_numbers
        )
        self._router = Router()
        self._journal = open_journal(journal)
        if http is not None and not inspect.iscoroutinefunction(http.send):
            raise ConfigError("http= is a blocking client: use Client")
        self._driver = AsyncDriver(
            self._journal, self._router, self._setup.timeouts, clock, http
        )

    def group(self, *members: str) -> AsyncGroupConversation:
        """Return the conversation of *members*; see `GroupConversation` for errors."""
        return AsyncGroupConversation._of(members, self._setup, self._driver, None)

    def conversation(self, event: MessageReceived) -> AsyncGroupConversation:
        """Return the conversation *event* belongs to; see `Client.conversation`."""
        members, line = _place(event)
        return AsyncGroupConversation._of(members, self._setup, self._driver, line)

    async def receive(self, name: str, request: Request) -> Reception:
        """Take in a webhook of the account called *name*; see `Client.receive`."""
        return await self._driver.run(self._receiving(name, request))

    async def receipt(self, reference: str) -> Receipt | None:
        """Return what is known by now of the send under *reference*."""
        return await self._driver.run(self._recalling(reference))

    async def close(self) -> None:
        """Close connections and journal."""
        await self._driver.close()
        self._journal.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self.close()


def _setup(
    lines: Iterable[Line],
    namespace: str,
    policy: Policy | None,
    timeout: float | Timeouts | None,
    webhook_url: str | None,
    strict_numbers: bool,  # noqa: FBT001
) -> Setup:
    if webhook_url is not None and not _ADDRESS.fullmatch(webhook_url):
        raise ConfigError(
            "webhook_url must be an http or https address without query: "
            "the account's name is added to its path"
        )
    limits = timeout if isinstance(timeout, Timeouts) else Timeouts.of(timeout)
    return Setup(
        fleet=Fleet(lines),
        namespace=namespace,
        policy=policy or Policy(),
        timeouts=limits,
        callback=webhook_url,
        strict_numbers=strict_numbers,
    )


def _place(event: MessageReceived) -> tuple[frozenset[Number], LineId | None]:
    """Return who is in *event*'s conversation and the line it came to."""
    if event.members is None:
        raise ConfigError("the carrier did not say who is in this group")
    line = None if event.line is None else LineId(event.account, event.line)
    return event.members, line
