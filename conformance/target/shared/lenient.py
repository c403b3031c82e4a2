"""What a lenient server may have taken a creation for that strict ones refuse: how many release entries it waits for, which
instants lie in its period, of which account it is, how its id is written. Pure; the likeliest reading comes first."""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

from conformance.contract.jsontext import JSONValue, NotJSON, loads
from conformance.contract.nearly_json import read_leniently


class Place(NamedTuple):
    """An account, as it is written, and its channel."""

    account: JSONValue
    channel: JSONValue


ENTRIES_AT_MOST: Final = 1000
"""A reconciliation that waits for more release entries than this is told and not completed."""

DATES_AT_MOST: Final = 6
"""How many instants are worth a try."""

_SECOND: Final = timedelta(seconds=1)
_WHERE_KONCILI_IS: Final = timezone(timedelta(hours=-3))
"""What a server there may take for the offset of a date that has none."""

_TIME: Final = r"(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?"
_YEAR_FIRST: Final = re.compile(rf"\s*(\d{{4}})-(\d{{1,2}})-(\d{{1,2}}){_TIME}\s*", re.ASCII | re.IGNORECASE)
_YEAR_LAST: Final = re.compile(rf"\s*(\d{{1,2}})/(\d{{1,2}})/(\d{{4}}){_TIME}\s*", re.ASCII | re.IGNORECASE)

_MILLISECONDS_FROM: Final = 10**11
"""A number from here on counts milliseconds since 1970, else seconds."""

_LONGEST_NUMBER: Final = 40


def counts(quantity: JSONValue) -> tuple[int, ...]:
    """For how many release entries in all it may wait, fewest first; none where that is more than is ever sent."""
    if isinstance(quantity, list) and len(quantity) == 1:
        return counts(quantity[0])
    number = _number(quantity)
    if number is None:
        return (1,)
    wanted = {math.floor(number), math.ceil(number)} if abs(number) <= ENTRIES_AT_MOST else set()
    positive = sorted(one for one in wanted if one > 0)
    return tuple(positive) if positive or number > 0 else (1,)


def _number(value: JSONValue) -> Decimal | None:
    """The number that a value stands for, if any."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        return None
    try:
        number = Decimal(value.strip().replace(",", ".") if isinstance(value, str) else value)
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    too_large = number != 0 and number.adjusted() > _LONGEST_NUMBER
    return Decimal(10**_LONGEST_NUMBER).copy_sign(number) if too_large else number


def released_dates(init: JSONValue, end: JSONValue) -> tuple[str, ...]:
    """Instants that may lie in the period that a server kept of these two."""
    begins, ends = instants(init), instants(end)
    found: list[datetime] = [begin + (finish - begin) / 2 for begin in begins for finish in ends if begin <= finish]
    if not begins or not ends:  # it may have taken what it could not read for no bound at all
        found += [begin + _SECOND for begin in begins] + [finish - _SECOND for finish in ends]
    if not found or not _is_plain(init, end):
        found += [*begins, *ends]
    return tuple(dict.fromkeys(one.isoformat().replace("+00:00", "Z") for one in found))[:DATES_AT_MOST]


def _is_plain(init: JSONValue, end: JSONValue) -> bool:
    """Whether both can be read in one way only, and make a period."""
    begins, ends = instants(init), instants(end)
    return len(begins) == len(ends) == 1 and begins[0] < ends[0]


def is_lawful(quantity: JSONValue, init: JSONValue, end: JSONValue) -> bool:
    """Whether count and period leave nothing to guess."""
    whole = isinstance(quantity, int) and not isinstance(quantity, bool)
    return whole and quantity > 0 and _is_plain(init, end)


def instants(value: JSONValue) -> tuple[datetime, ...]:
    """The instants that a value of a date may have been taken for."""
    text = str(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
    return tuple(dict.fromkeys((*_written(text), *_counted(text), *_of_http(text))))


def _written(text: str) -> Iterator[datetime]:
    if found := _YEAR_FIRST.fullmatch(text):
        dates = [(int(found[1]), int(found[2]), int(found[3]))]
    elif found := _YEAR_LAST.fullmatch(text):
        dates = [(int(found[3]), int(found[2]), int(found[1])), (int(found[3]), int(found[1]), int(found[2]))]
    else:
        return
    time = timedelta(hours=int(found[4] or 0), minutes=int(found[5] or 0), seconds=int(found[6] or 0))
    for year, month, day in dates:
        for zone in _zones(found[7]):
            for clamped in (False, True):
                try:
                    yield _day(year, month, day, clamped=clamped).replace(tzinfo=zone) + time
                except (ValueError, OverflowError):
                    continue


def _zones(offset: str | None) -> tuple[timezone, ...]:
    if offset is None:
        return UTC, _WHERE_KONCILI_IS
    if offset in "Zz":
        return (UTC,)
    minutes = int(offset[1:3]) * 60 + int(offset[-2:] if len(offset) > len("+hh") else 0)
    try:
        return (timezone((1 if offset[0] == "+" else -1) * timedelta(minutes=minutes)),)
    except ValueError:
        return (UTC,)


def _day(year: int, month: int, day: int, *, clamped: bool) -> datetime:
    """A day that may not exist: the one that it runs over into, or the last of its month."""
    first = datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)  # noqa: DTZ001 - the zone comes later
    if clamped:
        day = min(day, monthrange(first.year, first.month)[1])
    return first + timedelta(days=day - 1)


def _counted(text: str) -> Iterator[datetime]:
    number = _number(text)
    if number is not None:
        seconds = number / 1000 if abs(number) >= _MILLISECONDS_FROM else number
        try:
            yield datetime.fromtimestamp(float(seconds), UTC)
        except (ValueError, OverflowError, OSError):
            return


def _of_http(text: str) -> Iterator[datetime]:
    """A date as HTTP and mails write it."""
    try:
        read = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return
    yield read if read.tzinfo else read.replace(tzinfo=UTC)


def whole_id(identifier: JSONValue) -> int | None:
    """The whole number that an id is, however it is written; None where it is none."""
    if isinstance(identifier, int) and not isinstance(identifier, bool):
        return identifier
    number = _number(identifier)
    if number is None or abs(number.adjusted()) >= _LONGEST_NUMBER or number != number.to_integral_value():
        return None
    return int(number)


def spellings(identifier: JSONValue) -> tuple[JSONValue, ...]:
    """How a release may have to write an id: as it was told, else as the number that it is."""
    whole = whole_id(identifier)
    other = whole is not None and not isinstance(identifier, int)
    return (identifier, whole) if other else (identifier,)


def id_in(answer: JSONValue) -> JSONValue:
    """The id that the answer to a creation tells, in its own spelling, wherever it stands; None where there is none."""
    if not isinstance(answer, dict | list):
        return answer if _may_be_id(answer) else None
    named = ("id", "reconciliationid")
    for wanted in named:
        for name, value in _members(answer):
            if name.lower() == wanted and _may_be_id(value):
                return value
    return None


def _may_be_id(value: JSONValue) -> bool:
    return isinstance(value, int | Decimal | str) and not isinstance(value, bool) and value != ""


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """The members of all objects in a value, outermost first."""
    level = [value]
    while level:
        objects = [one for one in level if isinstance(one, dict)]
        yield from (pair for one in objects for pair in one.items())
        inner = [part for one in objects for part in one.values()]
        level = inner + [part for one in level if isinstance(one, list) for part in one]


def own_places(account: JSONValue, channel: JSONValue, own: Sequence[Place]) -> tuple[Place, ...]:
    """Those of a target's own places at which a creation may have opened something: the one that it names, or where account or
    channel can't be read, each that fits. The account is written as in the creation where that names it."""
    named = whole_id(account)
    fits = [
        Place(account if named is not None and isinstance(account, int | str) else place.account, place.channel)
        for place in own
        if (named is None or named == place.account)
        and (place.channel == channel or not isinstance(channel, str) or not channel)
    ]
    return tuple(fits)


_NO_JSON: Final = re.compile(
    rb'(?P<kept>"(?:[^"\\]|\\.)*"|(?<=[:\s\[,])-(?=[\d.]))|(?<=[:\s\[,-])(?:\+|0+(?=\d)|(?P<word>NaN|Infinity))'
)
"""What stands before or in place of a number where a parser takes more than RFC 8259 has; texts are kept."""


def read_anyhow(content: bytes) -> JSONValue:
    """What a parser may have read in a body: JSON, or what is nearly JSON; None where it is far from it."""
    try:
        return loads(content)
    except NotJSON:
        plain = _NO_JSON.sub(lambda found: found["kept"] or (b"0" if found["word"] else b""), content)
        return read_leniently(plain)


def fields_of_one(body: JSONValue) -> dict[str, JSONValue]:
    """The fields of a body that is an object, or of the only one in an array: some servers unwrap it."""
    body = the_only(body)
    return body if isinstance(body, dict) else {}


def the_only(value: JSONValue) -> JSONValue:
    """The value, or the only one in an array: what a server has that unwraps it."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
