"""The rules of tokens: access tokens are used while they live, refresh tokens once, credentials are right."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from conformance.audit.call import BAD_REQUEST, FORBIDDEN, UNTIMED, Call, Came
from conformance.audit.fetched_tokens import TOKENS, FetchedTokens
from conformance.audit.findings import Findings
from conformance.audit.masks import is_masked
from conformance.audit.pace_rules import OVERLAP
from conformance.audit.refusal_rules import Request, request_of
from conformance.audit.tokens_given import TokensGiven
from conformance.contract.credentials import decode_credentials
from conformance.contract.endpoints import (
    ACCESS_TOKEN_FIELD,
    CREDENTIALS_FIELD,
    REFRESH_TOKEN_FIELD,
    TOKEN_HEADER,
    Endpoint,
)

ANOTHER_WORKER: Final = "a token was sent again right after it was refused: another worker may not have known it yet"
UNDER_WAY: Final = "another renewal by the same refresh token was under way"

_MOST_ASKED: Final = 1_000
_MADE_AGAIN: Final = timedelta(minutes=1)
"""So soon what was refused for its token is made again by whoever renews it."""

_OF_CREDENTIALS: Final = frozenset({BAD_REQUEST, 401, 422})
"""By these a server refuses credentials; a 404, say, tells of the address that was called."""


class Tokens:
    """Tokens are used as long as they live. Of values that a recorder has blotted out, all alike, nothing is said."""

    def __init__(self, findings: Findings, given: TokensGiven) -> None:
        self._findings = findings
        self._given = given
        self._fetched = FetchedTokens(findings, given)
        self._right: set[str] = set()
        """Credentials that were taken."""
        self._dead: dict[str, Call] = {}
        """Tokens that were refused, and where."""
        self._busy_until: datetime | None = None
        """When the last of the calls so far was answered."""
        self._held: tuple[Call, Call, bool] | None = None
        """The last call, where it was sent shortly after its token was refused, the one that was refused, and whether its request
        is made for the first time with that token."""
        self._asked: dict[str, set[Request]] = {}
        """By dead token the requests that were made with it."""
        self._once: dict[Request, tuple[Call, Call]] = {}
        """Requests that were made so shortly after, each once so far, by which they are known when they are made again."""

    def miss(self) -> None:
        """An entry can't be read: it may have used the token, or have been told that it is dead."""
        self._fetched.miss()

    def finish(self) -> None:
        """Judge what the end of the recording decides."""
        self._judge_held(None)
        for call, dead in self._once.values():
            self._tell_again(call, dead)
        self._once.clear()
        self._fetched.finish()

    def take(self, call: Call, *, is_clear: bool, is_odd: bool = False) -> None:
        """Judge what the call does with its token, or by getting one. `is_clear`: no renewal of the same was under way; `is_odd`:
        what it carries for a token is something else."""
        self._judge_held(call)
        if call.endpoint is Endpoint.CREATE_TOKEN:
            self._login(call)
            judge_credentials(call, self._findings, self._right)
        elif call.endpoint is Endpoint.REFRESH_TOKEN:
            self._refresh(call, is_clear=is_clear)
        elif call.endpoint is not None and not is_odd:
            self._use(call)
        if call.ended is not None and (self._busy_until is None or call.ended > self._busy_until):
            self._busy_until = call.ended

    def _login(self, call: Call) -> None:
        if call.came is not Came.ACCEPTED:
            return
        if (token := _given_by(call)) is None:
            self._findings.keeps(TOKENS, call)
        else:
            self._fetched.log_in(call, token, self._dead)

    def _refresh(self, call: Call, *, is_clear: bool) -> None:
        used = call.body.get(REFRESH_TOKEN_FIELD)
        if isinstance(used, str) and call.came is Came.REFUSED and self._given.is_access_token(used):
            says = f"{REFRESH_TOKEN_FIELD} holds the access token"
            self._findings.breaks("AUTH-07", call, says, pointer=f"/{REFRESH_TOKEN_FIELD}", cause="access")
            return
        if not isinstance(used, str) or is_masked(used) or self._given.is_blotted(used):
            self._findings.cannot_tell("AUTH-07", "the refresh token was not recorded")
            return
        spent = self._given.used_up.get(used, [])
        if spent and call.came is not Came.ACCEPTED and not is_clear:
            self._findings.cannot_tell("AUTH-07", UNDER_WAY)
        elif spent and call.came is not Came.ACCEPTED:
            says = f"the refresh token was used before, at entry {spent[0].origin.entry}"
            self._findings.breaks("AUTH-07", call, says, pointer=f"/{REFRESH_TOKEN_FIELD}")
        elif call.came is Came.ACCEPTED:
            self._findings.keeps("AUTH-07", call)
            if (token := _given_by(call)) is not None:
                self._fetched.renew(call, token, self._given.beside.get(used), self._dead)

    def _use(self, call: Call) -> None:
        token = call.token
        if self._once:
            self._judge_once(call)
        if token is None or is_masked(token):
            self._fetched.miss_use()
        if token is None:
            return
        given = self._given.access.get(token, [])
        if len(given) == 1:
            self._fetched.use(token, call)
        elif not given:
            self._fetched.miss_use()
        dead = self._dead.get(token)
        if call.came is Came.ACCEPTED:
            self._dead.pop(token, None)
            self._asked.pop(token, None)
            self._findings.keeps(TOKENS, call)
        elif call.is_without_token and not is_masked(token):
            asked = self._asked.setdefault(token, set())
            if dead is not None and call.is_after(dead):
                self._send_again(call, dead, is_first=request_of(call) not in asked)
            if len(asked) < _MOST_ASKED:
                asked.add(request_of(call))
            self._dead.setdefault(
                token, call
            )  # the 403 is the documented sign that its life is over: it was renewed then

    def _send_again(self, call: Call, dead: Call, *, is_first: bool) -> None:
        """A token that was refused is sent again. Another worker, who has it still, may do so shortly after: that there is one
        shows where another call is under way beside it."""
        if call.started is None or dead.ended is None:
            self._held = call, dead, is_first
        elif call.started - dead.ended > UNTIMED:
            self._tell_again(call, dead)
        elif self._busy_until is not None and self._busy_until > call.started + OVERLAP:
            self._findings.cannot_tell(TOKENS, ANOTHER_WORKER)
        else:
            self._held = call, dead, is_first

    def _judge_held(self, following: Call | None) -> None:
        """Judge the call that came last, if its token had been refused: beside the one that follows it."""
        if self._held is None:
            return
        call, dead, is_first = self._held
        self._held = None
        started = following.started if following is not None else None
        if started is not None and call.ended is not None and started + OVERLAP < call.ended:
            self._findings.cannot_tell(TOKENS, ANOTHER_WORKER)
        elif is_first:
            self._once[request_of(call)] = call, dead
        else:
            self._tell_again(call, dead)

    def _judge_once(self, call: Call) -> None:
        """Judge requests by whether they are made again with another token: calls that were on their way at once a recorder at
        the server, which takes one after the other, holds as one after the other. Each waits for the new token and is made
        again; whoever works through a list goes on in it."""
        if call.started is not None:
            for request, (first, dead) in list(self._once.items()):
                if first.started is None or call.started - first.started <= _MADE_AGAIN:
                    break
                del self._once[request]
                self._tell_again(first, dead)
        found = self._once.pop(request_of(call), None)
        if found is None:
            return
        if call.token == found[0].token:
            self._tell_again(*found)
        else:
            self._findings.cannot_tell(TOKENS, ANOTHER_WORKER)

    def _tell_again(self, call: Call, dead: Call) -> None:
        says = f"the token was refused at entry {dead.origin.entry}, and is sent again"
        self._findings.breaks(TOKENS, call, says, pointer=f"header {TOKEN_HEADER}", cause="dead")


def _given_by(call: Call) -> str | None:
    token = call.answered.get(ACCESS_TOKEN_FIELD) if isinstance(call.answered, dict) else None
    return token if isinstance(token, str) else None


NOT_OF_CREDENTIALS: Final = "refused with 403, which is also the answer to an address that is not allowed"
TAKEN_BEFORE: Final = "the same credentials were taken before"


def judge_credentials(call: Call, findings: Findings, right: set[str]) -> None:
    """Credentials that are none, or were refused as such. `right` are those that were taken before."""
    value = call.body.get(CREDENTIALS_FIELD)
    if call.came is Came.ACCEPTED:
        findings.keeps("AUTH-02", call)
        if isinstance(value, str) and not is_masked(value):
            right.add(value)
        return
    if call.came is not Came.REFUSED or not call.has_body:
        return
    if not isinstance(value, str) or (decode_credentials(value) is None and not is_masked(value)):
        says = f"{CREDENTIALS_FIELD} is missing or not the base64 of email:password"
        findings.breaks("AUTH-02", call, says, pointer=f"/{CREDENTIALS_FIELD}")
    elif value in right:
        findings.cannot_tell("AUTH-02", TAKEN_BEFORE)
    elif call.status == FORBIDDEN:
        findings.cannot_tell("AUTH-02", NOT_OF_CREDENTIALS)
    elif call.status in _OF_CREDENTIALS:
        says = f"email or password are wrong: the server answers {call.status}"
        findings.breaks("AUTH-02", call, says, pointer=f"/{CREDENTIALS_FIELD}")
