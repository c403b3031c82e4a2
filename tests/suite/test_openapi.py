"""The OpenAPI document: valid, complete for what it covers, neither looser nor stricter than what it restates."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from conformance.contract import openapi, readings

OPERATIONS = {
    "createToken": ("post", "/public/api/auth/token"),
    "refreshToken": ("post", "/public/api/auth/refresh-token"),
    "listAccounts": ("get", "/my-accounts"),
    "submitOrder": ("post", "/order"),
    "getOrder": ("get", "/order"),
    "deleteOrder": ("delete", "/order"),
}
WITHOUT_TOKEN = {"createToken", "refreshToken"}

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


def printed_order() -> dict[str, Any]:
    """Give S2's order, which a test may change."""
    order: dict[str, Any] = copy.deepcopy(openapi.load()["components"]["examples"]["PrintedOrder"]["value"])
    return order


def lawful_order(status: str) -> dict[str, Any]:
    """Give S2's order in another status, with the dates which that makes mandatory and no others."""
    order = printed_order()
    order["status"] = status
    for date in DATES:
        order[date] = "2025-05-15T12:00:00Z" if date in MANDATORY_DATES[status] else None
    return order


def changed(order: dict[str, Any], path: Path, value: object) -> dict[str, Any]:
    """Give a copy of an order that differs in one place."""
    whole = copy.deepcopy(order)
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
    assert {"extract-types", "empty-extracts", "account-id-type"} <= set(encoded)
    assert encoded == {name: readings.READINGS[name].default for name in encoded}
    types = openapi.load()["components"]["schemas"]["Extract"]["discriminator"]["mapping"]
    assert set(types) == set(readings.EXTRACT_TYPES[encoded["extract-types"]])


@pytest.mark.parametrize("name", ["Order", "Extract"])
def test_a_discriminator_leads_to_the_alternative_of_its_constant(name: str) -> None:
    union = openapi.load()["components"]["schemas"][name]
    key, mapping = union["discriminator"]["propertyName"], union["discriminator"]["mapping"]
    assert list(mapping.values()) == [alternative["$ref"] for alternative in union["oneOf"]]
    for value, reference in mapping.items():
        alternative = resolved({"$ref": reference})
        assert alternative["properties"][key] == {"const": value}
        assert key in alternative["required"]


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


def test_the_printed_order_is_valid() -> None:
    openapi.request_validator("submitOrder").validate(printed_order())


def test_the_printed_order_is_the_example_of_the_request() -> None:
    media = operations()["submitOrder"][2]["requestBody"]["content"][openapi.JSON]
    assert [resolved(example)["value"] for example in media["examples"].values()] == [printed_order()]


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


@pytest.mark.parametrize(
    "body",
    [[], [printed_order()], "order", 1, None, True],
    ids=["empty list", "list of one order", "string", "number", "null", "boolean"],
)
def test_what_is_no_object_is_no_order(body: object) -> None:
    assert not openapi.request_validator("submitOrder").is_valid(body)


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
    "an order with more fields": ("getOrder", "200", printed_order() | {"accountId": 19055, "reconciled": False}),
    "an error": ("getOrder", "404", ERROR),
    "an error with a source": ("submitOrder", "400", ERROR | {"errorSource": {"field": "status"}}),
    "an error at 403": ("deleteOrder", "403", ERROR | {"errorCode": "403-2"}),
    "no token": ("deleteOrder", "403", NO_TOKEN),
    "a refusal of unstated status": ("deleteOrder", "409", ERROR | {"errorCode": "409-1"}),
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
    "an error without code": ("getOrder", "404", {"errorMessage": "no such order"}),
    "an error without message": ("getOrder", "404", {"errorCode": "404-3"}),
    "an error in a list": ("getOrder", "404", [ERROR]),
    "an error with a number for its message": ("submitOrder", "400", ERROR | {"errorMessage": 1}),
    "an error with a number for its code": ("submitOrder", "400", ERROR | {"errorCode": 400}),
    "an error with half a code": ("submitOrder", "400", ERROR | {"errorCode": "400"}),
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


@pytest.mark.parametrize("name", ["submitOrder", "deleteOrder"])
def test_nothing_is_asked_of_the_body_of_a_success_that_is_not_documented(name: str) -> None:
    assert openapi.answer_validator(name, "200") is None


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


@pytest.mark.parametrize(("name", "status"), [("getOrder", "201"), ("submitOrder", "418"), ("noSuchOperation", "200")])
def test_there_is_no_validator_of_an_answer_nobody_declares(name: str, status: str) -> None:
    with pytest.raises(LookupError, match=name):
        openapi.answer_validator(name, status)
