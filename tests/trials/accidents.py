"""What can happen to answers of the server of the trials; switched on and off while it runs.

A plan is a table: `fault` names it, `call` (`POST /order`, else any) and one of `every`, `first`, `nth`, `since`, `chance`
choose the calls, further keys are the fault's own. Faults of Koncili itself are settings of `world.Manner`.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any, Final, Protocol

from tests.trials.world import Answer

Plan = dict[str, Any]

CHUNK: Final = 1 << 20
HUGE_BYTES: Final = 200 * CHUNK
BOMB_BYTES: Final = 1024 * CHUNK
TOKEN_BYTES: Final = 300_000
PATIENCE_SECONDS: Final = 900.0
"""When an endless answer ends after all: nobody should be there any more."""

_RESET: Final = struct.pack("ii", 1, 0)


class Connection(Protocol):
    """The connection on which an answer is given."""

    connection: socket.socket
    close_connection: bool

    def give(self, status: int, body: bytes, **headers: str) -> None:
        """Answer whole."""

    def raw(self, sent: bytes) -> None:
        """Send these bytes."""


@dataclass
class Accidents:
    """The plans that are in force. For several threads at once."""

    plans: list[Plan] = field(default_factory=list)
    happened: int = 0
    _counts: list[int] = field(default_factory=list)
    _dice: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311
    _lock: Lock = field(default_factory=Lock)

    def put(self, plans: list[Plan]) -> None:
        """From now on these alone; counts begin anew. Raises KeyError for a fault that is none."""
        for plan in plans:
            FAULTS[plan["fault"]]
        with self._lock:
            self.plans, self._counts = plans, [0] * len(plans)

    def next(self, call: str) -> Plan | None:
        """The plan that this call meets."""
        with self._lock:
            met = None
            for place, plan in enumerate(self.plans):
                if plan.get("call") not in {None, call}:
                    continue
                self._counts[place] += 1
                if met is None and self._chosen(plan, self._counts[place]):
                    met = plan
            self.happened += met is not None
            return met

    def _chosen(self, plan: Plan, count: int) -> bool:
        if "chance" in plan:
            return bool(count >= plan.get("since", 1) and self._dice.random() < plan["chance"])
        if "every" in plan:
            return bool(count % plan["every"] == 0)
        if "nth" in plan:
            return bool(count == plan["nth"])
        return bool(plan.get("since", 1) <= count <= plan.get("first", count))


def _lost(way: Connection, plan: Plan, answer: Answer) -> None:
    del plan, answer
    way.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    way.close_connection = True


def _hangs_up(way: Connection, plan: Plan, answer: Answer) -> None:
    """The true answer; then the connection ends without a word, as a load balancer's idle timeout ends it."""
    del plan
    way.give(answer.status, answer.body)
    way.close_connection = True


def _slow(way: Connection, plan: Plan, answer: Answer) -> None:
    time.sleep(plan.get("seconds", 1.0))
    way.give(answer.status, answer.body)


def _status(way: Connection, plan: Plan, answer: Answer) -> None:
    """Another status: with a body that is an error's, a `page`, `cut` in the middle, or `badgzip`."""
    del answer
    status, kind = int(plan["status"]), plan.get("body", "json")
    headers = {"Retry-After": str(plan["retryAfter"])} if "retryAfter" in plan else {}
    told = {
        "errorMessage": "It can't be answered",
        "errorCode": str(plan.get("code", f"{status}-0")),
        "errorSource": None,
    }
    body = json.dumps(told).encode()
    if kind == "page":
        way.give(status, b"<html><body><h1>Down</h1></body></html>", **{"Content-Type": "text/html", **headers})
    elif kind == "no-token":
        way.give(status, b'{"response":"NO_TOKEN"}')
    elif kind == "badgzip":
        way.give(status, body, **{"Content-Encoding": "gzip", **headers})
    elif kind == "cut":
        shown = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} Cut\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{shown}\r\n"
        way.raw(head.encode() + body[: len(body) // 2])
        way.close_connection = True
    else:
        way.give(status, body, **headers)


def _drip(way: Connection, plan: Plan, answer: Answer) -> None:
    """A byte a second of the true answer, blanks before it."""
    body = b" " * 600 + answer.body
    way.raw(_head(answer.status, f"Content-Length: {len(body)}"))
    _all(way, (body[place : place + 1] for place in range(len(body))), plan.get("seconds", 1.0))


def _drip_head(way: Connection, plan: Plan, answer: Answer) -> None:
    head = _head(answer.status, f"X-Long: {'x' * 600}", "Content-Length: 0")
    _all(way, (head[place : place + 1] for place in range(len(head))), plan.get("seconds", 1.0))


def _headers(way: Connection, plan: Plan, answer: Answer) -> None:
    """Headers without an end, as fast as they are taken, or with `seconds` between."""
    way.raw(f"HTTP/1.1 {answer.status} Long\r\n".encode())
    _all(way, (b"X-%d: %s\r\n" % (place, b"y" * 60) for place in range(10**9)), plan.get("seconds", 0.0))


def _interim(way: Connection, plan: Plan, answer: Answer) -> None:
    """Interim answers (1xx) without an end."""
    del answer
    _all(way, (b"HTTP/1.1 102 Processing\r\n\r\n" for _ in range(10**9)), plan.get("seconds", 0.05))


def _chunks(way: Connection, plan: Plan, answer: Answer) -> None:
    """A body in chunks without an end, with `seconds` between."""
    way.raw(_head(answer.status, "Transfer-Encoding: chunked"))
    _all(way, (b"1\r\n \r\n" for _ in range(10**9)), plan.get("seconds", 0.05))


def _huge(way: Connection, plan: Plan, answer: Answer) -> None:
    del plan
    way.raw(_head(answer.status, f"Content-Length: {HUGE_BYTES}"))
    _all(way, (b" " * CHUNK for _ in range(HUGE_BYTES // CHUNK)), 0.0)


@cache
def _bomb_bytes() -> bytes:
    """Zeros that take a thousandth of their room."""
    packer, zeros = zlib.compressobj(9, zlib.DEFLATED, 31), bytes(CHUNK)
    return b"".join([*(packer.compress(zeros) for _ in range(BOMB_BYTES // CHUNK)), packer.flush()])


def _bomb(way: Connection, plan: Plan, answer: Answer) -> None:
    del plan
    way.give(answer.status, _bomb_bytes(), **{"Content-Encoding": "gzip"})


def _tokens(way: Connection, plan: Plan, answer: Answer) -> None:
    """What looks like the start of token after token; `start` is repeated."""
    start = str(plan.get("start", "eyJ"))
    filled = json.dumps({"errorMessage": start * (TOKEN_BYTES // len(start)), "errorCode": "400-0"})
    way.give(int(plan.get("status", answer.status)), filled.encode())


def _bad_gzip(way: Connection, plan: Plan, answer: Answer) -> None:
    del plan
    way.give(answer.status, answer.body, **{"Content-Encoding": "gzip"})


def _redirect(way: Connection, plan: Plan, answer: Answer) -> None:
    del answer
    way.give(int(plan.get("status", 302)), b"", Location=str(plan.get("to", "/login")))


def _odd_code(way: Connection, plan: Plan, answer: Answer) -> None:
    """Refusals with this errorCode, and this errorMessage; what is no refusal stays."""
    if answer.status < 400:
        way.give(answer.status, answer.body)
        return
    told = {"errorMessage": plan.get("message", "It can't be done"), "errorCode": plan["code"], "errorSource": None}
    way.give(answer.status, json.dumps(told).encode())


def _text(way: Connection, plan: Plan, answer: Answer) -> None:
    """This text, so many times, instead of the body; `charset` is told where it is there."""
    shown = f"application/json; charset={plan['charset']}" if "charset" in plan else "application/json"
    sent = (str(plan["text"]) * int(plan.get("times", 1))).encode("utf-8", "surrogatepass")
    way.give(int(plan.get("status", answer.status)), sent, **{"Content-Type": shown})


def _padded(way: Connection, plan: Plan, answer: Answer) -> None:
    """The true answer with a further field of so many bytes."""
    padding = b'"padding":"' + b"p q r s " * (int(plan["bytes"]) // 8) + b'"'
    held = answer.body.startswith(b"{")
    body = b"{" + padding + (b"," if held else b"}") + answer.body[1:] if held else answer.body
    way.give(answer.status, body)


def _odd_head(way: Connection, plan: Plan, answer: Answer) -> None:
    """This instead of the status line and the headers; then the true body."""
    way.raw(str(plan["head"]).encode("latin-1").replace(b"LENGTH", str(len(answer.body)).encode()) + answer.body)
    way.close_connection = True


def _head(status: int, *lines: str) -> bytes:
    shown = "\r\n".join([f"HTTP/1.1 {status} Odd", "Content-Type: application/json", *lines])
    return f"{shown}\r\n\r\n".encode()


def _all(way: Connection, parts: Iterator[bytes], seconds: float) -> None:
    """Send them one after the other, until the client goes away."""
    ends = time.monotonic() + PATIENCE_SECONDS
    for part in parts:
        way.raw(part)
        if time.monotonic() > ends:
            break
        if seconds:
            time.sleep(seconds)


FAULTS: Final[dict[str, Callable[[Connection, Plan, Answer], None]]] = {
    "lost": _lost,
    "hangs-up": _hangs_up,
    "slow": _slow,
    "status": _status,
    "drip": _drip,
    "drip-head": _drip_head,
    "endless-headers": _headers,
    "endless-interim": _interim,
    "endless-chunks": _chunks,
    "huge": _huge,
    "bomb": _bomb,
    "tokens": _tokens,
    "bad-gzip": _bad_gzip,
    "redirect": _redirect,
    "odd-code": _odd_code,
    "text": _text,
    "padded": _padded,
    "odd-head": _odd_head,
}

INSTEAD: Final = frozenset({"status", "redirect"})
"""Nothing is carried out where these happen, unless the plan says `done`."""
