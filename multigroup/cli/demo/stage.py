"""The demo's stage: two simulated carriers, three phones, an application on HTTP."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TypeVar

import uvicorn

from ...asgi import WebhookApp
from ...client import Client
from ...events import Event
from ...providers.base import Line
from ...providers.telnyx import Telnyx
from ...providers.vonage import Vonage
from ...simulator import Handset, Network, WallClock

__all__ = ["PEOPLE", "Stage"]

T = TypeVar("T")

PEOPLE: Final = {
    "+14155550101": "Ana",
    "+14155550102": "Ben",
    "+14155550103": "Cleo",
}
ON_TELNYX: Final = "+14155550103"
TELNYX_NUMBER: Final = "+12125550100"
VONAGE_NUMBER: Final = "+13125550100"
PATIENCE: Final = 10.0
"""Seconds to wait for a webhook before the demo counts as broken."""


class Stage:
    """Everything the scenes play with, from the start of a `with` to its end."""

    telnyx: Line
    vonage: Line
    client: Client

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.network = Network(clock=WallClock())
        self._changed = threading.Condition()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        logging.getLogger("multigroup").addHandler(logging.NullHandler())
        self._served = self.network.serve().start()
        self._set_up_carriers()
        self.client = Client(
            lines=[self.telnyx, self.vonage], webhook_url=self._address, timeout=5.0
        )
        self.client.on(Event)(self._take)
        self._serve_application()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._served.stop()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    @property
    def phones(self) -> dict[str, Handset]:
        """Return the people's handsets by name."""
        return {name: self.network.handset(n) for n, name in PEOPLE.items()}

    def wait_for(self, look: Callable[[], T | None]) -> T:
        """Return what *look* finds, as soon as it finds something.

        Raises:
            TimeoutError: it found nothing in time, which means the demo is broken.
        """
        until = time.monotonic() + PATIENCE
        with self._changed:
            while (found := look()) is None:
                left = until - time.monotonic()
                if left <= 0:
                    raise TimeoutError("the simulated network did not answer in time")
                self._changed.wait(min(left, 0.1))
        return found

    def event_of(self, kind: type[T], *, since: int = 0) -> T:
        """Wait for an event of *kind* after the first *since* events."""
        return self.wait_for(
            lambda: next((e for e in self.events[since:] if isinstance(e, kind)), None)
        )

    def _take(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def _set_up_carriers(self) -> None:
        network = self.network
        network.handset(ON_TELNYX, on_net=True)
        network.telnyx.add_number(TELNYX_NUMBER, webhook_url=f"{self._address}/telnyx")
        network.vonage.add_number(
            VONAGE_NUMBER,
            inbound_url=f"{self._address}/vonage",
            status_url=f"{self._address}/vonage",
        )
        self.telnyx = Telnyx(
            api_key=network.telnyx.api_key,
            public_key=network.telnyx.public_key,
            base_url=network.telnyx.base_url,
        ).line(TELNYX_NUMBER)
        self.vonage = Vonage(
            api_key=network.vonage.api_key,
            api_secret=network.vonage.api_secret,
            signature_secret=network.vonage.signature_secret,
            base_url=network.vonage.base_url,
        ).line(VONAGE_NUMBER)

    def _serve_application(self) -> None:
        config = uvicorn.Config(
            WebhookApp(self.client),
            log_config=None,
            log_level=logging.CRITICAL,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}
        )
        self._thread.start()
