"""The contract, inward: forgeries are refused, and everything else becomes events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, TypeVar

import pytest

from ...errors import PayloadError, SignatureError
from ...events import DeliveryUpdated, Event, MessageReceived, Unrecognized
from ...models import Accepted, conversation_id
from ...providers.base import Provider, outcome
from ...wire import Request
from .hooks import MEMBERS, Hooks

__all__ = ["Inward"]

E = TypeVar("E", bound=Event)

_DAYS: Final = 3 * 86_400.0
_HOSTILE: Final = ("", "9" * 5000, "\udcff", "Bearer a.b.c", "Basic e30=", "\x00")
_ODD: Final = (b"", b"null", b"[]", b"{}", b"7", b"\xff\xfe", b"[" * 5000, b"a=b&c=d")


class Inward(Hooks):
    """Signatures, and what a body says."""

    def test_a_genuine_webhook_passes(self) -> None:
        """What the carrier signs is taken, whatever is in it."""
        for body in (*self.samples(), *_ODD):
            self.provider().verify(self.signed(body, self.now), self.now)

    def test_a_flipped_byte_is_a_forgery(self) -> None:
        """No byte may change, if the signature is over the body at all."""
        account, genuine = self.provider(), self.signed(self.message(), self.now)
        if not account.capabilities.webhook_auth.binds_body:
            pytest.skip("the carrier's signature does not bind the body")
        for place in range(len(genuine.body)):
            altered = bytearray(genuine.body)
            altered[place] ^= 1
            forged = Request("POST", genuine.url, genuine.headers, bytes(altered))
            _refused(self, forged, account)

    def test_another_secret_is_a_forgery(self) -> None:
        """A stranger's account takes none of our webhooks."""
        _refused(self, self.signed(self.message(), self.now), self.stranger())

    def test_a_stale_webhook_is_refused(self) -> None:
        """Days old or days early, if the signature tells its time at all."""
        account = self.provider()
        if not account.capabilities.webhook_auth.has_freshness:
            pytest.skip("the carrier's signature does not tell its time")
        for at in (self.now - _DAYS, self.now + _DAYS):
            _refused(self, self.signed(self.message(), at), account)

    def test_an_unsigned_webhook_is_refused(self) -> None:
        """Without credentials, or with any rubbish in their place, nothing is taken."""
        account, genuine = self.provider(), self.signed(self.message(), self.now)
        _refused(self, Request("POST", genuine.url, {}, genuine.body), account)
        bare = {"content-type", "content-length", "host"}
        for name in {name for name, _ in genuine.headers} - bare:
            for value in _HOSTILE:
                headers = genuine.headers.merged({name: value})
                spoilt = Request("POST", genuine.url, headers, genuine.body)
                _refused(self, spoilt, account)

    def test_a_group_message_is_read(self) -> None:
        """It has its sender, our line and everybody but us, and its conversation."""
        (event,) = _of(self, MessageReceived, self.message())
        assert (event.sender, event.line, event.text) == (MEMBERS[0], self.ours, "Hi")
        if self.provider().capabilities.roster_on_inbound:
            assert event.members == frozenset(MEMBERS)
            assert event.conversation == conversation_id(MEMBERS)
        else:
            assert event.members is None, "a roster that was not told must be None"

    def test_news_is_matched_to_its_leg(self) -> None:
        """By our own token or the carrier's id, each leg's news finds its member."""
        account = self.provider()
        for leg in self.legs():
            leaving = account.authorize(leg.request, self.now)
            known = outcome(account, leg, self.carrier(leaving))
            assert isinstance(known, Accepted), known
            news = _of(self, DeliveryUpdated, self.update(leg, known.message_id))
            assert news, "no DeliveryUpdated in the sample"
            for event in news:
                named = event.message_id == known.message_id
                assert event.token == leg.key or named, event
                assert event.member is None or event.member in leg.members

    def test_an_unknown_word_is_kept(self) -> None:
        """What nobody knows yet becomes `Unrecognized`, its body kept as it came."""
        for body in self.strange():
            kept = _of(self, Unrecognized, body)
            assert kept, f"{body!r} was understood"
            assert all(event.raw == body for event in kept)

    def test_any_body_is_events_or_a_payload_error(self) -> None:
        """Nothing that a socket can carry raises anything else."""
        for body in _ODD:
            try:
                events = self.read(body)
            except PayloadError:
                continue
            assert all(event.raw == body for event in events), body

    def test_parsing_is_pure(self) -> None:
        """A body delivered again, later, is the same events under the same keys."""
        for body in self.samples():
            assert list(self.read(body)) == list(self.read(body))
            later = datetime.fromtimestamp(self.now + _DAYS, UTC)
            own = frozenset({self.ours})
            again = self.provider().parse(body, own=own, received_at=later)
            first = [event.key for event in self.read(body)]
            assert [event.key for event in again] == first

    def test_every_event_is_told_apart(self) -> None:
        """Events of one body have keys of their own, and name account and carrier."""
        account = self.provider()
        for body in self.samples():
            events = self.read(body)
            keys = [event.key for event in events]
            assert len(set(keys)) == len(keys), keys
            for event in events:
                names = (event.provider, event.account)
                assert names == (account.carrier, account.name)
                assert event.raw == body
                assert event.received_at.timestamp() == self.now


# No private methods: a subclass may have any of its own, under any name.
def _of(contract: Hooks, kind: type[E], body: bytes) -> list[E]:
    return [event for event in contract.read(body) if isinstance(event, kind)]


def _refused(contract: Hooks, webhook: Request, by: Provider) -> None:
    try:
        by.verify(webhook, contract.now)
    except SignatureError as error:
        shown = contract.shows_a_secret(str(error))
        assert shown is None, "the error shows a secret"
    else:
        raise AssertionError("a webhook that is not the carrier's was taken")
