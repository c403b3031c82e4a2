"""Codes that are two, and that a collation, a column or a number takes for one."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from strategies.identifiers import SHAPES
from strategies.orders import Order, orders
from strategies.scope import Place, Scope


@dataclass(frozen=True, slots=True)
class Alike:
    """How the code of a second order is made of the first one's, and the shapes for which it is another code."""

    change: Callable[[str], str]
    shapes: tuple[str, ...]
    is_plain: bool = True
    """Whether both are codes that any target must take; else a target may refuse them."""


_FULL_WIDTH: Final = {ord(digit): chr(ord(digit) - ord("0") + 0xFF10) for digit in "0123456789"}
_ACUTE: Final = {ord(plain): accented for plain, accented in zip("AEIOUaeiou", "ÁÉÍÓÚáéíóú", strict=True)}

_BITS: Final = 64


def _same_double(code: str) -> str:
    """Another number of as many digits that a double holds as the same: the one before or the one after."""
    number = int(code)
    return str(next(other for other in (number + 1, number - 1) if float(other) == float(number)))


def _without_accents(code: str) -> str:
    return "".join(mark for mark in unicodedata.normalize("NFD", code) if not unicodedata.combining(mark))


ALIKE: Final[Mapping[str, Alike]] = MappingProxyType(
    {
        "in lower case": Alike(str.lower, ("magalu", "long", "b2w")),
        "the same to a double": Alike(_same_double, ("tiktok-shop", "twenty-digits")),
        "with an accent": Alike(lambda code: code.translate(_ACUTE), ("magalu", "long", "b2w"), is_plain=False),
        "with a blank at the end": Alike(lambda code: code + " ", ("amazon", "via", "magalu"), is_plain=False),
        "without its symbols": Alike(
            lambda code: "".join(filter(str.isalnum, code)), ("amazon", "magalu", "storefront")
        ),
        "with a zero before": Alike(lambda code: "0" + code, ("via", "mercado-livre")),
        "other at the end": Alike(lambda code: code[:-1] + "Z", ("long", "b2w")),
        "underscores for hyphens": Alike(lambda code: code.replace("-", "_"), ("amazon", "magalu", "b2w")),
        "the same in 64 bits": Alike(lambda code: str(int(code) - 2**_BITS), ("twenty-digits",)),
        "with decimals": Alike(lambda code: code + ".0", ("via", "mercado-livre")),
        "in full-width digits": Alike(lambda code: code.translate(_FULL_WIDTH), ("via", "amazon"), is_plain=False),
        "without its accents": Alike(_without_accents, ("accents",), is_plain=False),
        "ending in a wildcard": Alike(lambda code: code + "%", ("amazon", "via"), is_plain=False),
        # As shops name their orders; in a URL what follows it is nobody's.
        "with a number sign before": Alike(lambda code: "#" + code, ("via", "mercado-livre")),
        "with escapes for its hyphens": Alike(
            lambda code: code.replace("-", "%2D"), ("amazon", "magalu"), is_plain=False
        ),
    }
)
"""By name, those first that real databases get wrong by default."""

ACCOUNT_BITS: Final = 32


def same_in_32_bits(account: int) -> int:
    """The account id that nothing of 32 bits tells from this one: 4294986351 for 19055."""
    return account + (1 << ACCOUNT_BITS)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two orders for one place, the second under a code like the first one's."""

    place: Place
    orders: tuple[Order, Order]
    shape: str


@st.composite
def pairs(draw: DrawFn, scope: Scope, shapes: tuple[str, ...] = ()) -> Pair:
    """Two lawful orders of which each shows that it is not the other: they differ in what they come to."""
    place = draw(st.sampled_from(scope.places))
    first, second = (draw(orders(scope, places=(place,))) for _ in range(2))
    shape = draw(st.sampled_from(shapes or tuple(SHAPES)))
    if first["totalGrossValue"] == second["totalGrossValue"]:
        second = draw(
            orders(scope, places=(place,)).filter(lambda one: one["totalGrossValue"] != first["totalGrossValue"])
        )
    return Pair(place, (first, second), shape)
