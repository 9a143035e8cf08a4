"""Which line next: pure decisions over lines, members and what happened so far."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import field, frozen

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


@frozen(kw_only=True)
class Policy:
    """How lines are chosen.

    A conversation stays on the line of its last activity until it was quiet for
    *sticky*: another line is another thread on every phone. With *failover* off a send
    never leaves the line it was given.
    """

    sticky: timedelta = timedelta(days=7)
    failover: bool = True


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
    activity while it is not stale, then the client's own order.
    """
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
