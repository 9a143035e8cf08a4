"""What a webhook costs above the cryptography and the JSON nobody can leave out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from multigroup import Provider, Request, Telnyx, Vonage
from tests.benchmarks.duel import CPU, Duel

NOW: Final = 1_795_000_000
AT: Final = datetime.fromtimestamp(NOW, UTC)
SECRET: Final = b"a secret of thirty-two characters"

TELNYX: Final = json.dumps(
    {
        "data": {
            "event_type": "message.received",
            "id": "b301ed3f-1490-491f-995f-6e64e69674d4",
            "occurred_at": "2026-11-21T09:00:00.000+00:00",
            "record_type": "event",
            "payload": {
                "cc": [
                    {
                        "carrier": "Example Mobile",
                        "line_type": "Wireless",
                        "phone_number": f"+1415555010{place}",
                        "status": "webhook_delivered",
                    }
                    for place in (2, 3, 4)
                ],
                "completed_at": None,
                "cost": None,
                "direction": "inbound",
                "encoding": "GSM-7",
                "errors": [],
                "from": {
                    "carrier": "Example Mobile",
                    "line_type": "Wireless",
                    "phone_number": "+14155550101",
                },
                "id": "84cca175-9755-4859-b67f-4730d7f58aa3",
                "media": [
                    {
                        "content_type": "image/jpeg",
                        "sha256": "0" * 64,
                        "size": 24_302,
                        "url": "https://media.test/0101/picture.jpg",
                    }
                ],
                "messaging_profile_id": "740572b6-099c-44a1-89b9-6c92163bc68d",
                "parts": 1,
                "received_at": "2026-11-21T09:00:00.000+00:00",
                "record_type": "message",
                "sent_at": None,
                "subject": "",
                "tags": [],
                "text": "Hello from the group",
                "to": [
                    {
                        "carrier": "Telnyx",
                        "line_type": "Wireless",
                        "phone_number": "+12125550100",
                        "status": "webhook_delivered",
                    }
                ],
                "type": "MMS",
                "valid_until": None,
                "webhook_failover_url": None,
                "webhook_url": "https://app.test/telnyx",
            },
        },
        "meta": {"attempt": 1, "delivered_to": "https://app.test/telnyx"},
    }
).encode()

VONAGE: Final = json.dumps(
    {
        "channel": "mms",
        "message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
        "to": "12125550100",
        "from": "14155550101",
        "timestamp": "2026-11-21T09:00:00Z",
        "message_type": "image",
        "image": {
            "url": "https://media.test/0101/picture.jpg",
            "name": "picture.jpg",
            "caption": "Hello from the group",
        },
        "mms": {"participants": ["14155550102", "14155550103", "14155550104"]},
        "usage": {"price": "0.01", "currency": "EUR"},
    }
).encode()


@CPU
def test_a_telnyx_webhook_costs_little_more_than_its_signature(duel: Duel) -> None:
    """Verifying and reading take 1.15 x Ed25519 with a kept key and `json.loads`."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = private.public_key()
    signed = f"{NOW}|".encode() + TELNYX
    signature = private.sign(signed)
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    account = Telnyx(api_key="KEY", public_key=base64.b64encode(raw).decode())
    request = Request(
        "POST",
        "https://app.test/telnyx",
        {
            "content-type": "application/json",
            "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
            "telnyx-timestamp": str(NOW),
        },
        TELNYX,
    )

    def floor() -> None:
        public.verify(signature, signed)
        json.loads(TELNYX)

    duel(
        "Telnyx webhook, verify and parse (CPU)",
        1.15,
        lambda: _taken(account, request),
        floor,
        rounds=4000,
    )


@CPU
def test_a_vonage_webhook_costs_little_more_than_its_signature(duel: Duel) -> None:
    """Verifying and reading take 1.8 x HS256 by hand and `json.loads`."""
    claims = {
        "iat": NOW,
        "jti": "11111111-2222-4333-8444-555555555555",
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(VONAGE).hexdigest(),
        "api_key": "a1b2c3d4",
        "application_id": "66666666-7777-4888-9999-000000000000",
    }
    bare = _part({"alg": "HS256", "typ": "JWT"}) + b"." + _part(claims)
    token = bare + b"." + _base64url(hmac.digest(SECRET, bare, "sha256"))
    account = Vonage(
        api_key="key", api_secret="secret", signature_secret=SECRET.decode()
    )
    request = Request(
        "POST",
        "https://app.test/vonage",
        {
            "content-type": "application/json",
            "authorization": f"Bearer {token.decode()}",
        },
        VONAGE,
    )

    def floor() -> None:
        signed, _, signature = token.rpartition(b".")
        head, _, told = signed.partition(b".")
        digest = hmac.digest(SECRET, signed, "sha256")
        assert hmac.compare_digest(digest, _raw(signature))
        assert json.loads(_raw(head))["alg"] == "HS256"
        hashed = hashlib.sha256(VONAGE).hexdigest()
        assert hmac.compare_digest(json.loads(_raw(told))["payload_hash"], hashed)
        json.loads(VONAGE)

    duel(
        "Vonage webhook, verify and parse (CPU)",
        1.8,
        lambda: _taken(account, request),
        floor,
        rounds=10_000,
    )


def _taken(account: Provider, request: Request) -> object:
    account.verify(request, NOW)
    return account.parse(request.body, own=frozenset({"+12125550100"}), received_at=AT)


def _part(document: object) -> bytes:
    return _base64url(json.dumps(document).encode())


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _raw(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
