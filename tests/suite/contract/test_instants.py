"""Instants and money as they are read and compared, whatever Python's own parsers take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from conformance.contract.instants import is_shown_as, keeps_fraction, parse_instant, read_instant
from conformance.contract.money import is_same_amount, to_the_cent

NOON = datetime(2025, 5, 9, 12, tzinfo=UTC)

SENT = {
    "2025-05-09T12:00:00Z": NOON,
    "2025-05-09T09:00:00-03:00": NOON,
    "2025-05-09T12:00:00+0000": NOON,
    "2025-05-09T12:00:00-00:00": NOON,
    "2025-05-09T12:00:00.5Z": NOON + timedelta(seconds=0.5),
    "2025-05-09T12:00:00.123456789Z": NOON + timedelta(microseconds=123456),
}
"""What a request may send."""

SHOWN = {
    "2025-05-09T12:00Z": NOON,
    "2025-05-09T09:00-03": NOON,
    "2025-05-09T09:00:00-03": NOON,
    "2025-05-09T09:00:00.000000-03": NOON,
    "2025-05-09t12:00:00z": NOON,
    "2025-05-09T12:00:00,500Z": NOON + timedelta(seconds=0.5),
    "2025-05-09T12:00:00.000000000000Z": NOON,
    "20250509T120000Z": NOON,
    "+2025-05-09T09:00:00-03:00": NOON,
    "2025-05-09T09:00:00\u221203:00": NOON,
    "2025-05-09T08:53:32-03:06:28": NOON,
    "2025-05-08T24:00:00Z": NOON - timedelta(hours=12),
}
"""What an answer may show besides."""

NONE = (
    "2025-05-09", "2025-05-09T12:00:00", "12:00:00Z", "2025-02-30T12:00:00Z", "2025-05-09T25:00:00Z", "2025-05-09T12:60:00Z",
    "2025-05-09T12:00:00+03:60", "2025-05-09T12:00:00+24:00", "2025-05-09T24:00:01Z", "2025-13-09T12:00:00Z", "", "yesterday",
    "2025-05-09T12:00:00+03:06:60", "2025-05-09T12:00:00.Z", "\u0662025-05-09T12:00:00Z", "0000-05-09T12:00:00Z",
)  # fmt: skip
"""What names no instant, on any version of Python."""


@pytest.mark.parametrize(("text", "instant"), SENT.items())
def test_what_a_request_may_send_is_read_everywhere(text: str, instant: datetime) -> None:
    assert parse_instant(text) == read_instant(text) == instant


@pytest.mark.parametrize(("text", "instant"), SHOWN.items())
def test_what_an_answer_may_show_besides_is_no_request(text: str, instant: datetime) -> None:
    assert (parse_instant(text), read_instant(text)) == (None, instant)


@pytest.mark.parametrize("text", NONE)
def test_what_names_no_instant(text: str) -> None:
    assert parse_instant(text) is None
    assert read_instant(text) is None


@pytest.mark.parametrize(
    ("sent", "shown", "same", "kept"),
    [
        (0, 0, True, True),
        (0, 0.001, False, False),
        (0, 1, False, False),
        (0.457, 0.457, True, True),
        (0.457, 0, True, False),
        (0.657, 1, True, False),
        (0.457, 0.4, True, False),
        (0.457, -0.6, False, False),
        (0.001, 1.001, False, False),
    ],
)
def test_a_whole_second_is_kept_and_of_a_fraction_nobody_says_how_much(
    sent: float, shown: float, same: bool, kept: bool
) -> None:
    one, other = (NOON + timedelta(seconds=seconds) for seconds in (sent, shown))
    assert (is_shown_as(one, other), keeps_fraction(one, other)) == (same, kept)


@pytest.mark.parametrize(
    ("printed", "cents"),
    [
        ("203.630", "203.63"), ("2.0363E2", "203.63"), ("203.62999999999999545", "203.63"), ("-24.440000000000001", "-24.44"),
        ("8.949999999999999", "8.95"), ("0.005", "0.01"), ("-0.005", "-0.01"), ("0.0049", "0.00"), ("1E+3", "1000.00"),
    ],
)  # fmt: skip
def test_an_amount_is_what_it_is_to_the_cent(printed: str, cents: str) -> None:
    assert str(to_the_cent(Decimal(printed))) == cents


def test_what_is_too_large_for_cents_is_compared_as_it_is() -> None:
    assert is_same_amount(Decimal("1E+999999"), Decimal("1E+999999"))
    assert not is_same_amount(Decimal("1E+999999"), Decimal("1E+999998"))
    assert is_same_amount(10**40, Decimal(10**40) + Decimal("0.001"))
