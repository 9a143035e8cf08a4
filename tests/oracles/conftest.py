"""A served network behind HTTPS, to which the environment leads every SDK."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from attrs import frozen

from multigroup.simulator import (
    Bubble,
    Network,
    SteppedClock,
    ThreadKey,
    VonageQuirks,
)
from multigroup.simulator.front import Front
from multigroup.wire import Reply, Request, Response
from tests.oracles.sdks import sdk

A, B = "+14155550101", "+14155550102"
TELNYX, VONAGE = "+14155550150", "+14155550160"
GROUP = frozenset({A, B})


@frozen
class Stage:
    """The network, its HTTPS side, and every webhook that it posted."""

    network: Network
    front: Front
    inbox: list[Request]

    def threads(self, number: str = A) -> dict[ThreadKey, tuple[Bubble, ...]]:
        """Return what the phone with *number* shows."""
        return dict(self.network.handset(number).threads)

    def copies(self, text: str, number: str = A) -> int:
        """Return how often that phone shows *text*."""
        return [one.text for one in self.network.handset(number).bubbles].count(text)

    def webhooks(self) -> list[Request]:
        """Return the webhooks of what has happened so far, and forget them."""
        self.network.settle()
        taken, self.inbox[:] = list(self.inbox), []
        return taken


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Give a network whose time stands still, and the lines that `--tls` prints."""
    sdk("trustme")
    inbox: list[Request] = []

    def post(webhook: Request, _timeout: float) -> Reply:
        inbox.append(webhook)
        return Response(200)

    # A little behind, for SDKs live by the wall's time: what is signed two seconds on
    # must not be signed in their future.
    clock = SteppedClock(time.time() - 30)
    network = Network(clock=clock, post=post, seed=3)
    network.vonage.quirks = VonageQuirks(rate=None)  # whoever posts 40 times in a burst
    network.telnyx.add_number(TELNYX, webhook_url="https://app.example.com/telnyx")
    hook = "https://app.example.com/vonage"
    network.vonage.add_number(VONAGE, inbound_url=hook, status_url=hook)
    with network.serve(), Front(network) as front:
        monkeypatch.setenv("HTTPS_PROXY", front.proxy)
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            monkeypatch.setenv(name, str(front.ca_file))
        for name in ("NO_PROXY", "no_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield Stage(network, front, inbox)
