"""Sentences that were made in English before anybody was there to read them: the judge's words of a breach, the reasons in a
certificate. They are told from the templates that they were made of, and said again in the language spoken. Pure.

What no template is known of stays as it is: above all what a target itself has answered.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from conformance.i18n.catalogues import catalogue
from conformance.i18n.messages import ENGLISH, Language, language

_PLACEHOLDER: Final = re.compile(r"\{(\w+)(?:[^{}]*)\}")

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

_AND: Final = "; "
"""Between several reasons."""

_WITHIN: Final = ("reason", "sentence", "expected", "actual", "context")
"""Placeholders that stand for sentences of their own."""


def said(sentence: str, wanted: Language | None = None) -> str:
    """A sentence that was made in English, in the language spoken, or in that one."""
    wanted = wanted or language()
    if wanted == ENGLISH or not sentence:
        return sentence
    known = catalogue(wanted).gettext(sentence)
    if known != sentence:
        return known
    for pattern, words in _templates(wanted):
        if found := pattern.fullmatch(sentence):
            facts = {name: said(fact, wanted) if name in _WITHIN else fact for name, fact in found.groupdict().items()}
            return _PLACEHOLDER.sub(lambda place, facts=facts: facts[place[1]], words)  # type: ignore[misc]
    parts = sentence.split(_AND)
    return _AND.join(said(part, wanted) for part in parts) if len(parts) > 1 else sentence


@cache
def _templates(wanted: Language) -> tuple[tuple[re.Pattern[str], str], ...]:
    """The templates of sentences, those first that leave the least open."""
    from conformance.i18n.templates import TEMPLATES

    known = catalogue(wanted)
    closest = sorted(TEMPLATES, key=lambda template: -len(_PLACEHOLDER.sub("", template)))
    return tuple((_pattern(template), known.gettext(template)) for template in closest)


def _pattern(template: str) -> re.Pattern[str]:
    parts, end, seen = [], 0, set()
    for place in _PLACEHOLDER.finditer(template):
        name = place[1]
        form = f"(?P={name})" if name in seen else f"(?P<{name}>{_FORMS.get(name, '.+?')})"
        parts += [re.escape(template[end : place.start()]), form]
        seen.add(name)
        end = place.end()
    return re.compile("".join([*parts, re.escape(template[end:])]), re.DOTALL)
