"""Instants are compared as text, or without their zone, their seconds or their time of day; periods by a second off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from conformance.contract.instants import parse_instant
from conformance.contract.judge import Request
from conformance.contract.order_rules import CHRONOLOGY, DATE_FIELDS, Breach
from conformance.contract.reconciliation_rules import ReconciliationFacts
from conformance.mock.defects.parts import CREATE, RELEASE, SUBMIT, WORKFLOW, Seen, reading, reconciliation_of, rules
from conformance.mock.quirks import Defect
from conformance.mock.world import Body, MockWorld

_PERIOD: Final = ("periodInitDate", "periodEndDate")
_LAWFUL_ORDERS: Final = ("ORD-01", "ORD-06", "ORD-15", "ORD-16", "ORD-17", "QRY-01", "QRY-03")
_LAWFUL_PERIODS: Final = ("REC-01", "REC-02", "REC-06", "REC-09", "REC-10", "REC-11", "REC-12", *WORKFLOW)


def _instant(change: Callable[[datetime], datetime]) -> Callable[[Any], Any]:
    def changed(text: Any) -> Any:
        instant = parse_instant(text)
        return change(instant).isoformat() if instant else text

    return changed


_as_local: Final = _instant(lambda instant: instant.replace(tzinfo=UTC))
_to_the_minute: Final = _instant(lambda instant: instant.replace(second=0, microsecond=0))
_to_the_day: Final = _instant(
    lambda instant: instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
)


def _in_any_year(breach: Breach, request: Request, world: MockWorld) -> bool:
    """Whether releasedDate would lie in the period in its year."""
    reconciliation = reconciliation_of(request, world)
    if breach.rule != "REL-03" or reconciliation is None:
        return False
    released = parse_instant(str(request.fields["releasedDate"]))
    if released is None:
        return False
    init, end = (edge.astimezone(UTC) for edge in (reconciliation.init, reconciliation.end))
    return init <= released.astimezone(UTC).replace(year=init.year) <= end


# -- as text -------------------------------------------------------------------------------------------------------


def _reversed_as_text(order: Body) -> str | None:
    """The first date whose text is greater than that of a later event's."""
    for earlier, later in CHRONOLOGY:
        texts = order.get(earlier), order.get(later)
        if all(isinstance(text, str) for text in texts) and str(texts[0]) > str(texts[1]):
            return earlier
    return None


def _order_as_text(breach: Breach, request: Request, _: MockWorld) -> bool:
    return breach.rule == "ORD-07" and _reversed_as_text(request.fields) is None


def _object_as_text(request: Request, body: Body, _: MockWorld) -> Breach | None:
    earlier = _reversed_as_text(body) if request.endpoint is SUBMIT else None
    return Breach("ORD-07", earlier, f"{earlier} is too late") if earlier else None


def _period_as_text(breach: Breach, request: Request, _: MockWorld) -> bool:
    texts = [str(request.fields.get(name)) for name in _PERIOD]
    return breach.rule == "REC-03" and texts[0] < texts[1]


def _not_equal_as_text(breach: Breach, request: Request, _: MockWorld) -> bool:
    init, end = (request.fields.get(name) for name in _PERIOD)
    return breach.rule == "REC-03" and "earlier" in breach.message and init != end and _same(init, end)


def _same(one: Any, other: Any) -> bool:
    return parse_instant(str(one)) == parse_instant(str(other))


# -- periods a little off ------------------------------------------------------------------------------------------


def _widened(by: timedelta) -> Callable[[ReconciliationFacts], ReconciliationFacts]:
    return lambda known: replace(known, init=known.init - by, end=known.end + by)


def _periods_widened(by: timedelta) -> Callable[[MockWorld], Seen]:
    """Earlier periods that reach further (or, by a negative time, less far) than they do."""
    widen = _widened(by)
    return lambda world: Seen(world, reconciliations=lambda *at: [widen(known) for known in world.reconciliations(*at)])


def _release_period(init: timedelta, end: timedelta) -> Callable[[MockWorld], Seen]:
    """A reconciliation's period, for its releases, with its ends moved."""

    def reconciliation(world: MockWorld, number: int) -> ReconciliationFacts | None:
        known = world.reconciliation(number)
        return known and replace(known, init=known.init + init, end=known.end + end)

    return lambda world: Seen(world, reconciliation=lambda number: reconciliation(world, number))


def _dated(name: str, statement: str, by: tuple[timedelta, timedelta], *blamed: str) -> Defect:
    return Defect(name=name, statement=statement, rules=rules(*blamed), sees=_release_period(*by))


_SECOND, _MS, _AGES = timedelta(seconds=1), timedelta(milliseconds=1), timedelta(days=40_000)
_NO: Final = timedelta()

DATES: Final = (
    # orders
    Defect(
        name="ord-07-as-text",
        statement="Compares dates as text.",
        rules=rules("ORD-07", *_LAWFUL_ORDERS),
        forgives=_order_as_text,
        objects=_object_as_text,
    ),
    Defect(
        name="ord-07-late-as-text-taken",
        statement="Takes dates out of order whose texts are in order.",
        rules=rules("ORD-07"),
        forgives=_order_as_text,
    ),
    Defect(
        name="ord-07-clocks",
        statement="Compares the clocks of dates, whatever their zones.",
        rules=rules("ORD-07", *_LAWFUL_ORDERS),
        judges=reading(_as_local, DATE_FIELDS, SUBMIT),
    ),
    Defect(
        name="ord-07-to-the-minute",
        statement="Compares dates without their seconds.",
        rules=rules("ORD-07"),
        judges=reading(_to_the_minute, DATE_FIELDS, SUBMIT),
    ),
    Defect(
        name="ord-07-to-the-day",
        statement="Compares dates without their time of day.",
        rules=rules("ORD-07"),
        judges=reading(_to_the_day, DATE_FIELDS, SUBMIT),
    ),
    # periods
    Defect(
        name="rec-03-as-text",
        statement="Takes a period that ends before it begins, if its texts are in order.",
        rules=rules("REC-03"),
        forgives=_period_as_text,
    ),
    Defect(
        name="rec-03-equal-taken",
        statement="Takes a period that ends at the instant at which it begins.",
        rules=rules("REC-03"),
        forgives=lambda breach, request, _: (
            breach.rule == "REC-03" and _same(*(request.fields.get(name) for name in _PERIOD))
        ),
    ),
    Defect(
        name="rec-03-equal-in-another-zone",
        statement="Sees that a period is empty only if its ends are written the same.",
        rules=rules("REC-03"),
        forgives=_not_equal_as_text,
    ),
    Defect(
        name="rec-03-clocks",
        statement="Compares the clocks of a period's ends, whatever their zones.",
        rules=rules("REC-03", "REC-04", "REC-05", *_LAWFUL_PERIODS, "REL-01", "REL-03", "REL-18"),
        judges=reading(_as_local, _PERIOD, CREATE),
    ),
    Defect(
        name="rec-03-to-the-day",
        statement="Compares a period's ends without their time of day.",
        rules=rules("REC-03", "REC-04", "REC-05", *_LAWFUL_PERIODS),
        judges=reading(_to_the_day, _PERIOD, CREATE),
    ),
    Defect(
        name="rec-05-a-second-of-grace",
        statement="Takes a period that overlaps an earlier one by a second.",
        rules=rules("REC-04", "REC-05"),
        sees=_periods_widened(-_SECOND),
    ),
    Defect(
        name="rec-05-to-the-minute",
        statement="Compares periods without their seconds.",
        rules=rules("REC-03", "REC-04", "REC-05", *_LAWFUL_PERIODS),
        judges=reading(_to_the_minute, _PERIOD, CREATE),
    ),
    Defect(
        name="rec-11-touching-refused",
        statement="Refuses a period that touches an earlier one.",
        rules=rules("REC-11"),
        sees=_periods_widened(_MS),
    ),
    # releases
    _dated("rel-03-a-second-of-grace", "Takes a release dated a second outside the period.", (-_SECOND, _SECOND), "REL-03"),
    _dated("rel-03-no-beginning", "Takes a release dated before the period.", (-_AGES, _NO), "REL-03"),
    _dated("rel-03-no-end", "Takes a release dated after the period.", (_NO, _AGES), "REL-03"),
    _dated("rel-03-a-day-of-grace", "Takes a release dated up to a day after the period.",
           (_NO, timedelta(days=1)), "REL-03"),
    _dated("rel-03-a-second-short", "Refuses a release dated in the period's first or last second.",
           (_SECOND, -_SECOND), "REL-01", "REL-15", "REL-19", "REL-20", *WORKFLOW),
    Defect(
        name="rel-03-in-any-year",
        statement="Compares the day and the time of releasedDate with the period, and not its year.",
        rules=rules("REL-03"),
        forgives=_in_any_year,
    ),
    Defect(
        name="rel-03-clocks",
        statement="Takes the clock of releasedDate for UTC.",
        rules=rules("REL-01", "REL-03", "REL-15", "REL-18", "REL-19", "REL-20", *WORKFLOW),
        judges=reading(_as_local, ("releasedDate",), RELEASE),
    ),
)  # fmt: skip
