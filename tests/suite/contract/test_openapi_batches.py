"""The OpenAPI document is neither looser nor stricter than what it restates of reconciliations and releases."""

from __future__ import annotations

import pytest

from conformance.contract import openapi
from tests.suite.support.openapi_bodies import (
    BAD_DATES,
    COMMISSION,
    LEFT_OUT,
    MANDATORY_DATES,
    SALE,
    SHIP,
    Path,
    changed,
    printed,
)

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
