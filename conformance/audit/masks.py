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

_REDACTED: Final = re.compile(r"(?i)[\W_]*(?:redacted|masked|hidden|filtered|secret)(?:[\W_]\w+)?[\W_]*")
"""A word that says so, alone or with the name of what was there: `<redacted:accountId>`."""


@lru_cache(maxsize=256)
def is_masked(value: str) -> bool:
    """Whether a recorder has blotted it out."""
    return _MASKED.search(value) is not None or _INSTEAD.fullmatch(value) is not None


@lru_cache(maxsize=256)
def stands_instead(value: str) -> bool:
    """Whether it is nothing but what stands in place of a value; an order may have a code in which `mask` or `xxxx` is."""
    return len(value) > 2 and (_INSTEAD.fullmatch(value) is not None or _REDACTED.fullmatch(value) is not None)  # noqa: PLR2004 - `x` may be a code
