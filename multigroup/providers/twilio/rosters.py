"""Who is in a conversation: what Twilio's webhooks leave out, asked for and remembered.

A message's webhook names the writer alone, and a delivery's nobody: only the
participant's id. Ids never change whom they stand for, so for deliveries what was
learned once will do. Who is in the group is asked anew for each message.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final

from attrs import define, evolve, field, frozen

from ... import codec
from ...errors import PayloadError
from ...events import DeliveryUpdated, Event, MessageReceived
from ...models import Number, conversation_id
from ...phone import lenient
from ...wire import Json, Reply, Request, Response
from ..reading import as_json
from .replies import document_of

__all__ = ["Rosters"]

_SID: Final = re.compile("CH[0-9a-fA-F]{32}")
_KEPT: Final = 512  # conversations; the oldest can be asked for again


@frozen
class _Participant:
    address: Number | None
    proxy: Number | None
    projected: Number | None


@define(eq=False)
class Rosters:
    """The participants of conversations, as far as they were asked for."""

    _known: dict[str, dict[str, _Participant]] = field(
        factory=dict[str, dict[str, _Participant]], init=False, repr=False
    )

    def question(self, base_url: str, event: Event) -> Request | None:
        """Return what asks for what *event* lacks, or `None` if nothing is to be asked.

        An event that says which conversation it is of lacks who is in it.
        """
        thread = _thread(event)
        if thread is None:
            return None
        known = self._known.get(thread, {})
        if isinstance(event, DeliveryUpdated) and event.participant in known:
            return None
        url = f"{base_url}/Conversations/{thread}/Participants"
        return Request("GET", url, {"accept": "application/json"})

    def learn(self, event: Event, reply: Reply) -> None:
        """Take in the list of participants in *reply*; any other tells nothing."""
        thread = _thread(event)
        if thread is None:
            return
        known: dict[str, _Participant] = {}
        if isinstance(reply, Response) and reply.status == HTTPStatus.OK:
            for entry in codec.items(document_of(reply), "participants"):
                listed = codec.table(entry)
                sid = codec.text(listed, "sid")
                if sid:
                    known[sid] = _participant(codec.table(listed, "messaging_binding"))
        if known:
            self._known.pop(thread, None)
            self._known[thread] = known
            for oldest in list(self._known)[:-_KEPT]:
                self._known.pop(oldest, None)
        elif isinstance(event, MessageReceived):  # what was known may hold no more
            self._known.pop(thread, None)

    def completed(self, event: Event, own: frozenset[str]) -> Event:
        """Return *event* with the members it lacks, where they are known."""
        thread = _thread(event)
        people = self._known.get(thread or "", {})
        if isinstance(event, DeliveryUpdated):
            about = people.get(event.participant or "")
            return evolve(event, member=about.address) if about else event
        if isinstance(event, MessageReceived):
            return _placed(event, [*people.values()], own)
        return event


def _participant(binding: dict[str, Json]) -> _Participant:
    def number(name: str) -> Number | None:
        written = codec.text(binding, name)
        return lenient(written) if written else None

    return _Participant(
        number("address"), number("proxy_address"), number("projected_address")
    )


def _placed(
    event: MessageReceived, people: list[_Participant], own: frozenset[str]
) -> MessageReceived:
    """Return *event* with line and members, if its sender is among *people*.

    Whoever is there behind a proxy number is in a thread of two, whoever else is in
    the conversation.
    """
    sender = next((who for who in people if who.address == event.sender), None)
    if sender is None:
        return event
    if sender.proxy is not None:
        lines, members = [sender.proxy], frozenset({event.sender})
    else:
        lines = [who.projected for who in people if who.projected]
        inside = {who.address for who in people if who.address and not who.proxy}
        members = frozenset(inside - {*lines, *own})
    line = next((number for number in lines if number in own), next(iter(lines), None))
    return evolve(
        event, line=line, members=members, conversation=conversation_id(members)
    )


def _thread(event: Event) -> str | None:
    """Return the conversation of an *event* that lacks who is in it."""
    if isinstance(event, MessageReceived) and event.members is None:
        thread = event.provider_thread
    elif isinstance(event, DeliveryUpdated) and event.member is None:
        thread = _sid_in(event.raw) if event.participant else None
    else:
        thread = None
    return thread if thread and _SID.fullmatch(thread) else None


def _sid_in(raw: bytes) -> str | None:
    try:
        return codec.text(codec.table(codec.loads(as_json(raw))), "ConversationSid")
    except PayloadError:
        return None
