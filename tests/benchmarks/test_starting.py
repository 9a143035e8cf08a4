"""What the first use of everything costs."""

from __future__ import annotations

import base64
import json
import time
from contextlib import suppress
from typing import Final

import phonenumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from multigroup import InvalidNumberError
from multigroup.phone import parse
from tests.benchmarks.duel import CPU, FRESH, TOLD, Duel, Result

FICTITIOUS: Final = [
    f"+1{area}55501{line:02}" for line in range(10) for area in range(201, 990)
]

IMPORT: Final = """
import time
start = time.process_time()
import {module}
print(time.process_time() - start)
"""

BODY: Final = json.dumps(
    {
        "data": {
            "event_type": "message.received",
            "id": "event-1",
            "payload": {
                "id": "message-1",
                "from": {"phone_number": "+14155550101"},
                "to": [{"phone_number": "+12125550100"}],
                "cc": [{"phone_number": "+14155550102"}],
                "text": "Hello",
            },
        }
    }
).encode()

FIRST_WEBHOOK: Final = """
import time
begun = time.perf_counter()
from multigroup import Client, MessageReceived, Request, Telnyx

account = Telnyx(api_key="KEY", public_key={key!r})
client = Client(lines=[account.line("+12125550100")])
heard = []
client.on(MessageReceived)(heard.append)
request = Request("POST", "https://app.test/telnyx", {headers!r}, {body!r})
answer = client.receive("telnyx", request)
taken = time.perf_counter() - begun
assert answer.status == 200 and len(heard) == 1
print(taken)
"""


@TOLD
def test_importing_costs_little_more_than_attrs(duel: Duel) -> None:
    """`import multigroup` takes 1.3 x the CPU of `import attrs`: the rest is lazy."""
    duel(
        "import multigroup against import attrs (CPU)",
        1.3,
        lambda: FRESH.run(IMPORT.format(module="multigroup")),
        lambda: FRESH.run(IMPORT.format(module="attrs")),
        rounds=15,
        warm_up=1,
    )


@TOLD
def test_the_first_webhook_of_a_process_is_answered_soon(duel: Duel) -> None:
    """Everything a webhook needs is loaded, and it is answered, in 0.3 s."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    at = str(int(time.time()))
    headers = {
        "telnyx-timestamp": at,
        "telnyx-signature-ed25519": _base64(private.sign(f"{at}|".encode() + BODY)),
    }
    code = FIRST_WEBHOOK.format(key=_base64(raw), headers=headers, body=BODY)

    duel.alone(
        "first webhook, from import to answer (wall)",
        0.3,
        lambda: FRESH.run(code),
        rounds=9,
    )


@CPU
def test_a_new_number_is_cheap(duel: Duel) -> None:
    """Validating a number never seen before takes 10 microseconds."""
    fresh, again = iter(FICTITIOUS), iter(FICTITIOUS)

    def theirs() -> None:
        number = phonenumbers.parse(next(again), "US")
        phonenumbers.is_valid_number(number)
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    def ours() -> None:
        with suppress(InvalidNumberError):  # a Caribbean one: judged all the same
            parse(next(fresh))

    parse.cache_clear()
    taken = duel("a number against phonenumbers (CPU)", 1.0, ours, theirs, rounds=5_000)
    duel.tell(Result("a number validated, cold (CPU)", 10.0, taken * 1e6, unit="µs"))


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
