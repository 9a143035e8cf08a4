"""Who asked us to stop: keywords as a table, and what each piece of news means.

Sources: 47 CFR 64.1200(a)(10), in force since 2025-04-11 (stop, quit, end, revoke, opt
out, cancel, unsubscribe; any reasonable wording counts, which no table can hold);
Telnyx "Advanced Opt-In/Out Management" and Twilio's default opt-out words, read
2026-11-21. `YES`, which some carriers take for an opt-in, is left out: in a group it
answers somebody's question.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum, unique
from typing import Final

from attrs import frozen

from .events import DeliveryUpdated, Event, MessageReceived, OptedIn, OptedOut
from .models import Attempt, ConversationId, LineId, Number, Reason, Refused
from .records import SendRecord

__all__ = ["Block", "Keyword", "Wish", "at_group", "keyword", "refusals", "wishes"]


@unique
class Keyword(StrEnum):
    """What a message of one keyword asks for."""

    STOP = "stop"
    START = "start"
    HELP = "help"


KEYWORDS: Final[Mapping[str, Keyword]] = {
    **dict.fromkeys(
        (
            "stop",
            "stopall",
            "stop all",
            "quit",
            "end",
            "revoke",
            "opt out",
            "optout",
            "cancel",
            "unsubscribe",
        ),
        Keyword.STOP,
    ),
    **dict.fromkeys(("start", "unstop"), Keyword.START),
    **dict.fromkeys(("help", "info"), Keyword.HELP),
}
"""The whole message, whatever stands around and between its words."""

_WORD: Final = re.compile(r"[^\W_]+")
_LONGEST: Final = 100
"""Characters of a message that may be a keyword: no keyword is near it."""


def keyword(text: str) -> Keyword | None:
    """Return what *text* asks for if it is a keyword and nothing else.

    Quotes, dashes, smileys and wide letters around or within it make no difference,
    but a question mark does: somebody asks the group whether to cancel.
    """
    if len(text) > _LONGEST or "?" in (plain := unicodedata.normalize("NFKC", text)):
        return None
    return KEYWORDS.get(" ".join(_WORD.findall(plain.casefold())))


@frozen
class Block:
    """Somebody who must not be texted: *subject* is a number, or a group on a line.

    *since* is when they said so, *how* in what way, without quoting anything.
    """

    subject: str
    since: datetime
    how: str


@frozen
class Wish:
    """News of consent: *subject* must not be texted from *at* on, or may be again.

    *line* is where a member said so; it may lift what was held against a group there.
    """

    subject: str
    blocked: bool
    at: datetime
    how: str
    line: LineId | None = None


def at_group(line: LineId, conversation: ConversationId) -> str:
    """Return the subject of a block that a carrier put on a whole group at one line."""
    return f"{line.account}:{line.number}/{conversation}"


def wishes(event: Event) -> Iterator[Wish]:
    """Yield what *event* tells of anybody's consent."""
    at = event.occurred_at
    match event:
        case MessageReceived(sender=sender):
            word = keyword(event.text)
            if word is Keyword.STOP or word is Keyword.START:
                stop = word is Keyword.STOP
                line = _line(event.account, event.line)
                yield Wish(sender, stop, at, f"wrote {word.upper()}", line)
        case OptedOut(member=member):
            line = _line(event.account, event.line)
            yield Wish(member, blocked=True, at=at, how=_told_by(event), line=line)
        case OptedIn(member=member):
            line = _line(event.account, event.line)
            yield Wish(member, blocked=False, at=at, how=_told_by(event), line=line)
        case DeliveryUpdated(member=member, reason=Reason.OPTED_OUT) if member:
            yield Wish(member, blocked=True, at=at, how=_told_by(event))
        case _:
            return


def refusals(record: SendRecord, attempt: Attempt, at: datetime) -> Iterator[Wish]:
    """Yield whom a refused *attempt* shows to have opted out.

    A refusal that names nobody of a group is held against the group on that line only:
    nobody knows who of them it was.
    """
    outcome = attempt.outcome
    if not isinstance(outcome, Refused) or outcome.reason is not Reason.OPTED_OUT:
        return
    how = f"refused by {attempt.line.account} ({outcome.code})"
    named = outcome.named or (attempt.members if len(attempt.members) == 1 else ())
    for member in named:
        yield Wish(member, blocked=True, at=at, how=how)
    if not named:
        group = at_group(attempt.line, record.conversation)
        yield Wish(group, blocked=True, at=at, how=how)


def _told_by(event: Event) -> str:
    return f"told by {event.account}"


def _line(account: str, number: Number | None) -> LineId | None:
    return None if number is None else LineId(account, number)
