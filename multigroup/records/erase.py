"""What of a send and of an event can go, and what is left then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from attrs import evolve, fields_dict

from ..events import Event
from ..models import (
    Accepted,
    Attempt,
    ConversationId,
    Leg,
    Message,
    NotSent,
    Number,
    Refused,
    Unknown,
)
from ..wire import Request
from .record import Lease, Round, SendRecord
from .rounds import telling

__all__ = ["FORGOTTEN", "SPENT", "bare", "blank", "settled", "spent", "wordless"]

E = TypeVar("E", bound=Event)

SPENT: Final = Request("", "")
"""In the place of a leg's frozen request once nobody can need it."""

FORGOTTEN: Final = "erased: somebody in the group was forgotten"

_SPOKEN: Final[Mapping[str, Any]] = {
    "text": "",
    "subject": None,
    "media": (),
    "raw": b"",
    "detail": None,
}
"""Fields of events that hold what was said, or a carrier's copy of it."""


def settled(record: SendRecord) -> bool:
    """Tell whether the send is over and no more news is to be expected of it.

    The same as its receipt's `settled`, once its round has come to its end.
    """
    return record.closed and all(_final(record, member) for member in record.members)


def _final(record: SendRecord, member: Number) -> bool:
    attempt = telling(record, member)
    if attempt is None:
        return True
    match attempt.outcome:
        case Accepted():
            report = record.reports.get((attempt.leg, member))
            return report is not None and report.status.final
        case Unknown():
            return False
        case Refused() | NotSent():
            return True


def spent(record: SendRecord) -> SendRecord:
    """Return *record* without the frozen requests of its legs, once it is settled.

    The keys stay: a late webhook is known by them.
    """
    if not settled(record):
        return record
    if all(leg.request == SPENT for leg in record.legs.values()):
        return record
    legs = {key: Leg(key, leg.members, SPENT) for key, leg in record.legs.items()}
    return evolve(record, legs=legs)


def wordless(record: SendRecord) -> SendRecord:
    """Return a settled *record* without what was said; any other as it is."""
    if not settled(record):
        return record
    return evolve(
        spent(record),
        message=Message(),
        attempts=tuple(map(_unquoted, record.attempts)),
        reports={place: bare(event) for place, event in record.reports.items()},
    )


def _unquoted(attempt: Attempt) -> Attempt:
    """Return *attempt* without the carrier's own words, which may quote the text."""
    outcome = attempt.outcome
    if not isinstance(outcome, Refused) or not outcome.detail:
        return attempt
    return evolve(attempt, outcome=evolve(outcome, detail=""))


def bare(event: E) -> E:
    """Return *event* without what was said."""
    known = fields_dict(type(event))
    return evolve(event, **{name: v for name, v in _SPOKEN.items() if name in known})


def blank(record: SendRecord, reference: str) -> SendRecord:
    """Return what is left of *record* when a member is forgotten: its *reference*.

    Whoever still carries it out is fenced off.
    """
    return SendRecord(
        id=record.id,
        namespace=record.namespace,
        reference=reference,
        fingerprint="",
        conversation=ConversationId(""),
        members=(),
        message=Message(),
        began_at=record.began_at,
        notes=(FORGOTTEN,),
        closed=True,
        round=Round(members=()),
        lease=Lease(fence=record.lease.fence + 1),
    )
