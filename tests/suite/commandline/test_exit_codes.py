"""Whatever happens to the command line, its exit code says it: never 1, which means nonconformant, where nothing was decided."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
import pytest

from conformance.commandline.exit_codes import code_of
from conformance.errors import CannotRun
from conformance.target.config import one_spelling
from conformance.target.wire.redaction import Redactor
from tests.suite.support.command_runs import COMMAND, Run, certify, kept_in, without_ci

ROOT: Final = Path(__file__).parents[3]

ONE_RULE: Final = ("--rule=ORD-05",)
"""Alone it is partial: exit code 2."""


def in_shell(tmp_path: Path, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of the shell, in which `$K` is the command."""
    variables = {**without_ci(), "K": str(COMMAND), **kept_in(tmp_path / "state"), **environment}
    return subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path, env=variables
    )


# -- errors that nobody foresaw ------------------------------------------------------------------------------------


def raises(error: BaseException) -> Callable[[], Any]:
    def run() -> None:
        raise error

    return run


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (lambda: None, 0),
        (lambda: 2, 2),
        (raises(SystemExit(1)), 1),
        (raises(SystemExit()), 0),
        (raises(SystemExit("a message")), 3),
        (raises(SystemExit(120)), 3),
        (raises(click.ClickException("no file")), 3),
        (raises(click.Abort()), 2),
        (raises(KeyboardInterrupt()), 2),
        (raises(CannotRun("a remedy")), 3),
        (raises(TypeError("a bug")), 3),
        (raises(MemoryError()), 3),
        (raises(RecursionError()), 3),
        (raises(pytest.exit.Exception("gone", 1)), 3),
        (raises(BaseExceptionGroup("several", [KeyboardInterrupt()])), 3),
    ],
)
def test_every_end_has_its_code(run: Callable[[], Any], code: int) -> None:
    assert code_of(run) == code


@pytest.mark.parametrize("verbose", [False, True])
def test_an_unforeseen_error_is_told_without_secrets(
    *, verbose: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    redactor = Redactor()
    redactor.learn("tr0ub4dor", "password")
    monkeypatch.setenv("KONCILI_PASSWORD", "hunter2hunter2")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["koncili-conformance", "certify", *(["-v"] if verbose else [])])
    assert code_of(raises(TypeError("tr0ub4dor and hunter2hunter2"))) == 3
    told = capsys.readouterr().err
    assert "harness error: TypeError: <redacted:password> and <redacted:KONCILI_PASSWORD>" in told
    files = [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()]
    assert "Traceback (most recent call last)" in (told if verbose else files[0])
    assert not any(secret in text for text in (told, *files) for secret in ("tr0ub4dor", "hunter2"))


# -- streams -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_no_verdict(closed: str, tmp_path: Path) -> None:
    done = in_shell(tmp_path, f'"$K" certify --no-html {ONE_RULE[0]} {closed}')
    assert done.returncode == 2, done.stderr
    assert Run(2, "", "", tmp_path / "reports").verdicts("pass") == {"ORD-05"}


@pytest.mark.parametrize(
    ("command", "code"), [(f"certify --no-html -v {ONE_RULE[0]}", 2), ("rules", 0), ("rules X", 3)]
)
def test_a_reader_that_has_gone_changes_no_verdict(command: str, code: int, tmp_path: Path) -> None:
    done = in_shell(
        tmp_path, f'("$K" {command}; echo $? > code) | true; while ! [ -s code ]; do sleep 0.1; done; cat code'
    )
    assert done.stdout == f"{code}\n", done.stderr
    assert done.stderr.count("\n") <= 1


def test_what_cannot_be_told_is_no_success(tmp_path: Path) -> None:
    assert in_shell(tmp_path, '"$K" rules > /dev/full').returncode == 3
    assert in_shell(tmp_path, '"$K" rules > /dev/full 2>&1').returncode == 3


def test_a_locale_that_knows_few_characters(tmp_path: Path) -> None:
    done = in_shell(tmp_path, f'"$K" certify --no-html -v {ONE_RULE[0]}', LC_ALL="C", PYTHONIOENCODING="ascii")
    assert done.returncode == 2, done.stderr
    assert r"\u2713 ORD-05" in done.stdout


# -- disks, directories, Python ------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_a_disk_that_is_full(workers: int, tmp_path: Path) -> None:
    line = f'ulimit -f 40; "$K" certify --no-html --rule ORD-05 --rule ORD-13 --workers {workers}'
    done = in_shell(tmp_path, line)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "cannot be written" in done.stdout + done.stderr
    assert "make room" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_reports_that_are_removed_meanwhile(tmp_path: Path) -> None:
    line = """
        "$K" certify --no-html -v --rule=ORD-05 --rule=ORD-04 --rule=ORD-13 --reports gone > told 2>&1 &
        until grep -q "ORD-0" told; do sleep 0.02; done
        rm -r gone
        wait $!; code=$?; cat told; exit $code
    """
    done = in_shell(tmp_path, line)
    assert done.returncode == 3, done.stdout
    assert "the certificate cannot be written" in done.stdout
    assert "certificate: " not in done.stdout
    assert "Traceback" not in done.stdout


def test_no_home_and_no_place_for_temporary_files(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    places = dict.fromkeys(("HOME", "TMPDIR", "XDG_STATE_HOME", "XDG_CACHE_HOME"), nowhere)
    assert in_shell(tmp_path, f'"$K" certify --no-html {ONE_RULE[0]}', **places).returncode == 2


@pytest.mark.parametrize("optimize", ["1", "2"])
def test_verdicts_hang_on_no_assertion(optimize: str, tmp_path: Path) -> None:
    chosen = ["--rule=ORD-04", "--rule=DEL-04", "--rule=REL-08", "--rule=AUTH-03"]
    plain = certify(tmp_path / "plain" / "reports", "--profile=smoke", *chosen)
    without = certify(tmp_path / "without" / "reports", "--profile=smoke", *chosen, PYTHONOPTIMIZE=optimize)
    assert without.by_rule == plain.by_rule
    broken = certify(
        tmp_path / "broken", "--profile=smoke", *chosen, "--defect=rel-08-not-enforced", PYTHONOPTIMIZE=optimize
    )
    assert (broken.code, broken.verdicts("fail")) == (1, {"REL-08"}), broken.errors


@pytest.mark.parametrize(
    "base_url",
    ["https://-a..b/", f"https://{'a' * 64}.example", "https://xn--a.example", "https://.", "https://a..example"],
)
def test_a_host_that_is_none_is_named(base_url: str) -> None:
    with pytest.raises(ValueError, match="must name a host"):
        one_spelling(base_url)


# -- yesterday's certificate ---------------------------------------------------------------------------------------


def test_a_run_that_cannot_begin_leaves_no_certificate_of_another(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    assert certify(reports, *ONE_RULE).code == 2
    assert certify(reports, *ONE_RULE, "--dry-run").code == 0
    assert (reports / "certificate.json").exists()
    assert certify(reports, "--target=/nowhere").code == 3
    assert [
        name
        for name in ("certificate.json", "statement.intoto.json", "summary.md", "junit.xml", "ctrf.json", "index.html")
        if (reports / name).exists()
    ] == []
    assert in_shell(tmp_path, '"$K" gate reports/certificate.json --accept-partial').returncode == 3


PYTEST: Final = f'"{sys.executable}" -m pytest -q -p no:cacheprovider -c {ROOT}/pyproject.toml --rootdir={ROOT}'


@pytest.mark.parametrize("option", ["--collect-only", "--fixtures", "--markers", "--help", "--setup-plan"])
def test_pytest_that_only_tells_leaves_the_certificate_as_it_is(option: str, tmp_path: Path) -> None:
    kept = tmp_path / "reports" / "certificate.json"
    kept.parent.mkdir()
    kept.write_text("the last one")
    options = f"--koncili-reports={kept.parent} --koncili-rule=ORD-05 --koncili-target=/nowhere"
    done = in_shell(tmp_path, f"cd {ROOT} && {PYTEST} tests/certification/test_orders.py {options} {option}")
    assert "Traceback (most recent" not in done.stdout + done.stderr
    assert list(kept.parent.iterdir()) == [kept]
    assert kept.read_text() == "the last one"
    if option == "--collect-only":
        assert done.returncode == 0, done.stdout
        assert "needs_its_cancel" in done.stdout or "1/" in done.stdout


# -- what else is installed ----------------------------------------------------------------------------------------

FOREIGN: Final = """
import warnings
import pytest
warnings.warn("a foreign plugin warns when it is imported", DeprecationWarning)
def pytest_addoption(parser):
    parser.addini("foreign_scope", "unset by most")
def pytest_configure(config):
    warnings.warn("the option foreign_scope is unset", pytest.PytestWarning)
def pytest_collection_modifyitems(items):
    items.reverse()
"""


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A directory with an installed plugin of somebody else's, as pip leaves one."""
    place = tmp_path / "site"
    metadata = place / "foreign_plugin-1.0.dist-info"
    metadata.mkdir(parents=True)
    (place / "foreign_plugin.py").write_text(FOREIGN)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-plugin\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[pytest11]\nforeign = foreign_plugin\n")
    return place


BREAKS: Final = "raise RuntimeError('not to be imported')"


@pytest.mark.parametrize("workers", [1, 2])
def test_what_else_is_installed_changes_nothing(workers: int, foreign: Path, tmp_path: Path) -> None:
    (foreign / "foreign_plugin.py").write_text(BREAKS)
    work = tmp_path / "work"
    work.mkdir()
    (work / "conftest.py").write_text(BREAKS)
    (work / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    environment = {
        "PYTHONPATH": str(foreign), "PYTEST_ADDOPTS": "--no-such-option", "PYTEST_PLUGINS": "foreign_plugin",
        "HYPOTHESIS_PROFILE": "no-such-profile", "PYTHONWARNINGS": "error",
    }  # fmt: skip
    done = in_shell(work, f'"$K" certify --no-html {ONE_RULE[0]} --workers {workers}', **environment)
    assert done.returncode == 2, done.stdout + done.stderr
    assert Run(2, "", "", work / "reports").verdicts("pass") == {"ORD-05"}


@pytest.mark.parametrize("autoload", ["", "1"])
def test_plain_pytest_works_beside_others(autoload: str, foreign: Path, tmp_path: Path) -> None:
    options = f"--koncili-reports={tmp_path / 'reports'} --koncili-rule=ORD-05 --koncili-no-html"
    plugins = "-p conformance.run.plugin -p pytest_bdd.plugin -p allure_pytest.plugin" if autoload else ""
    environment = {"PYTHONPATH": f"{ROOT}:{foreign}"} | ({"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} if autoload else {})
    done = in_shell(tmp_path, f"cd {ROOT} && {PYTEST} tests/certification {plugins} {options}", **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert Run(0, "", "", tmp_path / "reports").verdicts("pass") == {"ORD-05"}


def test_a_run_writes_nothing_beside_its_results(tmp_path: Path) -> None:
    """Not into the directory in which it is started, that is: it may be one that nobody can write to."""
    (tmp_path / "work").mkdir()
    line = f'cd work && "$K" certify --no-html --rule ERR-05 --profile smoke --reports {tmp_path / "reports"}'
    assert in_shell(tmp_path, line).returncode == 2
    assert list((tmp_path / "work").iterdir()) == []
