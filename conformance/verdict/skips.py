"""Skips that were stated: rules that a target can't show, and why. What no live endpoint can show needs no statement."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from conformance.contract.rules import stated_rules
from conformance.errors import CannotRun
from conformance.verdict.not_exercised import NEEDS_CONTROL

TABLE: Final = "not_exercised"
"""The table of a target file, or of a file of its own, that states them: rule = "why"."""

_SOME: Final = re.compile(r"^\d+ of \d+ scenarios were not exercised: ")


def load_skips(path: Path) -> Mapping[str, str]:
    """The reasons that a file states, by rule. Raises CannotRun that names file and remedy."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CannotRun(f"{path}: cannot be read: {error}") from None
    if document.keys() != {TABLE}:
        raise CannotRun(f'{path}: must hold the table [{TABLE}] and nothing else, with lines such as ACC-02 = "why"')
    try:
        return stated_rules(document[TABLE])
    except ValueError as error:
        raise CannotRun(f"{path}: {TABLE} {error}") from None


def is_beyond_live(reason: str) -> bool:
    """Whether that is why no live endpoint can show a rule, whatever its target file names."""
    left = _SOME.sub("", reason)
    for known in NEEDS_CONTROL.values():
        left = left.replace(known, "")
    return bool(reason) and not left.strip("; ")
