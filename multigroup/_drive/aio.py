"""The driver that awaits, on asyncio."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, Awaitable
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from attrs import define, field

from .. import effects
from ..events import Event
from ..wire import Failure, Reply, Request
from .base import (
    IN_FLIGHT,
    REPLY_CAP,
    BaseDriver,
    Http,
    answering_to,
    building,
    failure,
    report,
    sending,
    whole,
)

if TYPE_CHECKING:
    import httpx

    AsyncHttp: TypeAlias = Http[Awaitable[httpx.Response], Awaitable[None]]

__all__ = ["AsyncDriver"]

T = TypeVar("T")


@define(eq=False)
class AsyncDriver(BaseDriver):
    """Answers programs on an asyncio event loop."""

    _given: httpx.AsyncClient | None = None
    _open: AsyncHttp | None = field(default=None, init=False)
    _slots: asyncio.Semaphore = field(
        factory=lambda: asyncio.Semaphore(IN_FLIGHT), init=False
    )

    async def run(self, program: effects.Program[T]) -> T:
        """Run *program* to its end and return what it returns."""
        try:
            effect = next(program)
            while True:
                try:
                    answer = await self._answer(effect)
                except BaseException as error:  # noqa: BLE001 - the program decides
                    effect = program.throw(error)
                else:
                    effect = program.send(answer)
        except StopIteration as stop:
            value: T = stop.value
            return value

    async def close(self) -> None:
        """Close the HTTP client if it is ours."""
        if self._open is not None:
            await self._open.close()
            self._open = None

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
        """Run each request as a task; none goes on once this has ended."""
        until = asyncio.get_running_loop().time() + self.timeouts.total
        tasks = [
            asyncio.create_task(self._leg(effect, index, until))
            for index in range(len(effect.requests))
        ]
        try:
            return tuple(await asyncio.gather(*tasks))
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def _leg(self, effect: effects.Exchange, index: int, until: float) -> Reply:
        """Run one request within the batch's deadline; an interrupted one lands too."""
        left = False
        try:
            async with asyncio.timeout_at(until), self._slots:
                left = True
                reply = await self._call(effect.requests[index])
        except TimeoutError:
            reply = Failure("TotalTimeout", unsent=not left)
        except BaseException as stop:
            self._land(effect, index, Failure(type(stop).__name__, unsent=not left))
            raise
        return self._land(effect, index, reply)

    async def _call(self, request: Request) -> Reply:
        try:
            http = self._http()
            built = http.build(request)
        except Exception as error:  # noqa: BLE001 - nothing was sent, whatever it is
            return Failure(type(error).__name__, unsent=True)
        try:
            response = await http.send(built)
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
        async for chunk in cast("AsyncIterable[bytes]", response.stream):
            body += chunk
            if len(body) > REPLY_CAP:
                break
        return bytes(body[:REPLY_CAP])

    async def _notify(self, event: Event) -> tuple[Exception, ...]:
        failures: list[Exception] = []
        for handler in self.router.of(event):
            try:
                with answering_to(event, handler):
                    answer = handler.call(event)
                    if inspect.isawaitable(answer):
                        await answer
            except Exception as error:  # noqa: BLE001 - reported, never raised
                failures.append(report(handler, event, error))
        return tuple(failures)

    def _http(self) -> AsyncHttp:
        if self._open is None:
            self._open = self._opened()
        return self._open

    def _opened(self) -> AsyncHttp:
        if self._given is not None:
            return Http(building(self._given), sending(self._given), _leave_open)
        from .own import async_own  # noqa: PLC0415 - 150 ms an import must not cost

        return async_own(self.timeouts)


async def _leave_open() -> None:
    """Do nothing: whoever gave us the client closes it."""
