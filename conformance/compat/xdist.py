"""What we use of pytest-xdist although it promises none of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest


def leads(config: pytest.Config) -> bool:
    """Whether this process leads workers."""
    return config.pluginmanager.get_plugin("dsession") is not None


def stop(config: pytest.Config, why: str) -> None:
    """Let the process that leads hand out no more scenarios."""
    dsession: Any = config.pluginmanager.get_plugin("dsession")
    dsession.shouldstop = why


def workers(config: pytest.Config) -> Iterator[Any]:
    """The workers that are at work."""
    dsession: Any = config.pluginmanager.get_plugin("dsession")
    yield from tuple(dsession._active_nodes)


def interrupt(worker: Any) -> None:
    """Send a worker what Ctrl-C sends, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(worker.gateway._rinfo().pid, signal.SIGINT)
