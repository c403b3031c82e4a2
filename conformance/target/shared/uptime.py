"""Time that nobody sets: the seconds since this machine was booted, and which boot that was.

Windows of an hour can't be measured by a clock that somebody may set, or that a time server corrects.
"""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path
from typing import Final

_UPTIME: Final = "/proc/uptime"
_BYTES: Final = 64


def since_boot() -> float:
    """Seconds since the machine was booted; they go on counting while it sleeps, where it can tell them.

    The file comes first: whoever fakes a process's clocks fakes the calls, not the file.
    """
    opened = _opened()
    if opened is not None:
        try:
            return float(os.pread(opened, _BYTES, 0).split()[0])
        except (OSError, ValueError, IndexError):
            pass
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@cache
def boot() -> str:
    """What tells this boot from others; empty where the machine can't tell: then instants are by its clock."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {_namespace()}".strip()
    except OSError:  # no Linux
        return ""


def _namespace() -> str:
    """A container may count its seconds from an instant of its own."""
    try:
        return str(Path("/proc/self/ns/time").readlink())
    except OSError:
        return ""


@cache
def _opened() -> int | None:
    """The file, opened once: a look takes 2 µs then. One that a container puts in the machine's place is no good: its seconds
    begin anew with the container."""
    try:
        if Path(_UPTIME).stat().st_dev != Path("/proc/self/stat").stat().st_dev:
            return None
        return os.open(_UPTIME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
