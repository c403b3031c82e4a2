"""The edits that make a date malformed: each its own instant in a form that no document has, in which a lenient parser takes it,
or for the first date of an order one before it.

Whoever takes it so finds it where it was, so that no other fault is in the call.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any, Final

from hypothesis.strategies import DrawFn

from strategies.calls import Call, Edit
from strategies.fault_parts import STATUSES_WITH, Draw, position
from strategies.near_parts import Print, in_body, printed_at, universal
from strategies.orders import STATUSES
from strategies.scope import Scope

_DAY: Final = timedelta(days=1)
_ONE_DIGIT, _NIGHT, _HOURS_OF_A_DAY = 3, 14, 24
"""The hour that is written with one digit; until this one it is reached by a clock further west, from then on further east."""
_SIXTY_MINUTES: Final = timedelta(hours=4)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _on(instant: datetime, date: str, hour: int = 0) -> str:
    """The instant's time of day, so many hours later, on a date that there need not be."""
    return f"{date}T{instant.hour + hour:02}:{instant:%M:%S}Z"


def _day(text: str) -> str:
    """As a day past the end of the month before: 2 March 2025 as 30 February."""
    instant = universal(text)
    before = instant.replace(day=1) - _DAY
    return _on(instant, f"{before:%Y-%m}-{instant.day + before.day}")


def _february(text: str) -> str:
    """As 30 February before it: some take that for the last day of the month, others for a day of March."""
    instant = universal(text)
    return _on(instant, f"{instant.year - 1:04}-02-30")


def _month(text: str) -> str:
    """As a month past the end of the year before."""
    instant = universal(text)
    return _on(instant, f"{instant.year - 1:04}-{instant.month + 12}-{instant:%d}")


def _hour(text: str) -> str:
    """As an hour past the end of the day before."""
    instant = universal(text)
    return _on(instant, f"{instant - _DAY:%Y-%m-%d}", hour=24)


def _offset(text: str) -> str:
    """By the clock of an offset of three hours and sixty minutes."""
    return (universal(text) + _SIXTY_MINUTES).strftime("%Y-%m-%dT%H:%M:%S+03:60")


def _epoch(text: str) -> str:
    """The digits of its seconds since 1970, as pydantic takes them even where it is strict."""
    milliseconds = (universal(text) - _EPOCH) // timedelta(milliseconds=1)
    return f"{(Decimal(milliseconds) / 1000).normalize():f}"


def _of_http(text: str) -> str:
    """As HTTP and mails write it, which general parsers of dates take (JavaScript's Date, PHP's strtotime, Ruby's Time.parse,
    .NET's DateTime.Parse)."""
    return format_datetime(universal(text).replace(microsecond=0), usegmt=True)


def _day_first(text: str) -> str:
    return universal(text).strftime("%d/%m/%Y %H:%M:%S")


def _one_digit(text: str) -> str:
    """By the clock of an offset at which the hour has one digit, and written with one: Go's time.Parse and JavaScript's Date
    take it, ISO 8601 does not."""
    instant = universal(text)
    hours = _ONE_DIGIT - instant.hour if instant.hour < _NIGHT else _ONE_DIGIT + _HOURS_OF_A_DAY - instant.hour
    local = instant + timedelta(hours=hours)
    return f"{local:%Y-%m-%d}T{local.hour}:{local:%M:%S}{hours:+03}:00"


MALFORMED: Final[dict[str, Print]] = {
    "the form of HTTP": _of_http,
    "an impossible day": _day,
    "an impossible month": _month,
    "an impossible hour": _hour,
    "day first": _day_first,
    "empty": lambda _: "",
    "text after it": lambda text: f"{text}x",
    "an impossible offset": _offset,
    "seconds since 1970 as text": _epoch,
}

_EARLIER: Final[dict[str, Print]] = {"an impossible 30 February": _february}
"""For a date that no other comes before."""

_NEARLY: Final[dict[str, Print]] = {"an hour of one digit": _one_digit}
"""Of one date only: who takes it takes it of all."""

_NEED_NOT_BE_THERE: Final = ("PAID_WAITING_DELIVERY",)
"""Orders whose deliveryDate is not demanded: whoever takes one that can't be read for none would refuse it as missing."""

_OF_ORDERS: Final = (
    ("createdDate", "the form of HTTP", STATUSES),
    ("estimatedDeliveryDate", "empty", ("INVOICED",)),  # where it is demanded, an empty one would be refused as missing
    ("cancelDate", "the form of HTTP", ("CANCELED",)),
    ("sendDate", "an impossible month", STATUSES),
    ("deliveryDate", "day first", _NEED_NOT_BE_THERE),
    ("cancelDate", "an impossible day", STATUSES_WITH["cancelDate"]),
    ("deliveryDate", "text after it", _NEED_NOT_BE_THERE),
    ("approvedDate", "an impossible day", STATUSES),
    ("estimatedDeliveryDate", "an impossible hour", STATUSES),
    ("createdDate", "an impossible offset", STATUSES),
    ("createdDate", "an impossible 30 February", STATUSES),
    ("approvedDate", "seconds since 1970 as text", STATUSES),
    ("createdDate", "an hour of one digit", STATUSES),
)


def of_orders(kind: Callable[..., Any]) -> tuple[Any, ...]:
    """Each way to be malformed in another of an order's dates, and a date that its status does not take: that is to be one all
    the same."""
    not_taken = kind(
        name="no date for cancelDate of another status", draw=_set("cancelDate", "yesterday"), statuses=("CONCLUDED",)
    )
    return (
        *(
            kind(
                name=f"{how} for {field}",
                draw=in_body((MALFORMED | _EARLIER | _NEARLY)[how], field),
                statuses=statuses,
                apart=True,  # whoever reads whole seconds finds them in order
                present=() if field in {"createdDate", "approvedDate"} else (field,),
            )
            for field, how, statuses in _OF_ORDERS
        ),
        not_taken,
    )


def _set(field: str, value: str) -> Draw:
    return lambda _draw, _call, _scope: Edit(("body", field), value)


def _of_extract(print_: Print, turn: int) -> Draw:
    def draw_edit(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        place = position(call.body["extracts"], None, turn)
        return Edit(*printed_at(("body", "extracts", place, "expectedDate"), call.body["createdDate"], print_))

    return draw_edit


OF_EXTRACTS: Final = {name: _of_extract(print_, turn) for turn, (name, print_) in enumerate(MALFORMED.items())}
"""The expectedDate of one extract, where the order was created."""


def of_batches(*names: str) -> dict[str, Draw]:
    """Make one of these dates of a creation or a release malformed, in each way."""
    return {
        f"{names[number % len(names)]}, {how}": in_body(print_, names[number % len(names)])
        for number, (how, print_) in enumerate(MALFORMED.items())
    }
