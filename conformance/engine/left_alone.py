"""Whether orders leave each other alone whose codes have nothing in common: where they do not, it is no matter of their codes."""

from __future__ import annotations

from conformance.engine.bench import Bench
from conformance.engine.unfinished import Hindered
from conformance.engine.waiting import Waiting
from conformance.verdict.violation import Violation
from strategies.orders import Order, place_of


def check_left_alone(bench: Bench, first: Order, second: Order, *, deleted: bool = False) -> Waiting[bool]:
    """Send both under codes that are not alike, asking for the first before that and after it, and delete the second where that
    is what came between; whether all of it was taken, so that it shows that they do.

    Raises Hindered where the first does not show as it was sent, before that or after.
    """
    one, two = bench.fresh("amazon"), bench.fresh("shopee")
    if not bench.submit(first, one).is_accepted:
        return False
    try:
        yield from bench.settled("QRY-01", first, one, place_of(first))
        if not bench.submit(second, two).is_accepted:
            return False
        yield from bench.settled("QRY-01", first, one, place_of(first))
        if not deleted:
            return True
        if not bench.delete_lawfully(place_of(second), two["code"]).is_accepted:
            return False
        yield
        yield from bench.settled("DEL-01", first, one, place_of(first))
    except Violation as violation:
        raise Hindered(f"{violation.rule}: orders do not leave each other alone, whatever their codes") from None
    return True
