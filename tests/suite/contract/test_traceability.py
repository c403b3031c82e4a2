"""Every sentence of the two documents is tied to a rule or excluded with a reason, and every rule from them to a sentence."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import pytest

from conformance.contract.rules import Rule, every_rule
from conformance.contract.traceability import (
    Document,
    Sentence,
    differences,
    digest_of_all,
    digest_of_sentence,
    documents,
    sentences_of,
    tied_to,
)
from conformance.report.traceability import page

PAGE: Final = Path(__file__).parents[3] / "docs" / "traceability.md"
DOCUMENTS: Final = tuple(documents().values())
SENTENCES: Final = tuple(one for document in DOCUMENTS for one in document.sentences)
RULES: Final = tuple(every_rule().rules.values())

MADE_UP: Final = """
Order Things
• Orders: They are sent. Others are not!

1. Things (thing):
Send 3 things: A, B, and C.   Otherwise it fails.
{
"a": "b", // Always above
"list": [
{ "c": 1 } // last
]
}
- The returned
idis mandatory. - The period must cover all
datevalues. Never
"""
"""As pages are copied: lists, headings, an example, names in code type that begin lines."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.id)
def test_no_sentence_is_missing(document: Document) -> None:
    assert digest_of_all([one.digest for one in document.sentences]) == document.sha256


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.id)
def test_every_sentence_of_the_document_is_here(document: Document) -> None:
    place = os.environ.get("KONCILI_DOCUMENTS")
    if place is None:
        pytest.skip(
            "the documents are Koncili's, and not in this project: KONCILI_DOCUMENTS=DIRECTORY says where they are"
        )
    assert differences(document, (Path(place) / document.file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda one: one.id)
def test_a_sentence_is_tied_to_rules_or_excluded_with_a_reason(sentence: Sentence) -> None:
    assert bool(sentence.rules) is not bool(sentence.excluded.strip())
    assert set(sentence.rules) <= every_rule().rules.keys()
    assert len(set(sentence.rules)) == len(sentence.rules)
    assert sentence.gist
    assert re.fullmatch("[0-9a-f]{12}", sentence.digest)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_tied_to_the_documents_that_its_source_names(rule: Rule) -> None:
    named = set() if rule.source.startswith("silent") else set(re.findall(r"\bS[12]\b", rule.source))
    assert named <= {one.document for one in tied_to(rule.id)}


def test_the_page_is_what_it_is_made_from() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "out of date: make docs"
    assert all(f"| {one.id} |" in page() for one in SENTENCES)
    assert all(f"| [{rule.id}](rules.md#{rule.id.lower()}) | {rule.level} |" in page() for rule in RULES)


def test_a_document_is_taken_apart_into_its_sentences() -> None:
    assert list(sentences_of(MADE_UP)) == [
        "Order Things",
        "Orders: They are sent.",
        "Others are not!",
        "Things (thing):",
        "Send 3 things: A, B, and C.",
        "Otherwise it fails.",
        "Always above",
        "last",
        '{ "a": "b", "list": [ { "c": 1 } ] }',
        "The returned idis mandatory.",
        "The period must cover all datevalues.",
        "Never",
    ]


def test_an_example_that_never_ends_is_told_all_the_same() -> None:
    assert list(sentences_of('One.\n{ "a": [')) == ["One.", '{ "a": [']


@pytest.fixture
def made_up() -> Document:
    digests = [digest_of_sentence(said) for said in sentences_of(MADE_UP)]
    rows = tuple(
        Sentence("S9", number, one, "", f"gist {number}", (), "made up") for number, one in enumerate(digests, 1)
    )
    return Document("S9", "made up", "", digest_of_all(digests), rows)


def test_the_document_itself_has_no_differences(made_up: Document) -> None:
    assert differences(made_up, MADE_UP) == []
    assert differences(made_up, MADE_UP.replace("•", "-").replace("\n\n", "\n \u200b\n")) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Others are not!", "Others may be!", r"^S9\.3 is another sentence \([0-9a-f]{12}\): Others may be!$"),
        ("Never\n", "Never. Ever\n", r"^S9\.12 is another sentence .*: Never\.\nS9\.13 is not listed: Ever$"),
        (" Never\n", "\n", r"^S9\.12 is not in the document: gist 12$"),
        ("// last", "// least", r"^S9\.8 is another sentence .*: least$"),
        ('"c": 1', '"c": 2', r"^S9\.9 is another sentence "),
    ],
)
def test_what_changed_in_a_document_is_told(made_up: Document, old: str, new: str, told: str) -> None:
    assert old in MADE_UP
    assert re.search(told, "\n".join(differences(made_up, MADE_UP.replace(old, new))))
