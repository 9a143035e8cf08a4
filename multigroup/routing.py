"""Which line next: pure decisions over lines, members and what happened so far."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from attrs import Attribute, field, frozen

from .errors import ConfigError, UnsupportedError, is_a
from .models import (
    Accepted,
    LineId,
    Message,
    NotSent,
    Number,
    Outcome,
    Refused,
    Scope,
    Unknown,
)
from .providers.base import Line, Provider

__all__ = ["Fleet", "Policy", "Shortlist", "arrange", "may_move", "shortlist"]

_NAME: Final = re.compile(r"[\w-]+", re.ASCII)
_ANOTHER_LINE_HELPS: Final = frozenset({Scope.LINE, Scope.ACCOUNT})


def _one_of(*words: str) -> Callable[[object, Attribute[Any], Any], None]:
    def check(_policy: object, attribute: Attribute[Any], value: object) -> None:
        if value not in words:
            known = " or ".join(map(repr, words))
            raise ConfigError(f"{attribute.name}={value!r}: give {known}")

    return check


@frozen(kw_only=True)
class Policy:
    """How lines are chosen, and what may be done when something goes wrong.

    Args:
        order: the lines to try first, in this order; the client's own order follows.
        sticky: a conversation stays on the line of its last activity until it was
            quiet for this long: another line is another thread on every phone.
        failover: whether a send may leave the line it was given when surely nothing
            left on it.
        late_failover: whether a send that carriers took and then lost altogether is
            sent again on another line by itself (`SendFailed.movable`).
        move_note: put before the text when a conversation leaves its line, so that
            the group knows who writes from the new number.
        fan_out: `"all"` texts everybody at once; `"canary"` one member first and the
            others at once when that was accepted, where a carrier takes one request
            per member.
        on_opt_out: `"refuse"` raises `OptedOutError` for a group with a member who
            asked us to stop; `"drop"` texts the others, as the smaller conversation
            they then are.
        expires_after: a send found unfinished after this time is not sent any more.
        replay: ask a carrier again under the same idempotency key when its answer was
            lost (Telnyx; documented, not proven live).
        breaker_after: failures in a row after which a line is left alone.
        breaker_pause: for how long.
    """

    order: tuple[Line, ...] = field(default=(), converter=tuple[Line, ...])
    sticky: timedelta = timedelta(days=7)
    failover: bool = True
    late_failover: bool = False
    move_note: str | None = field(default=None, repr=False)
    fan_out: Literal["all", "canary"] = field(
        default="all", validator=_one_of("all", "canary")
    )
    on_opt_out: Literal["refuse", "drop"] = field(
        default="refuse", validator=_one_of("refuse", "drop")
    )
    expires_after: timedelta = timedelta(hours=1)
    replay: bool = False
    breaker_after: int = 5
    breaker_pause: timedelta = timedelta(seconds=30)


def _checked(given: Iterable[Line]) -> tuple[Line, ...]:
    lines = (given,) if isinstance(given, Line) else tuple(given)
    if not all(is_a(line, Line) for line in lines):
        raise ConfigError("lines= takes lines, such as telnyx.line('+12125550100')")
    if not lines:
        raise ConfigError("lines= is empty: give at least one, as telnyx.line('+1…')")
    accounts: dict[str, Provider] = {}
    for line in lines:
        if not _NAME.fullmatch(line.provider.name):
            raise ConfigError(
                f"name={line.provider.name!r} cannot stand in a webhook's path: "
                "use letters, digits, '_' and '-'"
            )
        known = accounts.setdefault(line.provider.name, line.provider)
        if known is not line.provider:
            raise ConfigError(
                f"two accounts are named {line.provider.name!r}: "
                "give one of them another name="
            )
    if len({line.id for line in lines}) < len(lines):
        raise ConfigError("one line is given twice")
    return lines


@frozen
class Fleet:
    """All lines of a client, in order of preference.

    Raises:
        ConfigError: there is none, one is given twice, or two accounts share a name.
    """

    lines: tuple[Line, ...] = field(converter=_checked)

    @property
    def own(self) -> frozenset[str]:
        """Return our own numbers."""
        return frozenset(line.number for line in self.lines)

    def account(self, name: str) -> Provider:
        """Return the carrier account called *name*.

        Raises:
            ConfigError: no line belongs to such an account.
        """
        accounts = {line.provider.name: line.provider for line in self.lines}
        if name not in accounts:
            known = ", ".join(sorted(accounts))
            raise ConfigError(f"no account is named {name!r}; there is {known}")
        return accounts[name]

    def check(self, line: Line) -> Line:
        """Return *line* if it is one of ours.

        Raises:
            ConfigError: it is not, so its webhooks would never be understood.
        """
        if not is_a(line, Line):
            raise ConfigError("via= takes a line, such as telnyx.line('+12125550100')")
        if all(line.id != known.id for known in self.lines):
            known = ", ".join(str(known.id) for known in self.lines)
            raise ConfigError(f"{line.id} is not a line of this client; it has {known}")
        return line


@frozen
class Shortlist:
    """The lines that can carry a message, and why the others cannot."""

    lines: tuple[Line, ...]
    passed_over: tuple[str, ...] = ()


def shortlist(
    lines: Sequence[Line], members: Sequence[Number], message: Message
) -> Shortlist:
    """Return which of *lines* can carry *message* to *members* faithfully.

    Raises:
        UnsupportedError: none can; the message says why for each.
    """
    verdicts = [
        (line, line.provider.unsupported(line, members, message)) for line in lines
    ]
    able = tuple(line for line, why in verdicts if why is None)
    passed_over = tuple(f"{line.id}: {why}" for line, why in verdicts if why)
    if not able:
        raise UnsupportedError("no line can carry this: " + "; ".join(passed_over))
    return Shortlist(able, passed_over)


def arrange(
    lines: Sequence[Line],
    *,
    answering: LineId | None,
    last: tuple[LineId, datetime] | None,
    now: datetime,
    policy: Policy,
) -> tuple[Line, ...]:
    """Return *lines* in the order to be tried.

    First the line of the event being answered, else that of the conversation's last
    activity while it is not stale, then the policy's order, then the client's own.
    """
    places = {line.id: place for place, line in enumerate(policy.order)}
    lines = sorted(lines, key=lambda line: places.get(line.id, len(places)))
    fresh = last is not None and now - last[1] <= policy.sticky
    current = last[0] if last is not None and fresh else None
    able = {line.id for line in lines}
    preferred = answering if answering in able else current
    ordered = sorted(lines, key=lambda line: line.id != preferred)
    return tuple(ordered if policy.failover else ordered[:1])


def may_move(outcomes: Iterable[Outcome]) -> bool:
    """Tell whether another line may try after these outcomes of a batch.

    Only when nothing was sent to anybody, and for no reason that another line would
    share. After an acceptance or an `Unknown`, never.
    """
    return all(map(_leaves_room, outcomes))


def _leaves_room(outcome: Outcome) -> bool:
    match outcome:
        case NotSent():
            return True
        case Refused(scope=scope):
            return scope in _ANOTHER_LINE_HELPS
        case Accepted() | Unknown():
            return False
