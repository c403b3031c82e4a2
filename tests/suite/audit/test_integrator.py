"""The example's integration, recorded: clean it is certified, and each planted mistake is found at its entry by its rule."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.audit.auditor import Auditor
from conformance.contract.endpoints import Endpoint
from conformance.contract.limits import PER_MINUTE
from conformance.contract.order_rules import Breach
from conformance.mock.quirks import Quirk
from conformance.traffic.exchange import Exchange
from conformance.traffic.reading import read_all
from conformance.verdict.verdicts import RuleVerdict, RunVerdict
from examples.integrator.mistakes import MISTAKES
from tests.suite.support.integrations import broken, found_in, record

CANNOT_TAKE: Final = frozenset({"MLB-4400011", "MLB-4400012", "MLB-4400013"})


def _takes_not(_: object, body: Any, __: object) -> Breach | None:
    """A server that refuses some orders, for no reason that a document gives."""
    return Breach("ORD-13", "", "not today") if body.get("marketplaceCode") in CANNOT_TAKE else None


STUBBORN_SERVER = Quirk(name="refuses-some", statement="Refuses some orders for no reason.", objects=_takes_not)
BLOCKING_SERVER = Quirk(
    name="blocks-soon", statement="Blocks after three.", objects=_takes_not, limits={"errors_an_hour": 3}
)
SLOW_SERVER = Quirk(
    name="slow", statement="Lets few queries pass.", limits={"rates": {**PER_MINUTE, Endpoint.GET_ORDER: 3}}
)


@dataclass(frozen=True)
class Stage:
    """The server that a mistake needs to be seen, and at which endpoints it is seen."""

    at: Endpoint | None
    quirks: Sequence[Quirk] = ()
    limits: bool = False
    pointer: str = ""


STAGES: Final = {
    "unverified": Stage(Endpoint.SUBMIT_RELEASE, pointer="/marketplaceCode"),
    "in-two-requests": Stage(Endpoint.SUBMIT_RELEASE, pointer="/releases"),
    "recalculated": Stage(Endpoint.SUBMIT_RELEASE, pointer="/releases/1/value"),
    "sorted": Stage(Endpoint.SUBMIT_RELEASE, pointer="/releases/0"),
    "orders-counted": Stage(Endpoint.CREATE_RECONCILIATION, pointer="/releasesQtd"),
    "one-too-many": Stage(Endpoint.CREATE_RECONCILIATION, pointer="/releasesQtd"),
    "one-day": Stage(Endpoint.SUBMIT_RELEASE, pointer="/releasedDate"),
    "only-changes": Stage(Endpoint.SUBMIT_ORDER, pointer="/approvedDate"),
    "token-per-call": Stage(Endpoint.CREATE_TOKEN),
    "polling": Stage(Endpoint.GET_ORDER),
    "impatient": Stage(Endpoint.GET_ORDER, [SLOW_SERVER], limits=True),
    "deaf": Stage(Endpoint.SUBMIT_ORDER, [BLOCKING_SERVER], limits=True),
    "stubborn": Stage(Endpoint.SUBMIT_ORDER, [STUBBORN_SERVER]),
    "no-integrator": Stage(Endpoint.CREATE_RECONCILIATION, pointer="header integrator"),
    "token-in-url": Stage(Endpoint.GET_ORDER, pointer="query gumgaToken"),
    "ok": Stage(None),
    "at-once": Stage(Endpoint.SUBMIT_ORDER),
    "forgotten": Stage(Endpoint.CREATE_RECONCILIATION, pointer="/releasesQtd"),
    "commission-above-zero": Stage(Endpoint.SUBMIT_ORDER, pointer="/extracts/1/value"),
    "concluded-early": Stage(Endpoint.SUBMIT_ORDER, pointer="/deliveryDate"),
    "own-status": Stage(Endpoint.SUBMIT_ORDER, pointer="/status"),
    "no-offset": Stage(Endpoint.SUBMIT_ORDER, pointer="/createdDate"),
    "overlapping": Stage(Endpoint.CREATE_RECONCILIATION, pointer="/periodInitDate"),
    "installments": Stage(Endpoint.SUBMIT_RELEASE, pointer="/releaseType"),
}


def test_there_are_fifteen_mistakes_and_more_each_with_its_stage() -> None:
    assert STAGES.keys() == MISTAKES.keys()
    assert len(MISTAKES) >= 15


def test_the_clean_integration_is_certified(tmp_path: Path) -> None:
    day = record(tmp_path / "day.ndjson")
    audited = found_in(tmp_path / "day.ndjson")
    assert day.aside == []
    assert audited.certificate.verdict is RunVerdict.CONFORMANT
    assert audited.auditor.unexplained.times == 0
    # What was not exercised had no call that it is about.
    skipped = [rule for rule in audited.certificate.rules if rule.verdict is not RuleVerdict.PASS]
    assert {rule.id for rule in skipped} == {"AUTH-07", "CLI-10", "CLI-11", "CLI-13"}
    assert all(not rule.undecided for rule in skipped)
    books = audited.auditor.books
    assert books.ties_out
    assert sum(row.reconciled for row in books.rows) == Decimal("1440.66")
    assert sum(row.deleted for row in books.rows) == Decimal("17.60")


@pytest.mark.parametrize("server", [STUBBORN_SERVER, BLOCKING_SERVER, SLOW_SERVER], ids=lambda server: server.name)
def test_the_clean_integration_bears_other_servers(server: Quirk, tmp_path: Path) -> None:
    record(tmp_path / "day.ndjson", quirks=[server], limits=server is not STUBBORN_SERVER)
    assert broken(found_in(tmp_path / "day.ndjson")) == set()


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_at_its_entry_by_its_rule_and_no_other(name: str, tmp_path: Path) -> None:
    path, stage, mistake = tmp_path / "day.ndjson", STAGES[name], MISTAKES[name]
    record(path, mistake=name, quirks=stage.quirks, limits=stage.limits)
    audited = found_in(path)
    assert broken(audited) == {mistake.rule}
    lines = path.read_text(encoding="utf-8").splitlines()
    for finding in audited.auditor.findings.found:
        assert finding.pointer == stage.pointer
        asked = json.loads(lines[finding.spots[0].origin.entry])["request"]
        where = stage.at.path if stage.at else "/notifications"
        assert where in asked["url"].partition("?")[0]
        assert asked["method"] == (stage.at.method if stage.at else "POST")
        assert str(finding.call.origin.file) == str(path)
    (entry,) = [rule for rule in audited.certificate.rules if rule.findings]
    assert entry.verdict is RuleVerdict.FAIL
    decides = entry.level == "required"
    assert audited.certificate.verdict is (RunVerdict.NONCONFORMANT if decides else RunVerdict.CONFORMANT)


# -- recordings that begin or end in the middle --------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole_day(tmp_path_factory: pytest.TempPathFactory) -> list[Exchange]:
    """The exchanges of the clean integration's day."""
    path = tmp_path_factory.mktemp("day") / "day.ndjson"
    record(path)
    return list(read_all([path], pytest.fail))


def _findings(exchanges: Sequence[Exchange]) -> list[str]:
    auditor = Auditor()
    auditor.take_all(exchanges)
    return [f"{finding.rule.id}: {finding.says}" for finding in auditor.findings.found]


@given(data=st.data())
def test_a_part_of_a_day_is_judged_without_a_false_finding(data: st.DataObject, whole_day: list[Exchange]) -> None:
    begin = data.draw(st.integers(0, len(whole_day)))
    end = data.draw(st.integers(begin, len(whole_day)))
    assert _findings(whole_day[begin:end]) == []


def test_a_day_from_any_call_on_is_judged_without_a_false_finding(whole_day: list[Exchange]) -> None:
    for begin in range(len(whole_day)):
        assert _findings(whole_day[begin:]) == []


def test_a_day_with_any_call_missing_is_judged_without_a_false_finding(whole_day: list[Exchange]) -> None:
    """A recorder may drop calls. That an order was looked up nobody can see who has not seen it."""
    for missing in range(len(whole_day)):
        found = _findings([*whole_day[:missing], *whole_day[missing + 1 :]])
        assert {rule.partition(":")[0] for rule in found} <= {"CLI-01"}


def test_a_recording_from_mid_day_says_what_it_can_not_decide(whole_day: list[Exchange]) -> None:
    auditor = Auditor()
    first_release = next(
        number for number, one in enumerate(whole_day) if one.request.url.endswith("/reconciliation/release")
    )
    auditor.take_all(whole_day[first_release:])
    tally = auditor.findings.tallies["CLI-03"]
    assert tally.undecided
    assert "before the recording began" in auditor.findings.reason("CLI-03")
