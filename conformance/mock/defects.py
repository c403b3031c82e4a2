"""Mocks that do one thing wrong, each with the rules that the suite may blame for it."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from conformance.contract.endpoints import ACCESS_TOKEN_FIELD, REFRESH_TOKEN_FIELD, Endpoint
from conformance.contract.judge import Request
from conformance.contract.order_rules import DATE_FIELDS
from conformance.contract.readings import TOKEN_LIFETIME_SECONDS
from conformance.contract.rules import Side, catalogue
from conformance.mock.batch_defects import BATCH_DEFECTS
from conformance.mock.defect_parts import (
    on,
    overlooked_on,
    per_value,
    refusals,
    rules,
    too_strict,
    with_fields,
    without,
)
from conformance.mock.koncili import order_key
from conformance.mock.quirks import Answer, Defect, named, table
from conformance.mock.world import Body, MockWorld, OrderKey

# -- a rule is not enforced ----------------------------------------------------------------------------------------

# These stand for a law over several calls, or for one that another rule's breach shows: they have defects of their own.
_NOT_BY_OVERLOOKING: Final = {
    "ORD-16", "DEL-05", "ERR-01", "ERR-03", "AUTH-07", "DEL-02", "REC-09", "REL-18", "WFL-04", "LIM-01", "LIM-02", "LIM-03",
}  # fmt: skip


def _not_enforced(rule_id: str) -> Defect:
    return Defect(
        name=f"{rule_id.lower()}-not-enforced",
        statement=f"Does not refuse what {rule_id} forbids.",
        rules=rules(rule_id),
        overlooks=lambda breach, _: breach.rule == rule_id,
    )


def _not_enforced_all() -> list[Defect]:
    refusable = (rule.id for rule in catalogue().rules.values() if Side.REFUSED in rule.sides)
    return [_not_enforced(rule_id) for rule_id in refusable if rule_id not in _NOT_BY_OVERLOOKING]


# -- too strict ----------------------------------------------------------------------------------------------------


def _equal_dates(order: Body) -> str | None:
    given = [order[name] for name in DATE_FIELDS if order.get(name) is not None]
    return "createdDate" if len(set(given)) < len(given) else None


# -- money, storing and showing ------------------------------------------------------------------------------------


def _merge(order: Body, previous: Body | None, _: MockWorld) -> Body:
    given = {name: value for name, value in order.items() if value is not None}
    return {**(previous or {}), **given}


def _through_float32(value: Any) -> Decimal:
    return Decimal(repr(round(struct.unpack("f", struct.pack("f", float(value)))[0], 2)))


def _share(order: Body, previous: Body | None, world: MockWorld) -> Body:  # noqa: ARG001
    for key in list(world.orders):
        if key[2] == order.get("marketplaceCode") and (version := world.stored(key)) and version.body is not None:
            there = {name: version.body.get(name) for name in ("accountId", "channelName")}
            world.put(key, {**order, **there})
    return order


def _append_extracts(order: Body, previous: Body | None, _: MockWorld) -> Body:
    return {**order, "extracts": [*(previous or {}).get("extracts", ()), *order.get("extracts", ())]}


def _first_write_wins(order: Body, previous: Body | None, _: MockWorld) -> Body:
    return previous if previous is not None else order


def _key_of(request: Request) -> OrderKey | None:
    if request.endpoint is not Endpoint.SUBMIT_ORDER:
        return None
    return order_key(request.fields)


def _store_the_refused(world: MockWorld, request: Request) -> None:
    key = _key_of(request)
    if key and world.stored(key):
        world.put(key, request.fields)


def _wipe_the_refused(world: MockWorld, request: Request) -> None:
    key = _key_of(request)
    if key and world.stored(key):
        world.put(key, None)


def _delete_neighbours(world: MockWorld, key: OrderKey) -> None:
    for other in list(world.orders):
        if other[:2] == key[:2] and other != key and (version := world.stored(other)) and version.through_api:
            world.put(other, None)


def _delete_on_every_account(world: MockWorld, key: OrderKey) -> None:
    for other in list(world.orders):
        if other[2] == key[2] and world.stored(other):
            world.put(other, None)


def _undelete(world: MockWorld, key: OrderKey) -> None:
    versions = world.orders.get(key, [])
    if versions and versions[-1].body is None:
        versions.pop()


def _conclude(world: MockWorld, key: OrderKey) -> None:
    stored = world.stored(key)
    if stored and stored.body is not None:
        world.put(key, {**stored.body, "totalGrossValue": Decimal("0.01")})


# -- answers -------------------------------------------------------------------------------------------------------


def _texts(value: object) -> str:
    """All text in a JSON value, strung together."""
    if isinstance(value, str):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return "".join(_texts(part) for part in parts)


def _is_odd(character: str) -> bool:
    """A NUL, or half of a surrogate pair."""
    return character == "\0" or "\ud800" <= character <= "\udfff"


def _crash_on_odd_text(request: Request, answer: Answer) -> Answer:
    odd = any(_is_odd(character) for character in _texts(request.content))
    return Answer(500, {"errorMessage": "internal", "errorCode": "500-0"}) if odd else answer


def _crash_on_large_numbers(request: Request, answer: Answer) -> Answer:
    crash = request.endpoint is Endpoint.SUBMIT_ORDER and b"E+" in request.body
    return Answer(500, {"errorMessage": "internal", "errorCode": "500-0"}) if crash else answer


def _same_refresh_token(request: Request, answer: Answer) -> Answer:
    if request.endpoint is Endpoint.REFRESH_TOKEN and answer.status == 200:  # noqa: PLR2004
        return with_fields(**{REFRESH_TOKEN_FIELD: request.fields[REFRESH_TOKEN_FIELD]})(answer)
    return answer


def _half_hour_and_a_minute(instant: datetime) -> datetime:
    return instant + timedelta(minutes=31)


_OWN: Final = (
    # authentication
    Defect(
        name="auth-01-no-refresh-token",
        statement="Gives an access token and no refresh token.",
        rules=rules("AUTH-01", "AUTH-06", "AUTH-07"),
        answers=on(Endpoint.CREATE_TOKEN, without(REFRESH_TOKEN_FIELD)),
    ),
    Defect(
        name="auth-02-token-in-refusal",
        statement="Refuses wrong credentials and gives a token all the same.",
        rules=rules("AUTH-02"),
        answers=lambda request, answer: (
            with_fields(**{ACCESS_TOKEN_FIELD: "leaked"})(answer)
            if request.endpoint is Endpoint.CREATE_TOKEN and answer.status == 401  # noqa: PLR2004
            else answer
        ),
    ),
    Defect(
        name="auth-03-wrong-body",
        statement="Refuses a call without a token, with an error body instead of NO_TOKEN.",
        rules=rules("AUTH-03", "AUTH-05"),
        answers=lambda _, answer: (
            answer.having(body={"errorMessage": "no token", "errorCode": "403-0"})
            if answer.status == 403  # noqa: PLR2004
            and isinstance(answer.body, dict)
            and "response" in answer.body
            else answer
        ),
    ),
    Defect(
        name="auth-05-dies-a-minute-early",
        statement="Lets an access token die a minute before its documented life is over.",
        rules=rules("AUTH-05"),
        token_seconds=TOKEN_LIFETIME_SECONDS["two-hours"] - 60,
    ),
    Defect(
        name="auth-05-dies-a-minute-late",
        statement="Lets an access token live a minute longer than documented.",
        rules=rules("AUTH-05"),
        token_seconds=TOKEN_LIFETIME_SECONDS["two-hours"] + 60,
    ),
    Defect(
        name="auth-06-same-refresh-token",
        statement="Answers a refresh with the refresh token that was just used.",
        rules=rules("AUTH-06", "AUTH-07"),
        answers=_same_refresh_token,
    ),
    Defect(
        name="auth-07-refresh-token-reusable",
        statement="Takes a refresh token any number of times.",
        rules=rules("AUTH-07"),
        reuses_refresh_tokens=True,
    ),
    # accounts
    Defect(
        name="acc-01-empty-list",
        statement="Lists no account.",
        rules=rules("ACC-01"),
        answers=on(Endpoint.LIST_ACCOUNTS, lambda answer: answer.having(body=[])),
    ),
    *(
        overlooked_on(rule_id, endpoint)
        for rule_id in ("ACC-02", "ACC-04", "ACC-06", "AUTH-03", "AUTH-08")
        for endpoint in (Endpoint.GET_ORDER, Endpoint.DELETE_ORDER)
    ),
    # orders
    too_strict("ord-01-equal-dates-refused", "Refuses an order of which two dates are equal.", _equal_dates, "ORD-01"),
    too_strict(
        "ord-01-many-extracts-refused",
        "Refuses an order with more than five extracts.",
        lambda order: "extracts" if len(order.get("extracts", ())) > 5 else None,  # noqa: PLR2004
        "ORD-01",
    ),
    too_strict(
        "ord-06-send-date-demanded",
        "Demands a sendDate of INVOICED orders.",
        lambda order: "sendDate" if order.get("status") == "INVOICED" and not order.get("sendDate") else None,
        "ORD-01",
        "ORD-06",
    ),
    Defect(
        name="ord-07-one-status-only",
        statement="Looks at the order of dates of CONCLUDED orders only.",
        rules=rules("ORD-07"),
        overlooks=lambda breach, request: breach.rule == "ORD-07" and b"CONCLUDED" not in request.body,
    ),
    Defect(
        name="ord-07-wrong-code",
        statement="Refuses dates out of order with code 400-0.",
        rules=rules("ORD-07"),
        answers=refusals(
            lambda answer: (
                with_fields(errorCode="400-0")(answer)
                if isinstance(answer.body, dict) and answer.body["errorCode"] == "400-3"
                else answer
            )
        ),
    ),
    Defect(
        name="ord-15-merges",
        statement="Keeps what an update leaves out.",
        rules=rules("ORD-15", "ORD-17"),
        stores=_merge,
    ),
    Defect(
        name="ord-15-first-write-wins",
        statement="Accepts an update and keeps the order as it was.",
        rules=rules("ORD-15", "QRY-03"),
        stores=_first_write_wins,
    ),
    Defect(
        name="ord-16-refused-but-stored",
        statement="Stores the update that it refuses.",
        rules=rules("ORD-16"),
        after_refusal=_store_the_refused,
    ),
    Defect(
        name="ord-16-refused-and-wiped",
        statement="Deletes the order of which it refuses an update.",
        rules=rules("ORD-16", "ORD-01"),
        after_refusal=_wipe_the_refused,
    ),
    Defect(
        name="ord-17-extracts-pile-up",
        statement="Adds the extracts of a second submission to those of the first.",
        rules=rules("ORD-15", "ORD-16", "ORD-17", "QRY-03"),
        stores=_append_extracts,
    ),
    Defect(
        name="wfl-04-shared-between-accounts",
        statement="Keeps an order under its code alone: accounts share it.",
        rules=rules("WFL-04", "DEL-01", "REL-14", "ORD-15"),
        stores=_share,
    ),
    # queries
    Defect(
        name="qry-01-float32",
        statement="Keeps money in 32-bit floats.",
        rules=rules("QRY-01", "QRY-03", "QRY-04", "ORD-15", "ORD-16", "ORD-17", "DEL-01", "DEL-04"),
        shows=per_value(_through_float32),
    ),
    Defect(
        name="qry-01-one-decimal",
        statement="Shows money with one decimal.",
        rules=rules("QRY-01", "QRY-03", "QRY-04", "ORD-15", "ORD-16", "ORD-17", "DEL-01"),
        shows=per_value(lambda value: Decimal(value).quantize(Decimal("0.1"))),
    ),
    Defect(
        name="qry-01-absolute-values",
        statement="Shows money without its sign.",
        rules=rules("QRY-01", "QRY-03", "QRY-04", "ORD-15", "ORD-16", "ORD-17", "DEL-01"),
        shows=per_value(abs),
    ),
    Defect(
        name="qry-03-thirty-one-minutes",
        statement="Shows a change after 31 minutes.",
        rules=rules("QRY-03"),
        shows_at=_half_hour_and_a_minute,
    ),
    Defect(
        name="qry-04-asking-changes",
        statement="Changes an order's total when it is asked for.",
        rules=rules("DEL-03", "QRY-01", "QRY-03", "QRY-04", "ORD-15", "ORD-16", "ORD-17", "DEL-01"),
        after_query=_conclude,
    ),
    # deletion
    Defect(
        name="del-01-not-deleted",
        statement="Accepts a deletion and keeps the order.",
        rules=rules("DEL-01", "DEL-05", "ORD-17"),
        after_deletion=_undelete,
    ),
    Defect(
        name="del-01-takes-neighbours",
        statement="Deletes every order of the account.",
        rules=rules("DEL-01"),
        after_deletion=_delete_neighbours,
    ),
    Defect(
        name="del-01-takes-other-accounts",
        statement="Deletes the order of the same code on other accounts too.",
        rules=rules("DEL-01"),
        after_deletion=_delete_on_every_account,
    ),
    Defect(
        name="del-02-unknown-accepted",
        statement="Deletes orders that do not exist.",
        rules=rules("DEL-02", "DEL-05", "ORD-17"),
        overlooks=lambda breach, _: breach.rule == "DEL-02",
    ),
    Defect(
        name="del-05-second-deletion-other-code",
        statement="Answers a second deletion with code 404-0.",
        rules=rules("DEL-02", "DEL-05"),
        answers=lambda request, answer: (
            with_fields(errorCode="404-0")(answer)
            if request.endpoint is Endpoint.DELETE_ORDER
            and isinstance(answer.body, dict)
            and answer.body.get("errorCode") == "404-3"
            else answer
        ),
    ),
    # errors
    Defect(
        name="err-01-empty-body",
        statement="Refuses with an empty body.",
        rules=rules(
            "ERR-01", "ERR-03", "ORD-07", "ACC-02", "ACC-03", "ACC-04", "ACC-05", "ACC-06", "QRY-02", "DEL-02", "DEL-05"
        ),
        answers=refusals(lambda answer: answer.having(body=None)),
    ),
    Defect(
        name="err-01-wrong-prefix",
        statement="Puts 500 before the number of an undocumented code.",
        rules=rules("ERR-01"),
        answers=refusals(
            lambda answer: (
                with_fields(errorCode="500-0")(answer)
                if isinstance(answer.body, dict) and str(answer.body["errorCode"]).endswith("-0")
                else answer
            )
        ),
    ),
    Defect(
        name="err-02-odd-text",
        statement="Answers 500 to a NUL or a lone surrogate in any text.",
        rules=rules("ERR-02"),
        answers=_crash_on_odd_text,
    ),
    Defect(
        name="err-02-large-numbers",
        statement="Answers 500 to a number beyond any double.",
        rules=rules("ERR-02"),
        answers=_crash_on_large_numbers,
    ),
    Defect(
        name="err-03-vague",
        statement="Says only that something was wrong.",
        rules=rules("ERR-03"),
        answers=refusals(with_fields(errorMessage="Invalid request", errorSource=None)),
    ),
)

DEFECTS: Final = table(*_not_enforced_all(), *_OWN, *BATCH_DEFECTS)


def defect(name: str) -> Defect:
    """The defect of that name. Raises KeyError that names it and those that resemble it."""
    return named(DEFECTS, name, "defect")
