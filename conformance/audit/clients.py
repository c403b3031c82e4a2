"""How a client calls, whatever it is about: tokens, headers, URLs, rates, what follows a 429 and a 423.

It needs the calls of all accounts in one sequence, and of most of them neither body nor answer.
"""

from __future__ import annotations

from datetime import datetime
from heapq import heappop, heappush

from conformance.audit.call import OF_TOKENS, Call
from conformance.audit.findings import Findings
from conformance.audit.habit_rules import Urls
from conformance.audit.header_rules import Headers
from conformance.audit.masks import is_masked
from conformance.audit.odd_tokens import OddTokens
from conformance.audit.pace_rules import AtOnce, Rates
from conformance.audit.path_rules import Paths
from conformance.audit.query_rules import Queries
from conformance.audit.refusal_rules import BackOff, Stop
from conformance.audit.token_rules import Tokens
from conformance.audit.tokens_given import TokensGiven
from conformance.contract.endpoints import REFRESH_TOKEN_FIELD, Endpoint


class Clients:
    """Judges how calls are made, one after the other."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._given = TokensGiven()
        self._waiting: list[tuple[datetime, int, Call]] = []
        self._tokens, self._urls, self._headers = Tokens(findings, self._given), Urls(findings), Headers(findings)
        self._rates, self._back_off, self._stop = Rates(findings), BackOff(findings), Stop(findings)
        self._at_once, self._paths = AtOnce(findings), Paths(findings)
        self._queries, self._odd = Queries(findings), OddTokens(findings, self._given)

    def catch_up(self, until: datetime) -> None:
        """Take note of what had been answered by then."""
        while self._waiting and self._waiting[0][0] <= until:
            self._given.take(heappop(self._waiting)[2])

    def miss(self) -> None:
        """An entry can't be read: it may have been a call for a token, or one that was taken after a 429."""
        self._tokens.miss()
        self._back_off.finish()

    def doubt(self, call: Call) -> None:
        """A call that the same file held before: it was recorded twice, or sent twice at once."""
        if self._renews(call):
            self._at_once.doubt(call)

    def _renews(self, call: Call) -> bool:
        """Whether it renews a token that the recording tells from others."""
        used = call.body.get(REFRESH_TOKEN_FIELD) if call.endpoint is Endpoint.REFRESH_TOKEN else None
        return isinstance(used, str) and not is_masked(used) and not self._given.is_blotted(used)

    def take(self, call: Call) -> None:
        """Judge a call."""
        self._rates.take(call)
        self._back_off.take(call)
        self._stop.take(call)
        self._paths.take(call)
        self._queries.take(call)
        self._urls.take(call)
        is_clear = not self._renews(call) or self._at_once.take(call)
        is_odd = self._odd.take(call)
        self._tokens.take(call, is_clear=is_clear, is_odd=is_odd)
        self._headers.take(call, is_odd=is_odd)
        if call.endpoint in OF_TOKENS:
            if call.started is None or call.ended is None or call.ended <= call.started:
                self._given.take(call)
            else:
                heappush(self._waiting, (call.ended, call.number, call))

    def finish(self) -> None:
        """Judge what only the end decides."""
        self._paths.finish()
        self._queries.finish()
        self._back_off.finish()
        self._stop.finish()
        self._tokens.finish()
        self._headers.finish()
        self._odd.finish()
