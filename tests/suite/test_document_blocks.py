"""Every block of code of a document is run here, or says why it is not: `<!-- run: exit code 2 -->`, `<!-- not run: why -->`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from conformance.mock.koncili import Koncili
from tests.suite.run.test_kinds_over_runs import listening
from tests.suite.support.command_runs import COMMAND, certify
from tests.suite.support.documents import ROOT, Document, documents

_BLOCK: Final = re.compile(r"^(?:<!-- (.+?) -->\n)?```(sh|bash|python|toml|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

WRITTEN: Final = {"docs/rules.md", "docs/traceability.md"}
"""Documents that `make docs` writes."""


@dataclass(frozen=True, slots=True)
class Told:
    """A block of a document, with the words of the comment before it."""

    document: Document
    note: str
    language: str
    text: str

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.document.name}: {self.text.splitlines()[0][:60]}"


READ_BY_PEOPLE: Final = [
    document
    for document in documents()
    if document.path.parent in (ROOT, ROOT / "docs") and document.name not in WRITTEN
]
BLOCKS: Final = [
    Told(document, note, language, text)
    for document in READ_BY_PEOPLE
    for note, language, text in _BLOCK.findall(document.text)
]
RUN: Final = [block for block in BLOCKS if re.match(r"run\b(?!: tests/)", block.note)]


def test_blocks_are_found() -> None:
    assert len(BLOCKS) >= 15
    assert {block.language for block in RUN} == {"sh", "python"}


@pytest.mark.parametrize(
    "block", [one for one in BLOCKS if one.language in {"sh", "bash", "python"}], ids=lambda one: one.name
)
def test_a_block_is_run_or_says_why_not(block: Told) -> None:
    assert re.match(r"run$|run: .{5,}|not run: .{15,}", block.note), "say whether it is run"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory, base_url: str) -> Path:
    """A directory as a reader has it: a certificate of a run, a target file, a key."""
    place = tmp_path_factory.mktemp("reader")
    (place / "sandbox.toml").write_text(_target(base_url))
    run = certify(place / "reports", "--target", str(place / "sandbox.toml"), "--rule", "ORD-05")
    assert run.by_rule["ORD-05"] == "pass", run.errors
    (place / "home" / ".ssh").mkdir(parents=True)
    key = place / "home" / ".ssh" / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    return place


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """A mock on a socket, for what takes it for a sandbox."""
    with listening(Koncili()) as found:
        yield found


@pytest.mark.parametrize("block", [one for one in RUN if one.language == "sh"], ids=lambda one: one.name)
def test_a_block_of_a_shell_runs(block: Told, scratch: Path, base_url: str) -> None:
    home = scratch / "home"
    wanted = int(found[1]) if (found := re.search(r"exit code (\d)", block.note)) else 0
    (scratch / "sandbox.toml").unlink(missing_ok=True)
    if "init" not in block.text and "--target sandbox.toml" in block.text:
        (scratch / "sandbox.toml").write_text(_target(base_url))
    environment = {
        "PATH": f"{COMMAND.parent}:{os.environ['PATH']}", "HOME": str(home), "BASE_URL": base_url,
        "XDG_STATE_HOME": str(home / "state"), "XDG_CACHE_HOME": str(home / "cache"), "LANG": "C.UTF-8",
    }  # fmt: skip
    text = block.text.replace("~/.ssh", "$HOME/.ssh")
    run = subprocess.run(
        ["/bin/sh", "-e", "-c", text],
        cwd=scratch,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == wanted, run.stdout + run.stderr


def _target(base_url: str) -> str:
    from conformance.mock.target import mock_target_table, to_toml

    return to_toml(mock_target_table(base_url))


@pytest.mark.parametrize("block", [one for one in RUN if one.language == "python"], ids=lambda one: one.name)
def test_a_block_of_python_runs(block: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints what its comments say, where it prints."""
    order = {
        "marketplaceCode": "701", "channelName": "CHANNEL_NAME", "accountId": 19055, "status": "CANCELED",
        "createdDate": "2025-02-10T12:00:00Z", "totalGrossValue": 10,
        "extracts": [{"marketplaceCode": "701", "type": "SALE", "value": 10}],
    }  # fmt: skip
    exec(compile(block.text, block.document.name, "exec"), {"order": order})  # noqa: S102 - our own documents
    said = [line.removeprefix("# ") for line in block.text.splitlines() if line.startswith("# ")]
    assert capsys.readouterr().out.splitlines() == said


def test_this_python_is_that_of_the_commands() -> None:
    assert Path(sys.executable).parent == COMMAND.parent
