"""One recorded call to Koncili, read: which endpoint, for which order, what it sent, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from conformance.contract.coercion import as_taken
from conformance.contract.endpoints import INTEGRATOR_HEADER, TOKEN_HEADER, Endpoint, endpoint_of, is_documented_path
from conformance.contract.jsontext import JSONValue, NotJSON, loads
from conformance.contract.judge import Request
from conformance.contract.order_rules import is_account_id
from conformance.contract.readings import READINGS
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
    """429, 423, or a 403 for the token: what was sent was not looked at."""
    FAILED = "failed"
    """5xx: whether it was carried out is not known."""
    LOST = "lost"
    """No answer came to the client."""
    UNKNOWN = "unknown"
    """The recording does not say."""


TOO_MANY: Final = 429
BLOCKED: Final = 423
FORBIDDEN: Final = 403
BAD_REQUEST: Final = 400

MOCK_CONTROL: Final = "/_mock"
"""Where the suite's own mock is asked what nobody could ask of Koncili."""

_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PATHS: Final = tuple(sorted({endpoint.path for endpoint in Endpoint}, key=len, reverse=True))
_AUTH: Final = (Endpoint.CREATE_TOKEN.path, Endpoint.REFRESH_TOKEN.path)
_IDENTITY: Final = frozenset({"marketplaceCode", "channelName", "accountId"})


@dataclass(frozen=True)
class Call:
    """A call to Koncili as it was recorded."""

    number: int
    """Its place among all calls of the audit, from 0."""
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
    query: Mapping[str, str]
    exchange: Exchange
    integrator: str = ""
    """That of its header; where it has none that of the call before it at this base URL."""

    @cached_property
    def endpoint(self) -> Endpoint | None:
        """The documented endpoint that it addresses."""
        return endpoint_of(self.method, self.path)

    @cached_property
    def client(self) -> str:
        """The integrator that it is of, at the server that it went to: rates and blocks are theirs."""
        return f"{self.base} {self.integrator}"

    @cached_property
    def label(self) -> str:
        """How reports call what it addresses: `POST /order`, `callback` for a notification, `other`."""
        if self.endpoint is not None:
            return self.endpoint.label
        return "other" if self.path else "callback"

    # -- what was sent ---------------------------------------------------------------------------------------------

    @property
    def has_body(self) -> bool:
        """Whether the recording holds its body, be it an empty one."""
        return not isinstance(self.exchange.request.body, Missing)

    @cached_property
    def content(self) -> JSONValue:
        """Its body as JSON; a NotJSON where it is none or was not recorded."""
        body = self.exchange.request.body
        if isinstance(body, Missing):
            return NotJSON("not recorded")
        try:
            return loads(body)
        except NotJSON as error:
            return error

    @cached_property
    def body(self) -> dict[str, JSONValue]:
        """The fields of its body with numbers as any reading takes them; none where it has none."""
        return as_taken(self.content, LENIENT) if isinstance(self.content, dict) else {}

    @cached_property
    def key(self) -> OrderKey | None:
        """The order that it is about, where it names one."""
        holder: Mapping[str, JSONValue] = self.body if self.body else self.query
        if self.endpoint in {Endpoint.GET_ORDER, Endpoint.DELETE_ORDER}:
            holder = self.query
        place, code = _place_of(holder), holder.get("marketplaceCode")
        return (*place, code) if place is not None and isinstance(code, str) and code else None

    @cached_property
    def place(self) -> Place | None:
        """The account and channel that it is about."""
        return _place_of(self.query if self.endpoint in {Endpoint.GET_ORDER, Endpoint.DELETE_ORDER} else self.body)

    def header(self, name: str) -> str | Missing | None:
        """A header of the request."""
        return self.exchange.request.header(name)

    @cached_property
    def token(self) -> str | None:
        """The access token that it carried, as far as the recording shows."""
        value = self.header(TOKEN_HEADER)
        return value if isinstance(value, str) and value else None

    @cached_property
    def as_request(self) -> Request:
        """The call for the judge; its body must have been recorded."""
        body = self.exchange.request.body
        headers = self.exchange.request.headers
        return Request(
            method=self.method,
            path=self.path,
            query=self.query,
            headers={} if isinstance(headers, Missing) else dict(headers),
            body=b"" if isinstance(body, Missing) else body,
        )

    # -- what came back --------------------------------------------------------------------------------------------

    @property
    def answer(self) -> Response | None:
        """The answer, where one came and was recorded."""
        answer = self.exchange.response
        return answer if isinstance(answer, Response) else None

    @property
    def status(self) -> int | None:
        """The answer's status, where one came and was recorded."""
        return self.answer.status if self.answer else None

    @cached_property
    def came(self) -> Came:
        """What came back, in kinds."""
        if isinstance(self.exchange.response, Missing):
            return Came.UNKNOWN
        if self.exchange.response is None:
            return Came.LOST
        status = self.exchange.response.status
        if status in {TOO_MANY, BLOCKED} or self.is_without_token:
            return Came.UNHEARD
        kinds = {2: Came.ACCEPTED, 4: Came.REFUSED, 5: Came.FAILED}
        return kinds.get(status // 100, Came.UNKNOWN)

    @cached_property
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

    @cached_property
    def is_without_token(self) -> bool:
        """Whether it was refused for its token."""
        if self.status not in {FORBIDDEN, 401} or self.endpoint in {Endpoint.CREATE_TOKEN, Endpoint.REFRESH_TOKEN}:
            return False
        told = self.answered.get("response") if isinstance(self.answered, dict) else None
        return told == "NO_TOKEN" or (self.status == 401 and self.error_code is None)  # noqa: PLR2004 - unauthorised, for no other reason


def _place_of(holder: Mapping[str, JSONValue]) -> Place | None:
    account, channel = holder.get("accountId"), holder.get("channelName")
    if not is_account_id(account, "either") or not isinstance(channel, str):
        return None
    return int(account), channel


FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 9000
"""What lies outside is no time at which anything was recorded."""

LONGEST: Final = timedelta(days=1)
"""What is said to have taken longer was not timed."""


def times_of(exchange: Exchange) -> tuple[datetime | None, datetime | None]:
    """When a call was sent and when it was over, each None where the recording does not say."""
    started, took = exchange.started, exchange.took
    if isinstance(started, Missing) or not FIRST_YEAR <= started.year < LAST_YEAR:
        return None, None
    timed = not isinstance(took, Missing) and timedelta() <= took <= LONGEST
    return started, started + took if timed and not isinstance(took, Missing) else None


class Recogniser:
    """Tells calls to Koncili from a recording's other calls, by path, headers and what they are about.

    What has once carried a token of Koncili's, or asked for one, is a base URL of Koncili's from then on.
    """

    def __init__(self, base_url: str | None = None) -> None:
        """`base_url`: where Koncili is, when it is known: then calls elsewhere are none."""
        self._stated = None if base_url is None else base_url.rstrip("/")
        self._bases: dict[str, int] = {}
        self._integrators: dict[str, str] = {}

    @property
    def bases(self) -> list[str]:
        """Where calls went, most of them first."""
        return sorted(self._bases, key=lambda base: -self._bases[base])

    @property
    def base_url(self) -> str:
        """Where most calls went."""
        return self._stated or max(self._bases, key=lambda base: self._bases[base], default="")

    def read(self, exchange: Exchange, number: int) -> Call | None:
        """The exchange as a call to Koncili, None where it is none."""
        request = exchange.request
        if request.method in {"OPTIONS", "CONNECT", "HEAD"}:
            return None
        try:
            parts = urlsplit(request.url)
            host = parts.hostname or ""
        except ValueError:  # a URL that is none
            return None
        base, path = self._split(parts.path)
        whole = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{base}" if parts.netloc else base
        if not self._is_koncili(exchange, whole, path, host, parts.query):
            return None
        self._bases[whole] = self._bases.get(whole, 0) + 1
        told = request.header(INTEGRATOR_HEADER)
        if isinstance(told, str) and told:
            self._integrators[whole] = told.strip().lower()
        started, ended = times_of(exchange)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        integrator = self._integrators.get(whole, "")
        return Call(
            number,
            exchange.origin,
            started,
            ended,
            request.method,
            whole,
            path,
            request.url,
            query,
            exchange,
            integrator,
        )

    def _split(self, path: str) -> tuple[str, str]:
        """What stands before a documented path, and that path; of another path nothing, and all of it."""
        for known in _PATHS:
            if path == known or path.endswith(known):
                return path[: -len(known)], known
        return "", path

    def _is_koncili(self, exchange: Exchange, base: str, path: str, host: str, query: str) -> bool:
        if path == MOCK_CONTROL:
            return False
        if self._stated is not None:
            return base == self._stated or exchange.request.url.startswith(f"{self._stated}/")
        if not is_documented_path(path):
            return base in self._bases and isinstance(exchange.request.header(TOKEN_HEADER), str)
        near = not host or host in _LOCAL_HOSTS or "koncili" in host.lower()
        known = base in self._bases or path in _AUTH
        return known or near or _has_koncilis_headers(exchange) or _names_an_order(exchange, query)


def _has_koncilis_headers(exchange: Exchange) -> bool:
    headers = exchange.request.headers
    names = set() if isinstance(headers, Missing) else {name for name, _ in headers}
    return TOKEN_HEADER.lower() in names or INTEGRATOR_HEADER in names


def _names_an_order(exchange: Exchange, query: str) -> bool:
    """Whether a call to an unknown host is about an order or a reconciliation as only Koncili knows them."""
    named = {name for name, _ in parse_qsl(query)}
    if named >= _IDENTITY:
        return True
    body = exchange.request.body
    if isinstance(body, Missing) or b"accountId" not in body:
        return False
    try:
        content = loads(body)
    except NotJSON:
        return False
    return isinstance(content, dict) and {"channelName", "accountId"} <= content.keys()
