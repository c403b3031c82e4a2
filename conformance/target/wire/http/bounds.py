"""How long and how large an answer may be, and what of it has come."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Final

import httpcore

from conformance.target.wire.http.failures import TooLarge

LARGEST_ANSWER: Final = 2 * 1024 * 1024
"""Bytes of a body, with and without its content coding."""

LARGEST_FRAME: Final = 256 * 1024
"""Bytes of all that is no body: status lines, headers, the sizes of chunks."""

TOO_LARGE: Final = f"an answer of more than {LARGEST_ANSWER // 1024**2} MiB"

FINAL: Final = 200
"""Statuses below it announce the answer."""

_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] (\d{3})(?!\d)")
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[^\n]*\n")


@dataclass(slots=True)
class Bound:
    """How long and how large one answer may still be, and what of it has come."""

    seconds: float
    ends_at: float = field(init=False)
    head: bytearray = field(default_factory=bytearray)
    """Its first bytes, those of its first line and of its headers among them."""
    count: int = 0
    has_begun: bool = False
    """Whether its headers are whole."""

    def __post_init__(self) -> None:
        self.ends_at = time.monotonic() + self.seconds

    def left(self, timeout: float | None) -> float:
        """The seconds that what is done next may take. Raises httpcore.ReadTimeout where none are left."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout(self.too_slow)
        return left if timeout is None else min(left, timeout)

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self.ends_at

    @property
    def too_slow(self) -> str:
        return f"no whole answer within {self.seconds:g} s"

    def received(self, raw: bytes) -> None:
        """Take note of what came. Raises TooLarge where that is too much."""
        self.count += len(raw)
        if len(self.head) < LARGEST_FRAME:
            self.head += raw[: LARGEST_FRAME - len(self.head)]
        if self.count > LARGEST_FRAME and not self.has_begun:
            raise TooLarge(f"an answer with more than {LARGEST_FRAME // 1024} KiB before its body")
        if self.count > LARGEST_ANSWER + LARGEST_FRAME:
            raise TooLarge(TOO_LARGE)

    def behind(self, body_length: int, *, chunked: bool) -> int | None:
        """How many bytes came behind the answer; None where that can't be told."""
        begin = self._answer_begins
        blank = _BLANK_LINE.search(self.head, begin) if begin is not None else None
        if blank is None:
            return None
        if not chunked:
            return self.count - blank.end() - body_length
        end = _end_of_chunks(self.head, blank.end()) if self.count == len(self.head) else None
        return None if end is None else self.count - end

    @property
    def status(self) -> int | None:
        """What the first line says, that of the answer itself: those before it are passed over."""
        begin = self._answer_begins
        line = _STATUS_LINE.match(self.head, begin) if begin is not None else None
        return int(line[1]) if line else None

    @property
    def _answer_begins(self) -> int | None:
        """Where its first line begins."""
        at = 0
        while line := _STATUS_LINE.match(self.head, at):
            if int(line[1]) >= FINAL:
                return at
            blank = _BLANK_LINE.search(self.head, at)
            if blank is None:
                return None
            at = blank.end()
        return None


def _end_of_chunks(raw: bytearray, at: int) -> int | None:
    """Where a chunked body that begins there ends; None where it does not."""
    while line := _CHUNK_SIZE.match(raw, at):
        size = int(line[1], 16)
        if not size:
            blank = _BLANK_LINE.search(raw, line.end() - 1)  # behind the trailers, if there are any
            return blank.end() if blank else None
        at = line.end() + size + len(b"\r\n")
    return None
