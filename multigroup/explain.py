"""What is known of a send, in lines for a person: tried, when, known, why no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import assert_never

from .masking import mask
from .models import Accepted, Attempt, NotSent, Number, Outcome, Refused, Unknown
from .records import SendRecord, failure, lost, telling, unsent

__all__ = ["explain"]


def explain(record: SendRecord) -> str:
    """Return the story of *record*, line by line; numbers are masked, text left out."""
    return "\n".join(_lines(record))


def _lines(record: SendRecord) -> Iterator[str]:
    people = _masked(record.members)
    yield f"send {record.id}, reference {record.reference}"
    yield f"{_at(record.began_at)}  to {len(record.members)}: {people}"
    for note in record.notes:
        yield f"  note: {note}"
    following = (*(attempt.then for attempt in record.attempts[1:]), "")
    for attempt, then in zip(record.attempts, following, strict=False):
        yield from _attempt(record, attempt)
        if attempt.then and attempt.then != then:  # once for legs that went together
            yield f"  then: {attempt.then}"
    if record.inquiries and record.asked_at:
        times = "once" if record.inquiries == 1 else f"{record.inquiries} times"
        yield f"{_at(record.asked_at)}  carriers were asked {times} what became of it"
    yield from _now(record) if record.closed else _under_way(record)


def _attempt(record: SendRecord, attempt: Attempt) -> Iterator[str]:
    whom = _masked(attempt.members)
    yield f"{_at(attempt.began_at)}  {attempt.line} to {whom}, leg {attempt.leg}"
    ended = _at(attempt.ended_at) if attempt.ended_at else " " * 20
    yield f"{ended}  {attempt.outcome.word}: {_known(attempt.outcome)}"
    for member in attempt.members:
        report = record.reports.get((attempt.leg, member))
        if report is not None:
            code = f" ({report.code})" if report.code else ""
            why = f", {report.reason}{code}" if report.reason else ""
            yield (
                f"{_at(report.occurred_at)}  {mask(member)}: {report.status}{why}, "
                f"as {report.provider} told"
            )


def _known(outcome: Outcome) -> str:
    match outcome:
        case Accepted(message_id=message_id):
            return f"the carrier has it as {message_id}"
        case Refused(code=code, reason=reason, scope=scope):
            return f"{reason} ({code}), which concerns the {scope}; nothing was sent"
        case NotSent(why=why):
            return f"{why}; nothing was sent"
        case Unknown(why=why):
            return f"{why}; it was perhaps sent"
        case _:
            assert_never(outcome)


def _under_way(record: SendRecord) -> Iterator[str]:
    owner, until = record.lease.owner or "nobody", record.lease.until
    yield f"under way: {owner} has it until {_at(datetime.fromtimestamp(until, UTC))}"
    yield "  if that process is gone, client.resume() goes on with it"


def _now(record: SendRecord) -> Iterator[str]:
    """Say where it stands, and what would change that."""
    again = f"client.retry({record.reference!r}"
    sorted_: dict[str, list[Number]] = {}
    for member in record.members:
        sorted_.setdefault(_standing(record, member), []).append(member)
    if set(sorted_) <= {"texted"}:
        yield "everybody was texted"
    for standing, way_out in (
        ("lost", _after_loss(record, again)),
        ("in doubt", _after_doubt(again)),
        ("not texted", (*_untried(record), f"{again}) sends to those who got nothing")),
        ("refused", ("sending again would not help",)),
    ):
        if standing in sorted_:
            yield f"{standing}: {_masked(sorted_[standing])}"
            yield from (f"  {line}" for line in way_out)


def _standing(record: SendRecord, member: Number) -> str:
    attempt = telling(record, member)
    if attempt is None or unsent(attempt):
        return "not texted"
    match attempt.outcome:
        case Accepted():
            return "lost" if lost(record, attempt, member) else "texted"
        case Unknown():
            return "in doubt"
        case _:
            return "refused"


def _untried(record: SendRecord) -> Iterator[str]:
    """Say why some were not even tried, if that is on record."""
    untried = [member for member in record.members if telling(record, member) is None]
    if untried and record.halted is not None:
        yield f"{_masked(untried)} never tried: {record.halted.why}"


def _after_doubt(again: str) -> tuple[str, ...]:
    return (
        "silence proves nothing; only the carrier's news of that leg settles it",
        f"{again}, unknown=True) texts them again, perhaps twice",
    )


def _after_loss(record: SendRecord, again: str) -> tuple[str, ...]:
    failed = failure(record, record.began_at)
    if failed is None:
        return ("others have it or may have it, so the group is not sent it again",)
    if failed.movable:
        return (f"{again}) sends it to everybody by another line",)
    return ("another line would lose it for the same reason",)


def _masked(members: Iterable[str]) -> str:
    return ", ".join(map(mask, members))


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"
