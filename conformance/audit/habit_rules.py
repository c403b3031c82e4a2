"""The rules of how an integration calls: tokens, headers, URLs, repetitions, lost answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Final
from urllib.parse import unquote, urlsplit

from conformance.audit.call import BAD_REQUEST, FORBIDDEN, Call, Came, OrderKey, Place
from conformance.audit.findings import Findings
from conformance.audit.tokens_given import TokensGiven
from conformance.contract.credentials import decode_credentials
from conformance.contract.endpoints import (
    CREDENTIALS_FIELD,
    INTEGRATOR_HEADER,
    REFRESH_TOKEN_FIELD,
    TOKEN_HEADER,
    Endpoint,
)
from conformance.contract.readings import TOKEN_LIFETIME_SECONDS
from conformance.traffic.exchange import Missing

TOKENS, REPEATED, LOOKED_UP, INTEGRATOR, URLS = "CLI-08", "CLI-12", "CLI-13", "CLI-14", "CLI-15"

NO_HEADERS: Final = "the headers were not recorded"

SHORTER_LIFE: Final = timedelta(seconds=min(TOKEN_LIFETIME_SECONDS.values()))
FEW_CALLS: Final = 5
"""A token that was used for no more calls, and lived, was fetched for them."""
MANY_LOGINS: Final = 3
"""So many needless logins are no restart any more."""

OF_TOKENS: Final = frozenset({Endpoint.CREATE_TOKEN, Endpoint.REFRESH_TOKEN})
"""They carry no token."""

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MASKED: Final = re.compile(r"(?i)[*\u2022<>\[\]{}]|redact|mask|dummy|secret|hidden|filtered|x{4}")
_SECRET_NAMES: Final = frozenset(
    {"gumgatoken", "token", "accesstoken", "access_token", "refreshtoken", "refresh_token", "credentials", "password",
     "senha", "authorization", "api_key", "apikey"}
)  # fmt: skip
_SHORTEST_SECRET: Final = 8

_OF_CREDENTIALS: Final = frozenset({BAD_REQUEST, 401, 422})
"""By these a server refuses credentials; a 404, say, tells of the address that was called."""


_User = tuple[str, str, str]
"""Who fetches tokens: the file, since each worker of an integration may have one of its own; the base URL; the credentials."""


def _user_of(call: Call) -> _User:
    value = call.body.get(CREDENTIALS_FIELD)
    return call.origin.file, call.base, value if isinstance(value, str) and not is_masked(value) else ""


class Tokens:
    """Access tokens are used as long as they live. Of values that a recorder has blotted out, all alike, nothing is said."""

    def __init__(self, findings: Findings, given: TokensGiven) -> None:
        self._findings = findings
        self._given = given
        self._used: dict[str, int] = {}
        """How many calls each token that was given was used for."""
        self._last: dict[_User, tuple[Call, str]] = {}
        """By user the last call that gave a token, and the token."""
        self._needless: dict[_User, list[Call]] = {}
        self._right: set[str] = set()
        """Credentials that were taken."""
        self._dead: dict[str, Call] = {}
        """Tokens that were refused, and where."""

    def miss(self) -> None:
        """An entry can't be read: it may have used the token, or have been told that it is dead."""
        self._last.clear()
        self._needless.clear()

    def take(self, call: Call) -> None:
        """Judge what the call does with its token, or by getting one."""
        if call.endpoint is Endpoint.CREATE_TOKEN:
            self._login(call)
            judge_credentials(call, self._findings, self._right)
        elif call.endpoint is Endpoint.REFRESH_TOKEN:
            self._refresh(call)
        elif call.endpoint is not None:
            self._use(call)

    def _login(self, call: Call) -> None:
        token = call.answered.get("accessToken") if isinstance(call.answered, dict) else None
        if call.came is not Came.ACCEPTED:
            return
        user = _user_of(call)
        before = self._last.get(user)
        if isinstance(token, str):
            self._last[user] = (call, token)
        if before is None or not isinstance(token, str):
            self._findings.keeps(TOKENS, call)
            return
        earlier, old = before
        age = call.started - earlier.started if call.started is not None and earlier.started is not None else None
        blotted = old == token or len(self._given.access.get(old, ())) > 1
        lives = age is not None and age < SHORTER_LIFE and old not in self._dead
        if blotted or not lives or self._used.get(old, 0) > FEW_CALLS:
            self._findings.keeps(TOKENS, call)
            return
        needless = self._needless.setdefault(user, [])
        needless.append(call)
        if len(needless) == MANY_LOGINS:
            for one in needless:
                self._needlessly(one)
        elif len(needless) > MANY_LOGINS:
            self._needlessly(call)
            needless.pop(0)

    def _needlessly(self, call: Call) -> None:
        says = f"a token was fetched although the one before it lived and had served no more than {FEW_CALLS} calls"
        self._findings.breaks(TOKENS, call, says, cause="fetched")

    def _refresh(self, call: Call) -> None:
        used = call.body.get(REFRESH_TOKEN_FIELD)
        if not isinstance(used, str) or is_masked(used):
            self._findings.cannot_tell("AUTH-07", "the refresh token was not recorded")
            return
        spent = self._given.used_up.get(used, [])
        if spent and self._given.refresh.get(used, 0) <= 1 and call.came is not Came.ACCEPTED:
            says = f"the refresh token was used before, at entry {spent[0].origin.entry}"
            self._findings.breaks("AUTH-07", call, says, pointer=f"/{REFRESH_TOKEN_FIELD}")
        elif call.came is Came.ACCEPTED:
            self._findings.keeps("AUTH-07", call)

    def _use(self, call: Call) -> None:
        self._judge_presence(call)
        token = call.token
        if token is None:
            return
        given = self._given.access.get(token, [])
        if len(given) == 1:
            self._used[token] = self._used.get(token, 0) + 1
        dead = self._dead.get(token)
        if call.came is Came.ACCEPTED:
            self._dead.pop(token, None)
            self._findings.keeps(TOKENS, call)
        elif call.is_without_token and not is_masked(token):
            if dead is not None and call.started is not None and dead.ended is not None and call.started >= dead.ended:
                says = f"the token was refused at entry {dead.origin.entry}, and is sent again"
                self._findings.breaks(TOKENS, call, says, pointer=f"header {TOKEN_HEADER}", cause="dead")
            elif len(given) == 1 and _age(call, given[0]) is not None:
                self._judge_age(call, given[0])
            self._dead.setdefault(token, call)

    def _judge_age(self, call: Call, given: Call) -> None:
        age = _age(call, given)
        longest = timedelta(seconds=max(TOKEN_LIFETIME_SECONDS.values()))
        if age is not None and age > longest:
            says = f"the token was given {age} before, and lives {longest}"
            self._findings.breaks(TOKENS, call, says, pointer=f"header {TOKEN_HEADER}", cause="dead")

    def _judge_presence(self, call: Call) -> None:
        header = call.token_header
        if isinstance(header, Missing):
            if call.came is Came.ACCEPTED:
                self._findings.keeps("AUTH-03", call)
            else:
                self._findings.cannot_tell("AUTH-03", NO_HEADERS)
        elif header:
            self._findings.keeps("AUTH-03", call)
        elif call.is_without_token:
            self._findings.breaks("AUTH-03", call, f"there is no {TOKEN_HEADER}", pointer=f"header {TOKEN_HEADER}")
        elif call.came is Came.ACCEPTED:
            self._findings.keeps("AUTH-03", call)  # else it would not have been taken: the recorder left it out
        else:
            self._findings.cannot_tell("AUTH-03", f"no {TOKEN_HEADER} was recorded, and the answer does not tell")


def _age(call: Call, given: Call) -> timedelta | None:
    at = given.ended or given.started
    return call.started - at if call.started is not None and at is not None else None


@lru_cache(maxsize=256)
def is_masked(value: str) -> bool:
    """Whether a recorder has blotted it out."""
    return _MASKED.search(value) is not None


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


def judge_integrator(call: Call, findings: Findings) -> None:
    """Whether the integrator header is there. Where the token is missing too and the call was taken, headers were left out."""
    if call.endpoint is None or call.endpoint in OF_TOKENS:
        return
    value = call.integrator
    if isinstance(value, Missing) or (value is None and call.came is Came.ACCEPTED and call.token is None):
        findings.cannot_tell(INTEGRATOR, NO_HEADERS)
    elif value is None or not value.strip():
        findings.breaks(
            INTEGRATOR, call, f"there is no {INTEGRATOR_HEADER} header", pointer=f"header {INTEGRATOR_HEADER}"
        )
    elif _is_uuid(value):
        findings.keeps(INTEGRATOR, call)
    elif is_masked(value):
        findings.cannot_tell(INTEGRATOR, "the recorder has blotted out the integrator")
    else:
        says = f"the {INTEGRATOR_HEADER} header is no UUID"
        findings.breaks(INTEGRATOR, call, says, pointer=f"header {INTEGRATOR_HEADER}", value=value, cause="no UUID")


@lru_cache(maxsize=256)
def _is_uuid(value: str) -> bool:
    return _UUID.fullmatch(value.strip()) is not None


class Urls:
    """No URL holds a credential or a token."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._secrets: dict[str, str] = {}

    def take(self, call: Call) -> None:
        """Judge the call's URL by the names in it and by the secrets known so far."""
        if call.token is not None and call.token not in self._secrets and not is_masked(call.token):
            self._secrets[call.token] = TOKEN_HEADER
        credentials = call.body.get(CREDENTIALS_FIELD) if call.endpoint is Endpoint.CREATE_TOKEN else None
        if isinstance(credentials, str) and (pair := decode_credentials(credentials)):
            self._secrets.setdefault(pair[1], "password")
            self._secrets.setdefault(credentials, CREDENTIALS_FIELD)
        found = self._in(call)
        if found is None:
            self._findings.keeps(URLS, call)
        else:
            self._findings.breaks(URLS, call, f"the URL holds {found}", pointer=f"query {found}", cause=found)

    def _in(self, call: Call) -> str | None:
        """The name of what is in the URL and should not be."""
        if "@" in call.url and urlsplit(call.url).password:
            return "password"
        for name, value in call.pairs:
            if value and name.lower() in _SECRET_NAMES:
                return name
        secrets = self._secrets
        for _, value in call.pairs:
            if value in secrets and len(value) >= _SHORTEST_SECRET:
                return secrets[value]
        for value in _segments(call.url.partition("?")[0]):
            if value in secrets and len(value) >= _SHORTEST_SECRET:
                return secrets[value]
        return None


@lru_cache(maxsize=256)
def _segments(address: str) -> tuple[str, ...]:
    return tuple(unquote(urlsplit(address).path).split("/"))


@dataclass(slots=True)
class _Refused:
    call: Call
    changes: int
    """How many changes at its account and channel had been taken by then."""


class Repetitions:
    """What was refused with 400 is not sent again as it was, while nothing has changed."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._refused: dict[bytes, _Refused] = {}
        self._changes: dict[Place | None, int] = {}

    def miss(self) -> None:
        """An entry can't be read: it may have changed what the refusals were for."""
        self._refused.clear()

    def take(self, call: Call) -> None:
        """Judge the call by what was refused before, and take note of its own refusal."""
        if call.endpoint is None or call.endpoint in OF_TOKENS:
            return
        if not call.has_body:
            self._findings.cannot_tell(REPEATED, "the body was not recorded")
            return
        place = call.place
        same = _digest(call) if self._refused or call.status == BAD_REQUEST else b""
        before = self._refused.get(same)
        if before is not None and call.status == BAD_REQUEST and before.changes == self._changes.get(place, 0):
            says = f"the same was refused with 400 at entry {before.call.origin.entry}, and nothing has changed since"
            self._findings.breaks(REPEATED, call, says, value=call.error_code, others=[before.call])
        else:
            self._findings.keeps(REPEATED, call)
        if call.status == BAD_REQUEST:
            self._refused[same] = _Refused(call, self._changes.get(place, 0))
        elif before is not None and call.came is Came.ACCEPTED:
            del self._refused[same]
        if call.came is not Came.REFUSED and call.came is not Came.UNHEARD and call.endpoint is not Endpoint.GET_ORDER:
            self._changes[place] = self._changes.get(place, 0) + 1

    def notified(self, account: object) -> None:
        """Something happened at an account by itself."""
        for place in list(self._changes):
            if place is not None and place[0] == account:
                self._changes[place] += 1
        self._refused = {
            same: one for same, one in self._refused.items() if one.call.place is None or one.call.place[0] != account
        }


def _digest(call: Call) -> bytes:
    body = call.exchange.request.body
    whole = "\0".join((call.method, call.path, repr(sorted(call.query.items())))).encode("utf-8", "surrogatepass")
    return blake2b(whole + b"\0" + (body if isinstance(body, bytes) else b""), digest_size=16).digest()


class LostAnswers:
    """After a lost answer what was changed is looked up before the same is sent again; a creation may be sent again once."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._lost: dict[tuple[Endpoint, OrderKey | Place], list[Call]] = {}

    def miss(self) -> None:
        """An entry can't be read: it may have asked what became of it."""
        self._lost.clear()

    def take(self, call: Call) -> None:
        """Judge the call by the lost answers before it, and take note of its own."""
        if call.endpoint is Endpoint.GET_ORDER and call.key is not None and self._lost:
            for endpoint in (Endpoint.SUBMIT_RELEASE, Endpoint.DELETE_ORDER):
                if self._lost.pop((endpoint, call.key), None):
                    self._findings.keeps(LOOKED_UP, call)
            return
        subject = _subject(call)
        if subject is None or call.endpoint is None or (call.came is not Came.LOST and not self._lost):
            return
        place = (call.endpoint, subject)
        lost = self._lost.get(place, [])
        allowed = 1 if call.endpoint is Endpoint.CREATE_RECONCILIATION else 0
        if len(lost) > allowed and _same_body(lost[-1], call):
            says = f"the answer to the same at entry {lost[-1].origin.entry} was lost, and nothing was asked since"
            self._findings.breaks(LOOKED_UP, call, says, others=lost)
        if call.came is Came.LOST:
            self._lost.setdefault(place, []).append(call)
        elif lost:
            del self._lost[place]


def _subject(call: Call) -> OrderKey | Place | None:
    if call.endpoint in {Endpoint.SUBMIT_RELEASE, Endpoint.DELETE_ORDER}:
        return call.key
    return call.place if call.endpoint is Endpoint.CREATE_RECONCILIATION else None


def _same_body(one: Call, other: Call) -> bool:
    if one.has_body and other.has_body:
        return bool(one.body == other.body)
    return False
