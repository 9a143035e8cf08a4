"""Twilio's documents: conversations, participants, messages and receipts by REST.

Source: OpenAPI document of Conversations v1 (2026-04-14), read 2026-11-27.
`TwilioQuirks` has a switch where the documentation is silent, or differs from what
was seen in public captures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Literal

from attrs import frozen

from ..wire import Json
from .handset import Failing
from .twilio_rooms import Conversation, Hook, Message, Participant, Receipt

__all__ = [
    "FAILURES",
    "OPTED_OUT",
    "Paper",
    "TwilioQuirks",
    "listed",
    "stamp",
]

OPTED_OUT = ("failed", 21610)

# Error codes of the message resource, from general knowledge: 30034 and 30036 above
# all should be compared with the error pages before anybody relies on them.
FAILURES: Mapping[Failing, tuple[str, int]] = MappingProxyType(
    {
        "landline": ("undelivered", 30006),
        "spam": ("undelivered", 30007),
        "unreachable": ("undelivered", 30003),
        "not_registered": ("undelivered", 30034),
        "carrier_down": ("failed", 30008),
        "expired": ("undelivered", 30036),
    }
)

_REACHED: Mapping[str, frozenset[str]] = MappingProxyType(
    {  # a summary's word to the statuses that count for it
        "sent": frozenset({"sent", "delivered", "read", "undelivered"}),
        "delivered": frozenset({"delivered", "read"}),
        "read": frozenset({"read"}),
        "failed": frozenset({"failed"}),
        "undelivered": frozenset({"undelivered"}),
    }
)


@frozen(kw_only=True)
class TwilioQuirks:
    """How this run resolves what Twilio's pages leave open or contradict.

    Attributes:
        opt_out: what becomes of the copy for a member who wrote STOP: a receipt
            `failed` with 21610, or no copy and no receipt at all. Both were seen.
        receipts: who is said to be `delivered`: everyone, by acceptance of their
            carrier; phones on the sender's network only; or nobody.
        double_delivery: what people write reaches the classic webhook even where a
            conversation took it. Pages say no, every capture says yes.
        autocreation: a message for which there is no conversation makes one.
        wakes: a message to an inactive conversation makes it active.
        group_enabled: the account may have groups; else 50452.
        activates_after: seconds between the 202 for a conversation with participants
            and its being active.
        early: a message to a conversation that is being set up is refused with 50513,
            or accepted and lost.
        one_shot_error: a wrong participant among many is told by its own code, or by
            50435, which names nobody.
        exists_status: the HTTP status of 50438 and 50416.
        rate: requests per second and account before 429, or None for no limit.
    """

    opt_out: Literal["receipt", "silence"] = "receipt"
    receipts: Literal["carrier", "on_net", "none"] = "carrier"
    double_delivery: bool = True
    autocreation: bool = False
    wakes: bool = True
    group_enabled: bool = True
    activates_after: float = 1.0
    early: Literal["refused", "lost"] = "refused"
    one_shot_error: Literal["own", "50435"] = "own"
    exists_status: int = 409
    rate: int | None = 30


@frozen
class Paper:
    """Writes documents of one account, whose API is at *base_url*."""

    base_url: str
    account_sid: str
    service_sid: str

    def conversation(
        self, room: Conversation, *, whole: bool = True
    ) -> dict[str, Json]:
        """Return *room*; the answer to a one-shot creation is not *whole*."""
        url = f"{self.base_url}/Conversations/{room.sid}"
        links = ["participants", "messages", "webhooks", *(["export"] if whole else [])]
        return {
            "sid": room.sid,
            "account_sid": self.account_sid,
            "chat_service_sid": self.service_sid,
            "messaging_service_sid": room.messaging_service_sid,
            "friendly_name": room.friendly_name,
            "unique_name": room.unique_name,
            "attributes": room.attributes,
            "date_created": stamp(room.at),
            "date_updated": stamp(room.updated),
            "state": room.state,
            "timers": self.timers(room),
            "bindings": {},
            "url": url,
            "links": {name: f"{url}/{name.capitalize()}" for name in links},
        }

    def timers(self, room: Conversation) -> dict[str, Json]:
        """Return when *room* falls asleep and ends, if nothing happens."""
        begun = datetime.fromtimestamp(room.touched, UTC)
        return {
            f"date_{name}": stamp(begun + timedelta(seconds=wait))
            for name, wait in room.timers.items()
        }

    def participant(self, room: Conversation, one: Participant) -> dict[str, Json]:
        """Return a participant."""
        want = one.wanted
        binding: dict[str, Json] = {"type": "sms"}
        binding |= {"address": want.address} if want.address else {}
        binding |= {"proxy_address": want.proxy} if want.proxy else {}
        binding |= {"projected_address": want.projected} if want.projected else {}
        bound = len(binding) > 1
        url = f"{self.base_url}/Conversations/{room.sid}/Participants/{one.sid}"
        return {
            "account_sid": self.account_sid,
            "conversation_sid": room.sid,
            "sid": one.sid,
            "identity": want.identity,
            "attributes": want.attributes,
            "messaging_binding": binding if bound else None,
            "role_sid": None,
            "date_created": stamp(one.at),
            "date_updated": stamp(one.updated),
            "url": url,
            "last_read_message_index": None,
            "last_read_timestamp": None,
        }

    def message(self, room: Conversation, one: Message) -> dict[str, Json]:
        """Return a message with the summary of its receipts."""
        url = f"{self.base_url}/Conversations/{room.sid}/Messages/{one.sid}"
        return {
            "sid": one.sid,
            "account_sid": self.account_sid,
            "conversation_sid": room.sid,
            "body": one.body,
            "media": [*one.media] or None,
            "subject": one.subject,
            "author": one.author,
            "participant_sid": one.participant_sid,
            "attributes": one.attributes,
            "date_created": stamp(one.at),
            "date_updated": stamp(one.at),
            "index": one.index,
            "delivery": _summary([*one.receipts.values()]),
            "content_sid": None,
            "url": url,
            "links": {
                "delivery_receipts": f"{url}/Receipts",
                "channel_metadata": f"{url}/ChannelMetadata",
            },
        }

    def receipt(
        self, room: Conversation, said: Message, one: Receipt
    ) -> dict[str, Json]:
        """Return a receipt."""
        url = f"{self.base_url}/Conversations/{room.sid}/Messages/{said.sid}/Receipts"
        return {
            "sid": one.sid,
            "account_sid": self.account_sid,
            "conversation_sid": room.sid,
            "message_sid": said.sid,
            "channel_message_sid": one.channel_sid,
            "status": one.status,
            "error_code": one.error or 0,
            "participant_sid": one.participant_sid,
            "date_created": stamp(one.at),
            "date_updated": stamp(one.updated),
            "url": f"{url}/{one.sid}",
        }

    def hook(self, room: Conversation, one: Hook) -> dict[str, Json]:
        """Return a conversation's webhook."""
        url = f"{self.base_url}/Conversations/{room.sid}/Webhooks/{one.sid}"
        return {
            "sid": one.sid,
            "account_sid": self.account_sid,
            "conversation_sid": room.sid,
            "target": "webhook",
            "url": url,
            "configuration": {
                "url": one.url,
                "method": one.method,
                "filters": [*sorted(one.filters)],
            },
            "date_created": stamp(one.at),
            "date_updated": stamp(one.at),
        }

    def presence(self, room: Conversation, one: Participant) -> dict[str, Json]:
        """Return that *one* is in *room*, for a search by participant."""
        want, url = one.wanted, f"{self.base_url}/Conversations/{room.sid}"
        return {
            "account_sid": self.account_sid,
            "chat_service_sid": self.service_sid,
            "conversation_sid": room.sid,
            "participant_sid": one.sid,
            "conversation_friendly_name": room.friendly_name,
            "conversation_state": room.state,
            "conversation_timers": self.timers(room),
            "conversation_attributes": room.attributes,
            "conversation_date_created": stamp(room.at),
            "conversation_date_updated": stamp(room.updated),
            "conversation_created_by": "system",
            "conversation_unique_name": room.unique_name,
            "participant_user_sid": None,
            "participant_identity": want.identity,
            "participant_messaging_binding": {
                "address": want.address,
                "proxy_address": want.proxy,
                "type": "sms",
                "level": None,
                "name": None,
                "projected_address": want.projected,
            },
            "links": {
                "participant": f"{url}/Participants/{one.sid}",
                "conversation": url,
            },
        }


def listed(
    key: str, items: Sequence[Json], url: str, page: tuple[int, int]
) -> dict[str, Json]:
    """Return the page (number and size) of *items* with what leads to the others."""
    number, size = page

    def link(to: int) -> str:
        join = "&" if "?" in url else "?"
        return f"{url}{join}PageSize={size}&Page={to}"

    more = (number + 1) * size < len(items)
    return {
        "meta": {
            "page": number,
            "page_size": size,
            "first_page_url": link(0),
            "previous_page_url": link(number - 1) if number else None,
            "url": link(number),
            "next_page_url": link(number + 1) if more else None,
            "key": key,
        },
        key: [*items[number * size : (number + 1) * size]],
    }


def stamp(at: datetime) -> str:
    """Return *at* as the REST API writes it."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _summary(receipts: Sequence[Receipt]) -> dict[str, Json]:
    summary: dict[str, Json] = {"total": len(receipts)}
    for word, counted in _REACHED.items():
        count = sum(one.status in counted for one in receipts)
        summary[word] = ("none", "some", "all")[
            (count > 0) + (count == len(receipts) > 0)
        ]
    return summary
