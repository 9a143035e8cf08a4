"""Bandwidth's API: credentials, sends, look-ups and files."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from multigroup.simulator import BandwidthQuirks, Network
from multigroup.wire import Reply, Request, Response

A, B, C = "+14155550101", "+14155550102", "+14155550103"
OURS = "+14155550170"
Send = Callable[..., Reply]
Ask = Callable[..., Response]


def _read(reply: Reply) -> Any:
    assert isinstance(reply, Response)
    return json.loads(reply.body)


def _basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture
def ask(network: Network) -> Ask:
    """Call Bandwidth below the account's path, with its credentials or others."""

    def call(method: str, path: str, body: bytes = b"", **headers: str) -> Response:
        face = network.bandwidth
        url = f"{face.base_url}/users/{face.account_id}{path}"
        given = {"authorization": _basic(face.username, face.password)}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        reply = face.handle(Request(method, url, given, body))
        assert isinstance(reply, Response)
        return reply

    return call


def _token(network: Network, secret: str, **form: str) -> Response:
    face = network.bandwidth
    headers = {"authorization": _basic(face.client_id, secret)}
    body = urlencode(form).encode()
    reply = face.handle(Request("POST", face.token_url, headers, body))
    assert isinstance(reply, Response)
    return reply


def test_a_group_send_is_one_message(network: Network, bandwidth: Send) -> None:
    """The 202 has one id, the whole list, the text and the tag."""
    reply = bandwidth(to=[A, B, C], tag="send.1", media=["http://media.test/a.jpg"])
    assert isinstance(reply, Response)
    sent = _read(reply)
    assert reply.status == 202
    assert len(sent["id"]) == 29
    assert sent["id"].startswith(str(int(network.now() * 1000)))
    assert (sent["to"], sent["owner"], sent["direction"]) == ([A, B, C], OURS, "out")
    assert (sent["text"], sent["tag"], sent["segmentCount"]) == ("Hello", "send.1", 1)
    assert sent["media"] == ["http://media.test/a.jpg"]


def test_all_phones_show_one_thread(network: Network, bandwidth: Send) -> None:
    """Even a text without media goes as MMS once there are two recipients."""
    bandwidth(to=[A, B, C])
    for number in (A, B, C):
        (key,) = network.handset(number).threads
        assert (key.number, key.members) == (OURS, frozenset({A, B, C}))


def test_what_was_not_given_is_not_answered(bandwidth: Send) -> None:
    """No tag, priority, expiration or media appears by itself."""
    assert not {"tag", "priority", "expiration", "media"} & _read(bandwidth()).keys()


def test_what_was_given_is_answered(bandwidth: Send) -> None:
    """Priority and expiration come back."""
    sent = _read(bandwidth(priority="high", expiration="2099-01-01T00:00:00Z"))
    assert sent["priority"] == "high"
    assert sent["expiration"].startswith("2099-01-01T00:00:00")


@pytest.mark.parametrize(
    ("text", "segments"), [("x" * 160, 1), ("x" * 161, 2), ("é" * 71, 2)]
)
def test_one_recipient_gets_an_sms(bandwidth: Send, text: str, segments: int) -> None:
    """Its segments are counted by the letters it needs."""
    assert _read(bandwidth(to=A, text=text))["segmentCount"] == segments


@pytest.mark.parametrize("given", ["", "Basic eDp5", "Bearer none", "Bearer "])
def test_credentials_are_checked_first(ask: Ask, given: str) -> None:
    """Without them not even the path is looked at."""
    reply = ask("POST", "/nonsense", b"junk", authorization=given)
    assert (reply.status, _read(reply)["type"]) == (401, "unauthorized")


def test_another_account_is_not_ours(network: Network) -> None:
    """Right credentials do not open a wrong account: 401, by the errors guide."""
    face = network.bandwidth
    url = f"{face.base_url}/users/1/messages"
    headers = {"authorization": _basic(face.username, face.password)}
    reply = face.handle(Request("POST", url, headers, b"{}"))
    assert isinstance(reply, Response)
    assert reply.status == 401


def test_a_token_opens_the_api_for_an_hour(network: Network, ask: Ask) -> None:
    """It is given for the client's credentials, and ends by the network's clock."""
    face = network.bandwidth
    got = _read(_token(network, face.client_secret, grant_type="client_credentials"))
    bearer = f"{got['token_type']} {got['access_token']}"
    assert ask("GET", "/messages", authorization=bearer).status == 200
    network.advance(got["expires_in"])
    assert ask("GET", "/messages", authorization=bearer).status == 401


def test_a_token_is_not_for_everybody(network: Network) -> None:
    """A wrong secret, or another grant, gets none."""
    wrong = _token(network, "wrong", grant_type="client_credentials")
    other = _token(network, network.bandwidth.client_secret, grant_type="password")
    assert (wrong.status, other.status) == (401, 400)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/jsonp"])
def test_only_json_is_taken(ask: Ask, content_type: str) -> None:
    """Another content type is 415, whatever the body."""
    reply = ask("POST", "/messages", b"{}", content_type=content_type)
    assert (reply.status, _read(reply)["type"]) == (415, "unsupported-content-type")


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_must_be_an_object(ask: Ask, body: bytes) -> None:
    """Neither broken JSON nor a list is taken."""
    given = "application/json; charset=utf-8"
    reply = ask("POST", "/messages", body, content_type=given)
    assert (reply.status, _read(reply)["type"]) == (400, "request-validation")


@pytest.mark.parametrize("path", ["/messages/happy", "/media/none"])
def test_a_404_has_its_own_shape(ask: Ask, path: str) -> None:
    """It names the path and has no type."""
    reply = ask("GET", path)
    assert reply.status == 404
    assert _read(reply)["path"].endswith(path)
    assert "type" not in _read(reply)


def test_the_prefix_is_part_of_the_address(network: Network) -> None:
    """Outside of it nothing is found, even with credentials."""
    face = network.bandwidth
    headers = {"authorization": _basic(face.username, face.password)}
    reply = face.handle(Request("GET", "http://bandwidth.invalid/users", headers))
    assert isinstance(reply, Response)
    assert reply.status == 404


def test_what_is_not_built_says_so(ask: Ask) -> None:
    """An endpoint that the simulator lacks answers 501 and names itself."""
    reply = ask("POST", "/tollfree")
    assert reply.status == 501
    assert b"/tollfree" in reply.body


def test_a_full_queue_is_429(network: Network, bandwidth: Send) -> None:
    """Every recipient takes a place, and a minute frees as many as the rate says."""
    network.bandwidth.quirks = BandwidthQuirks(rate=2)
    replies = [bandwidth(to=[A, B, C]) for _ in range(11)]
    statuses = [one.status for one in replies if isinstance(one, Response)]
    assert statuses == [202] * 10 + [429]
    assert _read(replies[-1])["type"] == "max-message-queue-size-exceeded"
    network.advance(90.0)
    assert "id" in _read(bandwidth(to=[A, B, C]))


def test_bandwidth_refuses_in_its_own_shape(network: Network, bandwidth: Send) -> None:
    """A status picks the type, and no phone rings."""
    with network.bandwidth.refuse(403):
        assert _read(bandwidth()) == {
            "type": "forbidden",
            "description": "Access Denied",
        }
    assert network.handset(A).bubbles == ()


def test_a_send_can_be_looked_up(network: Network, bandwidth: Send, ask: Ask) -> None:
    """There is a row for each recipient, without text or tag."""
    sent_id = _read(bandwidth(tag="send.1"))["id"]
    bandwidth()
    network.settle()
    page = _read(ask("GET", f"/messages?messageId={sent_id}"))
    assert page["totalCount"] == 2
    assert [row["destinationTn"] for row in page["messages"]] == [A, B]
    assert {row["recipientCount"] for row in page["messages"]} == {2}
    assert {row["messageStatus"] for row in page["messages"]} == {"DELIVERED"}
    assert b"Hello" not in json.dumps(page).encode()
    assert b"send.1" not in json.dumps(page).encode()


def test_a_search_goes_by_number_and_time(
    network: Network, bandwidth: Send, ask: Ask
) -> None:
    """A send whose reply was lost is found by whom it went to, and when."""
    network.bandwidth.lose_replies(count=1)
    bandwidth()
    network.advance(60.0)
    bandwidth()
    whom = {"sourceTn": OURS, "destinationTn": B}
    both = _read(ask("GET", f"/messages?{urlencode(whom)}"))["messages"]
    since = urlencode({**whom, "fromDateTime": both[0]["receiveTime"]})
    assert len(both) == 2
    assert len(_read(ask("GET", f"/messages?{since}"))["messages"]) == 1


def test_a_search_comes_in_pages(bandwidth: Send, ask: Ask) -> None:
    """The token of the next page leads on and that of the last one back."""
    bandwidth()
    first = _read(ask("GET", "/messages?limit=1&sort=receiveTime:asc"))
    token = first["pageInfo"]["nextPageToken"]
    second = _read(ask("GET", f"/messages?limit=1&pageToken={token}"))
    assert [one["messages"][0]["destinationTn"] for one in (first, second)] == [A, B]
    assert second["pageInfo"]["nextPage"] is None
    assert second["pageInfo"]["prevPageToken"] == "0"
    assert "limit=1" in first["pageInfo"]["nextPage"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=9999", "pageToken=x", "fromDateTime=today"]
)
def test_a_search_can_be_wrong(ask: Ask, query: str) -> None:
    """What cannot be read is refused."""
    assert ask("GET", f"/messages?{query}").status == 400


def test_a_file_is_kept_for_two_days(network: Network, ask: Ask) -> None:
    """It is fetched with credentials, replaced, listed, and gone in time."""
    ask("PUT", "/media/cat.jpg", b"old", content_type="image/jpeg")
    assert ask("PUT", "/media/cat.jpg", b"cat", content_type="image/jpeg").status == 204
    kept = ask("GET", "/media/cat.jpg")
    assert (kept.body, kept.headers.get("content-type")) == (b"cat", "image/jpeg")
    assert ask("GET", "/media/cat.jpg", authorization="").status == 401
    (listed,) = _read(ask("GET", "/media"))
    assert (listed["mediaName"], listed["contentLength"]) == ("cat.jpg", 3)
    network.advance(49 * 3600)
    assert ask("GET", "/media/cat.jpg").status == 404


def test_a_file_can_be_deleted(ask: Ask) -> None:
    """Once; then it is not there, and the whole shelf cannot be."""
    ask("PUT", "/media/cat.jpg", b"cat")
    assert ask("DELETE", "/media/cat.jpg").status == 204
    assert ask("DELETE", "/media/cat.jpg").status == 404
    assert ask("DELETE", "/media").status == 404
    assert ask("POST", "/media/cat.jpg").status == 404


def test_a_file_can_be_too_large(ask: Ask) -> None:
    """More than 3.5 MB are not taken."""
    assert ask("PUT", "/media/film.mp4", bytes(3_500_001)).status == 413


def test_many_files_come_in_pages(network: Network, ask: Ask) -> None:
    """A thousand a page, with a token for the rest."""
    for number in range(1001):
        network.bandwidth.shelf.put(f"{number:04}", b"")
    first = ask("GET", "/media")
    token = first.headers.get("continuation-token") or ""
    rest = ask("GET", "/media", continuation_token=token)
    assert (len(_read(first)), len(_read(rest))) == (1000, 1)
    assert rest.headers.get("continuation-token") is None


def test_a_seed_repeats_everything(network: Network) -> None:
    """Keys depend on the seed alone, and no other carrier's keys on them."""
    again, other = Network(seed=7), Network(seed=8)
    assert again.bandwidth.password == network.bandwidth.password
    assert other.bandwidth.password != network.bandwidth.password


def test_the_numbers_are_listed(network: Network) -> None:
    """In the order in which they were given."""
    assert network.bandwidth.numbers == (OURS,)
