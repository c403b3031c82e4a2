"""The rule of queries that name nothing: sent so, or left out by the recorder.

A recorder that leaves queries out does so everywhere, and no server finds an order of which nothing is told.
"""

from __future__ import annotations

from typing import Final

from conformance.audit.call import Call, Came
from conformance.audit.findings import Findings
from conformance.audit.queries import IDENTITY, is_blotted

NAMED: Final = "ORD-12"

LEFT_OUT: Final = (
    "the recorder leaves out what queries hold: an order was looked for of which less was recorded than that takes"
)
BLOTTED_OUT: Final = "the recorder has blotted out what the query names"
UNTOLD: Final = "no query was recorded, and the answer does not tell whether there was one"

MOST_HELD: Final = 1_000
"""After so many calls of a recording without a query none of which found an order, none was sent."""


class Queries:
    """Judges calls that name an order by their query, and of which the recording holds none. Of those that have one their
    account's judge tells."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._shows: set[str] = set()
        """Recordings in which calls have a query."""
        self._leaves_out: set[str] = set()
        """Those in which an order was looked for by a call that has none."""
        self._held: dict[str, list[Call]] = {}
        """By recording the calls that are wrong unless the recorder left their queries out."""

    def take(self, call: Call) -> None:
        """Judge a call."""
        file = call.origin.file
        if call.pairs:
            self._shows.add(file)
        if not call.is_query_left_out:
            return
        if is_blotted(call.query):
            self._findings.cannot_tell(NAMED, BLOTTED_OUT)
        elif call.is_looked_for:
            self._leaves_out.add(file)
            self._findings.cannot_tell(NAMED, LEFT_OUT)
        elif file in self._leaves_out:
            self._findings.cannot_tell(NAMED, LEFT_OUT)
        elif file in self._shows:
            self._breaks(call)
        elif call.came is not Came.REFUSED:
            self._findings.cannot_tell(NAMED, UNTOLD)
        else:
            held = self._held.setdefault(file, [])
            held.append(call)
            if len(held) > MOST_HELD:
                self._shows.add(file)
                self._tell(self._held.pop(file))

    def finish(self) -> None:
        """Judge those of which only the whole recording shows whether the recorder left their queries out."""
        for file, held in sorted(self._held.items()):
            if file in self._leaves_out:
                for _ in held:
                    self._findings.cannot_tell(NAMED, LEFT_OUT)
            else:
                self._tell(held)
        self._held.clear()

    def _tell(self, held: list[Call]) -> None:
        for call in held:
            self._breaks(call)

    def _breaks(self, call: Call) -> None:
        name = IDENTITY[0]
        self._findings.breaks(
            NAMED, call, f"query parameter {name} is missing or malformed", pointer=f"query {name}", value=None
        )
