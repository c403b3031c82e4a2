"""Whether an order of calls explains their answers: histories that some server may give, and those that none may."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.concurrency.history import Operation, Outcome, apart, were_at_once
from conformance.concurrency.interleaving import MOST_SHOWN, lanes
from conformance.concurrency.linearizability import explain
from conformance.concurrency.model import (
    ABSENT,
    Call,
    Delete,
    Ended,
    Koncili,
    Look,
    Open,
    Opened,
    Query,
    Refresh,
    Release,
    Submit,
    World,
)

ACCEPTED, REFUSED, UNKNOWN = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.UNKNOWN
MARCH, LATE_MARCH, APRIL = Open("March", 0, 31, 2), Open("late March", 20, 31, 2), Open("April", 31, 61, 2)
OPENED = World(opened=(Opened(Open("one", 0, 10, 2)),)).having("A", "v1").having("B", "v1")
ORDER = World().having("A", "v1")


def op(
    call: Call, outcome: Outcome, sent: float = 0.0, answered: float = 1.0, *, shown: object = None, lane: int = 0
) -> Operation:
    ends = math.inf if outcome is UNKNOWN else answered
    return Operation(lane, call, str(call), sent, ends, outcome, shown, touches=frozenset({"here"}))


def query(version: str | None, sent: float = 0.0, outcome: Outcome = ACCEPTED) -> Operation:
    return op(Query("A"), outcome, sent, sent + 1, shown=version)


def look(version: str | None, sent: float = 2.0) -> Operation:
    return op(Look("A"), ACCEPTED, sent, sent + 1, shown=version)


EXPLAINED: dict[str, tuple[World, Sequence[Operation]]] = {
    "one of two": (World(), [op(MARCH, ACCEPTED), op(MARCH, REFUSED)]),
    "both refused, the next taken": (World(), [op(MARCH, REFUSED), op(MARCH, REFUSED), op(MARCH, ACCEPTED, 2, 3)]),
    "one without an answer": (World(), [op(MARCH, UNKNOWN), op(MARCH, ACCEPTED)]),
    "refused for one without an answer": (World(), [op(MARCH, UNKNOWN), op(MARCH, REFUSED, 5, 6)]),
    "one release, the other refused": (
        OPENED,
        [op(Release("one", "A", 1), ACCEPTED), op(Release("one", "A", 1), REFUSED)],
    ),
    "both fit": (OPENED, [op(Release("one", "A", 1), ACCEPTED), op(Release("one", "B", 1), ACCEPTED)]),
    "then the next period": (
        OPENED,
        [op(Release("one", "A", 2), ACCEPTED), op(APRIL, ACCEPTED, 2, 3)],
    ),
    "still being reconciled": (
        OPENED,
        [op(Release("one", "A", 2), ACCEPTED), op(APRIL, REFUSED, 2, 3)],
    ),
    "either version": (ORDER, [op(Submit("A", "v2"), ACCEPTED), op(Submit("A", "v3"), ACCEPTED), look("v2")]),
    "update, then gone": (ORDER, [op(Submit("A", "v2"), ACCEPTED), op(Delete("A"), ACCEPTED), look(ABSENT)]),
    "gone, then sent anew": (ORDER, [op(Submit("A", "v2"), ACCEPTED), op(Delete("A"), ACCEPTED), look("v2")]),
    "refused for contention": (ORDER, [op(Submit("A", "v2"), REFUSED), op(Delete("A"), ACCEPTED), look(ABSENT)]),
    "gone, and its code used up": (
        ORDER,
        [
            op(Delete("A"), ACCEPTED),
            op(Submit("A", "v2"), ACCEPTED),
            look(ABSENT),
            op(Submit("A", "v3"), REFUSED, 4, 5),
        ],
    ),
    "never carried out": (ORDER, [op(Submit("A", "v2"), UNKNOWN), look("v1")]),
    "carried out without an answer": (ORDER, [op(Submit("A", "v2"), UNKNOWN), look("v2")]),
    "deleted, and so not released": (
        OPENED,
        [op(Delete("A"), ACCEPTED), op(Release("one", "A", 1), REFUSED, 2, 3), look(ABSENT, 4)],
    ),
    "released although it is being deleted": (
        OPENED,
        [op(Delete("A"), ACCEPTED), op(Release("one", "A", 1), ACCEPTED), look(ABSENT, 4)],
    ),
    "released, and so not deleted": (
        OPENED,
        [op(Release("one", "A", 1), ACCEPTED), op(Delete("A"), REFUSED, 2, 3), look("v1", 4)],
    ),
    "complete": (OPENED, [op(Release("one", "A", 2), ACCEPTED), op(Ended("one"), ACCEPTED, 2, 3, shown=True)]),
    "not complete": (OPENED, [op(Release("one", "A", 1), ACCEPTED), op(Ended("one"), ACCEPTED, 2, 3, shown=False)]),
    "asked for while it is updated: the old version": (
        ORDER,
        [op(Submit("A", "v2"), ACCEPTED), query("v1"), look("v2")],
    ),
    "asked for while it is updated: the new version": (
        ORDER,
        [op(Submit("A", "v2"), ACCEPTED), query("v2"), look("v2")],
    ),
    "the update is seen late": (ORDER, [op(Submit("A", "v2"), ACCEPTED), query("v1", 2), look("v2", 4)]),
    "a new order is seen late": (World(), [op(Submit("A", "v1"), ACCEPTED), query(ABSENT, 2), look("v1", 4)]),
    "a new order is deleted before it is seen": (
        World(),
        [op(Submit("A", "v1"), ACCEPTED), op(Delete("A"), REFUSED, 2, 3), look("v1", 4)],
    ),
    "a query is refused for contention": (
        ORDER,
        [op(Submit("A", "v2"), ACCEPTED), query(None, 0, REFUSED), look("v2")],
    ),
    "one refresh": (World(), [op(Refresh("r"), ACCEPTED), op(Refresh("r"), REFUSED)]),
}

UNEXPLAINED: dict[str, tuple[World, Sequence[Operation]]] = {
    "two of one period": (World(), [op(MARCH, ACCEPTED), op(MARCH, ACCEPTED)]),
    "two that overlap in part": (World(), [op(MARCH, ACCEPTED), op(LATE_MARCH, ACCEPTED)]),
    "two active": (World(), [op(MARCH, ACCEPTED), op(APRIL, ACCEPTED)]),
    "refused with nothing in its way": (World(), [op(MARCH, REFUSED)]),
    "refused both, and the next": (World(), [op(MARCH, REFUSED), op(MARCH, REFUSED), op(MARCH, REFUSED, 2, 3)]),
    "released twice": (OPENED, [op(Release("one", "A", 1), ACCEPTED), op(Release("one", "A", 1), ACCEPTED)]),
    "counted twice": (
        OPENED,
        [
            op(Release("one", "A", 1), ACCEPTED),
            op(Release("one", "A", 1), REFUSED),
            op(Release("one", "B", 1), REFUSED, 2, 3),
        ],
    ),
    "too many": (OPENED, [op(Release("one", "A", 2), ACCEPTED), op(Release("one", "B", 2), ACCEPTED)]),
    "a code that was never used is refused": (World(), [op(Submit("A", "v1"), REFUSED)]),
    "neither version": (ORDER, [op(Submit("A", "v2"), ACCEPTED), op(Submit("A", "v3"), ACCEPTED), look(None)]),
    "the old version": (ORDER, [op(Submit("A", "v2"), ACCEPTED), op(Submit("A", "v3"), ACCEPTED), look("v1")]),
    "a refused version": (ORDER, [op(Submit("A", "v2"), REFUSED), op(Submit("A", "v3"), ACCEPTED), look("v2")]),
    "the deleted one": (ORDER, [op(Submit("A", "v2"), ACCEPTED), op(Delete("A"), ACCEPTED), look("v1")]),
    "against time": (
        ORDER,
        [op(Submit("A", "v2"), ACCEPTED, 0, 1), op(Submit("A", "v3"), ACCEPTED, 2, 3), look("v2", 4)],
    ),
    "deleted, and there all the same": (
        OPENED,
        [op(Delete("A"), ACCEPTED), op(Release("one", "A", 1), ACCEPTED), look("v1", 4)],
    ),
    "a half is shown": (ORDER, [op(Submit("A", "v2"), ACCEPTED), query(None), look("v2")]),
    "gone while it is updated": (ORDER, [op(Submit("A", "v2"), ACCEPTED), query(ABSENT), look("v2")]),
    "gone although it was seen": (
        World(),
        [op(Submit("A", "v1", seen=True), ACCEPTED), query(ABSENT, 2), look("v1", 4)],
    ),
    "shown before it was sent": (ORDER, [query("v2", 0), op(Submit("A", "v2"), ACCEPTED, 2, 3), look("v2", 4)]),
    "a query is refused with nothing in its way": (ORDER, [query(None, 0, REFUSED)]),
    "complete too early": (
        OPENED,
        [op(Release("one", "A", 1), ACCEPTED), op(Ended("one"), ACCEPTED, 2, 3, shown=True)],
    ),
    "never complete": (OPENED, [op(Release("one", "A", 2), ACCEPTED), op(Ended("one"), ACCEPTED, 2, 3, shown=False)]),
    "two refreshes": (World(), [op(Refresh("r"), ACCEPTED), op(Refresh("r"), ACCEPTED)]),
}


@pytest.mark.parametrize("name", EXPLAINED)
def test_what_a_server_may_answer_is_explained(name: str) -> None:
    world, history = EXPLAINED[name]
    assert explain(history, Koncili(), world) is None


@pytest.mark.parametrize("name", UNEXPLAINED)
def test_what_no_server_may_answer_is_not(name: str) -> None:
    world, history = UNEXPLAINED[name]
    found = explain(history, Koncili(), world)
    assert found is not None
    assert "no order of these calls explains the answers" in found.sentence
    assert len(found.nearest) < len(found.history)
    assert found.why
    assert found.fails_at.label in found.nearest_words


CALLS: list[Call] = [
    MARCH, LATE_MARCH, APRIL, Release("one", "A", 1), Release("one", "B", 2), Submit("A", "v1"), Submit("A", "v2"),
    Delete("A"), Look("A"), Query("A"), Refresh("r"),
]  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[Operation]:
    """Any calls, at any time, with any answers."""
    drawn = []
    for _ in range(draw(st.integers(1, 5))):
        sent = draw(st.integers(0, 4))
        drawn.append(
            op(
                draw(st.sampled_from(CALLS)),
                draw(st.sampled_from(list(Outcome))),
                sent,
                sent + draw(st.integers(1, 3)),
                shown=draw(st.sampled_from([ABSENT, "v1", "v2", None])),
            )
        )
    return drawn


def explained_by_trying_all(history: Sequence[Operation], world: World) -> bool:
    """The same by the definition: some of the unknown ones left out, in every order that respects time."""
    model = Koncili()
    unknown = [one for one in history if not one.must_be_explained]
    known = [one for one in history if one.must_be_explained]
    for chosen in range(2 ** len(unknown)):
        some = known + [one for number, one in enumerate(unknown) if chosen >> number & 1]
        for order in permutations(some):
            if any(later.precedes(earlier) for n, earlier in enumerate(order) for later in order[n + 1 :]):
                continue
            states = [world]
            for one in order:
                states = [after for state in states for after in model.after(state, one, history)]
            if states:
                return True
    return False


@settings(max_examples=300, deadline=None)
@given(histories(), st.sampled_from([World(), OPENED, ORDER]))
def test_the_search_agrees_with_the_definition(history: list[Operation], world: World) -> None:
    assert (explain(history, Koncili(), world) is None) == explained_by_trying_all(history, world)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_a_lawful_server_answers_is_always_explained(data: st.DataObject) -> None:
    """One that carries out each call at an instant between its being sent and its answer."""
    world, model = data.draw(st.sampled_from([World(), OPENED, ORDER])), Koncili()
    state, history = world, []
    for instant in range(data.draw(st.integers(1, 6))):
        sent, answered = instant - data.draw(st.floats(0, 3)), instant + data.draw(st.floats(0, 3))
        call = data.draw(st.sampled_from(CALLS))
        one = op(call, ACCEPTED, sent, answered)
        if isinstance(call, Look):
            one = op(call, ACCEPTED, sent, answered, shown=state.version(call.code))
        elif isinstance(call, Query):
            one = op(
                call, ACCEPTED, sent, answered, shown=data.draw(st.sampled_from(sorted(state.may_show(call.code))))
            )
        elif model.objection(state, one):
            one = op(call, REFUSED, sent, answered)
        if data.draw(st.booleans()) and not isinstance(call, Look | Query):
            one = op(call, UNKNOWN, sent) if one.outcome is ACCEPTED else one
        (state,) = model.after(state, one, [one]) or (state,)
        history.append(one)
    assert explain(history, model, world) is None


def test_parts_that_touch_nothing_of_each_other_are_apart() -> None:
    one, other, both = (
        replace(op(Submit("A", "v1"), ACCEPTED), touches=frozenset({"A"})),
        replace(op(Submit("B", "v1"), ACCEPTED), touches=frozenset({"B"})),
        op(MARCH, ACCEPTED),
    )
    assert apart([one, other, both]) == [(one,), (other,), (both,)]
    joining = Operation(0, MARCH, "", 5, 6, ACCEPTED, touches=frozenset({"A", "B"}))
    assert apart([one, other, joining]) == [(one, other, joining)]


def test_a_call_may_be_refused_for_another_about_something_else() -> None:
    one = replace(op(Submit("A", "v1"), REFUSED), touches=frozenset({"A"}))
    other = replace(op(Submit("B", "v1"), ACCEPTED), touches=frozenset({"B"}))
    assert explain([one, other], Koncili(), World()) is None
    assert explain([one, replace(other, sent=5.0, answered=6.0)], Koncili(), World()) is not None


def test_calls_were_at_once_where_all_were_sent_before_the_first_answer() -> None:
    assert were_at_once([op(MARCH, ACCEPTED, 0, 3), op(APRIL, ACCEPTED, 1, 4)])
    assert were_at_once([op(MARCH, UNKNOWN, 0), op(APRIL, ACCEPTED, 1, 4)])
    assert not were_at_once([op(MARCH, ACCEPTED, 0, 1), op(APRIL, ACCEPTED, 1, 4)])
    assert not were_at_once([op(MARCH, ACCEPTED, 0, 1)])


def test_lanes_show_who_was_under_way_when() -> None:
    history = [
        op(MARCH, ACCEPTED, 0.0, 0.004), op(APRIL, ACCEPTED, 0.001, 0.003, lane=1), op(LATE_MARCH, UNKNOWN, 0.002, lane=2),
    ]  # fmt: skip
    scale, first, second, third = lanes(history)
    assert "0 ms" in scale
    assert "4.0 ms" in scale
    assert first.startswith("lane 1  |==")
    assert second.startswith("lane 2          |==")
    assert ">  " in third
    assert "no answer" in third
    assert len({line.index("Open(") for line in (first, second, third)}) == 1
    assert len(lanes(history * 10)) == MOST_SHOWN + 1
    assert lanes([]) == []


def test_pauses_are_drawn_shorter_than_they_were() -> None:
    begun = op(MARCH, ACCEPTED, 0.0, 0.004)
    scale, first, second, third = lanes(
        [begun, op(MARCH, REFUSED, 0.001, 0.004, lane=1), op(APRIL, REFUSED, 30.0, 30.004)]
    )
    assert "30004.0 ms  (pauses shortened)" in scale
    assert first.startswith("lane 1  |=============")
    assert second.startswith("lane 2     |==========")
    assert third.startswith("lane 1  " + 17 * " " + "|==")
    assert "(30000.0 ms to 30004.0 ms)" in third
    assert "pauses" not in lanes([begun])[0]
