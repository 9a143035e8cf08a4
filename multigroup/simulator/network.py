"""The simulated network: phones, carriers, and the time between them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

from ..wire import Reply, Request
from .agenda import Errand
from .bandwidth import BandwidthFace
from .clock import Clock, SteppedClock, WallClock
from .core import Core
from .face import Face
from .post import HttpPost
from .telnyx import TelnyxFace
from .twilio import TwilioFace
from .vonage import VonageFace

if TYPE_CHECKING:
    from .server import Served

__all__ = ["Network", "Post"]

Post: TypeAlias = Callable[[Request, float], Reply]
"""Sends a webhook and waits for the answer so many seconds."""

_BOUND = 3600.0


class Network(Core):
    """A carrier network in this process.

    Handsets and carriers' numbers live in it. Without a *clock* it has a stepped one
    until it is served, and the real time from then on. *post* delivers webhooks, in a
    test for instance by calling the application; without it they go out by HTTP, to
    this machine only unless *allow_remote*. With a *seed* ids and keys repeat.

    In a test: send through `network.telnyx.handle`, for instance from the handler of
    an `httpx.MockTransport`; look at `network.handset("+14155550101").threads`; have
    a person answer with `reply`; and let the webhooks go out with `settle`.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        post: Post | None = None,
        seed: int | None = None,
        allow_remote: bool = False,
    ) -> None:
        super().__init__(clock or SteppedClock(), seed)
        self._chosen_clock = clock is not None
        self.allow_remote = allow_remote
        self.post = post
        self._http = HttpPost(allow_remote=allow_remote)
        self.telnyx = TelnyxFace(self)
        self.vonage = VonageFace(self)
        self.bandwidth = BandwidthFace(self)
        self.twilio = TwilioFace(self)

    @property
    def faces(self) -> tuple[Face, ...]:
        """Return the carriers, in the order of their ports."""
        return (self.telnyx, self.vonage, self.bandwidth, self.twilio)

    def advance(self, seconds: float) -> None:
        """Move the clock by *seconds* and do, in order, what falls due on the way.

        Raises:
            TypeError: the network lives by another clock than a `SteppedClock`.
        """
        clock = self._stepped()
        end = clock.now() + seconds
        self.run_due()
        while (due := self.agenda.next_due()) is not None and due <= end:
            clock.advance(max(0.0, due - clock.now()))
            self.run_due()
        clock.advance(max(0.0, end - clock.now()))

    def settle(self, bound: float = _BOUND) -> None:
        """Move on until nothing is left to do within *bound* seconds from now.

        Raises:
            TypeError: the network lives by another clock than a `SteppedClock`.
        """
        clock = self._stepped()
        end = clock.now() + bound
        while (due := self.agenda.next_due()) is not None and due <= end:
            self.advance(max(0.0, due - clock.now()))

    def run_due(self) -> None:
        """Do what is due now, without moving the clock."""
        while True:
            with self.lock:
                job = self.agenda.pop(self.clock.now())
            if job is None:
                return
            errand = job()
            if errand is not None:  # unlocked: the application may call back
                errand.done(self._deliver(errand))

    def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        carriers: Collection[str] | None = None,
        page: bool = False,
    ) -> Served:
        """Serve carriers by HTTP from a background thread, in a `with`.

        *carriers* names those that are served; without it all are.

        The carriers listen on *port* and the next ones, in the order of `faces`; 0
        takes any that are free. With *page* the port after the last carrier's has a
        page that shows the phones and what goes on between them; `page_url` of the
        result tells where.

        What falls due is done by that thread, but on a `SteppedClock` only by
        `advance`, `settle` and `run_due`.

        Raises:
            ValueError: *carriers* names one that there is not.
        """
        from .server import Served  # noqa: PLC0415 - needs the extra `simulator`

        if not self._chosen_clock:
            self.clock = WallClock()
        served = self.faces if carriers is None else self._named(carriers)
        return Served(self, (host, port), served, page=page)

    def close(self) -> None:
        """Close the connections over which webhooks went out."""
        self._http.close()

    def __enter__(self) -> Self:
        """Return the network."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the network."""
        self.close()

    def _named(self, carriers: Collection[str]) -> tuple[Face, ...]:
        unknown = sorted(set(carriers) - {face.name for face in self.faces})
        if unknown:
            raise ValueError(f"there is no carrier {unknown[0]!r}")
        return tuple(face for face in self.faces if face.name in carriers)

    def _deliver(self, errand: Errand) -> Reply:
        return (self.post or self._http)(errand.request, errand.timeout)

    def _stepped(self) -> SteppedClock:
        if not isinstance(self.clock, SteppedClock):
            raise TypeError("only a network with a SteppedClock can be moved in time")
        return self.clock
