"""Webhooks on their way: signed at every try, retried, and spoilt on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import assert_never

from ..wire import Failure, Reply, Request, Response
from .agenda import Errand
from .core import Core
from .faults import Switch
from .parcels import REFUSED, Parcel, Policy, Sign, Trial, doubling
from .spoiling import Spoil, Spoils, missigned, tampered
from .timeline import Attempt, Delivery

__all__ = [
    "REFUSED",
    "Courier",
    "Parcel",
    "Policy",
    "Sign",
    "Trial",
    "doubling",
    "in_words",
]

_OVERTAKEN_FOR = 5.0  # seconds to wait for another webhook to go first


class Courier:
    """Deliver one carrier's webhooks, and hold the switches that spoil them.

    A switch with a *count* acts on that many next tries, then turns itself off.
    """

    def __init__(
        self,
        core: Core,
        carrier: str,
        policy: Policy,
        sign: Sign,
        keep: Callable[[Parcel, Trial], None] = lambda _parcel, _trial: None,
    ) -> None:
        self._keep = keep
        self._core = core
        self._carrier = carrier
        self._policy = policy
        self._sign = sign
        self._spoils = Spoils()
        self._holding = False
        self._held: list[Delivery] = []
        self._overtaken: list[Delivery] = []

    def submit(self, parcel: Parcel, delay: float = 0.0) -> None:
        """Deliver *parcel* in *delay* seconds; with nowhere to go it is dropped."""
        with self._core.lock:
            delivery = self._core.timeline.delivery(self._carrier, parcel)
            if not parcel.urls:
                self._drop(delivery, "no webhook URL is set")
                return
            late = self._spoils.take("late")
            if late is not None:
                delivery.why = f"{late:g} s late"
            self.schedule(delivery, delay + (late or 0.0))

    def tamper(self, count: int = 1) -> None:
        """Change one digit of the body after it was signed; it stays valid JSON."""
        self.spoil("tampered", count=count)

    def unsigned(self, count: int = 1) -> None:
        """Leave the signature out."""
        self.spoil("unsigned", count=count)

    def stale(self, seconds: float, count: int = 1) -> None:
        """Sign as if it were *seconds* ago; negative means from the future."""
        self.spoil("stale", seconds=seconds, count=count)

    def duplicate(self, count: int = 1) -> None:
        """Deliver the next events twice; the copy has one try."""
        self.spoil("twice", count=count)

    def spoil(
        self,
        kind: Spoil,
        *,
        seconds: float = 0.0,
        count: int | None = None,
        spent: Callable[[], None] | None = None,
    ) -> Switch:
        """Spoil the next *count* webhooks in this way, or all until turned off.

        *spent* is called when the count is used up.
        """
        with self._core.lock:
            return self._spoils.add(kind, seconds=seconds, count=count, spent=spent)

    def hold(self) -> Switch:
        """Keep what falls due until `release()` or the end of a `with`."""
        self._holding = True
        return Switch(self.release)

    def release(self, *, reverse: bool = False) -> None:
        """Deliver what was held, in order or the last first."""
        with self._core.lock:
            held, self._held = self._held, []
            self._holding = False
            for delivery in reversed(held) if reverse else held:
                self.schedule(delivery, 0.0)

    def schedule(self, delivery: Delivery, seconds: float) -> None:
        """Have the next try in *seconds*, whatever was planned before."""
        delivery.ticket += 1
        delivery.state = "due"
        delivery.next_at = self._core.when(seconds)
        self._core.later(seconds, partial(self._fall_due, delivery, delivery.ticket))
        self._core.timeline.changed(delivery)

    def park(self, delivery: Delivery, *, until_overtaken: bool = False) -> None:
        """Hold *delivery*: until released, or until another one has gone."""
        self.unpark(delivery)
        why = "until another one has gone first" if until_overtaken else ""
        delivery.stop("held", why)
        (self._overtaken if until_overtaken else self._held).append(delivery)
        self._core.timeline.changed(delivery)

    def unpark(self, delivery: Delivery) -> None:
        """Take *delivery* off the list of those that wait for a word."""
        for waiting in (self._held, self._overtaken):
            if delivery in waiting:
                waiting.remove(delivery)

    def send(
        self,
        delivery: Delivery,
        mark: str,
        *,
        request: Request | None = None,
        wrongly: bool = False,
    ) -> None:
        """Send it once more, beside the carrier's own tries and without a retry.

        It goes as *request*, or signed anew, *wrongly* if so wished.
        """
        extra = partial(self._extra, delivery, mark, request, wrongly=wrongly)
        self._core.later(0.0, extra)

    def _drop(self, delivery: Delivery, why: str) -> None:
        delivery.stop("dropped", why)
        words = f"{delivery.parcel.about}: {why}"
        self._core.note("webhook", self._carrier, words)
        self._core.timeline.changed(delivery)

    def _fall_due(self, delivery: Delivery, ticket: int) -> Errand | None:
        with self._core.lock:
            if ticket != delivery.ticket:
                return None
            if self._holding and not delivery.waved_on:
                self.park(delivery)
                return None
            if delivery.tries == 0 and not self._first(delivery):
                return None
            delivery.tries += 1
            delivery.stop("under way")
            request, marks = self._sealed(delivery, delivery.tries)
            attempt = self._attempt(delivery, request, marks)
        done = partial(self._conclude, delivery, attempt)
        return Errand(request, self._policy.timeout, done)

    def _first(self, delivery: Delivery) -> bool:
        """Do what may happen to an event before its first try; tell if that comes."""
        if self._spoils.take("never") is not None:
            self._drop(delivery, "never delivered, as a switch says")
            return False
        if delivery.waved_on:
            return True
        if not self._overtaken and self._spoils.take("out_of_order") is not None:
            self.park(delivery, until_overtaken=True)
            delivery.waved_on = True
            self._core.later(_OVERTAKEN_FOR, partial(self._let_go, (delivery,)))
            return False
        if self._spoils.take("twice") is not None:
            self.send(delivery, "a copy")
        return True

    def _let_go(self, waiting: Iterable[Delivery]) -> None:
        with self._core.lock:
            for delivery in tuple(waiting):
                if delivery in self._overtaken:
                    self._overtaken.remove(delivery)
                    self.schedule(delivery, 0.0)

    def _extra(
        self,
        delivery: Delivery,
        mark: str,
        request: Request | None,
        *,
        wrongly: bool,
    ) -> Errand:
        with self._core.lock:
            marks: tuple[str, ...] = ()
            if request is None:
                number = max(1, delivery.tries)
                request, marks = self._sealed(delivery, number, wrongly=wrongly)
            attempt = self._attempt(delivery, request, (mark, *marks))
        done = partial(self._conclude_extra, delivery, attempt, mark)
        return Errand(request, self._policy.timeout, done)

    def _attempt(
        self, delivery: Delivery, request: Request, marks: tuple[str, ...]
    ) -> Attempt:
        number = max(1, delivery.tries)
        return self._core.timeline.attempt(delivery, number, request, marks)

    def _sealed(
        self, delivery: Delivery, number: int, *, wrongly: bool = False
    ) -> tuple[Request, tuple[str, ...]]:
        url = self._policy.url_for(delivery.parcel, number)
        body = delivery.parcel.render(number, url)
        marks: list[str] = []
        age = self._spoils.take("stale")
        if age is not None:
            marks.append(f"signed as if {age:g} s ago")
        request = Request("POST", url, self._policy.headers, body)
        proof = dict(self._sign(request, self._core.now() - (age or 0.0)))
        if self._spoils.take("wrongly_signed") is not None:
            marks.append("wrongly signed")
            wrongly = True
        if wrongly:
            proof = missigned(proof)
        if self._spoils.take("unsigned") is not None:
            marks.append("unsigned")
            proof = {}
        if self._spoils.take("tampered") is not None:
            marks.append("one digit changed after signing")
            body = tampered(body)
        headers = request.headers.merged(proof)
        return Request("POST", url, headers, body), tuple(marks)

    def _conclude(self, delivery: Delivery, attempt: Attempt, reply: Reply) -> None:
        policy, (status, answer) = self._policy, in_words(reply)
        number = attempt.number
        words = f"{delivery.parcel.about}: try {number}, {answer}"
        with self._core.lock:
            attempt.end(reply)
            wait = policy.wait_after(delivery.parcel, number)
            if policy.settled(reply):
                delivery.state = "delivered" if policy.succeeds(reply) else "refused"
            elif wait is None:
                words += ", given up"
                delivery.state = "given up"
            else:
                words += f", next in {wait:g} s"
            self._core.note("webhook", self._carrier, words, status)
            if delivery.state == "under way" and wait is not None:
                self.schedule(delivery, wait)
            self._core.timeline.changed(delivery)
            self._let_go(self._overtaken)
            self._keep(delivery.parcel, self._trial(delivery, attempt, reply))

    def _trial(self, delivery: Delivery, attempt: Attempt, reply: Reply) -> Trial:
        return Trial(
            attempt.request,
            reply,
            attempt.at.timestamp(),
            self._core.now(),
            success=self._policy.succeeds(reply),
            last=delivery.state != "due",
        )

    def _conclude_extra(
        self, delivery: Delivery, attempt: Attempt, mark: str, reply: Reply
    ) -> None:
        status, answer = in_words(reply)
        words = f"{delivery.parcel.about}: {mark}, {answer}"
        with self._core.lock:
            attempt.end(reply)
            self._core.note("webhook", self._carrier, words, status)
            self._core.timeline.changed(delivery)


def in_words(reply: Reply) -> tuple[int | None, str]:
    """Return the HTTP status of *reply*, if any, and what to call it in the log."""
    match reply:
        case Response():
            return reply.status, str(reply.status)
        case Failure():
            return None, reply.kind
        case _:
            assert_never(reply)
