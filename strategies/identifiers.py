"""Order codes in the shapes that marketplaces use, each one new: they carry the run's number and a serial number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from types import MappingProxyType
from typing import Final

from hypothesis import strategies as st

MAX_RUN: Final = 10**7
"""Run and serial numbers have seven digits: what an Amazon code has room for."""

_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _letters(number: int, width: int) -> str:
    text = ""
    for _ in range(width):
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text


SHAPES: Final[Mapping[str, Callable[[int, int], str]]] = MappingProxyType(
    {
        "amazon": lambda run, serial: f"701-{run:07d}-{serial:07d}",
        "mercado-livre": lambda run, serial: f"20{run:07d}{serial:07d}",
        "shopee": lambda run, serial: f"2405{_letters(run, 5)}{_letters(serial, 5)}",
        "magalu": lambda run, serial: f"LU-{run:07d}{serial:07d}",
        "b2w": lambda run, serial: f"Lojas Americanas-{run:07d}{serial:07d}01",
        "via": lambda run, serial: f"{run:07d}{serial:07d}",
        "storefront": lambda run, serial: f"#{run:07d}/{serial:07d}&A+B%2B",
        "accented": lambda run, serial: f"Açaí São João nº {run:07d}{serial:07d}",
        "long": lambda run, serial: f"{run:07d}-{serial:07d}-" + "MARKETPLACE-" * 4,
    }
)
"""Code of a run and a serial number, by marketplace. `storefront` holds what a URL must escape."""


def shape_names(some: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """The name of a shape, one of some where there are any."""
    return st.sampled_from(some or tuple(SHAPES))


class Minter:
    """Makes codes that no other order of the run has, nor of a run with another number."""

    def __init__(self, run: int) -> None:
        """`run` is the run's number, below MAX_RUN."""
        self.run = run % MAX_RUN
        self._serials = count(1)

    def serial(self) -> int:
        """A new serial number."""
        return next(self._serials) % MAX_RUN

    def mint(self, shape: str) -> str:
        """A new code of that shape. Raises KeyError for a shape that there is not."""
        return SHAPES[shape](self.run, self.serial())
