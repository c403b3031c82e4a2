"""Numbers and dates for pages, in the language spoken. Never for JSON."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from conformance.i18n.messages import ENGLISH, language


def number(value: float | Decimal, form: str = ",") -> str:
    """A number: `1,234.5` or `1.234,5`. `form` is Python's own format of it."""
    return _written(value, form)


def instant(at: date, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A date, with its time where it has one: `2026-11-28 13:45:00` or `28/11/2026 13:45:00`. `form` is strftime's."""
    return _written(at, form)


def _written(value: object, form: str) -> str:
    if language() == ENGLISH:
        return format(value, form)
    from conformance.i18n.brazilian import filled

    return filled(f"{{value:{form}}}", {"value": value})
