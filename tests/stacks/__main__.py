"""`make stacks`: small servers on real stacks, written from the documents, certified clean and with each of their faults.

Leaves stacks.md in the reports directory, as far as it has come. Exit code 0 where every clean server passed and each fault was
blamed on rules that may be blamed for it; 1 where not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from conformance.mock.target import to_toml
from tests.stacks.mariadb import free_port, server
from tests.stacks.outcomes import HEAD, PATIENCE, Outcome, summary
from tests.suite.support.command_runs import COMMAND, without_ci
from tests.trials import world
from tests.trials.staging import READINGS

HERE: Final = Path(__file__).parent
PATIENCE_SECONDS: Final = 1800

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
    began = time.monotonic()
    with served(stack, fault) as base_url, tempfile.TemporaryDirectory(prefix="stack-") as directory:
        place = Path(directory)
        (place / "target.toml").write_text(target(base_url), encoding="utf-8")
        run = subprocess.run(
            [COMMAND, "certify", "--target", place / "target.toml", "--reports", place / "reports", "--no-html",
             "--max-wait", "120s", *arguments],
            env={**without_ci(), "XDG_STATE_HOME": str(place / "state"), "XDG_CACHE_HOME": str(place / "cache")},
            capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        path, took = place / "reports" / "certificate.json", time.monotonic() - began
        if not path.exists():
            words = (run.stderr.splitlines() or [""])[-1][:120]
            return Outcome(stack, fault, expected, run.returncode, seconds=took, words=words)
        certificate = json.loads(path.read_text(encoding="utf-8"))
    return Outcome.of(stack, fault, expected, run.returncode, certificate, took)


def chosen(options: argparse.Namespace) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Stack, fault and the rules that may be blamed for it: those of the table, or several at once."""
    known: dict[str, dict[str, list[str]]] = tomllib.loads((HERE / "faults.toml").read_text(encoding="utf-8"))
    for together in options.at_once:
        stack, _, names = together.partition(":")
        blamed = [known[stack][name] for name in names.split("+")]
        yield stack, names.replace("+", ","), list(dict.fromkeys(rule for rules in blamed for rule in rules))
    for stack, faults in known.items() if not options.at_once else ():
        for fault, expected in {"": [], **faults}.items():
            if not options.only or any(words in f"{stack} {fault or 'clean'}" for words in options.only):
                yield stack, fault, expected


def main() -> int:
    """Run them all, or those that are named."""
    parser = argparse.ArgumentParser(prog="make stacks", description=__doc__)
    parser.add_argument("--only", metavar="WORDS", action="append", default=[], help="faults whose name holds this")
    parser.add_argument(
        "--at-once", metavar="STACK:FAULT+FAULT", action="append", default=[],
        help="a server with several faults of the table at once, instead of those",
    )  # fmt: skip
    parser.add_argument("--reports", type=Path, default=Path("reports"))
    parser.add_argument("--seed", default="0")
    parser.add_argument("--profile", default="certification")
    parser.add_argument("--complete", action="store_true", help="try every kind, and not what fits into an hour")
    parser.add_argument("--times", type=int, default=1, help="how often each is certified: a race needs luck")
    parser.add_argument("--rule", action="append", default=[], metavar="ID", help="certify these rules only")
    parser.add_argument(
        "--blamed", action="store_true", help="certify the rules only that may be blamed: ten seconds each"
    )
    options = parser.parse_args()
    arguments = ["--seed", options.seed, "--profile", options.profile, *(["--complete"] if options.complete else [])]
    outcomes: list[Outcome] = []
    options.reports.mkdir(exist_ok=True)
    print(HEAD, flush=True)
    with database():
        for stack, fault, expected in chosen(options):
            rules = [*options.rule, *(rule for rule in expected if options.blamed and rule != PATIENCE)]
            for _ in range(options.times):
                some = [*arguments, *(part for rule in rules for part in ("--rule", rule))]
                outcomes.append(certified(stack, fault, expected, some))
                print(outcomes[-1].row, flush=True)
                lines = [f"Seed {options.seed}", "", *summary(outcomes), "", HEAD, *(one.row for one in outcomes)]
                (options.reports / "stacks.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if not outcomes:
        parser.error(f"no fault has any of {options.only} in its name")
    print("\n".join(summary(outcomes)))
    return 0 if all(one.is_right for one in outcomes) else 1


@contextmanager
def database() -> Iterator[None]:
    """One MariaDB for all servers, which spares each some seconds; the one that STACKS_MARIADB names, where there is one."""
    if "STACKS_MARIADB" in os.environ:
        yield
        return
    port = free_port()
    with server(["--bind-address=127.0.0.1", f"--port={port}"]) as place:
        os.environ |= {"STACKS_MARIADB": str(place), "STACKS_MARIADB_PORT": str(port)}
        yield


if __name__ == "__main__":
    sys.exit(main())
