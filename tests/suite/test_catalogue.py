"""Rule, fault, scenario, defect and verdict are in step: none without the others, no orphan of any."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from gherkin.parser import Parser

from conformance.contract.order_rules import MANDATORY_DATES
from conformance.contract.readings import READINGS
from conformance.contract.rules import Level, Rule, Side, catalogue
from conformance.engine.acceptance import ACCEPTED_BY
from conformance.engine.printed_laws import PRINTED_LAWS
from conformance.engine.whole_release_laws import WHOLE_RELEASE_LAWS
from conformance.engine.workflow_laws import WHOLE_LAWS
from conformance.mock.defects import DEFECTS
from conformance.planning.plan import IN_TURN
from conformance.run.scenario import suite_root
from conformance.target.config import Fixtures
from strategies import dates
from strategies.faults import FAULTLESS, FAULTS

RULES = list(catalogue().rules.values())
FEATURES = sorted((suite_root() / "features").glob("*.feature"))
KNOWN_NEEDS = {"clock", "mock", *Fixtures.model_fields}


def _scenarios(feature: Path) -> list[tuple[str, str, list[str]]]:
    """Rule id, title and (with an outline's rows filled in) the texts of all steps, for each scenario of a feature."""
    found = []
    document: Any = Parser().parse(feature.read_text(encoding="utf-8"))
    for child in document["feature"]["children"]:
        scenario = child["scenario"]
        (tag,) = [tag["name"].removeprefix("@") for tag in scenario["tags"]]
        steps = [step["text"] for step in scenario["steps"]]
        rows = [
            dict(
                zip(
                    [cell["value"] for cell in table["tableHeader"]["cells"]],
                    [cell["value"] for cell in row["cells"]],
                    strict=True,
                )
            )
            for table in scenario["examples"]
            for row in table["tableBody"]
        ]
        texts = [_filled(step, row) for step in steps for row in rows or [{}]]
        found.append((tag, scenario["name"], texts))
    return found


def _filled(step: str, row: dict[str, str]) -> str:
    for name, value in row.items():
        step = step.replace(f"<{name}>", value)
    return step


SCENARIOS = [scenario for feature in FEATURES for scenario in _scenarios(feature)]


def _ids(rules: list[Rule]) -> list[str]:
    return [rule.id for rule in rules]


@pytest.mark.parametrize("rule", RULES, ids=_ids(RULES))
def test_every_rule_has_a_scenario(rule: Rule) -> None:
    assert any(tag == rule.id for tag, _, _ in SCENARIOS)


def test_every_scenario_has_a_rule_and_a_title_of_its_own() -> None:
    assert {tag for tag, _, _ in SCENARIOS} <= catalogue().rules.keys()
    # pytest-bdd makes one function of each title: of two alike in a feature only one would be run.
    assert [title for title, number in Counter(title for _, title, _ in SCENARIOS).items() if number > 1] == []


REFUSABLE = [rule for rule in RULES if Side.REFUSED in rule.sides]


@pytest.mark.parametrize("rule", REFUSABLE, ids=_ids(REFUSABLE))
def test_every_refusable_rule_has_a_fault_or_says_why_not(rule: Rule) -> None:
    assert (rule.id in FAULTS) != (rule.id in FAULTLESS)


def test_no_fault_is_an_orphan() -> None:
    refusable = {rule.id for rule in REFUSABLE}
    assert refusable >= FAULTS.keys() | FAULTLESS.keys()


FAULT_WORDS = [(rule, words) for rule, faults in FAULTS.items() for words in faults]


@pytest.mark.parametrize(("rule", "words"), FAULT_WORDS, ids=[f"{rule} {words}" for rule, words in FAULT_WORDS])
def test_every_fault_is_tried_by_a_scenario_of_its_rule(rule: str, words: str) -> None:
    assert any(words in texts for tag, _, texts in SCENARIOS if tag == rule)


@pytest.mark.parametrize("rule", RULES, ids=_ids(RULES))
def test_every_rule_has_a_defect_that_must_be_blamed_on_it(rule: Rule) -> None:
    assert any(rule.id in defect.rules for defect in DEFECTS.values())


@pytest.mark.parametrize("name", DEFECTS)
def test_every_defect_blames_rules_that_there_are(name: str) -> None:
    assert DEFECTS[name].rules
    assert DEFECTS[name].rules <= catalogue().rules.keys()


@pytest.mark.parametrize("rule", RULES, ids=_ids(RULES))
def test_every_rule_is_whole(rule: Rule) -> None:
    assert rule.statement.endswith(".")
    assert rule.source
    assert rule.sides
    assert rule.level in Level
    assert set(rule.needs) <= KNOWN_NEEDS
    assert rule.reading is None or rule.reading in READINGS
    assert rule.sides_by_reading.keys() <= set(READINGS[rule.reading].values if rule.reading else ())
    for code in rule.codes:
        assert code.startswith(f"{rule.refused}-")


def test_the_rules_are_in_the_order_of_their_areas() -> None:
    areas = [rule.area for rule in RULES]
    assert areas == sorted(areas, key=areas.index)


def test_every_acceptance_has_a_rule() -> None:
    assert set(ACCEPTED_BY.values()) <= catalogue().rules.keys()


def test_strategies_and_judge_agree_on_the_mandatory_dates() -> None:
    assert dict(dates.MANDATORY) == dict(MANDATORY_DATES)


def test_an_unknown_rule_is_told_by_its_id() -> None:
    with pytest.raises(KeyError, match="ORD-99"):
        catalogue()["ORD-99"]


@pytest.mark.parametrize(
    "module", sorted((suite_root() / "tests" / "certification").glob("*.py")), ids=lambda path: path.name
)
def test_every_step_has_a_name_of_its_own(module: Path) -> None:
    functions = [node.name for node in ast.parse(module.read_text()).body if isinstance(node, ast.FunctionDef)]
    assert [name for name, times in Counter(functions).items() if times > 1 or name == "_"] == []


def test_plans_know_whose_reconciliations_are_opened_on_all_accounts_in_turn() -> None:
    """By these a plan foretells how long a target keeps a run; the engine stands above it, and can't be asked."""
    one_after_the_other = {*WHOLE_LAWS, *WHOLE_RELEASE_LAWS, *PRINTED_LAWS}
    assert {rule for rule, _, steps in SCENARIOS if one_after_the_other & set(steps)} == IN_TURN
