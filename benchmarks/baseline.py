"""What the Schemathesis command line finds of our planted defects, beside what this suite finds.

    python benchmarks/baseline.py [--only PART] [--variants] [--fresh]

For the clean mock and for every defect: start the mock on a socket, get a token, prepare an order and a reconciliation, run
`schemathesis run` once, read its NDJSON report. A defect is caught if the run reports a failure (check, operation, class of
message) that the clean mock's run does not report. Results are kept in a file, a line each; a second start goes on with what
is missing.

Schemathesis gets the best honest configuration that was found:

- our OpenAPI document, its requests narrowed to what the mock accepts (`baseline_document.py`), so that nearly all it
  generates as lawful is accepted; a token in a header of every call;
- all phases (examples, coverage, fuzzing, stateful with links), all checks, none of its failures ending a phase;
- what it generates meets a fresh state as long as can be: faults of creations and releases come before what is lawful;
- refusals pinned to 4xx and acceptances to 2xx, but where the document itself says that a well-formed call may be refused
  (`schemathesis.toml`, with the reasons);
- a fixed seed, no example database, no cache. Its tokens and orders are the mock's own, no rate and no blacklist is enforced.

No hooks: code that repairs or judges single calls would be another suite. The mock counts requests and client errors itself
(`baseline_mock.py`). Seconds are the wall time of the Schemathesis process alone, start-up included.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import baseline_table
import click
import httpx
from baseline_document import orders_beforehand, prepared, reconciliation_beforehand
from baseline_mock import COUNTS_PATH, HOST, QUIRK
from baseline_table import CLEAN, Failure, Run

from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import ACCESS_TOKEN_FIELD, CREDENTIALS_FIELD, INTEGRATOR_HEADER, TOKEN_HEADER
from conformance.mock.defects import DEFECTS
from conformance.mock.variants import VARIANTS
from conformance.mock.world import EMAIL, INTEGRATOR, PASSWORD

HERE: Final = Path(__file__).parent
COMMAND: Final = Path(sys.executable).parent / "schemathesis"
CONFIG: Final = HERE / "schemathesis.toml"
README: Final = HERE / "README.md"

STARTS_WITHIN: Final = 30
"""Seconds that the mock may take to answer."""


@dataclass(frozen=True, slots=True)
class Setting:
    """All that a result depends on beside the mock; results of another setting are not comparable."""

    seed: int
    max_examples: int
    document: str

    @property
    def fingerprint(self) -> str:
        """A short text that differs where anything of it does."""
        config = json.dumps(tomllib.loads(CONFIG.read_text(encoding="utf-8")))
        parts = (str(self.seed), str(self.max_examples), version("schemathesis"), config, self.document)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]

    def __str__(self) -> str:
        how = f"--seed {self.seed} --max-examples {self.max_examples}"
        return f"Schemathesis {version('schemathesis')}, `{how}`, one run a defect, each with the clean mock's run as measure."


# -- one run -------------------------------------------------------------------------------------------------------


def measure(name: str, setting: Setting) -> Run:
    """Run Schemathesis once against the mock with this defect or variant (or the clean one)."""
    with tempfile.TemporaryDirectory() as directory, served(name, Path(directory)) as base_url:
        where = Path(directory)
        with httpx.Client(base_url=base_url, timeout=STARTS_WITHIN) as client:
            token = prepare(client)
            before = client.get(COUNTS_PATH).json()
            start = time.perf_counter()
            status = run_schemathesis(where, base_url, token, setting)
            seconds = time.perf_counter() - start
            after = client.get(COUNTS_PATH).json()
        failures = read_failures((where / "report.ndjson").read_text(encoding="utf-8").splitlines())
    if bool(failures) != bool(status):
        raise click.ClickException(f"{name}: exit status {status} with {len(failures)} failures in the report")
    return Run(
        name=name,
        setting=setting.fingerprint,
        requests=after["requests"] - before["requests"],
        client_errors=after["clientErrors"] - before["clientErrors"],
        seconds=round(seconds, 1),
        failures=failures,
    )


@contextmanager
def served(name: str, where: Path) -> Iterator[str]:
    """The base URL of a mock with this quirk, which leaves its log in that directory."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, QUIRK: "" if name == CLEAN else name}
    command = [sys.executable, str(HERE / "baseline_mock.py"), str(port)]
    base_url, log = f"http://{HOST}:{port}", where / "mock.log"
    with log.open("wb") as file, subprocess.Popen(command, env=environment, stdout=file, stderr=file) as process:
        try:
            if not answers(base_url + COUNTS_PATH):
                raise click.ClickException(f"the mock does not answer at {base_url}:\n{log.read_text()[-2000:]}")
            yield base_url
        finally:
            process.terminate()


def answers(url: str) -> bool:
    """Whether something answers there, now or soon."""
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            return httpx.get(url).is_success
        time.sleep(0.05)
    return False


def prepare(client: httpx.Client) -> str:
    """Put what the document counts on into the mock; gives an access token. What a defective mock refuses is left out."""
    credentials = {CREDENTIALS_FIELD: encode_credentials(EMAIL, PASSWORD)}
    token = str(client.post("/public/api/auth/token", json=credentials).json()[ACCESS_TOKEN_FIELD])
    client.headers.update({TOKEN_HEADER: token, INTEGRATOR_HEADER: INTEGRATOR})
    for order in orders_beforehand():
        client.post("/order", json=order)
    client.post("/reconciliation", json=reconciliation_beforehand())
    return token


def run_schemathesis(where: Path, base_url: str, token: str, setting: Setting) -> int:
    """Let it write report.ndjson; gives its exit status, 1 with failures. Raises ClickException where it could not run."""
    document = where / "openapi.json"
    document.write_text(setting.document, encoding="utf-8")
    options = {
        "--url": base_url,
        "--header": f"{TOKEN_HEADER}: {token}",
        "--phases": "examples,coverage,fuzzing,stateful",
        "--checks": "all",
        "--seed": str(setting.seed),
        "--max-examples": str(setting.max_examples),
        "--report": "ndjson",
        "--report-ndjson-path": str(where / "report.ndjson"),
    }
    arguments = [part for option in options.items() for part in option]
    # In a directory of its own: it leaves .hypothesis where it is started.
    done = subprocess.run(
        [COMMAND, "--config-file", CONFIG, "run", document, *arguments, "--generation-deterministic", "--no-color"],
        cwd=where,
        env={**os.environ, "KONCILI_INTEGRATOR": INTEGRATOR},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in {0, 1}:
        raise click.ClickException(f"schemathesis ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.returncode


def read_failures(lines: Sequence[str]) -> list[Failure]:
    """The distinct failures that the report tells of. Its own errors count too: who runs it is told of them alike."""
    found: set[Failure] = set()
    for event in map(json.loads, lines):
        recorder = event.get("ScenarioFinished", {}).get("recorder", {})
        for checks in recorder.get("checks", {}).values():
            failed = (check for check in checks if check["status"] == "failure")
            found |= {_failure(check["name"], check["failure_info"]["failure"]) for check in failed}
        if error := event.get("NonFatalError"):
            found.add(_failure("error", {**error.get("value", {}), "operation": error.get("label")}))
    return sorted(found)


def _failure(check: str, failure: Mapping[str, Any]) -> Failure:
    lines = str(failure.get("message", "")).splitlines()
    # Of a long message only what classes it: its beginning, and which part of a request was invalid.
    told = [str(failure.get("title", "")), *lines[:1], *(line for line in lines[1:] if "Invalid component" in line)]
    return Failure(check, str(failure.get("operation", "")), re.sub(r"\d+", "#", ": ".join(told))[:200])


# -- all runs ------------------------------------------------------------------------------------------------------


def load_runs(results: Path, setting: Setting) -> dict[str, Run]:
    """The stored results of this setting, by name. A line that was cut off in the middle is as good as none."""
    runs: dict[str, Run] = {}
    for line in results.read_text(encoding="utf-8").splitlines() if results.exists() else ():
        try:
            run = Run.from_json(json.loads(line))
        except ValueError:
            continue
        if run.setting == setting.fingerprint:
            runs[run.name] = run
    return runs


def store(results: Path, run: Run) -> None:
    """Append one result, on a line of its own even where the last one was cut off."""
    with results.open("a+b") as file:
        file.seek(max(0, file.tell() - 1))
        begin = "" if file.read() in {b"", b"\n"} else "\n"
        file.write(f"{begin}{json.dumps(asdict(run))}\n".encode())


def progress(run: Run, clean: Run, *, done: int, of: int) -> str:
    """One line about a run."""
    news = run.beyond(clean)
    verdict = f"{len(news)} new: {news[0]}" if news else "nothing new"
    figures = f"{run.seconds:5.1f} s {run.requests:5} requests {run.client_errors:5} 4xx"
    return f"[{done:3}/{of}] {run.name:36} {figures}  {verdict[:100] if run.name != CLEAN else len(run.failures)}"


FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--only", metavar="PART", default="", help="Run only those whose name contains this.")
@click.option(
    "--variants", is_flag=True, help="Run the lawful variants too: what is reported of them is a false alarm."
)
@click.option("--table-only", is_flag=True, help="Run nothing: write the table of what was run.")
@click.option("--fresh", is_flag=True, help="Begin anew instead of going on with what is missing.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--max-examples", type=click.IntRange(min=1), default=100, show_default=True, help="An operation.")
@click.option("--results", type=FILE, default=Path("reports/baseline.jsonl"), show_default=True, help="A line a run.")
@click.option(
    "--proof", type=FILE, default=Path("reports/proof.json"), show_default=True, help="What this suite catches."
)
def main(
    only: str,
    variants: bool,  # noqa: FBT001
    table_only: bool,  # noqa: FBT001
    fresh: bool,  # noqa: FBT001
    seed: int,
    max_examples: int,
    results: Path,
    proof: Path,
) -> None:
    """Run Schemathesis against every defect, then make the table that compares it with this suite."""
    setting = Setting(seed, max_examples, json.dumps(prepared()))
    if fresh:
        results.unlink(missing_ok=True)
    results.parent.mkdir(parents=True, exist_ok=True)
    runs = load_runs(results, setting)
    wanted = [name for name in (*DEFECTS, *(VARIANTS if variants else ())) if only in name]
    missing = [] if table_only else [name for name in (CLEAN, *wanted) if name not in runs]
    if table_only and CLEAN not in runs:
        raise click.ClickException(
            f"{results}: holds no run of the clean mock with this setting; leave out --table-only"
        )
    for done, name in enumerate(missing, start=1):
        try:
            runs[name] = measure(name, setting)
        except click.ClickException as error:
            # The others can still be run; this one is missing and the next start tries it again.
            click.echo(f"{name}: {error.message}", err=True)
            if name == CLEAN:
                raise
            continue
        store(results, runs[name])
        click.echo(progress(runs[name], runs[CLEAN], done=done, of=len(missing)))
    text = f"{setting}\n\n{baseline_table.table(runs, baseline_table.load_proof(proof), proof)}"
    click.echo(text)
    if table_only or set(DEFECTS) <= set(runs):
        baseline_table.write(README, text)
    else:
        click.echo(
            f"{README.name} is left as it is: not every defect was run (--table-only writes it anyway).", err=True
        )


if __name__ == "__main__":
    main()
