"""The rule reference: docs/rules.md is what the command prints, whole, and its links lead somewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.contract.readings import PRINTED_CONTRADICTIONS, READINGS
from conformance.contract.rules import Rule, every_rule
from conformance.errors import CannotRun
from conformance.report.rulebook import expected, render
from conformance.run.options import check_known

PAGE = Path(__file__).parents[3] / "docs" / "rules.md"
RULES = tuple(every_rule().rules.values())


def reference() -> str:
    return render(RULES, "markdown", single=False) + "\n"


def section(rule: str) -> str:
    return render([every_rule()[rule]], "markdown", single=True)


def test_the_page_is_what_the_command_prints() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "out of date: make docs"


def test_the_page_changes_with_a_rule() -> None:
    changed = [replace(rule, statement="Anything goes.") if rule.id == "ORD-04" else rule for rule in RULES]
    assert render(changed, "markdown", single=False) + "\n" != PAGE.read_text(encoding="utf-8")


def test_every_link_leads_to_one_heading() -> None:
    # As GitHub makes anchors of headings of letters, digits, hyphens and blanks.
    headings = [
        line.lstrip("# ").lower().replace(" ", "-") for line in reference().splitlines() if line.startswith("#")
    ]
    targets = set(re.findall(r"\]\(#([^)]*)\)", reference()))
    assert len(set(headings)) == len(headings)
    assert targets <= set(headings)
    assert targets >= {rule.id.lower() for rule in RULES} | READINGS.keys()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rules_section_tells_all_of_it(rule: Rule) -> None:
    told = section(rule.id)
    assert told in reference()
    assert told.startswith(f"### {rule.id}\n\n{rule.statement}\n")
    assert f"**level:** {rule.level}\n" in told
    assert f"**source:** {rule.source}\n" in told
    assert f"**expected:** {expected(rule)}\n" in told
    assert all(f"`{endpoint.label}`" in told for endpoint in rule.endpoints)


def test_a_section_tells_the_reading_and_what_hangs_on_it() -> None:
    told = section("ORD-18")
    assert "(#empty-extracts): `rejected` (default) or `accepted`. No document says" in told
    assert "**evidence under `rejected`:** an acceptance, a refusal beside its accepted twin\n" in told
    assert told.endswith("**evidence under `accepted`:** an acceptance")


def test_a_section_tells_what_the_rule_needs() -> None:
    assert "**needs:** nothing" in section("ORD-04")
    assert "**needs:** `fixtures.foreign_order` in the target file" in section("DEL-03")
    assert "**needs:** the suite's own mock" in section("LIM-01")


def test_readings_and_contradictions_are_told() -> None:
    page = reference()
    assert all(reading.disagreement in page.partition("## Readings")[2] for reading in READINGS.values())
    assert all(contradiction in page for contradiction in PRINTED_CONTRADICTIONS)


# -- ids as people write them --------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["ORD-4", "ord4", "ord_04", "ORD 4", "Ord-004"])
def test_an_id_written_in_another_way_is_found(written: str) -> None:
    assert every_rule().nearest(written) == " (did you mean ORD-04?)"


def test_an_id_with_a_slip_is_guessed() -> None:
    assert "NTF-01" in every_rule().nearest("NFT-01")
    assert every_rule().nearest("something else") == ""


def test_an_unknown_rule_is_answered_with_what_was_meant() -> None:
    with pytest.raises(CannotRun, match=r"ORD-4 \(did you mean ORD-04\?\): no such rule; .* lists them"):
        check_known(["ORD-04", "ORD-4"])
