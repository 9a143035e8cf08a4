"""What the simulated Telnyx keeps of its webhooks, and the two levers of its API."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from multigroup.simulator import Network
from multigroup.wire import Failure, Reply, Request, Response

A, B = "+14155550101", "+14155550102"
HOOK = "http://app.test/telnyx?leg=5e4d.0"

Send = Callable[..., Reply]


def _get(network: Network, path: str = "", key: str | None = None, **query: str) -> Any:
    """Return status and document of a look-up; `_` in a name stands for `][`."""
    face = network.telnyx
    asked = urlencode({"page[size]": "50", **query})
    headers = {"authorization": f"Bearer {key or face.api_key}"}
    url = f"{face.base_url}/webhook_deliveries{path}?{asked}"
    reply = face.handle(Request("GET", url, headers))
    assert isinstance(reply, Response)
    return reply.status, json.loads(reply.body)


def _list(network: Network, **query: str) -> list[Any]:
    status, document = _get(network, **query)
    assert status == 200
    data: list[Any] = document["data"]
    return data


def test_what_was_delivered_is_kept_the_newest_first(
    network: Network, telnyx: Send, events: Callable[[], list[Any]]
) -> None:
    """Each record bears the event as it was posted, without its envelope."""
    telnyx(to=[A, B], webhook_url=HOOK)
    network.settle()

    kept = _list(network)

    assert [one["webhook"] for one in kept] == [e["data"] for e in events()[::-1]]
    assert {one["status"] for one in kept} == {"delivered"}
    assert {one["record_type"] for one in kept} == {"webhook_delivery"}
    (attempt,) = kept[0]["attempts"]
    assert attempt["http"]["request"]["url"] == HOOK
    assert attempt["http"]["response"]["status"] == 200
    assert attempt["errors"] == []


def test_what_nobody_took_is_kept_with_all_its_attempts(
    network: Network, telnyx: Send, answers: deque[Reply]
) -> None:
    """Three tries at each URL, and why each of them failed."""
    refusals: list[Reply] = [
        Response(500),
        Failure("ReadTimeout"),
        Response(404),
        Response(307),
    ]
    answers.extend([*refusals, Response(503), Response(400)] * 2)
    telnyx(to=[A, B], webhook_url=HOOK, use_profile_webhooks=False)
    network.settle()

    kept = _list(network)

    assert {one["status"] for one in kept} == {"failed"}
    codes = {a["errors"][0] for one in kept for a in one["attempts"]}
    assert codes == {75500, 75000, 75404, 75300, 75599, 75400}
    assert all(len(one["attempts"]) == 3 for one in kept)
    assert kept[0]["started_at"] < kept[0]["finished_at"]


def test_what_is_still_tried_is_in_no_record_yet(
    network: Network, telnyx: Send, answers: deque[Reply]
) -> None:
    """Whether it was delivered is known at the end only."""
    answers.extend([Response(500)] * 2)
    telnyx(to=[A, B], webhook_url=HOOK)
    network.advance(0.6)
    assert _list(network) == []

    network.settle()
    assert len(_list(network)) == 4


def test_records_are_found_by_what_is_in_the_event(
    network: Network, telnyx: Send
) -> None:
    """Our token in the message's own address finds all its events, and no others."""
    telnyx(to=[A, B], webhook_url=HOOK)
    telnyx(to=[A, B], webhook_url="http://app.test/telnyx?leg=5e4e.0")
    network.settle()

    assert len(_list(network)) == 8
    assert len(_list(network, **{"filter[webhook][contains]": "5e4d.0"})) == 4
    sent = {"filter[event_type]": "message.sent"}
    assert len(_list(network, **sent)) == 4
    assert len(_list(network, **sent, **{"filter[webhook][contains]": "5e4e"})) == 2
    assert _list(network, **{"filter[status][eq]": "failed"}) == []


def test_records_come_in_pages(network: Network, telnyx: Send) -> None:
    """So many at a time, and how many there are in all."""
    telnyx(to=[A, B], webhook_url=HOOK)
    network.settle()

    _, first = _get(network, **{"page[size]": "3"})
    _, second = _get(network, **{"page[size]": "3", "page[number]": "2"})

    assert [len(first["data"]), len(second["data"])] == [3, 1]
    assert first["meta"]["total_results"] == 4
    assert first["meta"]["total_pages"] == 2


def test_one_record_is_found_by_its_id(network: Network, telnyx: Send) -> None:
    """And an id that nobody has is not."""
    telnyx(to=[A, B], webhook_url=HOOK)
    network.settle()
    (*_, first) = _list(network)

    status, document = _get(network, f"/{first['id']}")
    assert (status, document["data"]) == (200, first)
    assert _get(network, "/nobody")[0] == 404


@pytest.mark.parametrize(
    "query",
    [{"filter[who]": "x"}, {"page[size]": "0"}, {"page[size]": "251"}, {"sort": "x"}],
)
def test_a_filter_that_is_none_is_refused(
    network: Network, query: dict[str, str]
) -> None:
    """A slip in a filter's name must not look like an empty answer."""
    status, document = _get(network, **query)

    assert status == 400
    assert document["errors"][0]["code"] == "10015"


def test_nobody_else_may_look(network: Network) -> None:
    """A wrong key gets the usual error."""
    status, document = _get(network, key="KEY0")

    assert (status, document["errors"][0]["code"]) == (401, "10009")


def _code(reply: Reply) -> tuple[int, str]:
    assert isinstance(reply, Response)
    return reply.status, json.loads(reply.body)["errors"][0]["code"]


def test_a_full_queue_takes_no_send(network: Network, telnyx: Send) -> None:
    """429 with 40318, until there is room again; nobody's phone rings."""
    with network.telnyx.fill_queue():
        assert _code(telnyx(to=[A, B])) == (429, "40318")
        assert network.handset(A).bubbles == ()

    telnyx(to=[A, B])
    assert len(network.handset(A).bubbles) == 1


def test_a_key_in_flight_is_not_replayed(network: Network, telnyx: Send) -> None:
    """409 with 10036 while the first request is under way; a new key is taken."""
    telnyx(key="k1")
    with network.telnyx.hold_keys():
        assert _code(telnyx(key="k1")) == (409, "10036")
        assert _code(telnyx(key="k1", text="Other")) == (422, "10027")
        telnyx(key="k2")
    telnyx(key="k1")

    assert len(network.handset(A).bubbles) == 2
