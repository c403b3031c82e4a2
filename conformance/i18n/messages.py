"""Through here go the words that people read: English as it stands in the code, or what the catalogue of a language has for it.

What machines read (ids, JSON, JUnit, exit codes) and what a certificate holds stays English: whoever writes these asks
nothing here. English costs a comparison; gettext is loaded only for another language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from gettext import GNUTranslations

Language: TypeAlias = Literal["en", "pt-BR"]

ENGLISH: Final = "en"

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

NAMES: Final[Mapping[Language, str]] = {"en": "English", "pt-BR": "Português"}
"""Each as those who speak it call it."""

_VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Where a locale is named, in the sequence in which POSIX asks them: the first that is not empty decides."""

_spoken: Language = ENGLISH


def language() -> Language:
    """The language that is spoken now."""
    return _spoken


def of_environment(environment: Mapping[str, str]) -> Language:
    """The language of a locale as the environment names it: `pt_BR.UTF-8`, `pt`, `C`. English where it is none of ours."""
    locale = next((value for name in _VARIABLES if (value := environment.get(name))), "")
    spoken = locale.partition(".")[0].partition("@")[0].replace("-", "_").partition("_")[0].lower()
    return next((one for one in LANGUAGES if one.partition("-")[0] == spoken), ENGLISH)


@contextmanager
def speaking(wanted: Language) -> Iterator[None]:
    """Speak a language, in all threads of this process, until the block ends. Raises NoCatalogue."""
    global _spoken  # noqa: PLW0603 - one process speaks to one person; threads that wait speak, too
    if wanted != ENGLISH:
        _catalogue(wanted)
    before, _spoken = _spoken, wanted
    try:
        yield
    finally:
        _spoken = before


def can_speak(wanted: Language) -> bool:
    """Whether a language has a catalogue here."""
    from conformance.i18n.catalogues import NoCatalogue

    try:
        if wanted != ENGLISH:
            _catalogue(wanted)
    except NoCatalogue:
        return False
    return True


def tr(message: str, /, **values: object) -> str:
    """A message in the language spoken, its `{placeholders}` filled in."""
    if _spoken == ENGLISH:
        return message.format(**values) if values else message
    return _filled(_catalogue(_spoken).gettext(message) if message else "", values)


def ntr(singular: str, plural: str, number: int, /, **values: object) -> str:
    """A message about a number of things, which fills in `{number}`."""
    if _spoken == ENGLISH:
        return (singular if number == 1 else plural).format(number=number, **values)
    return _filled(_catalogue(_spoken).ngettext(singular, plural, number), {"number": number, **values})


def mark(message: str, /) -> str:
    """The message as it is: it stands in a table, and whoever takes it from there translates it."""
    return message


def _catalogue(wanted: Language) -> GNUTranslations:
    from conformance.i18n.catalogues import catalogue

    return catalogue(wanted)


def _filled(message: str, values: Mapping[str, object]) -> str:
    if not values:
        return message
    from conformance.i18n.brazilian import filled

    return filled(message, values)
