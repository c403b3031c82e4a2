"""The wheel: one name at the top, everything inside it works, and a stranger's packages of our folders' names are left alone."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

CHECKOUT: Final = Path(__file__).parents[3]

CERTIFY: Final = """
import sys
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
    folder = tmp_path_factory.mktemp("wheel")
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


def test_it_certifies_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    strangers(tmp_path)
    run = python(installed, tmp_path, "-c", CERTIFY, "certify", "--rule", "ORD-04", "--no-html")
    assert run.returncode == 2, run.stdout + run.stderr  # partial: other rules were left out
    assert "1 pass" in run.stdout
    assert "from outside: nothing" in run.stdout


def test_the_plugin_loads_beside_a_strangers_packages(installed: Path, tmp_path: Path) -> None:
    strangers(tmp_path)
    known = python(installed, tmp_path, "-m", "pytest", "-q", "--help")
    assert "--koncili-target=FILE" in known.stdout, known.stderr
    run = python(installed, tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout
