"""Bandwidth in a client: tokens, answers that are lost, and news of each member."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import httpx
import pytest
from attrs import define, field

from multigroup import (
    Accepted,
    Bandwidth,
    Client,
    DeliveryStatus,
    NotSentError,
    OptedOutError,
    Receipt,
    RefusedError,
    Request,
    UncertainError,
    Unknown,
)

OURS: Final = "+12125550100"
PEOPLE: Final = ("+14155550101", "+14155550102", "+14155550103")
HOOK: Final = ("hook-user", "hook-password")
API: Final = "messaging.bandwidth.com"


@define(eq=False)
class Stand:
    """Both addresses of Bandwidth: it gives tokens, and takes messages or fails to."""

    token: int = 200
    answer: int | None = 202
    seen: list[httpx.Request] = field(factory=list[httpx.Request])

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer *request*, or lose the answer."""
        self.seen.append(request)
        if request.url.host != API:
            given = {"access_token": f"t{len(self.seen)}", "expires_in": 3600}
            return httpx.Response(self.token, json=given)
        if self.answer is None:
            raise httpx.ReadTimeout("")
        return httpx.Response(self.answer, json={"id": "m-1"})

    @property
    def hosts(self) -> list[str]:
        """Return who was asked, in order."""
        return [request.url.host for request in self.seen]

    def client(self, now: float = 1_795_000_000.0) -> Client:
        """Return an application that has this carrier's line."""
        account = Bandwidth(
            account_id="9900000",
            application_id="app-of-ours",
            client_id="our-client",
            client_secret="our-secret",
            callback_credentials=HOOK,
        )
        http = httpx.Client(transport=httpx.MockTransport(self))
        return Client(lines=[account.line(OURS)], http=http, clock=lambda: now)


def _send(client: Client, reference: str = "dinner") -> Receipt:
    return client.group(*PEOPLE).send("Dinner at 7?", reference=reference)


def _tell(client: Client, tag: str, word: str, to: str, **more: Any) -> None:
    """Deliver news of the copy of *to*."""
    message = {"id": "m-1", "to": [*PEOPLE], "from": OURS, "tag": tag}
    entry = {"type": word, "to": to, "message": message, **more}
    pair = base64.b64encode(":".join(HOOK).encode()).decode()
    headers = {"authorization": f"Basic {pair}"}
    body = json.dumps([entry]).encode()
    assert client.receive(
        "bandwidth", Request("POST", "/bandwidth", headers, body)
    ).events


def _tag(stand: Stand) -> str:
    tag: str = json.loads(stand.seen[-1].content)["tag"]
    return tag


def test_a_token_is_got_once_and_shown_to_the_api_alone() -> None:
    """Two sends ask for one token; the messages bear it, in one request each."""
    stand = Stand()
    with stand.client() as client:
        receipts = [_send(client, reference) for reference in ("one", "two")]

    assert stand.hosts == ["api.bandwidth.com", API, API]
    assert {r.headers["authorization"] for r in stand.seen[1:]} == {"Bearer t1"}
    for receipt in receipts:
        assert [d.outcome for d in receipt.deliveries.values()] == [Accepted("m-1")] * 3


def test_a_refused_token_is_not_used_again() -> None:
    """After a 401, of a changed secret perhaps, the next send gets another token."""
    stand = Stand(answer=401)
    with stand.client() as client:
        with pytest.raises(RefusedError):
            _send(client, "one")
        stand.answer = 202
        _send(client, "two")

    assert stand.hosts == ["api.bandwidth.com", API] * 2
    assert stand.seen[-1].headers["authorization"] == "Bearer t3"


@pytest.mark.parametrize(
    ("status", "error"), [(500, NotSentError), (401, RefusedError)]
)
def test_without_a_token_no_phone_rings(status: int, error: type[Exception]) -> None:
    """The message is not even tried, and may be sent again under its reference."""
    stand = Stand(token=status)
    with stand.client() as client:
        with pytest.raises(error):
            _send(client)
        assert API not in stand.hosts


def test_a_lost_answer_is_proven_by_the_tag() -> None:
    """The send is uncertain until an event brings our token back, for all members."""
    stand = Stand(answer=None)
    with stand.client() as client:
        with pytest.raises(UncertainError) as lost:
            _send(client)
        _tell(client, _tag(stand), "message-delivered", PEOPLE[0])
        receipt = client.receipt("dinner")

    unknown = lost.value.receipt.deliveries.values()
    assert all(isinstance(one.outcome, Unknown) for one in unknown)
    assert receipt is not None
    assert [d.outcome for d in receipt.deliveries.values()] == [Accepted("m-1")] * 3
    assert receipt.deliveries[PEOPLE[0]].status is DeliveryStatus.SENT


def test_another_tag_proves_nothing() -> None:
    """News of a message that somebody else sent leaves ours as it was."""
    stand = Stand(answer=None)
    with stand.client() as client:
        with pytest.raises(UncertainError):
            _send(client)
        _tell(client, f"{'5e4d' * 8}.0", "message-delivered", PEOPLE[0])
        receipt = client.receipt("dinner")

    assert receipt is not None
    assert all(isinstance(d.outcome, Unknown) for d in receipt.deliveries.values())


def test_each_member_has_a_fate_of_their_own() -> None:
    """One id for all: the events tell whose copy they are about, and who said STOP."""
    stand = Stand()
    with stand.client() as client:
        _send(client)
        tag = _tag(stand)
        _tell(client, tag, "message-delivered", PEOPLE[0])
        _tell(client, tag, "message-failed", PEOPLE[1], errorCode=4775)
        _tell(client, tag, "message-failed", PEOPLE[2], errorCode=9902)
        receipt = client.receipt("dinner")
        with pytest.raises(OptedOutError) as refused:
            _send(client, "again")

    assert receipt is not None
    assert [d.status for d in receipt.deliveries.values()] == [
        DeliveryStatus.SENT,
        DeliveryStatus.FAILED,
        DeliveryStatus.UNCONFIRMED,
    ]
    assert refused.value.value == (PEOPLE[1],)
