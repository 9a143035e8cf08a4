"""The driver that blocks."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from attrs import define, field

from .. import effects
from ..events import Event
from ..wire import Failure, Reply, Request
from .base import (
    REPLY_CAP,
    WORKERS,
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

__all__ = ["Driver"]

T = TypeVar("T")


@define(eq=False)
class Driver(BaseDriver):
    """Answers programs by blocking."""

    _given: httpx.Client | None = None
    _own: httpx.Client | None = field(default=None, init=False)
    _workers: ThreadPoolExecutor | None = field(default=None, init=False)

    def run(self, program: effects.Program[T]) -> T:
        """Run *program* to its end and return what it returns."""
        step: Callable[[], effects.AnyEffect] = partial(next, program)
        while True:
            try:
                effect = step()
            except StopIteration as stop:
                value: T = stop.value
                return value
            try:
                answer = self._answer(effect)
            except BaseException as error:  # noqa: BLE001 - the program decides
                step = partial(program.throw, error)
            else:
                step = partial(program.send, answer)

    def close(self) -> None:
        """Close the HTTP client if it is ours; let workers end by themselves."""
        if self._workers is not None:
            self._workers.shutdown(wait=False, cancel_futures=True)
            self._workers = None
        if self._own is not None:
            self._own.close()
            self._own = None

    def _answer(self, effect: effects.AnyEffect) -> object:
        match effect:
            case effects.Exchange():
                return self._exchange(effect)
            case effects.Sleep(seconds=seconds):
                time.sleep(seconds)
                return None
            case effects.Notify(event=event):
                return self._notify(event)
            case _:
                return self._instant(effect)

    def _exchange(self, effect: effects.Exchange) -> tuple[Reply, ...]:
        """Run each request on a worker, so that the deadline holds whatever it does."""
        pool = self._pool()
        until = time.monotonic() + self.timeouts.total
        jobs = {
            pool.submit(self._call, request, until): index
            for index, request in enumerate(effect.requests)
        }
        replies: dict[int, Reply] = {}
        try:
            for job in as_completed(jobs, timeout=self.timeouts.total):
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
            client = self._client()
            built = build(client, request)
        except Exception as error:  # noqa: BLE001 - nothing was sent, whatever it is
            return Failure(type(error).__name__, unsent=True)
        try:
            response = client.send(
                built, stream=True, auth=None, follow_redirects=False
            )
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
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > REPLY_CAP:
                break
            if time.monotonic() > until:
                raise TimeoutError
        return bytes(body[:REPLY_CAP])

    def _notify(self, event: Event) -> tuple[Exception, ...]:
        failures: list[Exception] = []
        with answering_to(event):
            for handler in self.router.of(event):
                try:
                    handler(event)
                except Exception as error:  # noqa: BLE001 - reported, never raised
                    failures.append(report(handler, event, error))
        return tuple(failures)

    def _pool(self) -> ThreadPoolExecutor:
        if self._workers is None:
            self._workers = ThreadPoolExecutor(WORKERS, "multigroup")
        return self._workers

    def _client(self) -> httpx.Client:
        if self._given is not None:
            return self._given
        if self._own is None:
            import httpx  # noqa: PLC0415 - 150 ms that an import must not cost

            self._own = httpx.Client(**settings(self.timeouts, WORKERS))
        return self._own


def _given_up(job: Future[Reply]) -> Failure:
    """Return the failure of a leg past the deadline: unsent if it never started."""
    return Failure("TotalTimeout", unsent=job.cancel())
