"""The page of a proof: a result for each mock."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from conformance.proof.page import PARENT, PREFIX, write_results
from tests.suite.support.made_up_proofs import MIXED, defect, proof, variant


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
