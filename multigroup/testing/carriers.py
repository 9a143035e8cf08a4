"""`Carriers`: the simulated network around one application, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Self, TypedDict, TypeVar

import httpx

from ..client import AsyncClient, Client
from ..journal import Journal
from ..providers.base import Line
from ..routing import Policy
from ..simulator import Handset, Network, SteppedClock
from ..wire import Failure, Reply, Request
from .moves import Moves, NotSeenError, advancing, waiting
from .wiring import WEBHOOKS, Answer, Receiver, carrying, handed, joined

__all__ = ["AsyncSettings", "Carriers", "NotSeenError", "Settings"]

T = TypeVar("T")


class Settings(TypedDict):
    """What makes a `Client` live among the simulated carriers."""

    lines: tuple[Line, ...]
    http: httpx.Client
    webhook_url: str
    clock: Callable[[], float]
    sleep: Callable[[float], None]


class AsyncSettings(TypedDict):
    """What makes an `AsyncClient` live among the simulated carriers."""

    lines: tuple[Line, ...]
    http: httpx.AsyncClient
    webhook_url: str
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


class Carriers:
    """Simulated carriers for one test: no sockets, and time moves when told to.

    Attributes:
        network: the simulated network: its phones, its carriers and their switches.
        lines: our own line at every carrier, by default in this order.
    """

    def __init__(self, *, seed: int = 1) -> None:
        self._clock = SteppedClock()
        self.network = Network(clock=self._clock, post=self._post, seed=seed)
        self.lines = joined(self.network)
        self._transport = carrying(self.network)
        self._receiver: Receiver | None = None
        self._made: list[Client | AsyncClient] = []

    def client(
        self,
        *lines: Line,
        journal: str | Journal = "memory:",
        policy: Policy | None = None,
    ) -> Client:
        """Return a client on *lines*, or on all there are; webhooks go to it.

        It is closed at the end of the test.
        """
        settings = self.settings(*lines)
        made = Client(**settings, journal=journal, policy=policy)
        self._made.append(made)
        self.deliver_to(made)
        return made

    def async_client(
        self,
        *lines: Line,
        journal: str | Journal = "memory:",
        policy: Policy | None = None,
    ) -> AsyncClient:
        """Return an async client on *lines*, or on all there are; see `client`."""
        settings = self.async_settings(*lines)
        made = AsyncClient(**settings, journal=journal, policy=policy)
        self._made.append(made)
        self.deliver_to(made)
        return made

    def settings(self, *lines: Line) -> Settings:
        """Return settings for the application's own `Client(**settings)`.

        Tell the carriers where webhooks go, then: `deliver_to`.
        """
        return Settings(
            lines=lines or self.lines,
            http=httpx.Client(transport=self._transport),
            webhook_url=WEBHOOKS,
            clock=self._clock.now,
            sleep=self.advance,
        )

    def async_settings(self, *lines: Line) -> AsyncSettings:
        """Return settings for the application's own `AsyncClient(**settings)`."""
        return AsyncSettings(
            lines=lines or self.lines,
            http=httpx.AsyncClient(transport=self._transport),
            webhook_url=WEBHOOKS,
            clock=self._clock.now,
            sleep=self.async_advance,
        )

    def deliver_to(self, receiver: Receiver) -> None:
        """Have webhooks go to *receiver* from now on.

        That is a client, or a function from `Request` to `Response` that calls your
        own endpoint; it may be a coroutine function.
        """
        self._receiver = receiver

    def phone(self, number: str, *, on_net: bool | None = None) -> Handset:
        """Return a person's phone, made at its first mention.

        *on_net* says whether it is a customer of the carrier that sends.

        Raises:
            ValueError: *number* is not in E.164, or belongs to a carrier.
        """
        return self.network.handset(number, on_net=on_net)

    def advance(self, seconds: float) -> None:
        """Let so much time pass, and deliver the webhooks that fall due meanwhile.

        Raises:
            TypeError: webhooks go to an async client and a loop is running: await
                `async_advance`.
        """
        self._move(advancing(self.network, self._clock, seconds))

    async def async_advance(self, seconds: float) -> None:
        """Let so much time pass; see `advance`."""
        await self._move_async(advancing(self.network, self._clock, seconds))

    def wait_for(self, condition: Callable[[], T], *, within: float = 3600.0) -> T:
        """Let time pass until *condition* returns something true, and return that.

        It is asked after everything that happened, and every 15 seconds of virtual
        time, so it may also call `client.run_due()`.

        Raises:
            NotSeenError: it did not come true *within* so many virtual seconds.
            TypeError: webhooks go to an async client and a loop is running: await
                `async_wait_for`.
        """
        return self._move(waiting(self.network, self._clock, condition, within))

    async def async_wait_for(
        self, condition: Callable[[], T], *, within: float = 3600.0
    ) -> T:
        """Let time pass until *condition* returns something true; see `wait_for`.

        Raises:
            NotSeenError: it did not come true *within* so many virtual seconds.
        """
        return await self._move_async(
            waiting(self.network, self._clock, condition, within)
        )

    def close(self) -> None:
        """Close the network, and the clients that were made here."""
        for made in self._made:
            closing = made.close()
            if closing is not None:
                _ended(closing)
        self.network.close()

    def __enter__(self) -> Self:
        """Return these carriers."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close them."""
        self.close()

    def _move(self, moves: Moves[T]) -> T:
        try:
            errand = next(moves)
            while True:
                errand = moves.send(self._post(errand.request, errand.timeout))
        except StopIteration as stop:
            value: T = stop.value
            return value

    async def _move_async(self, moves: Moves[T]) -> T:
        try:
            errand = next(moves)
            while True:
                answer = self._answer(errand.request)
                if isinstance(answer, Awaitable):
                    answer = await answer
                errand = moves.send(answer)
        except StopIteration as stop:
            value: T = stop.value
            return value

    def _post(self, webhook: Request, _timeout: float) -> Reply:
        """Deliver *webhook* and wait for the answer."""
        answer = self._answer(webhook)
        return _blocking(answer) if isinstance(answer, Awaitable) else answer

    def _answer(self, webhook: Request) -> Answer:
        if self._receiver is None:  # the log will tell
            return Failure("NobodyTakesWebhooks", unsent=True)
        return handed(self._receiver, webhook)


def _blocking(answer: Awaitable[Reply]) -> Reply:
    if _a_loop_runs():
        if isinstance(answer, Coroutine):
            answer.close()
        raise TypeError(
            "a loop is running and webhooks go to async code: "
            "await carriers.async_wait_for(...) or carriers.async_advance(...)"
        )
    return asyncio.run(_of(answer))


async def _of(answer: Awaitable[T]) -> T:
    return await answer


def _a_loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _ended(closing: Coroutine[object, None, None]) -> None:
    """Run to its end what waits for nothing: HTTP clients of ours are not its own."""
    try:
        closing.send(None)
    except StopIteration:
        return
    closing.close()
