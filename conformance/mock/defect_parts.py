"""What defects are made of: changes of answers, of values, and of what a mock looks at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.mock.quirks import Answer, Defect
from conformance.mock.world import Body, MockWorld


def rules(*ids: str) -> frozenset[str]:
    return frozenset(ids)


def overlooked_on(rule_id: str, endpoint: Endpoint) -> Defect:
    return Defect(
        name=f"{rule_id.lower()}-not-on-{endpoint.value.lower()}",
        statement=f"Does not enforce {rule_id} on {endpoint.label}.",
        rules=rules(rule_id),
        overlooks=lambda breach, request: breach.rule == rule_id and request.endpoint is endpoint,
    )


def too_strict(
    name: str,
    statement: str,
    objects: Callable[[Body], str | None],
    *blamed: str,
    endpoint: Endpoint = Endpoint.SUBMIT_ORDER,
) -> Defect:
    """A mock that refuses lawful calls: those in which `objects` names a field."""

    def objection(request: Request, body: Body, _: MockWorld) -> Breach | None:
        where = objects(body) if request.endpoint is endpoint else None
        return Breach("ORD-13", where, f"{where} is not acceptable") if where else None

    return Defect(name=name, statement=statement, rules=rules(*blamed), objects=objection)


def per_value(change: Callable[[Any], Any]) -> Callable[[Body], Body]:
    """A change of every extract's value, as a hook that shows an order."""

    def shows(order: Body) -> Body:
        extracts = [{**extract, "value": change(extract["value"])} for extract in order.get("extracts", ())]
        return {**order, "extracts": extracts}

    return shows


def refusals(change: Callable[[Answer], Answer]) -> Callable[[Request, Answer], Answer]:
    """A change of every refusal that carries an error body."""

    def answers(_: Request, answer: Answer) -> Answer:
        return change(answer) if isinstance(answer.body, dict) and "errorCode" in answer.body else answer

    return answers


def on(endpoint: Endpoint, change: Callable[[Answer], Answer]) -> Callable[[Request, Answer], Answer]:
    """A change of every success of one endpoint."""
    return lambda request, answer: (
        change(answer) if request.endpoint is endpoint and answer.status < 300 else answer  # noqa: PLR2004
    )


def without(name: str) -> Callable[[Answer], Answer]:
    return lambda answer: answer.having(
        body={key: value for key, value in answer.body.items() if key != name}
        if isinstance(answer.body, dict)
        else answer.body
    )


def with_fields(**fields: object) -> Callable[[Answer], Answer]:
    return lambda answer: answer.having(body={**answer.body, **fields} if isinstance(answer.body, dict) else fields)
