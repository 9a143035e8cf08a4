"""The driver that awaits, on asyncio."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar, cast

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

KEEPERS: Final = 8
"""Threads that wait for the journal: commits shared by more are no cheaper."""


@define
class _Stop:
    """A cancellation that came while the journal was at work, and is still owed."""

    owed: asyncio.CancelledError | None = None

    def deliver(self) -> None:
        if self.owed is not None:
            stop, self.owed = self.owed, None
            raise stop


@define(eq=False)
class AsyncDriver(BaseDriver):
    """Answers programs on an asyncio event loop."""

    _given: httpx.AsyncClient | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _open: AsyncHttp | None = field(default=None, init=False)
    _slots: asyncio.Semaphore = field(
        factory=lambda: asyncio.Semaphore(IN_FLIGHT), init=False
    )
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)
    _keeper: ThreadPoolExecutor | None = field(default=None, init=False)

    async def run(self, program: effects.Program[T]) -> T:
        """Run *program* to its end and return what it returns.

        A cancellation that comes while the journal is at work is delivered at the next
        effect: the program then knows what was written.
        """
        stop = _Stop()
        try:
            effect = next(program)
            while True:
                try:
                    answer = await self._answer(effect, stop)
                except BaseException as error:  # noqa: BLE001 - the program decides
                    effect = program.throw(error)
                else:
                    effect = program.send(answer)
        except StopIteration as end:
            value: T = end.value
            stop.deliver()
            return value

    async def close(self) -> None:
        """Close the HTTP client if it is ours."""
        self.closed = True
        if self._keeper is not None:
            self._keeper.shutdown(wait=False)
            self._keeper = None
        if self._open is not None:
            await self._open.close()
            self._open = None

    async def _answer(self, effect: effects.AnyEffect, stop: _Stop) -> object:
        if stop.owed is not None:
            await self._forgo(effect)
            stop.deliver()
        match effect:
            case effects.Exchange():
                return await self._exchange(effect)
            case effects.Sleep(seconds=seconds):
                await self.sleep(seconds)
                return None
            case effects.Notify(event=event):
                return await self._notify(event)
            case effects.Now() | effects.Token():
                return self._instant(effect)
            case _:
                return await self._keeping(lambda: self._kept(effect), stop)

    async def _keeping(self, work: Callable[[], T], stop: _Stop) -> T:
        """Do the journal's *work* whole, on a thread if it may wait.

        A program's calls keep their order, as it awaits each. Those of several programs
        may be at work at once, so that a journal can let them share a commit.
        """
        if not self.journal.blocks:
            return work()
        if self._keeper is None:
            self._keeper = ThreadPoolExecutor(KEEPERS, "multigroup-journal")
        job = asyncio.get_running_loop().run_in_executor(self._keeper, work)
        while not job.done():
            try:
                await asyncio.wait([job])
            except asyncio.CancelledError as asked:
                stop.owed = asked
        return job.result()

    async def _forgo(self, effect: effects.AnyEffect) -> None:
        """Write down of legs that will never leave that they did not."""
        if isinstance(effect, effects.Exchange):
            unsent = Failure("CancelledError", unsent=True)
            for index in range(len(effect.requests)):
                await self._landed(effect, index, unsent, _Stop())

    async def _landed(
        self, effect: effects.Exchange, index: int, reply: Reply, stop: _Stop
    ) -> Reply:
        """Have a reply written down before it counts."""
        landing = effect.landing
        if landing is not None:
            news = landing.change(index, reply, self.clock())
            write = partial(self.journal.write, *news)
            landing.kept(await self._keeping(write, stop))
        return reply

    async def _exchange(self, effect: effects.Exchange) -> tuple[Reply, ...]:
        """Run each request as a task; none goes on once this has ended."""
        self._settle_on(asyncio.get_running_loop())
        total = min(self.timeouts.total, effect.within)
        until = asyncio.get_running_loop().time() + total
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

    def _settle_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Leave behind what belongs to an event loop that has ended.

        Applications that run one coroutine after another have a loop for each.
        """
        if self._loop is not loop:
            self._loop, self._slots = loop, asyncio.Semaphore(IN_FLIGHT)
            self._open = None

    async def _leg(self, effect: effects.Exchange, index: int, until: float) -> Reply:
        """Run one request within the batch's deadline; an interrupted one lands too."""
        left, stop = False, _Stop()
        try:
            async with asyncio.timeout_at(until), self._slots:
                left = True
                reply = await self._call(effect.requests[index])
        except TimeoutError:
            reply = Failure("TotalTimeout", unsent=not left)
        except BaseException as error:
            reply = Failure(type(error).__name__, unsent=not left)
            await self._landed(effect, index, reply, stop)
            raise
        reply = await self._landed(effect, index, reply, stop)
        stop.deliver()
        return reply

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
