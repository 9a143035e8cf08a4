"""Programs played by hand: no driver, no clock, no network."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any, Final, TypeVar

import pytest
from attrs import define, field

from multigroup import (
    Line,
    LineId,
    MemoryJournal,
    Message,
    Number,
    Policy,
    SendError,
)
from multigroup._drive import BaseDriver
from multigroup._programs.carry import Means
from multigroup._programs.send import Order, send
from multigroup.effects import AnyEffect, Exchange, Notify, Now, Program, Sleep, Token
from multigroup.events import Event
from multigroup.journal import Journal
from multigroup.records import SendRecord
from multigroup.wire import Failure, Reply, Request, Response

from .paper import OK, ONE, TWO

__all__ = [
    "ANA",
    "BEN",
    "CLEO",
    "START",
    "Crash",
    "Player",
    "failed",
    "means",
    "order",
    "played_at",
    "used",
    "whom",
]

T = TypeVar("T")

ANA: Final = Number("+14155550101")
BEN: Final = Number("+14155550102")
CLEO: Final = Number("+14155550103")
START: Final = 1_795_000_000.0

_TOKENS: Final = count(1)  # no two sends of a run have one id


class Crash(BaseException):
    """The process ends here."""


def _queue(given: Iterable[Reply | Crash]) -> deque[Reply | Crash]:
    return deque(given)


@define(eq=False)
class Player:
    """Answers a program's effects from a journal and a script, and remembers them.

    *before* is called with each effect and may do what happens meanwhile, or raise.
    A crash ends the program there and then if the process *dies*. Whose phones rang,
    perhaps or surely, is in *rung*.
    """

    replies: deque[Reply | Crash] = field(converter=_queue, default=())
    journal: Journal = field(factory=MemoryJournal)
    before: Callable[[AnyEffect], None] = lambda _effect: None
    now: float = START
    dies: bool = False
    seen: list[AnyEffect] = field(factory=list[AnyEffect], init=False)
    rung: list[Number] = field(factory=list[Number], init=False)

    def play(self, program: Program[T]) -> T:
        """Run *program* to its end."""
        step: Callable[[], AnyEffect] = partial(next, program)
        while True:
            try:
                effect = step()
            except StopIteration as stop:
                value: T = stop.value
                return value
            self.seen.append(effect)
            try:
                self.before(effect)
                answer = self._answer(effect)
            except Crash as crash:
                if self.dies:
                    raise
                step = partial(program.throw, crash)
            except BaseException as error:  # noqa: BLE001 - as drivers do
                step = partial(program.throw, error)
            else:
                step = partial(program.send, answer)

    def of(self, kind: type[T]) -> list[T]:
        """Return the effects of *kind* so far."""
        return [effect for effect in self.seen if isinstance(effect, kind)]

    def told(self, kind: type[T]) -> list[T]:
        """Return the events of *kind* that handlers were run for."""
        events: list[Event] = [effect.event for effect in self.of(Notify)]
        return [event for event in events if isinstance(event, kind)]

    @property
    def requests(self) -> list[Request]:
        """Return the requests that left, in order."""
        return [r for exchange in self.of(Exchange) for r in exchange.requests]

    @property
    def record(self) -> SendRecord:
        """Return what the journal holds under the reference of these tests."""
        record = self.journal.recall("default", "dinner")
        assert record is not None
        return record

    def _answer(self, effect: AnyEffect) -> object:
        match effect:
            case Now():
                return self.now
            case Token():
                return f"{next(_TOKENS):032x}"
            case Sleep(seconds=seconds):
                self.now += seconds
                return None
            case Exchange():
                return self._exchange(effect)
            case Notify():
                return ()
            case _:
                return BaseDriver(self.journal)._kept(effect)

    def _exchange(self, effect: Exchange) -> tuple[Reply, ...]:
        replies: list[Reply] = []
        for index in range(len(effect.requests)):
            reply = self.replies.popleft() if self.replies else OK
            if not _proves_unsent(reply):
                self.rung += whom(effect.requests[index])
            if isinstance(reply, Crash):
                raise reply
            if effect.landing is not None:
                news = effect.landing.change(index, reply, self.now)
                effect.landing.kept(self.journal.write(*news))
            replies.append(reply)
        return tuple(replies)


def _proves_unsent(reply: Reply | Crash) -> bool:
    match reply:
        case Failure(unsent=unsent):
            return unsent
        case Response(status=status):
            return 400 <= status < 500
        case _:
            return False


def whom(request: Request) -> list[Number]:
    """Return whose phones a request to a paper carrier rings."""
    names = request.body.decode().partition(" to ")[2].partition(":")[0]
    return [Number(name) for name in names.split(", ")] if names else []


def means(*lines: Line, **more: Any) -> Means:
    """Return what sends of these tests are carried out with."""
    given: dict[str, Any] = {
        "policy": Policy(),
        "owner": "this process",
        "exchange": 30.0,
        **more,
    }
    return Means(lines=lines or (ONE, TWO), **given)


def order(*lines: Line, text: str = "Hello", **more: Any) -> Order:
    """Return an order for two people under the reference "dinner"."""
    given: dict[str, Any] = {
        "namespace": "default",
        "members": (ANA, BEN),
        "message": Message(text),
        "means": means(*lines, policy=more.pop("policy", Policy())),
        "reference": "dinner",
        "deadline": 1.0,
    }
    return Order(**{**given, **more})


def failed(player: Player, wanted: Order) -> SendError:
    """Play *wanted*, which must end in a `SendError`; return it."""
    with pytest.raises(SendError) as caught:
        player.play(send(wanted))
    return caught.value


def used(player: Player) -> list[LineId]:
    """Return the lines of the attempts, each once, in order."""
    return list(dict.fromkeys(a.line for a in player.record.attempts))


def played_at(now: float) -> datetime:
    """Return *now* (Unix seconds) as an aware time."""
    return datetime.fromtimestamp(now, UTC)
