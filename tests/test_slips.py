"""Slips people make, and what would otherwise go wrong in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest

from multigroup import (
    AsyncClient,
    Client,
    ConfigError,
    InvalidMessageError,
    InvalidNumberError,
    Line,
    MessageReceived,
    Receipt,
    RefusedError,
    Telnyx,
    Timeouts,
    Vonage,
)
from tests.helpers.world import PEOPLE, World

LINE = Telnyx(api_key="KEY1").line("+12125550100")
ANYTHING = cast("Any", object())


def client() -> Client:
    """Return a client that can send nowhere."""
    refuse = httpx.MockTransport(lambda _request: httpx.Response(500))
    return Client(lines=[LINE], http=httpx.Client(transport=refuse))


@pytest.mark.parametrize(
    ("slip", "error", "says"),
    [
        (lambda c: c.group(list(PEOPLE)), InvalidNumberError, "is no string"),
        (lambda c: c.group(14155550101), InvalidNumberError, "is no string"),
        (lambda c: c.group(*PEOPLE).send(None), InvalidMessageError, "text= is a"),
        (
            lambda c: c.group(*PEOPLE).send("hi", reference=42),
            InvalidMessageError,
            "reference= is no string",
        ),
        (lambda c: c.group(*PEOPLE).send("hi", via="+1"), ConfigError, "takes a line"),
        (lambda c: c.on("message"), ConfigError, "takes a class of event"),
        (lambda c: c.on(print), ConfigError, "takes a class of event"),
        (lambda _: Client(lines=[ANYTHING]), ConfigError, "takes lines"),
        (lambda _: Timeouts(total=0), ConfigError, "give more than 0"),
        (lambda _: Timeouts(total=float("nan")), ConfigError, "give more than 0"),
    ],
    ids=[
        "list",
        "int",
        "no-text",
        "reference",
        "via",
        "on-word",
        "on-function",
        "lines",
        "zero",
        "nan",
    ],
)
def test_a_slip_gets_one_clear_error(
    slip: Callable[[Client], object], error: type[Exception], says: str
) -> None:
    """What a type checker would have caught is told in the product's own words."""
    with client() as given, pytest.raises(error, match=says):
        slip(given)


def test_one_line_may_stand_for_the_list() -> None:
    """A client with a single line needs no brackets."""
    assert Client(lines=cast("list[Line]", LINE)).lines == (LINE,)


def test_a_client_serves_one_event_loop_after_another() -> None:
    """Each `asyncio.run` has a loop of its own; forty legs at once wait their turn."""

    async def accept(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return httpx.Response(202, json={"message_uuid": "m"})

    line = Vonage(api_key="key", api_secret="secret").line("+13125550100")
    http = httpx.AsyncClient(transport=httpx.MockTransport(accept))
    shared = AsyncClient(lines=[line], http=http)
    crowd = [f"+141555501{n:02}" for n in range(10, 18)]

    async def all_at_once() -> list[Receipt]:
        sends = (shared.group(*crowd).send(str(n)) for n in range(5))
        return await asyncio.gather(*sends)

    assert [len(asyncio.run(all_at_once())) for _ in range(3)] == [5, 5, 5]


def test_a_failure_that_would_only_come_again_is_not_asked_for_again(
    world: World,
) -> None:
    """A handler that was refused leaves the webhook answered, and runs once."""
    refusal = RefusedError("no", world.send("Dinner at 7?"))
    seen: list[MessageReceived] = []

    def refused(event: MessageReceived) -> None:
        seen.append(event)
        raise refusal

    world.client.on(MessageReceived)(refused)
    world.phone().reply("yes")
    world.network.settle()

    assert len(seen) == 1
    assert set(world.answered) == {200}
