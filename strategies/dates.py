"""Dates of an order: a start and gaps, so that they are in order by construction, printed in lawful ways."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from hypothesis.strategies import DrawFn

from strategies.calendar_days import starts
from strategies.packed import packed
from strategies.scope import DAYS, Days

START: Final = DAYS.start
"""When the first orders are created, where a target file says nothing."""

_MS: Final = timedelta(milliseconds=1)
_FRACTION: Final = timedelta(milliseconds=457)

GAPS: Final = (
    timedelta(),
    _MS,
    timedelta(seconds=1),
    timedelta(minutes=59, milliseconds=999),
    timedelta(hours=3),
    timedelta(days=1),
    timedelta(days=6, hours=23, minutes=7, seconds=11),
    timedelta(days=20, milliseconds=123),
)
"""Times between two events, those first that a comparison gets wrong. Equal instants are lawful (S2's example)."""

TERMS: Final = (*GAPS, timedelta(days=1500))
"""Times until something is expected: it may lie in the future."""

APART: Final = timedelta(hours=2)
"""By how much dates are further apart of which one is moved past the next: past that one alone."""

OFFSETS: Final = (None, -180, 60, 330, -210, None)
"""Minutes from UTC; None is written Z. That +00:00 is taken is only recommended. Who reads the sign of -03:30 as that of its
hours alone is an hour off."""


def printed(instant: datetime, offset_minutes: int | None = None, *, milliseconds: bool = False) -> str:
    """The instant as ISO 8601 in that offset; milliseconds are written where asked for or where there are any."""
    zone = UTC if offset_minutes is None else timezone(timedelta(minutes=offset_minutes))
    text = instant.astimezone(zone).isoformat(
        timespec="milliseconds" if milliseconds or instant.microsecond else "seconds"
    )
    return text.replace("+00:00", "Z") if offset_minutes is None else text


def moved(text: str, gap: timedelta, offset_minutes: int | None = None) -> str:
    """The instant that the text names, moved by the gap, as `printed` prints it."""
    return printed(datetime.fromisoformat(text) + gap, offset_minutes)


def fractional(order: Mapping[str, Any]) -> dict[str, Any]:
    """The same order with every date a fraction of a second later, which leaves them in order."""

    def later(holder: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        dates = {name: moved(text, _FRACTION) for name in names if isinstance(text := holder.get(name), str)}
        return {**holder, **dates}

    return {**later(order, FIELDS), "extracts": [later(extract, ("expectedDate",)) for extract in order["extracts"]]}


def without_optional(order: Mapping[str, Any]) -> dict[str, Any]:
    """The same order without the later dates that its status does not demand."""
    return {name: value for name, value in order.items() if name not in _LATER or name in MANDATORY[order["status"]]}


MANDATORY: Final = {
    "INVOICED": (),
    "PAID_WAITING_DELIVERY": ("sendDate", "estimatedDeliveryDate"),
    "CONCLUDED": ("sendDate", "estimatedDeliveryDate", "deliveryDate"),
    "CANCELED": ("cancelDate",),
}
"""The dates that a status demands."""

OPTIONAL: Final = {
    "INVOICED": ("sendDate", "estimatedDeliveryDate"),
    "PAID_WAITING_DELIVERY": ("deliveryDate",),
    "CONCLUDED": (),
    "CANCELED": ("sendDate", "estimatedDeliveryDate"),
}
"""The dates that an order of a status may have beyond those that it must."""

FIELDS: Final = ("createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate", "cancelDate")

_LEFT_OUT, _NULL, _GIVEN = range(3)

_PRINTS: Final = packed([len(OFFSETS) * 2] * len(FIELDS))

_LATER: Final = FIELDS[2:]

_TIMES: Final = packed([len(GAPS)] * 2 + [len(TERMS)] + [len(GAPS)] * 2 + [_GIVEN + 1] * len(_LATER))
"""The five gaps, and for each later date whether it is left out, null or given."""


def timeline(
    draw: DrawFn, status: str, present: tuple[str, ...] = (), *, apart: bool = False, days: Days = DAYS
) -> dict[str, str | None]:
    """Draw the dates of a lawful order of that status; those in `present` are there in any case, hours `apart` if asked for.

    A date that is not there is null or left out. Deliveries may be late: only what is documented is in order.
    """
    times = draw(_TIMES)
    more = APART if apart else timedelta()
    gap = [GAPS[choice % len(GAPS)] + more for choice in times[:5]]
    presences = (_GIVEN, _GIVEN, *times[5:])
    created = draw(starts(days))
    approved = created + gap[0]
    sent = approved + gap[1]
    instants = (created, approved, sent, sent + TERMS[times[2]] + more, sent + gap[3], created + gap[4])
    demanded = {"createdDate", "approvedDate", *MANDATORY[status], *present}
    dates: dict[str, str | None] = {}
    for name, instant, print_, presence in zip(FIELDS, instants, draw(_PRINTS), presences, strict=True):
        if name in demanded or (presence == _GIVEN and name in OPTIONAL[status]):
            dates[name] = printed(instant, OFFSETS[print_ // 2], milliseconds=print_ % 2 == 1)
        elif presence != _LEFT_OUT:
            dates[name] = None
    return dates
