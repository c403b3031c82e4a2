"""Numbers and dates as Brazilians write them: 1.234,56 and 28/11/2026. Pure."""

from __future__ import annotations

import string
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

_SEPARATORS: Final = str.maketrans(",.", ".,")

_DATES: Final = {"%Y-%m-%d": "%d/%m/%Y"}
"""How a date is written in English words, and how in Portuguese ones."""


class _Words(string.Formatter):
    """Python's own way of filling in placeholders, but for numbers and dates."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        """The value as the placeholder wants it."""
        if isinstance(value, date):
            for english, brazilian in _DATES.items():
                format_spec = format_spec.replace(english, brazilian)
        written = super().format_field(value, format_spec)
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return written.translate(_SEPARATORS)
        return written


_WORDS: Final = _Words()


def filled(message: str, values: Mapping[str, object]) -> str:
    """The message with its placeholders filled in."""
    return _WORDS.vformat(message, (), values)
