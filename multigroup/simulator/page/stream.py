"""Server-sent events: the whole state once, then what changes.

A reader that comes back names the last event it saw, and gets what came since; one that
was away too long, or knew another run, gets the whole state again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING

from ...wire import Json
from .switchboard import Switchboard
from .views import changed, state_of

if TYPE_CHECKING:
    from ..network import Network

__all__ = ["Streams"]

_GATHER = 0.05  # seconds in which changes come together into one event
_SIGN_OF_LIFE = 15.0


class Streams:
    """Tell every open page what changes, until `close`."""

    def __init__(self, network: Network, board: Switchboard, run: str) -> None:
        self._network = network
        self._board = board
        self._run = run
        self._closing = False
        self._open: set[asyncio.Event] = set()

    def close(self) -> None:
        """End all streams; called on their loop."""
        self._closing = True
        for woken in self._open:
            woken.set()

    async def events(self, last_seen: str) -> AsyncIterator[bytes]:
        """Yield events from after *last_seen* on, an id of an earlier stream."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            if not woken.is_set():
                with suppress(RuntimeError):  # the loop has ended in the meantime
                    loop.call_soon_threadsafe(woken.set)

        self._open.add(woken)
        number = self._number(last_seen)
        try:
            with self._network.feed.on_change(wake):
                while not self._closing:
                    woken.clear()
                    number, event = self._event(number)
                    yield event
                    await self._wait(woken)
        finally:
            self._open.discard(woken)

    async def _wait(self, woken: asyncio.Event) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_SIGN_OF_LIFE):
                await woken.wait()
        if not self._closing:
            await asyncio.sleep(_GATHER)

    def _number(self, last_seen: str) -> int:
        run, _, number = last_seen.partition(".")
        return int(number) if run == self._run and number.isdecimal() else -1

    def _event(self, number: int) -> tuple[int, bytes]:
        network = self._network
        with network.lock:
            now, changes = network.feed.number, network.feed.since(number)
            if changes is None or number < 0:
                return now, self._framed("state", now, state_of(network, self._board))
            told = changed(network, self._board, changes)
        if not told:
            return now, b": nothing new\n\n"
        return now, self._framed("changes", now, told)

    def _framed(self, name: str, number: int, document: Json) -> bytes:
        data = json.dumps(document, separators=(",", ":"))
        return f"id: {self._run}.{number}\nevent: {name}\ndata: {data}\n\n".encode()
