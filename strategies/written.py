"""How a call is written: JSON of the same values in the ways of many clients, and the ways in which HTTP carries it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import simplejson

from conformance.contract.coercion import AMOUNTS
from conformance.contract.jsontext import dumps

# -- amounts -------------------------------------------------------------------------------------------------------


def _digits(amount: Decimal) -> tuple[str, str, int]:
    """Sign, significant digits, and the exponent of ten behind the first of them."""
    sign, digits, _ = amount.normalize().as_tuple()
    return "-" if sign else "", "".join(map(str, digits)), amount.adjusted() if amount else 0


def shortest(amount: Decimal) -> str:
    """As whatever prints floats, but for its exponents: 203.6, 100, 0.07."""
    return format(amount.normalize(), "f")


def with_exponent(amount: Decimal, mark: str = "E", width: int = 1, plus: str = "") -> str:
    """203.63 as 2.0363E2, 100 as 1E2, 0.07 as 7E-2."""
    sign, digits, exponent = _digits(amount)
    mantissa = digits[0] + ("." + digits[1:] if digits[1:] else "")
    return f"{sign}{mantissa}{mark}{'-' if exponent < 0 else plus}{abs(exponent):0{width}}"


def shorter_with_exponent(amount: Decimal) -> str:
    """As Elixir: always a point, and an exponent where that is shorter: 1.0e3, 1.5e5, 203.6, 100.0."""
    sign, digits, exponent = _digits(amount)
    text = shortest(amount)
    text = text if "." in text else f"{text}.0"
    other = f"{sign}{digits[0]}.{digits[1:] or 0}e{exponent}"
    return other if len(other) < len(text) else text


_BEYOND_ASCII, ALL, NONE, SLASHES = "beyond ASCII", "all", "none", "slashes"
_ONE_LINE, COMPACT, MANY_LINES = "one line", "compact", "many lines"

_LAYOUTS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {_ONE_LINE: {}, COMPACT: {"separators": (",", ":")}, MANY_LINES: {"indent": "\t"}}
)

# -- JSON ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a call is written: its amounts, its texts, its white space, the sequence of its members; and how it is sent."""

    amounts: Callable[[Decimal], str] | None = None
    """How an amount is printed; None: with the decimals that it was drawn with. Counts and ids have no point and no exponent."""
    escapes: str = _BEYOND_ASCII
    """Which characters are escaped: those beyond ASCII, none that need not be, those of PHP (the slash), or all."""
    layout: str = _ONE_LINE
    is_reversed: bool = False
    """Whether the last member of each object comes first."""
    in_chunks: bool = False
    """Whether the body is sent in chunks, without a Content-Length."""
    headers: Mapping[str, Any] = field(default_factory=dict)
    """Headers in place of those that the client sends by itself."""

    @property
    def is_plain(self) -> bool:
        """Whether the text of a body is what it is where nothing is asked for."""
        plain = self.amounts is None and self.escapes == _BEYOND_ASCII
        return plain and self.layout == _ONE_LINE and not self.is_reversed


PLAIN: Final = Spelling()


QUOTED_AMOUNTS: Final = Spelling(amounts=lambda amount: f'"{amount}"')
"""Each amount as text, which is JSON of another value: as Ruby's BigDecimal and decimal.js print one."""


def written(body: Any, spelling: Spelling = PLAIN) -> bytes:
    """The JSON text of a body, filled, as the spelling writes it."""
    if spelling.is_plain:
        return dumps(body).encode()
    text = simplejson.dumps(
        _raw(body, spelling),
        use_decimal=True,
        allow_nan=False,
        ensure_ascii=spelling.escapes != NONE,
        **_LAYOUTS[spelling.layout],
    )
    if spelling.layout == MANY_LINES:
        text = "\r\n " + text.replace("\n", "\r\n") + "\n\t"
    return str(text).encode()


def _raw(value: Any, spelling: Spelling, name: str = "") -> Any:
    """The value with what the spelling writes in another way as raw JSON."""
    if isinstance(value, dict):
        members = reversed(value.items()) if spelling.is_reversed else value.items()
        return {key: _raw(part, spelling, key) for key, part in members}
    if isinstance(value, list):
        return [_raw(part, spelling) for part in value]
    if spelling.amounts is not None and name in AMOUNTS and isinstance(value, int | Decimal):
        return value if isinstance(value, bool) else simplejson.RawJSON(spelling.amounts(Decimal(value)))
    if isinstance(value, str) and spelling.escapes == ALL:
        return simplejson.RawJSON(f'"{"".join(map(_escaped, value))}"')
    if isinstance(value, str) and spelling.escapes == SLASHES:
        return simplejson.RawJSON(json.dumps(value).replace("/", "\\/"))
    return value


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))
