"""What a process loads from which command lines are forked (`forked.py`): modules, and what is read once and is the same for all
runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

import pytest
from hypothesis.internal.charmap import charmap
from pytest_bdd.utils import CONFIG_STACK

import conformance.cli
import conformance.engine.schema_layer
import conformance.run.launch
import tests.certification.conftest
from conformance.contract.rules import catalogue
from conformance.i18n.messages import LANGUAGES, can_speak
from conformance.report.cucumber import known_features
from conformance.report.page.render import templates
from conformance.run.launch import PLUGINS
from conformance.run.scenario import SCENARIOS, feature_files, suite_root
from conformance.verdict.suite_code import code_digest
from tests.suite.support.no_power_cuts import wait_for_no_disk

__all__ = ["conformance", "tests"]


OTHERS: Final = [name for name in PLUGINS if name != "_hypothesis_pytestplugin"]
"""Hypothesis's own minds what is asked of Hypothesis between it and the first test."""


class _Config:
    """As much of pytest's configuration as pytest-bdd asks for when a module names its feature."""

    rootpath = suite_root()

    def __init__(self) -> None:
        manager = pytest.PytestPluginManager()
        for name in OTHERS:
            if name.startswith(("conformance", "pytest_bdd")):
                manager.register(import_module(name))
        self.hook = manager.hook

    def getini(self, name: str) -> str:
        """Where the features are."""
        if name != "bdd_features_base_dir":
            raise LookupError(name)
        return f"{self.rootpath / 'features'}/"


@contextmanager
def _configured() -> Iterator[None]:
    config: Any = _Config()
    CONFIG_STACK.append(config)
    try:
        yield
    finally:
        CONFIG_STACK.remove(config)


def _load_scenarios() -> None:
    """Their modules, under the names that pytest gives them, and with them the features; they take a fifth of a short run."""
    with _configured():
        for path in sorted((suite_root() / SCENARIOS).glob("test_*.py")):
            import_module(".".join((*SCENARIOS.parts, path.stem)))


wait_for_no_disk()
charmap()
catalogue()
code_digest()
known_features(tuple(feature_files().items()))
for language in LANGUAGES:
    can_speak(language)
for name in templates().list_templates(extensions=["j2"]):
    templates().get_template(name)
for name in OTHERS:
    import_module(name)
_load_scenarios()
gc.collect()
gc.freeze()  # what is garbage is looked for among what a command makes
