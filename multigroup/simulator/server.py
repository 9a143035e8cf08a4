"""The network by real HTTP: a port per carrier and one for the page, on one event loop.

Its thread does all that waits: listeners, jobs that fall due, webhooks under way. So
stopping is cancelling, and nothing is left.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..wire import Failure, Reply
from .agenda import Errand
from .clock import SteppedClock
from .listener import Listener
from .page import Page
from .port import Port
from .post import AsyncHttpPost

if TYPE_CHECKING:
    from .face import Face
    from .network import Network, Post

__all__ = ["Served"]

_AT_ONCE = 32  # webhooks under way; more would starve the HTTP client's pool
_PATIENCE = 10.0  # seconds to come up or go down; taking longer is a fault
Work = Coroutine[None, None, None]


class Served:
    """A network being served, from the start of a `with` to its end."""

    def __init__(
        self,
        network: Network,
        address: tuple[str, int],
        faces: tuple[Face, ...],
        *,
        page: bool = False,
    ) -> None:
        host, port = address
        self._network = network
        self._faces = faces
        self._listeners = {
            face.name: Listener(face, host, port + place if port else 0)
            for place, face in enumerate(self._faces)
        }
        self._page = Page(network, host, faces) if page else None
        self._page_port: Port | None = None
        if self._page is not None:
            number = port + len(self._faces) if port else 0
            self._page_port = Port(self._page, host, number)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._due = asyncio.Event()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> Self:
        """Listen, and let due jobs run; `base_url` of each face then tells where.

        Raises:
            OSError: a port is taken.
        """
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=loop.run_forever, name="multigroup-simulator", daemon=True
        )
        self._thread.start()
        self._http = AsyncHttpPost(allow_remote=self._network.allow_remote)
        try:
            self._wait(self._open())
        except BaseException:
            self.stop()
            raise
        self._network.on_schedule(self._wake)
        for face in self._faces:
            face.plug(partial(self._switch, face))
        return self

    def stop(self) -> None:
        """Stop listening and drop what is under way; twice does no harm."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        self._network.on_schedule(None)
        for face in self._faces:
            face.plug(None)
        self._wait(self._shut())
        self._loop = self._thread = None
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE)
        loop.close()
        self._network.close()

    @property
    def page_url(self) -> str | None:
        """Return where the page is, if it is served."""
        return None if self._page_port is None else f"{self._page_port.url}/"

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _wait(self, work: Work) -> None:
        loop = self._loop
        if loop is None:
            work.close()
            return
        asyncio.run_coroutine_threadsafe(work, loop).result(_PATIENCE)

    def _wake(self) -> None:
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(self._due.set)

    def _switch(self, face: Face, down: bool) -> None:  # noqa: FBT001 - a lever's state
        listener = self._listeners[face.name]
        work = listener.close() if down else listener.open()
        if threading.current_thread() is self._thread:
            # Pulled by what runs on the loop, which cannot wait for itself. The face
            # refuses of its own accord until the port is closed.
            self._spawn(work)
        else:
            self._wait(work)

    async def _open(self) -> None:
        for listener in self._listeners.values():
            if not listener.face.down:
                await listener.open()
        if self._page_port is not None:
            await self._page_port.open()
        if not isinstance(self._network.clock, SteppedClock):
            self._spawn(self._keep_running())

    async def _shut(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._page is not None:
            self._page.close()
            await asyncio.sleep(0)  # the streams end of themselves
        closing = [listener.close() for listener in self._listeners.values()]
        if self._page_port is not None:
            closing.append(self._page_port.close())
        await asyncio.gather(*closing)
        await self._http.close()

    async def _keep_running(self) -> None:
        """Run what falls due, and sleep until the next job does."""
        network = self._network
        while True:
            self._due.clear()
            with network.lock:
                job = network.agenda.pop(network.now())
                due = network.agenda.next_due()
            if job is None:
                await self._sleep(due)
                continue
            errand = job()
            if errand is not None:
                self._spawn(self._deliver(errand))

    async def _sleep(self, due: float | None) -> None:
        wait = None if due is None else max(0.0, due - self._network.now())
        try:
            # Not `wait_for`: before Python 3.12 it may swallow being cancelled.
            async with asyncio.timeout(wait):
                await self._due.wait()
        except TimeoutError:
            return

    async def _deliver(self, errand: Errand) -> None:
        post = self._network.post
        try:
            async with self._slots, asyncio.timeout(errand.timeout):
                if post is None:
                    reply = await self._http(errand.request, errand.timeout)
                else:
                    reply = await _in_a_thread(post, errand)
        except TimeoutError:
            reply = Failure("TimeoutError")
        errand.done(reply)

    def _spawn(self, work: Work) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _in_a_thread(post: Post, errand: Errand) -> Reply:
    """Call the application's own function; an exception of its is a failed try.

    The thread is a daemon and not of a pool: one that hangs must not hold up the end.
    """
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Reply] = loop.create_future()

    def settle(reply: Reply) -> None:
        if not answered.done():
            answered.set_result(reply)

    def call() -> None:
        reply: Reply
        try:
            reply = post(errand.request, errand.timeout)
        except Exception as error:  # noqa: BLE001 - whatever the application raises
            reply = Failure(type(error).__name__)
        with suppress(RuntimeError):  # the network was stopped in the meantime
            loop.call_soon_threadsafe(settle, reply)

    threading.Thread(target=call, name="multigroup-post", daemon=True).start()
    return await answered
