"""Twilio's media service: files uploaded, or received with a message.

Sources: media support in Conversations and Limits of Conversations (classic), read
2026-11-27; the shape is that of public captures. What an upload that is too large is
answered is documented nowhere: 413 is a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from urllib.parse import urlsplit

from attrs import define, field

from ..wire import Json, Request, Response
from .twilio_errors import TwilioError, error, json_reply
from .twilio_forms import query_of
from .twilio_rooms import new_sid

__all__ = ["MediaStore", "described"]

_LARGEST = 2_000_000  # bytes a file; Limits page
_LOOSE_FOR = 300.0  # seconds that a file without message is kept; about five minutes
_LINK_LIVES = 4 * 3600.0  # "hours"; an example
_PATH = re.compile(r"/v1/Services/IS[0-9a-f]{32}/Media(?:/(?P<sid>ME[0-9a-f]{32}))?")
_CONTENT = re.compile(r"/v1/Content/(?P<token>[0-9a-f]{32})")


@define(eq=False)
class _File:
    sid: str
    body: bytes = field(repr=False)
    content_type: str
    filename: str | None
    at: float
    message_sid: str | None = None


class MediaStore:
    """Keep one service's files."""

    def __init__(self, now: Callable[[], float], random: Random) -> None:
        self._now = now
        self._random = random
        self._files: dict[str, _File] = {}
        self._links: dict[str, tuple[str, float]] = {}

    def keep(self, body: bytes, content_type: str, filename: str | None) -> str:
        """Keep a file; return its sid."""
        sid = new_sid("ME", self._random)
        self._files[sid] = _File(sid, body, content_type, filename, self._now())
        return sid

    def attach(self, sid: str, message_sid: str) -> dict[str, Json]:
        """Make the file part of a message; return how the message describes it.

        Raises:
            TwilioError: there is no such file, no more, or in another message.
        """
        kept = self._alive(sid)
        if kept is None or kept.message_sid is not None:
            raise TwilioError(50510)
        kept.message_sid = message_sid
        return {
            "sid": sid,
            "size": len(kept.body),
            "content_type": kept.content_type,
            "filename": kept.filename,
        }

    def handles(self, path: str) -> bool:
        """Tell whether *path* is one of the media service."""
        return _PATH.fullmatch(path) is not None

    def respond(self, request: Request, service: tuple[str, str, str]) -> Response:
        """Answer a call; *service* is its URL, its account and its sid.

        Raises:
            TwilioError: there is no such file.
        """
        found = _PATH.fullmatch(urlsplit(request.url).path)
        sid = found["sid"] if found else None
        if request.method == "POST" and sid is None:
            return self._upload(request, service)
        kept = self._alive(sid or "")
        if kept is None or request.method != "GET":
            raise TwilioError(20404)
        return json_reply(200, self._written(kept, service))

    def open(self, path: str) -> Response | None:
        """Return the content at a temporary link, or `None` where *path* is none.

        Whoever has the link may read it, until it expires.
        """
        found = _CONTENT.fullmatch(path)
        if found is None:
            return None
        sid, until = self._links.get(found["token"], ("", 0.0))
        kept = self.body(sid) if self._now() <= until else None
        return kept or Response(403)

    def body(self, sid: str) -> Response | None:
        """Return the content of the file *sid*, if there is one."""
        kept = self._alive(sid)
        if kept is None:
            return None
        return Response(200, {"content-type": kept.content_type}, kept.body)

    def _upload(self, request: Request, service: tuple[str, str, str]) -> Response:
        if len(request.body) > _LARGEST:
            return error(413, 50512, "Message media size is too large")
        content_type = request.headers.get("content-type") or "application/octet-stream"
        name = query_of(request).get("Filename")
        kept = self._files[self.keep(request.body, content_type, name)]
        return json_reply(201, self._written(kept, service))

    def _alive(self, sid: str) -> _File | None:
        kept = self._files.get(sid)
        if kept is None or kept.message_sid is not None:
            return kept
        return kept if self._now() - kept.at <= _LOOSE_FOR else None

    def _written(self, kept: _File, service: tuple[str, str, str]) -> dict[str, Json]:
        url, account_sid, service_sid = service
        token = f"{self._random.getrandbits(128):032x}"
        self._links[token] = (kept.sid, self._now() + _LINK_LIVES)
        here = f"{url}/Services/{service_sid}/Media/{kept.sid}"
        return {
            "sid": kept.sid,
            "account_sid": account_sid,
            "service_sid": service_sid,
            "message_sid": kept.message_sid,
            "size": len(kept.body),
            "content_type": kept.content_type,
            "filename": kept.filename,
            "category": "media",
            "url": here,
            "links": {
                "content": f"{here}/Content",
                "content_direct_temporary": f"{url}/Content/{token}",
            },
        }


def described(media: dict[str, Json]) -> dict[str, Json]:
    """Return a message's *media* as webhooks write it: in Pascal case."""
    return {
        "Sid": media["sid"],
        "Filename": media["filename"],
        "ContentType": media["content_type"],
        "Size": media["size"],
    }
