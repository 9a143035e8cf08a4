"""Asking again under the same idempotency key, where policy and carrier allow it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ..effects import Exchange, Now, Program, Write
from ..models import Accepted, Leg
from ..providers.base import Line, outcome
from ..records import Ended, Moved, SendRecord, doubtful, telling
from .carry import Means, moment
from .permits import consenting

__all__ = ["replay"]

WINDOW: Final = timedelta(hours=23)
"""How long a key is trusted to be known: an hour less than Telnyx documents."""


def replay(means: Means, record: SendRecord) -> Program[SendRecord]:
    """Send the doubtful legs of *record* once more, byte for byte, under their keys.

    The carrier answers what it answered the first time, or takes the message now if it
    never had it: in both cases it is there once. As it may be texted only now, a
    message that is too old for that is left in doubt, and so is one to somebody who
    opted out since, or who was tried again. Off unless the policy says so.
    """
    if not means.policy.replay:
        return record
    lines = {line.id: line for line in means.lines}
    now = moment((yield from Now()))
    limit = min(WINDOW, means.policy.expires_after)
    for attempt in doubtful(record):
        line, leg = lines.get(attempt.line), record.legs.get(attempt.leg)
        if line is None or leg is None or now - attempt.began_at > limit:
            continue
        newest = {told.leg for m in leg.members if (told := telling(record, m))}
        if newest != {leg.key} or not line.provider.repeatable(leg):
            continue
        if (yield from consenting(record.namespace, record.members, means.lines)):
            break
        record = yield from _again(record, line, leg)
    return record


def _again(record: SendRecord, line: Line, leg: Leg) -> Program[SendRecord]:
    """Ask again; only a yes tells anything.

    A no is said of this request: the carrier may have looked at the account, the rate
    or the network before it looked the key up.
    """
    then = "asked again under the same idempotency key"
    record = yield from Write(record.id, Moved((leg.key,), then))
    now = yield from Now()
    request = line.provider.authorize(leg.request, now)
    (reply,) = yield from Exchange((request,))
    known = outcome(line.provider, leg, reply, again=True)
    if not isinstance(known, Accepted):
        return record
    ended = Ended(leg.key, known, moment((yield from Now())))
    return (yield from Write(record.id, ended))
