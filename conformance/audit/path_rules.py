"""The rule of paths: what is called is documented.

A base URL may have a path, so that a documented path may stand below a wrong one: that shows beside the base URL of that server
under which calls are taken.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from conformance.audit.call import Call, Came
from conformance.audit.findings import Findings
from conformance.traffic.exchange import Missing

PATH: Final = "ERR-04"

NOT_FOUND: Final = 404
_UNKNOWN: Final = frozenset({NOT_FOUND, 405})
"""By these a server says that it does not know what is addressed: it may know more than documented."""

_OF_WHAT_IS_ASKED: Final = frozenset({"404-1", "404-2", "404-3"})
"""By these that there is no such account, channel or order."""

MOST_HELD: Final = 1_000
"""Of so many calls below a base URL it is remembered that they were answered 404."""


class Paths:
    """Judges what calls address."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._taken: set[str] = set()
        """Base URLs under which calls were looked at."""
        self._held: dict[str, list[Call]] = {}
        """By base URL the calls that were answered 404 for their path, as far as the answers tell."""

    def take(self, call: Call) -> None:
        """Judge a call."""
        if call.endpoint is None:
            if call.status in _UNKNOWN:
                says = f"{call.method} {call.path} is not documented, and was answered {call.status}"
                self._breaks(call, says)
            return
        if _says_no_more_than_404(call) and call.base not in self._taken:
            held = self._held.setdefault(call.base, [])
            if len(held) < MOST_HELD:
                held.append(call)
            return
        self._findings.keeps(PATH, call)
        if call.came in {Came.ACCEPTED, Came.REFUSED} and call.status != NOT_FOUND:
            self._taken.add(call.base)
            self._keep(self._held.pop(call.base, []))

    def finish(self) -> None:
        """Judge those below base URLs under which nothing was looked at."""
        servers = {_server_of(base) for base in self._taken}
        for base, held in sorted(self._held.items()):
            if base in self._taken or _server_of(base) not in servers:
                self._keep(held)
                continue
            for call in held:
                says = f"{call.method} {call.path} below {base} was answered 404, and is taken elsewhere on this server"
                self._breaks(call, says)

    def _keep(self, held: list[Call]) -> None:
        for call in held:
            self._findings.keeps(PATH, call)

    def _breaks(self, call: Call, says: str) -> None:
        addressed = (
            f"{call.method} {urlsplit(call.url).path or call.path}" if call.endpoint else f"{call.method} {call.path}"
        )
        self._findings.breaks(PATH, call, says, value=addressed, cause=addressed)


def _says_no_more_than_404(call: Call) -> bool:
    answer = call.answer
    is_known = answer is not None and not isinstance(answer.body, Missing)
    return call.status == NOT_FOUND and is_known and call.error_code not in _OF_WHAT_IS_ASKED


def _server_of(base: str) -> str:
    return urlsplit(base).netloc.lower()
