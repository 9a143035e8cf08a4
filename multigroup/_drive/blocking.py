"""The driver that blocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar, cast

from attrs import define, field

from .. import effects
from ..events import Event
from ..wire import Failure, Reply, Request
from .base import (
    REPLY_CAP,
    WORKERS,
    BaseDriver,
    Http,
    answering_to,
    building,
    failure,
    report,
    sending,
    whole,
)
from .deadline import TotalTimeout

if TYPE_CHECKING:
    import httpx

__all__ = ["Driver"]

T = TypeVar("T")

GRACE: Final = 0.25
"""Seconds a worker has to tell how its request ended at the deadline."""


@define(eq=False)
class Driver(BaseDriver):
    """Answers programs by blocking."""

    _given: httpx.Client | None = None
    sleep: Callable[[float], None] = time.sleep
    _open: Http[httpx.Response, None] | None = field(default=None, init=False)
    _opening: Lock = field(factory=Lock, init=False)
    _workers: ThreadPoolExecutor | None = field(default=None, init=False)

    def run(self, program: effects.Program[T]) -> T:
        """Run *program* to its end and return what it returns."""
        try:
            effect = next(program)
            while True:
                try:
                    answer = self._answer(effect)
                except BaseException as error:  # noqa: BLE001 - the program decides
                    effect = program.throw(error)
                else:
                    effect = program.send(answer)
        except StopIteration as stop:
            value: T = stop.value
            return value

    def close(self) -> None:
        """Close the HTTP client if it is ours; let workers end by themselves."""
        self.closed = True
        if self._workers is not None:
            self._workers.shutdown(wait=False, cancel_futures=True)
            self._workers = None
        if self._open is not None:
            self._open.close()
            self._open = None

    def _answer(self, effect: effects.AnyEffect) -> object:
        match effect:
            case effects.Exchange():
                return self._exchange(effect)
            case effects.Sleep(seconds=seconds):
                self.sleep(seconds)
                return None
            case effects.Notify(event=event):
                return self._notify(event)
            case _:
                return self._instant(effect)

    def _exchange(self, effect: effects.Exchange) -> tuple[Reply, ...]:
        until = time.monotonic() + min(self.timeouts.total, effect.within)
        if len(effect.requests) == 1 and self._holds():
            return (self._alone(effect, until),)
        return self._together(effect, until)

    def _alone(self, effect: effects.Exchange, until: float) -> Reply:
        """Run the one request on this thread: a worker would double its cost."""
        reply: Reply = Failure("Interrupted")
        try:
            reply = self._call(effect.requests[0], until)
        finally:
            self._land(effect, 0, reply)
        return reply

    def _together(self, effect: effects.Exchange, until: float) -> tuple[Reply, ...]:
        """Run each request on a worker, so that the deadline holds whatever it does."""
        pool = self._pool()
        jobs = {
            pool.submit(self._call, request, until): index
            for index, request in enumerate(effect.requests)
        }
        replies: dict[int, Reply] = {}
        try:
            for job in as_completed(jobs, until - time.monotonic() + GRACE):
                replies[jobs[job]] = self._land(effect, jobs[job], job.result())
        except TimeoutError:
            pass
        finally:
            for job, index in jobs.items():
                if index not in replies:
                    replies[index] = self._land(effect, index, _given_up(job))
        return tuple(replies[index] for index in range(len(jobs)))

    def _call(self, request: Request, until: float) -> Reply:
        try:
            http = self._http()
            built = http.build(request)
        except Exception as error:  # noqa: BLE001 - nothing was sent, whatever it is
            return Failure(type(error).__name__, unsent=True)
        if http.deadline is not None:
            http.deadline.until = until
        try:
            response = http.send(built)
            try:
                return whole(response, self._read(response, until))
            finally:
                response.close()
        except Exception as error:  # noqa: BLE001 - one leg's failure is its own
            return failure(error)

    def _read(self, response: httpx.Response, until: float) -> bytes:
        if response.is_stream_consumed:
            return response.content[:REPLY_CAP]
        body = bytearray()
        for chunk in cast("Iterable[bytes]", response.stream):  # as iter_raw() does
            body += chunk
            if len(body) > REPLY_CAP:
                break
            if time.monotonic() > until:
                raise TotalTimeout
        return bytes(body[:REPLY_CAP])

    def _notify(self, event: Event) -> tuple[Exception, ...]:
        failures: list[Exception] = []
        for handler in self.router.of(event):
            try:
                with answering_to(event, handler):
                    handler.call(event)
            except Exception as error:  # noqa: BLE001 - reported, never raised
                failures.append(report(handler, event, error))
        return tuple(failures)

    def _pool(self) -> ThreadPoolExecutor:
        with self._opening:
            if self._workers is None:
                self._workers = ThreadPoolExecutor(WORKERS, "multigroup")
            return self._workers

    def _holds(self) -> bool:
        """Tell whether a request keeps to its deadline without a worker."""
        try:
            return self._http().deadline is not None
        except Exception:  # noqa: BLE001 - each request will say why there is no client
            return False

    def _http(self) -> Http[httpx.Response, None]:
        if self._open is not None:
            return self._open
        with self._opening:
            if self._open is None:
                self._open = self._opened()
            return self._open

    def _opened(self) -> Http[httpx.Response, None]:
        if self._given is not None:
            return Http(building(self._given), sending(self._given), _leave_open)
        from .own import own  # noqa: PLC0415 - 150 ms that an import must not cost

        return own(self.timeouts)


def _given_up(job: Future[Reply]) -> Reply:
    """Return what became of a leg nobody waits for any more.

    Unsent if it never started; its reply if that came just now.
    """
    if job.cancel():
        return Failure("TotalTimeout", unsent=True)
    if job.done() and job.exception() is None:
        return job.result()
    return Failure("TotalTimeout")


def _leave_open() -> None:
    """Do nothing: whoever gave us the client closes it."""
