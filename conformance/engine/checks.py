"""What an answer must be. Each check raises the violation of the rule that it is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import told
from conformance.contract.rules import Rule, catalogue
from conformance.engine.acceptance import ACCEPTED_BY
from conformance.engine.bench import Bench
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.tokens import says_no_token, tokens_in
from conformance.verdict.violation import Violation
from strategies.faults import Kind, rule_broken_by

_CODE = re.compile(r"(\d{3})(-\d+)?")
"""The status, and Koncili's own number where it has one: the bare status is a code too. (P: error reference)"""

_STATUS_OF: Final[Mapping[Endpoint | None, str]] = {
    one: ACCEPTED_BY[one] for one in (Endpoint.SUBMIT_ORDER, Endpoint.CREATE_RECONCILIATION)
}
"""The rule whose business the status of a success is, of endpoints where it is documented."""

DOCUMENTED_BODY_AREAS = frozenset({"accounts", "orders", "queries", "deletion", "reconciliations", "releases"})
"""Areas whose refusals have the documented body. Refusals of tokens have one of their own."""


def check_accepted(*, rule: Rule, exchange: Exchange, context: str = "") -> None:
    """The call was accepted, by the rule's documented status. By which 2xx orders and reconciliations are accepted at all is the
    business of the rule that says that they are."""
    is_others = exchange.is_accepted and rule.id != _STATUS_OF.get(exchange.endpoint, rule.id)
    if exchange.status not in rule.accepted and not is_others:
        raise Violation(
            rule=rule.id,
            expected=f"it to be accepted with {rule.accepted}",
            actual=f"it answered {exchange.status}",
            exchange=exchange,
            context=context,
        )


def check_refused(*, rule: Rule, exchange: Exchange, bench: Bench, context: str = "") -> None:
    """The call was refused by the rule's documented status and code. A body that is not as documented is ERR-01's."""
    expected = f"it to be refused with {rule.refused}"
    if exchange.status not in rule.refused:
        actual = f"it answered {exchange.status}"
        raise Violation(rule=rule.id, expected=expected, actual=actual, exchange=exchange, context=context)
    if rule.codes and exchange.error_code not in rule.codes:
        codes = " or ".join(rule.codes)
        raise Violation(
            rule=rule.id,
            expected=f"{expected} and code {codes}",
            actual=code_words(exchange),
            exchange=exchange,
            context=context,
        )
    if rule.no_token_body and not says_no_token(exchange):
        refusal = '{"response": "NO_TOKEN"}'
        raise Violation(
            rule=rule.id,
            expected=f"{expected} and the body {refusal}",
            actual=f"its body was {body}" if (body := exchange.text[:200]) else "its body was empty",
            exchange=exchange,
            context=context,
        )
    if rule.area == "authentication" and tokens_in(exchange) != (None, None):
        actual = "the refusal holds a token"
        raise Violation(rule=rule.id, expected="no token", actual=actual, exchange=exchange, context=context)
    if rule.area in DOCUMENTED_BODY_AREAS:
        if problem := error_body_problem(exchange):
            bench.observe("ERR-01", "the documented error body", problem, exchange, context)
        elif exchange.endpoint is not None:
            bench.well_refused[exchange.endpoint] = exchange


def is_refused(bench: Bench, kind: Kind, exchange: Exchange, context: str) -> bool:
    """Whether a call with a fault was refused, where the running law is about something else. That one is not is noted against
    the rule that says it must be: its own scenario may not send the call as it is here, as an update or after others."""
    if exchange.is_refused:
        return True
    rule = catalogue()[rule_broken_by(kind)]
    if exchange.is_accepted:
        bench.observe(
            rule.id, f"it to be refused with {rule.refused}", f"it answered {exchange.status}", exchange, context
        )
    bench.hindered(f"{rule.id}: a call with a fault got {exchange.status}")
    return False


def code_words(exchange: Exchange) -> str:
    """The code of a refusal in words."""
    return f"its code was {exchange.error_code}" if exchange.error_code is not None else "it had no errorCode"


def error_body_problem(exchange: Exchange) -> str | None:
    """In what an error body is not as documented (P: error reference), or None. errorSource may be left out if empty."""
    body = exchange.json
    if not exchange.is_utf8:
        return (
            f"the body of its {exchange.status} is not UTF-8, and no charset is declared by which it can be read: write UTF-8, "
            "or declare the charset as in Content-Type: application/json; charset=ISO-8859-1"
        )
    if not isinstance(body, dict):
        return (
            f"the body of its {exchange.status} was no JSON object: {text}"
            if (text := exchange.text[:200])
            else f"the body of its {exchange.status} was no JSON object: empty"
        )
    if not isinstance(body.get("errorMessage"), str) or not body["errorMessage"]:
        return (
            "there was no errorMessage"
            if "errorMessage" not in body
            else f"errorMessage was {told(body['errorMessage'])}"
        )
    code = body.get("errorCode")
    match = _CODE.fullmatch(code) if isinstance(code, str) else None
    if match is None:
        return "there was no errorCode" if "errorCode" not in body else f"errorCode was {told(code)}"
    if int(match[1]) != exchange.status:
        return f"errorCode was {told(code)} in an answer with status {exchange.status}"
    return None
