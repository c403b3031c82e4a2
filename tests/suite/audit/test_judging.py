"""What a recording decides and what it does not: the server's answers are evidence, and what is not known is no fault."""

from __future__ import annotations

import tracemalloc
from typing import Any
from unittest.mock import patch

import pytest

from conformance.audit import orders
from conformance.audit.outcome import NO_CALL, certify_recording
from conformance.audit.secrets import Secrets
from conformance.traffic.exchange import NOT_RECORDED
from conformance.verdict.verdicts import RuleVerdict, RunVerdict
from tests.suite.support.bodies import END, LATER, creation, entries, order, release
from tests.suite.support.recorded_calls import BEGAN, CODE, HEADERS, QUERY, Recording, verdict

ERROR_400 = {"errorMessage": "not this", "errorCode": "400-0", "errorSource": None}
NO_ORDER = {"errorMessage": f"Order {CODE} not found", "errorCode": "404-3"}
OF_RELEASES = ("CLI-01", "CLI-02", "CLI-03", "CLI-04")


# -- bodies --------------------------------------------------------------------------------------------------------


def test_a_body_that_was_not_recorded_is_neither_empty_nor_faulty() -> None:
    recording = Recording()
    recording.submit(NOT_RECORDED, status=400, answer=ERROR_400)
    recording.open(NOT_RECORDED)
    recording.release(NOT_RECORDED)
    auditor = recording.audited()
    assert recording.broken() == {}
    for rule in ("ORD-14", "ORD-04", "REC-03", "REL-02", *OF_RELEASES[1:]):
        assert verdict(auditor, rule) == "undecided", rule


def test_a_body_that_was_empty_for_certain_is_a_fault() -> None:
    recording = Recording()
    recording.submit(b"", status=400, answer=ERROR_400)
    assert recording.broken() == {"ORD-14": [0]}


@pytest.mark.parametrize(
    ("changes", "rule", "pointer"),
    [
        ({"status": "CONCLUDED"}, "ORD-04", "/sendDate"),
        ({"status": "SHIPPED"}, "ORD-02", "/status"),
        ({"approvedDate": "2024-02-01T12:00:00Z"}, "ORD-07", "/approvedDate"),
        ({"createdDate": "09/02/2024"}, "ORD-08", "/createdDate"),
        ({"extracts": entries(("SALE", "-1.00"))}, "ORD-10", "/extracts/0/value"),
        ({"extracts": entries(("SALE", "1.00"), code="ANOTHER-1")}, "ORD-11", "/extracts/0/marketplaceCode"),
        ({"createdDate": "2024-02-09T12:00:00"}, "ORD-21", "/createdDate"),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 502, None])
def test_what_no_document_allows_is_a_fault_whatever_was_answered(
    changes: dict[str, Any], rule: str, pointer: str, status: int | None
) -> None:
    recording = Recording()
    recording.submit(order(**changes), status=status)
    (finding,) = recording.audited().findings.found
    assert (finding.rule.id, finding.pointer) == (rule, pointer)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"extracts": entries(("RETURN_COMISSION", "1.00"))}, "ORD-09"),
        ({"extracts": []}, "ORD-18"),
        ({"totalGrossValue": "203.63"}, "ORD-13"),
    ],
)
@pytest.mark.parametrize(("status", "expected"), [(200, "kept"), (400, "broken"), (None, "undecided")])
def test_what_the_documents_disagree_about_is_decided_by_the_answer(
    changes: dict[str, Any], rule: str, status: int | None, expected: str
) -> None:
    recording = Recording()
    recording.submit(order(**changes), status=status, answer=ERROR_400 if status == 400 else None)
    auditor = recording.audited()
    assert verdict(auditor, rule) == expected
    assert [finding.rule.id for finding in auditor.findings.found] == ([rule] if expected == "broken" else [])


def test_a_refusal_of_what_is_lawful_is_no_fault_and_is_told() -> None:
    recording = Recording()
    recording.submit(order(), status=400, answer=ERROR_400)
    auditor = recording.audited()
    assert recording.broken() == {}
    assert [spot.origin.entry for spot in auditor.unexplained.spots] == [0]


# -- the world -----------------------------------------------------------------------------------------------------


def test_an_order_sent_before_the_recording_began_is_not_judged() -> None:
    recording = Recording()
    recording.open(creation())
    recording.release(release(releases=entries(("SALE", "1.00"))))
    auditor = recording.audited()
    assert recording.broken() == {}
    for rule in OF_RELEASES:
        assert verdict(auditor, rule) == "undecided", rule


def test_an_order_that_a_query_shows_is_judged_as_it_was_shown() -> None:
    recording = Recording()
    recording.look_up(answer=order())
    recording.open(creation())
    recording.release(release(releases=entries(("SALE", "1.00"), ("COMISSION", "-24.44"), ("SHIP", "-27.95"))))
    assert recording.broken() == {"CLI-03": [2]}


def test_a_404_3_says_that_the_order_was_not_there() -> None:
    recording = Recording()
    recording.open(creation())
    recording.look_up(status=404, answer=NO_ORDER)
    recording.release(release(), status=400, answer=ERROR_400)
    assert recording.broken() == {"REL-13": [2]}


def test_a_404_3_right_after_a_submission_may_come_too_early() -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(status=404, answer=NO_ORDER)
    recording.look_up(answer=order())
    recording.open(creation())
    recording.release(release())
    assert recording.broken() == {}


@pytest.mark.parametrize("lost", [None, 502])
def test_a_submission_whose_answer_was_lost_leaves_the_order_in_doubt(lost: int | None) -> None:
    changed = order(extracts=entries(("SALE", "203.63"), ("COMISSION", "-20.00"), ("SHIP", "-27.95")))
    for released in (order(), changed):
        recording = Recording()
        recording.submit(order())
        recording.submit(changed, status=lost)
        recording.open(creation())
        recording.release(release(releases=released["extracts"]))
        auditor = recording.audited()
        assert verdict(auditor, "CLI-03") == "undecided"
        assert set(recording.broken()) == {"CLI-01"}


def test_a_query_decides_a_doubt() -> None:
    changed = order(extracts=entries(("SALE", "203.63"), ("COMISSION", "-20.00"), ("SHIP", "-27.95")))
    recording = Recording()
    recording.submit(order())
    recording.submit(changed, status=None)
    recording.look_up(answer=changed)
    recording.open(creation())
    recording.release(release())
    assert recording.broken() == {"CLI-03": [4]}


def test_a_query_or_a_first_deletion_of_what_is_not_there_is_a_question() -> None:
    recording = Recording()
    recording.look_up(status=404, answer=NO_ORDER)
    recording.delete(status=404, answer=NO_ORDER)
    auditor = recording.audited()
    assert recording.broken() == {}
    assert auditor.unexplained.times == 0


def test_a_deletion_of_what_was_deleted_is_a_fault_unless_its_answer_was_lost() -> None:
    recording = Recording()
    recording.submit(order())
    recording.delete()
    recording.delete(status=404, answer=NO_ORDER)
    assert recording.broken() == {"DEL-02": [2]}
    recording = Recording()
    recording.submit(order())
    recording.delete(status=None)
    recording.look_up(status=200, answer=order())
    recording.delete(status=404, answer=NO_ORDER)
    assert recording.broken() == {}


def test_an_order_that_is_gone_for_the_server_is_no_longer_judged_as_it_was_sent() -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(status=404, answer=NO_ORDER, after=3600)
    recording.open(creation())
    recording.release(release(releases=entries(("SALE", "1.00"))))
    auditor = recording.audited()
    assert recording.broken() == {"CLI-01": [3]}
    assert verdict(auditor, "CLI-03") == "undecided"
    assert auditor.books.ties_out


@pytest.mark.parametrize(("status", "broken"), [(400, {"DEL-04": [4]}), (200, {}), (502, {}), (404, {})])
def test_a_deletion_of_what_is_reconciled_is_a_fault_where_the_server_refuses_it(
    status: int, broken: dict[str, list[int]]
) -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation())
    recording.release(release())
    recording.delete(status=status, answer=ERROR_400)
    assert recording.broken() == broken


@pytest.mark.parametrize("account", ["", "one", "19055x"])
def test_a_query_that_names_no_order_is_a_fault(account: str) -> None:
    recording = Recording()
    recording.look_up(f"marketplaceCode={CODE}&channelName=CHANNEL_NAME&accountId={account}", status=400)
    assert recording.broken() == {"ORD-12": [0]}


def test_what_was_seen_of_many_orders_is_kept_in_little_room() -> None:
    recording = Recording()
    for number in range(300):
        recording.submit(order(f"A-{number}", note="n" * 5_000), after=1)
    with patch.object(orders, "MOST_AWAKE", 10):
        tracemalloc.start()
        try:
            auditor = recording.audited()
            kept = tracemalloc.take_snapshot().filter_traces(
                [tracemalloc.Filter(inclusive=True, filename_pattern=orders.__file__)]
            )
        finally:
            tracemalloc.stop()
    assert not auditor.findings.broken
    assert sum(one.size for one in kept.statistics("filename")) < 300 * 500


def test_an_order_sent_after_its_deletion_is_a_new_one() -> None:
    recording = Recording()
    for number, period in ((237, {}), (238, LATER)):
        recording.submit(order())
        recording.look_up(answer=order())
        recording.open(creation(**period), number=number)
        recording.release(release(reconciliationId=number, releasedDate=period.get("periodEndDate", END)))
        recording.delete()
    assert recording.broken() == {}


def test_a_creation_whose_answer_was_lost_is_known_by_its_first_release() -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation(), status=None)
    recording.release(release(releasedDate=LATER["periodEndDate"]), status=200)
    recording.release(release("ANOTHER-1", releasedDate=LATER["periodEndDate"]), status=400, answer=ERROR_400)
    assert recording.broken() == {"CLI-06": [4], "CLI-05": [2, 4]}


@pytest.mark.parametrize(
    ("code", "rule"),
    [("404-1", "ACC-02"), ("404-2", "ACC-03"), ("400-2", "ACC-04"), ("403-1", "ACC-05"), ("403-2", "ACC-06")],
)
def test_what_the_server_says_of_an_account_is_evidence(code: str, rule: str) -> None:
    recording = Recording()
    recording.submit(order(), status=int(code[:3]), answer={"errorMessage": "no", "errorCode": code})
    assert recording.broken() == {rule: [0]}


@pytest.mark.parametrize(
    ("headers", "status", "answer", "expected"),
    [
        ({"integrator": HEADERS["integrator"]}, 403, {"response": "NO_TOKEN"}, "broken"),
        ({"integrator": HEADERS["integrator"]}, 200, None, "kept"),  # it was left out of the recording
        (NOT_RECORDED, 403, {"response": "NO_TOKEN"}, "undecided"),
        (HEADERS, 403, {"response": "NO_TOKEN"}, "kept"),
    ],
)
def test_a_missing_token_is_a_fault_where_the_server_misses_it(
    headers: Any, status: int, answer: Any, expected: str
) -> None:
    recording = Recording()
    recording.look_up(status=status, answer=answer, headers=headers)
    assert verdict(recording.audited(), "AUTH-03") == expected


def test_periods_that_overlap_are_a_fault() -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation())
    recording.release(release())
    recording.open(creation(), status=400, answer=ERROR_400)
    recording.open(creation(periodInitDate="2024-02-14T12:30:00Z", periodEndDate=LATER["periodEndDate"]), status=400)
    assert {rule: spots for rule, spots in recording.broken().items() if rule.startswith("REC")} == {
        "REC-04": [4], "REC-05": [5],
    }  # fmt: skip


def test_a_server_that_was_set_back_makes_no_fault() -> None:
    """A sandbox, or a mock that was started again, knows nothing of what was there: the same day again is lawful."""
    recording = Recording()
    for _ in range(2):
        recording.submit(order())
        recording.look_up(answer=order())
        recording.open(creation())
        recording.release(release())
    assert recording.broken() == {}


def test_a_second_release_that_is_taken_is_a_fault() -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation())
    recording.release(release())
    recording.release(release())
    assert recording.broken()["CLI-02"] == [4]


# -- which calls are Koncili's -------------------------------------------------------------------------------------


def test_calls_of_others_and_preflights_are_left_out() -> None:
    recording = Recording()
    recording.call("GET", "/order?id=5", host="https://api.marketplace.example", headers={})
    recording.call("POST", "/order", {"items": []}, host="https://api.marketplace.example", headers={})
    recording.call("OPTIONS", "/order", status=204)
    recording.call("GET", "/index.html", host="https://shop.example", headers={})
    assert recording.audited().counts.calls == 0
    recording.look_up(answer=order())
    recording.call("GET", "/order?id=5", host="https://api.marketplace.example", headers={})
    assert recording.audited().counts.calls == 1


@pytest.mark.parametrize("prefix", ["", "/koncili/v1"])
def test_a_base_url_may_have_a_path(prefix: str) -> None:
    recording = Recording()
    recording.call("POST", f"{prefix}/order", order(status="SHIPPED"), status=400, host="https://gateway.example")
    auditor = recording.audited()
    assert recording.broken() == {"ORD-02": [0]}
    assert auditor.recogniser.base_url == f"https://gateway.example{prefix}"


def test_a_program_of_ones_own_on_this_machine_is_no_koncili() -> None:
    recording = Recording()
    recording.submit(order())
    own: dict[str, Any] = {"host": "http://localhost:3000", "headers": {"host": "localhost:3000", "cookie": "a=b"}}
    recording.call("GET", "/order?id=5", answer={"id": 5}, **own)
    recording.call("POST", "/api/reconciliation", {"day": 1}, answer={"ok": True}, **own)
    recording.call("GET", "/my-accounts", answer=[], **own)
    assert recording.broken() == {}
    assert recording.audited().counts.calls == 1


@pytest.mark.parametrize(
    ("answer", "status", "calls"),
    [({"response": "NO_TOKEN"}, 403, 2), ({"errorMessage": "a", "errorCode": "400-0"}, 400, 2), (None, None, 2)],
)
def test_a_mock_on_this_machine_is_known_by_how_it_answers(answer: Any, status: int | None, calls: int) -> None:
    recording = Recording()
    own: dict[str, Any] = {"host": "http://localhost:3000", "headers": {"host": "localhost:3000"}}
    recording.call("GET", "/order?id=5", answer=answer, status=status, **own)
    recording.call("GET", "/my-accounts", answer=[], **own)
    assert recording.audited().counts.calls == calls


def test_a_stated_base_url_leaves_out_all_else() -> None:
    recording = Recording()
    recording.submit(order(status="SHIPPED"))
    assert recording.audited(base_url="https://another.example").counts.calls == 0
    assert recording.audited(base_url="https://koncili.example/").counts.calls == 1


def test_a_path_that_is_not_documented_is_a_fault_where_the_server_does_not_know_it() -> None:
    recording = Recording()
    recording.look_up(answer=order())
    recording.call("GET", "/orders", status=404)
    recording.call("GET", "/erp/stock")
    assert recording.broken() == {"ERR-04": [1]}


BARE_404 = {"errorMessage": "Not Found", "errorCode": "404", "errorSource": None}


@pytest.mark.parametrize("answer", [b"", b"<html>Not Found</html>", BARE_404])
@pytest.mark.parametrize("below", ["/public/api", "/api/v1"])
def test_a_documented_path_below_another_one_is_a_fault_where_the_server_does_not_know_it(
    below: str, answer: Any
) -> None:
    recording = Recording()
    recording.call("POST", f"{below}/order", order(), status=404, answer=answer)
    recording.submit(order())
    recording.call("GET", f"{below}/order?{QUERY}", status=404, answer=answer)
    assert recording.broken() == {"ERR-04": [0, 2]}


@pytest.mark.parametrize("answer", [{**BARE_404, "errorCode": "404-3"}, NOT_RECORDED])
def test_what_is_not_there_below_a_base_url_of_its_own_is_no_wrong_path(answer: Any) -> None:
    recording = Recording()
    recording.log_in()
    recording.call("GET", f"/api/order?{QUERY}", status=404, answer=answer)
    assert recording.broken() == {}


def test_a_server_that_knows_nothing_at_all_shows_no_wrong_path() -> None:
    recording = Recording()
    recording.call("POST", "/order", order(), status=404, answer=BARE_404)
    recording.call("POST", "/api/order", order(), status=404, answer=BARE_404)
    assert recording.broken() == {}


@pytest.mark.parametrize("body", [b'{"marketplaceCode": "701', b"<binary data>", b"[object Object]", b"(not shown)"])
def test_what_was_taken_although_it_is_no_json_the_recorder_has_altered(body: bytes) -> None:
    recording = Recording()
    recording.submit(body)
    recording.release(body)
    auditor = recording.audited()
    assert not auditor.findings.found
    assert verdict(auditor, "ORD-14") == verdict(auditor, "REL-17") == "undecided"


@pytest.mark.parametrize("status", [None, 503, 429, 400])
@pytest.mark.parametrize(("length", "expected"), [(None, "undecided"), ("400", "undecided"), ("24", "broken")])
def test_the_beginning_of_an_object_may_have_been_cut_unless_it_is_as_long_as_what_was_sent(
    length: str | None, expected: str, status: int | None
) -> None:
    recording = Recording()
    headers = HEADERS if length is None else {**HEADERS, "content-length": length}
    recording.submit(b'{"marketplaceCode": "701', status=status, headers=headers)
    assert verdict(recording.audited(), "ORD-14") == expected


@pytest.mark.parametrize(
    ("body", "status", "rule"),
    [
        (b"marketplaceCode=701&status=INVOICED", 400, "ORD-14"),
        (b"", 200, "ORD-14"),
        (b"[]", 200, "ORD-14"),
        (b'"{}"', 200, "ORD-14"),
        (b'{"totalGrossValue": NaN}', 200, "ORD-14"),
        (b"{'marketplaceCode': '701'}", 200, "ORD-22"),
    ],
)
def test_what_is_no_order_is_a_fault_all_the_same(body: bytes, status: int, rule: str) -> None:
    recording = Recording()
    recording.submit(body, status=status)
    assert recording.broken() == {rule: [0]}


# -- the verdict ---------------------------------------------------------------------------------------------------


def test_no_call_is_never_conformant() -> None:
    recording = Recording()
    recording.call("GET", "/index.html", host="https://shop.example", headers={})
    certificate = certify_recording(recording.audited(), Secrets(), files=[], problems=[], started_at=BEGAN)
    assert certificate.verdict is RunVerdict.INCONCLUSIVE
    assert {rule.reason for rule in certificate.rules} == {NO_CALL}


def test_what_can_not_be_judged_leaves_the_verdict_partial() -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    complete = certify_recording(recording.audited(), Secrets(), files=[], problems=[], started_at=BEGAN)
    assert complete.verdict is RunVerdict.CONFORMANT
    recording.submit(NOT_RECORDED)
    certificate = certify_recording(recording.audited(), Secrets(), files=[], problems=[], started_at=BEGAN)
    assert certificate.verdict is RunVerdict.PARTIAL
    (entry,) = [rule for rule in certificate.rules if rule.id == "ORD-14"]
    assert (entry.verdict, entry.undecided, entry.checked) == (RuleVerdict.NOT_EXERCISED, 1, 1)
    assert "1 of 2 calls can't be judged" in entry.reason
