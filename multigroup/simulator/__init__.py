"""A simulated carrier network: phones and carriers, in one process or by HTTP.

No carrier offers a sandbox for group MMS. Here a phone threads messages the way phones
do, the carriers check what their manuals say, answer in their shapes, sign their
webhooks and lose replies on demand.
"""

from __future__ import annotations

from .bandwidth import BandwidthFace
from .bandwidth_shapes import BandwidthQuirks
from .clock import Clock, SteppedClock, WallClock
from .core import Entry, EntryKind
from .courier import Courier
from .face import Face
from .faults import Switch
from .handset import Bubble, Failing, Handset, ThreadKey
from .network import Network, Post
from .telnyx import TelnyxFace
from .telnyx_shapes import TelnyxQuirks
from .twilio import TwilioFace
from .twilio_shapes import TwilioQuirks
from .vonage import VonageFace
from .vonage_shapes import VonageQuirks

__all__ = [
    "BandwidthFace",
    "BandwidthQuirks",
    "Bubble",
    "Clock",
    "Courier",
    "Entry",
    "EntryKind",
    "Face",
    "Failing",
    "Handset",
    "Network",
    "Post",
    "SteppedClock",
    "Switch",
    "TelnyxFace",
    "TelnyxQuirks",
    "ThreadKey",
    "TwilioFace",
    "TwilioQuirks",
    "VonageFace",
    "VonageQuirks",
    "WallClock",
]
