"""Pieces of tokens: servers cut what they tell, so that of a token no long piece is shown either."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

from conformance.target.wire.encoded_secrets import SHORTEST_PIECE
from conformance.target.wire.strides import Strides

_MADE_OF: Final = re.compile(r"[\w.+/=~-]+", re.ASCII)
_LONG: Final = re.compile(rf"[\w.+/=~-]{{{SHORTEST_PIECE},}}", re.ASCII)
"""What tokens and base64 are made of, and where a piece of one may stand."""

_PART, _STEP = 8, SHORTEST_PIECE - 8 + 1
"""A text is looked at at every 9th place only: of a piece of 16 characters one such part of 8 is whole."""

_LOOK: Final = Strides(_PART, _STEP)


class Pieces:
    """Finds the pieces of what it has learnt. Of each token there is room for itself and its parts: of all its pieces, of which
    a deep run's tokens have hundreds of thousands, there would be none."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._tokens = ""
        """One after the other, between what is in none."""
        self._begins: list[int] = []
        self._blots: list[str] = []
        self._parts: set[bytes] = set()

    def learn(self, token: str, blot: str) -> bool:
        """From now on each long piece of the token reads `blot`; whether it has any."""
        if not _MADE_OF.fullmatch(token) or len(token) < SHORTEST_PIECE:
            return False
        if token in self._known:
            return True
        self._known.add(token)
        self._begins.append(len(self._tokens))
        self._blots.append(blot)
        self._tokens += f"{token}\n"
        raw = token.encode("ascii")
        self._parts.update(raw[start : start + _PART] for start in range(len(raw) - _PART + 1))
        return True

    def __contains__(self, piece: str) -> bool:
        return len(piece) == SHORTEST_PIECE and self._blot_of(piece) is not None

    def are_in(self, text: str) -> bool:
        """Whether there is one: by far the most texts hold none, and a run learns hundreds of tokens."""
        raw = _one_byte_each(text)
        if not _LOOK.meets(raw, self._parts):
            return False
        # A part is short enough to stand in innocent text: a token that was made up is like a code or a date.
        around = (at for at in range(0, len(raw) - _PART + 1, _STEP) if raw[at : at + _PART] in self._parts)
        return any(
            self._blot_of(text[start : start + SHORTEST_PIECE]) is not None
            for at in around
            for start in range(max(0, at - _STEP + 1), min(at, len(text) - SHORTEST_PIECE) + 1)
        )

    def blotted(self, text: str) -> str:
        """The text without them."""
        return _LONG.sub(self._without, text)

    def _blot_of(self, piece: str) -> str | None:
        """How a piece reads, by the first token that has it; None where none has."""
        at = self._found(piece)
        return self._blot_at(at) if at >= 0 else None

    def _found(self, piece: str, likely: int = -1) -> int:
        """Where a piece begins in the tokens: where it is `likely` to, if it does; -1 where there is none."""
        raw = _one_byte_each(piece)
        if not all(raw[at : at + _PART] in self._parts for at in range(_STEP)):
            return -1  # to look through all tokens takes a thousand times as long
        return likely if likely >= 0 and self._tokens.startswith(piece, likely) else self._tokens.find(piece)

    def _blot_at(self, at: int) -> str:
        return self._blots[bisect_right(self._begins, at) - 1]

    def _without(self, run: re.Match[str]) -> str:
        text, kept, end, at = run[0], "", 0, -1
        for start in range(len(text) - SHORTEST_PIECE + 1):
            at = self._found(text[start : start + SHORTEST_PIECE], at + 1 if at >= 0 else -1)  # a long piece goes on
            if at >= 0:
                if start >= end:  # a new one; else one that goes on
                    kept += text[end:start] + self._blot_at(at)
                end = start + SHORTEST_PIECE
        return kept + text[end:]


def _one_byte_each(text: str) -> bytes:
    """Its characters at the same places; what is in no token is a question mark."""
    return text.encode("ascii", "replace")
