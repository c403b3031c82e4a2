"""Orders that are sent, deleted, and sent again under the same code. Laws of DEL-06 and DEL-07."""

from __future__ import annotations

from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, Side
from conformance.engine.bench import Bench
from conformance.engine.bounds import shown
from conformance.engine.checks import check_accepted
from conformance.engine.unfinished import Hindered, NotSeenYet
from conformance.engine.values import Values
from conformance.engine.waiting import Waiting
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call
from strategies.orders import Order
from strategies.scope import Place
from strategies.updates import gone_on

_DELETED: Final = "an order of this code was deleted"


def nothing_comes_back(bench: Bench, rule: Rule, place: Place, orders: list[Order]) -> Waiting[None]:
    """Each order is sent when the one before was deleted, and shows as it was sent; when the last is deleted too, none shows. The
    second is updated before it is deleted."""
    values, (last, *later) = bench.fresh("amazon"), orders
    call = Call(Endpoint.SUBMIT_ORDER, body=last)
    if not bench.is_accepted(call, bench.send(call, values)):
        return
    yield from bench.settled("QRY-01", last, values, place)
    for order in later:
        if not (yield from _is_deleted(bench, rule, values, place, is_first=last is orders[0])):
            return
        exchange = bench.submit(order, values)
        if exchange.is_refused:  # DEL-07 says that it should not be
            yield from _check_nothing_is_there(bench, rule, place, values, last)
            bench.saw(Side.CHECKED, exchange)
            return
        if not exchange.is_accepted:
            raise _violation(rule, "the order to be taken, or refused with 4xx", exchange)
        altered = None
        try:
            yield from shown(bench, rule, order, values, order, _DELETED, before=(None, last))
        except Violation as violation:
            altered = violation
        if altered is not None:  # not within the except: a violation that is cleared away after counts as found
            yield from _check_updates_show(bench, place, last, order)
            raise altered
        last = order
        if order is later[0]:  # of one that was updated other things may be kept
            last = gone_on(order)
            if not bench.is_accepted(call, bench.submit(last, values)):
                return
            yield from bench.until_shown(last, values, place, before=(order,))
    if not (yield from _is_deleted(bench, rule, values, place, is_first=False)):
        return
    bench.saw(Side.CHECKED, (yield from _check_nothing_is_there(bench, rule, place, values, last)))


def _check_updates_show(bench: Bench, place: Place, order: Order, update: Order) -> Waiting[None]:
    """Raises Hindered where an order that was asked for does not show an update either: what keeps answers is no matter of
    deletions."""
    values = bench.fresh("amazon")
    if not bench.submit(order, values).is_accepted:
        return
    yield from bench.settled("QRY-01", order, values, place)
    if bench.submit(update, values).is_accepted:
        yield from bench.until_shown(update, values, place, before=(None, order))


def _check_nothing_is_there(bench: Bench, rule: Rule, place: Place, values: Values, last: Order) -> Waiting[Exchange]:
    """Ask for a code of which the `last` order was deleted. Raises a violation where there is one, NotSeenYet where its deletion
    may still be to be seen, Hindered where orders stay that were never sent before: that is DEL-01's business."""
    passed = yield
    after = bench.query(place, values["code"])
    if bench.problems(after, None, values):
        stays = not bench.problems(after, last, values)
        if stays and not passed:
            raise NotSeenYet
        if stays and not (yield from _goes(bench, place, last)):
            raise Hindered("DEL-01: an order stays when it is deleted")
        actual = "it was there still" if stays else "an earlier one was there again"
        raise _violation(rule, "no order of this code to be there", after, actual)
    return after


def _goes(bench: Bench, place: Place, order: Order) -> Waiting[bool]:
    """Whether an order that was never sent before goes when it is deleted; that one stays is DEL-01's business."""
    values = bench.fresh("amazon")
    if not bench.submit(order, values).is_accepted:
        return False
    yield from bench.settled("QRY-01", order, values, place)  # whoever keeps answers has kept this one then, too
    if not bench.delete_lawfully(place, values["code"]).is_accepted:
        return False
    yield
    return not bench.problems(bench.query(place, values["code"]), None, values)


def accepted_again(bench: Bench, rule: Rule, place: Place, orders: list[Order]) -> Waiting[None]:
    """An order is accepted when another of its code was deleted, at once or when the deletion is seen everywhere."""
    values, (first, second, *_) = bench.fresh("amazon"), orders
    call = Call(Endpoint.SUBMIT_ORDER, body=first)
    if not bench.is_accepted(call, bench.send(call, values)):
        return
    deleted = bench.delete_known(place, values["code"])
    if not bench.is_accepted(Call(Endpoint.DELETE_ORDER), deleted):
        return
    again = bench.submit(second, values)
    if again.is_refused:
        yield
        again = bench.submit(second, values)
    if not again.is_accepted:
        other = Call(Endpoint.SUBMIT_ORDER, body=second)
        if not bench.is_accepted(other, bench.send(other, bench.fresh("amazon"))):
            return
        check_accepted(rule=rule, exchange=again, context=_DELETED)
    bench.saw(Side.ACCEPTED, again)


def _is_deleted(bench: Bench, rule: Rule, values: Values, place: Place, *, is_first: bool) -> Waiting[bool]:
    """Whether the order of this code is deleted; one that was sent after a deletion can be deleted like the first."""
    delete = bench.delete_known if is_first else bench.delete_lawfully
    exchange, passed = delete(place, values["code"]), True
    if exchange.is_refused and not is_first:
        passed = yield
        exchange = bench.delete_lawfully(place, values["code"])
    if exchange.is_accepted:
        bench.shown.discard((place, values["code"]))
        return True
    if is_first:
        return bench.is_accepted(Call(Endpoint.DELETE_ORDER), exchange)
    if exchange.is_refused and not passed:
        raise NotSeenYet
    raise _violation(rule, "the order to be deleted like the one before it", exchange)


def _violation(rule: Rule, expected: str, exchange: Exchange, actual: str = "") -> Violation:
    return Violation(
        rule=rule.id,
        expected=expected,
        actual=actual or f"it answered {exchange.status}",
        exchange=exchange,
        context=_DELETED,
    )
