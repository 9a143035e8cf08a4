"""What has fallen due: sends and events left behind, and carriers to be asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from ..effects import Doubtful, Now, Program, Recall, Store, Write
from ..events import Event
from ..models import Receipt
from ..providers.base import Line
from ..records import Inquired, SendRecord, doubtful
from .carry import Means, moment
from .ingest import Intake, catch_up, handle, let_go
from .recover import resumed
from .replay import replay

__all__ = ["Due", "inquire", "run_due"]

FIRST_INQUIRY: Final = timedelta(minutes=1)
"""How long an outcome stays `Unknown` before the carrier is asked; then twice as long,
and so on, up to `SELDOM`."""

SELDOM: Final = timedelta(hours=1)

GIVE_UP: Final = timedelta(days=3)
"""Age of a send of which nobody is asked any more."""


@frozen
class Due:
    """What `run_due` did: sends gone on with, events handled, what was raised.

    *failures* are what handlers raised, and what kept a send from being gone on with.
    """

    resumed: tuple[Receipt, ...] = ()
    events: tuple[Event, ...] = ()
    failures: tuple[Exception, ...] = ()


def run_due(intake: Intake, means: Means, own: frozenset[str]) -> Program[Due]:
    """Do everything that has fallen due, once.

    Raises:
        JournalError: the journal failed.
    """
    receipts, unable = yield from resumed(intake.namespace, means)
    told, failed = yield from inquire(intake, means, own)
    handled, raised = yield from catch_up(intake)
    return Due(receipts, (*told, *handled), (*unable, *failed, *raised))


def inquire(
    intake: Intake, means: Means, own: frozenset[str]
) -> Program[tuple[tuple[Event, ...], tuple[Exception, ...]]]:
    """Ask the carriers, where they can be asked, what became of doubtful legs."""
    now = yield from Now()
    since = moment(now) - GIVE_UP
    accounts = {line.provider.name: line for line in means.lines}
    events: list[Event] = []
    failures: list[Exception] = []
    for record in (yield from Doubtful(intake.namespace, since)):
        if _next_inquiry(record) > moment(now):
            continue
        told = yield from _told_of(record, accounts, own, now)
        for kept in (yield from Store(intake.namespace, told)) if told else ():
            free, raised = yield from handle(intake, kept.event)
            failures += raised
            if free:
                events.append(kept.event)
        yield from let_go(intake, events, failures)
        known = yield from Recall(record.namespace, record.reference)
        if known is not None:
            yield from replay(means, known)
            yield from Write(known.id, Inquired(moment((yield from Now()))))
    return tuple(events), tuple(failures)


def _next_inquiry(record: SendRecord) -> datetime:
    """Return when the carriers are next to be asked about *record*."""
    last = record.asked_at or max(
        attempt.ended_at or attempt.began_at for attempt in doubtful(record)
    )
    pause: timedelta = min(FIRST_INQUIRY * 2 ** min(record.inquiries, 16), SELDOM)
    return last + pause


def _told_of(
    record: SendRecord,
    accounts: Mapping[str, Line],
    own: frozenset[str],
    now: float,
) -> Program[tuple[Event, ...]]:
    """Return what carriers tell, when asked, of the doubtful legs of *record*."""
    told: list[Event] = []
    for attempt in doubtful(record):
        line, leg = accounts.get(attempt.line.account), record.legs.get(attempt.leg)
        if line is not None and leg is not None:
            told += yield from line.provider.inquire(leg, own=own, now=now)
    return tuple(told)
