"""The verdicts again, from the exchanges alone: a run's follow from them, and whatever is changed in them is found."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.contract.readings import resolve
from conformance.contract.rules import catalogue
from conformance.report.files import TRAFFIC
from conformance.verdict.by_itself import broken_by
from conformance.verdict.certificate import Certificate
from conformance.verdict.certificate_file import load_certificate, parse_certificate
from conformance.verdict.digest import digest_of_file
from conformance.verdict.exchanges import FIELD, Mark, Marking, digest_of_entry
from conformance.verdict.rejudge import Rejudged, rejudge
from tests.suite.support.command_runs import Run, certify
from tests.suite.support.command_runs import run as run_to_end
from tests.suite.support.made_once import made_once

RULES: Final = ("--rule", "ORD-04", "--rule", "REL-06", "--rule", "DEL-01", "--rule", "ERR-01", "--rule", "NTF-03")


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose rules pass."""
    run = made_once(tmp_path_factory, "rejudged-passed", lambda place: certify(place / "reports", *RULES))
    assert run.verdicts("pass") >= {"ORD-04", "DEL-01"}, run.output
    return run


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One of which some fail: one by its own scenario, one by what is seen beside others."""
    defects = ("--defect", "ord-04-not-enforced", "--defect", "err-01-no-code")
    run = made_once(tmp_path_factory, "rejudged-failed", lambda place: certify(place / "reports", *RULES, *defects))
    assert run.verdicts("fail") >= {"ORD-04", "ERR-01"}, run.output
    return run


def judged(run: Run, log: Any = None, certificate: Certificate | None = None) -> Rejudged:
    """What is said of a run, or of a log in place of its own."""
    raw = (run.reports / TRAFFIC).read_bytes() if log is None else json.dumps({"log": log}).encode()
    return rejudge(certificate or stated(run), TRAFFIC, raw, catalogue())


def stated(run: Run) -> Certificate:
    return load_certificate(run.reports / "certificate.json").certificate


def log_of(run: Run) -> dict[str, Any]:
    log: dict[str, Any] = json.loads((run.reports / TRAFFIC).read_text(encoding="utf-8"))["log"]
    return log


# -- a run's own ---------------------------------------------------------------------------------------------------


def test_a_run_s_certificate_follows_from_its_exchanges(passed: Run, failed: Run) -> None:
    for run in (passed, failed):
        found = judged(run)
        assert (found.altered, found.differs) == ((), ())
        assert found.entries == run.certificate["traffic"]["requests"]
        assert set(found.elsewhere) <= {"NTF-03"}


def test_that_of_several_processes_does_too(tmp_path: Path) -> None:
    run = certify(tmp_path / "reports", *RULES, "--workers", "2")
    assert judged(run).holds


def test_each_entry_says_what_it_is_evidence_of(passed: Run, failed: Run) -> None:
    comments = [entry.get("comment", "") for entry in log_of(passed)["entries"]]
    title = "A concluded order needs its sendDate"
    assert any(text.startswith(f"ORD-04 {title}: left out") and text.endswith(" | ORD-04 refused") for text in comments)
    assert any(
        text.endswith(" | ORD-04 broken") for text in (entry.get("comment", "") for entry in log_of(failed)["entries"])
    )


# -- what is changed in it -----------------------------------------------------------------------------------------


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for name, part in value.items() for leaf in leaves(part, (*path, name))]
    if isinstance(value, list):
        return [leaf for number, part in enumerate(value) for leaf in leaves(part, (*path, number))]
    return [path]


def altered(log: dict[str, Any], how: str, draw: st.DataObject) -> dict[str, Any]:
    """The log with one change."""
    entries = deepcopy(log["entries"])
    number = draw.draw(st.integers(0, len(entries) - 1))
    match how:
        case "drop":
            del entries[number]
        case "double":
            entries.insert(draw.draw(st.integers(0, len(entries))), deepcopy(entries[number]))
        case "move":
            other = draw.draw(st.integers(0, len(entries) - 1).filter(lambda other: other != number))
            entries.insert(other, entries.pop(number))
        case _:
            *way, last = draw.draw(st.sampled_from(leaves(entries[number])))
            place = entries[number]
            for step in way:
                place = place[step]
            texts = st.one_of(st.integers(), st.text(), st.booleans(), st.none())
            place[last] = draw.draw(texts.filter(lambda value: json.dumps(value) != json.dumps(place[last])))
    return {**log, "entries": entries}


@pytest.mark.parametrize("how", ["drop", "double", "move", "alter"])
@given(draw=st.data())
@settings(max_examples=25, deadline=None, database=None)
def test_every_alteration_is_found_and_named_even_in_a_file_that_is_said_to_be_right(
    passed: Run, how: str, draw: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = altered(log_of(passed), how, draw)
    certificate = stated(passed)
    assert any("is not the file that the run wrote" in line for line in judged(passed, log, certificate).altered)
    raw = json.dumps({"log": log}).encode()
    path = tmp_path_factory.getbasetemp() / f"altered-{how}.har"
    path.write_bytes(raw)
    resealed = certificate.model_copy(update={"files": {TRAFFIC: digest_of_file(path)}})
    named = rejudge(resealed, TRAFFIC, raw, catalogue()).altered
    words = {"drop": "missing", "double": "stands 2 times", "move": "out of order", "alter": "altered|not written"}
    assert any(word in line for line in named for word in words[how].split("|")), named


def reworked(log: dict[str, Any], change: Any) -> dict[str, Any]:
    """The log with a change of an entry, and all numbers and digests made anew, as a forger would."""
    entries = deepcopy(log["entries"])
    change(entries)
    for number, entry in enumerate(entries, 1):
        entry[FIELD]["number"] = number
        entry[FIELD]["digest"] = digest_of_entry(entry)
    return {**log, "entries": entries, FIELD: {**log[FIELD], "entries": len(entries)}}


def evidence_of(entries: list[Any], rule: str, side: str) -> dict[str, Any]:
    return next(
        entry
        for entry in entries
        if any((mark["rule"], mark["side"]) == (rule, side) for mark in entry[FIELD]["evidence"])
    )


def test_an_answer_that_was_made_another_is_no_evidence_any_more(passed: Run) -> None:
    def accept(entries: list[Any]) -> None:
        evidence_of(entries, "ORD-04", "refused")["response"]["status"] = 200

    def another_code(entries: list[Any]) -> None:
        evidence_of(entries, "ORD-04", "accepted")["response"]["status"] = 500

    for change, said in ((accept, "stands for refused, and was answered 200"), (another_code, "and was answered 500")):
        assert any(said in line for line in judged(passed, reworked(log_of(passed), change)).differs)


def test_what_was_taken_out_is_missed_in_the_counts(passed: Run, failed: Run) -> None:
    def take_out(entries: list[Any]) -> None:
        entries.remove(evidence_of(entries, "ORD-04", "refused"))

    assert any(
        "ORD-04: the certificate counts" in line for line in judged(passed, reworked(log_of(passed), take_out)).differs
    )

    def clear(entries: list[Any]) -> None:
        for entry in entries:
            entry[FIELD]["evidence"] = [mark for mark in entry[FIELD]["evidence"] if mark["side"] != "broken"]

    told = judged(failed, reworked(log_of(failed), clear)).differs
    assert "ORD-04: the certificate says fail, and no exchange shows it broken" in told


def test_a_verdict_that_was_made_another_does_not_follow(failed: Run) -> None:
    document = failed.certificate
    for entry in document["rules"]:
        if entry["id"] == "ORD-04":
            entry["verdict"] = "pass"
    changed = Certificate.model_validate(document)
    told = judged(failed, certificate=changed).differs
    assert "ORD-04: the certificate says pass, and an exchange shows it broken" in told


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b'{"log": {}}', b'{"log": {"entries": [1, null]}}', b"\xff", b'{"log": 1}']
)
def test_what_is_no_recording_is_said_to_be_none(passed: Run, raw: bytes) -> None:
    assert not rejudge(stated(passed), TRAFFIC, raw, catalogue()).holds


def test_what_was_marked_before_is_marked_anew(failed: Run) -> None:
    entries = [
        {name: value for name, value in entry.items() if name != "comment"} for entry in log_of(failed)["entries"]
    ]
    plain = [{**entry, **({"comment": "a call"} if number % 2 else {})} for number, entry in enumerate(entries)]
    for entry in plain:
        del entry[FIELD]
    marks = {str(entry["startedDateTime"]): [Mark("ORD-04", "refused", "x")] for entry in plain[::3]}
    once = [*map(Marking(marks).marked, plain)]
    assert once != [*map(Marking({}).marked, plain)]
    assert [*map(Marking(marks).marked, once)] == once


def test_evidence_of_exchanges_that_were_not_recorded_is_counted() -> None:
    marking = Marking({"": [Mark("LIM-01", "checked", "x"), Mark("LIM-01", "checked", "x")]})
    assert marking.summary() == {"entries": 0, "elsewhere": [{"rule": "LIM-01", "side": "checked", "count": 2}]}


# -- the command ---------------------------------------------------------------------------------------------------


def command_of(run: Run, tmp_path: Path) -> Run:
    return run_to_end("rejudge", str(run.reports), reports=run.reports, state=tmp_path / "state")


def test_the_command_tells_what_follows_and_what_does_not(passed: Run, tmp_path: Path) -> None:
    right = command_of(passed, tmp_path)
    assert (right.code, right.errors) == (0, "")
    assert right.output.rstrip().endswith("the certificate follows from them")
    copied = tmp_path / "reports"
    copied.mkdir()
    (copied / "certificate.json").write_bytes((passed.reports / "certificate.json").read_bytes())
    absent = command_of(Run(0, "", "", copied), tmp_path)
    assert absent.code == 3
    assert "cannot be read" in absent.errors
    log = log_of(passed)
    del log["entries"][3]
    (copied / TRAFFIC).write_text(json.dumps({"log": log}), encoding="utf-8")
    wrong = command_of(Run(0, "", "", copied), tmp_path)
    assert wrong.code == 1
    assert re.search("not the run's: 1 of [0-9]+ exchanges are missing, the first of them number 4", wrong.output)


# -- what a body breaks by itself --------------------------------------------------------------------------------------


def forged(run: Run, log: dict[str, Any], **verdicts: str) -> Rejudged:
    """What is said of a log that somebody changed who knows how digests and marks are made, beside a certificate to match."""
    for entry in log["entries"]:
        entry[FIELD]["digest"] = digest_of_entry(entry)
    raw = json.dumps({"log": log}).encode()
    document = deepcopy(run.certificate)
    document["files"][TRAFFIC] = f"sha256:{sha256(raw).hexdigest()}"
    for entry in document["rules"]:
        entry["verdict"] = verdicts.get(entry["id"].replace("-", "_"), entry["verdict"])
    certificate = parse_certificate(json.dumps(document).encode(), "forged").certificate
    return rejudge(certificate, TRAFFIC, raw, catalogue())


def test_what_was_accepted_in_spite_of_its_body_is_found_though_it_is_marked_no_more(failed: Run) -> None:
    log = log_of(failed)
    for entry in log["entries"]:
        own = entry[FIELD]
        own["evidence"] = [one for one in own["evidence"] if (one["rule"], one["side"]) != ("ORD-04", "broken")]
    found = forged(failed, log, ORD_04="pass")
    assert found.altered == ()
    told = "was accepted, and its body breaks ORD-04: the certificate says pass"
    assert any(line.endswith(told) for line in found.differs), found.differs


@pytest.mark.parametrize(
    ("side", "status", "told"),
    [
        ("refused", 400, "its body does not break the rule"),
        ("broken", 200, "it was accepted, and its body does not break the rule"),
    ],
)
def test_what_is_lawful_shows_no_rule_of_bodies_kept_or_broken(passed: Run, side: str, status: int, told: str) -> None:
    log = log_of(passed)
    lawful = next(
        entry
        for entry in log["entries"]
        for one in entry[FIELD]["evidence"]
        if (one["rule"], one["side"]) == ("ORD-04", "accepted")
    )
    lawful["response"]["status"] = status
    lawful[FIELD]["evidence"] = [{"rule": "ORD-04", "side": side, "scenario": "made up"}]
    assert any(line.endswith(told) for line in forged(passed, log).differs)


def test_what_breaks_a_rule_is_no_acceptance_of_it(passed: Run) -> None:
    log = log_of(passed)
    refused = next(
        entry
        for entry in log["entries"]
        for one in entry[FIELD]["evidence"]
        if (one["rule"], one["side"]) == ("ORD-04", "refused")
    )
    refused["response"]["status"] = 200
    refused[FIELD]["evidence"] = [{"rule": "ORD-04", "side": "accepted", "scenario": "made up"}]
    assert any("stands for accepted, and its body breaks the rule" in line for line in forged(passed, log).differs)


def test_how_much_follows_from_bodies_is_told(passed: Run) -> None:
    found = judged(passed)
    of_bodies = [entry for entry in stated(passed).rules if entry.id in {"ORD-04", "REL-06"}]
    assert found.by_itself == sum(entry.accepted + entry.refused for entry in of_bodies) > 0


@pytest.mark.parametrize(
    ("request_", "broken"),
    [
        ({"method": "POST", "url": "http://a/order", "postData": {"text": "no JSON"}}, {"ORD-14", "ORD-22"}),
        ({"method": "POST", "url": "http://a/base/reconciliation", "postData": {"text": "[]"}}, {"REC-08"}),
        ({"method": "POST", "url": "http://a/order", "postData": {"text": '{"x": "<redacted:token>"}'}}, None),
        ({"method": "POST", "url": "http://a/order", "postData": {"text": None}}, None),
        ({"method": "GET", "url": "http://a/order"}, None),
        ({"method": "PUT", "url": 3}, None),
        (None, None),
    ],
)
def test_of_a_call_that_can_not_be_judged_by_itself_nothing_is_said(request_: Any, broken: set[str] | None) -> None:
    assert broken_by({"request": request_}, resolve({}), "/base") == broken
