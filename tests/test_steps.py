"""What a send does next: decided from its record alone, wherever its owner stopped."""

from __future__ import annotations

from typing import Any, Final

import pytest
from attrs import evolve, frozen

from multigroup._programs.steps import (
    HELD_BACK,
    MOST_WAITS,
    Go,
    Move,
    Step,
    Stop,
    Wait,
    next_step,
)
from multigroup.models import (
    LineId,
    NotSent,
    Number,
    Outcome,
    Reason,
    Refused,
    Scope,
    Unknown as InDoubt,
)
from multigroup.records import (
    Begun,
    Change,
    Foiled,
    Moved,
    Reopened,
    Round,
    SendRecord,
    Taken,
)
from tests.helpers.paper import ONE, THREE, TWO
from tests.helpers.values import (
    ANA,
    BEN,
    CLEO,
    PEOPLE,
    RED,
    accepted,
    at,
    ended,
    leg,
    record,
    told,
)

YES: Final = accepted()
NO_ROUTE: Final = NotSent("could not reach one")
GONE: Final = NotSent("the conversation does not take it", stale=True)
SLOW_DOWN: Final = NotSent("one is throttling (HTTP 429)", 7.0)
BAD_LINE: Final = Refused("403", Reason.ACCOUNT, Scope.LINE)
STOPPED: Final = Refused("400", Reason.OPTED_OUT, Scope.MEMBER)
LOST: Final = InDoubt("the connection ended without an answer (ReadTimeout)")
DIED: Final = Taken("the next process", 0.0, at(60))


def _begun(*members: Number, first: int = 0, line: LineId = ONE.id) -> Begun:
    """Return a batch of one leg per member, numbered from *first* on."""
    legs = [leg(f"{RED}.{first + n}", (who,)) for n, who in enumerate(members)]
    return Begun(line, tuple(legs), at(1))


def _ends(*outcomes: Outcome, first: int = 0) -> tuple[Change, ...]:
    return tuple(ended(o, f"{RED}.{first + n}") for n, o in enumerate(outcomes))


def _new(**round_: Any) -> SendRecord:
    given: dict[str, Any] = {"members": PEOPLE, "line": ONE.id, **round_}
    return record(round=Round(**given))


def _after(*changes: Change, **round_: Any) -> SendRecord:
    return told(*changes, start=_new(**round_))


@frozen
class Story:
    """What happened to a send to three people, and what must come next.

    *step* is the class of the step, or the step itself where its words matter.
    """

    record: SendRecord
    step: type[Step] | Step
    canary: bool = False
    patience: float = 0.0


KEYS: Final = tuple(f"{RED}.{n}" for n in range(3))
MOVED_TO_TWO: Final = Moved(KEYS, "moved", TWO.id)
WAITED: Final = Moved(KEYS, "waited", ONE.id)
SPLIT: Final = "stopped: part of the group was texted, and another line would split it"
ALL: Final = _begun(*PEOPLE)

STORIES: Final[dict[str, Story]] = {
    "reserved only": Story(_new(), Go(ONE)),
    "reserved only, with a canary": Story(_new(), Go(ONE, canary=True), canary=True),
    "reserved only, and its owner died": Story(_after(DIED), Go(ONE)),
    "in flight when its owner died": Story(_after(ALL, DIED), Stop),
    "two answers came before its owner died": Story(
        _after(ALL, *_ends(YES, YES), DIED), Stop
    ),
    "everybody was texted": Story(_after(ALL, *_ends(YES, YES, YES)), Stop()),
    "nobody, and another line is left": Story(
        _after(ALL, *_ends(NO_ROUTE, BAD_LINE, NO_ROUTE)), Move
    ),
    "nobody, and its owner died before the move": Story(
        _after(ALL, *_ends(NO_ROUTE, NO_ROUTE, NO_ROUTE), DIED), Move
    ),
    "moved, and its owner died before it began": Story(
        _after(ALL, *_ends(NO_ROUTE, NO_ROUTE, NO_ROUTE), MOVED_TO_TWO, DIED), Go(TWO)
    ),
    "moved, and no line is left then": Story(
        _after(
            ALL,
            *_ends(NO_ROUTE, NO_ROUTE, NO_ROUTE),
            MOVED_TO_TWO,
            _begun(*PEOPLE, first=3, line=TWO.id),
            *_ends(NO_ROUTE, NO_ROUTE, NO_ROUTE, first=3),
            Moved(("",), "moved", THREE.id),
            Foiled(THREE.id, f"{RED}.6", NO_ROUTE, at(3)),
        ),
        Stop("stopped: no other line is left"),
    ),
    "nobody, and the caller named the line": Story(
        _after(ALL, *_ends(NO_ROUTE, NO_ROUTE, NO_ROUTE), via=ONE.id), Stop
    ),
    "one was texted, one not": Story(_after(ALL, *_ends(YES, NO_ROUTE, YES)), Stop),
    "one in doubt": Story(_after(ALL, *_ends(NO_ROUTE, LOST, NO_ROUTE)), Stop),
    "one opted out": Story(_after(ALL, *_ends(NO_ROUTE, STOPPED, NO_ROUTE)), Stop),
    "the line could not be made ready": Story(
        _after(Foiled(ONE.id, f"{RED}.0", NO_ROUTE, at(1))), Move
    ),
    "the canary is in flight": Story(
        _after(_begun(ANA)), Stop, canary=True, patience=60
    ),
    "the canary was taken": Story(
        _after(_begun(ANA), *_ends(YES)), Go(ONE), canary=True
    ),
    "the canary was taken, and its owner died": Story(
        _after(_begun(ANA), *_ends(YES), DIED), Go(ONE), canary=True
    ),
    "the canary's answer died with its owner": Story(
        _after(_begun(ANA), DIED), Stop, canary=True
    ),
    "the canary opted out": Story(
        _after(_begun(ANA), *_ends(STOPPED)), Stop, canary=True
    ),
    "the canary was not sent": Story(
        _after(_begun(ANA), *_ends(NO_ROUTE)), Move, canary=True
    ),
    "the canary moved with the others": Story(
        _after(_begun(ANA), *_ends(NO_ROUTE), Moved((KEYS[0],), "moved", TWO.id)),
        Go(TWO, canary=True),
        canary=True,
    ),
    "the canary was throttled": Story(
        _after(_begun(ANA), *_ends(SLOW_DOWN)), Wait, canary=True, patience=7
    ),
    "after the canary came two more at a time": Story(
        _after(
            _begun(ANA), *_ends(YES), _begun(BEN, first=1), *_ends(STOPPED, first=1)
        ),
        Go(ONE),
        canary=True,
    ),
    "the rate let one through, who was texted": Story(
        _after(_begun(ANA), *_ends(YES)), Go(ONE)
    ),
    "the rate let one through, and its owner died": Story(
        _after(_begun(ANA), DIED), Go(ONE)
    ),
    "the rate let one through, who is in doubt": Story(
        _after(_begun(ANA), *_ends(LOST)), Go(ONE)
    ),
    "the rate let one through, who opted out": Story(
        _after(_begun(ANA), *_ends(STOPPED)), Go(ONE)
    ),
    "the rate let one through, and the line is bad": Story(
        _after(_begun(ANA), *_ends(BAD_LINE)), Move
    ),
    "the rate let two through, the second unsent": Story(
        _after(_begun(ANA, BEN), *_ends(YES, NO_ROUTE)), Stop
    ),
    "the rate let two through, the second throttled": Story(
        _after(_begun(ANA, BEN), *_ends(YES, SLOW_DOWN)), Wait, patience=7
    ),
    "its rail is stale, and no time is left": Story(
        _after(ALL, *_ends(GONE, GONE, GONE)),
        Wait(0.0, "what was set up at the carrier was gone: set up anew"),
        patience=-1.0,
    ),
    "its rail was stale, and so is the new one": Story(
        _after(
            ALL,
            *_ends(GONE, GONE, GONE),
            WAITED,
            _begun(*PEOPLE, first=3),
            *_ends(GONE, GONE, GONE, first=3),
        ),
        Move,
    ),
    "its rail is stale in part": Story(
        _after(ALL, *_ends(GONE, YES, GONE)), Stop, patience=60
    ),
    "throttled, within the deadline": Story(
        _after(ALL, *_ends(SLOW_DOWN, SLOW_DOWN, SLOW_DOWN)),
        Wait(7.0, "throttled: waited 7 s for another turn"),
        patience=7.0,
    ),
    "throttled, beyond the deadline": Story(
        _after(ALL, *_ends(SLOW_DOWN, SLOW_DOWN, SLOW_DOWN)), Move, patience=6.9
    ),
    "throttled in part, within the deadline": Story(
        _after(ALL, *_ends(YES, SLOW_DOWN, YES)), Wait, patience=7
    ),
    "throttled in part, beyond the deadline": Story(
        _after(ALL, *_ends(YES, SLOW_DOWN, YES)), Stop, patience=6
    ),
    "throttled and in doubt": Story(
        _after(ALL, *_ends(LOST, SLOW_DOWN, YES)), Stop, patience=60
    ),
    "its owner died while it waited": Story(
        _after(ALL, *_ends(YES, SLOW_DOWN, YES), WAITED, DIED), Go(ONE)
    ),
    "throttled in part, waited for, and then unreachable": Story(
        _after(
            ALL,
            *_ends(YES, SLOW_DOWN, YES),
            WAITED,
            _begun(BEN, first=3),
            *_ends(NO_ROUTE, first=3),
        ),
        Stop(SPLIT, HELD_BACK),
    ),
    "its owner died while all waited": Story(
        _after(ALL, *_ends(SLOW_DOWN, SLOW_DOWN, SLOW_DOWN), WAITED, DIED),
        Go(ONE, canary=True),
        canary=True,
    ),
    "waited for often enough": Story(
        _after(ALL, *_ends(SLOW_DOWN, SLOW_DOWN, SLOW_DOWN), waits=MOST_WAITS),
        Move,
        patience=3600,
    ),
    "retried for two, who were not texted again": Story(
        _after(
            ALL,
            *_ends(YES, NO_ROUTE, NO_ROUTE),
            Reopened(members=(BEN, CLEO), line=ONE.id),
            _begun(BEN, CLEO, first=3),
            *_ends(NO_ROUTE, NO_ROUTE, first=3),
        ),
        Stop(SPLIT, HELD_BACK),
    ),
    "retried for two, with a canary policy": Story(
        _after(
            ALL,
            *_ends(YES, NO_ROUTE, NO_ROUTE),
            Reopened(members=(BEN, CLEO), line=ONE.id),
        ),
        Go(ONE),
        canary=True,
    ),
    "retried for everybody": Story(
        _after(
            ALL,
            *_ends(NO_ROUTE, NO_ROUTE, NO_ROUTE),
            Reopened(members=PEOPLE, line=TWO.id),
            _begun(*PEOPLE, first=3, line=TWO.id),
            *_ends(NO_ROUTE, NO_ROUTE, NO_ROUTE, first=3),
        ),
        Move,
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_the_next_step_follows_from_the_record(name: str) -> None:
    """Whoever goes on with a send does what its first owner would have done."""
    story = STORIES[name]

    step = next_step(
        story.record, (ONE, TWO, THREE), canary=story.canary, patience=story.patience
    )

    if isinstance(story.step, type):
        assert isinstance(step, story.step), step
    else:
        assert step == story.step


def test_a_move_goes_to_the_first_line_that_this_round_has_not_tried() -> None:
    """The lines' order decides, and a line is tried once a round."""
    sent = _after(ALL, *_ends(NO_ROUTE, NO_ROUTE, NO_ROUTE))

    step = next_step(sent, (ONE, THREE, TWO), canary=False, patience=0)

    assert isinstance(step, Move)
    assert step.to == THREE.id


def test_a_line_that_was_taken_away_ends_the_send() -> None:
    """A send that began on a line which is ours no more says so, and rings nobody."""
    step = next_step(_new(), (TWO, THREE), canary=False, patience=0)

    assert step == Stop(halted=NotSent(f"{ONE.id} is no line of ours now"))


@pytest.mark.parametrize(
    ("waits", "seconds"), [(0, 1.0), (2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0)]
)
def test_each_wait_is_longer_whatever_the_carrier_says(
    waits: int, seconds: float
) -> None:
    """A carrier that always says one second is believed at first only."""
    soon = evolve(SLOW_DOWN, wait=1.0)
    sent = _after(ALL, *_ends(soon, soon, soon), waits=waits)

    step = next_step(sent, (ONE,), canary=False, patience=60)

    assert isinstance(step, Wait)
    assert step.seconds == seconds


def test_those_never_tried_are_told_why_they_were_held_back() -> None:
    """After a canary in doubt the others got nothing, and their receipt says why."""
    sent = _after(_begun(ANA), *_ends(LOST))

    step = next_step(sent, (ONE, TWO), canary=True, patience=60)

    assert isinstance(step, Stop)
    assert step.halted is not None
    assert step.halted.why.startswith("held back, ")
