"""The schema layer: what Schemathesis makes of the OpenAPI document, sent through our own client and judged by the document.

It judges shapes only. Whether a call that the document does not allow is refused is for the scenarios of the rule that it
breaks, which say so by name: a schema knows neither dates in order nor accounts, and can't tell which rule it was.
"""

from __future__ import annotations

import json
from typing import Any, Final

from hypothesis import strategies as st

from conformance.contract import openapi
from conformance.contract.endpoints import INTEGRATOR_HEADER, TOKEN_HEADER, Endpoint
from conformance.contract.rules import Rule, Side
from conformance.engine.bench import Bench
from conformance.engine.properties import prove
from conformance.engine.schema_cases import ALLOWED, REFUSED, UNDECLARED, SchemaCase, cases
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation

MADE_UP_CODE: Final = b'"marketplaceCode": "0"'
"""How Schemathesis fills a code; a fresh one is put in its place, since an order sent twice is an update."""

MADE_UP: Final = frozenset(
    {"createToken", "refreshToken", "getOrder", "deleteOrder", "createReconciliation", "submitRelease"}
)
"""Operations whose allowed requests are refused too, since nothing is there of what Schemathesis makes up, and its periods end
when they begin: where client errors are counted, only those that are not allowed are sent."""


def run_schema_layer(bench: Bench, rule: Rule, operation: str) -> None:
    """Send cases of one operation, as many as the profile allows; each answer has the shape of the document.

    A server error is noted against ERR-02, a method that is not documented and accepted against ERR-04, a refusal's body
    that is not as documented against ERR-01. Raises the violation of the scenario's rule.
    """
    if bench.session.resuming:
        return
    for case in _cases(bench, operation):
        law = _law(bench, rule, case)
        prove(bench, f"{bench.scenario} {case.method} {case.description}", st.none(), law, 1)


def _cases(bench: Bench, operation: str) -> list[SchemaCase]:
    place = bench.scope.places[0]
    allowed, others = _how_many(bench)
    counts = {ALLOWED: allowed, REFUSED: allowed, UNDECLARED: others}
    if bench.session.profile.client_errors is not None and operation in MADE_UP:
        del counts[ALLOWED]
    return [
        case
        for part, most in counts.items()
        for case in cases(operation, part, most, account=place.account, channel=place.channel)
    ]


def _how_many(bench: Bench) -> tuple[int, int]:
    """How many cases of each side, and how many undocumented methods: where client errors count, those are ERR-04's."""
    profile = bench.session.profile
    some = max(1, profile.sequences // 6)
    return some, some if profile.client_errors is None else 0


def _law(bench: Bench, rule: Rule, case: SchemaCase) -> Any:
    def law(_: None) -> None:
        exchange = bench.sent(_send(bench, case))
        _take_care(bench, exchange)
        _check_shape(bench, rule, case, exchange)
        bench.saw(Side.CHECKED, exchange)

    return law


def _take_care(bench: Bench, exchange: Exchange) -> None:
    """A reconciliation that was opened does not stay active."""
    if exchange.endpoint is Endpoint.CREATE_RECONCILIATION and exchange.is_accepted:
        bench.reconciliations.free(bench.scope.places[0])


def _send(bench: Bench, case: SchemaCase) -> Exchange:
    client, body = bench.session.client, case.body
    if body is not None:
        body = body.replace(MADE_UP_CODE, f'"marketplaceCode": "{bench.fresh("amazon")["code"]}"'.encode())
    headers: dict[str, str | None] = {}
    if case.path not in {Endpoint.CREATE_TOKEN.path, Endpoint.REFRESH_TOKEN.path}:
        headers = {TOKEN_HEADER: client.access_token(), INTEGRATOR_HEADER: str(client.target.integrator)}
    return client.send(case.method, case.path, query=case.query, content=body, headers=headers)


def _check_shape(bench: Bench, rule: Rule, case: SchemaCase, exchange: Exchange) -> None:
    context = f"made by Schemathesis: {case.description}"
    if exchange.endpoint is None or exchange.endpoint.value != case.operation_id:
        if exchange.status // 100 == 2:
            actual = f"it answered {exchange.status}"
            bench.observe("ERR-04", "an undocumented method to be refused", actual, exchange, context)
        return
    try:
        validator = openapi.answer_validator(case.operation_id, str(exchange.status))
    except LookupError:
        raise Violation(
            rule=rule.id,
            expected="a documented status",
            actual=f"it answered {exchange.status}",
            exchange=exchange,
            context=context,
        ) from None
    if validator is None:
        return
    problems = [problem.message for problem in validator.iter_errors(_plain(exchange))]
    if not problems:
        return
    actual = f"the body of its {exchange.status} is not: {'; '.join(problems)[:300]}"
    if exchange.status // 100 == 4:
        bench.observe("ERR-01", "the documented error body", actual, exchange, context)
    else:
        raise Violation(
            rule=rule.id, expected="the documented shape", actual=actual, exchange=exchange, context=context
        )


def _plain(exchange: Exchange) -> Any:
    """The answer's body as the validator takes it: read with floats for fractions, since only its shape counts here."""
    try:
        return json.loads(exchange.text)
    except ValueError:
        return None
