"""What the contract must be told of a carrier, and what all its tests are about."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import permutations
from typing import ClassVar, Final

import httpx

from ...client import Client
from ...events import Event
from ...models import Leg, Message, Number, Scope, SendId
from ...providers.base import Draft, Line, Provider, Rail
from ...wire import Failure, Reply, Request, Response

__all__ = ["MEMBERS", "OURS", "Hooks"]

OURS: Final = Number("+12125550100")
MEMBERS: Final = tuple(Number(f"+1415555010{n}") for n in (1, 2, 3))
_SEND: Final = SendId("5e4d" * 8)


def _http(posts: list[Request], answer: Callable[[Request], Reply]) -> httpx.Client:
    """Return an HTTP client that notes each request in *posts* and has it answered."""

    def carry(given: httpx.Request) -> httpx.Response:
        fields = given.headers.items()
        request = Request(given.method, str(given.url), fields, given.content)
        posts.append(request)
        reply = answer(request)
        if isinstance(reply, Failure):
            raise getattr(httpx, reply.kind)(reply.kind)
        headers = list(reply.headers)
        return httpx.Response(reply.status, headers=headers, content=reply.body)

    return httpx.Client(transport=httpx.MockTransport(carry))


class Hooks(ABC):
    """What a subclass says of its carrier; one instance lives for one test.

    Attributes:
        secrets: every secret the accounts of `provider` and `stranger` are made with.
        ours: the number of our own that groups are texted from.
        now: the time of all tests, in Unix seconds.
    """

    secrets: ClassVar[Sequence[str]]
    ours: ClassVar[str] = OURS
    now: ClassVar[float] = 1_795_000_000.0

    @abstractmethod
    def provider(self) -> Provider:
        """Return an account."""

    @abstractmethod
    def stranger(self) -> Provider:
        """Return another account, whose webhooks are signed with another secret."""

    @abstractmethod
    def carrier(self, request: Request) -> Reply:
        """Answer *request* as the carrier does that takes it."""

    @abstractmethod
    def refusals(self) -> Iterable[tuple[Response, Scope]]:
        """Return refusals of the carrier, each with what it condemns."""

    @abstractmethod
    def signed(self, body: bytes, at: float) -> Request:
        """Return the webhook with *body* as the carrier signs it at the time *at*."""

    @abstractmethod
    def message(self) -> bytes:
        """Return a webhook's body: the first of `MEMBERS` writes "Hi" to the group."""

    @abstractmethod
    def update(self, leg: Leg, message_id: str) -> bytes:
        """Return a webhook's body: news of *leg*, which was taken as *message_id*."""

    @abstractmethod
    def strange(self) -> Iterable[bytes]:
        """Return bodies with a word in them that the carrier may invent one day."""

    def rings(self, request: Request) -> bool:
        """Tell whether *request* makes handsets ring, and does not only set up."""
        return request.method == "POST"

    def line(self) -> Line:
        """Return our own number at the account."""
        return self.provider().line(self.ours)

    def draft(self, *, first: int = 0, callback: str | None = None) -> Draft:
        """Return a message to `MEMBERS`, as a send hands it to the adapter."""
        message = Message("Dinner at 7?")
        return Draft(_SEND, self.line(), MEMBERS, message, first, callback)

    def legs(self, *, first: int = 0) -> tuple[Leg, ...]:
        """Return the legs of such a message."""
        callback = "https://app.example.com/hooks/account"
        draft = self.draft(first=first, callback=callback)
        return self.provider().legs(draft, Rail())

    def client(
        self, posts: list[Request], answer: Callable[[Request], Reply]
    ) -> Client:
        """Return a client on our line whose carrier answers by *answer*."""
        http = _http(posts, answer)
        return Client(lines=[self.line()], http=http, clock=lambda: self.now)

    def read(self, body: bytes) -> Sequence[Event]:
        """Return what the adapter finds in *body*."""
        received_at = datetime.fromtimestamp(self.now, UTC)
        own = frozenset({self.ours})
        return self.provider().parse(body, own=own, received_at=received_at)

    def samples(self) -> Iterator[bytes]:
        """Return every kind of body there is a sample of."""
        yield self.message()
        yield self.update(self.legs()[0], "message-1")
        yield from self.strange()

    def shows_a_secret(self, text: str) -> str | None:
        """Return the secret that *text* shows, also in the form Basic gives it."""
        pairs = (":".join(pair) for pair in permutations(self.secrets, 2))
        coded = (base64.b64encode(pair.encode()).decode() for pair in pairs)
        return next((one for one in (*self.secrets, *coded) if one in text), None)
