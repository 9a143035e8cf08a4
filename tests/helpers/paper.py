"""A carrier on paper: replies are scripted, refusals say what they condemn."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from attrs import evolve, field, frozen

from multigroup import (
    Accepted,
    Capabilities,
    ConfigError,
    Event,
    LineKind,
    NotSent,
    Provider,
    Reason,
    Refused,
    Request,
    Response,
    Scope,
    WebhookAuth,
)
from multigroup.effects import Exchange, Now, Program
from multigroup.models import Leg, Outcome
from multigroup.providers.base import Draft, Flow, Rail
from multigroup.wire import Failure

__all__ = [
    "BAD_ACCOUNT",
    "BAD_LINE",
    "BAD_MESSAGE",
    "BROKEN",
    "GONE",
    "LOST",
    "MEMBERS_ONLY",
    "OK",
    "ONE",
    "OPTED_OUT",
    "STOPPED",
    "SUBJECTS",
    "THREE",
    "THROTTLED",
    "TWO",
    "WHOLE",
    "WHOLE_GROUPS",
    "Paper",
    "Railed",
]

MEMBERS_ONLY: Final = Capabilities(
    max_members=5,
    max_media=1,
    max_text=None,
    subject=False,
    group_from=frozenset(LineKind),
    legs_per="member",
    webhook_auth=WebhookAuth(binds_body=True, has_freshness=True),
    idempotency="none",
    receipts="none",
    roster_on_inbound=True,
    sources=(),
    as_of="2026-01-02",
)
SUBJECTS: Final = evolve(MEMBERS_ONLY, subject=True)
WHOLE_GROUPS: Final = evolve(MEMBERS_ONLY, legs_per="send")

OK: Final = Response(200)
GONE: Final = Failure("ConnectError", unsent=True)
THROTTLED: Final = Response(429, {"retry-after": "7"})
LOST: Final = Failure("ReadTimeout")
BROKEN: Final = Response(503)
BAD_LINE: Final = Response(403, {}, b"line")
BAD_ACCOUNT: Final = Response(401, {}, b"account")
OPTED_OUT: Final = Response(400, {}, b"member")
BAD_MESSAGE: Final = Response(422, {}, b"message")
STOPPED: Final = Response(400, {}, b"member opted_out")


@frozen(eq=False, kw_only=True)
class Paper(Provider):
    """A leg per member, or one for all; refusals say what they condemn, and why.

    With *keys* its legs may be sent again. What it tells when asked of a leg is in
    *told*, by the leg's key.
    """

    carrier: ClassVar[str] = "paper"
    name: str = "paper"
    base_url: str = "http://paper.test"
    capabilities: Capabilities = MEMBERS_ONLY
    locked: bool = False
    keys: bool = False
    told: dict[str, tuple[Event, ...]] = field(factory=dict[str, tuple[Event, ...]])

    def legs(self, draft: Draft, rail: Rail) -> tuple[Leg, ...]:
        """Return one request per member, or one for all."""
        del rail
        alone = [(member,) for member in draft.members]
        parts = alone if self.capabilities.legs_per == "member" else [draft.members]
        return tuple(
            Leg(key, part, Request("POST", self.base_url, {}, said.encode()))
            for index, part in enumerate(parts)
            for key in [draft.key(index)]
            for said in [f"{key} to {', '.join(part)}: {draft.message.text}"]
        )

    def authorize(self, request: Request, now: float) -> Request:
        """Return *request* with a password."""
        if self.locked:
            raise ConfigError("the key file is locked")
        headers = request.headers.merged({"authorization": f"secret at {now}"})
        return Request(request.method, request.url, headers, request.body)

    def read(self, leg: Leg, response: Response) -> Outcome:
        """Return an acceptance, or a refusal of what the body names."""
        if response.status < 300:
            return Accepted(f"id of {leg.key}")
        scope, _, reason = response.body.decode().partition(" ")
        why = Reason(reason or "other")
        return Refused(f"{response.status}", why, Scope(scope))

    def repeatable(self, leg: Leg) -> bool:
        """Tell whether *leg* carries a key."""
        return self.keys and bool(leg.key)

    def inquire(
        self, leg: Leg, *, own: frozenset[str], now: float
    ) -> Program[tuple[Event, ...]]:
        """Ask, and return what is *told* of the leg."""
        del own, now
        yield from Exchange((Request("GET", f"{self.base_url}/{leg.key}"),))
        return self.told.get(leg.key, ())

    def verify(self, request: Request, now: float) -> None:
        """Trust everybody."""

    def parse(
        self, body: bytes, *, own: frozenset[str], received_at: datetime
    ) -> Sequence[Event]:
        """Tell nothing."""
        del body, own, received_at
        return ()


@frozen(eq=False, kw_only=True)
class Railed(Paper):
    """A carrier that has to be prepared: it gives the next of *rails*."""

    rails: deque[Rail | NotSent | Refused] = field(
        factory=deque[Rail | NotSent | Refused]
    )

    def prepare(self, draft: Draft) -> Flow:
        """Return the next of *rails*."""
        del draft
        yield from Now()
        return self.rails.popleft() if self.rails else Rail()


ONE: Final = Paper(name="one").line("+12125550100")
TWO: Final = Paper(name="two").line("+13125550100")
THREE: Final = Paper(name="three").line("+16175550100")
WHOLE: Final = Paper(name="whole", capabilities=WHOLE_GROUPS).line("+17025550100")
