"""Recording with a carrier: a dry run by default, money and consent asked for first."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from attrs import field, frozen

from multigroup.masking import mask
from tests.helpers.world import Carrier

from .compare import differences
from .files import LIVE, ROOT, Tape
from .record import Recorder
from .scenarios import SCENARIOS, Account, Scenario

__all__ = ["NotReadyError", "Plan", "record_live"]

_KEYS: Final[Mapping[Carrier, tuple[str, ...]]] = {
    "telnyx": ("TELNYX_API_KEY",),
    "vonage": ("VONAGE_API_KEY", "VONAGE_API_SECRET"),
}
_LINE: Final = "MULTIGROUP_LIVE_LINE"
_MEMBERS: Final = "MULTIGROUP_LIVE_MEMBERS"
_PRICE: Final = "MULTIGROUP_LIVE_PRICE"
_NUMBER: Final = re.compile(r"\+1[2-9][0-9]{9}")
_MONEY: Final = re.compile(r"(?P<amount>[0-9]+(?:\.[0-9]+)?) (?P<currency>[A-Z]{3})")
_FEWEST, _MOST = 2, 3


class NotReadyError(Exception):
    """A setting is missing or unusable; nothing was sent."""


@frozen(kw_only=True)
class Plan:
    """Who would be texted what, and the most it can cost."""

    account: Account
    line: str
    members: tuple[str, ...] = field(repr=False)
    price: Decimal
    currency: str

    @classmethod
    def read(cls, carrier: Carrier, environ: Mapping[str, str]) -> Plan:
        """Return the plan that the environment's variables make.

        Raises:
            NotReadyError: one is missing or unusable.
        """
        keys = [_given(environ, name) for name in _KEYS[carrier]]
        members = tuple(_given(environ, _MEMBERS).replace(" ", "").split(","))
        line = _given(environ, _LINE)
        for name, number in ((_LINE, line), *((_MEMBERS, one) for one in members)):
            if not _NUMBER.fullmatch(number):
                raise NotReadyError(f"{name}: write each number as +1 and ten digits")
        if not _FEWEST <= len(set(members) - {line}) == len(members) <= _MOST:
            raise NotReadyError(f"{_MEMBERS}: name {_FEWEST} or {_MOST} people, once")
        price = _MONEY.fullmatch(_given(environ, _PRICE))
        if price is None:
            raise NotReadyError(f"{_PRICE}: write it like 0.0240 USD")
        return cls(
            account=Account(carrier, *keys),
            line=line,
            members=members,
            price=Decimal(price["amount"]),
            currency=price["currency"],
        )

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """Return what would be recorded, what costs least first."""
        carrier = self.account.carrier
        can = [one for one in SCENARIOS.values() if one.live and one.carrier == carrier]
        return tuple(sorted(can, key=lambda one: (one.ours, one.people)))

    def in_words(self) -> list[str]:
        """Return the plan, a line a scenario, numbers masked, and what it costs."""
        told: list[str] = []
        for one in self.scenarios:
            whom = [mask(number) for number in self.members[: one.people]]
            sender = mask(self.line) if one.ours else "a number that is not ours"
            told.append(
                f"{one.name}: from {sender} to {', '.join(whom)}: {one.text!r}, "
                f"{len(whom)} to pay for, {self._cost(len(whom))}"
            )
        copies = sum(len(self.members[: one.people]) for one in self.scenarios)
        told.append(f"in all: {copies} to pay for, at most {self._cost(copies)}")
        return told

    def _cost(self, copies: int) -> str:
        return f"{copies * self.price} {self.currency}"


def record_live(
    carrier: Carrier,
    environ: Mapping[str, str],
    *,
    today: date,
    say: Callable[[str], None],
    really: bool = False,
    recorder: Callable[[Plan], Recorder] | None = None,
) -> int:
    """Say what recording would send and cost, and with *really* do it.

    It stops at the first cassette that is not fit to be kept. *recorder* is for tests,
    which have no carrier. Returns pytest's exit status.
    """
    try:
        plan = Plan.read(carrier, environ)
    except NotReadyError as error:
        say(f"{error}. Nothing was sent; see cassettes/live/README.md")
        return 4
    for line in plan.in_words():
        say(line)
    if not really:
        say("This was a dry run: nothing was sent. To send it, add --really-send")
        return 0
    made = recorder(plan) if recorder else _recorder(plan, today)
    return int(any(_record(made, one, say) for one in plan.scenarios))


def _recorder(plan: Plan, today: date) -> Recorder:
    return Recorder(
        origin=LIVE,
        account=plan.account,
        line=plan.line,
        members=plan.members,
        today=today,
    )


def _record(recorder: Recorder, wanted: Scenario, say: Callable[[str], None]) -> int:
    wrong = recorder.record(wanted)
    if wrong:
        say(f"{wanted.name}: sent but not kept: {'; '.join(wrong)}")
        return 1
    kept = recorder.path(wanted)
    say(f"{wanted.name}: kept")
    simulated = ROOT / "simulator" / wanted.carrier / kept.name
    for line in differences(Tape.load(simulated), Tape.load(kept)):
        say(f"  {line}")
    return 0


def _given(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise NotReadyError(f"{name} is not set")
    return value
