"""`WebhookApp` as a bare ASGI application, for both kinds of client."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from typing import Any, Final

import pytest
from attrs import define, field
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from multigroup import (
    AsyncClient,
    Client,
    Event,
    JournalError,
    Line,
    MemoryJournal,
    MessageReceived,
    Telnyx,
    Vonage,
)
from multigroup.asgi import BODY_CAP, WebhookApp, _address

NOW: Final = 1_795_000_000.0
OURS: Final = "+12125550100"
ANA, BEN = "+14155550101", "+14155550102"
KEY: Final = ed25519.Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
PUBLIC: Final = base64.b64encode(
    KEY.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
).decode()

Message = dict[str, Any]


@define(eq=False)
class Kept(MemoryJournal):
    """A journal that can fail and that notes being closed."""

    broken: bool = False
    closed: bool = field(default=False, init=False)

    def store(self, namespace: str, events: Sequence[Event]) -> Any:
        """Keep the events, unless broken."""
        if self.broken:
            raise JournalError("the disk is full")
        return super().store(namespace, events)

    def close(self) -> None:
        """Note that the client was closed."""
        self.closed = True


def _lines() -> list[Line]:
    telnyx = Telnyx(api_key="KEY", public_key=PUBLIC)
    keyless = Telnyx(api_key="KEY", name="keyless")
    vonage = Vonage(api_key="key", api_secret="secret", signature_secret="s" * 32)
    return [
        telnyx.line(OURS),
        vonage.line("+13125550100"),
        keyless.line("+12125550199"),
    ]


@define(eq=False)
class Served:
    """A client behind its endpoint, and what the endpoint answered."""

    client: Client | AsyncClient
    journal: Kept
    heard: list[Event] = field(factory=list)
    sent: list[Message] = field(factory=list)

    @property
    def status(self) -> int | None:
        """Return the status of the one answer, or `None` if there was none."""
        if not self.sent:
            return None
        start, body = self.sent
        assert (start["type"], body["type"]) == (
            "http.response.start",
            "http.response.body",
        )
        assert not body.get("more_body", False)
        status: int = start["status"]
        return status

    def call(self, scope: Message, *messages: Message) -> list[Message]:
        """Serve one connection, given *messages* one after the other."""
        self.sent = []
        waiting = iter(messages)

        async def receive() -> Message:
            return next(waiting)

        async def send(message: Any) -> None:
            self.sent.append(dict(message))

        asyncio.run(WebhookApp(self.client, every=None)(scope, receive, send))
        return list(waiting)

    def post(
        self,
        body: bytes = b"",
        *chunks: bytes,
        path: str = "/telnyx",
        method: str = "POST",
        headers: list[tuple[bytes, bytes]] | None = None,
    ) -> int | None:
        """Deliver a webhook in one or more chunks and return the answer's status."""
        parts = [body, *chunks]
        signed = _signed(b"".join(parts)) if headers is None else headers
        scope = {"type": "http", "method": method, "path": path, "headers": signed}
        last = len(parts) - 1
        self.call(
            scope,
            *(
                {"type": "http.request", "body": part, "more_body": place < last}
                for place, part in enumerate(parts)
            ),
        )
        return self.status


@pytest.fixture(params=["sync", "async"])
def served(request: pytest.FixtureRequest) -> Served:
    """Give an endpoint over each kind of client."""
    journal = Kept()

    def clock() -> float:
        return NOW

    made: Client | AsyncClient
    if request.param == "sync":
        made = Client(lines=_lines(), journal=journal, clock=clock)
    else:
        made = AsyncClient(lines=_lines(), journal=journal, clock=clock)
    application = Served(made, journal)
    made.on(Event)(application.heard.append)
    return application


def _signed(body: bytes, at: int = int(NOW)) -> list[tuple[bytes, bytes]]:
    signature = base64.b64encode(KEY.sign(f"{at}|".encode() + body))
    return [
        (b"host", b"app.example"),
        (b"telnyx-signature-ed25519", signature),
        (b"telnyx-timestamp", str(at).encode()),
    ]


def _reply(key: str = "event-1", text: str = "I bring dessert") -> bytes:
    payload = {"from": {"phone_number": ANA}, "to": OURS, "cc": [BEN], "text": text}
    data = {"id": key, "event_type": "message.received", "payload": payload}
    return json.dumps({"data": data}).encode()


def test_a_webhook_is_taken(served: Served) -> None:
    """A genuine webhook is handled and answered exactly 200, with an empty body."""
    assert served.post(_reply()) == 200

    (event,) = served.heard
    assert isinstance(event, MessageReceived)
    assert (event.sender, event.text) == (ANA, "I bring dessert")
    assert served.sent[1]["body"] == b""
    assert (b"content-length", b"0") in served.sent[0]["headers"]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_body_may_come_in_chunks(served: Served, size: int) -> None:
    """However a server cuts the body, its bytes are put together as they were."""
    body = _reply(text="crème brûlée 🍮")
    chunks = [body[at : at + size] for at in range(0, len(body), size)]

    assert served.post(b"", *chunks, b"") == 200
    assert [event.raw for event in served.heard] == [body]


def test_a_message_may_leave_its_body_out(served: Served) -> None:
    """ASGI lets servers leave out empty fields; the body is then empty."""
    scope = {"type": "http", "method": "POST", "path": "/telnyx", "headers": []}

    left = served.call(scope, {"type": "http.request"}, {"type": "never.asked"})

    assert served.status == 401
    assert left == [{"type": "never.asked"}]


def test_a_forgery_is_401(served: Served) -> None:
    """A body that its signature does not fit is refused and handled by nobody."""
    assert served.post(_reply(), headers=_signed(_reply("event-2"))) == 401
    assert served.post(_reply(), headers=[]) == 401
    assert served.post(_reply(), headers=[(b"telnyx-timestamp", b"\xff" * 9)]) == 401

    assert served.heard == []


def test_a_stale_webhook_is_asked_for_again(served: Served) -> None:
    """A genuine signature of an hour ago answers 503, as an unsigned Vonage one."""
    assert served.post(_reply(), headers=_signed(_reply(), int(NOW) - 3600)) == 503
    assert served.post(_reply(), path="/vonage", headers=[]) == 503

    assert served.heard == []


@pytest.mark.parametrize(
    ("more", "address"),
    [
        ({}, "http://app.example/a%20b/telnyx"),
        (
            {
                "scheme": "https",
                "raw_path": b"/a%20b/telnyx",
                "query_string": b"zone=b&x=%2F",
            },
            "https://app.example/a%20b/telnyx?zone=b&x=%2F",
        ),
    ],
    ids=["bare", "whole"],
)
def test_who_verifies_is_told_the_whole_address(
    more: dict[str, object], address: str
) -> None:
    """Some carriers sign it: host, path as it was written, and query."""
    scope = {"path": "/a b/telnyx", "headers": [(b"host", b"app.example")], **more}

    assert _address(scope) == address


@pytest.mark.parametrize("path", ["/", "", "/other", "/Telnyx", "/telnyx/more", "//"])
def test_an_unknown_path_is_404(served: Served, path: str) -> None:
    """Only the accounts' own names are paths, and others are not even read."""
    assert served.post(_reply(), path=path) == 404

    assert served.heard == []


@pytest.mark.parametrize(
    "path", ["/telnyx", "/telnyx/", "/hooks/telnyx", "/a/b/telnyx/"]
)
def test_the_endpoint_may_be_mounted_anywhere(served: Served, path: str) -> None:
    """A prefix before the account's name, or a slash after it, changes nothing."""
    assert served.post(_reply(), path=path) == 200
    assert len(served.heard) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_anything_but_post_is_405(served: Served, method: str) -> None:
    """The answer names the method there is."""
    assert served.post(_reply(), method=method) == 405

    assert (b"allow", b"POST") in served.sent[0]["headers"]
    assert served.heard == []


def test_a_body_over_a_mebibyte_is_413(served: Served) -> None:
    """One byte too many is refused, and the rest is not waited for."""
    scope = {"type": "http", "method": "POST", "path": "/telnyx", "headers": []}
    half = {"type": "http.request", "body": bytes(BODY_CAP // 2), "more_body": True}
    byte = {"type": "http.request", "body": b"x", "more_body": True}

    left = served.call(scope, half, half, byte, {"type": "never.asked"})

    assert served.status == 413
    assert left == [{"type": "never.asked"}]


def test_a_body_of_a_mebibyte_is_read(served: Served) -> None:
    """The limit itself is allowed."""
    body = _reply(text="x" * (BODY_CAP - len(_reply(text=""))))

    assert len(body) == BODY_CAP
    assert served.post(body) == 200


def test_an_account_without_a_key_answers_503(served: Served) -> None:
    """A setting to mend must not lose genuine webhooks: they come again."""
    assert served.post(_reply(), path="/keyless") == 503

    assert served.heard == []


def test_a_journal_that_fails_answers_503(served: Served) -> None:
    """What could not be stored is not handled and is asked for again."""
    served.journal.broken = True
    assert served.post(_reply()) == 503
    assert served.heard == []

    served.journal.broken = False
    assert served.post(_reply()) == 200
    assert len(served.heard) == 1


def test_a_handler_that_raises_answers_503_until_it_does_not(served: Served) -> None:
    """The carrier delivers again, and the handler that failed runs again."""
    failing = [True]

    @served.client.on(MessageReceived)
    def handle(event: MessageReceived) -> None:
        if failing:
            raise RuntimeError(event.id)

    assert served.post(_reply()) == 503
    failing.clear()
    assert served.post(_reply()) == 200
    assert served.post(_reply()) == 200

    assert len(served.heard) == 2


def test_an_authentic_body_that_cannot_be_read_is_200(served: Served) -> None:
    """It is kept as it is: sending it again would not make it readable."""
    assert served.post(b"not JSON") == 200

    assert [event.raw for event in served.heard] == [b"not JSON"]


@pytest.mark.parametrize("begun", [True, False])
def test_a_carrier_that_hangs_up_gets_no_answer(served: Served, *, begun: bool) -> None:
    """A body that never became whole is not handled, and nobody is answered."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/telnyx",
        "headers": _signed(_reply()),
    }
    part = {"type": "http.request", "body": _reply(), "more_body": True}

    served.call(scope, *([part] if begun else []), {"type": "http.disconnect"})

    assert served.status is None
    assert served.heard == []


def test_the_client_is_closed_when_the_server_shuts_down(served: Served) -> None:
    """Both ends of the lifespan are answered, and the second one closes the client."""
    scope = {"type": "lifespan"}

    served.call(scope, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})

    assert served.sent == [
        {"type": "lifespan.startup.complete"},
        {"type": "lifespan.shutdown.complete"},
    ]
    assert served.journal.closed


def test_a_webhook_does_not_close_the_client(served: Served) -> None:
    """The client outlives every connection but the last."""
    served.post(_reply())
    served.post(b"", path="/other")

    assert not served.journal.closed


def test_a_websocket_is_turned_away(served: Served) -> None:
    """Closing before accepting answers 403."""
    served.call({"type": "websocket", "path": "/telnyx"})

    assert served.sent == [{"type": "websocket.close"}]


def test_a_coroutine_handler_is_awaited() -> None:
    """An async client's handlers may be coroutine functions; 200 waits for them."""
    made = AsyncClient(lines=_lines(), clock=lambda: NOW)
    served, done = Served(made, Kept()), list[str]()

    @made.on(MessageReceived)
    async def handle(event: MessageReceived) -> None:
        await asyncio.sleep(0)
        done.append(event.text)

    assert served.post(_reply()) == 200
    assert done == ["I bring dessert"]


def test_the_log_holds_neither_text_nor_numbers(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """What was refused or failed is told by account and status alone."""

    @served.client.on(MessageReceived)
    def handle(event: MessageReceived) -> None:
        raise ValueError(f"{event.sender} said {event.text}")

    served.post(_reply())
    served.post(_reply(), headers=[])
    served.post(_reply(), path="/keyless")

    assert "telnyx" in caplog.text
    assert "401" in caplog.text
    assert not any(word in caplog.text for word in ("dessert", ANA[2:], PUBLIC))
