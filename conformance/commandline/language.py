"""The language of the command line: `--lang`, else the locale that the environment names. It is known before anything is
parsed, since messages about what can't be parsed, and help, are told in it, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from inspect import cleandoc
from typing import Any, Final

import click

from conformance.i18n.messages import ENGLISH, LANGUAGES, Language, language, of_environment, speaking, tr

OPTION: Final = "--lang"

_AFTER_THEM_NO_OPTIONS: Final = "--"


def language_option() -> click.Option:
    """The option, as every command has it. By the time that it is parsed it has been followed."""
    return click.Option(
        [OPTION], type=click.Choice(LANGUAGES), expose_value=False, help="Language of what people read (default: LANG)."
    )


def chosen(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """The language that the arguments ask for, the last of them; else that of the environment. One that there is not is left
    to the parser to refuse."""
    spoken = of_environment(environment)
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if argument == _AFTER_THEM_NO_OPTIONS:
            break
        asked = following if argument == OPTION else argument.removeprefix(f"{OPTION}=")
        spoken = next((one for one in LANGUAGES if one == asked), spoken)
    return spoken


@contextmanager
def speaking_to(
    arguments: Sequence[str], environment: Mapping[str, str], tell: Callable[[str], None]
) -> Iterator[None]:
    """Speak the language of who calls; English, and a word about it, where its catalogue can't be had."""
    wanted = chosen(arguments, environment)
    with _able_to_speak(wanted, tell):
        yield


def _able_to_speak(wanted: Language, tell: Callable[[str], None]) -> Any:
    if wanted == ENGLISH:
        return nullcontext()
    from conformance.i18n.catalogues import NoCatalogue, catalogue

    try:
        catalogue(wanted)
    except NoCatalogue as error:
        tell(str(error))
        return nullcontext()
    return speaking(wanted)


@contextmanager
def in_their_language(group: click.Group) -> Iterator[None]:
    """Have the help of a group and of its commands in the language spoken, until the block ends."""
    if language() == ENGLISH:
        yield
        return
    from conformance.compat.click import words_by

    parts = list(helpful(group))
    english = [(one, name, getattr(one, name)) for one in parts for name in ("help", "epilog") if hasattr(one, name)]
    try:
        _forget_help_options(parts)
        for one, name, text in english:
            setattr(one, name, tr(cleandoc(text)) if text else text)
        with words_by(tr):
            yield
    finally:
        for one, name, text in english:
            setattr(one, name, text)
        _forget_help_options(parts)


def _forget_help_options(parts: list[click.Command | click.Parameter]) -> None:
    from conformance.compat.click import forget_help_option

    for one in parts:
        if isinstance(one, click.Command):
            forget_help_option(one)


def helpful(command: click.Command) -> Iterator[click.Command | click.Parameter]:
    """A command with its options, and those of the commands below it."""
    yield command
    yield from command.params
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from helpful(below)
