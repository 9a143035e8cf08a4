"""Journals: where sends, events and claims are kept."""

from __future__ import annotations

from ..errors import ConfigError
from .base import Journal
from .memory import MemoryJournal

__all__ = ["Journal", "MemoryJournal", "open_journal"]


def open_journal(journal: str | Journal) -> Journal:
    """Return the journal that a URL names; a journal is returned as it is.

    Raises:
        ConfigError: no journal goes by that URL.
    """
    if not isinstance(journal, str):
        return journal
    if journal == "memory:":
        return MemoryJournal()
    scheme = journal.partition(":")[0]
    raise ConfigError(f"no journal is known for {scheme!r}: use 'memory:'")
