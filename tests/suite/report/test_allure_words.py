"""What Allure tells of rules, counts and exchanges."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any, Final

import pytest

from conformance.contract.readings import READINGS, resolve
from conformance.contract.rules import catalogue
from conformance.report.allure_words import (
    call_that_showed_it,
    counted,
    description,
    exchange,
    is_story,
    source_of,
)
from conformance.verdict.violation import MOST_BODY

ENDPOINTS: Final = {
    "ORD-04": "orders", "QRY-02": "queries", "DEL-02": "deletions", "REC-02": "reconciliations", "REL-02": "releases",
    "AUTH-03": "calls", "AUTH-01": "calls",
}  # fmt: skip
"""By rule: what it counts."""


@pytest.mark.parametrize("rule", ENDPOINTS)
def test_what_is_counted_has_the_name_of_the_rules_endpoint(rule: str) -> None:
    assert (
        counted(catalogue()[rule], {"refused": 38, "accepted": 38})
        == f"38 {ENDPOINTS[rule]} refused, 38 twins accepted"
    )


@pytest.mark.parametrize(
    ("seen", "what"),
    [((), "calls"), (("DELETE /order",), "deletions"), (("DELETE /order", "GET /order"), "calls")],
)
def test_what_a_rule_of_several_endpoints_counts_is_named_by_where_it_was_seen(
    seen: tuple[str, ...], what: str
) -> None:
    assert counted(catalogue()["DEL-01"], {"accepted": 2}, seen) == f"2 {what} accepted"


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({}, ""),
        ({"accepted": 0}, ""),
        ({"refused": 1, "accepted": 1}, "1 order refused, 1 twin accepted"),
        ({"accepted": 1}, "1 order accepted"),
        ({"accepted": 1200}, "1,200 orders accepted"),
        ({"checked": 1}, "1 answer checked"),
        ({"checked": 2, "accepted": 3}, "3 orders accepted, 2 answers checked"),
    ],
)
def test_one_and_many(counts: dict[str, int], told: str) -> None:
    assert counted(catalogue()["ORD-04"], counts) == told


def test_a_source_names_its_document() -> None:
    assert source_of(catalogue()["ORD-04"]) == "the order workflow page (S1), Order Status Validation"
    assert source_of(catalogue()["AUTH-01"]) == "the developer portal (P): authentication flow"


@pytest.mark.parametrize("rule", catalogue().rules)
def test_every_source_can_be_found(rule: str) -> None:
    assert not re.search(r"(?<!\()\b(S1|S2|P)\b", source_of(catalogue()[rule]))


def test_a_description_says_what_the_documents_say_and_what_was_expected() -> None:
    told = description(catalogue()["ORD-04"], {}, {})
    assert "**A CONCLUDED order without sendDate, estimatedDeliveryDate or deliveryDate is refused.**" in told
    assert "Order Status Validation. Level: required: a document states it." in told
    assert "Expected: accepted with 2xx; refused with 400." in told


def test_a_description_says_where_the_documents_disagree_and_what_the_run_follows() -> None:
    rule = next(rule for rule in catalogue().rules.values() if rule.reading == "value-mismatch")
    told = description(rule, resolve({"value-mismatch": "discrepancy"}), {"value-mismatch": "probed"})
    assert READINGS["value-mismatch"].disagreement in told
    assert "This run follows `discrepancy` (found out by probing)." in told


def test_a_description_shows_markup_as_it_is() -> None:
    told = description(catalogue()["AUTH-03"], {}, {})
    assert r"NO\_TOKEN" in told


# -- exchanges -----------------------------------------------------------------------------------------------------

REQUEST: Final[dict[str, Any]] = {
    "method": "POST",
    "url": "http://127.0.0.1:8765/order",
    "headers": {"integrator": "3f0e"},
    "body": '{"totalGrossValue": 10.10, "big": 123456789012345678901234567890, "small": 0.000000000000000001, "exponent": 1e5}',
}
RESPONSE: Final[dict[str, Any]] = {"status": 400, "headers": {"content-type": "text/html"}, "body": "<b>no"}


def test_an_exchange_is_shown_with_its_numbers_digit_for_digit() -> None:
    body = exchange(REQUEST, RESPONSE)["request"]["body"]
    assert body["contentType"] == "application/json"
    assert body["value"].splitlines() == [
        "{",
        '  "totalGrossValue": 10.10,',
        '  "big": 123456789012345678901234567890,',
        '  "small": 0.000000000000000001,',
        '  "exponent": 1e5',
        "}",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        " [ ] ",
        '{"a": {}, "b": [[], {"c": null}], "d": "[,:\\"}{ "}',
        "[1, [2, [3]], -0.0, true]",
        '"text"',
        "12",
        '{"é": "\\u00e9"}',
    ],
)
def test_json_over_several_lines_is_as_python_writes_it(text: str) -> None:
    shown = exchange({"body": text}, {})["request"]["body"]["value"]
    assert shown.replace("\\u00e9", "é") == json.dumps(json.loads(text), indent=2, ensure_ascii=False)


def test_a_name_that_stands_twice_is_shown_twice() -> None:
    assert exchange({"body": '{"a":1,"a":2}'}, {})["request"]["body"]["value"] == '{\n  "a": 1,\n  "a": 2\n}'


def test_an_exchange_is_shown_with_its_status_and_headers() -> None:
    shown = exchange(REQUEST, RESPONSE)
    assert (shown["request"]["method"], shown["request"]["url"]) == ("POST", REQUEST["url"])
    assert shown["request"]["headers"] == [{"name": "integrator", "value": "3f0e"}]
    assert (shown["response"]["status"], shown["response"]["statusText"]) == (400, "Bad Request")
    assert shown["response"]["body"] == {"contentType": "text/plain", "value": "<b>no", "truncated": False}


@pytest.mark.parametrize("status", [None, 299, 799])
def test_a_status_without_a_name(status: int | None) -> None:
    assert exchange({}, {"status": status})["response"]["statusText"] == ""


def test_an_exchange_without_bodies_or_answer() -> None:
    shown = exchange({"method": "GET", "url": "/", "headers": {}, "body": ""}, {})
    assert shown == {"request": {"method": "GET", "url": "/", "headers": []}}


def test_a_body_that_was_cut_is_shown_as_it_is() -> None:
    text = '{"a": "' + "x" * MOST_BODY
    body = exchange({"body": text[:MOST_BODY]}, {})["request"]["body"]
    assert body == {"contentType": "text/plain", "value": text[:MOST_BODY], "truncated": True}


# -- stories -------------------------------------------------------------------------------------------------------

GUILTY: Final = f"curl -i -X POST --data-raw {shlex.quote(REQUEST['body'])} {REQUEST['url']}"
TWIN: Final = f"curl -i -X POST --data-raw '{{}}' {REQUEST['url']}"


def test_the_curl_line_is_that_of_the_request_and_not_of_its_twin() -> None:
    story = f"# 1. POST /order: 200\n{GUILTY}\n# 2. the twin: 200\n{TWIN}"
    assert is_story(story)
    assert call_that_showed_it(story, REQUEST) == GUILTY


def test_a_single_call_is_no_story() -> None:
    assert not is_story(GUILTY)
    assert call_that_showed_it(GUILTY, REQUEST) == GUILTY


def test_a_body_of_several_lines_stays_whole() -> None:
    request = REQUEST | {"body": '{\n"a": 1}'}
    call = f"curl -i -X POST --data-raw {shlex.quote(request['body'])} {request['url']}"
    assert call_that_showed_it(f"# 1. POST /order: 200\n{call}\n# 2. POST /order: 200\n{TWIN}", request) == call


@pytest.mark.parametrize("story", ["", "# 1. GET /order: 404\ncurl 'not closed\n# 2. GET /order: 404\ncurl other"])
def test_where_no_call_is_the_request_it_is_the_last(story: str) -> None:
    assert call_that_showed_it(story, REQUEST) == ("curl other" if story else "")
