"""The laws of releases that need an open reconciliation with orders of their own, and care for no others in it: scenarios share
one for them. By the Then step that says them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from conformance.contract.endpoints import Endpoint
from conformance.contract.reconciliation_rules import ENDS_LEFT_OUT
from conformance.contract.rules import Rule, Side
from conformance.engine.bench import Bench
from conformance.engine.checks import check_accepted, check_refused
from conformance.engine.same_code import accepted_under_a_code
from conformance.engine.shelf import Laws, Shared, within_one_period
from conformance.engine.updated_release import accepted_as_updated
from conformance.engine.waiting import Waiting
from strategies.calls import Call, release_of
from strategies.periods import at
from strategies.reconciliations import Batch, batches
from strategies.scope import Scope

DAY: Final = 86_400


def some(bench: Bench) -> int:
    """How many examples a law gets of which each needs a reconciliation."""
    return max(1, bench.session.profile.sequences // 2)


def _itself(batch: Batch) -> Batch:
    return batch


# -- accepted ------------------------------------------------------------------------------------------------------


def _accepted(
    bench: Bench,
    rule: Rule,
    drawn: st.SearchStrategy[Batch],
    examples: int,
    name: str = "",
    *,
    whole_period: bool = False,
) -> Shared[Batch]:
    reconciliations = bench.reconciliations

    def law(batch: Batch) -> None:
        reconciliation = reconciliations.open_for(batch)
        try:
            released = reconciliations.release(reconciliation, 0)
            reconciliation.spoiled = released.status // 100 != 2
            check_accepted(rule=rule, exchange=released)
            bench.saw(Side.ACCEPTED, released)
        finally:
            reconciliations.finish(reconciliation)

    return Shared(rule, f"{bench.scenario}{name}", drawn, law, examples, _itself, whole_period=whole_period)


def exact_releases(bench: Bench, rule: Rule) -> list[Shared[Any]]:
    """Every exact release is accepted, also in the last hours of a period of days, of an order that was updated, and under the
    code of another account's that was released."""
    scope = bench.reconciliations.shared_scope
    return [
        _accepted(bench, rule, batches(scope), bench.session.profile.sequences),
        _accepted(bench, rule, _on_the_last_day(scope), 1, " on the last day", whole_period=True),
        accepted_as_updated(bench, rule),
        *accepted_under_a_code(bench, rule),
    ]


def entries_in_sequence(bench: Bench, rule: Rule) -> list[Shared[Batch]]:
    """With its entries in the sequence of the extracts it is accepted."""
    drawn = batches(bench.reconciliations.shared_scope, types=("COMISSION", "SHIP", "SHIP"))
    return [_accepted(bench, rule, drawn, some(bench))]


@st.composite
def _on_the_last_day(draw: DrawFn, scope: Scope) -> Batch:
    """A period of some days, and a release in its last hours."""
    # Not where what is about the ends of shorter periods is: one can't be as long as both.
    batch: Batch = draw(batches(replace(scope, opened_at=scope.opened_at[-1:]), seconds=3 * DAY))
    released = at(timedelta(seconds=3 * DAY - 1))
    return replace(batch, releases=({**batch.releases[0], "releasedDate": released},))


# -- accepted or refused ---------------------------------------------------------------------------------------------


def entries_in_another_sequence(bench: Bench, rule: Rule) -> list[Shared[Batch]]:
    """With its entries in another sequence it is accepted, or refused and accepted in its own."""
    reconciliations = bench.reconciliations

    def law(batch: Batch) -> None:
        reconciliation = reconciliations.open_for(batch)
        entries = batch.releases[0]["releases"]
        other = [*entries[1:], entries[0]]
        call = Call(Endpoint.SUBMIT_RELEASE, body={**batch.releases[0], "releases": other})
        try:
            released = reconciliations.release(reconciliation, 0, call)
            reconciliation.spoiled = False  # what is in it is what should be
            context = ""
            if released.status // 100 == 4:
                context = "after it was refused with its entries in another sequence"
                released = reconciliations.release(reconciliation, 0)
                reconciliation.spoiled = released.status // 100 != 2
            check_accepted(rule=rule, exchange=released, context=context)
            bench.saw(Side.ACCEPTED, released)
        finally:
            reconciliations.finish(reconciliation)

    # A sale and a commission differ: so do the sequences.
    drawn = batches(reconciliations.shared_scope, types=("COMISSION",))
    return [Shared(rule, bench.scenario, drawn, law, some(bench), _itself)]


def at_either_end(bench: Bench, rule: Rule) -> list[Shared[tuple[Batch, bool]]]:
    """Dated at either end of the period it is answered as the reading says."""
    reconciliations = bench.reconciliations
    left_out = ENDS_LEFT_OUT[bench.scope.readings["period-bounds"]]

    def law(drawn: tuple[Batch, bool]) -> None:
        batch, at_the_end = drawn
        covered = ("end" if at_the_end else "init") not in left_out
        reconciliation, seconds = reconciliations.open_for(batch), batch.seconds if at_the_end else 0
        body = {**batch.releases[0], "releasedDate": at(timedelta(seconds=seconds))}
        context = f"dated {seconds} s into a period of {batch.seconds} s"
        try:
            released = reconciliations.release(reconciliation, 0, Call(Endpoint.SUBMIT_RELEASE, body=body))
            reconciliation.spoiled = released.status // 100 == 2 and not covered
            if covered:
                if released.status // 100 != 2 and not reconciliations.released(reconciliation, 0):
                    return  # not because of its date
                check_accepted(rule=rule, exchange=released, context=context)
                bench.saw(Side.ACCEPTED, released)
                return
            check_refused(rule=rule, exchange=released, bench=bench, context=context)
            if reconciliations.released(reconciliation, 0):
                bench.saw(Side.ACCEPTED, bench.story[-1])
                bench.saw(Side.REFUSED, released)
        finally:
            reconciliations.finish(reconciliation)

    def shared(*, at_the_end: bool) -> Shared[tuple[Batch, bool]]:
        scope = reconciliations.shared_scope
        one_period, length = within_one_period(scope)
        drawn = st.tuples(batches(one_period, seconds=length) if at_the_end else batches(scope), st.just(at_the_end))
        name = f"{bench.scenario} {at_the_end}"
        # Where the period begins all are alike.
        return Shared(rule, name, drawn, law, 1, lambda example: example[0], whole_period=at_the_end)

    return [shared(at_the_end=at_the_end) for at_the_end in (False, True)]


# -- refused because of what came before ---------------------------------------------------------------------------


def of_a_deleted_order(bench: Bench, rule: Rule) -> list[Shared[Batch]]:
    """For an order that was deleted a release is refused."""
    reconciliations = bench.reconciliations

    def law(batch: Batch) -> Waiting[None]:
        order, place = batch.orders[0], batch.place
        deleted, submission = bench.fresh(batch.shape), Call(Endpoint.SUBMIT_ORDER, body=order)
        if not bench.is_accepted(submission, bench.send(submission, deleted)):
            return
        deletion = bench.delete_known(place, deleted["code"])
        if not bench.is_accepted(Call(Endpoint.DELETE_ORDER), deletion):
            return
        yield from bench.settled("DEL-01", None, deleted, place, before=(order,), context="it was deleted")
        reconciliation = reconciliations.open_for(batch)
        try:
            refused = bench.send(release_of(batch, 0), reconciliation.values[0].having(code=deleted["code"]))
            reconciliation.spoiled = refused.is_accepted
            check_refused(rule=rule, exchange=refused, bench=bench, context="its order was deleted")
            if reconciliations.released(reconciliation, 0):
                bench.saw(Side.REFUSED, refused)
                bench.saw(Side.ACCEPTED, bench.story[-1])
        finally:
            reconciliations.finish(reconciliation)

    return [Shared(rule, bench.scenario, batches(reconciliations.shared_scope), law, 1, _itself)]


SHARED_LAWS: Final[Mapping[str, Laws]] = MappingProxyType(
    {
        "every release is accepted with 2xx": exact_releases,
        "with its entries in the sequence of the extracts it is accepted": entries_in_sequence,
        "with its entries in another sequence it is accepted, or refused and accepted in its own": (
            entries_in_another_sequence
        ),
        "dated at either end of the period it is answered as the reading says": at_either_end,
        "for an order that was deleted it is refused with 4xx": of_a_deleted_order,
    }
)
"""What can be tried on the shelf, by the Then step that says it."""
