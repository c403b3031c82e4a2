"""What was done to an order, each thing by itself under a new code. Where several things were done since it was last seen as it
should be, whatever makes the same difference alone is to blame for it, and the sequence of calls is not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from conformance.engine.bench import Bench
from conformance.engine.sending import SERVER_ERROR
from conformance.engine.values import Values
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call
from strategies.orders import Order, place_of
from strategies.scope import Place


@dataclass(slots=True)
class Done:
    """What was done to an order, and to others beside it."""

    versions: list[Order] = field(default_factory=list)
    """What it was first, and what it was updated to, in order."""
    refused: list[Call] = field(default_factory=list)
    """Its updates with a fault, that were refused."""


def check_done_alone(
    bench: Bench, done: Done, causes: Collection[str], *, is_deleted: bool, beside: Sequence[tuple[Order, bool]]
) -> None:
    """Raises a violation of one of the rules among these `causes` where an update, a refused one or a deletion has such a
    consequence alone; nothing where none has, or it may only be late. `beside` are others that were deleted, as they were last,
    each with whether it has the same code on another account."""
    *before, last = done.versions
    if "ORD-15" in causes:
        for earlier in [*([one] for one in reversed(before)), before]:
            with bench.aside():
                _check_update(bench, earlier, last)
    if "ORD-16" in causes and not is_deleted:
        for broken in done.refused:
            with bench.aside():
                _check_refused_update(bench, last, broken)
    if "DEL-01" in causes and is_deleted:
        with bench.aside():
            _check_deletion(bench, done.versions)
    elif "DEL-01" in causes:
        for other, same_code in beside:
            with bench.aside():
                _check_deletion_beside(bench, last, other, same_code=same_code)


def _check_update(bench: Bench, before: Sequence[Order], last: Order) -> None:
    """Whether it is shown as its last update says, or as one of those before it, since that may be late."""
    values = bench.fresh("amazon")
    if not _sent(bench, [*before, last], values):
        return
    asked = _asked(bench, last, values, place_of(last))
    problems = bench.problems(asked, last, values)
    may_be_late = any(bench.may_be_from_before(asked, one, values) for one in (*before, None))
    if problems and asked.is_accepted and not may_be_late:
        raise _broken("ORD-15", problems, asked)


def _check_deletion(bench: Bench, versions: Sequence[Order]) -> None:
    """Whether it is shown otherwise than before its deletion, which it may lawfully be for a time."""
    values, place = bench.fresh("amazon"), place_of(versions[-1])
    if not _sent(bench, versions, values) or not _is_shown(bench, versions[-1], values):
        return
    if not bench.delete_lawfully(place, values["code"]).is_accepted:
        return
    asked = _asked(bench, None, values, place)
    if (
        asked.is_accepted
        and bench.problems(asked, None, values)
        and not bench.may_be_from_before(asked, versions[-1], values)
    ):
        raise Violation(rule="DEL-01", expected="the order to be gone", actual="it was still there", exchange=asked)


def _check_refused_update(bench: Bench, order: Order, broken: Call) -> None:
    """Whether it stays as it was seen to be when an update of it is refused."""
    values = bench.fresh("amazon")
    if not _sent(bench, [order], values) or not _is_shown(bench, order, values):
        return
    if not bench.send(broken, values).is_refused:
        return
    asked = _asked(bench, order, values, place_of(order))
    if (problems := bench.problems(asked, order, values)) and asked.status < SERVER_ERROR:
        raise _broken("ORD-16", problems, asked)


def _check_deletion_beside(bench: Bench, order: Order, other: Order, *, same_code: bool) -> None:
    """Whether it stays as it was seen to be when another one is deleted."""
    values = bench.fresh("amazon")
    others = values if same_code else bench.fresh("amazon")
    if not (_sent(bench, [order], values) and _sent(bench, [other], others)):
        return
    shown = _is_shown(bench, order, values) and _is_shown(bench, other, others)
    if not shown or not bench.delete_lawfully(place_of(other), others["code"]).is_accepted:
        return
    asked = _asked(bench, order, values, place_of(order))
    if (problems := bench.problems(asked, order, values)) and asked.status < SERVER_ERROR:
        raise _broken("DEL-01", problems, asked)


def _broken(rule: str, problems: Sequence[str], asked: Exchange) -> Violation:
    expected = "the order as it was last accepted"
    return Violation(rule=rule, expected=expected, actual="; ".join(problems), exchange=asked)


def _sent(bench: Bench, versions: Sequence[Order], values: Values) -> bool:
    """Send these versions of an order one after the other, each when the one before can be seen; whether all were accepted."""
    for order in versions:
        bench.let_be_seen()
        bench.let_be_shown()
        if not bench.submit(order, values).is_accepted:
            return False
    return True


def _asked(bench: Bench, order: Order | None, values: Values, place: Place) -> Exchange:
    """The answer to a query, as late as the target shows what was sent."""
    bench.let_be_shown()
    asked = bench.query(place, values["code"])
    if bench.problems(asked, order, values):
        return bench.query_a_little_later(asked, order, values, place)
    return asked


def _is_shown(bench: Bench, order: Order, values: Values) -> bool:
    """Whether it is shown as it was sent."""
    return not bench.problems(_asked(bench, order, values, place_of(order)), order, values)
