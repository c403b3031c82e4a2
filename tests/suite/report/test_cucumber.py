"""cucumber.ndjson as Cucumber's own library of messages reads it: every scenario of the features, with its end."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from typing import Any, Final

from cucumber_messages import Envelope, message_converter
from cucumber_messages import TestStepResultStatus as Status

from conformance.contract.rules import catalogue
from conformance.report.cucumber import messages
from conformance.run.scenario import feature_files
from conformance.verdict.certificate import Certificate
from conformance.verdict.evidence import Evidence, Outcome
from tests.suite.support.made_up_certificates import certified
from tests.suite.support.made_up_evidence import finding, scenario, waiver

FEATURES: Final = feature_files()


def read(certificate: Certificate, evidence: Evidence) -> list[Envelope]:
    """As Cucumber's library reads it, which makes of each line one of its messages."""
    lines = messages(certificate, evidence, FEATURES).splitlines()
    found = [message_converter.from_dict(json.loads(line), Envelope) for line in lines]
    assert [message_converter.to_dict(one) for one in found] == [
        json.loads(line) for line in lines
    ]  # nothing was left out
    return found


def pickles(envelopes: list[Envelope]) -> dict[str, Any]:
    return {one.pickle.id: one.pickle for one in envelopes if one.pickle}


@cache
def titles() -> tuple[tuple[str, str], ...]:
    """Rule and title of every scenario."""
    found = pickles(read(certified(), Evidence())).values()
    return tuple((pickle.tags[0].name.removeprefix("@"), pickle.name) for pickle in found)


def ended(envelopes: list[Envelope]) -> dict[tuple[str, str], list[Status]]:
    """By rule and title how the steps of each scenario ended, by way of case and attempt as a reporter goes."""
    cases = {one.test_case.id: one.test_case for one in envelopes if one.test_case}
    attempts = {one.test_case_started.id: one.test_case_started for one in envelopes if one.test_case_started}
    assert {one.test_case_finished.test_case_started_id for one in envelopes if one.test_case_finished} == set(attempts)
    known = pickles(envelopes)
    found = defaultdict[tuple[str, str], list[Status]](list)
    for one in envelopes:
        if one.test_step_finished:
            case = cases[attempts[one.test_step_finished.test_case_started_id].test_case_id]
            assert one.test_step_finished.test_step_id in {step.id for step in case.test_steps}
            pickle = known[case.pickle_id]
            found[pickle.tags[0].name.removeprefix("@"), pickle.name].append(
                one.test_step_finished.test_step_result.status
            )
    return found


def held() -> Evidence:
    """A run in which every scenario of the features passed."""
    evidence = Evidence()
    for rule, title in titles():
        evidence.expect(f"{rule} {title}", rule, title)
        for side in catalogue()[rule].sides:
            evidence.saw(f"{rule} {title}", side)
        evidence.finish(f"{rule} {title}", Outcome.PASSED)
    return evidence


def success(envelopes: list[Envelope]) -> bool:
    [finished] = [one.test_run_finished for one in envelopes if one.test_run_finished]
    return bool(finished.success)


def test_every_scenario_is_there_once_and_all_hold() -> None:
    evidence = held()
    envelopes = read(certified(evidence), evidence)
    known = list(titles())
    assert len(set(known)) == len(known) > len(catalogue().rules)
    assert {rule for rule, _ in known} == set(catalogue().rules)
    assert list(ended(envelopes)) == known
    assert {status for steps in ended(envelopes).values() for status in steps} == {Status.passed}
    assert success(envelopes)


def test_each_scenario_ends_as_it_was_seen_to() -> None:
    evidence, (first, second, third, *_) = held(), [title for rule, title in titles() if rule == "ORD-04"]
    evidence.finish(f"ORD-04 {first}", Outcome.FAILED, "it was accepted", finding("ORD-04"))
    evidence.finish(f"ORD-04 {second}", Outcome.INCONCLUSIVE, "the target went away")
    evidence.finish(f"ORD-04 {third}", Outcome.NOT_EXERCISED, "needs what is not there")
    envelopes = read(certified(evidence), evidence)
    steps = ended(envelopes)
    assert steps["ORD-04", first][-1] is Status.failed
    assert set(steps["ORD-04", first][:-1]) == {Status.passed}
    assert steps["ORD-04", second][-1] is Status.unknown
    assert set(steps["ORD-04", third]) == {Status.skipped}
    told = [
        one.test_step_finished.test_step_result.message
        for one in envelopes
        if one.test_step_finished and one.test_step_finished.test_step_result.message
    ]
    assert told == ["it was accepted", "the target went away", "needs what is not there"]
    assert not success(envelopes)


def test_a_rule_that_was_seen_broken_beside_others_has_a_scenario_that_failed() -> None:
    evidence = held()
    evidence.observed["ERR-02"] = finding("ERR-02", "it answered 500")
    envelopes = read(certified(evidence), evidence)
    failed = [key for key, steps in ended(envelopes).items() if Status.failed in steps]
    assert [rule for rule, _ in failed] == ["ERR-02"]
    assert not success(envelopes)


def test_a_waived_failure_is_skipped_and_what_did_not_run_too() -> None:
    evidence = held()
    title = next(title for rule, title in titles() if rule == "ORD-06")
    evidence.finish(f"ORD-06 {title}", Outcome.FAILED, "it was accepted", finding("ORD-06"))
    certificate = certified(evidence, [waiver("ORD-06")])
    assert set(ended(read(certificate, evidence))["ORD-06", title]) == {Status.skipped}
    nothing = Evidence()
    scenario(nothing, "ORD-04", "of another suite", Outcome.PASSED)
    envelopes = read(certified(nothing), nothing)
    assert {status for steps in ended(envelopes).values() for status in steps} == {Status.skipped}
    assert not success(envelopes)
