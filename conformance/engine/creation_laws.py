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

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, catalogue
from conformance.engine.bench import Bench
from conformance.engine.creations_seen import CreationLaw, Earlier, Fitted
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.whole import Meanwhile, Whole
from strategies.calls import Call, creation_of
from strategies.faults import FAULTS, FaultBatch, Kind, fault_batches, possible
from strategies.money import AMOUNTS
from strategies.periods import EARLIER_SECONDS, MONTH, at
from strategies.reconciliations import Batch, batches
from strategies.scope import Place, Scope


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


MANY_RELEASES: Final = 120


def any_creation(bench: Bench, rule: Rule) -> list[CreationLaw | Whole]:
    """All of these, and as many of any batch as the rule is to see: other laws open them, unless the rule is run alone."""
    reconciliations = bench.reconciliations

    def go(reconciliation: OpenReconciliation, _: Batch, __: Meanwhile) -> bool:
        return all(reconciliations.released(reconciliation, order) for order in range(len(reconciliation.batch.orders)))

    any_batch = batches(reconciliations.scope, at_most=2)
    many = reconciliations.plain(reconciliations.scope.places[0], *(MANY_RELEASES // 3,) * 3)
    return [
        *of_any_period(bench, rule),
        Whole(rule, f"{bench.scenario} alone", any_batch, go, bench.session.profile.sequences, fills_up=True),
        Whole(rule, f"{bench.scenario} of many releases alone", st.just(many), go, 1, is_shown_by=_has_many_releases),
    ]


def _has_many_releases(batch: Batch) -> bool:
    return bool(batch.creation["releasesQtd"] >= MANY_RELEASES)


def _of_a_month(batch: Batch, drawn: Batch, _: Sequence[Earlier]) -> Fitted | None:
    creation = {**batch.creation, "periodEndDate": drawn.creation["periodEndDate"]}
    return Fitted(replace(batch, creation=creation, seconds=drawn.seconds))


def _beside(
    batch: Batch, _: Batch, earlier: Sequence[Earlier], *, ends_before: int = 0, after: bool = False
) -> Fitted | None:
    """Its period begins where an earlier one ends; or ends where that begins, or so many times its own length before."""
    takes = (1 + ends_before) * batch.seconds
    for one in earlier:
        if one.place == batch.place and one.room(after=after) >= takes:
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


# -- REC-09 --------------------------------------------------------------------------------------------------------

OVERLAP_SECONDS: Final = 30
"""How much of the earlier period a refused one takes."""


def faults_of_others(scope: Scope) -> dict[str, tuple[Kind, ...]]:
    """By rule, faults that leave the period as it is; that they are refused is those rules' business, and reported so."""
    return {
        "REC-07": FAULTS["REC-07"]["its releasesQtd is not a positive integer"][:1],
        "REC-08": _of_another_type(scope),
    }


def _of_another_type(scope: Scope) -> tuple[Kind, ...]:
    """A fault of REC-08 that leaves the period as it is: a total as text, or where that is taken an account in a list."""
    wanted = ("totalNetValue as text", "accountId in a list")
    kinds = {kind.name: kind for kind in FAULTS["REC-08"]["one of its fields has another JSON type"]}
    able = (kinds[name] for name in wanted if possible(kinds[name], scope, Endpoint.CREATE_RECONCILIATION))
    return tuple(able)[:1]


def free_after_refusal(bench: Bench, rule: Rule) -> list[CreationLaw]:
    """A creation that is refused leaves its period free: for a fault of its own, and for an earlier period."""
    scope = bench.reconciliations.scope
    endpoint = Endpoint.CREATE_RECONCILIATION
    plain = st.just(bench.reconciliations.plain(scope.places[0], 2, seconds=OVERLAP_SECONDS))
    return [
        CreationLaw(
            rule, f"{bench.scenario} by an earlier", plain, 1, _behind, refused_first=_partly_over, needs_earlier=True
        ),
        *(
            CreationLaw(
                rule, after_refusal_name(bench, breaks), fault_batches(scope, endpoint, kinds), 1, _as_it_is,
                batch_of=_batch_of, refused_first=partial(_broken, catalogue()[breaks]),
            )
            for breaks, kinds in faults_of_others(scope).items()
        ),
    ]  # fmt: skip


def after_refusal_name(bench: Bench, breaks: str) -> str:
    """By which a creation that breaks that rule is drawn."""
    return f"{bench.scenario} after {breaks}"


def _batch_of(drawn: FaultBatch) -> Batch:
    assert drawn.lawful.batch is not None
    return drawn.lawful.batch


def _broken(breaks: Rule, batch: Batch, drawn: FaultBatch) -> tuple[Rule, Call]:
    return breaks, drawn.edits[0][1].apply(creation_of(batch))


def _behind(batch: Batch, _: Batch, earlier: Sequence[Earlier]) -> Fitted | None:
    """Its period begins a second after an earlier one ends."""
    for one in earlier:
        if one.place == batch.place and one.room(after=True) > batch.seconds:
            return Fitted(batch, one.begins + timedelta(seconds=one.seconds + 1), one, after=True)
    return None


def _partly_over(batch: Batch, _: Batch) -> tuple[Rule, Call]:
    """The same from some time before the earlier one's end."""
    lawful = creation_of(batch)
    return catalogue()["REC-05"], replace(
        lawful, body={**lawful.body, "periodInitDate": at(timedelta(seconds=-OVERLAP_SECONDS))}
    )


# -- REC-10 --------------------------------------------------------------------------------------------------------


def pairs_of_places(scope: Scope) -> list[tuple[Place, Place]]:
    """Of two on one channel a refusal would show most: those first."""
    places = scope.places
    pairs = [(one, other) for one in places for other in places if one != other]
    return sorted(pairs, key=lambda pair: pair[0].channel != pair[1].channel)


def of_another_account(bench: Bench, rule: Rule) -> list[CreationLaw]:
    """Of the period of one that was completed on another account: of the same channel, and of another."""
    pairs = pairs_of_places(bench.reconciliations.scope)
    return [
        CreationLaw(
            rule, f"{bench.scenario} finished {there}", st.just(bench.reconciliations.plain(there, 1)), 1,
            partial(_of_the_same_period, other_than(there, pairs)), needs_earlier=True, only_at=there,
        )
        for there in dict.fromkeys(there for pair in (pairs[:1], pairs[-1:]) for _, there in pair)
    ]  # fmt: skip


def other_than(there: Place, pairs: Sequence[tuple[Place, Place]]) -> Place:
    """The place whose period is to be used there, too."""
    return next(place for place, other in pairs if other == there)


def _of_the_same_period(other: Place, batch: Batch, drawn: Batch, earlier: Sequence[Earlier]) -> Fitted | None:
    for one in earlier:
        suits = one.place == other and one.is_over and one.seconds >= batch.seconds
        if batch.place == drawn.place and suits and one.is_free_at(batch.place, earlier):
            return _of_period(batch, one)
    return None


def _of_period(batch: Batch, one: Earlier) -> Fitted:
    creation = {**batch.creation, "periodEndDate": at(timedelta(seconds=one.seconds))}
    return Fitted(replace(batch, creation=creation, seconds=one.seconds), one.begins)


def beside_an_active_one(bench: Bench, rule: Rule) -> list[CreationLaw]:
    """Of the period of one that is active on another account, of the same channel if there is any."""
    return [
        CreationLaw(
            rule, bench.scenario, st.just(bench.reconciliations.plain(there, 2)), 1, _of_an_active_period,
            while_active=((place, there), (there, place)),
        )
        for place, there in pairs_of_places(bench.reconciliations.scope)[:1]
    ]  # fmt: skip


def _of_an_active_period(batch: Batch, _: Batch, earlier: Sequence[Earlier]) -> Fitted | None:
    """The last one is active."""
    active = earlier[-1]
    suits = active.seconds >= batch.seconds and active.is_free_at(batch.place, earlier)
    return _of_period(batch, active) if suits else None


def of_another_account_and_beside(bench: Bench, rule: Rule) -> list[CreationLaw]:
    """All that is said of the periods of other accounts."""
    return [*beside_an_active_one(bench, rule), *of_another_account(bench, rule)]


# -- REC-11 --------------------------------------------------------------------------------------------------------


def touching(bench: Bench, rule: Rule) -> list[CreationLaw]:
    """One that begins where an earlier one ends, and one that ends where it begins: where the reading allows them."""
    place = bench.reconciliations.scope.places[0]
    drawn = st.just(bench.reconciliations.plain(place, 2, seconds=EARLIER_SECONDS))
    return [
        CreationLaw(
            rule, touching_name(bench, after=after), drawn, 1, partial(_beside, after=after), needs_earlier=True,
            tells=("adjacent-periods", "allowed"),
        )
        for after in (True, False)
        if bench.scope.readings["adjacent-periods"] == "allowed"
    ]  # fmt: skip


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


CREATION_LAWS: Final[Mapping[str, Callable[[Bench, Rule], Sequence[CreationLaw | Whole]]]] = MappingProxyType(
    {
        "every creation is accepted with 201 and an integer id": any_creation,
        "while it is active a second one is refused with 4xx, and accepted after": second_while_active,
        "a creation that is refused leaves its period free": free_after_refusal,
        "while it is active another account can have one of the same period": of_another_account_and_beside,
        "one that begins or ends where it ends or begins is answered as the reading says": touching,
        "whatever totalNetValue the reading allows, it is accepted and completes": any_total,
    }
)
"""What the reconciliations of other scenarios can show, by the Then step that says it."""
