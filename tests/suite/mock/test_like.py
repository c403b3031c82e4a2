"""A mock like an endpoint that was certified: it answers as that one was seen to, also where it is wrong."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.commandline.likeness import quirks_like, seen_in
from conformance.errors import CannotRun
from conformance.mock.koncili import Koncili
from conformance.mock.like import Broken, Seen, likeness
from conformance.verdict.observed import ObservedEntry
from tests.suite.support.command_runs import certify
from tests.suite.support.made_up_certificates import certified
from tests.suite.support.made_up_evidence import all_pass
from tests.suite.support.mock_calls import Caller, order

PLAIN: Final[dict[str, Any]] = {
    "readings": {},
    "accepted": {},
    "refusals": {},
    "delays": {},
    "forms": {},
    "broken": (),
}
URL: Final = "https://sandbox.koncili.example/api/order"


def caller(**seen: Any) -> Caller:
    """A client of a mock that is like an endpoint that answered so."""
    quirks, left = likeness(Seen(**{**PLAIN, **seen}))
    assert left == []
    koncili = Koncili()
    koncili.switch(quirks)
    return Caller(koncili)


def broken(rule: str, answered: int, **changes: Any) -> Broken:
    """An order of another account than the mock's, and how it was answered."""
    body = json.dumps({**order(accountId=4711, channelName="ELSEWHERE"), **changes}, default=float)
    return Broken(rule, f"{rule}-1", "POST", URL, body.encode(), answered)


def test_with_nothing_seen_it_is_the_plain_mock() -> None:
    plain = caller()
    assert plain.submit().status_code == 200
    assert plain.submit(status="SENT").status_code == 400
    assert plain.look_up().json()["createdDate"] == "2025-05-09T12:00:00Z"


def test_what_is_accepted_has_the_status_that_was_seen() -> None:
    like = caller(accepted={"POST /order": 202, "DELETE /order": 204})
    assert like.submit().status_code == 202
    assert like.look_up("DELETE").status_code == 204
    assert like.submit(status="SENT").status_code == 400


def test_a_refusal_has_the_status_and_code_that_were_seen_for_its_rule() -> None:
    like = caller(refusals={"ORD-02": (422, "422-9"), "QRY-02": (410, None)})
    assert (answer := like.submit(status="SENT")).status_code == 422
    assert answer.json()["errorCode"] == "422-9"
    assert like.submit(createdDate="yesterday").status_code == 400  # another rule
    assert like.look_up().status_code == 410


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("9999-99-99T99:99:99.999-03:00", "2025-05-09T09:00:00.000-03:00"),
        ("9999-99-99T99:99:99+00:00", "2025-05-09T12:00:00+00:00"),
        ("9999-99-99 99:99:99", "2025-05-09 12:00:00"),
        ("", "2025-05-09T12:00:00Z"),
    ],
)
def test_instants_have_the_form_that_was_seen(form: str, text: str) -> None:
    like = caller(forms={"instant": form})
    like.submit()
    assert like.look_up().json()["createdDate"] == text


@pytest.mark.parametrize(
    ("form", "text"), [("9.999", "203.600"), ('"9.99"', '"203.60"'), ("", "203.60"), ("9.9E+9", "203.60")]
)
def test_amounts_have_the_form_that_was_seen(form: str, text: str) -> None:
    like = caller(forms={"amount": form})
    like.submit(totalGrossValue=Decimal("203.60"))
    assert f'"totalGrossValue": {text}' in like.look_up().text
    assert f'"value": {text}' in like.look_up().text


@pytest.mark.parametrize(("form", "sent", "shown"), [('"9"', 19055, "19055"), ("9", "19055", 19055)])
def test_the_account_has_the_form_that_was_seen(form: str, sent: object, shown: object) -> None:
    like = caller(forms={"accountId": form})
    like.submit(accountId=sent)
    assert like.look_up().json()["accountId"] == shown


def test_readings_are_followed() -> None:
    assert caller(readings={"empty-extracts": "accepted"}).submit(extracts=[]).status_code == 200
    assert caller(readings={"empty-extracts": "rejected"}).submit(extracts=[]).status_code == 400


CONCLUDED: Final = {"status": "CONCLUDED", "sendDate": "2025-05-10T12:00:00Z"}
DATES: Final = {"estimatedDeliveryDate": "2025-05-11T12:00:00Z", "deliveryDate": "2025-05-11T12:00:00Z"}


def test_what_was_accepted_although_forbidden_is_accepted_in_that_place_alone() -> None:
    whole = {**CONCLUDED, **DATES}
    without = {name: value for name, value in whole.items() if name != "deliveryDate"}
    like = caller(broken=[broken("ORD-04", 200, **without)])
    assert like.submit(**without).status_code == 200
    assert like.submit(**{**whole, "estimatedDeliveryDate": None}).status_code == 400
    assert like.submit(**{**whole, "createdDate": "2026-01-01T00:00:00Z"}).status_code == 400


def test_what_was_refused_although_lawful_is_refused_as_a_defect_does() -> None:
    precise = {"createdDate": "2025-05-09T12:00:00.250Z"}
    lawful = json.dumps(order(), default=float).encode()
    like = caller(broken=[broken("ORD-01", 400, **precise)], taken=[lawful])
    assert like.submit(**precise).status_code == 400
    assert like.submit().status_code == 200


def test_what_may_be_refused_for_several_reasons_is_not_guessed() -> None:
    _, left = likeness(Seen(**{**PLAIN, "broken": [broken("ORD-01", 400)]}))
    assert left == ["not done alike: ORD-01-1, which POST /api/order showed"]


def test_what_cannot_be_done_alike_is_told() -> None:
    _, left = likeness(Seen(**{**PLAIN, "broken": [broken("ORD-15", 200)]}))
    assert left == ["not done alike: ORD-15-1, which POST /api/order showed"]


def test_a_rule_that_was_refused_in_many_ways_keeps_the_documented_one(tmp_path: Path) -> None:
    counts = {
        "ORD-02": {"422 422-1": 9, "400 400-0": 1},
        "ORD-12": {"422 422-1": 5, "400 400-0": 5},
        "ERR-04": {"405 405-0": 9},
    }
    observed = ObservedEntry(statuses={"POST /order": {"200": 3, "202": 9}}, refusals=counts, delays={}, forms={})
    certificate = tmp_path / "certificate.json"
    certificate.write_text(certified(all_pass(), observed=observed).sealed.to_json())
    seen = seen_in(certificate)
    assert seen.refusals == {"ORD-02": (422, "422-1")}
    assert seen.accepted == {"POST /order": 202}


def test_a_certificate_that_does_not_say_how_it_answered_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "certificate.json"
    old.write_text(certified(all_pass()).sealed.to_json())
    with pytest.raises(CannotRun, match=r"does not say how the endpoint answered.*certify again"):
        seen_in(old)


def test_the_certificate_of_a_defect_makes_a_mock_that_has_it(tmp_path: Path) -> None:
    rules = ("--rule", "ORD-07", "--rule", "QRY-01")
    run = certify(tmp_path / "reports", *rules, "--defect", "ord-07-not-created-approved")
    assert run.verdicts("fail") == {"ORD-07"}, run.output
    quirks, left = quirks_like(tmp_path / "reports" / "certificate.json")
    assert left == []
    koncili = Koncili()
    koncili.switch(quirks)
    like = Caller(koncili)
    assert like.submit(approvedDate="2025-05-09T12:00:00-03:00").status_code == 200
    (finding,) = run.entry("ORD-07")["findings"][:1]
    assert finding["id"].startswith("ORD-07")
    sent = json.loads(run.entry("ORD-07")["counterexample"]["request"]["body"])
    about = {"accountId": 19055, "channelName": "CHANNEL_NAME"}
    assert like.call("POST", "/order", {**sent, **about}).status_code == 200
