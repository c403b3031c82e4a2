"""Finds what looks like a token in text of any kind, in a time that grows with the text and no faster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

SHORTEST_TOKEN: Final = 16
"""What is sent as a token and is shorter was made up by a scenario; as a secret it would blot out innocent text."""

SHORTEST_OF_LETTERS: Final = 24
"""The same for what has no digit: of what is shorter nobody can tell."""

OFTEN: Final = 0.3
"""In a token of random letters every other one is of another case than the one before, in names of classes one in five."""

_NAME: Final = re.compile(
    r"(?i:token(?:[\s\"'\\:=]|&(?:quot|\#34|\#x22);|%(?:22|3a|3d|20)){1,12}|bearer(?:\s|%20|\+){1,4})"
)
_RUN: Final = re.compile(r"[A-Za-z0-9._~+/=-]*")
_DIGIT: Final = re.compile(r"[0-9]")
_JWT_RUN: Final = re.compile(r"[\w.-]*")
_JWT_BEGINS: Final = "eyJ"


def told_tokens(text: str) -> Iterator[str]:
    """What follows the name of a token, and JWTs without one. What has no digit and is written as words are is a word."""
    yield from _named(text)
    yield from _jwts(text)


def _named(text: str) -> Iterator[str]:
    at = 0
    while name := _NAME.search(text, at):
        run = _run(_RUN, text, name.end())
        if len(run) >= SHORTEST_TOKEN and (_DIGIT.search(run) or _is_random(run)):
            yield run
        # Whatever follows within this run is shorter, and is no token where the whole of it is a word.
        at = name.end() + len(run)


def _is_random(letters: str) -> bool:
    """Whether capitals and small letters follow each other as nobody writes words. Of ten thousand tokens of forty random bytes
    one has no digit."""
    if len(letters) < SHORTEST_OF_LETTERS:
        return False
    changes = sum(
        (one.islower() and other.isupper()) or (one.isupper() and other.islower()) for one, other in pairwise(letters)
    )
    return changes >= OFTEN * len(letters)


def _jwts(text: str) -> Iterator[str]:
    at = end = 0
    while (begin := text.find(_JWT_BEGINS, at)) >= 0:
        if begin >= end:  # of one run with many beginnings the end is looked for once
            end = begin + len(_run(_JWT_RUN, text, begin))
        first = text.find(".", begin, end)
        second = text.find(".", first + 1, end) if first >= 0 else -1
        if second < 0:  # nor is one that begins later in this run whole
            at = end
            continue
        third = text.find(".", second + 1, end)
        at = third if third >= 0 else end
        if at - begin >= SHORTEST_TOKEN:
            yield text[begin:at]


def _run(kind: re.Pattern[str], text: str, at: int) -> str:
    found = kind.match(text, at)
    return found[0] if found else ""
