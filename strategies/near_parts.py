"""The edits that make of a lawful call what is nearly one: dates that name no instant, bodies that are nearly JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis.strategies import DrawFn

from conformance.contract.endpoints import Endpoint
from strategies.calls import Call, Edit, Path, Rendered
from strategies.fault_parts import Draw, position, setting
from strategies.placeholders import Placeholder
from strategies.scope import Scope

# -- dates that name no instant ------------------------------------------------------------------------------------

_DAY: Final = timedelta(days=1)

Print = Callable[[str], str]


def clock(by: timedelta = timedelta(), between: str = "T") -> Print:
    """The clock of UTC at an instant moved by so much, to the second, without an offset."""
    return lambda text: (universal(text) + by).strftime(f"%Y-%m-%d{between}%H:%M:%S")


def day(by: timedelta) -> Print:
    """The day in UTC of an instant moved by so much."""
    return lambda text: (universal(text) + by).strftime("%Y-%m-%d")


def universal(text: str) -> datetime:
    """The instant that a lawful text stands for, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def printed_at(path: Path, text: Any, print_: Print) -> tuple[Path, Any]:
    """A date in that place printed so, be it given or a placeholder."""
    if isinstance(text, Placeholder):
        change = text.change
        return path, Placeholder(
            text.name, lambda value: print_(str(change(value))), f"{text.how}, printed in another way"
        )
    return path, print_(text)


def in_body(print_: Print, *fields: str) -> Draw:
    """Print these dates of the body so."""

    def draw_edit(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        first, *also = (printed_at(("body", field), call.body[field], print_) for field in fields)
        return Edit(*first, tuple(also))

    return draw_edit


def _expected(print_: Print) -> Draw:
    """The expectedDate of one extract, where the order was created."""

    def draw_edit(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        place = position(call.body["extracts"], None, 0)
        return Edit(*printed_at(("body", "extracts", place, "expectedDate"), call.body["createdDate"], print_))

    return draw_edit


_Rows = tuple[tuple[Endpoint, str, Draw, dict[str, Any]], ...]

_DUE: Final = {"statuses": ("INVOICED",), "present": ("estimatedDeliveryDate",)}
"""Where it is demanded, whoever takes what can't be read for none would refuse it as missing."""

_ORDERS: Final[_Rows] = tuple(
    (Endpoint.SUBMIT_ORDER, name, draw, needs)
    for name, draw, needs in (
        ("createdDate without an offset", in_body(clock(-_DAY), "createdDate"), {}),
        ("estimatedDeliveryDate without a time of day", in_body(day(2 * _DAY), "estimatedDeliveryDate"), _DUE),
        ("expectedDate without an offset", _expected(clock()), {}),
        ("createdDate without a time of day", in_body(day(-2 * _DAY), "createdDate"), {}),
        (
            "cancelDate without an offset, a blank for the T",
            in_body(clock(_DAY, " "), "cancelDate"),
            {"statuses": ("CANCELED",)},
        ),
        ("expectedDate without a time of day", _expected(day(_DAY)), {}),
    )
)

_BATCHES: Final[_Rows] = (
    (
        Endpoint.CREATE_RECONCILIATION,
        "periodEndDate without a time of day",
        in_body(day(2 * _DAY), "periodEndDate"),
        {},
    ),
    (
        Endpoint.CREATE_RECONCILIATION,
        "a period without offsets",
        in_body(clock(), "periodInitDate", "periodEndDate"),
        {},
    ),
    (Endpoint.SUBMIT_RELEASE, "createdDate without a time of day", in_body(day(-_DAY), "createdDate"), {}),
    (Endpoint.SUBMIT_RELEASE, "createdDate without an offset", in_body(clock(), "createdDate"), {}),
    (Endpoint.SUBMIT_RELEASE, "releasedDate without an offset", in_body(clock(), "releasedDate"), {}),
)


def no_instants(kind: Callable[..., Any]) -> tuple[Any, ...]:
    """The kinds of fault that make of a date of an order one that names no instant.

    Whoever takes it, by whatever clock, finds it in order all the same: it is moved by a day or two to where no other date is.
    """
    return _made(kind, _ORDERS)


def no_instants_in_batches(kind: Callable[..., Any]) -> tuple[Any, ...]:
    """The same of a reconciliation or a release; those that have to do with the period tell the clock of UTC."""
    return _made(kind, _BATCHES)


def _made(kind: Callable[..., Any], rows: _Rows) -> tuple[Any, ...]:
    return tuple(kind(name=name, draw=draw, endpoints=frozenset({on}), **needs) for on, name, draw, needs in rows)


# -- bodies that are nearly JSON -----------------------------------------------------------------------------------

_NAME: Final = re.compile(rb'"(\w+)"(?=\s*:)', re.ASCII)
_ITEM_ENDS: Final = re.compile(rb"\}\s*\]")


def _named(before: bytes, after: bytes) -> Callable[[bytes], bytes]:
    """Every name of a member between these in place of double quotes."""
    return lambda text: _NAME.sub(before + rb"\1" + after, text)


def _in_the_middle(what: bytes) -> Callable[[bytes], bytes]:
    """Something behind the brace that opens the object."""
    return lambda text: b"{" + what + text[1:]


def _comma_after_an_item(text: bytes) -> bytes:
    return _ITEM_ENDS.sub(b"},]", text, count=1)


NEARLY_JSON: Final[dict[str, Draw]] = {
    name: setting(("body",), Rendered(name, change))
    for name, change in {
        "text after it": lambda text: text + b" x",
        "a comma after the last member": lambda text: text[:-1] + b",}",
        "names in single quotes": _named(b"'", b"'"),
        "a comment in it": _in_the_middle(b"/* sent by us */"),
        "another object after it": lambda text: text + b"{}",
        "a line of comment in it": _in_the_middle(b"// sent by us\n"),
        "a line of comment with a hash": _in_the_middle(b"# sent by us\n"),
        "names without quotes": _named(b"", b""),
        "a comma after the last extract": _comma_after_an_item,
        "a line's end in a text": _in_the_middle(b'"note": "sent\nby us", '),
        "nothing between two commas": _in_the_middle(b'"tags": [1,,2], '),
        "a byte order mark encoded twice before it": lambda text: "\u00ef\u00bb\u00bf".encode() + text,
    }.items()
}

TEXT_AFTER: Final = {"text after it": NEARLY_JSON["text after it"]}

# -- numbers that are none -----------------------------------------------------------------------------------------

_NUMBER_OF: Final = rb'("(?:totalGrossValue|releasesQtd|installment)":\s*)(?=\d)'
_TOTAL: Final = rb'("(?:totalGrossValue|totalNetValue)":\s*)[-+.\dEe]+'

ZERO_BEFORE: Final = setting(
    ("body",), Rendered("a zero before a number", lambda text: re.sub(_NUMBER_OF, rb"\g<1>0", text, count=1))
)
PLUS_BEFORE: Final = setting(
    ("body",), Rendered("a plus before a number", lambda text: re.sub(_NUMBER_OF, rb"\g<1>+", text, count=1))
)
POINT_FIRST: Final = setting(
    ("body",), Rendered("nothing before the point of a number", lambda text: re.sub(_TOTAL, rb"\1.75", text, count=1))
)
NOT_A_NUMBER: Final = setting(
    ("body",), Rendered("NaN for a number", lambda text: re.sub(_TOTAL, rb"\1NaN", text, count=1))
)
"""Of an order or a creation: a release has no number that may be any."""

NOT_A_NUMBER_BESIDE: Final = setting(
    ("body",), Rendered("NaN in a field of its own", _in_the_middle(b'"weight": NaN, '))
)
"""Where a parser takes it that has no such value for an amount."""
