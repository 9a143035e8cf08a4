"""`Client` and `AsyncClient`: lines, a journal, webhooks and conversations in one."""

from __future__ import annotations

from .aio import AsyncClient
from .blocking import Client

__all__ = ["AsyncClient", "Client"]
