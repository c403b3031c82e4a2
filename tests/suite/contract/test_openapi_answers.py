"""The OpenAPI document is neither looser nor stricter than what it restates of answers and of requests for tokens."""

from __future__ import annotations

import pytest

from conformance.contract import openapi
from tests.suite.support.openapi_bodies import DATES, ERROR, LEFT_OUT, OPERATIONS, changed, printed_order

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
