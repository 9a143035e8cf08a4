"""What a journal is asked for each effect: a table, in four parts."""

from __future__ import annotations

from typing import assert_never

from .. import effects
from ..journal import Journal

__all__ = ["kept"]


def kept(journal: Journal, effect: effects.JournalEffect) -> object:
    """Return what *journal* answers to *effect*.

    Raises:
        JournalError: it cannot.
    """
    if isinstance(effect, effects.SendEffect):
        return _of_sends(journal, effect)
    if isinstance(effect, effects.EventEffect):
        return _of_events(journal, effect)
    if isinstance(effect, effects.NoteEffect):
        return _of_notes(journal, effect)
    return _of_the_archive(journal, effect)


def _of_sends(journal: Journal, effect: effects.SendEffect) -> object:
    match effect:
        case effects.Reserve(record=record, begun=begun):
            return journal.reserve(record, begun)
        case effects.Write(send=send, change=change, fence=fence):
            return journal.write(send, change, fence)
        case effects.Recall(namespace=namespace, reference=reference):
            return journal.recall(namespace, reference)
        case effects.TakeOver(send=send, owner=owner):
            return journal.take_over(send, owner, effect.now, effect.until)
        case effects.Orphans(namespace=namespace, now=now):
            return journal.orphans(namespace, now)
        case effects.Doubtful(namespace=namespace, since=since):
            return journal.doubtful(namespace, since)
        case _:
            assert_never(effect)


def _of_events(journal: Journal, effect: effects.EventEffect) -> object:
    match effect:
        case effects.Store(namespace=namespace, events=events):
            return journal.store(namespace, events)
        case effects.Claim(namespace=namespace, key=key, owner=owner):
            return journal.claim(namespace, key, owner, effect.now, effect.until)
        case effects.Settle(namespace=namespace, key=key, done=done):
            shed, now, claim = effect.shed, effect.now, effect.claim
            journal.settle(namespace, key, done=done, shed=shed, now=now, claim=claim)
            return None
        case effects.Waiting(namespace=namespace, now=now, limit=limit):
            return journal.waiting(namespace, now, limit)
        case _:
            assert_never(effect)


def _of_notes(journal: Journal, effect: effects.NoteEffect) -> object:
    match effect:
        case effects.LastLine(namespace=namespace, conversation=conversation):
            return journal.last_line(namespace, conversation)
        case effects.Turn():
            copies, rate, now = effect.copies, effect.rate, effect.now
            return journal.turn(effect.line, copies, rate, now, effect.limit)
        case effects.Blocked(namespace=namespace, subjects=subjects):
            return journal.blocked(namespace, subjects)
        case effects.Standing(namespace=namespace, subjects=subjects):
            return journal.standing(namespace, subjects, effect.conversation)
        case effects.Recollect(namespace=namespace, key=key):
            return journal.memo(namespace, key)
        case effects.Memorize(namespace=namespace, key=key, value=value):
            journal.memorize(namespace, key, value)
            return None
        case _:
            assert_never(effect)


def _of_the_archive(journal: Journal, effect: effects.ArchiveEffect) -> object:
    match effect:
        case effects.History(namespace=namespace, conversation=conversation):
            return journal.history(namespace, conversation, effect.before, effect.limit)
        case effects.Threads(namespace=namespace, before=before, limit=limit):
            return journal.threads(namespace, before, limit)
        case effects.Shed(namespace=namespace, reference=reference):
            journal.shed(namespace, reference)
            return None
        case effects.Prune(namespace=namespace, cut=cut):
            return journal.prune(namespace, cut, effect.place, effect.limit)
        case effects.Forget(namespace=namespace, number=number):
            return journal.forget(namespace, number)
        case _:
            assert_never(effect)
