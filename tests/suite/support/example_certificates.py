"""Certificates as examples for the tests of reports: a run with every kind of failure, one that passes, one of one rule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from conformance import __version__
from conformance.contract.readings import READINGS
from conformance.contract.rules import Rule, catalogue
from conformance.verdict.certificate import (
    Certificate,
    Contract,
    Counterexample,
    RuleEntry,
    Suite,
    Tested,
    TrafficCounts,
)
from conformance.verdict.verdicts import NOT_SELECTED, RuleVerdict, RunVerdict

BASE_URL: Final = "https://sandbox.koncili.example/api"

ORDER: Final = (
    '{"marketplaceCode": "701-0000000-0000637", "accountId": 19055, "totalGrossValue": 203.630, '
    '"extracts": [{"type": "SALE", "value": 203.630}, {"type": "SHIP", "value": -5E+0}], "note": "\\u00e9 / \\/"}'
)
"""An order with numbers and escapes that a careless printer would change."""

REFUSAL: Final = '{"errorMessage": "status must be one of INVOICED, CONCLUDED", "errorCode": null}'


def counterexample(
    method: str, path: str, body: str = "", *, status: int = 200, answer: str = '{"message": "Order received"}', curl: str = ""
) -> Counterexample:  # fmt: skip
    """An exchange as a certificate holds it."""
    data = f" --data-raw '{body}'" if body else ""
    return Counterexample(
        request={
            "method": method,
            "url": BASE_URL + path,
            "headers": {"content-type": "application/json", "gumgatoken": "<redacted:accessToken>"},
            "body": body,
        },
        response={"status": status, "headers": {"content-type": "application/json"}, "body": answer},
        curl=curl or f"curl -i -X {method}{data} '{BASE_URL}{path}'",
    )


STORY: Final = "\n".join(
    [
        "# 1. submit order A on account 19055: 200",
        f"curl -i -X POST --data-raw '{ORDER}' '{BASE_URL}/order'",
        "# 2. submit order A, status CANCELLED: 400",
        f"curl -i -X POST --data-raw '{{}}' '{BASE_URL}/order'",
        "# 3. ask for order A on account 19055: 404",
        f"curl -i -X GET '{BASE_URL}/order?marketplaceCode=701&accountId=19055'",
    ]
)

FAILURES: Final[Mapping[str, Mapping[str, Any]]] = {
    "ORD-04": {
        "reason": "ORD-04: expected it to be refused with 400, but it answered 200 (changed in one place: sendDate = (left out))",
        "counterexample": counterexample("POST", "/order", ORDER),
    },
    "ORD-10": {
        "reason": "ORD-10: expected it to be refused with 400, but it answered 200 "
        "(changed in one place: extracts[1].value = Decimal('-5'))",
        "counterexample": counterexample("POST", "/order", ORDER),
    },
    "ORD-16": {
        "reason": "ORD-16: expected the order as it was last accepted, but it answered 404 "
        "(after an update that was refused (status = 'CANCELLED'))",
        "counterexample": counterexample(
            "GET", "/order?marketplaceCode=701&accountId=19055", status=404, answer=REFUSAL, curl=STORY
        ),
    },
    "ACC-02": {
        "reason": "ACC-02: expected it to be refused with 404, but it answered 200 (changed in one place: accountId = '19')",
        "counterexample": counterexample("GET", "/order?marketplaceCode=701&accountId=19", answer="{}"),
    },
    "ERR-02": {
        "reason": "ERR-02: expected no server error, but it answered 500",
        "counterexample": counterexample(
            "POST", "/reconciliation/release", "[" + ORDER + "]", status=500, answer="<h1>Internal server error</h1>"
        ),
    },
    "AUTH-08": {"reason": "AUTH-08: expected it to be refused with 4xx, but nobody knows", "counterexample": None},
}
"""Of several kinds: one request, one with its changed place, a story, a changed query, a page for an answer, no exchange."""

UNDECIDED: Final = {
    "REL-15": (RuleVerdict.INCONCLUSIVE, "the target went away: four calls in a row without an answer"),
    "AUTH-05": (RuleVerdict.NOT_EXERCISED, "needs a clock that can be moved"),
    "LIM-01": (RuleVerdict.NOT_EXERCISED, "limits would lock the integrator out"),
    "LIM-02": (RuleVerdict.NOT_EXERCISED, "limits would lock the integrator out"),
    "LIM-03": (RuleVerdict.NOT_EXERCISED, "limits would lock the integrator out"),
    "ORD-05": (RuleVerdict.WAIVED, "waived until 2026-12-31: ticket 4711"),
}


def certificate(
    rules: list[RuleEntry],
    verdict: RunVerdict = RunVerdict.CONFORMANT,
    *,
    name: str = "sandbox",
    error_budget: int | None = 400,
) -> Certificate:
    """The certificate of a run with these entries."""
    contract = catalogue()
    return Certificate(
        verdict=verdict,
        suite=Suite(version=__version__, commit="2a5a995" + "0" * 33),
        contract=Contract(version=contract.version, sha256=contract.sha256),
        target=Tested(name=name, environment="sandbox", base_url=BASE_URL, error_budget=error_budget),
        profile="certification",
        seed=7,
        started_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        finished_at=datetime(2026, 11, 22, 12, 3, 20, tzinfo=UTC),
        readings={reading.id: reading.default for reading in READINGS.values()},
        readings_from=dict.fromkeys(READINGS, "default") | {"extract-types": "stated", "period-bounds": "probed"},
        traffic=TrafficCounts(requests=2212, client_errors=377, server_errors=1, throttled=2),
        rules=rules,
    )


def entry(rule: Rule, verdict: RuleVerdict = RuleVerdict.PASS, reason: str = "", **other: Any) -> RuleEntry:
    """The entry of a rule; of one that passed with counts at each of its endpoints."""
    here = {"accepted": 4, "refused": 3}
    seen = {endpoint.label: dict(here) for endpoint in rule.endpoints} if verdict is RuleVerdict.PASS else {}
    return RuleEntry(
        id=rule.id,
        level=rule.level,
        statement=rule.statement,
        verdict=verdict,
        reason=reason,
        accepted=4 * len(seen),
        refused=3 * len(seen),
        checked=0,
        **{"endpoints": seen, "requests": 12, "client_errors": 2 * len(seen), **other},
    )


def failing() -> Certificate:
    """A run with failures of several kinds, and every other verdict too."""
    rules = []
    for rule in catalogue().rules.values():
        if rule.id in FAILURES:
            rules.append(entry(rule, RuleVerdict.FAIL, **FAILURES[rule.id]))
        elif rule.id in UNDECIDED:
            verdict, reason = UNDECIDED[rule.id]
            example = counterexample("POST", "/order", ORDER) if verdict is RuleVerdict.WAIVED else None
            rules.append(entry(rule, verdict, reason, counterexample=example))
        else:
            rules.append(entry(rule))
    return certificate(rules, RunVerdict.NONCONFORMANT)


def passing() -> Certificate:
    """A run in which every rule passes."""
    return certificate([entry(rule) for rule in catalogue().rules.values()])


def single(rule_id: str = "ORD-05") -> Certificate:
    """A run of one rule: all others were not selected."""
    return certificate(
        [
            entry(rule) if rule.id == rule_id else entry(rule, RuleVerdict.NOT_EXERCISED, NOT_SELECTED)
            for rule in catalogue().rules.values()
        ],
        RunVerdict.PARTIAL,
    )
