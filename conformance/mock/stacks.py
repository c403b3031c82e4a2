"""Variants as whole stacks are by their defaults: how a framework, a serializer and a database together answer and print."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import simplejson
from simplejson import RawJSON

from conformance.contract.endpoints import ACCESS_TOKEN_FIELD, REFRESH_TOKEN_FIELD, TOKEN_HEADER, Endpoint
from conformance.contract.jsontext import dumps
from conformance.contract.judge import Request
from conformance.contract.order_rules import DATE_FIELDS
from conformance.mock.defects.parts import reading, refusals, with_fields
from conformance.mock.quirks import Answer, Variant
from conformance.mock.spellings import ALL_DATES, BRASILIA, WRITERS, in_another_way, seconds_left_out
from conformance.mock.world import Body

_AMOUNTS: Final = frozenset({"totalGrossValue", "value", "percentage"})

_Number = Callable[[Decimal], str]


def _shown(*, date: Callable[[datetime], str] | None = None, number: _Number | None = None) -> Callable[[Body], Body]:
    """An order with its dates and amounts printed in another way, where that is as exact."""
    change = in_another_way(date) if date else None

    def printed(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: printed(part, key) for key, part in value.items()}
        if isinstance(value, list):
            return [printed(part) for part in value]
        if change is not None and name in {*DATE_FIELDS, "expectedDate"}:
            return change(value)
        if number is not None and name in _AMOUNTS and isinstance(value, int | Decimal) and not isinstance(value, bool):
            text = number(Decimal(value))
            return RawJSON(text) if Decimal(text) == value else value
        return value

    return printed


def _without_nulls(order: Body) -> Body:
    kept = {name: value for name, value in order.items() if value is not None}
    extracts: Any = kept.get("extracts")
    if isinstance(extracts, list):
        kept["extracts"] = [{name: part for name, part in one.items() if part is not None} for one in extracts]
    return kept


def _sorted(value: Any) -> Any:
    """With its fields in the sequence of their names."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(part) for part in value] if isinstance(value, list) else value


def _utc(digits: int) -> Callable[[datetime], str]:
    """UTC, with so many digits of a second."""
    return lambda instant: f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}".ljust(29, "0")[: 20 + digits] + "Z"


def _shortest_fraction(instant: datetime) -> str:
    text = f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"
    return text.rstrip("0").rstrip(".") + "Z"


def _postgres(instant: datetime) -> str:
    """As PostgreSQL casts a timestamptz to text."""
    return instant.astimezone(BRASILIA).isoformat(sep=" ").removesuffix(":00")


def _as_float(value: Decimal) -> str:
    """As JavaScript and PHP print it: no more digits than it takes, and no point where there is nothing after it."""
    text = f"{value.normalize():f}"
    return text if Decimal(text) == value else str(value)


def _as_go(value: Decimal) -> str:
    return simplejson.dumps(float(value)) if abs(value) < 10**6 else f"{float(value):e}"


def _encoded(
    encode: Callable[[object], bytes], content_type: str = "application/json"
) -> Callable[[Request, Answer], Answer]:
    """Every answer's JSON written by another serializer."""

    def answers(_: Request, answer: Answer) -> Answer:
        if answer.body is None or isinstance(answer.body, bytes):
            return answer
        headers = MappingProxyType({**answer.headers, "Content-Type": content_type})
        return answer.having(body=encode(answer.body), headers=headers)

    return answers


def _raw(body: object) -> str:
    return simplejson.dumps(body, use_decimal=True, ensure_ascii=False)


def _by_php(body: object) -> bytes:
    """Slashes and all letters beyond ASCII escaped."""
    return dumps(body).replace("/", r"\/").encode()


def _by_go(body: object) -> bytes:
    """Raw UTF-8, what HTML has a meaning for escaped, and a line's end after it."""
    text = _raw(body)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return _bytes(f"{text}\n")


def _by_node(body: object) -> bytes:
    return _bytes(_raw(body))


def _bytes(text: str) -> bytes:
    """UTF-8; half a character is escaped."""
    return re.sub(r"[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text).encode()


def _then(*changes: Callable[[Request, Answer], Answer]) -> Callable[[Request, Answer], Answer]:
    """One change of an answer after the other."""

    def answers(request: Request, answer: Answer) -> Answer:
        for change in changes:
            answer = change(request, answer)
        return answer

    return answers


def _after(*changes: Callable[[Body], Body]) -> Callable[[Body], Body]:
    def shows(order: Body) -> Body:
        for change in changes:
            order = change(order)
        return order

    return shows


def _refusing(fields: Callable[[Answer], Mapping[str, object]]) -> Callable[[Request, Answer], Answer]:
    """More fields in every refusal."""
    return refusals(lambda answer: with_fields(**fields(answer))(answer))


def _zipped(_: Request, answer: Answer) -> Answer:
    if answer.body is None:
        return answer
    body = answer.body if isinstance(answer.body, bytes) else dumps(answer.body).encode()
    kind = answer.headers.get("Content-Type", "application/json")
    headers = {**answer.headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding", "Content-Type": kind}
    return answer.having(body=gzip.compress(body, mtime=0), headers=MappingProxyType(headers))


def _no_method_there(_: Request, answer: Answer) -> Answer:
    """A router that knows no path with that method knows no path at all."""
    return (
        with_fields(errorCode="404")(answer).having(status=404)
        if answer.status == HTTPStatus.METHOD_NOT_ALLOWED
        else answer
    )


_TOKENS: Final = frozenset({Endpoint.CREATE_TOKEN, Endpoint.REFRESH_TOKEN})


class _OpaqueTokens:
    """Tokens as a framework keeps them in a table: a number and a secret, in place of a JWT."""

    def __init__(self) -> None:
        self._meant: dict[str, str] = {}

    def answers(self, request: Request, answer: Answer) -> Answer:
        """Hand out the opaque ones."""
        if request.endpoint not in _TOKENS or not isinstance(answer.body, dict):
            return answer
        named = {name: answer.body[name] for name in (ACCESS_TOKEN_FIELD, REFRESH_TOKEN_FIELD) if name in answer.body}
        return with_fields(**{name: self._opaque(token) for name, token in named.items()})(answer)

    def reads(self, request: Request) -> Request:
        """Understand them."""
        headers, name = dict(request.headers), TOKEN_HEADER.lower()
        if headers.get(name):
            headers[name] = self._meant.get(headers[name], headers[name])
        sent = request.fields.get(REFRESH_TOKEN_FIELD)
        if request.endpoint is Endpoint.REFRESH_TOKEN and isinstance(sent, str) and sent in self._meant:
            return replace(request, headers=headers, body=dumps({REFRESH_TOKEN_FIELD: self._meant[sent]}).encode())
        return replace(request, headers=headers)

    def _opaque(self, token: str) -> str:
        opaque = f"{len(self._meant) + 1}|{sha256(token.encode()).hexdigest()[:40]}"
        self._meant[opaque] = token
        return opaque


_OPAQUE: Final = _OpaqueTokens()


def _as_gson(body: Any) -> Any:
    """As Gson writes what it has read into a Map: every number is a double, and shows its point."""
    if isinstance(body, dict):
        return {name: _as_gson(value) for name, value in body.items()}
    if isinstance(body, list):
        return [_as_gson(part) for part in body]
    whole = isinstance(body, int) and not isinstance(body, bool)
    return Decimal(f"{body}.0") if whole else body


def _by_gson(_: Request, answer: Answer) -> Answer:
    return answer if isinstance(answer.body, bytes | None) else answer.having(body=_as_gson(answer.body))


STACKS: Final = (
    Variant(
        name="spring-jackson",
        statement="Is as a Spring service with Jackson: OffsetDateTime, BigDecimal, and its own fields in refusals.",
        shows=_shown(date=seconds_left_out, number=lambda value: f"{value:.2f}"),
        answers=_refusing(
            lambda answer: {"timestamp": "2026-06-01T12:00:00.000+00:00", "status": answer.status, "path": "/order"}
        ),
    ),
    Variant(
        name="spring-mariadb",
        statement="Keeps dates in DATETIME columns, in UTC and to the second, and shows extracts by type.",
        reads=reading(in_another_way(lambda instant: _utc(0)(instant).replace(".", "")), ALL_DATES, *WRITERS),
        shows=lambda order: {**order, "extracts": sorted(order.get("extracts") or [], key=lambda one: str(one.get("type")))},
        disregards=frozenset({"QRY-06"}),
    ),
    Variant(
        name="jackson-without-nulls",
        statement="Leaves out what is null in order and extracts, its fields in the sequence of their names.",
        shows=_after(_without_nulls, _sorted),
    ),
    Variant(
        name="asp-net",
        statement="Is as an ASP.NET service: seven digits of a second, decimals as they came, ProblemDetails beside the error.",
        shows=_shown(date=_utc(7)),
        answers=_then(
            _refusing(lambda answer: {
                "type": "https://tools.ietf.org/html/rfc9110", "title": "Bad Request", "status": answer.status,
                "traceId": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
            }),
            _encoded(lambda body: dumps(body).encode(), "application/json; charset=utf-8"),
        ),
    ),
    Variant(
        name="rails",
        statement="Is as a Rails service: milliseconds, floats, times of its own beside an order's, 201 where something is made.",
        shows=_after(
            _shown(date=_utc(3), number=_as_float),
            lambda order: {"id": 17, **order, "created_at": "2026-06-01T12:00:00.000Z", "updated_at": "2026-06-01T12:00:00.000Z"},
        ),
        answers=_encoded(_by_node, "application/json; charset=utf-8"),
    ),
    Variant(
        name="laravel",
        statement="Is as a Laravel service: microseconds, escaped slashes, and every field's messages beside the error.",
        shows=_shown(date=_utc(6), number=_as_float),
        answers=_then(
            _refusing(lambda _: {"message": "The given data was invalid.", "errors": {"field": ["invalid"]}}),
            _encoded(_by_php),
        ),
    ),
    Variant(
        name="express",
        statement="Is as an Express service: raw UTF-8, shortest numbers, what is null left out, 404 for a wrong method.",
        shows=_after(_shown(date=_utc(3), number=_as_float), _without_nulls),
        answers=_then(_no_method_there, _encoded(_by_node, "application/json; charset=utf-8")),
    ),
    Variant(
        name="go",
        statement="Is as a Go service: nulls left out, shortest fractions, fmt's floats, a line's end after the JSON.",
        shows=_after(_shown(date=_shortest_fraction, number=_as_go), _without_nulls),
        answers=_encoded(_by_go),
    ),
    Variant(
        name="postgres-text",
        statement="Shows dates as PostgreSQL casts them to text: 2025-05-09 09:00:00-03.",
        shows=_shown(date=_postgres),
    ),
    Variant(
        name="gson",
        statement="Shows every whole number with a decimal: the id of a reconciliation is 237.0 (Gson, of a Map).",
        answers=_by_gson,
        notifies=lambda notification: [_as_gson(notification)],
    ),
    Variant(
        name="opaque-tokens",
        statement="Gives tokens of a number and a secret, in place of a JWT.",
        answers=_OPAQUE.answers,
        reads=_OPAQUE.reads,
    ),
    Variant(
        name="no-token-with-more",
        statement="Says NO_TOKEN with more fields beside it.",
        answers=lambda _, answer: (
            with_fields(status=403, path="/order")(answer) if answer.body == {"response": "NO_TOKEN"} else answer
        ),
    ),
    Variant(
        name="creation-with-more",
        statement="Answers a creation with all that it was sent, beside the id.",
        answers=lambda request, answer: (
            with_fields(**{**request.fields, **answer.body, "status": "OPEN", "releases": []})(answer)
            if request.endpoint is Endpoint.CREATE_RECONCILIATION and isinstance(answer.body, dict) and "id" in answer.body
            else answer
        ),
    ),
    Variant(name="zipped", statement="Compresses every answer.", answers=_zipped),
    Variant(
        name="accepted-for-later",
        statement="Answers 202 to a release and to a deletion.",
        answers=lambda request, answer: (
            answer.having(status=202)
            if request.endpoint in {Endpoint.SUBMIT_RELEASE, Endpoint.DELETE_ORDER} and answer.status == HTTPStatus.OK
            else answer
        ),
    ),
)  # fmt: skip
