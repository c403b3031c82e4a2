"""Sentences that were made in English before anybody was there to read them: the judge's words of a breach, the reasons in a
certificate. They are told from the templates that they were made of, and said again in the language spoken. Pure.

What no template is known of stays as it is: above all what a target itself has answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Final, NamedTuple

from conformance.i18n.catalogues import catalogue
from conformance.i18n.messages import ENGLISH, Language, language

OPEN: Final = re.compile(r"\{(\w+)(?:[^{}]*)\}")
"""A placeholder of a template."""

_FORMS: Final = {
    "field": r"[\w.\[\]]+",
    "status": r"\w+",
    "other": r"\w+",
    "type": r"\w+",
    "value": r"\w+",
    "number": r"\d[\d,]*",
    "all": r"\d+",
    "earlier": r"\d+",
    "entries": r"\d+",
    "entry": r"\d+",
    "id": r"\d+",
    "header": r"[\w-]+",
    "extracts": r"\d+",
    "wanted": r"\S+",
    "rule": r"[A-Z]{3,4}-\d{2}",
}
"""What a placeholder of that name stands for; any other for anything."""

BETWEEN: Final = "; "
"""Between several reasons."""

WITHIN: Final = (
    "reason", "reason2", "sentence", "expected", "actual", "context", "error", "what", "why", "remedy", "failed", "failures",
    "exchange", "kind", "how", "manner", "sent", "shown", "problems", "twin_is",
)  # fmt: skip
"""Placeholders that stand for sentences of their own."""

_HEAD: Final = re.compile(r"(\S+: )(?:([\w.\[\]-]+ )(?=\S))?", re.ASCII)
"""What may stand before a sentence: a file, and a key in it."""


def said(sentence: str, wanted: Language | None = None) -> str:
    """A sentence that was made in English, in the language spoken, or in that one."""
    wanted = wanted or language()
    return sentence if wanted == ENGLISH else _said(sentence, wanted).text


class _Said(NamedTuple):
    """A sentence said again, and how much of it is left as it was, in characters."""

    text: str
    left: int = 0


@lru_cache(maxsize=1_000)
def _said(sentence: str, wanted: Language) -> _Said:
    best = _whole(sentence, wanted) or _Said(sentence, len(sentence))
    for between in ("\n", BETWEEN):
        parts = sentence.split(between) if best.left else ()
        if len(parts) > 1:
            again = [_said(part, wanted) for part in parts]
            left = sum(part.left for part in again)
            best = _Said(between.join(part.text for part in again), left) if left < best.left else best
    return best


def _whole(sentence: str, wanted: Language) -> _Said | None:
    """A sentence of which all of it is known; None where it is not."""
    known = _known(sentence, wanted)
    if known is None and (head := _HEAD.match(sentence)):
        for end in {head.end(1), head.end()}:
            rest = _known(sentence[end:], wanted)
            if rest is not None:
                return _Said(sentence[:end] + rest.text, rest.left)
    return known


def _known(sentence: str, wanted: Language) -> _Said | None:
    """What is made of a sentence by the template of which it is made: of several readings that by which the least is left."""
    translated = catalogue(wanted).gettext(sentence) if sentence else ""
    if translated != sentence:
        return _Said(translated)
    best: _Said | None = None
    for template in _templates():
        for facts in template.facts(sentence):
            within = {name: _said(fact, wanted) for name, fact in facts.items() if name in WITHIN and fact}
            words = {**facts, **{name: one.text for name, one in within.items()}}
            left = sum(one.left for one in within.values())
            if best is None or left < best.left:
                best = _Said(_filled(catalogue(wanted).gettext(template.text), words), left)
            if not best.left:
                return best
    return best


def _filled(words: str, facts: Mapping[str, str]) -> str:
    return OPEN.sub(lambda place: facts[place[1]], words)


@dataclass(frozen=True)
class _Template:
    """A template of sentences. Its pattern is made when it is first needed."""

    text: str

    @cached_property
    def part(self) -> str:
        """The longest part of it that every such sentence has: it is looked for before the pattern is."""
        return max(OPEN.split(self.text)[::2], key=len)

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """What matches such sentences, with what is filled in as its groups: sentences within as short or as long as can be."""
        return tuple(dict.fromkeys(map(_pattern, (self.text, self.text), (".*?", ".*"))))

    def facts(self, sentence: str) -> Iterator[dict[str, str]]:
        """What may be filled in where the sentence is made of this template: of several readings not one is known to be right."""
        if self.part in sentence:
            for pattern in self.patterns:
                if found := pattern.fullmatch(sentence):
                    yield found.groupdict()


@cache
def _templates() -> tuple[_Template, ...]:
    """The templates of sentences, those first that leave the least open."""
    from conformance.i18n.made import made_templates
    from conformance.i18n.templates import TEMPLATES

    every = dict.fromkeys([*TEMPLATES, *made_templates()])
    closest = sorted(filter(OPEN.search, every), key=lambda text: -len(OPEN.sub("", text)))
    return tuple(map(_Template, closest))


def _pattern(template: str, within: str) -> re.Pattern[str]:
    parts, end, seen = [], 0, set()
    for place in OPEN.finditer(template):
        name = place[1]
        form = _FORMS.get(name, within if name in WITHIN else ".+?")
        parts += [re.escape(template[end : place.start()]), f"(?P={name})" if name in seen else f"(?P<{name}>{form})"]
        seen.add(name)
        end = place.end()
    return re.compile("".join([*parts, re.escape(template[end:])]), re.DOTALL if "\n" in template else 0)
