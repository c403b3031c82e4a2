"""Hypothesis's pytest plugin: for the summary it imports all of Hypothesis, 0.4 s, also where no test has used it."""

from __future__ import annotations

import sys

import pytest

NAME = "hypothesispytest"


def leave_unloaded(config: pytest.Config) -> None:
    """Let it add nothing to the summary where Hypothesis is not loaded. Not where xdist's workers may have used it: what they
    report it shows from here."""
    manager = config.pluginmanager
    if "hypothesis" not in sys.modules and manager.has_plugin(NAME) and not manager.has_plugin("dsession"):
        manager.unregister(name=NAME)
