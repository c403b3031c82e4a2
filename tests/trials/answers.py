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


def trials(chosen: argparse.Namespace) -> Iterator[Callable[[], Row]]:
    """All of them, or those that are asked for."""
    return of(list(_cases()), chosen)
