"""What is wrong with an order, a reconciliation or a release, for an integrator's own code in the moment before it is sent.

Pure: no I/O, no state. The same judge as the mock's. Installed it is `from koncili_conformance import check_order, …`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from math import isfinite
from typing import Any, Literal, NamedTuple, TypeAlias

from conformance.contract.coercion import as_taken
from conformance.contract.jsontext import JSONValue, NotJSON, loads
from conformance.contract.nearly_json import read_leniently
from conformance.contract.order_rules import Breach, is_account_id, judge_order
from conformance.contract.readings import resolve
from conformance.contract.reconciliation_rules import (
    OrderFacts,
    ReconciliationFacts,
    entries_of,
    is_whole,
    judge_against_order,
    judge_against_reconciliation,
    judge_period,
    judge_reconciliation,
    judge_release,
    period_of,
)
from conformance.i18n.sentences import said

Body: TypeAlias = Mapping[str, Any] | str | bytes
"""What will be sent: a mapping that goes to a JSON encoder, or the JSON text itself. A float counts as the shortest decimal that
stands for it, which is what encoders write."""

Language: TypeAlias = Literal["en", "pt"]


class Violation(NamedTuple):
    """A documented rule that a body breaks."""

    rule: str
    """Its id, as in `koncili-conformance rules`."""
    pointer: str
    """Where: a JSON pointer (RFC 6901); "" is the body as a whole, and a field that is missing is named where it belongs."""
    message: str
    """What is wrong, in the language that was asked for."""


def check_order(
    order: Body, *, readings: Mapping[str, str] | None = None, language: Language = "en"
) -> list[Violation]:
    """Every rule that an order breaks by itself; an empty list where it may be sent to POST /order.

    `readings` chooses where Koncili's documents disagree (`koncili-conformance rules` lists them); what is left out has its
    default. Raises ValueError for a reading or a language that there is not.

    >>> from koncili_conformance import check_order
    >>> code = "701-2798273-4005859"
    >>> order = {
    ...     "marketplaceCode": code,
    ...     "channelName": "CHANNEL_NAME",
    ...     "accountId": 19055,
    ...     "status": "INVOICED",
    ...     "createdDate": "2026-11-03T12:00:00-03:00",
    ...     "totalGrossValue": 203.63,
    ...     "extracts": [
    ...         {"marketplaceCode": code, "type": "SALE", "value": 203.63},
    ...         {"marketplaceCode": code, "type": "COMISSION", "value": -24.44},
    ...     ],
    ... }
    >>> check_order(order)
    []
    >>> order["status"], order["extracts"][1]["value"] = "CANCELED", 24.44
    >>> for violation in check_order(order):
    ...     print(*violation, sep=" | ")
    ORD-05 | /cancelDate | cancelDate is mandatory for CANCELED
    ORD-10 | /extracts/1/value | extracts[1].value has a sign that contradicts COMISSION
    >>> check_order(order, language="pt")[0].message
    'cancelDate é obrigatório para CANCELED'
    """
    chosen = _readings(readings)
    fields = _fields(order, "ORD-14", language)
    return fields if isinstance(fields, list) else _told(judge_order(as_taken(fields, chosen), chosen), language)


def check_reconciliation(
    reconciliation: Body,
    *,
    earlier: Sequence[Body] = (),
    readings: Mapping[str, str] | None = None,
    language: Language = "en",
) -> list[Violation]:
    """Every rule that a reconciliation breaks, by itself and beside `earlier` ones, of which those of the same account and
    channel count; an empty list where it may be sent to POST /reconciliation. That an earlier one is not finished is not
    looked for.

    Raises ValueError as `check_order` does, and where an earlier one has no period.

    >>> from koncili_conformance import check_reconciliation
    >>> first = {
    ...     "channelName": "CHANNEL_NAME",
    ...     "accountId": 19055,
    ...     "periodInitDate": "2026-11-01T00:00:00-03:00",
    ...     "periodEndDate": "2026-11-08T00:00:00-03:00",
    ...     "releasesQtd": 3,
    ...     "totalNetValue": 151.24,
    ... }
    >>> check_reconciliation(first)
    []
    >>> second = first | {"periodInitDate": "2026-11-07T00:00:00-03:00", "periodEndDate": "2026-11-15T00:00:00-03:00"}
    >>> check_reconciliation(second | {"releasesQtd": 0}, earlier=[first])[0].rule
    'REC-07'
    >>> check_reconciliation(second, earlier=[first], language="pt")[0].message
    'o período se sobrepõe a um anterior'
    """
    chosen = _readings(readings)
    fields = _fields(reconciliation, "REC-08", language)
    if isinstance(fields, list):
        return fields
    body = as_taken(fields, chosen)
    breaches = list(judge_reconciliation(body, chosen))
    place = _place(body, chosen)
    if earlier and place is not None and not any(breach.field.startswith("period") for breach in breaches):
        known = [_reconciliation(one, "earlier", chosen) for one in earlier]
        breaches += judge_period(body, [one for one in known if (one.account, one.channel) == place], chosen)
    return _told(breaches, language)


def check_release(
    release: Body,
    *,
    order: Body | None = None,
    reconciliation: Body | None = None,
    readings: Mapping[str, str] | None = None,
    language: Language = "en",
) -> list[Violation]:
    """Every rule that a release breaks, by itself and in view of its order and of the reconciliation that it belongs to, each as
    it was sent, where they are given; an empty list where it may be sent to POST /reconciliation/release.

    Raises ValueError as `check_order` does, and where the order or the reconciliation is no lawful one itself.

    >>> from koncili_conformance import check_release
    >>> code = "701-2798273-4005859"
    >>> extracts = [
    ...     {"marketplaceCode": code, "type": "SALE", "value": 203.63},
    ...     {"marketplaceCode": code, "type": "COMISSION", "value": -24.44},
    ... ]
    >>> order = {"marketplaceCode": code, "channelName": "CHANNEL_NAME", "accountId": 19055, "status": "INVOICED"}
    >>> order["extracts"] = extracts
    >>> release = {
    ...     "reconciliationId": 237,
    ...     "channelName": "CHANNEL_NAME",
    ...     "accountId": 19055,
    ...     "marketplaceCode": code,
    ...     "releasedDate": "2026-11-05T12:00:00-03:00",
    ...     "releaseType": "IN_CASH",
    ...     "releases": extracts,
    ... }
    >>> check_release(release, order=order)
    []
    >>> check_release(release | {"releases": extracts[:1]}, order=order)
    [Violation(rule='REL-09', pointer='/releases', message='1 entries for 2 extracts')]
    """
    chosen = _readings(readings)
    fields = _fields(release, "REL-17", language)
    if isinstance(fields, list):
        return fields
    body = as_taken(fields, chosen)
    breaches = list(judge_release(body, chosen))
    place = _place(body, chosen)
    known = None
    if reconciliation is not None:
        known = replace(_reconciliation(reconciliation, "reconciliation", chosen), active=True)
    if place is not None and known is not None:
        breaches += judge_against_reconciliation(body, place, known, chosen)
    well_formed = not any(breach.field.startswith(("releases", "marketplaceCode")) for breach in breaches)
    if order is not None and well_formed:
        sent = _lawful(order, "order", chosen)
        if sent["marketplaceCode"] != body["marketplaceCode"]:
            breaches.append(Breach("REL-10", "marketplaceCode", "marketplaceCode is not the order's"))
        else:
            breaches += judge_against_order(
                body, OrderFacts(through_api=True, entries=entries_of(sent["extracts"])), known, chosen
            )
    return _told(breaches, language)


# -- what is given -------------------------------------------------------------------------------------------------


@cache
def _defaults() -> Mapping[str, str]:
    return resolve({})


def _readings(readings: Mapping[str, str] | None) -> Mapping[str, str]:
    return _defaults() if not readings else resolve(readings)


def _fields(body: Body, rule: str, language: Language) -> Mapping[str, JSONValue] | list[Violation]:
    """The fields of a body; what is wrong with one that is no JSON object."""
    if language not in ("en", "pt"):
        raise ValueError(f"language: {language!r} is none; use 'en' or 'pt'")
    if isinstance(body, str | bytes):
        text = body.encode("utf-8", "replace") if isinstance(body, str) else body
        try:
            body = loads(text)
        except NotJSON as error:
            nearly = read_leniently(text) is not None
            breach = Breach("ORD-22" if nearly else rule, "body", f"the body is not JSON: {error}")
            return _told([breach], language)
    if not isinstance(body, Mapping):
        return _told([Breach(rule, "body", "the body is not a JSON object")], language)
    return _with_decimals(body)


def _with_decimals(body: Mapping[str, JSONValue]) -> Mapping[str, JSONValue]:
    """The body with its floats as encoders write them, and as it is where it has none."""
    changed: dict[str, JSONValue] = {}
    for name, value in body.items():
        if isinstance(value, float):
            changed[name] = _decimal(value)
        elif isinstance(value, list | tuple):
            changed[name] = [_with_decimals(part) if isinstance(part, dict) else _decimal(part) for part in value]
    return {**body, **changed} if changed else body


def _decimal(value: JSONValue) -> JSONValue:
    return Decimal(repr(value)) if isinstance(value, float) and isfinite(value) else value


def _place(body: Mapping[str, JSONValue], readings: Mapping[str, str]) -> tuple[int, str] | None:
    account_id, channel = body.get("accountId"), body.get("channelName")
    if not is_account_id(account_id, readings["account-id-type"]) or not isinstance(channel, str):
        return None
    return int(account_id), channel


def _lawful(order: Body, name: str, readings: Mapping[str, str]) -> Mapping[str, JSONValue]:
    found = check_order(order, readings=readings)
    fields = _fields(order, "ORD-14", "en")
    if found or isinstance(fields, list):
        raise ValueError(f"{name}: is no lawful order: {found[0].rule} {found[0].message}")
    return as_taken(fields, readings)


def _reconciliation(body: Body, name: str, readings: Mapping[str, str]) -> ReconciliationFacts:
    found = check_reconciliation(body, readings=readings)
    fields = _fields(body, "REC-08", "en")
    if found or isinstance(fields, list):
        raise ValueError(f"{name}: is no lawful reconciliation: {found[0].rule} {found[0].message}")
    taken = as_taken(fields, readings)
    place, (init, end), quantity = _place(taken, readings), period_of(taken), taken["releasesQtd"]
    assert place is not None
    assert init is not None
    assert end is not None
    assert is_whole(quantity)
    return ReconciliationFacts(*place, init, end, quantity, received=0, active=False)


# -- what is told --------------------------------------------------------------------------------------------------


def _told(breaches: Iterable[Breach], language: Language) -> list[Violation]:
    return [
        Violation(one.rule, one.pointer, said(one.message, "pt-BR") if language == "pt" else one.message)
        for one in breaches
    ]
