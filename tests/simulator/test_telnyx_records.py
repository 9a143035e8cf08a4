"""The simulated Telnyx's detail records: one per copy that came to its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from multigroup.simulator import Network
from multigroup.wire import Reply, Request, Response

A, B = "+14155550101", "+14155550102"
HOOK = "http://app.test/telnyx?leg=5e4d.0"

Send = Callable[..., Reply]


def _get(network: Network, **query: str) -> tuple[int, Any]:
    """Return status and document of a search for messaging records."""
    face = network.telnyx
    asked = urlencode({"filter[record_type]": "messaging", **query})
    headers = {"authorization": f"Bearer {face.api_key}"}
    url = f"{face.base_url}/detail_records?{asked}"
    reply = face.handle(Request("GET", url, headers))
    assert isinstance(reply, Response)
    return reply.status, json.loads(reply.body)


def test_a_copy_has_its_record_once_it_came_to_its_end(
    network: Network, telnyx: Send
) -> None:
    """None while it is under way; then one per recipient, found by the address."""
    telnyx(to=[A, B], webhook_url=HOOK)
    assert _get(network)[1]["data"] == []

    network.settle()
    hook = {"filter[delivery_status_webhook_url][contains]": "leg=5e4d.0"}
    _, found = _get(network, **hook)

    assert sorted(record["cld"] for record in found["data"]) == [A, B]
    assert {record["delivery_status_webhook_url"] for record in found["data"]} == {HOOK}
    assert {record["status"] for record in found["data"]} == {"dlr_unconfirmed"}


def test_a_search_for_another_address_finds_nothing(
    network: Network, telnyx: Send
) -> None:
    """The filter looks into the address."""
    telnyx(to=[A, B], webhook_url=HOOK)
    network.settle()

    hook = {"filter[delivery_status_webhook_url][contains]": "leg=6f4d.0"}
    assert _get(network, **hook)[1]["data"] == []


def test_a_lost_copy_names_its_error(network: Network, telnyx: Send) -> None:
    """The code that the webhook bore is in the record."""
    network.handset(A).failing = "spam"
    telnyx(to=[A, B], webhook_url=HOOK)
    network.settle()

    errors = {r["cld"]: r["errors"] for r in _get(network)[1]["data"]}

    assert errors[A] != []
    assert errors[B] == []


@pytest.mark.parametrize(
    "query",
    [
        {"filter[record_type]": "voice"},
        {"filter[group_message_id]": "1"},
        {"page[size]": "51"},
        {"page[size]": "0"},
    ],
)
def test_a_search_that_is_none_is_refused(
    network: Network, query: dict[str, str]
) -> None:
    """An unknown field, a kind of record it has not and a page too large: 400."""
    status, document = _get(network, **query)

    assert (status, document["errors"][0]["code"]) == (400, "10015")
