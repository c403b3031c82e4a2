"""What we use of other libraries although they don't promise it is still there, and does what we use it for.

Where a release takes something away, the message says what, so that it is mended in conformance/compat and nowhere else.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import allure_commons
import pluggy
import pytest
from allure_commons._hooks import AllureDeveloperHooks
from allure_pytest.listener import AllureListener
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal import charmap
from pytest_bdd.parser import Step

from conformance.compat import allure as of_allure
from conformance.compat import hypothesis as of_hypothesis
from conformance.compat import pytest as of_pytest
from conformance.compat import pytest_bdd as of_pytest_bdd

PRIVATE: Final = {
    "hypothesis.internal.conjecture.providers": ("_get_local_constants",),
    "hypothesis.internal.constants_ast": ("Constants",),
    "hypothesis.internal.conjecture.engine": ("BUFFER_SIZE",),
    "hypothesis.internal.entropy": ("register_random",),
    "hypothesis.internal.reflection": ("is_first_param_referenced_in_function",),
    "hypothesis.internal.charmap": ("charmap_file", "intervals_from_codec"),
    "hypothesis.core": ("RepresentationPrinter", "BUFFER_SIZE"),
    "hypothesis.strategies._internal.core": ("is_first_param_referenced_in_function",),
    "hypothesis.strategies._internal.collections": ("BUFFER_SIZE",),
    "pytest_bdd.scenario": ("find_fixturedefs_for_step", "scenario_wrapper_template_registry"),
    "hypothesis.vendor.pretty": ("RepresentationPrinter",),
    "_pytest.runner": ("runtestprotocol",),
    "_pytest._io": ("TerminalWriter",),
    "_pytest._code.code": ("ReprFuncArgs", "ReprLocals", "TerminalRepr"),
}
"""By module."""


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in PRIVATE.items() for name in names])
def test_it_is_there(module: str, name: str) -> None:
    found: ModuleType = import_module(module)
    place = f"conformance/compat/{module.partition('.')[0].lstrip('_')}.py"
    assert hasattr(found, name), f"{module} has no {name} any more: mend {place}"


@pytest.mark.parametrize(("modules", "looks"), [(nullcontext, 1), (of_pytest.plugins_are_modules, 0)])
def test_pytest_looks_for_a_plugin_among_what_is_installed_only_where_it_may_be_none_of_ours(
    modules: Callable[[], AbstractContextManager[None]], looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def look() -> list[str]:
        looked.append("there")
        return []

    monkeypatch.setattr("importlib.metadata.distributions", look)
    manager = pytest.PytestPluginManager()
    with modules():
        manager.import_plugin("pytest_bdd.plugin", consider_entry_points=True)
    assert manager.has_plugin("pytest_bdd.plugin")
    assert len(looked) == looks


def test_hypothesis_takes_our_table_of_utf8_and_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charmap, "charmap_file", lambda name: tmp_path / "tables" / f"{name}.json.gz")
    of_hypothesis.know_utf8.__wrapped__()
    monkeypatch.setattr("hypothesis.internal.charmap.sys.maxunicode", -1)  # what it makes by itself would be empty
    encodable, altered = charmap.intervals_from_codec.__wrapped__("utf-8")
    assert encodable.intervals == of_hypothesis.ENCODABLE
    assert altered.intervals == ()


def test_hypothesis_searches_no_further_when_that_is_ended() -> None:
    tried = []

    @settings(database=None)
    @given(st.integers())
    def law(number: int) -> None:
        tried.append(number)
        if len(tried) == 3:
            raise of_hypothesis.SearchEnded

    with pytest.raises(of_hypothesis.SearchEnded):
        law()
    assert len(tried) == 3


@pytest.mark.parametrize("first", [0, 0xD7FF, 0xDFFF, 0x10FFFF], ids=hex)
def test_the_table_of_utf8_ends_where_python_does(first: int) -> None:
    def is_encodable(number: int) -> bool:
        return any(number in range(low, high + 1) for low, high in of_hypothesis.ENCODABLE)

    for number in {first, min(first + 1, 0x10FFFF)}:
        try:
            chr(number).encode()
        except UnicodeEncodeError:
            assert not is_encodable(number)
        else:
            assert is_encodable(number)


def test_a_table_that_cannot_be_written_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tables").write_text("a file where a directory should be")
    monkeypatch.setattr(charmap, "charmap_file", lambda name: tmp_path / "tables" / name)
    of_hypothesis.know_utf8.__wrapped__()


def test_hypothesis_draws_no_literals_of_modules() -> None:
    drawn: set[int] = set()

    @settings(max_examples=300, database=None, derandomize=True)
    @given(st.integers())
    def draw(number: int) -> None:
        drawn.add(number)

    with of_hypothesis.drawing_no_constants():
        assert of_hypothesis.draws_no_constants()
        draw()
    assert len(drawn) > 10
    assert of_hypothesis.NO_CONSTANTS.integers == set(), (
        "Constants() has constants: literals of modules would be drawn again"
    )


def test_hypothesis_reads_no_source_of_what_has_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(function: object) -> bytes:
        raise AssertionError(f"Hypothesis took {function} apart")

    @settings(max_examples=3, database=None)
    @given(st.integers())
    def draw(number: int) -> None:
        del number

    monkeypatch.setattr("hypothesis.core.function_digest", read)
    of_hypothesis.without_key(seed(1)(draw))()


FAILING: Final = """
import pytest
from conformance.compat.pytest import interruption_shown, let_write_to, retraced, run_phases, trace_no_failures

class Plugin:
    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config):
        self.config = config
        import io
        self.stream = io.StringIO()
        let_write_to(config, self.stream)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        trace_no_failures(self.config)
        reports = run_phases(item, nextitem)
        print("told:", *(report.longreprtext.count("def test_one") for report in reports))
        print("phases:", *(report.when for report in reports))
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo):
        retraced(excinfo, excinfo.tb)

class Last:
    @pytest.hookimpl(trylast=True)
    def pytest_keyboard_interrupt(self):
        print("interruption:", type(interruption_shown(plugin.config)).__name__)

plugin = Plugin()
code = pytest.main(["-q", "-p", "no:cacheprovider", "-s", "--rootdir=.", "test_one.py"], plugins=[plugin, Last()])
print("code:", int(code))
print("pytest wrote:", any(word in plugin.stream.getvalue() for word in ("no tests ran", "passed", "Interrupt")))
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("pass", ["phases: setup call teardown", "code: 0", "pytest wrote: True"]),
        ("assert False", ["told: 0 0 0"]),
        ("raise KeyboardInterrupt", ["interruption: ExceptionChainRepr", "code: 2", "pytest wrote: True"]),
    ],
)
def test_pytest_is_led_as_we_lead_it(tmp_path: Path, body: str, expected: list[str]) -> None:
    (tmp_path / "test_one.py").write_text(f"def test_one():\n    {body}\n")
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run(
        [sys.executable, "-c", FAILING], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
    )
    lines = run.stdout.splitlines()
    assert [line for line in lines if line in expected] == expected, run.stdout + run.stderr


@dataclass(eq=False)
class Node:
    """As much of a node of pytest as is asked for."""

    parent: Node | None = None


def test_pytest_bdd_looks_for_a_step_once_for_each_module(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[tuple[str, str, object]] = []

    def look(step: Step, _: object, node: Node) -> Iterator[str]:
        looked.append((step.type, step.name, node.parent))
        yield f"{step.type} {step.name}"

    def step(type_: str, name: str) -> Step:
        return Step(name=name, type=type_, indent=0, line_number=1, keyword="")

    scenario = import_module("pytest_bdd.scenario")
    monkeypatch.setattr(scenario, "find_fixturedefs_for_step", look)
    modules = [Node(), Node()]
    with of_pytest_bdd.steps_found_once():
        for _ in range(2):
            for module in modules:
                for type_, name in (("given", "a"), ("then", "a"), ("then", "b")):
                    found = scenario.find_fixturedefs_for_step(step(type_, name), None, Node(module))
                    assert list(found) == [f"{type_} {name}"]
    assert len(looked) == len(set(looked)) == 6
    assert scenario.find_fixturedefs_for_step is look


def _config_with(listener: object = None) -> Any:
    """As much of pytest's configuration as Allure's listener needs."""
    plugins = pytest.PytestPluginManager()
    if listener is not None:
        plugins.register(listener, "allure_listener")
    return SimpleNamespace(pluginmanager=plugins, hook=plugins.hook)


def test_allure_takes_no_note_of_fixtures_any_more_and_of_tests_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[str] = []

    class Listener:
        @pytest.hookimpl
        def pytest_fixture_setup(self) -> None:
            noted.append("set up")

        @pytest.hookimpl
        def pytest_fixture_post_finalizer(self) -> None:
            noted.append("finalised")

        @pytest.hookimpl
        def pytest_runtest_setup(self) -> None:
            noted.append("test")

    def run() -> None:
        config.hook.pytest_fixture_setup(fixturedef=None, request=None)
        config.hook.pytest_fixture_post_finalizer(fixturedef=None, request=None)
        config.hook.pytest_runtest_setup(item=None)

    for name in of_allure.OF_FIXTURES:
        assert hasattr(AllureListener, name), (
            f"Allure's listener has no {name} any more: mend conformance/compat/allure.py"
        )
    monkeypatch.setattr(allure_commons, "plugin_manager", pluggy.PluginManager("allure"))
    allure_commons.plugin_manager.add_hookspecs(AllureDeveloperHooks)
    config = _config_with(Listener())
    run()
    assert noted == ["set up", "finalised", "test"]
    of_allure.leave_fixtures_out(config)
    noted.clear()
    run()
    assert noted == ["test"]


def test_nobody_is_told_of_fixtures_any_more_and_of_results_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is told is unregistered at the end of a run, as Allure does it."""
    manager, told = pluggy.PluginManager("allure"), list[object]()
    manager.add_hookspecs(AllureDeveloperHooks)

    class Told:
        @allure_commons.hookimpl
        def report_container(self, container: object) -> None:
            told.append(container)

        @allure_commons.hookimpl
        def report_result(self, result: object) -> None:
            told.append(result)

    some = [Told(), Told()]
    for one in some:
        manager.register(one)
    manager.hook.report_container(container="a fixture")
    assert told == ["a fixture"] * 2
    monkeypatch.setattr(allure_commons, "plugin_manager", manager)
    of_allure.leave_fixtures_out(_config_with())
    manager.hook.report_container(container="another")
    manager.hook.report_result(result="a result")
    assert told == [*["a fixture"] * 2, *["a result"] * 2]
    for one in some:
        manager.unregister(name=manager.get_name(one))
