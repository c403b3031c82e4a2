"""Sentences that were made in English before anybody was there to read them: the judge's words of a breach, the reasons in a
certificate. They are told from the templates that they were made of, and said again in the language spoken. Pure.

What no template is known of stays as it is: above all what a target itself has answered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

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
    "exchange", "kind",
)  # fmt: skip
"""Placeholders that stand for sentences of their own."""

_HEAD: Final = re.compile(r"(\S+: )(?:([\w.\[\]-]+ )(?=\S))?", re.ASCII)
"""What may stand before a sentence: a file, and a key in it."""


def said(sentence: str, wanted: Language | None = None) -> str:
    """A sentence that was made in English, in the language spoken, or in that one."""
    wanted = wanted or language()
    if wanted == ENGLISH or not sentence:
        return sentence
    whole = _whole(sentence, wanted)
    if whole is not None:
        return whole
    for between in ("\n", BETWEEN):
        parts = sentence.split(between)
        if len(parts) > 1:
            return between.join(said(part, wanted) for part in parts)
    return sentence


def _whole(sentence: str, wanted: Language) -> str | None:
    """A sentence of which all of it is known; None where it is not."""
    known = _known(sentence, wanted)
    if known is None and (head := _HEAD.match(sentence)):
        for end in {head.end(1), head.end()}:
            rest = _known(sentence[end:], wanted)
            if rest is not None:
                return sentence[:end] + rest
    return known


def _known(sentence: str, wanted: Language) -> str | None:
    translated = catalogue(wanted).gettext(sentence) if sentence else ""
    if translated != sentence:
        return translated
    for template in _templates():
        if template.part in sentence and (found := template.pattern.fullmatch(sentence)):
            facts = {name: said(fact, wanted) if name in WITHIN else fact for name, fact in found.groupdict().items()}
            return _filled(catalogue(wanted).gettext(template.text), facts)
    return None


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
    def pattern(self) -> re.Pattern[str]:
        """What matches such sentences, with what is filled in as its groups."""
        return _pattern(self.text)


@cache
def _templates() -> tuple[_Template, ...]:
    """The templates of sentences, those first that leave the least open."""
    from conformance.i18n.made import made_templates
    from conformance.i18n.templates import TEMPLATES

    every = dict.fromkeys([*TEMPLATES, *made_templates()])
    closest = sorted(filter(OPEN.search, every), key=lambda text: -len(OPEN.sub("", text)))
    return tuple(map(_Template, closest))


def _pattern(template: str) -> re.Pattern[str]:
    parts, end, seen = [], 0, set()
    for place in OPEN.finditer(template):
        name = place[1]
        form = _FORMS.get(name, ".*?" if name in WITHIN else ".+?")
        parts += [re.escape(template[end : place.start()]), f"(?P={name})" if name in seen else f"(?P<{name}>{form})"]
        seen.add(name)
        end = place.end()
    return re.compile("".join([*parts, re.escape(template[end:])]), re.DOTALL if "\n" in template else 0)
