"""Sentences that were made in English before anybody was there to read them: the judge's words of a breach, the reasons in a
certificate. They are told from the templates that they were made of, and said again in the language spoken. Pure.

What no template is known of stays as it is: above all what a target itself has answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Final, NamedTuple

from conformance.i18n.catalogues import catalogue
from conformance.i18n.messages import ENGLISH, Language, language

OPEN: Final = re.compile(r"\{(\w+)(?:[^{}]*)\}")
"""A placeholder of a template."""

_EXAMPLE: Final = re.compile(r"<(\w+)>")
"""What stands open in the title of a scenario that has examples; in them, words of their own."""

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
    "sent": (_JSON := r"(?:nothing|\d+|\"(?:[^\"\\]|\\.)*\"|[\[{].*?|[^\s\";]+)"),
    "shown": _JSON,
    "by": r"[\d.]+(?: \w)?",
}
"""What a placeholder of that name stands for; any other for anything."""

BETWEEN: Final = "; "
"""Between several reasons."""

FEW: Final = 12
"""Of so many it is tried where one ends that has several in it."""

WITHIN: Final = (
    "reason", "reason2", "sentence", "expected", "actual", "context", "error", "what", "why", "remedy", "failed", "failures",
    "exchange", "kind", "how", "manner", "sent", "shown", "problems", "twin_is", "one_by_one", "says",
    "message", "scenario", "side", "verdict",
)  # fmt: skip
"""Placeholders that stand for sentences of their own."""

_BALANCED: Final = r"(?:[^()]|\([^()]*\))*?"
"""A sentence with no bracket that it does not close."""

_WITH_CONTEXT: Final = re.compile(rf"(.+?) \(({_BALANCED})\)")
"""What is told of an answer, and what was changed or done before."""

_HEAD: Final = re.compile(r"((?:[A-Z]+ )?\S+: )(?:([\w.\[\]-]+ )(?=\S))?", re.ASCII)
"""What may stand before a sentence: a file, and a key in it; a call."""


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
    best = _whole(sentence, wanted) or _Said(sentence, len(sentence) if " " in sentence else 0)
    for between, parts in _apart(sentence) if best.left else ():
        if len(parts) > 1 and best.left:
            again = [_said(part, wanted) for part in parts]
            left = sum(part.left for part in again)
            best = _Said(between.join(part.text for part in again), left) if left < best.left else best
    if best.left and (found := _WITH_CONTEXT.fullmatch(sentence)):
        actual, context = (_said(part, wanted) for part in found.groups())
        if actual.left + context.left < best.left:
            best = _Said(f"{actual.text} ({context.text})", actual.left + context.left)
    return best


def _apart(sentence: str) -> Iterator[tuple[str, Sequence[str]]]:
    """What stands between several sentences, and these: what stands in brackets may be several of its own."""
    yield "\n", sentence.split("\n")
    parts = sentence.split(BETWEEN)
    whole: list[str] = []
    for part in parts:
        if whole and whole[-1].count("(") > whole[-1].count(")"):
            whole[-1] += BETWEEN + part
        else:
            whole.append(part)
    yield BETWEEN, whole
    yield BETWEEN, parts
    for first in range(1, len(whole) if len(whole) <= FEW else 0):
        yield BETWEEN, [BETWEEN.join(whole[:first]), BETWEEN.join(whole[first:])]


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
            within = {name: _said(fact, wanted) for name, fact in facts.items() if template.has_within(name) and fact}
            words = {**facts, **{name: one.text for name, one in within.items()}}
            # What has several words is hardly what a placeholder stands for that is none of a sentence.
            left = sum(
                within[name].left if name in within else len(fact) * (fact.count(" ") > 1)
                for name, fact in facts.items()
            )
            if best is None or left < best.left:
                best = _Said(template.filled(catalogue(wanted).gettext(template.text), words), left)
            if not best.left:
                return best
    return best


@dataclass(frozen=True)
class _Template:
    """A template of sentences. Its pattern is made when it is first needed."""

    text: str

    @cached_property
    def open(self) -> re.Pattern[str]:
        """What its placeholders look like."""
        return OPEN if OPEN.search(self.text) else _EXAMPLE

    def has_within(self, name: str) -> bool:
        """Whether a placeholder stands for a sentence of its own."""
        return name in WITHIN or self.open is _EXAMPLE

    def filled(self, words: str, facts: Mapping[str, str]) -> str:
        """What it is in another language, with these words filled in."""
        return self.open.sub(lambda place: facts[place[1]], words)

    @cached_property
    def part(self) -> str:
        """The longest part of it that every such sentence has: it is looked for before the pattern is."""
        return max(self.open.split(self.text)[::2], key=len)

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """What matches such sentences, with what is filled in as its groups: the sentences within may be of any length."""
        return tuple(dict.fromkeys(self._pattern(within) for within in (_BALANCED, ".*?", ".*")))

    def facts(self, sentence: str) -> Iterator[dict[str, str]]:
        """What may be filled in where the sentence is made of this template: of several readings not one is known to be right."""
        if self.part in sentence:
            for pattern in self.patterns:
                if found := pattern.fullmatch(sentence):
                    yield found.groupdict()

    def _pattern(self, within: str) -> re.Pattern[str]:
        parts, end, seen = [], 0, set()
        for place in self.open.finditer(self.text):
            name = place[1]
            form = _FORMS.get(name) if self.open is OPEN else None
            form = form or (within if self.has_within(name) else ".+?")
            parts += [
                re.escape(self.text[end : place.start()]),
                f"(?P={name})" if name in seen else f"(?P<{name}>{form})",
            ]
            seen.add(name)
            end = place.end()
        return re.compile("".join([*parts, re.escape(self.text[end:])]), re.DOTALL if "\n" in self.text else 0)


@cache
def _templates() -> tuple[_Template, ...]:
    """The templates of sentences, those first that leave the least open."""
    from conformance.i18n.made import made_templates
    from conformance.i18n.templates import TEMPLATES

    every = dict.fromkeys([*TEMPLATES, *made_templates()])
    opened = (_Template(text) for text in every if OPEN.search(text) or _EXAMPLE.search(text))
    return tuple(sorted(opened, key=lambda one: -len(one.open.sub("", one.text))))
