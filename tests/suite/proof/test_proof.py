"""What becomes of a mock in a proof, the ratios, what a terminal is told of them, and what is proved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import strategies as st
from pydantic import ValidationError

from conformance.errors import CannotRun
from conformance.mock.defects import DEFECTS
from conformance.mock.quirks import Defect, Variant
from conformance.mock.variants import VARIANTS
from conformance.planning.shards import Shard
from conformance.proof.matrix import line, matrix, summary, trouble
from conformance.proof.proof import Fate, Proof, Ratio, fate_of_defect, held_up, judge_proof, ratio
from conformance.proof.prover import chosen, judged
from conformance.proof.proving import EXIT_CODES
from conformance.target.wire.redaction import Redactor
from conformance.verdict.evidence import Evidence, Outcome
from conformance.verdict.violation import Violation
from tests.suite.support.made_up_proofs import MIXED, defect, proof, subject, variant
from tests.suite.support.properties import prove

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


def test_shards_prove_everything_between_them_and_nothing_twice() -> None:
    parts = [chosen(shard=Shard(number, 3)) for number in (1, 2, 3)]
    assert sorted(mock.name for part in parts for mock in part) == sorted(mock.name for mock in chosen())
    assert all({type(mock) for mock in part} == {Defect, Variant} for part in parts)
    with pytest.raises(CannotRun, match="only 1 mocks to share out; take fewer shards"):
        chosen("nulls-left-out", shard=Shard(1, 2))


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
