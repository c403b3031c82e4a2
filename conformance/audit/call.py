"""One recorded call to Koncili, read: which endpoint, for which order, what it sent, and what came back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar, overload

from conformance.audit.blotted import holds_a_mask
from conformance.audit.queries import BY_QUERY, is_blotted, named_by, names_all
from conformance.contract.coercion import as_taken, is_taken_alike, whole_of
from conformance.contract.endpoints import INTEGRATOR_HEADER, OTHER, TOKEN_HEADER, Endpoint
from conformance.contract.jsontext import JSONValue, NotJSON, loads
from conformance.contract.order_rules import is_account_id
from conformance.contract.readings import READINGS
from conformance.contract.reconciliation_rules import Entry, entries_of, is_whole
from conformance.traffic.exchange import Exchange, Missing, Origin, Response

OrderKey = tuple[int, str, str]
"""accountId, channelName, marketplaceCode."""

Place = tuple[int, str]
"""accountId, channelName."""

LENIENT: Final[Mapping[str, str]] = MappingProxyType(
    {reading.id: reading.default for reading in READINGS.values()}
    | {
        "extract-types": "portal",
        "account-id-type": "either",
        "token-lifetime": "two-hours",
        "value-mismatch": "rejected",
        "adjacent-periods": "allowed",
        "period-bounds": "inclusive",
        "total-net-value": "unchecked",
        "empty-extracts": "accepted",
        "scalar-coercion": "accepted",
        "whole-as-decimal": "accepted",
    }
)
"""Of each reading the value under which most is lawful: what breaks a rule even then breaks it for certain. Only the values of
a release are always those of the order, since under either reading a difference is a mistake of whoever sent it."""


class Came(Enum):
    """What came back."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """4xx, but for those below."""
    UNHEARD = "unheard"
    """429, 423, a 403 for the token, or sent elsewhere: what was sent was not looked at."""
    FAILED = "failed"
    """5xx: whether it was carried out is not known."""
    LOST = "lost"
    """No answer came to the client."""
    UNKNOWN = "unknown"
    """The recording does not say."""

    __hash__ = object.__hash__  # as of Endpoint


TOO_MANY: Final = 429
BLOCKED: Final = 423
FORBIDDEN: Final = 403
BAD_REQUEST: Final = 400
NO_ORDER: Final = "404-3"
NOT_MODIFIED: Final = 304
"""To a query: the order is there, as it was shown before."""

_ELSEWHERE: Final = frozenset({301, 307, 308})
"""The same is to be sent to another address. After 302 and 303 it may have been carried out (RFC 9110)."""

OF_TOKENS: Final = frozenset({Endpoint.CREATE_TOKEN, Endpoint.REFRESH_TOKEN})
"""They carry no token."""

_ABOUT_ACCOUNTS: Final = frozenset(
    {Endpoint.SUBMIT_ORDER, Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE, *BY_QUERY}
)
_CAME: Final = {2: Came.ACCEPTED, 4: Came.REFUSED, 5: Came.FAILED}


BLOTTED: Final = NotJSON("not recorded: something was blotted out")

T = TypeVar("T")


class Once(Generic[T]):
    """A property that is found out once. `functools.cached_property` takes a lock each time (until Python 3.12), which costs
    more than most of what is found out here."""

    def __init__(self, find: Callable[[Any], T]) -> None:
        self._find = find
        self.__doc__ = find.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Once[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Once[T] | T:
        if instance is None:
            return self
        found = instance.__dict__[self._name] = self._find(instance)
        return found


@dataclass(eq=False)
class Call:
    """A call to Koncili as it was recorded."""

    number: int
    """Its place among all exchanges of the audit."""
    origin: Origin
    started: datetime | None
    ended: datetime | None
    """When its answer was there, or was waited for no more; None where that was not recorded."""
    method: str
    base: str
    """The base URL."""
    path: str
    """Below it."""
    url: str
    pairs: Sequence[tuple[str, str]]
    """Names and values of its query."""
    exchange: Exchange
    endpoint: Endpoint | None = None
    """The documented endpoint that it addresses."""
    label: str = OTHER
    """How reports call what it addresses: `POST /order`, `callback` for a notification, `other`."""
    client: str = ""
    """The integrator that it is of, at the server that it went to: rates and blocks are theirs. Where its header is not there
    that of the call before it at this base URL."""
    is_whose: bool = True
    """Whether that is certain: the header is there, or was there beside the same token."""
    is_held_elsewhere: bool = False
    """Whether another recording holds the same at about that time."""

    def of(self, exchange: Exchange, first_entry: int = 0) -> Call:
        """The same call with all that was recorded of it; places of entries are counted from there."""
        origin = Origin(exchange.origin.file, first_entry + exchange.origin.entry)
        whole = replace(exchange, origin=origin, request=replace(exchange.request, method=self.method))
        return Call(
            self.number, origin, self.started, self.ended, self.method, self.base, self.path, self.url, self.pairs, whole,
            self.endpoint, self.label, self.client, self.is_whose,
        )  # fmt: skip

    @property
    def may_end(self) -> datetime | None:
        """When it was over at the latest; where that was not recorded, when it was so most likely."""
        lost = LOST_FRACTION if self.exchange.whole_seconds else timedelta()
        if self.ended is None:
            return None if self.started is None else self.started + UNTIMED + lost
        return self.ended + 2 * lost

    def is_after(self, other: Call) -> bool:
        """Whether it was sent when the answer to the other was there, for certain and by one clock; without times in the sequence
        in which they were written."""
        if self.origin.file != other.origin.file:
            return False
        if self.started is None or other.may_end is None:
            return True
        return self.started >= other.may_end

    @Once
    def query(self) -> dict[str, str]:
        """Its query by names; of several values of a name the last one."""
        return dict(self.pairs)

    # -- what was sent ---------------------------------------------------------------------------------------------

    @property
    def has_body(self) -> bool:
        """Whether the recording holds its body, be it an empty one, and not in part."""
        return not isinstance(self.exchange.request.body, Missing) and self.content is not BLOTTED

    @Once
    def content(self) -> JSONValue:
        """Its body as JSON; a NotJSON where it is none or was not recorded."""
        body = self.exchange.request.body
        if isinstance(body, Missing):
            return NotJSON("not recorded")
        if not body:
            return NotJSON("it is empty")
        try:
            content = loads(body)
        except NotJSON as error:
            return error
        return BLOTTED if holds_a_mask(content) else content

    @Once
    def body(self) -> dict[str, JSONValue]:
        """The fields of its body with numbers as any reading takes them; none where it has none."""
        content = self.content
        if not isinstance(content, dict):
            return {}
        return content if self.is_taken_alike else as_taken(content, LENIENT)

    @Once
    def is_taken_alike(self) -> bool:
        """Whether all readings take its body's numbers alike."""
        return is_taken_alike(self.content)

    @Once
    def key(self) -> OrderKey | None:
        """The order that it is about, where it names one."""
        place, code = self.place, self.named.get("marketplaceCode")
        return (*place, code) if place is not None and isinstance(code, str) and code else None

    @Once
    def place(self) -> Place | None:
        """The account and channel that it is about."""
        return _place_of(self.named)

    @Once
    def named(self) -> Mapping[str, JSONValue]:
        """What says which account and order it is about; where a recorder has left the query out, the answer to it."""
        if self.endpoint not in BY_QUERY:
            return self.body
        return named_by(self.query, self.exchange)

    @Once
    def is_query_left_out(self) -> bool:
        """Whether it is one by a query, of which the recording holds nothing, another text in its place, or less than was looked
        for: no server finds an order, or says that there is none, of which it is not told all."""
        if self.endpoint not in BY_QUERY:
            return False
        if not self.query or is_blotted(self.query):
            return True
        return not names_all(self.query) and self.is_looked_for

    @property
    def is_looked_for(self) -> bool:
        """Whether the answer shows that the order was looked for."""
        return self.came is Came.ACCEPTED or self.error_code == NO_ORDER

    @property
    def may_be_about_any(self) -> bool:
        """Whether the recording does not say which account it is about."""
        return self.endpoint in _ABOUT_ACCOUNTS and self.place is None

    @Once
    def released(self) -> tuple[Entry, ...]:
        """Types and values of the entries of a release."""
        return entries_of(self.body.get("releases"))

    def header(self, name: str) -> str | Missing | None:
        """A header of the request."""
        return self.exchange.request.header(name)

    @Once
    def integrator(self) -> str | Missing | None:
        """The header of the integrator."""
        return self.exchange.request.header(INTEGRATOR_HEADER)

    @Once
    def token_header(self) -> str | Missing | None:
        """The header of the access token."""
        return self.exchange.request.header(TOKEN_HEADER)

    @Once
    def token(self) -> str | None:
        """The access token that it carried, as far as the recording shows."""
        value = self.token_header
        return value if isinstance(value, str) and value else None

    # -- what came back --------------------------------------------------------------------------------------------

    @property
    def answer(self) -> Response | None:
        """The answer, where one came and was recorded."""
        answer = self.exchange.response
        return answer if isinstance(answer, Response) else None

    @Once
    def status(self) -> int | None:
        """The answer's status, where one came and was recorded."""
        answer = self.exchange.response
        return answer.status if isinstance(answer, Response) else None

    @Once
    def came(self) -> Came:
        """What came back, in kinds."""
        status = self.status
        if status is None:
            return Came.LOST if self.exchange.response is None else Came.UNKNOWN
        if status in {TOO_MANY, BLOCKED} or status in _ELSEWHERE or self.is_without_token:
            return Came.UNHEARD
        if status == NOT_MODIFIED and self.endpoint is Endpoint.GET_ORDER:
            return Came.ACCEPTED
        came = _CAME.get(status // 100, Came.UNKNOWN)
        return Came.UNKNOWN if came is Came.ACCEPTED and self.is_page else came

    @property
    def is_answer_left_out(self) -> bool:
        """Whether there was an answer of which the body was not recorded."""
        return self.answer is not None and isinstance(self.answer.body, Missing)

    @Once
    def is_page(self) -> bool:
        """Whether a page for people came back: something on the way has answered in Koncili's place."""
        body = self.answer.body if self.answer else b""
        if isinstance(body, Missing) or not body.lstrip().startswith(b"<"):
            return False
        return _PAGE.match(body.lstrip()) is not None

    @Once
    def answered(self) -> Any:
        """The answer's body as JSON, None where it is none or was not recorded."""
        body = self.answer.body if self.answer else b""
        if isinstance(body, Missing):
            return None
        try:
            return loads(body)
        except NotJSON:
            return None

    @property
    def error_code(self) -> str | None:
        """The answer's errorCode."""
        code = self.answered.get("errorCode") if isinstance(self.answered, dict) else None
        return code if isinstance(code, str) else None

    @Once
    def is_without_token(self) -> bool:
        """Whether it was refused for its token."""
        if self.status not in {FORBIDDEN, 401} or self.endpoint in OF_TOKENS:
            return False
        told = self.answered.get("response") if isinstance(self.answered, dict) else None
        return told == "NO_TOKEN" or (self.status == 401 and self.error_code is None)  # noqa: PLR2004 - unauthorised, for no other reason


def _place_of(holder: Mapping[str, JSONValue]) -> Place | None:
    account, channel = holder.get("accountId"), holder.get("channelName")
    if not is_account_id(account, "either") or not isinstance(channel, str):
        return None
    return int(account), channel


def number_in(value: JSONValue) -> int | None:
    """The id that an answer or a notification tells, be it as 237.0 or as text; None where it is none."""
    number: JSONValue = whole_of(value) if isinstance(value, Decimal) else value
    if isinstance(number, str) and _DIGITS.fullmatch(number):
        return int(number)
    return number if is_whole(number) else None


_PAGE: Final = re.compile(rb"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_DIGITS: Final = re.compile(r"\d{1,18}", re.ASCII)

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 9000
"""What lies outside is no time at which anything was recorded."""

LONGEST: Final = timedelta(days=1)
"""What is said to have taken longer was not timed."""


LOST_FRACTION: Final = timedelta(seconds=1)
"""So much later than it is written a call may have been sent, where times are written in whole seconds."""


UNTIMED: Final = timedelta(milliseconds=500)
"""So long a call may have taken of which that was not recorded: what was sent sooner may have been sent at once."""


def times_of(exchange: Exchange) -> tuple[datetime | None, datetime | None]:
    """When a call was sent and when it was over, each None where the recording does not say. In whole seconds it is over when it
    was so for certain beside the time of another call, which may be before it was sent."""
    started, took = exchange.started, exchange.took
    if isinstance(started, Missing) or not FIRST_YEAR <= started.year < LAST_YEAR:
        return None, None
    if isinstance(took, Missing) or not timedelta() <= took <= LONGEST:
        return started, None
    return started, started + took - (LOST_FRACTION if exchange.whole_seconds else timedelta())
