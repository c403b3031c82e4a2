"""The laws of whole reconciliations, from their opening to their end: one after the other. By the Then step that says them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from hypothesis import strategies as st

from conformance.contract.rules import Rule, Side
from conformance.engine.bench import Bench
from conformance.engine.checks import check_refused
from conformance.engine.kept_open import check_no_refused_one_keeps_it
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.orders_meanwhile import check_orders_go_on
from conformance.engine.printed_workflow import is_printed
from conformance.engine.reconciled_laws import MORE_THAN_A_PAGE
from conformance.engine.refused_beside import blame_for_a_change
from conformance.engine.refused_release import rule_to_blame
from conformance.engine.second_creations import check_second_ones_are_refused
from conformance.engine.spoiled_places import note_spoiled
from conformance.engine.unfinished import Hindered, Spoiled
from conformance.engine.whole import Meanwhile, Whole
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import creation_of
from strategies.reconciliations import Batch, batches

MANY_ENTRIES: Final = 10

MORE_THAN_A_BYTE: Final = (*(50,) * 5, 30, *(1,) * MORE_THAN_A_PAGE)
"""Extracts of each order, at most as many as are plainly lawful: more in all than a byte counts (TINYINT: 127 or 255), and than
Java keeps one object of for each (Integer compared by identity: wrong from 128 on). More orders than a page shows."""

TO_ITS_LAST_ENTRY: Final = (2, 1)
"""Extracts of each order where only the last entry is to be missing for a while."""

LEFT_ALONE_SECONDS: Final = 1.0
"""For so long at least nothing is asked of a target without a clock when all releases but one are in."""

Orders = tuple[int, int]
"""How many orders a reconciliation has, at least and at most."""


ShownBy = Callable[[Batch], bool] | None


def _has_many_entries(batch: Batch) -> bool:
    return sum(len(release["releases"]) for release in batch.releases) > MANY_ENTRIES


def _has_one_entry(batch: Batch) -> bool:
    return sum(len(order["extracts"]) for order in batch.orders) == 1


def _wanted(bench: Bench) -> int:
    return max(1, bench.session.profile.sequences // 2)


def ends_reconciled(orders: Orders, bench: Bench, rule: Rule) -> list[Whole]:
    """With its releases a reconciliation ends reconciled."""
    scope = bench.reconciliations.scope

    def go(reconciliation: OpenReconciliation, _: Batch, meanwhile: Meanwhile) -> bool:
        _release_all(bench, rule, reconciliation, meanwhile)
        return True

    def law(name: str, strategy: st.SearchStrategy[Batch], examples: int, shown_by: ShownBy = None) -> Whole:
        return Whole(rule, f"{bench.scenario}{name}", strategy, go, examples, ended(bench, rule), is_shown_by=shown_by)

    least, most = orders
    any_orders, several = batches(scope, at_least=least, at_most=most), most > 1
    # One order alone is what most laws open none for: it has its own, but that which S2 prints.
    wanted = _wanted(bench)
    is_of_one_entry = not several and wanted > 1
    laws = [law("", any_orders, wanted - is_of_one_entry, partial(_has_orders, orders) if several else is_printed)]
    if is_of_one_entry:
        # What has more than one entry may end where what has one does not.
        laws.append(law(" of a single entry", batches(scope, bare=True), 1, _has_one_entry))
    if several:
        # With one that is canceled: what becomes of reconciled orders of each status is seen by those of several, too.
        long = batches(scope, at_least=most, at_most=most, last=("CANCELED",)).filter(_has_many_entries)
        most_entries = bench.reconciliations.plain(scope.places[0], *MORE_THAN_A_BYTE)
        laws += [
            law(" of many entries", long, 1),
            law(" of more entries than a byte counts", st.just(most_entries), 1),
        ]
    return laws


def _has_orders(orders: Orders, batch: Batch) -> bool:
    least, most = orders
    return least <= len(batch.orders) <= most


def _release_all(bench: Bench, rule: Rule, reconciliation: OpenReconciliation, meanwhile: Meanwhile) -> None:
    """Release every order of the reconciliation; an exact release that is refused breaks the scenario's rule."""
    for order in range(len(reconciliation.batch.orders)):
        meanwhile(reconciliation, order)
        released = bench.reconciliations.release(reconciliation, order)
        if released.status // 100 != 2:
            reconciliation.spoiled = True
            if bench.notes is not None:
                note_spoiled(bench.reconciliations, reconciliation, order, released)
                raise Spoiled(f"an exact release got {released.status}")
            # Alone in its reconciliation it may be refused too: then it is no matter of the workflow.
            to_blame = rule_to_blame(bench.reconciliations, reconciliation, order)
            raise Violation(
                rule=to_blame if to_blame in {"REL-01", "REC-09"} else rule.id,
                expected="every release to be accepted",
                actual=f"it answered {released.status}",
                exchange=released,
            )


def ended(bench: Bench, rule: Rule) -> Callable[[OpenReconciliation, Exchange, bool], None]:
    """It is finished, as far as the target tells: by its notification, or by room for the next one."""

    def as_it_should(reconciliation: OpenReconciliation, last: Exchange, is_free: bool) -> None:  # noqa: FBT001 - a callback's
        if not is_free:
            if blame_for_a_change(bench.reconciliations, reconciliation):
                raise Hindered("REC-09: a second one that was refused may have kept it from ending")
            check_no_refused_one_keeps_it(bench, reconciliation)
            bench.reconciliations.check_ends_are_known()
        received: Any = bench.reconciliations.notified(reconciliation)
        situation = received.content["payload"].get("situation") if received else None
        if not is_free or situation not in {None, "CONCILIED"}:
            raise Violation(
                rule=rule.id,
                expected="the reconciliation to end with situation CONCILIED once all releases are in",
                actual=f"it ended with {situation}" if situation else "it did not end",
                exchange=last,
            )
        bench.saw(Side.ACCEPTED, last)

    return as_it_should


def stays_active(orders: Orders, bench: Bench, rule: Rule) -> list[Whole]:
    """It stays active until the last release is in, and completes then."""
    least, most = orders
    reconciliations = bench.reconciliations

    def go(reconciliation: OpenReconciliation, _: Batch, meanwhile: Meanwhile) -> bool:
        for order in range(len(reconciliation.batch.orders)):
            meanwhile(reconciliation, order)
            if not reconciliations.released(reconciliation, order):
                return False
        return True

    is_active = partial(_check_active, bench, rule)

    def law(
        name: str,
        drawn: st.SearchStrategy[Batch],
        examples: int,
        shown_by: Callable[[Batch], bool],
        meanwhile: Meanwhile,
    ) -> Whole:
        return Whole(
            rule, f"{bench.scenario}{name}", drawn, go, examples, ended(bench, rule),
            meanwhile=meanwhile, is_shown_by=shown_by,
        )  # fmt: skip

    def of_orders(name: str, least: int, examples: int) -> Whole:
        drawn = batches(reconciliations.scope, at_least=least, at_most=most)
        return law(name, drawn, examples, partial(_has_orders, (least, most)), is_active)

    def with_orders_beside(reconciliation: OpenReconciliation, received: int) -> None:
        is_active(reconciliation, received)
        if received == 1:
            check_orders_go_on(bench, reconciliation)

    # One of the most in any case: when it ends in between is seen best there; and one of which a single entry comes last.
    wanted = _wanted(bench)
    to_its_last_entry = st.just(reconciliations.plain(reconciliations.scope.places[0], *TO_ITS_LAST_ENTRY))
    return [
        of_orders("", most, 1),
        law(" to its last entry", to_its_last_entry, 1, _ends_with_one_entry, with_orders_beside),
        *([of_orders(" of any number", least, wanted - 1)] if wanted > 1 else []),
    ]


def _ends_with_one_entry(batch: Batch) -> bool:
    return len(batch.releases) > 1 and len(batch.releases[-1]["releases"]) == 1


def _check_active(bench: Bench, rule: Rule, reconciliation: OpenReconciliation, received: int) -> None:
    """It is not completed yet: nothing notifies that it is, and a second one is refused."""
    reconciliations = bench.reconciliations
    orders = len(reconciliation.batch.orders)
    if bench.session.control is not None:
        bench.session.control.advance(3600)
    elif (
        received == orders - 1
    ):  # what ends too soon need not have ended yet: as long as the target takes is waited for
        bench.let_pass("a reconciliation not to be finished too soon", max(LEFT_ALONE_SECONDS, reconciliations.pause))
    context = f"the releases of {received} of its {orders} orders are in"
    if reconciliations.notified(reconciliation):
        reconciliation.spoiled = True
        raise Violation(
            rule=rule.id,
            expected="the reconciliation to wait for all of its releases",
            actual="it was completed",
            exchange=bench.story[-1],
            context=context,
        )
    if received == orders - 1 and not reconciliations.tells_ends(reconciliation.place):
        other = reconciliations.begin(reconciliations.plainest(reconciliation.place))
        second = bench.send(creation_of(other.batch), other.values[0])
        if second.status // 100 == 2:
            strayed = {*reconciliations.strayed}
            reconciliations.stray(reconciliation)
            check_second_ones_are_refused(bench, reconciliation.place, strayed)
        elif second.is_refused:
            reconciliation.refused_beside = other.batch
            reconciliations.keep_refused(other)
        check_refused(rule=rule, exchange=second, bench=bench, context=context)


WHOLE_LAWS: Final[Mapping[str, Callable[[Orders, Bench, Rule], Sequence[Whole]]]] = MappingProxyType(
    {
        "with its releases it ends reconciled": ends_reconciled,
        "it stays active until the last release is in, and completes then": stays_active,
    }
)
"""What can be tried in succession, by the Then step that says it."""
