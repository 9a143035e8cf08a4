"""Our adapters keep the contract that third parties' adapters are held to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cached_property
from random import Random
from typing import Any

from multigroup import Provider, Scope, Telnyx, Vonage
from multigroup.models import Leg
from multigroup.simulator import Network, SteppedClock
from multigroup.simulator.keys import Ed25519Signer, hs256
from multigroup.testing import ProviderContract
from multigroup.testing.contract.hooks import MEMBERS, OURS
from multigroup.wire import Reply, Request, Response

SIGNER, OTHER_SIGNER = (Ed25519Signer(Random(n)) for n in (1, 2))  # noqa: S311
SECRET, OTHER_SECRET = "a-secret-of-our-account", "the-secret-of-another"


def as_json(document: dict[str, Any]) -> bytes:
    """Return *document* as bytes."""
    return json.dumps(document).encode()


class TestTelnyx(ProviderContract):
    secrets = ("KEY0123456789", "KEY9876543210")

    @cached_property
    def network(self) -> Network:
        """Hold the simulated carrier, whose only customer we are."""
        network = Network(clock=SteppedClock(self.now), seed=1)
        network.telnyx.api_key = self.secrets[0]
        network.telnyx.add_number(OURS)
        return network

    def provider(self) -> Provider:
        return Telnyx(api_key=self.secrets[0], public_key=SIGNER.public_key)

    def stranger(self) -> Provider:
        return Telnyx(api_key=self.secrets[1], public_key=OTHER_SIGNER.public_key)

    def carrier(self, request: Request) -> Reply:
        return self.network.telnyx.handle(request)

    def refusals(self) -> Iterable[tuple[Response, Scope]]:
        face = self.network.telnyx
        for status, code, scope in (
            (400, "40310", Scope.MEMBER),
            (403, "40300", Scope.MEMBER),
            (400, "40322", Scope.MESSAGE),
            (403, "40305", Scope.LINE),
            (401, "10009", Scope.ACCOUNT),
        ):
            yield face.refusal(status, code, title="", detail="No."), scope

    def signed(self, body: bytes, at: float) -> Request:
        timestamp = str(int(at))
        headers = {
            "telnyx-timestamp": timestamp,
            "telnyx-signature-ed25519": SIGNER.sign(f"{timestamp}|".encode() + body),
        }
        return Request("POST", "https://app.example.com/hooks/telnyx", headers, body)

    def message(self) -> bytes:
        payload = {
            "id": "message-1",
            "from": {"phone_number": MEMBERS[0]},
            "to": [{"phone_number": OURS}],
            "cc": [*MEMBERS[1:]],
            "text": "Hi",
        }
        return self._event("message.received", payload)

    def update(self, leg: Leg, message_id: str) -> bytes:
        to = [{"phone_number": one, "status": "delivered"} for one in leg.members]
        hook = json.loads(leg.request.body)["webhook_url"]
        payload = {"id": message_id, "to": to, "webhook_url": hook}
        return self._event("message.finalized", payload)

    def strange(self) -> Iterable[bytes]:
        yield self._event("message.danced", {"id": "message-1"})
        to = [{"phone_number": MEMBERS[0], "status": "evaporated"}]
        yield self._event("message.finalized", {"id": "message-1", "to": to})
        yield self._event("call.initiated", {})

    def _event(self, kind: str, payload: dict[str, Any]) -> bytes:
        data = {"id": "event-1", "event_type": kind, "payload": payload}
        return as_json({"data": data})


class TestVonage(ProviderContract):
    secrets = ("a0b1c2d3", "api-secret-of-ours", SECRET, "another-api", OTHER_SECRET)

    @cached_property
    def network(self) -> Network:
        """Hold the simulated carrier, whose only customer we are."""
        network = Network(clock=SteppedClock(self.now), seed=1)
        face = network.vonage
        face.api_key, face.api_secret = self.secrets[:2]
        face.add_number(OURS)
        return network

    def provider(self) -> Provider:
        key, secret = self.secrets[:2]
        return Vonage(api_key=key, api_secret=secret, signature_secret=SECRET)

    def stranger(self) -> Provider:
        key = self.secrets[3]
        return Vonage(api_key=key, api_secret=key, signature_secret=OTHER_SECRET)

    def carrier(self, request: Request) -> Reply:
        return self.network.vonage.handle(request)

    def refusals(self) -> Iterable[tuple[Response, Scope]]:
        face = self.network.vonage
        for status, title, scope in (
            (422, "Invalid recipient", Scope.MEMBER),
            (422, "Invalid params", Scope.MESSAGE),
            (422, "Invalid sender", Scope.LINE),
            (401, "Unauthorised", Scope.ACCOUNT),
        ):
            yield face.refusal(status, "", title=title, detail="No."), scope

    def signed(self, body: bytes, at: float) -> Request:
        digest = hashlib.sha256(body).hexdigest()
        token = hs256({"iat": int(at), "iss": "Vonage", "payload_hash": digest}, SECRET)
        headers = {"authorization": f"Bearer {token}"}
        return Request("POST", "https://app.example.com/hooks/vonage", headers, body)

    def message(self) -> bytes:
        return self._of(
            MEMBERS[0],
            message_type="text",
            text="Hi",
            mms={"participants": [one[1:] for one in MEMBERS[1:]]},
        )

    def update(self, leg: Leg, message_id: str) -> bytes:
        key = json.loads(leg.request.body)["client_ref"]
        (member,) = leg.members
        document = {"message_uuid": message_id, "to": member[1:], "client_ref": key}
        return as_json({**document, "status": "delivered"})

    def strange(self) -> Iterable[bytes]:
        yield self._of(MEMBERS[0], status="evaporated")
        yield self._of(MEMBERS[0])

    def _of(self, sender: str, **more: Any) -> bytes:
        document = {"message_uuid": "message-1", "from": sender[1:], "to": OURS[1:]}
        return as_json({**document, **more})
