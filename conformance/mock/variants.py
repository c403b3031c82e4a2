"""Mocks that do what the documents allow, in another way: the suite must pass every one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta, timezone, tzinfo
from decimal import Decimal
from http import HTTPStatus
from itertools import count
from types import MappingProxyType
from typing import Any, Final

from simplejson import RawJSON

from conformance.contract.endpoints import Endpoint
from conformance.contract.instants import parse_instant
from conformance.contract.jsontext import dumps
from conformance.contract.judge import Request
from conformance.contract.order_rules import DATE_FIELDS
from conformance.i18n.messages import mark
from conformance.mock.bounded import BOUNDED
from conformance.mock.crowds import CROWDS
from conformance.mock.defects.parts import in_another_sequence, on, per_value, refusals, with_fields
from conformance.mock.habits import HABITS, next_half_hour
from conformance.mock.quirks import Answer, Variant, Wire, named, table
from conformance.mock.spellings import DOCUMENTED_CODES, SPELLINGS
from conformance.mock.stacks import STACKS
from conformance.mock.world import Body


def _dates(zone: tzinfo, timespec: str) -> Callable[[Body], Body]:
    """The same instants, printed in that zone."""

    def printed(value: Any) -> Any:
        instant = parse_instant(value) if isinstance(value, str) else None
        try:
            return instant.astimezone(zone).isoformat(timespec=timespec) if instant else value
        except OverflowError:  # within hours of the first or the last instant there is
            return value

    def spelt(instant: Any, text: Any) -> Any:
        """No coarser than the instant is."""
        exact = isinstance(text, str) and parse_instant(text) == parse_instant(str(instant))
        return text if exact else instant

    return lambda order: {
        name: spelt(value, printed(value)) if name in DATE_FIELDS and value is not None else value
        for name, value in order.items()
    }


def _numbers(printed: Callable[[Decimal], str]) -> Callable[[Body], Body]:
    """Money printed in another way, where that way is as exact."""

    def rewritten(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return value
        text = printed(Decimal(value))
        return RawJSON(text) if Decimal(text) == value else value

    shows = per_value(rewritten)
    return lambda order: {**shows(order), "totalGrossValue": rewritten(order.get("totalGrossValue"))}


def _indented(body: object) -> bytes:
    return body if isinstance(body, bytes) else dumps(body, indent=2).encode()


_MADE: Final = {Endpoint.CREATE_TOKEN: 201, Endpoint.REFRESH_TOKEN: 201, Endpoint.SUBMIT_RELEASE: 201}


def _other_statuses(request: Request, answer: Answer) -> Answer:
    if answer.status != HTTPStatus.OK:
        return answer
    if request.endpoint is Endpoint.DELETE_ORDER:
        return Answer(204)
    return answer.having(status=_MADE.get(request.endpoint, 200)) if request.endpoint else answer


def _source(answer: Answer) -> object:
    return answer.body.get("errorSource") if isinstance(answer.body, dict) else None


def _late(request: Request, answer: Answer) -> Answer:
    # By the length of the body: as good as random, and the same in every run.
    time.sleep(len(request.body) % 4 / 1000)
    return answer


_SERVED: Final = count()

_TOO_MANY: Final = {"errorMessage": "Too many requests", "errorCode": "429-0", "errorSource": None}


VARIANTS: Final = table(
    Variant(
        name="half-hour-consolidation",
        statement="Shows changes at every full half hour.",
        shows_at=next_half_hour,
    ),
    Variant(
        name="slow-consolidation",
        statement="Shows a change after 29 minutes.",
        shows_at=lambda instant: instant + timedelta(minutes=29),
    ),
    Variant(
        name="reconciles-at-once",
        statement="Completes a reconciliation with its last release.",
        reconciles_in=timedelta(),
    ),
    Variant(
        name="slow-reconciling",
        statement="Takes ten hours to reconcile.",
        reconciles_in=timedelta(hours=10),
    ),
    Variant(
        name="ids-that-skip",
        statement="Gives reconciliations ids far apart.",
        reconciliation_id=lambda number: number * 7_919,
    ),
    Variant(
        name="timestamps-as-numbers",
        statement="Notifies with the timestamp as seconds since 1970, and with more fields.",
        notifies=lambda body: [{**body, "timestamp": 1_780_315_200, "eventId": 1}],
    ),
    Variant(
        name="other-integrators-without-a-token",
        statement="Refuses a call for another integrator as one without a token.",
        refuses_as=lambda rule: (403, "NO_TOKEN") if rule == "AUTH-08" else None,
    ),
    Variant(
        name="discrepancies-taken",
        statement="Follows the portal: takes a release whose values differ.",
        readings=(("value-mismatch", "discrepancy"),),
    ),
    Variant(
        name="touching-periods-refused",
        statement="Refuses a period that begins at the instant at which another ends.",
        readings=(("adjacent-periods", "overlap"),),
    ),
    Variant(
        name="ends-not-covered",
        statement="Refuses a release dated at an end of the period.",
        readings=(("period-bounds", "exclusive"),),
    ),
    Variant(
        name="end-not-covered",
        statement="Refuses a release dated at the end of the period, and takes one dated at its beginning.",
        readings=(("period-bounds", "half-open"),),
    ),
    Variant(
        name="total-is-the-sum",
        statement="Ends a reconciliation in ERROR whose totalNetValue is not the sum of its entries.",
        readings=(("total-net-value", "sum-of-entries"),),
    ),
    Variant(
        name="total-is-the-gross",
        statement="Ends a reconciliation in ERROR whose totalNetValue is not the gross of its sales.",
        readings=(("total-net-value", "gross"),),
    ),
    Variant(
        name="more-fields",
        statement="Adds fields to the order it shows, one of them other every time.",
        shows=lambda order: {**order, "id": 4711, "reconciled": False, "history": [], "served": next(_SERVED)},
    ),
    Variant(
        name="nulls-left-out",
        statement="Leaves fields that are null out of the order it shows.",
        shows=lambda order: {name: value for name, value in order.items() if value is not None},
    ),
    Variant(
        name="account-id-as-text",
        statement="Shows accountId as a string.",
        shows=lambda order: {**order, "accountId": str(order["accountId"])} if "accountId" in order else order,
    ),
    Variant(
        name="dates-in-utc", statement="Shows every date in UTC, with milliseconds.", shows=_dates(UTC, "milliseconds")
    ),
    Variant(
        name="extracts-reversed",
        statement="Shows the extracts in another sequence.",
        shows=lambda order: {**order, "extracts": [*reversed(order.get("extracts", []))]},
    ),
    Variant(
        name="empty-success-bodies",
        statement="Answers a submission with an empty body.",
        answers=lambda request, answer: (
            answer.having(body=None)
            if (request.method, request.path) == ("POST", "/order") and answer.status == HTTPStatus.OK
            else answer
        ),
    ),
    Variant(
        name="no-error-source",
        statement="Leaves errorSource out of a refusal where it has nothing to say.",
        answers=refusals(with_fields(errorSource=None)),
    ),
    Variant(
        name="one-hour-tokens",
        statement="Follows the ERP page: tokens live one hour.",
        token_seconds=3600,
        readings=(("token-lifetime", "one-hour"),),
    ),
    Variant(
        name="extended-extract-types",
        statement="Follows S2: orders take the five types.",
        readings=(("extract-types", "extended"),),
    ),
    Variant(
        name="portal-extract-types",
        statement="Follows the portal: orders take all seven types.",
        readings=(("extract-types", "portal"),),
    ),
    Variant(
        name="account-id-as-number",
        statement="Shows accountId as a number.",
        shows=lambda order: {**order, "accountId": int(str(order["accountId"]))} if "accountId" in order else order,
    ),
    Variant(
        name="account-id-integers-only",
        statement="Takes accountId as a number only.",
        readings=(("account-id-type", "integer"),),
    ),
    Variant(
        name="account-id-strings-only",
        statement="Takes accountId as a string only.",
        readings=(("account-id-type", "string"),),
    ),
    Variant(
        name="dates-in-another-zone",
        statement="Shows every date by the clock of Kathmandu.",
        shows=_dates(timezone(timedelta(hours=5, minutes=45)), "seconds"),
    ),
    Variant(
        name="numbers-with-three-decimals",
        statement="Prints money with three decimals.",
        shows=_numbers(lambda value: f"{value:.3f}"),
    ),
    Variant(
        name="numbers-with-exponents",
        statement="Prints money with an exponent.",
        shows=_numbers(lambda value: f"{value:.16e}"),
    ),
    Variant(
        name="indented",
        statement="Prints JSON over several lines.",
        answers=lambda _, answer: answer if answer.body is None else answer.having(body=_indented(answer.body)),
    ),
    Variant(
        name="other-success-statuses",
        statement="Answers 201 where a token or a release is made and 204 to a deletion.",
        answers=_other_statuses,
    ),
    Variant(
        name="in-portuguese",
        statement="Refuses with messages in Portuguese.",
        answers=refusals(lambda answer: with_fields(errorMessage=f"O campo {_source(answer)} é inválido")(answer)),
    ),
    Variant(
        name="last-fault-first",
        statement="Tells of several faults the last.",
        tells=lambda breaches: breaches[-1],
    ),
    Variant(
        name="all-faults-at-once",
        statement="Tells of several faults all, in one message.",
        tells=lambda breaches: replace(breaches[0], message="; ".join(breach.message for breach in breaches)),
    ),
    Variant(
        name="error-source-an-object",
        statement="Names in errorSource the field and the application.",
        answers=refusals(
            lambda answer: with_fields(errorSource={"field": _source(answer), "application": "koncili"})(answer)
        ),
    ),
    Variant(
        name="more-fields-in-errors",
        statement="Adds fields to a refusal.",
        answers=refusals(with_fields(timestamp="2026-06-01T12:00:00Z", path="/", traceId="4bf92f3577b34da6")),
    ),
    Variant(
        name="other-codes",
        statement="Gives refusals whose code no document tells numbers of its own.",
        answers=refusals(
            lambda answer: (
                with_fields(errorCode=f"{answer.status}-917")(answer)
                if isinstance(answer.body, dict) and answer.body["errorCode"] not in DOCUMENTED_CODES
                else answer
            )
        ),
    ),
    Variant(
        name="conflicts",
        statement="Refuses with 409 or 422 where no document says which 4xx.",
        refuses_with=lambda rule: 409 if rule.startswith(("REC", "DEL")) else 422 if rule.startswith("REL") else None,
    ),
    Variant(
        name="sequence-demanded",
        statement="Takes entries in the sequence of the extracts only.",
        objects=in_another_sequence,
    ),
    Variant(
        name="huge-ids",
        statement="Gives reconciliations ids beyond 53 bits.",
        reconciliation_id=lambda number: 2**60 + number,
    ),
    Variant(
        name="longer-tokens",
        statement="Gives longer tokens, and more fields beside them.",
        answers=on(Endpoint.CREATE_TOKEN, with_fields(tokenType="Bearer", scope=["orders"] * 200)),
    ),
    Variant(
        name="passing-502",
        statement="Answers 502 with a page of HTML now and then, and does nothing.",
        busy=lambda number: Answer(502, b"<html>Bad Gateway</html>") if number % 450 == 0 else None,
    ),
    Variant(
        name="lost-answers",
        statement="Answers 502 now and then, and has done what it was asked.",
        loses=lambda number: Answer(502, b"<html>Bad Gateway</html>") if number % 331 == 0 else None,
    ),
    Variant(
        name="throttles-now-and-then",
        statement="Answers 429 now and then and says when to try again.",
        busy=lambda number: (
            Answer(429, _TOO_MANY, MappingProxyType({"Retry-After": "1"})) if number % 450 == 0 else None
        ),
    ),
    Variant(
        name="throttles-without-saying-until",
        statement="Answers 429 now and then and does not say when to try again.",
        busy=lambda number: Answer(429, _TOO_MANY) if number % 450 == 0 else None,
    ),
    Variant(
        name="latency",
        statement="Takes up to three milliseconds for an answer, now more and now less.",
        answers=_late,
    ),
    Variant(name="chunked", statement="Answers in chunks.", wire=Wire(chunked=True)),
    Variant(name="closes-connections", statement="Closes the connection after each answer.", wire=Wire(closes=True)),
    Variant(
        name="lower-case-headers", statement="Writes header names in lower case.", wire=Wire(header_case=str.lower)
    ),
    Variant(name="upper-case-headers", statement="Writes header names in capitals.", wire=Wire(header_case=str.upper)),
    Variant(
        name="empty-extracts-accepted",
        statement="Takes an order without extracts.",
        readings=(("empty-extracts", "accepted"),),
    ),
    Variant(
        name="numbers-as-text-taken",
        statement="Takes a number that is written as text at its value.",
        readings=(("scalar-coercion", "accepted"),),
    ),
    Variant(
        name="whole-decimals-refused",
        statement="Takes 3.0 for no whole number.",
        readings=(("whole-as-decimal", "rejected"),),
    ),
    *SPELLINGS,
    *HABITS,
    *STACKS,
    *CROWDS,
    *BOUNDED,
)


def variant(name: str) -> Variant:
    """The variant of that name. Raises KeyError that names it and those that resemble it."""
    return named(VARIANTS, name, mark("variant"))
