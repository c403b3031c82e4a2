"""The proof by its parts: what becomes of a mock, the ratios, what is told of them, and the copies that it runs in."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import strategies as st
from pydantic import ValidationError

from conformance.errors import CannotRun
from conformance.mock.defects import DEFECTS
from conformance.mock.variants import VARIANTS
from conformance.proof.matrix import line, matrix, summary, trouble
from conformance.proof.page import PARENT, PREFIX, write_results
from conformance.proof.pool import Forks, Lost
from conformance.proof.proof import Fate, Proof, Ratio, Subject, fate_of_defect, held_up, judge_proof, ratio
from conformance.proof.prover import chosen, judged
from conformance.proof.proving import EXIT_CODES
from conformance.target.wire.redaction import Redactor
from conformance.verdict.certificate import Suite
from conformance.verdict.evidence import Evidence, Outcome
from conformance.verdict.violation import Violation
from tests.suite.support.properties import prove


def subject(name: str = "the plain mock", verdict: Fate = Fate.PASSED, **changes: Any) -> Subject:
    """What became of one mock."""
    figures: dict[str, Any] = {"scenarios": 3, "requests": 40, "client_errors": 5, "seconds": 0.25}
    return Subject(
        name=name, verdict=verdict, **{"family": "plain", "statement": f"Does {name}.", **figures, **changes}
    )


def defect(name: str, verdict: Fate = Fate.CAUGHT, **changes: Any) -> Subject:
    """A defect that may be blamed on ORD-04, and is where it was caught."""
    blamed = {Fate.CAUGHT: {"ORD-04": "accepted"}, Fate.MISBLAMED: {"ORD-01": "refused"}}.get(verdict, {})
    return subject(name, verdict, **{"family": "enforced in part", "rules": ("ORD-04",), "blamed": blamed, **changes})


def variant(name: str, verdict: Fate = Fate.PASSED, **changes: Any) -> Subject:
    """A variant; a rule was blamed for it where it was a false alarm."""
    blamed = {"QRY-01": "shown otherwise"} if verdict is Fate.FALSE_ALARM else {}
    return subject(name, verdict, **{"family": "variant", "blamed": blamed, **changes})


def proof(*subjects: Subject, clean: Subject | None = None, **changes: Any) -> Proof:
    """A proof in which these were run."""
    defects = tuple(one for one in subjects if one.rules)
    variants = tuple(one for one in subjects if not one.rules)
    sensitivity, specificity = ratio(defects, len(defects)), ratio(variants, len(variants))
    judged = judge_proof(
        clean=clean or subject(), sensitivity=sensitivity, specificity=specificity, everything="selected" not in changes
    )
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    given: dict[str, Any] = {
        "verdict": judged, "suite": Suite(version="1", commit=None), "profile": "certification", "seed": 4711,
        "mode": "first-blame", "started_at": now, "finished_at": now, "seconds": 7, "sensitivity": sensitivity,
        "specificity": specificity, "clean": clean or subject(), "defects": defects, "variants": variants,
    }  # fmt: skip
    return Proof(**{**given, **changes})


# -- what became of a mock -----------------------------------------------------------------------------------------

FATES: Final[Mapping[str, tuple[set[str], Fate]]] = {
    # by the rules that were blamed, of a defect that breaks ORD-04 or REL-08
    "none": (set(), Fate.MISSED),
    "one of its rules": ({"ORD-04"}, Fate.CAUGHT),
    "another of its rules": ({"REL-08"}, Fate.CAUGHT),
    "both of its rules": ({"ORD-04", "REL-08"}, Fate.CAUGHT),
    "a rule that it does not break": ({"ORD-05"}, Fate.MISBLAMED),
    "one of its rules and one that it does not break": ({"ORD-04", "ORD-05"}, Fate.MISBLAMED),
}


@pytest.mark.parametrize(("blamed", "fate"), FATES.values(), ids=FATES)
def test_a_defect_is_caught_when_its_rules_and_no_others_are_blamed(blamed: set[str], fate: Fate) -> None:
    assert fate_of_defect(dict.fromkeys(blamed, "why"), frozenset({"ORD-04", "REL-08"})) is fate


@pytest.mark.parametrize("fate", Fate)
def test_only_what_was_caught_and_what_passed_is_as_it_should_be(fate: Fate) -> None:
    assert subject(verdict=fate).is_as_it_should_be == (fate in {Fate.CAUGHT, Fate.PASSED})


# -- ratios and the verdict ----------------------------------------------------------------------------------------

RATIOS: Final[Mapping[str, tuple[Ratio, bool]]] = {
    "0/0": (Ratio(right=0, of=0), False),
    "0/1": (Ratio(right=0, of=1), False),
    "2/3": (Ratio(right=2, of=3), False),
    "1/1": (Ratio(right=1, of=1), True),
    "3/3": (Ratio(right=3, of=3), True),
}


@pytest.mark.parametrize(("text", "some", "whole"), [(text, *row) for text, row in RATIOS.items()], ids=RATIOS)
def test_a_ratio_is_whole_when_there_was_any_and_all_were_right(text: str, some: Ratio, whole: bool) -> None:
    assert str(some) == text
    assert some.is_whole is whole


def test_a_ratio_counts_what_is_as_it_should_be_of_so_many() -> None:
    some = [subject(str(fate), fate) for fate in Fate]
    assert str(ratio(some, 9)) == "2/9"
    assert str(ratio(some[:0], 0)) == "0/0"


NONE, PART, WHOLE = (RATIOS[text][0] for text in ("0/0", "2/3", "3/3"))

VERDICTS: Final = [
    # sensitivity, specificity, the plain mock, everything -> verdict
    (WHOLE, WHOLE, Fate.PASSED, True, "whole"),
    (WHOLE, WHOLE, Fate.PASSED, False, "partial"),
    (WHOLE, NONE, Fate.PASSED, False, "partial"),
    (NONE, WHOLE, Fate.PASSED, False, "partial"),
    (PART, WHOLE, Fate.PASSED, True, "not-whole"),
    (WHOLE, PART, Fate.PASSED, True, "not-whole"),
    (PART, NONE, Fate.PASSED, False, "not-whole"),
    (NONE, PART, Fate.PASSED, False, "not-whole"),
    (NONE, NONE, Fate.PASSED, True, "not-whole"),
    (NONE, NONE, Fate.PASSED, False, "not-whole"),
    (WHOLE, WHOLE, Fate.FALSE_ALARM, True, "not-whole"),
    (WHOLE, WHOLE, Fate.UNDECIDED, False, "not-whole"),
]


@pytest.mark.parametrize(("sensitivity", "specificity", "clean", "everything", "verdict"), VERDICTS)
def test_a_proof_is_whole_when_both_ratios_are_and_everything_was_run(
    sensitivity: Ratio, specificity: Ratio, clean: Fate, everything: bool, verdict: str
) -> None:
    judged = judge_proof(
        clean=subject(verdict=clean), sensitivity=sensitivity, specificity=specificity, everything=everything
    )
    assert judged == verdict


def test_every_verdict_has_an_exit_code_of_its_own() -> None:
    assert EXIT_CODES == {"whole": 0, "not-whole": 1, "partial": 2}


def test_a_proof_survives_its_json() -> None:
    made = proof(defect("ord-04-x"), variant("late"), selected="o")
    text = made.to_json()
    assert Proof.model_validate_json(text) == made
    assert text.endswith("}\n")
    document = json.loads(text)
    assert document["schema"] == "koncili-conformance/proof/1"
    assert document["defects"][0]["clientErrors"] == 5
    with pytest.raises(ValidationError, match="verdict"):
        Proof.model_validate_json(json.dumps({**document, "verdict": "splendid"}))


# -- what a terminal is told ---------------------------------------------------------------------------------------

MIXED: Final = proof(
    defect("ord-04-caught"),
    defect("ord-04-missed", Fate.MISSED, reason="ORD-04 some scenario: nobody answered"),
    defect("ord-04-elsewhere", Fate.MISBLAMED, family="storing"),
    variant("same"),
    variant("odd", Fate.FALSE_ALARM),
    variant("stuck", Fate.UNDECIDED, reason="it came to no end within 180 s"),
)


def test_a_line_names_the_mock_and_what_was_blamed_for_it() -> None:
    assert line(MIXED.defects[0]).split() == ["+", "ord-04-caught", "ORD-04", "40", "requests", "0.2", "s"]
    assert line(MIXED.variants[0]).split() == ["+", "same", "passed", "40", "requests", "0.2", "s"]
    assert line(MIXED.defects[1]).split()[:2] == ["MISSED", "ord-04-missed"]


def test_the_matrix_has_every_mock_below_its_family() -> None:
    told = list(matrix(MIXED))
    families = [text for text in told if text.startswith("\n") and text.endswith(")")]
    assert families == ["\nenforced in part (1/2)", "\nstoring (0/1)", "\nvariants (1/3)"]
    for one in (*MIXED.defects, *MIXED.variants):
        assert told.count(line(one)) == 1


def test_the_matrix_ends_with_both_ratios_and_the_verdict() -> None:
    told = list(summary(MIXED))
    assert list(matrix(MIXED))[-len(told) :] == told
    assert told[:2] == ["defects caught and rightly blamed: 1/3", "variants passed: 1/3"]
    assert told[-1] == "NOT-WHOLE: The suite says something wrong of what is named above."
    assert "profile certification, seed 4711" in told[2]
    assert "280 requests, 35 client errors, 7 s" in told[2]


ENDS: Final[Mapping[str, tuple[Proof, str]]] = {
    "whole": (proof(defect("a"), variant("b")), "WHOLE: Both ratios are whole."),
    "partial": (proof(defect("a"), selected="a"), "PARTIAL: Right as far as it went: not all was run."),
}


@pytest.mark.parametrize(("made", "end"), ENDS.values(), ids=ENDS)
def test_what_is_right_is_told_without_any_trouble(made: Proof, end: str) -> None:
    told = list(matrix(made))
    assert told[-1] == end
    assert list(trouble([made.clean, *made.defects, *made.variants])) == []


def test_a_proof_without_variants_has_no_table_of_them() -> None:
    assert not [text for text in matrix(proof(defect("a"), selected="a")) if text.startswith("\nvariants")]


def test_trouble_names_what_was_missed_or_misblamed_and_why() -> None:
    told = list(trouble([MIXED.clean, *MIXED.defects, *MIXED.variants]))
    assert told == [
        "\nMISSED ord-04-missed: Does ord-04-missed.",
        "  may be blamed: ORD-04",
        "  ORD-04 some scenario: nobody answered",
        "\nMISBLAMED ord-04-elsewhere: Does ord-04-elsewhere.",
        "  may be blamed: ORD-04",
        "  ORD-01: refused",
        "\nFALSE ALARM odd: Does odd.",
        "  QRY-01: shown otherwise",
        "\nUNDECIDED stuck: Does stuck.",
        "  it came to no end within 180 s",
    ]


def test_a_plain_mock_that_does_not_pass_is_told_first() -> None:
    clean = subject(verdict=Fate.FALSE_ALARM, blamed={"ORD-01": "refused"})
    told = list(matrix(proof(defect("a"), clean=clean)))
    assert "\nFALSE ALARM the plain mock: Does the plain mock." in told
    assert told[-1] == "NOT-WHOLE: The suite says something wrong of what is named above."


# -- the page of the report ----------------------------------------------------------------------------------------


def results(directory: Path) -> dict[str, dict[str, Any]]:
    """The results in a directory, by name."""
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in directory.glob("*-result.json")]
    return {document["name"]: document for document in documents}


def test_every_mock_is_a_result(tmp_path: Path) -> None:
    write_results(MIXED, tmp_path)
    left = results(tmp_path)
    assert len(list(tmp_path.iterdir())) == len(left)
    assert {name: result["status"] for name, result in left.items()} == {
        "the plain mock": "passed", "ord-04-caught": "passed", "ord-04-missed": "failed", "ord-04-elsewhere": "failed",
        "same": "passed", "odd": "failed", "stuck": "broken",
    }  # fmt: skip


def test_a_result_stands_below_its_family_and_has_the_blamed_rules_for_tags(tmp_path: Path) -> None:
    write_results(MIXED, tmp_path)
    left = results(tmp_path)

    def labels(name: str) -> list[tuple[str, str]]:
        return [(label["name"], label["value"]) for label in left[name]["labels"]]

    assert labels("ord-04-elsewhere") == [
        ("parentSuite", PARENT), ("suite", "Defects"), ("subSuite", "storing"),
        ("epic", PARENT), ("feature", "Defects"), ("story", "storing"), ("tag", "ORD-01"),
    ]  # fmt: skip
    assert labels("same")[1] == ("suite", "Variants")
    assert labels("the plain mock")[2] == ("subSuite", "plain")


def test_a_result_says_what_was_wrong_and_nothing_where_all_is_right(tmp_path: Path) -> None:
    write_results(MIXED, tmp_path)
    messages = {name: result["statusDetails"]["message"] for name, result in results(tmp_path).items()}
    assert messages["ord-04-caught"] == messages["same"] == ""
    assert messages["ord-04-elsewhere"] == "misblamed: Does ord-04-elsewhere.\nORD-01: refused"
    assert messages["stuck"] == "undecided: Does stuck.\nit came to no end within 180 s"


def test_a_description_says_what_the_mock_does_and_what_the_run_took(tmp_path: Path) -> None:
    write_results(MIXED, tmp_path)
    left = results(tmp_path)
    assert left["ord-04-caught"]["description"].split("\n\n") == [
        "Does ord-04-caught.",
        "Rules that may be blamed: ORD-04.",
        "Blamed:",
        "- ORD-04: accepted",
        "3 scenarios, 40 requests, 5 client errors; profile certification, seed 4711.",
    ]


def test_a_counterexample_is_attached(tmp_path: Path) -> None:
    write_results(proof(defect("a", counterexample="curl é"), defect("b")), tmp_path)
    left = results(tmp_path)
    (attached,) = left["a"]["attachments"]
    assert (tmp_path / attached["source"]).read_text(encoding="utf-8") == "curl é"
    assert left["b"]["attachments"] == []


def test_results_follow_one_another_in_time(tmp_path: Path) -> None:
    made = proof(defect("a", seconds=2), defect("b", seconds=0), variant("c", seconds=1))
    write_results(made, tmp_path)
    spans = sorted((result["start"], result["stop"]) for result in results(tmp_path).values())
    assert spans[0][0] == int(made.started_at.timestamp() * 1000)
    assert [stop - start for start, stop in spans] == [250, 2000, 1, 1000]
    assert all(stop == start for (_, stop), (start, _) in pairwise(spans))


def test_a_new_proof_takes_the_place_of_the_last_and_of_nothing_else(tmp_path: Path) -> None:
    certified = tmp_path / "0a-result.json"
    certified.write_text('{"name": "a scenario"}', encoding="utf-8")
    write_results(proof(defect("gone", counterexample="curl"), variant("same")), tmp_path)
    first = results(tmp_path)
    write_results(proof(defect("new"), variant("same")), tmp_path)
    assert results(tmp_path).keys() == {"a scenario", "the plain mock", "new", "same"}
    assert not list(tmp_path.glob("*attachment*"))
    assert all(path == certified or path.name.startswith(PREFIX) for path in tmp_path.iterdir())
    # Allure knows by this that it is the same mock again.
    assert results(tmp_path)["same"]["historyId"] == first["same"]["historyId"]


def test_results_go_to_a_directory_that_is_not_there_yet(tmp_path: Path) -> None:
    write_results(proof(variant("same")), tmp_path / "reports" / "allure-results")
    assert results(tmp_path / "reports" / "allure-results").keys() == {"the plain mock", "same"}


# -- copies --------------------------------------------------------------------------------------------------------

# An xdist worker has a thread, of which later Pythons warn where a process forks; the prover has none.
WARNING: Final = "ignore:.*multi-threaded.*fork:DeprecationWarning"

LONG: Final = 60.0
"""Seconds: longer than any copy here takes, and short enough not to hold up a run where one hangs."""


def forked(work: Callable[[int], Any], tasks: int, *, jobs: int = 2, seconds: float = LONG) -> dict[int, Any]:
    """What came of each task."""
    found = list(Forks(work, jobs=jobs, seconds=seconds).run(range(tasks)))
    assert sorted(task for task, _ in found) == list(range(tasks)), "each comes back once"
    return dict(found)


@pytest.mark.filterwarnings(WARNING)
@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_the_result_of_every_copy_comes_back(jobs: int) -> None:
    assert forked(lambda task: {"twice": Decimal(2 * task)}, 5, jobs=jobs) == {n: {"twice": 2 * n} for n in range(5)}


@pytest.mark.filterwarnings(WARNING)
def test_without_tasks_there_are_no_results() -> None:
    assert forked(lambda task: task, 0) == {}


@pytest.mark.filterwarnings(WARNING)
def test_one_at_a_time_they_come_in_their_sequence() -> None:
    copies: Forks[str, str] = Forks(str.upper, jobs=1, seconds=LONG)
    assert list(copies.run("abcd")) == [("a", "A"), ("b", "B"), ("c", "C"), ("d", "D")]


@pytest.mark.filterwarnings(WARNING)
def test_what_a_copy_changes_is_gone_with_it() -> None:
    kept: list[int] = []

    def work(task: int) -> tuple[int, int]:
        kept.append(task)
        return os.getpid(), len(kept)

    found = forked(work, 4)
    assert kept == []
    assert {length for _, length in found.values()} == {1}
    assert len({process for process, _ in found.values()} | {os.getpid()}) == 5


@pytest.mark.filterwarnings(WARNING)
def test_no_more_than_so_many_run_at_a_time(tmp_path: Path) -> None:
    def work(task: int) -> int:
        (tmp_path / str(task)).touch()
        time.sleep(0.05)
        running = len(list(tmp_path.iterdir()))
        (tmp_path / str(task)).unlink()
        return running

    assert max(forked(work, 8, jobs=3).values()) <= 3


@pytest.mark.filterwarnings(WARNING)
def test_a_large_result_comes_back_whole() -> None:
    """Larger than a pipe holds."""
    found = forked(lambda task: b"x" * 1_000_000 * (task + 1), 2)
    assert [len(found[task]) for task in range(2)] == [1_000_000, 2_000_000]


def fail(how: BaseException) -> Any:
    """Raise that."""
    raise how


FAILURES: Final[Mapping[str, tuple[Callable[[], Any], str]]] = {
    "an exception": (lambda: fail(ValueError("no such order")), "ValueError: no such order"),
    "an exit": (lambda: fail(SystemExit("enough")), "SystemExit: enough"),
    "an interruption": (lambda: fail(KeyboardInterrupt()), "KeyboardInterrupt"),
    "a kill": (lambda: os.kill(os.getpid(), signal.SIGKILL), "ended with exit code -9 and no result"),
    "an end without a word": (lambda: os._exit(7), "ended with exit code 7 and no result"),
}


@pytest.mark.filterwarnings(WARNING)
@pytest.mark.parametrize(("end", "told"), FAILURES.values(), ids=FAILURES)
def test_a_copy_that_ends_without_a_result_is_lost_and_no_other(end: Callable[[], Any], told: str) -> None:
    found = forked(lambda task: end() if task == 1 else task, 4)
    lost = found.pop(1)
    assert isinstance(lost, Lost)
    assert told in str(lost)
    assert found == {0: 0, 2: 2, 3: 3}


@pytest.mark.filterwarnings(WARNING)
def test_a_copy_that_takes_too_long_is_lost_and_ended(tmp_path: Path) -> None:
    def work(task: int) -> int:
        if task == 0:
            (tmp_path / "pid").write_text(str(os.getpid()))
            time.sleep(LONG)
        return task

    found = forked(work, 3, seconds=1)
    assert str(found.pop(0)) == "it came to no end within 1 s"
    assert found == {1: 1, 2: 2}
    assert not is_running(int((tmp_path / "pid").read_text()))


def is_running(process: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.filterwarnings(WARNING)
@pytest.mark.parametrize("how", ["by itself", "by an exception"])
def test_whoever_leaves_early_ends_what_still_runs(how: str, tmp_path: Path) -> None:
    def work(task: int) -> int:
        (tmp_path / f"{task}").write_text(str(os.getpid()))
        if task:
            time.sleep(LONG)
        return task

    running = Forks(work, jobs=3, seconds=LONG).run(range(6))
    assert next(running) == (0, 0)
    while len(list(tmp_path.glob("[0-9]"))) < 3 or not all(path.read_text() for path in tmp_path.iterdir()):
        time.sleep(0.01)
    if how == "by itself":
        running.close()  # type: ignore[attr-defined]
    else:
        with pytest.raises(KeyboardInterrupt):
            running.throw(KeyboardInterrupt)  # type: ignore[attr-defined]
    assert not [path for path in tmp_path.iterdir() if is_running(int(path.read_text()))]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"], "no other has begun"


# -- what is proved ------------------------------------------------------------------------------------------------


def test_without_a_part_everything_is_proved_the_variants_first() -> None:
    assert [mock.name for mock in chosen()] == [*VARIANTS, *DEFECTS]


def test_a_part_of_a_name_chooses_those_that_have_it() -> None:
    def law(name: str) -> None:
        found = [mock.name for mock in chosen(name[3:])]
        assert name in found
        assert found == [other for other in (*VARIANTS, *DEFECTS) if name[3:] in other]

    prove(st.sampled_from([*VARIANTS, *DEFECTS]), law, 50)


def test_several_parts_choose_what_has_any_of_them() -> None:
    assert {mock.name for mock in chosen("ord-04-not-enf", "nulls-left")} == {"ord-04-not-enforced", "nulls-left-out"}
    with pytest.raises(CannotRun, match="'ord-99'"):
        chosen("ord-04", "ord-99")


def test_a_part_that_no_name_has_cannot_be_proved() -> None:
    with pytest.raises(CannotRun, match=r"'ord-99'.*mock --list"):
        chosen("ord-99")


@pytest.mark.parametrize(("requests", "fate"), [(120, Fate.CAUGHT), (121, Fate.HELD_UP)])
def test_no_defect_makes_a_run_send_more_than_three_times_as_much(requests: int, fate: Fate) -> None:
    found = held_up(defect("goes on and on", requests=requests), subject())
    assert (found.verdict, found.is_as_it_should_be) == (fate, fate is Fate.CAUGHT)
    assert ("121 requests, 3 times 40 at most" in found.reason) == (fate is Fate.HELD_UP)


def test_a_mock_that_held_its_run_up_is_told_with_why() -> None:
    late = held_up(variant("goes on and on", requests=999, reason="no end"), subject())
    text = "\n".join(matrix(proof(late)))
    assert "HELD UP goes on and on" in text
    assert "999 requests, 3 times 40 at most; no end" in text
    assert "variants passed: 0/1" in text


def test_where_the_suite_breaks_down_a_defect_is_not_caught() -> None:
    """A scenario that ended in an error of ours blamed nothing, and the defect was told as rightly blamed by the others."""
    name, evidence = "ord-04-not-enforced", Evidence()
    for scenario in ("one", "other"):
        evidence.expect(scenario, "ORD-04", scenario)
    violation = Violation(rule="ORD-04", expected="it to be refused", actual="it answered 200", exchange=None)
    evidence.observe(violation, Redactor())
    figures: dict[str, Any] = {"requests": 1, "client_errors": 0, "seconds": 0.1}
    assert judged(DEFECTS[name], evidence, {}, **figures).verdict is Fate.CAUGHT
    evidence.finish("one", Outcome.INCONCLUSIVE, "harness error: NameError: name 'x' is not defined")
    told = judged(DEFECTS[name], evidence, {}, **figures)
    assert (told.verdict, told.reason) == (
        Fate.UNDECIDED,
        "ORD-04 one: harness error: NameError: name 'x' is not defined",
    )
