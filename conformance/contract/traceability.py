"""What the two documents say, sentence by sentence, and which rules say it (traceability.yaml beside this module).

The documents are Koncili's and are not in this project: of each sentence it has a number, where it stands, what it says in words
of our own, and the beginning of its digest, by which whoever has the documents sees that none is missing and none was changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import zip_longest
from typing import Any, Final

DIGITS: Final = 12
"""Of a sentence's digest, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a document, a line of a table or list, an example or a comment in one."""

    document: str
    number: int
    digest: str
    place: str
    """The headings that it stands under."""
    gist: str
    """What it says, in our own words."""
    rules: tuple[str, ...]
    excluded: str
    """Why no rule says it."""

    @property
    def id(self) -> str:
        """`S1.16`"""
        return f"{self.document}.{self.number}"


@dataclass(frozen=True, slots=True)
class Document:
    """One of the two documents: its file where somebody has it, the digest of it all, its sentences in their order."""

    id: str
    title: str
    file: str
    sha256: str
    sentences: tuple[Sentence, ...]


@cache
def documents() -> Mapping[str, Document]:
    """Both, by their ids."""
    import yaml

    raw = files("conformance.contract").joinpath("traceability.yaml").read_bytes()
    table: dict[str, dict[str, Any]] = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return {
        name: Document(name, row["title"], row["file"], row["sha256"], tuple(_sentences(name, row["sentences"])))
        for name, row in table.items()
    }


def _sentences(document: str, rows: Sequence[dict[str, Any]]) -> Iterator[Sentence]:
    for number, row in enumerate(rows, 1):
        yield Sentence(
            document,
            number,
            row["digest"],
            row["place"],
            row["gist"],
            tuple(row.get("rules", ())),
            row.get("excluded", ""),
        )


def tied_to(rule: str) -> tuple[Sentence, ...]:
    """The sentences that a rule says."""
    return tuple(one for document in documents().values() for one in document.sentences if rule in one.rules)


def digest_of_sentence(text: str) -> str:
    """By which a sentence is known again."""
    return sha256(text.encode()).hexdigest()[:DIGITS]


def digest_of_all(digests: Sequence[str]) -> str:
    """By which it is seen that none is missing."""
    return sha256("\n".join(digests).encode()).hexdigest()


def differences(document: Document, text: str) -> list[str]:
    """In what the text of the document is not what stands here, sentence by sentence."""
    found = []
    for number, (said, known) in enumerate(zip_longest(sentences_of(text), document.sentences), 1):
        if known is None:
            found.append(f"{document.id}.{number} is not listed: {said}")
        elif said is None:
            found.append(f"{known.id} is not in the document: {known.gist}")
        elif digest_of_sentence(said) != known.digest:
            found.append(f"{known.id} is another sentence ({digest_of_sentence(said)}): {said}")
    return found


# -- a document as its sentences ---------------------------------------------------------------------------------------

_MARK: Final = re.compile(r"^(?:[•\-*]|\d+\.)\s*")
"""Of a list's item."""

_NEXT: Final = re.compile(r"(?<=[.!?])\s+(?:-\s+)?(?=[A-Z])")
_COMMENT: Final = re.compile(r"//\s*(.*)$")


def sentences_of(text: str) -> Iterator[str]:
    """Every sentence, heading, line of a list or table, and of an example first its comments and then the whole.

    A line that begins with a small letter goes on from the one before: copied from a page, a name in code type begins a line.
    """
    prose: list[str] = []
    example: list[str] = []
    depth = 0
    for line in (" ".join(line.replace("\u200b", "").split()) for line in text.splitlines()):
        if depth or line.startswith("{"):
            yield from _of_prose(prose)
            prose = []
            code, comment = _COMMENT.sub("", line).strip(), _COMMENT.search(line)
            if comment:
                yield comment[1]
            example.append(code)
            depth += sum(code.count(opening) for opening in "{[") - sum(code.count(closing) for closing in "}]")
            if depth <= 0:
                yield " ".join(part for part in example if part)
                example, depth = [], 0
        elif prose and line[:1].islower():
            prose.append(line)
        elif stripped := _MARK.sub("", line):
            yield from _of_prose(prose)
            prose = [stripped]
    yield from _of_prose(prose or example)


def _of_prose(lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from _NEXT.split(" ".join(lines))
