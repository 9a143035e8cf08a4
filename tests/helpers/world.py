"""An application on the simulated network: in process, in stepped time, no sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Literal, TypeAlias, TypeVar

import httpx
from attrs import define, field

from multigroup import (
    AsyncClient,
    Client,
    ConversationId,
    DeliveryUpdated,
    Event,
    Line,
    MessageReceived,
    MultigroupError,
    Policy,
    Receipt,
    Telnyx,
    Vonage,
    WebhookError,
    conversation_id,
)
from multigroup.simulator import (
    Handset,
    Network,
    SteppedClock,
    TelnyxFace,
    ThreadKey,
    VonageFace,
)
from multigroup.wire import Failure, Reply, Request, Response

__all__ = ["PEOPLE", "Carrier", "Colour", "World", "transport"]

T = TypeVar("T")
Carrier: TypeAlias = Literal["telnyx", "vonage"]
Colour: TypeAlias = Literal["sync", "async"]

PEOPLE: Final = ("+14155550101", "+14155550102", "+14155550103")
NUMBERS: Final[dict[Carrier, str]] = {
    "telnyx": "+12125550100",
    "vonage": "+13125550100",
}


def transport(network: Network) -> httpx.MockTransport:
    """Return a transport that carries requests to the network's faces."""

    def carry(request: httpx.Request) -> httpx.Response:
        face = network.vonage if "/v1/" in request.url.path else network.telnyx
        reply = face.handle(
            Request(
                request.method,
                str(request.url),
                request.headers.items(),
                request.content,
            )
        )
        if isinstance(reply, Failure):
            raise getattr(httpx, reply.kind)(reply.kind)
        return httpx.Response(
            reply.status, headers=list(reply.headers), content=reply.body
        )

    return httpx.MockTransport(carry)


@define(eq=False)
class World:
    """One client with a line at each carrier, the preferred *carrier* first.

    While it is *deaf* no webhook reaches it.
    """

    carrier: Carrier
    colour: Colour
    policy: Policy = field(factory=Policy)
    journal: str = "memory:"
    deaf: bool = False
    network: Network = field(init=False)
    client: Client | AsyncClient = field(init=False)
    events: list[Event] = field(factory=list[Event], init=False)
    answered: list[int] = field(factory=list[int], init=False)

    def __attrs_post_init__(self) -> None:
        self.network = Network(clock=SteppedClock(), post=self._post, seed=11)
        hooks = "http://127.0.0.1/"
        self.network.telnyx.add_number(NUMBERS["telnyx"], webhook_url=f"{hooks}telnyx")
        self.network.vonage.add_number(
            NUMBERS["vonage"], inbound_url=f"{hooks}vonage", status_url=f"{hooks}vonage"
        )
        lines = sorted(
            self._lines(), key=lambda line: line.provider.name != self.carrier
        )
        self.client = self._client(lines)
        self.client.on(Event)(self.events.append)

    @property
    def face(self) -> TelnyxFace | VonageFace:
        """Return the preferred carrier's face."""
        return self.network.telnyx if self.carrier == "telnyx" else self.network.vonage

    @property
    def number(self) -> str:
        """Return our number at the preferred carrier."""
        return NUMBERS[self.carrier]

    @property
    def other(self) -> Carrier:
        """Return the carrier that is second choice."""
        return "vonage" if self.carrier == "telnyx" else "telnyx"

    @property
    def line(self) -> Line:
        """Return our line at the preferred carrier."""
        return self.client.lines[0]

    @property
    def legs(self) -> int:
        """Return how many requests a send to `PEOPLE` takes at the carrier."""
        return 1 if self.carrier == "telnyx" else len(PEOPLE)

    @property
    def conversation(self) -> ConversationId:
        """Return the identity of `PEOPLE`."""
        return conversation_id(PEOPLE)

    def send(
        self, text: str = "", *, to: tuple[str, ...] = PEOPLE, **more: Any
    ) -> Receipt:
        """Send to a group by either kind of client."""
        return self.wait(self.client.group(*to).send(text, **more))

    def fail(self, kind: type[T], text: str = "", **more: Any) -> T:
        """Send, and return the error of *kind* it must end in."""
        try:
            receipt = self.send(text, **more)
        except MultigroupError as error:
            assert isinstance(error, kind), error  # noqa: PT017 - the type is the result
            return error
        raise AssertionError(f"no {kind.__name__} but {receipt}")

    def receipt(self, reference: str) -> Receipt:
        """Return the send's receipt as it stands by now."""
        receipt = self.wait(self.client.receipt(reference))
        assert receipt is not None
        return receipt

    def phone(self, number: str = PEOPLE[0]) -> Handset:
        """Return one of the phones."""
        return self.network.handset(number)

    def thread(self, number: str, *people: str) -> ThreadKey:
        """Return the key of the thread with *number* and *people*."""
        return ThreadKey(number, frozenset(people or PEOPLE))

    def heard(self) -> list[MessageReceived]:
        """Return the messages the application was told of."""
        return [event for event in self.events if isinstance(event, MessageReceived)]

    def updates(self) -> list[DeliveryUpdated]:
        """Return the delivery news the application was told of."""
        return [event for event in self.events if isinstance(event, DeliveryUpdated)]

    def wait(self, answer: T | Coroutine[Any, Any, T]) -> T:
        """Return *answer*, run to its end if it has to be awaited."""
        if isinstance(answer, Coroutine):
            value: T = asyncio.run(answer)
            return value
        return answer

    def close(self) -> None:
        """Close client and network."""
        self.wait(self.client.close())
        self.network.close()

    def _lines(self) -> tuple[Line, Line]:
        telnyx, vonage = self.network.telnyx, self.network.vonage
        return (
            Telnyx(
                api_key=telnyx.api_key,
                public_key=telnyx.public_key,
                base_url=telnyx.base_url,
            ).line(NUMBERS["telnyx"]),
            Vonage(
                api_key=vonage.api_key,
                api_secret=vonage.api_secret,
                signature_secret=vonage.signature_secret,
                base_url=vonage.base_url,
            ).line(NUMBERS["vonage"]),
        )

    def _client(self, lines: list[Line]) -> Client | AsyncClient:
        clock: Callable[[], float] = self.network.clock.now
        carrier = transport(self.network)
        callback = "http://127.0.0.1"
        if self.colour == "sync":
            return Client(
                lines=lines,
                policy=self.policy,
                journal=self.journal,
                http=httpx.Client(transport=carrier),
                webhook_url=callback,
                clock=clock,
                sleep=self._sleep,
            )
        return AsyncClient(
            lines=lines,
            policy=self.policy,
            journal=self.journal,
            http=httpx.AsyncClient(transport=carrier),
            webhook_url=callback,
            clock=clock,
            sleep=self._asleep,
        )

    def _sleep(self, seconds: float) -> None:
        """Let the simulated time pass."""
        self.network.advance(seconds)

    async def _asleep(self, seconds: float) -> None:
        """Let it pass on a thread: webhooks that come meanwhile run their own loop."""
        await asyncio.to_thread(self.network.advance, seconds)

    def _post(self, request: Request, _timeout: float) -> Reply:
        """Take a webhook as a web framework would hand it over."""
        if self.deaf:
            return Failure("ConnectError")
        name = request.url.partition("?")[0].rpartition("/")[2]
        try:
            status = self.wait(self.client.receive(name, request)).status
        except WebhookError as error:
            status = error.status
        self.answered.append(status)
        return Response(status)
