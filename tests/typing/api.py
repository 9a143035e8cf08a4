"""The public API as a stranger would use it: type-checked, never run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import assert_type

from multigroup import (
    Accepted,
    AsyncClient,
    AsyncGroupConversation,
    Bandwidth,
    Block,
    BreakerState,
    Candidate,
    Client,
    ConversationId,
    Delivery,
    DeliveryStatus,
    DeliveryUpdated,
    Due,
    Erased,
    Event,
    GroupConversation,
    LateAcceptance,
    Line,
    LineId,
    Media,
    MessageReceived,
    NotSent,
    OptedOutError,
    Page,
    Plan,
    Policy,
    Reason,
    Receipt,
    Reception,
    Refused,
    Request,
    Retention,
    Said,
    SendError,
    SendFailed,
    Telnyx,
    Thread,
    ThreadMoved,
    Twilio,
    Unknown,
    Vonage,
    normalize,
)
from multigroup.asgi import WebhookApp

telnyx = Telnyx(api_key="KEY", public_key=["one", "two"], name="main")
twilio = Twilio(
    account_sid="AC",
    auth_token=["new", "old"],
    messaging_service_sid="MG",
    public_url="https://app.example.com",
    inbound="classic",
)
vonage = Vonage(application_id="id", private_key="pem", signature_secret="s")
bandwidth = Bandwidth(
    account_id="1",
    application_id="2",
    client_id="id",
    client_secret="s",
    callback_credentials=[("user", "one"), ("user", "two")],
    mms_dlr=True,
)
older = Bandwidth(
    account_id="1",
    application_id="2",
    username="user",
    password="p",
    callback_credentials=("user", "one"),
)
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
    page = group.history(limit=20)
    assert_type(page, Page[Said | MessageReceived])
    assert_type([entry.text for entry in page], list[str])
    assert_type(group.history(before=page.next).items[0].media, tuple[Media, ...])
    assert_type(client.conversations().items, tuple[Thread, ...])
    assert_type(client.prune().sends + client.forget("+14155550101").events, int)
    WebhookApp(client, every=60.0)


async def async_calls(client: AsyncClient) -> None:
    """Everything an asyncio application calls."""
    group = client.group("+14155550101")
    assert_type(group, AsyncGroupConversation)
    assert_type(await group.send("hello", via=line, deadline=5.0), Receipt)
    assert_type(await client.receive("telnyx", Request("POST", "/")), Reception)
    assert_type(await group.history(), Page[Said | MessageReceived])
    assert_type(await client.conversations(limit=5), Page[Thread])
    assert_type(await client.prune(), Erased)
    assert_type(await client.forget("+14155550101"), Erased)
    WebhookApp(client, every=60.0)


forgetful = Client(lines=[line], retention=Retention(days=30, text="settled"))


policy = Policy(
    order=[line, short_code],
    sticky=timedelta(days=1),
    failover=True,
    late_failover=True,
    move_note="(our new number)",
    fan_out="canary",
    on_opt_out="drop",
    expires_after=timedelta(minutes=10),
    replay=True,
    breaker_after=3,
    breaker_pause=timedelta(minutes=1),
)
slow: Line = telnyx.line("+12125550101", rate=2.5)


def sync_recovery(client: Client) -> None:
    """What a blocking application does after trouble, and before a send."""
    assert_type(client.retry("r", unknown=True, via=line), Receipt)
    assert_type(client.resume(), tuple[Receipt, ...])
    due = client.run_due()
    assert_type(due, Due)
    assert_type(due.resumed, tuple[Receipt, ...])
    assert_type(due.events, tuple[Event, ...])
    assert_type(due.failures, tuple[Exception, ...])
    assert_type(client.explain("r"), str)
    assert_type(client.breakers, Mapping[LineId, BreakerState])
    plan = client.plan(client.group("+14155550101"), "hello")
    assert_type(plan, Plan)
    assert_type(plan.line, LineId | None)
    assert_type(plan.candidates, tuple[Candidate, ...])
    assert_type(plan.candidates[0].breaker, BreakerState)
    assert_type(plan.candidates[0].able, bool)
    assert_type(plan.blocks, tuple[Block, ...])
    assert_type(plan.blocks[0].since, datetime)


async def async_recovery(client: AsyncClient) -> None:
    """The same in asyncio."""
    assert_type(await client.retry("r", unknown=True, via=line), Receipt)
    assert_type(await client.resume(), tuple[Receipt, ...])
    assert_type(await client.run_due(), Due)
    assert_type(await client.explain("r"), str)
    assert_type(await client.plan(client.group("+14155550101"), "hello"), Plan)
    assert_type(client.breakers, Mapping[LineId, BreakerState])


def our_own_news(client: Client) -> None:
    """Events that are ours tell which send, on which line, and what may be done."""

    @client.on(SendFailed)
    def failed(event: SendFailed) -> None:
        assert_type(event.reason, Reason | None)
        if event.movable:
            client.retry(event.reference, via=line)

    @client.on(LateAcceptance)
    def late(event: LateAcceptance) -> list[str]:
        return [*event.members, event.line.account]

    @client.on(ThreadMoved)
    def moved(event: ThreadMoved) -> ConversationId | None:
        return event.previous or event.conversation

    del failed, late, moved


def opted_out(error: OptedOutError) -> tuple[str, ...]:
    """The error holds whole what its words mask."""
    return error.value


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
