"""telnyx (Python), unmodified: what it sends, what it verifies, where it is wrong."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from multigroup import Client, SignatureError, Telnyx, UncertainError
from multigroup.simulator import Courier, Network, Switch
from multigroup.wire import Reply, Request, Response
from tests.oracles.conftest import GROUP, TELNYX, A, B, Stage
from tests.oracles.sdks import sdk

telnyx: Any = sdk("telnyx")
sdk("nacl")

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def client(stage: Stage) -> Any:
    """Give the SDK's client, as its README makes it."""
    face = stage.network.telnyx
    return telnyx.Telnyx(api_key=face.api_key, public_key=face.public_key)


def send(client: Any, text: str = "Hello") -> Any:
    """Text the group by the SDK."""
    return client.messages.send_group_mms(from_=TELNYX, to=[A, B], text=text)


def unwrapped(client: Any, webhook: Request) -> Any:
    """Return what the SDK reads in *webhook*, which it verifies first."""
    return client.webhooks.unwrap(webhook.body.decode(), headers=dict(webhook.headers))


def test_a_group_send_reaches_the_phones(stage: Stage, client: Any) -> None:
    """The SDK reads our reply into its own types, and the group is a group."""
    sent = send(client)
    assert sent.data.id
    assert [one.phone_number for one in sent.data.to] == [A, B]
    ((thread, bubbles),) = stage.threads().items()
    assert (thread.members, len(bubbles)) == (GROUP, 1)


def test_it_works_by_plain_http_and_async(stage: Stage) -> None:
    """A base URL is enough for it, in both colours."""
    face = stage.network.telnyx
    settings = {"api_key": face.api_key, "base_url": face.base_url}

    async def story() -> None:
        async with telnyx.AsyncTelnyx(**settings) as client:
            await client.messages.send_group_mms(from_=TELNYX, to=[A, B], text="Hi")

    with telnyx.Telnyx(**settings) as client:
        send(client, "Hi")
    asyncio.run(story())
    assert stage.copies("Hi") == 2


def test_a_message_can_be_looked_up(stage: Stage, client: Any) -> None:
    """What was sent is found again under its id."""
    sent = send(client)
    assert client.messages.retrieve(sent.data.id).data.id == sent.data.id
    assert len(stage.threads()) == 1


@pytest.mark.parametrize(
    ("to", "error"), [(["+1"], "BadRequestError"), ([A], "BadRequestError")]
)
def test_a_refusal_is_an_error_of_its_own(
    stage: Stage, client: Any, to: list[str], error: str
) -> None:
    """Our error documents become the SDK's exceptions, and no phone rings."""
    with pytest.raises(getattr(telnyx, error)):
        client.messages.send_group_mms(from_=TELNYX, to=to, text="Hello")
    assert stage.threads() == {}


def test_a_wrong_key_is_an_authentication_error(stage: Stage) -> None:
    """401 is told apart from other refusals."""
    with pytest.raises(telnyx.AuthenticationError):
        send(telnyx.Telnyx(api_key=stage.network.telnyx.api_key + "0"))


def webhooks(stage: Stage, client: Any) -> list[Request]:
    """Return the webhooks of a send, and of an answer to it."""
    send(client)
    stage.network.handset(B).reply("Yes")
    return stage.webhooks()


def test_its_verifier_accepts_every_webhook(stage: Stage, client: Any) -> None:
    """Every signature of the simulator's is right by the SDK's own judgement."""
    taken = webhooks(stage, client)
    kinds = {json.loads(one.body)["data"]["event_type"] for one in taken}
    assert kinds == {"message.sent", "message.finalized", "message.received"}
    for webhook in taken:
        unwrapped(client, webhook)


@pytest.mark.parametrize(
    "spoil", [Courier.tamper, Courier.unsigned, lambda hooks: hooks.stale(320)]
)
def test_both_verifiers_refuse_what_is_spoilt(
    stage: Stage, client: Any, spoil: Callable[[Courier], None]
) -> None:
    """The SDK refuses an altered, unsigned or stale webhook, and so do we."""
    send(client)
    stage.webhooks()
    face = stage.network.telnyx
    spoil(face.hooks)
    stage.network.handset(B).reply("Yes 1")
    (webhook,) = stage.webhooks()
    ours = Telnyx(api_key=face.api_key, public_key=face.public_key)

    with pytest.raises(ValueError, match=r"(?i)signature|timestamp"):
        unwrapped(client, webhook)
    with pytest.raises(SignatureError):
        ours.verify(webhook, stage.network.now())


def test_both_verifiers_refuse_another_key(stage: Stage, client: Any) -> None:
    """What one account signs is nothing to another, by the SDK and by us."""
    send(client)
    other = Network(seed=99).telnyx.public_key
    ours = Telnyx(api_key="KEY", public_key=other)
    for webhook in stage.webhooks():
        with pytest.raises(ValueError, match="does not match"):
            client.webhooks.unwrap(
                webhook.body.decode(), headers=dict(webhook.headers), key=other
            )
        with pytest.raises(SignatureError):
            ours.verify(webhook, stage.network.now())


def test_our_verifier_agrees_with_it(stage: Stage, client: Any) -> None:
    """What the SDK accepts we accept, by the same key."""
    face = stage.network.telnyx
    ours = Telnyx(api_key=face.api_key, public_key=face.public_key)
    for webhook in webhooks(stage, client):
        unwrapped(client, webhook)
        ours.verify(webhook, stage.network.now())


def test_it_mistypes_the_webhooks_of_groups(stage: Stage, client: Any) -> None:
    """A fact of the SDK: a group's message and its end are "replaced link clicks".

    `message.received` and `message.finalized` come out as that event, their payload a
    plain dict; only `message.sent` has the type it should.
    """
    read = defaultdict(set)
    for webhook in webhooks(stage, client):
        kind = json.loads(webhook.body)["data"]["event_type"]
        read[kind].add(type(unwrapped(client, webhook)).__name__)
    assert read == {
        "message.sent": {"DeliveryUpdateWebhookEvent"},
        "message.finalized": {"ReplacedLinkClickWebhookEvent"},
        "message.received": {"ReplacedLinkClickWebhookEvent"},
    }


def lossy(stage: Stage, reply: Reply | None) -> Switch:
    """Have sends accepted and then answered by *reply*, or by nothing."""
    face = stage.network.telnyx
    if reply is None:
        return face.lose_replies()
    return face.answer(reply, after_acceptance=True)


LOST = [None, Response(500), Response(503)]


@pytest.mark.parametrize("reply", LOST)
def test_it_sends_three_copies_after_a_lost_reply(
    stage: Stage, client: Any, reply: Reply | None
) -> None:
    """A fact of the SDK: it posts thrice, without a key by which to tell them apart."""
    errors = (telnyx.APIConnectionError, telnyx.InternalServerError)
    with lossy(stage, reply), pytest.raises(errors):
        send(client, "Dinner?")
    assert stage.copies("Dinner?") == 3


@pytest.mark.parametrize("reply", LOST)
def test_we_send_one(stage: Stage, reply: Reply | None) -> None:
    """The same lost reply, by this library: one copy, and an error that says so."""
    face = stage.network.telnyx
    account = Telnyx(api_key=face.api_key, public_key=face.public_key)
    with (
        Client(lines=[account.line(TELNYX)]) as client,
        lossy(stage, reply),
        pytest.raises(UncertainError),
    ):
        client.group(A, B).send("Dinner?")
    assert stage.copies("Dinner?") == 1
