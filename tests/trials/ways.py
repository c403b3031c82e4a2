"""Wrong target files, proxies, and what a target says that no terminal should hear: exit code 3 in order, or as without."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from typing import Final
from xml.etree.ElementTree import fromstring

from tests.trials.breakdowns import FEW, cannot, says, usual
from tests.trials.cases import Case, Seen
from tests.trials.servers import of
from tests.trials.table import Row

NOTHING_SENT: Final = "nothing is sent"


def _sent_nothing(seen: Seen) -> bool:
    return bool(seen.told["requests"] == 0)


def _of_the_way() -> Iterator[Case]:
    nobody = "http://127.0.0.1:9"
    for names in (("HTTP_PROXY",), ("HTTPS_PROXY", "ALL_PROXY"), ("http_proxy", "all_proxy")):
        yield usual(
            f"{' '.join(names)} on loopback",
            "a proxy that is none, the target on loopback (row 13)",
            environment=dict.fromkeys(names, nobody),
        )
    off = {"base_url": "https://koncili.invalid", "pace": None}
    for names in (("HTTPS_PROXY",), ("ALL_PROXY",), ("https_proxy",)):
        yield cannot(
            f"{names[0]} off loopback",
            "a proxy where nobody listens, the target elsewhere (row 13)",
            target=off,
            environment=dict.fromkeys(names, nobody),
            expected="the proxy is named",
            holds=says("(?i)proxy"),
        )
    yield cannot(
        "socks proxy",
        "ALL_PROXY=socks5://..., the target elsewhere (row 13)",
        target=off,
        environment={"ALL_PROXY": "socks5://127.0.0.1:9"},
    )
    yield cannot(
        "proxy of garbage", "HTTPS_PROXY is no URL (row 13)", target=off, environment={"HTTPS_PROXY": "::no url::"}
    )
    yield cannot(
        "NO_PROXY",
        "NO_PROXY names the target (row 13)",
        target=off,
        environment={"HTTPS_PROXY": nobody, "NO_PROXY": "koncili.invalid"},
        seconds=120,
    )
    for host in ("a..b", "a" * 64 + ".example", "xn--a", "-a-.example", "[::1", "koncili.example:99999", "é" * 70):
        yield cannot(
            f"host {host[:20]}",
            "a host that is none (row 11)",
            target={"base_url": f"https://{host}", "pace": None},
            expected=NOTHING_SENT,
            holds=_sent_nothing,
            seconds=120,
        )
    yield cannot(
        "wrong account",
        "an account that does not exist in [[accounts]] (row 14)",
        target={"accounts": [{"id": 4711, "channel": "TRIAL_CHANNEL"}]},
        expected="the accounts that exist are named",
        holds=says("19055"),
    )
    yield cannot(
        "wrong channel",
        "a channel that does not exist in [[accounts]] (row 14)",
        target={"accounts": [{"id": 19055, "channel": "NO_CHANNEL"}]},
        expected="the channels that exist are named",
        holds=says("TRIAL_CHANNEL"),
    )
    for id_, what in ((20001, "inactive"), (20002, "disabled")):
        yield cannot(
            f"{what} account",
            f"an account that is {what} in [[accounts]] (row 14)",
            target={"accounts": [{"id": id_, "channel": "TRIAL_CHANNEL"}]},
        )
    yield cannot(
        "one of two accounts wrong",
        "the second of [[accounts]] does not exist (row 14)",
        target={"accounts": [{"id": 19055, "channel": "TRIAL_CHANNEL"}, {"id": 1, "channel": "TRIAL_CHANNEL"}]},
    )
    yield cannot(
        "integrator of somebody else",
        "every call is refused with 403 but those for tokens",
        settings={
            "plans": [
                {"fault": "status", "status": 403, "call": f"{method} {path}"}
                for method, path in (("GET", "/my-accounts"), ("POST", "/order"), ("GET", "/order"))
            ]
        },
    )
    for code in ("\ud800", "400-\udfff", "\x00", "é", "", "4" * 5000):
        yield Case(
            "breakdowns",
            f"errorCode {ascii(code)[:24]}",
            "every refusal has this errorCode (row 11)",
            [1],
            FEW,
            settings={"plans": [{"fault": "odd-code", "code": code}]},
            expected="ERR-01 or ORD-03 is blamed",
            holds=lambda seen: set(seen.failed) <= {"ERR-01", "ORD-03"},
        )
    yield Case(
        "breakdowns",
        "commands of a CI system in messages",
        "every errorMessage has ESC, ::add-mask:: and a heading (row 17)",
        [1, 2],
        [*FEW, "-v"],
        settings={
            "plans": [
                {
                    "fault": "odd-code",
                    "code": "x\n::add-mask::x\x1b[31m",
                    "message": "\x1b[31m\n::add-mask::oops\r\n# FORGED\n::error::y",
                }
            ]
        },
        environment={"GITHUB_ACTIONS": "true"},
        expected="none of them reaches terminal or summary",
        holds=_is_escaped,
    )


def _is_escaped(seen: Seen) -> bool:
    summary = seen.place.path / "reports" / "summary.md"
    text = seen.ended.output + seen.ended.errors + (summary.read_text(encoding="utf-8") if summary.exists() else "")
    fromstring((seen.place.path / "reports" / "junit.xml").read_text(encoding="utf-8"))  # noqa: S314 - or it is no XML
    return not re.search(r"\x1b\[31m|^::add-mask|^# FORGED|^::error::y", text, re.MULTILINE)


def trials(chosen: argparse.Namespace) -> Iterator[Callable[[], Row]]:
    """All of them, or those that are asked for."""
    return of(list(_of_the_way()), chosen)
