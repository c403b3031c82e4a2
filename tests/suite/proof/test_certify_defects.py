"""Defects and variants through the real command line: what is told of them; and what the fleets are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from conformance.contract.rules import Side, catalogue
from conformance.mock.defects import DEFECTS, FAMILIES, FAMILY_OF
from conformance.mock.variants import VARIANTS
from tests.suite.support.command_runs import certify

# -- what the fleets are -------------------------------------------------------------------------------------------


def test_there_are_many_of_them() -> None:
    assert len(DEFECTS) >= 130
    assert len(VARIANTS) >= 30


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_may_be_blamed_on_rules_that_there_are(name: str) -> None:
    assert DEFECTS[name].rules
    assert DEFECTS[name].rules <= catalogue().rules.keys()


SHOWN: Final = [rule.id for rule in catalogue().rules.values() if {Side.REFUSED, Side.ACCEPTED} & set(rule.sides)]


@pytest.mark.parametrize("rule_id", SHOWN)
def test_every_rule_that_refuses_or_accepts_is_broken_by_a_defect(rule_id: str) -> None:
    assert any(rule_id in defect.rules for defect in DEFECTS.values())


@pytest.mark.parametrize("family", FAMILIES)
def test_no_family_is_empty(family: str) -> None:
    assert FAMILIES[family]


def test_every_defect_is_of_one_family_and_every_name_is_one_mock_s() -> None:
    names = [defect.name for family in FAMILIES.values() for defect in family]
    assert names == list(DEFECTS)
    assert len({*names, *VARIANTS}) == len(names) + len(VARIANTS)
    assert all(defect in FAMILIES[FAMILY_OF[name]] for name, defect in DEFECTS.items())


def test_every_statement_is_a_sentence() -> None:
    statements = [mock.statement for mock in (*DEFECTS.values(), *VARIANTS.values())]
    assert [
        text for text in statements if not (text[0].isupper() and text.endswith(".") and not text.endswith(".."))
    ] == []


# -- what a run says of them ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "rule_id"), [("ord-04-not-enforced", "ORD-04"), ("del-01-not-deleted", "DEL-01")])
def test_a_counterexample_s_curl_lines_make_its_request(name: str, rule_id: str, tmp_path: Path) -> None:
    run = certify(tmp_path, "--defect", name, "--rule", rule_id)
    assert run.code == 1, run.output
    assert run.verdicts("fail") == {rule_id}
    example = run.entry(rule_id)["counterexample"]
    assert f"-X {example['request']['method']} " in example["curl"].splitlines()[-1]


@pytest.mark.parametrize(
    ("beside", "defect", "rule_id"),
    [("qry-01-as-text", "del-04-not-enforced", "DEL-04"), ("ord-01-status-201", "rel-04-not-enforced", "REL-04")],
)
def test_a_defect_is_caught_beside_one_that_every_order_meets(
    beside: str, defect: str, rule_id: str, tmp_path: Path
) -> None:
    run = certify(tmp_path, "--defect", beside, "--defect", defect, "--rule", rule_id, "--keep-going")
    assert run.entry(rule_id)["verdict"] == "fail", run.output


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("qry-01-last-extract-lost", "ERR-06"),
        ("qry-01-upper-case-code", "ERR-06"),
        ("qry-01-no-expected-date", "ERR-06"),
        ("qry-01-code-through-a-double", "QRY-05"),
        ("qry-04-asked-once", "QRY-05"),
        ("qry-01-code-through-a-double", "ORD-19"),
        ("qry-03-cached", "DEL-06"),
    ],
)
def test_what_befalls_any_order_is_blamed_on_no_rule_of_special_ones(name: str, beside: str, tmp_path: Path) -> None:
    """What such a rule sends is compared with an ordinary order that has the same and is no special one."""
    assert beside not in DEFECTS[name].rules
    run = certify(tmp_path, "--defect", name, "--rule", beside)
    assert run.verdicts("fail") <= DEFECTS[name].rules, run.output
    assert run.entry(beside)["verdict"] in {"pass", "inconclusive"}, run.output


def test_what_a_reading_takes_is_tried_for_no_other_rule_either(tmp_path: Path) -> None:
    run = certify(tmp_path, "--variant", "numbers-as-text-taken", "--rule", "REC-09")
    assert not run.verdicts("fail"), run.output
    assert run.verdicts("pass") == {"REC-09"}


@pytest.mark.parametrize("name", ["discrepancies-taken", "one-hour-tokens", "extended-extract-types"])
def test_a_variant_s_readings_are_stated_in_the_certificate(name: str, tmp_path: Path) -> None:
    run = certify(tmp_path, "--variant", name, "--rule", "ACC-01", "--profile", "smoke")
    assert run.verdicts("pass") == {"ACC-01"}, run.output
    stated, known = run.certificate["readings"], run.certificate["readingsFrom"]
    assert VARIANTS[name].readings
    for reading, value in VARIANTS[name].readings:
        assert (stated[reading], known[reading]) == (value, "stated")


ALONE: Final = {
    "ord-16-refused-but-stored": (["ORD-16"], 0),
    "del-01-takes-neighbours": (["DEL-01"], 0),
    "wfl-04-shared-between-accounts": (["WFL-04"], 0),
    "rec-09-period-kept": (["REC-09"], 1),
    "rel-18-refused-counted": (["REL-18"], 1),
    "qry-01-float32": (["QRY-01", "ORD-15"], 0),
}
"""What the state machine catches by itself, and the rule that it blames (which of two depends on which order shows it); the seed
at which that was seen last, which is tried first."""


SEEDS: Final = range(6)
"""At some of them each is seen; a run that sees it blames no other rule."""


@pytest.mark.parametrize("name", ALONE)
def test_the_state_machine_alone_catches(name: str, tmp_path: Path) -> None:
    blamable, seen_at = ALONE[name]
    for seed in sorted(SEEDS, key=lambda seed: seed != seen_at):
        run = certify(tmp_path / str(seed), "--defect", name, "--rule", "WFL-04", "--seed", str(seed))
        if run.verdicts("fail"):
            break
    (blamed,) = run.verdicts("fail")
    assert blamed in blamable, run.output
    assert run.code == 1
    story = run.entry(blamed)["counterexample"]["curl"].splitlines()
    steps = [line for line in story if line.startswith("# ")]
    assert len(steps) == len([line for line in story if line.startswith("curl ")]) > 0
