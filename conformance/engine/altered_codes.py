"""Codes under which a server may have stored an order in place of its own: what is kept so is never found under its own, and
that looks as if it were still to come."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote, unquote_plus

from conformance.i18n.messages import mark
from conformance.target.wire.http.building import AsItStands

ASKED_AT_MOST: Final = 6
"""So many such codes a run asks for in vain: each spends a client error."""

_LENGTHS: Final = (20, 30, 40, 50, 64, 100, 128, 190, 200, 255)
"""Characters that columns hold."""

_DIGITS_OF_A_DOUBLE: Final = 15


def altered(code: str) -> Iterator[tuple[str, str]]:
    """What may have been done to a code, and the code that it makes; where that is another one, those first that show most."""
    seen = {code}
    for how, made in _made_of(code):
        if made and made not in seen:
            seen.add(made)
            yield how, made


def _made_of(code: str) -> Iterator[tuple[str, str]]:
    if not code.isascii():
        yield mark("read as ISO-8859-1"), code.encode().decode("latin-1")
        if _is_latin(code):
            yield mark("written in ISO-8859-1 in the query"), AsItStands(quote(code, safe="", encoding="latin-1"))
        yield mark("with ? for what is not in ISO-8859-1"), code.encode("latin-1", "replace").decode("latin-1")
        yield mark("with ? for what is not in ASCII"), code.encode("ascii", "replace").decode("ascii")
        yield mark("composed"), unicodedata.normalize("NFC", code)
        yield mark("in its plain form"), unicodedata.normalize("NFKC", code)
        yield mark("without accents"), _without_marks(code)
        yield mark("without what is beyond 16 bits"), "".join(one for one in code if ord(one) < 2**16)
    yield mark("without the blanks around it"), code.strip()
    yield mark("with one blank for several"), " ".join(code.split())
    if "%" in code or "+" in code:
        yield mark("decoded like a query"), unquote_plus(code)
    if code.isdecimal() and code.isascii():
        if len(code) > _DIGITS_OF_A_DOUBLE:
            yield mark("as a double has it"), f"{float(code):.0f}"
        yield mark("without zeros before it"), code.lstrip("0")
    yield from ((mark(f"cut to {length} characters"), code[:length]) for length in _LENGTHS if len(code) > length)
    yield mark("in upper case"), code.upper()
    yield mark("in lower case"), code.lower()


def _is_latin(code: str) -> bool:
    return all(ord(one) < 2**8 for one in code)


def _without_marks(code: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFD", code) if not unicodedata.combining(one))


def under(code: str, order: Any) -> Any:
    """An order, its code and that of its extracts this one whatever they are; what is none, as it is."""
    if not isinstance(order, dict):
        return order
    extracts = order.get("extracts")
    if isinstance(extracts, list):
        extracts = [{**one, "marketplaceCode": code} if isinstance(one, dict) else one for one in extracts]
    return {**order, "marketplaceCode": code, "extracts": extracts}
