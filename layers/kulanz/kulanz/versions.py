"""What runs in a function: asked by `kulanz doctor` of the one function that changes nothing when it is asked."""

import platform
from datetime import datetime

import kulanz
from kulanz.domain.campaigns.campaign import ENGINE_VERSION
from kulanz.domain.time import TIME_ZONES, format_instant

VERSIONS_ASKED = {"kulanz": "versions"}
"""The event that asks."""


def versions(now: datetime) -> dict[str, str]:
    """The release, engine, time zones and Python of the code that is running, and what its clock says."""
    return {
        "release": kulanz.__version__,
        "engine": ENGINE_VERSION,
        "time_zones": TIME_ZONES,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "now": format_instant(now),
    }
