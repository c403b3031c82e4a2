"""The OpenAPI document beside this file, and validators for the shapes it declares."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from jsonschema_rs import Draft202012Validator

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The keys of a path item that are operations."""

JSON = "application/json"


@cache
def load() -> dict[str, Any]:
    """Read the document.

    Returns:
        The whole document, parsed. Every caller gets the same object: read it, never change it.
    """
    text = files("conformance.contract").joinpath("openapi.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = (
        yaml.load(text, Loader=yaml.CSafeLoader) if yaml.__with_libyaml__ else yaml.safe_load(text)
    )
    return document


@cache
def without_webhooks() -> dict[str, Any]:
    """The document without what Koncili sends and the components that only this needs, for generators of clients that know no
    webhooks take it. The same object for every caller: read it, never change it."""
    document = {name: part for name, part in load().items() if name not in {"webhooks", "components"}}
    used = {
        tag for item in document["paths"].values() for method in METHODS for tag in item.get(method, {}).get("tags", ())
    }
    document["tags"] = [tag for tag in document["tags"] if tag["name"] in used]
    components, needed, ahead = load()["components"], set[tuple[str, str]](), list(_references(document["paths"]))
    while ahead:
        reference = ahead.pop()
        if reference not in needed:
            needed.add(reference)
            kind, name = reference
            ahead += _references(components[kind][name])
    document["components"] = {
        kind: {name: part for name, part in parts.items() if kind == "securitySchemes" or (kind, name) in needed}
        for kind, parts in components.items()
    }
    return document


def _references(node: Any) -> Iterator[tuple[str, str]]:
    """The components that a part of the document points at, as kind and name; discriminators name theirs in `mapping`."""
    if isinstance(node, dict):
        for part in node.values():
            yield from _references(part)
    elif isinstance(node, list):
        for part in node:
            yield from _references(part)
    elif isinstance(node, str) and node.startswith("#/components/"):
        _, _, kind, name = node.split("/")
        yield kind, name


@cache
def request_validator(operation_id: str) -> Draft202012Validator:
    """Make the validator of an operation's JSON request body.

    Args:
        operation_id: The operation's `operationId`.

    Returns:
        A validator that also checks formats. The same call gives the same object.

    Raises:
        LookupError: No operation has this id, or it takes no JSON body.
    """
    body = _resolve(_operation(operation_id).get("requestBody", {}))
    validator = _validator(body)
    if validator is None:
        raise LookupError(f"{operation_id} takes no JSON body")
    return validator


@cache
def answer_validator(operation_id: str, status: str) -> Draft202012Validator | None:
    """Make the validator of the JSON body an operation answers with.

    Args:
        operation_id: The operation's `operationId`.
        status: The HTTP status in digits, such as `"404"`. What is declared for exactly this status comes before what
            is declared for its class (`4XX`), and that before `default`.

    Returns:
        A validator that also checks formats, or None when the status is declared without a schema: any body, or
        none, will do. The same call gives the same object.

    Raises:
        LookupError: No operation has this id, or it does not declare this status in any way.
    """
    answers = _operation(operation_id)["responses"]
    for key in (status, f"{status[:1]}XX", "default"):
        if key in answers:
            return _validator(_resolve(answers[key]))
    raise LookupError(f"{operation_id} declares no answer for status {status}")


@cache
def webhook_validator(notification_type: str) -> Draft202012Validator:
    """Make the validator of a notification that Koncili posts to the integrator.

    Args:
        notification_type: The notification's `notificationType`, such as `"ACCOUNT_CREATED"`.

    Returns:
        A validator of the whole notification that also checks formats. The same call gives the same object.

    Raises:
        LookupError: No webhook is of this type.
    """
    for item in load()["webhooks"].values():
        schema = _resolve(_resolve(item["post"]["requestBody"])["content"][JSON]["schema"])
        if schema["properties"]["notificationType"]["const"] == notification_type:
            return _compiled(schema)
    raise LookupError(f"no webhook {notification_type}")


def _operation(operation_id: str) -> dict[str, Any]:
    """Give the Operation Object of an `operationId`; raise LookupError when there is none."""
    for item in load()["paths"].values():
        for method in METHODS:
            operation: dict[str, Any] = item.get(method, {})
            if operation.get("operationId") == operation_id:
                return operation
    raise LookupError(f"no operation {operation_id}")


def _resolve(node: dict[str, Any]) -> dict[str, Any]:
    """Give what a node's `$ref` into `#/components` points at, or the node itself when it has none."""
    while "$ref" in node:
        _, _, kind, name = node["$ref"].split("/")
        node = load()["components"][kind][name]
    return node


def _validator(body: dict[str, Any]) -> Draft202012Validator | None:
    """Compile the JSON schema of a Request Body or Response Object, if it has one."""
    schema = body.get("content", {}).get(JSON, {}).get("schema")
    return None if schema is None else _compiled(schema)


def _compiled(schema: dict[str, Any]) -> Draft202012Validator:
    """Compile a schema together with the components it refers to."""
    return Draft202012Validator({**schema, "components": load()["components"]}, validate_formats=True)
