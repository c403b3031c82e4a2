"""What pytest and Allure tell of a run, without its secrets: reports, tracebacks, log records; and files for nobody else."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator
from typing import Any, Final

import allure_commons
import pytest

from conformance.compat.pytest import ReprFuncArgs, ReprLocals, TerminalRepr, interruption_shown
from conformance.escaping import lines
from conformance.target.wire.redaction import Redactor

OTHERS: Final = 0o077
"""What nobody but the user may do with the files of a run: they hold requests and answers."""

SHORT: Final = 200
"""Texts of so many characters are kept as they are shown."""

NOT_SHOWN: Final = "(not shown: they may hold credentials and tokens)"


def discreet(shown: Any, redactor: Redactor) -> Any:
    """What pytest or Allure is about to show, changed in place where it can be, else a copy, without known secrets and harmless
    to terminals and CI systems.

    Values of arguments and locals go as a whole: pytest cuts them, and half of a password is not recognised.
    """
    if isinstance(shown, str):  # Allure tells the same words of each test: labels, names of steps
        return lines(redactor.word(shown) if len(shown) <= SHORT else redactor.text(shown))
    if isinstance(shown, ReprFuncArgs):
        shown.args = []
    elif isinstance(shown, ReprLocals):
        shown.lines = [NOT_SHOWN]
    elif isinstance(shown, list):
        shown[:] = [discreet(part, redactor) for part in shown]
    elif isinstance(shown, tuple):
        return tuple(discreet(part, redactor) for part in shown)
    elif isinstance(shown, TerminalRepr) or hasattr(type(shown), "__attrs_attrs__"):
        for name, part in vars(shown).items():
            setattr(shown, name, discreet(part, redactor))
    return shown


class Discretion:
    """The plugin that sees to it, for pytest and for Allure, whatever options pytest is given."""

    def __init__(self, config: pytest.Config, redactor: Callable[[], Redactor]) -> None:
        """From now on until pytest ends; `redactor` finds what knows the secrets of this process."""
        self._redactor = redactor
        self._config = config
        self._umask, self._make_record = os.umask(OTHERS), logging.getLogRecordFactory()
        logging.setLogRecordFactory(self._record_maker(self._make_record))
        allure_commons.plugin_manager.register(self)
        config.add_cleanup(self._leave)

    def _leave(self) -> None:
        allure_commons.plugin_manager.unregister(self)
        logging.setLogRecordFactory(self._make_record)
        os.umask(self._umask)

    def _record_maker(self, make: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
        """HTTP libraries log headers where a user asks for it."""

        def make_discreet(*args: Any, **named: Any) -> logging.LogRecord:
            record, redactor = make(*args, **named), self._redactor()
            record.msg, record.args = lines(redactor.text(record.getMessage())), ()
            if record.exc_info:
                record.exc_text = lines(redactor.text(logging.Formatter().formatException(record.exc_info)))
            return record

        return make_discreet

    # -- pytest ----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, trylast=True)  # the innermost: Allure copies from the report
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """The report of a test, from which the terminal, JUnit and Allure tell of it."""
        report = yield
        report.longrepr = discreet(report.longrepr, self._redactor())
        report.sections = discreet(report.sections, self._redactor())
        return report

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """The same of modules that cannot be collected."""
        report = yield
        report.longrepr = discreet(report.longrepr, self._redactor())
        report.sections = discreet(report.sections, self._redactor())
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: TerminalRepr) -> None:
        """The traceback of an error outside of tests."""
        discreet(excrepr, self._redactor())

    @pytest.hookimpl(trylast=True)
    def pytest_keyboard_interrupt(self) -> None:
        """The traceback of Ctrl-C, which the terminal has made by now and keeps for the end."""
        discreet(interruption_shown(self._config), self._redactor())

    # -- Allure ----------------------------------------------------------------------------------------------------

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: Any) -> None:
        """The result of a test: Allure makes messages and traces of steps itself."""
        discreet(result, self._redactor())

    @allure_commons.hookimpl(tryfirst=True)
    def report_container(self, container: Any) -> None:
        """The same of fixtures."""
        discreet(container, self._redactor())
