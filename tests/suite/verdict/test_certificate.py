"""What stands in a certificate is what the run gave it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from conformance import __version__
from conformance.contract.rules import catalogue
from conformance.mock.target import mock_target_table
from conformance.target.config import parse_target
from conformance.verdict.certificate import SCHEMA, json_schema, make_certificate
from conformance.verdict.digest import digest_of
from conformance.verdict.suite_code import code_digest
from conformance.verdict.verdicts import RuleResult, RuleVerdict
from conformance.verdict.violation import Finding
from conformance.verdict.waivers import Waiver, waive

RULE: Final = catalogue()["ORD-04"]
PASSED: Final = RuleResult(
    RULE, RuleVerdict.PASS, "", 2, 3, 4, None, {"POST /order": {"accepted": 2, "refused": 3}}, 9, 3
)
FAILED: Final = replace(
    PASSED, verdict=RuleVerdict.FAIL, reason="it was accepted", finding=Finding("ORD-04", "why", {"q": 1}, {"a": 2}, "curl")
)  # fmt: skip


def certificate(*results: RuleResult) -> Any:
    """The certificate of a run with these results, as who reads the file gets it."""
    return json.loads(text(*results))


def text(*results: RuleResult, **table: Any) -> str:
    """The certificate of a run with these results, as it is written; `table` is what else the target file holds."""
    made = make_certificate(
        results=results,
        target=parse_target(mock_target_table("http://127.0.0.1:8765") | {"name": "ours"} | table, "target.toml"),
        profile="smoke",
        seed=7,
        readings={"extract-types": "portal"},
        readings_from={"extract-types": "probed"},
        traffic={"requests": 9, "client_errors": 3, "server_errors": 2, "throttled": 1},
        started_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        finished_at=datetime(2026, 11, 22, 13, tzinfo=UTC),
    )
    return made.to_json()


def test_half_a_character_of_a_server_is_written_down_escaped() -> None:
    half = Finding("ORD-04", "", {"body": "\ud800"}, {"headers": {"x": "\udfff"}, "status": 200}, "curl \ud800")
    (entry,) = certificate(replace(FAILED, reason="it answered \ud800 €", finding=half))["rules"]
    assert entry["reason"] == r"it answered \ud800 €"
    assert entry["counterexample"] == {
        "request": {"body": r"\ud800"}, "response": {"headers": {"x": r"\udfff"}, "status": 200}, "curl": r"curl \ud800",
        "lanes": [],
    }  # fmt: skip


def test_a_certificate_says_what_was_tested_how_and_by_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.verdict.certificate.suite_commit", lambda: "2a5a995")
    written = certificate(PASSED)
    digest = digest_of(written)
    rules = written.pop("rules")
    assert written.pop("digest") == digest
    assert written == {
        "schema": SCHEMA,
        "verdict": "conformant",
        "kind": "endpoint",
        "suite": {"version": __version__, "commit": "2a5a995", "code": code_digest()},
        "contract": {"version": catalogue().version, "sha256": catalogue().sha256},
        "target": {
            "name": "ours",
            "environment": "mock",
            "baseUrl": "http://127.0.0.1:8765",
            "errorBudget": None,
            "integrator": "3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a11",
            "accounts": ["19055 CHANNEL_NAME", "19056 CHANNEL_NAME", "19060 OTHER_CHANNEL"],
            "notExercised": {},
        },
        "profile": "smoke",
        "seed": 7,
        "startedAt": "2026-11-22T12:00:00Z",
        "finishedAt": "2026-11-22T13:00:00Z",
        "readings": {"extract-types": "portal"},
        "readingsFrom": {"extract-types": "probed"},
        "files": {},
        "traffic": {"requests": 9, "clientErrors": 3, "serverErrors": 2, "throttled": 1},
        "recording": None,
        "about": None,
        "proof": None,
        "observed": None,
    }
    assert [rule["id"] for rule in rules] == ["ORD-04"]


@pytest.mark.parametrize(
    ("table", "budget"),
    [
        ({"error_budget": 300}, None),
        ({"error_budget": 300, "pace": "documented"}, 300),
        ({"error_budget": 300, "environment": "sandbox"}, 300),
    ],
)
def test_a_budget_is_told_where_it_was_kept(table: dict[str, Any], budget: int | None) -> None:
    assert json.loads(text(PASSED, **table))["target"]["errorBudget"] == budget


def test_a_rule_that_passed_is_told_with_what_it_rests_on() -> None:
    assert certificate(PASSED)["rules"] == [
        {
            "id": "ORD-04",
            "level": "required",
            "statement": RULE.statement,
            "verdict": "pass",
            "accepted": 2,
            "refused": 3,
            "checked": 4,
            "reason": "",
            "endpoints": {"POST /order": {"accepted": 2, "refused": 3}},
            "requests": 9,
            "clientErrors": 3,
            "kinds": None,
            "findings": [],
            "hinderedBy": [],
            "counterexample": None,
            "atOnce": None,
            "waiver": None,
            "undecided": 0,
        }
    ]


def test_a_rule_that_failed_is_told_with_its_counterexample() -> None:
    written = certificate(FAILED)
    (rule,) = written["rules"]
    assert (written["verdict"], rule["verdict"], rule["reason"]) == ("nonconformant", "fail", "it was accepted")
    assert rule["counterexample"] == {"request": {"q": 1}, "response": {"a": 2}, "curl": "curl", "lanes": []}


def test_a_rule_that_is_waived_is_told_with_why_and_until_when() -> None:
    waiver, last_day = Waiver("ORD-04", "ticket 7", date(2026, 12, 31), whole=True), datetime(2026, 12, 31, tzinfo=UTC)
    (waived,) = waive([FAILED], [waiver], last_day)
    (rule,) = certificate(waived)["rules"]
    told = {"rule": "", "whole": True, "kinds": [], "hinders": [], "zone": "UTC"}
    assert (rule["verdict"], rule["waiver"]) == ("waived", {"reason": "ticket 7", "until": "2026-12-31"} | told)
    for useless, result in ((waiver, PASSED), (replace(waiver, until=date(2026, 1, 1)), FAILED)):
        (left,) = waive([result], [useless], last_day)
        assert certificate(left)["rules"][0]["waiver"] is None


def test_a_certificate_is_written_a_line_for_each_field() -> None:
    lines = text(PASSED).split("\n")
    assert lines[:3] == ["{", f'  "schema": "{SCHEMA}",', '  "verdict": "conformant",']
    assert lines[-2:] == ["}", ""]


def test_the_schema_is_that_of_the_model() -> None:
    kept = Path(__file__).parents[3] / "conformance" / "verdict" / "certificate.schema.json"
    assert kept.read_text(encoding="utf-8") == json_schema(), "run `make schema`"
