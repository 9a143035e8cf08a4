"""A carrier in a process of its own: it accepts everything, after a while."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["served"]

BODY: Final = (
    b'{"data":{"id":"message-1","cost":{"amount":"0.08","currency":"USD"},'
    b'"to":[{"phone_number":"+14155550101","status":"queued"}]},'
    b'"message_uuid":"message-1"}'
)
REPLY: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(BODY), BODY)
)
END: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length:"


@contextmanager
def served(delay: float = 0.0) -> Iterator[str]:
    """Serve for the length of a `with` block; give the URL."""
    command = [sys.executable, __file__, str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - this file
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()


class Talk(asyncio.Protocol):
    """One connection: counts requests by their length and answers each."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._heard = b""
        self._out: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._out = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that has come whole."""
        self._heard += data
        while (end := self._heard.find(END)) >= 0:
            head = self._heard[:end].lower()
            length = int(head.partition(LENGTH)[2].split(b"\r\n")[0])
            whole = end + len(END) + length
            if len(self._heard) < whole:
                return
            self._heard = self._heard[whole:]
            self._answer()

    def _answer(self) -> None:
        assert self._out is not None
        if self._delay:
            loop = asyncio.get_running_loop()
            loop.call_later(self._delay, self._out.write, REPLY)
        else:
            self._out.write(REPLY)


async def _serve(delay: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Talk(delay), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - to our parent
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
