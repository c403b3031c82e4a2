"""What a target refuses each time is sent less and less, other lawful calls stand in for it, and nothing passes for that."""

from __future__ import annotations

from contextlib import closing, nullcontext
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, Side, catalogue
from conformance.engine import laws
from conformance.engine.bench import Bench
from conformance.engine.hindrances import LEFT_OUT_FIRST, MET_AT_MOST, Hindrances
from conformance.engine.properties import LEFT_OUT_AT_MOST, prove
from conformance.engine.traits import lawful_in, traits_of
from conformance.errors import NotTried
from conformance.run.session import Options, open_session
from strategies.calls import Call, calls
from strategies.faults import FAULTS, Kind, cases, fault_batches
from strategies.orders import STATUSES, orders
from strategies.periods import MONTH, at
from strategies.reconciliations import plain_batch
from tests.suite.support.bodies import order
from tests.suite.support.command_runs import certify
from tests.suite.support.properties import mock_scope, sample
from tests.suite.support.stage.mock import mock, target_file

SCOPE: Final = mock_scope({})


def submission(**changes: Any) -> Call:
    return Call(Endpoint.SUBMIT_ORDER, body=order("701-0000000-0000001", **changes))


INVOICED: Final = submission(status="INVOICED", sendDate=None, estimatedDeliveryDate=None, deliveryDate=None)
CONCLUDED: Final = submission(status="CONCLUDED")


def refused(hindrances: Hindrances, call: Call, times: int = 1) -> None:
    for _ in range(times):
        hindrances.note(call, accepted=False)


def test_a_call_is_sent_until_it_was_refused_some_times_in_a_row() -> None:
    hindrances = Hindrances()
    refused(hindrances, CONCLUDED, MET_AT_MOST - 1)
    assert hindrances.why_not(CONCLUDED) == ""
    hindrances.note(CONCLUDED, accepted=True)
    refused(hindrances, CONCLUDED, MET_AT_MOST - 1)
    assert hindrances.why_not(CONCLUDED) == ""
    refused(hindrances, CONCLUDED)
    assert (
        hindrances.why_not(CONCLUDED)
        == "lawful calls were refused 3 times in a row, so no more of these were sent: POST /order"
    )


def test_what_is_accepted_is_no_reason() -> None:
    """INVOICED without a sendDate is refused; other statuses, and INVOICED with one, are accepted."""
    hindrances, dated = Hindrances(), submission(status="INVOICED", sendDate="2024-03-05T12:00:00Z")
    for _ in range(MET_AT_MOST):
        for call, accepted in ((INVOICED, False), (dated, True), (CONCLUDED, True)):
            hindrances.note(call, accepted=accepted)
    assert "with status INVOICED and sendDate is not there" in hindrances.why_not(INVOICED)
    assert [hindrances.why_not(call) for call in (dated, CONCLUDED)] == ["", ""]


def creation(seconds: int, quantity: int = 3, **changes: Any) -> Call:
    """The plainest one of a period that long."""
    whole = plain_batch(SCOPE, SCOPE.places[0], quantity, seconds=seconds).creation
    return Call(Endpoint.CREATE_RECONCILIATION, body={**whole, **changes})


@pytest.mark.parametrize(
    ("refused_one", "like_it", "others", "words"),
    [
        (creation(60), creation(601), [creation(2 * 86_400), creation(MONTH)], "a period of at most a day"),
        (creation(MONTH), creation(40 * 86_400), [creation(60), creation(2 * 86_400)], "a period of more than 31 days"),
        (creation(60, 1), creation(MONTH, 1), [creation(60), creation(60, 300)], "releasesQtd at most 1"),
        (creation(60, 300), creation(MONTH, 500), [creation(60, 200), creation(60, 1)], "releasesQtd above 255"),
        (
            creation(60, periodInitDate=at(timedelta(), -180)), creation(MONTH, periodInitDate=at(timedelta(), 60)),
            [creation(60), creation(60, periodEndDate=at(timedelta(seconds=60), -180))], "periodInitDate with an offset",
        ),
        (
            creation(60, periodInitDate=at(timedelta(), milliseconds=True)),
            creation(MONTH, periodInitDate=at(timedelta(), milliseconds=True)), [creation(60)],
            "periodInitDate with a fraction of a second",
        ),
        (
            creation(60, totalNetValue=Decimal("2000000.01")), creation(MONTH, totalNetValue=Decimal(9_000_000)),
            [creation(60)], "totalNetValue above 1000000",
        ),
        (
            creation(60, totalNetValue=Decimal(-3)), creation(MONTH, totalNetValue=Decimal(0)), [creation(60)],
            "totalNetValue of zero or less",
        ),
        (creation(60, accountId="19055"), creation(MONTH, accountId="19056"), [creation(60)], "accountId is str"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_creations_are_left_out_for_what_those_refused_have_in_common(
    refused_one: Call, like_it: Call, others: list[Call], words: str
) -> None:
    hindrances = Hindrances()
    for _ in range(MET_AT_MOST):
        refused(hindrances, refused_one)
        for other in others:
            hindrances.note(other, accepted=True)
    assert hindrances.why_not(like_it).endswith(f"POST /reconciliation with {words}")
    assert [hindrances.why_not(other) for other in others] == [""] * len(others)


def test_what_was_accepted_before_is_suspected_less_than_what_never_was() -> None:
    """Several entries are no reason where all that were refused had long periods too, and none of those was ever accepted."""
    hindrances = Hindrances()
    hindrances.note(creation(60), accepted=True)
    refused(hindrances, creation(2 * 86_400), MET_AT_MOST)
    assert hindrances.why_not(creation(60)) == ""
    assert hindrances.why_not(creation(2 * 86_400)).endswith("with a period of more than a day")
    refused(hindrances, creation(2 * 86_400), MET_AT_MOST)
    assert "refused 6 times in a row" in hindrances.why_not(creation(60)), "in the end all is suspected"


def test_it_is_tried_again_ever_more_seldom() -> None:
    """Whatever was the cause may have passed."""
    hindrances = Hindrances()
    refused(hindrances, CONCLUDED, MET_AT_MOST)
    sent = []
    for number in range(200):
        if not hindrances.why_not(CONCLUDED):
            sent.append(number)
            refused(hindrances, CONCLUDED)
    assert sent == [LEFT_OUT_FIRST, 3 * LEFT_OUT_FIRST + 1, 7 * LEFT_OUT_FIRST + 2, 15 * LEFT_OUT_FIRST + 3]
    hindrances.note(CONCLUDED, accepted=True)
    assert hindrances.why_not(CONCLUDED) == ""


def test_drawing_hangs_on_nothing_that_changes() -> None:
    hindrances = Hindrances()
    refused(hindrances, INVOICED, MET_AT_MOST)
    hindrances.note(CONCLUDED, accepted=True)
    blocked = hindrances.blocked()
    hindrances.note(INVOICED, accepted=True)
    assert blocked.against(INVOICED)
    assert not blocked.against(CONCLUDED)


def test_what_may_be_the_cause_is_tried_once() -> None:
    """That INVOICED orders are refused for their missing sendDate shows only when one is sent that has it."""
    hindrances, dated = Hindrances(), submission(status="INVOICED", sendDate="2024-03-05T12:00:00Z")
    refused(hindrances, INVOICED, MET_AT_MOST)
    assert hindrances.why_not(INVOICED) != ""
    assert hindrances.why_not(dated) == ""
    refused(hindrances, dated)
    assert hindrances.why_not(dated) != ""


@pytest.mark.parametrize("endpoint", [Endpoint.GET_ORDER, Endpoint.DELETE_ORDER])
def test_an_order_that_must_be_there_counts(endpoint: Endpoint) -> None:
    for call in sample(calls(SCOPE, endpoint), 5):
        assert [one.endpoint for one in lawful_in(call)] == [endpoint, Endpoint.SUBMIT_ORDER]
        assert list(lawful_in(call))[1].body == call.order


@pytest.mark.parametrize("endpoint", [Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE])
def test_so_does_all_of_a_batch(endpoint: Endpoint) -> None:
    for call in sample(calls(SCOPE, endpoint), 5):
        assert call.batch is not None
        found = {one.endpoint for one in lawful_in((call, "and more"))}
        assert found == {Endpoint.SUBMIT_ORDER, Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE}


def test_a_fault_is_not_lawful() -> None:
    """What is refused for its fault is no hindrance: only the call without it is looked at."""
    kinds = next(iter(FAULTS["ORD-02"].values()))
    for case in sample(cases(SCOPE, Endpoint.SUBMIT_ORDER, kinds[0]), 10):
        assert [call.body["status"] in STATUSES for call in lawful_in(case)] == [True]
    releases = next(iter(FAULTS["REL-04"].values()))
    for fault_batch in sample(fault_batches(SCOPE, Endpoint.SUBMIT_RELEASE, releases), 3):
        assert all(call.body.get("releaseType", "IN_CASH") == "IN_CASH" for call in lawful_in(fault_batch))


def test_odd_orders_have_traits_too() -> None:
    odd = st.builds(
        lambda one, status, extracts: {**one, "status": status, "extracts": extracts},
        orders(SCOPE),
        st.sampled_from([None, 5, {}, [], "INVOICED"]),
        st.sampled_from([[], [None], ["x"], [{}], [{"type": {}}]]),
    )
    for body in sample(odd, 30):
        assert all(traits_of(call) for call in lawful_in((body,)))


@pytest.mark.parametrize("others", [0, 1], ids=["nothing else", "something else"])
def test_where_hardly_anything_else_is_drawn_none_is_looked_for_long(others: int) -> None:
    """A run drew for minutes, at each scenario whose orders were all refused, and nothing moved."""
    drawn: list[Call] = []

    def counted(call: Call) -> Call:
        drawn.append(call)
        return call

    with closing(open_session(Options())) as session:
        bench = Bench(session, "queries")
        session.evidence.expect("queries", "QRY-01", "a scenario")
        bench.hindrances = Hindrances()
        for _ in range(MET_AT_MOST):
            bench.hindrances.note(INVOICED, accepted=False)
            bench.hindrances.note(CONCLUDED, accepted=True)
        some = st.sampled_from([INVOICED, CONCLUDED] if others else [INVOICED]).map(counted)
        sent: list[Call] = []
        with nullcontext() if others else pytest.raises(NotTried, match="status INVOICED"):
            prove(bench, "a law", some, sent.append, 40)
    assert len(drawn) < LEFT_OUT_AT_MOST + 3 * 40
    assert sent == [CONCLUDED] * len(sent)
    assert bool(sent) == bool(others)


def test_a_kind_that_was_not_tried_keeps_none_after_it_from_being_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the scenario says afterwards that it has not seen all."""
    refuse_one, tried = laws.refuse_one, list[str]()

    def first_left_out(bench: Bench, rule: Rule, endpoint: Endpoint, kind: Kind, *rest: Any) -> None:
        tried.append(kind.name)
        if len(tried) == 1:
            raise NotTried("a status was refused each time")
        refuse_one(bench, rule, endpoint, kind, *rest)

    monkeypatch.setattr(laws, "refuse_one", first_left_out)
    fault = "its status has another JSON type"
    with closing(open_session(Options(profile="deep"))) as session:
        session.evidence.expect("types", "ORD-13", fault)
        bench = Bench(session, "types")
        kinds = [kind.name for kind in bench.kinds_of(catalogue()["ORD-13"], Endpoint.SUBMIT_ORDER, fault)]
        with pytest.raises(NotTried, match="a status was refused each time"):
            laws.refuse(bench, catalogue()["ORD-13"], Endpoint.SUBMIT_ORDER, fault, STATUSES)
        assert tried == kinds
        assert session.evidence.scenarios["types"].count(Side.REFUSED) >= len(kinds) - 1 > 0


# -- a whole run -------------------------------------------------------------------------------------------------------


def test_a_lawful_order_that_is_refused_leaves_the_budget_to_the_rules(tmp_path: Path) -> None:
    """Before, 30 of these took one client error each, and other rules were not judged for it."""
    rules = [
        part
        for rule in ("ORD-01", "ORD-06", "ORD-11", "QRY-02", "DEL-01", "DEL-02", "ORD-13")
        for part in ("--rule", rule)
    ]
    with mock(tmp_path, defect="ord-06-send-date-demanded") as staged:
        file = target_file(tmp_path / "sandbox.toml", staged.base_url, coordination=f"sqlite:{tmp_path / 's.sqlite'}")
        run = certify(tmp_path / "reports", "--target", str(file), *rules)
    assert run.code == 1
    assert run.verdicts("fail") == {"ORD-01", "ORD-06"}
    assert {"QRY-02", "DEL-01", "DEL-02"} <= run.verdicts("pass")


def test_releases_that_are_refused_are_told_by_the_rule_that_says_they_are_accepted(tmp_path: Path) -> None:
    """Before, those refused ahead of their scenarios' turns kept each of these from being sent: all was undecided."""
    rules = [part for rule in ("REL-01", "REL-07", "REL-08", "REL-09", "REL-19") for part in ("--rule", rule)]
    with mock(tmp_path, defect="rel-01-values-of-a-type-differ") as staged:
        file = target_file(tmp_path / "sandbox.toml", staged.base_url, coordination=f"sqlite:{tmp_path / 's.sqlite'}")
        run = certify(tmp_path / "reports", "--target", str(file), *rules)
    assert run.code == 1
    assert "REL-01" in run.verdicts("fail")
    assert run.verdicts("fail") <= {"REL-01", "REL-19"}
