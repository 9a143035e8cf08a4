"""What can be asked for by POST: each takes its fields and returns JSON."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast, get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from ...wire import Json
from ..actions import ACTIONS, act
from ..clock import SteppedClock
from ..face import Face
from ..handset import Failing, Handset, ThreadKey
from ..timeline import Delivery
from .asked import Asked, NotUnderstoodError
from .switchboard import KINDS, Switchboard, When
from .views import phone_of, summary_of

if TYPE_CHECKING:
    from ..network import Network

__all__ = ["Commands", "NotThereError"]

_MOST_MEDIA = 10
_MOST_MEMBERS = 20
_LONGEST_URL = 2000
_LONGEST_STEP = 2 * 86_400.0


class NotThereError(LookupError):
    """What was named does not exist; the message says what."""


class Commands:
    """Do what the page's buttons ask for."""

    def __init__(self, network: Network, board: Switchboard) -> None:
        self._network = network
        self._board = board

    async def reply(self, request: Request, asked: Asked) -> Json:
        """Have a phone write: in `thread`, `to` a number and members, or in its last.

        `media` are URLs. Nothing is fetched from them here.
        """
        text, media = asked.text("text", ""), asked.texts("media", most=_MOST_MEDIA)
        for url in media:
            if not url.startswith(("http://", "https://")) or len(url) > _LONGEST_URL:
                raise NotUnderstoodError("a picture is given by an http or https URL")
        if not text and not media:
            raise NotUnderstoodError("write a text, or add a picture")
        phone = self._phone(request)
        phone.reply(text, media=media, to=self._thread(phone.number, asked))
        return {"sent": True}

    async def set_phone(self, request: Request, asked: Asked) -> Json:
        """Set what a phone is like: `failing`, `on_net`, `opted_out` by carrier."""
        phone = self._phone(request)
        if "failing" in asked.fields:
            phone.failing = _failing(asked.fields["failing"])
        if "on_net" in asked.fields:
            phone.on_net = asked.flag("on_net")
        opted_out = asked.object("opted_out")
        for carrier in opted_out.fields if opted_out else ():
            assert opted_out is not None  # noqa: S101 - or there would be no carrier
            self._face(carrier).opt(phone.number, out=opted_out.flag(carrier))
        with self._network.lock:
            self._network.feed.tell("phone", phone.number)
            return phone_of(self._network, phone.number)

    async def act(self, request: Request, _asked: Asked) -> Json:
        """Do something to one webhook."""
        action = request.path_params["action"]
        if action not in ACTIONS:
            raise NotThereError(f"there is no {action}, but {', '.join(ACTIONS)}")
        with self._network.lock:
            found = self._network.timeline.find(request.path_params["entry"])
            if not isinstance(found, Delivery):
                raise NotThereError("that webhook is not kept any more")
            act(self._face(found.carrier).hooks, found, action)
            return summary_of(found)

    async def turn_on(self, _request: Request, asked: Asked) -> Json:
        """Turn a fault on: `carrier`, `kind`, `when`, `count`, `seconds`."""
        kind = KINDS.get(asked.text("kind"))
        if kind is None:
            raise NotUnderstoodError(f"kind must be one of {', '.join(KINDS)}")
        when = asked.text("when", "before")
        if when not in get_args(When):
            raise NotUnderstoodError("when must be before or after")
        seconds = asked.number("seconds", kind.seconds or 0.0, most=_LONGEST_STEP)
        face = self._face(asked.text("carrier"))
        # In a thread, which can wait for a port to close; this loop cannot.
        turn_on = partial(
            self._board.on,
            face,
            kind,
            when=cast("When", when),
            count=asked.count("count"),
            seconds=seconds if kind.seconds is not None else None,
        )
        return (await run_in_threadpool(turn_on)).view()

    async def turn_off(self, request: Request, _asked: Asked) -> Json:
        """Turn a fault off."""
        fault: str = request.path_params["fault"]
        if not await run_in_threadpool(self._board.off, fault):
            raise NotThereError("that switch is not on")
        return {"off": True}

    async def step(self, _request: Request, asked: Asked) -> Json:
        """Move a stepped clock by `seconds`, and do what falls due on the way."""
        network = self._network
        if not isinstance(network.clock, SteppedClock):
            raise NotUnderstoodError("this network lives by the real time")
        seconds = asked.number("seconds", 0.0, most=_LONGEST_STEP)
        # In a thread: webhooks are posted on the way, and the application may call a
        # carrier, which answers on this loop.
        await run_in_threadpool(network.advance, seconds)
        with network.lock:
            network.feed.tell("clock")
        return {"now": network.when().isoformat()}

    def _face(self, name: str) -> Face:
        for face in self._network.faces:
            if face.name == name:
                return face
        raise NotThereError(f"there is no carrier {name}")

    def _phone(self, request: Request) -> Handset:
        return self._network.handset(request.path_params["number"])

    def _thread(self, number: str, asked: Asked) -> ThreadKey | None:
        given = asked.object("to")
        if given is not None:
            members = given.texts("members", most=_MOST_MEMBERS)
            return ThreadKey(given.text("number"), frozenset({number, *members}))
        if asked.fields.get("thread") is None:
            return None
        thread = self._network.ledger.find(asked.text("thread"))
        if thread is None:
            raise NotThereError("that thread is not kept any more")
        return thread.key


def _failing(given: Json) -> Failing | None:
    if given is None:
        return None
    if given not in get_args(Failing):
        raise NotUnderstoodError(
            f"failing must be one of {', '.join(get_args(Failing))}"
        )
    return cast("Failing", given)
