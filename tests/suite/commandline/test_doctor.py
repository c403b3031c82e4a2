"""`doctor`: what is missing here, and how to get it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.run import machine
from conformance.run.machine import Part, parts


def by_name(monkeypatch: pytest.MonkeyPatch, directory: Path, *programs: str) -> dict[str, Part]:
    """The parts of a machine that has these programs alone, and directories of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(directory / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / "cache"))
    return {part.name: part for part in parts(lambda name: f"/bin/{name}" if name in programs else None)}


def test_what_is_missing_is_told_with_its_use_and_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = by_name(monkeypatch, tmp_path)
    for name in ("chromium", "redis-server", "ssh-keygen"):
        assert found[name].found == ""
        assert "apt-get install" in found[name].remedy
        assert found[name].used_for
        assert not found[name].is_needed


def test_what_is_there_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = by_name(monkeypatch, tmp_path, "google-chrome", "redis-server")
    assert (found["chromium"].found, found["redis-server"].found) == ("/bin/google-chrome", "/bin/redis-server")
    assert found["Python"].found
    assert found["state directory"].found == str(tmp_path / "state" / "koncili-conformance")
    assert not (tmp_path / "state").exists(), "looking is all it does"


def test_without_allure_its_remedy_is_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "tool_directory", lambda: tmp_path)
    monkeypatch.setenv("PATH", "")
    assert by_name(monkeypatch, tmp_path)["Allure"].remedy == "koncili-conformance install-allure"


@pytest.mark.parametrize("variable", ["XDG_STATE_HOME", "XDG_CACHE_HOME"])
def test_a_directory_that_can_not_be_written_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(variable, str(tmp_path / "file" / "below"))
    run = CliRunner().invoke(main.commands["doctor"])
    assert run.exit_code == (3 if variable == "XDG_STATE_HOME" else 0)
    assert variable in run.output


def test_the_command_ends_with_0_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", os.environ["PATH"])
    run = CliRunner().invoke(main.commands["doctor"])
    assert run.exit_code == 0, run.output
    assert "✓ Python" in run.output
