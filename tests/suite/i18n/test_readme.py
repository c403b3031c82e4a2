"""README.pt-BR.md is kept in step with README.md: the same headings, commands, links and rows, in the same sequence."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]

ENGLISH: Final = (ROOT / "README.md").read_text(encoding="utf-8")
PORTUGUESE: Final = (ROOT / "README.pt-BR.md").read_text(encoding="utf-8")

OF_THE_LANGUAGE: Final = frozenset({"README.md", "README.pt-BR.md"})
"""Each leads to the other."""

_BLOCK: Final = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def headings(text: str) -> list[int]:
    """The level of each heading."""
    return [len(marks) for marks in re.findall(r"^(#+) ", _BLOCK.sub("", text), re.MULTILINE)]


def commands(text: str) -> list[str]:
    """Each line of a block of code, without its comment."""
    lines = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
    return [line.partition("  #")[0].rstrip() for line in lines]


def links(text: str) -> list[str]:
    """Where each link leads."""
    return [link for link in re.findall(r"\]\(([^)]+)\)", text) if link not in OF_THE_LANGUAGE]


def rows(text: str) -> int:
    """How many rows its tables have."""
    return len(re.findall(r"^\|", text, re.MULTILINE))


def spans(text: str) -> list[str]:
    """What stands in code within sentences, sorted: it is nobody's to translate."""
    return sorted(re.findall(r"`([^`\n]+)`", _BLOCK.sub("", text)))


KEPT: Final[Sequence[Callable[[str], object]]] = (headings, commands, links, rows, spans)


@pytest.mark.parametrize("part", KEPT, ids=lambda part: part.__name__)
def test_both_say_the_same(part: Callable[[str], object]) -> None:
    assert part(PORTUGUESE) == part(ENGLISH)


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [
        (headings, "## Install", "### Install"),
        (commands, "make certify ", "make certify-all "),
        (links, "(docs/rules.md)", "(docs/stacks.md)"),
        (rows, "| who deploys |", "who deploys |"),
        (spans, "`--lang pt-BR`", "`--language pt-BR`"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_difference_is_seen(part: Callable[[str], object], before: str, after: str) -> None:
    changed = ENGLISH.replace(before, after)
    assert changed != ENGLISH
    assert part(changed) != part(ENGLISH)


def test_each_leads_to_the_other() -> None:
    assert "(README.pt-BR.md)" in ENGLISH
    assert "(README.md)" in PORTUGUESE
