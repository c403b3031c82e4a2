"""What lenient parsers take for JSON and for dates: each server takes it at its value, as that of a real stack does."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.instants import parse_local
from conformance.contract.jsontext import dumps
from conformance.contract.judge import Request
from conformance.contract.nearly_json import (
    AFTER,
    COMMAS,
    COMMENTS,
    HASHES,
    HOLES,
    LENIENCIES,
    LINES,
    NAMES,
    QUOTES,
    read_leniently,
)
from conformance.mock.defects.parts import CREATE, RELEASE, SUBMIT, changed, reading, rules
from conformance.mock.quirks import Defect

DATES: Final = (
    "createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate", "cancelDate", "expectedDate",
    "periodInitDate", "periodEndDate", "releasedDate",
)  # fmt: skip
_WRITERS: Final = (SUBMIT, CREATE, RELEASE)

_BRASILIA: Final = timedelta(hours=3)
_DAY_ALONE: Final = len("2025-05-09")


def local_dates(by: timedelta = timedelta(), takes: Callable[[str], bool] = lambda _: True) -> Callable[[Any], Any]:
    """A date without an offset taken for an instant, by a clock so much behind that of UTC."""

    def change(text: Any) -> Any:
        local = parse_local(text) if isinstance(text, str) and takes(text) else None
        return (local + by).isoformat() if isinstance(local, datetime) else text

    return change


_LENIENT: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6})\d*)?(?:Z|([+-])(\d{2}):?(\d{2})).*",
    re.ASCII | re.DOTALL,
)


def rolled_over(text: Any) -> Any:
    """A date read leniently, as SimpleDateFormat does: what is past the end of a month, a year or a day runs over into the next,
    and what follows the date is not read."""
    found = _LENIENT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return text
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    first = datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)
    offset = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0)) * (-1 if found[8] == "-" else 1)
    fraction = timedelta(microseconds=int((found[7] or "0").ljust(6, "0")))
    return (first + timedelta(day - 1, second, 0, 0, minute, hour) + fraction - offset).isoformat()


_HOUR: Final = re.compile(r"(.*T)(\d:.*)", re.ASCII | re.DOTALL)


def _hour_filled_up(text: Any) -> Any:
    """An hour of one digit with the zero that it lacks."""
    found = _HOUR.fullmatch(text) if isinstance(text, str) else None
    return text if found is None else f"{found[1]}0{found[2]}"


_DAY_OF_DATE: Final = re.compile(r"(\d{4}-\d{2})-(29|30|31)(T.*)", re.ASCII | re.DOTALL)


def clamped(text: Any) -> Any:
    """A day that its month lacks for the last one it has, as Java's formatters take it by default (ResolverStyle.SMART)."""
    found = _DAY_OF_DATE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return text
    days = monthrange(int(found[1][:4]), int(found[1][5:]))[1] if "01" <= found[1][5:] <= "12" else 31
    return f"{found[1]}-{min(int(found[2]), days):02}{found[3]}"


def _objects_only(request: Request) -> Request:
    """A release without its entries that are no objects."""
    entries = request.fields.get("releases")
    if request.endpoint is not RELEASE or not isinstance(entries, list):
        return request
    return changed(request, {**request.fields, "releases": [one for one in entries if isinstance(one, dict)]})


def read_as(takes: Collection[str], *endpoints: Endpoint) -> Callable[[Request], Request]:
    """A body read by a parser that takes these leniencies."""

    def read(request: Request) -> Request:
        if request.fields or request.endpoint not in (endpoints or _WRITERS):
            return request
        fields = read_leniently(request.body, takes)
        return request if fields is None else replace(request, body=dumps(fields).encode())

    return read


def _text_read(changes: Mapping[str, str]) -> Callable[[Request], Request]:
    """A body that is no JSON read with these changes of its text."""

    def read(request: Request) -> Request:
        if request.fields or request.endpoint not in _WRITERS:
            return request
        text = request.body.decode("utf-8", "replace")
        for pattern, instead in changes.items():
            text = re.sub(pattern, instead, text)
        return replace(request, body=text.encode())

    return read


def _dates(name: str, statement: str, change: Callable[[Any], Any], *endpoints: Endpoint) -> Defect:
    return Defect(
        name=f"ord-21-{name}",
        statement=statement,
        rules=rules("ORD-21"),
        reads=reading(change, DATES, *(endpoints or _WRITERS)),
    )


def _parser(name: str, statement: str, *takes: str) -> Defect:
    return Defect(name=f"ord-22-{name}", statement=statement, rules=rules("ORD-22"), reads=read_as(takes))


PARSERS: Final = (
    _dates("taken-as-utc", "Takes a date without an offset by the clock of UTC.", local_dates()),
    _dates("taken-as-brasilia", "Takes a date without an offset by the clock of Brasilia.", local_dates(_BRASILIA)),
    _dates("no-time-of-day", "Takes a date without a time of day for its midnight.",
           local_dates(takes=lambda text: len(text) == _DAY_ALONE)),
    _dates("no-offset", "Takes a date and a time of day without an offset, and no date alone.",
           local_dates(takes=lambda text: len(text) > _DAY_ALONE)),
    _dates("in-orders", "Takes dates without an offset in orders.", local_dates(), SUBMIT),
    _dates("in-reconciliations", "Takes dates without an offset in reconciliations.", local_dates(), CREATE),
    _dates("in-releases", "Takes dates without an offset in releases.", local_dates(), RELEASE),
    Defect(name="ord-08-rolled-over", statement="Takes 30 February for 2 March (SimpleDateFormat).",
           rules=rules("ORD-08", "REC-08", "REL-17"), reads=reading(rolled_over, DATES, *_WRITERS)),
    Defect(name="rel-17-elements-dropped", statement="Skips entries of a release that are no objects.",
           rules=rules("REL-17"), reads=_objects_only),
    _parser("text-after", "Reads the first object of a body, whatever follows (Jackson).", AFTER),
    _parser("commas", "Takes a comma after the last member and the last item (System.Text.Json may).", COMMAS),
    _parser("comments", "Skips comments (System.Text.Json and Jackson may).", COMMENTS),
    _parser("yaml-comments", "Skips comments that begin with a hash (Jackson may).", HASHES),
    _parser("json5", "Reads JSON5, and skips a byte order mark, be it encoded twice.", *(LENIENCIES - {AFTER})),
    _parser("gson", "Reads what a lenient Gson reads.", QUOTES, NAMES, COMMENTS),
    _parser("control-characters", "Takes texts with line ends in them (Jackson may, Python's json if not strict).", LINES),
    _parser("missing-values", "Takes nothing between two commas for null (Jackson may).", HOLES),
    Defect(name="ord-08-clamped", statement="Takes 30 February for the last day of the month (Java's SMART resolver).",
           rules=rules("ORD-08", "REC-08", "REL-17"), reads=reading(clamped, DATES, *_WRITERS)),
    Defect(name="ord-08-hours-of-one-digit", statement="Takes an hour of one digit (Go's time.Parse, JavaScript's Date).",
           rules=rules("ORD-08"), reads=reading(_hour_filled_up, DATES, *_WRITERS)),
    Defect(name="ord-22-text-after-releases", statement="Reads the first object of a release, whatever follows.",
           rules=rules("ORD-22"), reads=read_as({AFTER}, RELEASE)),
    Defect(name="ord-14-nan", statement="Takes NaN for a number, and keeps a zero (Python).",
           rules=rules("ORD-14", "REC-08"), reads=_text_read({r"\bNaN\b": "0"})),
    Defect(name="ord-14-nan-beside", statement="Takes NaN in fields that it does not look at (Jackson may).",
           rules=rules("ORD-14"), reads=_text_read({r'("(?!total)\w+"\s*:\s*)NaN\b': r"\g<1>0"})),
    Defect(name="ord-14-zeros", statement="Takes a zero before a number (Jackson may).",
           rules=rules("ORD-14", "REC-08", "REL-17"), reads=_text_read({r'("\s*:\s*)0+(?=\d)': r"\1"})),
    Defect(name="ord-14-plus", statement="Takes a plus before a number (Jackson may).",
           rules=rules("ORD-14"), reads=_text_read({r'("\s*:\s*)\+(?=\d)': r"\1"})),
    Defect(name="ord-14-points", statement="Takes nothing before the point of a number for zero (Jackson may).",
           rules=rules("ORD-14"), reads=_text_read({r'("\s*:\s*)\.(?=\d)': r"\g<1>0."})),
)  # fmt: skip
