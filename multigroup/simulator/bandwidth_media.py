"""Files at Bandwidth: kept for 48 hours, fetched only with the account's credentials.

Sources: media management guide and OpenAPI document, read 2026-11-27. How a file that
is too large is refused is documented nowhere; 413 is a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, unquote, urlsplit

from attrs import field, frozen

from ..wire import Json, Request, Response
from .face import as_json

__all__ = ["Shelf", "last_part"]

_KEPT = 48 * 3600.0  # seconds; an answer in the media guide
_LARGEST = 3_500_000  # bytes; support article on MMS file sizes
_PAGE = 1000  # files a page; media guide
_BYTES = "application/octet-stream"
_TOKEN = re.compile("[0-9]{1,9}")


@frozen
class _File:
    body: bytes = field(repr=False)
    content_type: str
    at: float


class Shelf:
    """Keep one account's files."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._files: dict[str, _File] = {}

    def put(self, name: str, body: bytes, content_type: str = _BYTES) -> None:
        """Keep *body* as *name*, in place of what was there."""
        self._files[name] = _File(body, content_type, self._now())

    def has(self, name: str) -> bool:
        """Tell whether there is a file *name*, and not too old."""
        kept = self._files.get(name)
        return kept is not None and self._now() - kept.at <= _KEPT

    def respond(self, request: Request, name: str, url: str) -> Response | None:
        """Answer a call for the file *name*, or for the list; `None` is 404.

        *url* is that of the list.
        """
        if not name:
            return self._list(request, url) if request.method == "GET" else None
        name = unquote(name)
        if request.method == "PUT":
            return self._put(request, name)
        if not self.has(name):
            return None
        if request.method == "DELETE":
            del self._files[name]
            return Response(204)
        kept = self._files[name]
        headers = {"content-type": kept.content_type}
        return Response(200, headers, kept.body) if request.method == "GET" else None

    def _put(self, request: Request, name: str) -> Response:
        if len(request.body) > _LARGEST:
            return Response(413)
        self.put(name, request.body, request.headers.get("content-type") or _BYTES)
        return Response(204)

    def _list(self, request: Request, url: str) -> Response:
        token = request.headers.get("continuation-token") or "0"
        begin = int(token) if _TOKEN.fullmatch(token) else 0
        names = [name for name in sorted(self._files) if self.has(name)]
        page: list[Json] = [
            {
                "contentLength": len(self._files[name].body),
                "mediaName": name,
                "content": f"{url}/{quote(name)}",
            }
            for name in names[begin : begin + _PAGE]
        ]
        headers = {"content-type": "application/json"}
        if begin + _PAGE < len(names):
            headers["continuation-token"] = str(begin + _PAGE)
        return Response(200, headers, as_json(page))


def last_part(url: str) -> str:
    """Return what a file at *url* is called."""
    return urlsplit(url).path.rpartition("/")[2] or "file"
