"""Tests wait for no disk: what a process wrote outlives it, however it ends, and only a power cut would forget it. To wait took
3 ms and more for each commit, a quarter of a short run against a live endpoint."""

from __future__ import annotations

from typing import Final

from conformance.target.shared import store_sqlite

PROMISED: Final = store_sqlite.SYNCHRONOUS
"""How stores are kept outside of tests."""


def wait_for_no_disk() -> None:
    """From now on, in this process."""
    store_sqlite.SYNCHRONOUS = "OFF"
