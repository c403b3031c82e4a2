"""Order codes in the shapes that marketplaces use, each one new: they carry the run's number and a serial number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import count
from types import MappingProxyType
from typing import Final

from hypothesis import strategies as st

MAX_RUN: Final = 10**7
"""Run and serial numbers have seven digits: what an Amazon code has room for."""

_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


_WIDTH: Final = 5
"""Characters for a run's number, and for a serial one."""

_FIRST_LETTER: Final = 10 * len(_DIGITS) ** (_WIDTH - 1)
"""Added to a number below MAX_RUN its first character is a letter: so each code has one, or none would."""


def _letters(number: int) -> str:
    text = ""
    for _ in range(_WIDTH):
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text


SHAPES: Final[Mapping[str, Callable[[int, int], str]]] = MappingProxyType(
    {
        "amazon": lambda run, serial: f"701-{run:07d}-{serial:07d}",
        "mercado-livre": lambda run, serial: f"20{run:07d}{serial:07d}",
        "shopee": lambda run, serial: f"2405{_letters(run)}{_letters(serial + _FIRST_LETTER)}",
        "magalu": lambda run, serial: f"LU-{run:07d}{serial:07d}",
        "b2w": lambda run, serial: f"B2W-{run:07d}{serial:07d}01-Lojas_Americanas",
        "via": lambda run, serial: f"{run:07d}{serial:07d}",
        "tiktok-shop": lambda run, serial: f"57{run:07d}{serial:07d}52",
        "twenty-digits": lambda run, serial: f"2{run:07d}{serial:07d}20052",
        "storefront": lambda run, serial: f"#{run:07d}.{serial:07d}_a",
        "long": lambda run, serial: f"{run:07d}-{serial:07d}.MARKETPLACE_MARKETPLACES",
    }
)
"""Code of a run and a serial number, by marketplace: what any target must take, up to forty letters, digits and `-_.#`. No
double holds eighteen digits, nothing of 64 bits twenty; `storefront` holds what a URL must escape. All the same doubles and the
first twenty characters tell them apart: that a target looks at no more is QRY-05's to find, and no other rule's."""


ROOMY: Final = tuple(shape for shape in SHAPES if shape != "long")
"""The shapes of codes that may be a character longer."""


def _padded(length: int) -> Callable[[int, int], str]:
    """A code of so many characters."""
    return lambda run, serial: f"{run:07d}-{serial:07d}-{'MARKETPLACE-' * (length // 12)}"[: length - 1] + "A"


LENGTHS: Final = (45, 60, 100, 200, 300)
"""Characters of codes that may be refused: beyond what columns of 40, 50, 64, 128 and 255 hold."""

ODD_SHAPES: Final[Mapping[str, Callable[[int, int], str]]] = MappingProxyType(
    {
        **{f"{length} characters": _padded(length) for length in LENGTHS},
        "accents": lambda run, serial: f"Açaí João nº {run:07d}{serial:07d}",
        "letters beyond Latin-1": lambda run, serial: f"Łódź-Ωmega-{run:07d}{serial:07d}",
        "characters beyond 16 bits": lambda run, serial: f"🚚-{run:07d}-{serial:07d}",
        "what a URL escapes": lambda run, serial: f"#{run:07d}/{serial:07d}&A+B,C;D%2B",
        "a blank at the end": lambda run, serial: f"BLANK-{run:07d}-{serial:07d} ",
        "quotes and backslashes": lambda run, serial: f"O'Neill \"{run:07d}\\n{serial:07d}",
        "Chinese characters": lambda run, serial: f"订单-{run:07d}-{serial:07d}",
        "blanks inside": lambda run, serial: f"Casas  Bahia {run:07d} {serial:07d}",
        "accents of their own": lambda run, serial: f"Ac\u0327ai\u0301-{run:07d}{serial:07d}",
        "markup": lambda run, serial: f"<b>{run:07d}</b>&amp;{serial:07d}",
        "a blank before": lambda run, serial: f" BLANK-{run:07d}-{serial:07d}",
    }
)
"""The same for codes of which no document says that they must be taken, nor that they may not."""


@cache
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
        return (SHAPES.get(shape) or ODD_SHAPES[shape])(self.run, self.serial())
