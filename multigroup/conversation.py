"""`GroupConversation`: the same people, whatever the carrier."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from attrs import Factory, field, frozen

from ._drive import AsyncDriver, Driver, Timeouts, answering
from ._programs.carry import Means
from ._programs.checks import check_reference, compose, roster
from ._programs.keeping import history, shedding
from ._programs.send import Order, send
from .archive import Page, Retention, Said
from .breaker import Breakers
from .effects import Program
from .events import MessageReceived
from .journal import MemoryJournal
from .journal.owners import me
from .models import ConversationId, LineId, Media, Number, Receipt, conversation_id
from .providers.base import Line
from .routing import Fleet, Policy, shortlist

__all__ = ["AsyncGroupConversation", "GroupConversation", "Setup"]


@frozen(kw_only=True)
class Setup:
    """What a client was given, and every conversation of it goes by."""

    fleet: Fleet
    namespace: str = "default"
    policy: Policy = field(factory=Policy)
    timeouts: Timeouts = field(factory=Timeouts)
    callback: str | None = field(default=None, repr=False)
    strict_numbers: bool = False
    retention: Retention = field(factory=Retention)
    breakers: Breakers = field(
        default=Factory(
            lambda setup: Breakers(
                setup.policy.breaker_after,
                setup.policy.breaker_pause.total_seconds(),
            ),
            takes_self=True,
        )
    )

    def shedding(self, sending: Program[Receipt]) -> Program[Receipt]:
        """Return *sending* so that what was said goes once settled, if it is to."""
        return shedding(self.namespace, sending) if self.retention.sheds else sending

    def means(self, lines: tuple[Line, ...] | None = None) -> Means:
        """Return what a send on *lines*, or on all, is carried out with."""
        return Means(
            lines=self.fleet.lines if lines is None else lines,
            policy=self.policy,
            owner=me(),
            exchange=self.timeouts.total,
            callback=self.callback,
            breakers=self.breakers,
        )


class Conversation(ABC):
    """Who is in it, and a send as a program: all but the colour."""

    _setup: Setup
    _answering_line: LineId | None

    def _know(
        self, members: Iterable[str], setup: Setup, line: LineId | None = None
    ) -> None:
        self._setup = setup
        self._answering_line = line
        self._roster = roster(members, own=setup.fleet.own, strict=setup.strict_numbers)
        self._id = conversation_id(self._roster.members)

    @property
    def members(self) -> tuple[Number, ...]:
        """Return everyone in the group but us, in order of number."""
        return self._roster.members

    @property
    def id(self) -> ConversationId:
        """Return the identity of these people's conversation, on every carrier."""
        return self._id

    def __repr__(self) -> str:
        """Show the members' last digits."""
        return f"<{type(self).__name__} {', '.join(map(repr, self.members))}>"

    @abstractmethod
    def _ensure_open(self) -> None:
        """Check that the driver was not closed."""

    def _sending(
        self,
        text: str,
        *,
        media: Iterable[str | Media],
        subject: str | None,
        reference: str | None,
        via: Line | None,
        deadline: float | None,
    ) -> Program[Receipt]:
        self._ensure_open()
        check_reference(reference)
        message = compose(text, media, subject)
        setup = self._setup
        lines = setup.fleet.lines if via is None else (setup.fleet.check(via),)
        able = shortlist(lines, self.members, message)
        current = answering.get()
        if reference is None and current is not None:
            reference = current.reference()
        order = Order(
            namespace=setup.namespace,
            members=self.members,
            message=message,
            means=setup.means(able.lines),
            notes=(*self._roster.notes, *able.passed_over),
            reference=reference,
            answering=self._answering_line,
            via=None if via is None else via.id,
            deadline=deadline,
            conversation=self._id,
        )
        return setup.shedding(send(order))

    def _reading(
        self, before: str | None, limit: int
    ) -> Program[Page[Said | MessageReceived]]:
        return history(self._setup.namespace, self._id, before, limit)


class GroupConversation(Conversation):
    """People texting as one group, over whatever line serves.

    Every member sees every other member's number. Made by `Client.group`; made by
    itself it opens a client of its own at the first send and closes it with `close()`
    or at the end of a `with` block.

    Raises:
        InvalidNumberError: a member is no US or Canadian number, is named twice, or is
            one of our own numbers.
        InvalidMessageError: there is no member.
    """

    def __init__(
        self, members: Iterable[str], *, via: Line, strict_numbers: bool = False
    ) -> None:
        fleet = Fleet((via,))
        self._know(members, Setup(fleet=fleet, strict_numbers=strict_numbers))
        self._driver = Driver(MemoryJournal())
        self._owns_driver = True

    @classmethod
    def _of(
        cls, members: Iterable[str], setup: Setup, driver: Driver, line: LineId | None
    ) -> Self:
        group = cls.__new__(cls)
        group._know(members, setup, line)
        group._driver, group._owns_driver = driver, False
        return group

    def send(
        self,
        text: str = "",
        *,
        media: Iterable[str | Media] = (),
        subject: str | None = None,
        reference: str | None = None,
        via: Line | None = None,
        deadline: float | None = None,
    ) -> Receipt:
        """Say something to the whole group, once, and return what became of it.

        Args:
            text: what is said.
            media: public http(s) URLs, or media items of an event.
            subject: the MMS subject, on carriers that have one.
            reference: your own name for this send. Under the same reference the same
                message never texts anybody again, but gives the first outcome; only
                if nothing had left is it tried again. Without a reference, a send is
                safe to repeat only inside an event's handler.
            via: this line and no other.
            deadline: seconds to wait if the same send is under way elsewhere, or if a
                carrier that is throttling says for how long. If it is not given, the
                client's timeout is the limit, and a throttling carrier is waited for
                only to complete a group of which part is texted already.

        Raises:
            ConfigError: client or conversation is closed, or *via* not of this client.
            InvalidMessageError: no carrier could send this.
            UnsupportedError: none of the lines can carry it to this group.
            OptedOutError: a member asked us to stop.
            UncertainError: somebody was perhaps texted.
            PartialSendError: some members were texted, others not.
            RefusedError: a carrier refused; nobody was texted.
            NotSentError: nothing left; nobody was texted.
            ReferenceConflictError: *reference* names another message.
            SendInProgressError: the same send is still under way elsewhere.
            JournalError: the journal failed; nothing left.
        """
        return self._driver.run(
            self._sending(
                text,
                media=media,
                subject=subject,
                reference=reference,
                via=via,
                deadline=deadline,
            )
        )

    def history(
        self, *, before: str | None = None, limit: int = 50
    ) -> Page[Said | MessageReceived]:
        """Return what was said in this conversation, both ways, the newest first.

        Args:
            before: `next` of the page before; the newest entries if it is not given.
                No entry is passed over or shown twice when others come in meanwhile.
            limit: how many entries at most, up to 1000.

        Raises:
            ConfigError: *before* is no cursor, or *limit* out of range.
            JournalError: the journal failed.
        """
        return self._driver.run(self._reading(before, limit))

    def _ensure_open(self) -> None:
        self._driver.ensure_open()

    def close(self) -> None:
        """Close the connection if this conversation opened it."""
        if self._owns_driver:
            self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()


class AsyncGroupConversation(Conversation):
    """The same as `GroupConversation`, with `await`."""

    def __init__(
        self, members: Iterable[str], *, via: Line, strict_numbers: bool = False
    ) -> None:
        fleet = Fleet((via,))
        self._know(members, Setup(fleet=fleet, strict_numbers=strict_numbers))
        self._driver = AsyncDriver(MemoryJournal())
        self._owns_driver = True

    @classmethod
    def _of(
        cls,
        members: Iterable[str],
        setup: Setup,
        driver: AsyncDriver,
        line: LineId | None,
    ) -> Self:
        group = cls.__new__(cls)
        group._know(members, setup, line)
        group._driver, group._owns_driver = driver, False
        return group

    async def send(
        self,
        text: str = "",
        *,
        media: Iterable[str | Media] = (),
        subject: str | None = None,
        reference: str | None = None,
        via: Line | None = None,
        deadline: float | None = None,
    ) -> Receipt:
        """Say something to the whole group; see `GroupConversation.send`."""
        return await self._driver.run(
            self._sending(
                text,
                media=media,
                subject=subject,
                reference=reference,
                via=via,
                deadline=deadline,
            )
        )

    async def history(
        self, *, before: str | None = None, limit: int = 50
    ) -> Page[Said | MessageReceived]:
        """Return what was said, the newest first; see `GroupConversation.history`."""
        return await self._driver.run(self._reading(before, limit))

    def _ensure_open(self) -> None:
        self._driver.ensure_open()

    async def close(self) -> None:
        """Close the connection if this conversation opened it."""
        if self._owns_driver:
            await self._driver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self.close()
