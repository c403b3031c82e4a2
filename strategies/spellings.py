"""How clients write the same order: JSON of the same values, other prints of the same instants, other ways of HTTP.

Each manner is one that a client library was seen to have (docs/stacks.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from conformance.contract.endpoints import TOKEN_HEADER, Endpoint
from strategies.calls import Call, calls
from strategies.dates import FIELDS as DATE_FIELDS
from strategies.placeholders import TOKEN
from strategies.scope import Scope
from strategies.written import (
    ALL,
    COMPACT,
    MANY_LINES,
    NONE,
    PLAIN,
    SLASHES,
    Spelling,
    shorter_with_exponent,
    shortest,
    with_exponent,
)

Order = Mapping[str, Any]

# -- instants ------------------------------------------------------------------------------------------------------


def _dated(order: Order, change: Callable[[str, str], str]) -> dict[str, Any]:
    """The order with each of its dates changed, by the date's name and text."""

    def of(holder: Order, names: tuple[str, ...]) -> dict[str, Any]:
        return {**holder, **{name: change(name, holder[name]) for name in names if isinstance(holder.get(name), str)}}

    return {**of(order, DATE_FIELDS), "extracts": [of(one, ("expectedDate",)) for one in order["extracts"]]}


def _universal(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _clock(text: str) -> str:
    """Date and time of day in UTC, to the second."""
    return _universal(text).strftime("%Y-%m-%dT%H:%M:%S")


def _same(order: Order) -> dict[str, Any]:
    return dict(order)


FREE_TEXT: Final = "customerName"
"""A text that no document names: it may hold what a code may not."""


def _with_letters(order: Order) -> dict[str, Any]:
    """With a text in which each way to escape shows."""
    return {**order, FREE_TEXT: "João da Conceição, S/A"}


_ROUND: Final = Decimal("1500.00")


def _with_thousands(order: Order) -> dict[str, Any]:
    """With a sale of a round thousand and a half."""
    sale = next(place for place, one in enumerate(order["extracts"]) if one["type"] == "SALE")
    extracts = [{**one, "value": _ROUND} if place == sale else one for place, one in enumerate(order["extracts"])]
    total = sum((one["value"] for one in extracts if one["type"] == "SALE"), Decimal(0))
    return {**order, "totalGrossValue": total, "extracts": extracts}


def _fractions(digits: str) -> Callable[[Order], dict[str, Any]]:
    """Every date at that fraction of its second."""
    return lambda order: _dated(order, lambda _, text: f"{_clock(text)}.{digits}Z")


def _few_digits(*, padded: bool) -> Callable[[Order], dict[str, Any]]:
    """Approved in the same second as created, at .5 and at .25: who reads .5 as 5 and .25 as 25 milliseconds finds them out of
    order. `padded` to three digits nobody does."""

    def change(order: Order) -> dict[str, Any]:
        together = {**order, "approvedDate": order["createdDate"]}
        created, other = (".250Z", ".500Z") if padded else (".25Z", ".5Z")
        return _dated(together, lambda name, text: _clock(text) + (created if name == "createdDate" else other))

    return change


def _offset(after: str, hours: int = 0) -> Callable[[Order], dict[str, Any]]:
    """Every date by the clock of that offset."""

    def change(_: str, text: str) -> str:
        local = _universal(text) + timedelta(hours=hours)
        return local.strftime("%Y-%m-%dT%H:%M:%S") + after

    return lambda order: _dated(order, change)


# -- the spellings -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Manner:
    """One manner of writing: the spelling, what the order is like that shows it, and how its twin is written."""

    spelling: Spelling = PLAIN
    prepared: Callable[[Order], dict[str, Any]] = _same
    twin: Callable[[Order], dict[str, Any]] | None = None
    """What the order is like whose acceptance makes a refusal of the other telling; None: the same order, plainly written."""
    shape: str | None = None
    """The shape of codes that shows it, though a target need not take such; None: any that it must take."""


_ZEROS: Final = Decimal("0.001")

JSON_SPELLINGS: Final[Mapping[str, Manner]] = MappingProxyType(
    {
        "no white space": Manner(Spelling(layout=COMPACT)),
        "white space everywhere": Manner(Spelling(layout=MANY_LINES)),
        "its members in another order": Manner(Spelling(is_reversed=True)),
        "raw UTF-8": Manner(Spelling(escapes=NONE, layout=COMPACT), _with_letters, shape="accents"),
        "every character escaped": Manner(Spelling(escapes=ALL), _with_letters),
        "slashes escaped": Manner(Spelling(escapes=SLASHES), _with_letters),
        "amounts without zeros at the end": Manner(Spelling(amounts=shortest), _with_thousands),
        "amounts with exponents": Manner(Spelling(amounts=with_exponent), _with_thousands),
        "amounts with exponents in lower case": Manner(
            Spelling(amounts=lambda amount: with_exponent(amount, "e", 2, "+")), _with_thousands
        ),
        "exponents where they are shorter": Manner(Spelling(amounts=shorter_with_exponent), _with_thousands),
        "one or two digits of a second": Manner(prepared=_few_digits(padded=False), twin=_few_digits(padded=True)),
    }
)
"""What is plainly lawful: each spelling of the same JSON, and up to three digits of a second."""

OTHER_SPELLINGS: Final[Mapping[str, Manner]] = MappingProxyType(
    {
        "six digits of a second": Manner(prepared=_fractions("123456"), twin=_fractions("123")),
        "seven digits of a second": Manner(prepared=_fractions("1234567"), twin=_fractions("123")),
        "nine digits of a second": Manner(prepared=_fractions("123456789"), twin=_fractions("123")),
        "the offset +00:00": Manner(prepared=_offset("+00:00"), twin=_offset("Z")),
        "the offset -00:00": Manner(prepared=_offset("-00:00"), twin=_offset("Z")),
        "offsets without a colon": Manner(prepared=_offset("-0300", -3), twin=_offset("-03:00", -3)),
        "the offset +0000": Manner(prepared=_offset("+0000"), twin=_offset("Z")),
        "amounts with zeros at the end": Manner(Spelling(amounts=lambda amount: str(amount.quantize(_ZEROS)))),
        "amounts with seventeen digits and an exponent": Manner(Spelling(amounts=lambda amount: f"{amount:.16E}")),
        "a body in chunks": Manner(Spelling(in_chunks=True)),
        "a Content-Type that names its charset": Manner(
            Spelling(headers={"content-type": "application/json; charset=utf-8"})
        ),
        "header names in lower case": Manner(Spelling(headers={TOKEN_HEADER: None, TOKEN_HEADER.lower(): TOKEN})),
        "header names in capitals": Manner(Spelling(headers={TOKEN_HEADER: None, TOKEN_HEADER.upper(): TOKEN})),
    }
)
"""What clients send besides and no document speaks of."""


@dataclass(frozen=True, slots=True)
class Respelt:
    """The same order in two spellings, each to be sent under a code of its own."""

    twin: Call
    spelt: Call


@st.composite
def respelt(draw: DrawFn, scope: Scope, manner: Manner) -> Respelt:
    """A lawful order in that manner of writing, and plainly written."""
    call: Call = draw(calls(scope, Endpoint.SUBMIT_ORDER))
    spelt = manner.prepared(call.body)
    plain = manner.twin(call.body) if manner.twin is not None else spelt
    call = replace(call, shape=manner.shape or call.shape)
    return Respelt(
        replace(call, body=plain),
        replace(call, body=spelt, spelling=manner.spelling, headers={**call.headers, **manner.spelling.headers}),
    )
