"""What the page on webhooks promises beyond its examples."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from attrs import frozen

from multigroup.simulator import Courier, Network
from multigroup.wire import Reply, Request, Response
from tests.docs.generate import DOCS
from tests.test_docs import BLOCK, MADE_BY_HAND, namespace

__all__ = ["namespace"]

ANA, BEN = "+14155550101", "+14155550102"


@frozen
class FlaskLike:
    """A request as Flask hands it over."""

    path: str
    headers: dict[str, str]
    body: bytes

    def get_data(self) -> bytes:
        """Return the raw body."""
        return self.body


@pytest.fixture
def page(namespace: dict[str, Any]) -> dict[str, Any]:
    """Run the page, and bring the network's webhooks to its `receive`."""
    for block in BLOCK.findall((DOCS / "howto/receive-webhooks.md").read_text()):
        exec(MADE_BY_HAND.sub(r"\1(http=HTTP, ", block), namespace)  # noqa: S102 - ours
    network: Network = namespace["NETWORK"]
    hooks = "https://app.example.com/hooks"
    network.telnyx.add_number("+12125550100", webhook_url=f"{hooks}/telnyx")
    network.vonage.add_number("+13125550100", inbound_url=f"{hooks}/vonage")
    namespace["answered"] = []

    def post(webhook: Request, _timeout: float) -> Reply:
        account = webhook.url.partition("?")[0].rpartition("/")[2]
        given = FlaskLike(webhook.url, dict(webhook.headers), webhook.body)
        namespace["answered"].append(namespace["receive"](account, given))
        return Response(namespace["answered"][-1])

    network.post = post
    return namespace


def write(page: dict[str, Any], number: str) -> None:
    """Have Ben write to the line *number*, as if it had texted him first."""
    lines = {line.number: line for line in page["client"].lines}
    page["client"].group(ANA, BEN).send("Dinner at 7?", via=lines[number])
    page["NETWORK"].handset(BEN).reply("yes")


def test_the_handler_of_the_page_answers(page: dict[str, Any]) -> None:
    """A reply is taken in by the page's own code, and the group is answered."""
    write(page, "+12125550100")
    page["NETWORK"].run_due()

    texts = [bubble.text for bubble in page["NETWORK"].handset(ANA).bubbles]
    assert page["answered"] == [200]
    assert texts == ["Dinner at 7?", "yes", "Got it!"]


@pytest.mark.parametrize(
    ("line", "spoil", "status"),
    [
        ("+12125550100", Courier.tamper, 401),
        ("+12125550100", Courier.unsigned, 401),
        ("+12125550100", lambda hooks: hooks.stale(301.5), 503),
        ("+13125550100", Courier.tamper, 401),
        ("+13125550100", Courier.unsigned, 503),
        ("+13125550100", lambda hooks: hooks.stale(86_702), 503),
    ],
)
def test_a_spoilt_webhook_gets_the_status_of_the_table(
    page: dict[str, Any], line: str, spoil: Callable[[Courier], None], status: int
) -> None:
    """The page's table says what each carrier is told."""
    network: Network = page["NETWORK"]
    spoil((network.telnyx if line == "+12125550100" else network.vonage).hooks)
    write(page, line)
    network.run_due()

    assert page["answered"] == [status]


def test_an_account_nobody_named_is_answered_503(page: dict[str, Any]) -> None:
    """The page's code has one answer for whatever is set up wrong."""
    assert page["receive"]("elsewhere", FlaskLike("/", {}, b"{}")) == 503


@pytest.mark.parametrize(
    ("method", "path", "size", "status"),
    [
        ("POST", "/hooks/elsewhere", 2, 404),
        ("GET", "/hooks/telnyx", 0, 405),
        ("POST", "/hooks/telnyx", 1_048_577, 413),
        ("POST", "/hooks/telnyx", 1_048_576, 401),
    ],
)
def test_the_app_answers_as_the_table_says(
    page: dict[str, Any], method: str, path: str, size: int, status: int
) -> None:
    """The ASGI application refuses what is no webhook, below any prefix."""

    async def call() -> int:
        server = httpx.ASGITransport(app=page["app"])
        async with httpx.AsyncClient(transport=server) as carrier:
            url = f"https://app.example.com{path}"
            reply = await carrier.request(method, url, content=b"x" * size)
        return reply.status_code

    assert asyncio.run(call()) == status
