"""Servers that are right, wrong, slow or hindered: who is blamed, what it costs, what is left."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.trials.cases import Case, Seen, rules
from tests.trials.staging import Ended, Place
from tests.trials.table import Row

LENIENT: Final = [part for rule in ("REC-01", "REC-07", "REC-08") for part in ("--rule", rule)]
"""With every kind of fault: the smoke profile tries one."""

SOME: Final = rules("ORD-01", "ORD-13", "QRY-01", "DEL-01", "REC-01", "REC-07", "REC-08", "REL-01", "REL-04", "WFL-02")


def _blames_nobody(seen: Seen) -> bool:
    return not seen.failed


def _blames(*rules_: str) -> Callable[[Seen], bool]:
    return lambda seen: bool(seen.failed) and set(seen.failed) <= set(rules_)


def _decides_all(seen: Seen) -> bool:
    return not seen.failed and not seen.of("inconclusive") and not _is_left(seen)


def _is_left(seen: Seen) -> bool:
    return bool(seen.told["active"] or seen.told["deletable"])


def _spends_at_most(errors: int) -> Callable[[Seen], bool]:
    return lambda seen: bool(seen.told["clientErrors"] <= errors)


def _then_cleanup(case: Case, there: Place) -> Ended:
    """A run, then two cleanups; how the run ended, but for a cleanup that says less than the server knows."""
    ended = there.certify(*case.arguments, patience=case.seconds)
    clean = [there.cleanup("--max-wait", "90s", patience=case.seconds) for _ in range(2)]
    left = bool(there.server.told()["active"])
    if left and any(one.code == 0 for one in clean):
        ended.errors += "\ncleanup says that nothing is left, and a reconciliation is active"
        ended.code = 100
    return ended


CASES: Final = [
    Case("servers", "as documented, smoke", "a server that does as documented", [2], holds=_decides_all),
    Case("servers", "as documented, certification", "the same, a whole certification", [2], ["--max-wait", "5s"],
         holds=_decides_all, seconds=400),
    Case("servers", "bare codes", "errorCode is 403 or 404 where the documents list a bare status", [2],
         settings={"bare_codes": True}, expected="nobody is blamed", holds=_blames_nobody),
    Case("servers", "strict on INVOICED", "INVOICED orders without sendDate are refused (row 10)", [1],
         ["--max-wait", "5s"], {"wants_send_date": True}, seconds=400, expected="nonconformant, ORD-06 among what fails",
         holds=lambda seen: "ORD-06" in seen.failed),
    Case("servers", "strict on INVOICED, waiting", "the same, and the run may wait: it must not, its verdict stands (row 10)",
         [1], [], {"wants_send_date": True}, seconds=400, expected="ends by itself, ORD-06 among what fails",
         holds=lambda seen: "ORD-06" in seen.failed),
    Case("servers", "every period", "every period is accepted (row 10)", [1], ["--max-wait", "5s"],
         {"accepts_every_period": True}, seconds=400, expected="REC-04, REC-05 or what follows from them is blamed",
         holds=_blames("REC-04", "REC-05", "WFL-04", "REC-11", "REC-09")),
    Case("servers", "refused updates wipe", "a refused update removes the order (row 10)", [1], ["--max-wait", "5s"],
         {"wipes": True}, seconds=400, expected="ORD-16 is blamed, nothing that is innocent",
         holds=lambda seen: "ORD-16" in seen.failed and set(seen.failed) <= {"ORD-16", "WFL-04"}),
    Case("servers", "lenient creations", 'creations take "3" and 2025-02-30 (row 21)', [1], LENIENT,
         settings={"lenient": True}, run=_then_cleanup, seconds=400,
         expected="REC-07 and REC-08 are blamed, nothing stays active, cleanup says what is left",
         holds=lambda seen: _blames("REC-01", "REC-02", "REC-07", "REC-08", "ORD-21", "WFL-04", "ERR-05", "REL-02",
                                    "REL-17", "WFL-01", "WFL-02", "WFL-03")(seen) and not _is_left(seen)),
    Case("servers", "ids are text", "the id of a reconciliation is told as text (row 21)", [1],
         settings={"text_ids": True}, run=_then_cleanup, seconds=400, expected="REC-01 alone is blamed, nothing stays active",
         holds=lambda seen: _blames("REC-01", "ERR-05")(seen) and not _is_left(seen)),
    *(Case("servers", f"reconciles in {seconds:g} s", f"reconciling takes {seconds:g} s (row 22)", [2], arguments,
           {"reconcile_seconds": seconds}, seconds=580, holds=_decides_all)
      for seconds, arguments in ((0.15, SOME), (5.0, SOME), (60.0, rules("REC-01", "REL-01")))),
    *(Case("servers", f"lenient, reconciles in {seconds:g} s", f"reconciling takes {seconds:g} s after a fault that it took (22)",
           [1], LENIENT, {"reconcile_seconds": seconds, "lenient": True}, seconds=400,
           expected="REC-01 is not blamed for what was waited for; REC-07 or REC-08 is, and nothing is left",
           holds=lambda seen: bool({"REC-07", "REC-08"} & set(seen.failed)) and not _is_left(seen))
      for seconds in (0.15, 5.0, 60.0)),
    Case("servers", "never reconciles", "a reconciliation never ends (row 9)", [2], [*SOME, "--max-wait", "20s"],
         {"reconcile_seconds": 1e9}, seconds=400, expected="ends within two minutes of waiting",
         holds=lambda seen: seen.ended.seconds < 150),
    Case("servers", "429 for ten minutes", "one 429 with Retry-After: 600, the run may wait 20 s (row 15)", [2],
         [*SOME, "--max-wait", "20s"], {"plans": [{"fault": "status", "status": 429, "retryAfter": "600", "nth": 40}]},
         expected="ends, waiting being too long; at most one of those answers counted",
         holds=lambda seen: seen.ended.seconds < 120 and seen.told["statuses"].get("429", 0) <= 1),
    Case("servers", "429 in 30 s, once", "one 429 with Retry-After: 30 (row 15)", [2], SOME,
         {"plans": [{"fault": "status", "status": 429, "retryAfter": "30", "nth": 40}]},
         expected="waits once, all is decided", holds=lambda s: _decides_all(s) and s.told["statuses"]["429"] == 1),
    Case("servers", "429 at every tenth call", "429 with Retry-After: 0 at every tenth call (row 15)", [2],
         ["--max-wait", "20s"], {"plans": [{"fault": "status", "status": 429, "retryAfter": "0", "every": 10}]},
         seconds=580, expected="the budget is not eaten: all is decided or nearly so",
         holds=lambda seen: len(seen.of("inconclusive")) <= 5 and not _is_left(seen)),
    Case("servers", "502 at every 25th call", "a 502 at every 25th call, the work being done or not (row 15)", [2],
         ["--max-wait", "60s"], {"plans": [{"fault": "status", "status": 502, "body": "page", "every": 50, "done": True},
                                           {"fault": "status", "status": 502, "body": "page", "every": 25}]},
         seconds=580, expected="all is decided, nobody blamed", holds=_decides_all),
    Case("servers", "lost answers", "5 % of the answers are lost (row 6)", [2], ["--profile", "smoke", "--max-wait", "60s"],
         {"plans": [{"fault": "lost", "chance": 0.05}]}, seconds=580, expected="nobody is blamed, nothing is left",
         holds=lambda seen: _blames_nobody(seen) and not _is_left(seen)),
    Case("servers", "lost answers to creations elsewhere", "answers to creations at accounts that are none are lost (row 6)", [2],
         [*rules("ACC-02", "ACC-03", "ACC-04", "ACC-05", "ACC-06", "REC-01")],
         {"plans": [{"fault": "lost", "call": "POST /reconciliation", "every": 2}]}, run=_then_cleanup,
         expected="at most 60 client errors with two cleanups", holds=_spends_at_most(60)),
    Case("servers", "hangs up", "the connection ends after every third answer, unannounced", [2], SOME,
         {"plans": [{"fault": "hangs-up", "every": 3}]}, expected="all is decided, nobody blamed", holds=_decides_all),
    Case("servers", "hangs up each time", "the connection ends after every answer, unannounced", [2], SOME,
         {"plans": [{"fault": "hangs-up"}]}, expected="all is decided, nobody blamed", holds=_decides_all),
    Case("servers", "tokens die young", "a call in forty is answered 403 NO_TOKEN", [2], [*SOME, "--max-wait", "20s"],
         {"plans": [{"fault": "status", "status": 403, "body": "no-token", "every": 40}]},
         expected="all is decided, nobody blamed", holds=_decides_all),
    Case("servers", "a proxy's pages", "a call in thirty gets a page with 503", [2], [*SOME, "--max-wait", "20s"],
         {"plans": [{"fault": "status", "status": 503, "body": "page", "every": 30}]},
         expected="all is decided, nobody blamed", holds=_decides_all),
    Case("servers", "passing redirects", "a call in thirty gets 302 to /login without a page (row 16)", [2],
         [*SOME, "--max-wait", "20s"], {"plans": [{"fault": "redirect", "every": 30}]},
         expected="all is decided, nobody blamed", holds=_decides_all),
    Case("servers", "passing bad gzip", "an answer in thirty says that it is gzip and is not (row 16)", [2],
         [*SOME, "--max-wait", "20s"], {"plans": [{"fault": "bad-gzip", "every": 30}]},
         expected="nobody blamed, nothing left", holds=lambda seen: _blames_nobody(seen) and not _is_left(seen)),
    Case("servers", "late answers", "an answer in thirty comes 30 s late, after the client gave up", [2],
         [*SOME, "--max-wait", "20s"], {"plans": [{"fault": "slow", "seconds": 30.0, "every": 30}]}, seconds=580,
         expected="nobody blamed, nothing left", holds=lambda seen: _blames_nobody(seen) and not _is_left(seen)),
]  # fmt: skip


def trials(chosen: argparse.Namespace) -> Iterator[Callable[[], Row]]:
    """All of them, or those that are asked for."""
    return of(CASES, chosen)


def of(cases: list[Case], chosen: argparse.Namespace) -> Iterator[Callable[[], Row]]:
    """The cases whose name contains one of the words asked for."""
    words: list[Any] = chosen.only or [""]
    yield from (case for case in cases if any(word in case.name for word in words))
