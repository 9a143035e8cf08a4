"""Twilio's Conversations (classic) API, as its documents describe it (2026-11-27)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ..wire import Json, Request, Response
from .bucket import Bucket
from .core import Core
from .face import path_of
from .keys import basic
from .twilio_errors import ERRORS, TwilioError, error, json_reply
from .twilio_events import added
from .twilio_forms import Form, form_of, query_of
from .twilio_rails import TwilioRails, page_of, wants_echo
from .twilio_rooms import Conversation, Message, Receipt, new_sid
from .twilio_shapes import listed

__all__ = ["TwilioFace"]

_LONGEST_BODY = 1600  # Limits page: SMS, and so MMS
_LONGEST_SUBJECT = 256  # OpenAPI document
_SERVICE = re.compile(r"/v1/Services/(?P<sid>[^/]+)(?P<rest>/.+)")
_SENDS = re.compile(r"/v1/Conversations/[^/]+/Messages")
_CLASSIC_FILE = re.compile(
    r"/2010-04-01/Accounts/[^/]+/Messages/[^/]+/Media/(?P<sid>[^/]+)"
)


class TwilioFace(TwilioRails):
    """The simulated Twilio: one account with one conversation service.

    The media service listens on the same port as the API, at `media_url`. Requests
    are taken with `account_sid` and `auth_token`, or with `api_key_sid` and
    `api_key_secret`; webhooks are always signed with `auth_token`.
    """

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self.api_key_sid = new_sid("SK", self.random)
        self.api_key_secret = f"{self.random.getrandbits(128):032x}"
        self._bucket = Bucket(core.now)

    @property
    def settings(self) -> Mapping[str, str]:
        """Return where the API is, its keys, and the account's services."""
        return {
            "base_url": self.base_url,
            "media_url": self.media_url,
            "account_sid": self.account_sid,
            "auth_token": self.auth_token,
            "api_key_sid": self.api_key_sid,
            "api_key_secret": self.api_key_secret,
            "service_sid": self.service_sid,
            "messaging_service_sid": self.messaging_service_sid,
        }

    def sends(self, request: Request) -> bool:
        """Tell whether *request* is a POST of a message."""
        path = _SERVICE.sub(r"/v1\g<rest>", path_of(request))
        return request.method == "POST" and _SENDS.fullmatch(path) is not None

    def refusal(self, status: int, code: str, *, title: str, detail: str) -> Response:
        """Return an error with Twilio's number for it, 20001 where none is given."""
        number = int(code) if code.isdecimal() else 20001
        _, words = ERRORS.get(number, (status, "Error"))
        return error(status, number, detail or title or words)

    def respond(self, request: Request) -> Response:
        """Answer as the API does."""
        open_file = self.media.open(path_of(request))
        if open_file is not None:
            return open_file
        try:
            return self._answer(request)
        except TwilioError as refused:
            return error(refused.status, refused.code, refused.words)

    def _answer(self, request: Request) -> Response:
        given = request.headers.get("authorization")
        pairs = (
            basic(self.account_sid, self.auth_token),
            basic(self.api_key_sid, self.api_key_secret),
        )
        if given not in pairs:
            raise TwilioError(20003)
        if not self._bucket.take(self.quirks.rate):
            raise TwilioError(20429)
        path = path_of(request)
        classic_file = _CLASSIC_FILE.fullmatch(path)
        if classic_file is not None and request.method == "GET":
            return self.media.body(classic_file["sid"]) or self._unknown(path)
        return self._of_service(request, path)

    def _of_service(self, request: Request, path: str) -> Response:
        service = _SERVICE.fullmatch(path)
        if service is not None and service["sid"] != self.service_sid:
            raise TwilioError(20404)
        if self.media.handles(path):
            whose = (self.base_url, self.account_sid, self.service_sid)
            return self.media.respond(request, whose)
        if service is not None and service["rest"] == "/Configuration/Webhooks":
            return self._configure(request, whole_account=False)
        short = path if service is None else f"/v1{service['rest']}"
        for method, pattern, answer in _ROUTES:
            found = pattern.fullmatch(short)
            if found is not None and method == request.method:
                return answer(self, request, *found.groups())
        why = f"The simulator has not built {request.method} {path}."
        return error(501, 20404, why)

    def _unknown(self, path: str) -> Response:
        raise TwilioError(20404, f"The requested resource {path} was not found")

    def configure(self, request: Request) -> Response:
        """Answer `/Configuration/Webhooks`, those of the whole account."""
        return self._configure(request, whole_account=True)

    def _configure(self, request: Request, *, whole_account: bool) -> Response:
        form = form_of(request)
        url, filters = form.get("PostWebhookUrl"), form.all("Filters")
        if url is not None and whole_account:
            self.account_url = url
        elif url is not None:  # from now on the account's hears nothing
            self.service_url = url
        if filters:
            self.filters = frozenset(filters)
        scope = self.account_url if whole_account else self.service_url
        document: dict[str, Json] = {
            "account_sid": self.account_sid,
            "method": "POST",
            "filters": [*sorted(self.filters or ())],
            "pre_webhook_url": None,
            "post_webhook_url": scope,
        }
        if not whole_account:
            document["chat_service_sid"] = self.service_sid
        return json_reply(200, document)

    def list_messages(self, request: Request, name: str) -> Response:
        """Answer `GET .../Messages`, the oldest first unless asked otherwise."""
        room = self.rooms.named(name)
        items: list[Json] = [self.paper.message(room, one) for one in room.messages]
        if query_of(request).get("Order") == "desc":
            items.reverse()
        url = f"{self.base_url}/Conversations/{room.sid}/Messages"
        return json_reply(200, listed("messages", items, url, page_of(request)))

    def fetch_message(self, _request: Request, name: str, sid: str) -> Response:
        """Answer `GET .../Messages/{sid}`."""
        room = self.rooms.named(name)
        return json_reply(200, self.paper.message(room, _message(room, sid)))

    def list_receipts(self, request: Request, name: str, sid: str) -> Response:
        """Answer `GET .../Receipts`."""
        room = self.rooms.named(name)
        said = _message(room, sid)
        items: list[Json] = [
            self.paper.receipt(room, said, one) for one in said.receipts.values()
        ]
        url = f"{self.base_url}/Conversations/{room.sid}/Messages/{sid}/Receipts"
        pages = listed("delivery_receipts", items, url, page_of(request))
        return json_reply(200, pages)

    def fetch_receipt(
        self, _request: Request, name: str, sid: str, receipt_sid: str
    ) -> Response:
        """Answer `GET .../Receipts/{sid}`."""
        room = self.rooms.named(name)
        said = _message(room, sid)
        one = _receipt(said, receipt_sid)
        return json_reply(200, self.paper.receipt(room, said, one))

    def post_message(self, request: Request, name: str) -> Response:
        """Answer `POST .../Messages`: the one call that rings phones."""
        room, form = self.rooms.named(name), form_of(request)
        if room.state == "closed":
            raise TwilioError(50377)
        author = form.get("Author") or "system"
        lost = room.state == "initializing" and self.quirks.early == "lost"
        if room.key is not None and not lost and self._mute(room, author):
            raise TwilioError(50513)
        said = self._written(room, form, author)
        if lost:
            return json_reply(201, self.paper.message(room, said))
        self.send(room, said)
        if wants_echo(request):
            self.post(room, added(room, said))
        return json_reply(201, self.paper.message(room, said))

    def _mute(self, room: Conversation, author: str) -> bool:
        return room.state == "initializing" or room.speaker(author) is None

    def _written(self, room: Conversation, form: Form, author: str) -> Message:
        body, subject = form.get("Body"), form.get("Subject")
        media_sid = form.get("MediaSid")
        if form.get("ContentSid"):
            raise TwilioError(20001, "The simulator has no content templates.")
        if body is None and media_sid is None:
            raise TwilioError(20001, "Body or MediaSid is required")
        if len(body or "") > _LONGEST_BODY:
            raise TwilioError(50504)
        if len(subject or "") > _LONGEST_SUBJECT:
            raise TwilioError(20001, "Subject is too long")
        sid, speaker = new_sid("IM", self.random), room.speaker(author)
        files = () if media_sid is None else (self.media.attach(media_sid, sid),)
        return Message(
            sid=sid,
            index=len(room.messages),
            author=author,
            participant_sid=speaker.sid if speaker else None,
            body=body,
            media=files,
            subject=subject,
            attributes=form.get("Attributes") or "{}",
            source="API",
            at=self.core.when(),
        )


def _message(room: Conversation, sid: str) -> Message:
    for one in room.messages:
        if one.sid == sid:
            return one
    raise TwilioError(20404)


def _receipt(said: Message, sid: str) -> Receipt:
    for one in said.receipts.values():
        if one.sid == sid:
            return one
    raise TwilioError(20404)


def _route(
    method: str, path: str, answer: Callable[..., Response]
) -> tuple[str, re.Pattern[str], Callable[..., Response]]:
    return method, re.compile("/v1" + path.replace("*", "([^/]+)")), answer


_ROUTES = (
    _route("GET", "/Conversations", TwilioFace.list_rooms),
    _route("POST", "/Conversations", TwilioFace.create_room),
    _route("POST", "/ConversationWithParticipants", TwilioFace.create_with),
    _route("GET", "/ParticipantConversations", TwilioFace.find_people),
    _route("GET", "/Configuration/Webhooks", TwilioFace.configure),
    _route("POST", "/Configuration/Webhooks", TwilioFace.configure),
    _route("GET", "/Conversations/*", TwilioFace.fetch_room),
    _route("POST", "/Conversations/*", TwilioFace.update_room),
    _route("DELETE", "/Conversations/*", TwilioFace.delete_room),
    _route("GET", "/Conversations/*/Participants", TwilioFace.list_people),
    _route("POST", "/Conversations/*/Participants", TwilioFace.add_person),
    _route("GET", "/Conversations/*/Participants/*", TwilioFace.fetch_person),
    _route("POST", "/Conversations/*/Participants/*", TwilioFace.update_person),
    _route("DELETE", "/Conversations/*/Participants/*", TwilioFace.remove_person),
    _route("GET", "/Conversations/*/Webhooks", TwilioFace.list_hooks),
    _route("POST", "/Conversations/*/Webhooks", TwilioFace.add_hook),
    _route("DELETE", "/Conversations/*/Webhooks/*", TwilioFace.remove_hook),
    _route("GET", "/Conversations/*/Messages", TwilioFace.list_messages),
    _route("POST", "/Conversations/*/Messages", TwilioFace.post_message),
    _route("GET", "/Conversations/*/Messages/*", TwilioFace.fetch_message),
    _route("GET", "/Conversations/*/Messages/*/Receipts", TwilioFace.list_receipts),
    _route("GET", "/Conversations/*/Messages/*/Receipts/*", TwilioFace.fetch_receipt),
)
