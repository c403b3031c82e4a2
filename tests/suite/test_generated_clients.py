"""What `make clients` says of a generated client, by made-up ones: one that keeps all, and those that lose something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.testing.mock import StoredOrder
from tests.clients.losses import intact, losses
from tests.clients.story import CHANNEL, NANOSECONDS, UNKNOWN, order

Body = dict[str, Any]


def told(
    change_sent: Callable[[Body], object] = lambda _: None,
    change_read: Callable[[Body], object] = lambda _: None,
    releases: int = 1,
) -> list[str]:
    sent, stored, read = order("A"), order("A"), order("A")
    change_sent(stored)
    change_read(read)
    lies = StoredOrder("A", sent["accountId"], CHANNEL, stored, releases, is_reconciled=releases > 0)
    return intact({"order": sent}, {"order": read}, {"A": lies})


def test_what_comes_out_as_it_went_in_is_intact() -> None:
    assert told() == []
    assert told(lambda body: body.update(createdDate="2025-05-09T12:00:00+00:00")) == []  # the same instant


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda body: body["extracts"][0].update(value=203.64), "extracts"),
        (lambda body: body["extracts"].reverse(), "extracts"),
        (lambda body: body.update(totalGrossValue=203), "totalGrossValue"),
        (lambda body: body.update(createdDate="2025-05-09T09:00:00Z"), "createdDate"),
        (lambda body: body.update(approvedDate="2025-05-09T12:00:00Z"), "approvedDate"),
        (lambda body: body.pop("deliveryDate"), "deliveryDate"),
    ],
)
def test_a_change_is_told_with_its_place(change: Callable[[Body], object], what: str) -> None:
    (in_the_mock,) = told(change)
    assert in_the_mock.startswith(f"{what} in the mock: ")
    (as_read,) = told(change_read=change)
    assert as_read.startswith(f"{what} as it was read: ")


def test_an_order_that_is_not_there_or_paid_otherwise_than_once_is_told() -> None:
    assert intact({"order": order("A")}, {"order": order("A")}, {}) == ["the order is not there"]
    assert told(releases=2) == ["released 2 times, reconciled: True"]
    assert told(releases=0) == ["released 0 times, reconciled: False"]


def test_what_else_is_lost_is_told() -> None:
    whole = order("B", **{UNKNOWN: "x", "sendDate": f"2025-05-09T12:30:00.{NANOSECONDS}Z"})
    less = order("B", sendDate="2025-05-09T12:30:00.123456Z")
    del less["cancelDate"]

    def lost(sent: Body, read: Body, naive: Any) -> dict[str, str]:
        lies = {"B": StoredOrder("B", 1, CHANNEL, sent, 0, is_reconciled=False)}
        return losses({"odd": whole}, {"other": read, "naive": naive}, lies)

    assert lost(whole, whole, 200) == {
        "unknown fields": "kept when sent, kept when read",
        "fractions of a second": "9 digits of 9 sent, 9 read",
        "null": "sent as null",
        "a date without an offset": "sent with an offset",
    }
    assert lost(less, whole, 400) == {
        "unknown fields": "dropped when sent, kept when read",
        "fractions of a second": "6 digits of 9 sent, 9 read",
        "null": "left out",
        "a date without an offset": "sent as it is, refused by the mock",
    }
    assert lost(whole, less, "refused by the client")["unknown fields"] == "kept when sent, dropped when read"
