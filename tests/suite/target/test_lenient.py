"""What a lenient server may have taken a creation for, and which id one may have got whose answer was lost."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from conformance.target.shared.lenient import (
    Place,
    counts,
    id_in,
    instants,
    own_places,
    read_anyhow,
    released_dates,
    spellings,
)
from conformance.target.shared.near_ids import GUESSES, guesses, guesses_at_once, none_between

OWN = (Place(19055, "CHANNEL_NAME"), Place(19056, "CHANNEL_NAME"), Place(19060, "OTHER_CHANNEL"))


@pytest.mark.parametrize(
    ("quantity", "taken"),
    [
        (3, (3,)), ("3", (3,)), (Decimal("3.0"), (3,)), ("3.0", (3,)), (" 3 ", (3,)), (Decimal("1.5"), (1, 2)), ("1,5", (1, 2)),
        (0, (1,)), (-1, (1,)), (True, (1,)), (None, (1,)), ("many", (1,)), ([3], (3,)), ([], (1,)), ({}, (1,)),
        (10**6, ()), ("1e999999999", ()), ("9" * 50, (1,)), ("NaN", (1,)), ("Infinity", (1,)),
    ],
)  # fmt: skip
def test_counts(quantity: Any, taken: tuple[int, ...]) -> None:
    assert counts(quantity) == taken


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2025-05-09T12:00:00Z", ["2025-05-09"]), ("2025-02-30", ["2025-03-02", "2025-02-28"]),
        ("2025-13-01T12:00:00Z", ["2026-01-01"]), ("2025-05-09T25:00:00Z", ["2025-05-10"]),
        ("09/05/2025 12:00:00", ["2025-05-09", "2025-09-05"]), (1_746_792_000, ["2025-05-09"]),
        ("1746792000000", ["2025-05-09"]), ("yesterday", []), ("", []), (None, []), (True, []), ({}, []),
        ("Fri, 09 May 2025 12:00:00 GMT", ["2025-05-09"]), ("9999-99-99", []), ("2025-05-09T12:00:00+99:99", ["2025-05-09"]),
    ],
)  # fmt: skip
def test_instants(text: Any, days: list[str]) -> None:
    assert list(dict.fromkeys(f"{one.astimezone(UTC):%Y-%m-%d}" for one in instants(text))) == days


@pytest.mark.parametrize(
    ("init", "end"),
    [
        ("2019-01-02T00:00:00Z", "2019-01-02T00:01:00Z"), ("2019-01-02T13:00:00+13:00", "2019-01-02T00:01:00Z"),
        ("2019-01-02T00:00:00Z", "2025-02-30"), ("2019-01-02T00:00:00Z", "2025-13-01T12:00:00Z"),
    ],
)  # fmt: skip
def test_the_first_date_lies_within(init: str, end: str) -> None:
    first = datetime.fromisoformat(released_dates(init, end)[0])
    assert instants(init)[0] < first < instants(end)[0]


@pytest.mark.parametrize("other", ["yesterday", None, [], ""])
def test_what_can_be_read_is_a_bound(other: Any) -> None:
    assert "2019-01-02T00:00:01Z" in released_dates("2019-01-02T00:00:00Z", other)
    assert "2019-01-01T23:59:59Z" in released_dates(other, "2019-01-02T00:00:00Z")
    assert released_dates(other, other) == ()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"id": 237}, [237]), ({"id": "237"}, ["237", 237]), ({"id": Decimal("237.0")}, [Decimal("237.0"), 237]),
        ({"data": {"id": "a-b"}}, ["a-b"]), ({"reconciliationId": 9}, [9]), ([{"ID": 9}], [9]), (9, [9]),
        ({"id": True}, [None]), ({}, [None]), (None, [None]), ({"accountId": 19055}, [None]), ({"id": 2**60}, [2**60]),
    ],
)  # fmt: skip
def test_ids(answer: Any, told: list[Any]) -> None:
    assert list(spellings(id_in(answer))) == told


@pytest.mark.parametrize(
    ("account", "channel", "places"),
    [
        (19055, "CHANNEL_NAME", [Place(19055, "CHANNEL_NAME")]), ("19055", "CHANNEL_NAME", [Place("19055", "CHANNEL_NAME")]),
        (999, "CHANNEL_NAME", []), (19055, "NO_SUCH", []), (19060, "CHANNEL_NAME", []),
        (None, "CHANNEL_NAME", list(OWN[:2])), (19056, None, [OWN[1]]), ({}, 7, list(OWN)),
    ],
)  # fmt: skip
def test_places(account: Any, channel: Any, places: list[Place]) -> None:
    assert list(own_places(account, channel, OWN)) == places


@pytest.mark.parametrize(
    ("known", "after", "first"),
    [
        ([237], 237, [238, 239]), ([235, 236, 237], 237, [238]), ([237, 240], 237, [238, 239]), ([237, 238], 237, []),
        ([250, 240, 230, 220], 220, [210]), ([10, 20, 30, 40], 40, [50]), ([5, 9_000_000, 77], 77, []), ([], None, []),
        ([238], None, [237]), ([500, 237, 238], 238, [239]), ([2**60, 2**60 + 1], 2**60 + 1, [2**60 + 2]),
    ],
)  # fmt: skip
def test_guesses(known: list[int], after: int | None, first: list[int]) -> None:
    found = guesses(known, after)
    assert list(found[: len(first)]) == first
    assert len(found) <= (GUESSES if first else 0)


def test_none_between() -> None:
    assert none_between(237, 238)
    assert not none_between(237, 239)
    assert not none_between(237, None)
    assert not none_between(None, 237)


@pytest.mark.parametrize(
    ("known", "after", "likely"),
    [([7], None, 6), ([7], None, 8), ([5, 7], 5, 6), ([5, 7], 5, 8), ([5], 5, 6), ([9], None, 8)],
)
def test_what_came_at_once_with_others_has_an_id_before_or_after_theirs(
    known: list[int], after: int | None, likely: int
) -> None:
    found = guesses_at_once(known, after)
    assert likely in found[:2]
    assert not set(found) & set(known)


def test_the_id_that_is_known_to_have_followed_counts_although_it_is_remembered_no_longer() -> None:
    later = [1021, 1028, 1035, 1042, 1049, 1056]
    assert guesses(later, None, 1007)[0] == 1000
    assert guesses(later, 1000, 1014) == (1007,)
    assert guesses(later, 1000, 1007) == ()


def test_of_two_ids_that_are_all_that_is_known_the_one_in_the_middle_is_tried_soon() -> None:
    """The step between them is twice as wide as usual, since the lost one lies there."""
    assert guesses([1000, 1014], 1000)[:2] == (1001, 1007)
    assert guesses([1014, 1000], 1014)[:2] == (1013, 1007)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('{"a": 10.50}', {"a": Decimal("10.50")}), ('{"a": 1} x', {"a": 1}), ('{"a": 1}{"a": 2}', {"a": 1}),
        ('{/* we */"a": 1}', {"a": 1}), ("{'a': 1}", {"a": 1}), ("{a: 1}", {"a": 1}), ('{"a": [1,],}', {"a": [1]}),
        ('{"a": 010.5}', {"a": Decimal("10.5")}), ('{"a": -007}', {"a": -7}), ('{"a": +3}', {"a": 3}), ('{"a": 0}', {"a": 0}),
        ('{"a": NaN}', {"a": 0}), ('{"a": -Infinity, "b": 1}', {"a": 0, "b": 1}), ('{"a": "x 007 NaN"} x', {"a": "x 007 NaN"}),
        ('[{"a": 1}]', [{"a": 1}]), ('{"a": 1', None), ("", None), ("a=1", None), ('{"a": 1} "\xff', {"a": 1}),
    ],
)  # fmt: skip
def test_read_anyhow(text: str, read: Any) -> None:
    assert read_anyhow(text.encode()) == read
