"""The public API as a stranger would use it: type-checked, never run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import assert_type

from multigroup import (
    Accepted,
    AsyncClient,
    AsyncGroupConversation,
    Client,
    ConversationId,
    Delivery,
    DeliveryStatus,
    DeliveryUpdated,
    Event,
    GroupConversation,
    Line,
    MessageReceived,
    NotSent,
    Receipt,
    Reception,
    Refused,
    Request,
    SendError,
    Telnyx,
    Unknown,
    Vonage,
    normalize,
)
from multigroup.asgi import WebhookApp

telnyx = Telnyx(api_key="KEY", public_key=["one", "two"], name="main")
vonage = Vonage(application_id="id", private_key="pem", signature_secret="s")
line: Line = telnyx.line("+12125550100")
short_code: Line = vonage.line("28228", kind="short_code")


def sync_calls(client: Client) -> None:
    """Everything a blocking application calls."""
    group = client.group("+14155550101", "+14155550102")
    assert_type(group, GroupConversation)
    assert_type(group.id, ConversationId)
    receipt = group.send("hello", media=["https://example.com/a.jpg"], reference="r")
    assert_type(receipt, Receipt)
    assert_type(receipt.deliveries, Mapping[str, Delivery])
    assert_type(receipt.deliveries["+14155550101"].status, DeliveryStatus | None)
    if receipt.cost is not None:
        assert_type(receipt.cost.amount, Decimal)
    assert_type(client.receive("telnyx", Request("POST", "/")), Reception)
    assert_type(client.receipt("r"), Receipt | None)
    WebhookApp(client)


async def async_calls(client: AsyncClient) -> None:
    """Everything an asyncio application calls."""
    group = client.group("+14155550101")
    assert_type(group, AsyncGroupConversation)
    assert_type(await group.send("hello", via=line, deadline=5.0), Receipt)
    assert_type(await client.receive("telnyx", Request("POST", "/")), Reception)
    WebhookApp(client)


def handlers(client: Client) -> None:
    """A handler keeps its own type under the decorator."""

    @client.on(MessageReceived)
    def hello(event: MessageReceived) -> str:
        receipt = client.conversation(event).send(f"got it, {event.sender}")
        return receipt.reference

    @client.on(DeliveryUpdated)
    async def news(event: DeliveryUpdated) -> None: ...

    as_declared: Callable[[MessageReceived], str] = hello
    awaited: Callable[[DeliveryUpdated], Awaitable[None]] = news
    del as_declared, awaited


def outcomes(error: SendError) -> str:
    """A match over an outcome is exhaustive with four cases."""
    for delivery in error.receipt.deliveries.values():
        match delivery.outcome:
            case Accepted(message_id=message_id):
                return message_id
            case Refused(code=code):
                return code
            case NotSent(why=why) | Unknown(why=why):
                return why
    return ""


def alone() -> Receipt:
    """A conversation works without a client."""
    with GroupConversation(["+14155550101", "+14155550102"], via=line) as group:
        return group.send("hello")


events: list[Event] = normalize("vonage", b"{}", own=["+13125550100"])
