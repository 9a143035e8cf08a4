"""The HTTP interface beneath the page, over real loopback connections."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from multigroup.simulator import Network, SteppedClock
from multigroup.simulator.page.switchboard import ANSWERS, WEBHOOKS
from multigroup.wire import Failure, Reply, Request, Response

A, B, C = "+14155550101", "+14155550102", "+14155550103"
TELNYX = "+14155550150"
JSON = {"content-type": "application/json"}


@pytest.fixture
def inbox() -> list[Request]:
    """Hold every webhook that the application got."""
    return []


@pytest.fixture
def network(inbox: list[Request]) -> Network:
    """Give a network whose clock stands still, with a number at each carrier."""

    def post(request: Request, _timeout: float) -> Reply:
        inbox.append(request)
        return Response(200)

    made = Network(clock=SteppedClock(1_795_000_000.0), post=post, seed=7)
    made.telnyx.add_number(TELNYX, webhook_url="http://127.0.0.1/telnyx")
    made.vonage.add_number("+14155550160", inbound_url="http://127.0.0.1/vonage")
    return made


@pytest.fixture
def page(network: Network) -> Iterator[httpx.Client]:
    """Serve the network with its page, and give a client for it."""
    with network.serve(page=True) as served:
        assert served.page_url is not None
        with httpx.Client(base_url=served.page_url, trust_env=False) as client:
            yield client


def _send(network: Network, **fields: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {network.telnyx.api_key}"}
    body = {"from": TELNYX, "to": [A, B], "text": "Hello", **fields}
    url = network.telnyx.base_url + "/messages/group_mms"
    return httpx.post(url, headers=headers, json=body, trust_env=False, timeout=2.0)


def _post(page: httpx.Client, path: str, **fields: Any) -> Any:
    answer = page.post(f"/api/{path}", json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _error(page: httpx.Client, path: str, **fields: Any) -> tuple[int, str]:
    answer = page.post(f"/api/{path}", json=fields)
    return answer.status_code, answer.json()["error"]


def _webhook(page: httpx.Client) -> str:
    timeline = page.get("/api/state").json()["timeline"]
    found: str = [one["id"] for one in timeline if one["type"] == "webhook"][-1]
    return found


def test_the_state_has_phones_threads_and_numbers(
    network: Network, page: httpx.Client
) -> None:
    """Everything the page shows is in one document."""
    _send(network)
    state = page.get("/api/state").json()
    assert [phone["number"] for phone in state["phones"]] == [A, B]
    (thread,) = state["threads"]
    assert (thread["number"], thread["members"]) == (TELNYX, [A, B])
    assert thread["messages"][0]["on"] == [A, B]
    assert state["carriers"][0]["numbers"] == [TELNYX]
    assert state["clock"] == {"now": network.when().isoformat(), "stepped": True}


def test_a_member_who_got_nothing_has_a_phone(
    network: Network, page: httpx.Client
) -> None:
    """Whoever is named on a thread is shown, though nothing ever came to them."""
    pair = (network.vonage.api_key, network.vonage.api_secret)
    leg = {"channel": "mms", "message_type": "text", "text": "Hi"}
    who = {"from": "14155550160", "to": A[1:], "mms": {"participants": [B[1:]]}}
    url = network.vonage.base_url + "/v1/messages"
    httpx.post(url, auth=pair, json=leg | who, trust_env=False)
    state = page.get("/api/state").json()
    assert [phone["number"] for phone in state["phones"]] == [A, B]
    assert state["threads"][0]["messages"][0]["on"] == [A]


def test_a_phone_replies_with_a_picture(
    network: Network, page: httpx.Client, inbox: list[Request]
) -> None:
    """The webhook has its URL, and nothing was fetched."""
    _send(network)
    thread = page.get("/api/state").json()["threads"][0]["id"]
    url = "http://127.0.0.1:9/cat.jpg"
    _post(page, f"phones/{A}/reply", text="Look", media=[url], thread=thread)
    _post(page, "clock", seconds=0)
    payload = json.loads(inbox[-1].body)["data"]["payload"]
    assert payload["text"] == "Look"
    assert payload["media"][0]["url"] == url


def test_a_person_may_write_first(page: httpx.Client, network: Network) -> None:
    """A number and the others on the thread are enough."""
    to = {"number": TELNYX, "members": [B]}
    _post(page, f"phones/{A}/reply", text="Anybody?", to=to)
    (key,) = network.handset(B).threads
    assert key.members == {A, B}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "write a text"),
        ({"text": 7}, "text must be text"),
        ({"text": "x", "media": ["ftp://127.0.0.1/x"]}, "http or https"),
        ({"text": "x", "media": "http://127.0.0.1/"}, "list of at most"),
        ({"text": "x", "media": [1]}, "list of strings"),
        ({"text": "x"}, "no such thread"),
        ({"text": "x", "to": "nobody"}, "must be an object"),
        ({"text": "x", "to": {"number": "+14155550199"}}, "no carrier has"),
    ],
)
def test_a_reply_that_cannot_be_is_explained(
    page: httpx.Client, fields: dict[str, Any], words: str
) -> None:
    """The status is 400, and the words say what is wrong."""
    status, error = _error(page, f"phones/{A}/reply", **fields)
    assert status == 400
    assert words in error


def test_what_is_not_there_is_404(page: httpx.Client) -> None:
    """A thread, a webhook, an action, a carrier, a switch and an entry."""
    assert _error(page, f"phones/{A}/reply", text="x", thread="none")[0] == 404
    assert _error(page, "webhooks/w99/replay")[0] == 404
    assert _error(page, "webhooks/w99/explode")[0] == 404
    assert _error(page, "faults", carrier="none", kind="500")[0] == 404
    assert _error(page, "faults/f99/off")[0] == 404
    assert page.get("/api/timeline/c99").status_code == 404


def test_a_phone_is_set(network: Network, page: httpx.Client) -> None:
    """It can be out of reach, on the carrier's network, and opted out of one."""
    answer = _post(
        page,
        f"phones/{A}",
        failing="landline",
        on_net=True,
        opted_out={"telnyx": True},
    )
    assert answer == {
        "number": A,
        "failing": "landline",
        "on_net": True,
        "opted_out": ["telnyx"],
    }
    assert "STOP" in _send(network).text
    _post(page, f"phones/{A}", failing=None, opted_out={"telnyx": False})
    assert _send(network).status_code == 200


@pytest.mark.parametrize(
    "fields", [{"failing": "asleep"}, {"on_net": 1}, {"opted_out": {"telnyx": "yes"}}]
)
def test_a_phone_is_not_set_to_nonsense(
    page: httpx.Client, fields: dict[str, Any]
) -> None:
    """Words that mean nothing are refused."""
    assert _error(page, f"phones/{A}", **fields)[0] == 400


@pytest.mark.parametrize("kind", [one.name for one in ANSWERS])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_goes_wrong_before_or_after_acceptance(
    network: Network, page: httpx.Client, kind: str, when: str
) -> None:
    """Afterwards the phones have rung; before, they have not."""
    if (kind, when) == ("outage", "after"):
        status, words = _error(page, "faults", carrier="telnyx", kind=kind, when=when)
        assert (status, words) == (400, "outage cannot come after acceptance")
        return
    fault = _post(page, "faults", carrier="telnyx", kind=kind, when=when)
    try:
        answer = _send(network)
    except httpx.TransportError:
        assert kind in {"hang", "drop", "reset", "outage"}
    else:
        assert answer.status_code in {200, 429, 500, 503}
        if kind in {"truncated", "html"}:
            with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid"):
                answer.json()
        if kind == "429":
            assert answer.headers["retry-after"] == "2"
    assert len(network.handset(A).bubbles) == (1 if when == "after" else 0)
    _post(page, f"faults/{fault['id']}/off")
    assert _send(network).status_code == 200


def test_a_reset_and_a_drop_are_told_apart(
    network: Network, page: httpx.Client
) -> None:
    """A client sees a reset as such, and the other as an end without an answer."""
    _post(page, "faults", carrier="telnyx", kind="reset", count=1)
    with pytest.raises(httpx.ReadError):
        _send(network)
    _post(page, "faults", carrier="telnyx", kind="drop", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        _send(network)
    assert page.get("/api/state").json()["faults"]["active"] == []


@pytest.mark.parametrize("kind", [one.name for one in WEBHOOKS])
def test_webhooks_go_wrong(
    network: Network, page: httpx.Client, inbox: list[Request], kind: str
) -> None:
    """Each switch is seen on the timeline or in what the application got."""
    _send(network)
    network.settle()
    inbox.clear()
    fault = _post(page, "faults", carrier="telnyx", kind=kind)
    _post(page, f"phones/{A}/reply", text="Hi")
    network.run_due()
    entry = page.get(f"/api/timeline/{_webhook(page)}").json()
    marks = [mark for attempt in entry["attempts"] for mark in attempt["marks"]]
    seen = (len(inbox), entry["state"], bool(marks))
    assert seen == {
        "late": (0, "due", False),
        "twice": (2, "delivered", True),
        "out_of_order": (0, "held", False),
        "never": (0, "dropped", False),
        "held": (0, "held", False),
    }.get(kind, (1, "delivered", True))
    _post(page, f"faults/{fault['id']}/off")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "meteor"}, "kind must be one of"),
        ({"kind": "500", "when": "later"}, "before or after"),
        ({"kind": "500", "count": 0}, "at least 1"),
        ({"kind": "held", "count": 1}, "has no count"),
        ({"kind": "late", "seconds": -1}, "between 0"),
        ({"kind": "late", "seconds": "long"}, "must be a number"),
    ],
)
def test_a_switch_that_makes_no_sense_is_explained(
    page: httpx.Client, fields: dict[str, Any], words: str
) -> None:
    """The status is 400, and the words say what is wrong."""
    status, error = _error(page, "faults", carrier="telnyx", **fields)
    assert status == 400
    assert words in error


def test_switches_do_not_pile_up(page: httpx.Client) -> None:
    """A hundred may be on, then some must be turned off."""
    for _ in range(100):
        _post(page, "faults", carrier="vonage", kind="unsigned")
    status, words = _error(page, "faults", carrier="vonage", kind="unsigned")
    assert (status, words[:3]) == (400, "100")


def test_a_webhook_is_replayed(
    network: Network, page: httpx.Client, inbox: list[Request]
) -> None:
    """The application gets the same bytes, and the timeline another try."""
    _send(network)
    network.settle()
    webhook = _webhook(page)
    before = len(inbox)
    _post(page, f"webhooks/{webhook}/replay")
    _post(page, "clock", seconds=0)
    entry = page.get(f"/api/timeline/{webhook}").json()
    assert inbox[before] in inbox[:before]
    assert [one["marks"] for one in entry["attempts"]] == [[], ["a replay"]]


def test_what_makes_no_sense_now_is_409(network: Network, page: httpx.Client) -> None:
    """A webhook that was delivered cannot be held."""
    _send(network)
    network.settle()
    status, words = _error(page, f"webhooks/{_webhook(page)}/hold")
    assert (status, words) == (409, "it is delivered, not due")


def test_a_try_shows_what_was_signed(network: Network, page: httpx.Client) -> None:
    """Body, headers, signing string, key, answer and time are all there."""
    _send(network)
    network.settle()
    entry = page.get(f"/api/timeline/{_webhook(page)}").json()
    (attempt,) = entry["attempts"]
    assert attempt["signing"]["text"].endswith(attempt["request"]["body"])
    assert "Ed25519" in attempt["signing"]["key"]
    assert attempt["reply"]["status"] == 200
    assert attempt["took"] >= 0
    assert "telnyx-timestamp" in dict(attempt["request"]["headers"])


@pytest.mark.parametrize(
    ("carrier", "number", "text", "key"),
    [
        ("twilio", "+14155550180", "http://127.0.0.1/twilioAccountSid", "HMAC-SHA1"),
        ("bandwidth", "+14155550170", "nothing", "Basic auth, user callbacks-"),
    ],
)
def test_other_ways_to_vouch_are_shown(
    network: Network, page: httpx.Client, carrier: str, number: str, text: str, key: str
) -> None:
    """A form's fields in their order, or whose password was sent."""
    network.twilio.add_number("+14155550180", classic_url="http://127.0.0.1/twilio")
    url = "http://127.0.0.1/bandwidth"
    network.bandwidth.add_number("+14155550170", inbound_url=url)
    to = {"number": number, "members": [B]}
    _post(page, f"phones/{A}/reply", text="Anybody?", to=to)
    network.settle()
    timeline = page.get("/api/state").json()["timeline"]
    assert [one["carrier"] for one in timeline] == [carrier]
    (attempt,) = page.get(f"/api/timeline/{_webhook(page)}").json()["attempts"]
    assert attempt["signing"]["text"].startswith(text)
    assert attempt["signing"]["key"].startswith(key)


def test_without_credentials_that_is_said(network: Network, page: httpx.Client) -> None:
    """An application of Bandwidth's may have none for its callbacks."""
    url = "http://127.0.0.1/bandwidth"
    network.bandwidth.add_number("+14155550170", inbound_url=url)
    network.bandwidth.callback_username = ""
    to = {"number": "+14155550170", "members": [B]}
    _post(page, f"phones/{A}/reply", text="Anybody?", to=to)
    network.settle()
    (attempt,) = page.get(f"/api/timeline/{_webhook(page)}").json()["attempts"]
    assert "no credentials" in attempt["signing"]["text"]


def test_every_carrier_throttles_in_its_own_words(network: Network) -> None:
    """Its code for too many requests is in the answer that the page switches on."""
    codes = {face.name: face.throttled_code for face in network.faces}
    assert all(codes.values())
    for face in network.faces:
        reply = face.refusal(429, codes[face.name], title="", detail="")
        assert codes[face.name] in reply.body.decode()


def test_the_page_has_the_carriers_that_are_served(network: Network) -> None:
    """It offers no settings of one that does not listen."""
    with network.serve(page=True, carriers=["vonage"]) as served:
        state = httpx.get(f"{served.page_url}api/state", trust_env=False).json()
    assert [one["name"] for one in state["carriers"]] == ["vonage"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": None}, "40316"),
        ({"to": [A, "banana"]}, "40310"),
        ({"from": "+14155550199"}, "40305"),
    ],
)
def test_a_refusal_is_in_plain_words(
    network: Network, page: httpx.Client, fields: dict[str, Any], words: str
) -> None:
    """The call's line says what was wrong."""
    assert _send(network, **fields).status_code == 400
    (entry,) = page.get("/api/state").json()["timeline"]
    assert words in entry["why"]
    detail = page.get(f"/api/timeline/{entry['id']}").json()
    assert detail["reply"]["status"] == 400
    assert detail["request"]["method"] == "POST"


def test_the_clock_is_stepped(network: Network, page: httpx.Client) -> None:
    """What falls due on the way is done."""
    _send(network)
    began = network.now()
    _post(page, "clock", seconds=2.5)
    assert network.now() - began == 2.5
    assert _error(page, "clock", seconds=10**9)[0] == 400


def test_the_real_time_cannot_be_stepped() -> None:
    """A network on the wall clock says so."""
    with Network().serve(page=True) as served:
        answer = httpx.post(
            f"{served.page_url}api/clock", json={"seconds": 1}, trust_env=False
        )
    assert answer.status_code == 400
    assert "real time" in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.test"}, 421),
        ({"host": "evil.test:80"}, 421),
        ({"host": "127.0.0.1.evil.test"}, 421),
        ({"host": ""}, 421),
        ({"host": "192.0.2.1"}, 421),
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["api/state", "api/events", "static/page.js", ""])
def test_foreign_pages_are_turned_away(
    page: httpx.Client, headers: dict[str, str], status: int, path: str
) -> None:
    """Neither a name that points here nor another origin helps; a link leads in."""
    answer = page.get(path, headers=headers)
    linked = path == "" and "sec-fetch-site" in headers
    assert answer.status_code == (200 if linked else status)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_form_changes_nothing(page: httpx.Client, kind: str) -> None:
    """A foreign page can send forms and plain text without asking; they are refused."""
    answer = page.post("/api/clock", content=b"{}", headers={"content-type": kind})
    assert answer.status_code == 415


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_the_machine_s_own_names_are_known(page: httpx.Client, name: str) -> None:
    """A browser may call it by any of them."""
    assert page.get("/api/state", headers={"host": f"{name}:8704"}).status_code == 200


def test_every_answer_has_a_strict_policy(page: httpx.Client) -> None:
    """Nothing from elsewhere is loaded, no script stands in the page."""
    for path in ("/", "/static/page.js", "/api/state", "/nothing"):
        policy = page.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_bodies_are_bounded_json_objects(page: httpx.Client) -> None:
    """A list, broken JSON and a megabyte are refused."""
    for body, status in ((b"[]", 400), (b"{", 400), (b" " * 100_000, 413)):
        answer = page.post("/api/clock", content=body, headers=JSON)
        assert answer.status_code == status


def _events(lines: Iterator[str]) -> Iterator[tuple[str, str, Any]]:
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield fields["id"], fields["event"], json.loads(fields["data"])
            fields = {}


def test_the_stream_tells_the_state_and_then_what_changes(
    network: Network, page: httpx.Client
) -> None:
    """A message on two phones is told, and so is the call."""
    with page.stream("GET", "/api/events") as answer:
        events = _events(answer.iter_lines())
        _, name, state = next(events)
        assert (name, state["threads"]) == ("state", [])
        _send(network)
        told = [change for _, _, changes in _until(events, 1) for change in changes]
    assert {key for change in told for key in change} >= {"message", "entry"}


def _until(events: Iterator[Any], count: int) -> list[Any]:
    return [next(events) for _ in range(count)]


def test_a_reader_that_comes_back_gets_what_it_missed(
    network: Network, page: httpx.Client
) -> None:
    """Named the last event it saw, it is not told all over again."""
    with page.stream("GET", "/api/events") as answer:
        last, _, _ = next(_events(answer.iter_lines()))
    _send(network)
    with page.stream("GET", "/api/events", headers={"last-event-id": last}) as answer:
        _, name, _ = next(_events(answer.iter_lines()))
    assert name == "changes"


def test_a_reader_of_another_run_gets_everything(page: httpx.Client) -> None:
    """An id that this run never gave begins anew."""
    headers = {"last-event-id": "other.0"}
    with page.stream("GET", "/api/events", headers=headers) as answer:
        _, name, _ = next(_events(answer.iter_lines()))
    assert name == "state"


def test_an_open_page_does_not_hold_up_the_end(network: Network) -> None:
    """Stopping ends the stream, and no thread is left."""
    with network.serve(page=True) as served:
        url = httpx.URL(served.page_url or "")
        raw = socket.create_connection((url.host, url.port or 0))
        raw.sendall(b"GET /api/events HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 200")
    with raw:
        while raw.recv(65_536):
            pass
    assert "multigroup-simulator" not in {one.name for one in threading.enumerate()}


def test_an_outage_ends_when_its_switch_is_off(
    network: Network, page: httpx.Client
) -> None:
    """Meanwhile the state names the carrier that is down."""
    fault = _post(page, "faults", carrier="telnyx", kind="outage")
    assert page.get("/api/state").json()["faults"]["down"] == ["telnyx"]
    request = Request("POST", network.telnyx.base_url + "/messages")
    assert network.telnyx.handle(request) == Failure("ConnectError", unsent=True)
    _post(page, f"faults/{fault['id']}/off")
    assert page.get("/api/state").json()["faults"] == {"active": [], "down": []}
