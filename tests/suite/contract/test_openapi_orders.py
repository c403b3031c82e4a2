"""The OpenAPI document is neither looser nor stricter than what it restates of orders."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.contract import openapi
from tests.suite.support.openapi_bodies import (
    BAD_DATES,
    COMMISSION,
    DATES,
    LEFT_OUT,
    MANDATORY_DATES,
    NO_OBJECTS,
    PRINTED,
    SALE,
    SHIP,
    Path,
    changed,
    printed,
    printed_order,
)


def lawful_order(status: str) -> dict[str, Any]:
    """Give S2's order in another status, with the dates which that makes mandatory and no others."""
    order = printed_order()
    order["status"] = status
    for date in DATES:
        order[date] = "2025-05-15T12:00:00Z" if date in MANDATORY_DATES[status] else None
    return order


# -- Orders that are lawful ------------------------------------------------------------------------------------------

EXTRACTS = printed_order()["extracts"]

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


# -- Orders that are not, by one change ------------------------------------------------------------------------------

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


@pytest.mark.parametrize("name", PRINTED)
def test_a_list_of_one_request_is_no_request(name: str) -> None:
    assert not openapi.request_validator(name).is_valid([printed(name)])


@pytest.mark.parametrize("body", NO_OBJECTS.values(), ids=NO_OBJECTS)
@pytest.mark.parametrize("name", PRINTED)
def test_what_is_no_object_is_no_request(name: str, body: object) -> None:
    assert not openapi.request_validator(name).is_valid(body)
