"""What Twilio refuses, and how it says so.

Sources: the error pages of each code and twilio.com's Conversations (classic) pages,
read 2026-11-27. The pages do not name HTTP statuses. Those of 20003, 20404, 20429,
50353, 50407 and 50513 were seen in public captures; all others are guesses, and for
50416 and 50438 `TwilioQuirks.exists_status` has a switch.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..wire import Json, Response
from .face import as_json

__all__ = ["ERRORS", "TwilioError", "error", "json_reply"]

ERRORS: Mapping[int, tuple[int, str]] = MappingProxyType(
    {
        20001: (400, "A parameter is missing or malformed"),
        20003: (401, "Authenticate"),
        20404: (404, "The requested resource was not found"),
        20429: (429, "Too Many Requests"),
        50353: (409, "Conversation with provided unique name already exists"),
        50377: (400, "Can't update conversation as it's in final closed state"),
        50384: (400, "Initial state can't be 'closed'"),
        50407: (400, "Invalid messaging binding address"),
        50416: (409, "A binding for this participant and proxy address already exists"),
        50426: (400, "Request contains too many participants"),
        50434: (400, "Participant projected address not provided"),
        50435: (400, "Group MMS activation failed"),
        50436: (400, "Participant limit exceeded for group conversation"),
        50438: (409, "Group MMS with given participant list already exists"),
        50441: (400, "Failed to add a proxy address to a participant"),
        50443: (400, "Failed to add a projected address to a participant"),
        50452: (403, "Group MMS is not enabled for this Account"),
        50504: (400, "Message body parameter is too long"),
        50510: (400, "Invalid message media SID"),
        50512: (400, "Message media size is too large"),
        50513: (400, "Message author should be among Group MMS participants."),
    }
)


class TwilioError(Exception):
    """A request that the API refuses with *code*; *words* stand in for its message."""

    def __init__(
        self, code: int, words: str = "", *, status: int | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        known, message = ERRORS[code]
        self.words = words or message
        self.status = known if status is None else status


def error(status: int, code: int, words: str) -> Response:
    """Return an error as all of Twilio's APIs write it."""
    document: dict[str, Json] = {
        "code": code,
        "message": words,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return json_reply(status, document)


def json_reply(status: int, document: Json) -> Response:
    """Return *document* as a reply."""
    return Response(status, {"content-type": "application/json"}, as_json(document))
