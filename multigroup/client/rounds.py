"""`run_due` again and again, for as long as something lives: a server, a worker."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from attrs import define, field

from .._programs.due import Due
from ..errors import ConfigError, MultigroupError
from .aio import AsyncClient
from .blocking import Client

__all__ = ["EVERY", "Rounds", "checked"]

EVERY: Final = 15.0
"""Seconds from the end of one round to the start of the next."""

log: Final = logging.getLogger("multigroup")


def checked(every: float | None) -> float | None:
    """Return *every* if it can be a pause in seconds.

    Raises:
        ConfigError: it cannot.
    """
    if every is not None and not 0 < every < float("inf"):
        raise ConfigError(
            f"every={every!r} is no number of seconds: give one above 0, or None to "
            "leave the rounds to somebody else"
        )
    return every


@define(eq=False)
class Rounds:
    """Runs a client's `run_due` at once and then every so many seconds.

    On the running loop for an `AsyncClient`, on a thread for a `Client`. A round that
    fails is logged and does not end the rounds; a client that was closed does.
    *told* is given what each round did.
    """

    client: Client | AsyncClient
    every: float
    told: Callable[[Due], object] | None = None
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _over: asyncio.Event = field(factory=asyncio.Event, init=False)
    _thread: ThreadPoolExecutor | None = field(default=None, init=False)

    def start(self) -> None:
        """Start on the running loop, unless they go on there already."""
        loop = asyncio.get_running_loop()
        task = self._task
        if task is not None and not task.done() and task.get_loop() is loop:
            return
        self._over = asyncio.Event()
        self._task = loop.create_task(self._run(self._over))

    async def stop(self) -> None:
        """End the rounds; the one at hand is finished first."""
        self._over.set()
        task = self._task
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            await asyncio.wait([task])
        if self._thread is not None:
            self._thread.shutdown(wait=False)
            self._thread = None

    async def _run(self, over: asyncio.Event) -> None:
        while not (over.is_set() or self.client._base_driver.closed):
            await self._round()
            try:
                async with asyncio.timeout(self.every):
                    await over.wait()
            except TimeoutError:
                continue

    async def _round(self) -> None:
        try:
            due = await self._due()
            if self.told is not None:
                self.told(due)
        except MultigroupError as error:  # its words are masked
            log.error("run_due failed: %s", error)  # noqa: TRY400
        except Exception as error:  # noqa: BLE001 - anybody's words may quote anything
            log.error("run_due failed: %s", type(error).__name__)  # noqa: TRY400

    async def _due(self) -> Due:
        if isinstance(self.client, AsyncClient):
            return await self.client.run_due()
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "multigroup-due")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self.client.run_due)
