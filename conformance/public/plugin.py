"""The pytest plugin, as pytest finds it in an installation: the hooks and fixtures of conformance.run.plugin, and the mock."""

from __future__ import annotations

from conformance.run.plugin import *  # noqa: F403 - pytest looks for hooks by their names
from conformance.testing.fixture import koncili_mock

__all__ = ["koncili_mock"]
