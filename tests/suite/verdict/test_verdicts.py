"""From evidence to verdicts: a failure outweighs all, and nothing passes on no evidence."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import resolve
from conformance.contract.rules import Level, Rule, Side, catalogue
from conformance.errors import CannotRun
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.redaction import Redactor
from conformance.verdict.evidence import Evidence, Outcome, ScenarioEvidence
from conformance.verdict.verdicts import EXIT_CODES, Kinds, RuleResult, RuleVerdict, RunVerdict, judge_rule, judge_run
from conformance.verdict.violation import Finding, Violation, request_of, response_of
from conformance.verdict.waivers import Waiver, load_waivers, waive

READINGS = resolve({})
RULE = catalogue()["ORD-04"]
FINDING = Finding("ORD-04", "accepted", {}, {}, "curl")
EXCHANGE = Exchange(
    datetime(2026, 11, 22, tzinfo=UTC), "POST", "https://koncili.example/order", {}, b"", 200, {}, b"", 0.1,
    Endpoint.SUBMIT_ORDER,
)  # fmt: skip


def _evidence(*scenarios: tuple[Outcome, dict[Side, int]], finding: Finding | None = None) -> Evidence:
    evidence = Evidence()
    for number, (outcome, counts) in enumerate(scenarios):
        name = f"scenario-{number}"
        evidence.expect(name, RULE.id, name)
        for side, count in counts.items():
            for _ in range(count):
                evidence.saw(name, side)
        reason = "" if outcome is Outcome.PASSED else f"reason-{number}"
        evidence.finish(name, outcome, reason, finding if outcome is Outcome.FAILED else None)
    return evidence


BOTH = {Side.ACCEPTED: 2, Side.REFUSED: 2}
CHECKED = (Side.CHECKED,) * 4


@pytest.mark.parametrize(
    ("evidence", "verdict", "reason"),
    [
        pytest.param(_evidence((Outcome.PASSED, BOTH)), "pass", "", id="both sides"),
        pytest.param(Evidence(), "not-exercised", "not selected", id="no scenario"),
        pytest.param(_evidence((Outcome.PASSED, {})), "inconclusive", "acceptance", id="passed with nothing seen"),
        pytest.param(_evidence((Outcome.PASSED, {Side.REFUSED: 3})), "inconclusive", "acceptance", id="no twin"),
        pytest.param(_evidence((Outcome.PASSED, {Side.ACCEPTED: 3})), "inconclusive", "refusal", id="no refusal"),
        pytest.param(
            _evidence((Outcome.PASSED, BOTH), (Outcome.PASSED, {})),
            "inconclusive",
            "scenario-1",
            id="one row of two empty",
        ),
        pytest.param(_evidence((Outcome.NOT_RUN, {})), "not-exercised", "not selected", id="not run"),
        pytest.param(
            _evidence((Outcome.PASSED, BOTH), (Outcome.NOT_RUN, {})), "not-exercised", "1 of 2", id="one row of two run"
        ),
        pytest.param(
            _evidence((Outcome.PASSED, BOTH), (Outcome.NOT_EXERCISED, {})),
            "not-exercised",
            "reason-1",
            id="one row skipped",
        ),
        pytest.param(
            _evidence((Outcome.PASSED, BOTH), (Outcome.INCONCLUSIVE, {})),
            "inconclusive",
            "reason-1",
            id="one inconclusive",
        ),
        pytest.param(_evidence((Outcome.FAILED, {})), "inconclusive", "reason-0", id="failed without a finding"),
        pytest.param(
            _evidence((Outcome.INCONCLUSIVE, {}), (Outcome.FAILED, BOTH), finding=FINDING),
            "fail",
            "accepted",
            id="failed",
        ),
    ],
)
def test_the_verdict_on_a_rule(evidence: Evidence, verdict: str, reason: str) -> None:
    result = judge_rule(RULE, evidence, READINGS)
    assert result.verdict == verdict
    assert reason in result.reason


def test_what_was_observed_elsewhere_fails_the_rule_too() -> None:
    evidence = _evidence((Outcome.PASSED, BOTH))
    evidence.observe(Violation(rule=RULE.id, expected="400", actual="200", exchange=None), Redactor())
    assert judge_rule(RULE, evidence, READINGS).verdict is RuleVerdict.FAIL


def test_a_scenario_that_failed_without_a_finding_leaves_the_word_to_what_was_observed() -> None:
    evidence = _evidence((Outcome.FAILED, BOTH))
    evidence.observe(Violation(rule=RULE.id, expected="400", actual="200", exchange=None), Redactor())
    assert judge_rule(RULE, evidence, READINGS).finding == evidence.observed[RULE.id]


def test_a_finding_of_the_rules_own_is_preferred_to_what_was_observed() -> None:
    evidence = _evidence((Outcome.FAILED, BOTH), finding=FINDING)
    evidence.observe(Violation(rule=RULE.id, expected="400", actual="200", exchange=None), Redactor())
    result = judge_rule(RULE, evidence, READINGS)
    assert result.finding == replace(FINDING, scenario="scenario-0")
    assert result.findings == (result.finding, evidence.observed[RULE.id])


def test_each_side_need_be_seen_only_once() -> None:
    result = judge_rule(RULE, _evidence((Outcome.PASSED, {Side.ACCEPTED: 1, Side.REFUSED: 1})), READINGS)
    assert (result.verdict, result.reason) == (RuleVerdict.PASS, "")


def test_the_sides_of_a_rule_may_hang_on_a_reading() -> None:
    rule, accepting = catalogue()["ORD-18"], resolve({"empty-extracts": "accepted"})
    assert rule.sides_under(accepting) == (Side.ACCEPTED,)
    assert rule.sides_under(READINGS) == (Side.ACCEPTED, Side.REFUSED)
    evidence = Evidence()
    evidence.expect("only", rule.id, "only")
    evidence.saw("only", Side.ACCEPTED)
    evidence.finish("only", Outcome.PASSED)
    assert judge_rule(rule, evidence, accepting).verdict is RuleVerdict.PASS
    assert judge_rule(rule, evidence, READINGS).verdict is RuleVerdict.INCONCLUSIVE


def test_what_kept_a_scenario_from_its_evidence_is_told() -> None:
    evidence = _evidence((Outcome.PASSED, {Side.ACCEPTED: 3}))
    unseen = "scenario-0: no refusal beside an accepted twin was seen"
    assert judge_rule(RULE, evidence, READINGS).reason == unseen
    evidence.scenarios["scenario-0"].hindrance = "no order could be made"
    assert judge_rule(RULE, evidence, READINGS).reason == f"{unseen}; no order could be made"


def test_reasons_of_several_scenarios_are_told_once_each() -> None:
    evidence = _evidence((Outcome.INCONCLUSIVE, {}), (Outcome.INCONCLUSIVE, {}), (Outcome.INCONCLUSIVE, {}))
    evidence.scenarios["scenario-1"].reason = "reason-0"
    assert judge_rule(RULE, evidence, READINGS).reason == "reason-0; reason-2"


def test_a_verdict_rests_on_what_all_scenarios_saw() -> None:
    evidence = Evidence()
    for name, sides in {"one": (Side.ACCEPTED, Side.REFUSED, Side.REFUSED), "two": (Side.REFUSED, *CHECKED)}.items():
        evidence.expect(name, RULE.id, name)
        for side in sides:
            evidence.saw(name, side, EXCHANGE)
    evidence.saw("two", Side.CHECKED, replace(EXCHANGE, endpoint=Endpoint.GET_ORDER))
    evidence.saw("two", Side.CHECKED, replace(EXCHANGE, endpoint=None))
    evidence.saw("two", Side.CHECKED)
    evidence.expect("other", "ORD-05", "of another rule")
    evidence.saw("other", Side.ACCEPTED, EXCHANGE)
    result = judge_rule(RULE, evidence, READINGS)
    assert (result.rule, result.accepted, result.refused, result.checked) == (RULE, 1, 3, 7)
    assert result.endpoints == {
        "POST /order": {Side.ACCEPTED: 1, Side.REFUSED: 3, Side.CHECKED: 4},
        "GET /order": {Side.CHECKED: 1},
    }


# -- the whole run -------------------------------------------------------------------------------------------------


def _result(verdict: RuleVerdict, rule: Rule = RULE) -> RuleResult:
    return RuleResult(rule, verdict, "why", 1, 1, 0)


RECOMMENDED = next(rule for rule in catalogue().rules.values() if rule.level is Level.RECOMMENDED)
PASS, FAIL, SKIP, UNKNOWN = RuleVerdict.PASS, RuleVerdict.FAIL, RuleVerdict.NOT_EXERCISED, RuleVerdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("verdicts", "expected", "code"),
    [
        ([PASS, PASS], RunVerdict.CONFORMANT, 0),
        ([PASS, FAIL, UNKNOWN], RunVerdict.NONCONFORMANT, 1),
        ([PASS, SKIP], RunVerdict.PARTIAL, 2),
        ([PASS, UNKNOWN, SKIP], RunVerdict.INCONCLUSIVE, 2),
        ([SKIP, SKIP], RunVerdict.INCONCLUSIVE, 2),
        ([RuleVerdict.WAIVED], RunVerdict.INCONCLUSIVE, 2),
        ([PASS, RuleVerdict.WAIVED], RunVerdict.CONFORMANT, 0),
        ([], RunVerdict.INCONCLUSIVE, 2),
    ],
)
def test_the_verdict_on_a_run(verdicts: Iterable[RuleVerdict], expected: RunVerdict, code: int) -> None:
    verdict = judge_run([_result(each) for each in verdicts])
    assert verdict is expected
    assert EXIT_CODES[verdict] == code


@pytest.mark.parametrize("verdict", list(RuleVerdict))
def test_recommended_rules_never_decide(verdict: RuleVerdict) -> None:
    assert judge_run([_result(PASS), _result(verdict, RECOMMENDED)]) is RunVerdict.CONFORMANT
    assert judge_run([_result(verdict, RECOMMENDED)]) is RunVerdict.INCONCLUSIVE


# -- evidence ------------------------------------------------------------------------------------------------------


def test_a_scenario_is_entered_once() -> None:
    evidence = Evidence()
    entered = evidence.expect("id", "ORD-04", "name")
    assert entered == ScenarioEvidence("id", "ORD-04", "name")
    assert evidence.expect("id", "ORD-05", "another") is entered
    assert evidence.scenarios == {"id": entered}


def test_what_a_rule_took_is_what_its_scenarios_took() -> None:
    evidence = _evidence((Outcome.PASSED, BOTH), (Outcome.FAILED, {}), finding=FINDING)
    evidence.expect("another", "ORD-05", "another")
    for scenario, (requests, errors) in zip(evidence.scenarios.values(), [(7, 2), (4, 1), (100, 50)], strict=True):
        scenario.requests, scenario.client_errors = requests, errors
    result = judge_rule(RULE, evidence, READINGS)
    assert (result.requests, result.client_errors) == (11, 3)


def test_a_scenario_that_ended_well_needs_no_reason() -> None:
    evidence = Evidence()
    evidence.expect("id", "ORD-04", "name")
    evidence.finish("id", Outcome.PASSED)
    assert evidence.scenarios["id"] == ScenarioEvidence("id", "ORD-04", "name", Outcome.PASSED)


def test_of_what_was_observed_the_smallest_request_is_kept_and_of_equals_the_first() -> None:
    evidence = Evidence()
    for size, words in ((5, "large"), (3, "first small"), (3, "second small"), (4, "middling"), (9, "largest")):
        exchange = replace(EXCHANGE, request_body=b"x" * size)
        evidence.observe(Violation(rule="ERR-02", expected="no 5xx", actual=words, exchange=exchange), Redactor())
    assert evidence.observed["ERR-02"].reason == "ERR-02: expected no 5xx, but first small"


def test_the_newest_exchange_of_each_side_is_kept_as_a_sample() -> None:
    evidence, redactor = Evidence(), Redactor()
    redactor.learn("s3cret", "password")
    evidence.expect("id", "ORD-04", "name")
    newest = replace(EXCHANGE, url="https://koncili.example/order?s3cret", response_body=b"s3cret")
    for exchange in (EXCHANGE, newest):
        evidence.saw("id", Side.REFUSED, exchange)
    evidence.saw("id", Side.REFUSED)
    evidence.keep_samples("id", redactor)
    sample = {"request": request_of(newest, redactor), "response": response_of(newest, redactor)}
    assert evidence.scenarios["id"].samples == {Side.REFUSED: sample}
    assert "s3cret" not in str(sample)


def test_a_sample_is_taken_once() -> None:
    evidence = Evidence()
    evidence.expect("id", "ORD-04", "name")
    evidence.saw("id", Side.ACCEPTED, EXCHANGE)
    evidence.keep_samples("id", Redactor())
    evidence.scenarios["id"].samples.clear()
    evidence.keep_samples("id", Redactor())
    assert evidence.scenarios["id"].samples == {}


def test_evidence_survives_the_way_to_another_process() -> None:
    evidence = _evidence((Outcome.PASSED, BOTH), (Outcome.FAILED, {Side.ACCEPTED: 1}), finding=FINDING)
    evidence.observe(Violation(rule="ERR-02", expected="no 5xx", actual="500", exchange=None), Redactor())
    evidence.readings, evidence.readings_from = {"extract-types": "portal"}, {"extract-types": "probed"}
    merged = Evidence.merged([json.loads(json.dumps(evidence.as_dict()))])
    assert merged.as_dict() == evidence.as_dict()
    assert merged.scenarios == evidence.scenarios
    assert merged.observed == evidence.observed


def test_the_evidence_of_workers_is_merged() -> None:
    run_here, run_there = _evidence((Outcome.PASSED, BOTH)), _evidence((Outcome.NOT_RUN, {}))
    run_there.observe(Violation(rule="ERR-02", expected="no 5xx", actual="500", exchange=None), Redactor())
    for parts in ([run_here, run_there], [run_there, run_here]):
        merged = Evidence.merged(part.as_dict() for part in parts)
        assert merged.scenarios["scenario-0"].outcome is Outcome.PASSED
        assert merged.scenarios["scenario-0"].count(Side.REFUSED) == 2
        assert merged.observed["ERR-02"].reason.startswith("ERR-02")


# -- waivers -------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 22, 23, tzinfo=UTC)
WHOLE = Waiver(RULE.id, "known", date(2026, 12, 31), whole=True)


@pytest.mark.parametrize(
    ("until", "before", "after", "reason"),
    [
        (date(2026, 11, 22), FAIL, RuleVerdict.WAIVED, "waived until"),
        (date(2026, 11, 21), FAIL, FAIL, "expired"),
        (date(2026, 12, 31), PASS, PASS, "stale"),
        (date(2026, 12, 31), SKIP, SKIP, "why"),
    ],
)
def test_a_waiver_counts_until_its_last_day(until: date, before: RuleVerdict, after: RuleVerdict, reason: str) -> None:
    (result,) = waive([_result(before)], [replace(WHOLE, until=until)], NOW)
    assert result.verdict is after
    assert reason in result.reason


@pytest.mark.parametrize(
    ("zone", "after"), [("UTC", FAIL), ("America/Sao_Paulo", RuleVerdict.WAIVED), ("Asia/Tokyo", FAIL)]
)
def test_a_last_day_ends_by_the_clock_of_its_zone(zone: str, after: RuleVerdict) -> None:
    waiver = replace(WHOLE, until=date(2026, 11, 22), zone=zone)
    (result,) = waive([_result(FAIL)], [waiver], datetime(2026, 11, 23, 2, 59, tzinfo=UTC))
    assert result.verdict is after
    (later,) = waive([_result(FAIL)], [waiver], datetime(2026, 11, 23, 3, tzinfo=UTC))
    assert later.verdict is FAIL


def test_a_rule_that_is_not_waived_is_left_as_it_is() -> None:
    result = _result(FAIL)
    assert waive([result], [replace(WHOLE, rule="ORD-05")], NOW) == [result]


def _broken(*kinds: str) -> RuleResult:
    """The rule, which fails by these kinds, each in a scenario of its own, and beside another rule's scenario."""
    evidence = Evidence()
    for kind in kinds:
        evidence.expect(kind, RULE.id, f"A concluded order needs its dates [{kind}]")
        evidence.finish(kind, Outcome.FAILED, "accepted", replace(FINDING, kind=kind, endpoint="POST /order"))
    return judge_rule(RULE, evidence, READINGS)


KINDS = ("sendDate left out", "deliveryDate left out")


@pytest.mark.parametrize(
    ("covered", "after"),
    [
        ((KINDS[0],), FAIL),
        (KINDS, RuleVerdict.WAIVED),
        (tuple(one.id for one in _broken(*KINDS).findings), RuleVerdict.WAIVED),
        ((KINDS[0], f"A concluded order needs its dates [{KINDS[1]}]"), RuleVerdict.WAIVED),
        (("another kind",), FAIL),
    ],
)
def test_a_waiver_of_some_kinds_covers_these_alone(covered: tuple[str, ...], after: RuleVerdict) -> None:
    waiver = replace(WHOLE, whole=False, kinds=covered)
    (result,) = waive([_broken(*KINDS)], [waiver], NOW)
    assert result.verdict is after
    assert waiver.covered in result.reason
    assert result.finding in result.findings
    if after is FAIL:
        assert result.finding is not None
        assert not waiver.covers(result.finding.names)
        assert f"not waived: {result.finding.what}" in result.reason


def test_a_finding_has_the_same_id_whatever_was_drawn() -> None:
    first, second = _broken(*KINDS).findings
    assert first.id != second.id
    other = replace(first, reason="something else", curl="another", request={"body": "other"})
    assert (other.id, first.id[:7]) == (first.id, "ORD-04-")


def _hindered(*hinders: str) -> RuleResult:
    evidence = Evidence()
    for rule in hinders:
        evidence.expect(f"by {rule}", RULE.id, f"by {rule}")
        evidence.finish(
            f"by {rule}", Outcome.INCONCLUSIVE, f"{rule} stood in the way", hindered_by=rule if "-" in rule else ""
        )
    return judge_rule(RULE, evidence, READINGS)


@pytest.mark.parametrize(
    ("hindered_by", "hinders", "after"),
    [
        (("DEL-01",), ("ORD-04",), RuleVerdict.WAIVED),
        (("DEL-01",), (), RuleVerdict.INCONCLUSIVE),
        (("DEL-01",), ("ORD-05",), RuleVerdict.INCONCLUSIVE),
        (("DEL-01", "REC-01"), ("ORD-04",), RuleVerdict.INCONCLUSIVE),
        (("DEL-01", "an answer was lost"), ("ORD-04",), RuleVerdict.INCONCLUSIVE),
        (("REC-01",), ("ORD-04",), RuleVerdict.INCONCLUSIVE),
    ],
)
def test_what_a_waived_failure_hinders_may_be_waived_with_it(
    hindered_by: tuple[str, ...], hinders: tuple[str, ...], after: RuleVerdict
) -> None:
    deletion = replace(_result(FAIL), rule=catalogue()["DEL-01"])
    waiver = replace(WHOLE, rule="DEL-01", hinders=hinders)
    broken, hindered = waive([deletion, _hindered(*hindered_by)], [waiver], NOW)
    assert (broken.verdict, hindered.verdict) == (RuleVerdict.WAIVED, after)


def _written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "waivers.toml"
    path.write_text(text, encoding="utf-8")
    return path


ROW = '[[waivers]]\nrule = "ORD-04"\nreason = "ticket 7"\nuntil = 2026-12-31\n'


def test_waivers_are_read_from_toml(tmp_path: Path) -> None:
    path = _written(tmp_path, f'\ufeffzone = "America/Sao_Paulo"\n{ROW}kinds = ["sendDate"]\nhinders = ["WFL-04"]\n')
    waiver = Waiver(
        "ORD-04", "ticket 7", date(2026, 12, 31), "America/Sao_Paulo", kinds=("sendDate",), hinders=("WFL-04",)
    )
    assert load_waivers(path, NOW) == (waiver,)
    assert load_waivers(_written(tmp_path, f"{ROW}whole = true"), NOW) == (replace(WHOLE, reason="ticket 7"),)


def test_a_waiver_lasts_half_a_year_unless_longer_ones_are_asked_for(tmp_path: Path) -> None:
    path = _written(tmp_path, f"{ROW}whole = true")
    assert load_waivers(path, datetime(2026, 7, 4, tzinfo=UTC))
    with pytest.raises(
        CannotRun, match=r"ORD-04 is waived until 2026-12-31, more than 180 days ahead; .* --long-waivers"
    ):
        load_waivers(path, datetime(2026, 7, 3, tzinfo=UTC))
    assert load_waivers(path, datetime(2025, 1, 1, tzinfo=UTC), long=True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ROW.replace("ORD-04", "ORD-99"), "waivers[0].rule"),
        (ROW.replace("ticket 7", " "), "waivers[0].reason"),
        (ROW.replace("2026-12-31", '"soon"'), "waivers[0].until"),
        (ROW.replace("2026-12-31", "2026-12-31T10:00:00Z"), "waivers[0].until"),
        (f'{ROW}by = "me"', "waivers[0].by"),
        (ROW, "kinds = [...]; or whole = true"),
        (f"{ROW}whole = false", "kinds = [...]; or whole = true"),
        (f'{ROW}whole = true\nkinds = ["sendDate"]', "kinds = [...]; or whole = true"),
        (f'{ROW}whole = "true"', "waivers[0].whole"),
        (f'{ROW}kinds = "sendDate"', "waivers[0].kinds"),
        (f'{ROW}kinds = [" "]', "waivers[0].kinds"),
        (f'{ROW}whole = true\nhinders = ["WFL"]', "waivers[0].hinders"),
        (f'zone = "Brasilia"\n{ROW}whole = true', "zone"),
        (f'zone = "../UTC"\n{ROW}whole = true', "zone"),
        ('[[waiver]]\nrule = "ORD-04"', "waiver: unknown"),
        ("waiver = 1\nnone = 2", "none, waiver: unknown"),
        ("waivers = 3", "array of tables"),
        (f"{ROW}whole = true\n" * 2, "twice"),
        ("[[", "cannot be read"),
    ],
)
def test_what_is_wrong_in_a_waivers_file_is_named(text: str, told: str, tmp_path: Path) -> None:
    path = _written(tmp_path, text)
    with pytest.raises(CannotRun) as caught:
        load_waivers(path, NOW)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_without_waivers_waives_nothing(tmp_path: Path) -> None:
    assert load_waivers(_written(tmp_path, "# none at present\n"), NOW) == ()


def test_a_missing_waivers_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"none\.toml"):
        load_waivers(tmp_path / "none.toml", NOW)


# -- which kinds were tried ----------------------------------------------------------------------------------------


def holding() -> Evidence:
    """Evidence of ORD-04 holding."""
    return _evidence((Outcome.PASSED, dict.fromkeys(Side, 1)))


def seen(*tried: str, left: tuple[str, ...] = (), earlier: tuple[str, ...] = ()) -> Evidence:
    """The same, with these kinds of its fault."""
    evidence = holding()
    evidence.expect_kinds(RULE.id, (*tried, *left))
    for kind in tried:
        evidence.tried(RULE.id, kind)
    for kind in earlier:
        evidence.tried_earlier(RULE.id, kind, "2026-11-22T12:00:00+00:00")
    return evidence


def judged(evidence: Evidence) -> RuleResult:
    return judge_rule(RULE, evidence, READINGS)


def test_a_rule_with_kinds_left_is_told() -> None:
    result = judged(seen("zero", "a cent", left=("minus a cent",)))
    assert result.verdict is RuleVerdict.PASS
    assert result.reason == "2 of 3 kinds tried"
    assert result.kinds == Kinds(("zero", "a cent"), ("minus a cent",))


def test_a_rule_that_tried_every_kind_needs_no_words() -> None:
    assert judged(seen("zero", "a cent")).reason == ""


def test_what_earlier_runs_tried_is_told_apart() -> None:
    result = judged(seen("zero", left=("a cent", "minus a cent"), earlier=("a cent", "zero")))
    assert result.reason == "1 of 3 kinds tried, 1 more by earlier runs"
    assert result.kinds is not None
    assert dict(result.kinds.earlier) == {"a cent": "2026-11-22T12:00:00+00:00"}


def test_a_rule_that_does_not_pass_keeps_its_reason() -> None:
    evidence = seen("zero", left=("a cent",))
    evidence.finish("scenario-0", Outcome.INCONCLUSIVE, "the target went away")
    assert judged(evidence).reason == "the target went away"


def test_kinds_of_several_processes_are_tried_where_one_tried_them() -> None:
    parts = [seen("zero", left=("a cent", "b")).as_dict(), seen("a cent", left=("zero", "b"), earlier=("b",)).as_dict()]
    result = judged(Evidence.merged(parts))
    assert result.kinds == Kinds(("a cent", "zero"), ("b",), {"b": "2026-11-22T12:00:00+00:00"})


def test_kinds_are_told_in_their_own_sequence_whatever_was_tried_first() -> None:
    evidence = holding()
    evidence.tried(RULE.id, "last")
    evidence.expect_kinds(RULE.id, ("first", "last"))
    evidence.tried(RULE.id, "first")
    assert judged(evidence).kinds == Kinds(("first", "last"), ())
