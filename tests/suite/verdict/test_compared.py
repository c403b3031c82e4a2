"""In what a target and the mock differ, of made-up certificates: nothing where they answered alike, else by the right rule."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.verdict.certificate import Certificate
from conformance.verdict.compared import compared
from conformance.verdict.evidence import Outcome
from conformance.verdict.observed import ObservedEntry
from tests.suite.support.made_up_certificates import certified
from tests.suite.support.made_up_evidence import all_pass, scenario

SEEN: dict[str, Any] = {
    "statuses": {"POST /order": {"200": 9, "400": 3}, "DELETE /order": {"200": 1}},
    "refusals": {"ORD-07": {"400 400-3": 2}, "ORD-02": {"400 400-0": 2}},
    "delays": {"POST /order": {"median": 1, "slowest": 2}},
    "forms": {"instant": {"as sent": 9, "9999-99-99T99:99:99Z": 1}, "accountId": {"9": 4, '"9"': 1}},
}


def seen(**changes: Any) -> Certificate:
    return certified(all_pass(), observed=ObservedEntry.model_validate({**SEEN, **changes}))


def told(target: Certificate, mock: Certificate | None = None) -> list[tuple[str, str]]:
    return [(one.rule, one.what) for one in compared(target, mock or seen()).differences]


def test_two_that_answered_alike_do_not_differ() -> None:
    both = compared(seen(), seen(delays={}))  # how long they took is not compared
    assert (both.differences, both.undecided) == ((), ())
    assert both.compared > 90


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"refusals": {**SEEN["refusals"], "ORD-07": {"400 400-0": 2}}}, ("ORD-07", "refusal")),
        ({"refusals": {"ORD-02": {"422 422-0": 2}}}, ("ORD-02", "refusal")),
        ({"statuses": {"POST /order": {"201": 9}}}, ("ORD-01", "POST /order accepted with")),
        ({"statuses": {"DELETE /order": {"204": 1}}}, ("DEL-01", "DELETE /order accepted with")),
        ({"forms": {"instant": {"9999-99-99T99:99:99.999Z": 9}}}, ("QRY-01", "form of instant")),
        ({"forms": {"accountId": {'"9"': 9}}}, ("QRY-01", "form of accountId")),
    ],
)
def test_an_answer_of_another_kind_is_told_by_its_rule(changes: dict[str, Any], difference: tuple[str, str]) -> None:
    assert told(seen(**changes)) == [difference]


def test_a_refusal_that_the_target_gave_less_often_is_no_difference() -> None:
    mock = seen(refusals={"ORD-07": {"400 400-3": 1, "400 400-0": 1}})
    assert told(seen(), mock) == []


def test_a_rule_that_one_of_them_breaks_is_told_with_the_reason() -> None:
    evidence = all_pass("ORD-04")
    scenario(evidence, "ORD-04", "it is refused", Outcome.FAILED, "it was accepted")
    broken = certified(evidence)
    (one,) = compared(broken, certified(all_pass())).differences
    assert (one.rule, one.what, one.mock) == ("ORD-04", "verdict", "pass")
    assert "it was accepted" in one.target
    (other,) = compared(certified(all_pass()), broken).differences
    assert (other.rule, other.target) == ("ORD-04", "pass")


def test_what_only_one_of_them_could_decide_is_no_difference_but_told() -> None:
    evidence = all_pass("LIM-01")
    scenario(evidence, "LIM-01", "past the limit", Outcome.NOT_EXERCISED, "mock only")
    both = compared(certified(evidence), certified(all_pass()))
    assert (both.differences, both.undecided) == ((), ("LIM-01",))
