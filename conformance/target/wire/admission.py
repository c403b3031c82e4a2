"""Whether a token is taken that was just given: one machine of several may not know it yet, or none for a while.

A call that is refused for such a token is refused for what it asks only if others are let in with the same token; else the
refusal says nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.target.waiting import Waiting
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.tokens import says_no_token

NEW_TOKENS: Final = 2
"""So many new tokens are asked for in place of one that is refused: some of a target's may be dead from the start."""

PAUSES: Final = (0.5, 2.0, 8.0)
"""Seconds after which a call is sent again whose fresh token was refused, one after the other."""

COMPARED: Final = 3
"""So often in a row the call is refused and another is let in, before the refusal counts as one of the call: where every other
machine knows the token, either happens by chance."""


class Admission:
    """Remembers which endpoints refuse a token that others take."""

    def __init__(self, waiting: Waiting, pauses: tuple[float, ...] = PAUSES) -> None:
        """`pauses` in seconds: none where no time passes, as in process."""
        self._waiting = waiting
        self._pauses = pauses
        self._refusing: set[Endpoint] = set()

    def is_refusing(self, endpoint: Endpoint) -> bool:
        """Whether this endpoint was seen to refuse a token that others take: that it does so again is its own answer."""
        return endpoint in self._refusing

    def insist(
        self, endpoint: Endpoint, refused: Exchange, again: Callable[[], Exchange], other: Callable[[], Exchange]
    ) -> Exchange | None:
        """What a call is answered whose fresh token was `refused`: sent `again` until it is let in, or refused by itself; None
        where an `other` call with that token is refused for it too. Raises what these raise."""
        at_most = self._waiting.at_most
        for pause in self._pauses:
            self._waiting.wait("a token that is not known yet", pause if at_most is None else min(pause, at_most))
            answer = again()
            if not says_no_token(answer):
                return answer
        for _ in range(COMPARED - 1):
            if says_no_token(other()):
                return None
            answer = again()
            if not says_no_token(answer):
                return answer
        if says_no_token(other()):
            return None
        self._refusing.add(endpoint)
        return refused
