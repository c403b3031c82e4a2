"""What the defaults of frameworks do to what is not spelt as documented, is empty or zero, or is asked for with commas.

Of ASP.NET, Express, Go's GORM, Laravel, Rails and the general parsers of dates and numbers that scripting languages have.
"""

from __future__ import annotations

import re
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final

from conformance.contract.judge import Request
from conformance.mock.defects.parts import DELETE, QUERY, SUBMIT, asked, if_any, per_extract, rules, too_strict
from conformance.mock.defects.tolerance import DATES, NUMBERS, reads
from conformance.mock.quirks import Answer, Defect
from conformance.mock.world import Body, MockWorld, order_key

_COMMA: Final = re.compile(r"-?\d+,\d+", re.ASCII)
_NUMBER_FIRST: Final = re.compile(r"(-?\d+(?:\.\d+)?)[^\d.].*", re.ASCII | re.DOTALL)


def _date(value: Any) -> Any:
    """A date as HTTP writes it. Raises ValueError for any other text, which stays then."""
    return parsedate_to_datetime(value).isoformat() if isinstance(value, str) else value


def _first_number(value: Any) -> Any:
    found = _NUMBER_FIRST.fullmatch(value) if isinstance(value, str) else None
    return Decimal(found[1]) if found else value


def _with_comma(value: Any) -> Any:
    return Decimal(value.replace(",", ".")) if isinstance(value, str) and _COMMA.fullmatch(value) else value


def _zeros_skipped(order: Body, previous: Body | None, _: MockWorld) -> Body:
    """Each extract keeps the percentage of the one in its place where its own is zero."""
    before: Any = list((previous or {}).get("extracts") or [])
    now: Any = order.get("extracts") or []

    def kept(place: int, one: Any) -> Any:
        is_zero = one.get("percentage") == 0 and place < len(before)
        return {**one, "percentage": before[place].get("percentage")} if is_zero else one

    return {**order, "extracts": [kept(place, one) for place, one in enumerate(now)]}


def _is_given_twice(request: Request, answer: Answer) -> Answer:
    names = [part.partition("=")[0] for part in request.query_string.split("&")]
    is_lookup = request.endpoint in {QUERY, DELETE}
    return Answer(500) if is_lookup and len(set(names)) < len(names) else answer


def _is_released(request: Request, world: MockWorld) -> bool:
    """Whether an order is sent again whose extracts entries of releases refer to."""
    key = order_key(request.fields) if request.endpoint is SUBMIT else None
    return key is not None and key in world.released


FRAMEWORKS: Final = (
    reads("ord-08-general-parser", "Takes dates as HTTP writes them (JavaScript's Date, strtotime, Time.parse).",
          _date, DATES, "ORD-08", "REC-08", "REL-17"),
    reads("ord-13-leading-number", "Reads of a text the number with which it begins (parseFloat, PHP, to_d).",
          _first_number, NUMBERS, "ORD-13", "REC-08", "REL-17"),
    reads("ord-13-decimal-commas", "Takes a text with a decimal comma for a number.", _with_comma, NUMBERS,
          "ORD-13", "REC-08", "REL-17"),
    reads("ord-13-not-a-number-as-text", 'Takes the text "NaN" for a number (Jackson, AllowNamedFloatingPointLiterals).',
          lambda value: 0 if value == "NaN" else value, NUMBERS, "ORD-13", "REC-08", "REL-17"),
    reads("ord-13-empty-is-none", "Takes an empty text for none (ConvertEmptyStringsToNull, Oracle).",
          lambda value: None if value == "" else value, NUMBERS, "ORD-13", "REC-08", "REL-17"),
    Defect(name="qry-01-no-percentage-for-zero", statement="Shows a percentage of zero as none (JavaScript's ||, omitempty).",
           rules=rules("QRY-01", "ORD-15"), shows=per_extract(lambda one: {**one, "percentage": one.get("percentage") or None})),
    Defect(name="ord-15-zeros-skipped", statement="Leaves a percentage as it was where an update makes it zero (GORM's Updates).",
           rules=rules("ORD-15"), stores=_zeros_skipped),
    Defect(name="err-06-query-cut-at-commas", statement="Takes what a query asks for up to a comma (a list).",
           rules=rules("ERR-06"), reads=asked(lambda code: code.split(",")[0], "marketplaceCode", QUERY)),
    Defect(name="err-06-query-cut-at-semicolons", statement="Takes a semicolon for the end of a parameter (older Rack).",
           rules=rules("ERR-06"), reads=asked(lambda code: code.split(";")[0], "marketplaceCode", QUERY)),
    Defect(name="err-02-parameter-twice", statement="Answers 500 to a query that names a parameter twice (qs: a list).",
           rules=rules("ERR-02"), answers=_is_given_twice),
    Defect(name="err-02-released-order-again", statement="Answers 500 to an order that is sent again when it has its releases "
           "(extracts that are written anew, and a foreign key).", rules=rules("ERR-02"), crashes=_is_released),
    too_strict("ord-01-forty-extracts", "Refuses an order of more than forty extracts.",
               if_any("extracts", lambda extracts: len(extracts) > 40), "ORD-01"),
)  # fmt: skip
