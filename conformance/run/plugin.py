"""The pytest plugin: options, the session fixture, and the hooks that turn scenarios into a certificate."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conformance.run.certification import Certification

_TAG = re.compile(r"[A-Z]{3,4}-\d{2}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of certify, for plain pytest."""
    group = parser.getgroup("koncili", "Koncili conformance")
    group.addoption("--koncili-target", metavar="FILE", help="target file (default: the mock, in process)")
    group.addoption("--koncili-profile", metavar="NAME", help="smoke, certification (default) or deep")
    group.addoption("--koncili-rule", metavar="ID", action="append", help="certify this rule only (repeatable)")
    group.addoption("--koncili-seed", metavar="N", type=int, help="seed of the generated cases")
    group.addoption("--koncili-reports", metavar="DIR", help="where results are left (default: reports)")
    group.addoption("--koncili-waivers", metavar="FILE", help="failures that are known and accepted for a time")
    group.addoption(
        "--koncili-long-waivers", action="store_true", help="let waivers last longer than half a year from today"
    )
    group.addoption(
        "--koncili-proof", metavar="FILE", help="the proof of this suite (default: proof.json in the reports)"
    )
    group.addoption("--koncili-contract", metavar="VERSION", help="score the rules of that version only (2026.11)")
    group.addoption(
        "--koncili-defect", metavar="NAME", action="append", help="give the mock in process this defect (repeatable)"
    )
    group.addoption(
        "--koncili-variant",
        metavar="NAME",
        action="append",
        help="let the mock in process be this variant (repeatable)",
    )
    group.addoption("--koncili-no-html", action="store_true", help="make no HTML report")
    group.addoption(
        "--koncili-max-wait",
        metavar="TIME",
        help="end, inconclusive, rather than wait longer for anything: 90s, 10m, 1h",
    )
    group.addoption(
        "--koncili-keep-going", action="store_true", help="wait for the budget also after a required rule has failed"
    )
    group.addoption(
        "--koncili-complete",
        action="store_true",
        help="try every kind of fault, however many hours of the budget that takes",
    )
    group.addoption("--koncili-shard", metavar="I/N", help="certify the I-th of N parts only, to be merged")
    group.addoption("--koncili-patient", action="store_true", help="wait for what takes time on a live endpoint")
    group.addoption(
        "--koncili-allow-production", metavar="HOST", help="let the target be the production one on this host"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Know the rule marker; where a koncili option is given, leave reports."""
    config.addinivalue_line("markers", "rule(id): the scenario states the rule of that id")
    config.addinivalue_line(
        "markers",
        "koncili_mock(variants, defects, limits, faults, lose_answers): how the mock of the fixture koncili_mock is",
    )
    if any(_given(config, name) for name in _OPTION_NAMES):
        from conformance.run.options import certifies

        if certifies(config):
            _start(config)


_OPTION_NAMES = (
    "target",
    "profile",
    "rule",
    "seed",
    "reports",
    "waivers",
    "contract",
    "proof",
    "defect",
    "variant",
    "allow_production",
    "patient",
    "complete",
    "shard",
)


def _given(config: pytest.Config, name: str) -> Any:
    return config.getoption(f"koncili_{name}")


def _start(config: pytest.Config) -> Certification:
    """The certification of this pytest run, made on first need."""
    from conformance.report.discreet import Discretion
    from conformance.run.certification import Certification
    from conformance.run.options import task_of
    from conformance.target.wire.redaction import Redactor

    certification: Certification | None = config.stash.get(CERTIFICATION, None)
    if certification is None:

        def redactor() -> Redactor:
            return certification.redactor if certification is not None else Redactor()

        config.pluginmanager.register(Discretion(config, redactor), "koncili-discretion")
        certification = Certification(task_of(config, reports_directory(config)))
        config.stash[CERTIFICATION] = certification
        certification.join(config)
    return certification


CERTIFICATION: pytest.StashKey[Any] = pytest.StashKey()


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_bdd_apply_tag(tag: str, function: Callable[..., Any]) -> bool | None:
    """A tag that is a rule id becomes `pytest.mark.rule(id)`."""
    if not _TAG.fullmatch(tag):
        return None
    pytest.mark.rule(tag)(function)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, None, None]:
    """Scenarios of rules start a certification, whatever the options."""
    if any(item.get_closest_marker("rule") for item in items):
        from conformance.run.options import certifies, check_known
        from conformance.run.scenario import leave_out

        if certifies(config):
            _start(config).enter(items)
        else:
            rules = frozenset(rule.upper() for rule in _given(config, "rule") or ())
            check_known(rules)
            leave_out(items, rules)
    yield


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    """Scenarios in a worker start a certification, too, and each must be reported by one."""
    scenarios = [nodeid for nodeid in ids if _is_scenario(node.config, nodeid)]
    if scenarios and (controller := _start(node.config).controller) is not None:
        controller.collected.update(scenarios)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where no test used Hypothesis it stays unloaded: this suite brought its plugin along."""
    from conformance.compat.hypothesis_plugin import leave_unloaded

    leave_unloaded(session.config)


@pytest.fixture(scope="session")
def koncili(request: pytest.FixtureRequest) -> Any:
    """The run's `conformance.run.session.Session`."""
    return _start(request.config).session


def _is_scenario(config: pytest.Config, nodeid: str) -> bool:
    """Whether a test that only a worker has before it is one of the certification."""
    from conformance.run.scenario import SCENARIOS, suite_root

    return (config.rootpath / nodeid.partition("::")[0]).is_relative_to(suite_root() / SCENARIOS)


def reports_directory(config: pytest.Config) -> Path | None:
    """Where this run leaves its results; None where no koncili option asks for any."""
    given = _given(config, "reports")
    if given:
        return Path(given)
    return Path("reports") if any(_given(config, name) for name in _OPTION_NAMES) else None
