"""How a client calls, whatever it is about: tokens, headers, URLs, rates, what follows a 429 and a 423.

It needs the calls of all accounts in one sequence, and of most of them neither body nor answer.
"""

from __future__ import annotations

from datetime import datetime
from heapq import heappop, heappush

from conformance.audit.call import Call
from conformance.audit.findings import Findings
from conformance.audit.habit_rules import OF_TOKENS, Tokens, Urls, judge_integrator
from conformance.audit.pace_rules import AtOnce, BackOff, Rates, Stop
from conformance.audit.request_rules import judge_path
from conformance.audit.tokens_given import TokensGiven


class Clients:
    """Judges how calls are made, one after the other."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._given = TokensGiven()
        self._waiting: list[tuple[datetime, int, Call]] = []
        self._tokens, self._urls = Tokens(findings, self._given), Urls(findings)
        self._rates, self._back_off, self._stop = Rates(findings), BackOff(findings), Stop(findings)
        self._at_once = AtOnce(findings)

    def catch_up(self, until: datetime) -> None:
        """Take note of what had been answered by then."""
        while self._waiting and self._waiting[0][0] <= until:
            self._given.take(heappop(self._waiting)[2])

    def miss(self) -> None:
        """An entry can't be read: it may have been a call for a token, or one that was taken after a 429."""
        self._tokens.miss()
        self._back_off = BackOff(self._findings)

    def take(self, call: Call) -> None:
        """Judge a call."""
        self._rates.take(call)
        self._back_off.take(call)
        self._stop.take(call)
        judge_path(call, self._findings)
        self._urls.take(call)
        self._tokens.take(call)
        judge_integrator(call, self._findings)
        if call.endpoint in OF_TOKENS:
            self._at_once.take(call)
            if call.started is None or call.ended is None or call.ended <= call.started:
                self._given.take(call)
            else:
                heappush(self._waiting, (call.ended, call.number, call))
