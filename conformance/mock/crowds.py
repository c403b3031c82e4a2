"""Variants that do what the documents allow where calls come at once: they make them wait, refuse some or all of them, answer in
another sequence, or lose an answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import Request
from conformance.mock.quirks import Answer, Variant, Wire

AtOnce = Callable[[Request, int, int], Answer | None]

_WRITING: Final = frozenset(
    {
        Endpoint.SUBMIT_ORDER,
        Endpoint.DELETE_ORDER,
        Endpoint.CREATE_RECONCILIATION,
        Endpoint.SUBMIT_RELEASE,
        Endpoint.REFRESH_TOKEN,
    }
)
_LOCKED: Final = Answer(409, {"errorMessage": "locked by another call", "errorCode": "409-0", "errorSource": "lock"})
_TOO_MANY: Final = Answer(
    429, {"errorMessage": "too many calls at once", "errorCode": "429"}, MappingProxyType({"Retry-After": "1"})
)
UNAVAILABLE: Final = Answer(503, b"<html>Service Unavailable</html>")
OFTEN: Final = 7
"""Every so many crowds something fails, for a variant in which it does now and then: more than an example has."""
_SECONDS: Final = 0.003


def _all(answer: Answer, *endpoints: Endpoint) -> AtOnce:
    """This answer to all that come at once."""
    return lambda request, _, __: answer if request.endpoint in (endpoints or _WRITING) else None


def _but_first(answer: Answer, *endpoints: Endpoint) -> AtOnce:
    """This answer to all but the first."""
    return lambda request, number, _: answer if number and request.endpoint in (endpoints or _WRITING) else None


def _now_and_then(at_once: AtOnce) -> AtOnce:
    return lambda request, number, crowd: at_once(request, number, crowd) if not crowd % OFTEN else None


def _slowly(_request: Request, _number: int, _crowd: int) -> None:
    time.sleep(_SECONDS)


def _refused(name: str, statement: str, endpoint: Endpoint, answer: Answer = _LOCKED) -> Variant:
    return Variant(name=f"at-once-{name}-refused", statement=statement, at_once=_all(answer, endpoint))


CROWDS: Final = (
    Variant(
        name="at-once-slowly",
        statement="Takes its time for each of several calls at once, one after the other.",
        at_once=_slowly,
    ),
    Variant(
        name="at-once-all-refused",
        statement="Refuses all that come at once about the same, and takes the next.",
        at_once=_all(_LOCKED),
    ),
    _refused(
        "creations",
        "Refuses all reconciliations that are opened at once, and takes the next.",
        Endpoint.CREATE_RECONCILIATION,
    ),
    _refused("releases", "Refuses all releases that come at once, and takes the next.", Endpoint.SUBMIT_RELEASE),
    _refused("orders", "Refuses all submissions of an order at once, and takes the next.", Endpoint.SUBMIT_ORDER),
    _refused(
        "refreshes",
        "Refuses all refreshes by one token at once: it is stolen, perhaps.",
        Endpoint.REFRESH_TOKEN,
        Answer(401, {"errorMessage": "used twice", "errorCode": "401-0"}),
    ),
    Variant(
        name="at-once-409",
        statement="Answers 409 to all but the first of several at once, without looking at them.",
        at_once=_but_first(_LOCKED),
    ),
    Variant(
        name="at-once-429",
        statement="Answers 429 to all but the first of several at once, and says when to try again.",
        at_once=_but_first(_TOO_MANY),
    ),
    Variant(
        name="at-once-503",
        statement="Answers 503 to all but the first of several at once, now and then, and does nothing.",
        at_once=_now_and_then(_but_first(UNAVAILABLE)),
    ),
    Variant(
        name="at-once-lost",
        statement="Carries out all that comes at once, and answers 502 to all but the first, now and then.",
        loses_at_once=_now_and_then(_but_first(Answer(502, b"<html>Bad Gateway</html>"))),
    ),
    Variant(
        name="at-once-out-of-order",
        statement="Answers the first of several at once when all others are answered.",
        first_answered_last=True,
    ),
    Variant(
        name="at-once-on-a-socket",
        statement="Answers the first of several at once last, on connections of their own.",
        wire=Wire(),
        first_answered_last=True,
    ),
)
