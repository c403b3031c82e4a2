"""A lawful call is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.instants import parse_instant
from conformance.contract.judge import Request
from conformance.contract.order_rules import DATE_FIELDS, Breach
from conformance.contract.reconciliation_rules import entries_of
from conformance.mock.defects.parts import (
    CREATE,
    DELETE,
    QUERY,
    RELEASE,
    SUBMIT,
    WORKFLOW,
    asked,
    if_any,
    if_any_item,
    in_another_sequence,
    reconciliation_of,
    rules,
    too_strict,
)
from conformance.mock.quirks import Defect
from conformance.mock.world import Body, MockWorld, OrderKey, order_key

_FINDING: Final = ("ORD-01", "ORD-06", "ORD-15", "ORD-17", "QRY-01")
"""Rules of which a scenario sends any order at all."""

_RELEASING: Final = ("REL-01", "REL-15", "REL-19", "REL-20", *WORKFLOW)
_CREATING: Final = ("REC-01", "REC-02", "REC-10", "REC-11", "REC-12", *WORKFLOW)


def _order(name: str, statement: str, objects: Any, *blamed: str) -> Defect:
    return too_strict(f"strict-order-{name}", statement, objects, *_FINDING, *blamed)


def _creation(name: str, statement: str, objects: Any) -> Defect:
    return too_strict(f"strict-reconciliation-{name}", statement, objects, *_CREATING, endpoint=CREATE)


def _release(name: str, statement: str, objects: Any) -> Defect:
    return too_strict(f"strict-release-{name}", statement, objects, *_RELEASING, endpoint=RELEASE)


def _is_no_whole_number(value: object) -> bool:
    return isinstance(value, Decimal) and value.is_finite() and value % 1 != 0


# -- orders --------------------------------------------------------------------------------------------------------


def _instants(order: Body) -> dict[str, datetime]:
    found = {name: parse_instant(value) for name in DATE_FIELDS if isinstance(value := order.get(name), str)}
    return {name: instant for name, instant in found.items() if instant is not None}


def _equal_dates(order: Any) -> str | None:
    instants = list(_instants(order).values())
    return "createdDate" if len(set(instants)) < len(instants) else None


def _late_delivery(order: Any) -> str | None:
    at = _instants(order)
    late = "deliveryDate" in at and "estimatedDeliveryDate" in at and at["deliveryDate"] > at["estimatedDeliveryDate"]
    return "deliveryDate" if late else None


def _expected_before_created(order: Any) -> str | None:
    created = _instants(order).get("createdDate")
    extracts: Any = order.get("extracts") or []
    expected = [parse_instant(one["expectedDate"]) for one in extracts if isinstance(one.get("expectedDate"), str)]
    return "expectedDate" if created and any(one and one <= created for one in expected) else None


def _twice(list_: str) -> Any:
    """Whether two items have the same type."""

    def objects(body: Any) -> str | None:
        items: Any = body.get(list_) or []
        types = [item.get("type") for item in items]
        return list_ if len(set(types)) < len(types) else None

    return objects


def _needs_first_sale(body: Any) -> str | None:
    extracts: Any = body.get("extracts") or []
    return "extracts" if extracts and extracts[0].get("type") != "SALE" else None


def _of_type(type_: str, holds: Any) -> Any:
    def objects(body: Any) -> str | None:
        items: Any = body.get("extracts") or []
        return "value" if any(item.get("type") == type_ and holds(item["value"]) for item in items) else None

    return objects


def _same_code_elsewhere(request: Request, body: Body, world: MockWorld) -> Breach | None:
    if request.endpoint is not SUBMIT:
        return None
    taken = any(
        key[2] == body.get("marketplaceCode") and key[0] != int(str(body.get("accountId"))) and world.stored(key)
        for key in world.orders
    )
    return Breach("ORD-13", "marketplaceCode", "marketplaceCode is taken") if taken else None


def _goes_back(request: Request, body: Body, world: MockWorld) -> Breach | None:
    """The status of an update is earlier in an order's life than the one before."""
    if request.endpoint is not SUBMIT:
        return None
    lives = ("INVOICED", "PAID_WAITING_DELIVERY", "CONCLUDED", "CANCELED")
    key = (int(str(body["accountId"])), str(body["channelName"]), str(body["marketplaceCode"]))
    stored = world.stored(key)
    before = stored.body.get("status") if stored and stored.body else None
    if before in lives and lives.index(str(body["status"])) < lives.index(str(before)):
        return Breach("ORD-13", "status", "status goes back")
    return None


_ORDERS: Final = (
    too_strict("ord-01-equal-dates-refused", "Refuses an order of which two dates are equal.", _equal_dates, "ORD-01"),
    too_strict(
        "ord-01-many-extracts-refused",
        "Refuses an order with more than five extracts.",
        lambda order: "extracts" if len(order.get("extracts", ())) > 5 else None,
        *_FINDING,
    ),
    too_strict(
        "ord-06-send-date-demanded",
        "Demands a sendDate of INVOICED orders.",
        lambda order: "sendDate" if order.get("status") == "INVOICED" and not order.get("sendDate") else None,
        "ORD-01",
        "ORD-06",
    ),
    _order("late-delivery", "Refuses a delivery after the estimated date.", _late_delivery),
    _order("ten-extracts", "Refuses an order with ten extracts or more.",
           lambda order: "extracts" if len(order.get("extracts", ())) >= 10 else None),
    _order("single-extract", "Refuses an order with one extract.",
           lambda order: "extracts" if len(order.get("extracts", ())) == 1 else None),
    _order("positive-shipping", "Refuses a SHIP that is positive.", _of_type("SHIP", lambda value: value > 0)),
    _order("negative-shipping", "Refuses a SHIP that is negative.", _of_type("SHIP", lambda value: value < 0)),
    _order("same-type-twice", "Refuses two extracts of one type.", _twice("extracts")),
    _order("sale-first", "Demands that the first extract is the SALE.", _needs_first_sale),
    _order("large-value", "Refuses a value of 100,000 BRL or more.",
           if_any_item("extracts", "value", lambda value: abs(value) >= 100_000)),
    _order("half-a-million", "Refuses a value of half a million BRL or more.",
           if_any_item("extracts", "value", lambda value: abs(value) >= 500_000)),
    _order("total-of-half-a-million", "Refuses a total of half a million BRL or more.",
           if_any("totalGrossValue", lambda value: abs(value) >= 500_000)),
    _order("small-value", "Refuses a value below 1 BRL.",
           if_any_item("extracts", "value", lambda value: abs(value) < 1)),
    _order("whole-reais", "Refuses a value without cents.",
           if_any_item("extracts", "value", lambda value: value == int(value))),
    _order("offsets", "Refuses dates that are not written in Z.",
           if_any("createdDate", lambda text: not text.endswith("Z"), *DATE_FIELDS), "ORD-20"),
    _order("positive-offset", "Refuses dates east of Greenwich.",
           if_any("createdDate", lambda text: "+" in text and not text.endswith(("+00:00", "+0000")), *DATE_FIELDS)),
    _order("milliseconds", "Refuses dates with milliseconds.",
           if_any("createdDate", lambda text: "." in text, *DATE_FIELDS)),
    _order("no-milliseconds", "Demands milliseconds in dates.",
           if_any("createdDate", lambda text: "." not in text, *DATE_FIELDS)),
    _order("null-dates", "Refuses dates that are null.",
           lambda order: next((name for name in DATE_FIELDS if name in order and order[name] is None), None)),
    _order("left-out-dates", "Refuses an order from which a date is left out.",
           lambda order: next((name for name in DATE_FIELDS if name not in order), None)),
    _order("long-code", "Refuses a marketplaceCode of more than 30 characters.",
           if_any("marketplaceCode", lambda code: len(code) > 30)),
    _order("code-with-letters", "Demands a marketplaceCode without letters.",
           if_any("marketplaceCode", lambda code: any(character.isalpha() for character in code))),
    _order("code-with-symbols", "Refuses a marketplaceCode with other than letters, digits and hyphens.",
           if_any("marketplaceCode", lambda code: not code.replace("-", "").isalnum())),
    _order("code-of-digits", "Refuses a marketplaceCode of digits only.", if_any("marketplaceCode", str.isdigit)),
    _order("unicode", "Refuses text that is not ASCII.",
           if_any("customerName", lambda name: not name.isascii())),
    _order("unknown-fields", "Refuses fields that no document names.", if_any("items", lambda _: True)),
    _order("account-id-as-text", "Refuses accountId as a string.", if_any("accountId", lambda id_: isinstance(id_, str))),
    _order("account-id-as-number", "Refuses accountId as a number.",
           if_any("accountId", lambda id_: isinstance(id_, int))),
    _order("percentage", "Refuses an extract with a percentage.",
           if_any_item("extracts", "percentage", lambda _: True)),
    _order("whole-percentage", "Demands a whole percentage.",
           if_any_item("extracts", "percentage", _is_no_whole_number)),
    _order("null-expected-date", "Refuses an expectedDate that is null.",
           lambda order: next(
               ("expectedDate" for one in order.get("extracts", ())
                if isinstance(one, dict) and "expectedDate" in one and one["expectedDate"] is None), None)),
    _order("expected-date-demanded", "Demands an expectedDate of every extract.",
           lambda order: next(
               ("expectedDate" for one in order.get("extracts", ())
                if isinstance(one, dict) and not one.get("expectedDate")), None)),
    _order("expected-before-created", "Refuses an expectedDate that is not after createdDate.", _expected_before_created),
    _order("canceled-after-send", "Refuses a CANCELED order that was sent.",
           lambda order: "sendDate" if order.get("status") == "CANCELED" and order.get("sendDate") else None),
    _order("invoiced-with-send-date", "Refuses an INVOICED order with a sendDate.",
           lambda order: "sendDate" if order.get("status") == "INVOICED" and order.get("sendDate") else None),
    _order("delivered-while-waiting", "Refuses a PAID_WAITING_DELIVERY order with a deliveryDate.",
           lambda order: (
               "deliveryDate" if order.get("status") == "PAID_WAITING_DELIVERY" and order.get("deliveryDate") else None)),
    Defect(
        name="strict-order-code-on-another-account",
        statement="Refuses a marketplaceCode that another account has.",
        rules=rules(*_FINDING, "WFL-04", "DEL-01", "DEL-02", "REC-10", "REL-14", "QRY-02", "QRY-05"),
        objects=_same_code_elsewhere,
    ),
    Defect(
        name="strict-order-status-goes-back",
        statement="Refuses an update to an earlier status.",
        rules=rules(*_FINDING, "WFL-04", "QRY-03"),
        objects=_goes_back,
    ),
    Defect(
        name="strict-query-code-escaped-twice",
        statement="Takes a plus in a code that is asked for as a space.",
        rules=rules("QRY-01", "QRY-02", "QRY-03", "QRY-04", "ORD-15", "ORD-16", "ORD-17", "DEL-01", "ERR-05", "ERR-06"),
        reads=asked(lambda code: code.replace("+", " "), "marketplaceCode", QUERY),
    ),
    Defect(
        name="strict-deletion-code-cut-at-hash",
        statement="Cuts a code that is to be deleted at a hash sign.",
        rules=rules("DEL-01", "DEL-05", "DEL-06", "ORD-17"),
        reads=asked(lambda code: code.split("#")[0], "marketplaceCode", DELETE),
    ),
)  # fmt: skip

# -- reconciliations -----------------------------------------------------------------------------------------------


def _length(body: Body) -> timedelta:
    init, end = (parse_instant(str(body[name])) for name in ("periodInitDate", "periodEndDate"))
    return end - init if init and end else timedelta()


def _before(year: int) -> Any:
    def objects(body: Any) -> str | None:
        init = parse_instant(str(body["periodInitDate"]))
        return "periodInitDate" if init and init.year < year else None

    return objects


_CREATIONS: Final = (
    too_strict(
        "rec-01-many-releases-refused",
        "Refuses a reconciliation of more than five releases.",
        lambda body: "releasesQtd" if body["releasesQtd"] > 5 else None,
        *_CREATING,
        endpoint=CREATE,
    ),
    too_strict(
        "rec-01-quantity-of-a-byte",
        "Refuses a reconciliation of more than 255 releases (TINYINT UNSIGNED).",
        lambda body: "releasesQtd" if body["releasesQtd"] > 255 else None,
        *_CREATING,
        endpoint=CREATE,
    ),
    too_strict(
        "rec-12-total-must-be-positive",
        "Refuses a reconciliation whose totalNetValue is not positive.",
        if_any("totalNetValue", lambda total: total <= 0),
        "REC-12",
        endpoint=CREATE,
    ),
    _creation("single-release", "Refuses a reconciliation of one release.",
              if_any("releasesQtd", lambda quantity: quantity == 1)),
    _creation("short-period", "Refuses a period of less than a day.",
              lambda body: "periodEndDate" if _length(body) < timedelta(days=1) else None),
    _creation("long-period", "Refuses a period of more than a day.",
              lambda body: "periodEndDate" if _length(body) > timedelta(days=1) else None),
    _creation("offsets", "Refuses dates that are not written in Z.",
              if_any("periodInitDate", lambda text: not text.endswith("Z"), "periodInitDate", "periodEndDate")),
    _creation("milliseconds", "Refuses dates with milliseconds.",
              if_any("periodInitDate", lambda text: "." in text, "periodInitDate", "periodEndDate")),
    _creation("account-id-as-text", "Refuses accountId as a string.",
              if_any("accountId", lambda id_: isinstance(id_, str))),
    _creation("large-total", "Refuses a totalNetValue of 100,000 BRL or more.",
              if_any("totalNetValue", lambda total: total >= 100_000)),
)  # fmt: skip

# -- releases ------------------------------------------------------------------------------------------------------


def _released_by(request: Request) -> set[OrderKey]:
    key = order_key(request.fields) if request.endpoint is RELEASE else None
    return {key} if key else set()


def _at_an_end(request: Request, body: Body, world: MockWorld) -> Breach | None:
    reconciliation = reconciliation_of(request, world)
    if reconciliation is None or parse_instant(str(body["releasedDate"])) not in {
        reconciliation.init,
        reconciliation.end,
    }:
        return None
    return Breach("REL-03", "releasedDate", "releasedDate is not within the period")


def _last_day(request: Request, body: Body, world: MockWorld) -> Breach | None:
    """The end of a period is taken for midnight of its day."""
    reconciliation, released = reconciliation_of(request, world), parse_instant(str(body.get("releasedDate")))
    if reconciliation is None or released is None:
        return None
    late = released > reconciliation.end.replace(hour=0, minute=0, second=0, microsecond=0) > reconciliation.init
    return Breach("REL-03", "releasedDate", "releasedDate is not within the period") if late else None


def _order_waits(request: Request, body: Body, world: MockWorld) -> Breach | None:
    if request.endpoint is not RELEASE:
        return None
    stored = world.stored((int(str(body["accountId"])), str(body["channelName"]), str(body["marketplaceCode"])))
    waits = stored and stored.body and stored.body.get("status") == "PAID_WAITING_DELIVERY"
    return Breach("REL-13", "marketplaceCode", "the order is not concluded") if waits else None


def _second_order(request: Request, _body: Body, world: MockWorld) -> Breach | None:
    reconciliation = reconciliation_of(request, world)
    return Breach("REL-12", "releases", "one order is enough") if reconciliation and reconciliation.orders else None


def _entry_of_another_order(request: Request, body: Body, world: MockWorld) -> Breach | None:
    reconciliation = reconciliation_of(request, world)
    is_there = reconciliation is not None and any(
        entry in reconciliation.entries for entry in entries_of(body["releases"])
    )
    return Breach("REL-12", "releases", "an entry of this type and value is there already") if is_there else None


def _as_told(entries: list[Any]) -> set[tuple[Any, Any]]:
    """What is different among the entries."""
    return {(entry["type"], entry["value"]) for entry in entries}


_RELEASES: Final = (
    too_strict(
        "rel-01-many-entries-refused",
        "Refuses a release of more than four entries.",
        lambda body: "releases" if len(body["releases"]) > 4 else None,
        *_RELEASING,
        endpoint=RELEASE,
    ),
    too_strict(
        "rel-01-values-of-a-type-differ",
        "Refuses a release of several entries of one type unless they have one value: it looks the value up by the type.",
        lambda body: "releases" if len(_as_told(body["releases"])) > len({entry["type"] for entry in body["releases"]}) else None,
        *_RELEASING,
        endpoint=RELEASE,
    ),
    too_strict(
        "rel-15-sorted-types-demanded",
        "Demands entries sorted by type.",
        lambda body: (
            "releases"
            if (types := [entry["type"] for entry in body["releases"]]) != sorted(types)
            else None
        ),
        *_RELEASING,
        endpoint=RELEASE,
    ),
    Defect(
        name="rel-19-other-sequence-kept",
        statement="Refuses entries in another sequence than the extracts', and keeps the release.",
        rules=rules("REL-18", "REL-19"),
        objects=in_another_sequence,
        after_refusal=lambda world, request: world.released.update(_released_by(request)),
    ),
    Defect(
        name="rel-20-ends-refused",
        statement="Refuses a release dated at an end of the period.",
        rules=rules("REL-20"),
        objects=_at_an_end,
    ),
    Defect(
        name="wfl-02-one-order-only",
        statement="Takes the release of one order in a reconciliation.",
        rules=rules("WFL-02", "WFL-03"),
        objects=_second_order,
    ),
    Defect(
        name="wfl-02-unique-entries",
        statement="Keeps a reconciliation's entries under a unique key of type and value: those of two orders collide.",
        rules=rules("WFL-02"),
        objects=_entry_of_another_order,
    ),
    _release("same-type-twice", "Refuses two entries of one type.", _twice("releases")),
    _release("single-entry", "Refuses a release of one entry.",
             lambda body: "releases" if len(body["releases"]) == 1 else None),
    _release("positive-shipping", "Refuses a SHIP that is positive.",
             lambda body: next(("value" for entry in body["releases"]
                                if entry["type"] == "SHIP" and entry["value"] > 0), None)),
    _release("large-value", "Refuses a value of half a million BRL or more.",
             if_any_item("releases", "value", lambda value: abs(value) >= 500_000)),
    _release("offsets", "Refuses dates that are not written in Z.",
             if_any("releasedDate", lambda text: not text.endswith("Z"))),
    _release("milliseconds", "Refuses a releasedDate with milliseconds.",
             if_any("releasedDate", lambda text: "." in text)),
    Defect(
        name="strict-release-last-day",
        statement="Refuses a release dated on the last day of the period.",
        rules=rules(*_RELEASING),
        objects=_last_day,
    ),
    Defect(
        name="strict-release-order-waiting",
        statement="Refuses the release of an order that waits for its delivery.",
        rules=rules(*_RELEASING, "REL-18"),
        objects=_order_waits,
    ),
)  # fmt: skip

STRICT: Final = (
    *_ORDERS,
    *_CREATIONS,
    *_RELEASES,
    Defect(
        name="acc-01-empty-list",
        statement="Lists no account.",
        rules=rules("ACC-01"),
        answers=lambda request, answer: (
            answer.having(body=[]) if request.endpoint is Endpoint.LIST_ACCOUNTS and answer.status == 200 else answer
        ),
    ),
)
