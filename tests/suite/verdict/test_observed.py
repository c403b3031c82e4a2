"""How a target was seen to answer, of made-up exchanges: statuses, codes, delays, forms."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.verdict.exchanges import FIELD
from conformance.verdict.observed import ACCOUNT, AMOUNT, AS_SENT, INSTANT, ObservedEntry, observed, own_form

BASE = "https://sandbox.koncili.example/api"


def entry(
    call: str,
    status: int,
    answer: str = "",
    *,
    sent: str = "",
    ms: float = 1.0,
    evidence: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """An entry of a HAR."""
    method, path = call.split(" ")
    marks = [{"rule": evidence[0], "side": evidence[1], "scenario": "one"}] if evidence else []
    return {
        "time": ms,
        "request": {"method": method, "url": BASE + path, "postData": {"text": sent}},
        "response": {"status": status, "content": {"text": answer}},
        FIELD: {"evidence": marks},
    }


def order(**changes: Any) -> str:
    body = {"marketplaceCode": "A", "accountId": 19055, "createdDate": "2025-05-09T12:00:00Z"}
    return json.dumps({**body, **changes})


def shown(sent: str, answer: str) -> ObservedEntry:
    """What one order shows that was sent so, and asked for."""
    return observed([entry("POST /order", 200, sent=sent), entry("GET /order?marketplaceCode=A", 200, answer)])


def test_statuses_and_delays_are_told_by_endpoint() -> None:
    seen = observed(
        [
            entry("POST /order", 200, ms=2),
            entry("POST /order", 200, ms=4),
            entry("POST /order", 400, ms=30),
            entry("GET /order?marketplaceCode=A", 404),
            entry("POST /nowhere", 404),
            entry("POST /order", 0, ms=900),  # no answer came
        ]
    )
    assert seen.statuses == {"GET /order": {"404": 1}, "POST /order": {"200": 2, "400": 1}}
    assert (seen.delays["POST /order"].median, seen.delays["POST /order"].slowest) == (4, 30)


def test_refusals_are_told_by_rule_with_their_codes() -> None:
    conflict = json.dumps({"errorMessage": "no", "errorCode": "400-3"})
    seen = observed(
        [
            entry("POST /order", 400, conflict, evidence=("ORD-07", "refused")),
            entry("POST /order", 422, "<html>", evidence=("ORD-07", "broken")),
            entry("POST /order", 200, "", evidence=("ORD-02", "broken")),
            entry("GET /my-accounts", 403, '{"response": "NO_TOKEN"}', evidence=("AUTH-03", "refused")),
            entry("POST /order", 200, "", evidence=("ORD-01", "accepted")),
        ]
    )
    assert seen.refusals == {"AUTH-03": {"403 NO_TOKEN": 1}, "ORD-07": {"400 400-3": 1, "422": 1}}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2025-05-09T12:00:00Z", AS_SENT),
        ("2025-05-09T12:00:00.000Z", "9999-99-99T99:99:99.999Z"),
        ("2025-05-09T09:00:00-03:00", "9999-99-99T99:99:99-03:00"),
        ("2025-05-09 09:00", "9999-99-99 99:99"),
    ],
)
def test_the_form_of_an_instant(text: str, form: str) -> None:
    assert shown(order(), order(createdDate=text)).forms[INSTANT] == {form: 1}


@pytest.mark.parametrize(
    ("sent", "literal", "form"),
    [
        ("203.6", "203.6", AS_SENT),
        ("203.6", "203.60", "9.99"),
        ("203.0", "203", "9"),
        ("203.6", '"203.60"', '"9.99"'),
        ("-24.44", "-24.440", "9.999"),
    ],
)
def test_the_form_of_an_amount(sent: str, literal: str, form: str) -> None:
    one, other = (order()[:-1] + f', "totalGrossValue": {text}}}' for text in (sent, literal))
    assert shown(one, other).forms[AMOUNT] == {form: 1}


def test_the_form_of_an_account_is_told_as_it_is() -> None:
    assert shown(order(), order()).forms[ACCOUNT] == {"9": 1}
    assert shown(order(), order(accountId="19055")).forms[ACCOUNT] == {'"9"': 1}


def test_a_form_is_the_targets_own_where_it_is_not_as_sent() -> None:
    assert own_form(INSTANT, {AS_SENT: 9, "a": 1}) == ""
    assert own_form(INSTANT, {AS_SENT: 3, "a": 3, "b": 2}) == "a"
    assert own_form(ACCOUNT, {"9": 3, '"9"': 1}) == ""
    assert own_form(ACCOUNT, {'"9"': 4}) == '"9"'


def test_what_is_no_json_shows_nothing() -> None:
    seen = observed([entry("POST /order", 200, sent="{"), entry("GET /order", 200, "[1, 2"), entry("GET /order", 200)])
    assert seen.forms == {}
    assert observed([]) == ObservedEntry(statuses={}, refusals={}, delays={}, forms={})


def test_an_order_that_was_sent_long_before_is_compared_with_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody remembers what was sent: it says nothing on the forms; of one that was never sent what is shown does."""
    monkeypatch.setattr("conformance.verdict.observed.MOST_ORDERS", 1)
    asked = entry("GET /order?marketplaceCode=A", 200, order())
    assert observed([asked]).forms
    others = [entry("POST /order", 200, sent=order().replace('"A"', f'"{code}"')) for code in "BC"]
    assert not observed([*others, asked]).forms
    assert observed([*others, entry("POST /order", 200, sent=order()), asked]).forms
