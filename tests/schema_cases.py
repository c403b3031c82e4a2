"""Lets Schemathesis make its cases of the OpenAPI document, and keeps those that the schema layer sends (`make schema`).

    python tests/schema_cases.py

Nothing of Schemathesis leaves this module. It changes Hypothesis for the whole process, so it is imported here and nowhere else,
and by `load_schemathesis` first.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from jsonschema_rs import Draft202012Validator

from conformance.compat.hypothesis import drawing_no_constants, unchanged_by
from conformance.contract import openapi
from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import JSONValue, NotJSON, dumps, loads
from conformance.contract.openapi import JSON, METHODS
from conformance.engine.schema_cases import (
    ACCOUNT,
    ALLOWED,
    CHANNEL,
    MOST,
    PARTS,
    REFUSED,
    TABLE,
    UNDECLARED,
    SchemaCase,
)

if TYPE_CHECKING:
    from schemathesis.generation.case import Case
    from schemathesis.specs.openapi.schemas import OpenApiSchema

OTHER_METHODS = ("delete", "get", "patch", "post", "put")
"""What is tried where it is not declared. Not OPTIONS, which a server may answer anywhere, nor TRACE and QUERY: 501 is the
right answer of a server that knows no such method, and would count as a server error."""

READ_ONLY: Final = frozenset({"deleteOrder", "refreshToken"})
"""Operations whose allowed requests keep what Schemathesis makes up: nobody owns it, so nothing is deleted or voided."""


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


def chosen(cases: Sequence[SchemaCase], at_most: int) -> list[int]:
    """The positions of so many of the cases: all kinds alike, within a kind all descriptions, and of those far apart.

    Those that say most first, so that a larger choice begins with every smaller one.
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
    return picked


def parts_of(cases: Sequence[SchemaCase]) -> dict[str, list[SchemaCase]]:
    """The cases of one operation, in the parts of which the schema layer chooses apart, else their kinds would compete."""
    own = Endpoint(cases[0].operation_id).method
    return {
        ALLOWED: [case for case in cases if case.positive],
        REFUSED: [case for case in cases if not case.positive and case.method == own],
        UNDECLARED: [case for case in cases if case.method != own],
    }


def table() -> str:
    """The text of schema_cases.json."""
    operations = {endpoint.value: _entries(endpoint.value) for endpoint in Endpoint}
    made = {"madeBy": f"Schemathesis {version('schemathesis')}", "operations": operations}
    return json.dumps(made, indent=1) + "\n"


def _entries(operation_id: str) -> dict[str, list[dict[str, Any]]]:
    parts = parts_of(coverage_cases(operation_id, document_about(operation_id, ACCOUNT, CHANNEL)))
    return {
        part: [{"position": position, **_entry(parts[part][position])} for position in chosen(parts[part], MOST)]
        for part in PARTS
    }


def _entry(case: SchemaCase) -> dict[str, Any]:
    return {
        "description": case.description,
        "kind": case.kind,
        "method": case.method,
        "path": case.path,
        "query": dict(case.query),
        "body": None if case.body is None else case.body.decode(),
    }


def document_about(operation_id: str, account: int, channel: str) -> Mapping[str, Any]:
    """The document, with an account of the target's for an example: else no allowed request could be accepted."""
    document: Any = deepcopy(openapi.load())
    if operation_id not in READ_ONLY:
        schemas = document["components"]["schemas"]
        schemas["AccountId"]["examples"] = [account]
        schemas["ChannelName"]["examples"] = [channel]
    return document  # type: ignore[no-any-return]


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
    """The same schemas, put so that Schemathesis sees a format beside several types (else it takes "" for a date-time) and the
    examples (it overlooks them where additionalProperties is written out); a type beside a constant says nothing more."""
    if isinstance(node, list):
        return [_restated(part) for part in node]
    if not isinstance(node, dict):
        return node
    parts = {name: _restated(part) for name, part in node.items()}
    if parts.get("additionalProperties") is True:
        del parts["additionalProperties"]
    if parts.keys() & {"const", "enum"} and isinstance(parts.get("type"), str):
        del parts["type"]
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
    """The case as a value of our own; None where a query of texts can't say it (a parameter given twice) or a header is
    what was changed: no document says that a wrong Content-Type is refused."""
    from schemathesis.core import NOT_SET
    from schemathesis.generation.meta import CoveragePhaseData

    if case.headers or not all(isinstance(value, str) for value in case.query.values()):
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


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
