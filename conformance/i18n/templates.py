"""The templates of sentences that are made in English and read later, in a certificate or a list of violations."""

from __future__ import annotations

from typing import Final

BREACHES: Final = (
    "{field} is missing",
    "{field} is missing or no number",
    "{field} is missing or no string",
    "{field} is missing or no array",
    "{field} is missing or no account id",
    "{field} is missing or no ISO 8601 instant",
    "{field} is not a string",
    "{field} is not a number",
    "{field} is not a date",
    "{field} is not an ISO 8601 instant",
    "{field} is not an object",
    "{field} is not an array",
    "{field} is not an integer",
    "{field} is not a positive integer",
    "{field} is not an account id",
    "{field} is empty",
    "{field} is mandatory for {status}",
    "{field} must be one of {values}",
    "{field} must be {value}",
    "{field} is later than {other}",
    "{field} is not earlier than {other}",
    "{field} is not the order's",
    "{field} is not the release's",
    "{field} has a sign that contradicts {type}",
    "{field} names no instant: its offset is missing; write it as {wanted}",
    "{field} names no instant: its time of day and its offset is missing; write it as {wanted}",
    "{field} is none of an order",
    "{field} is below 1",
    "{field} is above {other}",
    "{field} is outside the period",
    "{field} is not within the period",
    "the body is not a JSON object",
    "the body is not JSON: {why}",
    "another reconciliation is active on this channel",
    "the period equals, holds or lies within an earlier one",
    "the period overlaps an earlier one",
    "the period touches an earlier one",
    "the reconciliation is of another account or channel",
    "{entries} entries for {extracts} extracts",
    "the types of releases are not those of the extracts",
    "the values of releases are not those of the extracts",
    "this order's release is there already",
    "more entries than releasesQtd announced",
    "Order {code} not found",
)
"""What the judge says of a breach."""

REASONS: Final[tuple[str, ...]] = ()
"""What a certificate says of a verdict."""

COUNTED: Final = (
    "rule", "scenario", "request", "client error", "server error", "kind", "step", "order", "reconciliation", "release", "call",
)  # fmt: skip
"""What is counted by `counted`: one, or several with an s."""

TEMPLATES: Final = (*BREACHES, *REASONS)
