"""Requests that Schemathesis makes of the OpenAPI document: its coverage phase, as values of our own.

It only makes them: nothing is sent from here, and nothing of Schemathesis leaves this module. Schemathesis changes
Hypothesis for the whole process, so it is imported here and nowhere else, and by `load_schemathesis` first.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema_rs import Draft202012Validator

from conformance.compat.hypothesis import drawing_no_constants, unchanged_by
from conformance.contract.jsontext import JSONValue, NotJSON, dumps, loads
from conformance.contract.openapi import JSON, METHODS

if TYPE_CHECKING:
    from schemathesis.generation.case import Case
    from schemathesis.specs.openapi.schemas import OpenApiSchema

OTHER_METHODS = ("delete", "get", "patch", "post", "put")
"""What is tried where it is not declared. Not OPTIONS, which a server may answer anywhere, nor TRACE and QUERY: 501 is the
right answer of a server that knows no such method, and would count as a server error."""


@dataclass(frozen=True, slots=True)
class SchemaCase:
    """One request to be. Security headers are left to the client; a header that is None is to be left out."""

    operation_id: str
    description: str
    """What was changed, in words."""
    positive: bool
    """Whether the document allows it. That does not make it lawful: accounts, dates and codes are made up."""
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str | None]
    body: bytes | None
    kind: str = ""
    """The kind of change, by Schemathesis's name: `incorrect_type`."""


# -- what others use -----------------------------------------------------------------------------------------------


@cache
def load_schemathesis() -> None:
    """Import Schemathesis, and put back what that changes in Hypothesis for every test of the process."""
    unchanged_by(_import_schemathesis)


def _import_schemathesis() -> None:
    from schemathesis.generation.hypothesis import setup

    setup()  # what it changes, it changes once: now, rather than when some part of it is first used


def coverage_cases(operation_id: str, document: Mapping[str, Any]) -> list[SchemaCase]:
    """All cases of one operation, in an order that is always the same.

    Positives match the document. Negatives do not, in their body or a query parameter, or go by a method that is not
    declared for the path (those come with the operation that the document has first there). Raises LookupError where the
    document has no such operation.
    """
    return list(_cases(operation_id, json.dumps(document)))


def chosen(cases: Sequence[SchemaCase], at_most: int) -> list[SchemaCase]:
    """So many of the cases, in their order: all kinds alike, within a kind all descriptions, and of those far apart.

    A larger choice holds every smaller one. Choose positives and negatives apart, else the kinds of both compete.
    """
    left = list(range(len(cases)))
    kinds, descriptions = Counter[str](), Counter[str]()
    distances = [len(cases)] * len(cases)
    picked: list[int] = []
    while left and len(picked) < at_most:
        best = min(left, key=lambda i: (kinds[cases[i].kind], descriptions[cases[i].description], -distances[i], i))
        left.remove(best)
        picked.append(best)
        kinds[cases[best].kind] += 1
        descriptions[cases[best].description] += 1
        distances = [min(distance, abs(position - best)) for position, distance in enumerate(distances)]
    return [cases[position] for position in sorted(picked)]


# -- making them ---------------------------------------------------------------------------------------------------


@cache
def _loaded(document: str) -> OpenApiSchema:
    """The document (as JSON) as Schemathesis reads it, without regard to any schemathesis.toml that is about."""
    load_schemathesis()
    import schemathesis

    config = schemathesis.Config.from_dict(
        {
            "generation": {"with-security-parameters": False},
            "phases": {"coverage": {"unexpected-methods": list(OTHER_METHODS)}},
        }
    )
    return schemathesis.openapi.from_dict(_restated(json.loads(document)), config=config)


def _restated(node: JSONValue) -> JSONValue:
    """The same schemas, put so that Schemathesis sees a format beside several types: else it takes "" for a date-time."""
    if isinstance(node, list):
        return [_restated(part) for part in node]
    if not isinstance(node, dict):
        return node
    parts = {name: _restated(part) for name, part in node.items()}
    kinds, form = parts.get("type"), parts.get("format")
    if isinstance(kinds, list) and isinstance(form, str):
        del parts["type"], parts["format"]
        parts["anyOf"] = [{"type": kind, "format": form} if kind == "string" else {"type": kind} for kind in kinds]
    return parts


@cache
def _cases(operation_id: str, document: str) -> tuple[SchemaCase, ...]:
    shape = _Shape(operation_id, json.loads(document))
    schema = _loaded(document)
    from schemathesis.generation import GenerationMode
    from schemathesis.generation.coverage import GenerationSession

    operation = schema.find_operation_by_id(operation_id)
    with drawing_no_constants():
        made = list(
            schema.iter_coverage_cases(
                operation,
                generation_modes=list(GenerationMode),
                generation_config=schema.config.generation_for(operation=operation),
                session=GenerationSession(),  # else a method tried with one operation is left out with the next
            )
        )
    cases = [_as_case(operation_id, case) for case in made]
    return tuple(case for case in cases if case is not None and shape.agrees(case))


def _as_case(operation_id: str, case: Case[Any]) -> SchemaCase | None:
    """The case as a value of our own; None where a query of texts can't say it (a parameter given twice)."""
    from schemathesis.core import NOT_SET
    from schemathesis.generation.meta import CoveragePhaseData

    if not all(isinstance(value, str) for value in case.query.values()):
        return None
    assert case.meta is not None
    change = case.meta.phase.data
    assert isinstance(change, CoveragePhaseData)
    place = str(change.parameter_location.value) if change.parameter_location else ""
    where = f"{place} {change.parameter}: " if place == "query" else f"{place}: " if place else ""
    return SchemaCase(
        operation_id=operation_id,
        description=f"{where}{change.description}",
        positive=case.meta.generation.mode.is_positive,
        method=case.method,
        path=case.formatted_path,
        query=dict(case.query),
        headers={name: str(value) for name, value in case.headers.items()},
        body=None if case.body is NOT_SET else dumps(case.body).encode(),
        kind=str(change.scenario),
    )


class _Shape:
    """What the document says of one operation's requests, read by ourselves."""

    def __init__(self, operation_id: str, document: dict[str, Any]) -> None:
        self._document = document
        path, self._method, operation = self._find(operation_id)
        item = document["paths"][path]
        self._is_first = next(method for method in item if method in METHODS) == self._method
        parameters = [self._resolved(part) for part in (*item.get("parameters", ()), *operation.get("parameters", ()))]
        self._query = {part["name"]: part for part in parameters if part["in"] == "query"}
        self._validators = {name: self._validator(part["schema"]) for name, part in self._query.items()}
        self._body = self._resolved(operation.get("requestBody", {}))
        schema = self._body.get("content", {}).get(JSON, {}).get("schema")
        self._body_validator = None if schema is None else self._validator(schema)

    def _find(self, operation_id: str) -> tuple[str, str, dict[str, Any]]:
        for path, item in self._document["paths"].items():
            for method in METHODS:
                if item.get(method, {}).get("operationId") == operation_id:
                    return path, method, item[method]
        raise LookupError(f"no operation {operation_id}")

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            _, _, kind, name = node["$ref"].split("/")
            node = self._document["components"][kind][name]
        return node

    def _validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        return Draft202012Validator({**schema, "components": self._document["components"]}, validate_formats=True)

    def agrees(self, case: SchemaCase) -> bool:
        """Whether the case is what it is said to be. A wrong Content-Type alone is not: no document says it is refused."""
        if case.method.lower() != self._method:
            return self._is_first and not case.positive
        return case.positive == (self._allows_query(case.query) and self._allows_body(case.body))

    def _allows_query(self, query: Mapping[str, str]) -> bool:
        if not all(name in query for name, parameter in self._query.items() if parameter.get("required")):
            return False
        return all(
            any(self._validators[name].is_valid(value) for value in _readings(text))
            for name, text in query.items()
            if name in self._validators
        )

    def _allows_body(self, body: bytes | None) -> bool:
        if body is None:
            return not self._body.get("required")
        return self._body_validator is None or self._body_validator.is_valid(loads(body))


def _readings(text: str) -> list[JSONValue]:
    """What a server may take the text of a parameter for: itself, or the number or other JSON that it spells."""
    try:
        return [text, loads(text)]
    except NotJSON:
        return [text]
