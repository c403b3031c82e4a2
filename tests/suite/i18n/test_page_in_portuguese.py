"""The page in both languages: each leads to the other, and nothing that has a translation stands untranslated."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from conformance.i18n.catalogues import catalogue
from conformance.i18n.messages import Language, language, speaking
from conformance.report.files import PAGE, Reports
from conformance.report.page.render import write_page
from conformance.report.summary import markdown, terminal
from conformance.verdict.certificate import Certificate
from conformance.verdict.verdicts import RunVerdict
from tests.suite.support.example_certificates import failing
from tests.suite.support.report_pages import Read

OTHER: Final[Mapping[Language, Language]] = {"en": "pt-BR", "pt-BR": "en"}

CODE: Final = frozenset({"code", "pre", "style", "script"})


def parsed(path: Path) -> Read:
    """A page in a file, taken apart."""
    reader = Read()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return reader


def pages(certificate: Certificate, folder: Path, spoken: Language) -> tuple[Read, Read]:
    """The page of the run, whose language that is, and the one in the other language."""
    with speaking(spoken):
        write_page(Reports(folder), certificate)
    return parsed(folder / PAGE), parsed(folder / f"index.{OTHER[spoken]}.html")


def words(page: Read) -> set[str]:
    """What a person reads there, or hears."""
    code = {part.strip() for one in page.elements if one.tag in CODE for part in one.parts}
    seen = {part.strip() for one in page.elements for part in one.parts} - code
    return seen | {
        one.attributes[name] for one in page.elements for name in ("aria-label", "title") if name in one.attributes
    }


@pytest.mark.parametrize("spoken", ["en", "pt-BR"])
def test_each_page_leads_to_the_other(spoken: Language, tmp_path: Path) -> None:
    own, other = pages(failing(), tmp_path, spoken)
    for page, its, leads_to, path in (
        (own, spoken, OTHER[spoken], f"index.{OTHER[spoken]}.html"),
        (other, OTHER[spoken], spoken, PAGE),
    ):
        (link,) = [one for one in page.all("a") if "hreflang" in one.attributes]
        assert page.all("html")[0].attributes["lang"] == its
        assert (link.attributes["hreflang"], link.attributes["href"]) == (leads_to, path)
    assert language() == "en"


def test_nothing_that_has_a_translation_stays_english(tmp_path: Path) -> None:
    english, portuguese = pages(failing(), tmp_path, "en")
    known = catalogue("pt-BR")
    alike = words(english) & words(portuguese)
    assert {text for text in alike if text and known.gettext(text) != text} == set()
    assert len(words(english) - words(portuguese)) > 100


def test_the_script_speaks_as_the_page_does(tmp_path: Path) -> None:
    told = [
        json.loads(next(one.attributes["data-words"] for one in page.elements if "data-words" in one.attributes))
        for page in pages(failing(), tmp_path, "en")
    ]
    assert [one["copy"] for one in told] == ["Copy", "Copiar"]
    assert told[0].keys() == told[1].keys()
    assert all(re.findall(r"\{\w+\}", told[0][name]) == re.findall(r"\{\w+\}", told[1][name]) for name in told[0])


@pytest.mark.parametrize("verdict", RunVerdict)
def test_terminal_and_summary_are_portuguese(verdict: RunVerdict) -> None:
    certificate = failing().model_copy(update={"verdict": verdict})
    before = certificate.model_dump_json()
    english = {line.text for line in terminal(certificate)}
    with speaking("pt-BR"):
        portuguese = {line.text for line in terminal(certificate)}
        summary = markdown(certificate)
    assert not {
        line for line in english & portuguese if line.strip() and "curl" not in line and not line.startswith("    ")
    }
    assert "| regra | nível | veredito |" in summary
    assert "Leituras" in summary
    assert certificate.model_dump_json() == before
