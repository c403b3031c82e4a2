"""The OpenAPI document: valid, complete for what it covers, neither looser nor stricter than what it restates."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from conformance.contract import openapi, readings
from conformance.contract.endpoints import Endpoint

OPERATIONS = {
    "createToken": ("post", "/public/api/auth/token"),
    "refreshToken": ("post", "/public/api/auth/refresh-token"),
    "listAccounts": ("get", "/my-accounts"),
    "submitOrder": ("post", "/order"),
    "getOrder": ("get", "/order"),
    "deleteOrder": ("delete", "/order"),
    "createReconciliation": ("post", "/reconciliation"),
    "submitRelease": ("post", "/reconciliation/release"),
}
WITHOUT_TOKEN = {"createToken", "refreshToken"}

PRINTED = {
    "submitOrder": "PrintedOrder",
    "createReconciliation": "PrintedReconciliation",
    "submitRelease": "PrintedRelease",
}

WEBHOOKS = {
    "testNotification": "TEST_NOTIFICATION",
    "accountCreated": "ACCOUNT_CREATED",
    "reconciliationCompleted": "RECONCILIATION_COMPLETED",
    "blockedTemporary": "BLOCKED_TEMPORARY",
    "blockedPermanent": "BLOCKED_PERMANENT",
}

CODES = {"400-0", "400-2", "403-1", "403-2", "404-1", "404-2"}
CODES_OF = {"submitOrder": CODES | {"400-3"}, "getOrder": CODES | {"404-3"}, "deleteOrder": CODES | {"404-3"}}

MANDATORY_DATES = {
    "INVOICED": (),
    "PAID_WAITING_DELIVERY": ("sendDate", "estimatedDeliveryDate"),
    "CONCLUDED": ("sendDate", "estimatedDeliveryDate", "deliveryDate"),
    "CANCELED": ("cancelDate",),
}
DATES = ("createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate", "cancelDate")

Path = tuple[str | int, ...]

LEFT_OUT = object()
"""The value of a change that takes a field away."""


def printed(name: str) -> dict[str, Any]:
    """Give the request that S2 prints for an operation, which a test may change."""
    body: dict[str, Any] = copy.deepcopy(openapi.load()["components"]["examples"][PRINTED[name]]["value"])
    return body


def printed_order() -> dict[str, Any]:
    """Give S2's order, which a test may change."""
    return printed("submitOrder")


def lawful_order(status: str) -> dict[str, Any]:
    """Give S2's order in another status, with the dates which that makes mandatory and no others."""
    order = printed_order()
    order["status"] = status
    for date in DATES:
        order[date] = "2025-05-15T12:00:00Z" if date in MANDATORY_DATES[status] else None
    return order


def changed(body: dict[str, Any], path: Path, value: object) -> dict[str, Any]:
    """Give a copy of a body that differs in one place."""
    whole = copy.deepcopy(body)
    *outer, last = path
    node: Any = whole
    for step in outer:
        node = node[step]
    if value is LEFT_OUT:
        del node[last]
    else:
        node[last] = value
    return whole


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


# ---- The document


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
        name: {"const": notification_type} for name, notification_type in WEBHOOKS.items()
    }


@pytest.mark.parametrize("name", WEBHOOKS)
def test_a_webhook_needs_no_key_and_is_answered_with_success(name: str) -> None:
    webhook = webhooks()[name]
    assert webhook["requestBody"]["required"] is True
    assert webhook["security"] == []
    assert set(webhook["responses"]) == {"200"}
    answer = resolved(resolved(webhook["responses"]["200"])["content"][openapi.JSON]["schema"])
    assert (answer["type"], answer["required"]) == ("object", ["status"])
    assert answer["properties"] == {"status": {"const": "success"}}


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
        assert alternative["properties"][key] == {"const": value}
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


# ---- Orders that are lawful

EXTRACTS = printed_order()["extracts"]
SALE, COMMISSION, SHIP = range(3)

LAWFUL_CHANGES: dict[str, tuple[Path, object]] = {
    "account id as an integer": (("accountId",), 19055),
    "fields nobody documents": (("buyer",), {"name": "anyone"}),
    "an extract's field nobody documents": (("extracts", SALE, "note"), ["x"]),
    "no createdDate": (("createdDate",), LEFT_OUT),
    "null createdDate": (("createdDate",), None),
    "no approvedDate": (("approvedDate",), LEFT_OUT),
    "no cancelDate": (("cancelDate",), LEFT_OUT),
    "no totalGrossValue": (("totalGrossValue",), LEFT_OUT),
    "a date with an offset": (("sendDate",), "2025-05-09T09:00:00-03:00"),
    "a date with a fraction": (("sendDate",), "2025-05-09T12:00:00.123Z"),
    "one extract": (("extracts",), EXTRACTS[:1]),
    "a cent of SALE": (("extracts", SALE, "value"), 0.01),
    "a cent of COMISSION": (("extracts", COMMISSION, "value"), -0.01),
    "SHIP as income": (("extracts", SHIP, "value"), 27.95),
    "SHIP of nothing": (("extracts", SHIP, "value"), 0),
    **{
        f"{EXTRACTS[index]['type']} with null {field}": (("extracts", index, field), None)
        for index in (SALE, COMMISSION, SHIP)
        for field in ("expectedDate", "percentage")
    },
}


@pytest.mark.parametrize("status", MANDATORY_DATES)
def test_an_order_with_the_dates_of_its_status_is_valid(status: str) -> None:
    order = lawful_order(status)
    openapi.request_validator("submitOrder").validate(order)
    openapi.request_validator("submitOrder").validate({key: value for key, value in order.items() if value is not None})


@pytest.mark.parametrize(("path", "value"), LAWFUL_CHANGES.values(), ids=LAWFUL_CHANGES)
def test_a_lawful_change_leaves_the_order_valid(path: Path, value: object) -> None:
    openapi.request_validator("submitOrder").validate(changed(printed_order(), path, value))


# ---- Orders that are not, by one change

BAD_DATES = {
    "a word": "yesterday",
    "empty": "",
    "no time": "2025-05-09",
    "no offset": "2025-05-09T12:00:00",
    "no such day": "2025-02-30T12:00:00Z",
    "a number": 1746792000,
}

FAULTS: dict[str, tuple[str, Path, object]] = {
    **{f"{status} in lower case": (status, ("status",), status.lower()) for status in MANDATORY_DATES},
    **{
        f"{status} {date} removed": (status, (date,), LEFT_OUT)
        for status, dates in MANDATORY_DATES.items()
        for date in dates
    },
    **{f"{status} {date} null": (status, (date,), None) for status, dates in MANDATORY_DATES.items() for date in dates},
    **{f"{status} {date} malformed": (status, (date,), "yesterday") for status in MANDATORY_DATES for date in DATES},
    **{f"sendDate {name}": ("PAID_WAITING_DELIVERY", ("sendDate",), value) for name, value in BAD_DATES.items()},
    **{
        f"expectedDate {name}": ("INVOICED", ("extracts", SALE, "expectedDate"), value)
        for name, value in BAD_DATES.items()
    },
    **{
        f"{status} {field} removed": (status, (field,), LEFT_OUT)
        for status in MANDATORY_DATES
        for field in ("marketplaceCode", "channelName", "accountId", "status", "extracts")
    },
    "marketplaceCode empty": ("INVOICED", ("marketplaceCode",), ""),
    "marketplaceCode a number": ("INVOICED", ("marketplaceCode",), 701),
    "channelName empty": ("INVOICED", ("channelName",), ""),
    "channelName a number": ("INVOICED", ("channelName",), 1),
    "status of an earlier stage": ("INVOICED", ("status",), "PAID"),
    "accountId true": ("INVOICED", ("accountId",), True),
    "accountId null": ("INVOICED", ("accountId",), None),
    "accountId in letters": ("INVOICED", ("accountId",), "19055a"),
    "accountId with a fraction": ("INVOICED", ("accountId",), 19055.5),
    "totalGrossValue a string": ("INVOICED", ("totalGrossValue",), "203.63"),
    "extracts empty": ("INVOICED", ("extracts",), []),
    "extracts an object": ("INVOICED", ("extracts",), EXTRACTS[0]),
    "extract type in lower case": ("INVOICED", ("extracts", SALE, "type"), "sale"),
    "extract type of another reading": ("INVOICED", ("extracts", SHIP, "type"), "RETURN_SHIP"),
    "SALE of nothing": ("INVOICED", ("extracts", SALE, "value"), 0),
    "SALE negative": ("INVOICED", ("extracts", SALE, "value"), -203.63),
    "COMISSION of nothing": ("INVOICED", ("extracts", COMMISSION, "value"), 0),
    "COMISSION positive": ("INVOICED", ("extracts", COMMISSION, "value"), 0.01),
    "extract a word": ("INVOICED", ("extracts", SALE), "SALE"),
    **{
        f"{EXTRACTS[index]['type']} with {field} a string": ("INVOICED", ("extracts", index, field), "1")
        for index in (SALE, COMMISSION, SHIP)
        for field in ("value", "percentage")
    },
    **{
        f"{EXTRACTS[index]['type']} without {field}": ("INVOICED", ("extracts", index, field), LEFT_OUT)
        for index in (SALE, COMMISSION, SHIP)
        for field in ("marketplaceCode", "type", "value")
    },
}


@pytest.mark.parametrize(("status", "path", "value"), FAULTS.values(), ids=FAULTS)
def test_one_fault_makes_an_order_invalid(status: str, path: Path, value: object) -> None:
    twin = lawful_order(status)
    faulty = changed(twin, path, value)
    assert openapi.request_validator("submitOrder").is_valid(twin), (
        "the unchanged twin is invalid, so this proves nothing"
    )
    assert not openapi.request_validator("submitOrder").is_valid(faulty), f"valid with {path} = {value!r}"


NO_OBJECTS: dict[str, object] = {"empty list": [], "string": "order", "number": 1, "null": None, "boolean": True}


@pytest.mark.parametrize("name", PRINTED)
def test_a_list_of_one_request_is_no_request(name: str) -> None:
    assert not openapi.request_validator(name).is_valid([printed(name)])


@pytest.mark.parametrize("body", NO_OBJECTS.values(), ids=NO_OBJECTS)
@pytest.mark.parametrize("name", PRINTED)
def test_what_is_no_object_is_no_request(name: str, body: object) -> None:
    assert not openapi.request_validator(name).is_valid(body)


# ---- Reconciliations and releases

CODE = printed("submitRelease")["marketplaceCode"]
NOT_COUNTS = {"nought": 0, "negative": -1, "with a fraction": 1.5, "a string": "1", "true": True, "null": None}
SIGNS: dict[str, tuple[float, ...]] = {
    "SALE": (0.01,),
    "COMISSION": (-0.01,),
    "SHIP": (-27.95, 0, 27.95),
    "RETURN_COMISSION": (0.01,),
    "RETURN_SHIP": (-27.95, 0, 27.95),
}
WRONG_SIGNS: dict[str, tuple[float, ...]] = {
    "SALE": (0, -0.01),
    "COMISSION": (0, 0.01),
    "RETURN_COMISSION": (0, -0.01),
}

LAWFUL_BATCH_CHANGES: dict[str, tuple[str, Path, object]] = {
    **{
        f"{name} {change}": (name, path, value)
        for name in ("createReconciliation", "submitRelease")
        for change, path, value in (
            ("of an account id as a string", ("accountId",), "19055"),
            ("with fields nobody documents", ("note",), {"by": "anyone"}),
        )
    },
    **{
        f"{date} {shape}": (name, (date,), value)
        for name, date in (
            ("createReconciliation", "periodInitDate"),
            ("createReconciliation", "periodEndDate"),
            ("submitRelease", "createdDate"),
            ("submitRelease", "releasedDate"),
        )
        for shape, value in (
            ("with an offset", "2024-02-14T22:00:01-03:00"),
            ("with a fraction", "2024-02-15T01:00:00.999Z"),
        )
    },
    "an end at the beginning, which no shape forbids": (
        "createReconciliation",
        ("periodEndDate",),
        "2024-02-14T01:00:01Z",
    ),
    "one release": ("createReconciliation", ("releasesQtd",), 1),
    "no totalNetValue": ("createReconciliation", ("totalNetValue",), LEFT_OUT),
    "a totalNetValue of nothing": ("createReconciliation", ("totalNetValue",), 0),
    "a negative totalNetValue": ("createReconciliation", ("totalNetValue",), -151.24),
    **{
        f"no {field}": ("submitRelease", (field,), LEFT_OUT)
        for field in ("status", "createdDate", "installment", "installmentQuantity")
    },
    **{f"status {status}": ("submitRelease", ("status",), status) for status in MANDATORY_DATES},
    "null createdDate": ("submitRelease", ("createdDate",), None),
    "a second installment of one, which no shape forbids": ("submitRelease", ("installment",), 2),
    "many installments": ("submitRelease", ("installmentQuantity",), 12),
    "another code than the entries', which no shape forbids": ("submitRelease", ("marketplaceCode",), "another"),
    "an entry's field nobody documents": ("submitRelease", ("releases", SALE, "expectedDate"), None),
    **{
        f"an entry {type_} of {value}": (
            "submitRelease",
            ("releases",),
            [{"marketplaceCode": CODE, "type": type_, "value": value}],
        )
        for type_, values in SIGNS.items()
        for value in values
    },
}

BATCH_FAULTS: dict[str, tuple[str, Path, object]] = {
    **{
        f"{name} {field} {fault}": (name, (field,), value)
        for name, fields in {
            "createReconciliation": ("channelName", "accountId", "periodInitDate", "periodEndDate", "releasesQtd"),
            "submitRelease": (
                *("reconciliationId", "channelName", "accountId", "marketplaceCode"),
                *("releasedDate", "releaseType", "releases"),
            ),
        }.items()
        for field in fields
        for fault, value in (("removed", LEFT_OUT), ("null", None), ("an object", {}))
    },
    **{
        f"{name} {fault}": (name, path, value)
        for name in ("createReconciliation", "submitRelease")
        for fault, path, value in (
            ("channelName empty", ("channelName",), ""),
            ("channelName a number", ("channelName",), 1),
            ("accountId true", ("accountId",), True),
            ("accountId in letters", ("accountId",), "19055a"),
            ("accountId with a fraction", ("accountId",), 19055.5),
        )
    },
    **{
        f"{date} {fault}": (name, (date,), value)
        for name, date in (
            ("createReconciliation", "periodInitDate"),
            ("createReconciliation", "periodEndDate"),
            ("submitRelease", "createdDate"),
            ("submitRelease", "releasedDate"),
        )
        for fault, value in BAD_DATES.items()
    },
    **{
        f"{field} {fault}": (name, (field,), value)
        for name, field in (
            ("createReconciliation", "releasesQtd"),
            ("submitRelease", "installment"),
            ("submitRelease", "installmentQuantity"),
        )
        for fault, value in NOT_COUNTS.items()
    },
    "totalNetValue a string": ("createReconciliation", ("totalNetValue",), "203.63"),
    "reconciliationId a string": ("submitRelease", ("reconciliationId",), "237"),
    "reconciliationId with a fraction": ("submitRelease", ("reconciliationId",), 237.5),
    "reconciliationId true": ("submitRelease", ("reconciliationId",), True),
    "marketplaceCode empty": ("submitRelease", ("marketplaceCode",), ""),
    "marketplaceCode a number": ("submitRelease", ("marketplaceCode",), 701),
    "status of an earlier stage": ("submitRelease", ("status",), "PAID"),
    "status in lower case": ("submitRelease", ("status",), "concluded"),
    "releaseType in lower case": ("submitRelease", ("releaseType",), "in_cash"),
    "releaseType of another name": ("submitRelease", ("releaseType",), "INSTALLMENTS"),
    "releases empty": ("submitRelease", ("releases",), []),
    "an entry a word": ("submitRelease", ("releases", SALE), "SALE"),
    "an entry in lower case": ("submitRelease", ("releases", SALE, "type"), "sale"),
    "an entry of an empty type": ("submitRelease", ("releases", SHIP, "type"), ""),
    "an entry ADJUSTMENT, of the portal": ("submitRelease", ("releases", SHIP, "type"), "ADJUSTMENT"),
    "an entry RETURN_SALE, of the portal": ("submitRelease", ("releases", COMMISSION, "type"), "RETURN_SALE"),
    **{
        f"an entry {type_} of {value}": (
            "submitRelease",
            ("releases", SALE),
            {"marketplaceCode": CODE, "type": type_, "value": value},
        )
        for type_, values in WRONG_SIGNS.items()
        for value in values
    },
    **{
        f"an entry {type_} {fault}": (
            "submitRelease",
            ("releases", SALE),
            changed({"marketplaceCode": CODE, "type": type_, "value": values[0]}, (field,), value),
        )
        for type_, values in SIGNS.items()
        for fault, field, value in (
            ("without marketplaceCode", "marketplaceCode", LEFT_OUT),
            ("with an empty marketplaceCode", "marketplaceCode", ""),
            ("without type", "type", LEFT_OUT),
            ("without value", "value", LEFT_OUT),
            ("with null for its value", "value", None),
            ("with a string for its value", "value", str(values[0])),
        )
    },
}


@pytest.mark.parametrize(("name", "path", "value"), LAWFUL_BATCH_CHANGES.values(), ids=LAWFUL_BATCH_CHANGES)
def test_a_lawful_change_leaves_the_batch_valid(name: str, path: Path, value: object) -> None:
    openapi.request_validator(name).validate(changed(printed(name), path, value))


@pytest.mark.parametrize(("name", "path", "value"), BATCH_FAULTS.values(), ids=BATCH_FAULTS)
def test_one_fault_makes_a_batch_invalid(name: str, path: Path, value: object) -> None:
    """The unchanged twin is the printed request, which another test finds valid."""
    assert not openapi.request_validator(name).is_valid(changed(printed(name), path, value)), f"{path} = {value!r}"


# ---- Notifications

CONCILIED = {
    "accountId": 19055,
    "reconciliationId": 237,
    "resolvedEndDate": "2024-02-15T02:00:00Z",
    "situation": "CONCILIED",
}
FAILED = CONCILIED | {"resolvedEndDate": None, "situation": "ERROR"}
BLOCK = {"integratorName": "anyone", "durationMinutes": 60}

PAYLOADS: dict[str, tuple[str, object]] = {
    "TEST_NOTIFICATION": ("TEST_NOTIFICATION", None),
    "ACCOUNT_CREATED": ("ACCOUNT_CREATED", {"accountId": 19055, "status": "ACTIVE"}),
    "ACCOUNT_CREATED of a number in quotes": ("ACCOUNT_CREATED", {"accountId": "19055", "status": "ACTIVE"}),
    "ACCOUNT_CREATED with more fields": (
        "ACCOUNT_CREATED",
        {"accountId": 19055, "status": "ACTIVE", "channelName": "CHANNEL_NAME"},
    ),
    "RECONCILIATION_COMPLETED well": ("RECONCILIATION_COMPLETED", CONCILIED),
    "RECONCILIATION_COMPLETED badly": ("RECONCILIATION_COMPLETED", FAILED),
    "RECONCILIATION_COMPLETED of a number in quotes": ("RECONCILIATION_COMPLETED", FAILED | {"accountId": "19055"}),
    "RECONCILIATION_COMPLETED with more fields": ("RECONCILIATION_COMPLETED", CONCILIED | {"entries": 3}),
    "BLOCKED_TEMPORARY": ("BLOCKED_TEMPORARY", BLOCK),
    "BLOCKED_TEMPORARY with more fields": ("BLOCKED_TEMPORARY", BLOCK | {"reason": "anything"}),
    "BLOCKED_PERMANENT": ("BLOCKED_PERMANENT", {"integratorName": "anyone"}),
    "BLOCKED_PERMANENT of nobody": ("BLOCKED_PERMANENT", {}),
    "BLOCKED_PERMANENT of a number": ("BLOCKED_PERMANENT", {"integratorName": 1}),
    "BLOCKED_PERMANENT of null": ("BLOCKED_PERMANENT", None),
}

EMPTY: dict[str, object] = {"null": None, "nothing": {}}

BAD_PAYLOADS: dict[str, tuple[str, object]] = {
    "TEST_NOTIFICATION of an object": ("TEST_NOTIFICATION", {}),
    "TEST_NOTIFICATION of a word": ("TEST_NOTIFICATION", "null"),
    **{
        f"{notification_type} of {name}": (notification_type, value)
        for notification_type in WEBHOOKS.values()
        if notification_type != "TEST_NOTIFICATION"
        for name, value in (("a word", "payload"), ("a list", []), ("a number", 1), ("false", False))
    },
    **{
        f"{notification_type} of {name}": (notification_type, value)
        for notification_type in ("ACCOUNT_CREATED", "RECONCILIATION_COMPLETED", "BLOCKED_TEMPORARY")
        for name, value in EMPTY.items()
    },
    **{
        f"{name} {field} {fault}": (notification_type, changed(payload, (field,), value))
        for name, notification_type, payload in (
            ("ACCOUNT_CREATED", "ACCOUNT_CREATED", {"accountId": 19055, "status": "ACTIVE"}),
            ("CONCILIED", "RECONCILIATION_COMPLETED", CONCILIED),
            ("ERROR", "RECONCILIATION_COMPLETED", FAILED),
            ("BLOCKED_TEMPORARY", "BLOCKED_TEMPORARY", BLOCK),
        )
        for field in payload
        for fault, value in (("removed", LEFT_OUT), ("true", True), ("a list", []))
    },
    "ACCOUNT_CREATED inactive": ("ACCOUNT_CREATED", {"accountId": 19055, "status": "INACTIVE"}),
    "ACCOUNT_CREATED in letters": ("ACCOUNT_CREATED", {"accountId": "19055a", "status": "ACTIVE"}),
    "CONCILIED without a date": ("RECONCILIATION_COMPLETED", CONCILIED | {"resolvedEndDate": None}),
    **{
        f"CONCILIED with a date {name}": ("RECONCILIATION_COMPLETED", CONCILIED | {"resolvedEndDate": value})
        for name, value in {"a word": "yesterday", "empty": "", "half a number": 1.5, "no month": "2025-13-01"}.items()
    },
    "CONCILIED of a number in quotes": ("RECONCILIATION_COMPLETED", CONCILIED | {"reconciliationId": "237"}),
    "ERROR with a date": ("RECONCILIATION_COMPLETED", CONCILIED | {"situation": "ERROR"}),
    "a situation of another name": ("RECONCILIATION_COMPLETED", FAILED | {"situation": "FAILED"}),
    "a situation in lower case": ("RECONCILIATION_COMPLETED", CONCILIED | {"situation": "concilied"}),
    "BLOCKED_TEMPORARY for two hours": ("BLOCKED_TEMPORARY", BLOCK | {"durationMinutes": 120}),
    "BLOCKED_TEMPORARY for a word": ("BLOCKED_TEMPORARY", BLOCK | {"durationMinutes": "60"}),
    "BLOCKED_TEMPORARY of a nameless integrator": ("BLOCKED_TEMPORARY", BLOCK | {"integratorName": 1}),
}

BAD_ENVELOPES: dict[str, tuple[Path, object]] = {
    "notificationType removed": (("notificationType",), LEFT_OUT),
    "notificationType null": (("notificationType",), None),
    "notificationType of another name": (("notificationType",), "NOTIFICATION"),
    "timestamp removed": (("timestamp",), LEFT_OUT),
    "timestamp null": (("timestamp",), None),
    "timestamp true": (("timestamp",), True),
    "timestamp an object": (("timestamp",), {}),
    "payload removed": (("payload",), LEFT_OUT),
}


def notification(notification_type: str, payload: object) -> dict[str, Any]:
    """Give a notification of this type, with this payload."""
    return {"notificationType": notification_type, "timestamp": "2024-02-15T02:00:00Z", "payload": payload}


def plain_notification(notification_type: str) -> dict[str, Any]:
    """Give a lawful notification of this type: the first that the table has."""
    return next(notification(kind, payload) for kind, payload in PAYLOADS.values() if kind == notification_type)


@pytest.mark.parametrize(("notification_type", "payload"), PAYLOADS.values(), ids=PAYLOADS)
def test_a_notification_in_shape_is_valid(notification_type: str, payload: object) -> None:
    openapi.webhook_validator(notification_type).validate(notification(notification_type, payload))


@pytest.mark.parametrize(("notification_type", "payload"), BAD_PAYLOADS.values(), ids=BAD_PAYLOADS)
def test_a_payload_out_of_shape_is_invalid(notification_type: str, payload: object) -> None:
    assert not openapi.webhook_validator(notification_type).is_valid(notification(notification_type, payload))


@pytest.mark.parametrize("timestamp", ["2024-02-15T02:00:00Z", "15/02/2024 02:00", 1707962400, 1707962400.5])
@pytest.mark.parametrize("notification_type", WEBHOOKS.values())
def test_a_notification_s_time_is_of_any_format(notification_type: str, timestamp: object) -> None:
    whole = plain_notification(notification_type) | {"timestamp": timestamp, "id": "x"}
    openapi.webhook_validator(notification_type).validate(whole)


@pytest.mark.parametrize(("path", "value"), BAD_ENVELOPES.values(), ids=BAD_ENVELOPES)
@pytest.mark.parametrize("notification_type", WEBHOOKS.values())
def test_one_fault_makes_a_notification_invalid(notification_type: str, path: Path, value: object) -> None:
    whole = plain_notification(notification_type)
    assert openapi.webhook_validator(notification_type).is_valid(whole)
    assert not openapi.webhook_validator(notification_type).is_valid(changed(whole, path, value))


@pytest.mark.parametrize("notification_type", WEBHOOKS.values())
def test_a_notification_is_of_no_other_type(notification_type: str) -> None:
    validator = openapi.webhook_validator(notification_type)
    taken = {kind for kind, payload in PAYLOADS.values() if validator.is_valid(notification(kind, payload))}
    assert taken == {notification_type}


@pytest.mark.parametrize("body", NO_OBJECTS.values(), ids=NO_OBJECTS)
@pytest.mark.parametrize("notification_type", WEBHOOKS.values())
def test_what_is_no_object_is_no_notification(notification_type: str, body: object) -> None:
    assert not openapi.webhook_validator(notification_type).is_valid(body)


# ---- The other bodies

ERROR = {"errorMessage": "Channel invalid_channel not found", "errorCode": "404-2"}
NO_TOKEN = {"response": "NO_TOKEN"}
STORED = {"marketplaceCode": "701-2798273-4005859", "status": "INVOICED"}
STORED_EXTRACT = {"type": "SALE", "value": 203.63}
EXTRACT_NULLS = {"expectedDate": None, "percentage": None}
TOKENS = {"accessToken": "a.b.c", "refreshToken": "r"}
ACCOUNT = {"id": 19055, "channelName": "CHANNEL_NAME", "status": "ACTIVE", "apiImport": True}

GOOD_ANSWERS: dict[str, tuple[str, str, object]] = {
    "tokens": ("createToken", "200", TOKENS),
    "tokens with a lifetime": ("refreshToken", "201", TOKENS | {"expiresIn": 7200}),
    "no accounts": ("listAccounts", "200", []),
    "an account": ("listAccounts", "200", [ACCOUNT]),
    "an account of unknown fields": ("listAccounts", "200", [{"code": 1}]),
    "an order as submitted": ("getOrder", "200", printed_order()),
    "an order by its least": ("getOrder", "200", STORED),
    "an order all null": ("getOrder", "200", STORED | dict.fromkeys((*DATES, "totalGrossValue"))),
    "an order without extracts": ("getOrder", "200", STORED | {"extracts": []}),
    "an order's extract with nulls": ("getOrder", "200", STORED | {"extracts": [STORED_EXTRACT | EXTRACT_NULLS]}),
    "an order's extract of any type": (
        "getOrder",
        "200",
        STORED | {"extracts": [STORED_EXTRACT | {"type": "ADJUSTMENT"}]},
    ),
    "an order, answered with another success": ("getOrder", "203", STORED),
    "accounts, answered with another success": ("listAccounts", "206", [ACCOUNT]),
    "an order with more fields": ("getOrder", "200", printed_order() | {"accountId": 19055, "reconciled": False}),
    "a reconciliation's number": ("createReconciliation", "201", {"id": 237}),
    "a reconciliation with more fields": ("createReconciliation", "201", {"id": 237, "status": "ACTIVE"}),
    "an error": ("getOrder", "404", ERROR),
    "an error with a source": ("submitOrder", "400", ERROR | {"errorSource": {"field": "status"}}),
    "an error at 403": ("deleteOrder", "403", ERROR | {"errorCode": "403-2"}),
    "no token": ("deleteOrder", "403", NO_TOKEN),
    **{
        f"a refusal of unstated status by {name}": (name, "409", ERROR | {"errorCode": "409-1"})
        for name in ("deleteOrder", "createReconciliation", "submitRelease")
    },
}

BAD_ANSWERS: dict[str, tuple[str, str, object]] = {
    **{
        f"{field} {name}": ("createToken", "200", changed(TOKENS, (field,), value))
        for field in TOKENS
        for name, value in {"removed": LEFT_OUT, "empty": "", "a number": 1}.items()
    },
    "tokens in a list": ("refreshToken", "200", [TOKENS]),
    "accounts in an envelope": ("listAccounts", "200", {"accounts": []}),
    "an account of odd status": ("listAccounts", "200", [ACCOUNT | {"status": "active"}]),
    "an account by its number": ("listAccounts", "200", [19055]),
    "an account's import as a word": ("listAccounts", "200", [ACCOUNT | {"apiImport": "yes"}]),
    "an order in a list": ("getOrder", "200", [STORED]),
    "an order in a list, answered with another success": ("getOrder", "203", [STORED]),
    **{f"an order without {field}": ("getOrder", "200", changed(STORED, (field,), LEFT_OUT)) for field in STORED},
    "an order in an earlier status": ("getOrder", "200", STORED | {"status": "PAID"}),
    "an order's date as a number": ("getOrder", "200", STORED | {"sendDate": 1746792000000}),
    "an order's extracts as an object": ("getOrder", "200", STORED | {"extracts": STORED_EXTRACT}),
    **{
        f"an order's extract {name}": ("getOrder", "200", STORED | {"extracts": [extract]})
        for name, extract in {
            "by its value": 203.63,
            "without type": {"value": 203.63},
            "without value": {"type": "SALE"},
            "with an empty type": STORED_EXTRACT | {"type": ""},
            "with a number for its type": STORED_EXTRACT | {"type": 1},
            "with a string for its value": STORED_EXTRACT | {"value": "203.63"},
        }.items()
    },
    **{
        f"a reconciliation {name}": ("createReconciliation", "201", body)
        for name, body in {
            "without number": {},
            "by its number": 237,
            "in a list": [{"id": 237}],
            "of a number in quotes": {"id": "237"},
            "of a number with a fraction": {"id": 237.5},
            "of the number null": {"id": None},
            "of the number true": {"id": True},
        }.items()
    },
    **{
        f"a bare refusal of unstated status by {name}": (name, "409", {})
        for name in ("deleteOrder", "createReconciliation", "submitRelease")
    },
    "an error without code": ("getOrder", "404", {"errorMessage": "no such order"}),
    "an error without message": ("getOrder", "404", {"errorCode": "404-3"}),
    "an error in a list": ("getOrder", "404", [ERROR]),
    "an error with a number for its message": ("submitOrder", "400", ERROR | {"errorMessage": 1}),
    "an error with a number for its code": ("submitOrder", "400", ERROR | {"errorCode": 400}),
    "an error with half a code": ("submitOrder", "400", ERROR | {"errorCode": "400-"}),
    "no token at 404": ("getOrder", "404", NO_TOKEN),
    "an empty object at 403": ("getOrder", "403", {}),
    "the words NO_TOKEN alone": ("getOrder", "403", "NO_TOKEN"),
    "another word for no token": ("getOrder", "403", {"response": "FORBIDDEN"}),
}


@pytest.mark.parametrize(("name", "status", "body"), GOOD_ANSWERS.values(), ids=GOOD_ANSWERS)
def test_an_answer_in_shape_is_valid(name: str, status: str, body: object) -> None:
    validator = openapi.answer_validator(name, status)
    assert validator is not None
    validator.validate(body)


@pytest.mark.parametrize(("name", "status", "body"), BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_an_answer_out_of_shape_is_invalid(name: str, status: str, body: object) -> None:
    validator = openapi.answer_validator(name, status)
    assert validator is not None
    assert not validator.is_valid(body)


@pytest.mark.parametrize("status", ["423", "429", "500", "502"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_nothing_is_asked_of_a_body_that_is_not_documented(name: str, status: str) -> None:
    assert openapi.answer_validator(name, status) is None


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("submitOrder", "200"),
        ("deleteOrder", "200"),
        ("deleteOrder", "204"),
        ("submitRelease", "200"),
        ("submitRelease", "201"),
        ("submitRelease", "204"),
    ],
)
def test_nothing_is_asked_of_the_body_of_a_success_that_is_not_documented(name: str, status: str) -> None:
    assert openapi.answer_validator(name, status) is None


BAD_TOKEN_REQUESTS: dict[str, tuple[str, object]] = {
    "credentials left out": ("createToken", {}),
    "credentials not in base64": ("createToken", {"credentials": "a:b"}),
    "credentials empty": ("createToken", {"credentials": ""}),
    "credentials a number": ("createToken", {"credentials": 1}),
    "credentials bare": ("createToken", "YTpi"),
    "refresh token left out": ("refreshToken", {}),
    "refresh token null": ("refreshToken", {"refreshToken": None}),
    "refresh token empty": ("refreshToken", {"refreshToken": ""}),
    "refresh token bare": ("refreshToken", "r"),
}


@pytest.mark.parametrize("credentials", ["YTpi", "YTo=", "YQ=="])
def test_credentials_are_base64(credentials: str) -> None:
    openapi.request_validator("createToken").validate({"credentials": credentials})


def test_a_refresh_token_is_any_word() -> None:
    openapi.request_validator("refreshToken").validate({"refreshToken": "r"})


@pytest.mark.parametrize(("name", "body"), BAD_TOKEN_REQUESTS.values(), ids=BAD_TOKEN_REQUESTS)
def test_a_request_for_tokens_out_of_shape_is_invalid(name: str, body: object) -> None:
    assert not openapi.request_validator(name).is_valid(body)


# ---- Asking for what is not there


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
