"""What a certification costs a target: reconciliations opened, requests, client errors, time, memory.

    python benchmarks/economy.py [--live SECONDS] [--pace unlimited|documented] [--rounds N] [--build CHECKOUT]...

In process: `certify` without HTML, start-up included, each build in turn; medians over the rounds. With `--live` once each,
against a mock on a socket that takes so many seconds to reconcile, treated as a live endpoint: its clock is not moved, every
reading is probed, and no callback tells when a reconciliation is finished. `--build` names other checkouts (each with its .venv)
to be measured beside this one in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from speed import _answers

from conformance.mock.serve import Settings, serve
from conformance.mock.target import to_toml

HERE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one certification. Memory is the most that any process of it took, in MB."""

    verdict: str
    reconciliations: int
    requests: int
    client_errors: int
    seconds: float
    cpu: float
    memory: float


def certified(build: Path, *options: str) -> Figures:
    """Certify by that checkout, with a state of its own; how it ends is told, not judged."""
    with tempfile.TemporaryDirectory() as directory:
        places = {name: f"{directory}/{name}" for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME")}
        reports = Path(directory) / "reports"
        command = [str(build / ".venv/bin/koncili-conformance"), "certify", "--no-html", "--reports", str(reports)]
        began = time.perf_counter()
        with (
            (reports.parent / "said").open("w+b") as said,
            subprocess.Popen(
                [*command, *options], env={**_environment(), **places}, cwd=build, stdout=said, stderr=said
            ) as process,
        ):
            _, status, used = os.wait4(process.pid, 0)  # of it and of its own children alone
            process.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.perf_counter() - began
        if not (reports / "certificate.json").exists():
            raise SystemExit((reports.parent / "said").read_text(encoding="utf-8"))
        certificate = json.loads((reports / "certificate.json").read_text(encoding="utf-8"))
        traffic = json.loads((reports / "traffic.har").read_text(encoding="utf-8"))
    return Figures(
        verdict=certificate["verdict"],
        reconciliations=sum(map(_opens_one, traffic["log"]["entries"])),
        requests=certificate["traffic"]["requests"],
        client_errors=certificate["traffic"]["clientErrors"],
        seconds=seconds,
        cpu=used.ru_utime + used.ru_stime,
        memory=used.ru_maxrss / 1024,
    )


def _environment() -> dict[str, str]:
    """That of a user: with modules compiled once and kept."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _opens_one(entry: dict[str, Any]) -> bool:
    request = entry["request"]
    return (
        request["method"] == "POST"
        and request["url"].endswith("/reconciliation")
        and entry["response"]["status"] // 100 == 2
    )


@contextmanager
def taking(seconds: float, pace: str) -> Iterator[Path]:
    """The target file of a mock that takes so long to reconcile, as one of a sandbox."""
    with tempfile.TemporaryDirectory() as directory:
        served, target = Path(directory) / "served.toml", Path(directory) / "live.toml"
        command = [sys.executable, __file__, "--serve", str(served), "--live", str(seconds)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                while not served.exists() or not _answers(served):
                    if process.poll() is not None:
                        raise SystemExit("the mock has ended")
                    time.sleep(0.05)
                table = tomllib.loads(served.read_text(encoding="utf-8"))
                target.write_text(to_toml({**table, "environment": "sandbox", "pace": pace, "readings": {}}))
                yield target
            finally:
                process.terminate()


def main() -> None:
    """Measure, and print a line for each build and way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--live", type=float, metavar="SECONDS")
    parser.add_argument("--pace", default="unlimited", choices=("unlimited", "documented"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--build", type=Path, action="append", default=[], metavar="CHECKOUT")
    parser.add_argument("--certify", default="", metavar="OPTIONS", help="more options of certify, in one text")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve is not None:
        with patch("conformance.mock.koncili.RECONCILES_IN", timedelta(seconds=arguments.live)):
            serve(Settings(port=0, target_file=arguments.serve))
        return
    builds, more = [*arguments.build, HERE], arguments.certify.split()
    found: dict[Path, list[Figures]] = {build: [] for build in builds}
    for _ in range(1 if arguments.live is not None else arguments.rounds):
        for build in builds:
            if arguments.live is None:
                found[build].append(certified(build, *more))
            else:
                with taking(arguments.live, arguments.pace) as target:
                    found[build].append(certified(build, "--target", str(target), *more))
            print(f"{build}: {found[build][-1]}", flush=True)
    for build, figures in found.items():
        print(f"{build}: {_in_the_middle(figures)}")


def _in_the_middle(figures: Sequence[Figures]) -> str:
    names = ("reconciliations", "requests", "client_errors", "seconds", "cpu", "memory")
    return ", ".join(f"{name} {statistics.median(getattr(one, name) for one in figures):.1f}" for name in names)


if __name__ == "__main__":
    main()
