"""The carriers by HTTPS: trusted by who trusts the run's CA, and by nobody else."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from multigroup.simulator import Network
from multigroup.simulator.front import HOSTS, Front

pytest.importorskip("trustme", reason="the extra `tls` is not installed")

A, B, OURS = "+14155550101", "+14155550102", "+14155550150"
URLS = {
    "telnyx": "https://api.telnyx.com/v2/messages/none",
    "vonage": "https://api.nexmo.com/v1/messages",
}


@pytest.fixture
def network() -> Iterator[Network]:
    """Give a network that is being served."""
    made = Network(seed=7)
    made.telnyx.add_number(OURS)
    with made.serve():
        yield made


@pytest.fixture
def front(network: Network) -> Iterator[Front]:
    """Give a front before it."""
    with Front(network) as made:
        yield made


def trusting(front: Front) -> ssl.SSLContext:
    """Return TLS that trusts the run's CA."""
    return ssl.create_default_context(cafile=str(front.ca_file))


@pytest.fixture
def tunnelled(front: Front) -> Iterator[httpx.Client]:
    """Give a client that goes through the proxy, as an SDK is told to."""
    proxy, trusted = front.proxy, trusting(front)
    with httpx.Client(proxy=proxy, verify=trusted, trust_env=False) as client:
        yield client


def test_every_carrier_has_its_hosts(network: Network) -> None:
    """A carrier that joins the network has to be named to the proxy."""
    assert {face.name for face in network.faces} <= set(HOSTS)


@pytest.mark.parametrize("carrier", URLS)
def test_a_carriers_port_speaks_tls(front: Front, carrier: str) -> None:
    """The base URL by HTTPS leads to the carrier, which asks for credentials."""
    url = front.base_urls[carrier] + urlsplit(URLS[carrier]).path.removeprefix("/v2")
    with httpx.Client(verify=trusting(front), trust_env=False) as client:
        assert client.post(url, json={}).status_code in {401, 404}


@pytest.mark.parametrize("carrier", URLS)
def test_the_proxy_plays_the_carriers_hosts(
    tunnelled: httpx.Client, carrier: str, network: Network
) -> None:
    """An address of real life ends at the simulated carrier."""
    tunnelled.post(URLS[carrier], json={})
    assert network.log[-1].carrier == carrier


def test_a_group_is_sent_through_it(tunnelled: httpx.Client, network: Network) -> None:
    """Phones ring, and a second request uses the same connection."""
    for _ in range(2):
        answer = tunnelled.post(
            "https://api.telnyx.com/v2/messages/group_mms",
            headers={"authorization": f"Bearer {network.telnyx.api_key}"},
            json={"from": OURS, "to": [A, B], "text": "Hello"},
        )
        assert answer.status_code == 200
    assert len(network.handset(A).bubbles) == 2


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "https://api.telnyx.com.example.com/",
        "https://api.telnyx.com:8443/",
        "https://127.0.0.1/",
    ],
)
def test_another_host_is_refused(tunnelled: httpx.Client, url: str) -> None:
    """A mistyped host never leaves this machine."""
    with pytest.raises(httpx.ProxyError, match="403"):
        tunnelled.get(url)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET http://api.telnyx.com/ HTTP/1.1\r\n\r\n", b"405"),
        (b"CONNECT \r\n\r\n", b"403"),
        (b"CONNECT \xff\xfe:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"\r\n\r\n", b"405"),
        (b"x" * 40_000, b""),
    ],
)
def test_what_is_no_connect_is_refused(
    front: Front, said: bytes, status: bytes
) -> None:
    """It is no proxy for anything else, whatever is written to it."""
    where = urlsplit(front.proxy)
    with socket.create_connection((where.hostname, where.port), 5) as line:
        line.sendall(said)
        try:
            answer = line.recv(1024)
        except ConnectionResetError:
            answer = b""
    assert answer[9:12] == status


def test_nobody_else_trusts_it(front: Front) -> None:
    """The CA is the run's own: without it TLS fails, as it must."""
    with (
        httpx.Client(trust_env=False) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get(front.base_urls["telnyx"])


def test_a_lost_reply_is_a_lost_reply(
    tunnelled: httpx.Client, network: Network
) -> None:
    """The carrier takes the message, and the line ends before an answer."""
    with network.telnyx.lose_replies(), pytest.raises(httpx.TransportError):
        tunnelled.post(
            "https://api.telnyx.com/v2/messages/group_mms",
            headers={"authorization": f"Bearer {network.telnyx.api_key}"},
            json={"from": OURS, "to": [A, B], "text": "Hello"},
        )
    assert len(network.handset(A).bubbles) == 1


def test_an_outage_is_one_by_https_too(
    front: Front, tunnelled: httpx.Client, network: Network
) -> None:
    """The proxy says so, and a carrier's own port ends the line unanswered."""
    with network.telnyx.outage():
        with pytest.raises(httpx.ProxyError, match="502"):
            tunnelled.get(URLS["telnyx"])
        with (
            httpx.Client(verify=trusting(front), trust_env=False) as client,
            pytest.raises(httpx.TransportError),
        ):
            client.get(front.base_urls["telnyx"])
    assert tunnelled.get(URLS["telnyx"]).status_code == 404


@pytest.mark.parametrize(
    ("host", "told"),
    [("0.0.0.0", "127.0.0.1"), ("127.0.0.2", "127.0.0.2")],  # noqa: S104 - a test of it
)
def test_it_listens_where_the_carriers_do(host: str, told: str) -> None:
    """Told is an address that can be called, and the certificate fits it."""
    network = Network(seed=7)
    with network.serve(host), Front(network, host=host) as front:
        assert urlsplit(front.proxy).hostname == told
        url = front.base_urls["vonage"]
        assert urlsplit(url).hostname == told
        with httpx.Client(verify=trusting(front), trust_env=False) as client:
            assert client.get(url).status_code == 404


def test_nothing_is_left_behind(network: Network) -> None:
    """The CA's file is gone afterwards, and stopping twice does no harm."""
    with Front(network) as front:
        assert front.ca_file.read_text().startswith("-----BEGIN CERTIFICATE-----")
        assert [path.name for path in front.ca_file.parent.iterdir()] == ["ca.pem"]
    front.stop()
    assert not front.ca_file.parent.exists()


def test_a_taken_port_is_an_os_error(network: Network, front: Front) -> None:
    """It is said at the start, and cleaned up after."""
    port = urlsplit(front.proxy).port
    assert port is not None
    with pytest.raises(OSError, match="address"):
        Front(network, port=port).start()
