"""Going on with a send that its owner left unfinished."""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import evolve

from ..effects import LastLine, Notify, Now, Program, Store
from ..errors import JournalError, UnsupportedError
from ..events import Event, ThreadMoved
from ..models import Accepted, ConversationId, NotSent
from ..records import Closed, SendRecord, this_round
from ..routing import arrange, shortlist
from .carry import Means, carry_out, moment, noted
from .ingest import Intake, handle
from .permits import consenting

__all__ = ["announce_move", "go_on"]


def go_on(
    means: Means, record: SendRecord, limit: timedelta | None = None
) -> Program[SendRecord]:
    """Go on with *record*, which is ours now, until there is nothing more to do.

    What has not left yet never will if the send is older than *limit*, or if somebody
    opted out since it began.

    Raises:
        JournalError: an intent could not be written; nothing was sent.
        SendInProgressError: another process took the send over.
        UncertainError: the journal failed after a message had left.
    """
    why = yield from _spoilt(means, record, limit)
    if why is not None:
        return (yield from noted(record, Closed(NotSent(why))))
    able = yield from _able(means, record)
    record = yield from carry_out(able, record)
    yield from announce_move(means, record)
    return record


def _spoilt(
    means: Means, record: SendRecord, limit: timedelta | None
) -> Program[str | None]:
    """Return why what is left of a send must not be sent any more."""
    now = yield from Now()
    if limit is not None and moment(now) - (record.round.at or record.began_at) > limit:
        return f"expired: it was found unfinished after more than {limit}"
    blocks = yield from consenting(record.namespace, record.members, means.lines)
    return "a member opted out meanwhile" if blocks else None


def _able(means: Means, record: SendRecord) -> Program[Means]:
    """Return *means* with the lines that can carry *record*: first the one it is on."""
    last = yield from LastLine(record.namespace, record.conversation)
    now = yield from Now()
    try:
        able = shortlist(means.lines, record.members, record.message).lines
    except UnsupportedError:
        able = ()
    ordered = arrange(
        able,
        answering=record.round.line,
        last=last,
        now=moment(now),
        policy=means.policy,
    )
    return evolve(means, lines=ordered, grace=now + means.exchange)


def announce_move(
    means: Means, record: SendRecord, asked: ConversationId | None = None
) -> Program[None]:
    """Tell the application when the group now has another thread.

    It has if another line brought the message than the last one did, or if somebody
    of the conversation *asked* for was left out. The event is kept first, so that one
    who dies over it is followed by another who tells it.
    """
    now = yield from Now()
    moved = _moved(record, asked, moment(now))
    if moved is None:
        return
    intake = Intake(
        namespace=record.namespace, owner=means.owner, durable=True, react=_nothing
    )
    try:
        yield from Store(record.namespace, (moved,))
        yield from handle(intake, moved)
    except JournalError:  # the message is out all the same, and that is what counts
        yield from Notify(moved)


def _nothing(event: Event) -> Program[None]:
    del event
    yield from ()


def _moved(
    record: SendRecord, asked: ConversationId | None, now: datetime
) -> ThreadMoved | None:
    """Return what is to be told of the group's new thread, if it has one."""
    last = record.round.left
    tried = this_round(record)
    taken = [attempt for attempt in tried if isinstance(attempt.outcome, Accepted)]
    smaller = asked is not None and asked != record.conversation
    if not taken or not (smaller or last not in (None, taken[-1].line)):
        return None
    joined = taken[-1].line
    why = next((a.then for a in tried if a.then), "another line was chosen")
    return ThreadMoved(
        id=f"{record.id}.moved.{record.round.start}",
        provider="multigroup",
        account=joined.account,
        occurred_at=now,
        received_at=now,
        raw=b"",
        conversation=record.conversation,
        previous=asked if smaller else None,
        send_id=record.id,
        left=last or joined,
        joined=joined,
        why="a member who opted out was left out" if smaller else why,
    )
