"""Standard streams that keep nothing from being done: where one is closed, where the reader of a pipe has gone, where the
locale knows few characters."""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from typing import Any, Final, TextIO

NUMBERS: Final = {"stdin": 0, "stdout": 1, "stderr": 2}


class Lasting(io.FileIO):
    """A file that takes what nobody reads any more: a verdict is not to depend on `| head -1`, nor on a terminal."""

    def write(self, data: Any) -> int:
        """As FileIO; from the first broken pipe on, or when the terminal has hung up, into nothing."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno != errno.EPIPE and not self._has_hung_up(error):
                raise
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self.fileno())
            os.close(nothing)
            return len(data)

    def _has_hung_up(self, error: OSError) -> bool:
        return error.errno == errno.EIO and stat.S_ISCHR(os.fstat(self.fileno()).st_mode)


def lasting(descriptor: int, encoding: str, *, closefd: bool) -> TextIO:
    """A stream of text on this descriptor, a line at a time; what the encoding does not know is escaped."""
    raw = Lasting(descriptor, "w", closefd=closefd)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors="backslashreplace", line_buffering=True)


def mend() -> None:
    """Put something in the place of closed streams (else the next file that is opened would be one), and let output last."""
    for name, number in NUMBERS.items():
        try:
            os.fstat(number)
        except OSError:
            nothing = os.open(os.devnull, os.O_RDWR)
            if nothing != number:
                os.dup2(nothing, number)
                os.close(nothing)
            os.set_inheritable(number, True)  # noqa: FBT003 - the function takes it by position alone
        if getattr(sys, name) is None and name == "stdin":
            sys.stdin = open(number, encoding="utf-8", closefd=False)  # noqa: SIM115
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or (type(stream) is io.TextIOWrapper and stream.fileno() == NUMBERS[name]):
            encoding = stream.encoding if stream is not None else "utf-8"
            setattr(sys, name, lasting(NUMBERS[name], encoding, closefd=False))


def flush() -> str:
    """Write what is still to be written; why that could not be done, or nothing. After a failure nothing more is tried:
    Python itself would, and end with a code of its own."""
    why = ""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        try:
            stream.flush()
        except (OSError, ValueError) as error:
            why = f"{name} cannot be written: {error}"
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    return why
