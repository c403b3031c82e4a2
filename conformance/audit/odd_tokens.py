"""What calls carry in place of an access token: a refresh token, a token with something about it, the beginning of one.

A server that does not know a token says NO_TOKEN, whatever it is. What was sent shows beside the tokens that were given.
"""

from __future__ import annotations

import re
from typing import Final

from conformance.audit.call import FORBIDDEN, OF_TOKENS, Call, Came
from conformance.audit.findings import Findings
from conformance.audit.header_rules import TOKEN
from conformance.audit.masks import is_masked
from conformance.audit.tokens_given import TokensGiven
from conformance.contract.endpoints import TOKEN_HEADER

_SCHEME: Final = re.compile(r"\s*(?:bearer|basic|jwt|token)[\s:=]+(?=\S)", re.IGNORECASE | re.ASCII)
"""Stands before a token in other APIs, and in none of Koncili's."""

_WITHIN: Final = re.compile(r"[\w.~+/=-]{16,}", re.ASCII)
"""What may be a token, among other signs."""

_NONE: Final = re.compile(r"(?i)\s*(?:undefined|null|none|nil|nan|true|false)\s*")
"""What languages print where there is nothing."""

SHORTEST: Final = 16
"""What is shorter is the beginning of many tokens."""
MOST_HELD: Final = 1_000


class OddTokens:
    """Judges what stands in the header where a call was refused for its token."""

    def __init__(self, findings: Findings, given: TokensGiven) -> None:
        self._findings, self._given = findings, given
        self._usual: set[str] = set()
        """Tokens that were taken."""
        self._cuts: set[str] = set()
        """Recordings in which calls with the beginning of a token were taken: the recorder has cut it."""
        self._shows: set[str] = set()
        """Recordings in which calls were taken whose token is not blotted out."""
        self._masked: dict[str, list[Call]] = {}
        """By recording the calls that carried a name in place of a token (`${token}`), unless the recorder has put it there."""
        self._beginnings: dict[str, list[Call]] = {}
        """By recording the calls that carried the beginning of a token, unless the recorder has cut it."""

    def take(self, call: Call) -> bool:
        """Judge a call; whether what it carries is something else than an access token."""
        if call.endpoint is None or call.endpoint in OF_TOKENS:
            return False
        token = call.token
        if call.came is Came.ACCEPTED or (call.came is Came.REFUSED and call.status != FORBIDDEN):
            if token is not None and not is_masked(token):
                self._shows.add(call.origin.file)
            if token is not None and token not in self._usual:
                self._usual.add(token)
                if self._is_beginning(token):
                    self._cuts.add(call.origin.file)
            return False
        if token is None or not call.is_without_token or token in self._usual:
            return False
        return self._is_odd(call, token)

    def _is_odd(self, call: Call, token: str) -> bool:
        given = self._given
        if token in given.access:
            return False
        if _NONE.fullmatch(token):
            self._breaks(call, f"{TOKEN_HEADER} holds no token", "none")
        elif is_masked(token) and not any(within in given.access for within in _WITHIN.findall(token)):
            held = self._masked.setdefault(call.origin.file, [])
            if len(held) < MOST_HELD:
                held.append(call)
            return False
        elif given.refresh.get(token):
            self._breaks(call, f"{TOKEN_HEADER} holds the refresh token", "refresh")
        elif _SCHEME.match(token) or any(within in given.access for within in _WITHIN.findall(token)):
            self._breaks(call, f"{TOKEN_HEADER} holds more than the access token", "more")
        elif self._is_beginning(token):
            held = self._beginnings.setdefault(call.origin.file, [])
            if len(held) < MOST_HELD:
                held.append(call)
        else:
            return False
        return True

    def _is_beginning(self, token: str) -> bool:
        if len(token) < SHORTEST or token in self._given.access:
            return False
        return any(one.startswith(token) for one in self._given.access)

    def finish(self) -> None:
        """Judge what only the whole recording shows."""
        for file, held in sorted(self._masked.items()):
            for call in held if file in self._shows else ():
                self._breaks(call, f"{TOKEN_HEADER} holds no token", "none")
        self._masked.clear()
        for file, held in sorted(self._beginnings.items()):
            for call in held if file not in self._cuts else ():
                self._breaks(call, f"{TOKEN_HEADER} holds the beginning of the access token only", "beginning")
        self._beginnings.clear()

    def _breaks(self, call: Call, says: str, cause: str) -> None:
        self._findings.breaks(TOKEN, call, says, pointer=f"header {TOKEN_HEADER}", cause=cause)
