"""Twilio: a group is a conversation there, and one message in it rings every phone."""

from __future__ import annotations

from .adapter import Twilio
from .webhooks import parse

__all__ = ["Twilio", "parse"]
