"""The rail: a conversation at Twilio for exactly these members and this line of ours.

To set one up rings no phone, and every step may be repeated: the conversation has a
name of our own making, so that it is found again whoever began it, and a participant
who is there already is no failure. Never is a `ProxyAddress` given: with one the group
would silently become as many threads as it has members.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeAlias

from attrs import evolve, frozen

from ... import codec
from ...effects import Memorize, Program, Recollect, Sleep
from ...models import NotSent, Number, Reason, Refused, Scope
from ..base import Draft, Flow, Rail
from .facts import EXISTS, NAMELESS, PAUSES, PRESENT, TAKEN
from .replies import Answer
from .site import Binding, Site, bindings_of, participant

__all__ = ["GroupRail", "prepared"]

_SID: Final = re.compile("CH[0-9a-fA-F]{32}")
_NAMED: Final = re.compile("already exists as Conversation (CH[0-9a-fA-F]{32})")


@frozen
class GroupRail(Rail):
    """The conversation *sid*, ready to take a message."""

    sid: str


Found: TypeAlias = GroupRail | NotSent | Refused | None
"""A rail, why there is none, or `None` if there is no such conversation any more."""


def prepared(site: Site, draft: Draft) -> Flow:
    """Find or make the rail of *draft*.

    What was noted is trusted for the first leg of a send. A later one may be there
    because the conversation was gone, so it is looked at first.
    """
    key = f"twilio/{site.account}/{site.service}/{site.unique}"
    noted = yield from Recollect(draft.namespace, key)
    known = noted if noted and _SID.fullmatch(noted) else None
    if known is not None and draft.first == 0:
        return GroupRail(known)
    rail: Found = None
    if known is not None:
        rail = yield from _adopted(site, known)
    if rail is None:
        rail = yield from _made(site)
    if isinstance(rail, GroupRail) and rail.sid != known:
        yield from Memorize(draft.namespace, key, rail.sid)
    return rail


def _made(site: Site) -> Program[GroupRail | NotSent | Refused]:
    """Make the conversation in one request, or step by step where that says too little.

    One request cannot collide with a pair of which one of the members is part already.
    """
    fields = [
        ("UniqueName", site.unique),
        ("MessagingServiceSid", site.service),
        *(("Participant", participant(binding)) for binding in site.wanted),
    ]
    found: Found = None
    for _ in range(2):  # once more if what had our name was of no use
        answer = yield from site.ask("POST", "ConversationWithParticipants", fields)
        found = yield from _at_once(site, answer)
        if found is not None or answer.code not in TAKEN:
            break
    return found or (yield from _step_by_step(site))


def _at_once(site: Site, answer: Answer) -> Program[Found]:
    """Return what came of making it in one request; `None` if that says too little."""
    if answer.fine:
        sid = codec.text(answer.document, "sid") or site.unique
        return (yield from _adopted(site, sid))
    if answer.code in TAKEN:
        return (yield from _adopted(site, site.unique))
    if answer.code in EXISTS:
        return (yield from _existing(site, answer))
    return None if answer.code in NAMELESS else answer.failure(site.account)


def _step_by_step(site: Site) -> Program[GroupRail | NotSent | Refused]:
    """Make the conversation, add one after the other: so a refusal names somebody."""
    fields = [("UniqueName", site.unique), ("MessagingServiceSid", site.service)]
    answer = yield from site.ask("POST", "Conversations", fields)
    sid = codec.text(answer.document, "sid") or ""
    found: Found = None
    if answer.code in TAKEN:
        found = yield from _adopted(site, site.unique)
    elif not answer.fine or not _SID.fullmatch(sid):
        return answer.failure(site.account)
    else:
        stuck = yield from _joined(site, sid, site.wanted)
        if stuck is not None:
            return (yield from _withdrawn(site, sid, stuck))
        found = yield from _adopted(site, sid)
    busy = NotSent(f"the group is being set up elsewhere at {site.account}", 1.0)
    return found or busy


@frozen
class _Stuck:
    """The answer at which adding participants ended, and who was being added."""

    answer: Answer
    binding: Binding

    def failure(self, site: Site) -> NotSent | Refused:
        """Return what it means: of our own line nothing is a member's fault."""
        role, number = self.binding
        if role == "Address":
            return self.answer.failure(site.account, Number(number))
        known = self.answer.failure(site.account)
        if isinstance(known, Refused) and known.scope is Scope.MEMBER:
            return evolve(known, scope=Scope.LINE)
        return known


def _withdrawn(
    site: Site, sid: str, stuck: _Stuck
) -> Program[GroupRail | NotSent | Refused]:
    """Return what became of a group that could not be made step by step.

    One that was refused is deleted; one that lacks an answer is gone on with next time.
    """
    failure = stuck.failure(site)
    if isinstance(failure, Refused):
        yield from _given_up(site, sid, ours=True)
    return (yield from _existing(site, stuck.answer)) or failure


def _joined(
    site: Site, sid: str, bindings: Iterable[Binding]
) -> Program[_Stuck | None]:
    """Add *bindings* one after the other."""
    for binding in bindings:
        role, number = binding
        fields = [(f"MessagingBinding.{role}", number)]
        path = f"Conversations/{sid}/Participants"
        answer = yield from site.ask("POST", path, fields)
        if not answer.fine and answer.code not in PRESENT:
            return _Stuck(answer, binding)
    return None


def _existing(site: Site, answer: Answer) -> Program[Found]:
    """Return the rail that *answer* names as having these participants already."""
    named = _NAMED.search(answer.words) if answer.code in EXISTS else None
    if named is None:
        return None
    return (yield from _adopted(site, named[1]))


def _adopted(site: Site, name: str) -> Program[Found]:
    """Make a rail of the conversation *name*: wait for it, complete it, wake it.

    Without the service that holds the campaign its messages would be unregistered.

    One of ours that is closed, or that has others in it, is deleted: it would only
    keep its name from the next.
    """
    answer = yield from _at_rest(site, name)
    if answer.status == 404:  # noqa: PLR2004
        return None
    sid = codec.text(answer.document, "sid") or ""
    if not answer.fine or not _SID.fullmatch(sid):
        return answer.failure(site.account)
    state = codec.text(answer.document, "state") or "active"
    ours = codec.text(answer.document, "unique_name") == site.unique
    if state == "initializing":
        return NotSent(f"{site.account} is still setting the group up", PAUSES[-1])
    if state == "closed":
        yield from _given_up(site, sid, ours=ours)
        return None
    found = yield from _whole(site, sid, ours=ours)
    changes = [("State", "active")] if state == "inactive" else []
    if codec.text(answer.document, "messaging_service_sid") != site.service:
        changes.append(("MessagingServiceSid", site.service))
    if isinstance(found, GroupRail) and changes:
        answer = yield from site.ask("POST", f"Conversations/{sid}", changes)
        return found if answer.fine else answer.failure(site.account)
    return found


def _at_rest(site: Site, name: str) -> Program[Answer]:
    """Return the conversation *name* once it is no longer `initializing`, if soon."""
    answer = yield from site.ask("GET", f"Conversations/{name}")
    for pause in PAUSES:
        if codec.text(answer.document, "state") != "initializing":
            break
        yield from Sleep(pause)
        answer = yield from site.ask("GET", f"Conversations/{name}")
    return answer


def _whole(site: Site, sid: str, *, ours: bool) -> Program[Found]:
    """Return the rail if exactly the right people are in it; add who is missing."""
    answer = yield from site.ask("GET", f"Conversations/{sid}/Participants")
    if not answer.fine:
        return answer.failure(site.account)
    present, wanted = bindings_of(answer.document), set(site.wanted)
    if present == wanted:
        return GroupRail(sid)
    if not ours:
        words = "another conversation holds these members"
        return Refused("50438", Reason.OTHER, Scope.LINE, words)
    if not present <= wanted:
        yield from _given_up(site, sid, ours=True)
        return None
    missing = [binding for binding in site.wanted if binding not in present]
    stuck = yield from _joined(site, sid, missing)
    return GroupRail(sid) if stuck is None else stuck.failure(site)


def _given_up(site: Site, sid: str, *, ours: bool) -> Program[None]:
    """Delete a conversation of ours that is of no use; leave another's alone."""
    if ours:
        yield from site.ask("DELETE", f"Conversations/{sid}")
