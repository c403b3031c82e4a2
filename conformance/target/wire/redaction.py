"""Secrets are known by value, so that they can be blotted out wherever they stand."""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.entities import codepoint2name
from typing import Final
from weakref import WeakSet

from conformance.target.wire.encoded_secrets import SHORTEST_PIECE, Disguises
from conformance.target.wire.token_pieces import Pieces

SHORTEST_SECRET = 4
"""A value shorter than this is not blotted out: it would take half of every text with it."""

PIECE = SHORTEST_PIECE

COOKIES = frozenset({"cookie", "set-cookie"})

_SAME_EVERYWHERE = re.compile(r"[A-Za-z0-9._~-]*")
"""Characters that neither URLs nor JSON nor HTML escape."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+=*")
_URL_SAFE = str.maketrans("+/", "-_")

MOST_WORDS = 5_000
"""So many words of headers are kept as they are shown."""

_ALL: WeakSet[Redactor] = WeakSet()


def redacted_by_all(text: str) -> str:
    """The text with every secret blotted out that anything in this process knows: for errors that nobody foresaw."""
    for redactor in tuple(_ALL):
        text = redactor.text(text)
    return text


class Redactor:
    """Collects secrets as they become known and replaces each by its name in any text."""

    def __init__(self) -> None:
        _ALL.add(self)
        self._names: dict[str, str] = {}
        self._ordered: list[tuple[str, _Form | None, str]] = []
        self._pieces = Pieces()
        self._others: list[tuple[str, _Form | None, str]] = []
        """Those of them that may be there where no piece of a token is."""
        self._disguises = Disguises()
        self._own_words = ""
        self._common: dict[str, str] = {}
        self._places: re.Pattern[str] | None = None
        """Where those belong that are common words; None until they are looked for."""
        self._words: dict[str, str] = {}
        """Words of headers as they were shown since the last secret was learnt: most are the same in every request."""

    def learn(self, secret: str, name: str) -> None:
        """From now on this value reads `<redacted:name>`, also where it is escaped as in URLs, JSON, HTML or Python."""
        self._learn(secret, name, in_pieces=False)

    def _learn(self, secret: str, name: str, *, in_pieces: bool) -> None:
        if not secret or secret in self._names:
            return
        self._words.clear()
        blot, forms = f"<redacted:{name}>", _every_form(secret)
        has_pieces = in_pieces and self._pieces.learn(secret, blot) and (forms is None or forms.has_piece)
        if len(secret) < SHORTEST_SECRET or secret.lower() in self._own_words:
            self._common.setdefault(secret, name)
            self._places = None
            return
        self._names[secret] = name
        self._disguises.learn(secret, blot, in_pieces=in_pieces)
        # The longest first: a token that holds another secret goes as a whole.
        for known in (self._ordered,) if has_pieces else (self._ordered, self._others):
            insort(known, (secret, forms, blot), key=lambda one: -len(one[0]))

    def learn_token(self, token: str, name: str) -> None:
        """The same for a token, of which no long piece is shown either: servers cut what they tell."""
        self._learn(token, name, in_pieces=True)

    def learn_base64(self, encoded: str, name: str) -> None:
        """The same for what is in base64: in both alphabets, with and without padding."""
        if not _BASE64.fullmatch(encoded):
            self.learn(encoded, name)
            return
        for form in (encoded, encoded.translate(_URL_SAFE)):
            self.learn_token(form, name)
            self.learn_token(form.rstrip("="), name)

    def leave(self, own_words: str) -> None:
        """What the suite and the target file say themselves: a secret that is part of it is blotted out only where one belongs,
        else no URL, key or verdict could be read. To be called before secrets are learnt."""
        self._own_words += own_words.lower() + "\n"
        self._disguises.leave(own_words)

    @property
    def too_common(self) -> list[str]:
        """The names of secrets that are blotted out only where they belong."""
        return sorted({*self._common.values()})

    @property
    def known(self) -> list[tuple[str, str, bool]]:
        """Every secret, its name, and whether it is a token: what another process of the run takes by `learn_all`."""
        return [(secret, name, secret[:PIECE] in self._pieces) for secret, name in self._names.items()]

    def learn_all(self, known: Iterable[tuple[str, str, bool]]) -> None:
        """Take what another process of the run knows."""
        for secret, name, is_token in known:
            (self.learn_token if is_token else self.learn)(secret, name)

    def text(self, text: str) -> str:
        """The text with every known secret blotted out."""
        has_pieces = self._pieces.are_in(text)
        for secret, forms, blot in self._ordered if has_pieces else self._others:
            text = text.replace(secret, blot) if forms is None else forms.blotted(text, blot)
        if has_pieces:
            text = self._pieces.blotted(text)
        if self._common:
            text = self._without_common(text)
        return self._disguises.blotted(text)

    def _without_common(self, text: str) -> str:
        if self._places is None:
            # The longest first: of one that begins with another nothing is left.
            self._common = dict(sorted(self._common.items(), key=lambda one: -len(one[0])))
            self._places = _where_they_belong(self._common)
        names = list(self._common.values())
        shown, done = [], 0
        for found in _matches(self._places, text):
            shown += [text[done : found.start()], f"{found[1]}<redacted:{names[(found.lastindex or 2) - 2]}>"]
            done = found.end()
        return "".join([*shown, text[done:]]) if shown else text

    def raw(self, raw: bytes) -> bytes:
        """The bytes with every known secret blotted out, and otherwise as they are."""
        return self.text(raw.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def header(self, name: str, value: str) -> str:
        """A header's value; that of a cookie is a secret as a whole."""
        if name.lower() in COOKIES:
            return f"<redacted:{name}>"
        return self.word(value)

    def word(self, text: str) -> str:
        """The same as `text`, for what comes again and again: names and values of headers."""
        shown = self._words.get(text)
        if shown is None:
            if len(self._words) >= MOST_WORDS:
                self._words.clear()
            shown = self._words[text] = self.text(text)
        return shown

    def bytes_as_text(self, raw: bytes) -> str:
        """The bytes as text (UTF-8, what is not is escaped) with every known secret blotted out."""
        return self.text(raw.decode("utf-8", "backslashreplace"))


_BEGINNINGS: Final = ("pass", "credential", "pwd", "senha", "secret", "token", "bearer", "@")
"""What is before a secret begins with one of these, in letters of either case."""

_ALSO: Final = "\u017f\u212a\u0130\u0131"
"""What Python takes for another case of an ASCII letter, besides its own; one of them is two letters in lower case."""

_NAMES: Final = r"(?i:pass\w{0,8}|credentials?|pwd|senha|secret|token|bearer)|@[\w.-]{1,253}"


def _where_they_belong(secrets: Iterable[str]) -> re.Pattern[str]:
    """What finds secrets that are common words where a secret stands: after the name of one, or after the email. The first group
    is what comes before, each other one is a secret."""
    before = rf"(?:{_NAMES})[\"'\\]{{0,8}}(?:\s?[:=]\s?|\s)[\"'\\]{{0,8}}"
    return re.compile(rf"({before})(?:{'|'.join(f'((?i:{re.escape(secret)}))' for secret in secrets)})(?!\w)")


def _matches(places: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """What `finditer` finds, in a fraction of the time: a match is tried only where a name begins."""
    if any(letter in text for letter in _ALSO):
        yield from places.finditer(text)
        return
    lower, done = text.lower(), 0
    for at in sorted(at for beginning in _BEGINNINGS for at in _places_of(beginning, lower)):
        if at >= done and (found := places.match(text, at)):
            yield found
            done = found.end()


def _places_of(part: str, text: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


@dataclass(frozen=True, slots=True)
class _Form:
    """What finds a secret, however its characters are escaped. Nothing escapes letters and digits: where they are not all
    there, nothing is searched for, which would take a hundred times as long."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]

    @property
    def has_piece(self) -> bool:
        """Whether a piece of it stands in every form, since nothing escapes any of it."""
        return bool(self.words) and len(self.words[0]) >= PIECE

    def blotted(self, text: str, blot: str) -> str:
        """The text with every form of the secret blotted out."""
        return self.pattern.sub(blot, text) if all(word in text for word in self.words) else text


def _every_form(secret: str) -> _Form | None:
    """What finds the secret in every form; None where there is only one."""
    if _SAME_EVERYWHERE.fullmatch(secret):
        return None
    words = sorted({*_WORD.findall(secret)}, key=lambda word: (-len(word), word))
    return _Form(tuple(words), re.compile("".join(_forms_of(character) for character in secret)))


_WORD = re.compile(r"[A-Za-z0-9]{3,}")
_SHORT_ESCAPES = {
    "\n": "n",
    "\r": "r",
    "\t": "t",
    "\b": "b",
    "\f": "f",
    "\v": "v",
    '"': '"',
    "'": "'",
    "/": "/",
    "\\": "\\",
}

# Each form begins with a literal, so that a search skips to where one may be. What is escaped twice has several backslashes,
# `%25`, or `&amp;`.
_BACKSLASHES, _PERCENT, _AMPERSAND = r"\\{1,16}", "%(?:25)*", "&(?:amp;)*"


def _forms_of(character: str, *, misread: bool = True) -> str:
    """What finds the character in every form, `misread` too: its UTF-8 as Latin-1, each part of it in every form."""
    if character.isascii() and character.isalnum():
        return character
    code = ord(character)
    encoded = character.encode("utf-8", "surrogatepass")
    forms = {re.escape(character), "".join(_PERCENT + _hex(byte, 2) for byte in encoded)}
    units = character.encode("utf-16-be", "surrogatepass")
    forms.add(
        "".join(f"{_BACKSLASHES}u{_hex(int.from_bytes(units[at : at + 2]), 4)}" for at in range(0, len(units), 2))
    )
    forms.add(f"{_BACKSLASHES}U{_hex(code, 8)}")
    forms.add("".join(f"{_BACKSLASHES}x{_hex(byte, 2)}" for byte in encoded))
    forms |= {f"{_AMPERSAND}#0*{code};", f"{_AMPERSAND}#[xX]0*{_hex(code, 1)};"}
    if character in _SHORT_ESCAPES:
        forms.add(_BACKSLASHES + re.escape(_SHORT_ESCAPES[character]))
    if character == "\\":
        forms.add(_BACKSLASHES)
    if code in codepoint2name or character == "'":
        forms.add(f"{_AMPERSAND}{codepoint2name.get(code, 'apos')};")
    if character == " ":
        forms |= {r"\+", f"{_AMPERSAND}nbsp;"}
    if 0x80 <= code < 0x100:  # noqa: PLR2004 - where Latin-1 and UTF-8 differ
        forms |= {f"{_BACKSLASHES}x{_hex(code, 2)}", chr(0xDC00 + code)}  # as bytes that are no UTF-8 are read
    if len(encoded) > 1 and misread:
        forms.add("".join(_forms_of(chr(byte), misread=False) for byte in encoded))
    return f"(?:{'|'.join(sorted(forms, key=lambda form: (-len(form), form)))})"


def _hex(number: int, digits: int) -> str:
    """A number in hexadecimal, in letters of either case."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{number:0{digits}x}")
