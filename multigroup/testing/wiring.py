"""How an application in a test reaches the simulated carriers, and they reach it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import httpx

from ..client import AsyncClient, Client
from ..errors import WebhookError
from ..providers.base import Line
from ..providers.telnyx import Telnyx
from ..providers.vonage import Vonage
from ..simulator import Network
from ..wire import Failure, Reply, Request, Response

__all__ = ["LINES", "WEBHOOKS", "Answer", "Receiver", "carrying", "handed", "joined"]

Answer: TypeAlias = Reply | Awaitable[Reply]
Receiver: TypeAlias = Client | AsyncClient | Callable[[Request], Answer]
"""Who takes webhooks: a client, or a function that calls your own endpoint."""

WEBHOOKS: Final = "https://app.example.com/hooks"
"""The application's address, never called: what is posted there is handed over."""


def _telnyx(network: Network) -> Line:
    face = network.telnyx
    face.add_number("+14155550150", webhook_url=f"{WEBHOOKS}/telnyx")
    account = Telnyx(
        api_key=face.api_key, public_key=face.public_key, base_url=face.base_url
    )
    return account.line("+14155550150")


def _vonage(network: Network) -> Line:
    face, url = network.vonage, f"{WEBHOOKS}/vonage"
    face.add_number("+14155550160", inbound_url=url, status_url=url)
    account = Vonage(
        api_key=face.api_key,
        api_secret=face.api_secret,
        signature_secret=face.signature_secret,
        base_url=face.base_url,
    )
    return account.line("+14155550160")


LINES: Final[Mapping[str, Callable[[Network], Line]]] = {
    "telnyx": _telnyx,
    "vonage": _vonage,
}
"""Carrier to what gives its account a number and returns our line on it."""


def joined(network: Network) -> tuple[Line, ...]:
    """Return a line at every carrier of *network*, in the order of `LINES`."""
    return tuple(line(network) for line in LINES.values())


def carrying(network: Network) -> httpx.MockTransport:
    """Return a transport that brings a request to the face whose address it has.

    Any other address is a lost cause, as without a network: `ConnectError`.
    """
    faces = {urlsplit(face.base_url).netloc: face for face in network.faces}

    def carry(request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        face = faces.get(urlsplit(url).netloc)
        if face is None:
            raise httpx.ConnectError(f"no simulated carrier is at {request.url.host}")
        fields = request.headers.items()
        reply = face.handle(Request(request.method, url, fields, request.content))
        if isinstance(reply, Failure):
            raise getattr(httpx, reply.kind)("as the simulator was told")
        headers = list(reply.headers)
        return httpx.Response(reply.status, headers=headers, content=reply.body)

    return httpx.MockTransport(carry)


def handed(receiver: Receiver, webhook: Request) -> Answer:
    """Hand *webhook* over, as a web framework does; await what is to be awaited."""
    if isinstance(receiver, AsyncClient):
        return _awaited(receiver, webhook)
    if not isinstance(receiver, Client):
        return receiver(webhook)
    try:
        return Response(receiver.receive(_account(webhook), webhook).status)
    except WebhookError as error:
        return Response(error.status)


async def _awaited(client: AsyncClient, webhook: Request) -> Reply:
    try:
        reception = await client.receive(_account(webhook), webhook)
    except WebhookError as error:
        return Response(error.status)
    return Response(reception.status)


def _account(webhook: Request) -> str:
    """Return the account's name, which ends the path, as in `WebhookApp`."""
    return urlsplit(webhook.url).path.rpartition("/")[2]
