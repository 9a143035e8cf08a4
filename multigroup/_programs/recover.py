"""Taking up again: what a dead process left, and what a caller asks to be retried."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import assert_never

from attrs import evolve

from ..effects import LastLine, Now, Orphans, Program, Recall, TakeOver, Write
from ..errors import (
    ConfigError,
    SendError,
    SendInProgressError,
    TakenOverError,
    UnsupportedError,
)
from ..models import (
    Accepted,
    LineId,
    NotSent,
    Number,
    Receipt,
    Refused,
    Scope,
    Unknown,
)
from ..providers.base import Line
from ..records import (
    Closed,
    Reopened,
    SendRecord,
    failure,
    receipt,
    telling,
)
from ..routing import arrange, shortlist
from .carry import Means, carry_out, moment, noted
from .permits import consenting, refusal
from .takeover import announce_move, go_on
from .verdict import conclude

__all__ = ["resume", "resumed", "retry"]


def resume(namespace: str, means: Means) -> Program[tuple[Receipt, ...]]:
    """Go on with every send whose process died; return what became of each.

    What had begun and has no outcome stays `Unknown`; what had not begun is sent, if
    it is not too old and nobody opted out meanwhile. One that a setting keeps from
    being sent does not keep the others.

    Raises:
        ConfigError: the credentials of a line cannot be made.
        JournalError: the journal failed.
    """
    receipts, unable = yield from resumed(namespace, means)
    if unable:
        raise unable[0]
    return receipts


def resumed(
    namespace: str, means: Means
) -> Program[tuple[tuple[Receipt, ...], tuple[ConfigError, ...]]]:
    """Go on with the sends left behind; return receipts, and what settings forbade."""
    now = yield from Now()
    left = yield from Orphans(namespace, now)
    receipts: list[Receipt] = []
    unable: list[ConfigError] = []
    for orphan in left:
        now = yield from Now()
        taken = yield from TakeOver(orphan.id, means.owner, now, means.lease(now))
        if taken is None:
            continue
        try:
            ended = yield from go_on(means, taken, means.policy.expires_after)
            receipts.append(receipt(ended))
        except SendError as error:
            receipts.append(error.receipt)
        except ConfigError as error:
            unable.append(error)
        except (SendInProgressError, TakenOverError):
            pass  # somebody else was faster
    return tuple(receipts), tuple(unable)


def retry(
    namespace: str,
    means: Means,
    reference: str,
    *,
    unknown: bool = False,
    via: Line | None = None,
) -> Program[Receipt]:
    """Send again what surely did not go out, and return what then is known.

    Members who were texted are left alone. With *unknown* those who were perhaps
    texted are texted again. A send that failed for good after it was taken, and is
    movable, goes to everybody on another line.

    Raises:
        ConfigError: no send has that *reference*, or its text was erased.
        SendInProgressError: it is under way.
        UnsupportedError: the line cannot complete this group.
        OptedOutError: a member asked us to stop.
        SendError: still not everybody was certainly texted.
    """
    record = yield from _ended(namespace, means, reference)
    whom = _whom(record, unknown=unknown)
    if not whom:
        return conclude(receipt(record))
    if not record.message.text and not record.message.media:
        raise ConfigError(
            f"what {reference!r} said was erased when it was settled: send it again "
            "under a new reference, or keep texts with Retention(text='kept')"
        )
    able, again = yield from _round(means, record, whom, via)
    blocks = yield from consenting(namespace, record.members, able.lines)
    if blocks:
        raise refusal(blocks)
    try:
        record = yield from Write(record.id, again, record.lease.fence)
    except TakenOverError:
        raise _elsewhere(reference) from None
    record = yield from carry_out(able, record)
    yield from announce_move(means, record)
    return conclude(receipt(record))


def _ended(namespace: str, means: Means, reference: str) -> Program[SendRecord]:
    """Return the send under *reference*; one whose owner is gone ends here."""
    record = yield from Recall(namespace, reference)
    if record is None:
        raise ConfigError(
            f"no send has the reference {reference!r} in namespace {namespace!r}"
        )
    if record.closed:
        return record
    now = yield from Now()
    taken = yield from TakeOver(record.id, means.owner, now, means.lease(now))
    if taken is None:
        raise SendInProgressError(f"reference {reference!r} is still being sent")
    try:
        return (yield from noted(taken, Closed()))
    except TakenOverError:
        raise _elsewhere(reference) from None


def _elsewhere(reference: str) -> SendInProgressError:
    return SendInProgressError(
        f"reference {reference!r} is being retried elsewhere at this moment"
    )


def _round(
    means: Means, record: SendRecord, whom: tuple[Number, ...], via: Line | None
) -> Program[tuple[Means, Reopened]]:
    """Return what another round for *whom* is carried out with, and its beginning."""
    lines, only = _lines(means.lines, record, whom, via)
    last = yield from LastLine(record.namespace, record.conversation)
    now = yield from Now()
    ordered = arrange(
        lines, answering=None, last=last, now=moment(now), policy=means.policy
    )
    until = now + means.exchange
    able = evolve(means, lines=ordered, patience=until, grace=until)
    again = Reopened(
        members=whom,
        line=ordered[0].id,
        via=only,
        left=last[0] if last else None,
        owner=means.owner,
        until=means.lease(now),
        at=moment(now),
    )
    return able, again


def _whom(record: SendRecord, *, unknown: bool) -> tuple[Number, ...]:
    """Return who is to be texted again."""
    failed = failure(record, record.began_at)
    if failed is not None:
        return record.members if failed.movable else ()
    return tuple(
        member for member in record.members if _wants(record, member, unknown=unknown)
    )


def _wants(record: SendRecord, member: Number, *, unknown: bool) -> bool:
    attempt = telling(record, member)
    if attempt is None:
        return True
    match attempt.outcome:
        case NotSent():
            return True
        case Refused(scope=scope):
            return scope in (Scope.LINE, Scope.ACCOUNT)
        case Unknown():
            return unknown
        case Accepted():
            return False
        case _:
            assert_never(attempt.outcome)


def _lines(
    lines: Iterable[Line],
    record: SendRecord,
    whom: Collection[Number],
    via: Line | None,
) -> tuple[tuple[Line, ...], LineId | None]:
    """Return which of *lines* may carry a retry, and the only one it may use, if any.

    Part of a group can be completed only on the line that texted the others: on every
    phone another line is another thread.

    Raises:
        UnsupportedError: none may.
    """
    bound = _bound(record, whom)
    wanted = via.id if via is not None else bound or _in_doubt(record, whom)
    if bound is not None and wanted != bound:
        raise UnsupportedError(
            f"part of the group was texted from {bound}, and another line would split "
            f"it: leave via= out, or give that line"
        )
    left = _open_to(lines, record, wanted)
    able = shortlist(left, record.members, record.message).lines
    part = len(whom) < len(record.members)
    return (_able_in_part(able) if part else able), wanted


def _open_to(
    lines: Iterable[Line], record: SendRecord, wanted: LineId | None
) -> tuple[Line, ...]:
    """Return the *wanted* one of *lines*, or those that did not lose it before."""
    if wanted is not None:
        found = tuple(line for line in lines if line.id == wanted)
        if not found:
            raise UnsupportedError(f"{wanted} is no line of this client")
        return found
    taken = (a for a in record.attempts if isinstance(a.outcome, Accepted))
    lost_on = {attempt.line for attempt in taken}
    left = tuple(line for line in lines if line.id not in lost_on)
    if not left:
        raise UnsupportedError(
            "every line took it and lost it: give this client another one, or name "
            "one with via="
        )
    return left


def _able_in_part(lines: Collection[Line]) -> tuple[Line, ...]:
    """Return those of *lines* that can text some of a group and not the others."""
    able = [x for x in lines if x.provider.capabilities.legs_per == "member"]
    if not able:
        names = ", ".join(str(line.id) for line in lines)
        raise UnsupportedError(
            f"{names} texts a group as a whole and cannot complete a part of it"
        )
    return tuple(able)


def _bound(record: SendRecord, whom: Collection[Number]) -> LineId | None:
    """Return the line that the rest of the group was texted from, perhaps or surely."""
    told = [attempt for m in record.members if (attempt := telling(record, m))]
    held = [
        attempt.line
        for attempt in told
        if isinstance(attempt.outcome, Accepted | Unknown)
        and not set(attempt.members) <= set(whom)
    ]
    return held[-1] if held else None


def _in_doubt(record: SendRecord, whom: Collection[Number]) -> LineId | None:
    """Return the line that *whom* was perhaps texted from: there it is one thread."""
    told = [attempt for m in whom if (attempt := telling(record, m))]
    lines = [a.line for a in told if isinstance(a.outcome, Unknown)]
    return lines[-1] if lines else None
