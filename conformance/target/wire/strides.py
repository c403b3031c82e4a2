"""Pieces of bytes of one length, at every so many places, looked up in a set: a secret's pieces are looked for so in all that
a run sends, receives and writes. Cut out by struct, a tenth of what slices take. Pure."""

from __future__ import annotations

from collections.abc import Set
from struct import Struct
from typing import Final

_AT_ONCE: Final = 32
"""So many pieces are cut out at a time."""


class Strides:
    """Looks at pieces of `length` bytes at the places 0, `step`, 2 `step` ..."""

    def __init__(self, length: int, step: int) -> None:
        # Pieces that lie over each other are cut out in turns, of which none overlaps another of its own.
        turns = -(-length // step)
        stride = turns * step
        self._begins = range(0, stride, step)
        self._cut = Struct(f"{length}s{stride - length}x" * _AT_ONCE)

    def meets(self, raw: bytes, known: Set[bytes]) -> bool:
        """Whether one of the pieces is among the known. These hold no zero byte: what is beyond the end is read as such."""
        return any(
            not known.isdisjoint(pieces)
            for begin in self._begins
            for pieces in self._cut.iter_unpack(self._whole(raw, begin))
        )

    def _whole(self, raw: bytes, begin: int) -> bytes:
        left = max(0, len(raw) - begin)
        return raw[begin:].ljust(-(-left // self._cut.size) * self._cut.size, b"\0")
