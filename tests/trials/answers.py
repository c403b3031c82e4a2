"""Answers that are too long, too slow or no answers: how much memory and time a run has for them, and what it says of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.trials.cases import Case, Seen, rules
from tests.trials.servers import of
from tests.trials.table import Row

RULES: Final = rules("ORD-01", "ORD-03", "QRY-01", "QRY-02", "DEL-01")

KINDS: Final[dict[str, dict[str, Any]]] = {
    "a byte a second": {"fault": "drip"},
    "a byte of the head a second": {"fault": "drip-head"},
    "headers without end": {"fault": "endless-headers"},
    "headers without end, slowly": {"fault": "endless-headers", "seconds": 0.5},
    "interim answers without end": {"fault": "endless-interim"},
    "interim answers without end, at once": {"fault": "endless-interim", "seconds": 0.0},
    "chunks without end": {"fault": "endless-chunks"},
    "200 MB": {"fault": "huge"},
    "1 GB of zeros in gzip": {"fault": "bomb"},
    "starts of tokens": {"fault": "tokens"},
    "starts of tokens with dots": {"fault": "tokens", "start": "eyJhbGciOiJIUzI1NiJ9."},
    "starts of tokens in a refusal": {"fault": "tokens", "status": 400, "start": "eyJ.eyJ-"},
    "beginnings of bearer lines": {"fault": "tokens", "start": "gumgaToken: "},
    "percent signs": {"fault": "tokens", "start": "%65%79%4a"},
    "text that says it is gzip": {"fault": "bad-gzip"},
    "a redirect to /login": {"fault": "redirect"},
    "a redirect to itself": {"fault": "redirect", "status": 307, "to": "/order"},
    "a redirect to nowhere": {"fault": "redirect", "to": "http://[::"},
    "204 and nothing": {"fault": "status", "status": 204, "body": "page"},
    "status 299": {"fault": "status", "status": 299},
    "status 999": {"fault": "status", "status": 999},
}
NUMBER: Final = "1e999999999"

ODD: Final[dict[str, dict[str, Any]]] = {
    "a million brackets": {"fault": "text", "text": "[", "times": 1_000_000},
    "a hundred thousand objects in each other": {"fault": "text", "text": '{"a":', "times": 100_000},
    "a number of a million digits": {"fault": "text", "text": "7", "times": 1_000_000},
    "a number beyond all": {
        "fault": "text",
        "text": f'{{"id":{NUMBER},"accessToken":{NUMBER},"expiresIn":{NUMBER},"errorCode":{NUMBER},"errorMessage":{NUMBER},'
        f'"extracts":[{{"value":{NUMBER}}}],"totalGrossValue":-{NUMBER},"status":{NUMBER}}}',
    },
    "NaN and Infinity": {"fault": "text", "text": '{"id":NaN,"expiresIn":Infinity,"totalGrossValue":-Infinity}'},
    "half a surrogate, raw": {"fault": "text", "text": '{"errorMessage":"\ud800","id":"\udfff"}'},
    "a hundred thousand keys": {"fault": "text", "text": '{"k":1,' + '"k":1,' * 100_000 + '"k":1}'},
    "a charset that is none": {"fault": "text", "text": '{"a":1}', "charset": "no-such-charset"},
    "utf-16 that is not": {"fault": "text", "text": '{"a":1}', "charset": "utf-16"},
    "a charset that calls": {"fault": "text", "text": '{"a":1}', "charset": "unicode_escape; x=\\"},
    "a codec of bytes": {"fault": "text", "text": '{"a":1}', "charset": "zlib"},
    "a null": {"fault": "text", "text": "null"},
    "a list of lists": {"fault": "text", "text": "[[1],[2]]"},
    "an answer of 1.5 MB": {"fault": "padded", "bytes": 1_500_000},
    "no reason in the status line": {"fault": "odd-head", "head": "HTTP/1.1 200\r\nContent-Length: LENGTH\r\n\r\n"},
    "HTTP/0.9": {"fault": "odd-head", "head": ""},
    "HTTP/2 in clear text": {"fault": "odd-head", "head": "HTTP/2 200\r\ncontent-length: LENGTH\r\n\r\n"},
    "two lengths": {"fault": "odd-head", "head": "HTTP/1.1 200 OK\r\nContent-Length: LENGTH\r\nContent-Length: 3\r\n\r\n"},
    "a length below zero": {"fault": "odd-head", "head": "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"},
    "a length of 400 digits": {"fault": "odd-head", "head": f"HTTP/1.1 200 OK\r\nContent-Length: {'9' * 400}\r\n\r\n"},
    "a chunk beyond all": {
        "fault": "odd-head", "head": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    },
    "a header of control characters": {
        "fault": "odd-head", "head": "HTTP/1.1 200 OK\r\nX-\x01: \x1b[31m\x00\r\nContent-Length: LENGTH\r\n\r\n",
    },
    "a switch of protocols": {"fault": "odd-head", "head": "HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"},
}  # fmt: skip
"""What is not JSON, not HTTP, or both and more than anybody means."""

CALLS: Final = ("POST /order", "GET /order", "POST /public/api/auth/token")


def _has_an_end(seen: Seen) -> bool:
    return seen.ended.seconds < 120


def _blames_nobody(seen: Seen) -> bool:
    return _has_an_end(seen) and not seen.failed and not seen.told["deletable"]


def _codes(name: str) -> list[int]:
    """A strange status is the target's own, and may be a finding."""
    return [1, 2] if any(word in name for word in ("refusal", "status", "204")) else [2]


def _cases() -> Iterator[Case]:
    for name, plan in KINDS.items():
        yield Case(
            "answers", f"{name}, once", f"the fourth answer to POST /order is {name}", _codes(name),
            [*RULES, "--max-wait", "5s"], {"plans": [{**plan, "call": "POST /order", "nth": 4}]},
            expected="under 300 MB, within two minutes, nobody blamed, nothing left",
            holds=_has_an_end if plan["fault"] in {"tokens", "status"} else _blames_nobody, seconds=130,
        )  # fmt: skip
        yield Case(
            "answers", f"{name}, from then on", f"every answer but the first 20 is {name}", [1, 2, 3],
            [*RULES, "--max-wait", "5s"], {"plans": [{**plan, "since": 20}]},
            expected="under 300 MB, within two minutes", holds=_has_an_end, seconds=130,
        )  # fmt: skip
    for name in (
        "a byte a second",
        "1 GB of zeros in gzip",
        "text that says it is gzip",
        "headers without end",
        "200 MB",
    ):
        yield Case(
            "answers", f"{name}, to the first call", f"the answer to the first request for a token is {name}", [2, 3],
            [*RULES, "--max-wait", "5s"], {"plans": [{**KINDS[name], "call": CALLS[2], "nth": 1}]},
            expected="under 300 MB, within two minutes", holds=_has_an_end, seconds=130,
        )  # fmt: skip
    for name, plan in ODD.items():
        once = [{**plan, "call": call, "nth": 3} for call in CALLS[:2]]
        for many, plans in (
            ("once", once),
            ("later on", [{**plan, "since": 20}]),
            ("at first", [{**plan, "first": 1}]),
        ):
            yield Case(
                "answers", f"{name}, {many}", f"an answer is {name}: {many}", [1, 2, 3], [*RULES, "--max-wait", "5s"],
                {"plans": plans}, expected="under 300 MB, within two minutes, no traceback", holds=_has_an_end, seconds=130,
            )  # fmt: skip


def trials(chosen: argparse.Namespace) -> Iterator[Callable[[], Row]]:
    """All of them, or those that are asked for."""
    return of(list(_cases()), chosen)
