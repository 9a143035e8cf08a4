"""The driver that awaits, on asyncio."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from attrs import define, field

from .. import effects
from ..events import Event
from ..wire import Failure, Reply, Request
from .base import (
    IN_FLIGHT,
    REPLY_CAP,
    BaseDriver,
    answering_to,
    build,
    failure,
    report,
    settings,
    whole,
)

if TYPE_CHECKING:
    import httpx

__all__ = ["AsyncDriver"]

T = TypeVar("T")


@define(eq=False)
class AsyncDriver(BaseDriver):
    """Answers programs on an asyncio event loop."""

    _given: httpx.AsyncClient | None = None
    _own: httpx.AsyncClient | None = field(default=None, init=False)
    _slots: asyncio.Semaphore = field(
        factory=lambda: asyncio.Semaphore(IN_FLIGHT), init=False
    )

    async def run(self, program: effects.Program[T]) -> T:
        """Run *program* to its end and return what it returns."""
        step: Callable[[], effects.AnyEffect] = partial(next, program)
        while True:
            try:
                effect = step()
            except StopIteration as stop:
                value: T = stop.value
                return value
            try:
                answer = await self._answer(effect)
            except BaseException as error:  # noqa: BLE001 - the program decides
                step = partial(program.throw, error)
            else:
                step = partial(program.send, answer)

    async def close(self) -> None:
        """Close the HTTP client if it is ours."""
        if self._own is not None:
            await self._own.aclose()
            self._own = None

    async def _answer(self, effect: effects.AnyEffect) -> object:
        match effect:
            case effects.Exchange():
                return await self._exchange(effect)
            case effects.Sleep(seconds=seconds):
                await asyncio.sleep(seconds)
                return None
            case effects.Notify(event=event):
                return await self._notify(event)
            case _:
                return self._instant(effect)

    async def _exchange(self, effect: effects.Exchange) -> tuple[Reply, ...]:
        legs = (self._leg(effect, index) for index in range(len(effect.requests)))
        return tuple(await asyncio.gather(*legs))

    async def _leg(self, effect: effects.Exchange, index: int) -> Reply:
        """Run one request within the deadline; a cancelled one lands too."""
        left = False
        try:
            async with asyncio.timeout(self.timeouts.total), self._slots:
                left = True
                reply = await self._call(effect.requests[index])
        except TimeoutError:
            reply = Failure("TotalTimeout", unsent=not left)
        except asyncio.CancelledError:
            self._land(effect, index, Failure("Cancelled", unsent=not left))
            raise
        return self._land(effect, index, reply)

    async def _call(self, request: Request) -> Reply:
        try:
            client = self._client()
            built = build(client, request)
        except Exception as error:  # noqa: BLE001 - nothing was sent, whatever it is
            return Failure(type(error).__name__, unsent=True)
        try:
            response = await client.send(
                built, stream=True, auth=None, follow_redirects=False
            )
            try:
                return whole(response, await self._read(response))
            finally:
                await response.aclose()
        except Exception as error:  # noqa: BLE001 - one leg's failure is its own
            return failure(error)

    async def _read(self, response: httpx.Response) -> bytes:
        if response.is_stream_consumed:
            return response.content[:REPLY_CAP]
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > REPLY_CAP:
                break
        return bytes(body[:REPLY_CAP])

    async def _notify(self, event: Event) -> tuple[Exception, ...]:
        failures: list[Exception] = []
        with answering_to(event):
            for handler in self.router.of(event):
                try:
                    answer = handler(event)
                    if inspect.isawaitable(answer):
                        await answer
                except Exception as error:  # noqa: BLE001 - reported, never raised
                    failures.append(report(handler, event, error))
        return tuple(failures)

    def _client(self) -> httpx.AsyncClient:
        if self._given is not None:
            return self._given
        if self._own is None:
            import httpx  # noqa: PLC0415 - 150 ms that an import must not cost

            self._own = httpx.AsyncClient(**settings(self.timeouts, IN_FLIGHT))
        return self._own
