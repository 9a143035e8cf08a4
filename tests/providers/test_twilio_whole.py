"""Twilio in a client: a send, its receipts, a reply and its answer, over HTTP."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from attrs import define, field

from multigroup import (
    Accepted,
    Client,
    DeliveryStatus,
    MessageReceived,
    Request,
    SignatureError,
    Twilio,
    UncertainError,
)

OURS: Final = "+12125550100"
ANA, BEN = "+14155550101", "+14155550102"
GROUP: Final = "CH" + "1" * 32
URL: Final = "https://app.example.com/hooks/twilio"


@define(eq=False)
class Carrier:
    """A conversation on paper, of whoever it is made for, and what is said in it.

    With *silent* the answer to a message is lost.
    """

    people: list[dict[str, Any]] = field(factory=list[dict[str, Any]])
    said: list[dict[str, str]] = field(factory=list[dict[str, str]])
    silent: bool = False
    asked: list[str] = field(factory=list[str])

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        path = request.url.path.removeprefix("/v1/")
        self.asked.append(f"{request.method} {path}")
        fields = parse_qsl(request.content.decode())
        if path == "ConversationWithParticipants":
            given = [json.loads(v) for name, v in fields if name == "Participant"]
            self.people = [
                {"sid": f"MB{place:032}", **one} for place, one in enumerate(given)
            ]
            return httpx.Response(202, json={"sid": GROUP, "state": "initializing"})
        if path.endswith("/Participants"):
            return httpx.Response(200, json={"participants": self.people})
        if path.endswith("/Messages") and request.method == "POST":
            self.said.append(dict(fields))
            if self.silent:
                raise httpx.ReadTimeout("no answer")
            return httpx.Response(201, json=self.message)
        if path.endswith("/Messages"):
            return httpx.Response(200, json={"messages": [self.message]})
        service = {"messaging_service_sid": "MG" + "5" * 32}
        return httpx.Response(200, json={"sid": GROUP, "state": "active", **service})

    @property
    def message(self) -> dict[str, str]:
        """Return the last message as the carrier lists it."""
        attributes = self.said[-1]["Attributes"]
        return {"sid": f"IM{len(self.said):032}", "attributes": attributes}


@define(eq=False)
class Talk:
    """A client with one line at the carrier on paper."""

    carrier: Carrier
    client: Client
    clock: list[float]

    def hook(self, **form: str) -> Request:
        """Return a webhook of the conversation, signed."""
        sent = {"ConversationSid": GROUP, **form}
        said = URL + "".join(f"{name}{sent[name]}" for name in sorted(sent))
        digest = hmac.digest(b"token", said.encode(), "sha1")
        headers = {"X-Twilio-Signature": base64.b64encode(digest).decode()}
        return Request("POST", URL, headers, urlencode(sent).encode())


@pytest.fixture
def talk() -> Iterator[Talk]:
    """Give a client that talks to the carrier on paper."""
    carrier, clock = Carrier(), [1_795_000_000.0]
    twilio = Twilio(
        account_sid="AC" + "a" * 32,
        auth_token="token",
        messaging_service_sid="MG" + "5" * 32,
    )
    with (
        httpx.Client(transport=httpx.MockTransport(carrier.answer)) as http,
        Client(lines=[twilio.line(OURS)], http=http, clock=lambda: clock[0]) as client,
    ):
        yield Talk(carrier, client, clock)


def test_a_send_is_followed_to_every_member(talk: Talk) -> None:
    """The receipts name participants by id; each finds its member's delivery."""
    talk.client.group(ANA, BEN).send("Dinner at 7?", reference="dinner")

    for place, (word, person) in enumerate(
        [("sent", 1), ("sent", 2), ("delivered", 1), ("failed", 2)]
    ):
        reception = talk.client.receive(
            "twilio",
            talk.hook(
                EventType="onDeliveryUpdated",
                MessageSid=f"IM{1:032}",
                ParticipantSid=f"MB{person:032}",
                DeliveryReceiptSid=f"DY{place:032}",
                Status=word,
            ),
        )
        assert reception.status == 200

    receipt = talk.client.receipt("dinner")
    assert receipt is not None
    found = {who: one.status for who, one in receipt.deliveries.items()}
    assert found == {ANA: DeliveryStatus.DELIVERED, BEN: DeliveryStatus.FAILED}
    lists = [line for line in talk.carrier.asked if line.endswith("/Participants")]
    assert len(lists) == 2  # one to set up, one for all receipts


def test_a_reply_finds_its_group_and_is_answered_in_it(talk: Talk) -> None:
    """Its members are looked up, so it is the conversation that was written to."""
    heard: list[MessageReceived] = []
    talk.client.on(MessageReceived)(heard.append)
    group = talk.client.group(ANA, BEN)
    group.send("Dinner at 7?")

    talk.client.receive(
        "twilio",
        talk.hook(
            EventType="onMessageAdded",
            MessageSid="IM" + "9" * 32,
            Author=ANA,
            Body="I bring dessert",
            Source="SMS",
        ),
    )

    (reply,) = heard
    assert (reply.members, reply.conversation) == (frozenset({ANA, BEN}), group.id)
    talk.client.conversation(reply).send("Wonderful")
    assert [said["Body"] for said in talk.carrier.said] == ["Dinner at 7?", "Wonderful"]
    made = [line for line in talk.carrier.asked if "With" in line]
    assert len(made) == 1


def test_a_lost_answer_is_proven_by_the_messages_own_webhook(talk: Talk) -> None:
    """It bears our token, so the doubt is over, and nobody is texted twice."""
    talk.carrier.silent = True
    with pytest.raises(UncertainError):
        talk.client.group(ANA, BEN).send("Dinner at 7?", reference="dinner")

    talk.client.receive(
        "twilio",
        talk.hook(
            EventType="onMessageAdded",
            MessageSid=talk.carrier.message["sid"],
            Author=OURS,
            Source="API",
            Attributes=talk.carrier.message["attributes"],
        ),
    )

    receipt = talk.client.receipt("dinner")
    assert receipt is not None
    assert receipt.attempts[0].outcome == Accepted(f"IM{1:032}")
    assert len(talk.carrier.said) == 1


def test_a_lost_answer_is_found_when_it_is_asked_for(talk: Talk) -> None:
    """Some time later the conversation is looked through for our token."""
    talk.carrier.silent = True
    with pytest.raises(UncertainError):
        talk.client.group(ANA, BEN).send("Dinner at 7?", reference="dinner")
    talk.clock[0] += 120

    talk.client.run_due()

    receipt = talk.client.receipt("dinner")
    assert receipt is not None
    assert receipt.attempts[0].outcome == Accepted(f"IM{1:032}")


def test_a_forged_webhook_asks_the_carrier_nothing(talk: Talk) -> None:
    """No look-up is made for anybody whose signature does not hold."""
    genuine = talk.hook(EventType="onMessageAdded", Author=ANA, MessageSid="IM1")
    forged = Request("POST", URL, genuine.headers, genuine.body + b"&Source=SMS")

    with pytest.raises(SignatureError):
        talk.client.receive("twilio", forged)

    assert talk.carrier.asked == []
