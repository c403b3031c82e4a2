"""The right thing is done and the wrong thing answered: status, code, prefix, body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from conformance.contract.endpoints import ACCESS_TOKEN_FIELD, REFRESH_TOKEN_FIELD, Endpoint
from conformance.contract.judge import Request
from conformance.mock.charsets import in_latin_1
from conformance.mock.defects.parts import (
    CREATE,
    DELETE,
    QUERY,
    RELEASE,
    SUBMIT,
    on,
    refusals,
    refusals_with,
    rules,
    with_fields,
    without,
)
from conformance.mock.quirks import Answer, Defect

_CODED: Final = ("ORD-07", "ACC-02", "ACC-03", "ACC-04", "ACC-05", "ACC-06", "QRY-02", "DEL-02", "DEL-05")
"""Rules that demand a code."""

_ABOUT_BODIES: Final = ("ERR-01", "ERR-03", "ERR-05", *_CODED)

HTML: Final = b"<html><body><h1>Bad Request</h1></body></html>"

_REFUSING: Final = frozenset(
    {
        "ORD-02", "ORD-03", "ORD-04", "ORD-05", "ORD-07", "ORD-08", "ORD-09", "ORD-10", "ORD-11", "ORD-12", "ORD-13",
        "ORD-14", "ORD-18", "ORD-21", "ORD-22",
        "REC-03", "REC-04", "REC-05", "REC-06", "REC-07", "REC-08", "REL-02", "REL-03", "REL-04",
        "REL-05", "REL-06", "REL-07", "REL-08", "REL-09", "REL-10", "REL-11", "REL-12", "REL-13", "REL-14", "REL-16",
        "REL-17", "DEL-03", "DEL-04", "AUTH-08", "ERR-01", "ERR-05",
    }
)  # fmt: skip
"""Rules that demand a refusal, most of them with 400."""


def _status(status: int) -> Callable[[Answer], Answer]:
    """An error body with another status, the code in keeping with it."""
    return lambda answer: with_fields(errorCode=f"{status}-0")(answer).having(status=status)


def _coded(name: str, statement: str, code: str, change: Callable[[Answer], Answer], *blamed: str) -> Defect:
    return Defect(name=name, statement=statement, rules=rules(*blamed), answers=refusals_with(code, change))


def _body(name: str, statement: str, change: Callable[[Answer], Answer], *blamed: str) -> Defect:
    return Defect(
        name=f"err-01-{name}", statement=statement, rules=rules(*(blamed or _ABOUT_BODIES)), answers=refusals(change)
    )


def _only(endpoint: Endpoint, change: Callable[[Answer], Answer]) -> Callable[[Request, Answer], Answer]:
    """A change of the refusals of one endpoint."""
    changed = refusals(change)
    return lambda request, answer: changed(request, answer) if request.endpoint is endpoint else answer


def _no_token(change: Callable[[Answer], Answer]) -> Callable[[Request, Answer], Answer]:
    return lambda _, answer: (
        change(answer) if isinstance(answer.body, dict) and answer.body.get("response") == "NO_TOKEN" else answer
    )


def _undocumented(status: int, change: Callable[[Answer], Answer]) -> Callable[[Request, Answer], Answer]:
    """A change of what a wrong path (404) or method (405) gets."""
    return lambda request, answer: change(answer) if request.endpoint is None and answer.status == status else answer


ANSWERS: Final = (
    # successes
    Defect(
        name="ord-01-status-201",
        statement="Accepts an order with 201.",
        rules=rules("ORD-01", "ERR-05"),
        answers=on(SUBMIT, lambda answer: answer.having(status=201)),
    ),
    Defect(
        name="ord-01-status-202",
        statement="Accepts an order with 202.",
        rules=rules("ORD-01", "ERR-05"),
        answers=on(SUBMIT, lambda answer: answer.having(status=202)),
    ),
    Defect(
        name="rec-01-status-200",
        statement="Answers a creation with 200.",
        rules=rules("REC-01", "ERR-05"),
        answers=on(CREATE, lambda answer: answer.having(status=200)),
    ),
    Defect(
        name="rec-01-id-as-text",
        statement="Gives the id of a reconciliation as a string.",
        rules=rules("REC-01", "ERR-05"),
        answers=on(CREATE, lambda answer: answer.having(body={"id": str(answer.body["id"])})),  # type: ignore[index]
    ),
    Defect(
        name="rec-01-no-id",
        statement="Gives a reconciliation no id.",
        rules=rules("REC-01", "ERR-05"),
        answers=on(CREATE, lambda answer: answer.having(body={"message": "created"})),
    ),
    Defect(
        name="rec-01-id-elsewhere",
        statement="Gives the id of a reconciliation under reconciliationId.",
        rules=rules("REC-01", "ERR-05"),
        answers=on(CREATE, lambda answer: answer.having(body={"reconciliationId": answer.body["id"]})),  # type: ignore[index]
    ),
    Defect(
        name="qry-01-in-an-array",
        statement="Shows an order in an array.",
        rules=rules("QRY-01", "QRY-03", "QRY-04", "ORD-15", "ORD-16", "ORD-17", "DEL-01", "DEL-04", "WFL-04", "ERR-05"),
        answers=on(QUERY, lambda answer: answer.having(body=[answer.body])),
    ),
    Defect(
        name="qry-01-under-order",
        statement="Shows an order under a field of its own.",
        rules=rules("QRY-01", "QRY-03", "QRY-04", "ORD-15", "ORD-16", "ORD-17", "DEL-01", "DEL-04", "WFL-04", "ERR-05"),
        answers=on(QUERY, lambda answer: answer.having(body={"order": answer.body})),
    ),
    Defect(
        name="err-05-accounts-without-id",
        statement="Lists the accounts without their ids.",
        rules=rules("ERR-05", "ACC-01"),
        answers=on(
            Endpoint.LIST_ACCOUNTS,
            lambda answer: answer.having(body=[{"channelName": row["channelName"]} for row in answer.body]),  # type: ignore[attr-defined]
        ),
    ),
    Defect(
        name="acc-01-not-an-array",
        statement="Lists the accounts in an object.",
        rules=rules("ACC-01", "ERR-05"),
        answers=on(Endpoint.LIST_ACCOUNTS, lambda answer: answer.having(body={"accounts": answer.body})),
    ),
    # refusals of tokens
    Defect(
        name="auth-02-token-in-refusal",
        statement="Refuses wrong credentials and gives a token all the same.",
        rules=rules("AUTH-02"),
        answers=lambda request, answer: (
            with_fields(**{ACCESS_TOKEN_FIELD: "leaked"})(answer)
            if request.endpoint is Endpoint.CREATE_TOKEN and answer.status == 401
            else answer
        ),
    ),
    Defect(
        name="auth-03-wrong-body",
        statement="Refuses a call without a token, with an error body instead of NO_TOKEN.",
        rules=rules("AUTH-03", "AUTH-05"),
        answers=_no_token(lambda answer: answer.having(body={"errorMessage": "no token", "errorCode": "403-0"})),
    ),
    Defect(
        name="auth-03-status-401",
        statement="Refuses a call without a token with 401.",
        rules=rules("AUTH-03", "AUTH-04", "AUTH-05", "ERR-05"),
        answers=_no_token(lambda answer: answer.having(status=401)),
    ),
    Defect(
        name="auth-03-lower-case",
        statement="Says no_token in place of NO_TOKEN.",
        rules=rules("AUTH-03", "AUTH-05"),
        answers=_no_token(lambda answer: answer.having(body={"response": "no_token"})),
    ),
    Defect(
        name="auth-02-no-body",
        statement="Refuses wrong credentials with 200 and no token.",
        rules=rules("AUTH-02", "ERR-05", "AUTH-01"),
        answers=lambda request, answer: (
            answer.having(status=200, body={ACCESS_TOKEN_FIELD: None, REFRESH_TOKEN_FIELD: None})
            if request.endpoint is Endpoint.CREATE_TOKEN and answer.status == 401
            else answer
        ),
    ),
    # codes
    _coded("ord-07-wrong-code", "Refuses dates out of order with code 400-0.", "400-3",
           with_fields(errorCode="400-0"), "ORD-07"),
    _coded("acc-02-code-of-the-channel", "Says of an unknown account that the channel does not exist.", "404-1",
           with_fields(errorCode="404-2"), "ACC-02"),
    _coded("acc-03-code-of-the-account", "Says of an unknown channel that the account does not exist.", "404-2",
           with_fields(errorCode="404-1"), "ACC-03"),
    _coded("acc-02-status-400", "Refuses an unknown account with 400.", "404-1", _status(400), "ACC-02"),
    _coded("acc-04-status-403", "Refuses an account that is not enabled with 403.", "400-2", _status(403), "ACC-04"),
    _coded("acc-05-status-404", "Hides an inactive account.", "403-1",
           lambda answer: with_fields(errorCode="404-1")(answer).having(status=404), "ACC-05"),
    _coded("acc-06-status-400", "Refuses an account on another channel with 400.", "403-2", _status(400), "ACC-06"),
    _coded("qry-02-status-400", "Refuses to find or delete an unknown order with 400.", "404-3", _status(400),
           "QRY-02", "DEL-02", "DEL-05"),
    Defect(
        name="qry-02-empty-object",
        statement="Answers a query for an unknown order with 200 and an empty object.",
        rules=rules("QRY-02", "ERR-05"),
        answers=lambda request, answer: (
            Answer(200, {})
            if request.endpoint is QUERY and isinstance(answer.body, dict) and answer.body.get("errorCode") == "404-3"
            else answer
        ),
    ),
    Defect(
        name="del-05-second-deletion-other-code",
        statement="Answers a second deletion with code 404-0.",
        rules=rules("DEL-02", "DEL-05"),
        answers=_only(DELETE, lambda answer: (
            with_fields(errorCode="404-0")(answer)
            if isinstance(answer.body, dict) and answer.body.get("errorCode") == "404-3" else answer)),
    ),
    _coded("ord-02-status-422", "Refuses values that are not valid with 422.", "400-0", _status(422), *_REFUSING),
    _coded("ord-02-status-404", "Refuses values that are not valid with 404.", "400-0", _status(404), *_REFUSING),
    Defect(
        name="rel-17-status-422",
        statement="Refuses a release that is not valid with 422.",
        rules=_REFUSING | {"ACC-04"},
        answers=_only(RELEASE, lambda answer: _status(422)(answer) if answer.status == 400 else answer),
    ),
    Defect(
        name="err-05-ok-with-error-inside",
        statement="Refuses with 200 and an error body.",
        rules=frozenset(_REFUSING | {*_CODED, "REC-01", "REL-18", "REC-09", "ORD-16", "AUTH-02", "AUTH-07", "ERR-04", "WFL-04"}),
        answers=refusals(lambda answer: answer.having(status=200)),
    ),
    Defect(
        name="rec-08-created-with-error-inside",
        statement="Refuses a reconciliation with 201 and an error body.",
        rules=frozenset(_REFUSING | {*_CODED, "REC-01", "REC-09", "ORD-21", "ORD-22", "WFL-04"}),
        answers=_only(CREATE, lambda answer: answer.having(status=201)),
    ),
    # bodies
    _body("empty-body", "Refuses with an empty body.", lambda answer: answer.having(body=None)),
    _body("html-body", "Refuses with a page of HTML.", lambda answer: answer.having(body=HTML)),
    _body("array-body", "Refuses with an array of errors.", lambda answer: answer.having(body=[answer.body])),
    _body("body-inside", "Refuses with the error under a field of its own.",
          lambda answer: answer.having(body={"error": answer.body})),
    _body("no-message", "Refuses without errorMessage.", without("errorMessage"), "ERR-01", "ERR-03", "ERR-05"),
    _body("empty-message", "Refuses with an empty errorMessage.", with_fields(errorMessage=""), "ERR-01", "ERR-03", "ERR-05"),
    _body("no-code", "Refuses without errorCode.", without("errorCode")),
    _body("code-as-number", "Refuses with errorCode as a number.",
          lambda answer: with_fields(errorCode=answer.status)(answer)),
    _body("code-is-the-status", "Refuses with the bare status for errorCode.",
          lambda answer: with_fields(errorCode=str(answer.status))(answer)),
    _body("wrong-prefix", "Puts 500 before the number of an undocumented code.", lambda answer: (
        with_fields(errorCode="500-0")(answer)
        if isinstance(answer.body, dict) and str(answer.body["errorCode"]).endswith("-0") else answer), "ERR-01", "ERR-05"),
    _body(
        "latin-1-undeclared",
        "Refuses in ISO-8859-1, and declares no charset.",
        lambda answer: in_latin_1(answer, declared=False),
        "ERR-01",
    ),
    Defect(
        name="err-01-html-for-malformed-json",
        statement="Refuses a body that is not JSON with a page of HTML.",
        rules=rules("ERR-01", "ERR-05"),
        answers=refusals(lambda answer: (
            answer.having(body=HTML)
            if isinstance(answer.body, dict) and "is not JSON" in str(answer.body.get("errorMessage")) else answer)),
    ),
    Defect(
        name="err-01-no-body-of-releases",
        statement="Refuses a release with an empty body.",
        rules=rules(*_ABOUT_BODIES),
        answers=_only(RELEASE, lambda answer: answer.having(body=None)),
    ),
    Defect(
        name="err-01-no-body-of-reconciliations",
        statement="Refuses a reconciliation with an empty body.",
        rules=rules(*_ABOUT_BODIES),
        answers=_only(CREATE, lambda answer: answer.having(body=None)),
    ),
    Defect(
        name="err-03-vague",
        statement="Says only that something was wrong.",
        rules=rules("ERR-03"),
        answers=refusals(with_fields(errorMessage="Invalid request", errorSource=None)),
    ),
    # paths and methods
    Defect(
        name="err-04-path-400",
        statement="Answers a wrong path with 400.",
        rules=rules("ERR-04"),
        answers=_undocumented(404, _status(400)),
    ),
    Defect(
        name="err-04-path-200",
        statement="Answers a wrong path with a page.",
        rules=rules("ERR-04"),
        answers=_undocumented(404, lambda answer: answer.having(status=200, body=HTML)),
    ),
    Defect(
        name="err-04-method-200",
        statement="Answers a wrong method with 200.",
        rules=rules("ERR-04"),
        answers=_undocumented(405, lambda answer: answer.having(status=200, body={})),
    ),
    Defect(
        name="err-04-method-501",
        statement="Answers a wrong method with 501.",
        rules=rules("ERR-02", "ERR-04"),
        answers=_undocumented(405, _status(501)),
    ),
)  # fmt: skip
