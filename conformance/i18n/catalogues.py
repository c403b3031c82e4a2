"""The catalogues of messages: gettext's, compiled in the wheel; in a checkout compiled when they are first asked for."""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from conformance.i18n.messages import Language

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

DOMAIN: Final = "koncili-conformance"

LOCALES: Final = Path(__file__).parent / "locale"


class NoCatalogue(Exception):
    """There is no catalogue of a language that can be read; says what to do."""


def source(language: Language) -> Path:
    """Where the translations of a language are written down."""
    return LOCALES / language.replace("-", "_") / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def catalogue(language: Language) -> GNUTranslations:
    """The catalogue of a language. Raises NoCatalogue."""
    compiled = source(language).with_suffix(".mo")
    try:
        content = compiled.read_bytes() if compiled.is_file() else _compiled(source(language))
        return GNUTranslations(BytesIO(content))
    except ImportError:
        raise NoCatalogue(
            f"{language}: its catalogue is not compiled, as it is in the wheel; `make setup` installs what compiles it (Babel)"
        ) from None
    except (OSError, ValueError) as error:
        raise NoCatalogue(f"{language}: its catalogue cannot be read: {error}; install the suite again") from None


def read(path: Path) -> Catalog:
    """A catalogue as it is written down. Raises OSError, and ImportError where Babel is missing."""
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def _compiled(path: Path) -> bytes:
    from babel.messages.mofile import write_mo

    buffer = BytesIO()
    write_mo(buffer, read(path))
    return buffer.getvalue()
