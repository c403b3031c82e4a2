"""What a fault changes: one place only, in the extract that it is about; what placeholders are filled with."""

from __future__ import annotations

import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import pytest

from conformance.contract.endpoints import Endpoint
from strategies.calls import LEFT_OUT, Call, Edit, Path, Rendered
from strategies.fault_parts import MANY
from strategies.faults import Case, Kind, cases, possible
from strategies.placeholders import CODE, OTHER_CODE, TOKEN, Placeholder, fill
from strategies.turns import TURNS, sized
from tests.suite.support.properties import READINGS, faults, mock_scope, prove, sample

VALUES: Final = {
    name: f"the {name}" for name in ("code", "other_code", "token", "credentials", "refresh_token", "email")
}


def changed_extracts(case: Case) -> set[str]:
    """Which extracts of an order a fault changes: the first, the last, or one in between."""
    before, after = case.lawful.body["extracts"], case.broken.body["extracts"]
    assert len(before) > 1
    numbers = [number for number, one in enumerate(before) if one != after[number]]
    return {"first" if number == 0 else "last" if number == len(before) - 1 else "in between" for number in numbers}


CHOSEN_BY_TYPE: Final = {
    "lower case", "other spelling", "a blank after it", "an ordinal", "an ordinal as text", "RETURN_SALE",
    "RETURN_COMISSION", "RETURN_SHIP", "ADJUSTMENT", "a list of it",
}  # fmt: skip
"""Kinds that stand where an extract has a type of the same sign."""


@pytest.mark.parametrize("rule_id", ["ORD-09", "ORD-11"])
def test_of_the_kinds_of_a_fault_in_an_extract_every_other_one_stands_at_the_first(rule_id: str) -> None:
    kinds = list(dict.fromkeys(kind.name for _, _, kind, _ in faults(rule_id)))
    where = {
        kind.name: set().union(
            *(changed_extracts(case) for case in drawn if len(case.lawful.body["extracts"]) < MANY),
        )
        for kind, drawn in some_cases(rule_id)
        if kind.name not in {"in lower case", *CHOSEN_BY_TYPE}  # the first is by itself, and so in its first turn
    }
    assert {name: found for name, found in where.items() if len(found) != 1} == {}
    assert [where[name] for name in kinds if name in where] == [
        {"first"} if turn % 2 else {"last"} for turn in range(len(where))
    ]


FIRST_FEW: Final = 9
"""Extracts that a server looks at which looks at the first few."""


def some_cases(rule_id: str) -> list[tuple[Kind, list[Case]]]:
    """Cases of each kind of fault of a rule."""
    scope = mock_scope({})
    return [(kind, sample(cases(scope, endpoint, kind), 30)) for _, _, kind, endpoint in faults(rule_id)]


@pytest.mark.parametrize("rule_id", ["ORD-09", "ORD-10", "ORD-11"])
def test_where_there_are_many_extracts_the_fault_stands_at_the_last_of_its_type(rule_id: str) -> None:
    scope, number = mock_scope({}), next(turn for turn in range(TURNS) if sized(turn)["crowded"])
    for _, _, kind, endpoint in faults(rule_id):
        for case in sample(cases(scope, endpoint, kind, turn=number), 10):
            (changed,) = (
                place
                for place, (one, other) in enumerate(
                    zip(case.lawful.body["extracts"], case.broken.body["extracts"], strict=True)
                )
                if one != other
            )
            assert changed >= FIRST_FEW


def test_fill_fills_holes_deeply() -> None:
    given = {"a": [{"b": CODE, "c": [[OTHER_CODE]]}], "d": Placeholder("token", str.upper, "in capitals"), "e": None}
    before = copy.deepcopy(given)
    filled = fill(given, VALUES)
    assert filled == {"a": [{"b": "the code", "c": [["the other_code"]]}], "d": "THE TOKEN", "e": None}
    assert given == before


@pytest.mark.parametrize("value", [1, Decimal("1.00"), "<code>", None, True, LEFT_OUT, {"a": []}], ids=repr)
def test_fill_leaves_what_holds_no_hole(value: object) -> None:
    assert repr(fill(value, {})) == repr(value)


def test_fill_misses_what_it_is_not_given() -> None:
    with pytest.raises(KeyError, match="token"):
        fill([TOKEN], {"code": "x"})


def differences(one: Any, other: Any, path: Path = ()) -> list[Path]:
    """The smallest places in which two values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [*one, *(key for key in other if key not in one)]
        return [
            found
            for key in keys
            for found in differences(one.get(key, LEFT_OUT), other.get(key, LEFT_OUT), (*path, key))
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            found
            for place, (part, twin) in enumerate(zip(one, other, strict=True))
            for found in differences(part, twin, (*path, place))
        ]
    return [] if (type(one), one) == (type(other), other) else [path]


def lies_in(path: Path, places: list[Path]) -> bool:
    """Whether a place is one of those, or within one."""
    return any(path[: len(place)] == place for place in places)


def parts(call: Call) -> dict[str, Any]:
    """What an edit may change of a call."""
    return {"query": dict(call.query), "headers": dict(call.headers), "body": call.body}


def check_edit(case: Case) -> None:
    """Check that the edit changed the place that it names, and no other (an account and its channel count as one)."""
    before = copy.deepcopy(case.lawful)
    broken = case.broken
    assert case.lawful == before, "the lawful call was changed"
    assert differences(parts(case.lawful), parts(before)) == []
    found = differences(parts(case.lawful), parts(broken))
    if isinstance(case.edit.value, Rendered):
        assert (found, broken.rendered) == ([], case.edit.value)
    else:
        named = [case.edit.path, *(path for path, _ in case.edit.also)]
        assert any(lies_in(path, named[:1]) for path in found), "it changes nothing"
        assert [path for path in found if not lies_in(path, named)] == []
        assert broken.rendered is None
    assert replace(broken, **parts(case.lawful), rendered=None) == replace(case.lawful, **parts(case.lawful))


ALL_KINDS: Final = [
    pytest.param(kind, endpoint, readings, id=f"{rule_id} on {endpoint.label}: {fault}, {kind.name}")
    for readings in ("default readings", "portal types", "string ids")
    for rule_id, fault, kind, endpoint in faults(readings=readings)
    # Under other readings only what the default ones leave no room for.
    if readings == "default readings" or not possible(kind, mock_scope({}), endpoint)
]


@pytest.mark.parametrize(("kind", "endpoint", "readings"), ALL_KINDS)
def test_an_edit_changes_one_place_only(kind: Kind, endpoint: Endpoint, readings: str) -> None:
    prove(cases(mock_scope(READINGS[readings]), endpoint, kind), check_edit, 3)


EDITS: Final[dict[str, tuple[Edit, Any, str]]] = {
    "a field": (Edit(("body", "a"), 2), {"a": 2, "b": [{"c": 1}, {"c": 2}]}, "a = 2"),
    "a field left out": (Edit(("body", "a"), LEFT_OUT), {"b": [{"c": 1}, {"c": 2}]}, "a = (left out)"),
    "a field made null": (Edit(("body", "a"), None), {"a": None, "b": [{"c": 1}, {"c": 2}]}, "a = null"),
    "a new field": (Edit(("body", "z"), 0), {"a": 1, "b": [{"c": 1}, {"c": 2}], "z": 0}, "z = 0"),
    "a field in an array": (Edit(("body", "b", 1, "c"), 9), {"a": 1, "b": [{"c": 1}, {"c": 9}]}, "b[1].c = 9"),
    "an entry of an array": (Edit(("body", "b", 0), None), {"a": 1, "b": [None, {"c": 2}]}, "b[0] = null"),
    "the whole body": (Edit(("body",), []), [], "body = []"),
}


@pytest.mark.parametrize(("edit", "expected", "words"), EDITS.values(), ids=EDITS)
def test_an_edit_by_example(edit: Edit, expected: Any, words: str) -> None:
    call = Call(Endpoint.SUBMIT_ORDER, body={"a": 1, "b": [{"c": 1}, {"c": 2}]})
    assert edit.apply(call).body == expected
    assert str(edit) == words
    assert call.body == {"a": 1, "b": [{"c": 1}, {"c": 2}]}
