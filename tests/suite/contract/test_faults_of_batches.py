"""The faults of batches by judge and mock under every reading; and no value in any field makes the judge raise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest
from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import catalogue
from conformance.engine.acceptance import ACCEPTED_BY
from conformance.mock import world
from conformance.mock.koncili import Koncili
from strategies.calls import Call, Edit, Path
from strategies.faults import FAULTS, Case, FaultBatch, Kind, cases, fault_batches, possible
from strategies.scope import Place
from tests.suite.support.bodies import (
    HOUR,
    INIT,
    LAWFUL,
    breaches_of,
    creating,
    creation,
    open_world,
    release,
    releasing,
)
from tests.suite.support.properties import (
    BATCH_READINGS,
    BATCH_RULES,
    EXTREMES,
    JSON_VALUES,
    Bench,
    mock_scope,
    prove,
    under,
)

# -- the faults ----------------------------------------------------------------------------------------------------


def check_fault_batch(bench: Bench, rule_id: str, fault_batch: FaultBatch) -> None:
    """Check that by judge and mock every edit breaks this rule and no other, and that after all of them the lawful call is
    accepted."""
    rule, values = catalogue()[rule_id], bench.ready(fault_batch.lawful)
    for _, edit in fault_batch.edits:
        broken = edit.apply(fault_batch.lawful)
        assert set(bench.broken_rules(broken, values)) == {rule_id}, f"{edit}"
        assert bench.koncili.handle(bench.request(broken, values)).status in rule.refused, f"{edit}"
    check_accepted(bench, fault_batch.lawful, values)


def check_accepted(bench: Bench, call: Call, values: Mapping[str, str]) -> None:
    """Check that judge and mock find nothing broken."""
    assert bench.broken_rules(call, values) == []
    accepted = catalogue()[ACCEPTED_BY[call.endpoint]].accepted
    assert bench.koncili.handle(bench.request(call, values)).status in accepted


@pytest.mark.parametrize(("rule_id", "readings"), under(*BATCH_RULES, some=BATCH_READINGS))
def test_a_fault_breaks_its_rule_and_no_other_under_other_readings(rule_id: str, readings: str) -> None:
    scope = mock_scope(BATCH_READINGS[readings])
    bench = Bench(Koncili(readings=scope.readings))
    for endpoint in catalogue()[rule_id].endpoints:
        every = (kind for kinds in FAULTS[rule_id].values() for kind in kinds)
        able = tuple(kind for kind in every if possible(kind, scope, endpoint))
        prove(
            fault_batches(scope, endpoint, able), lambda fault_batch: check_fault_batch(bench, rule_id, fault_batch), 3
        )


OTHER_VALUES: Final = FAULTS["REL-08"]["one value is not that of the extract"]


@pytest.mark.parametrize("kind", OTHER_VALUES, ids=repr)
def test_rel_08_other_values_are_lawful_where_discrepancies_are_taken(kind: Kind) -> None:
    scope = mock_scope(BATCH_READINGS["discrepancies taken"])
    bench = Bench(Koncili(readings=scope.readings))

    def law(case: Case) -> None:
        check_accepted(bench, case.broken, bench.ready(case.lawful))

    prove(cases(scope, Endpoint.SUBMIT_RELEASE, kind), law, 4)


@pytest.mark.parametrize("account", [world.INACTIVE, world.DISABLED], ids=["inactive", "disabled"])
def test_an_account_that_is_refused_is_told_so_and_no_more(account: world.Account) -> None:
    bench = Bench()
    bench.open(Place(account.id, account.channel), INIT, HOUR)
    expected = ["ACC-05"] if account is world.INACTIVE else ["ACC-04"]
    assert creating(bench, accountId=account.id) == expected
    assert releasing(bench, accountId=account.id) == expected


# -- any value -----------------------------------------------------------------------------------------------------

PLACES: Final[dict[Endpoint, list[Path]]] = {
    Endpoint.CREATE_RECONCILIATION: [(name,) for name in creation()],
    Endpoint.SUBMIT_RELEASE: [
        *((name,) for name in release()),
        *(("releases", number, name) for number in (0, 2) for name in ("marketplaceCode", "type", "value")),
        ("releases", 1),
    ],
}
"""Every place in a body."""


@pytest.mark.parametrize("endpoint", PLACES, ids=lambda endpoint: endpoint.label)
@pytest.mark.parametrize("readings", BATCH_READINGS)
def test_no_value_in_any_field_makes_the_judge_raise(readings: str, endpoint: Endpoint) -> None:
    bench = open_world(BATCH_READINGS[readings])

    def law(changes: list[tuple[Path, object]]) -> None:
        call = Call(endpoint, body=LAWFUL[endpoint])
        for place, value in changes:
            if place[:-1] and not isinstance(call.body["releases"], list):
                continue
            call = Edit(("body", *place), value).apply(call)
        for breach in breaches_of(bench, endpoint, call.body):
            assert breach.rule in catalogue().rules
            assert breach.message

    edits = st.tuples(st.sampled_from(PLACES[endpoint]), JSON_VALUES | st.sampled_from(EXTREMES))
    prove(st.lists(edits, min_size=1, max_size=2), law, 60)
