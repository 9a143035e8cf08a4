"""What a send costs above the request it is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from multigroup import AsyncClient, Client, Telnyx, Vonage
from tests.benchmarks.carrier import served
from tests.benchmarks.duel import CPU, WALL, Duel

PEOPLE = tuple(f"+1415555010{place}" for place in range(1, 9))
TEXT = "Dinner at 7?"
SLEEP = 0.2


@pytest.fixture(scope="module")
def slow() -> Iterator[str]:
    """Serve a carrier that takes 200 ms to answer."""
    with served(SLEEP) as url:
        yield url


@CPU
def test_a_telnyx_send_costs_little_more_than_its_request(duel: Duel) -> None:
    """Checks, journal, exchange and receipt take 1.15 x the CPU of a bare POST."""
    body = {"from": "+12125550100", "to": list(PEOPLE[:3]), "text": TEXT}
    headers = {"authorization": "Bearer KEY"}
    with served() as url, httpx.Client() as http:
        line = Telnyx(api_key="KEY", base_url=url).line("+12125550100")
        with Client(lines=[line]) as client:
            group = client.group(*PEOPLE[:3])
            duel(
                "Telnyx send, memory journal (CPU)",
                1.15,
                lambda: group.send(TEXT),
                lambda: http.post(
                    f"{url}/messages/group_mms", json=body, headers=headers
                ),
                rounds=2000,
            )


@WALL
def test_a_blocking_fan_out_takes_as_long_as_one_request(slow: str, duel: Duel) -> None:
    """Eight legs at a carrier that takes 200 ms are 1.25 x one request."""
    line = Vonage(api_key="key", api_secret="secret", base_url=slow).line("28228")
    with httpx.Client() as http, Client(lines=[line]) as client:
        group = client.group(*PEOPLE)
        duel(
            "Vonage fan-out to 8, blocking (wall)",
            1.25,
            lambda: group.send(TEXT),
            lambda: http.post(f"{slow}/v1/messages", json={}),
            rounds=7,
            warm_up=2,
        )


@WALL
def test_an_awaited_fan_out_takes_as_long_as_one_request(slow: str, duel: Duel) -> None:
    """The same with `await`."""
    line = Vonage(api_key="key", api_secret="secret", base_url=slow).line("28228")
    with asyncio.Runner() as loop:
        http, client = httpx.AsyncClient(), AsyncClient(lines=[line])
        group = client.group(*PEOPLE)
        duel(
            "Vonage fan-out to 8, awaited (wall)",
            1.25,
            lambda: loop.run(group.send(TEXT)),
            lambda: loop.run(_posted(http, f"{slow}/v1/messages")),
            rounds=7,
            warm_up=2,
        )
        loop.run(client.close())
        loop.run(http.aclose())


async def _posted(http: httpx.AsyncClient, url: str) -> httpx.Response:
    return await http.post(url, json={})
