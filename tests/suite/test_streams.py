"""Standard streams of which nobody reads any more take what is written all the same."""

from __future__ import annotations

import os

from conformance.streams import lasting


def test_a_terminal_that_has_hung_up_takes_all() -> None:
    """A run that ends for that was to tell of it, and broke down."""
    user, program = os.openpty()
    with lasting(program, "utf-8", closefd=True) as stream:
        os.close(user)
        for _ in range(2):
            stream.write("interrupted\n")
            stream.flush()


def test_a_pipe_without_a_reader_takes_all() -> None:
    reader, writer = os.pipe()
    with lasting(writer, "utf-8", closefd=True) as stream:
        os.close(reader)
        for _ in range(2):
            stream.write("a line\n")
            stream.flush()
