"""docs/traceability.md: which rules say what the documents say, sentence by sentence, and why no rule says the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conformance.contract.rules import Rule, every_rule
from conformance.contract.traceability import Document, Sentence, documents, tied_to
from conformance.escaping import cell

_INTRO = (
    "Every sentence of the two documents that the rules are taken from, every line of their lists and tables, every example and "
    "what is noted in it, in their order: tied to the rules that say it, or excluded, with the reason. The sentences are told in "
    "words of our own; the documents are Koncili's."
)


def page() -> str:
    """The page as text."""
    known = documents()
    lines = [
        "# From the documents to the rules",
        "",
        "Made by `make docs` from traceability.yaml and rules.yaml: change those, not this page.",
        "",
        _INTRO,
        "",
        "| document | sentences | tied | excluded |",
        "|---|---:|---:|---:|",
        *map(_counted, known.values()),
    ]
    for document in known.values():
        lines += [
            "",
            f"## {document.id}: {document.title}",
            "",
            "| id | where | what it says | rules |",
            "|---|---|---|---|",
        ]
        lines += map(_row, document.sentences)
    lines += [
        "",
        "## From the rules to the documents",
        "",
        "| rule | level | sentences | source |",
        "|---|---|---|---|",
    ]
    lines += map(_of_rule, every_rule().rules.values())
    return "\n".join(lines) + "\n"


def _counted(document: Document) -> str:
    tied = sum(bool(one.rules) for one in document.sentences)
    of = len(document.sentences)
    return f"| {document.id}, {document.title} | {of} | {tied} | {of - tied} |"


def _row(sentence: Sentence) -> str:
    tied = ", ".join(f"[{rule}](rules.md#{rule.lower()})" for rule in sentence.rules)
    said = tied or f"excluded: {cell(sentence.excluded)}"
    return f"| {sentence.id} | {cell(sentence.place)} | {cell(sentence.gist)} | {said} |"


def _of_rule(rule: Rule) -> str:
    tied = ", ".join(one.id for one in tied_to(rule.id)) or "none: it is not from these two"
    return f"| [{rule.id}](rules.md#{rule.id.lower()}) | {rule.level} | {tied} | {cell(rule.source)} |"


def told(sentences: Iterable[Sentence]) -> Iterator[str]:
    """A line for each: `S1.19, Order Submission / Validations / Date Validation: dates agree with each other`."""
    for one in sentences:
        yield f"{one.id}, {one.place or 'at the head'}: {one.gist}"
