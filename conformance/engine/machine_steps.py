"""The steps of the state machine: each sends a call, and tells the model what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, cast

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from conformance.contract.endpoints import Endpoint
from conformance.engine.checks import is_refused
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.reference_model import CODES, Model
from conformance.engine.refused_release import is_for_refused_updates, rule_to_blame
from conformance.engine.unfinished import Hindered
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call, creation_of, release_of
from strategies.faults import Kind, rule_broken_by
from strategies.orders import Order, place_of
from strategies.periods import PERIOD, at
from strategies.world import BrokenUpdate, batch_of

SECONDS: Final = 60
"""How long the machine's periods last."""


# -- steps on orders -----------------------------------------------------------------------------------------------


def submit(model: Model, order: Order, slot: int) -> None:
    """Submit an order, or update it. Raises Hindered where that is refused."""
    key, bench = (place_of(order), slot), model.bench
    known = model.orders.get(key)
    if known is not None and (known.dead or known.released or key not in model.unreleased(key[0])):
        return  # what becomes of an order that was deleted, or is on its way, no document says
    what = "update" if known else "submit"
    call = Call(Endpoint.SUBMIT_ORDER, body=order)
    with bench.keeping_faults() as faults:
        exchange = bench.send(call, model.codes[slot], f"{what} {model.order_words(key)}")
        after_broken = key in model.broken_updates
        if known and not after_broken and exchange.is_refused and bench.is_accepted_elsewhere(call):
            raise Violation(
                rule="ORD-15",
                expected="the update of an order to be accepted",
                actual=f"it answered {exchange.status}, and the same was accepted as a new order",
                exchange=exchange,
            )
        accepted = (
            bench.is_accepted_after_refusal(call, exchange, faults, known.body if known is not None else None)
            if after_broken
            else bench.is_accepted(call, exchange)
        )
    if not accepted:
        raise Hindered("a lawful order was refused")
    model.accept(key, order, "ORD-15" if known else "QRY-01")


def submit_broken(model: Model, update: BrokenUpdate, slot: int) -> None:
    """Update an order with a fault; raises Hindered where that is accepted."""
    bench = model.bench
    keys = [key for key, known in model.orders.items() if key[1] == slot and not known.dead and not known.released]
    if not keys:
        return
    key, body = keys[0], update.call.body
    place = {"accountId": type(body["accountId"])(key[0].account), "channelName": key[0].channel}
    broken = Call(Endpoint.SUBMIT_ORDER, body={**body, **place})
    refused = bench.send(broken, model.codes[slot], f"broken update of {model.order_words(key)} ({update.kind.name})")
    _must_be_refused(model, update.kind, refused)
    model.broken_updates.add(key)
    model.orders[key].done.refused.append(broken)
    model.touched(None, "ORD-16", "ORD-16")


def _must_be_refused(model: Model, kind: Kind, exchange: Exchange) -> None:
    """Raises Hindered where a call with a fault is not refused: that it must be is the rule of its fault."""
    if not is_refused(model.bench, kind, exchange, f"{kind.name}, in a sequence of calls"):
        raise Hindered(f"{rule_broken_by(kind)}: a call with a fault got {exchange.status}")
    model.refusals.append(exchange)


def delete(model: Model, pick: int, *, refused: bool) -> None:
    """Delete an order, which is refused once it is reconciled: such a one only where it may be `refused`. Raises a violation of
    DEL-04 where it is not, Hindered."""
    bench = model.bench
    keys = model.alive()
    key = keys[pick % len(keys)]
    known = model.orders[key]
    if key not in model.unreleased(key[0]) and not known.reconciled:
        return  # it is needed to complete the reconciliation that holds it, or nothing says that it is reconciled
    if known.reconciled and not refused:
        return
    delete = bench.delete if known.reconciled else bench.delete_lawfully
    exchange = delete(key[0], known.values["code"], f"delete {model.order_words(key)}")
    if known.reconciled:
        if exchange.status // 100 == 2:
            raise Violation(
                rule="DEL-04",
                expected="the deletion of a reconciled order to be refused",
                actual=f"it answered {exchange.status}",
                exchange=exchange,
            )
        model.refusals.append(exchange)
        model.touched(key, "DEL-04", "WFL-04")
        return
    if exchange.status // 100 != 2 and known.causes:
        model.check_done_alone(key)
        expected = f"{model.order_words(key)} to be there"
        actual = f"its deletion answered {exchange.status}"
        raise Violation(rule=model.to_blame(known), expected=expected, actual=actual, exchange=exchange)
    if not bench.is_accepted(Call(Endpoint.DELETE_ORDER), exchange):
        raise Hindered("DEL-01: a lawful deletion was refused")
    model.accept(key, None, "DEL-01")
    known.dead = True
    for other in model.orders.values():
        if other is not known and not other.gone:
            other.causes[-1] = "DEL-01"


# -- steps on reconciliations --------------------------------------------------------------------------------------


def _reconciliation(model: Model, pick: int, orders: int) -> OpenReconciliation:
    """A reconciliation of orders that are there, not open yet; of a period that was refused before, if there is one."""
    places = model.places()
    place = places[pick % len(places)]
    chosen = model.reconcilable(place)[:orders]
    period = model.free_periods.get(place) or model.bench.reconciliations.calendar.allot(SECONDS)
    known = [model.orders[key] for key in chosen]
    bodies = tuple(one.body for one in known if one.body is not None)
    dates = {"periodInitDate": at(timedelta()), "periodEndDate": at(timedelta(seconds=SECONDS))}
    batch = batch_of(model.scope, place, bodies, dates, SECONDS)
    codes = [one.values["code"] for one in known]
    values = [
        one.values.having(**{PERIOD: period, "neighbour": neighbour})
        for one, neighbour in zip(known, [*codes[1:], codes[0]], strict=True)
    ]
    return OpenReconciliation(batch, tuple(values))


def reconcile(model: Model, pick: int, orders: int) -> None:
    """Open a reconciliation. Raises Hindered where that is refused."""
    reconciliations = model.bench.reconciliations
    reconciliation = _reconciliation(model, pick, orders)
    was_refused = model.free_periods.pop(reconciliation.place, None)
    created = (
        reconciliations.create_after_refusal(reconciliation) if was_refused else reconciliations.create(reconciliation)
    )
    if created.status // 100 != 2:
        raise Hindered("REC-01: a proper reconciliation was refused")
    model.reconciliations[reconciliation.place] = reconciliation
    model.opened += 1
    model.touched(None, "WFL-04", "WFL-04")


def reconcile_broken(model: Model, pick: int, kind: Kind, data: st.DataObject) -> None:
    """Send a creation with a fault; its period must be free afterwards. Raises Hindered where it is accepted."""
    reconciliation = _reconciliation(model, pick, CODES)
    lawful = creation_of(reconciliation.batch)
    broken = kind.draw(cast(DrawFn, data.draw), lawful, model.scope).apply(lawful)
    model.bench.reconciliations.note_refused(reconciliation.place)
    note = f"broken creation on account {reconciliation.place.account} ({kind.name})"
    exchange = model.bench.send(broken, reconciliation.values[0], note)
    if exchange.status // 100 == 2:
        model.bench.reconciliations.stray(reconciliation)
    _must_be_refused(model, kind, exchange)
    if (active := model.reconciliations.get(reconciliation.place)) is not None:
        active.refused_beside = reconciliation.batch
    model.free_periods[reconciliation.place] = reconciliation.values[0][PERIOD]
    model.touched(None, "REC-09", "REC-09")


def _next(model: Model, pick: int) -> tuple[OpenReconciliation, int]:
    """An open reconciliation, and the first of its orders that is not released."""
    reconciliations = list(model.reconciliations.values())
    reconciliation = reconciliations[pick % len(reconciliations)]
    return reconciliation, next(n for n in range(len(reconciliation.batch.orders)) if n not in reconciliation.released)


def release(model: Model, pick: int) -> None:
    """Send the next lawful release. Raises a violation where it is refused, or where the reconciliation ends too early."""
    bench = model.bench
    reconciliation, order = _next(model, pick)
    code = reconciliation.values[order]["code"]
    key = next(
        key for key, one in model.orders.items() if key[0] == reconciliation.place and one.values["code"] == code
    )
    bench.let_be_seen((model.now() - model.orders[key].since).total_seconds())
    with bench.keeping_faults() as faults:
        exchange = bench.reconciliations.release(reconciliation, order)
        if reconciliation.place in model.broken_releases:  # REL-18 is blamed for them below
            faults.clear()
    if exchange.status // 100 != 2:
        reconciliation.spoiled = True
        if (
            bench.session.control is None
        ):  # the order itself may be gone, for what was done to it since it was last seen
            model.check(key)
            if exchange.is_refused and model.orders[key].causes:  # nor is it shown, which may lawfully be late
                model.check_done_alone(key)
                raise Hindered("an order was not released that is not shown")
        updates = model.orders[key].done.refused
        after = reconciliation.place in model.broken_releases, bool(updates)
        if after not in model.blamed:
            rule = rule_to_blame(bench.reconciliations, reconciliation, order)
            may_be = rule in ("REL-01", "WFL-02", "REL-18")
            if may_be and is_for_refused_updates(bench.reconciliations, reconciliation, order, updates):
                rule = "ORD-16"
            model.blamed[after] = rule
        raise Violation(
            rule=model.blamed[after],
            expected="the right release to be accepted",
            actual=f"it answered {exchange.status}",
            exchange=exchange,
        )
    model.touched(None, "WFL-04", "WFL-04")
    if bench.reconciliations.notified(reconciliation) and not reconciliation.is_complete:
        raise Violation(
            rule="WFL-03",
            expected="the reconciliation to wait for all of its releases",
            actual="it was completed",
            exchange=exchange,
        )
    model.orders[key].released = True
    if reconciliation.is_complete:
        del model.reconciliations[reconciliation.place]
        bench.reconciliations.finish(reconciliation)
        if bench.reconciliations.notified(reconciliation):
            codes = {values["code"] for values in reconciliation.values}
            for key, one in model.orders.items():
                one.reconciled = one.reconciled or (key[0] == reconciliation.place and one.values["code"] in codes)


def release_broken(model: Model, pick: int, kind: Kind, data: st.DataObject) -> None:
    """Send a release with a fault. Raises Hindered where it is accepted."""
    reconciliation, order = _next(model, pick)
    lawful = release_of(reconciliation.batch, order)
    broken = kind.draw(cast(DrawFn, data.draw), lawful, model.scope).apply(lawful)
    reconciliation.after_refusal = True
    exchange = model.bench.send(broken, reconciliation.values[order], f"broken release ({kind.name})")
    if exchange.status // 100 == 2:
        reconciliation.spoiled = True
    _must_be_refused(model, kind, exchange)
    model.broken_releases.add(reconciliation.place)
    model.touched(None, "REL-18", "REL-18")
