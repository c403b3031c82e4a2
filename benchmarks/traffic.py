"""How fast recordings are read (megabytes in a second of one core), and in how much memory, beside `json.load` of the same file.

    python benchmarks/traffic.py [--megabytes N] [--rounds N]

Each way reads in a process of its own; the order of the ways changes from round to round; the median counts.
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
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

from conformance.contract.jsontext import dumps
from conformance.traffic import read_all
from conformance.traffic.exchange import Exchange, Origin, Request, Response
from conformance.traffic.ndjson import line_of

MEGABYTE = 1_000_000
START = datetime(2026, 11, 3, tzinfo=UTC)


def exchanges(*, shuffled: bool = False) -> Iterator[Exchange]:
    """Orders without end, one each 250 ms, written as they are complete; or in no sequence at all."""
    random = Random(0)  # noqa: S311 - no secret
    number = 0
    while True:
        number += 1
        place = random.randrange(10**6) if shuffled else number
        code = f"701-{number:07d}-4005859"
        parts = (("SALE", "203.63"), ("COMISSION", "-24.44"), ("SHIP", "-27.95"))
        dates = ("createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate")
        order = {
            "marketplaceCode": code, "channelName": "CHANNEL_NAME", "accountId": 19055, "status": "CONCLUDED",
            **{name: f"2026-11-0{day}T12:00:00-03:00" for day, name in enumerate(dates, 1)},
            "totalGrossValue": Decimal("203.63"), "buyer": {"name": "São João del-Rei", "phone": "+55 11 5550-0000"},
            "extracts": [{"marketplaceCode": code, "type": kind, "value": Decimal(value)} for kind, value in parts],
        }  # fmt: skip
        body = dumps(order).encode()
        headers = {
            "host": "api.example", "user-agent": "integrator/1.0", "accept": "*/*", "accept-encoding": "gzip, deflate",
            "content-type": "application/json", "content-length": str(len(body)), "gumgatoken": "eyJ" + "x" * 200,
            "integrator": "3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a11",
        }  # fmt: skip
        yield Exchange(
            Origin("", number),
            START + timedelta(milliseconds=250 * place + random.randrange(2_000)),
            timedelta(milliseconds=46),
            Request("POST", "https://api.example/order", tuple(headers.items()), body),
            Response(200, (("content-type", "application/json"),), b'{"message": "Order received"}'),
        )


def as_entry(exchange: Exchange) -> bytes:
    """The exchange as an entry of a HAR."""
    request, response = exchange.request, exchange.response
    assert isinstance(response, Response)
    assert isinstance(request.body, bytes)
    assert isinstance(response.body, bytes)
    assert isinstance(exchange.started, datetime)
    pairs = [[{"name": n, "value": v} for n, v in one.headers] for one in (request, response)]  # type: ignore[union-attr]
    posted = {"mimeType": "application/json", "text": request.body.decode()}
    content = {"size": len(response.body), "mimeType": "application/json", "text": response.body.decode()}
    entry = {
        "startedDateTime": exchange.started.isoformat(), "time": 46.5, "cache": {},
        "request": {
            "method": "POST", "url": request.url, "httpVersion": "HTTP/1.1", "headers": pairs[0], "cookies": [],
            "queryString": [], "headersSize": -1, "bodySize": len(request.body), "postData": posted,
        },
        "response": {
            "status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "headers": pairs[1], "cookies": [],
            "content": content, "redirectURL": "", "headersSize": -1, "bodySize": len(response.body),
        },
        "timings": {"blocked": -1, "dns": -1, "connect": -1, "send": 0.25, "wait": 46, "receive": 0.25, "ssl": -1},
    }  # fmt: skip
    return json.dumps(entry, indent=1, ensure_ascii=False).encode()


def write(path: Path, megabytes: int, *, har: bool, shuffled: bool = False) -> None:
    """A recording of that size."""
    with path.open("wb") as stream:
        if har:
            stream.write(b'{"log": {"version": "1.2", "creator": {"name": "generator", "version": "1"}, "entries": [')
        for number, exchange in enumerate(exchanges(shuffled=shuffled)):
            stream.write(b",\n" if har and number else b"")
            stream.write(as_entry(exchange) if har else line_of(exchange))
            if stream.tell() > megabytes * MEGABYTE:
                break
        if har:
            stream.write(b"]}}")


def load_lines(path: Path) -> None:
    """What most scripts do with lines of JSON: all of them into memory."""
    with path.open("rb") as stream:
        values = [json.loads(line) for line in stream]
    assert values


def load(path: Path) -> None:
    """What most scripts do with a HAR."""
    with path.open("rb") as stream:
        assert json.load(stream)


def read(path: Path) -> None:
    """What the suite does."""
    deque(read_all([path], print), maxlen=0)


WAYS: dict[str, Callable[[Path], None]] = {"json.load": load, "json.loads of lines": load_lines, "read_all": read}


def measured(way: str, path: Path) -> tuple[float, float]:
    """Megabytes a second, and the most megabytes of memory, of one reading in a process of its own."""
    command = [sys.executable, __file__, "--way", way, "--file", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "."})
    seconds, memory = map(float, done.stdout.split())
    return path.stat().st_size / MEGABYTE / seconds, memory


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--file", type=Path)
    options = parser.parse_args()
    if options.way:
        start = time.process_time()
        WAYS[options.way](options.file)
        print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    with tempfile.TemporaryDirectory() as folder:
        cases = []
        for name, har, shuffled in (("ndjson", False, False), ("har", True, False), ("shuffled.ndjson", False, True)):
            path = Path(folder) / name
            write(path, options.megabytes, har=har, shuffled=shuffled)
            cases += [(way, path) for way in ("json.load" if har else "json.loads of lines", "read_all")]
        found: dict[tuple[str, Path], list[tuple[float, float]]] = {case: [] for case in cases}
        for number in range(options.rounds):
            for case in cases if number % 2 else reversed(cases):
                found[case].append(measured(*case))
        print(f"{'recording':18} {'read by':20} {'MB/s':>6} {'MB of memory':>13}")
        for (way, path), rows in found.items():
            speed, memory = (statistics.median(column) for column in zip(*rows, strict=True))
            print(f"{path.name:18} {way:20} {speed:6.0f} {memory:13.0f}")


if __name__ == "__main__":
    main()
