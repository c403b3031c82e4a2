"""What defects are made of: changes of answers, of values, of requests as they are read, and of what a mock looks at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import JSONValue, dumps
from conformance.contract.judge import Request
from conformance.contract.order_rules import DATE_FIELDS, Breach
from conformance.contract.reconciliation_rules import Entry, entries_of, is_whole
from conformance.mock.quirks import Answer, Defect
from conformance.mock.world import Body, MockWorld, Reconciliation, order_key

SUBMIT, QUERY, DELETE = Endpoint.SUBMIT_ORDER, Endpoint.GET_ORDER, Endpoint.DELETE_ORDER
CREATE, RELEASE = Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE

WORKFLOW: Final = ("WFL-01", "WFL-02", "WFL-03")

ALL_DATES: Final = frozenset({*DATE_FIELDS, "expectedDate", "periodInitDate", "periodEndDate", "releasedDate"})

Where = Callable[[Request], bool]


def rules(*ids: str) -> frozenset[str]:
    """The rules that may be blamed."""
    return frozenset(ids)


def has_status(*statuses: str) -> Where:
    """Whether the request is about an order with one of these statuses."""
    return lambda request: request.fields.get("status") in statuses


def on_endpoint(*endpoints: Endpoint) -> Where:
    """Whether the request addresses one of these endpoints."""
    return lambda request: request.endpoint in endpoints


# -- what goes unnoticed -------------------------------------------------------------------------------------------


def overlooked(name: str, statement: str, rule_id: str, where: Callable[[Breach, Request], bool]) -> Defect:
    """A mock that overlooks some breaches of a rule."""
    return Defect(
        name=name,
        statement=statement,
        rules=rules(rule_id),
        overlooks=lambda breach, request: breach.rule == rule_id and where(breach, request),
    )


def overlooked_on(rule_id: str, endpoint: Endpoint) -> Defect:
    """A mock that does not enforce a rule on one endpoint."""
    return overlooked(
        f"{rule_id.lower()}-not-on-{endpoint.value.lower()}",
        f"Does not enforce {rule_id} on {endpoint.label}.",
        rule_id,
        lambda _, request: request.endpoint is endpoint,
    )


# -- what is refused although it is lawful -------------------------------------------------------------------------


def too_strict(
    name: str,
    statement: str,
    objects: Callable[[Any], str | None],
    *blamed: str,
    endpoint: Endpoint = SUBMIT,
) -> Defect:
    """A mock that refuses lawful calls: those in which `objects` names a field."""

    def objection(request: Request, body: Body, _: MockWorld) -> Breach | None:
        where = objects(body) if request.endpoint is endpoint else None
        return Breach("ORD-13", where, f"{where} is not acceptable") if where else None

    return Defect(name=name, statement=statement, rules=rules(*blamed), objects=objection)


def if_any(field: str, holds: Callable[[Any], bool], *where: str) -> Callable[[Any], str | None]:
    """Names `field` where that holds of one of the body's fields `where` that are there (by default itself)."""
    names = where or (field,)
    return lambda body: field if any(body.get(name) is not None and holds(body[name]) for name in names) else None


def if_any_item(list_: str, field: str, holds: Callable[[Any], bool], *where: str) -> Callable[[Any], str | None]:
    """Names `field` where that holds of it in one of the items of the list."""

    def objects(body: Body) -> str | None:
        items: Any = body.get(list_) or []
        return next((field for item in items if if_any(field, holds, *where)(item)), None)

    return objects


# -- how a request is read -----------------------------------------------------------------------------------------


def changed(request: Request, fields: Mapping[str, JSONValue]) -> Request:
    """The request with another body."""
    return Request(request.method, request.path, request.query, request.headers, dumps(fields).encode())


def reading(
    change: Callable[[Any], Any], fields: Collection[str], *endpoints: Endpoint
) -> Callable[[Request], Request]:
    """A request's body read with these fields changed, wherever they stand in it; what is no text or number stays."""

    def read(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: read(part, key) for key, part in value.items()}
        if isinstance(value, list):
            return [read(part, name) for part in value]
        try:
            return change(value) if name in fields and value is not None else value
        except (TypeError, ValueError, AttributeError, ArithmeticError):
            return value

    return lambda request: (
        changed(request, read(request.fields)) if request.endpoint in endpoints and request.fields else request
    )


def asked(change: Callable[[str], str], name: str, *endpoints: Endpoint) -> Callable[[Request], Request]:
    """A lookup read with one query parameter changed."""

    def read(request: Request) -> Request:
        if request.endpoint not in endpoints or name not in request.query:
            return request
        return replace(request, query={**request.query, name: change(request.query[name])})

    return read


# -- what is shown and answered ------------------------------------------------------------------------------------


def where_possible(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A change of an amount; one that can't be changed so stays, as one of more digits than are calculated with."""

    def changed(value: Any) -> Any:
        try:
            found = change(value)
        except ArithmeticError:
            return value
        return value if isinstance(found, Decimal) and not found.is_finite() else found

    return changed


def per_value(change: Callable[[Any], Any]) -> Callable[[Body], Body]:
    """A change of every extract's value, as a hook that shows an order; a value that can't be changed so stays."""
    changed = where_possible(change)
    return per_extract(lambda extract: {**extract, "value": changed(extract["value"])})


def per_extract(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Body], Body]:
    """A change of every extract, as a hook that shows an order."""

    def shows(order: Body) -> Body:
        given: Any = order.get("extracts", ())
        return {**order, "extracts": [change(extract) for extract in given]}

    return shows


def per_date(change: Callable[[str], str | None]) -> Callable[[Body], Body]:
    """A change of every date of an order, as a hook that shows it."""
    return lambda order: {
        name: change(value) if name in DATE_FIELDS and isinstance(value, str) else value
        for name, value in order.items()
    }


def refusals(change: Callable[[Answer], Answer]) -> Callable[[Request, Answer], Answer]:
    """A change of every refusal that carries an error body."""

    def answers(_: Request, answer: Answer) -> Answer:
        return change(answer) if isinstance(answer.body, dict) and "errorCode" in answer.body else answer

    return answers


def refusals_with(code: str, change: Callable[[Answer], Answer]) -> Callable[[Request, Answer], Answer]:
    """A change of every refusal with that code."""

    def answers(_: Request, answer: Answer) -> Answer:
        return change(answer) if isinstance(answer.body, dict) and answer.body.get("errorCode") == code else answer

    return answers


def on(endpoint: Endpoint, change: Callable[[Answer], Answer]) -> Callable[[Request, Answer], Answer]:
    """A change of every success of one endpoint."""
    return lambda request, answer: change(answer) if request.endpoint is endpoint and answer.status < 300 else answer


def without(name: str) -> Callable[[Answer], Answer]:
    """An answer without a field of its body."""
    return lambda answer: answer.having(
        body={key: value for key, value in answer.body.items() if key != name}
        if isinstance(answer.body, dict)
        else answer.body
    )


def with_fields(**fields: object) -> Callable[[Answer], Answer]:
    """An answer with other fields in its body."""
    return lambda answer: answer.having(body={**answer.body, **fields} if isinstance(answer.body, dict) else fields)


# -- what is looked at ---------------------------------------------------------------------------------------------


class Seen:
    """The world, but for what a defect sees in another way."""

    def __init__(self, world: MockWorld, **instead: Callable[..., Any]) -> None:
        self.__dict__.update(instead)
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)


def entries_and_extracts(request: Request, world: MockWorld) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """The entries of a release, and the extracts of its order."""
    key = order_key(request.fields)
    stored = world.stored(key) if key else None
    extracts = stored.body.get("extracts") if stored and stored.body else None
    return entries_of(request.fields.get("releases")), entries_of(extracts)


def reconciliation_of(request: Request, world: MockWorld) -> Reconciliation | None:
    """The reconciliation that a release names."""
    number = request.fields.get("reconciliationId")
    return world.opened(number) if request.endpoint is RELEASE and is_whole(number) else None


def in_another_sequence(request: Request, _body: Body, world: MockWorld) -> Breach | None:
    """Objects to a release whose entries are not in the sequence of the extracts."""
    entries, extracts = entries_and_extracts(request, world)
    if request.endpoint is not RELEASE or entries == extracts:
        return None
    return Breach("REL-08", "releases", "the entries are not in the sequence of the extracts")
