"""vonage (Python), unmodified: what it sends, what it verifies, where it is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from multigroup import Client, SignatureError, UncertainError, Vonage
from multigroup.signatures import bearer
from multigroup.simulator import Courier, ThreadKey
from multigroup.wire import Request
from tests.oracles.conftest import GROUP, VONAGE, A, B, Stage
from tests.oracles.sdks import sdk

vonage: Any = sdk("vonage")
messages: Any = sdk("vonage_messages")
verify_signature: Any = getattr(sdk("vonage_jwt"), "verify_signature", None)

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def client(stage: Stage) -> Any:
    """Give the SDK's client, with an application's key, as its README makes it."""
    face = stage.network.vonage
    auth = vonage.Auth(application_id=face.application_id, private_key=face.private_key)
    return vonage.Vonage(auth)


@pytest.fixture
def direct(stage: Stage) -> Any:
    """Give a client that knows no proxy but the carrier's own port."""
    face = stage.network.vonage
    auth = vonage.Auth(api_key=face.api_key, api_secret=face.api_secret)
    host = stage.front.base_urls["vonage"].removeprefix("https://")
    return vonage.Vonage(auth, vonage.HttpClientOptions(api_host=host))


def text(said: str = "Hello", **more: Any) -> Any:
    """Return an MMS of the SDK's own, to one person."""
    return messages.MmsText(to=A[1:], from_=VONAGE[1:], text=said, **more)


def test_a_send_reaches_the_phone(stage: Stage, client: Any) -> None:
    """The SDK's token is taken, and our reply read into its own type."""
    assert client.messages.send(text()).message_uuid
    assert stage.copies("Hello") == 1


def test_it_works_on_the_carriers_own_port(
    stage: Stage, direct: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Basic credentials and `api_host` it needs no proxy."""
    monkeypatch.delenv("HTTPS_PROXY")
    assert direct.messages.send(text()).message_uuid
    assert stage.copies("Hello") == 1


def test_a_refusal_is_an_error_of_its_own(stage: Stage, client: Any) -> None:
    """Our problem documents become the SDK's exceptions, and no phone rings."""
    errors = sdk("vonage_http_client").errors
    with pytest.raises(errors.HttpRequestError):
        client.messages.send(
            messages.MmsText(to=A[1:], from_="14155550199", text="Hello")
        )
    assert stage.threads() == {}


def test_it_drops_the_group(stage: Stage, client: Any) -> None:
    """A fact of the SDK: `mms.participants` is dropped, and the "group" is one to one.

    It raises nothing and returns an id; no phone shows a group.
    """
    for member, other in ((A, B), (B, A)):
        client.messages.send(
            messages.MmsText(
                to=member[1:],
                from_=VONAGE[1:],
                text="Dinner?",
                mms={"participants": [other[1:]]},
            )
        )
    for member in (A, B):
        ((thread, _),) = stage.threads(member).items()
        assert thread.members == {member}


def test_a_field_of_ones_own_keeps_the_group(stage: Stage, client: Any) -> None:
    """One line around the fact above: a subclass with the field that is missing."""
    kind: Any = type(
        "GroupText",
        (messages.MmsText,),
        {"__annotations__": {"mms": dict[str, list[str]]}},
    )
    message = {"from_": VONAGE[1:], "text": "Dinner?"}
    client.messages.send(kind(to=A[1:], mms={"participants": [B[1:]]}, **message))
    ((thread, _),) = stage.threads().items()
    assert thread.members == GROUP


def inbound(stage: Stage, said: str = "Yes 1") -> Request:
    """Have B write to the group on our number, and return the webhook of it."""
    stage.network.handset(B).reply(said, to=ThreadKey(VONAGE, GROUP))
    (webhook,) = stage.webhooks()
    return webhook


def token(webhook: Request) -> str:
    """Return the JWT of *webhook*."""
    found = bearer(webhook.headers.get("authorization"))
    assert found is not None
    return found


def ours(stage: Stage) -> Vonage:
    """Return our own account."""
    face = stage.network.vonage
    return Vonage(
        api_key=face.api_key,
        api_secret=face.api_secret,
        signature_secret=face.signature_secret,
    )


def test_its_verifier_accepts_every_webhook(stage: Stage, client: Any) -> None:
    """Every token of the simulator's is right by the SDK's own judgement, and ours."""
    client.messages.send(text())
    secret = stage.network.vonage.signature_secret
    taken = [*stage.webhooks(), inbound(stage)]
    assert len(taken) == 3
    for webhook in taken:
        assert verify_signature(token(webhook), secret) is True
        ours(stage).verify(webhook, stage.network.now())


def test_both_verifiers_refuse_another_secret(stage: Stage) -> None:
    """A token that somebody else signed is refused by the SDK, and by us."""
    webhook = inbound(stage)
    other = "0" * 64
    assert verify_signature(token(webhook), other) is False
    account = Vonage(api_key="k", api_secret="s", signature_secret=other)
    with pytest.raises(SignatureError):
        account.verify(webhook, stage.network.now())


def test_its_verifier_does_not_look_at_the_body(stage: Stage) -> None:
    """A fact of the SDK: an altered body passes, for only the token is checked.

    The body is bound by the token's `payload_hash`, which the application must compare
    itself; this library does.
    """
    Courier.tamper(stage.network.vonage.hooks)
    webhook = inbound(stage)
    secret = stage.network.vonage.signature_secret
    assert verify_signature(token(webhook), secret) is True
    with pytest.raises(SignatureError, match="body"):
        ours(stage).verify(webhook, stage.network.now())


def test_its_verifier_does_not_look_at_the_time(stage: Stage) -> None:
    """A fact of the SDK: a token of last week passes; this library asks for another."""
    stage.network.vonage.hooks.stale(7 * 86_400)
    webhook = inbound(stage)
    secret = stage.network.vonage.signature_secret
    assert verify_signature(token(webhook), secret) is True
    with pytest.raises(SignatureError, match="stale"):
        ours(stage).verify(webhook, stage.network.now())


def test_it_sends_ten_copies_after_a_lost_reply(
    stage: Stage, direct: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fact of the SDK: a line closed without an answer has it post ten times."""
    monkeypatch.delenv("HTTPS_PROXY")
    errors = sdk("requests").exceptions
    with stage.network.vonage.lose_replies(), pytest.raises(errors.ConnectionError):
        direct.messages.send(text("Dinner?"))
    assert stage.copies("Dinner?") == 10


def test_behind_a_proxy_it_sends_forty(stage: Stage, client: Any) -> None:
    """A fact of the SDK: through CONNECT its HTTP library tries each of the ten again.

    A line closed after the tunnel stood is taken for a proxy that could not be reached,
    which a retry policy meant for connecting lets it try three times more.
    """
    errors = sdk("requests").exceptions
    with stage.network.vonage.lose_replies(), pytest.raises(errors.ConnectionError):
        client.messages.send(text("Dinner?"))
    assert stage.copies("Dinner?") == 40


def test_we_send_one_per_member(stage: Stage) -> None:
    """The same lost replies, by this library: one copy each, and an error of it."""
    with (
        Client(lines=[ours(stage).line(VONAGE)]) as client,
        stage.network.vonage.lose_replies(),
        pytest.raises(UncertainError),
    ):
        client.group(A, B).send("Dinner?")
    for member in (A, B):
        ((thread, bubbles),) = stage.threads(member).items()
        assert (thread.members, len(bubbles)) == (GROUP, 1)
