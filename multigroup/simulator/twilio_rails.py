"""Calls that make, change and find conversations; none of them rings a phone.

Sources: OpenAPI document of Conversations v1 (2026-04-14), Conversation with
Participants resource, read 2026-11-27. That a conversation which is being set up
cannot be edited is documented; the code that says so, 50377, is a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from attrs import evolve

from ..wire import Json, Request, Response
from .twilio_errors import TwilioError, json_reply
from .twilio_forms import Form, form_of, query_of, seconds, wanted, wanted_json
from .twilio_messages import TwilioMessages
from .twilio_rooms import Conversation, Hook, Participant, State, new_sid
from .twilio_shapes import Paper, listed

__all__ = ["TwilioRails", "page_of", "wants_echo"]

_MOST_AT_ONCE = 10  # Conversation with Participants resource
_PAGE, _LARGEST_PAGE = 50, 100
_LONGEST_NAME = 256  # Limits page
_TIMERS = {"inactive": 60.0, "closed": 600.0}  # the least of each; OpenAPI document
_STATES: Mapping[str, State] = {  # `initializing` is for Twilio alone to set
    "active": "active",
    "inactive": "inactive",
    "closed": "closed",
}


class TwilioRails(TwilioMessages):
    """The part of the API about conversations and who is in them."""

    @property
    def paper(self) -> Paper:
        """Return what writes the account's documents."""
        return Paper(self.base_url, self.account_sid, self.service_sid)

    def list_rooms(self, request: Request) -> Response:
        """Answer `GET /Conversations`."""
        items: list[Json] = [
            self.paper.conversation(room) for room in self.rooms.every.values()
        ]
        url = f"{self.base_url}/Conversations"
        return json_reply(200, listed("conversations", items, url, page_of(request)))

    def create_room(self, request: Request) -> Response:
        """Answer `POST /Conversations`: a conversation with nobody in it."""
        form = form_of(request)
        state = _state(form) or "active"
        if state == "closed":
            raise TwilioError(50384)
        room = self._new(form, state)
        return json_reply(201, self.paper.conversation(room))

    def create_with(self, request: Request) -> Response:
        """Answer `POST /ConversationWithParticipants`: all of them or no conversation.

        Participants come in later, when the conversation is active.
        """
        form = form_of(request)
        given = form.all("Participant")
        if len(given) > _MOST_AT_ONCE:
            raise TwilioError(50426)
        room = self._new(form, "initializing" if given else "active")
        if not given:
            return json_reply(201, self.paper.conversation(room, whole=False))
        try:
            self._fill(room, given)
        except TwilioError:
            del self.rooms.every[room.sid]
            raise
        wait = self.quirks.activates_after
        self.core.later(wait, partial(self._activate, room))
        return json_reply(202, self.paper.conversation(room, whole=False))

    def _fill(self, room: Conversation, given: tuple[str, ...]) -> None:
        terms = self.terms(stepwise=False)
        try:
            for text in given:
                self.rooms.add(room, wanted_json(text), terms, self.core.when())
        except TwilioError as refused:
            if self.quirks.one_shot_error == "50435" and refused.code != 20001:  # noqa: PLR2004
                raise TwilioError(50435) from refused
            raise
        self.rooms.activatable(room)
        self.rooms.settle(room, terms)

    def _activate(self, room: Conversation) -> None:
        with self.core.lock:
            if room.sid in self.rooms.every:
                self.change(room, "active", "EVENT", tell=True)
                self.touch(room)

    def fetch_room(self, _request: Request, name: str) -> Response:
        """Answer `GET /Conversations/{sid or unique name}`."""
        return json_reply(200, self.paper.conversation(self.rooms.named(name)))

    def update_room(self, request: Request, name: str) -> Response:
        """Answer `POST /Conversations/{sid}`: what is closed stays closed."""
        room, form = self.rooms.named(name), form_of(request)
        _editable(room)
        state = _state(form)
        self._describe(room, form)
        if state is not None:
            self.change(room, state, "API", tell=wants_echo(request))
        self.touch(room)
        return json_reply(200, self.paper.conversation(room))

    def delete_room(self, _request: Request, name: str) -> Response:
        """Answer `DELETE /Conversations/{sid}`: its set and name are free again."""
        del self.rooms.every[self.rooms.named(name).sid]
        return Response(204)

    def list_people(self, request: Request, name: str) -> Response:
        """Answer `GET .../Participants`: nobody before the conversation is active."""
        room = self.rooms.named(name)
        here = () if room.state == "initializing" else room.participants.values()
        items: list[Json] = [self.paper.participant(room, one) for one in here]
        url = f"{self.base_url}/Conversations/{room.sid}/Participants"
        return json_reply(200, listed("participants", items, url, page_of(request)))

    def add_person(self, request: Request, name: str) -> Response:
        """Answer `POST .../Participants`."""
        room, form = self.rooms.named(name), form_of(request)
        _editable(room)
        terms = self.terms(stepwise=True)
        one = self.rooms.add(room, wanted(form), terms, self.core.when())
        self.touch(room)
        return json_reply(201, self.paper.participant(room, one))

    def fetch_person(self, _request: Request, name: str, sid: str) -> Response:
        """Answer `GET .../Participants/{sid}`."""
        room = self.rooms.named(name)
        return json_reply(200, self.paper.participant(room, _person(room, sid)))

    def update_person(self, request: Request, name: str, sid: str) -> Response:
        """Answer `POST .../Participants/{sid}`: addresses cannot be added later."""
        room, form = self.rooms.named(name), form_of(request)
        one = _person(room, sid)
        if form.get("MessagingBinding.ProxyAddress"):
            raise TwilioError(50441)
        if form.get("MessagingBinding.ProjectedAddress"):
            raise TwilioError(50443)
        attributes = form.get("Attributes") or one.wanted.attributes
        one.wanted = evolve(one.wanted, attributes=attributes)
        one.updated = self.core.when()
        return json_reply(200, self.paper.participant(room, one))

    def remove_person(self, _request: Request, name: str, sid: str) -> Response:
        """Answer `DELETE .../Participants/{sid}`."""
        room = self.rooms.named(name)
        del room.participants[_person(room, sid).sid]
        return Response(204)

    def find_people(self, request: Request) -> Response:
        """Answer `GET /ParticipantConversations`: where an address or identity is."""
        query = query_of(request)
        address, identity = query.get("Address"), query.get("Identity")
        items: list[Json] = [
            self.paper.presence(room, one)
            for room in self.rooms.every.values()
            for one in room.participants.values()
            if (address and one.wanted.address == address)
            or (identity and one.wanted.identity == identity)
        ]
        url = f"{self.base_url}/ParticipantConversations"
        return json_reply(200, listed("conversations", items, url, page_of(request)))

    def list_hooks(self, request: Request, name: str) -> Response:
        """Answer `GET .../Webhooks`."""
        room = self.rooms.named(name)
        items: list[Json] = [self.paper.hook(room, one) for one in room.hooks.values()]
        url = f"{self.base_url}/Conversations/{room.sid}/Webhooks"
        return json_reply(200, listed("webhooks", items, url, page_of(request)))

    def add_hook(self, request: Request, name: str) -> Response:
        """Answer `POST .../Webhooks`; a target other than a URL is not simulated."""
        room, form = self.rooms.named(name), form_of(request)
        url = form.get("Configuration.Url")
        if form.get("Target") != "webhook" or url is None:
            raise TwilioError(20001, "Target must be webhook, with Configuration.Url")
        method = form.get("Configuration.Method") or "POST"
        filters = frozenset(form.all("Configuration.Filters"))
        sid = new_sid("WH", self.random)
        one = room.hooks[sid] = Hook(sid, url, method, filters, self.core.when())
        return json_reply(201, self.paper.hook(room, one))

    def remove_hook(self, _request: Request, name: str, sid: str) -> Response:
        """Answer `DELETE .../Webhooks/{sid}`."""
        if self.rooms.named(name).hooks.pop(sid, None) is None:
            raise TwilioError(20404)
        return Response(204)

    def _new(self, form: Form, state: State) -> Conversation:
        room = self.new_room(state)
        try:
            self._describe(room, form)
        except TwilioError:
            del self.rooms.every[room.sid]
            raise
        self.touch(room)
        return room

    def _describe(self, room: Conversation, form: Form) -> None:
        unique = form.get("UniqueName")
        others = (one for one in self.rooms.every.values() if one is not room)
        if unique and any(unique == one.unique_name for one in others):
            raise TwilioError(50353)
        friendly = form.get("FriendlyName")
        if len(friendly or "") > _LONGEST_NAME:
            raise TwilioError(20001, "FriendlyName is too long")
        for name, least in _TIMERS.items():
            given = form.get(f"Timers.{name.capitalize()}")
            if given is not None:
                room.timers[name] = seconds(given, least)
        room.unique_name = unique or room.unique_name
        room.friendly_name = friendly or room.friendly_name
        service = form.get("MessagingServiceSid")
        room.messaging_service_sid = service or room.messaging_service_sid
        room.attributes = form.get("Attributes") or room.attributes


def wants_echo(request: Request) -> bool:
    """Tell whether the caller wants webhooks of its own change (OpenAPI document)."""
    return request.headers.get("x-twilio-webhook-enabled") == "true"


def page_of(request: Request) -> tuple[int, int]:
    """Return which page *request* wants, and of what size.

    Raises:
        TwilioError: these are no numbers that can be.
    """
    query = query_of(request)
    try:
        number = int(query.get("Page") or 0)
        size = int(query.get("PageSize") or _PAGE)
    except ValueError:
        number, size = -1, 0
    if number < 0 or not 1 <= size <= _LARGEST_PAGE:
        raise TwilioError(20001, "Page and PageSize must be numbers")
    return number, size


def _state(form: Form) -> State | None:
    given = form.get("State")
    if given is not None and given not in _STATES:
        raise TwilioError(20001, f"State must be one of {', '.join(_STATES)}")
    return None if given is None else _STATES[given]


def _editable(room: Conversation) -> None:
    if room.state in ("closed", "initializing"):
        raise TwilioError(50377)


def _person(room: Conversation, sid: str) -> Participant:
    one = room.participants.get(sid)
    if one is None or room.state == "initializing":
        raise TwilioError(20404)
    return one
