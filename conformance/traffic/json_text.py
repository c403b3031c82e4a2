"""A JSON text read piece by piece: the members of an object, the items of a list, each value only when its turn comes.

The standard library's own scanner reads the values, from a window that moves over the text; it keeps what other readers lose,
halves of surrogates and raw control characters, which recorders write.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import BinaryIO, Final

from conformance.contract.jsontext import JSONValue

CHUNK_BYTES: Final = 1 << 18
_AT_THE_END: Final = 16
"""What is wrong so near to the end of what has been read may only lack its rest: a word, a number, an escape."""

_LONGEST_INDENT: Final = 256

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_OBJECT: Final = re.compile(r"\{\s*\"")


class Broken(ValueError):
    """The text is not JSON from here on. `position` is in characters from the beginning of the text."""

    def __init__(self, what: str, position: int) -> None:
        super().__init__(what)
        self.position = position


class Ended(Broken):
    """The text ends where more of it must come."""


def _number(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent that no Decimal holds
        return text


EXACT: Final = json.JSONDecoder(parse_float=_number, strict=False)
"""Fractions are Decimal."""


class JSONText:
    """A text that is being read. Bytes that are no UTF-8 become what `surrogateescape` makes of them."""

    def __init__(self, stream: BinaryIO, charset: str = "utf-8", decoder: json.JSONDecoder = EXACT) -> None:
        """Begin to read, values by that decoder. What reading the stream raises passes through."""
        self._scanner = decoder
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(charset)("surrogateescape")
        self._window, self._at, self._before = "", 0, 0
        self._complete = False

    @property
    def position(self) -> int:
        """Where it is, in characters from the beginning."""
        return self._before + self._at

    def peek(self) -> str:
        """The next character that is no white space, "" at the end. It stays the next one."""
        while True:
            if found := _SPACE.match(self._window, self._at):
                self._at = found.end()
            if self._at < len(self._window) or not self._more():
                return self._window[self._at : self._at + 1]

    def take(self, wanted: str) -> None:
        """Go past this character. Raises Broken where another one comes, Ended at the end."""
        found = self.peek()
        if found != wanted:
            raise self._wrong(f"{wanted!r} is missing", ended=not found)
        self._at += 1

    def value(self) -> JSONValue:
        """The next value, whole. Raises Broken, after which it stands where the value began."""
        if not self.peek():
            raise self._wrong("a value is missing", ended=True)
        while True:
            wrong = self._scanned()
            if not isinstance(wrong, _Wrong):
                return wrong
            if not (wrong.may_lack_its_rest and self._more()):
                raise self._wrong(wrong.what, ended=wrong.may_lack_its_rest)

    def members(self) -> Iterator[str]:
        """The names of an object's members. Whoever asks takes the value of each before the next one. Raises Broken."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            name = self.value()
            if not isinstance(name, str):
                raise self._wrong("a name is no text")
            self.take(":")
            yield name
            if self.peek() != ",":
                break
            self.take(",")
        self.take("}")

    def items(self) -> Iterator[int]:
        """The places of a list's items, from 0. Whoever asks takes the value of each before the next one. Raises Broken."""
        self.take("[")
        place = 0
        while self.peek() != "]":
            yield place
            place += 1
            if self.peek() != ",":
                break
            self.take(",")
        self.take("]")

    def to_next_object(self, wanted: Callable[[JSONValue], bool]) -> bool:
        """Go on to where, after what is broken, another such object begins; False where none does."""
        while self._to_next_brace():
            begin = self.position
            try:
                found = self.value()
            except Broken:
                self._at += 1
                continue
            if wanted(found):
                self._at = begin - self._before
                return True
        return False

    def _to_next_brace(self) -> bool:
        while True:
            if found := _OBJECT.search(self._window, self._at):
                self._at = found.start()
                return True
            self._at = max(self._at, len(self._window) - _LONGEST_INDENT)
            if not self._more():
                return False

    def _scanned(self) -> JSONValue | _Wrong:
        try:
            value, end = self._scanner.raw_decode(self._window, self._at)
        except RecursionError:
            return _Wrong("it is nested too deeply", may_lack_its_rest=False)
        except json.JSONDecodeError as error:
            near = error.pos >= len(self._window) - _AT_THE_END or error.msg.startswith("Unterminated")
            return _Wrong(error.msg, may_lack_its_rest=near)
        except ValueError:  # thousands of digits
            return _Wrong("a number is too long", may_lack_its_rest=False)
        if end == len(self._window) and not self._complete:  # a number may go on
            return _Wrong("", may_lack_its_rest=True)
        self._at = end
        return value

    def _more(self) -> bool:
        """Read on, as much again as there is; False where there is nothing more."""
        if self._complete:
            return False
        rest = self._window[self._at :]
        read = self._stream.read(max(CHUNK_BYTES, len(rest)))
        self._before += self._at
        self._window, self._at = rest + self._decoder.decode(read, final=not read), 0
        self._complete = not read
        return True

    def _wrong(self, what: str, *, ended: bool = False) -> Broken:
        return Ended("it ends in the middle", self.position) if ended else Broken(what, self.position)


class _Wrong:
    def __init__(self, what: str, *, may_lack_its_rest: bool) -> None:
        self.what, self.may_lack_its_rest = what, may_lack_its_rest
