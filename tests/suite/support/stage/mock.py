"""The mock as a user starts it, in a process of its own, and target files that lead to it as to a live endpoint."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from conformance.mock.app import CONTROL_PATH
from conformance.mock.target import mock_target_table, to_toml
from conformance.run.mock_control import NOBODY
from tests.suite.support.command_runs import COMMAND

PATIENCE_SECONDS: Final = 30
"""How long the mock may take to listen: more than it needs on a busy machine."""

_GREETING: Final = "mock Koncili at "


@dataclass(frozen=True)
class StagedMock:
    """A mock that listens."""

    base_url: str
    target: Path
    """The target file that it wrote."""

    def state(self) -> dict[str, Any]:
        """What `GET /_mock?state=1` tells: orders, reconciliations, counts."""
        answer = httpx.get(self.base_url + CONTROL_PATH, params={"state": "1"}, timeout=PATIENCE_SECONDS, verify=NOBODY)
        told: dict[str, Any] = answer.raise_for_status().json()
        return told

    @property
    def requests(self) -> int:
        """How many requests it has answered."""
        count: int = self.state()["counts"]["requests"]
        return count

    def command(self, **fields: Any) -> None:
        """Have it carry out commands of `POST /_mock`, such as `advanceSeconds=60`."""
        httpx.post(
            self.base_url + CONTROL_PATH, json=fields, timeout=PATIENCE_SECONDS, verify=NOBODY
        ).raise_for_status()


@contextmanager
def mock(
    directory: Path, *, limits: bool = False, defect: str | None = None, variant: str | None = None
) -> Iterator[StagedMock]:
    """A mock on a free port of loopback; its target file lies in `directory`."""
    target = directory / "mock.toml"
    command = [str(COMMAND), "mock", "--port", "0", "--target-file", str(target)]
    command += ["--limits"] if limits else []
    for option, name in (("--defect", defect), ("--variant", variant)):
        command += [option, name] if name else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            greeting = process.stdout.readline()
            assert greeting.startswith(_GREETING), f"the mock does not start: {greeting!r}"
            base_url = greeting.removeprefix(_GREETING).split()[0]
            _await_answer(base_url, process)
            yield StagedMock(base_url, target)
        finally:
            process.kill()


def _await_answer(base_url: str, process: subprocess.Popen[str]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            httpx.get(base_url + CONTROL_PATH, verify=NOBODY).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"the mock does not answer at {base_url}")


def target_file(path: Path, base_url: str, **changes: Any) -> Path:
    """Write the target file of the mock at this URL as that of a sandbox. Changes replace its keys, None leaves one out:
    `pace=None` is the documented pace, `readings=None` has them probed. Returns the path."""
    table = {**mock_target_table(base_url), "environment": "sandbox", **changes}
    path.write_text(to_toml({name: value for name, value in table.items() if value is not None}), encoding="utf-8")
    return path
