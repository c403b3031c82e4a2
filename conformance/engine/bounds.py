"""Codes and accounts that are alike, and what no document bounds: the laws of QRY-05 and ERR-06."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, Side, catalogue
from conformance.engine.bench import Bench
from conformance.engine.checks import error_body_problem
from conformance.engine.left_alone import check_left_alone
from conformance.engine.unfinished import Hindered, NotSeenYet
from conformance.engine.values import Values
from conformance.engine.waiting import Waiting
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.alike import Alike, Pair, same_in_32_bits
from strategies.calls import Call
from strategies.identifiers import SHAPES
from strategies.orders import Order, place_of
from strategies.scope import Place
from strategies.unbounded import Grown

REFUSED_AT_MOST: Final = 2
"""So many codes of other characters are refused where client errors are counted, and no more of them are sent, and so many large
amounts: what runs over into the sign is refused for that, and the next into another amount. Of what else is only larger one
refusal tells that the rest is refused too."""


SPOILT_EASILY: Final = ("b2w", "via", "twenty-digits")
"""Shapes of plain codes that show what a server makes of them all: of their case, zeros before them, and many digits."""


class Bound:
    """What a target was seen to refuse of kinds that no document bounds: each refusal costs a client error."""

    def __init__(self, bench: Bench, at_most: int = 1) -> None:
        self._left = at_most if bench.session.profile.client_errors is not None else None

    @property
    def is_reached(self) -> bool:
        """Whether no more is to be sent."""
        return self._left == 0

    def met(self) -> None:
        """One was refused."""
        if self._left:
            self._left -= 1


# -- answers -------------------------------------------------------------------------------------------------------


def is_taken(bench: Bench, rule: Rule, exchange: Exchange, context: str) -> bool:
    """Whether what no document bounds was accepted. Raises a violation where it was neither accepted nor refused."""
    if exchange.is_accepted:
        return True
    if not exchange.is_refused:
        raise Violation(
            rule=rule.id,
            expected="it to be taken as it is, or refused with 4xx",
            actual=f"it answered {exchange.status}",
            exchange=exchange,
            context=context,
        )
    if problem := error_body_problem(exchange):
        bench.observe("ERR-01", "the documented error body", problem, exchange, context)
    return False


def shown(
    bench: Bench,
    rule: Rule,
    order: Order,
    values: Mapping[str, str],
    plain: Order,
    context: str,
    *,
    before: tuple[Order | None, ...] = (None,),
) -> Waiting[Exchange]:
    """Ask for an order until it shows as it was sent. Where even `plain` under a plain code of its own does not, whatever that is
    like, that is QRY-01's business and not this rule's."""
    place = place_of(order)
    try:
        return (yield from bench.settled(rule.id, order, values, place, before=before, context=context))
    except Violation as violation:
        yield from check_plain_codes(bench, plain, place)
        if violation.exchange is None or not bench.is_known_to_be_altered(violation.exchange, order, values):
            raise
        actual = violation.actual
    raise Hindered(f"QRY-01: {actual}")  # out here: what another exception is raised for is told as found, too


def check_plain_codes(bench: Bench, order: Order, place: Place) -> Waiting[None]:
    """Raises a violation of QRY-01 where an order does not show as it was sent under a code that any target must take."""
    for shape in ("amazon", *SPOILT_EASILY):
        fresh = bench.fresh(shape)
        if bench.submit(order, fresh).is_accepted:
            yield from bench.settled("QRY-01", order, fresh, place)


# -- QRY-05: codes that are alike ----------------------------------------------------------------------------------


def told_apart(bench: Bench, rule: Rule, kind: str, alike: Alike, bound: Bound, pair: Pair) -> Waiting[None]:
    """Two orders under codes that are alike are two: each is found as it was sent, and deleting one leaves the other.

    Codes that a target need not take it may refuse: then there is nothing to be told apart.
    """
    values, (first, second) = bench.fresh(pair.shape), pair.orders
    other = values.having(code=alike.change(values["code"]))
    context = f"another order has a code that is {kind}"
    for order, code in ((first, values), (second, other)):
        exchange = bench.submit(order, code)
        if alike.is_plain:
            by_itself = bench.fresh(pair.shape)
            if code is other:
                by_itself = by_itself.having(code=alike.change(by_itself["code"]))
            if not _is_accepted(bench, rule, order, exchange, by_itself, context):
                return
        elif not is_taken(bench, catalogue()["ERR-06"], exchange, context):
            bound.met()
            if code is other:
                _check_refused_by_itself(bench, rule, order, bench.fresh(pair.shape), alike, exchange, context)
            bench.shows_nothing_more()
            return
        if code is values:  # what was shown once is not still to come, should the second take its place
            yield from _shown_alone(bench, first, values, pair.shape)
    # The first one first: whoever stored the second in its place shows it now, and the second never under its own code.
    try:
        yield from shown(bench, rule, first, values, first, context)
        yield from shown(bench, rule, second, other, second, context)
    except Violation as violation:
        if violation.rule != rule.id:  # it would be so with any code
            raise
        yield from check_left_alone(bench, first, second)
        if not alike.is_plain:
            yield from _check_kept_by_itself(bench, second, bench.fresh(pair.shape), alike, f"a code that is {kind}")
        raise
    yield from _goes_alone(bench, rule, (first, values), (second, other), context)


def _shown_alone(bench: Bench, order: Order, values: Values, shape: str) -> Waiting[None]:
    """Raises a violation where an order does not show as it was sent before the other is: of QRY-01, or of ERR-06 under a code of
    a shape that no target must take."""
    context = "the second of two is not sent yet"
    if shape in SHAPES:
        yield from bench.settled("QRY-01", order, values, place_of(order), context=context)
    else:
        yield from shown(bench, catalogue()["ERR-06"], order, values, order, context)


def _goes_alone(
    bench: Bench, rule: Rule, first: tuple[Order, Values], second: tuple[Order, Values], context: str
) -> Waiting[None]:
    """The first order stays as it is when the second is deleted."""
    (order, values), (other, code) = first, second
    if not bench.is_accepted(Call(Endpoint.DELETE_ORDER), bench.delete_lawfully(place_of(other), code["code"])):
        return
    yield
    try:
        found = yield from shown(bench, rule, order, values, order, f"{context}, and was deleted")
    except Violation as violation:
        if violation.rule != rule.id:  # it would be so with any code
            raise
        yield from check_left_alone(bench, order, other, deleted=True)
        raise
    bench.saw(Side.ACCEPTED, found)


def _check_refused_by_itself(
    bench: Bench, rule: Rule, order: Order, plain: Values, alike: Alike, exchange: Exchange, context: str
) -> None:
    """Raises a violation where such a code is refused for the sake of one that is like it, and taken where that is not there."""
    if bench.submit(order, plain.having(code=alike.change(plain["code"]))).is_accepted:
        raise Violation(
            rule=rule.id,
            expected="the order to be taken, as it is where no other is like it",
            actual=f"it answered {exchange.status}",
            exchange=exchange,
            context=context,
        )


def _check_kept_by_itself(bench: Bench, order: Order, plain: Values, alike: Alike, context: str) -> Waiting[None]:
    """Raises a violation of ERR-06 where such a code is not kept as it was sent even where no other is like it."""
    values = plain.having(code=alike.change(plain["code"]))
    if bench.submit(order, values).is_accepted:
        yield from bench.settled("ERR-06", order, values, place_of(order), context=context)


def _is_accepted(bench: Bench, rule: Rule, order: Order, exchange: Exchange, by_itself: Values, context: str) -> bool:
    """Whether an order under a plain code was accepted. Raises a violation where it only is under a code of that form
    that is like no other."""
    if exchange.is_accepted:
        return True
    call = Call(Endpoint.SUBMIT_ORDER, body=order)
    if not bench.is_accepted(call, bench.send(call, by_itself)):
        return False
    raise Violation(
        rule=rule.id,
        expected="the order to be accepted, as it is under another code",
        actual=f"it answered {exchange.status}",
        exchange=exchange,
        context=context,
    )


# -- QRY-05: accounts that are alike -------------------------------------------------------------------------------


def told_apart_by_account(bench: Bench, rule: Rule, elsewhere: Place, pair: Pair) -> Waiting[None]:
    """Two orders of one code on two accounts are two: each is found as it was sent, and deleting one leaves the other."""
    first, other = pair.orders
    second = {**other, "accountId": type(other["accountId"])(elsewhere.account), "channelName": elsewhere.channel}
    values, context = bench.fresh(pair.shape), f"an order of the same code is on account {elsewhere.account}"
    for order in (first, second):
        if not _is_accepted(bench, rule, order, bench.submit(order, values), bench.fresh(pair.shape), context):
            return
        if order is first:  # what was shown once is not still to come, should the second take its place
            yield from _shown_alone(bench, first, values, pair.shape)
    try:
        yield from shown(bench, rule, first, values, first, context)
        yield from shown(
            bench, rule, second, values, second, f"an order of the same code is on account {pair.place.account}"
        )
    except Violation as violation:
        if violation.rule != rule.id:  # it would be so with any code
            raise
        yield from check_left_alone(bench, first, second)
        raise
    yield from _goes_alone(bench, rule, (first, values), (second, values), context)


def belongs_to_its_account(bench: Bench, rule: Rule, order: Order, update: Order) -> Waiting[None]:
    """Under an account id that 32 bits take for the order's own it is not found, not changed and not deleted."""
    values, place = bench.fresh("amazon"), place_of(order)
    call = Call(Endpoint.SUBMIT_ORDER, body=order)
    if not bench.is_accepted(call, bench.send(call, values)):
        return
    yield from bench.settled("QRY-01", order, values, place)
    elsewhere = Place(same_in_32_bits(place.account), place.channel)
    context = f"for account {elsewhere.account}, which is {place.account} in 32 bits"
    asked = bench.query(elsewhere, values["code"])
    if asked.is_accepted and bench.problems(asked, None, values):
        raise Violation(
            rule=rule.id,
            expected="the order not to be found",
            actual=f"it answered {asked.status} and showed it",
            exchange=asked,
            context=context,
        )
    changed = bench.submit({**update, "accountId": type(update["accountId"])(elsewhere.account)}, values)
    deleted = bench.delete(elsewhere, values["code"])
    is_done = True
    if changed.is_accepted or deleted.is_accepted:
        is_done = yield
    try:
        stays = yield from bench.settled(rule.id, order, values, place, context=f"changed and deleted {context}")
    except Violation as violation:
        if violation.rule != rule.id:  # it would be so with any code
            raise
        yield from check_left_alone(bench, order, update, deleted=True)
        raise
    if not is_done:  # what was accepted may still be to come
        raise NotSeenYet
    bench.saw(Side.ACCEPTED, stays)


# -- ERR-06 --------------------------------------------------------------------------------------------------------


def codes_taken_faithfully(
    bench: Bench, rule: Rule, kind: str, alike: Alike, bound: Bound, pair: Pair
) -> Waiting[None]:
    """Orders under codes that no document bounds are shown as they were sent, each under its own; or they are refused, and are
    not there. The second code is what `alike` makes of the first."""
    values = bench.fresh(alike.shapes[0])
    codes = (values, values.having(code=alike.change(values["code"])))
    context, taken = f"a code of {kind}", list[tuple[Order, Values]]()
    for order, code in zip(pair.orders, codes, strict=True):
        exchange = bench.submit(order, code)
        if not is_taken(bench, rule, exchange, context):
            bound.met()
            if taken:
                _check_refused_by_itself(bench, rule, order, bench.fresh(alike.shapes[0]), alike, exchange, context)
            yield
            _check_absent(bench, rule, order, code, f"{context}, which was refused")
            break
        taken.append((order, code))
    try:
        for order, code in taken:
            exchange = yield from shown(bench, rule, order, code, order, context)
    except Violation as violation:
        if violation.rule != rule.id:  # it would be so with any code
            raise
        yield from check_left_alone(bench, *pair.orders)
        raise
    bench.saw(Side.CHECKED, exchange)


def _check_as_lawful(bench: Bench, grown: Grown, exchange: Exchange, context: str) -> None:
    """Raises a violation of ORD-01 where the order was refused and its twin, which is no more lawful, is taken."""
    if grown.twin is not None and bench.submit(grown.twin, bench.fresh("amazon")).is_accepted:
        raise Violation(
            rule="ORD-01",
            expected=f"the order to be accepted, as it is {grown.twin_is}",
            actual=f"it answered {exchange.status}",
            exchange=exchange,
            context=context,
        )


def _check_absent(bench: Bench, rule: Rule, order: Order, values: Mapping[str, str], context: str) -> None:
    """An order that was refused is not there. How that is said is left open: its code may be no code for the target."""
    asked = bench.query(place_of(order), values["code"])
    if problems := bench.problems(asked, None, values):
        expected = "the order not to be there"
        raise Violation(rule=rule.id, expected=expected, actual="; ".join(problems), exchange=asked, context=context)


def order_taken_faithfully(bench: Bench, rule: Rule, kind: str, bound: Bound, grown: Grown) -> Waiting[None]:
    """An order beyond what documents bound is shown as it was sent; or it is refused, and nothing of it is there when the
    order is sent without that."""
    values, context = bench.fresh("amazon"), f"an order {kind}"
    exchange = bench.submit(grown.odd, values)
    if is_taken(bench, rule, exchange, context):
        yield from shown(bench, rule, grown.odd, values, grown.like, context)
    else:
        _check_as_lawful(bench, grown, exchange, context)
        bound.met()
        context = f"{context} was refused, and is sent without that"
        if not _is_accepted(
            bench, rule, grown.plain, bench.submit(grown.plain, values), bench.fresh("amazon"), context
        ):
            return
        yield from shown(bench, rule, grown.plain, values, grown.plain, context)
    bench.saw(Side.CHECKED, exchange)
