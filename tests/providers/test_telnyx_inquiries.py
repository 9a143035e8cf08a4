"""Telnyx, asked what became of a leg: which answers count, and for what."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from multigroup import DeliveryStatus, DeliveryUpdated, Reason, Scope
from multigroup.events import Event
from multigroup.providers.telnyx.inquiries import answers, questions
from multigroup.wire import Failure, Reply, Response

KEY: Final = f"{'5e' * 16}.0"
HOOK: Final = f"https://app.example.com/telnyx?leg={KEY}"
NOW: Final = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
EMPTY: Final = Response(200, {}, b'{"data":[]}')


def _list(*entries: Any) -> Response:
    return Response(200, {}, json.dumps({"data": entries}).encode())


def _record(**more: Any) -> dict[str, Any]:
    """Return a detail record of one recipient's copy."""
    given = {
        "uuid": "m-1",
        "cld": "+14155550101",
        "status": "delivered",
        "cost": "0.0150",
        "currency": "USD",
        "errors": [],
        "completed_at": "2026-11-27T07:59:00Z",
        "delivery_status_webhook_url": HOOK,
    }
    return {**given, **more}


def _webhook(hook: str = HOOK) -> dict[str, Any]:
    """Return the event of one recipient's copy, as the list of deliveries has it."""
    to = [{"phone_number": "+14155550101", "status": "sent"}]
    return {
        "id": "event-1",
        "event_type": "message.sent",
        "payload": {"id": "m-1", "to": to, "webhook_url": hook},
    }


def _told(webhooks: Reply = EMPTY, records: Reply = EMPTY) -> list[DeliveryUpdated]:
    told = answers(
        (webhooks, EMPTY, records),
        KEY,
        own=frozenset(),
        received_at=NOW,
        account="telnyx",
    )
    found: list[DeliveryUpdated] = []
    for event in told:
        assert isinstance(event, DeliveryUpdated)
        found.append(event)
    return found


def test_both_lists_are_searched_for_the_key() -> None:
    """In events, in attempts, and in the addresses that records are reported to."""
    asked = [urlsplit(request.url) for request in questions("http://t.test/v2", KEY)]

    paths = [part.path.rpartition("/")[2] for part in asked]
    assert paths == ["webhook_deliveries", "webhook_deliveries", "detail_records"]
    webhooks, attempts, records = (parse_qs(part.query) for part in asked)
    assert webhooks["filter[webhook][contains]"] == [KEY]
    assert attempts["filter[attempts][contains]"] == [KEY]
    assert records["filter[delivery_status_webhook_url][contains]"] == [KEY]
    assert records["filter[record_type]"] == ["messaging"]


@pytest.mark.parametrize("whole", [True, False], ids=["envelope", "bare"])
def test_a_kept_webhook_is_read_like_a_delivered_one(*, whole: bool) -> None:
    """With the envelope it was posted in, or without: one event each."""
    kept = {"data": _webhook()} if whole else _webhook()
    (event,) = _told(_list({"webhook": kept}, {"webhook": kept}))

    assert (event.token, event.id, event.status) == (KEY, "event-1", "sent")


def test_an_event_that_does_not_say_its_address_is_known_by_its_attempts() -> None:
    """The manual's group example has no address in the event: the attempts do."""
    bare = _webhook()
    del bare["payload"]["webhook_url"]
    attempts = [{"http": {"request": {"url": HOOK}}}]

    (event,) = _told(_list({"webhook": bare, "attempts": attempts}))

    assert event.token == KEY


def test_a_record_tells_of_one_copy() -> None:
    """Whose it is, how it ended and by which token; its price is not trusted."""
    (event,) = _told(records=_list(_record()))

    assert (event.token, event.member, event.message_id) == (KEY, "+14155550101", "m-1")
    assert event.status is DeliveryStatus.DELIVERED
    assert event.occurred_at == datetime(2026, 11, 27, 7, 59, tzinfo=UTC)
    assert event.cost is None


def test_a_records_words_and_codes_go_by_the_same_tables() -> None:
    """Upper case as in reports, `gw_reject` as in records, 40014 as in webhooks."""
    (event,) = _told(records=_list(_record(status="GW_REJECT", errors=["40014"])))

    assert event.status is DeliveryStatus.FAILED
    assert (event.code, event.reason, event.scope) == (
        "40014",
        Reason.EXPIRED,
        Scope.LINE,
    )


def test_what_bears_another_key_is_nobodys_news() -> None:
    """A search that found too much, its filter passed over, proves nothing."""
    other = HOOK.replace("5e", "6f")

    assert _told(_list({"webhook": _webhook(other)})) == []
    assert _told(records=_list(_record(delivery_status_webhook_url=other))) == []
    assert _told(records=_list(_record(delivery_status_webhook_url=None))) == []


@pytest.mark.parametrize(
    "reply",
    [
        EMPTY,
        Failure("ReadTimeout"),
        Response(403, {}, b'{"errors":[]}'),
        Response(200, {}, b"<html>"),
        Response(200, {}, b'{"data":[7, null, {"webhook": []}]}'),
        _list(_record(status="queued up"), _record(cld=None), _record(uuid=None)),
    ],
    ids=["empty", "lost", "refused", "html", "odd", "unknown words"],
)
def test_any_other_answer_tells_nothing(reply: Reply) -> None:
    """Neither list need answer, and no answer is an error."""
    nothing: list[Event] = []

    assert _told(reply, reply) == nothing
