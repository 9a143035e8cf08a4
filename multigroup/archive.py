"""What was said, read back in pages; and how long it is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, Literal, NamedTuple, Self, TypeAlias, TypeVar

from attrs import field, frozen

from .errors import ConfigError
from .models import ConversationId, LineId, Media, Message, Number, Receipt

__all__ = [
    "RETRIES",
    "Cut",
    "Erased",
    "Mark",
    "Page",
    "Place",
    "Retention",
    "Said",
    "Swept",
    "Thread",
    "ThreadMark",
]

T = TypeVar("T")

RETRIES: Final = timedelta(hours=24)
"""How long a carrier may deliver a webhook again: Vonage retries for 24 hours
(developer.vonage.com, "Webhooks", read 2026-11-21), Telnyx gives up within minutes.
A claim that is forgotten sooner would have an event handled twice."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)


@frozen
class Said:
    """A message of ours in a conversation, and what is known by now of the send.

    *at* is when the send began.
    """

    receipt: Receipt
    message: Message
    at: datetime

    @property
    def text(self) -> str:
        """Return what was said; empty if it was erased or there was media only."""
        return self.message.text

    @property
    def subject(self) -> str | None:
        """Return the MMS subject."""
        return self.message.subject

    @property
    def media(self) -> tuple[Media, ...]:
        """Return the media that went with it."""
        return self.message.media


@frozen
class Thread:
    """A conversation in short: who is in it, and where and when it was last active.

    *line* is the line of the last activity in either direction. *members* is everyone
    but us.
    """

    conversation: ConversationId
    members: frozenset[Number]
    line: LineId
    active_at: datetime


@frozen
class Page(Generic[T]):
    """Some *items*, the newest first.

    *next* is the cursor of the page of older ones, to be given as `before=`; `None` on
    the last page. It may be kept for long and means nothing to anybody else.
    """

    items: tuple[T, ...]
    next: str | None = None

    def __iter__(self) -> Iterator[T]:
        """Iterate over the items."""
        return iter(self.items)

    def __len__(self) -> int:
        """Return how many items are on this page."""
        return len(self.items)


class Mark(NamedTuple):
    """The place of one entry of a conversation, in the order of time.

    *rank* is 0 for a send, 1 for a message: at one moment the messages come later. *n*
    is the order in which the journal got them.
    """

    at: datetime
    rank: int
    n: int

    def __str__(self) -> str:
        """Return the cursor that `read` takes."""
        return f"{(self.at - _EPOCH) // _TICK:x}.{self.rank}.{self.n:x}"

    @classmethod
    def read(cls, cursor: str | None) -> Self | None:
        """Return the mark of a cursor.

        Raises:
            ConfigError: no page gave this cursor.
        """
        if cursor is None:
            return None
        at, rank, n = _parts(r"(-?[0-9a-f]{1,15})\.([01])\.([0-9a-f]{1,15})", cursor)
        return cls(_moment(at), int(rank), int(n, 16))


class ThreadMark(NamedTuple):
    """The place of one conversation among all."""

    at: datetime
    conversation: ConversationId

    def __str__(self) -> str:
        """Return the cursor that `read` takes."""
        return f"{(self.at - _EPOCH) // _TICK:x}.{self.conversation}"

    @classmethod
    def read(cls, cursor: str | None) -> Self | None:
        """Return the mark of a cursor.

        Raises:
            ConfigError: no page gave this cursor.
        """
        if cursor is None:
            return None
        at, conversation = _parts(r"(-?[0-9a-f]{1,15})\.(c1_[a-z2-7]{26})", cursor)
        return cls(_moment(at), ConversationId(conversation))


def _parts(form: str, cursor: str) -> tuple[str, ...]:
    found = re.fullmatch(form, cursor)
    if found is None:
        raise ConfigError("before= is no cursor of such a page: give its `next`")
    return found.groups()


def _moment(ticks: str) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=int(ticks, 16))
    except OverflowError:
        raise ConfigError("before= is no cursor of such a page") from None


def _days(_retention: object, _attribute: object, days: float) -> None:
    if not days > 0:
        raise ConfigError(f"Retention(days={days!r}): give a number above 0")


def _kept_or_settled(_retention: object, _attribute: object, text: str) -> None:
    if text not in ("kept", "settled"):
        raise ConfigError(f"Retention(text={text!r}): give 'kept' or 'settled'")


@frozen(kw_only=True)
class Retention:
    """How long sends and events are kept: *days*, from when they began or came.

    With `text="settled"` what was said goes sooner: text, subject and media of a send
    as soon as nothing more is to be expected of it, those of a received message as
    soon as its handlers are done. `days=float("inf")` keeps everything.

    Raises:
        ConfigError: *days* is not above 0, or *text* another word.
    """

    days: float = field(default=90.0, validator=_days)
    text: Literal["kept", "settled"] = field(default="kept", validator=_kept_or_settled)

    @property
    def sheds(self) -> bool:
        """Tell whether what was said is erased once it is settled."""
        return self.text == "settled"

    def cut(self, now: datetime) -> Cut | None:
        """Return what is too old at *now*; `None` if nothing ever is."""
        try:
            before = now - timedelta(days=self.days)
        except OverflowError:
            return None
        return Cut(before, min(before, now - RETRIES))


class Cut(NamedTuple):
    """Sends and events from before *before* go, claims from before *claims*."""

    before: datetime
    claims: datetime


Place: TypeAlias = tuple[int, int]


class Swept(NamedTuple):
    """What one batch of a prune erased, and from which places the next goes on.

    *place* is `None` when nothing is left to look at.
    """

    sends: int
    events: int
    place: Place | None


@frozen
class Erased:
    """How many sends and events were erased."""

    sends: int = 0
    events: int = 0
