"""The OpenAPI document: valid, complete for what it covers, and asked for nothing that it does not have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from conformance.contract import openapi, readings
from conformance.contract.endpoints import Endpoint
from tests.suite.support.openapi_bodies import OPERATIONS, PRINTED, WEBHOOKS, printed

WITHOUT_TOKEN = {"createToken", "refreshToken"}

CODES = {"400-0", "400-2", "403-1", "403-2", "404-1", "404-2"}

CODES_OF = {"submitOrder": CODES | {"400-3"}, "getOrder": CODES | {"404-3"}, "deleteOrder": CODES | {"404-3"}}


def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Give every operation of the document as operationId -> (method, path, operation)."""
    return {
        item[method]["operationId"]: (method, path, item[method])
        for path, item in openapi.load()["paths"].items()
        for method in openapi.METHODS
        if method in item
    }


def webhooks() -> dict[str, dict[str, Any]]:
    """Give the operation of every webhook of the document, by the webhook's name."""
    return {name: item["post"] for name, item in openapi.load()["webhooks"].items()}


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """Give what a reference into the components points at, or the node itself."""
    if "$ref" not in node:
        return node
    _, _, kind, name = node["$ref"].split("/")
    target: dict[str, Any] = openapi.load()["components"][kind][name]
    return target


# -- The document ----------------------------------------------------------------------------------------------------


def test_the_document_is_valid_openapi_31() -> None:
    document = openapi.load()
    assert document["openapi"].startswith("3.1.")
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_the_document_is_plain_json() -> None:
    """An unquoted timestamp would have become a datetime, an unquoted status an int."""
    assert json.loads(json.dumps(openapi.load())) == openapi.load()


def test_the_document_is_read_once() -> None:
    assert openapi.load() is openapi.load()


def test_the_operations_are_exactly_these() -> None:
    assert {name: (method, path) for name, (method, path, _) in operations().items()} == OPERATIONS


def test_the_operations_are_the_endpoints() -> None:
    assert {endpoint.value: (endpoint.method.lower(), endpoint.path) for endpoint in Endpoint} == OPERATIONS


def test_the_webhooks_are_exactly_these() -> None:
    schemas = {
        name: resolved(webhook["requestBody"]["content"][openapi.JSON]["schema"])
        for name, webhook in webhooks().items()
    }
    assert all(set(item) == {"post"} for item in openapi.load()["webhooks"].values())
    assert {name: schema["properties"]["notificationType"] for name, schema in schemas.items()} == {
        name: {"type": "string", "const": notification_type} for name, notification_type in WEBHOOKS.items()
    }


@pytest.mark.parametrize("name", WEBHOOKS)
def test_a_webhook_needs_no_key_and_is_answered_with_success(name: str) -> None:
    webhook = webhooks()[name]
    assert webhook["requestBody"]["required"] is True
    assert webhook["security"] == []
    assert set(webhook["responses"]) == {"200"}
    answer = resolved(resolved(webhook["responses"]["200"])["content"][openapi.JSON]["schema"])
    assert (answer["type"], answer["required"]) == ("object", ["status"])
    assert answer["properties"] == {"status": {"type": "string", "const": "success"}}


def test_every_tag_is_an_area() -> None:
    used = [*(operation for _, _, operation in operations().values()), *webhooks().values()]
    assert {tag for operation in used for tag in operation["tags"]} == {tag["name"] for tag in openapi.load()["tags"]}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_declares_both_keys_unless_it_gives_out_tokens(name: str) -> None:
    declared = operations()[name][2].get("security", openapi.load()["security"])
    expected: list[dict[str, list[str]]] = [] if name in WITHOUT_TOKEN else [{"gumgaToken": [], "integrator": []}]
    assert declared == expected
    schemes = openapi.load()["components"]["securitySchemes"]
    for requirement in declared:
        for scheme in requirement:
            described = schemes[scheme]
            assert (described["type"], described["in"], described["name"]) == ("apiKey", "header", scheme)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_declares_its_errors(name: str) -> None:
    answers = operations()[name][2]["responses"]
    assert {"400", "403", "404", "423", "429", "500", "502"} <= set(answers)
    stated: set[str] = set()
    for status, answer in answers.items():
        codes = re.findall(r"\b[1-5]\d\d-\d+\b", resolved(answer)["description"])
        assert all(code.startswith(f"{status}-") for code in codes), f"{status} describes {codes}"
        stated.update(codes)
    assert stated == CODES_OF.get(name, CODES)


@pytest.mark.parametrize("name", ["getOrder", "deleteOrder"])
def test_an_order_is_named_by_three_query_parameters(name: str) -> None:
    parameters = [resolved(parameter) for parameter in operations()[name][2]["parameters"]]
    assert [parameter["name"] for parameter in parameters] == ["marketplaceCode", "channelName", "accountId"]
    for parameter in parameters:
        assert (parameter["in"], parameter["required"], parameter["x-koncili-source"]) == ("query", True, ["inferred"])
        assert "inferred" in parameter["description"]


def test_everything_says_where_it_is_stated() -> None:
    components = openapi.load()["components"]
    things: dict[str, dict[str, Any]] = {name: operation for name, (_, _, operation) in operations().items()}
    things.update({f"webhooks/{name}": webhook for name, webhook in webhooks().items()})
    for kind in ("schemas", "parameters", "securitySchemes"):
        things.update({f"{kind}/{name}": thing for name, thing in components[kind].items()})
    for name, thing in things.items():
        sources = thing.get("x-koncili-source")
        assert sources, f"{name} has no source"
        assert all(re.fullmatch(r"S1|S2|inferred|P: [A-Za-z ]+", source) for source in sources), f"{name}: {sources}"


def test_the_readings_encoded_are_the_defaults() -> None:
    components = openapi.load()["components"]["schemas"].values()
    encoded: dict[str, str] = {}
    for thing in (*components, *(operation for _, _, operation in operations().values())):
        encoded.update(thing.get("x-koncili-reading", {}))
    assert {"extract-types", "empty-extracts", "account-id-type", "total-net-value"} <= set(encoded)
    assert encoded == {name: readings.READINGS[name].default for name in encoded}
    types = openapi.load()["components"]["schemas"]["Extract"]["discriminator"]["mapping"]
    assert set(types) == set(readings.EXTRACT_TYPES[encoded["extract-types"]])


def test_a_release_s_entry_is_of_one_of_the_five_types() -> None:
    types = openapi.load()["components"]["schemas"]["ReleaseEntry"]["discriminator"]["mapping"]
    assert set(types) == set(readings.RELEASE_TYPES)


@pytest.mark.parametrize("name", ["Order", "Extract", "ReleaseEntry", "ReconciliationOutcome"])
def test_a_discriminator_leads_to_the_alternative_of_its_constant(name: str) -> None:
    union = openapi.load()["components"]["schemas"][name]
    key, mapping = union["discriminator"]["propertyName"], union["discriminator"]["mapping"]
    assert list(mapping.values()) == [alternative["$ref"] for alternative in union["oneOf"]]
    for value, reference in mapping.items():
        alternative = resolved({"$ref": reference})
        assert alternative["properties"][key] == {"type": "string", "const": value}
        assert key in alternative["required"]


@pytest.mark.parametrize("name", PRINTED)
def test_the_printed_request_is_valid(name: str) -> None:
    openapi.request_validator(name).validate(printed(name))


@pytest.mark.parametrize("name", PRINTED)
def test_the_printed_request_is_the_example(name: str) -> None:
    media = operations()[name][2]["requestBody"]["content"][openapi.JSON]
    assert [resolved(example)["value"] for example in media["examples"].values()] == [printed(name)]


def test_no_schema_is_conditional() -> None:
    """Generators make poor faults out of if/then; one full object per alternative is what they take apart well."""

    def keys(node: object) -> set[str]:
        if isinstance(node, dict):
            return set(node).union(*map(keys, node.values()))
        return set().union(*map(keys, node)) if isinstance(node, list) else set()

    assert keys(openapi.load()["components"]["schemas"]).isdisjoint({"if", "then", "else"})


# -- Asking for what is not there ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["getOrder", "noSuchOperation"])
def test_there_is_no_validator_of_a_request_without_a_body(name: str) -> None:
    with pytest.raises(LookupError, match=name):
        openapi.request_validator(name)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("getOrder", "302"),
        ("deleteOrder", "302"),
        ("listAccounts", "302"),
        ("submitOrder", "418"),
        ("createReconciliation", "200"),
        ("submitRelease", "302"),
        ("noSuchOperation", "200"),
    ],
)
def test_there_is_no_validator_of_an_answer_nobody_declares(name: str, status: str) -> None:
    with pytest.raises(LookupError, match=name):
        openapi.answer_validator(name, status)


@pytest.mark.parametrize("notification_type", ["NO_SUCH_NOTIFICATION", "account_created", ""])
def test_there_is_no_validator_of_a_notification_nobody_sends(notification_type: str) -> None:
    with pytest.raises(LookupError, match=f"webhook {notification_type}$"):
        openapi.webhook_validator(notification_type)


def test_a_validator_is_made_once() -> None:
    assert openapi.webhook_validator("ACCOUNT_CREATED") is openapi.webhook_validator("ACCOUNT_CREATED")


# -- For generators of clients ---------------------------------------------------------------------------------------


def schemas_in(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema of the components, at any depth; a property may be called `type`, its schema is an object."""
    if isinstance(node, dict):
        if isinstance(node.get("type"), (str, list)) or {"const", "enum", "oneOf"} & node.keys():
            yield node
        for part in node.values():
            yield from schemas_in(part)
    elif isinstance(node, list):
        for part in node:
            yield from schemas_in(part)


ALL_SCHEMAS = list(schemas_in(openapi.load()["components"]["schemas"]))


def test_a_constant_has_a_type_and_the_type_says_no_more_than_the_constant() -> None:
    constant = [schema for schema in ALL_SCHEMAS if {"const", "enum"} & schema.keys()]
    assert len(constant) > 20
    for schema in constant:
        values = schema.get("enum", [schema.get("const")])
        validator = Draft202012Validator({"type": schema["type"]})
        assert all(validator.is_valid(value) for value in values), schema


def test_no_type_is_null_alone() -> None:
    assert [schema for schema in ALL_SCHEMAS if schema.get("type") == "null"] == []


def test_objects_say_that_they_may_have_more() -> None:
    objects = [schema for schema in ALL_SCHEMAS if "object" in schema.get("type", ())]
    assert len(objects) > 30
    assert all(schema["additionalProperties"] is True for schema in objects)


def test_operations_and_webhooks_have_an_id_of_their_own() -> None:
    assert {name: webhook["operationId"] for name, webhook in webhooks().items()} == {name: name for name in webhooks()}
    assert set(webhooks()).isdisjoint(operations())


def test_each_refusal_that_has_a_body_has_examples_of_it_and_each_documented_code_one() -> None:
    codes = set()
    for name, response in openapi.load()["components"]["responses"].items():
        if not (media := response.get("content", {}).get(openapi.JSON)):
            continue
        if name == "Acknowledged":
            continue
        validator = openapi._compiled(media["schema"])
        examples = [resolved(example)["value"] for example in media["examples"].values()]
        assert examples
        assert all(validator.is_valid(example) for example in examples), name
        codes |= {example.get("errorCode") for example in examples}
    assert {code for code in codes if code and "-" in code} == CODES | {"400-3", "404-3"}


def test_without_webhooks_it_is_valid_and_says_the_same_of_every_operation() -> None:
    document = openapi.without_webhooks()
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    assert "webhooks" not in document
    assert document["paths"] == openapi.load()["paths"]
    left_out = openapi.load()["components"]["schemas"].keys() - document["components"]["schemas"].keys()
    assert {"TestNotification", "Acknowledgement", "ReconciliationOutcome"} <= left_out
    assert all(
        part == openapi.load()["components"][kind][name]
        for kind, parts in document["components"].items()
        for name, part in parts.items()
    )
