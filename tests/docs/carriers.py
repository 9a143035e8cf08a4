"""A carrier's facts as tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, Final

import attrs

from multigroup import Capabilities, DeliveryUpdated, Meaning, Scope, WebhookAuth
from multigroup.providers import bandwidth, telnyx, twilio, vonage
from multigroup.providers.bandwidth import facts as bandwidth_facts
from multigroup.providers.telnyx import facts as telnyx_facts
from multigroup.providers.twilio import facts as twilio_facts
from multigroup.providers.vonage import facts as vonage_facts
from multigroup.wire import Json, Response
from tests.docs.markdown import code, table, yes
from tests.docs.outcomes import answered, row

__all__ = [
    "CARRIERS",
    "capabilities",
    "codes",
    "http",
    "matrix",
    "sources",
    "statuses",
]

CARRIERS: Final[Mapping[str, ModuleType]] = {
    "bandwidth": bandwidth_facts,
    "telnyx": telnyx_facts,
    "twilio": twilio_facts,
    "vonage": vonage_facts,
}
_WHEN: Final = datetime(2026, 11, 21, tzinfo=UTC)
_ANOTHER_LINE_HELPS: Final = frozenset({Scope.LINE, Scope.ACCOUNT})


def _limit(value: Any) -> str:
    return "none documented" if value is None else f"{value:,}"


def _auth(value: WebhookAuth) -> str:
    held = ["the body"] * value.binds_body + ["its age"] * value.has_freshness
    return " and ".join(held) or "neither body nor age"


def _words(value: Iterable[str]) -> str:
    return ", ".join(sorted(code(word) for word in value))


_LABELS: Final[Mapping[str, tuple[str, Callable[[Any], str]]]] = {
    "max_members": ("most members", _limit),
    "max_media": ("most media", _limit),
    "max_text": ("longest text, in characters", _limit),
    "subject": ("MMS subject", yes),
    "group_from": ("lines that may text a group", _words),
    "legs_per": ("one request per", str),
    "webhook_auth": ("a webhook's signature proves", _auth),
    "idempotency": ("idempotency key", str),
    "receipts": ("delivery receipts", str),
    "roster_on_inbound": ("a reply names the members", yes),
    "as_of": ("read on", str),
}
_ELSEWHERE: Final = {"sources"}


def _rows(carriers: Iterable[str]) -> Iterator[tuple[str, ...]]:
    can = [CARRIERS[name].CAPABILITIES for name in carriers]
    for field in attrs.fields(Capabilities):
        if field.name not in _ELSEWHERE:
            label, words = _LABELS[field.name]
            yield label, *(words(getattr(one, field.name)) for one in can)


def matrix() -> str:
    """Return what each carrier can, side by side."""
    names = [f"[{name.capitalize()}]({name}.md)" for name in CARRIERS]
    return table(("", *names), _rows(CARRIERS))


def capabilities(carrier: str) -> str:
    """Return what one carrier can."""
    return table(("", carrier.capitalize()), _rows([carrier]))


def sources(carrier: str) -> str:
    """Return where the tables come from, and when they were read."""
    can = CARRIERS[carrier].CAPABILITIES
    return "\n".join(f"- {source}, read {can.as_of}" for source in can.sources)


_PROOF: Final[Mapping[Meaning | None, str]] = {
    Meaning.HANDSET: "the handset has it",
    Meaning.CARRIER: "a carrier says so; no proof of the handset",
    Meaning.HANDED_OVER: "handed on to the next carrier",
    None: "",
}


def statuses(carrier: str) -> str:
    """Return what each status word of a webhook becomes."""
    return table(
        ("the carrier's word", "our status", "final", "what it proves"),
        (
            (code(word), code(event.status), yes(event.status.final), proof)
            for word in CARRIERS[carrier].STATUSES
            for event in [_update(carrier, word)]
            for proof in [_PROOF[event.meaning]]
        ),
    )


def codes(carrier: str) -> str:
    """Return what each error code means."""
    return {
        "bandwidth": _bandwidth_codes,
        "telnyx": _telnyx_codes,
        "twilio": _twilio_codes,
        "vonage": _vonage_codes,
    }[carrier]()


def _bandwidth_codes() -> str:
    facts = bandwidth_facts
    return _late_codes(
        "bandwidth", "message-failed", [*facts.CODES, *facts.UNCONFIRMED]
    )


def _telnyx_codes() -> str:
    facts = telnyx_facts
    known = sorted({*facts.CODES, *facts.THROTTLED, *facts.AMBIGUOUS}, key=int)
    return table(
        ("code", "outcome of a send", "reason", "scope", "may another line try"),
        (
            (code(number), *row("telnyx", answered(400, _telnyx_error(number))))
            for number in known
        ),
    )


def _twilio_codes() -> str:
    facts = twilio_facts
    return table(
        ("code", "outcome of a send", "reason", "scope", "may another line try"),
        (
            (code(number), *row("twilio", answered(400, {"code": int(number)})))
            for number in sorted({*facts.CODES, *facts.THROTTLED}, key=int)
        ),
    )


def _vonage_codes() -> str:
    return _late_codes("vonage", "rejected", vonage_facts.CODES)


def _late_codes(carrier: str, word: str, known: Iterable[str]) -> str:
    """Return what codes mean that come after a message was taken."""
    return table(
        ("code", "our status", "reason", "scope", "could another line help"),
        (
            (
                code(number),
                code(event.status),
                code(event.reason),
                code(event.scope),
                yes(event.scope in _ANOTHER_LINE_HELPS),
            )
            for number in sorted(known)
            for event in [_update(carrier, word, number)]
        ),
    )


def http(carrier: str) -> str:
    """Return what each HTTP status proves."""
    rows = {
        "bandwidth": _bandwidth_http,
        "telnyx": _telnyx_http,
        "twilio": _twilio_http,
        "vonage": _vonage_http,
    }[carrier]()
    return table(
        ("HTTP status", "outcome", "reason", "scope", "may another line try"),
        ((words, *row(carrier, reply)) for words, reply in rows),
    )


def _bandwidth_http() -> Iterator[tuple[str, Response]]:
    yield "202 with `id`", answered(202, {"id": "1"})
    yield "202 without it", answered(202, {})
    yield from _plain(301, 400)
    for field in bandwidth_facts.BY_FIELD:
        error: Json = {"fieldName": field, "description": "so"}
        yield f"400, of the field `{field}`", answered(400, {"fieldErrors": [error]})
    yield from _plain(401, 402, 403, 404, 406, 408, 415, 429, 500, 503)


def _telnyx_http() -> Iterator[tuple[str, Response]]:
    yield "200 with an id", answered(200, {"data": {"id": "1"}})
    replayed = {"idempotent-replayed": "true"}
    body = json.dumps({"data": {"id": "1"}}).encode()
    yield "200, `Idempotent-Replayed: true`", Response(200, replayed, body)
    yield "200 without an id", answered(200, {})
    yield from _plain(301, 400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 503)


def _twilio_http() -> Iterator[tuple[str, Response]]:
    yield "201 with a `sid`", answered(201, {"sid": "1"})
    yield "201 without it", answered(201, {})
    yield from _plain(301, 400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 503)


def _vonage_http() -> Iterator[tuple[str, Response]]:
    yield "202 with `message_uuid`", answered(202, {"message_uuid": "1"})
    yield "202 without it", answered(202, {})
    yield from _plain(301, 400, 401, 402, 403, 404, 408, 422)
    for title in vonage_facts.BY_TITLE:
        words = f"422, title “{title.capitalize()}”"
        yield words, answered(422, {"title": title})
    yield from _plain(429, 500, 503)


def _plain(*numbers: int) -> Iterator[tuple[str, Response]]:
    for status in numbers:
        yield str(status), answered(status, {})


def _telnyx_error(number: str) -> Json:
    return {"errors": [{"code": number, "title": "so"}]}


def _update(carrier: str, word: str, number: str | None = None) -> DeliveryUpdated:
    """Return the event that a webhook with the status *word* is read as."""
    error: Json = {"title": number} if number else {}
    document: dict[str, Json] = {
        "bandwidth": [
            {
                "type": word,
                "to": "+14155550101",
                "errorCode": number,
                "message": {"to": ["+14155550101", "+14155550102"]},
            }
        ],
        "telnyx": {
            "data": {
                "event_type": "message.finalized",
                "payload": {"to": [{"phone_number": "+14155550101", "status": word}]},
            }
        },
        "twilio": {"EventType": "onDeliveryUpdated", "Status": word},
        "vonage": {"status": word, "to": "14155550101", "error": error},
    }
    parse = {
        "bandwidth": bandwidth.parse,
        "telnyx": telnyx.parse,
        "twilio": twilio.parse,
        "vonage": vonage.parse,
    }[carrier]
    body = json.dumps(document[carrier]).encode()
    (event,) = parse(body, own=frozenset(), received_at=_WHEN)
    if not isinstance(event, DeliveryUpdated):
        raise TypeError(word)
    return event
