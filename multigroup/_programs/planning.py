"""What a send would do, without doing it: which line, why, and what forbids it."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from ..breaker import BreakerState
from ..consent import Block
from ..effects import LastLine, Now, Program
from ..models import ConversationId, LineId, Message, Number, conversation_id
from ..routing import arrange
from .carry import Means, moment
from .permits import consenting

__all__ = ["Candidate", "Plan", "plan"]


@frozen
class Candidate:
    """A line as a send would see it; *why* says what speaks for or against it."""

    line: LineId
    able: bool
    why: str
    breaker: BreakerState


@frozen(kw_only=True)
class Plan:
    """What a send would do: the *candidates* in the order they would be tried.

    *blocks* are the opt-outs that would stop it, or leave members out by policy.
    """

    conversation: ConversationId
    members: tuple[Number, ...]
    candidates: tuple[Candidate, ...]
    blocks: tuple[Block, ...] = field(default=())

    @property
    def line(self) -> LineId | None:
        """Return the line that would be tried first."""
        return next((c.line for c in self.candidates if c.able), None)


def plan(
    namespace: str,
    means: Means,
    members: tuple[Number, ...],
    message: Message,
    answering: LineId | None,
) -> Program[Plan]:
    """Return what a send would do; nothing is sent and nothing written."""
    conversation = conversation_id(members)
    now = yield from Now()
    last = yield from LastLine(namespace, conversation)
    blocks = yield from consenting(namespace, members, means.lines)
    verdicts = {
        line.id: line.provider.unsupported(line, members, message)
        for line in means.lines
    }
    against = {line: why for line, why in verdicts.items() if why is not None}
    able = [line for line in means.lines if line.id not in against]
    ordered = arrange(
        able, answering=answering, last=last, now=moment(now), policy=means.policy
    )
    places = {line.id: place for place, line in enumerate(ordered)}

    def candidate(line: LineId) -> Candidate:
        state = means.breakers.state(line, now)
        if line in against:
            return Candidate(line, able=False, why=against[line], breaker=state)
        if line not in places:
            return Candidate(line, able=False, why="failover is off", breaker=state)
        if state is BreakerState.OPEN:
            return Candidate(line, able=False, why=_LEFT_ALONE, breaker=state)
        why = _why(line, places[line], answering, last[0] if last else None)
        return Candidate(line, able=True, why=why, breaker=state)

    lines = sorted(
        (line.id for line in means.lines),
        key=lambda line: places.get(line, len(places)),
    )
    return Plan(
        conversation=conversation,
        members=members,
        candidates=tuple(map(candidate, lines)),
        blocks=blocks,
    )


_LEFT_ALONE: Final = "it keeps failing and is left alone for now"


def _why(
    line: LineId, place: int, answering: LineId | None, last: LineId | None
) -> str:
    if line == answering:
        return "the event that is answered came to it"
    if line == last and place == 0:
        return "the conversation's thread is on it"
    if place == 0:
        return "it is the first choice"
    return "it is tried if surely nothing was sent before"
