"""Breakdowns of a run's surroundings: exit code 3 in order, or as if nothing were."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from tests.suite.support.command_runs import COMMAND
from tests.trials.cases import Case, Seen, rules
from tests.trials.servers import of
from tests.trials.staging import ROOT, Ended, Place
from tests.trials.table import Row

FEW: Final = rules("ORD-01", "ORD-03")
PLUGIN: Final = """
import os, warnings
MANNER = os.environ["FOREIGN_PLUGIN"]
if MANNER == "raises":
    raise RuntimeError("a foreign plugin")
def pytest_configure(config):
    if MANNER == "warns":
        warnings.warn("a foreign plugin is not configured", DeprecationWarning)
def pytest_collection_modifyitems(items):
    if MANNER == "deselects":
        items[:] = []
def pytest_runtest_makereport(item, call):
    if MANNER == "fails":
        raise RuntimeError("a foreign plugin")
"""


def _ordinary(seen: Seen) -> bool:
    verdicts = seen.place.verdicts()
    return verdicts.get("ORD-01") == verdicts.get("ORD-03") == "pass"


def usual(name: str, tried: str, **rest: Any) -> Case:
    """A breakdown that must change nothing."""
    return Case("breakdowns", name, tried, [2], FEW, expected="ORD-01 and ORD-03 pass", holds=_ordinary, **rest)


def cannot(name: str, tried: str, codes: tuple[int, ...] = (3,), **rest: Any) -> Case:
    """A breakdown after which there is no verdict."""
    return Case("breakdowns", name, tried, codes, rest.pop("arguments", FEW), **rest)


def _shell(script: str) -> tuple[str, ...]:
    return ("sh", "-c", script, "sh")


def says(pattern: str) -> Callable[[Seen], bool]:
    """Whether a run's words hold that pattern."""
    return lambda seen: re.search(pattern, seen.ended.output + seen.ended.errors) is not None


def _with_plugin(manner: str) -> Case:
    def run(case: Case, there: Place) -> Ended:
        package = there.path / "site"
        about = package / "foreign_plugin-1.0.dist-info"
        about.mkdir(parents=True)
        (package / "foreign_plugin.py").write_text(PLUGIN)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-plugin\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text("[pytest11]\nforeign = foreign_plugin\n")
        return there.certify(*case.arguments, environment={"PYTHONPATH": str(package), "FOREIGN_PLUGIN": manner})

    return usual(f"a pytest plugin that {manner}", "a foreign pytest plugin is merely installed (row 12)", run=run)


def _project(case: Case, there: Place) -> Ended:
    """In a project of a user's own, with tests, conftest and packages named as ours."""
    project = there.path / "project"
    (project / "tests").mkdir(parents=True)
    (project / "strategies").mkdir()
    for name in ("tests/__init__.py", "strategies/__init__.py"):
        (project / name).write_text("raise RuntimeError('this is the user\\'s own')\n")
    (project / "conftest.py").write_text("raise RuntimeError('a conftest of the user')\n")
    (project / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    return there.begin(*case.arguments, cwd=project).end(case.seconds)


def _in_a_directory_that_is_gone(case: Case, there: Place) -> Ended:
    gone = there.path / "gone"
    gone.mkdir()
    return there.begin(*case.arguments, before=_shell('rmdir "$PWD"; exec "$@"'), cwd=gone).end(case.seconds)


def _old_certificate(case: Case, there: Place) -> Ended:
    """A good run, one that can't run, then the gate by what lies there."""
    there.certify(*case.arguments)
    nowhere = there.target("nowhere", base_url="http://127.0.0.1:9")
    there.certify(*case.arguments, target=nowhere)
    path = there.path / "reports" / "certificate.json"
    return there.start("gate", str(path), "--accept-partial", "--profile", "smoke").end()


def _collect_only(case: Case, there: Place) -> Ended:
    """Plain pytest that only collects, after a good run; then the gate."""
    there.certify(*case.arguments)
    path = there.path / "reports" / "certificate.json"
    before = path.read_bytes()
    ended = _plain(there, "--collect-only", "-q")
    if path.exists() and path.read_bytes() != before:
        ended.code = 100
    return ended


def _plain(there: Place, *more: str, environment: Mapping[str, str] | None = None) -> Ended:
    chosen = [f"--koncili-rule={one}" for one in ("ORD-01", "ORD-03")]
    options = ["--koncili-target", str(there.target()), "--koncili-profile=smoke", *chosen, "--koncili-no-html"]
    reports = ["--koncili-reports", str(there.path / "reports"), "-p", "no:cacheprovider"]
    command = [str(COMMAND.parent / "python"), "-m", "pytest", "tests/certification", *options, *reports, *more]
    return there.run(command, cwd=ROOT, environment=environment or {}).end()


def _small_disk(size: str) -> tuple[str, ...]:
    """A file system of that size where the reports go: a tmpfs in a mount namespace of its own."""
    script = f'mkdir -p "$HOME/reports" && mount -t tmpfs -o size={size} tmpfs "$HOME/reports" && exec "$@"'
    return ("unshare", "-m", *_shell(script))


READ_ONLY: Final = (
    "unshare",
    "-m",
    *_shell(f'mount --bind "{ROOT}" "{ROOT}" && mount -o remount,ro,bind "{ROOT}" && cd / && exec "$@"'),
)


def _of_surroundings() -> Iterator[Case]:
    for value, what in (("/no/such/file", "missing"), (str(ROOT / "Makefile"), "garbage"), ("/", "a directory")):
        yield cannot(
            f"SSL_CERT_FILE {what}", f"SSL_CERT_FILE is {what} (row 11)", (2, 3), environment={"SSL_CERT_FILE": value}
        )
        yield cannot(f"SSL_CERT_DIR {what}", f"SSL_CERT_DIR is {what}", (2, 3), environment={"SSL_CERT_DIR": value})
        yield cannot(
            f"SSL_CERT_FILE {what}, https",
            f"SSL_CERT_FILE is {what}, the target's URL is https (row 11)",
            environment={"SSL_CERT_FILE": value},
            target={"base_url": "https://127.0.0.1:9"},
            expected="the variable is named",
            holds=says("SSL_CERT_FILE"),
        )
    yield usual(
        "SSLKEYLOGFILE in no directory", "SSLKEYLOGFILE can't be written", environment={"SSLKEYLOGFILE": "/no/such/x"}
    )
    for redirection, what in (
        ("<&-", "stdin"),
        (">&-", "stdout"),
        ("2>&-", "stderr"),
        ("<&- >&- 2>&-", "all three"),
        (">/dev/full", "stdout full"),
        (">/dev/full 2>/dev/full", "both full"),
    ):
        yield Case(
            "breakdowns",
            f"closed: {what}",
            f"`certify {redirection}` (row 11)",
            [2, 3],
            FEW,
            before=_shell(f'exec "$@" {redirection}'),
            expected="never 0 or 1",
        )
    yield Case(
        "breakdowns",
        "closed: pipe",
        "`certify -v | head -c 1` (row 11)",
        [0, 2, 3, 141],
        [*FEW, "-v"],
        before=("bash", "-c", 'set -o pipefail; "$@" | head -c 1', "sh"),
        expected="never 1",
    )
    for size in ("16k", "64k", "256k"):
        yield cannot(f"full disk, {size}", f"{size} of room under --reports (row 11)", before=_small_disk(size))
    yield cannot("reports is a file", "--reports names a file", arguments=[*FEW, "--reports", "/dev/null"])
    for value in ("1", "2"):
        yield cannot(
            f"PYTHONOPTIMIZE={value}",
            f"PYTHONOPTIMIZE={value} (row 11)",
            (2, 3),
            environment={"PYTHONOPTIMIZE": value},
            expected="as without it, or told",
            holds=lambda seen: seen.ended.code == 3 or _ordinary(seen),
        )
    for name, value in (
        ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1"),
        ("PYTEST_ADDOPTS", "-x -k nothing"),
        ("PYTEST_ADDOPTS", "--collect-only"),
        ("PYTEST_ADDOPTS", "-n 3"),
        ("PYTEST_ADDOPTS", "-p no:xdist"),
        ("PYTEST_ADDOPTS", "--no-such-option"),
        ("PYTEST_ADDOPTS", "--koncili-defect=ord-04-not-enforced"),
        ("PYTEST_ADDOPTS", "--lf -W ignore"),
        ("PYTEST_PLUGINS", "no_such_plugin"),
        ("PYTEST_XDIST_AUTO_NUM_WORKERS", "3"),
        ("PYTHONWARNINGS", "error"),
        ("HYPOTHESIS_PROFILE", "ci"),
        ("HYPOTHESIS_STORAGE_DIRECTORY", "/dev/null/x"),
        ("TMPDIR", "/no/such/directory"),
        ("HOME", "/no/such/home"),
        ("LC_ALL", "C"),
        ("PYTHONIOENCODING", "ascii"),
        ("COLUMNS", "1"),
        ("COLUMNS", "x"),
        ("TERM", "no-such-terminal"),
        ("PYTHONDEVMODE", "1"),
        ("TZ", "Nowhere/Never"),
        ("CI", "true"),
        ("NO_COLOR", "1"),
        ("FORCE_COLOR", "1"),
        ("PYTHONUTF8", "0"),
        ("PYTHONINTMAXSTRDIGITS", "640"),
        ("XDG_STATE_HOME", "state"),
    ):
        yield usual(f"{name}={value}", f"`{name}={value} certify` (rows 11, 12)", environment={name: value})
    for manner in ("warns", "raises", "deselects", "fails"):
        yield _with_plugin(manner)
    yield usual(
        "a project of the user's", "in a directory with tests/, conftest.py, pytest.ini of its own", run=_project
    )
    yield Case(
        "breakdowns",
        "a directory that is gone",
        "in a working directory that was removed",
        [2, 3],
        FEW,
        run=_in_a_directory_that_is_gone,
    )
    yield usual("read-only checkout", "the checkout is read-only (row 12)", before=READ_ONLY)
    for limit, what in (
        ("-n 24", "24 open files"),
        ("-v 300000", "300 MB of address space"),
        ("-f 40", "files of 20 KB"),
    ):
        yield cannot(f"no more than {what}", f"`ulimit {limit}`", (2, 3), before=_shell(f'ulimit {limit}; exec "$@"'))
    yield Case(
        "breakdowns",
        "old certificate",
        "a run that could not run, then `gate` by the certificate before it (row 11)",
        [3],
        FEW,
        run=_old_certificate,
        expected="the gate does not pass",
    )
    yield Case(
        "breakdowns",
        "--collect-only",
        "plain pytest --collect-only, after a run (row 11)",
        [0, 2, 3, 5],
        FEW,
        run=_collect_only,
        expected="the certificate is the one before, or gone",
    )
    yield Case(
        "breakdowns",
        "plain pytest, unreachable",
        "plain pytest against a port where nobody listens (row 11)",
        [3],
        run=lambda _, there: _plain(there, "--koncili-target", str(there.target("x", base_url="http://127.0.0.1:9"))),
    )


def trials(chosen: argparse.Namespace) -> Iterator[Callable[[], Row]]:
    """All of them, or those that are asked for."""
    return of(list(_of_surroundings()), chosen)
