"""The wheel: one name at the top, everything inside it works, and a stranger's packages of our folders' names are left alone."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

from conformance.verdict.suite_code import code_digest
from tests.suite.support.made_once import made_once

CHECKOUT: Final = Path(__file__).parents[3]

CERTIFY: Final = """
import sys
sys.modules["schemathesis"] = None  # no installation has it
from koncili_conformance.command import main
try:
    main()
finally:
    ours = {"conformance", "strategies"} & sys.modules.keys()
    print("from outside:", *(sorted(ours) or ["nothing"]))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has what the wheel has."""
    return made_once(tmp_path_factory, "wheel", _install)


def _install(folder: Path) -> Path:
    build = ["hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    made = subprocess.run([sys.executable, "-m", *build], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def python(installed: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python, to which that is installed."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "XDG_STATE_HOME": str(cwd / "state")}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False, env=environment, timeout=300
    )


def strangers(folder: Path) -> None:
    """A project of somebody else, with packages of the names of our folders."""
    for name in ("conformance", "strategies"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("OWNER = 'somebody else'\n")
    (folder / "test_own.py").write_text(
        "import conformance\nimport strategies\n\n\ndef test_they_are_ours() -> None:\n"
        "    assert (conformance.OWNER, strategies.OWNER) == ('somebody else', 'somebody else')\n"
    )


def test_it_installs_one_name(installed: Path) -> None:
    names = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert names == {"koncili_conformance"}
    assert (installed / "koncili_conformance" / "py.typed").is_file()


def test_its_code_is_known_for_that_of_the_checkout(installed: Path, tmp_path: Path) -> None:
    """A proof made in the one counts for certificates made by the other."""
    of = "from {}conformance.verdict.suite_code import code_digest; print(code_digest())"
    run = python(installed, tmp_path, "-c", of.format("koncili_conformance."))
    assert run.stdout == f"{code_digest()}\n", run.stderr


def test_it_certifies_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    strangers(tmp_path)
    rules = ("--rule", "ORD-04", "--rule", "ERR-05")
    run = python(installed, tmp_path, "-c", CERTIFY, "certify", *rules, "--no-html")
    assert run.returncode == 2, run.stdout + run.stderr  # partial: other rules were left out
    assert "2 pass" in run.stdout
    assert "from outside: nothing" in run.stdout


def test_the_plugin_loads_beside_a_strangers_packages(installed: Path, tmp_path: Path) -> None:
    strangers(tmp_path)
    known = python(installed, tmp_path, "-m", "pytest", "-q", "--help")
    assert "--koncili-target=FILE" in known.stdout, known.stderr
    run = python(installed, tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout


LOADED: Final = """
import sys
import pytest
code = pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", *sys.argv[1:]])
print("loaded:", *sorted({"hypothesis", "httpx", "pydantic", "koncili_conformance"} & sys.modules.keys()))
sys.exit(code)
"""


def test_a_strangers_tests_load_nothing_that_they_do_not_use(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_nothing() -> None:\n    pass\n")
    for options in ((), ("-p", "no:pytest-bdd", "-p", "no:allure_pytest", "-p", "no:xdist")):
        run = python(installed, tmp_path, "-c", LOADED, *options)
        assert "loaded: koncili_conformance\n" in run.stdout, run.stdout + run.stderr
    without = python(installed, tmp_path, "-c", LOADED, "-p", "no:koncili")
    assert "loaded: hypothesis\n" in without.stdout  # what Hypothesis's plugin does by itself


PROPERTIES: Final = """
from hypothesis import given, strategies as st

@given(n=st.integers())
def test_all_are_small(n):
    assert n < 100
"""


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_strangers_properties_are_reported_as_ever(installed: Path, tmp_path: Path, workers: tuple[str, ...]) -> None:
    (tmp_path / "test_own.py").write_text(PROPERTIES)
    run = python(installed, tmp_path, "-c", LOADED, "--hypothesis-show-statistics", *workers)
    assert run.returncode == 1
    assert "n=100," in run.stdout
    assert "Hypothesis Statistics" in run.stdout
    assert "test_own.py::test_all_are_small" in run.stdout


def test_it_speaks_portuguese_without_what_compiles_catalogues(installed: Path, tmp_path: Path) -> None:
    assert not list(installed.rglob("*.po"))
    speak = "import sys; sys.modules['babel'] = None; from koncili_conformance.command import main; main()"
    told = python(installed, tmp_path, "-c", speak, "--lang", "pt-BR", "rules", "ORD-04")
    assert told.returncode == 0, told.stderr
    assert "Um pedido CONCLUDED sem sendDate" in told.stdout
