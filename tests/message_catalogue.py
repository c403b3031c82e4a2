"""Gathers every message that people read, and writes the catalogues of translations anew.

    python tests/message_catalogue.py          # what `make messages` does: new messages go in untranslated, unused ones go out
    python tests/message_catalogue.py --share  # how many are translated, by area
    python tests/message_catalogue.py --check  # what `make check` does: writes nothing, and says what is to be done

A message comes from the code and the templates of pages (calls of `tr`, `ntr`, `mark`), from tables of sentences, the rules, the
readings, the features, and the help of commands.
"""

from __future__ import annotations

import ast
import gc
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from inspect import cleandoc
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from conformance.cli import main as command_line
from conformance.commandline.language import helpful
from conformance.compat.click import WORDS as CLICK_WORDS
from conformance.contract.readings import PRINTED_CONTRADICTIONS, READINGS
from conformance.contract.rules import Level, Side, every_rule
from conformance.i18n.catalogues import source
from conformance.i18n.made import MADE
from conformance.i18n.messages import LANGUAGES, Language
from conformance.i18n.sentences import OPEN
from conformance.i18n.templates import BREACHES, COUNTED, FINDINGS, REASONS, SETTING_UP, TEMPLATES, THEIRS
from conformance.replay.tries import Fate
from conformance.report.gate_words import DECISIONS
from conformance.report.gate_words import WORDS as GATE_WORDS
from conformance.verdict.certificate import AboutEntry
from conformance.verdict.gate_case import Check
from conformance.verdict.verdicts import RuleVerdict, RunVerdict
from strategies.alike import ALIKE
from strategies.unbounded import AS_LAWFUL, CODES_BEYOND, ORDERS_BEYOND
from tests.made_sentences import made_sentences

ROOT: Final = Path(__file__).parents[1]

WIDTH: Final = 120

UNDATED: Final = datetime(2026, 11, 28, tzinfo=UTC)
"""The catalogue's date of making never changes: git knows better."""

_KEYWORDS: Final = {"tr": None, "ntr": (1, 2), "mark": None}

_SCENARIO: Final = re.compile(r"^\s*Scenario(?: Outline)?: (.+)$", re.MULTILINE)

_EXAMPLES: Final = re.compile(r"Examples:\s*\|.+\|\n((?:\s*\|.+\|\n?)+)")
"""The examples of a scenario; before them stands what they are of."""

_WORDS: Final = re.compile(r" |^[a-z]+$")
"""Examples in words; others name something: `createdDate`, `CANCELED`, `/order`."""

Found = tuple[str, str | tuple[str, ...]]
"""Where a message is, and the message, with its plural where it has one."""


def messages() -> dict[str | tuple[str, ...], list[str]]:
    """Every message, and where it is."""
    found: dict[str | tuple[str, ...], list[str]] = {}
    for place, message in _all():
        if message and place not in found.setdefault(message, []):
            found[message].append(place)
    return found


def updated(known: Catalog) -> Catalog:
    """The catalogue with all messages and no others; what is translated stays so."""
    anew = Catalog(
        locale=known.locale,
        project="koncili-conformance",
        version=" ",
        header_comment=known.header_comment,
        creation_date=UNDATED,
        revision_date=UNDATED,
        fuzzy=False,
    )
    for message, places in sorted(messages().items(), key=lambda item: (item[1][0], str(item[0]))):
        before = known.get(message[0] if isinstance(message, tuple) else message)
        kept = (
            before.string
            if before is not None and isinstance(before.string, tuple) == isinstance(message, tuple)
            else None
        )
        anew.add(message, kept, locations=[(place, 0) for place in places])
    return anew


def is_translated(message: Message) -> bool:
    """Whether all of it is."""
    return all(message.string) if isinstance(message.string, tuple) else bool(message.string)


def area(message: Message) -> str:
    """To which part of what people read it belongs: that of the first place where it is."""
    place = message.locations[0][0]
    return next((name for start, name in AREAS.items() if place.startswith(start)), "others")


AREAS: Final[Mapping[str, str]] = {
    "conformance/contract/rules.yaml": "rules",
    "conformance/contract/readings.py": "readings",
    "conformance/contract/judge": "breaches, of check_* and the mock",
    "features/": "scenarios",
    "conformance/cli.py": "help",
    "conformance/compat/click.py": "help",
    "conformance/commandline/": "init, doctor, replay, cleanup",
    "conformance/replay/": "init, doctor, replay, cleanup",
    "conformance/run/cleanup.py": "init, doctor, replay, cleanup",
    "conformance/run/machine.py": "init, doctor, replay, cleanup",
    "conformance/report/first_hour.py": "init, doctor, replay, cleanup",
    "conformance/report/gate_words.py": "gate",
    "conformance/report/page/": "page",
    "conformance/report/recorded.py": "audit",
    "conformance/audit/": "audit",
    "conformance/i18n/templates.py": "reasons in certificates",
    "conformance/engine/": "findings",
    "tests/certification/": "findings",
    "strategies/": "findings",
    "conformance/mock/": "mock",
    "conformance/": "terminal and summary",
}
"""Where messages of an area are; the first that fits."""


def written(path: Path) -> Catalog:
    """A catalogue as it is in its file. Raises OSError, ValueError where it can't be read."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], abort_invalid=True)


def write(path: Path, catalogue: Catalog) -> None:
    """Leave a catalogue in its file."""
    with path.open("wb") as file:
        write_po(file, catalogue, width=WIDTH, include_lineno=False)


def share(catalogue: Catalog) -> Iterator[str]:
    """How many messages are translated, by area, a line each."""
    every = [message for message in catalogue if message.id]
    of, done = Counter(map(area, every)), Counter(area(message) for message in every if is_translated(message))
    yield from (f"{name:36} {done[name]:4} of {number:4}" for name, number in sorted(of.items()))
    yield f"{'all':36} {done.total():4} of {of.total():4}"


def _all() -> Iterator[Found]:
    for path in sorted((ROOT / "conformance").rglob("*.py")):
        yield from (
            (path.relative_to(ROOT).as_posix(), message) for message in in_code(path.read_text(encoding="utf-8"))
        )
    for name, _, message, _, _ in extract_from_dir(ROOT, [("conformance/**.j2", "jinja2")], keywords=_KEYWORDS):
        yield name, message
    rules = "conformance/contract/rules.yaml"
    for rule in every_rule().rules.values():
        yield from ((rules, rule.statement), (rules, rule.instead or ""), (rules, rule.area))
    readings = "conformance/contract/readings.py"
    yield from ((readings, reading.disagreement) for reading in READINGS.values())
    yield from ((readings, contradiction) for contradiction in PRINTED_CONTRADICTIONS)
    for path in features():
        text = path.read_text(encoding="utf-8")
        yield from ((f"features/{path.name}", title) for title in _SCENARIO.findall(text))
        cells = (cell.strip() for rows in _EXAMPLES.findall(text) for cell in rows.split("|"))
        yield from ((f"features/{path.name}", words) for words in cells if _WORDS.search(words))
    yield from (("conformance/contract/judge.py", template) for template in BREACHES)
    templates = "conformance/i18n/templates.py"
    yield from ((templates, template) for template in REASONS)
    yield from (("conformance/commandline/init_command.py", template) for template in SETTING_UP)
    yield from (("conformance/replay/replaying.py", str(fate)) for fate in Fate)
    yield from (("conformance/audit/findings.py", template) for template in FINDINGS)
    yield from ((templates, template) for template in THEIRS)
    yield from ((place, sentence) for sentence, places in made().items() for place in places)
    yield from ((templates, (f"{{number:,}} {what}", f"{{number:,}} {what}s")) for what in COUNTED)
    yield from (("strategies/alike.py", kind) for kind in ALIKE)
    beyond = (kinds for table in (CODES_BEYOND, ORDERS_BEYOND) for kinds in table.values())
    yield from (("strategies/unbounded.py", kind) for kinds in beyond for kind in kinds)
    yield from (("strategies/unbounded.py", words) for _, words in AS_LAWFUL.values())
    gate = "conformance/report/gate_words.py"
    yield from ((gate, words) for pair in GATE_WORDS.values() for words in pair)
    yield from ((gate, words) for _, words in DECISIONS.values())
    yield from ((gate, str(check)) for check in Check)
    verdicts = "conformance/verdict/verdicts.py"
    yield from ((verdicts, (f"{{number}} {verdict}",) * 2) for verdict in RuleVerdict)
    yield from ((verdicts, (f"{{number}} rule {verdict}", f"{{number}} rules {verdict}")) for verdict in RuleVerdict)
    yield from ((verdicts, str(word)) for words in (RuleVerdict, RunVerdict, Level, Side) for word in words)
    yield from (("conformance/report/summary.py", name) for name in AboutEntry.model_fields)
    yield from _help()


NOBODY_READS: Final = (
    "conformance/contract/checks.py", "conformance/mock/clock.py", "conformance/mock/commands.py", "conformance/mock/limits.py",
    "conformance/mock/request_log.py", "conformance/mock/snapshot.py",
)  # fmt: skip
"""Errors of these are for programs: what the mock's control answers, and what `check_*` raises."""


@cache
def made() -> dict[str, list[str]]:
    """The sentences that are made in English and said again, with where they are; without those of which there are templates."""
    there = {OPEN.sub("{}", template) for template in TEMPLATES}
    code = (path for of in ("conformance", "tests/certification") for path in sorted((ROOT / of).rglob("*.py")))
    modules = {path.relative_to(ROOT).as_posix(): path for path in code}
    found = made_sentences(
        {name: path.read_text(encoding="utf-8") for name, path in modules.items() if name not in NOBODY_READS}
    )
    return {
        sentence: places
        for sentence, places in found.items()
        if OPEN.sub("{}", sentence) not in there and not sentence.startswith("rules.yaml")
    }


def features() -> list[Path]:
    """The features, by name."""
    return sorted((ROOT / "features").glob("*.feature"))


def made_file() -> str:
    """What `locale/templates.json` is to hold: the templates among them, and titles of scenarios with something open."""
    titles = {
        title for path in features() for title in _SCENARIO.findall(path.read_text(encoding="utf-8")) if "<" in title
    }
    templates = sorted({*titles, *(sentence for sentence in made() if OPEN.search(sentence))})
    return json.dumps(templates, indent=0, ensure_ascii=False) + "\n"


def in_code(code: str) -> Iterator[str | tuple[str, ...]]:
    """The messages in a module. (Babel's own reader passes over calls within f-strings)"""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _KEYWORDS:
            wanted = 2 if node.func.id == "ntr" else 1
            words = tuple(
                one.value for one in node.args[:wanted] if isinstance(one, ast.Constant) and isinstance(one.value, str)
            )
            if len(words) == wanted:
                yield words if wanted > 1 else words[0]


def _help() -> Iterator[Found]:
    for one in helpful(command_line):
        place = "conformance/cli.py"
        yield from ((place, cleandoc(text)) for name in ("help", "epilog") if (text := getattr(one, name, None)))
    yield from (("conformance/compat/click.py", word) for word in CLICK_WORDS)


def undone(language: Language) -> Iterator[str]:
    """What is to be done in a catalogue, a line each."""
    known = {message.id: message for message in written(source(language)) if message.id}
    wanted = messages()
    yield from (f"not in the catalogue: {message!r}" for message in wanted if message not in known)
    yield from (f"nowhere in the code: {message!r}" for message in known if message not in wanted)
    yield from (
        f"not translated: {id!r}" for id, message in known.items() if id in wanted and not is_translated(message)
    )


def check() -> None:
    """Exits with 1 where a catalogue or the templates are not those of the code, and says what is to be done."""
    lacking = [
        f"{language}: {line}" for language in LANGUAGES if source(language).is_file() for line in undone(language)
    ]
    if MADE.read_text(encoding="utf-8") != made_file():
        lacking.append(f"{MADE.relative_to(ROOT)} is not what the code makes")
    if lacking:
        sys.exit("\n".join([*lacking, "run `make messages`, and translate what is new"]))


def main(arguments: Iterable[str]) -> None:
    """Write every catalogue anew, or tell the shares, or what is to be done."""
    gc.disable()  # hundreds of modules are held as trees, and every search of them for garbage is in vain
    if "--check" in arguments:
        return check()
    if "--share" not in arguments:
        MADE.write_text(made_file(), encoding="utf-8")
    for language in LANGUAGES:
        path = source(language)
        if not path.is_file():
            continue
        if "--share" not in arguments:
            write(path, updated(written(path)))
        print(f"{language}:", *share(written(path)), sep="\n  ")
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
