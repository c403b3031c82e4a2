"""What the gate reads: certificates from files, their digest, and what changed between two of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.rules import catalogue
from conformance.errors import CannotRun
from conformance.verdict.certificate import SCHEMA
from conformance.verdict.certificate_file import MOST_FAULTS, load_certificate, parse_certificate
from conformance.verdict.changes import Changes, Difference, changes_since
from conformance.verdict.digest import digest_of
from conformance.verdict.verdicts import RuleVerdict, Waiver
from tests.suite.support.gate_cases import REQUIRED, Document, document, sealed
from tests.suite.support.made_up_certificates import FINISHED

ONE, TWO, THREE = REQUIRED[:3]
PASS, FAIL, SKIP, UNKNOWN = RuleVerdict.PASS, RuleVerdict.FAIL, RuleVerdict.NOT_EXERCISED, RuleVerdict.INCONCLUSIVE

# -- the digest ----------------------------------------------------------------------------------------------------


def test_the_digest_is_that_of_the_canonical_json_without_the_digest() -> None:
    canonical = '{"a":[1,true,null],"b":"\u00e4"}'
    content = {"b": "\u00e4", "digest": "anything", "a": [1.0, True, None]}
    assert digest_of(content) == f"sha256:{sha256(canonical.encode()).hexdigest()}"


def test_a_digest_further_down_is_content() -> None:
    assert digest_of({"a": {"digest": "1"}}) != digest_of({"a": {"digest": "2"}})


def test_a_run_writes_the_digest_of_what_it_writes() -> None:
    certificate = document()
    assert certificate["digest"] == digest_of(certificate)
    assert list(certificate)[-1] == "digest"


def test_how_the_json_is_laid_out_makes_no_difference() -> None:
    certificate = document()
    turned = json.loads(json.dumps(dict(reversed(certificate.items())), indent=7, ensure_ascii=False))
    assert digest_of(turned) == certificate["digest"]


def _nested(depth: int) -> Any:
    whole: Any = 1
    for _ in range(depth):
        whole = [whole]
    return whole


@pytest.mark.parametrize("value", [2**53, 1e400, "\ud800", {"\ud800": 1}, _nested(100_000)])
def test_what_readers_take_for_different_things_has_no_digest(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        digest_of({"a": value})


def test_what_is_nested_too_deeply_is_said_to_be() -> None:
    with pytest.raises(ValueError, match="nested") as caught:
        digest_of({"a": _nested(100_000)})
    assert str(caught.value) == "it is nested too deeply"


# -- the file ------------------------------------------------------------------------------------------------------


def test_a_certificate_is_read_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(document()), encoding="utf-8")
    file = load_certificate(path)
    assert (file.raw, file.document) == (path.read_bytes(), document())
    assert json.loads(file.certificate.to_json()) == document()


def test_a_certificate_of_an_older_suite_is_read() -> None:
    older = document({ONE: FAIL})
    del older["digest"]
    for entry in older["rules"]:
        del entry["waiver"]
    certificate = parse_certificate(json.dumps(older).encode(), "c.json").certificate
    assert (certificate.digest, certificate.rules[0].waiver) == (None, None)


AS_WRITTEN = "give a certificate.json as a run of `koncili-conformance certify` left it"


def _told(raw: bytes) -> str:
    with pytest.raises(CannotRun) as caught:
        parse_certificate(raw, "c.json")
    return str(caught.value)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b'{"verdict": "partial", "verdict": "conformant"}', "is not JSON: 'verdict' stands twice in one object"),
        (b'{"seed": NaN}', "is not JSON: NaN is no number in JSON"),
        (b"[" * 100_000, "is not JSON: nested too deeply"),
        (b"\xff", "is not JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b"[]", f"is no certificate: its schema is not {SCHEMA}"),
        (b"{}", f"is no certificate: its schema is not {SCHEMA}"),
        (b'{"schema": 1}', f"is no certificate: its schema is not {SCHEMA}"),
        (b'{"schema": "koncili-conformance/proof/1"}', f"is no certificate: its schema is not {SCHEMA}"),
    ],
)
def test_what_is_no_certificate_is_called_so_with_the_remedy(raw: bytes, words: str) -> None:
    assert _told(raw) == f"c.json: {words}; {AS_WRITTEN}"


def test_a_certificate_of_another_format_is_called_so() -> None:
    assert _told(b'{"schema": "koncili-conformance/certificate/2"}') == (
        "c.json: is a certificate of another format, 'koncili-conformance/certificate/2', where this version of the suite "
        f"reads {SCHEMA}; use the version that wrote it, or certify again with this one"
    )


def _edited(edit: Callable[[Document], object]) -> bytes:
    certificate = document()
    edit(certificate)
    return json.dumps(certificate).encode()


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda c: c.pop("seed"), "seed is missing"),
        (lambda c: c.update(extra=1), "extra is no field that this version of the suite knows"),
        (lambda c: c["rules"][3].update(verdict="fine"), "rules[3].verdict Input should be 'pass', 'fail', "),
        (lambda c: c["target"].pop("baseUrl"), "target.baseUrl is missing"),
        (lambda c: c.update(seed="0"), "seed Input should be a valid integer"),
        (lambda c: c.update(finishedAt="2026-11-22T13:00:00"), "finishedAt Input should have timezone info"),
        (lambda c: c.update(digest="sha256:0"), "digest String should match pattern"),
    ],
)
def test_what_is_wrong_in_a_certificate_is_named(edit: Callable[[Document], object], words: str) -> None:
    told = _told(_edited(edit))
    assert told.startswith(f"c.json: is no whole certificate: {words}")
    assert told.endswith(f"; {AS_WRITTEN}")


def test_of_many_faults_the_first_few_are_told() -> None:
    def edit(certificate: Document) -> None:
        for entry in certificate["rules"][: MOST_FAULTS + 2]:
            del entry["statement"]

    places = ", ".join(f"rules[{number}].statement is missing" for number in range(MOST_FAULTS))
    assert _told(_edited(edit)) == f"c.json: is no whole certificate: {places}, and 2 more; {AS_WRITTEN}"


def test_as_many_faults_as_are_told_leave_no_more() -> None:
    def edit(certificate: Document) -> None:
        for entry in certificate["rules"][:MOST_FAULTS]:
            del entry["statement"]

    assert "more" not in _told(_edited(edit))


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.json"
    with pytest.raises(CannotRun) as caught:
        load_certificate(missing)
    words = "there is no such certificate; `koncili-conformance certify` writes one"
    assert str(caught.value) == f"{missing}: {words}"
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    with pytest.raises(CannotRun) as caught:
        load_certificate(broken)
    assert str(caught.value).startswith(f"{broken}: is no certificate")
    with pytest.raises(CannotRun) as caught:
        load_certificate(tmp_path)
    assert str(caught.value) == f"{tmp_path}: cannot be read: Is a directory; {AS_WRITTEN}"


# -- what changed --------------------------------------------------------------------------------------------------


def changes(before: Document, after: Document) -> Changes:
    """What changed between two certificates."""
    baseline, certificate = (parse_certificate(json.dumps(each).encode(), "c.json") for each in (before, after))
    return changes_since(baseline, certificate.certificate)


NOTHING = Changes(FINISHED, dict.fromkeys(RuleVerdict, ()), (), (), (), (), is_newer=False)


def test_between_two_alike_nothing_changed() -> None:
    assert changes(document({ONE: FAIL}), document({ONE: FAIL})) == NOTHING


@pytest.mark.parametrize("now", list(RuleVerdict))
def test_a_rule_that_has_another_verdict_is_told_by_the_new_one(now: RuleVerdict) -> None:
    was = SKIP if now is PASS else PASS
    waivers = [Waiver(ONE, "x", date(2026, 12, 31), whole=True)] if now is RuleVerdict.WAIVED else []
    found = changes(document({ONE: was, TWO: FAIL}), document({ONE: now, TWO: FAIL}, waived=waivers))
    assert found.newly == {**dict.fromkeys(RuleVerdict, ()), now: (ONE,)}


def test_rules_that_came_and_went_with_the_catalogue_are_told_as_such() -> None:
    before, after = document({TWO: FAIL}), document()
    del before["rules"][0]
    del after["rules"][list(catalogue().rules).index(TWO)]
    found = changes(sealed(before), sealed(after))
    assert (found.added, found.removed) == ((next(iter(catalogue().rules)),), (TWO,))
    assert found.newly == NOTHING.newly


def test_what_makes_a_comparison_doubtful_is_told() -> None:
    before = document(profile="deep", environment="mock")
    before["target"] |= {"name": "theirs", "baseUrl": "https://theirs.example"}
    before["contract"] = {"version": "2020.01", "sha256": "0" * 64}
    contract = f"{catalogue().version} ({catalogue().sha256[:12]})"
    assert changes(sealed(before), document()).differences == (
        Difference("target", "theirs", "ours"),
        Difference("environment", "mock", "sandbox"),
        Difference("base URL", "https://theirs.example", "https://koncili.example"),
        Difference("contract", "2020.01 (000000000000)", contract),
        Difference("profile", "deep", "certification"),
    )


def test_a_baseline_that_is_not_sound_is_told() -> None:
    before = document({ONE: FAIL})
    before["verdict"] = "conformant"
    assert [doubt.kind for doubt in changes(before, document()).doubts] == ["wrong", "verdict"]
    del before["digest"]
    assert [doubt.kind for doubt in changes(before, document()).doubts] == ["missing", "verdict"]


def test_a_baseline_that_is_later_is_told() -> None:
    later = document(finished=FINISHED + timedelta(seconds=1))
    found = changes(later, document())
    assert (found.is_newer, found.since) == (True, FINISHED + timedelta(seconds=1))
    assert not changes(document(), later).is_newer
