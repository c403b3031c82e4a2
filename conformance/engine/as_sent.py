"""Whether an order is shown as it was sent when nothing else was done to it: what is not then, is no matter of what was done."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.engine.bench import Bench
from conformance.verdict.violation import Violation
from strategies.orders import Order, place_of


def check_shown_as_sent(bench: Bench, orders: Iterable[Order]) -> None:
    """Send each of the orders under a code of its own and ask for it, for who has seen it otherwise and would blame another rule.

    Raises a violation of QRY-01 where one is shown otherwise; nothing where it is not shown, which may be late.
    """
    before = list(bench.story)
    for order in orders:
        bench.story.clear()
        values = bench.fresh("amazon")
        if not bench.submit(order, values).is_accepted:
            continue
        bench.let_be_seen()
        asked = bench.query(place_of(order), values["code"])
        problems = bench.problems(asked, order, values)
        if asked.is_accepted and bench.problems(asked, None, values) and problems:
            violation = Violation(
                rule="QRY-01", expected="the order as it was sent", actual="; ".join(problems), exchange=asked
            )
            violation.shown_otherwise = bench.altered_in(asked, order, values)
            raise violation
    bench.story[:] = before
