"""`AsyncClient`: the same as `Client`, with `await`."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .._drive import AsyncDriver, Timeouts
from .._programs.due import Due
from .._programs.planning import Plan
from ..archive import Erased, Page, Retention, Thread
from ..conversation import AsyncGroupConversation
from ..errors import ConfigError
from ..events import MessageReceived
from ..journal import Journal, open_journal
from ..models import Message, Receipt
from ..providers.base import Line
from ..routing import Policy
from ..webhooks import Reception, Router
from ..wire import Request
from .base import BaseClient, make_setup, place

if TYPE_CHECKING:
    import httpx

__all__ = ["AsyncClient"]


class AsyncClient(BaseClient):
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
        retention: Retention | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._setup = make_setup(
            lines,
            namespace,
            policy,
            timeout,
            webhook_url,
            strict_numbers,
            retention=retention,
        )
        self._router = Router()
        if http is not None and not inspect.iscoroutinefunction(http.send):
            raise ConfigError("http= is a blocking client: use Client")
        self._journal = open_journal(journal)
        self._driver = AsyncDriver(
            self._journal,
            self._router,
            self._setup.timeouts,
            clock,
            http,
            sleep or asyncio.sleep,
        )

    def group(self, *members: str) -> AsyncGroupConversation:
        """Return the conversation of *members*; see `GroupConversation` for errors."""
        return AsyncGroupConversation._of(members, self._setup, self._driver, None)

    def conversation(self, event: MessageReceived) -> AsyncGroupConversation:
        """Return the conversation *event* belongs to; see `Client.conversation`."""
        members, line = place(event)
        return AsyncGroupConversation._of(members, self._setup, self._driver, line)

    async def receive(self, name: str, request: Request) -> Reception:
        """Take in a webhook of the account called *name*; see `Client.receive`."""
        return await self._driver.run(self._receiving(name, request))

    async def receipt(self, reference: str) -> Receipt | None:
        """Return what is known by now of the send under *reference*."""
        return await self._driver.run(self._recalling(reference))

    async def retry(
        self, reference: str, *, unknown: bool = False, via: Line | None = None
    ) -> Receipt:
        """Send again to those who surely got nothing; see `Client.retry`."""
        retrying = self._retrying(reference, unknown=unknown, via=via)
        return await self._driver.run(retrying)

    async def resume(self) -> tuple[Receipt, ...]:
        """Go on with the sends whose process died; see `Client.resume`."""
        return await self._driver.run(self._resuming())

    async def run_due(self) -> Due:
        """Do all that has fallen due; see `Client.run_due`."""
        return await self._driver.run(self._catching_up())

    async def conversations(
        self, *, before: str | None = None, limit: int = 50
    ) -> Page[Thread]:
        """Return the conversations there are; see `Client.conversations`."""
        return await self._driver.run(self._listing(before, limit))

    async def prune(self) -> Erased:
        """Erase what is older than `retention` keeps; see `Client.prune`."""
        return await self._driver.run(self._pruning())

    async def forget(self, number: str) -> Erased:
        """Erase every send and event that somebody is in; see `Client.forget`."""
        return await self._driver.run(self._forgetting(number))

    async def plan(self, group: AsyncGroupConversation, message: str | Message) -> Plan:
        """Return which lines a send would try and why; nothing is sent."""
        return await self._driver.run(self._planning(group, message))

    async def explain(self, reference: str) -> str:
        """Return in words what became of a send; see `Client.explain`."""
        return await self._driver.run(self._explaining(reference))

    @property
    def _base_driver(self) -> AsyncDriver:
        return self._driver

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
