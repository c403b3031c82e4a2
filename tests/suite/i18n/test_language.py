"""Which language is spoken, and that what machines read does not change with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import click
import pytest

from conformance.cli import main
from conformance.commandline.language import chosen, helpful, in_their_language
from conformance.contract.rules import every_rule
from conformance.i18n.formats import instant, number
from conformance.i18n.messages import ENGLISH, Language, language, mark, ntr, of_environment, speaking, tr
from conformance.i18n.sentences import said
from conformance.report.rulebook import render

PORTUGUESE: Language = "pt-BR"


@pytest.mark.parametrize(
    ("environment", "spoken"),
    [
        ({}, ENGLISH),
        ({"LANG": "C.UTF-8"}, ENGLISH),
        ({"LANG": "en_US.UTF-8"}, ENGLISH),
        ({"LANG": "de_DE"}, ENGLISH),
        ({"LANG": "pt_BR.UTF-8"}, PORTUGUESE),
        ({"LANG": "pt"}, PORTUGUESE),
        ({"LANG": "pt_PT@euro"}, PORTUGUESE),
        ({"LANG": "pt_BR", "LC_MESSAGES": "en_US.UTF-8"}, ENGLISH),
        ({"LANG": "en_US", "LC_MESSAGES": "pt_BR.UTF-8"}, PORTUGUESE),
        ({"LANG": "pt_BR", "LC_MESSAGES": "pt_BR", "LC_ALL": "C"}, ENGLISH),
        ({"LANG": "en_US", "LC_ALL": "pt_BR"}, PORTUGUESE),
        ({"LANG": "pt_BR", "LC_ALL": ""}, PORTUGUESE),
    ],
)
def test_the_locale_chooses_as_posix_says(environment: Mapping[str, str], spoken: Language) -> None:
    assert of_environment(environment) == spoken


@pytest.mark.parametrize(
    ("arguments", "spoken", "in_brazil"),
    [
        ([], ENGLISH, PORTUGUESE),
        (["certify"], ENGLISH, PORTUGUESE),
        (["--lang", "pt-BR", "certify"], PORTUGUESE, PORTUGUESE),
        (["certify", "--help", "--lang=pt-BR"], PORTUGUESE, PORTUGUESE),
        (["certify", "--lang", "pt-BR", "--lang", "en"], ENGLISH, ENGLISH),
        (["certify", "--lang", "xx"], ENGLISH, PORTUGUESE),
        (["certify", "--lang"], ENGLISH, PORTUGUESE),
        (["audit", "--", "--lang", "pt-BR"], ENGLISH, PORTUGUESE),
    ],
)
def test_the_option_chooses(arguments: list[str], spoken: Language, in_brazil: Language) -> None:
    assert chosen(arguments, {}) == spoken
    assert chosen(arguments, {"LANG": "pt_BR"}) == in_brazil


def test_a_language_ends_with_its_block() -> None:
    with speaking(PORTUGUESE):
        assert (language(), tr("Rules")) == (PORTUGUESE, "Regras")
        with speaking(ENGLISH):
            assert tr("Rules") == "Rules"
        assert tr("Rules") == "Regras"
    assert (language(), tr("Rules")) == (ENGLISH, "Rules")


def test_what_is_not_known_stays_english() -> None:
    with speaking(PORTUGUESE):
        assert tr("no such message, {name}", name="anybody") == "no such message, anybody"
        assert said("the target said so") == "the target said so"
        assert (tr(""), said(""), mark("Rules")) == ("", "", "Rules")


def test_numbers_dates_and_plurals_are_written_as_brazilians_do() -> None:
    at = datetime(2026, 11, 28, 13, 45, 7, tzinfo=UTC)
    assert (number(1234), number(Decimal("1234.56"), ",.2f"), instant(at)) == (
        "1,234",
        "1,234.56",
        "2026-11-28 13:45:07",
    )
    with speaking(PORTUGUESE):
        assert (number(1234), number(Decimal("1234.56"), ",.2f")) == ("1.234", "1.234,56")
        assert (instant(at), instant(at.date(), "%Y-%m-%d")) == ("28/11/2026 13:45:07", "28/11/2026")
        rules = [ntr("{number:,} rule", "{number:,} rules", one) for one in (0, 1, 2, 1234, 1_000_000)]
    assert rules == ["0 regra", "1 regra", "2 regras", "1.234 regras", "1.000.000 de regras"]


def test_what_machines_read_stays_english() -> None:
    rules = list(every_rule().rules.values())
    for form in ("json", "markdown"):
        english = render(rules, form, single=False)
        with speaking(PORTUGUESE):
            assert render(rules, form, single=False) == english
    table = render(rules, "table", single=False)
    with speaking(PORTUGUESE):
        assert render(rules, "table", single=False) != table


def test_help_is_translated_and_english_again_after_it() -> None:
    english = [one.help for one in helpful(main) if isinstance(one, click.Option)]
    main.get_help(click.Context(main, info_name="koncili-conformance"))  # click keeps the option --help, with its words
    with speaking(PORTUGUESE), in_their_language(main):
        context = click.Context(main, info_name="koncili-conformance")
        portuguese = main.get_help(context)
    assert portuguese.startswith("Uso: koncili-conformance")
    assert "Mostra esta mensagem e sai." in portuguese
    assert "Usage" not in portuguese
    assert [one.help for one in helpful(main) if isinstance(one, click.Option)] == english
    assert main.get_help(click.Context(main, info_name="koncili-conformance")).startswith("Usage: koncili-conformance")


def test_every_command_takes_the_option() -> None:
    commands = [one for one in helpful(main) if isinstance(one, click.Command)]
    assert len(commands) > 10
    for command in commands:
        assert any("--lang" in option.opts for option in command.params), command.name
