"""Queries that a recorder has left out: which order one was about, its answer may show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from conformance.audit.masks import stands_instead
from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import JSONValue, NotJSON, loads
from conformance.traffic.exchange import Exchange, Response

BY_QUERY: Final = frozenset({Endpoint.GET_ORDER, Endpoint.DELETE_ORDER})
"""They name the order in their query."""

IDENTITY: Final = ("marketplaceCode", "channelName", "accountId")

_OK: Final = 200


def is_blotted(query: Mapping[str, str]) -> bool:
    """Whether another text stands in place of what it names."""
    return any(stands_instead(query[name]) for name in IDENTITY if name in query)


def names_all(query: Mapping[str, str]) -> bool:
    """Whether it names account, channel and order."""
    return all(query.get(name) for name in IDENTITY)


def named_by(query: Mapping[str, str], exchange: Exchange) -> Mapping[str, JSONValue]:
    """What a query says of the order that it is about, where it does not say all of it the order that it was answered with."""
    if is_blotted(query):
        return _shown_in(exchange)
    return query if names_all(query) else _shown_in(exchange) or query


def _shown_in(exchange: Exchange) -> Mapping[str, JSONValue]:
    """What the answer to a query for an order shows of whose order it is; nothing where it does not show all of it."""
    answer = exchange.response
    if exchange.request.method != Endpoint.GET_ORDER.method or not isinstance(answer, Response) or answer.status != _OK:
        return {}
    try:
        shown = loads(answer.body) if isinstance(answer.body, bytes) else None
    except NotJSON:
        return {}
    return {name: shown[name] for name in IDENTITY} if isinstance(shown, dict) and shown.keys() >= set(IDENTITY) else {}
