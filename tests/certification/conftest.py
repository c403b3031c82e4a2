"""What all scenarios share: the bench, and the steps that compose a call, a fault and a law."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pytest
from pytest_bdd import given, parsers, then, when

from conformance.compat.pytest_bdd import steps_of
from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, catalogue
from conformance.engine import laws
from conformance.engine.bench import Bench
from conformance.engine.creation_laws import CREATION_LAWS
from conformance.engine.kill_matrix import Refusal
from conformance.engine.printed_laws import PRINTED_LAWS
from conformance.engine.probes import probe_orders
from conformance.engine.reconciled_laws import RECONCILED_LAWS
from conformance.engine.release_laws import SHARED_LAWS
from conformance.engine.shelf import Laws, prove_shared
from conformance.engine.succession import Laws as WholeLaws
from conformance.engine.succession import prove_whole
from conformance.engine.whole_release_laws import WHOLE_RELEASE_LAWS
from conformance.engine.workflow_laws import WHOLE_LAWS
from conformance.run.scenario import rule_of
from conformance.run.session import Session
from strategies.calls import calls
from strategies.fault_parts import OF_BATCHES
from strategies.faults import FAULTS, Kind
from strategies.orders import STATUSES


@pytest.fixture(scope="session")
def run_bench(koncili: Session, request: pytest.FixtureRequest) -> Bench:
    """The bench of the run, the readings known by which it sends orders."""
    items = request.session.items
    bench = Bench(
        koncili,
        refusal_scenarios=_refusals(items),
        shared_laws=_shared(items),
        whole_laws=_whole(items),
        opening_at_once=_opening_at_once(items),
    )
    probe_orders(bench)
    return bench


@pytest.fixture
def bench(run_bench: Bench, request: pytest.FixtureRequest) -> Bench:
    """The bench, set to the running scenario."""
    run_bench.scenario = request.node.nodeid
    return run_bench


@dataclass
class Experiment:
    """An experiment: what the Given and When steps of a scenario have put together."""

    bench: Bench
    rule: Rule
    endpoint: Endpoint = Endpoint.SUBMIT_ORDER
    statuses: tuple[str, ...] = STATUSES
    orders: tuple[int, int] = (1, 1)
    """How many orders a reconciliation has, at least and at most."""
    fault: str = ""
    """The fault, as strategies.faults has it."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """All kinds of the fault."""
        return FAULTS[self.rule.id][self.fault]

    def prove_shared(self) -> None:
        """Prove the laws of the Then step, in a reconciliation that scenarios share where that can be had."""
        prove_shared(self.bench, self.rule, self.bench.shared_laws[self.bench.scenario][1])

    def prove_whole(self) -> None:
        """Prove the laws of the Then step, in reconciliations one after the other where that can be had."""
        prove_whole(self.bench, self.rule, self.bench.whole_laws[self.bench.scenario][1])

    def refuse(self) -> None:
        """Run the refusal as a property."""
        tried = laws.refuse(self.bench, self.rule, self.endpoint, self.fault, self.statuses)
        if not tried:
            pytest.skip("not exercised: the target file has too few accounts or fixtures for this fault")


@pytest.fixture
def rule(request: pytest.FixtureRequest) -> Rule:
    """The rule that the scenario is tagged with."""
    marker = request.node.get_closest_marker("rule")
    if marker is None:
        raise LookupError("the scenario has no rule id for a tag")
    return catalogue()[marker.args[0]]


@pytest.fixture
def experiment(bench: Bench, rule: Rule) -> Experiment:
    """The experiment of this scenario."""
    return Experiment(bench, rule)


# -- Given ---------------------------------------------------------------------------------------------------------


def must_agree(does: bool, catalogue_says: object) -> None:
    """Raises LookupError where a scenario says something else than the catalogue. (No `assert`: Python may leave those out.)"""
    if not does:
        raise LookupError(f"the catalogue says {catalogue_says}")


ENDPOINTS = {
    "any order": Endpoint.SUBMIT_ORDER,
    "any submission of an order": Endpoint.SUBMIT_ORDER,
    "any query for an order": Endpoint.GET_ORDER,
    "any deletion of an order": Endpoint.DELETE_ORDER,
    "a listing of the accounts": Endpoint.LIST_ACCOUNTS,
    "the integrator's credentials": Endpoint.CREATE_TOKEN,
    "any reconciliation": Endpoint.CREATE_RECONCILIATION,
    "any release": Endpoint.SUBMIT_RELEASE,
}


@given(parsers.re(f"(?P<what>{'|'.join(ENDPOINTS)})"))
def any_such_call(experiment: Experiment, what: str) -> None:
    experiment.endpoint = ENDPOINTS[what]


@given(parsers.parse("any order with status {status}"))
def any_order_with_status(experiment: Experiment, status: str) -> None:
    experiment.statuses = (status,)


SO_MANY_ORDERS = r"any reconciliation of (?P<least>\d+) (to (?P<most>\d+) )?orders?"


@given(parsers.re(SO_MANY_ORDERS))
def any_reconciliation_of_so_many_orders(experiment: Experiment, least: str, most: str | None) -> None:
    experiment.endpoint = Endpoint.CREATE_RECONCILIATION
    experiment.orders = int(least), int(most or least)


TWO_RECONCILIATIONS = "two reconciliations of one account, for (?P<periods>.+)"


def _refusals(items: Sequence[pytest.Item]) -> dict[Refusal, str]:
    """What scenarios say is refused of creations and releases, each with the id of its scenario."""
    found = {}
    for item in items:
        rule, steps = rule_of(item), steps_of(item)
        given, when, then = ([step.name for step in steps if step.type == type_] for type_ in ("given", "when", "then"))
        endpoint = ENDPOINTS.get(given[0]) if given else None
        if rule is not None and endpoint in OF_BATCHES and len(when) == 1 and REFUSED.match(then[0]):
            found[Refusal(rule.id, endpoint, when[0])] = item.nodeid
    return found


def _shared(items: Sequence[pytest.Item]) -> dict[str, tuple[Rule, Laws]]:
    """The scenarios, by id, whose Then step can be tried in a reconciliation that others share."""
    found = {}
    for item in items:
        rule, then = rule_of(item), [step.name for step in steps_of(item) if step.type == "then"]
        laws = SHARED_LAWS.get(then[0]) if then else None
        if rule is not None and laws is not None:
            found[item.nodeid] = catalogue()[rule.id], laws
    return found


ANY_LAWS: Mapping[str, WholeLaws] = {**CREATION_LAWS, **WHOLE_RELEASE_LAWS, **RECONCILED_LAWS, **PRINTED_LAWS}
"""Those whose Given step says all that there is to say, by the Then step."""


def _whole(items: Sequence[pytest.Item]) -> dict[str, tuple[Rule, WholeLaws]]:
    """The scenarios, by id, whose Then step can be tried in reconciliations one after the other."""
    found: dict[str, tuple[Rule, WholeLaws]] = {}
    for item in items:
        rule, steps = rule_of(item), steps_of(item)
        given, then = ([step.name for step in steps if step.type == type_] for type_ in ("given", "then"))
        alike = ANY_LAWS.get(then[0]) if then else None
        if rule is not None and alike is not None:
            found[item.nodeid] = catalogue()[rule.id], alike
        laws, orders = (
            WHOLE_LAWS.get(then[0]) if then else None,
            re.fullmatch(SO_MANY_ORDERS, given[0]) if given else None,
        )
        if rule is not None and laws is not None and orders is not None:
            least = int(orders["least"])
            found[item.nodeid] = catalogue()[rule.id], partial(laws, (least, int(orders["most"] or least)))
    return found


def _opening_at_once(items: Sequence[pytest.Item]) -> dict[str, str]:
    """The scenarios, by id, that open two reconciliations at once, by how their periods lie."""
    found = {}
    for item in items:
        given = [step.name for step in steps_of(item) if step.type == "given"]
        if given and (two := re.fullmatch(TWO_RECONCILIATIONS, given[0])):
            found[two["periods"]] = item.nodeid
    return found


# -- When ----------------------------------------------------------------------------------------------------------


@when(parsers.re("(?P<fault>(its|it|one|the|no) .+)"))
def with_a_fault(experiment: Experiment, fault: str) -> None:
    faults = FAULTS[experiment.rule.id]
    if fault not in faults:
        raise LookupError(f"{experiment.rule.id} has no fault {fault!r}; it has {', '.join(faults)}")
    experiment.fault = fault


# -- Then ----------------------------------------------------------------------------------------------------------


SENDING = "(submission|query|deletion|call|attempt|creation|release)"

REFUSED = re.compile(rf"every {SENDING} is (refused with|answered as the reading says)")


@then(parsers.re(rf"every {SENDING} is accepted with (?P<status>\w+)"))
def every_call_is_accepted(experiment: Experiment, status: str) -> None:
    must_agree(status == str(experiment.rule.accepted), experiment.rule.accepted)
    wanted = calls(experiment.bench.scope, experiment.endpoint, statuses=experiment.statuses)
    laws.accept(experiment.bench, experiment.rule, wanted)


@then(parsers.re(rf"every {SENDING} is refused with (?P<status>\w+)"))
def every_call_is_refused(experiment: Experiment, status: str) -> None:
    must_agree(status == str(experiment.rule.refused), experiment.rule.refused)
    must_agree(not experiment.rule.codes, experiment.rule.codes)
    experiment.refuse()


@then(parsers.re(rf"every {SENDING} is refused with (?P<status>\w+) and code (?P<code>\d+-\d+)"))
def every_call_is_refused_with_code(experiment: Experiment, status: str, code: str) -> None:
    must_agree((status, (code,)) == (str(experiment.rule.refused), experiment.rule.codes), experiment.rule.codes)
    experiment.refuse()


@then(parsers.re(r"every call is refused with (?P<status>\w+) and NO_TOKEN"))
def every_call_is_refused_with_no_token(experiment: Experiment, status: str) -> None:
    must_agree(status == str(experiment.rule.refused), experiment.rule.refused)
    must_agree(experiment.rule.no_token_body, "another body than NO_TOKEN")
    experiment.refuse()
