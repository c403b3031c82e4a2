"""Instants are kept as the time of a clock: one that skips hours and has others twice, or that knows only so many years."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from conformance.contract.instants import parse_instant
from conformance.contract.order_rules import DATE_FIELDS
from conformance.mock.defects.parts import SUBMIT, rules, too_strict
from conformance.mock.quirks import Defect
from conformance.mock.world import Body

_HOUR: Final = timedelta(hours=1)

SKIPPED: Final[dict[str, datetime]] = {
    "São Paulo": datetime(2018, 11, 4, tzinfo=UTC),
    "New York": datetime(2025, 3, 9, 2, tzinfo=UTC),
    "Berlin": datetime(2025, 3, 30, 2, tzinfo=UTC),
    "Santiago": datetime(2025, 9, 7, tzinfo=UTC),
}
"""Of an hour that a clock skipped, when it would have begun by that clock (said as if it were universal time)."""

TWICE: Final[dict[str, datetime]] = {
    "São Paulo": datetime(2018, 2, 18, 2, tzinfo=UTC),
    "New York": datetime(2025, 11, 2, 6, tzinfo=UTC),
    "Berlin": datetime(2025, 10, 26, 1, tzinfo=UTC),
}
"""When an hour that a clock had before began for the second time."""

Change = Callable[[str], str | None]


def _dated(order: Body, change: Change) -> Body:
    """The order with each of its dates changed, those of its extracts too."""

    def changed(holder: Any, names: tuple[str, ...]) -> Any:
        return {
            name: change(part) if name in names and isinstance(part, str) else part for name, part in holder.items()
        }

    extracts: Any = order.get("extracts") or []
    return {**changed(order, DATE_FIELDS), "extracts": [changed(one, ("expectedDate",)) for one in extracts]}


def _is_dated(order: Body, holds: Callable[[str], bool]) -> bool:
    extracts: Any = order.get("extracts") or []
    texts = [*(order.get(name) for name in DATE_FIELDS), *(one.get("expectedDate") for one in extracts)]
    return any(holds(text) for text in texts if isinstance(text, str))


def _kept(name: str, statement: str, change: Change) -> Defect:
    return Defect(
        name=f"err-06-{name}",
        statement=statement,
        rules=rules("ERR-06"),
        stores=lambda order, *_: _dated(order, change),
    )


def _crash(name: str, statement: str, holds: Callable[[str], bool], *also: str) -> Defect:
    """A 500 to such a date. `also` is blamed where orders of any year have one now and then, as ORD-01 sends them."""
    return Defect(
        name=f"err-06-{name}",
        statement=statement,
        rules=rules("ERR-06", "ERR-02", *also),
        crashes=lambda request, _: request.endpoint is SUBMIT and _is_dated(request.fields, holds),
    )


def _is_skipped(zone: str, *, as_sent: bool) -> Callable[[str], bool]:
    """Whether the clock of the sender, or that of Greenwich, showed a time that the clock of the zone skipped."""

    def holds(text: str) -> bool:
        instant = parse_instant(text)
        if instant is None:
            return False
        wall = (instant if as_sent else instant.astimezone(UTC)).replace(tzinfo=UTC)
        return timedelta() <= wall - SKIPPED[zone] < _HOUR

    return holds


def _later(holds: Callable[[str], bool]) -> Change:
    """As Java and Python do with a time that there was not: an hour later."""

    def change(text: str) -> str:
        instant = parse_instant(text)
        return (instant + _HOUR).isoformat() if instant and holds(text) else text

    return change


def _as_the_other(zone: str, *, second_lost: bool) -> Change:
    """Of an hour that was twice the one time is kept as the other."""

    def change(text: str) -> str:
        instant = parse_instant(text)
        since = instant - TWICE[zone] if instant else None
        if instant and since is not None and second_lost and timedelta() <= since < _HOUR:
            return (instant - _HOUR).isoformat()
        if instant and since is not None and not second_lost and -_HOUR <= since < timedelta():
            return (instant + _HOUR).isoformat()
        return text

    return change


def _after(year: int, month: int, day: int) -> Callable[[str], bool]:
    return lambda text: (
        (instant := parse_instant(text)) is not None and instant >= datetime(year, month, day, tzinfo=UTC)
    )


def _before(year: int) -> Callable[[str], bool]:
    return lambda text: (instant := parse_instant(text)) is not None and instant < datetime(year, 1, 1, tzinfo=UTC)


def _where(holds: Callable[[str], bool], instead: Callable[[datetime], str | None]) -> Change:
    def change(text: str) -> str | None:
        instant = parse_instant(text)
        return instead(instant) if instant and holds(text) else text

    return change


def _in_seconds(bits: int) -> Callable[[datetime], str | None]:
    """Seconds since 1970 that go round."""
    return lambda instant: datetime.fromtimestamp(int(instant.timestamp()) % 2**bits, UTC).isoformat()


def _refused_where(holds: Callable[[str], bool]) -> Callable[[Body], str | None]:
    return lambda order: "extracts" if _is_dated(order, holds) else None


ZONES: Final = (
    *(_kept(f"{zone.lower().replace(' ', '-').replace('ã', 'a')}-skips", f"Keeps what is sent as the time of {zone}.",
            _later(_is_skipped(zone, as_sent=True))) for zone in SKIPPED),
    *(_kept(f"{zone.lower().replace(' ', '-').replace('ã', 'a')}-has-twice", f"Keeps instants as the time of {zone}.",
            _as_the_other(zone, second_lost=True)) for zone in TWICE),
    _kept("sao-paulo-has-twice-the-second", "Takes the second of two times in São Paulo.",
          _as_the_other("São Paulo", second_lost=False)),
    _kept("universal-time-as-sao-paulo", "Keeps universal time as the time of São Paulo.",
          _later(_is_skipped("São Paulo", as_sent=False))),
    _crash("sao-paulo-strict", "Answers 500 to a time that São Paulo skipped.",
           _is_skipped("São Paulo", as_sent=True), "ORD-01"),
    _crash("new-york-strict", "Answers 500 to a time that New York skipped.",
           _is_skipped("New York", as_sent=False), "ORD-01"),
    too_strict("ord-01-sao-paulo-strict", "Refuses a time that São Paulo skipped.",
               _refused_where(_is_skipped("São Paulo", as_sent=True)), "ORD-01"),
    too_strict("ord-01-new-york-strict", "Refuses a time that New York skipped.",
               _refused_where(_is_skipped("New York", as_sent=False)), "ORD-01"),
    _crash("timestamp-2038", "Answers 500 to a date from 2038 on.", _after(2038, 1, 19)),
    _kept("timestamp-null", "Keeps no date from 2038 on.", _where(_after(2038, 1, 19), lambda _: None)),
    _kept("31-bit-seconds", "Keeps seconds in 31 bits.", _where(_after(2038, 1, 19), _in_seconds(31))),
    _kept("32-bit-seconds", "Keeps seconds in 32 bits.", _where(_after(2106, 2, 7), _in_seconds(32))),
    _kept("infinity", "Takes the year 9999 for no date.", _where(_after(9999, 1, 1), lambda _: None)),
    _crash("year-9999", "Answers 500 to a date in the year 9999.", _after(9999, 1, 1)),
    _crash("before-1970", "Answers 500 to a date before 1970.", _before(1970)),
    _kept("epoch", "Keeps dates before 1970 as its beginning.", _where(_before(1970), lambda _: "1970-01-01T00:00:00Z")),
    _kept("two-digits-of-a-year", "Keeps two digits of a year.",
          _where(_before(1970), lambda instant: instant.replace(year=instant.year + 100).isoformat())),
)  # fmt: skip
