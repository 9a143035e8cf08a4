"""What a send does next: decided from its record alone, so that anybody can go on.

The first try, the second batch after a canary, a wait for one's turn, the move to
another line, a retry and the work left by a process that died all come from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from attrs import frozen

from ..models import Accepted, LineId, NotSent, Outcome, Refused, Scope, Unknown
from ..providers.base import Line
from ..records import SendRecord, current, pending, telling, this_round
from ..routing import may_move
from .verdict import why_stopped

__all__ = ["Go", "Move", "Step", "Stop", "Wait", "next_step"]


@frozen
class Go:
    """Put the message on *line*, for all who are pending, or for one of them first."""

    line: Line
    canary: bool = False


@frozen
class Wait:
    """Wait *seconds* for the carrier, then try the same line again."""

    seconds: float
    then: str


@frozen
class Move:
    """Try another line: surely nothing went out on this one."""

    to: LineId
    then: str


@frozen
class Stop:
    """There is nothing more to do; *halted* is what became of those never tried."""

    then: str = ""
    halted: NotSent | None = None


Step: TypeAlias = Go | Wait | Move | Stop


def next_step(
    record: SendRecord, lines: Iterable[Line], *, canary: bool, patience: float
) -> Step:
    """Return the next step of *record* on *lines*, in the order they are to be tried.

    *patience* is how many seconds may be spent by now waiting for a carrier that is
    throttling.
    """
    known = {line.id: line for line in lines}
    line = known.get(record.round.line) if record.round.line else None
    outcomes = [attempt.outcome for attempt in current(record)]
    canary = canary and _for_everybody(record)
    goes_on = not outcomes or _goes_on(record, outcomes, canary=canary)
    if goes_on and line is None:
        return Stop(halted=NotSent(f"{record.round.line} is no line of ours now"))
    if goes_on and line is not None:
        return Go(line, canary=canary and not outcomes)
    return _after(record, outcomes, known, patience)


def _after(
    record: SendRecord,
    outcomes: Sequence[Outcome],
    known: Mapping[LineId, Line],
    patience: float,
) -> Step:
    """Return what follows a try that had these *outcomes*."""
    if all(isinstance(outcome, Accepted) for outcome in outcomes):
        return Stop()
    if _set_up_anew(record, outcomes):
        return Wait(0.0, "what was set up at the carrier was gone: set up anew")
    wait = _wait(record, outcomes)
    if wait is not None and wait <= patience:
        return Wait(wait, f"throttled: waited {wait:g} s for another turn")
    if may_move(outcomes) and _for_everybody(record):
        return _onward(record, known)
    told = [attempt for m in record.members if (attempt := telling(record, m))]
    return Stop(why_stopped(attempt.outcome for attempt in told), HELD_BACK)


HELD_BACK: Final = NotSent("held back, as an earlier copy was not surely taken")


def _set_up_anew(record: SendRecord, outcomes: Sequence[Outcome]) -> bool:
    """Tell whether the rail just used was stale, and none before in this round."""
    earlier = this_round(record)[: -len(outcomes)]
    again = any(_stale(attempt.outcome) for attempt in earlier)
    return all(map(_stale, outcomes)) and not again


def _stale(outcome: Outcome) -> bool:
    return isinstance(outcome, NotSent) and outcome.stale


def _goes_on(record: SendRecord, outcomes: Sequence[Outcome], *, canary: bool) -> bool:
    """Tell whether the line takes the next batch of a try: the others of the group.

    After a canary only if that was accepted. Where a line's rate made batches, doubt
    or a refusal of one member does not keep the others from theirs.
    """
    tried = {member for attempt in current(record) for member in attempt.members}
    if tried.issuperset(pending(record)):
        return False
    if canary and not isinstance(outcomes[0], Accepted):
        return False
    return all(map(_concerns_one, outcomes))


def _concerns_one(outcome: Outcome) -> bool:
    """Tell whether *outcome* says nothing that the next copies would suffer from."""
    match outcome:
        case Accepted() | Unknown():
            return True
        case Refused(scope=scope):
            return scope is Scope.MEMBER
        case NotSent():
            return False


MOST_WAITS: Final = 6

SHORTEST_WAIT: Final = 0.25
"""Seconds of the first wait at least; twice as long each time, whatever it is told."""


def _wait(record: SendRecord, outcomes: Iterable[Outcome]) -> float | None:
    """Return how long the carrier asks to wait, if nothing else is in the way."""
    longest: float | None = None
    waits = record.round.waits
    for outcome in outcomes:
        match outcome:
            case NotSent(wait=wait) if wait is not None:
                longest = max(wait, longest or 0.0)
            case Accepted():
                continue
            case _:
                return None
    if longest is None or waits >= MOST_WAITS:
        return None
    return max(longest, SHORTEST_WAIT * (1 << waits))


def _for_everybody(record: SendRecord) -> bool:
    """Tell whether the try under way is for the whole group: nobody has it yet."""
    everybody = set(record.round.members) == set(record.members)
    before = this_round(record)[: -len(current(record)) or None]
    return everybody and may_move(attempt.outcome for attempt in before)


def _onward(record: SendRecord, known: Mapping[LineId, Line]) -> Step:
    """Move to the first line that this round has not tried."""
    used = {attempt.line for attempt in this_round(record)}
    target = next((line for line in known if line not in used), None)
    if target is None or record.round.via is not None:
        outcomes = [attempt.outcome for attempt in current(record)]
        return Stop(why_stopped(outcomes))
    return Move(target, f"nothing was sent, so it moved on to {target}")
