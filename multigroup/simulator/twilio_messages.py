"""Twilio's messages: to a group or one by one, their receipts, and what comes back.

Sources: Group Texting and Webhooks in Conversations (classic), read 2026-11-27, and
public captures of 2026-08.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from urllib.parse import urlsplit

from ..wire import Json
from .handset import Arrival, Bubble, ThreadKey
from .twilio_account import TwilioAccount
from .twilio_events import added, classic, created, updated
from .twilio_forms import Wanted
from .twilio_rooms import Conversation, Message, Participant, Receipt, new_sid
from .twilio_shapes import FAILURES, OPTED_OUT

__all__ = ["TwilioMessages"]

_SENT_AFTER = 1.0
_FINAL_AFTER = 2.5
_PICTURE = "image/jpeg"  # whatever it is: nothing is fetched


class TwilioMessages(TwilioAccount):
    """The part of Twilio behind its API."""

    def send(self, room: Conversation, said: Message) -> None:
        """Bring *said* to everyone in *room* but its author, each with a receipt."""
        room.messages.append(said)
        if room.state == "inactive" and self.quirks.wakes:
            self.change(room, "active", "EVENT", tell=True)
        self.touch(room)
        speaker = room.speaker(said.author)
        if speaker is not None and speaker.wanted.projected:
            self._to_group(room, said, speaker.wanted.projected)
        self._to_each(room, said)
        self.core.later(_SENT_AFTER, partial(self._progress, room, said))
        self.core.later(_FINAL_AFTER, partial(self._finish, room, said))

    def _to_group(self, room: Conversation, said: Message, ours: str) -> None:
        key = ThreadKey(ours, (room.members | room.ours) - {ours})
        for one in room.participants.values():
            if one.wanted.address in room.members:
                self._copy(said, one, (ours, key))

    def _to_each(self, room: Conversation, said: Message) -> None:
        """Text those with a proxy number one by one: a masked chat, and no group."""
        for one in room.participants.values():
            proxy, address = one.wanted.proxy, one.wanted.address
            if proxy and address and address != said.author:
                self._copy(said, one, (proxy, ThreadKey(proxy, frozenset({address}))))

    def _copy(
        self, said: Message, one: Participant, thread: tuple[str, ThreadKey]
    ) -> None:
        core, to = self.core, one.wanted.address or ""
        doom = self._doom(to)
        if doom == OPTED_OUT and self.quirks.opt_out == "silence":
            return
        said.receipts[one.sid] = Receipt(
            sid=new_sid("DY", self.random),
            channel_sid=new_sid("SM", self.random),
            participant_sid=one.sid,
            at=core.when(),
            updated=core.when(),
            doom=doom,
        )
        if doom is None:
            urls = tuple(f"{self.media_url}/{file['sid']}" for file in said.media)
            bubble = Bubble(thread[0], said.body or "", urls, said.subject, core.when())
            core.ring(to, thread[1], bubble)

    def _doom(self, to: str) -> tuple[str, int] | None:
        if to in self.core.owners:
            return None
        if self.blocks(to):
            return OPTED_OUT
        failing = self.core.handset(to).failing
        return None if failing is None else FAILURES[failing]

    @property
    def media_url(self) -> str:
        """Return where files are uploaded to."""
        return f"{self.base_url}/Services/{self.service_sid}/Media"

    def _progress(self, room: Conversation, said: Message) -> None:
        with self.core.lock:
            for one, _ in self._copies(room, said):
                fate = one.doom if one.doom == OPTED_OUT else None
                self._settle(room, said, one, fate or ("sent", None))

    def _finish(self, room: Conversation, said: Message) -> None:
        with self.core.lock:
            for one, to in self._copies(room, said):
                if one.doom is None and self._proven(to):
                    self._settle(room, said, one, ("delivered", None))
                elif one.doom is not None and one.doom != OPTED_OUT:
                    self._settle(room, said, one, one.doom)

    def _copies(
        self, room: Conversation, said: Message
    ) -> Iterable[tuple[Receipt, str]]:
        for sid, one in said.receipts.items():
            if sid in room.participants:
                yield one, room.participants[sid].wanted.address or ""

    def _proven(self, to: str) -> bool:
        on_net = to in self.core.owners or self.core.handset(to).on_net
        answers = {"carrier": True, "on_net": on_net, "none": False}
        return answers[self.quirks.receipts]

    def _settle(
        self,
        room: Conversation,
        said: Message,
        one: Receipt,
        fate: tuple[str, int | None],
    ) -> None:
        one.status, one.error = fate
        one.updated = self.core.when()
        self.post(room, updated(room, said, one))

    def inbound(self, arrival: Arrival) -> None:
        """Take what somebody wrote into its conversation, or to the classic webhook."""
        self.note_keyword(arrival)
        room = self._room_of(arrival)
        if room is None and self.quirks.autocreation:
            room = self._autocreate(arrival)
        if room is not None:
            self._hear(room, arrival)
        if room is None or self.quirks.double_delivery:
            self._classic(arrival)

    def _room_of(self, arrival: Arrival) -> Conversation | None:
        sender = arrival.bubble.sender
        room = self.rooms.of(arrival.others | {arrival.number, sender})
        if room is not None or arrival.others:
            return room
        for other in self.rooms.open():
            one = other.known(sender)
            if one is not None and one.wanted.proxy == arrival.number:
                return other
        return None

    def _autocreate(self, arrival: Arrival) -> Conversation:
        at = self.core.when()
        room = self.new_room("active")
        everyone = arrival.others | {arrival.number, arrival.bubble.sender}
        for number in sorted(everyone):
            ours = number in self._lines
            want = Wanted(projected=number) if ours else Wanted(address=number)
            one = Participant(new_sid("MB", self.random), want, at, at)
            room.participants[one.sid] = one
        self.post(room, created(room, arrival))
        return room

    def _hear(self, room: Conversation, arrival: Arrival) -> None:
        bubble = arrival.bubble
        if any(said.bubble is bubble for said in room.messages):
            return  # it came to another number of ours in the same conversation
        sid, one = new_sid("IM", self.random), room.known(bubble.sender)
        said = Message(
            sid=sid,
            index=len(room.messages),
            author=bubble.sender,
            participant_sid=one.sid if one else None,
            body=bubble.text or None,
            media=tuple(self._attached(bubble.media, sid)),
            subject=bubble.subject,
            attributes="{}",
            source="SMS",
            at=self.core.when(),
            bubble=bubble,
        )
        self.send(room, said)  # to those with proxies: phones of a group have it
        self.post(room, added(room, said))

    def _attached(self, media: Iterable[str], sid: str) -> Iterable[dict[str, Json]]:
        return (self.media.attach(self._kept(url), sid) for url in media)

    def _kept(self, url: str) -> str:
        name = urlsplit(url).path.rpartition("/")[2] or None
        return self.media.keep(f"stands for {url}".encode(), _PICTURE, name)

    def _classic(self, arrival: Arrival) -> None:
        url = self.classic_url(arrival.number)
        bubble = arrival.bubble
        mms = bool(arrival.others or bubble.media)
        sid = new_sid("MM" if mms else "SM", self.random)
        files: list[tuple[str, str]] = []
        for one in bubble.media:
            kept = self._kept(one)
            self.media.attach(kept, sid)
            files.append((f"{self.classic_base}/Messages/{sid}/Media/{kept}", _PICTURE))
        sids = (sid, self.account_sid, self.messaging_service_sid)
        if url is not None:
            self.deliver("classic", url, classic(arrival, sids, files))

    @property
    def classic_base(self) -> str:
        """Return where the account is in the older API."""
        root = self.base_url.removesuffix(self.prefix)
        return f"{root}/2010-04-01/Accounts/{self.account_sid}"
