"""The contract, outward: legs are data, and a reply proves what it proves."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from ...errors import PartialSendError, RefusedError, SendError, UncertainError
from ...models import Accepted, NotSent, Outcome, Refused, Scope, Unknown
from ...providers.base import outcome
from ...wire import Failure, Reply, Request, Response
from .hooks import MEMBERS, Hooks

__all__ = ["Outward"]

_PROVES_NOTHING: Final = (100, 199, 301, 302, 307, 308, 408, 500, 502, 503, 504)
_OF_THE_ACCOUNT: Final = (401, 403)
_GARBAGE: Final = (b"", b"OK", b"null", b"[]", b"{}", b'{"data":[]}', b"\xff", b"[" * 9)
_KEY: Final = re.compile("[0-9a-f]{32}[.][0-9]{1,4}")


class Outward(Hooks):
    """Legs, credentials, replies."""

    def test_legs_are_deterministic(self) -> None:
        """The same draft gives the same bytes: a leg is written down and sent later."""
        assert self.legs() == self.legs()

    def test_leg_keys_are_unique(self) -> None:
        """Keys are `draft.key(n)`, and those of a later batch go on from there."""
        legs = self.legs()
        later = self.legs(first=len(legs))
        keys = [leg.key for leg in (*legs, *later)]
        assert keys == [self.draft().key(place) for place in range(len(keys))]
        assert all(_KEY.fullmatch(key) for key in keys)

    def test_every_member_is_in_one_leg(self) -> None:
        """Nobody is left out and nobody texted twice, and `legs_per` says how."""
        provider, legs = self.provider(), self.legs()
        reached = [member for leg in legs for member in leg.members]
        assert sorted(reached) == sorted(MEMBERS)
        per_member = provider.capabilities.legs_per == "member"
        assert len(legs) == (len(MEMBERS) if per_member else 1)

    def test_legs_carry_no_credentials(self) -> None:
        """A journal keeps legs as they are: what `authorize` adds is not in them."""
        for leg in self.legs():
            head = repr(tuple(leg.request.headers))
            written = f"{leg.request.url} {head} {leg.request.body!r}"
            assert self.shows_a_secret(written) is None, "a leg holds a secret"
            assert leg.request.headers.get("authorization") is None

    def test_authorizing_adds_headers_only(self) -> None:
        """The bytes that were written down are the bytes that leave."""
        for leg in self.legs():
            leaving = self.provider().authorize(leg.request, self.now)
            assert leaving.headers != leg.request.headers, "no credentials were added"
            assert (leaving.method, leaving.url, leaving.body) == (
                leg.request.method,
                leg.request.url,
                leg.request.body,
            )
            assert set(leg.request.headers) <= set(leaving.headers)

    def test_no_secret_is_shown(self) -> None:
        """Neither an account, nor a line, nor a request shows a secret in a log."""
        account, legs = self.provider(), self.legs()
        leaving = [account.authorize(leg.request, self.now) for leg in legs]
        for value in (account, self.line(), self.stranger(), *legs, *leaving):
            shown = self.shows_a_secret(f"{value!r} {value}")
            assert shown is None, f"{type(value).__name__} shows a secret"

    def test_a_message_goes_round(self) -> None:
        """The carrier takes every leg, under an id of its own for each."""
        account, ids = self.provider(), list[str]()
        for leg in self.legs():
            leaving = account.authorize(leg.request, self.now)
            known = outcome(account, leg, self.carrier(leaving))
            assert isinstance(known, Accepted), known
            ids.append(known.message_id)
        assert len(set(ids)) == len(ids), ids

    def test_only_an_id_is_an_acceptance(self) -> None:
        """A success without the carrier's id proves nothing, whatever else it says."""
        leg = self.legs()[0]
        for status in (200, 201, 202):
            for body in _GARBAGE:
                known = outcome(self.provider(), leg, Response(status, {}, body))
                assert isinstance(known, Unknown), (status, body, known)

    def test_an_error_is_classed_by_its_status(self) -> None:
        """What proves nothing is unknown, throttling sent nothing, 401 is ours."""
        expected: dict[type[Outcome], tuple[int, ...]] = {
            Unknown: _PROVES_NOTHING,
            NotSent: (429,),
            Refused: (400, *_OF_THE_ACCOUNT, 422),
        }
        for kind, statuses in expected.items():
            for status in statuses:
                known = _read(self, Response(status, {}, b"{}"))
                assert isinstance(known, kind), (status, known)
        for status in _OF_THE_ACCOUNT:
            known = _read(self, Response(status))
            assert isinstance(known, Refused)
            assert known.scope is Scope.ACCOUNT, f"HTTP {status} is the account's"

    def test_an_unreadable_answer_is_no_surprise(self) -> None:
        """A refusal of any shape is an outcome, never an exception or an acceptance."""
        for status in range(HTTPStatus.BAD_REQUEST, 500):
            for body in _GARBAGE:
                known = _read(self, Response(status, {}, body))
                assert not isinstance(known, Accepted), (status, body)

    def test_a_refusal_condemns_what_it_should(self) -> None:
        """Only what is wrong with the line or the account lets another line try."""
        for response, scope in self.refusals():
            known = _read(self, response)
            assert isinstance(known, Refused), known
            assert known.scope is scope, known

    def test_a_half_refused_group_is_told_apart(self) -> None:
        """The error tells who was texted and who was not, and nobody is twice."""
        posts, count = list[Request](), len(self.legs())
        refusal = next(iter(self.refusals()))[0]

        def answer(request: Request) -> Reply:
            rung = sum(map(self.rings, posts))
            last = self.rings(request) and rung == count
            return refusal if last else self.carrier(request)

        error = _failing(self, posts, answer)
        if count == 1:
            assert isinstance(error, RefusedError), error
        else:
            assert isinstance(error, PartialSendError), error
        outcomes = [one.outcome for one in error.receipt.deliveries.values()]
        refused = sum(isinstance(one, Refused) for one in outcomes)
        assert refused == len(MEMBERS) // count
        assert sum(map(self.rings, posts)) == count

    def test_a_lost_reply_is_one_post_per_leg(self) -> None:
        """Each leg leaves once and is unknown: a second copy is never risked."""
        posts = list[Request]()

        def answer(request: Request) -> Reply:
            taken = self.carrier(request)
            return Failure("ReadError") if self.rings(request) else taken

        error = _failing(self, posts, answer)
        assert isinstance(error, UncertainError), error
        assert sum(map(self.rings, posts)) == len(self.legs())


# No private methods: a subclass may have any of its own, under any name.
def _failing(
    contract: Hooks, posts: list[Request], answer: Callable[[Request], Reply]
) -> SendError:
    with contract.client(posts, answer) as client:
        try:
            client.group(*MEMBERS).send("Dinner at 7?", reference="dinner")
        except SendError as error:
            return error
    raise AssertionError("the send did not fail")


def _read(contract: Hooks, response: Response) -> Outcome:
    return outcome(contract.provider(), contract.legs()[0], response)
