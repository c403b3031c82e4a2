"""The laws of orders that are reconciled: any reconciliation that has ended can show them, whatever it was opened for. By the
Then step that says them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, Side, catalogue
from conformance.engine.bench import Bench
from conformance.engine.checks import check_refused
from conformance.engine.left_as_it_was import check_unchanged, gone_with_another
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.release_laws import some
from conformance.engine.values import Values
from conformance.engine.waiting import Waiting
from conformance.engine.whole import itself
from conformance.errors import TargetUnavailable
from conformance.i18n.messages import mark
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call, release_of
from strategies.orders import Order, place_of
from strategies.periods import EARLIER, PERIOD, at
from strategies.reconciliations import Batch, batches

Beside = Sequence[tuple[Call, Values]]
"""Orders that are sent beside those of a reconciliation."""


@dataclass(frozen=True, slots=True)
class ReconciledLaw:
    """A law of a scenario that says what becomes of orders once they are reconciled."""

    rule: Rule
    name: str
    strategy: st.SearchStrategy[Batch]
    examples: int
    orders: int
    """How many a reconciliation must have to show it, at least."""
    beside: Callable[[OpenReconciliation], Beside | None]
    """Before it is open: sends what is to be there besides; None where that is refused."""
    reconciled: Callable[[OpenReconciliation, Beside], Waiting[None]]
    """Once it is known to have ended. Raises a violation."""
    batch_of: Callable[[Batch], Batch] = itself
    is_shown_by: Callable[[Batch], bool] | None = None
    """Whether orders of that batch show it; None where any do."""
    when_others_ended: bool = False
    """Whether it is looked at last: who knows only what was reconciled last has forgotten its orders then."""
    one_of: str = ""
    """The status of an order in what shows one of its examples; empty where any do."""

    def fits(self, batch: Batch) -> bool:
        """Whether a reconciliation of that batch shows it."""
        return len(batch.orders) >= self.orders and (self.is_shown_by is None or self.is_shown_by(batch))

    def is_the_one(self, batch: Batch) -> bool:
        """Whether that is what one of its examples is to be shown by."""
        return not self.one_of or any(order["status"] == self.one_of for order in batch.orders)


@dataclass(frozen=True, slots=True)
class LaterLaw:
    """A law of a scenario that says what of a reconciliation that has ended is refused in a later one."""

    rule: Rule
    name: str
    strategy: st.SearchStrategy[Batch]
    examples: int
    refused: Callable[[OpenReconciliation, OpenReconciliation], Exchange]
    """Given both, the later one open and none of its releases sent: what must be refused. Raises a violation. What is accepted
    after it is the later one's first release."""
    fits: Callable[[OpenReconciliation, OpenReconciliation], bool]
    """Given both: whether nothing else would be at fault."""
    batch_of: Callable[[Batch], Batch] = itself


ORDERS_DELETED: Final = 2
"""So many orders of a reconciliation are to be deleted: each costs a client error."""

ORDERS_OF_ITS_OWN: Final = 3
"""Orders of a reconciliation that is opened for their deletion: one is neither the first nor the last."""

A_PAGE: Final = 20
"""Orders: Spring Data's page has so many where nobody says otherwise."""

MORE_THAN_A_PAGE: Final = A_PAGE + 2
"""Orders: the answer to the release of one of them may be lost."""

_CANCELED: Final = "CANCELED"

_SENT_AGAIN: Final = "it is reconciled; it was sent twice before and once more since"

# -- DEL-04 --------------------------------------------------------------------------------------------------------


def stay_undeleted(bench: Bench, rule: Rule) -> list[ReconciledLaw]:
    """The deletion of a reconciled order is refused, and it stays as it was sent; of those beside it, it is not."""

    def beside(reconciliation: OpenReconciliation) -> Beside | None:
        found = _beside(bench, reconciliation.batch, reconciliation.values[0])
        return found if all(bench.is_accepted(call, bench.send(call, values)) for call, values in found) else None

    def reconciled(reconciliation: OpenReconciliation, beside: Beside) -> Waiting[None]:
        yield from _stay(bench, rule, reconciliation, beside)

    def of_many(reconciliation: OpenReconciliation, _: Beside) -> Waiting[None]:
        orders = len(reconciliation.batch.orders)
        last = max(set(range(orders)) - reconciliation.lost)
        if last < A_PAGE:
            raise TargetUnavailable("the answers to the last releases of many were lost")
        yield from _still_stays(bench, rule, reconciliation, last, f"it is reconciled, order {last + 1} of {orders}")

    def sent_before(reconciliation: OpenReconciliation) -> Beside | None:
        first, reconciliation.sent_twice = Call(Endpoint.SUBMIT_ORDER, body=reconciliation.batch.orders[0]), True
        return () if bench.is_accepted(first, bench.send(first, reconciliation.values[0])) else None

    def sent_again(reconciliation: OpenReconciliation, _: Beside) -> Waiting[None]:
        order, values = reconciliation.batch.orders[0], reconciliation.values[0]
        bench.submit(order, values)  # as who got no answer: it may be refused or taken
        yield from _still_stays(bench, rule, reconciliation, 0, _SENT_AGAIN)

    scope = bench.reconciliations.scope
    drawn = batches(scope, at_least=ORDERS_OF_ITS_OWN, at_most=ORDERS_OF_ITS_OWN, last=(_CANCELED,))
    again = st.just(bench.reconciliations.plainest(scope.places[-1]))
    many = st.just(bench.reconciliations.plain(scope.places[0], *(1,) * MORE_THAN_A_PAGE))
    name, examples = f"{bench.scenario} of more orders than a page shows", max(1, bench.session.profile.sequences // 6)
    return [
        ReconciledLaw(rule, name, many, 1, MORE_THAN_A_PAGE, lambda _: (), of_many, when_others_ended=True),
        ReconciledLaw(rule, bench.scenario, drawn, examples, ORDERS_DELETED, beside, reconciled, one_of=_CANCELED),
        # In a reconciliation of its own: who gets orders wrong that come twice may refuse its release.
        ReconciledLaw(
            rule, f"{bench.scenario} sent again", again, 1, 1, sent_before, sent_again, is_shown_by=lambda _: False
        ),
    ]  # fmt: skip


def _beside(bench: Bench, batch: Batch, values: Values) -> Beside:
    """Another order on the account of a batch, and where there is another account one of the same code there."""
    order = batch.orders[0]
    found = [(Call(Endpoint.SUBMIT_ORDER, body=order), bench.fresh(batch.shape))]
    for other in [place for place in bench.scope.places if place != batch.place][:1]:
        there = {"accountId": type(order["accountId"])(other.account), "channelName": other.channel}
        found.append((Call(Endpoint.SUBMIT_ORDER, body={**order, **there}), values))
    return found


def _stay(bench: Bench, rule: Rule, reconciliation: OpenReconciliation, beside: Beside) -> Waiting[None]:
    batch, context = reconciliation.batch, "it is reconciled"
    own = list(zip(batch.orders, reconciliation.values, strict=True))
    # One of which nobody knows surely that it is released may go.
    its_own = _most_unlike([one for order, one in enumerate(own) if order not in reconciliation.lost])
    for order, code in its_own:
        refused = yield from _refused_deletion(bench, rule, batch, order, code, context)
    # Once more, as who got no answer sends it: it may be refused or taken, but a server error is ERR-02's business.
    bench.submit(batch.orders[0], reconciliation.values[0])
    values = bench.fresh(batch.shape)
    lawful = Call(Endpoint.SUBMIT_ORDER, body=batch.orders[0])
    if not bench.is_accepted(lawful, bench.send(lawful, values)):
        return
    for call, code in (*beside, (lawful, values)):
        twin = bench.delete_lawfully(place_of(call.body), code["code"])
        if not bench.is_accepted(Call(Endpoint.DELETE_ORDER), twin):
            return
    yield
    for order, code in its_own:
        try:
            yield from bench.settled(rule.id, order, code, batch.place, context=context)
        except Violation:
            yield from _check_sent_twice(bench, batch.orders[0])
            yield from _check_deleted_beside(bench, batch)
            raise
    bench.saw(Side.ACCEPTED, twin)
    bench.saw(Side.REFUSED, refused)


def _refused_deletion(
    bench: Bench, rule: Rule, batch: Batch, order: Order, code: Values, context: str
) -> Waiting[Exchange]:
    """The refusal of an order's deletion. Raises a violation where it is none, or the order is not shown as it was sent."""
    altered = None
    try:
        yield from bench.settled("QRY-01", order, code, batch.place)
    except Violation as violation:  # it is there, however it is shown
        altered = violation
    refused = bench.delete(batch.place, code["code"])
    check_refused(rule=rule, exchange=refused, bench=bench, context=context)
    if altered is not None:
        raise altered
    return refused


def _still_stays(
    bench: Bench, rule: Rule, reconciliation: OpenReconciliation, which: int, context: str
) -> Waiting[None]:
    """The same of one of its orders alone: of the one that was released last, since who marks the orders of the first page does
    not mark it; of one that was sent again."""
    batch, order, code = reconciliation.batch, reconciliation.batch.orders[which], reconciliation.values[which]
    refused = yield from _refused_deletion(bench, rule, batch, order, code, context)
    yield
    yield from bench.settled(rule.id, order, code, batch.place, context=context)
    bench.saw(Side.REFUSED, refused)


def _check_sent_twice(bench: Bench, order: Order) -> Waiting[None]:
    """Raises a violation of ORD-17 where an order that was sent twice does not show as it was sent, reconciled or not."""
    values = bench.fresh("amazon")
    if all(bench.submit(order, values).is_accepted for _ in range(2)):
        yield from bench.settled("ORD-17", order, values, place_of(order))


def _check_deleted_beside(bench: Bench, batch: Batch) -> Waiting[None]:
    """Raises a violation where an order that is not reconciled goes, too, with one beside it that is deleted: of DEL-01 with
    another one of its account, of QRY-05 with one of its code on another account."""
    order, own = batch.orders[0], bench.fresh(batch.shape)
    if not bench.submit(order, own).is_accepted:
        return
    for rule, (call, values) in zip(("DEL-01", "QRY-05"), _beside(bench, batch, own), strict=False):
        if (
            bench.send(call, values).is_accepted
            and bench.delete_lawfully(place_of(call.body), values["code"]).is_accepted
        ):
            context = gone_with_another(place_of(call.body), values)
            yield from bench.settled(rule, order, own, batch.place, context=context)


def _most_unlike(orders: list[tuple[Order, Values]]) -> list[tuple[Order, Values]]:
    """Some of them: one that is canceled first, since it alone may be let go, and others between the first and the last, since
    those alone may be."""
    canceled = [one for one in orders if one[0]["status"] == _CANCELED][:1]
    between = [*orders[1:-1], orders[0], orders[-1]]
    others = [one for one in between if one not in canceled]
    return [*canceled, *sorted(others, key=lambda one: one[0]["status"] == _CANCELED)][:ORDERS_DELETED]


# -- REL-11 --------------------------------------------------------------------------------------------------------


_BEFORE: Final = timedelta(hours=1)
"""So long before it is released a release was created."""

_RELEASED_AGAIN: Final = "it is reconciled, and a release of it was refused in a later reconciliation"

_AGAIN: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        mark("the order's release was accepted in an earlier reconciliation"): {},
        mark(
            "the order's release was accepted before, the order was sent again since, "
            "and this is another installment of another status"
        ): {
            "installment": 2,
            "installmentQuantity": 2,
            "status": "PAID_WAITING_DELIVERY",
        },
    }
)
"""What is other in a second release of an order, by which a server may know releases: who tells them by one of these takes the
second. The first is 1 of 1 and CONCLUDED."""


def released_once(bench: Bench, rule: Rule) -> list[LaterLaw]:
    """The release of an order is refused in a later reconciliation, whatever is other in it."""

    def refused(earlier: OpenReconciliation, later: OpenReconciliation) -> Exchange:
        now = {name: later.values[0][name] for name in ("reconciliation", PERIOD)}
        later.after_refusal = True
        release, order = release_of(earlier.batch), earlier.batch.orders[0]
        middle = timedelta(seconds=later.batch.seconds // 2)
        within = {"releasedDate": at(middle), "createdDate": at(middle - _BEFORE)}
        for context, other in _AGAIN.items():
            if other:  # as who got no answer sends it: it may be refused or taken, and is released all the same
                bench.submit(order, earlier.values[0])
            before = bench.query(earlier.place, earlier.values[0]["code"])
            call = replace(release, body={**release.body, **within, **other})
            again = bench.send(call, earlier.values[0].having(**now))
            later.spoiled = again.status // 100 == 2
            check_refused(rule=rule, exchange=again, bench=bench, context=context)
            check_unchanged(bench, order, earlier.values[0], before)
        if earlier.place not in bench.reconciliations.endless:  # else its order is not reconciled
            deletion = bench.delete(earlier.place, earlier.values[0]["code"])
            check_refused(rule=catalogue()["DEL-04"], exchange=deletion, bench=bench, context=_RELEASED_AGAIN)
        return again

    drawn = batches(bench.reconciliations.scope)
    return [LaterLaw(rule, bench.scenario, drawn, max(1, some(bench) // 2), refused, _takes_its_release)]


def _takes_its_release(earlier: OpenReconciliation, later: OpenReconciliation) -> bool:
    """There is room for its entries."""
    return len(earlier.batch.orders[0]["extracts"]) <= int(later.batch.creation["releasesQtd"])


# -- REL-03 --------------------------------------------------------------------------------------------------------


def dated_within_its_own_period(bench: Bench, rule: Rule) -> list[LaterLaw]:
    """A release that is dated within the period of an earlier reconciliation of its account is refused in a later one."""

    def refused(earlier: OpenReconciliation, later: OpenReconciliation) -> Exchange:
        release, middle = release_of(later.batch), timedelta(seconds=earlier.batch.seconds) / 2
        dates = {"releasedDate": at(middle, period=EARLIER), "createdDate": at(middle - _BEFORE, period=EARLIER)}
        later.after_refusal = True
        values = later.values[0].having(**{EARLIER: earlier.values[0][PERIOD]})
        dated = bench.send(replace(release, body={**release.body, **dates}), values)
        later.spoiled = dated.status // 100 == 2
        context = "dated within the period of an earlier reconciliation"
        check_refused(rule=rule, exchange=dated, bench=bench, context=context)
        return dated

    drawn = batches(bench.reconciliations.scope)
    return [LaterLaw(rule, bench.scenario, drawn, 1, refused, lambda *_: True)]


RECONCILED_LAWS: Final[Mapping[str, Callable[[Bench, Rule], Sequence[Any]]]] = MappingProxyType(
    {
        "its deletion is refused with 4xx, and it stays as it was sent": stay_undeleted,
        "after it another of the same order in a later reconciliation is refused with 4xx": released_once,
        "in a later reconciliation one that is dated within the period of an earlier one is refused with 4xx": (
            dated_within_its_own_period
        ),
    }
)
"""What reconciliations of other scenarios can show once they have ended, by the Then step that says it."""
