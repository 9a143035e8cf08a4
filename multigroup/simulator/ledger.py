"""Who got which message: one view over the phones of a thread.

A phone knows only what it shows. To see that a copy never came, somebody must know what
the other phones of the same thread show; that is this ledger.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from itertools import count

from attrs import define, field

from .feed import Feed
from .handset import Bubble, ThreadKey

__all__ = ["KEPT_MESSAGES", "KEPT_THREADS", "Ledger", "Message", "Thread"]

KEPT_MESSAGES = 300
KEPT_THREADS = 300
_LOOK_BACK = 50  # copies of one message come close together


@define(eq=False)
class Message:
    """A message in a thread, and the phones that show it.

    *again* says that the same text from the same sender stands above it already.
    """

    id: str
    thread: Thread
    bubble: Bubble
    on: set[str]
    again: bool


@define(eq=False)
class Thread:
    """The thread that belongs to *key*, on whatever phones."""

    id: str
    key: ThreadKey
    messages: deque[Message] = field(
        factory=lambda: deque[Message](maxlen=KEPT_MESSAGES)
    )


class Ledger:
    """Keep the latest threads and their latest messages."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._numbers = count(1)
        self._threads: OrderedDict[ThreadKey, Thread] = OrderedDict()

    @property
    def threads(self) -> tuple[Thread, ...]:
        """Return the threads, the one last used at the end."""
        return tuple(self._threads.values())

    def find(self, thread_id: str) -> Thread | None:
        """Return the thread with *thread_id*."""
        return next((one for one in self.threads if one.id == thread_id), None)

    def shown(self, number: str, key: ThreadKey, bubble: Bubble) -> None:
        """Take down that the phone *number* shows *bubble*."""
        message = self._message(number, key, bubble)
        message.on.add(number)
        self._feed.tell("message", message)

    def missed(self, number: str, key: ThreadKey, bubble: Bubble) -> None:
        """Take down that *bubble* was meant for *number* and did not get there."""
        self._feed.tell("message", self._message(number, key, bubble))

    def _message(self, number: str, key: ThreadKey, bubble: Bubble) -> Message:
        thread = self._thread(key)
        same = [
            one for one in list(thread.messages)[-_LOOK_BACK:] if _alike(one, bubble)
        ]
        for message in same:
            if number not in message.on:
                return message
        made = Message(f"m{next(self._numbers)}", thread, bubble, set(), bool(same))
        thread.messages.append(made)
        return made

    def _thread(self, key: ThreadKey) -> Thread:
        if key not in self._threads:
            self._threads[key] = Thread(_thread_id(key), key)
            if len(self._threads) > KEPT_THREADS:
                self._threads.popitem(last=False)
        self._threads.move_to_end(key)
        return self._threads[key]


def _alike(message: Message, bubble: Bubble) -> bool:
    one = message.bubble
    if one is bubble:
        return True
    first = (one.sender, one.text, one.media, one.subject)
    return first == (bubble.sender, bubble.text, bubble.media, bubble.subject)


def _thread_id(key: ThreadKey) -> str:
    named = "\n".join((key.number, *sorted(key.members)))
    return hashlib.sha256(named.encode()).hexdigest()[:12]
