"""Values that a recorder has blotted out."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_MASKED: Final = re.compile(r"(?i)[*\u2022<>\[\]{}\u2026]|\.{3}|redact|mask|dummy|secret|hidden|filtered|x{4}")
"""Stands in no value of Koncili's."""

_INSTEAD: Final = re.compile(
    r"(?i)[\W_]*|[\W_]*(?:x+|removed|omitted|stripped|scrubbed|sanitized|anonymi[sz]ed|censored|confidential|sensitive|private"
    r"|removido|omitido|oculto|mascarado|(?:sha-?(?:1|256|384|512)|md5|hmac)\W.*)[\W_]*"
)
"""The whole of what stands in place of a value: a word, a row of signs, a digest that says so."""

_WORDS: Final = (
    "redacted|masked|hidden|filtered|secret|removed|omitted|stripped|scrubbed|sanitized|anonymi[sz]ed|censored|confidential"
    "|sensitive|private|removido|omitido|oculto|mascarado"
)
_STANDS_INSTEAD: Final = re.compile(
    rf"(?i)[\W_]*(?:[*\u2022\u2588\u2026]+|x{{3,}}|(?:{_WORDS})(?:[: ]\w+)?)[\W_]*|[\W_]*(?:sha-?(?:1|256|384|512)|md5|hmac)\W.*"
)
"""The same of what a value of its own may resemble: an order may have a code like `--` or `MASK-1`."""


@lru_cache(maxsize=256)
def is_masked(value: str) -> bool:
    """Whether a recorder has blotted it out."""
    return _MASKED.search(value) is not None or _INSTEAD.fullmatch(value) is not None


def stands_instead(value: str) -> bool:
    """Whether it is nothing but what stands in place of a value, or has signs in place of a part."""
    if value[:1].isdigit() and value.isascii():  # as dates and most codes: no word and no sign begins so
        return "**" in value
    return _STANDS_INSTEAD.fullmatch(value) is not None or "**" in value or "\u2022\u2022" in value
