"""The network as JSON, for the page and for scripts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, get_args

from ...wire import Headers, Json, Reply, Request, Response
from ..clock import SteppedClock
from ..face import Face
from ..feed import Change
from ..handset import Failing
from ..ledger import KEPT_MESSAGES, KEPT_THREADS, Message, Thread
from ..timeline import KEPT_ATTEMPTS, KEPT_ENTRIES, Attempt, Call, Delivery
from .plain import answer_of, why
from .settings import settings_for
from .switchboard import ANSWERS, WEBHOOKS, Kind, Switchboard

if TYPE_CHECKING:
    from ..network import Network

__all__ = ["changed", "detail_of", "phone_of", "state_of", "summary_of"]


def state_of(network: Network, board: Switchboard) -> dict[str, Json]:
    """Return everything that the page shows."""
    return {
        "kept": {
            "entries": KEPT_ENTRIES,
            "attempts": KEPT_ATTEMPTS,
            "messages": KEPT_MESSAGES,
            "threads": KEPT_THREADS,
        },
        "clock": _clock(network),
        "carriers": [_carrier(face) for face in board.faces],
        "phones": [phone_of(network, number) for number in _people(network)],
        "threads": [_thread(thread) for thread in network.ledger.threads],
        "timeline": [summary_of(entry) for entry in network.timeline.entries],
        "faults": _faults(network, board),
        "kinds": {
            "answers": [_kind(kind) for kind in ANSWERS],
            "webhooks": [_kind(kind) for kind in WEBHOOKS],
            "failing": [*get_args(Failing)],
        },
    }


def changed(
    network: Network, board: Switchboard, changes: Iterable[Change]
) -> list[Json]:
    """Return *changes* as JSON: each subject once, as it stands now."""
    latest = {
        (
            change.kind,
            change.subject if change.kind == "phone" else id(change.subject),
        ): change
        for change in changes
    }
    return [_change(network, board, change) for change in latest.values()]


def _change(network: Network, board: Switchboard, change: Change) -> Json:
    match change.subject:
        case Message() as message:
            head = _thread_head(message.thread)
            return {"message": _message(message), "thread": head}
        case Call() | Delivery() as entry:
            return {"entry": summary_of(entry)}
        case str() as number:
            return {"phone": phone_of(network, number)}
        case _ if change.kind == "faults":
            return {"faults": _faults(network, board)}
        case _:
            return {"clock": _clock(network)}


def phone_of(network: Network, number: str) -> dict[str, Json]:
    """Return how the phone with *number* is set."""
    phone = next((one for one in network.handsets if one.number == number), None)
    return {
        "number": number,
        "failing": phone.failing if phone else None,
        "on_net": phone.on_net if phone else False,
        "opted_out": [face.name for face in network.faces if face.blocks(number)],
    }


def summary_of(entry: Call | Delivery) -> dict[str, Json]:
    """Return one line of the timeline."""
    if isinstance(entry, Call):
        status, answer = answer_of(entry.reply)
        return {
            "id": entry.id,
            "type": "call",
            "at": entry.at.isoformat(),
            "carrier": entry.carrier,
            "title": f"{entry.request.method} {_path(entry.request)}",
            "status": status,
            "answer": answer,
            "why": entry.because or why(entry.reply),
        }
    return {
        "id": entry.id,
        "type": "webhook",
        "at": entry.at.isoformat(),
        "carrier": entry.carrier,
        "title": entry.parcel.about,
        "state": entry.state,
        "why": entry.why,
        "made": entry.made,
        "next_at": entry.next_at.isoformat() if entry.next_at else None,
        "attempts": [_attempt(attempt) for attempt in entry.attempts],
    }


def detail_of(network: Network, entry: Call | Delivery) -> dict[str, Json]:
    """Return an entry with all that was said."""
    summary = summary_of(entry)
    if isinstance(entry, Call):
        said: dict[str, Json] = {
            "request": _request(entry.request),
            "reply": _reply(entry.reply),
        }
        return summary | said
    face = next(one for one in network.faces if one.name == entry.carrier)
    attempts: list[Json] = [_whole(face, attempt) for attempt in entry.attempts]
    return {**summary, "attempts": attempts}


def _whole(face: Face, attempt: Attempt) -> dict[str, Json]:
    signing = face.signing(attempt.request)
    return {
        **_attempt(attempt),
        "request": _request(attempt.request),
        "reply": _reply(attempt.reply),
        "signing": {"text": signing.text, "key": signing.key},
    }


def _attempt(attempt: Attempt) -> dict[str, Json]:
    status, answer = answer_of(attempt.reply)
    return {
        "id": attempt.id,
        "number": attempt.number,
        "at": attempt.at.isoformat(),
        "marks": [*attempt.marks],
        "status": status,
        "answer": answer,
        "took": attempt.took,
    }


def _request(request: Request) -> dict[str, Json]:
    return {
        "method": request.method,
        "url": request.url,
        "headers": _headers(request.headers),
        "body": request.body.decode(errors="replace"),
    }


def _reply(reply: Reply | None) -> Json:
    if not isinstance(reply, Response):
        return None
    return {
        "status": reply.status,
        "headers": _headers(reply.headers),
        "body": reply.body[:32_768].decode(errors="replace"),
    }


def _headers(headers: Headers) -> list[Json]:
    return [[name, value] for name, value in headers]


def _path(request: Request) -> str:
    rest = request.url.partition("://")[2] or request.url
    return "/" + rest.partition("/")[2].partition("?")[0]


def _people(network: Network) -> list[str]:
    named = {phone.number for phone in network.handsets}
    for thread in network.ledger.threads:
        named |= thread.key.members
    return sorted(named - set(network.owners))


def _thread(thread: Thread) -> dict[str, Json]:
    messages: list[Json] = [_message(message) for message in thread.messages]
    return {**_thread_head(thread), "messages": messages}


def _thread_head(thread: Thread) -> dict[str, Json]:
    return {
        "id": thread.id,
        "number": thread.key.number,
        "members": [*sorted(thread.key.members)],
    }


def _message(message: Message) -> dict[str, Json]:
    bubble = message.bubble
    return {
        "id": message.id,
        "sender": bubble.sender,
        "text": bubble.text,
        "subject": bubble.subject,
        "media": [*bubble.media],
        "at": bubble.at.isoformat(),
        "on": [*sorted(message.on)],
        "again": message.again,
    }


def _carrier(face: Face) -> dict[str, Json]:
    numbers: Json = [*face.core.numbers_of(face)]
    settings: Json = [
        {"title": one.title, "language": one.language, "code": one.code}
        for one in settings_for(face)
    ]
    return {
        "name": face.name,
        "base_url": face.base_url,
        "numbers": numbers,
        "settings": settings,
    }


def _faults(network: Network, board: Switchboard) -> dict[str, Json]:
    down: list[Json] = [face.name for face in network.faces if face.down]
    return {"active": [active.view() for active in board.active], "down": down}


def _clock(network: Network) -> dict[str, Json]:
    return {
        "now": network.when().isoformat(),
        "stepped": isinstance(network.clock, SteppedClock),
    }


def _kind(kind: Kind) -> dict[str, Json]:
    return {
        "kind": kind.name,
        "label": kind.label,
        "when": [*kind.when],
        "seconds": kind.seconds,
    }
