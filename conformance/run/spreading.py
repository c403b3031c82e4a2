"""Over how many processes a run is spread where nobody says it."""

from __future__ import annotations

import os
from typing import Final

from conformance.profiles import PROFILES
from conformance.run.session import Options

MOST: Final = 8
"""More win little: each has to begin, and what they saw is put together by one."""


def workers_of(options: Options, *, all_rules: bool) -> int:
    """How many processes: all that there are for the deep profile in the suite's own mock, whose minutes are calculation alone.
    Else one: an endpoint's rates and client errors are the same for any number, and a certification is over in seconds."""
    deep = PROFILES.get(options.profile) == PROFILES["deep"]
    return min(processors(), MOST) if deep and all_rules and options.target_file is None else 1


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1
