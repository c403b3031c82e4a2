"""Instants as Koncili writes them: ISO 8601 with an offset (S2's examples)."""

from __future__ import annotations

import re
from datetime import datetime

_SHAPE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})")


def parse_instant(text: str) -> datetime | None:
    """The aware datetime that the text stands for, or None where it is not an ISO 8601 instant.

    A date without a time of day or without an offset names no instant. Digits past the microsecond are cut.
    """
    if not _SHAPE.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # the shape of an instant, but no such day or hour
        return None
