"""Mocks that do what the documents allow, in another way: the suite must pass every one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from conformance.contract.instants import parse_instant
from conformance.contract.order_rules import DATE_FIELDS
from conformance.contract.readings import CONSOLIDATION_SECONDS
from conformance.mock.quirks import Answer, Variant, named, table
from conformance.mock.world import Body


def _next_half_hour(instant: datetime) -> datetime:
    since = (instant - datetime(1970, 1, 1, tzinfo=UTC)) % timedelta(seconds=CONSOLIDATION_SECONDS)
    return instant - since + timedelta(seconds=CONSOLIDATION_SECONDS)


def _in_utc(order: Body) -> Body:
    """The same instants, in UTC and with milliseconds."""

    def printed(value: Any) -> Any:
        instant = parse_instant(value) if isinstance(value, str) else None
        try:
            return instant.astimezone(UTC).isoformat(timespec="milliseconds") if instant else value
        except OverflowError:  # within hours of the first or the last instant there is
            return value

    return {name: printed(value) if name in DATE_FIELDS else value for name, value in order.items()}


def _texts(changes: dict[str, object]) -> Any:
    def answers(_: object, answer: Answer) -> Answer:
        if isinstance(answer.body, dict) and "errorCode" in answer.body:
            return answer.having(body={**answer.body, **changes})
        return answer

    return answers


VARIANTS: Final = table(
    Variant(
        name="half-hour-consolidation",
        statement="Shows changes at every full half hour.",
        shows_at=_next_half_hour,
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
        statement="Adds fields to the order it shows.",
        shows=lambda order: {**order, "id": 4711, "reconciled": False, "history": []},
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
    Variant(name="dates-in-utc", statement="Shows every date in UTC, with milliseconds.", shows=_in_utc),
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
            if (request.method, request.path) == ("POST", "/order") and answer.status == 200  # noqa: PLR2004
            else answer
        ),
    ),
    Variant(
        name="no-error-source",
        statement="Leaves errorSource out of a refusal where it has nothing to say.",
        answers=_texts({"errorSource": None}),
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
        name="empty-extracts-accepted",
        statement="Takes an order without extracts.",
        readings=(("empty-extracts", "accepted"),),
    ),
)


def variant(name: str) -> Variant:
    """The variant of that name. Raises KeyError that names it and those that resemble it."""
    return named(VARIANTS, name, "variant")
