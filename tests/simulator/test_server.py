"""The network by real HTTP."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from multigroup.simulator import Entry, EntryKind, Network, SteppedClock
from multigroup.simulator.post import HttpPost
from multigroup.wire import Failure, Reply, Request, Response

A, B = "+14155550101", "+14155550102"
TELNYX = "+14155550150"
BODY = {"from": TELNYX, "to": [A, B], "text": "Hello"}
PATIENCE = 20.0


class Watch:
    """Wait for an entry of the log that has certain words in it."""

    def __init__(self, network: Network, kind: EntryKind, words: str) -> None:
        self._kind, self._words = kind, words
        self._seen = threading.Event()
        network.on_entry(self._look)

    def _look(self, entry: Entry) -> None:
        if entry.kind == self._kind and self._words in entry.words:
            self._seen.set()

    def wait(self) -> None:
        """Wait, and fail if it does not come."""
        assert self._seen.wait(PATIENCE)


@pytest.fixture
def network() -> Iterator[Network]:
    """Give a network that is being served, with one Telnyx number."""
    made = Network()
    made.telnyx.add_number(TELNYX)
    with made.serve():
        yield made


@pytest.fixture
def client(network: Network) -> Iterator[httpx.Client]:
    """Give a client that has Telnyx's key."""
    headers = {"authorization": f"Bearer {network.telnyx.api_key}"}
    with httpx.Client(headers=headers, trust_env=False) as made:
        yield made


@pytest.fixture
def application() -> Iterator[tuple[str, list[bytes]]]:
    """Serve an application that keeps the bodies it gets; give its URL and them."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", bodies
        server.shutdown()
        thread.join()


def _send(network: Network, client: httpx.Client) -> httpx.Response:
    return client.post(network.telnyx.base_url + "/messages/group_mms", json=BODY)


def test_a_send_by_http_rings_the_phones(
    network: Network, client: httpx.Client
) -> None:
    """The face answers as it does in process."""
    assert _send(network, client).status_code == 200
    assert len(network.handset(A).bubbles) == 1


def test_each_carrier_has_a_port(network: Network) -> None:
    """Their base URLs name different ports of this machine."""
    urls = [httpx.URL(face.base_url) for face in network.faces]
    assert {url.host for url in urls} == {"127.0.0.1"}
    assert len({url.port for url in urls}) == len(urls)
    assert urls[0].path == "/v2"


def test_events_arrive_by_http(
    network: Network, client: httpx.Client, application: tuple[str, list[bytes]]
) -> None:
    """The application gets them without anybody moving the clock."""
    url, bodies = application
    network.telnyx.add_number(TELNYX, webhook_url=url)
    watch = Watch(network, "webhook", "message.received: try 1, 200")
    _send(network, client)
    network.handset(A).reply("Hi")
    watch.wait()
    assert b"message.received" in bodies[0]


def test_a_lost_reply_is_a_cut_connection(
    network: Network, client: httpx.Client
) -> None:
    """The client sees no byte of an answer, but the phones rang."""
    with network.telnyx.lose_replies(), pytest.raises(httpx.TransportError):
        _send(network, client)
    assert len(network.handset(A).bubbles) == 1
    assert _send(network, client).status_code == 200


def test_an_outage_refuses_connections(network: Network, client: httpx.Client) -> None:
    """The port is closed, and opens again under the same number."""
    before = network.telnyx.base_url
    _send(network, client)
    with network.telnyx.outage(), pytest.raises(httpx.ConnectError):
        _send(network, client)
    assert network.telnyx.base_url == before
    assert _send(network, client).status_code == 200
    assert len(network.handset(A).bubbles) == 2


def test_an_outage_of_one_is_not_one_of_the_other(network: Network) -> None:
    """Vonage answers while Telnyx does not."""
    with network.telnyx.outage():
        answer = httpx.post(network.vonage.base_url + "/v1/messages", trust_env=False)
    assert answer.status_code == 401


def test_a_handler_may_pull_the_lever(network: Network, client: httpx.Client) -> None:
    """An outage that begins on the network's own thread does not lock it up."""
    ended = threading.Event()

    def cut(entry: Entry) -> None:
        if entry.kind == "call" and not network.telnyx.down:
            network.telnyx.outage()
            ended.set()

    network.on_entry(cut)
    assert _send(network, client).status_code == 200
    assert ended.wait(PATIENCE)
    with pytest.raises(httpx.TransportError):
        _send(network, client)


def test_an_application_s_own_post_is_used(client: httpx.Client) -> None:
    """A function is called on a thread of its own; its error is a failed try."""
    got = threading.Event()

    def post(_request: Request, _timeout: float) -> Reply:
        got.set()
        raise RuntimeError("not today")

    network = Network(post=post)
    network.telnyx.add_number(TELNYX, webhook_url="http://app.test/")
    watch = Watch(network, "webhook", "RuntimeError")
    with network.serve():
        client.headers["authorization"] = f"Bearer {network.telnyx.api_key}"
        _send(network, client)
        network.handset(A).reply("Hi")
        assert got.wait(PATIENCE)
        watch.wait()


def test_a_stepped_clock_stays_in_the_test_s_hands(client: httpx.Client) -> None:
    """Served, its network does nothing that falls due by itself."""
    got: list[Request] = []

    def post(request: Request, _timeout: float) -> Reply:
        got.append(request)
        return Response(200)

    network = Network(clock=SteppedClock(), post=post)
    network.telnyx.add_number(TELNYX, webhook_url="http://app.test/")
    with network.serve():
        client.headers["authorization"] = f"Bearer {network.telnyx.api_key}"
        _send(network, client)
        network.settle()
    assert len(got) == 4


def test_a_taken_port_is_an_error() -> None:
    """Nothing is left behind by the attempt."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        served = Network().serve(port=taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            served.start()
    assert "multigroup-simulator" not in {one.name for one in threading.enumerate()}


def test_stopping_leaves_nothing(network: Network, client: httpx.Client) -> None:
    """A client that keeps its connection does not hold up the end."""
    other = Network()
    with other.serve() as served:
        client.get(other.telnyx.base_url)
    served.stop()
    with pytest.raises(httpx.ConnectError):
        client.get(other.telnyx.base_url)
    assert client.get(network.telnyx.base_url).status_code == 404


def test_a_browser_s_page_is_turned_away(
    network: Network, client: httpx.Client
) -> None:
    """A request with an origin comes from a web page."""
    answer = client.get(network.telnyx.base_url, headers={"origin": "http://x.test"})
    assert answer.status_code == 403


def test_a_half_sent_request_is_dropped(network: Network) -> None:
    """A client that goes away in the middle leaves no error."""
    url = httpx.URL(network.telnyx.base_url)
    with socket.create_connection((url.host, url.port or 0)) as raw:
        raw.sendall(
            b"POST /v2/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n"
        )
    assert httpx.get(network.telnyx.base_url, trust_env=False).status_code == 404


def test_webhooks_to_other_machines_are_refused(
    network: Network, client: httpx.Client
) -> None:
    """The log says so, and nothing leaves."""
    network.telnyx.add_number(TELNYX, webhook_url="http://example.com/")
    watch = Watch(network, "webhook", "RemoteDestinationRefused")
    _send(network, client)
    network.handset(A).reply("Hi")
    watch.wait()


def test_an_application_that_is_down_is_tried_again(
    network: Network, client: httpx.Client
) -> None:
    """A refused connection is a failed try, with another to come."""
    with socket.create_server(("127.0.0.1", 0)) as once:
        url = f"http://127.0.0.1:{once.getsockname()[1]}/"
    network.telnyx.add_number(TELNYX, webhook_url=url)
    watch = Watch(network, "webhook", "try 1, ConnectError, next in 1 s")
    _send(network, client)
    network.handset(A).reply("Hi")
    watch.wait()


def test_silence_lasts_until_the_client_gives_up(
    network: Network, client: httpx.Client
) -> None:
    """The phones rang, and no answer ever comes."""
    silence = Failure("ReadTimeout")
    client.timeout = httpx.Timeout(0.3)
    with (
        network.telnyx.answer(silence, after_acceptance=True),
        pytest.raises(httpx.ReadTimeout),
    ):
        _send(network, client)
    assert len(network.handset(A).bubbles) == 1


def test_webhooks_leave_an_unserved_network_by_http(
    application: tuple[str, list[bytes]],
) -> None:
    """A test that steps the clock may have its application on a real port."""
    url, bodies = application
    with Network() as network:
        network.telnyx.add_number(TELNYX, webhook_url=url)
        network.telnyx.handle(
            Request(
                "POST",
                network.telnyx.base_url + "/messages/group_mms",
                {"authorization": f"Bearer {network.telnyx.api_key}"},
                json.dumps(BODY).encode(),
            )
        )
        network.settle()
    assert len(bodies) == 4


def test_an_application_that_is_down_fails_an_unserved_try() -> None:
    """The lost connection is a value."""
    with socket.create_server(("127.0.0.1", 0)) as once:
        url = f"http://127.0.0.1:{once.getsockname()[1]}/"
    post = HttpPost(allow_remote=False)
    assert post(Request("POST", url), 1.0) == Failure("ConnectError")
    post.close()


def test_some_carriers_can_be_served() -> None:
    """The others have no port; one that there is not is refused."""
    with Network(seed=1) as network, network.serve(carriers=["twilio"]):
        assert network.twilio.base_url.startswith("http://127.0.0.1:")
        assert network.telnyx.base_url == "http://telnyx.invalid/v2"
        with pytest.raises(ValueError, match="no carrier 'acme'"):
            network.serve(carriers=["acme", "twilio"])
