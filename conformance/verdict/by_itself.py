"""What a recorded call shows by itself, by the judge of requests and nothing else: whether its body breaks a rule of bodies.

Only rules that a body breaks whatever was before it, and whoever sends it, can be seen so: of orders, creations and releases.
What hangs on the endpoint's state (a period that overlaps, an order that is reconciled), on a token, on a query or on several
calls can't; neither can what an answer should hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from conformance.contract.coercion import as_taken
from conformance.contract.endpoints import Endpoint, endpoint_of
from conformance.contract.jsontext import NotJSON, loads
from conformance.contract.order_rules import Breach, judge_order
from conformance.contract.reconciliation_rules import judge_reconciliation, judge_release

_NO_OBJECT: Final = MappingProxyType(
    {Endpoint.SUBMIT_ORDER: "ORD-14", Endpoint.CREATE_RECONCILIATION: "REC-08", Endpoint.SUBMIT_RELEASE: "REL-17"}
)
"""The rule of a body that is no JSON object."""

_JUDGES: Final[Mapping[Endpoint, Callable[[Any, Mapping[str, str]], Iterable[Breach]]]] = MappingProxyType(
    {
        Endpoint.SUBMIT_ORDER: judge_order,
        Endpoint.CREATE_RECONCILIATION: judge_reconciliation,
        Endpoint.SUBMIT_RELEASE: judge_release,
    }
)

OF_BODIES: Final = frozenset(
    {f"ORD-{number:02}" for number in (2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14)}
    | {"REC-03", "REC-07", "REC-08", "REL-04", "REL-05", "REL-06", "REL-17"}
)
"""The rules that a body breaks by itself."""


def broken_by(entry: Mapping[str, Any], readings: Mapping[str, str], base_path: str) -> frozenset[str] | None:
    """The rules that the body of a recorded call breaks by itself; None where nothing can be said of it."""
    try:
        request = entry["request"]
        path = urlsplit(request["url"]).path.removeprefix(base_path)
        endpoint = endpoint_of(request["method"], path)
        text = request.get("postData", {}).get("text", "")
        if endpoint is None or endpoint not in _JUDGES or not isinstance(text, str) or "<redacted" in text:
            return None
        body = loads(text.encode())
    except NotJSON:
        assert endpoint is not None
        return frozenset({_NO_OBJECT[endpoint], "ORD-22"})
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return None
    if not isinstance(body, dict):
        return frozenset({_NO_OBJECT[endpoint]})
    return frozenset(breach.rule for breach in _JUDGES[endpoint](as_taken(body, readings), readings))
