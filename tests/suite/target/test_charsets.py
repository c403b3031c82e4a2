"""Answers in another charset than UTF-8 are read by the one that they declare; what is not UTF-8 is a matter of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from conformance.engine.checks import error_body_problem
from conformance.target.wire.decoding import in_utf8
from conformance.target.wire.exchange import Exchange

TEXT: Final = '{"errorCode": "404-2", "errorMessage": "Canal não encontrado"}'
LATIN_1: Final = TEXT.encode("iso-8859-1")


def answered(body: bytes) -> Exchange:
    when = datetime(2026, 6, 1, tzinfo=UTC)
    return Exchange(when, "GET", "https://h/order", {}, b"", 404, {}, body, 0.0)


@pytest.mark.parametrize(
    ("charset", "declared"),
    [
        ("iso-8859-1", "application/json; charset=ISO-8859-1"),
        ("iso-8859-1", 'application/json;charset="iso-8859-1"'),
        ("cp1252", "application/json; Charset = windows-1252"),
        ("utf-16", "application/json; charset=utf-16"),
        ("utf-8", "application/json; charset=utf-8"),
        ("utf-8", "application/json"),
        ("utf-8", ""),
        ("utf-8", "application/json; charset=ISO-8859-1"),  # declared by habit, and not used
        ("utf-8", "application/json; charset=no-such-one"),
        ("utf-8", "application/json; charset=rot13"),
        ("utf-8", "application/json; charset=hex"),
        ("utf-8", "application/json; charset="),
    ],
)
def test_a_body_is_read_by_the_charset_that_it_declares_or_as_utf_8(charset: str, declared: str) -> None:
    assert in_utf8(TEXT.encode(charset), declared).decode("utf-8") == TEXT


@pytest.mark.parametrize("declared", ["", "application/json", "application/json; charset=utf-8", "x; charset=utf-16"])
def test_what_cannot_be_read_by_it_stays_as_it_is(declared: str) -> None:
    body = LATIN_1 + b" "  # an odd number of bytes is no UTF-16
    assert in_utf8(body, declared) == body


def test_nothing_is_nothing_in_any_charset() -> None:
    assert in_utf8(b"", "application/json; charset=utf-16") == b""


def test_what_is_not_utf_8_has_a_code_and_no_documented_body() -> None:
    exchange = answered(LATIN_1)
    assert exchange.error_code == "404-2"
    problem = error_body_problem(exchange)
    assert problem is not None
    assert "is not UTF-8" in problem
    assert error_body_problem(answered(TEXT.encode())) is None
