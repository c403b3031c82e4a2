"""JSON Schemas of the files that people write: target, waivers, scenario. Editors complete and check them by these.

A schema says what a file may hold; what only this suite can judge (a URL, a rule's name, a day too far ahead) it judges when it
reads the file. Optional keys are left out rather than null: TOML has none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

DIALECT: Final = "http://json-schema.org/draft-07/schema#"
"""What editors of TOML (Taplo, Even Better TOML) understand."""

_RULE: Final = {"type": "string", "pattern": "^[A-Z]{3,4}-[0-9]{2}$"}
_UUID: Final = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_DURATION: Final = r"^\s*[0-9]+(\.[0-9]+)?\s*[smhdSMHD]?\s*$"
_NAMES: Final = {"type": "array", "items": {"type": "string"}}


def schema_text(name: str) -> str:
    """The schema of that name (a key of SCHEMAS) as JSON text."""
    from conformance.verdict.certificate import json_schema

    if name == CERTIFICATE:
        return json_schema()
    schema = {"$schema": DIALECT, "$id": f"urn:koncili-conformance:{name}:1", **SCHEMAS[name]()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def target_schema() -> dict[str, Any]:
    """A target file."""
    from conformance.contract.readings import READINGS
    from conformance.target.config import Credentials, Target

    schema = _without_null(Target.model_json_schema(by_alias=True, ref_template="#/definitions/{model}"))
    parts = schema.pop("$defs")
    parts[Credentials.__name__]["allOf"] = [
        {"oneOf": [{"required": [name]}, {"required": [f"{name}_env"]}]} for name in ("email", "password")
    ]
    schema["properties"]["accounts"]["minItems"] = 1
    schema["properties"]["integrator"]["pattern"] = _UUID  # draft 7 knows no format of that name
    schema["properties"]["readings"] = {
        "type": "object",
        "description": "Where the documents disagree; any left out is found out by probing, or has its default.",
        "additionalProperties": False,
        "properties": {
            reading.id: {"enum": list(reading.values), "default": reading.default, "description": reading.disagreement}
            for reading in READINGS.values()
        },
    }
    schema["properties"]["reconciles_in"] = {
        "description": "How long it takes to reconcile: 90, 90s, 10m, 2h; plans tell by it how long a run takes.",
        "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": _DURATION}],
    }
    stated = schema["properties"]["not_exercised"]
    stated["propertyNames"] = _RULE
    return {**schema, "title": "A target file of koncili-conformance", "definitions": parts}


def waivers_schema() -> dict[str, Any]:
    """A file of waivers."""
    texts = {"type": "array", "items": {"type": "string", "pattern": r"\S"}}
    waiver = {
        "type": "object",
        "additionalProperties": False,
        "required": ["rule", "reason", "until"],
        "properties": {
            "rule": _RULE,
            "reason": {"type": "string", "pattern": r"\S"},
            "until": {
                "type": "string",
                "format": "date",
                "description": "The last day on which it counts: a TOML date.",
            },
            "kinds": {**texts, "minItems": 1, "description": "What may fail: kinds, scenarios or ids of findings."},
            "whole": {"type": "boolean", "description": "true: all of the rule may fail."},
            "hinders": {
                "type": "array",
                "items": _RULE,
                "description": "Rules that may stay inconclusive because of it.",
            },
        },
        "oneOf": [
            {"required": ["kinds"], "properties": {"whole": {"const": False}}},
            {"required": ["whole"], "properties": {"whole": {"const": True}}, "not": {"required": ["kinds"]}},
        ],
    }
    return {
        "title": "Waivers of koncili-conformance",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "zone": {
                "type": "string",
                "description": "By whose clock days end, such as America/Sao_Paulo; UTC if left out.",
            },
            "waivers": {"type": "array", "items": waiver},
        },
    }


def scenario_schema() -> dict[str, Any]:
    """A scenario file of the mock."""
    from conformance.mock.defects import DEFECTS
    from conformance.mock.fault_plans import CALLS, MOST_PLANS, MOST_SECONDS, MOST_TIMES, NOTIFICATIONS
    from conformance.mock.faults import FAULTS, OF_NOTIFICATIONS
    from conformance.mock.variants import VARIANTS

    def count(least: int, says: str) -> dict[str, Any]:
        return {"type": "integer", "minimum": least, "maximum": MOST_TIMES, "description": says}

    of_notifications = {"properties": {"fault": {"enum": list(OF_NOTIFICATIONS)}}}
    fault = {
        "type": "object",
        "additionalProperties": False,
        "required": ["fault"],
        "properties": {
            "fault": {"oneOf": [{"const": name, "description": says} for name, says in FAULTS.items()]},
            "call": {"enum": list(CALLS), "description": "The calls to which it happens; left out: any."},
            "order": {"type": "string", "minLength": 1, "description": "The marketplaceCode that the call names."},
            "notification": {
                "enum": list(NOTIFICATIONS),
                "description": "The notifications to which it happens; left out: any.",
            },
            "after": count(0, "The first so many pass."),
            "every": count(1, "Every so manieth from then on; left out: each."),
            "times": count(1, "So often; left out: for ever."),
            "seconds": {"type": "number", "minimum": 0, "maximum": MOST_SECONDS, "default": 1},
        },
        "if": of_notifications,
        "then": {"not": {"anyOf": [{"required": ["call"]}, {"required": ["order"]}]}},
        "else": {"not": {"required": ["notification"]}},
    }
    return {
        "title": "A scenario of koncili-conformance mock",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "description": "For people."},
            "variants": {**_NAMES, "items": _named({one.name: one.statement for one in VARIANTS.values()})},
            "defects": {**_NAMES, "items": _named({one.name: one.statement for one in DEFECTS.values()})},
            "limits": {"type": "boolean", "description": "Whether the documented rates and the blacklist hold."},
            "callback_url": {"type": "string", "format": "uri", "description": "Where notifications are posted."},
            "faults": {"type": "array", "maxItems": MOST_PLANS, "items": fault},
        },
    }


CERTIFICATE: Final = "certificate"

SCHEMAS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = MappingProxyType(
    {"target": target_schema, "waivers": waivers_schema, "scenario": scenario_schema}
)

NAMES: Final = (*SCHEMAS, CERTIFICATE)


def _named(statements: Mapping[str, str]) -> dict[str, Any]:
    return {"oneOf": [{"const": name, "description": says} for name, says in statements.items()]}


def _without_null(part: Any) -> Any:
    """The part of a schema without what only JSON could hold: null, and defaults that are null."""
    if isinstance(part, list):
        return [_without_null(one) for one in part if one != {"type": "null"}]
    if not isinstance(part, dict):
        return part
    kept = {name: _without_null(value) for name, value in part.items() if name != "default" or _is_plain(value)}
    if len(kept.get("anyOf", ())) == 1:
        (only,) = kept.pop("anyOf")
        kept = {**only, **kept}
    return kept


def _is_plain(default: Any) -> bool:
    """Whether a default is worth completing: neither null nor a table of such."""
    return default is not None and not isinstance(default, dict)
