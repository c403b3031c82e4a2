"""What we use of pytest although it promises none of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TextIO

import pytest
from _pytest._code.code import ReprFuncArgs, ReprLocals, TerminalRepr
from _pytest._io import TerminalWriter
from _pytest.runner import runtestprotocol

__all__ = [
    "ReprFuncArgs",
    "ReprLocals",
    "TerminalRepr",
    "interruption_shown",
    "let_write_to",
    "plugins_are_modules",
    "retraced",
    "run_phases",
    "trace_no_failures",
]


@contextmanager
def plugins_are_modules() -> Iterator[None]:
    """While pytest runs in here, `-p` names modules: pytest would first look through what all installed packages say of
    themselves for a plugin of that name, for each anew, which takes a twentieth of a short run."""
    manager = pytest.PytestPluginManager
    before = manager.load_setuptools_entrypoints
    vars_of: Any = manager
    vars_of.load_setuptools_entrypoints = _load_none
    try:
        yield
    finally:
        vars_of.load_setuptools_entrypoints = before


def _load_none(manager: pytest.PytestPluginManager, group: str, name: str | None = None) -> int:
    del manager, group, name
    return 0


def let_write_to(config: pytest.Config, stream: TextIO) -> None:
    """Let pytest's own reporter write there from now on."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    reporter._tw = TerminalWriter(stream)


def trace_no_failures(config: pytest.Config) -> None:
    """Let pytest make no tracebacks, as `--tb=no` does, also where there is no such option, which its own reporter brings: to
    print the arguments of every call takes longer than what failed."""
    config.option.tbstyle = "no"


def interruption_shown(config: pytest.Config) -> object:
    """What pytest's own reporter has made of a Ctrl-C, to show it at the end; None where there was none."""
    return getattr(config.pluginmanager.get_plugin("terminalreporter"), "_keyboardinterrupt_memo", None)


def run_phases(item: pytest.Item, following: Any) -> list[pytest.TestReport]:
    """Set up, call and tear down, as far as the following item needs nothing of it; nothing is reported."""
    return runtestprotocol(item, nextitem=following, log=False)


def retraced(excinfo: pytest.ExceptionInfo[BaseException], trace: TracebackType) -> None:
    """Give a caught exception another traceback."""
    excinfo._excinfo = (excinfo.type, excinfo.value, trace)
