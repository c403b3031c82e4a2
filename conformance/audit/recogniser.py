"""Tells calls to Koncili from a recording's other calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from conformance.audit.call import Call, times_of
from conformance.audit.masks import is_masked
from conformance.contract.endpoints import INTEGRATOR_HEADER, OTHER, TOKEN_HEADER, Endpoint, is_documented_path
from conformance.contract.jsontext import NotJSON, loads
from conformance.traffic.exchange import NOT_RECORDED, Exchange, Missing, Response

MOCK_CONTROL: Final = "/_mock"
"""Where the suite's own mock is asked what nobody could ask of Koncili."""

_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PATHS: Final = tuple(sorted({endpoint.path for endpoint in Endpoint}, key=len, reverse=True))
_AUTH: Final = (Endpoint.CREATE_TOKEN.path, Endpoint.REFRESH_TOKEN.path)
_IDENTITY: Final = frozenset({"marketplaceCode", "channelName", "accountId"})
_IN_ITS_REFUSALS: Final = (b"NO_TOKEN", b"errorCode")
"""What Koncili says to a call that has neither of its headers."""


class Route(NamedTuple):
    """What the address of a call, without its query, says."""

    base: str
    path: str
    is_near: bool
    """Whether it goes to this machine, to Koncili by its name, or the recording holds no host."""
    is_local: bool
    """Whether it goes to this machine."""
    endpoints: Mapping[str, tuple[Endpoint, str]] | None
    """By method the documented endpoints, and how reports call them; None where the path is not documented."""

    def endpoint(self, method: str) -> tuple[Endpoint | None, str]:
        """The documented endpoint, and how reports call what is addressed."""
        known = self.endpoints.get(method) if self.endpoints else None
        return known or (None, OTHER if self.path else "callback")


_MOST_ROUTES: Final = 5_000
_UNHEARD_OF: Final = frozenset({"OPTIONS", "CONNECT", "HEAD"})


class Recogniser:
    """Tells calls to Koncili from a recording's other calls, by path, headers and what they are about.

    What has once carried a token of Koncili's, or asked for one, is a base URL of Koncili's from then on.
    """

    def __init__(self, base_url: str | None = None, *, since: Mapping[str, int] | None = None) -> None:
        """`base_url`: where Koncili is, when it is known: then calls elsewhere are none. `since`: for whoever sees only some of
        the exchanges, the number of the first one that shows that a base URL is Koncili's."""
        self._stated = None if base_url is None else base_url.rstrip("/")
        self._since = since
        self._bases: dict[str, int] = {}
        self._clients: dict[str, str] = {}
        """By base URL the integrator whose call was the last one there, with that base URL."""
        self._of_tokens: dict[str, str] = {}
        """The same by the access token that was sent with the integrator's header."""
        self._routes: dict[str, Route | None] = {}

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
        found = self.addressed(exchange)
        if found is None:
            return None
        route, query = found
        pairs = pairs_of(query)
        if not self._is_koncili(exchange, route, pairs, number):
            return None
        base = route.base
        self._bases[base] = self._bases.get(base, 0) + 1
        started, ended = times_of(exchange)
        method = exchange.request.method
        endpoint, label = route.endpoint(method)
        call = Call(
            number, exchange.origin, started, ended, method, base, route.path, exchange.request.url, pairs, exchange,
            endpoint, label,
        )  # fmt: skip
        self._attribute(call)
        return call

    def _attribute(self, call: Call) -> None:
        """Say whose the call is."""
        base, told, token = call.base, call.integrator, call.token
        token = None if token is None or is_masked(token) else token
        if isinstance(told, str) and told.strip():
            client = f"{base} {told.strip().lower()}"
            if client != self._clients.get(base):
                self._clients[base] = client
            if token is not None:
                self._of_tokens[token] = client
            call.client, call.is_whose = client, not is_masked(told)
            return
        known = self._of_tokens.get(token) if token is not None else None
        call.client, call.is_whose = known or self._clients.get(base) or f"{base} ", known is not None

    def addressed(self, exchange: Exchange) -> tuple[Route, str] | None:
        """What the address of a call says, and its query; None where it is no call, whoever it is to."""
        request = exchange.request
        if request.method in _UNHEARD_OF:
            return None
        address, _, query = request.url.partition("?")
        if "#" in request.url or not request.url.isprintable():  # of that some is not sent
            route, query = _route_of(request.url)
        else:
            route = self._route(address)
        return None if route is None else (route, query)

    def _route(self, address: str) -> Route | None:
        try:
            return self._routes[address]
        except KeyError:
            if len(self._routes) >= _MOST_ROUTES:
                self._routes.clear()
            found = self._routes[address] = _route_of(address)[0]
            return found

    def _is_koncili(self, exchange: Exchange, route: Route, pairs: Sequence[tuple[str, str]], number: int) -> bool:
        if route.path == MOCK_CONTROL:
            return False
        if self._stated is not None:
            return route.base == self._stated or exchange.request.url.startswith(f"{self._stated}/")
        first = None if self._since is None else self._since.get(route.base)
        is_known = route.base in self._bases if self._since is None else first is not None and first <= number
        if route.endpoints is None:
            token = exchange.request.header(TOKEN_HEADER)
            return is_known and isinstance(token, str) and bool(token)
        return is_known or is_evident(exchange, route, pairs)


def is_evident(exchange: Exchange, route: Route, pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether a call shows by itself that it is one to Koncili, whatever came before it."""
    if route.endpoints is None or route.path == MOCK_CONTROL:
        return False
    known = route.path in _AUTH or (route.is_near and not _is_of_another(exchange, route))
    return known or _has_koncilis_headers(exchange) or _names_an_order(exchange, pairs)


def _is_of_another(exchange: Exchange, route: Route) -> bool:
    """Whether what runs on this machine is no mock of Koncili, for all that is recorded: whoever develops an integration has a
    program of their own there, with orders too."""
    request, answer = exchange.request, exchange.response
    if not route.is_local or request.some_headers or isinstance(request.headers, Missing):
        return False
    told = answer.body if isinstance(answer, Response) else NOT_RECORDED
    return isinstance(told, bytes) and not any(word in told for word in _IN_ITS_REFUSALS)


def _route_of(url: str) -> tuple[Route | None, str]:
    """What the address says, and the query; no route where the URL is none."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None, ""
    base, path = _split(parts.path)
    whole = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{base}" if parts.netloc else base
    near = not host or host in _LOCAL_HOSTS or "koncili" in host.lower()
    endpoints = {one.method: (one, one.label) for one in Endpoint if one.path == path}
    return Route(whole, path, near, host in _LOCAL_HOSTS, endpoints if is_documented_path(path) else None), parts.query


def _split(path: str) -> tuple[str, str]:
    """What stands before a documented path, and that path; of another path nothing, and all of it."""
    for known in _PATHS:
        if path == known or path.endswith(known):
            return path[: -len(known)], known
    return "", path


def pairs_of(query: str) -> list[tuple[str, str]]:
    """Names and values of a query, empty ones too."""
    if "%" in query or "+" in query:
        return parse_qsl(query, keep_blank_values=True)
    parts = (part.partition("=") for part in query.split("&") if part)
    return [(name, value) for name, _, value in parts]


def _has_koncilis_headers(exchange: Exchange) -> bool:
    headers = exchange.request.headers
    names = set() if isinstance(headers, Missing) else {name for name, _ in headers}
    return TOKEN_HEADER.lower() in names or INTEGRATOR_HEADER in names


def _names_an_order(exchange: Exchange, pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether a call to an unknown host is about an order or a reconciliation as only Koncili knows them."""
    if {name for name, value in pairs if value} >= _IDENTITY:
        return True
    body = exchange.request.body
    if isinstance(body, Missing) or b"accountId" not in body:
        return False
    try:
        content = loads(body)
    except NotJSON:
        return False
    return isinstance(content, dict) and {"channelName", "accountId"} <= content.keys()
