"""The laws of creations that any reconciliation can show which is opened anyway. By the Then step that says them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from conformance.contract.rules import Rule
from conformance.engine.bench import Bench
from conformance.engine.creations_seen import CreationLaw, Earlier, Fitted
from strategies.money import AMOUNTS
from strategies.periods import EARLIER_SECONDS, MONTH
from strategies.reconciliations import Batch, batches
from strategies.scope import Scope


def some(bench: Bench) -> int:
    """How many examples a law gets of which each opens reconciliations."""
    return max(1, bench.session.profile.sequences // 2)


# -- REC-01 --------------------------------------------------------------------------------------------------------


def of_any_period(bench: Bench, rule: Rule) -> list[CreationLaw]:
    """Of a month, and shortly before an earlier one."""
    scope = bench.reconciliations.scope
    shortly_before = bench.reconciliations.plain(scope.places[0], 1, seconds=10)
    return [
        CreationLaw(
            rule, f"{bench.scenario} before another", st.just(shortly_before), 1, partial(_beside, ends_before=2),
            needs_earlier=True,
        ),
        CreationLaw(rule, f"{bench.scenario} of a month", batches(scope, seconds=MONTH), 1, _of_a_month),
    ]  # fmt: skip


def _of_a_month(batch: Batch, drawn: Batch, _: Sequence[Earlier]) -> Fitted | None:
    creation = {**batch.creation, "periodEndDate": drawn.creation["periodEndDate"]}
    return Fitted(replace(batch, creation=creation, seconds=drawn.seconds))


def _beside(
    batch: Batch, _: Batch, earlier: Sequence[Earlier], *, ends_before: int = 0, after: bool = False
) -> Fitted | None:
    """Its period begins where an earlier one ends; or ends where that begins, or so many times its own length before."""
    takes = (1 + ends_before) * batch.seconds
    for one in earlier:
        if one.room(after=after) >= takes:
            seconds = one.seconds if after else -takes
            return Fitted(batch, one.begins + timedelta(seconds=seconds), one, after=after)
    return None


# -- REC-06 --------------------------------------------------------------------------------------------------------


@st.composite
def pairs(draw: DrawFn, scope: Scope) -> tuple[Batch, Batch]:
    """Two batches for the same account and channel."""
    first: Batch = draw(batches(scope))
    return first, draw(batches(scope, places=(first.place,)))


def second_while_active(bench: Bench, rule: Rule) -> list[CreationLaw]:
    """While it is active a second one is refused, and accepted after."""
    drawn = pairs(bench.reconciliations.scope)
    return [
        CreationLaw(
            rule, bench.scenario, drawn, some(bench), _as_it_is, batch_of=lambda pair: pair[0], is_refused_before=True
        )
    ]


def _as_it_is(batch: Batch, _: object, __: Sequence[Earlier]) -> Fitted:
    return Fitted(batch)


# -- REC-11 --------------------------------------------------------------------------------------------------------


def touching(bench: Bench, rule: Rule) -> list[CreationLaw]:
    """One that begins where an earlier one ends, and one that ends where it begins: where the reading allows them."""
    place = bench.reconciliations.scope.places[0]
    drawn = st.just(bench.reconciliations.plain(place, 2, seconds=EARLIER_SECONDS))
    return [
        CreationLaw(
            rule, touching_name(bench, after=after), drawn, 1, partial(_beside, after=after), needs_earlier=True
        )
        for after in (True, False)
        if bench.scope.readings["adjacent-periods"] == "allowed"
    ]


def touching_name(bench: Bench, *, after: bool) -> str:
    """By which what touches an earlier one is drawn."""
    return f"{bench.scenario} {EARLIER_SECONDS if after else -EARLIER_SECONDS}"


# -- REC-12 --------------------------------------------------------------------------------------------------------

TOTALS: Final[Mapping[str, st.SearchStrategy[Decimal]]] = MappingProxyType(
    {"zero": st.just(Decimal("0.00")), "negative": AMOUNTS.map(lambda amount: -amount), "any": AMOUNTS}
)


@st.composite
def _with_total(draw: DrawFn, scope: Scope, totals: st.SearchStrategy[Decimal]) -> Batch:
    """A batch with one of these for totalNetValue, where the reading allows any."""
    batch: Batch = draw(batches(scope, at_most=2))
    if scope.readings["total-net-value"] != "unchecked":
        return batch
    return replace(batch, creation={**batch.creation, "totalNetValue": draw(totals)})


def any_total(bench: Bench, rule: Rule) -> list[CreationLaw]:
    """Any totalNetValue that the reading allows."""
    scope = bench.reconciliations.scope
    is_any = scope.readings["total-net-value"] == "unchecked"

    def fitted(batch: Batch, drawn: Batch, _: Sequence[Earlier]) -> Fitted:
        name = "totalNetValue"
        return Fitted(replace(batch, creation={**batch.creation, name: drawn.creation[name]}) if is_any else batch)

    examples = max(1, some(bench) // 3)
    return [
        CreationLaw(rule, f"{bench.scenario} {name}", _with_total(scope, totals), examples, fitted)
        for name, totals in TOTALS.items()
    ]


CREATION_LAWS: Final[Mapping[str, Callable[[Bench, Rule], Sequence[CreationLaw]]]] = MappingProxyType(
    {
        "every creation is accepted with 201 and an integer id": of_any_period,
        "while it is active a second one is refused with 4xx, and accepted after": second_while_active,
        "one that begins or ends where it ends or begins is answered as the reading says": touching,
        "whatever totalNetValue the reading allows, it is accepted and completes": any_total,
    }
)
"""What the reconciliations of other scenarios can show, by the Then step that says it."""
