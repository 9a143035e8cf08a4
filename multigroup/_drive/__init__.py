"""All I/O: the wire, the clock, chance, sleep, the journal and the handlers.

The only package that names an HTTP library, and the only one with a colour. A program
asks, a driver answers; the two drivers differ in how they wait and in nothing else.
"""

from __future__ import annotations

from .aio import AsyncDriver
from .base import BaseDriver, answering
from .blocking import Driver
from .deadline import Timeouts

__all__ = ["AsyncDriver", "BaseDriver", "Driver", "Timeouts", "answering"]
