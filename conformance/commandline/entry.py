"""Where the command begins: also what keeps the command line from being loaded has an exit code that says it."""

from __future__ import annotations

import signal
from typing import NoReturn

from conformance.compat.frames import with_room


def main() -> NoReturn:
    """Run the command line and end the process."""
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
