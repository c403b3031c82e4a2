"""Bodies for people: JSON over several lines, each of its tokens as it was sent, so that 203.630 stays 203.630."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from conformance.contract.jsontext import NotJSON, loads

MOST_DEEP: Final = 40
"""What is nested deeper is shown as it was sent: laid out it would be mostly blanks."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_CLOSING: Final = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a body, and the place of what stands in it: `extracts[0].type`."""

    text: str
    place: str = ""

    @property
    def indent(self) -> str:
        """The blanks before what stands in it."""
        return self.text[: len(self.text) - len(self.text.lstrip(" "))]

    def lies_at(self, place: str) -> bool:
        """Whether this line shows that place, or a part of it."""
        return bool(place) and (self.place == place or self.place.startswith((f"{place}.", f"{place}[")))


def lines_of(body: str) -> list[Line]:
    """A body, laid out where it is JSON; any other text as it is."""
    try:
        loads(body)
    except NotJSON:
        return [Line(text) for text in body.split("\n")]
    parts = _TOKEN.findall(body)
    layout = _Layout()
    for part, following in zip(parts, [*parts[1:], ""], strict=True):
        layout.add(part, following)
        if len(layout.holders) > MOST_DEEP:
            return [Line(text) for text in body.split("\n")]
    layout.end_line()
    return layout.lines


@dataclass(slots=True)
class _Layout:
    lines: list[Line] = field(default_factory=list)
    holders: list[str | int] = field(default_factory=list)
    """For each object that is open the key, for each array the position, at which we are."""
    text: str = ""
    place: str = ""
    is_key: bool = False

    def add(self, part: str, following: str) -> None:
        if part in _CLOSING:
            self._put(part)
            self.is_key = part == "{"
            self.holders.append("" if self.is_key else 0)
            if following != _CLOSING[part]:
                self.end_line()
        elif part in _CLOSING.values():
            self.holders.pop()
            if not self.text.endswith(("{", "[")):  # else it is empty
                self.end_line()
            self._put(part)
        elif part == ",":
            self.text += part
            self.end_line()
            last = self.holders[-1]
            if isinstance(last, int):
                self.holders[-1] = last + 1
            self.is_key = isinstance(last, str)
        elif part == ":":
            self.text += ": "
            self.is_key = False
        else:
            if self.is_key:
                self.holders[-1] = str(loads(part))
            self._put(part)

    def end_line(self) -> None:
        if self.text:
            self.lines.append(Line(self.text, self.place))
        self.text = ""

    def _put(self, part: str) -> None:
        if not self.text:
            self.text = "  " * len(self.holders)
            self.place = _words(self.holders)
        self.text += part


def _words(holders: list[str | int]) -> str:
    place = ""
    for key in holders:
        place += f"[{key}]" if isinstance(key, int) else f".{key}" if place else key
    return place
