"""Every message that people read is translated, none is left over, and each keeps its placeholders."""

from __future__ import annotations

import string
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Catalog, Message

from conformance.i18n.catalogues import DOMAIN, source
from conformance.i18n.messages import LANGUAGES, Language, speaking
from conformance.i18n.sentences import said
from conformance.i18n.templates import TEMPLATES
from tests.message_catalogue import in_code, is_translated, messages, written

TRANSLATED: tuple[Language, ...] = tuple(one for one in LANGUAGES if one != "en")

MEND = "run `make messages`, and translate what is new in " + DOMAIN + ".po"


@pytest.fixture(scope="module", params=TRANSLATED)
def known(request: pytest.FixtureRequest) -> Catalog:
    """A catalogue as it is written down."""
    return written(source(request.param))


def placeholders(text: str) -> set[tuple[str, str, str]]:
    """What a message has filled in."""
    return {(name, form or "", how or "") for _, name, form, how in string.Formatter().parse(text) if name is not None}


def parts(text: object) -> list[str]:
    """A message, or its singular and plurals."""
    return [str(one) for one in text] if isinstance(text, list | tuple) else [str(text)]


def complaints(message: Message) -> Iterator[str]:
    """What is wrong with a translation."""
    sources, translations = parts(message.id), parts(message.string)
    if not is_translated(message):
        yield "is not translated"
    if message.fuzzy:
        yield "is fuzzy"
    message.flags.discard("python-format")  # placeholders are in braces: "{least} % is" holds no other
    yield from (str(error) for error in message.check())
    for translated in translations:
        if "{" in sources[0] and '{"' not in sources[0] and placeholders(translated) != placeholders(sources[-1]):
            yield f"has other placeholders: {translated!r}"
        if (translated[:1].isspace(), translated[-1:].isspace()) != (
            sources[0][:1].isspace(),
            sources[0][-1:].isspace(),
        ):
            yield "has other white space at its ends"


def test_every_message_is_there_and_no_other(known: Catalog) -> None:
    wanted = set(messages())
    there = {message.id for message in known if message.id}
    assert wanted - there == set(), MEND
    assert there - wanted == set(), MEND


def test_every_message_is_well_translated(known: Catalog) -> None:
    wrong = [f"{message.id!r} {complaint}" for message in known if message.id for complaint in complaints(message)]
    assert not wrong, "\n".join([MEND, *wrong])


@pytest.mark.parametrize(
    ("id_", "string_"),
    [
        ("{number} rules", ""),
        ("{number} rules", "{numero} regras"),
        ("{number} rules", "regras"),
        ("{number:,} rules", "{number} regras"),
        (" or ", "ou"),
        (("{number} rule", "{number} rules"), ("{number} regra", "", "{number} regras")),
    ],
)
def test_a_bad_translation_is_seen(id_: str | tuple[str, str], string_: str | tuple[str, ...]) -> None:
    assert [*complaints(Message(id_, string_))]


def test_messages_are_found_within_f_strings_too() -> None:
    code = 'print(f"- {tr(\'one\')}", ntr("a", "b", 3), mark("two" "three"), tr(variable), tr(f"{no}"))'
    assert sorted(map(str, in_code(code))) == ["('a', 'b')", "one", "twothree"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_of_a_sentence_is_recognised(template: str) -> None:
    facts = {name: "ORD-04" if name == "rule" else "7" for name, _, _ in placeholders(template)}
    sentence = template.format_map(facts)
    with speaking("pt-BR"):
        assert said(sentence) != sentence
        assert said(sentence).count("7") == sentence.count("7")
