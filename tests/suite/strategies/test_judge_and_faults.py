"""Faults and judge check each other: a fault breaks its rule by the judge, no other, and its twin breaks none."""

from __future__ import annotations

from typing import Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Side, catalogue
from conformance.mock.koncili import Koncili
from strategies.calls import LEFT_OUT, Call, calls
from strategies.fault_parts import OF_BATCHES
from strategies.faults import FAULTLESS, FAULTS, Case, Kind, cases
from tests.suite.support.judged_calls import broken, order
from tests.suite.support.properties import (
    BATCH_READINGS,
    BATCH_RULES,
    ORDER_READINGS,
    READINGS,
    Bench,
    faults,
    mock_scope,
    prove,
    under,
)

EXAMPLES: Final = 8

EXAMPLES_PER_READING: Final = 2

ALL_FAULTS: Final = [
    pytest.param(rule_id, kind, endpoint, id=f"{rule_id} on {endpoint.label}: {fault}, {kind.name}")
    for rule_id, fault, kind, endpoint in faults()
]


def check_case(bench: Bench, rule_id: str, case: Case) -> None:
    """Check that the call breaks this rule and no other, and its twin none."""
    values = bench.ready(case.lawful)
    assert bench.broken_rules(case.lawful, values) == []
    broken = bench.broken_rules(case.broken, values)
    assert set(broken) == {rule_id}, f"{case.edit} breaks {broken or 'nothing'}"


# -- every fault -----------------------------------------------------------------------------------------------------


def test_every_refusable_rule_has_faults_or_says_why_not() -> None:
    refusable = {rule.id for rule in catalogue().rules.values() if Side.REFUSED in rule.sides}
    assert set(FAULTS) | set(FAULTLESS) == refusable
    assert set(FAULTS).isdisjoint(FAULTLESS)


def test_every_kind_can_be_made_under_some_reading() -> None:
    made = {id(kind) for readings in READINGS for _, _, kind, _ in faults(readings=readings)}
    assert [
        kind.name for fault in FAULTS.values() for kinds in fault.values() for kind in kinds if id(kind) not in made
    ] == []


@pytest.mark.parametrize(("rule_id", "kind", "endpoint"), ALL_FAULTS)
def test_a_fault_breaks_its_rule_and_no_other(rule_id: str, kind: Kind, endpoint: Endpoint) -> None:
    bench, scope = Bench(), mock_scope({})
    prove(cases(scope, endpoint, kind), lambda case: check_case(bench, rule_id, case), EXAMPLES)


OTHER_RULES: Final = tuple(rule_id for rule_id in FAULTS if rule_id not in BATCH_RULES)


def test_only_of_two_rules_does_a_reading_take_the_refusal_away() -> None:
    every = {(rule_id, readings) for rule_id in FAULTS for readings in READINGS if READINGS[readings]}
    assert every - {*under(*FAULTS, some=READINGS)} == {
        ("ORD-18", "empty extracts accepted"),
        ("REL-08", "discrepancies taken"),
    }


# Those of batches are in test_judge_of_reconciliations.py.
@pytest.mark.parametrize(("rule_id", "readings"), under(*OTHER_RULES, some=ORDER_READINGS))
def test_a_fault_breaks_its_rule_and_no_other_under_other_readings(rule_id: str, readings: str) -> None:
    scope = mock_scope(READINGS[readings])
    bench = Bench(Koncili(readings=scope.readings))
    for _, _, kind, endpoint in faults(rule_id, readings=readings):
        prove(cases(scope, endpoint, kind), lambda case: check_case(bench, rule_id, case), EXAMPLES_PER_READING)


@pytest.mark.parametrize(("rule_id", "kind", "endpoint"), ALL_FAULTS)
def test_the_mock_refuses_the_fault_as_documented_and_takes_its_twin(
    rule_id: str, kind: Kind, endpoint: Endpoint
) -> None:
    bench, scope, rule = Bench(), mock_scope({}), catalogue()[rule_id]

    def law(case: Case) -> None:
        values = bench.ready(case.lawful)
        refused = bench.koncili.handle(bench.request(case.broken, values))
        assert refused.status in rule.refused
        if rule.codes:
            assert isinstance(refused.body, dict)
            assert refused.body["errorCode"] == rule.codes[0]
        assert bench.koncili.handle(bench.request(case.lawful, values)).status in rule.accepted

    prove(cases(scope, endpoint, kind), law, EXAMPLES_PER_READING)


@pytest.mark.parametrize(
    ("readings", "endpoint"),
    [
        pytest.param(readings, endpoint, id=f"{readings}: {endpoint.label}")
        for endpoint in Endpoint
        for readings in (BATCH_READINGS if endpoint in OF_BATCHES else ORDER_READINGS)
    ],
)
def test_a_lawful_call_breaks_nothing(readings: str, endpoint: Endpoint) -> None:
    scope = mock_scope(READINGS[readings])
    bench = Bench(Koncili(readings=scope.readings))

    def law(call: Call) -> None:
        assert bench.broken_rules(call, bench.ready(call)) == []

    prove(calls(scope, endpoint), law, 40)


@pytest.mark.parametrize("value", [[], None, LEFT_OUT], ids=["empty", "null", "left out"])
def test_no_extracts_are_fine_where_the_reading_says_so(value: object) -> None:
    assert broken(order(extracts=value)) == ["ORD-18"]
    assert broken(order(extracts=value), {"empty-extracts": "accepted"}) == []
