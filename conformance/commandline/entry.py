"""Where the command begins: also what keeps the command line from being loaded has an exit code that says it."""

from __future__ import annotations

import gc
import signal
from typing import Final, NoReturn

from conformance.compat.frames import with_room

COLLECTED_EVERY: Final = (10_000, 10, 10)
"""How often Python looks for garbage: by far the most of what a command loads stays, and looking through that as often as Python
does by itself takes a tenth of its start."""


def main() -> NoReturn:
    """Run the command line and end the process."""
    gc.set_threshold(*COLLECTED_EVERY)
    try:
        from conformance.cli import main as command
    except KeyboardInterrupt:
        raise SystemExit(2) from None
    except BaseException:
        import sys
        import traceback

        if sys.stderr is not None:
            traceback.print_exc()
        raise SystemExit(3) from None
    try:
        with_room(command)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the code is known: nothing is to change it any more
    raise AssertionError("it ends the process")
