"""Requests to be: a call to an endpoint, and an edit that changes it in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from conformance.contract.endpoints import CREDENTIALS_FIELD, REFRESH_TOKEN_FIELD, Endpoint
from conformance.contract.jsontext import told
from strategies import identifiers
from strategies.orders import Order, orders
from strategies.placeholders import CODE, CREDENTIALS, REFRESH_TOKEN, Placeholder
from strategies.reconciliations import Batch, batches
from strategies.scope import Place, Scope
from strategies.written import PLAIN, Spelling


class _LeftOut:
    def __repr__(self) -> str:
        return "(left out)"


LEFT_OUT: Final = _LeftOut()

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A body made from the JSON text of the lawful one (`how` says it in words)."""

    how: str
    change: Callable[[bytes], bytes]

    def __repr__(self) -> str:
        return f"({self.how})"


@dataclass(frozen=True, slots=True)
class Call:
    """A request to be. A header that is None is left out; `order` must have been accepted before it is sent, of a
    `batch` what comes before the creation or before the first order's release."""

    endpoint: Endpoint
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    order: Order | None = None
    batch: Batch | None = None
    shape: str = "amazon"
    rendered: Rendered | None = None
    spelling: Spelling = PLAIN


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a call: where (`body`, `query` or `headers`, then keys and positions) and to what."""

    path: Path
    value: Any
    also: tuple[tuple[Path, Any], ...] = ()
    """What one change takes in two places: an account and its channel."""

    def apply(self, call: Call) -> Call:
        """The call with this change and no other."""
        if isinstance(self.value, Rendered):
            return replace(call, rendered=self.value)
        for path, value in ((self.path, self.value), *self.also):
            part = str(path[0])
            call = replace(call, **{part: _with(getattr(call, part), path[1:], value)})
        return call

    @property
    def placeholders(self) -> frozenset[str]:
        """The names of the placeholders that it puts in."""
        values = (self.value, *(value for _, value in self.also))
        return frozenset(value.name for value in values if isinstance(value, Placeholder))

    @property
    def where(self) -> str:
        """The changed place in words: `extracts[0].type`."""
        text = ""
        for key in self.path[1:]:
            text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
        return text or str(self.path[0])

    def __str__(self) -> str:
        return f"{self.where} = {told(self.value)}"


def _with(holder: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(holder, list):
        assert isinstance(key, int)
        return [*holder[:key], _with(holder[key], rest, value), *holder[key + 1 :]]
    if not rest and value is LEFT_OUT:
        return {name: part for name, part in holder.items() if name != key}
    return {**holder, key: _with(holder.get(key), rest, value)}


@st.composite
def submissions(draw: DrawFn, /, scope: Scope, *, shapes: tuple[str, ...] = (), **wanted: Any) -> Call:
    """POST /order with a lawful order; `shapes` are those of its code, `wanted` is handed to `orders`."""
    body = draw(orders(scope, **wanted))
    return Call(Endpoint.SUBMIT_ORDER, body=body, shape=draw(identifiers.shape_names(shapes)))


@st.composite
def lookups(draw: DrawFn, /, scope: Scope, endpoint: Endpoint, *, shapes: tuple[str, ...] = (), **wanted: Any) -> Call:
    """GET or DELETE /order for an order that is there."""
    order = draw(orders(scope, **wanted))
    query = {
        "marketplaceCode": CODE,
        "channelName": order["channelName"],
        "accountId": str(order["accountId"]),
    }
    return Call(endpoint, query=query, order=order, shape=draw(identifiers.shape_names(shapes)))


_ONLY_BODY: Final = {
    Endpoint.CREATE_TOKEN: {CREDENTIALS_FIELD: CREDENTIALS},
    Endpoint.REFRESH_TOKEN: {REFRESH_TOKEN_FIELD: REFRESH_TOKEN},
}


def calls(scope: Scope, endpoint: Endpoint, **wanted: Any) -> st.SearchStrategy[Call]:
    """A lawful call to the endpoint."""
    match endpoint:
        case Endpoint.CREATE_TOKEN | Endpoint.REFRESH_TOKEN | Endpoint.LIST_ACCOUNTS:
            return st.just(Call(endpoint, body=_ONLY_BODY.get(endpoint)))
        case Endpoint.SUBMIT_ORDER:
            return submissions(scope, **wanted)
        case Endpoint.GET_ORDER | Endpoint.DELETE_ORDER:
            return lookups(scope, endpoint, **wanted)
        case Endpoint.CREATE_RECONCILIATION:
            return batches(scope, **wanted).map(creation_of)
        case Endpoint.SUBMIT_RELEASE:
            return batches(scope, at_least=2, at_most=2, **wanted).map(release_of)


def creation_of(batch: Batch) -> Call:
    """POST /reconciliation that opens the batch."""
    return Call(Endpoint.CREATE_RECONCILIATION, body=batch.creation, batch=batch, shape=batch.shape)


def release_of(batch: Batch, order: int = 0) -> Call:
    """POST /reconciliation/release for one order of the batch."""
    return Call(Endpoint.SUBMIT_RELEASE, body=batch.releases[order], batch=batch, shape=batch.shape)


def place_of(call: Call) -> Place:
    """The account and channel that a call is about; it must be one about an order."""
    holder = call.query if call.endpoint in {Endpoint.GET_ORDER, Endpoint.DELETE_ORDER} else call.body
    return Place(int(holder["accountId"]), holder["channelName"])
