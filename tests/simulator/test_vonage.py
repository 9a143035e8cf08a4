"""Vonage's API: credentials, limits, and what becomes of a leg."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from multigroup.simulator import Network, VonageQuirks
from multigroup.wire import Reply, Request, Response

A = "+14155550101"
VONAGE = "+14155550160"
BODY = json.dumps(
    {
        "channel": "mms",
        "message_type": "text",
        "text": "Hello",
        "from": VONAGE[1:],
        "to": A[1:],
    }
).encode()
Send = Callable[..., Reply]


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bearer(network: Network, **claims: Any) -> Reply:
    face = network.vonage
    now = int(network.now())
    given = {"application_id": face.application_id, "iat": now, "jti": "1", **claims}
    key = serialization.load_pem_private_key(face.private_key.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    head = json.dumps({"alg": "RS256"}).encode()
    signed = f"{_part(head)}.{_part(json.dumps(given).encode())}"
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return _post(network, f"Bearer {signed}.{_part(signature)}")


def _post(network: Network, authorization: str | None, body: bytes = BODY) -> Reply:
    headers = {} if authorization is None else {"authorization": authorization}
    url = network.vonage.base_url + "/v1/messages"
    return network.vonage.handle(Request("POST", url, headers, body))


def _status(reply: Reply) -> int:
    assert isinstance(reply, Response)
    return reply.status


def test_a_leg_is_accepted_with_an_id(vonage: Send) -> None:
    """202, a `message_uuid` and a request id, and nothing more."""
    reply = vonage()
    assert isinstance(reply, Response)
    assert reply.status == 202
    assert set(json.loads(reply.body)) == {"message_uuid"}
    assert reply.headers.get("x-request-id")


@pytest.mark.parametrize(
    "authorization", [None, "Basic eA==", "Bearer a.b.c", "Digest x"]
)
def test_wrong_credentials_are_refused(
    network: Network, authorization: str | None
) -> None:
    """401 with a problem document."""
    reply = _post(network, authorization)
    assert isinstance(reply, Response)
    assert reply.status == 401
    assert json.loads(reply.body)["title"].startswith("You did not provide")


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({}, 202),
        ({"exp": 1_795_000_600}, 202),
        ({"exp": 1_794_999_000}, 401),
        ({"exp": 1_795_100_000}, 401),
        ({"exp": "soon"}, 401),
        ({"iat": 1_795_000_600}, 401),
        ({"iat": None}, 401),
        ({"jti": ""}, 401),
        ({"application_id": "other"}, 401),
    ],
)
def test_a_token_is_judged_by_its_claims(
    network: Network, claims: dict[str, Any], status: int
) -> None:
    """Application, id and times must fit, and it lives a day at most."""
    assert _status(_bearer(network, **claims)) == status


def test_a_token_needs_a_key_that_was_handed_out(network: Network) -> None:
    """Before the private key was read nobody can have signed with it."""
    assert _status(_post(network, "Bearer a.b.c")) == 401
    assert "PRIVATE KEY" in network.vonage.private_key
    assert _status(_bearer(network)) == 202


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/messages"), ("POST", "/")])
def test_other_paths_are_not_found(network: Network, method: str, path: str) -> None:
    """There is one endpoint, and one way to call it."""
    url = network.vonage.base_url + path
    assert _status(network.vonage.handle(Request(method, url))) == 404


def test_too_many_requests_are_refused(network: Network, vonage: Send) -> None:
    """The 31st of a second gets 429, with the time to wait."""
    replies = [vonage() for _ in range(31)]
    assert [_status(reply) for reply in replies].count(202) == 30
    refused = replies[-1]
    assert isinstance(refused, Response)
    assert refused.status == 429
    assert refused.headers.get("retry-after") == "1"
    assert refused.headers.get("x-ratelimit-limit") == "30"
    network.advance(1.0)
    assert _status(vonage()) == 202


def test_a_429_may_lack_its_headers(network: Network, vonage: Send) -> None:
    """They are declared in the newest document only."""
    network.vonage.quirks = VonageQuirks(rate=0, limit_headers=False)
    reply = vonage()
    assert isinstance(reply, Response)
    assert reply.headers.get("retry-after") is None


def test_no_limit_is_a_switch(network: Network, vonage: Send) -> None:
    """Then any number passes in one instant."""
    network.vonage.quirks = VonageQuirks(rate=None)
    assert {_status(vonage()) for _ in range(50)} == {202}


def test_failover_workflows_are_not_simulated(vonage: Send) -> None:
    """Rather than pretend, the simulator says so."""
    assert _status(vonage(failover=[])) == 501


def test_a_webhook_s_token_binds_the_body(
    network: Network, vonage: Send, inbox: list[Request]
) -> None:
    """Its HMAC fits the secret, and its hash the bytes."""
    vonage()
    network.settle()
    for request in inbox:
        token = (request.headers.get("authorization") or "").removeprefix("Bearer ")
        signed, _, signature = token.rpartition(".")
        secret = network.vonage.signature_secret.encode()
        digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        assert _part(digest) == signature
        claims = json.loads(base64.urlsafe_b64decode(signed.split(".")[1] + "=="))
        assert claims["payload_hash"] == hashlib.sha256(request.body).hexdigest()
        assert claims["iss"] == "Vonage"
        assert claims["api_key"] == network.vonage.api_key


def test_an_opt_out_is_learnt_late(
    network: Network, vonage: Send, events: Callable[[], list[Any]]
) -> None:
    """The leg is accepted, then rejected with 1240, and no phone rings."""
    vonage()
    network.handset(A).reply("STOP")
    network.settle()
    shown = len(network.handset(A).bubbles)
    assert _status(vonage()) == 202
    network.settle()
    assert events()[-1]["status"] == "rejected"
    assert events()[-1]["error"]["title"] == "1240"
    assert len(network.handset(A).bubbles) == shown


def test_a_short_code_is_a_sender(network: Network, vonage: Send) -> None:
    """It has no plus sign on any phone."""
    network.vonage.add_number("28228")
    assert _status(vonage(from_="28228")) == 202
    assert next(iter(network.handset(A).threads)).number == "28228"


def test_our_other_number_gets_the_leg_as_inbound(
    network: Network, vonage: Send, inbox: list[Request]
) -> None:
    """A member that is a carrier's number is reached by its webhook."""
    vonage(to="14155550150", mms={"participants": [A[1:]]})
    network.settle()
    assert "http://app.test/telnyx" in {request.url for request in inbox}
