"""How fast the suite is, as ratios measured in one run: generating orders, sending them bare, checking them.

    python benchmarks/speed.py [--examples N] [--rounds N]

Absolute numbers are the machine's; the ratios are the suite's. Each figure is the median over rounds taken in turn.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps
from conformance.contract.rules import catalogue
from conformance.engine import laws
from conformance.engine.bench import Bench
from conformance.run.session import Options, Session, open_session
from strategies.calls import Call, calls
from strategies.placeholders import fill

COMMAND = Path(sys.executable).parent / "koncili-conformance"


def seconds(action: Callable[[], None]) -> float:
    """How long the action takes, in seconds."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def generate(bench: Bench, examples: int, sink: Callable[[Call], None]) -> None:
    """Let Hypothesis draw so many orders and hand them over, with the settings of a certification."""
    configured = settings(
        max_examples=examples,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )

    def test(call: Call) -> None:
        sink(call)

    seed(0)(configured(given(calls(bench.scope, Endpoint.SUBMIT_ORDER))(test)))()


def bodies(bench: Bench, examples: int) -> list[bytes]:
    """Orders as they are sent."""
    found: list[bytes] = []
    generate(bench, examples, lambda call: found.append(dumps(fill(call.body, bench.fresh(call.shape))).encode()))
    return found


def post_bare(session: Session, orders: list[bytes]) -> None:
    """Send the same bodies in a bare httpx loop: no budget, no journal, no check."""
    # The suite's own innermost transport, so that both ways talk to the same mock.
    transport = session.client._transport._transport
    headers = {"gumgaToken": session.client.access_token(), "integrator": str(session.target.integrator)}
    with httpx.Client(base_url=session.target.base_url, transport=transport, headers=headers) as client:
        for order in orders:
            response = client.post("/order", content=order, headers={"content-type": "application/json"})
            assert response.status_code == 200, response.text


def certify_orders(bench: Bench, examples: int) -> None:
    """What a certification does with as many orders: draw, send, note, check, count."""
    bench.session.evidence.expect("benchmark", "ORD-01", "benchmark")
    bench.scenario = "benchmark"
    law_profile = bench.session.profile
    object.__setattr__(law_profile, "acceptances", examples)
    laws.accept(bench, catalogue()["ORD-01"], calls(bench.scope, Endpoint.SUBMIT_ORDER))


@contextmanager
def served(*options: str) -> Iterator[Path]:
    """The target file of a mock on a socket."""
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "target.toml"
        command = [str(COMMAND), "mock", "--port", "0", "--target-file", str(target), *options]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                while not target.exists() or not _answers(target):
                    time.sleep(0.05)
                yield target
            finally:
                process.terminate()


def _answers(target: Path) -> bool:
    try:
        base_url = target.read_text().split('base_url = "')[1].split('"')[0]
        return httpx.get(base_url + "/_mock").is_success
    except (httpx.HTTPError, IndexError):
        return False


def measure(options: Options, examples: int, rounds: int) -> dict[str, float]:
    """Median examples per second of each way."""
    session = open_session(options)
    bench = Bench(session)
    orders = bodies(bench, examples)
    ways: dict[str, Callable[[], None]] = {
        "generate only": lambda: generate(bench, examples, lambda _: None),
        "bare httpx loop": lambda: post_bare(session, orders),
        "certify": lambda: certify_orders(bench, examples),
    }
    session.client.access_token()
    taken = {name: [] for name in ways}  # type: dict[str, list[float]]
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(examples / seconds(way))
    return {name: statistics.median(rates) for name, rates in taken.items()}


def whole_runs(rounds: int) -> dict[str, float]:
    """Median seconds of whole commands, start-up included."""

    def command(*arguments: str) -> Callable[[], None]:
        return lambda: subprocess.run(
            [str(COMMAND), *arguments], check=True, stdout=subprocess.DEVNULL
        ).check_returncode()

    with tempfile.TemporaryDirectory() as reports:
        ways = {
            "koncili-conformance --help": command("--help"),
            "certify": command("certify", "--reports", reports),
            "certify --no-html": command("certify", "--no-html", "--reports", reports),
            "certify --profile smoke --no-html": command(
                "certify", "--profile", "smoke", "--no-html", "--reports", reports
            ),
        }
        return {name: statistics.median(seconds(way) for _ in range(rounds)) for name, way in ways.items()}


def main() -> None:
    """Measure and print a table; with --json the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    gc.freeze()  # as a certification does when its scenarios are collected
    with served() as target:
        figures = {
            "in process": measure(Options(), arguments.examples, arguments.rounds),
            "over a socket": measure(Options(target_file=target), arguments.examples, arguments.rounds),
        }
    runs = whole_runs(arguments.rounds)
    if arguments.json:
        print(json.dumps({"examples per second": figures, "seconds": runs}, indent=2))
        return
    for place, rates in figures.items():
        print(f"{place}: " + ", ".join(f"{name} {rate:.0f}/s" for name, rate in rates.items()))
        to_generation, to_bare = (rates["certify"] / rates[way] for way in ("generate only", "bare httpx loop"))
        print(f"  certify to generate only: {to_generation:.2f}; certify to bare loop: {to_bare:.2f}")
    for name, taken in runs.items():
        print(f"{name}: {taken:.2f} s")


if __name__ == "__main__":
    main()
