"""The rules of how an integration calls: URLs, repetitions, lost answers."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Final
from urllib.parse import unquote, urlsplit

from conformance.audit.call import BAD_REQUEST, OF_TOKENS, Call, Came, OrderKey, Place
from conformance.audit.findings import Findings
from conformance.audit.masks import is_masked
from conformance.audit.states import CONSOLIDATED, Order, is_said_to_be_missing, overlaps
from conformance.contract.credentials import decode_credentials
from conformance.contract.endpoints import (
    ACCESS_TOKEN_FIELD,
    CREDENTIALS_FIELD,
    REFRESH_TOKEN_FIELD,
    TOKEN_HEADER,
    Endpoint,
)
from conformance.contract.jsontext import JSONValue
from conformance.contract.reconciliation_rules import period_of

ELSEWHERE: Final = "queries are in another recording, and which came first hangs on two clocks"

HELD_TWICE: Final = "the file holds the call twice, at the same second: it was recorded twice, or sent twice"

BOTH_WAYS: Final = (
    "whether the same was refused before it was sent is not known: it is in another recording, or times don't tell"
)

BY_THE_WAY: Final = "refused with 400 by a page for people, which is none of Koncili's answers"

SEEN_LATE: Final = "refused because there is no such order, which a query has found meanwhile: it was seen late"

REPEATED, LOOKED_UP, URLS = "CLI-12", "CLI-13", "CLI-15"

_SECRET_NAMES: Final = frozenset(
    {"gumgatoken", "token", "accesstoken", "access_token", "refreshtoken", "refresh_token", "credentials", "password",
     "senha", "authorization", "api_key", "apikey"}
)  # fmt: skip
_GIVEN: Final = {ACCESS_TOKEN_FIELD: TOKEN_HEADER, REFRESH_TOKEN_FIELD: REFRESH_TOKEN_FIELD}
_SHORTEST_SECRET: Final = 8
_OF_RECONCILIATIONS: Final = frozenset({Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE})
_USUAL_DIGITS: Final = 28
_JWT: Final = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]+", re.ASCII)
"""A token, of whomever."""


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
        if call.endpoint in OF_TOKENS and isinstance(call.answered, dict):
            for field, name in _GIVEN.items():
                token = call.answered.get(field)
                if isinstance(token, str) and not is_masked(token):
                    self._secrets.setdefault(token, name)
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
            if _JWT.fullmatch(value):
                return TOKEN_HEADER
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
    own: int
    """How many of these were of what it is about."""
    again: int = 0
    """How often it was sent again while nothing of what it is about had changed."""


class Repetitions:
    """What was refused with 400 is not sent again as it was, while nothing has changed."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._refused: dict[bytes, _Refused] = {}
        self._changes: dict[Place | None, int] = {}
        self._own: dict[OrderKey | Place, int] = {}
        """Changes by the order that they are of, where it was refused; of reconciliations by account and channel."""

    def miss(self) -> None:
        """An entry can't be read: it may have changed what the refusals were for."""
        self._refused.clear()
        self._own.clear()

    def take(self, call: Call, order: Order | None = None) -> None:
        """Judge the call by what was refused before, and take note of its own refusal. `order`: the one that it is about."""
        if call.endpoint is None or call.endpoint in OF_TOKENS:
            return
        if call.status == BAD_REQUEST and call.is_page:
            self._findings.cannot_tell(REPEATED, BY_THE_WAY)
            return
        if not call.has_body:
            self._findings.cannot_tell(REPEATED, "the body was not recorded")
            return
        if call.is_query_left_out:
            self._findings.cannot_tell(REPEATED, "the query was not recorded")
            return
        place = call.place
        same = _digest(call) if self._refused or call.status == BAD_REQUEST else b""
        before = self._refused.get(same)
        is_refused = before is not None and call.status == BAD_REQUEST
        own = self._changes_of_its_own(call)
        is_same = before is not None and is_refused and self._is_unchanged(before, call, own)
        if before is None or not is_same:
            self._findings.keeps(REPEATED, call)
        else:
            self._judge(call, before.call, order)
        if call.status == BAD_REQUEST:
            if call.key is not None:
                self._own.setdefault(call.key, 0)
            again = before.again + 1 if before is not None and before.own == own else 0
            self._refused[same] = _Refused(call, self._changes.get(place, 0), own, again)
        elif before is not None and call.came is Came.ACCEPTED:
            del self._refused[same]
        if call.came is not Came.REFUSED and call.came is not Came.UNHEARD and call.endpoint is not Endpoint.GET_ORDER:
            self._changes[place] = self._changes.get(place, 0) + 1
            if call.key in self._own:
                self._own[call.key] += 1
            if place is not None and call.endpoint in _OF_RECONCILIATIONS:
                self._own[place] = self._own.get(place, 0) + 1

    def _judge(self, call: Call, before: Call, order: Order | None) -> None:
        """Judge what was refused before, while nothing has changed as far as the calls show."""
        if order is not None and _may_see_late(call, before, order):
            self._findings.cannot_tell(REPEATED, SEEN_LATE)
        elif call.is_after(before):
            says = f"the same was refused with 400 at entry {before.origin.entry}, and nothing has changed since"
            self._findings.breaks(REPEATED, call, says, value=call.error_code, others=[before])
        elif _may_be_after(call, before):
            self._findings.cannot_tell(REPEATED, BOTH_WAYS)
        else:
            self._findings.keeps(REPEATED, call)

    def _is_unchanged(self, before: _Refused, call: Call, own: int) -> bool:
        """Whether nothing has changed since, or nothing but other orders, which was found out before: a queue that is worked off
        sends what was refused again and again, among others that are taken."""
        if before.changes == self._changes.get(call.place, 0):
            return True
        return before.again > 0 and before.own == own

    def _changes_of_its_own(self, call: Call) -> int:
        """How many changes were taken that may have been what it is refused for."""
        of_order = 0 if call.key is None else self._own.get(call.key, 0)
        hangs_on_others = call.place is not None and call.endpoint in _OF_RECONCILIATIONS
        return of_order + (self._own.get(call.place, 0) if call.place is not None and hangs_on_others else 0)

    def doubt(self, call: Call) -> None:
        """A call that is recorded twice, or was sent twice within a second."""
        if call.exchange.whole_seconds and call.status == BAD_REQUEST and _digest(call) in self._refused:
            self._findings.cannot_tell(REPEATED, HELD_TWICE)

    def notified(self, account: object) -> None:
        """Something happened at an account by itself: what was refused for that may be taken now. Orders are sent to no
        reconciliation; one that is sent again and again is found."""
        for place in list(self._changes):
            if place is not None and place[0] == account:
                self._changes[place] += 1
        self._refused = {
            same: one
            for same, one in self._refused.items()
            if one.call.place is None or one.call.place[0] != account or one.call.endpoint is Endpoint.SUBMIT_ORDER
        }


def _may_see_late(call: Call, before: Call, order: Order) -> bool:
    """Whether both were refused for an order that a query has found meanwhile: a release may see it half an hour late."""
    if not order.verified or not (call.is_answer_left_out or is_said_to_be_missing(call, "marketplaceCode")):
        return False
    if call.started is None or before.started is None or order.found_at is None:
        return True
    is_young = order.changed_at is None or call.started - order.changed_at <= CONSOLIDATED
    return is_young and order.found_at >= before.started


def _may_be_after(call: Call, other: Call) -> bool:
    """Whether it may have been sent when the other was answered, or be the same call in another recording; where it was on its
    way for certain it can't."""
    if call.origin.file != other.origin.file:
        return True
    return call.started is None or other.ended is None or call.started >= other.ended


def _digest(call: Call) -> bytes:
    """Of what was sent, whatever the sequence of its members, its white space, and how its fractions are spelled."""
    body = call.exchange.request.body
    if isinstance(call.content, dict):
        with suppress(RecursionError):  # else it is the same where each character is
            body = repr(_in_one_spelling(call.content)).encode("utf-8", "surrogatepass")
    whole = "\0".join((call.method, call.path, repr(sorted(call.query.items())))).encode("utf-8", "surrogatepass")
    return blake2b(whole + b"\0" + (body if isinstance(body, bytes) else b""), digest_size=16).digest()


def _in_one_spelling(value: JSONValue) -> object:
    if isinstance(value, dict):
        return sorted((name, _in_one_spelling(one)) for name, one in value.items())
    if isinstance(value, list):
        return [_in_one_spelling(one) for one in value]
    return _shortest(value) if isinstance(value, Decimal) else value


def _shortest(number: Decimal) -> Decimal:
    """Without the zeros at its end, where it is no number that would be rounded."""
    is_usual = len(number.as_tuple().digits) <= _USUAL_DIGITS and abs(number.adjusted()) <= _USUAL_DIGITS
    return number.normalize() if is_usual else number


class LostAnswers:
    """After a lost answer what was changed is looked up before the same is sent again; a creation may be sent again once."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._lost: dict[tuple[Endpoint, OrderKey | Place], list[Call]] = {}
        self._asked_in: dict[Place | None, set[str]] = {}
        """By account and channel the recordings that hold queries."""

    def miss(self) -> None:
        """An entry can't be read: it may have asked what became of it."""
        self._lost.clear()

    def take(self, call: Call) -> None:
        """Judge the call by the lost answers before it, and take note of its own."""
        if call.endpoint is Endpoint.GET_ORDER:
            self._asked_in.setdefault(call.place, set()).add(call.origin.file)
        if call.endpoint is Endpoint.GET_ORDER and call.key is not None and self._lost:
            for endpoint in (Endpoint.SUBMIT_RELEASE, Endpoint.DELETE_ORDER):
                if self._lost.pop((endpoint, call.key), None):
                    self._findings.keeps(LOOKED_UP, call)
            return
        subject = _subject(call)
        if subject is None or call.endpoint is None or (call.came is not Came.LOST and not self._lost):
            return
        place = (call.endpoint, subject)
        lost = [one for one in self._lost.get(place, []) if call.is_after(one)]  # another may hold the same call
        allowed = 1 if call.endpoint is Endpoint.CREATE_RECONCILIATION else 0
        if len(lost) > allowed and _is_same_change(lost[-1], call):
            asked_in = self._asked_in.get(call.place, set())
            if call.endpoint is not Endpoint.CREATE_RECONCILIATION and asked_in and call.origin.file not in asked_in:
                self._findings.cannot_tell(LOOKED_UP, ELSEWHERE)
            else:
                says = f"the answer to the same at entry {lost[-1].origin.entry} was lost, and nothing was asked since"
                self._findings.breaks(LOOKED_UP, call, says, others=lost)
        if call.came is Came.LOST:
            self._lost.setdefault(place, []).append(call)
        elif place in self._lost:
            del self._lost[place]


def _subject(call: Call) -> OrderKey | Place | None:
    if call.endpoint in {Endpoint.SUBMIT_RELEASE, Endpoint.DELETE_ORDER}:
        return call.key
    return call.place if call.endpoint is Endpoint.CREATE_RECONCILIATION else None


def _is_same_change(one: Call, other: Call) -> bool:
    """Whether both are to do the same: integrations write some dates anew each time."""
    if not (one.has_body and other.has_body):
        return False
    if one.endpoint is Endpoint.SUBMIT_RELEASE:
        return bool(one.body.get("reconciliationId") == other.body.get("reconciliationId"))
    if one.endpoint is Endpoint.CREATE_RECONCILIATION and one.body != other.body:
        init, end = period_of(one.body)
        return init is not None and end is not None and overlaps(other, init, end)
    return bool(one.body == other.body)
