"""A violation becomes a finding: what reports and terminals tell of it, in full and without secrets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.target.wire.exchange import Exchange, as_curl
from conformance.target.wire.redaction import Redactor
from conformance.verdict.violation import MOST_BODY, Finding, Violation, request_of, response_of

SECRET: Final = "s3cret-of-the-test"

EXCHANGE: Final = Exchange(
    datetime(2026, 11, 22, tzinfo=UTC),
    "POST",
    f"https://koncili.example/order?key={SECRET}",
    {"content-type": "application/json", "cookie": "a=b", "x-key": SECRET},
    b'{"key": "s3cret-of-the-test"}',
    400,
    {"set-cookie": "c=d", "x-echo": SECRET},
    b'{"echo": "s3cret-of-the-test"}',
    0.1,
    Endpoint.SUBMIT_ORDER,
)


@pytest.fixture
def redactor() -> Redactor:
    redactor = Redactor()
    redactor.learn(SECRET, "password")
    return redactor


def violation(exchange: Exchange | None = EXCHANGE, *story: Exchange, context: str = "") -> Violation:
    """A violation of ORD-04 that this exchange shows, after these."""
    seen = Violation(rule="ORD-04", expected="400", actual="it was 200", exchange=exchange, context=context)
    seen.story = story
    return seen


# -- the violation -------------------------------------------------------------------------------------------------


def test_a_violation_says_what_was_expected_and_what_came() -> None:
    assert str(violation()) == "ORD-04: expected 400, but it was 200"
    assert str(violation(context="no deliveryDate")) == "ORD-04: expected 400, but it was 200 (no deliveryDate)"


def test_a_violation_keeps_what_it_was_made_of() -> None:
    seen = Violation(rule="ORD-04", expected="400", actual="it was 200", exchange=EXCHANGE, context="no deliveryDate")
    assert (seen.rule, seen.expected, seen.actual, seen.exchange, seen.context, seen.kind, seen.story) == (
        "ORD-04", "400", "it was 200", EXCHANGE, "no deliveryDate", "", (),
    )  # fmt: skip


def test_a_violation_is_as_large_as_its_request() -> None:
    assert violation().size == len(EXCHANGE.url) + len(EXCHANGE.request_body)
    assert violation(None).size == 0


# -- the finding ---------------------------------------------------------------------------------------------------


def test_a_finding_tells_request_and_answer_without_secrets(redactor: Redactor) -> None:
    finding = Finding.of(violation(context=f"sent {SECRET}"), redactor)
    assert finding == Finding(
        "ORD-04",
        "ORD-04: expected 400, but it was 200 (sent <redacted:password>)",
        {
            "method": "POST",
            "url": "https://koncili.example/order?key=<redacted:password>",
            "headers": {
                "content-type": "application/json",
                "cookie": "<redacted:cookie>",
                "x-key": "<redacted:password>",
            },
            "body": '{"key": "<redacted:password>"}',
        },
        {
            "status": 400,
            "headers": {"set-cookie": "<redacted:set-cookie>", "x-echo": "<redacted:password>"},
            "body": '{"echo": "<redacted:password>"}',
        },
        as_curl(EXCHANGE, redactor),
        endpoint="POST /order",
    )
    assert SECRET not in finding.curl


def test_a_finding_without_an_exchange_has_only_its_reason(redactor: Redactor) -> None:
    reason = "ORD-04: expected 400, but it was 200"
    assert Finding.of(violation(None), redactor) == Finding("ORD-04", reason, {}, {}, "")


def test_a_long_body_is_cut(redactor: Redactor) -> None:
    long = replace(EXCHANGE, request_body=b"q" * (MOST_BODY + 1), response_body=b"a" * (MOST_BODY + 1))
    assert request_of(long, redactor)["body"] == "q" * MOST_BODY
    assert response_of(long, redactor)["body"] == "a" * MOST_BODY


# -- the story -----------------------------------------------------------------------------------------------------

FIRST: Final = replace(EXCHANGE, method="GET", url="https://koncili.example/my-accounts", status=200, request_body=b"")


def test_a_story_is_told_in_order_and_ends_in_what_shows_it(redactor: Redactor) -> None:
    noted = replace(FIRST, note=f"asked with {SECRET}")
    unknown = replace(FIRST, endpoint=None, status=404)
    assert Finding.of(violation(EXCHANGE, noted, unknown), redactor).curl.splitlines() == [
        "# 1. asked with <redacted:password>: 200",
        as_curl(noted, redactor),
        "# 2. GET: 404",
        as_curl(unknown, redactor),
        "# 3. POST /order: 400",
        as_curl(EXCHANGE, redactor),
    ]


def test_what_shows_it_is_told_once_where_the_story_holds_it(redactor: Redactor) -> None:
    assert Finding.of(violation(EXCHANGE, EXCHANGE, FIRST), redactor).curl.splitlines() == [
        "# 1. POST /order: 400, which shows it",
        as_curl(EXCHANGE, redactor),
        "# 2. POST /order: 200",
        as_curl(FIRST, redactor),
    ]


# -- on a terminal -------------------------------------------------------------------------------------------------


def test_calls_that_were_sent_at_once_are_sent_so_again(redactor: Redactor) -> None:
    one, other = (replace(EXCHANGE, note=f"at once: {name}") for name in ("one", "other"))
    lines = Finding.of(violation(EXCHANGE, FIRST, one, other), redactor).curl.splitlines()
    assert lines[1] == as_curl(FIRST, redactor)
    assert lines[3] == f"{as_curl(one, redactor)} &"
    assert lines[5] == f"{as_curl(other, redactor)} & wait"
    later = EXCHANGE.started_at + timedelta(seconds=EXCHANGE.seconds + 1)
    next_ones = [replace(one, started_at=later) for one in (one, other)]
    both = Finding.of(violation(EXCHANGE, one, other, *next_ones), redactor).curl.splitlines()
    assert [line.rsplit(maxsplit=1)[-1] for line in both[1::2]][:4] == ["&", "wait", "&", "wait"]
    alone = Finding.of(violation(EXCHANGE, FIRST, one), redactor).curl.splitlines()
    assert alone[3] == as_curl(one, redactor)


def test_a_terminal_gets_reason_curl_lines_and_answer() -> None:
    finding = Finding("ORD-04", "it was accepted", {}, {"status": 200, "body": "{}"}, "# 1. a call\ncurl")
    assert finding.text().splitlines() == ["  it was accepted", "", "  # 1. a call", "  curl", "", "  answered 200: {}"]


def test_a_terminal_gets_the_reason_alone_where_nothing_was_sent() -> None:
    assert Finding("ORD-04", "it was accepted", {}, {}, "").text() == "  it was accepted"
