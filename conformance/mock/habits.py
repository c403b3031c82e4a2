"""Variants in what a server does with a call that no document settles: lawful habits of HTTP and of real services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl

from conformance.contract.judge import Request
from conformance.mock.quirks import Answer, Variant


def _plus_is_a_plus(request: Request) -> Request:
    """The query as RFC 3986 has it: a plus in it stands for itself."""
    query: Mapping[str, str] = dict(parse_qsl(request.query_string.replace("+", "%2B"), keep_blank_values=True))
    return replace(request, query=query)


_FAULT: Final = Answer(
    500, {"errorMessage": "Unexpected error, please try again", "errorCode": "500", "errorSource": None}
)
_NTH: Final = 97


HABITS: Final = (
    Variant(
        name="passing-500",
        statement="Answers every 97th call with 500, and does nothing.",
        busy=lambda number: _FAULT if number % _NTH == 0 else None,
    ),
    Variant(
        name="lost-in-500",
        statement="Answers every 97th call with 500, and has done what it was asked.",
        loses=lambda number: _FAULT if number % _NTH == 0 else None,
    ),
    Variant(
        name="plus-for-itself",
        statement="Reads a plus in a query as a plus: a blank is %20 only.",
        reads=_plus_is_a_plus,
    ),
)
