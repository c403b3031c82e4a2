"""The documents of the repository taken apart: links, code spans, blocks of code, the commands that they name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]

_FENCE: Final = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_SPAN: Final = re.compile(r"`([^`\n]+)`")
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_COMMENT: Final = re.compile(r"(^|\s)#\s.*$")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: what stands behind its fence, and its lines."""

    info: str
    text: str

    @property
    def source(self) -> str:
        """The file that it quotes, by its path in the repository: the second word behind the fence."""
        return self.info.partition(" ")[2].strip()

    @property
    def lines(self) -> list[str]:
        """Its lines without blanks around them."""
        return [line.strip() for line in self.text.splitlines() if line.strip()]


@dataclass(frozen=True, slots=True)
class Document:
    """A Markdown file of the repository."""

    path: Path

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """All but the blocks."""
        return _FENCE.sub("", self.text)

    @property
    def blocks(self) -> list[Block]:
        """Its fenced blocks."""
        return [Block(info.strip(), text) for _, info, text in _FENCE.findall(self.text)]

    @property
    def spans(self) -> list[str]:
        """What stands between backticks in a line."""
        return _SPAN.findall(self.prose)

    @property
    def links(self) -> list[str]:
        """Where its links lead, other sites apart."""
        return [link for link in _LINK.findall(_SPAN.sub("", self.prose)) if "://" not in link]

    @property
    def anchors(self) -> set[str]:
        """What links may lead to within it, as GitHub makes them of headings."""
        headings = re.findall(r"^#+ +(.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    @property
    def commands(self) -> Iterator[list[str]]:
        """The commands that it names, in words: lines of shell blocks, and spans. What ARGS holds stands behind them."""
        shell = [line for block in self.blocks if block.info in ("sh", "bash") for line in block.lines]
        for text in [*shell, *self.spans]:
            for part in re.split(r"\s(?:&&|\|\||[|;&>])\s", _COMMENT.sub("", text)):
                try:
                    words = shlex.split(part)
                except ValueError:  # a quotation mark alone: no command
                    continue
                if words:
                    yield [word for one in words for word in _opened(one)]


def _opened(word: str) -> list[str]:
    return shlex.split(word.removeprefix("ARGS=")) if word.startswith("ARGS=") else [word]


@cache
def documents() -> tuple[Document, ...]:
    """Those that tell how it is; the changelog tells how it was."""
    found = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "tests").rglob("*.md"),
        ROOT / "benchmarks" / "README.md",
    ]
    own = [path for path in found if path.name != "CHANGELOG.md" and "node_modules" not in path.parts]
    return tuple(Document(path) for path in sorted(own))


@cache
def names() -> frozenset[str]:
    """The names of all files of the repository."""
    tops = ("conformance", "strategies", "features", "tests", "benchmarks", "docs", "examples", "requirements")
    return frozenset(path.name for top in tops for path in (ROOT / top).rglob("*") if path.is_file()) | {
        path.name for path in ROOT.iterdir() if path.is_file()
    }
