"""What the faces of all carriers have in common: switches, numbers, the log."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar
from urllib.parse import urlsplit

from attrs import field, frozen

from ..wire import Failure, Json, Reply, Request, Response
from .core import Core
from .courier import Courier, in_words
from .faults import Answer, Faults, Switch
from .handset import Arrival, keyword

__all__ = ["Face", "Signing", "as_json", "from_json", "path_of"]


@frozen
class Signing:
    """How a webhook's signature came about.

    *text* is what was signed, *key* which key it was, in words that give no secret
    away.
    """

    text: str = field(default="", repr=False)
    key: str = ""


def as_json(document: Json) -> bytes:
    """Return *document* as compact JSON in UTF-8; half a character becomes `?`."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "replace")


def from_json(body: bytes) -> dict[str, Json] | None:
    """Return the object that *body* holds, or `None` if it is no JSON object."""
    try:
        document: Json = json.loads(body)
    except (ValueError, RecursionError):  # the latter: nested a thousand deep
        return None
    return document if isinstance(document, dict) else None


def path_of(request: Request) -> str:
    """Return the path that *request* asks for."""
    return urlsplit(request.url).path


class Face(ABC):
    """One simulated carrier: `handle` answers requests without any I/O."""

    name: ClassVar[str]
    prefix: ClassVar[str]
    """What the path of every URL begins with."""
    throttled_code: ClassVar[str] = ""
    """The carrier's own code for too many requests, as `refusal` takes it."""
    hooks: Courier
    """The carrier's webhooks, and the switches that spoil them."""

    def __init__(self, core: Core, base_url: str) -> None:
        self.core = core
        self.base_url = base_url
        self._faults = Faults()
        self._opted_out: set[str] = set()
        self._down = False
        self._plug: Callable[[bool], None] | None = None

    def handle(self, request: Request) -> Reply:
        """Answer *request* as the carrier would, or as the switches say."""
        with self.core.lock:
            reply, because = self._handle(request)
            status, answer = in_words(reply)
            self.core.timeline.call(self.name, request, reply, because)
            words = f"{request.method} {path_of(request)}: {answer}"
            self.core.note("call", self.name, words, status)
        return reply

    def outage(self) -> Switch:
        """Be unreachable until turned off: connections are refused."""
        self._set_down(down=True)
        return Switch(lambda: self._set_down(down=False))

    def lose_replies(self, count: int | None = None) -> Switch:
        """Accept sends and ring the handsets, but cut the line instead of answering."""
        return self.answer(Failure("ReadError"), after_acceptance=True, count=count)

    def answer(
        self,
        reply: Answer,
        *,
        count: int | None = None,
        after_acceptance: bool = False,
        name: str = "a switch",
        spent: Callable[[], None] | None = None,
    ) -> Switch:
        """Answer sends with *reply*, instead of accepting them or afterwards.

        A `Failure` is a cut connection; one whose kind ends in `Timeout` is, by real
        HTTP, silence until the client gives up. A function is given what the carrier
        would have answered, once it has accepted, and returns what to answer. *name*
        is for the timeline; *spent* is called when the count is used up.
        """
        with self.core.lock:
            return self._faults.add(
                reply, after=after_acceptance, count=count, name=name, spent=spent
            )

    def refuse(
        self,
        status: int,
        code: str = "",
        *,
        title: str = "",
        detail: str = "",
        count: int | None = None,
    ) -> Switch:
        """Refuse sends with *status* and the carrier's *code*; nothing is sent."""
        reply = self.refusal(status, code, title=title, detail=detail)
        return self.answer(reply, count=count)

    def blocks(self, member: str) -> bool:
        """Tell whether *member* has opted out."""
        return member in self._opted_out

    def opt(self, member: str, *, out: bool) -> None:
        """Take *member* for opted out, or no longer, without a message about it."""
        with self.core.lock:
            (self._opted_out.add if out else self._opted_out.discard)(member)
            self.core.feed.tell("phone", member)

    def signing(self, request: Request) -> Signing:
        """Return what the signature of the webhook *request* is over, and by what."""
        del request
        return Signing()

    @property
    def down(self) -> bool:
        """Tell whether there is an outage."""
        return self._down

    def plug(self, lever: Callable[[bool], None] | None) -> None:
        """Have *lever* called when an outage begins (true) and ends."""
        self._plug = lever

    @property
    @abstractmethod
    def numbers(self) -> tuple[str, ...]:
        """Return the account's numbers."""

    @property
    @abstractmethod
    def settings(self) -> Mapping[str, str]:
        """Return what an application must be told to use this account."""

    @abstractmethod
    def respond(self, request: Request) -> Response:
        """Answer *request* as the carrier would; called with the lock held."""

    @abstractmethod
    def sends(self, request: Request) -> bool:
        """Tell whether *request* asks for a message to be sent."""

    @abstractmethod
    def refusal(self, status: int, code: str, *, title: str, detail: str) -> Response:
        """Return an error in the carrier's shape."""

    @abstractmethod
    def inbound(self, arrival: Arrival) -> None:
        """Take a message for one of this carrier's numbers."""

    def note_keyword(self, arrival: Arrival) -> str | None:
        """Act on STOP and START; return the keyword, if the text is one."""
        word = keyword(arrival.bubble.text)
        if word == "STOP":
            self.opt(arrival.bubble.sender, out=True)
        elif word == "START":
            self.opt(arrival.bubble.sender, out=False)
        return word

    def _handle(self, request: Request) -> tuple[Reply, str]:
        """Return the answer, and what gave it in the carrier's place."""
        if self._down:
            return Failure("ConnectError", unsent=True), "an outage"
        sending = self.sends(request)
        if sending and (instead := self._faults.take(after=False)):
            reply = instead(None) if callable(instead) else instead
            return reply, f"{self._faults.last}; nothing was sent"
        response = self.respond(request)
        accepted = sending and response.status in range(200, 300)
        if accepted and (instead := self._faults.take(after=True)):
            reply = instead(response) if callable(instead) else instead
            return reply, f"{self._faults.last}; the message had been accepted"
        return response, ""

    def _set_down(self, *, down: bool) -> None:
        with self.core.lock:
            self._down = down
            self.core.feed.tell("faults")
            lever = self._plug
        if lever is not None:  # unlocked: closing waits for calls that need the lock
            lever(down)
