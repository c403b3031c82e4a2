"""Secrets in disguise: in hexadecimal, inside of base64, wholly escaped, reversed, in other letters' case, with blanks, dashes or
line breaks between their characters.

All is looked for in one view of a text, its ASCII letters and digits in lower case, which costs some microseconds a KB. Only
where something is found there, which is rare, is it looked up where that stands in the text.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from typing import Final

from conformance.target.wire.strides import Strides

SHORTEST: Final = 6
"""A form with fewer letters and digits than this is not looked for: innocent text would have it."""

WINDOW, _STRIDE, _STEP = 12, 4, 5
"""Of a long token every piece is a secret. Windows of its forms are kept at every 4th place and those of a text looked up at
every 5th: where 12 + 4 * 5 characters, one after the other, are the token's, one of them meets."""

_LOOK: Final = Strides(WINDOW, _STEP)

LONG: Final = WINDOW + _STRIDE * _STEP

_WHOLE: Final = WINDOW + _STEP - 1
"""Of a shorter secret of so many characters windows are kept at every place: where the whole of it stands, one meets."""

SHORTEST_PIECE: Final = 16
"""So many characters of a token, one after the other, stand in no innocent text."""

_VIEW: Final = bytes.maketrans(ascii_uppercase.encode(), ascii_lowercase.encode())
_OTHERS: Final = bytes({*range(128)} - {*(ascii_letters + digits).encode()})

_ENCODED: Final = (
    ("%", re.compile(r"%(?:25)*(?:3\d|[4-7][0-9A-Fa-f])")),
    ("&", re.compile(r"&(?:amp;)*#")),
    ("\\u00", re.compile(r"\\u00[3-7]")),
    ("\\x", re.compile(r"\\x[3-7]")),
)
"""A letter or digit, escaped: nothing escapes those without need. Each is looked for where its sign is, and begins with a
literal, to which a search skips."""

_UNSEEN: Final = re.compile(r"(?<!\\)\\+[nrt]|0[xX](?=[0-9A-Fa-f]{2})")
"""Letters that are none: line breaks as JSON escapes them, the marks of hexadecimal numbers."""

_OF_UNSEEN: Final = ("\\n", "\\r", "\\t", "0x", "0X")
"""Without one of these there is none: most texts have backslashes before quotes, and no other sign of an escape."""

_SIGN: Final = re.compile(
    r"%(?:25)*([0-9A-Fa-f]{2})|(?<!\\)\\+(?:u00|x)([0-9A-Fa-f]{2})|&(?:amp;)*#[xX]0*([0-9A-Fa-f]{1,2});"
    r"|&(?:amp;)*#0*(\d{1,3});|((?<!\\)\\+[nrt]|0[xX](?=[0-9A-Fa-f]{2}))|([0-9A-Za-z])"
)

_BETWEEN: Final = re.compile(
    r"(?:[\s\-_.:,;|/+*~#=@]|[^\x00-\x7f]|\\{1,9}(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrt])?|0[xX]"
    r"|%(?:25){0,4}[0-9A-Fa-f]{2}|&(?:#?\w{1,8});|<br ?/?>){0,6}"
)
"""What may stand between two characters of a secret; no quotes, which would end a text."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How a secret may look in a view."""

    needle: bytes
    blot: str
    own: frozenset[str]
    """The characters of the secret that no view shows."""


class Disguises:
    """Finds what it has learnt in any disguise."""

    def __init__(self) -> None:
        self._short: dict[bytes, _Form] = {}
        """By needle: those that are looked for one by one."""
        self._middling: dict[bytes, _Form] = {}
        self._long: list[_Form] = []
        """Of which every long piece counts."""
        self._windows: set[bytes] = set()
        self._own_words = b""

    def leave(self, own_words: str) -> None:
        """What nothing is made of, though a secret may look like that in a view."""
        self._own_words += _fold(own_words)

    def learn(self, secret: str, blot: str, *, in_pieces: bool) -> None:
        """From now on the secret reads `blot`; with `in_pieces` each long piece of it does."""
        own = frozenset(sign for sign in secret if not (sign.isascii() and sign.isalnum()))
        for needle in dict.fromkeys(_forms(secret)):
            if needle in self._own_words or needle in _fold(blot):
                continue
            form = _Form(needle, blot, own)
            if in_pieces and len(needle) >= LONG:
                self._long.append(form)
                self._windows.update(_windows(needle, _STRIDE))
            elif len(needle) >= _WHOLE:
                self._middling.setdefault(needle, form)
                self._windows.update(_windows(needle, 1))
            elif len(needle) >= SHORTEST:
                self._short.setdefault(needle, form)

    def blotted(self, text: str) -> str:
        """The text without what was learnt."""
        view = _view(text)
        found = [form for needle, form in self._short.items() if needle in view]
        met = bool(self._windows) and _LOOK.meets(view, self._windows)
        if not found and not met:
            return text
        if met:
            found += [form for needle, form in self._middling.items() if needle in view]
        view, spans = _placed(text)
        places = [place for form in found for place in _whole(form, view, spans, text)]
        if met:
            places += [place for form in self._long for place in _pieces(form, view, spans)]
        return _without(text, places)


def _forms(secret: str) -> Iterator[bytes]:
    raw = secret.encode("utf-8", "surrogatepass")
    plain = _fold(secret)
    yield from (plain, plain[::-1], raw.hex().encode())
    if len(raw) >= SHORTEST:
        for before in range(3):  # how it lies in the groups of three bytes
            encoded = base64.b64encode(bytes(before) + raw)
            # What is its own alone: the first and the last character may hold bits of what is beside it.
            yield _fold(encoded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6].decode())


def _fold(text: str) -> bytes:
    return text.encode("ascii", "ignore").translate(_VIEW, _OTHERS)


def _view(text: str) -> bytes:
    """The letters and digits of a text, also those that are escaped."""
    if any(sign in text and pattern.search(text) for sign, pattern in _ENCODED):
        return _placed(text)[0]
    return _fold(_UNSEEN.sub("", text) if any(sign in text for sign in _OF_UNSEEN) else text)


def _placed(text: str) -> tuple[bytes, list[tuple[int, int]]]:
    """The same, and where each of them begins and ends in the text."""
    view, spans = bytearray(), []
    for found in _SIGN.finditer(text):
        percent, escaped, hexadecimal, decimal, unseen, plain = found.groups()
        if unseen:
            continue
        digits_ = percent or escaped or hexadecimal
        code = int(digits_, 16) if digits_ else int(decimal) if decimal else ord(plain)
        letter = _fold(chr(code))
        if letter:
            view += letter
            spans.append(found.span())
    return bytes(view), spans


def _windows(view: bytes, step: int) -> Iterator[bytes]:
    return (view[at : at + WINDOW] for at in range(0, len(view) - WINDOW + 1, step))


def _whole(form: _Form, view: bytes, spans: list[tuple[int, int]], text: str) -> Iterator[tuple[int, int, str]]:
    """Where the whole of a secret stands, with nothing else between its characters."""
    size, at = len(form.needle), view.find(form.needle)
    while at >= 0:
        gaps = (text[spans[one][1] : spans[one + 1][0]] for one in range(at, at + size - 1))
        if all(not gap or _BETWEEN.fullmatch(gap) or form.own.issuperset(gap) for gap in gaps):
            yield spans[at][0], spans[at + size - 1][1], form.blot
        at = view.find(form.needle, at + 1)


def _pieces(form: _Form, view: bytes, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int, str]]:
    """Where a long piece of a token stands: windows of it, one after the other."""
    known, runs = {*_windows(form.needle, 1)}, [[0, 0]]
    for at, window in enumerate(_windows(view, 1)):
        if window in known:
            if at > runs[-1][1]:
                runs.append([at, at])
            runs[-1][1] = at + WINDOW
    for begin, end in runs:
        if end - begin >= SHORTEST_PIECE:
            yield spans[begin][0], spans[end - 1][1], form.blot


def _without(text: str, places: list[tuple[int, int, str]]) -> str:
    """The text with these places blotted out; of several that overlap the first says what it was."""
    shown, done = [], 0
    for begin, end, blot in sorted(places):
        if begin >= done:
            shown += [text[done:begin], blot]
        done = max(done, end)
    return "".join([*shown, text[done:]])
