"""Mocks that do one thing wrong, each with the rules that the suite may blame for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from conformance.contract.endpoints import ACCESS_TOKEN_FIELD, REFRESH_TOKEN_FIELD, Endpoint
from conformance.contract.judge import Request
from conformance.contract.order_rules import DATE_FIELDS, Breach
from conformance.contract.readings import TOKEN_LIFETIME_SECONDS
from conformance.contract.rules import Side, catalogue
from conformance.mock.koncili import order_key
from conformance.mock.quirks import Answer, Defect, named, table
from conformance.mock.world import Body, MockWorld, OrderKey


def _rules(*ids: str) -> frozenset[str]:
    return frozenset(ids)


# -- a rule is not enforced ----------------------------------------------------------------------------------------

# These stand for a law over several calls, or for one that another rule's breach shows: they have defects of their own.
_NOT_BY_OVERLOOKING: Final = {"ORD-16", "DEL-05", "ERR-01", "ERR-03", "AUTH-07", "DEL-02"}


def _not_enforced(rule_id: str) -> Defect:
    return Defect(
        name=f"{rule_id.lower()}-not-enforced",
        statement=f"Does not refuse what {rule_id} forbids.",
        rules=_rules(rule_id),
        overlooks=lambda breach, _: breach.rule == rule_id,
    )


def _not_enforced_all() -> list[Defect]:
    refusable = (rule.id for rule in catalogue().rules.values() if Side.REFUSED in rule.sides)
    return [_not_enforced(rule_id) for rule_id in refusable if rule_id not in _NOT_BY_OVERLOOKING]


def _overlooked_on(rule_id: str, endpoint: Endpoint) -> Defect:
    return Defect(
        name=f"{rule_id.lower()}-not-on-{endpoint.value.lower()}",
        statement=f"Does not enforce {rule_id} on {endpoint.label}.",
        rules=_rules(rule_id),
        overlooks=lambda breach, request: breach.rule == rule_id and request.endpoint is endpoint,
    )


# -- too strict ----------------------------------------------------------------------------------------------------


def _too_strict(name: str, statement: str, objects: Callable[[Body], str | None], *rules: str) -> Defect:
    def objection(_: Request, order: Body) -> Breach | None:
        where = objects(order)
        return Breach("ORD-13", where, f"{where} is not acceptable") if where else None

    return Defect(name=name, statement=statement, rules=_rules("ORD-01", *rules), objects=objection)


def _equal_dates(order: Body) -> str | None:
    given = [order[name] for name in DATE_FIELDS if order.get(name) is not None]
    return "createdDate" if len(set(given)) < len(given) else None


# -- money, storing and showing ------------------------------------------------------------------------------------


def _per_value(change: Callable[[Any], Any]) -> Callable[[Body], Body]:
    """A change of every extract's value, as a hook that shows an order."""

    def shows(order: Body) -> Body:
        extracts = [{**extract, "value": change(extract["value"])} for extract in order.get("extracts", ())]
        return {**order, "extracts": extracts}

    return shows


def _merge(order: Body, previous: Body | None, _: MockWorld) -> Body:
    given = {name: value for name, value in order.items() if value is not None}
    return {**(previous or {}), **given}


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


def _refusals(change: Callable[[Answer], Answer]) -> Callable[[Request, Answer], Answer]:
    """A change of every refusal that carries an error body."""

    def answers(_: Request, answer: Answer) -> Answer:
        return change(answer) if isinstance(answer.body, dict) and "errorCode" in answer.body else answer

    return answers


def _on(endpoint: Endpoint, change: Callable[[Answer], Answer]) -> Callable[[Request, Answer], Answer]:
    """A change of every success of one endpoint."""
    return lambda request, answer: (
        change(answer) if request.endpoint is endpoint and answer.status < 300 else answer  # noqa: PLR2004
    )


def _without(name: str) -> Callable[[Answer], Answer]:
    return lambda answer: answer.having(
        body={key: value for key, value in answer.body.items() if key != name}
        if isinstance(answer.body, dict)
        else answer.body
    )


def _with(**fields: object) -> Callable[[Answer], Answer]:
    return lambda answer: answer.having(body={**answer.body, **fields} if isinstance(answer.body, dict) else fields)


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
        return _with(**{REFRESH_TOKEN_FIELD: request.fields[REFRESH_TOKEN_FIELD]})(answer)
    return answer


def _half_hour_and_a_minute(instant: datetime) -> datetime:
    return instant + timedelta(minutes=31)


_OWN: Final = (
    # authentication
    Defect(
        name="auth-01-no-refresh-token",
        statement="Gives an access token and no refresh token.",
        rules=_rules("AUTH-01", "AUTH-06", "AUTH-07"),
        answers=_on(Endpoint.CREATE_TOKEN, _without(REFRESH_TOKEN_FIELD)),
    ),
    Defect(
        name="auth-02-token-in-refusal",
        statement="Refuses wrong credentials and gives a token all the same.",
        rules=_rules("AUTH-02"),
        answers=lambda request, answer: (
            _with(**{ACCESS_TOKEN_FIELD: "leaked"})(answer)
            if request.endpoint is Endpoint.CREATE_TOKEN and answer.status == 401  # noqa: PLR2004
            else answer
        ),
    ),
    Defect(
        name="auth-03-wrong-body",
        statement="Refuses a call without a token, with an error body instead of NO_TOKEN.",
        rules=_rules("AUTH-03", "AUTH-05"),
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
        rules=_rules("AUTH-05"),
        token_seconds=TOKEN_LIFETIME_SECONDS["two-hours"] - 60,
    ),
    Defect(
        name="auth-05-dies-a-minute-late",
        statement="Lets an access token live a minute longer than documented.",
        rules=_rules("AUTH-05"),
        token_seconds=TOKEN_LIFETIME_SECONDS["two-hours"] + 60,
    ),
    Defect(
        name="auth-06-same-refresh-token",
        statement="Answers a refresh with the refresh token that was just used.",
        rules=_rules("AUTH-06", "AUTH-07"),
        answers=_same_refresh_token,
    ),
    Defect(
        name="auth-07-refresh-token-reusable",
        statement="Takes a refresh token any number of times.",
        rules=_rules("AUTH-07"),
        reuses_refresh_tokens=True,
    ),
    # accounts
    Defect(
        name="acc-01-empty-list",
        statement="Lists no account.",
        rules=_rules("ACC-01"),
        answers=_on(Endpoint.LIST_ACCOUNTS, lambda answer: answer.having(body=[])),
    ),
    *(
        _overlooked_on(rule_id, endpoint)
        for rule_id in ("ACC-02", "ACC-04", "ACC-06", "AUTH-03", "AUTH-08")
        for endpoint in (Endpoint.GET_ORDER, Endpoint.DELETE_ORDER)
    ),
    # orders
    _too_strict("ord-01-equal-dates-refused", "Refuses an order of which two dates are equal.", _equal_dates),
    _too_strict(
        "ord-01-many-extracts-refused",
        "Refuses an order with more than five extracts.",
        lambda order: "extracts" if len(order.get("extracts", ())) > 5 else None,  # noqa: PLR2004
    ),
    _too_strict(
        "ord-06-send-date-demanded",
        "Demands a sendDate of INVOICED orders.",
        lambda order: "sendDate" if order.get("status") == "INVOICED" and not order.get("sendDate") else None,
        "ORD-06",
    ),
    Defect(
        name="ord-07-one-status-only",
        statement="Looks at the order of dates of CONCLUDED orders only.",
        rules=_rules("ORD-07"),
        overlooks=lambda breach, request: breach.rule == "ORD-07" and b"CONCLUDED" not in request.body,
    ),
    Defect(
        name="ord-07-wrong-code",
        statement="Refuses dates out of order with code 400-0.",
        rules=_rules("ORD-07"),
        answers=_refusals(
            lambda answer: (
                _with(errorCode="400-0")(answer)
                if isinstance(answer.body, dict) and answer.body["errorCode"] == "400-3"
                else answer
            )
        ),
    ),
    Defect(
        name="ord-15-merges",
        statement="Keeps what an update leaves out.",
        rules=_rules("ORD-15", "ORD-17"),
        stores=_merge,
    ),
    Defect(
        name="ord-15-first-write-wins",
        statement="Accepts an update and keeps the order as it was.",
        rules=_rules("ORD-15", "QRY-03"),
        stores=_first_write_wins,
    ),
    Defect(
        name="ord-16-refused-but-stored",
        statement="Stores the update that it refuses.",
        rules=_rules("ORD-16"),
        after_refusal=_store_the_refused,
    ),
    Defect(
        name="ord-16-refused-and-wiped",
        statement="Deletes the order of which it refuses an update.",
        rules=_rules("ORD-16", "ORD-01"),
        after_refusal=_wipe_the_refused,
    ),
    Defect(
        name="ord-17-extracts-pile-up",
        statement="Adds the extracts of a second submission to those of the first.",
        rules=_rules("ORD-15", "ORD-16", "ORD-17", "QRY-03"),
        stores=_append_extracts,
    ),
    # queries
    Defect(
        name="qry-01-one-decimal",
        statement="Shows money with one decimal.",
        rules=_rules("QRY-01", "QRY-03", "QRY-04", "ORD-15", "ORD-16", "ORD-17", "DEL-01"),
        shows=_per_value(lambda value: Decimal(value).quantize(Decimal("0.1"))),
    ),
    Defect(
        name="qry-01-absolute-values",
        statement="Shows money without its sign.",
        rules=_rules("QRY-01", "QRY-03", "QRY-04", "ORD-15", "ORD-16", "ORD-17", "DEL-01"),
        shows=_per_value(abs),
    ),
    Defect(
        name="qry-03-thirty-one-minutes",
        statement="Shows a change after 31 minutes.",
        rules=_rules("QRY-03"),
        shows_at=_half_hour_and_a_minute,
    ),
    Defect(
        name="qry-04-asking-changes",
        statement="Changes an order's total when it is asked for.",
        rules=_rules("DEL-03", "QRY-01", "QRY-03", "QRY-04", "ORD-15", "ORD-16", "ORD-17", "DEL-01"),
        after_query=_conclude,
    ),
    # deletion
    Defect(
        name="del-01-not-deleted",
        statement="Accepts a deletion and keeps the order.",
        rules=_rules("DEL-01", "DEL-05", "ORD-17"),
        after_deletion=_undelete,
    ),
    Defect(
        name="del-01-takes-neighbours",
        statement="Deletes every order of the account.",
        rules=_rules("DEL-01"),
        after_deletion=_delete_neighbours,
    ),
    Defect(
        name="del-01-takes-other-accounts",
        statement="Deletes the order of the same code on other accounts too.",
        rules=_rules("DEL-01"),
        after_deletion=_delete_on_every_account,
    ),
    Defect(
        name="del-02-unknown-accepted",
        statement="Deletes orders that do not exist.",
        rules=_rules("DEL-02", "DEL-05", "ORD-17"),
        overlooks=lambda breach, _: breach.rule == "DEL-02",
    ),
    Defect(
        name="del-05-second-deletion-other-code",
        statement="Answers a second deletion with code 404-0.",
        rules=_rules("DEL-02", "DEL-05"),
        answers=lambda request, answer: (
            _with(errorCode="404-0")(answer)
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
        rules=_rules(
            "ERR-01", "ERR-03", "ORD-07", "ACC-02", "ACC-03", "ACC-04", "ACC-05", "ACC-06", "QRY-02", "DEL-02", "DEL-05"
        ),
        answers=_refusals(lambda answer: answer.having(body=None)),
    ),
    Defect(
        name="err-01-wrong-prefix",
        statement="Puts 500 before the number of an undocumented code.",
        rules=_rules("ERR-01"),
        answers=_refusals(
            lambda answer: (
                _with(errorCode="500-0")(answer)
                if isinstance(answer.body, dict) and str(answer.body["errorCode"]).endswith("-0")
                else answer
            )
        ),
    ),
    Defect(
        name="err-02-odd-text",
        statement="Answers 500 to a NUL or a lone surrogate in any text.",
        rules=_rules("ERR-02"),
        answers=_crash_on_odd_text,
    ),
    Defect(
        name="err-02-large-numbers",
        statement="Answers 500 to a number beyond any double.",
        rules=_rules("ERR-02"),
        answers=_crash_on_large_numbers,
    ),
    Defect(
        name="err-03-vague",
        statement="Says only that something was wrong.",
        rules=_rules("ERR-03"),
        answers=_refusals(_with(errorMessage="Invalid request", errorSource=None)),
    ),
)

DEFECTS: Final = table(*_not_enforced_all(), *_OWN)


def defect(name: str) -> Defect:
    """The defect of that name. Raises KeyError that names it and those that resemble it."""
    return named(DEFECTS, name, "defect")
