"""Marked secrets, the forms in which a server may tell them, and the search for them in whatever a run leaves."""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import quote, quote_plus, unquote

from conformance.contract.credentials import encode_credentials

EMAIL: Final = "Ána.Mark7+sales@marked-shop.example"
PASSWORD: Final = "pä\"ss/m<4>>>>rk&d'w%ö rd????~+=\\xy"
CREDENTIALS: Final = encode_credentials(EMAIL, PASSWORD)

assert {"+", "/", "="} <= {*CREDENTIALS}, "the credentials are to differ between the alphabets of base64"

PIECE: Final = 20
"""So many characters of a token or of the credentials, one after the other, are too many."""

FORMS: Final[dict[str, Callable[[str], str]]] = {
    "plain": str,
    "quote": lambda secret: quote(secret, safe=""),
    "quote_plus": quote_plus,
    "quoted twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON in Unicode": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "JSON with slashes escaped": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret))[3:-3],
    "JSON for HTML": lambda secret: json.dumps(secret)[1:-1].replace("<", "\\u003C").replace("&", "\\u0026"),
    "HTML": html.escape,
    "HTML by number": lambda secret: re.sub("[^A-Za-z0-9]", lambda letter: f"&#{ord(letter[0])};", secret),
    "HTML by name": lambda secret: html.escape(secret).replace("ä", "&auml;").replace("Á", "&Aacute;"),
    "Python": ascii,
    "Python's bytes": lambda secret: str(secret.encode())[2:-1],
    "another encoding's": lambda secret: secret.encode().decode("latin-1"),
}
"""How a text may stand in an answer or in a message."""

BASE64_FORMS: Final[dict[str, Callable[[str], str]]] = {
    "standard": str,
    "unpadded": lambda encoded: encoded.rstrip("="),
    "URL-safe": lambda encoded: encoded.replace("+", "-").replace("/", "_"),
    "URL-safe and unpadded": lambda encoded: encoded.replace("+", "-").replace("/", "_").rstrip("="),
    "quoted": lambda encoded: quote(encoded, safe=""),
    "with slashes escaped": lambda encoded: encoded.replace("/", "\\/"),
}
"""How credentials may stand there."""


def _every_form() -> Iterator[str]:
    for secret in (EMAIL, PASSWORD, f"{EMAIL}:{PASSWORD}", PASSWORD.swapcase(), PASSWORD[:-1], EMAIL.lower()):
        yield from (form(secret) for form in FORMS.values())
    yield from (form(CREDENTIALS) for form in BASE64_FORMS.values())
    yield f"Basic {CREDENTIALS}"


EVERY_FORM: Final = " | ".join(_every_form())
"""The marked email, password and credentials as a talkative server tells them."""


class Marks:
    """What to look for: texts by name, and long secrets of which no piece may be found either."""

    def __init__(self, texts: dict[str, str], tokens: Iterable[str] = ()) -> None:
        """`tokens` and credentials are looked for in pieces; of a token in the shape of a JWT the header is none."""
        self._texts = [(name, form) for name, text in texts.items() for form in {text, text.replace(" ", "+")}]
        long = [
            *tokens,
            *(form(text) for name, text in texts.items() if "credentials" in name for form in _PLAIN_BASE64),
        ]
        self._pieces, self._halves = (
            {
                secret[start : start + size]
                for secret in (_without_header(token) for token in long)
                for start in range(len(secret) - size + 1)
            }
            for size in (PIECE, _STEP)
        )

    def found_in(self, raw: bytes) -> set[str]:
        """The names of what stands there in any form, also in what is packed into it."""
        return {name for text in texts_of(raw) for name in self._found(text)}

    def _found(self, text: str) -> Iterator[str]:
        yield from (name for name, secret in self._texts if secret in text)
        for run in _LONG.finditer(text):
            word = run[0]
            near = (at for at in range(0, len(word), _STEP) if word[at : at + _STEP] in self._halves)
            if any(
                word[at : at + PIECE] in self._pieces for half in near for at in range(max(0, half - _STEP), half + 1)
            ):
                yield "a piece of a token or of the credentials"


def marked(tokens: Iterable[str] = ()) -> Marks:
    """The marked secrets."""
    return Marks(
        {
            "email": EMAIL,
            "email in lower case": EMAIL.lower(),
            "password": PASSWORD,
            "password but for its end": PASSWORD[:-1],
            "beginning of the password": PASSWORD[:14],
            "end of the password": PASSWORD[-14:],
            "password in another case": PASSWORD.swapcase(),
            "credentials": CREDENTIALS.rstrip("="),
        },
        tokens,
    )


_PLAIN_BASE64: Final = (BASE64_FORMS["standard"], BASE64_FORMS["URL-safe"])
_STEP: Final = PIECE // 2
"""Looking in steps of half a piece for half of one misses none, and is fast."""
_LONG: Final = re.compile(rf"[\w.+/=~-]{{{PIECE},}}")
_JWT_HEADER: Final = re.compile(r"^eyJ[\w-]*\.")
_PACKED: Final = re.compile(rb"[A-Za-z0-9+/_-]{40,}={0,2}")
_COLOURS: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
_ESCAPE: Final = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\"'/\\]))")
_MOST_TURNS: Final = 3


def _without_header(token: str) -> str:
    return _JWT_HEADER.sub("", token)


def texts_of(raw: bytes, depth: int = 2) -> Iterator[str]:
    """The bytes as text, as they are and with what is escaped in them read; then whatever is packed into them."""
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    text = _COLOURS.sub("", raw.decode("utf-8", "backslashreplace"))
    for _turn in range(_MOST_TURNS):
        yield text
        plainer = _read(text)
        if plainer == text:
            break
        text = plainer
    if depth:
        for packed in _PACKED.finditer(raw):
            with suppress(binascii.Error):
                encoded = packed[0].rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
                inner = base64.b64decode(encoded + b"=" * (-len(encoded) % 4))
                if inner.isascii() or len(inner) > PIECE:
                    yield from texts_of(inner, depth - 1)


def _read(text: str) -> str:
    """The text without one layer of each kind of escapes."""
    text = _ESCAPE.sub(lambda escape: escape[3] or chr(int(escape[1] or escape[2], 16)), text)
    text = html.unescape(unquote(text))
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return text
