"""What shells complete, by the scripts that click makes for them."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.suite.support.command_runs import COMMAND


def completed(line: str, *, shell: str = "bash") -> list[str]:
    """What the shell is offered for the last word of the line."""
    words = line.split(" ")
    asked = {
        "_KONCILI_CONFORMANCE_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    told = subprocess.run([str(COMMAND)], env={**os.environ, **asked}, capture_output=True, text=True, check=True)
    return [entry.partition(",")[2] for entry in told.stdout.splitlines()]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("koncili-conformance cer", {"certify"}),
        ("koncili-conformance certify --rule ord-0", {f"ORD-0{number}" for number in range(1, 10)}),
        ("koncili-conformance certify --profile s", {"smoke"}),
        ("koncili-conformance certify --defect ord-04-not-en", {"ord-04-not-enforced"}),
        ("koncili-conformance explain WFL-04", {"WFL-04"}),
        ("koncili-conformance certify --dry", {"--dry-run"}),
    ],
)
def test_commands_options_and_names_are_completed(line: str, offered: set[str]) -> None:
    assert set(completed(line)) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    told = subprocess.run(
        [str(COMMAND)], env={**os.environ, "_KONCILI_CONFORMANCE_COMPLETE": f"{shell}_source"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "koncili-conformance" in told.stdout
