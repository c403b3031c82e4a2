"""The results that Allure gets: every rule of the catalogue, whatever became of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.contract.rules import catalogue
from conformance.report.allure_results import (
    NO_SCENARIO,
    NOT_ENOUGH,
    SEEN_ELSEWHERE,
    finish,
    merged,
)
from conformance.verdict.evidence import Evidence, Outcome
from conformance.verdict.violation import Finding
from tests.suite.support.made_up_certificates import certified
from tests.suite.support.made_up_evidence import waiver

URL: Final = "http://127.0.0.1:8765/order"
REQUEST: Final = {"method": "POST", "url": URL, "headers": {"integrator": "3f0e"}, "body": '{"totalGrossValue": 0.10}'}
RESPONSE: Final = {"status": 200, "headers": {"content-type": "application/json"}, "body": '{"message": "fine"}'}
GUILTY: Final = f"curl -i -X POST --data-raw '{REQUEST['body']}' {URL}"
STORY: Final = f"# 1. POST /order: 200\n{GUILTY}\n# 2. POST /order: 200\ncurl -i -X POST --data-raw '{{}}' {URL}"
REASON: Final = "ORD-04: expected it to be refused with 400, but it answered 200"
FINDING: Final = Finding("ORD-04", REASON, REQUEST, RESPONSE, STORY)


def evidence_of(**outcomes: tuple[Outcome, str]) -> Evidence:
    """Each rule (`ORD_04`) with one scenario that ended so."""
    evidence = Evidence()
    for name, (outcome, reason) in outcomes.items():
        rule = name.replace("_", "-")
        scenario = evidence.expect(f"tests/{rule}", rule, f"the scenario of {rule}")
        evidence.finish(scenario.id, outcome, reason, FINDING if outcome is Outcome.FAILED else None)
        if outcome is Outcome.PASSED:
            scenario.counts = {"accepted": 2, "refused": 2, "checked": 2}
    return evidence


def raw(scenario: str, status: str = "passed", **changed: Any) -> dict[str, Any]:
    """A result as pytest leaves it."""
    inner = {"name": "38 orders refused, 38 twins accepted", "status": "passed", "start": 5, "stop": 5}
    details = {} if status == "passed" else {"message": "pkg.Violation: bare", "trace": "Traceback: deep within"}
    steps = [
        {"name": "Given any order", "status": "passed", "start": 5, "stop": 5},
        {"name": "Then every submission is refused with 400", "status": status, "start": 5, "stop": 8,
         "steps": [inner] if status == "passed" else [], "statusDetails": details},
    ]  # fmt: skip
    labels = [{"name": "scenario", "value": scenario}, {"name": "host", "value": "my-machine"}]
    return {
        "uuid": f"raw-{scenario.replace('/', '-')}", "name": "test_x", "fullName": "a#b", "status": status, "start": 4, "stop": 9,
        "statusDetails": details, "labels": labels, "steps": steps, "historyId": "h", "testCaseId": "t",
        "parameters": [{"name": "_pytest_bdd_example", "value": "{}"}], **changed,
    }  # fmt: skip


def put(directory: Path, *results: dict[str, Any]) -> None:
    for result in results:
        (directory / f"{result['uuid']}-result.json").write_text(json.dumps(result))


def left(directory: Path) -> dict[str, list[dict[str, Any]]]:
    """The finished results, by rule."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(directory.glob("*-result.json")):
        result = json.loads(path.read_text())
        tags = [label["value"] for label in result.get("labels", []) if label["name"] == "tag"]
        found.setdefault(tags[0] if tags else "", []).append(result)
    return found


def finished(directory: Path, evidence: Evidence, **how: Any) -> dict[str, list[dict[str, Any]]]:
    finish(directory, evidence, certified(evidence, **how), {})
    return left(directory)


def attachments(directory: Path, result: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: (directory / each["source"]).read_text() for each in result["attachments"]}


FAILED: Final = (Outcome.FAILED, REASON)
PASSED: Final = (Outcome.PASSED, "")


# -- a failure -----------------------------------------------------------------------------------------------------


def test_a_failure_is_labelled_by_the_catalogue(tmp_path: Path) -> None:
    put(tmp_path, raw("tests/ORD-04", "failed"))
    [result] = finished(tmp_path, evidence_of(ORD_04=FAILED))["ORD-04"]
    rule = catalogue()["ORD-04"]
    assert [(label["name"], label["value"]) for label in result["labels"]] == [
        ("epic", "Koncili"),
        ("feature", "POST /order"),
        ("story", f"ORD-04 {rule.statement}"),
        ("severity", "critical"),
        ("tag", "ORD-04"),
        ("tag", "orders"),
        ("tag", "required"),
    ]
    assert result["name"] == "the scenario of ORD-04"
    assert (result["start"], result["stop"]) == (4, 9)
    [link] = result["links"]
    assert link["url"] == "../index.html#ORD-04"
    assert "Order Status Validation" in link["name"]
    assert "Expected: accepted with 2xx; refused with 400." in result["description"]


def test_a_failure_tells_its_kind_and_reason_and_no_traceback(tmp_path: Path) -> None:
    put(tmp_path, raw("tests/ORD-04", "failed"))
    [result] = finished(tmp_path, evidence_of(ORD_04=FAILED))["ORD-04"]
    assert result["status"] == "failed"
    assert result["statusDetails"] == {"message": f"accepted what must be refused\n{REASON}", "trace": ""}
    assert result["steps"][1]["statusDetails"] == result["statusDetails"]
    assert "Traceback" not in json.dumps(result)


def test_a_failure_shows_its_counterexample_the_right_call_and_the_story(tmp_path: Path) -> None:
    put(tmp_path, raw("tests/ORD-04", "failed"))
    [result] = finished(tmp_path, evidence_of(ORD_04=FAILED))["ORD-04"]
    shown = attachments(tmp_path, result)
    assert list(shown) == [
        "counterexample: request and answer",
        "counterexample: curl",
        "counterexample: the whole story, call by call",
    ]
    exchange = json.loads(shown["counterexample: request and answer"])
    assert exchange["request"]["body"]["value"] == '{\n  "totalGrossValue": 0.10\n}'
    assert exchange["response"]["status"] == 200
    assert shown["counterexample: curl"] == GUILTY
    assert shown["counterexample: the whole story, call by call"] == STORY


def test_a_failure_that_took_one_call_has_no_story(tmp_path: Path) -> None:
    evidence = evidence_of(ORD_04=FAILED)
    evidence.finish("tests/ORD-04", *FAILED, Finding("ORD-04", REASON, REQUEST, RESPONSE, GUILTY))
    [result] = finished(tmp_path, evidence)["ORD-04"]
    assert list(attachments(tmp_path, result)) == ["counterexample: request and answer", "counterexample: curl"]


def test_what_was_sent_may_hold_what_no_file_can(tmp_path: Path) -> None:
    evidence = evidence_of(ORD_04=FAILED)
    evidence.finish("tests/ORD-04", *FAILED, Finding("ORD-04", REASON, REQUEST, RESPONSE, "curl '\ud800'"))
    [result] = finished(tmp_path, evidence)["ORD-04"]
    assert attachments(tmp_path, result)["counterexample: curl"] == "curl '\\ud800'"


def test_a_waived_failure_says_until_when_and_why(tmp_path: Path) -> None:
    [result] = finished(tmp_path, evidence_of(ORD_04=FAILED), waivers=[waiver("ORD-04")])["ORD-04"]
    assert result["statusDetails"]["message"] == (
        f"failing, and waived\nwaived until 2026-12-31: ticket 4711 (covers the whole rule)\n{REASON}"
    )
    assert result["status"] == "skipped"  # as in JUnit: `allure quality-gate --max-failures 0` lets it pass
    assert {"name": "tag", "value": "waived"} in result["labels"]


def test_a_rule_seen_broken_by_the_scenario_of_another_has_a_failure_of_its_own(tmp_path: Path) -> None:
    evidence = evidence_of(ERR_02=PASSED, ORD_04=PASSED)
    reason = "ERR-02: expected no server error, but it answered 500"
    evidence.observed["ERR-02"] = Finding("ERR-02", reason, REQUEST, RESPONSE | {"status": 500}, GUILTY)
    results = finished(tmp_path, evidence)
    own, of_the_rule = sorted(results["ERR-02"], key=lambda result: str(result["name"] == SEEN_ELSEWHERE))
    assert own["status"] == "passed"
    assert (of_the_rule["name"], of_the_rule["status"]) == (SEEN_ELSEWHERE, "failed")
    assert of_the_rule["statusDetails"]["message"] == f"server error\n{reason}"
    assert attachments(tmp_path, of_the_rule)["counterexample: curl"] == GUILTY
    assert len(results["ORD-04"]) == 1


# -- what did not fail ---------------------------------------------------------------------------------------------


def test_a_pass_tells_in_its_steps_what_was_counted_and_shows_an_exchange_of_each_side(tmp_path: Path) -> None:
    evidence = evidence_of(ORD_04=PASSED)
    for side in ("accepted", "refused"):
        evidence.scenarios["tests/ORD-04"].samples[side] = {"request": REQUEST, "response": RESPONSE}
    put(tmp_path, raw("tests/ORD-04"))
    [result] = finished(tmp_path, evidence)["ORD-04"]
    assert (result["status"], result["statusDetails"]) == ("passed", {})
    assert [step["name"] for step in result["steps"]] == [
        "Given any order",
        "Then every submission is refused with 400: 38 orders refused, 38 twins accepted",
    ]
    shown = attachments(tmp_path, result)
    assert list(shown) == ["one accepted", "one refused"]
    assert json.loads(shown["one refused"])["request"]["method"] == "POST"
    assert {each["type"] for each in result["attachments"]} == {"application/vnd.allure.http+json"}


NOT_EXERCISED: Final = "needs fixtures.foreign_order in the target file"


def test_what_was_not_exercised_is_shown_with_its_reason(tmp_path: Path) -> None:
    put(tmp_path, raw("tests/DEL-03", "skipped"))
    [result] = finished(tmp_path, evidence_of(DEL_03=(Outcome.NOT_EXERCISED, NOT_EXERCISED)))["DEL-03"]
    assert (result["status"], result["statusDetails"]["message"]) == ("skipped", f"not exercised\n{NOT_EXERCISED}")


def test_what_was_not_selected_is_shown_and_says_so(tmp_path: Path) -> None:
    results = finished(tmp_path, evidence_of(ORD_04=PASSED, ORD_05=(Outcome.NOT_RUN, "")))
    assert results.keys() == catalogue().rules.keys()
    [deselected], [absent] = results["ORD-05"], results["ORD-06"]
    for result, name in ((deselected, "the scenario of ORD-05"), (absent, NO_SCENARIO)):
        assert (result["name"], result["status"]) == (name, "skipped")
        assert result["statusDetails"]["message"] == "not exercised\nnot selected"


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("harness error: RuntimeError: broken", "harness error"),
        ("no answer; run again when the way to the target is clear", "target unavailable"),
        ("ORD-01 stood in the way: it was refused", "undecided"),
        ("the run was interrupted before this scenario ended", "undecided"),
    ],
)
def test_what_is_undecided_does_not_look_like_a_failure_of_koncili(reason: str, kind: str, tmp_path: Path) -> None:
    put(tmp_path, raw("tests/ORD-04", "failed"))
    [result] = finished(tmp_path, evidence_of(ORD_04=(Outcome.INCONCLUSIVE, reason)))["ORD-04"]
    assert (result["status"], result["statusDetails"]["message"]) == ("broken", f"{kind}\n{reason}")
    assert bool(result["statusDetails"]["trace"]) is (kind == "harness error")


def test_a_rule_whose_scenarios_passed_without_evidence_says_so(tmp_path: Path) -> None:
    evidence = evidence_of(ORD_04=PASSED)
    evidence.scenarios["tests/ORD-04"].counts = {"accepted": 3}
    [broken] = [each for each in finished(tmp_path, evidence)["ORD-04"] if each["name"] == NOT_ENOUGH]
    assert broken["status"] == "broken"
    assert "no refusal beside an accepted twin was seen" in broken["statusDetails"]["message"]


def test_a_scenario_whose_result_is_damaged_is_shown_all_the_same(tmp_path: Path) -> None:
    half = tmp_path / "half-result.json"
    half.write_text('{"uuid": "ha')
    evidence = evidence_of(ORD_04=FAILED)
    finish(tmp_path, evidence, certified(evidence), {})
    half.unlink()
    assert [result["status"] for result in left(tmp_path)["ORD-04"]] == ["failed"]


# -- the same scenario in other runs -------------------------------------------------------------------------------


def identities(directory: Path, **how: Any) -> set[tuple[str, str, str]]:
    """By what Allure knows the results of a run."""
    directory.mkdir()
    put(directory, raw("tests/ORD-04", "failed"))
    results = finished(directory, evidence_of(ORD_04=FAILED, ORD_05=PASSED), **how)
    every = [each for found in results.values() for each in found]
    assert all(parameter["excluded"] for each in every for parameter in each["parameters"])
    return {(each["fullName"], each["testCaseId"], each["historyId"]) for each in every}


def test_a_scenario_is_known_again_whatever_the_seed_the_target_and_the_verdict(tmp_path: Path) -> None:
    first = identities(tmp_path / "first")
    assert first == identities(tmp_path / "second", seed=99, name="other", waivers=[waiver("ORD-04")])
    assert len({history for _, _, history in first}) == len(first) == len(catalogue().rules)


def test_its_parameters_tell_reading_profile_seed_and_target(tmp_path: Path) -> None:
    rule = next(rule for rule in catalogue().rules.values() if rule.reading == "value-mismatch")
    [result] = finished(tmp_path, evidence_of())[rule.id]
    assert {each["name"]: each["value"] for each in result["parameters"]} == {
        "reading value-mismatch": "rejected (default)",
        "profile": "certification",
        "seed": "7",
        "target": "ours (http://127.0.0.1:8765)",
    }


def test_the_parts_of_a_scenario_that_went_on_at_the_end_are_one_result() -> None:
    early, late = raw("a", start=1, stop=2, attachments=[1]), raw("a", start=7, stop=9, attachments=[2])
    whole = merged([late, early])
    assert (whole["start"], whole["stop"], whole["attachments"]) == (1, 9, [1, 2])
    assert [len(step.get("steps", [])) for step in whole["steps"]] == [0, 2]
    assert early == raw("a", start=1, stop=2, attachments=[1])
    assert merged([]) == {}


# -- the directory -------------------------------------------------------------------------------------------------


def test_the_results_of_others_are_left_alone_and_fixtures_are_not_shown(tmp_path: Path) -> None:
    other = {"uuid": "other", "name": "a test of the user's own", "labels": [{"name": "host", "value": "x"}]}
    put(tmp_path, other, raw("tests/ORD-04"))
    ours, theirs = {"children": ["raw-tests-ORD-04"]}, {"children": ["raw-tests-ORD-04", "other"]}
    for name, container in (("ours", ours), ("theirs", theirs)):
        (tmp_path / f"{name}-container.json").write_text(json.dumps(container))
    finish(tmp_path, evidence := evidence_of(ORD_04=PASSED), certified(evidence), {})
    assert json.loads((tmp_path / "other-result.json").read_text()) == other
    assert list(tmp_path.glob("raw-*")) == []
    assert [path.name for path in tmp_path.glob("*-container.json")] == ["theirs-container.json"]


def test_the_machine_is_not_named(tmp_path: Path) -> None:
    put(tmp_path, raw("tests/ORD-04"))
    finish(tmp_path, evidence := evidence_of(ORD_04=PASSED), certified(evidence), {})
    assert [path for path in tmp_path.iterdir() if b"my-machine" in path.read_bytes()] == []


def test_categories_environment_and_executor_lie_beside_the_results(tmp_path: Path) -> None:
    evidence = evidence_of(ORD_04=FAILED)
    finish(tmp_path, evidence, certified(evidence), {"JENKINS_URL": "https://jenkins.example/", "SECRET": "s3cret"})
    assert json.loads((tmp_path / "executor.json").read_text())["name"] == "Jenkins"
    assert "verdict=nonconformant\n" in (tmp_path / "environment.properties").read_text()
    assert len(json.loads((tmp_path / "categories.json").read_text())) == 10
    assert [path for path in tmp_path.iterdir() if b"s3cret" in path.read_bytes()] == []
