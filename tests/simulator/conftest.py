"""A network, an application that only listens, and a way to send by each carrier."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from multigroup.simulator import Network, SteppedClock
from multigroup.wire import Reply, Request, Response

START = 1_795_000_000.0
TELNYX, VONAGE = "+14155550150", "+14155550160"
BANDWIDTH, TWILIO = "+14155550170", "+14155550180"


@pytest.fixture
def inbox() -> list[Request]:
    """Hold every webhook that the application got."""
    return []


@pytest.fixture
def answers() -> deque[Reply]:
    """Hold what the application answers next; when empty, 200."""
    return deque()


@pytest.fixture
def network(inbox: list[Request], answers: deque[Reply]) -> Iterator[Network]:
    """Give a network with a number at each carrier, and time that stands still."""

    def post(request: Request, _timeout: float) -> Reply:
        inbox.append(request)
        return answers.popleft() if answers else Response(200)

    with Network(clock=SteppedClock(START), post=post, seed=7) as made:
        made.telnyx.add_number(TELNYX, webhook_url="http://app.test/telnyx")
        made.vonage.add_number(
            VONAGE,
            inbound_url="http://app.test/inbound",
            status_url="http://app.test/status",
        )
        made.bandwidth.add_number(
            BANDWIDTH,
            inbound_url="http://app.test/in",
            status_url="http://app.test/out",
        )
        made.twilio.add_number(
            TWILIO,
            conversations_url="http://app.test/conversations?secret=1",
            classic_url="http://app.test/classic",
        )
        yield made


@pytest.fixture
def events(inbox: list[Request]) -> Callable[[], list[Any]]:
    """Read the bodies of all webhooks so far."""
    return lambda: [json.loads(request.body) for request in inbox]


@pytest.fixture
def telnyx(network: Network) -> Callable[..., Reply]:
    """Send by Telnyx; keywords replace fields of the body, None leaves one out."""

    def send(
        path: str = "/messages/group_mms",
        key: str | None = None,
        **fields: Any,
    ) -> Reply:
        face = network.telnyx
        body: dict[str, Any] = {
            "from": TELNYX,
            "to": ["+14155550101", "+14155550102"],
            "text": "Hello",
            **{name.rstrip("_"): value for name, value in fields.items()},
        }
        given = {name: value for name, value in body.items() if value is not None}
        headers = {"authorization": f"Bearer {face.api_key}"}
        if key is not None:
            headers["idempotency-key"] = key
        url = face.base_url + path
        return face.handle(Request("POST", url, headers, json.dumps(given).encode()))

    return send


@pytest.fixture
def vonage(network: Network) -> Callable[..., Reply]:
    """Send one leg by Vonage; keywords replace fields, None leaves one out."""

    def send(**fields: Any) -> Reply:
        face = network.vonage
        body: dict[str, Any] = {
            "channel": "mms",
            "message_type": "text",
            "text": "Hello",
            "from": VONAGE[1:],
            "to": "14155550101",
            "mms": {"participants": ["14155550102"]},
            **{name.rstrip("_"): value for name, value in fields.items()},
        }
        given = {name: value for name, value in body.items() if value is not None}
        pair = base64.b64encode(f"{face.api_key}:{face.api_secret}".encode()).decode()
        headers = {"authorization": f"Basic {pair}"}
        url = face.base_url + "/v1/messages"
        return face.handle(Request("POST", url, headers, json.dumps(given).encode()))

    return send


@pytest.fixture
def vonage_group(vonage: Callable[..., Reply]) -> Callable[..., list[Reply]]:
    """Send to a whole group by Vonage, a leg per member."""

    def send(*members: str, **fields: Any) -> list[Reply]:
        return [
            vonage(
                to=to,
                mms={"participants": [one for one in members if one != to]},
                **fields,
            )
            for to in members
        ]

    return send


@pytest.fixture
def bandwidth(network: Network) -> Callable[..., Reply]:
    """Send by Bandwidth; keywords replace fields of the body, None leaves one out."""

    def send(**fields: Any) -> Reply:
        face = network.bandwidth
        body: dict[str, Any] = {
            "applicationId": face.application_id,
            "from": BANDWIDTH,
            "to": ["+14155550101", "+14155550102"],
            "text": "Hello",
            **{name.rstrip("_"): value for name, value in fields.items()},
        }
        given = {name: value for name, value in body.items() if value is not None}
        pair = base64.b64encode(f"{face.username}:{face.password}".encode()).decode()
        headers = {
            "authorization": f"Basic {pair}",
            "content-type": "application/json",
        }
        url = f"{face.base_url}/users/{face.account_id}/messages"
        return face.handle(Request("POST", url, headers, json.dumps(given).encode()))

    return send


@pytest.fixture
def twilio(network: Network) -> Callable[..., Response]:
    """Call Twilio below `/v1`; *form* is a mapping or pairs, *more* headers."""

    def call(
        method: str, path: str, form: Any = (), body: bytes = b"", **more: str
    ) -> Response:
        face = network.twilio
        pair = base64.b64encode(f"{face.account_sid}:{face.auth_token}".encode())
        headers = {"authorization": f"Basic {pair.decode()}"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        sent = body or urlencode(form).encode()
        reply = face.handle(Request(method, face.base_url + path, headers, sent))
        assert isinstance(reply, Response)
        return reply

    return call


@pytest.fixture
def rail(network: Network, twilio: Callable[..., Response]) -> Callable[..., str]:
    """Make a conversation of our number and some members; give its sid."""

    def make(*members: str, **fields: str) -> str:
        bindings: list[dict[str, Any]] = [{"projected_address": TWILIO}]
        bindings += [{"address": number} for number in members]
        given = [
            ("Participant", json.dumps({"messaging_binding": one})) for one in bindings
        ]
        form = [*given, *fields.items()]
        reply = twilio("POST", "/ConversationWithParticipants", form)
        assert reply.status == 202, reply.body
        network.advance(1.0)
        return str(json.loads(reply.body)["sid"])

    return make


@pytest.fixture
def heard(inbox: list[Request]) -> Callable[..., list[dict[str, str]]]:
    """Read the webhooks so far, or those of one kind."""

    def read(kind: str | None = None) -> list[dict[str, str]]:
        forms = [dict(parse_qsl(one.body.decode())) for one in inbox]
        return [one for one in forms if kind in (None, one.get("EventType"))]

    return read
