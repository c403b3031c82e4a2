"""Schemathesis's cases: what they are, that they are always the same, that those kept are these, and that importing it leaves
Hypothesis as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from conformance.contract import openapi
from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import loads
from conformance.engine.schema_cases import MOST, PARTS, TABLE, SchemaCase, cases
from conformance.profiles import PROFILES
from tests.schema_cases import chosen, coverage_cases, document_about, load_schemathesis, parts_of, table

ROOT: Final = Path(__file__).parents[3]

OPERATIONS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, item in openapi.load()["paths"].items()
    for method, operation in item.items()
    if method in openapi.METHODS
}
"""By operationId: method, path and Operation Object."""

WITH_BODY: Final = [name for name, (_, _, operation) in OPERATIONS.items() if "requestBody" in operation]
WITH_QUERY: Final = [name for name, (_, _, operation) in OPERATIONS.items() if operation.get("parameters")]

each_operation = pytest.mark.parametrize("name", OPERATIONS)


def cases_of(name: str) -> list[SchemaCase]:
    return coverage_cases(name, openapi.load())


def declared_method(case: SchemaCase) -> bool:
    return case.method == OPERATIONS[case.operation_id][0]


def digest_of_all() -> str:
    return sha256("\n".join(repr(case) for name in OPERATIONS for case in cases_of(name)).encode()).hexdigest()


def run_python(script: str, **environment: str) -> str:
    """What a script prints in a fresh process that makes an error of every warning."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout.strip()


# -- Hypothesis ----------------------------------------------------------------------------------------------------

DIFFERENCES: Final = """
import pkgutil, sys, warnings
import hypothesis, hypothesis.stateful, hypothesis.provisional

def state():
    things = {
        (name, attribute): value
        for name, module in list(sys.modules.items()) if name.partition(".")[0] == "hypothesis"
        for attribute, value in vars(module).items()
        if callable(value) or attribute.isupper()  # the rest is what Hypothesis remembers
    }
    profiles = hypothesis.settings._profiles
    return things, dict(profiles), hypothesis.settings.default, list(warnings.filters)

before = state()
from conformance.contract import openapi
from tests.schema_cases import coverage_cases, load_schemathesis
assert "schemathesis" not in sys.modules
load_schemathesis()
for item in openapi.load()["paths"].values():
    for method in item.keys() & set(openapi.METHODS):
        coverage_cases(item[method]["operationId"], openapi.load())
import schemathesis.generation.hypothesis.builder  # which would change Hypothesis, were it the first to do so
after = state()
print([key for key, value in before[0].items() if after[0].get(key) is not value])
print(before[1:3] == after[1:3], before[3] == [entry for entry in after[3] if entry in before[3]])
"""


def test_loading_and_using_schemathesis_leaves_hypothesis_as_it_was() -> None:
    assert run_python(DIFFERENCES).splitlines() == ["[]", "True True"]


def test_what_is_loaded_of_hypothesis_afterwards_is_as_ever() -> None:
    sizes = "import hypothesis.stateful as s, hypothesis.internal.conjecture.engine as e; print(s.BUFFER_SIZE, e.BUFFER_SIZE)"
    load = "from tests.schema_cases import load_schemathesis; load_schemathesis(); "
    assert run_python(load + sizes) == run_python(sizes)


def test_a_falsifying_example_is_shown_in_full() -> None:
    load_schemathesis()

    @settings(database=None, phases=[Phase.generate], deadline=None)
    @given(st.just({"status": "an odd one"}))
    def law(order: dict[str, str]) -> None:
        assert order["status"] == "INVOICED"

    with pytest.raises(AssertionError) as caught:
        law()
    assert "order={'status': 'an odd one'}" in "\n".join(caught.value.__notes__)


# -- always the same -----------------------------------------------------------------------------------------------


def test_the_cases_are_the_same_in_every_process() -> None:
    script = "from tests.suite.engine.test_schema_cases import digest_of_all; print(digest_of_all())"
    assert run_python(script, PYTHONHASHSEED="1") == digest_of_all()


@each_operation
def test_a_list_of_cases_is_the_callers_own(name: str) -> None:
    first = cases_of(name)
    first.clear()
    assert cases_of(name)


def test_it_makes_no_difference_which_operation_is_asked_for_first() -> None:
    document = deepcopy(openapi.load())
    document["info"]["title"] = "not in the cache"
    assert all(coverage_cases(name, document) == cases_of(name) for name in reversed(OPERATIONS))


def test_the_document_is_left_as_it_is() -> None:
    document = deepcopy(openapi.load())
    coverage_cases("submitOrder", document)
    assert document == openapi.load()


def test_an_operation_that_the_document_has_not_is_an_error() -> None:
    with pytest.raises(LookupError, match="noSuchOperation"):
        cases_of("noSuchOperation")


# -- what a case is ------------------------------------------------------------------------------------------------


@each_operation
def test_an_operation_has_positives_by_its_own_method_and_path(name: str) -> None:
    method, path, _ = OPERATIONS[name]
    positives = [case for case in cases_of(name) if case.positive]
    assert positives
    assert {(case.method, case.path) for case in positives} == {(method, path)}


@pytest.mark.parametrize("name", WITH_BODY)
def test_bodies_are_valid_in_positives_and_no_others(name: str) -> None:
    validator = openapi.request_validator(name)
    cases = [case for case in cases_of(name) if declared_method(case)]
    assert {case.positive for case in cases} == {True, False}
    wrong = [
        case for case in cases if case.positive != (case.body is not None and validator.is_valid(loads(case.body)))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_missing_body_is_a_negative(name: str) -> None:
    assert [case.positive for case in cases_of(name) if case.body is None] == [False]


@pytest.mark.parametrize("name", WITH_QUERY)
def test_a_query_is_whole_and_well_formed_in_positives_and_no_others(name: str) -> None:
    def is_well_formed(query: Mapping[str, str]) -> bool:
        code, channel, account = (query.get(part) for part in ("marketplaceCode", "channelName", "accountId"))
        return bool(code and channel and account and account.isdecimal())

    cases = [case for case in cases_of(name) if declared_method(case)]
    assert {case.positive for case in cases} == {True, False}
    assert [case for case in cases if case.positive != is_well_formed(case.query)] == []


@pytest.mark.parametrize("name", WITH_QUERY)
def test_every_required_parameter_is_left_out_once(name: str) -> None:
    required = {"marketplaceCode", "channelName", "accountId"}
    missing = [required - case.query.keys() for case in cases_of(name)]
    assert Counter(part for parts in missing for part in parts) == dict.fromkeys(required, 1)


@each_operation
def test_other_methods_are_negatives_and_undeclared(name: str) -> None:
    path = OPERATIONS[name][1]
    others = [case for case in cases_of(name) if not declared_method(case)]
    assert not any(case.positive for case in others)
    assert {case.method.lower() for case in others}.isdisjoint(openapi.load()["paths"][path])


def test_every_path_has_other_methods_once() -> None:
    others = [(c.path, c.method) for name in OPERATIONS for c in cases_of(name) if not declared_method(c)]
    assert max(Counter(others).values()) == 1
    assert {path for path, _ in others} == set(openapi.load()["paths"])


@each_operation
def test_no_case_is_about_a_security_header(name: str) -> None:
    schemes = openapi.load()["components"]["securitySchemes"]
    for case in cases_of(name):
        assert not any(scheme in case.description for scheme in schemes)


@each_operation
def test_a_description_says_what_was_changed(name: str) -> None:
    cases = cases_of(name)
    assert all(case.description and case.kind for case in cases)
    for case in cases:
        if case.kind == "unspecified_http_method":
            assert case.method in case.description
        elif case.kind == "missing_parameter" and case.query:
            (missing,) = {"marketplaceCode", "channelName", "accountId"} - case.query.keys()
            assert missing in case.description


def test_examples_in_the_document_give_the_cases_their_values() -> None:
    document = deepcopy(openapi.load())
    document["components"]["schemas"]["AccountId"]["examples"] = [19055]
    bodies = [json.loads(case.body or b"{}") for case in coverage_cases("submitOrder", document) if case.positive]
    accounts = Counter(body["accountId"] for body in bodies)
    assert accounts[19055] > 0.9 * len(bodies)


# -- what is kept of them ------------------------------------------------------------------------------------------

EXTENT: Final = {"smoke": 1, "certification": 1, "deep": MOST}


def test_the_table_is_what_schemathesis_makes_of_the_document() -> None:
    assert TABLE.read_text("utf-8") == table(), "make schema writes it anew"


@pytest.mark.parametrize(
    ("operation", "account", "channel"),
    [
        ("submitOrder", 19055, "CHANNEL_NAME"),
        ("getOrder", 1, "Loja 'Ç' \\ \"1\""),
        ("createReconciliation", 4294986351, "São Paulo \N{FULL BLOCK}"),
        ("refreshToken", 19055, "CHANNEL_NAME"),
    ],
)
def test_a_kept_case_is_what_schemathesis_makes_about_the_targets_account(
    operation: str, account: int, channel: str
) -> None:
    made = parts_of(coverage_cases(operation, document_about(operation, account, channel)))
    for part in PARTS:
        for most in EXTENT.values():
            kept = cases(operation, part, most, account=account, channel=channel)
            assert kept == choice(made[part], most)


def test_no_profile_sends_more_than_is_kept() -> None:
    assert max(profile.sequences // 6 for profile in PROFILES.values()) <= MOST
    assert all(cases(endpoint.value, PARTS[0], 1, account=1, channel="x") for endpoint in Endpoint)


# -- choosing ------------------------------------------------------------------------------------------------------


def case_of(kind: str, number: int) -> SchemaCase:
    """A case; three in a row have the same description."""
    return SchemaCase(
        operation_id="submitOrder",
        description=f"{kind} {number // 3}",
        positive=False,
        method="POST",
        path="/order",
        query={},
        body=b"%d" % number,
        kind=kind,
    )


def named(*kinds: str) -> list[SchemaCase]:
    return [case_of(kind, number) for number, kind in enumerate(kinds)]


def choice(cases: Sequence[SchemaCase], at_most: int) -> list[SchemaCase]:
    """What is chosen, in the order of the cases."""
    return [cases[position] for position in sorted(chosen(cases, at_most))]


def test_a_choice_takes_every_kind_alike() -> None:
    cases = named(*["type"] * 30, *["format"] * 6, "pattern")
    assert Counter(case.kind for case in choice(cases, 3)) == {"type": 1, "format": 1, "pattern": 1}
    assert Counter(case.kind for case in choice(cases, 11)) == {"type": 5, "format": 5, "pattern": 1}


def test_a_choice_takes_every_description_of_a_kind_alike() -> None:
    descriptions = [case.description for case in choice(named(*["type"] * 30), 10)]
    assert len(set(descriptions)) == 10


def test_a_choice_is_spread_over_the_list() -> None:
    cases = [replace(case, description="one and the same") for case in named(*["type"] * 101)]
    assert [case.body for case in choice(cases, 5)] == [b"0", b"25", b"50", b"75", b"100"]


def test_a_choice_holds_every_smaller_one_in_the_order_of_the_cases() -> None:
    cases = [case for case in cases_of("submitOrder") if not case.positive]
    sizes = (1, 2, 5, 20, 60)
    choices = [choice(cases, size) for size in sizes]
    assert [len(choice) for choice in choices] == list(sizes)
    for smaller, larger in pairwise(choices):
        assert smaller == [case for case in larger if case in smaller]
    assert choices[-1] == sorted(choices[-1], key=cases.index)
    assert chosen(cases, 5) == chosen(cases, 60)[:5]


def test_a_choice_of_real_cases_has_every_kind() -> None:
    cases = [case for case in cases_of("submitOrder") if not case.positive]
    kinds = {case.kind for case in cases}
    assert {case.kind for case in choice(cases, len(kinds))} == kinds


def test_a_choice_of_more_than_there_are_is_all_of_them() -> None:
    cases = cases_of("getOrder")
    assert choice(cases, 1000) == cases
    assert choice(cases, 0) == choice([], 5) == []
