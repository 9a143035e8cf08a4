"""What every carrier's adapter is: capabilities, legs as data, replies read by tables.

An adapter does no I/O. It says which bytes make a group's handsets ring, what a reply
proves, and what a webhook means; everything that happens in between is ours.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum, unique
from http import HTTPStatus
from typing import ClassVar, Final, Literal, TypeAlias, assert_never
from urllib.parse import urlsplit

from attrs import field, frozen

from ..effects import Program
from ..errors import ConfigError
from ..events import Event
from ..models import (
    Leg,
    LineId,
    Message,
    NotSent,
    Number,
    Outcome,
    Reason,
    Refused,
    Scope,
    SendId,
    Unknown,
)
from ..phone import parse
from ..wire import Failure, Reply, Request, Response

__all__ = [
    "LOOK_UP",
    "Capabilities",
    "Draft",
    "Line",
    "LineKind",
    "Provider",
    "Rail",
    "Ruling",
    "WebhookAuth",
    "bare_url",
    "outcome",
    "rulings",
    "wait",
]


LOOK_UP: Final = 2.0
"""Seconds that a look-up may take while a webhook waits: carriers allow from 5 s."""

_SHORT_CODE: Final = re.compile("[0-9]{5,6}")
_TOLL_FREE: Final = re.compile(r"\+18(?:00|33|44|55|66|77|88)")
_WAIT: Final = re.compile("[0-9]{1,6}")  # seconds; a longer number is a date in ms


@unique
class LineKind(StrEnum):
    """What sort of number a line is; carriers allow groups from some only."""

    LONG_CODE = "long_code"
    TOLL_FREE = "toll_free"
    SHORT_CODE = "short_code"


@frozen
class WebhookAuth:
    """What a carrier's webhook signature makes possible."""

    binds_body: bool
    has_freshness: bool


@frozen(kw_only=True)
class Capabilities:
    """What a carrier can say faithfully, with the sources and their date.

    Limits of `None` are not documented: the carrier decides. *group_from* lists the
    kinds of line that may text a group.
    """

    max_members: int
    max_media: int | None
    max_text: int | None
    subject: bool
    group_from: frozenset[LineKind]
    legs_per: Literal["send", "member"]
    webhook_auth: WebhookAuth
    idempotency: str
    receipts: str
    roster_on_inbound: bool
    sources: tuple[str, ...]
    as_of: str


@frozen
class Ruling:
    """What a carrier's error code means: why, and what it condemns."""

    reason: Reason
    scope: Scope


@frozen(eq=False)
class Line:
    """One of our own numbers at one carrier account, ready to be given to a client.

    *rate* is how many copies (one per member) it may send per second, over all
    processes on one journal; `None` leaves it to the carrier.
    """

    provider: Provider
    number: Number
    kind: LineKind
    rate: float | None = None

    @property
    def id(self) -> LineId:
        """Return the line's name: account and number."""
        return LineId(self.provider.name, self.number)

    def __repr__(self) -> str:
        """Show account, masked number and kind."""
        return f"<Line {self.id} {self.kind}>"


@frozen
class Draft:
    """A message on its way to becoming legs on *line*.

    *first* is the number of the first leg, so that leg keys never repeat in a send.
    *callback* is where this account's webhooks go, if the client has a public address.
    *namespace* is the send's in the journal, for what is noted there of a rail.
    """

    send: SendId
    line: Line
    members: tuple[Number, ...]
    message: Message
    first: int = 0
    callback: str | None = field(default=None, repr=False)
    namespace: str = "default"

    def key(self, index: int) -> str:
        """Return the key of the *index*-th leg."""
        return f"{self.send}.{self.first + index}"


@frozen
class Rail:
    """What had to be set up before the legs could be written: mostly nothing."""


Flow: TypeAlias = Program[Rail | NotSent | Refused]


class Provider(ABC):
    """One account at one carrier."""

    carrier: ClassVar[str]
    capabilities: Capabilities
    name: str
    base_url: str

    def line(
        self,
        number: str,
        *,
        kind: LineKind | str | None = None,
        rate: float | None = None,
    ) -> Line:
        """Return one of our own numbers at this account.

        *kind* is read from the number when it is not given: up to six digits are a
        short code, 8xx area codes are toll-free, the rest are long codes. *rate* is
        how many copies per second it may send, one copy per member.

        Raises:
            InvalidNumberError: *number* is neither a +1 number nor a short code.
            ConfigError: *kind* is not a kind of line, or *rate* not above 0.
        """
        if rate is not None and not 0 < rate < math.inf:
            raise ConfigError(f"rate={rate}: give copies per second, more than 0")
        short = _SHORT_CODE.fullmatch(number)
        own = Number(number) if short else parse(number).number
        if kind is None:
            return Line(self, own, _kind_of(own), rate)
        try:
            return Line(self, own, LineKind(kind), rate)
        except ValueError:
            known = ", ".join(LineKind)
            raise ConfigError(f"kind={kind!r} is not one of {known}") from None

    def unsupported(
        self, line: Line, members: Sequence[Number], message: Message
    ) -> str | None:
        """Return why *line* cannot carry *message* faithfully, or `None` if it can."""
        can = self.capabilities
        if len(members) > can.max_members:
            return (
                f"{self.name} carries groups of up to {can.max_members} members, "
                f"this one has {len(members)}: use another line or a smaller group"
            )
        if len(members) > 1 and line.kind not in can.group_from:
            return f"{self.name} cannot text a group from a {line.kind} number"
        if message.subject and not can.subject:
            return f"{self.name} has no MMS subject: leave the subject out"
        if can.max_media is not None and len(message.media) > can.max_media:
            return (
                f"{self.name} carries up to {can.max_media} media, "
                f"this message has {len(message.media)}"
            )
        if can.max_text is not None and len(message.text) > can.max_text:
            return (
                f"{self.name} carries up to {can.max_text} characters of text, "
                f"this message has {len(message.text)}"
            )
        return None

    def prepare(self, draft: Draft) -> Flow:
        """Set up what *draft* needs; rings no phone and may be repeated.

        What was noted of an earlier time may be trusted for the first leg of a send
        only: a later one may be there because it was stale.
        """
        del draft
        yield from ()
        return Rail()

    @abstractmethod
    def legs(self, draft: Draft, rail: Rail) -> tuple[Leg, ...]:
        """Return the requests that make the handsets ring, without credentials."""

    @abstractmethod
    def authorize(self, request: Request, now: float) -> Request:
        """Return *request* with credentials, as it leaves at *now* (Unix seconds)."""

    @abstractmethod
    def read(self, leg: Leg, response: Response) -> Outcome:
        """Return what a 2xx or 4xx *response* proves of *leg*."""

    def repeatable(self, leg: Leg) -> bool:
        """Tell whether sending *leg* again, byte for byte, rings no phone twice."""
        del leg
        return False

    def reread(self, leg: Leg, response: Response) -> Outcome:
        """Return what *response* to a leg sent again under its key proves."""
        return self.read(leg, response)

    def inquire(
        self, leg: Leg, *, own: frozenset[str], now: float
    ) -> Program[tuple[Event, ...]]:
        """Ask the carrier for its webhooks of *leg*; most cannot be asked.

        What it tells counts as if it had been delivered. An empty answer proves
        nothing.
        """
        del leg, own, now
        yield from ()
        return ()

    def completed(
        self, event: Event, *, own: frozenset[str], now: float
    ) -> Program[Event]:
        """Return *event* with what its webhook left out, if the carrier can be asked.

        Such as who is in the group. The carrier waits for us meanwhile, so it is asked
        for `LOOK_UP` seconds at most; what it does not tell stays `None`.
        """
        del own, now
        yield from ()
        return event

    @abstractmethod
    def verify(self, request: Request, now: float) -> None:
        """Check that a webhook is this carrier's, unaltered and fresh.

        Raises:
            SignatureError: it is not proven to be.
            ConfigError: the account has no key to verify with.
        """

    @abstractmethod
    def parse(
        self, body: bytes, *, own: frozenset[str], received_at: datetime
    ) -> Sequence[Event]:
        """Return what a webhook's *body* tells; *own* are our own numbers.

        Two events of one type in one body have two ids, the same at every delivery.

        Raises:
            PayloadError: *body* is not what this carrier sends at all.
        """


def outcome(
    provider: Provider, leg: Leg, reply: Reply, *, again: bool = False
) -> Outcome:
    """Return what is known of *leg* after *reply*.

    The rule for every carrier: only a failure before the first byte, a 429 or a
    refusal proves that nothing was sent, only the carrier's own id proves acceptance,
    and all else is `Unknown`.
    """
    match reply:
        case Failure(kind=kind, unsent=True):
            return NotSent(f"could not reach {provider.name} ({kind})")
        case Failure(kind=kind):
            return Unknown(f"the connection ended without an answer ({kind})")
        case Response(status=429):
            return NotSent(f"{provider.name} is throttling (HTTP 429)", wait(reply))
        case Response(status=status) if _says_something(status):
            read = provider.reread if again else provider.read
            return read(leg, reply)
        case Response(status=status):
            return Unknown(f"{provider.name} answered HTTP {status}")
        case _:
            assert_never(reply)


def bare_url(url: str) -> str:
    """Return a base URL without the slash some end it with.

    Raises:
        ConfigError: it is no http or https address, or carries a password.
    """
    if not _sound(url):
        raise ConfigError(
            "base_url must be http(s)://host[:port][/path], without user or query"
        )
    return url.rstrip("/")


def _sound(url: str) -> bool:
    try:
        parts = urlsplit(url)
        reachable = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port beyond 65535, a broken IPv6 address
        return False
    extras = (parts.username, parts.query, parts.fragment)
    return parts.scheme in {"http", "https"} and reachable and not any(extras)


def rulings(*rows: tuple[Reason, Scope, str]) -> Mapping[str, Ruling]:
    """Return a table of code → ruling from rows of reason, scope and codes."""
    return {
        code: Ruling(reason, scope)
        for reason, scope, codes in rows
        for code in codes.split()
    }


def _says_something(status: int) -> bool:
    """Tell whether *status* is the carrier's word: 2xx, or 4xx but a timeout."""
    return status // 100 in (2, 4) and status != HTTPStatus.REQUEST_TIMEOUT


def wait(response: Response) -> float:
    """Return for how many seconds a throttling carrier asks us to wait; 0 if unsaid."""
    for name in ("retry-after", "x-ratelimit-reset"):
        value = response.headers.get(name) or ""
        if _WAIT.fullmatch(value):
            return float(value)
    return 0.0


def _kind_of(number: str) -> LineKind:
    if _SHORT_CODE.fullmatch(number):
        return LineKind.SHORT_CODE
    return LineKind.TOLL_FREE if _TOLL_FREE.match(number) else LineKind.LONG_CODE
