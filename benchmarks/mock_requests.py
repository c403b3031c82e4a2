"""Orders a second that a mock on a socket takes from one client, also per second of its CPU, and how long it takes to start.

    python benchmarks/mock_requests.py [--orders N] [--rounds N]

The best of the rounds is told: on a busy machine the figure per second of CPU holds better.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

COMMAND: Final = Path(sys.executable).with_name("koncili-conformance")
INTEGRATOR: Final = "3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a11"
HERTZ: Final = os.sysconf("SC_CLK_TCK")


@contextmanager
def served() -> Iterator[tuple[subprocess.Popen[str], str, str, float]]:
    """A mock in a process of its own: that, its URL, the credentials that it prints, the seconds until it listened."""
    begun = time.perf_counter()
    with subprocess.Popen([COMMAND, "mock", "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(5)]
        seconds = time.perf_counter() - begun
        told = "".join(lines)
        found = re.search(r"http://[0-9.:]+", told), re.search(r'"credentials": "([^"]+)"', told)
        assert found[0] is not None
        assert found[1] is not None
        try:
            yield process, found[0][0], found[1][1], seconds
        finally:
            process.terminate()


def cpu(process: subprocess.Popen[str]) -> float:
    """The seconds of CPU that it has taken (Linux)."""
    user, system = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / HERTZ


def order(number: int) -> bytes:
    """An order of S2's size."""
    code = f"701-{number:07d}-0000001"
    parts: list[dict[str, Any]] = [
        {"marketplaceCode": code, "type": kind, "value": value}
        for kind, value in (("SALE", 203.63), ("COMISSION", -24.44), ("SHIP", -27.95))
    ]
    dates = dict.fromkeys(("createdDate", "approvedDate", "sendDate"), "2025-05-09T12:00:00Z")
    late = dict.fromkeys(("estimatedDeliveryDate", "deliveryDate"), "2025-05-15T12:00:00Z")
    about = {"marketplaceCode": code, "channelName": "CHANNEL_NAME", "accountId": 19055, "status": "CONCLUDED"}
    return json.dumps({**about, **dates, **late, "totalGrossValue": 203.63, "extracts": parts}).encode()


def measure(orders: int) -> tuple[float, float, float]:
    """Orders a second, orders per second of CPU, and the seconds of its start."""
    with served() as (process, base_url, credentials, start):
        answer = httpx.post(f"{base_url}/public/api/auth/token", json={"credentials": credentials})
        head = (
            f"POST /order HTTP/1.1\r\nHost: mock\r\ngumgaToken: {answer.json()['accessToken']}\r\n"
            f"integrator: {INTEGRATOR}\r\nContent-Type: application/json\r\nContent-Length: "
        ).encode()
        bodies = [order(number) for number in range(orders)]
        host, _, port = base_url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as connection, connection.makefile("rb") as answers:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            before, begun = cpu(process), time.perf_counter()
            for body in bodies:
                connection.sendall(b"%b%d\r\n\r\n%b" % (head, len(body), body))
                assert answers.readline().split()[1] == b"200"
                length = 0
                while (line := answers.readline()) != b"\r\n":
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                answers.read(length)
            return orders / (time.perf_counter() - begun), orders / (cpu(process) - before), start


def main() -> None:
    """Measure, and print the best."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rounds = [measure(arguments.orders) for _ in range(arguments.rounds)]
    rate, per_cpu, start = max(one[0] for one in rounds), max(one[1] for one in rounds), min(one[2] for one in rounds)
    print(f"orders a second {rate:,.0f}, per second of CPU {per_cpu:,.0f}, start {1000 * start:,.0f} ms")


if __name__ == "__main__":
    main()
