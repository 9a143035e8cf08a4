"""One account at Twilio: numbers, conversations and their states, webhooks.

Sources: Webhooks, and States and Timers in Conversations (classic), read 2026-11-27.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Literal, TypeAlias

from attrs import field, frozen

from ..wire import Request
from .core import Core
from .courier import Courier, Parcel, Policy
from .face import Face, Signing
from .keys import form_signature, form_signed
from .twilio_events import Fields, encoded, state_changed
from .twilio_media import MediaStore
from .twilio_rooms import Conversation, Rooms, State, Terms, new_sid
from .twilio_shapes import TwilioQuirks

__all__ = ["TwilioAccount", "TwilioKind"]

TwilioKind: TypeAlias = Literal["long_code", "toll_free", "short_code"]

# Webhooks page: 5 s to answer. That there are retries is known from `RetryCount`
# alone; how many, and when, are examples.
_POLICY = Policy(
    timeout=5.0,
    success=range(200, 300),
    waits=(1.0, 5.0, 15.0),
    retried=lambda status: status == 429 or status >= 500,  # noqa: PLR2004
    headers={"content-type": "application/x-www-form-urlencoded"},
)


@frozen
class _Line:
    kind: TwilioKind
    classic_url: str | None = field(repr=False)


class TwilioAccount(Face):
    """What there is at Twilio, before anybody says anything.

    `service_url` and `account_url` are where the webhooks of all conversations go: the
    service's, or if it has none the account's. `filters` names the events wanted
    there; `None` is all that come after the fact.
    """

    name: ClassVar[str] = "twilio"
    prefix: ClassVar[str] = "/v1"
    throttled_code: ClassVar[str] = "20429"

    def __init__(self, core: Core) -> None:
        super().__init__(core, f"http://twilio.invalid{self.prefix}")
        self.random = core.stream(self.name)
        self.account_sid = new_sid("AC", self.random)
        self.auth_token = f"{self.random.getrandbits(128):032x}"
        self.service_sid = new_sid("IS", self.random)
        self.messaging_service_sid = new_sid("MG", self.random)
        self.service_url: str | None = None
        self.account_url: str | None = None
        self.filters: frozenset[str] | None = None
        self.quirks = TwilioQuirks()
        self.hooks = Courier(core, self.name, _POLICY, self._signed)
        self.rooms = Rooms(self.random)
        self.media = MediaStore(core.now, self.random)
        self._lines: dict[str, _Line] = {}

    @property
    def numbers(self) -> tuple[str, ...]:
        """Return the account's numbers."""
        return tuple(self._lines)

    def add_number(
        self,
        number: str,
        *,
        conversations_url: str | None = None,
        classic_url: str | None = None,
        kind: TwilioKind = "long_code",
    ) -> None:
        """Give the account *number*, or change where webhooks go.

        *classic_url* is the number's own messaging webhook. *conversations_url* is
        the account's: it gets the events of every conversation.

        Raises:
            ValueError: another carrier or a person has the number.
        """
        with self.core.lock:
            self.core.own(number, self)
            self._lines[number] = _Line(kind, classic_url)
            self.account_url = conversations_url or self.account_url

    def signing(self, request: Request) -> Signing:
        """Return the URL and the form's fields in their order (webhook security)."""
        text = form_signed(request.url, request.body)
        return Signing(text, f"HMAC-SHA1, auth token of the account {self.account_sid}")

    def classic_url(self, number: str) -> str | None:
        """Return the messaging webhook of *number*."""
        return self._lines[number].classic_url

    def terms(self, *, stepwise: bool) -> Terms:
        """Return what adding participants depends on."""
        lines = self._lines.items()
        return Terms(
            long_codes=frozenset(n for n, line in lines if line.kind == "long_code"),
            numbers=frozenset(self._lines),
            enabled=self.quirks.group_enabled,
            stepwise=stepwise,
            exists_status=self.quirks.exists_status,
        )

    def change(self, room: Conversation, to: State, reason: str, *, tell: bool) -> None:
        """Bring *room* into the state *to*, and tell of it."""
        before, room.state = room.state, to
        if before != to:
            room.updated = self.core.when()
        if before != to and tell:
            self.post(room, state_changed(room, before, reason))

    def touch(self, room: Conversation) -> None:
        """Start *room*'s timers anew."""
        room.touched = self.core.now()
        for name, wait in room.timers.items():
            self.core.later(wait, partial(self._time_out, room, name, room.touched))

    def _time_out(self, room: Conversation, name: str, touched: float) -> None:
        with self.core.lock:
            if room.touched != touched or room.sid not in self.rooms.every:
                return
            if name == "closed" and room.state != "closed":
                self.change(room, "closed", "TIMER", tell=True)
            elif name == "inactive" and room.state == "active":
                self.change(room, "inactive", "TIMER", tell=True)

    def new_room(self, state: State) -> Conversation:
        """Open a conversation without anybody in it."""
        at = self.core.when()
        room = Conversation(
            sid=new_sid("CH", self.random),
            unique_name=None,
            friendly_name=None,
            messaging_service_sid=self.messaging_service_sid,
            attributes="{}",
            state=state,
            at=at,
            updated=at,
            touched=self.core.now(),
        )
        self.rooms.every[room.sid] = room
        return room

    def post(self, room: Conversation, fields: Fields) -> None:
        """Post the event *fields* to everyone who wants it."""
        event = fields["EventType"]
        general = self.service_url or self.account_url  # the service's silences it
        wanted = self.filters is None or event in self.filters
        urls = [general] if general and wanted else []
        urls += [one.url for one in room.hooks.values() if event in one.filters]
        for url in urls:
            self.deliver(event, url, {**fields, "ChatServiceSid": self.service_sid})
        if not urls:
            self.hooks.submit(Parcel(event, (), lambda _number, _url: b""))

    def deliver(self, about: str, url: str, fields: Fields) -> None:
        """Post *fields* to *url*."""

        def render(number: int, _url: str) -> bytes:
            whole = {"AccountSid": self.account_sid, **fields}
            conversations = {"RetryCount": str(number - 1)}
            return encoded(whole | (conversations if "EventType" in whole else {}))

        self.hooks.submit(Parcel(about, (url,), render))

    def _signed(self, request: Request, _now: float) -> Mapping[str, str]:
        signature = form_signature(request.url, request.body, self.auth_token)
        return {"x-twilio-signature": signature}
