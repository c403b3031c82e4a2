"""Variants in how a server keeps and prints instants, money and codes: lawful habits of real stacks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from simplejson import RawJSON

from conformance.contract.endpoints import Endpoint
from conformance.contract.instants import parse_instant
from conformance.contract.judge import Request
from conformance.contract.nearly_json import LENIENCIES
from conformance.contract.order_rules import DATE_FIELDS, Breach
from conformance.contract.rules import catalogue
from conformance.mock.defects.parsers import DATES, local_dates, read_as
from conformance.mock.defects.parts import per_date, per_extract, per_value, reading, refusals, with_fields
from conformance.mock.quirks import Answer, Variant
from conformance.mock.world import Body, MockWorld

BRASILIA: Final = timezone(timedelta(hours=-3))

_SAO_PAULO: Final = ZoneInfo("America/Sao_Paulo")

ALL_DATES: Final = (*DATE_FIELDS, "expectedDate", "periodInitDate", "periodEndDate", "releasedDate")

WRITERS: Final = (Endpoint.SUBMIT_ORDER, Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE)

DOCUMENTED_CODES: Final = frozenset(code for rule in catalogue().rules.values() for code in rule.codes)

Print = Callable[[datetime], str]


def in_another_way(printed: Print) -> Callable[[Any], Any]:
    """A date printed in another way; what is no date stays, and so does one within hours of the first or last there is."""

    def change(text: Any) -> Any:
        instant = parse_instant(text) if isinstance(text, str) else None
        try:
            return printed(instant) if instant else text
        except OverflowError:
            return text

    return change


def _shown(printed: Print) -> Callable[[Body], Body]:
    """Every date of an order and of its extracts printed in another way."""

    change = in_another_way(printed)
    of_order = per_date(change)
    of_extracts = per_extract(
        lambda one: {**one, "expectedDate": change(one["expectedDate"])} if one.get("expectedDate") else one
    )
    return lambda order: of_extracts(of_order(order))


def _in_brasilia(instant: datetime) -> str:
    return instant.astimezone(BRASILIA).isoformat()


def _in_sao_paulo(instant: datetime) -> str:
    """As java.time and Python print in a zone of the tz database: before 1914 its offset has seconds, -03:06:28."""
    return instant.astimezone(_SAO_PAULO).isoformat()


def seconds_left_out(instant: datetime) -> str:
    """As Java's OffsetDateTime prints: the seconds where there are any."""
    universal = instant.astimezone(UTC)
    exact = "minutes" if not (universal.second or universal.microsecond) else "auto"
    return universal.isoformat(timespec=exact).replace("+00:00", "Z")


def _dust(value: Any) -> Any:
    """As printed with seventeen digits: the binary float next to the amount."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    text = f"{float(value):.17g}"
    return RawJSON(text) if abs(Decimal(text) - value) < Decimal("0.001") else value


def _bare(answer: Answer) -> Answer:
    """The status alone for a code, where no document tells one with a number."""
    body = answer.body
    told = isinstance(body, dict) and body.get("errorCode") in DOCUMENTED_CODES
    return answer if told else with_fields(errorCode=str(answer.status))(answer)


_OTHER_SPELLINGS: Final = re.compile(rb':\d\d\.\d{4}|:\d\d(\.\d+)?[-+](00:00|\d{4})"|":\s*-?\d+\.(\d{3}[,}]|\d{16})')


def _other_spelling(request: Request, _body: Body, _: MockWorld) -> Breach | None:
    """Refuses what ORD-20 recommends to take."""
    if request.endpoint is not Endpoint.SUBMIT_ORDER:
        return None
    lengthless = request.header("transfer-encoding") is not None
    typed = (request.header("content-type") or "application/json") == "application/json"
    found = _OTHER_SPELLINGS.search(request.body) is not None or lengthless or not typed
    return Breach("ORD-14", "body", "the body is written in a way that is not taken") if found else None


SPELLINGS: Final = (
    Variant(
        name="whole-seconds",
        statement="Keeps instants to the second: what is less is cut.",
        reads=reading(in_another_way(lambda instant: instant.replace(microsecond=0).isoformat()), ALL_DATES, *WRITERS),
        disregards=frozenset({"QRY-06"}),
    ),
    Variant(
        name="rounded-seconds",
        statement="Keeps instants to the second: what is less is rounded.",
        reads=reading(
            in_another_way(lambda instant: (instant + timedelta(seconds=0.5)).replace(microsecond=0).isoformat()),
            ALL_DATES,
            *WRITERS,
        ),
        disregards=frozenset({"QRY-06"}),
    ),
    Variant(
        name="other-spellings-refused",
        statement="Takes three digits of a second, offsets with a colon, two decimals, and a body with its length.",
        objects=_other_spelling,
        disregards=frozenset({"ORD-20"}),
    ),
    Variant(
        name="local-dates-taken",
        statement="Takes dates without an offset, or without a time of day, by the clock of UTC.",
        reads=reading(local_dates(), DATES, *WRITERS),
        disregards=frozenset({"ORD-21"}),
    ),
    Variant(
        name="nearly-json-taken",
        statement="Reads JSON5, and of a body its first object.",
        reads=read_as(LENIENCIES),
        disregards=frozenset({"ORD-22"}),
    ),
    Variant(
        name="seconds-left-out",
        statement="Prints 2025-05-09T12:00Z: no seconds where there are none.",
        shows=_shown(seconds_left_out),
    ),
    Variant(
        name="short-offsets",
        statement="Prints offsets without minutes: -03.",
        shows=_shown(lambda instant: _in_brasilia(instant).removesuffix(":00")),
    ),
    Variant(
        name="instants-in-sao-paulo",
        statement="Shows instants in the zone of São Paulo, before 1914 with an offset of -03:06:28.",
        shows=_shown(_in_sao_paulo),
    ),
    Variant(
        name="offsets-without-colon",
        statement="Prints offsets without a colon: -0300.",
        shows=_shown(lambda instant: _in_brasilia(instant).replace("-03:00", "-0300")),
    ),
    Variant(
        name="comma-before-fractions",
        statement="Prints a comma before the fraction of a second.",
        shows=_shown(lambda instant: _in_brasilia(instant).replace(".", ",")),
    ),
    Variant(
        name="lower-case-dates",
        statement="Prints dates in lower case.",
        shows=_shown(lambda instant: instant.astimezone(UTC).isoformat().replace("+00:00", "Z").lower()),
    ),
    Variant(
        name="nine-digits-of-a-second",
        statement="Prints nanoseconds.",
        shows=_shown(lambda instant: f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"),
    ),
    Variant(
        name="binary-dust",
        statement="Prints money with seventeen digits: -24.440000000000001.",
        shows=per_value(_dust),
    ),
    Variant(
        name="bare-codes",
        statement="Gives the status alone for a code where no document tells one.",
        answers=refusals(_bare),
    ),
)
