"""How fast recordings are audited, and in how much memory, beside Redocly's `drift` and `json.load`, all in one run.

    python -m benchmarks.audits [--megabytes N ...] [--har-megabytes N] [--redocly PATH] [--rounds N]

Each way reads in processes of its own; the order of the ways changes from round to round; the median counts. Speed is by the time
that processors worked, which other programs on the machine disturb least; what N workers could reach by themselves is N times
that of one, by what they work more. `--redocly` names the command of @redocly/cli (npm); it compares with our OpenAPI document.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from benchmarks.sellers import MEGABYTE, Hub, write
from conformance.traffic.exchange import Exchange, Response

ROOT = Path(__file__).parents[1]
OPENAPI = ROOT / "conformance" / "contract" / "openapi.yaml"
COMMAND = Path(sys.executable).parent / "koncili-conformance"
LOAD = "import json, sys; print(len(json.load(open(sys.argv[1], 'rb'))))"
LOAD_LINES = "import json, sys; print(len([json.loads(line) for line in open(sys.argv[1], 'rb')]))"


def as_entry(exchange: Exchange) -> bytes:
    """The exchange as an entry of a HAR."""
    request, response = exchange.request, exchange.response
    assert isinstance(response, Response)
    assert isinstance(request.body, bytes)
    assert isinstance(response.body, bytes)
    pairs = [[{"name": n, "value": v} for n, v in one.headers] for one in (request, response)]  # type: ignore[union-attr]
    query = [
        dict(zip(("name", "value"), part.split("=", 1), strict=True))
        for part in request.url.partition("?")[2].split("&")
        if part
    ]
    body = {"mimeType": "application/json", "text": request.body.decode()}
    posted = {"postData": body} if request.body else {}
    entry = {
        "startedDateTime": exchange.started.isoformat(), "time": 46.5, "cache": {},  # type: ignore[union-attr]
        "request": {
            "method": request.method, "url": request.url, "httpVersion": "HTTP/1.1", "headers": pairs[0], "cookies": [],
            "queryString": query, "headersSize": -1, "bodySize": len(request.body), **posted,
        },
        "response": {
            "status": response.status, "statusText": "OK", "httpVersion": "HTTP/1.1", "headers": pairs[1], "cookies": [],
            "content": {"size": len(response.body), "mimeType": "application/json", "text": response.body.decode()},
            "redirectURL": "", "headersSize": -1, "bodySize": len(response.body),
        },
        "timings": {"blocked": -1, "dns": -1, "connect": -1, "send": 0.25, "wait": 46, "receive": 0.25, "ssl": -1},
    }  # fmt: skip
    return json.dumps(entry, indent=1, ensure_ascii=False).encode()


def write_har(path: Path, megabytes: float) -> None:
    """A HAR of that size."""
    with path.open("wb") as stream:
        stream.write(b'{"log": {"version": "1.2", "creator": {"name": "generator", "version": "1"}, "entries": [')
        calls = Hub(20).calls()
        stream.write(as_entry(next(calls)))
        while stream.tell() < megabytes * MEGABYTE:
            for exchange in islice(calls, 200):
                stream.write(b",\n" + as_entry(exchange))
        stream.write(b"]}}")


def ways(path: Path, redocly: str | None, reports: Path) -> Iterator[tuple[str, Sequence[str | Path]]]:
    """What reads a recording, each with its command."""
    is_har = path.suffix == ".har"
    yield "json.load" if is_har else "json.loads of lines", (sys.executable, "-c", LOAD if is_har else LOAD_LINES, path)
    yield "audit", (COMMAND, "audit", path, "--reports", reports)
    if is_har and redocly:
        yield "redocly drift", (redocly, "drift", path, "--api", OPENAPI, "--server", "https://api.koncili.example")
    if not is_har:
        yield "audit --workers 2", (COMMAND, "audit", path, "--reports", reports, "--workers", "2")


def measured(command: Sequence[str | Path]) -> tuple[float, float, float]:
    """Seconds that processors worked, seconds that went by, and the megabytes of memory of the largest process."""
    measuring = (sys.executable, "-m", "benchmarks.audits", "--run", json.dumps([str(word) for word in command]))
    done = subprocess.run(
        measuring, check=True, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    worked, passed, memory = map(float, done.stdout.split()[-3:])
    return worked, passed, memory


def run(command: Sequence[str]) -> None:
    """Run a command and print what it took."""
    begun = time.monotonic()
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in {0, 1, 2}:
        print(done.stderr[-500:], file=sys.stderr)
        raise SystemExit(done.returncode or 1)
    print(used.ru_utime + used.ru_stime, time.monotonic() - begun, used.ru_maxrss / 1024)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, nargs="*", default=[100])
    parser.add_argument("--har-megabytes", type=int, default=100)
    parser.add_argument("--redocly")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", type=json.loads)
    options = parser.parse_args()
    if options.run:
        run(options.run)
        return
    print(
        f"{'recording':14} {'read by':20} {'MB/s of a core':>14} {'seconds':>8} {'worked':>8} {'MB of memory':>13}",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        sizes = [
            *((size, ".har") for size in [options.har_megabytes] if size),
            *((size, ".ndjson") for size in options.megabytes),
        ]
        for size, form in sizes:
            path = Path(folder) / f"{size}{form}"
            (write_har if form == ".har" else write)(path, size)
            compared = list(ways(path, options.redocly, Path(folder) / "reports"))
            found: dict[str, list[tuple[float, float, float]]] = {way: [] for way, _ in compared}
            for number in range(options.rounds):
                for way, command in compared if number % 2 else reversed(compared):
                    found[way].append(measured(command))
            megabytes = path.stat().st_size / MEGABYTE
            for way, rows in found.items():
                worked, passed, memory = (statistics.median(column) for column in zip(*rows, strict=True))
                print(
                    f"{path.name:14} {way:20} {megabytes / worked:14.1f} {passed:8.1f} {worked:8.1f} {memory:13.0f}",
                    flush=True,
                )
            path.unlink()


if __name__ == "__main__":
    main()
