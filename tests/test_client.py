"""The two faces: what they share, and what each setting does."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import pytest
from attrs import define, field

from multigroup import (
    AsyncClient,
    AsyncGroupConversation,
    Client,
    ConfigError,
    DeliveryStatus,
    Event,
    GroupConversation,
    InvalidNumberError,
    Line,
    LineId,
    MemoryJournal,
    MessageReceived,
    Number,
    Receipt,
    Reception,
    Request,
    SendError,
    Telnyx,
    ThreadMoved,
    Timeouts,
    UncertainError,
    UnsupportedError,
    Vonage,
    conversation_id,
)
from tests.helpers.faults import FaultServer, Mode
from tests.helpers.world import Carrier, Colour

ANA, BEN, CLEO = PEOPLE = tuple(Number(f"+1415555010{n}") for n in (1, 2, 3))
CROWD: Final = tuple(f"+141555501{n:02}" for n in range(10, 19))
NOW: Final = 1_795_000_000.0


class OpenTelnyx(Telnyx):
    """A Telnyx account that takes every webhook for genuine."""

    def verify(self, request: Request, now: float) -> None:
        """Trust everybody."""


TELNYX: Final = OpenTelnyx(api_key="KEY1").line("+12125550100")
VONAGE: Final = Vonage(api_key="key", api_secret="secret").line("+13125550100")
LINES: Final[dict[Carrier, Line]] = {"telnyx": TELNYX, "vonage": VONAGE}


@define
class Server:
    """Accepts every message, or answers as told; keeps the bodies."""

    status: int = 200
    bodies: list[dict[str, Any]] = field(factory=list[dict[str, Any]])

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer with an id that both carriers' adapters find."""
        body = json.loads(request.content)
        self.bodies.append(body)
        name = f"id for {body['to']}"
        answer = {"data": {"id": name}, "message_uuid": name, "title": "No"}
        return httpx.Response(self.status, json=answer)

    @property
    def texts(self) -> list[str]:
        """Return what was said."""
        return [body["text"] for body in self.bodies]


@pytest.fixture
def server() -> Server:
    """Give a carrier that accepts everything."""
    return Server()


def sync_client(server: Server, *lines: Line, **more: Any) -> Client:
    """Return a client that speaks to *server*."""
    http = httpx.Client(transport=httpx.MockTransport(server))
    return Client(lines=lines or (TELNYX, VONAGE), http=http, **more)


def async_client(server: Server, *lines: Line, **more: Any) -> AsyncClient:
    """Return an async client that speaks to *server*."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(server))
    return AsyncClient(lines=lines or (TELNYX, VONAGE), http=http, **more)


def public(cls: type) -> dict[str, Callable[..., Any]]:
    """Return the public methods of *cls*, and its constructor."""
    found = inspect.getmembers(cls, inspect.isfunction)
    return {n: f for n, f in found if n == "__init__" or not n.startswith("_")}


PAIRS: Final = [(Client, AsyncClient), (GroupConversation, AsyncGroupConversation)]
METHODS: Final = [
    (sync, awaited, name) for sync, awaited in PAIRS for name in public(sync)
]


@pytest.mark.parametrize(("sync", "awaited"), PAIRS, ids=["client", "conversation"])
def test_both_faces_have_the_same_methods(sync: type, awaited: type) -> None:
    """What one colour can do, the other can."""
    assert set(public(sync)) == set(public(awaited))
    assert {"__init__", "close"} < set(public(sync))


@pytest.mark.parametrize(
    ("sync", "awaited", "name"),
    METHODS,
    ids=[f"{sync.__name__}.{name}" for sync, _, name in METHODS],
)
def test_both_faces_take_and_give_the_same(
    sync: type, awaited: type, name: str
) -> None:
    """Names, order, kinds, defaults and types agree, but for what is awaited."""

    def spelled(cls: type) -> str:
        signature = str(inspect.signature(public(cls)[name]))
        return signature.replace("Async", "").replace("Awaitable[None]", "None")

    assert spelled(sync) == spelled(awaited)


@pytest.mark.parametrize(("sync", "awaited"), PAIRS, ids=["client", "conversation"])
def test_what_waits_is_awaited(sync: type, awaited: type) -> None:
    """No method of a sync face is a coroutine; those that do I/O are in the other."""
    waits = {n for n, f in public(awaited).items() if inspect.iscoroutinefunction(f)}

    quick = {"__init__", "conversation", "group", "on"}
    assert waits == set(public(awaited)) - quick
    assert not any(map(inspect.iscoroutinefunction, public(sync).values()))


def receipt_of(
    colour: Colour, carrier: Carrier, status: int, **more: Any
) -> Receipt | None:
    """Return what a send came to, with a clock that stands still."""
    server, lines = Server(status), [LINES[carrier]]

    async def awaited() -> Receipt:
        async with async_client(server, *lines, clock=lambda: NOW) as client:
            return await client.group(*PEOPLE).send("Hello", **more)

    try:
        if colour == "async":
            return asyncio.run(awaited())
        with sync_client(server, *lines, clock=lambda: NOW) as client:
            return client.group(*PEOPLE).send("Hello", **more)
    except SendError as error:
        return error.receipt


@pytest.mark.parametrize("status", [200, 302, 401, 422, 429, 500])
def test_equal_replies_give_equal_receipts(carrier: Carrier, status: int) -> None:
    """The colour of the client is nowhere in the result."""
    receipts = [
        receipt_of(colour, carrier, status, reference="dinner")
        for colour in ("sync", "async")
    ]

    first, second = (
        repr(receipt).replace(receipt.send_id, "the send")
        for receipt in receipts
        if receipt is not None
    )
    assert first == second
    assert "the send" in first


def test_a_conversation_works_alone(carrier: Carrier) -> None:
    """Members and one line are enough; leaving the block closes the connections."""
    with FaultServer.of(Mode.OK) as server:
        line = line_at(carrier, server.url)
        with GroupConversation(PEOPLE[:1], via=line) as group:
            receipt = group.send("Hello")
        assert server.all_hung_up()

    assert receipt.line == line.id
    assert len(server.posts) == 1


def test_an_awaited_conversation_works_alone(carrier: Carrier) -> None:
    """The same with `async with`."""

    async def run(line: Line) -> Receipt:
        async with AsyncGroupConversation(PEOPLE[:1], via=line) as group:
            return await group.send("Hello")

    with FaultServer.of(Mode.OK) as server:
        receipt = asyncio.run(run(line_at(carrier, server.url)))
        assert server.all_hung_up()

    assert receipt.line is not None
    assert len(server.posts) == 1


def line_at(carrier: Carrier, url: str) -> Line:
    """Return a line of *carrier* served at *url*."""
    if carrier == "telnyx":
        return Telnyx(api_key="KEY1", base_url=url).line("+12125550100")
    account = Vonage(api_key="key", api_secret="secret", base_url=url)
    return account.line("+13125550100")


def test_a_conversation_is_its_members(server: Server) -> None:
    """Order and spelling of the numbers do not matter, on either face."""
    with sync_client(server) as client:
        group = client.group("(415) 555-0102", ANA)
        awaited = AsyncGroupConversation([ANA, "415-555-0102"], via=VONAGE)

    assert group.members == awaited.members == (ANA, BEN)
    assert group.id == awaited.id == conversation_id((ANA, BEN))
    assert ANA not in f"{group!r} {awaited!r}"


def test_our_own_line_is_no_member(server: Server) -> None:
    """A group with one of the client's own numbers in it is refused at once."""
    with sync_client(server) as client, pytest.raises(InvalidNumberError):
        client.group(ANA, VONAGE.number)


def heard(line: Line = VONAGE, key: str = "event-1") -> MessageReceived:
    """Return a message that came to *line*."""
    at = datetime.fromtimestamp(NOW, UTC)
    return MessageReceived(
        id=key,
        provider=line.provider.carrier,
        account=line.id.account,
        occurred_at=at,
        received_at=at,
        raw=b"",
        sender=ANA,
        line=line.number,
        members=frozenset(PEOPLE),
        conversation=conversation_id(PEOPLE),
    )


@pytest.mark.parametrize("line", [TELNYX, VONAGE], ids=["telnyx", "vonage"])
def test_an_answer_goes_by_the_line_of_the_event(server: Server, line: Line) -> None:
    """Whatever the client would prefer, the thread goes on where it is."""
    with sync_client(server) as client:
        group = client.conversation(heard(line))
        receipt = group.send("Hello")

    assert group.members == PEOPLE
    assert receipt.line == line.id


def test_an_awaited_answer_goes_by_the_line_of_the_event(server: Server) -> None:
    """The same with `await`."""

    async def run() -> Receipt:
        async with async_client(server) as client:
            return await client.conversation(heard(VONAGE)).send("Hello")

    assert asyncio.run(run()).line == VONAGE.id


def test_an_event_without_members_has_no_conversation(server: Server) -> None:
    """Nobody is guessed: a carrier that left the others out cannot be answered."""
    at = datetime.fromtimestamp(NOW, UTC)
    event = MessageReceived(
        id="event-1",
        provider="vonage",
        account="vonage",
        occurred_at=at,
        received_at=at,
        raw=b"",
        sender=ANA,
        line=VONAGE.number,
        members=None,
        conversation=None,
    )
    with sync_client(server) as client, pytest.raises(ConfigError):
        client.conversation(event)


def test_via_pins_the_line_even_in_an_answer(server: Server) -> None:
    """An explicit line beats the event's, and the move is announced."""
    moves: list[ThreadMoved] = []
    with sync_client(server) as client:
        client.on(ThreadMoved)(moves.append)
        client.group(*PEOPLE).send("Hello", via=VONAGE)
        receipt = client.conversation(heard(VONAGE)).send("Hello again", via=TELNYX)

    assert receipt.line == TELNYX.id
    assert [(move.left, move.joined) for move in moves] == [(VONAGE.id, TELNYX.id)]


def test_via_takes_only_the_clients_own_lines(server: Server) -> None:
    """A line of another client is refused before anything is sent."""
    stranger = Telnyx(api_key="KEY1").line("+16175550100")
    with sync_client(server) as client, pytest.raises(ConfigError, match="not a line"):
        client.group(*PEOPLE).send("Hello", via=stranger)

    assert server.bodies == []


def test_a_line_that_cannot_carry_it_is_named_in_the_notes(server: Server) -> None:
    """Nine people are too many for Telnyx: Vonage takes them, and the notes say so."""
    with sync_client(server) as client:
        receipt = client.group(*CROWD).send("Hello")

    assert receipt.line == VONAGE.id
    (note,) = receipt.notes
    assert note.startswith(f"{TELNYX.id}: ")


def test_a_pinned_line_that_cannot_carry_it_sends_nothing(server: Server) -> None:
    """Who pins a line gets that line or an error."""
    with sync_client(server) as client, pytest.raises(UnsupportedError):
        client.group(*CROWD).send("Hello", via=TELNYX)

    assert server.bodies == []


def webhook(key: str, kind: str, **payload: Any) -> Request:
    """Return a Telnyx webhook."""
    data = {"id": key, "event_type": kind, "payload": payload}
    body = json.dumps({"data": data}).encode()
    return Request("POST", "https://app.test/telnyx", {}, body)


INBOUND: Final = webhook(
    "event-1",
    "message.received",
    **{
        "from": {"phone_number": ANA},
        "to": [{"phone_number": TELNYX.number}],
        "cc": [BEN, CLEO],
        "text": "hi",
    },
)


@define
class Answerer:
    """Handlers that answer a message, and fail when told to, by either colour."""

    colour: Colour
    server: Server
    journal: MemoryJournal = field(factory=MemoryJournal)
    says: list[list[str]] = field(factory=list[list[str]])
    troubles: list[Exception] = field(factory=list[Exception])
    events: list[MessageReceived] = field(factory=list[MessageReceived])

    def receive(self) -> Reception:
        """Take the same webhook in."""
        if self.colour == "async":
            return asyncio.run(self._awaited())
        with sync_client(self.server, journal=self.journal) as client:
            for texts in self.says:

                def handler(event: MessageReceived, says: list[str] = texts) -> None:
                    for text in says:
                        client.conversation(event).send(text)
                    self._end(event)

                client.on(MessageReceived)(handler)
            return client.receive("telnyx", INBOUND)

    async def _awaited(self) -> Reception:
        async with async_client(self.server, journal=self.journal) as client:
            for texts in self.says:

                async def handler(
                    event: MessageReceived, says: list[str] = texts
                ) -> None:
                    for text in says:
                        await client.conversation(event).send(text)
                    self._end(event)

                client.on(MessageReceived)(handler)
            return await client.receive("telnyx", INBOUND)

    def _end(self, event: MessageReceived) -> None:
        self.events.append(event)
        if self.troubles:
            raise self.troubles.pop()


def test_a_handler_that_runs_again_does_not_text_again(
    colour: Colour, server: Server
) -> None:
    """It failed after sending; the second run finds the first run's receipt."""
    app = Answerer(colour, server, says=[["got it"]], troubles=[ValueError("later")])

    assert [app.receive().status for _ in range(3)] == [503, 200, 200]

    assert len(app.events) == 2
    assert server.texts == ["got it"]


def test_each_send_of_a_handler_has_its_own_reference(
    colour: Colour, server: Server
) -> None:
    """`re:<event>:<handler>:<n>`: two answers are two messages, also said again."""
    app = Answerer(
        colour, server, says=[["got it", "got it"]], troubles=[ValueError("later")]
    )
    app.receive()
    app.receive()

    handler = "Answerer._awaited" if colour == "async" else "Answerer.receive"
    about = f"re:{app.events[0].key}:{handler}.<locals>.handler"
    names = [f"{about}:{n}" for n in (1, 2, 3)]
    held = [app.journal.recall("default", name) is not None for name in names]
    assert held == [True, True, False]
    assert server.texts == ["got it", "got it"]


def test_handlers_of_one_event_do_not_take_each_others_references(
    server: Server,
) -> None:
    """The first failed before it sent; run again, both messages are out once."""
    troubles = [ValueError("later")]
    with sync_client(server) as client:

        @client.on(MessageReceived)
        def first(event: MessageReceived) -> None:
            if troubles:
                raise troubles.pop()
            client.conversation(event).send("from the first")

        @client.on(MessageReceived)
        def second(event: MessageReceived) -> None:
            client.conversation(event).send("from the second")

        receptions = [client.receive("telnyx", INBOUND) for _ in range(2)]

    assert receptions[1].failures == ()
    assert sorted(server.texts) == ["from the first", "from the second"]


def test_a_reference_of_ones_own_counts_in_a_handler_too(server: Server) -> None:
    """An explicit reference is used as it is."""
    with sync_client(server) as client:

        @client.on(MessageReceived)
        def answer(event: MessageReceived) -> None:
            client.conversation(event).send("got it", reference="mine")

        client.receive("telnyx", INBOUND)
        receipt = client.receipt("mine")

    assert receipt is not None
    assert receipt.reference == "mine"


def test_outside_a_handler_no_reference_is_made_up_from_an_event(
    server: Server,
) -> None:
    """Two equal sends in a row are two messages."""
    with sync_client(server) as client:
        group = client.conversation(heard(TELNYX))
        first, second = group.send("Hello"), group.send("Hello")

    assert first.reference != second.reference
    assert server.texts == ["Hello", "Hello"]


def test_a_receipt_is_none_until_there_is_one_and_then_grows(server: Server) -> None:
    """Delivery news is in the next receipt; the first one is a frozen snapshot."""
    with sync_client(server) as client:
        assert client.receipt("dinner") is None
        first = client.group(*PEOPLE).send("Hello", reference="dinner")
        name = first.deliveries[ANA].message_id
        status = {"phone_number": ANA, "status": "delivered"}
        client.receive(
            "telnyx", webhook("event-2", "message.finalized", id=name, to=[status])
        )
        later = client.receipt("dinner")

    assert later is not None
    assert first.deliveries[ANA].status is DeliveryStatus.ACCEPTED
    assert later.deliveries[ANA].status is DeliveryStatus.DELIVERED
    assert later.deliveries[BEN].status is DeliveryStatus.ACCEPTED


def test_an_awaited_receipt_is_the_same(server: Server) -> None:
    """`AsyncClient.receipt` gives what `send` gave."""

    async def run() -> tuple[Receipt | None, Receipt, Receipt | None]:
        async with async_client(server) as client:
            before = await client.receipt("dinner")
            sent = await client.group(*PEOPLE).send("Hello", reference="dinner")
            return before, sent, await client.receipt("dinner")

    before, sent, after = asyncio.run(run())

    assert before is None
    assert after == sent


@pytest.mark.parametrize(
    "timeout",
    [0.2, Timeouts(total=0.2), Timeouts.of(0.2)],
    ids=["seconds", "timeouts", "timeouts of seconds"],
)
def test_a_timeout_bounds_the_whole_exchange(timeout: float | Timeouts) -> None:
    """A carrier that does not answer is given up, and what it did is unknown."""
    release = threading.Event()

    def hang(_request: httpx.Request) -> httpx.Response:
        release.wait(5)
        return httpx.Response(200, json={"data": {"id": "too late"}})

    with (
        httpx.Client(transport=httpx.MockTransport(hang)) as http,
        Client(lines=[TELNYX], http=http, timeout=timeout) as client,
        pytest.raises(UncertainError) as caught,
    ):
        client.group(*PEOPLE).send("Hello")
    release.set()

    assert "TotalTimeout" in str(caught.value)


@pytest.mark.parametrize("make", [Client, AsyncClient])
@pytest.mark.parametrize(
    "url", ["app.test/hooks", "ftp://app.test", "", "//app.test", "https:app.test"]
)
def test_a_webhook_url_must_be_a_web_address(
    make: type[Client | AsyncClient], url: str
) -> None:
    """A carrier could never call anything else back."""
    with pytest.raises(ConfigError):
        make(lines=[TELNYX], webhook_url=url)


@pytest.mark.parametrize("make", [Client, AsyncClient])
@pytest.mark.parametrize(
    "settings",
    [
        {"lines": []},
        {"lines": [TELNYX, TELNYX]},
        {"lines": [TELNYX, Telnyx(api_key="KEY2").line("+16175550100")]},
        {"lines": [TELNYX], "journal": "postgresql://db/multigroup"},
    ],
    ids=["no line", "one line twice", "one name twice", "no such journal"],
)
def test_settings_that_contradict_each_other_are_refused(
    make: type[Client | AsyncClient], settings: dict[str, Any]
) -> None:
    """A client that could never work is not made."""
    with pytest.raises(ConfigError):
        make(**settings)


def test_carriers_are_told_where_to_call_back(server: Server) -> None:
    """Each account has its own path, and each leg its own token."""
    with sync_client(server, webhook_url="https://app.test/hooks/") as client:
        receipts = [client.group(ANA).send("Hello", via=line) for line in client.lines]

    told = [body["webhook_url"] for body in server.bodies]
    assert told == [
        f"https://app.test/hooks/telnyx?leg={receipts[0].send_id}.0",
        f"https://app.test/hooks/vonage?leg={receipts[1].send_id}.0",
    ]


def test_namespaces_on_one_journal_do_not_meet(server: Server) -> None:
    """Two applications share a journal, and neither sees the other's sends."""
    journal = MemoryJournal()
    with (
        sync_client(server, journal=journal, namespace="one") as one,
        sync_client(server, journal=journal, namespace="two") as two,
    ):
        one.group(*PEOPLE).send("Hello", reference="dinner", via=VONAGE)
        assert two.receipt("dinner") is None
        two.group(*PEOPLE).send("Other words", reference="dinner")

    assert {*server.texts} == {"Hello", "Other words"}


def test_a_webhook_for_no_account_is_a_mistake_of_settings(server: Server) -> None:
    """`receive` knows the accounts of the client's lines by their names."""
    with sync_client(server) as client, pytest.raises(ConfigError, match="telnyx"):
        client.receive("twilio", INBOUND)


def test_on_gives_the_handler_back(server: Server) -> None:
    """`on` is a decorator: the function stays what it was, and hears subclasses."""
    heard_of: list[Event] = []
    with sync_client(server) as client:

        @client.on(Event)
        def handler(event: Event) -> None:
            heard_of.append(event)

        client.receive("telnyx", INBOUND)
        handler(heard())

    assert [type(event) for event in heard_of] == [MessageReceived, MessageReceived]


def test_lines_are_kept_in_order_of_preference(server: Server) -> None:
    """The first line is tried first."""
    with sync_client(server, VONAGE, TELNYX) as client:
        assert client.lines == (VONAGE, TELNYX)
        receipt = client.group(*PEOPLE).send("Hello")

    assert receipt.line == LineId("vonage", VONAGE.number)
