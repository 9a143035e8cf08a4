"""`Client`: lines, a journal, webhooks and conversations in one."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .._drive import Driver, Timeouts
from .._programs.due import Due
from .._programs.planning import Plan
from ..archive import Erased, Page, Retention, Thread
from ..conversation import GroupConversation
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

__all__ = ["Client"]


class Client(BaseClient):
    """Texts groups over several lines and takes their carriers' webhooks in.

    One client is meant to live as long as the application and may be used from several
    threads; it keeps one HTTP client and its connections.

    Args:
        lines: our own numbers, the preferred one first.
        journal: where sends and events are kept: `"memory:"`, `"sqlite:///path"`, or a
            `Journal`.
        namespace: keeps the references and events of several applications on one
            journal apart.
        policy: how lines are chosen.
        timeout: longest exchange with a carrier, in seconds, or `Timeouts`.
        http: a client with httpx's interface to use instead of an own one; it is not
            closed.
        webhook_url: public address of the webhook endpoint, without the account's
            name; carriers are told to call it back with a token of ours, by which a
            lost reply is found again.
        strict_numbers: refuse numbers in ranges unknown to `phonenumbers`.
        retention: how long sends and events are kept; 90 days if it is not given.
        clock, sleep: give the time in Unix seconds and wait for seconds; for tests in
            virtual time.

    Raises:
        ConfigError: the settings contradict each other.
    """

    _awaits = False

    def __init__(
        self,
        *,
        lines: Iterable[Line],
        journal: str | Journal = "memory:",
        namespace: str = "default",
        policy: Policy | None = None,
        timeout: float | Timeouts | None = None,
        http: httpx.Client | None = None,
        webhook_url: str | None = None,
        strict_numbers: bool = False,
        retention: Retention | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] | None = None,
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
        if http is not None and inspect.iscoroutinefunction(http.send):
            raise ConfigError("http= is an async client: use AsyncClient")
        self._journal = open_journal(journal)
        self._driver = Driver(
            self._journal,
            self._router,
            self._setup.timeouts,
            clock,
            http,
            sleep or time.sleep,
        )

    def group(self, *members: str) -> GroupConversation:
        """Return the conversation of *members*; see `GroupConversation` for errors."""
        return GroupConversation._of(members, self._setup, self._driver, None)

    def conversation(self, event: MessageReceived) -> GroupConversation:
        """Return the conversation *event* belongs to, to answer on its line.

        Raises:
            ConfigError: the carrier left the members out.
        """
        members, line = place(event)
        return GroupConversation._of(members, self._setup, self._driver, line)

    def receive(self, name: str, request: Request) -> Reception:
        """Take in a webhook of the account called *name*.

        Verifies, reads, stores, then runs the handlers of each event that is new.
        A handler's exception is in the reception, not raised.

        Raises:
            SignatureError: the webhook is not proven to be the carrier's; answer with
                the error's `status`.
            ConfigError: no account has that name, or it has no key to verify with.
            JournalError: the events could not be stored; answer 503.
        """
        return self._driver.run(self._receiving(name, request))

    def receipt(self, reference: str) -> Receipt | None:
        """Return what is known by now of the send under *reference*."""
        return self._driver.run(self._recalling(reference))

    def retry(
        self, reference: str, *, unknown: bool = False, via: Line | None = None
    ) -> Receipt:
        """Send again to those of a send who surely got nothing.

        Those who were texted are left alone, and so are those who were perhaps texted,
        unless *unknown* says to risk a second copy. A send that carriers took and then
        lost (`SendFailed.movable`) goes to everybody on another line, or on *via*.

        Raises:
            ConfigError: no send has that *reference*.
            SendInProgressError: it is under way.
            UnsupportedError: that line cannot complete this group.
            OptedOutError: a member asked us to stop.
            SendError: still not everybody was certainly texted.
            JournalError: the journal failed; nothing left.
        """
        return self._driver.run(self._retrying(reference, unknown=unknown, via=via))

    def resume(self) -> tuple[Receipt, ...]:
        """Go on with the sends whose process died, and return what became of each.

        What had left without an answer stays `Unknown`; what had not left is sent if
        it is not older than the policy's `expires_after` and nobody opted out.

        Raises:
            JournalError: the journal failed.
        """
        return self._driver.run(self._resuming())

    def run_due(self) -> Due:
        """Do all that has fallen due: resume sends, handle events, ask carriers.

        `WebhookApp` and `multigroup worker` call it every 15 seconds. At most once an
        hour it also does what `prune` does.

        Raises:
            JournalError: the journal failed.
        """
        return self._driver.run(self._catching_up())

    def conversations(
        self, *, before: str | None = None, limit: int = 50
    ) -> Page[Thread]:
        """Return the conversations there are, the last active first.

        Args:
            before: `next` of the page before; the first page if it is not given. One
                that becomes active meanwhile moves to the first page.
            limit: how many at most, up to 1000.

        Raises:
            ConfigError: *before* is no cursor, or *limit* out of range.
            JournalError: the journal failed.
        """
        return self._driver.run(self._listing(before, limit))

    def prune(self) -> Erased:
        """Erase what is older than `retention` keeps; return how much it was.

        The references of the sends erased are free again. Sends under way, events not
        handled yet and consent stay, whatever their age, and for a day the keys of
        events, which carriers may deliver again.

        Raises:
            JournalError: the journal failed; what was erased before stays erased.
        """
        return self._driver.run(self._pruning())

    def forget(self, number: str) -> Erased:
        """Erase every send and event that somebody is in, on all lines.

        Text, media, numbers and the conversation's id go, of the whole group's sends
        and events. An opt-out stays, as a keyed digest in a durable journal, so that
        whoever said STOP is not texted again. References stay taken, unless they hold
        the number; a webhook delivered again is still known.

        On SQLite the file is written anew, so that nothing is left in it: that takes
        as long as its size asks for, and other writers wait.

        Raises:
            InvalidNumberError: it is one of our own lines, or no number.
            JournalError: the journal failed; call it again.
        """
        return self._driver.run(self._forgetting(number))

    def plan(self, group: GroupConversation, message: str | Message) -> Plan:
        """Return which lines a send of *message* would try and why; nothing is sent."""
        return self._driver.run(self._planning(group, message))

    def explain(self, reference: str) -> str:
        """Return in words what was tried, when, what is known and why no more was done.

        Numbers are masked and the text is left out.
        """
        return self._driver.run(self._explaining(reference))

    @property
    def _base_driver(self) -> Driver:
        return self._driver

    def close(self) -> None:
        """Close connections and journal."""
        self._driver.close()
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()
