"""Nothing that people see shows a number, a text or a secret."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import given, strategies as st

from multigroup import (
    AsyncClient,
    Event,
    MultigroupError,
    Number,
    Receipt,
    WebhookError,
)
from multigroup.asgi import WebhookApp
from multigroup.models import Leg
from multigroup.providers.base import outcome
from multigroup.wire import Failure, Reply, Request, Response
from tests.helpers.world import World
from tests.properties.accounts import ACCOUNTS
from tests.properties.mischief import altered, misplaced
from tests.properties.secrecy import (
    Hidden,
    SecretWorld,
    Shown,
    hidden,
    quoting,
    reusing,
)
from tests.properties.strategies import (
    CARRIERS,
    OWN,
    bandwidth_news,
    bandwidth_received,
    one_in,
    telnyx_news,
    telnyx_received,
    vonage_news,
    vonage_received,
)

carriers = st.sampled_from(CARRIERS)
colours = st.sampled_from(["sync", "async"])
TROUBLE: Final = (
    *("none", "none", "refuse", "refuse", "lose", "throttle", "outage", "garble"),
    *("miscode", "misname", "late", "stop"),
)
PRICE: Final = {"amount": "0.08", "currency": "USD"}


def _trouble(world: World, kind: str, detail: str, secret: Hidden) -> None:
    """Have something go wrong at the carriers, who tell all they know about it."""
    telling = json.dumps({"detail": detail, "errors": [{"title": detail}]}).encode()
    named = json.dumps({"message_uuid": detail, "data": {"id": detail}}).encode()
    instead: dict[str, Reply] = {
        "misname": Response(200, {}, named),
        "throttle": Response(429, {}, telling),
        "garble": Response(200, {"x": detail}, telling),
        "outage": Failure("ConnectError", unsent=True),
    }
    for face in world.network.faces:
        if kind == "refuse":
            face.refuse(422, "10015", title=detail, detail=detail)
        elif kind == "miscode":
            face.refuse(422, detail, title=detail, detail=detail)
        elif kind == "lose":
            face.lose_replies()
        elif kind in instead:
            face.answer(instead[kind])
    if kind == "late":
        for number in secret.group:
            world.phone(number).failing = "spam"


def _send(world: World, shown: Shown, secret: Hidden, **more: Any) -> Receipt | None:
    """Send, and note whatever comes of it."""
    try:
        receipt = world.send(secret.text, to=secret.group, **more)
    except MultigroupError as error:
        shown.error(error)
        return None
    shown.values(receipt, *receipt.attempts, receipt.deliveries, *receipt.notes)
    return receipt


@one_in(2)
@given(st.data(), hidden(), carriers, colours, st.sampled_from(TROUBLE))
def test_a_conversation_shows_nothing(
    data: st.DataObject, secret: Hidden, carrier: Any, colour: Any, kind: str
) -> None:
    """Sends, replies and delivery news, good and bad, show nobody and nothing said."""
    shown = Shown()
    world = SecretWorld(carrier, colour, secret=secret)
    more = {"subject": secret.subject} if carrier == "telnyx" else {}
    with shown.listening():
        _trouble(world, kind, data.draw(quoting(secret)), secret)
        _send(world, shown, secret, media=[secret.url], reference="first", **more)
        _send(world, shown, secret, reference="second")
        _send(world, shown, secret, media=[secret.url], reference="second")
        for number in secret.group[: 1 if kind != "stop" else 4]:
            phone, key = world.phone(number), world.thread(OWN[carrier], *secret.group)
            phone.reply("STOP" if kind == "stop" else secret.text, to=key)
        world.network.settle()
    for reference in ("first", "second"):
        shown.record(world.client._journal.recall("default", reference))
        shown.values(world.wait(world.client.receipt(reference)))
    shown.world(world, secret.group)
    world.close()

    assert world.events
    assert shown.leaks(secret) == []


@one_in(2)
@given(st.data(), hidden(), carriers)
def test_a_webhook_shows_nothing(
    data: st.DataObject, secret: Hidden, carrier: Any
) -> None:
    """Events show nothing, nor do handlers that fail, broken bodies and forgeries."""
    shown = Shown()
    world = SecretWorld(carrier, "async", secret=secret)

    def fails(event: Event) -> None:
        raise ValueError(f"{secret.text} of {secret.group}: {event}")

    world.client.on(Event)(fails)
    for body in _webhooks(data, carrier, secret):
        torn = data.draw(st.sampled_from([body[:-1], b"[" + body + b"]", body * 2]))
        other = data.draw(altered(body))
        with shown.listening():
            for request in (_signed(world, body), _signed(world, torn)):
                _receive(world, shown, request)
            _receive(world, shown, _forged(world, body, other))
    shown.world(world, secret.group)
    world.close()

    assert shown.words
    assert shown.leaks(secret) == []


def _webhooks(data: st.DataObject, carrier: Any, secret: Hidden) -> list[bytes]:
    group, detail = list(secret.group), data.draw(quoting(secret))
    if carrier == "telnyx":
        makers = (
            telnyx_received(group, secret.text, subject=secret.subject),
            telnyx_news(group, detail, group_message_id="g-1", cost=PRICE),
        )
    else:
        makers = vonage_received(group, secret.text), vonage_news(group, detail)
    strange = {"data": {"event_type": detail}, "status": detail}
    told = [data.draw(maker) for maker in makers]
    reused = [data.draw(misplaced(document, reusing(secret))) for document in told]
    documents = [*told, *reused, strange]
    return [json.dumps(document).encode() for document in documents]


def _signed(world: World, body: bytes) -> Request:
    face = world.face
    bare = Request("POST", f"http://127.0.0.1/{face.name}", body=body)
    headers = face._signed(bare, world.network.clock.now())
    return Request(bare.method, bare.url, headers, body)


def _forged(world: World, body: bytes, other: bytes) -> Request:
    genuine = _signed(world, body)
    return Request("POST", genuine.url, genuine.headers, other)


def _receive(world: World, shown: Shown, request: Request) -> None:
    """Take a webhook in, by the client and by the endpoint, whose log is heard."""
    shown.request(request)
    name = world.face.name
    try:
        reception = world.wait(world.client.receive(name, request))
    except WebhookError as error:
        shown.error(error)
    else:
        shown.values(*reception.events, *reception.duplicates)
    assert isinstance(world.client, AsyncClient)
    asyncio.run(_served(WebhookApp(world.client), name, request))


async def _served(app: WebhookApp, name: str, request: Request) -> None:
    headers = [(key.encode(), value.encode()) for key, value in request.headers]
    scope = {"type": "http", "method": "POST", "path": f"/{name}", "headers": headers}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body}

    async def send(_message: Any) -> None:
        pass

    await app(scope, receive, send)


@given(st.data(), hidden())
def test_what_a_carrier_tells_shows_nothing(
    data: st.DataObject, secret: Hidden
) -> None:
    """Bandwidth's events and refusals show ids, words and lengths alone."""
    shown, account = Shown(), ACCOUNTS["bandwidth"]
    group, detail = list(secret.group), data.draw(quoting(secret))
    at = datetime(2026, 11, 27, tzinfo=UTC)
    for maker in (
        bandwidth_received(group, secret.text),
        bandwidth_news(group, detail),
    ):
        told = data.draw(maker)
        reused = data.draw(misplaced(told, reusing(secret)))
        body = json.dumps([told, reused, {"type": detail}]).encode()
        for event in account.parse(body, own=frozenset(), received_at=at):
            shown.event(event)
    leg = Leg(f"{'5e4d' * 8}.0", tuple(map(Number, group)), Request("POST", "/"))
    for field in ("to", detail):
        error = {"fieldName": field, "description": detail, "type": detail}
        refusal = {**error, "fieldErrors": [error], "id": detail}
        for status in (202, 400, 403):
            reply = Response(status, {}, json.dumps(refusal).encode())
            shown.values(outcome(account, leg, reply))

    assert shown.words
    assert shown.leaks(secret) == []


@given(st.data(), hidden(), carriers)
def test_a_mistake_shows_nothing(
    data: st.DataObject, secret: Hidden, carrier: Any
) -> None:
    """What a caller got wrong is told without the numbers and words it was about."""
    shown = Shown()
    world = SecretWorld(carrier, "sync", secret=secret)
    one, two = secret.group[:2]
    wrong: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((one, one), {}),
        ((one, OWN[carrier]), {}),
        ((one, f"+44{two[2:]}"), {}),
        ((one, f"{two}99"), {}),
        ((one, f"{two} ext 5"), {}),
        ((one, secret.text), {}),
        ((f"{one},{two}",), {}),
        (secret.group, {"media": [secret.url[8:]]}),
        (secret.group, {"media": secret.url}),
        (secret.group, {"subject": f"{secret.subject}\ud800"}),
        (secret.group, {"subject": secret.subject, "via": world.client.lines[-1]}),
        (secret.group, {"reference": secret.text * 200}),
        (secret.group * 30, {}),
    ]
    members, more = data.draw(st.sampled_from(wrong))
    with shown.listening():
        try:
            world.send(secret.text, to=members, **more)
        except MultigroupError as error:
            shown.error(error)
    world.close()

    assert shown.leaks(secret) == []
