"""What README, CONTRIBUTING and docs name is there: files, headings, make targets, commands, options, quoted lines, words."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import click
import pytest

from conformance.cli import main
from conformance.mock.defects.parts import rules
from conformance.mock.quirks import Defect
from tests.import_picture import redrawn
from tests.suite.support.documents import ROOT, Block, Document, documents, names

NAMED = pytest.mark.parametrize("document", documents(), ids=lambda document: document.name)

ARCHITECTURE: Final = Document(ROOT / "docs" / "architecture.md")
CONTRIBUTING: Final = Document(ROOT / "CONTRIBUTING.md")
GLOSSARY: Final = Document(ROOT / "docs" / "glossary.md")
DECISIONS: Final = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))

# -- files ---------------------------------------------------------------------------------------------------------

LEFT_BY_RUNS: Final = frozenset(
    {
        "certificate.json", "certificate.json.sig", "summary.md", "junit.xml", "traffic.har", "index.html", "html/index.html",
        "categories.json", "books.csv", "books.html", "proof.json", "proof.md", "trials.md", "trials.json", "reports/trials.md",
        "stacks.md", "reports/stacks.md", "ctrf.json", "statement.intoto.json",
        "reports/certificate.json", "reports/history/", "reports/index.html", "build/site/docs/index.html",
    }
)  # fmt: skip
OF_USERS: Final = frozenset({"sandbox.toml", "mock.toml", "schemathesis.toml"})

_PATH: Final = re.compile(r"[\w.*-]+(/[\w.*-]+)*/?")
_SUFFIXES: Final = (
    ".py", ".md", ".yaml", ".yml", ".toml", ".json", ".feature", ".txt", ".html", ".js", ".css", ".j2", ".har", ".xml",
)  # fmt: skip


def _names_file(span: str) -> bool:
    """Whether a code span is a path in the repository, or a file's name."""
    top, _, rest = span.partition("/")
    known_top = bool(rest or span.endswith("/")) and (ROOT / top).is_dir()
    return _PATH.fullmatch(span) is not None and (span.endswith(_SUFFIXES) or known_top)


def _is_there(span: str, document: Document) -> bool:
    if span in LEFT_BY_RUNS | OF_USERS or span in names():
        return True
    places = (ROOT, document.path.parent)
    return any(any(place.glob(span)) if "*" in span else (place / span).exists() for place in places)


@NAMED
def test_the_files_that_a_document_names_are_there(document: Document) -> None:
    assert [span for span in document.spans if _names_file(span) and not _is_there(span, document)] == []


def test_a_path_that_leads_nowhere_is_seen() -> None:
    gone = "conformance/rim.py"
    assert _names_file(gone)
    assert not _is_there(gone, CONTRIBUTING)


@NAMED
def test_the_links_of_a_document_lead_somewhere(document: Document) -> None:
    broken = []
    for link in document.links:
        file, _, anchor = link.partition("#")
        place = document.path.parent / file if file else document.path
        if not place.exists() or (anchor and anchor not in Document(place).anchors):
            broken.append(link)
    assert broken == []


# -- commands ------------------------------------------------------------------------------------------------------

TARGETS: Final = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
OF_OTHERS: Final = {"--help", "--collect-only", "--alluredir", "--max-examples", "--defect", "--success-rate"}
"""Options of commands that are not ours: pytest, Allure, Schemathesis."""
SOURCES: Final = "".join(
    path.read_text(encoding="utf-8")
    for top in ("conformance", "benchmarks", "tests/stacks", "tests/trials", "tests/clients", "tests/mutants.py")
    for path in ([ROOT / top] if top.endswith(".py") else sorted((ROOT / top).rglob("*.py")))
)

_TARGET: Final = re.compile(r"[a-z]+")
_OPTION: Final = re.compile(r"--?[a-z][a-z-]*(?==|$)")


def _wrong_in(words: list[str]) -> list[str]:
    """What a command names that there is not."""
    match words:
        case ["make", target, *rest] if _TARGET.fullmatch(target):
            wrong = [] if target in TARGETS else [f"make {target}"]
            return wrong + (_unknown_options(target, rest) if target in main.commands else [])
        case [program, name, *rest] if Path(program).name == "koncili-conformance" and not name.startswith(("-", "[")):
            return _unknown_options(name, rest) if name in main.commands else [f"koncili-conformance {name}"]
        case [word, *_] if (found := _OPTION.match(word)) is not None:
            return [] if found[0] in OF_OTHERS or f'"{found[0]}"' in SOURCES else [found[0]]
    return []


def _unknown_options(name: str, words: list[str]) -> list[str]:
    options = {option for one in main.commands[name].params if isinstance(one, click.Option) for option in one.opts}
    given = [found[0] for word in words if (found := _OPTION.match(word))]
    return [f"{name} {option}" for option in given if option not in options | {"--help", "-h"}]


@NAMED
def test_the_commands_and_options_that_a_document_names_exist(document: Document) -> None:
    assert [wrong for words in document.commands for wrong in _wrong_in(words)] == []


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["make", "certificate"], ["make certificate"]),
        (["make", "prove", "--onyl", "x"], ["prove --onyl"]),
        (["koncili-conformance", "certfy"], ["koncili-conformance certfy"]),
        ([".venv/bin/koncili-conformance", "gate", "FILE", "--max-ages=1"], ["gate --max-ages"]),
        (["--accept-partialy"], ["--accept-partialy"]),
        (["make", "prove", "--only", "ord-07"], []),
        (["koncili-conformance", "gate", "FILE", "--max-age=1"], []),
    ],
)
def test_a_command_that_there_is_not_is_seen(words: list[str], wrong: list[str]) -> None:
    assert _wrong_in(words) == wrong


# -- the map of the house ------------------------------------------------------------------------------------------


def test_the_picture_is_that_of_the_imports() -> None:
    assert ARCHITECTURE.text == redrawn(ARCHITECTURE.text), "out of date: make docs"


QUOTES: Final = [block for block in ARCHITECTURE.blocks if block.source]


def test_something_is_quoted() -> None:
    assert len(QUOTES) > 6


@pytest.mark.parametrize("quote", QUOTES, ids=lambda quote: quote.source)
def test_a_line_that_is_quoted_stands_in_its_file(quote: Block) -> None:
    lines = {line.strip() for line in (ROOT / quote.source).read_text(encoding="utf-8").splitlines()}
    assert [line for line in quote.lines if line not in lines] == [], f"{quote.source} has changed: quote it anew"


PACKAGES: Final = sorted(
    path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "conformance").glob("*/__init__.py")
)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_on_the_map(package: str) -> None:
    assert f"`{package}/`" in ARCHITECTURE.text


DOCSTRINGS: Final = {
    path.parent.relative_to(ROOT).as_posix(): ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    for top in ("conformance", "strategies")
    for path in sorted((ROOT / top).rglob("__init__.py"))
    if path.parent != ROOT / "conformance"
}


@pytest.mark.parametrize("package", DOCSTRINGS)
def test_a_package_says_what_it_may_import_and_where_to_start(package: str) -> None:
    told = DOCSTRINGS[package]
    assert re.search(r"\b(May import|Imports nothing of\s+ours)", told)
    named = re.findall(r"[\w./]+\.(?:py|yaml)", told)
    assert [name for name in named if not (ROOT / package / name).exists() and not (ROOT / name).exists()] == []


def test_the_defect_that_contributing_shows_is_one() -> None:
    (example,) = (block.text for block in CONTRIBUTING.blocks if block.info == "python")
    made = eval(example, {"Defect": Defect, "rules": rules})  # noqa: S307 - our own document
    assert isinstance(made, Defect)


SUPPORT: Final = Document(ROOT / "tests" / "suite" / "README.md")
HELPERS: Final = sorted(path.name for path in (ROOT / "tests" / "suite" / "support").glob("[a-z]*.py"))


@pytest.mark.parametrize("helper", HELPERS)
def test_every_helper_of_the_tests_is_told(helper: str) -> None:
    assert f"`{helper}`" in SUPPORT.text


# -- words ---------------------------------------------------------------------------------------------------------

WORDS: Final = re.findall(r"^\| (\w+) \| (.+) \| `([\w./]+)` \|$", GLOSSARY.text, re.MULTILINE)


def test_the_glossary_is_a_sorted_list_of_words() -> None:
    listed = [word for word, _, _ in WORDS]
    assert len(listed) == sum(line.startswith("| ") for line in GLOSSARY.text.splitlines()) - 1, "a row that is none"
    assert listed == sorted(set(listed))


@pytest.mark.parametrize(("word", "home"), [(word, home) for word, _, home in WORDS])
def test_a_word_of_the_glossary_is_in_use_where_it_is_at_home(word: str, home: str) -> None:
    code = (ROOT / home).read_text(encoding="utf-8")
    # In prose, in snake_case and in CamelCase, in the plural too.
    assert re.search(rf"(?i:\b|_){word}|{word.capitalize()}", f"{Path(home).stem} {code}"), f"{home} does not use it"


# -- decisions -----------------------------------------------------------------------------------------------------


def test_decisions_are_numbered_and_listed() -> None:
    assert [path.name[:4] for path in DECISIONS] == [f"{number:03}-" for number in range(1, len(DECISIONS) + 1)]
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    for path in DECISIONS:
        title = path.read_text(encoding="utf-8").splitlines()[0].partition(". ")[2]
        assert f"| [{path.name[:3]}]({path.name}) | {title} |" in listed


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_what_when_why_and_what_else(path: Path) -> None:
    title, _, date, _, *rest = path.read_text(encoding="utf-8").splitlines()
    assert title.startswith(f"# {path.name[:3]}. ")
    assert re.match(r"20\d\d-\d\d-\d\d\b", date)
    parts = re.findall(r"^\*\*([\w ]+)\.\*\*", "\n".join(rest), re.MULTILINE)
    assert parts == ["Decided", "Why", "Alternatives"]
