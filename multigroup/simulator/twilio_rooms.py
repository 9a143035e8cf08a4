"""Conversations: who is in them, what was said, and which sets are taken.

Sources: Group Texting, Conversation with Participants, States and Timers in
Conversations (classic), and the pages of the errors named, read 2026-11-27.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from random import Random
from typing import Literal, TypeAlias

from attrs import define, field, frozen

from .. import phone
from ..wire import Json
from .handset import Bubble
from .twilio_errors import TwilioError
from .twilio_forms import Wanted

__all__ = [
    "Conversation",
    "Hook",
    "Message",
    "Participant",
    "Receipt",
    "Rooms",
    "State",
    "Terms",
    "new_sid",
]

State: TypeAlias = Literal["initializing", "active", "inactive", "closed"]

_MOST = 10  # group texting page: "10 total participants", ours among them
_GROUP = 3  # the same page: two addresses are an SMS, three or more a group MMS


def new_sid(prefix: str, random: Random) -> str:
    """Return an id as Twilio makes them: two letters and 32 hexadecimal digits."""
    return f"{prefix}{random.getrandbits(128):032x}"


@define(eq=False)
class Participant:
    """One in a conversation."""

    sid: str
    wanted: Wanted
    at: datetime
    updated: datetime


@define(eq=False)
class Receipt:
    """How one participant's copy of a message stands; no status while inside Twilio."""

    sid: str
    channel_sid: str
    participant_sid: str
    at: datetime
    updated: datetime
    status: str | None = None
    error: int | None = None
    doom: tuple[str, int] | None = None


@define(eq=False)
class Message:
    """One message of a conversation."""

    sid: str
    index: int
    author: str
    participant_sid: str | None
    body: str | None = field(repr=False)
    media: tuple[dict[str, Json], ...] = field(repr=False)
    subject: str | None = field(repr=False)
    attributes: str = field(repr=False)
    source: Literal["API", "SMS"]
    at: datetime
    bubble: Bubble | None = field(default=None, repr=False)
    receipts: dict[str, Receipt] = field(factory=dict[str, Receipt])


@frozen
class Hook:
    """A webhook of one conversation."""

    sid: str
    url: str = field(repr=False)
    method: str
    filters: frozenset[str]
    at: datetime


@define(eq=False)
class Conversation:
    """A conversation; with our number projected into it, a rail to a group."""

    sid: str
    unique_name: str | None
    friendly_name: str | None
    messaging_service_sid: str
    attributes: str
    state: State
    at: datetime
    updated: datetime
    touched: float
    timers: dict[str, float] = field(factory=dict[str, float])
    participants: dict[str, Participant] = field(factory=dict[str, Participant])
    messages: list[Message] = field(factory=list[Message])
    hooks: dict[str, Hook] = field(factory=dict[str, Hook])

    @property
    def members(self) -> frozenset[str]:
        """Return the phones in the group."""
        every = (one.wanted for one in self.participants.values())
        return frozenset(w.address for w in every if w.address and not w.proxy)

    @property
    def ours(self) -> frozenset[str]:
        """Return our numbers that are projected into it."""
        every = (one.wanted.projected for one in self.participants.values())
        return frozenset(number for number in every if number)

    @property
    def key(self) -> frozenset[str] | None:
        """Return the set that no other open conversation may have, if it is one."""
        return self.members | self.ours if self.members and self.ours else None

    def known(self, address: str) -> Participant | None:
        """Return the participant at the phone *address*."""
        every = self.participants.values()
        return next((one for one in every if one.wanted.address == address), None)

    def speaker(self, author: str) -> Participant | None:
        """Return the participant with our number for whom *author* stands.

        Author is the projected number, or the identity of who has one (50513).
        """
        for one in self.participants.values():
            if one.wanted.projected and author in (
                one.wanted.projected,
                one.wanted.identity,
            ):
                return one
        return None


@frozen
class Terms:
    """What adding a participant depends on beside the conversation."""

    long_codes: frozenset[str]
    numbers: frozenset[str]
    enabled: bool
    stepwise: bool
    exists_status: int


class Rooms:
    """All conversations of one account."""

    def __init__(self, random: Random) -> None:
        self.every: dict[str, Conversation] = {}
        self._random = random

    def named(self, name: str) -> Conversation:
        """Return the conversation with the sid or unique name *name*.

        Raises:
            TwilioError: there is none.
        """
        for one in self.every.values():
            if name in (one.sid, one.unique_name):
                return one
        words = f"The requested resource /Conversations/{name} was not found"
        raise TwilioError(20404, words)

    def open(self) -> Iterable[Conversation]:
        """Return the conversations that are not closed, the newest first."""
        return (one for one in reversed(self.every.values()) if one.state != "closed")

    def of(self, key: frozenset[str]) -> Conversation | None:
        """Return the open conversation of the set *key*."""
        return next((one for one in self.open() if one.key == key), None)

    def add(
        self, room: Conversation, want: Wanted, terms: Terms, at: datetime
    ) -> Participant:
        """Add a participant to *room*.

        Raises:
            TwilioError: the participant is refused, or the set is taken.
        """
        _valid(want, terms)
        _new(room, want)
        one = Participant(new_sid("MB", self._random), want, at, at)
        room.participants[one.sid] = one
        try:
            if terms.stepwise:
                self.settle(room, terms)
        except TwilioError:
            del room.participants[one.sid]
            raise
        return one

    def settle(self, room: Conversation, terms: Terms) -> None:
        """Check that *room*'s set is free and that the account may have it.

        Raises:
            TwilioError: it is not.
        """
        key = room.key
        if key is None:
            return
        taken = next((o for o in self.open() if o.key == key and o is not room), None)
        if taken is not None and len(key) < _GROUP:
            raise TwilioError(50416, status=terms.exists_status)
        if taken is not None:  # the sid stands in the message and nowhere else
            words = (
                "Group MMS with given participant list already exists "
                f"as Conversation {taken.sid}"
            )
            raise TwilioError(50438, words, status=terms.exists_status)
        if len(key) >= _GROUP and not terms.enabled:
            raise TwilioError(50452)

    def activatable(self, room: Conversation) -> None:
        """Check that *room* is a group, or no group at all.

        Raises:
            TwilioError: activation would fail.
        """
        proxied = any(one.wanted.proxy for one in room.participants.values())
        if not proxied and (room.key is None or len(room.key) < _GROUP):
            raise TwilioError(50435)


def _valid(want: Wanted, terms: Terms) -> None:
    if want.address is None and want.projected is None and want.identity is None:
        raise TwilioError(20001, "Identity or MessagingBinding is required")
    if want.address and want.projected:  # reads like a bad number, by the error page
        raise TwilioError(50407)
    if want.proxy and (not want.address or want.proxy not in terms.numbers):
        raise TwilioError(50407)
    if want.projected and want.projected not in terms.long_codes:
        raise TwilioError(50407)
    if want.address and (want.address in terms.numbers or not _served(want.address)):
        raise TwilioError(50407)


def _new(room: Conversation, want: Wanted) -> None:
    others: list[Mapping[str, str | None]] = [
        _names(one.wanted) for one in room.participants.values()
    ]
    for name, value in _names(want).items():
        if value and any(other[name] == value for other in others):
            raise TwilioError(50416)
    bare = [want, *(one.wanted for one in room.participants.values())]
    grouped = any(w.address and not w.proxy for w in bare)
    if grouped and any(not w.address and not w.projected for w in bare):
        raise TwilioError(50434)
    if len(room.participants) >= _MOST:
        raise TwilioError(50436)


def _names(want: Wanted) -> Mapping[str, str | None]:
    return {
        "identity": want.identity,
        "address": want.address,
        "projected": want.projected,
    }


def _served(number: str) -> bool:
    try:
        return phone.parse(number).number == number
    except ValueError:
        return False
