"""How hard the properties are tried: repeatable and short, or long by environment.

`MULTIGROUP_HYPOTHESIS=long pytest tests/properties` tries each some thousand times.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True)
settings.register_profile(
    "long",
    max_examples=5_000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile(os.environ.get("MULTIGROUP_HYPOTHESIS") or "ci")
