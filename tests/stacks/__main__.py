"""`make stacks`: small servers on real stacks, written from the documents, certified clean and with each of their faults.

Leaves stacks.md in the reports directory. Exit code 0 where every clean server passed and each fault was blamed on rules that may
be blamed for it; 1 where not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conformance.contract.rules import Level, catalogue
from conformance.mock.target import to_toml
from tests.suite.support.command_runs import COMMAND, without_ci
from tests.trials import world
from tests.trials.staging import READINGS

HERE: Final = Path(__file__).parent
PATIENCE_SECONDS: Final = 600

WORLD: Final = {
    "integrator": world.INTEGRATOR,
    "email": world.EMAIL,
    "password": world.PASSWORD,
    "channels": [world.CHANNEL, world.OTHER_CHANNEL],
    "accounts": [
        {"id": world.ACTIVE, "channel": world.CHANNEL, "state": "active", "foreign": world.FOREIGN_CODE},
        {"id": world.SECOND, "channel": world.CHANNEL, "state": "active"},
        {"id": world.INACTIVE, "channel": world.CHANNEL, "state": "inactive"},
        {"id": world.DISABLED, "channel": world.CHANNEL, "state": "disabled"},
    ],
}

COMMANDS: Final = {
    "node": ["node", "tests/stacks/node/server.mjs"],
    "php": [sys.executable, "-m", "tests.stacks.php.serve"],
    "java": [sys.executable, "-m", "tests.stacks.java.serve"],
}
"""What starts each server: it prints its port as JSON, and ends with its standard input."""


@dataclass(frozen=True)
class Outcome:
    """What became of a run against a server with a fault, or with none."""

    stack: str
    fault: str
    expected: Sequence[str]
    code: int
    failed: Sequence[str]
    requests: int
    words: str

    @property
    def is_right(self) -> bool:
        """Whether the verdict is the one that the server deserves."""
        if not self.expected:  # as it should be, or in a lawful way of its own
            return self.code in {0, 2} and not self.failed and self.requests > 0
        decides = any(catalogue()[rule].level is Level.REQUIRED for rule in self.failed)
        return (self.code == 1) is decides and bool(self.failed) and set(self.failed) <= {*self.expected}

    @property
    def row(self) -> str:
        """The outcome as a row of the table."""
        mark = "right" if self.is_right else "MISSED" if self.expected and not self.failed else "WRONG"
        failed = ", ".join(self.failed) or self.words
        return f"| {self.stack} | {self.fault or '(clean)'} | {mark} | {failed} | {self.code} | {self.requests} |"


@contextmanager
def served(stack: str, fault: str) -> Iterator[str]:
    """The base URL of a server that listens."""
    environment = {**os.environ, "KONCILI_WORLD": json.dumps(WORLD), "FAULTS": fault}
    command = COMMANDS[stack]
    with subprocess.Popen(
        command, cwd=HERE.parents[1], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        finally:
            process.stdin.close()
            process.wait(30)


def target(base_url: str) -> str:
    """The target file that leads there."""
    home = {"id": world.ACTIVE, "channel": world.CHANNEL}
    return to_toml(
        {
            "name": "stack",
            "environment": "sandbox",
            "base_url": base_url,
            "integrator": world.INTEGRATOR,
            "pace": "unlimited",
            "credentials": {"email": world.EMAIL, "password": world.PASSWORD},
            "accounts": [home, {"id": world.SECOND, "channel": world.CHANNEL}],
            "fixtures": {
                "inactive_account": {"id": world.INACTIVE, "channel": world.CHANNEL},
                "disabled_account": {"id": world.DISABLED, "channel": world.CHANNEL},
                "unauthorised_channel": {"id": world.ACTIVE, "channel": world.OTHER_CHANNEL},
                "foreign_order": {**home, "marketplaceCode": world.FOREIGN_CODE},
            },
            "readings": READINGS,
        }
    )


def certified(stack: str, fault: str, expected: Sequence[str], arguments: Sequence[str]) -> Outcome:
    """What a certification says of the server with that fault."""
    with served(stack, fault) as base_url, tempfile.TemporaryDirectory(prefix="stack-") as directory:
        place = Path(directory)
        (place / "target.toml").write_text(target(base_url), encoding="utf-8")
        run = subprocess.run(
            [COMMAND, "certify", "--target", place / "target.toml", "--reports", place / "reports", "--no-html",
             "--max-wait", "120s", *arguments],
            env={**without_ci(), "XDG_STATE_HOME": str(place / "state"), "XDG_CACHE_HOME": str(place / "cache")},
            capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        path = place / "reports" / "certificate.json"
        if not path.exists():
            return Outcome(stack, fault, expected, run.returncode, [], 0, (run.stderr.splitlines() or [""])[-1][:120])
        certificate = json.loads(path.read_text(encoding="utf-8"))
    failed = [entry["id"] for entry in certificate["rules"] if entry["verdict"] == "fail"]
    undecided = [
        f"{entry['id']}: {entry['reason']}" for entry in certificate["rules"] if entry["verdict"] == "inconclusive"
    ]
    return Outcome(
        stack, fault, expected, run.returncode, failed, certificate["traffic"]["requests"], "; ".join(undecided)[:200]
    )


def main() -> int:
    """Run them all, or those that are named."""
    parser = argparse.ArgumentParser(prog="make stacks", description=__doc__)
    parser.add_argument("--only", metavar="WORDS", action="append", default=[], help="faults whose name holds this")
    parser.add_argument("--reports", type=Path, default=Path("reports"))
    parser.add_argument("--seed", default="0")
    parser.add_argument("--times", type=int, default=1, help="how often each is certified: a race needs luck")
    parser.add_argument("--rule", action="append", default=[], metavar="ID", help="certify these rules only")
    options = parser.parse_args()
    known = tomllib.loads((HERE / "faults.toml").read_text(encoding="utf-8"))
    outcomes = []
    print("| stack | fault | verdict | failed | exit code | requests |\n|---|---|---|---|---|---|", flush=True)
    for stack, faults in known.items():
        for fault, expected in {"": [], **faults}.items():
            if options.only and not any(words in f"{stack} {fault or 'clean'}" for words in options.only):
                continue
            arguments = ["--seed", options.seed, *(part for rule in options.rule for part in ("--rule", rule))]
            for _ in range(options.times):
                outcomes.append(certified(stack, fault, expected, arguments))
                print(outcomes[-1].row, flush=True)
    if not outcomes:
        parser.error(f"no fault has any of {options.only} in its name")
    options.reports.mkdir(exist_ok=True)
    right = sum(outcome.is_right for outcome in outcomes)
    lines = [f"{right} of {len(outcomes)} right, seed {options.seed}", "", *(outcome.row for outcome in outcomes)]
    (options.reports / "stacks.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(lines[0])
    return 0 if right == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
