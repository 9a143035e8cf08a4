"""`run_due` while a server lives: when it starts, what ends it, what does not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from attrs import define, field

from multigroup import AsyncClient, Client, ConfigError, Due, JournalError, Telnyx
from multigroup.asgi import WebhookApp
from multigroup.client.rounds import Rounds

Message = dict[str, Any]
OFTEN: Final = 0.001
PATIENCE: Final = 10.0
LINE: Final = Telnyx(api_key="KEY").line("+12125550100")
STARTED: Final = {"type": "lifespan.startup.complete"}


@define(eq=False)
class Diary:
    """What a client's rounds did: where each ran, and what the first are to raise."""

    raises: list[Exception] = field(factory=list)
    threads: list[str] = field(factory=list)
    enough: threading.Event = field(factory=threading.Event)
    rounds: int = 3
    closed_in: list[int] = field(factory=list)

    def note(self) -> Due:
        """Write a round down, and fail if it is to."""
        self.threads.append(threading.current_thread().name)
        if len(self.threads) >= self.rounds:
            self.enough.set()
        if self.raises:
            raise self.raises.pop(0)
        return Due()


class NotedClient(Client):
    """A blocking client that keeps a diary of its rounds."""

    diary: Diary

    def run_due(self) -> Due:
        """Note the round."""
        return self.diary.note()

    def close(self) -> None:
        """Note after how many rounds it was closed."""
        self.diary.closed_in.append(len(self.diary.threads))
        super().close()


class NotedAsyncClient(AsyncClient):
    """The same with `await`."""

    diary: Diary

    async def run_due(self) -> Due:
        """Note the round."""
        return self.diary.note()

    async def close(self) -> None:
        """Note after how many rounds it was closed."""
        self.diary.closed_in.append(len(self.diary.threads))
        await super().close()


Noted = NotedClient | NotedAsyncClient


@pytest.fixture(params=[NotedClient, NotedAsyncClient], ids=["sync", "async"])
def client(request: pytest.FixtureRequest) -> Noted:
    """Give a client of either colour that keeps a diary."""
    made: Noted = request.param(lines=[LINE])
    made.diary = Diary()
    return made


async def _enough(diary: Diary) -> None:
    assert await asyncio.to_thread(diary.enough.wait, PATIENCE)


def _live(
    app: WebhookApp, meanwhile: Callable[[], Awaitable[None]]
) -> tuple[list[Message], int]:
    """Start and stop *app* as a server does; count what is still running after it."""
    sent: list[Message] = []
    steps = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Message:
        step = next(steps)
        if step == "lifespan.shutdown":
            await meanwhile()
        return {"type": step}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def serve() -> int:
        await app({"type": "lifespan"}, receive, send)
        return len(asyncio.all_tasks()) - 1

    return sent, asyncio.run(serve())


def test_what_is_due_is_done_while_the_server_lives(client: Noted) -> None:
    """Round follows round, and after the shutdown none is left and none comes."""
    sent, left = _live(WebhookApp(client, every=OFTEN), lambda: _enough(client.diary))

    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert left == 0
    assert client.diary.closed_in == [len(client.diary.threads)]


def test_a_blocking_client_does_not_hold_the_loop_up(client: Noted) -> None:
    """Its rounds run on a thread of their own, those of an async one on the loop."""
    _live(WebhookApp(client, every=OFTEN), lambda: _enough(client.diary))

    here = threading.current_thread().name
    on_loop = {name == here for name in client.diary.threads}
    assert on_loop == {isinstance(client, AsyncClient)}


def test_a_round_that_fails_does_not_end_the_rounds(
    client: Noted, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, without the words of an exception that is not ours."""
    client.diary.raises = [JournalError("no room left"), ValueError("+14155550101")]

    _live(WebhookApp(client, every=OFTEN), lambda: _enough(client.diary))

    assert caplog.messages == [
        "run_due failed: no room left",
        "run_due failed: ValueError",
    ]
    assert len(client.diary.threads) >= 3


def test_the_round_at_hand_is_finished_before_the_client_is_closed() -> None:
    """A shutdown in the middle of a round waits for its end."""
    begun, go_on = threading.Event(), threading.Event()

    class Slow(NotedClient):
        def run_due(self) -> Due:
            begun.set()
            assert go_on.wait(PATIENCE)
            return super().run_due()

    slow = Slow(lines=[LINE])
    slow.diary = Diary()

    async def meanwhile() -> None:
        assert await asyncio.to_thread(begun.wait, PATIENCE)
        asyncio.get_running_loop().call_soon(go_on.set)

    _live(WebhookApp(slow), meanwhile)

    assert slow.diary.closed_in == [1]


def test_none_leaves_the_rounds_to_others(client: Noted) -> None:
    """With `every=None` nothing is done but what webhooks ask for."""

    async def nothing() -> None:
        await asyncio.sleep(0)

    _live(WebhookApp(client, every=None), nothing)

    assert client.diary.threads == []


def test_the_first_request_starts_them_where_no_lifespan_is_known(
    client: Noted,
) -> None:
    """Such a server asks nothing at its start; two requests start them once."""
    app = WebhookApp(client, every=3600)
    client.diary.rounds = 1

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_message: Any) -> None:
        return

    async def serve() -> None:
        scope = {"type": "http", "method": "GET", "path": "/telnyx", "headers": []}
        for _ in range(2):
            await app(scope, receive, send)
            await _enough(client.diary)

    asyncio.run(serve())
    assert len(client.diary.threads) == 1
    client.diary.rounds = 2
    client.diary.enough.clear()
    asyncio.run(serve())  # another loop: those of the first ended with it
    assert len(client.diary.threads) == 2


def test_a_closed_client_ends_its_rounds(client: Noted) -> None:
    """A mounted application is not told of the end: closing the client is enough."""
    rounds = Rounds(client, OFTEN)

    async def run() -> None:
        rounds.start()
        await _enough(client.diary)
        closing = client.close()
        if closing is not None:
            await closing
        task = rounds._task
        assert task is not None
        await asyncio.wait_for(task, PATIENCE)

    asyncio.run(run())
    assert client.diary.closed_in


@pytest.mark.parametrize("every", [0, -1.0, float("nan"), float("inf")])
def test_a_pause_is_a_number_of_seconds(client: Noted, every: float) -> None:
    """Anything else is refused when the application is made."""
    with pytest.raises(ConfigError, match="every="):
        WebhookApp(client, every=every)
