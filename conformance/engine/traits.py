"""What lawful calls have in common, which may be why a target refuses them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.instants import parse_instant
from strategies.calls import Call
from strategies.dates import FIELDS as DATE_FIELDS
from strategies.faults import Case, FaultBatch
from strategies.placeholders import Placeholder
from strategies.reconciliations import Batch

TELLING: Final = frozenset({*DATE_FIELDS, "accountId is", "extracts"})
"""What is looked at even where the rest of a call is refused each time."""

_LENGTHS: Final = ((60, "a minute"), (3600, "an hour"), (86_400, "a day"), (31 * 86_400, "31 days"))
"""Seconds to which a server may limit a period, and how that is called."""

_QUANTITIES: Final = (1, 20, 255)
"""To so many entries it may limit a reconciliation."""

_LARGE: Final = Decimal(1_000_000)
"""BRL above which a total is large."""

_ANY_INSTANT: Final = datetime(2020, 1, 1, tzinfo=UTC).isoformat().replace("+00:00", "Z")
"""At which a period is taken to begin: where it lies is known only when it is sent."""

Trait = tuple[str, ...]
"""What a call has in common with others: its endpoint, then names and values, the fewer the more general."""


def traits_of_order(order: Mapping[str, Any]) -> frozenset[Trait]:
    """What may be why an order is refused: its status, its place, which fields it has, each alone and with its status."""
    extracts = [one for one in order.get("extracts") or () if isinstance(one, Mapping)]
    alone: set[Trait] = {
        ("accountId", str(order.get("accountId"))),
        ("accountId is", type(order.get("accountId")).__name__),
        ("extracts", "several" if len(extracts) > 1 else str(len(extracts))),
        *((name, "is there" if order.get(name) is not None else "is not there") for name in DATE_FIELDS),
        *(("an extract has", name) for one in extracts for name in one if one[name] is not None),
        *(("an extract is", str(one.get("type"))) for one in extracts),
    }
    status = ("status", str(order.get("status")))
    label = Endpoint.SUBMIT_ORDER.label
    return frozenset(
        {(label,), (label, *status), *((label, *one) for one in alone), *((label, *status, *one) for one in alone)}
    )


def traits_of_creation(creation: Mapping[str, Any]) -> frozenset[Trait]:
    """What may be why a creation is refused: how long its period lasts, of how many entries it is, how it is written."""
    init, end = (_printed(creation.get(name)) for name in ("periodInitDate", "periodEndDate"))
    quantity, total = creation.get("releasesQtd"), creation.get("totalNetValue")
    found: set[Trait] = {
        ("accountId", str(creation.get("accountId"))),
        ("accountId is", type(creation.get("accountId")).__name__),
        *_forms("periodInitDate", init),
        *_forms("periodEndDate", end),
    }
    begins, ends = parse_instant(init), parse_instant(end)
    if begins and ends:
        lasts = (ends - begins).total_seconds()
        found |= {("a period of", f"{'at most' if lasts <= most else 'more than'} {words}") for most, words in _LENGTHS}
    if isinstance(quantity, int):
        found |= {("releasesQtd", f"at most {most}" if quantity <= most else f"above {most}") for most in _QUANTITIES}
    if isinstance(total, int | Decimal):
        found |= {
            ("totalNetValue", "of zero or less" if total <= 0 else "above zero"),
            ("totalNetValue", f"above {_LARGE}" if total > _LARGE else f"up to {_LARGE}"),
        }
    label = Endpoint.CREATE_RECONCILIATION.label
    return frozenset({(label,), *((label, *one) for one in found)})


def _forms(name: str, text: str) -> Iterator[Trait]:
    """How an instant is written."""
    yield name, "in Z" if text.endswith(("Z", "z")) else "with an offset"
    yield name, "with a fraction of a second" if "." in text else "in whole seconds"


def _printed(value: object) -> str:
    return str(value.change(_ANY_INSTANT) if isinstance(value, Placeholder) else value)


def traits_of(call: Call) -> frozenset[Trait]:
    """The same for any call; of those that are neither orders nor creations little is known."""
    if isinstance(call.body, Mapping):
        if call.endpoint is Endpoint.SUBMIT_ORDER:
            return traits_of_order(call.body)
        if call.endpoint is Endpoint.CREATE_RECONCILIATION:
            return traits_of_creation(call.body)
    label = call.endpoint.label
    place = call.body if isinstance(call.body, Mapping) else call.query
    return frozenset({(label,), (label, "accountId", str(place.get("accountId")))})


def lawful_in(example: object) -> Iterator[Call]:
    """The lawful calls of an example of a law, and those that must have been accepted before."""
    match example:
        case Case() | FaultBatch():
            yield from lawful_in(example.lawful)
        case Call():
            yield example
            yield from lawful_in(example.order)
            yield from lawful_in(example.batch)
        case Batch():
            yield from lawful_in(example.orders)
            yield Call(Endpoint.CREATE_RECONCILIATION, body=example.creation)
            yield from (Call(Endpoint.SUBMIT_RELEASE, body=release) for release in example.releases)
        case tuple() | list():
            for part in example:
                yield from lawful_in(part)
        case Mapping() if isinstance(example.get("extracts"), list | tuple):
            yield Call(Endpoint.SUBMIT_ORDER, body=example)
        case _:
            return


def in_words(trait: Trait) -> str:
    """As a reason tells it."""
    label, *rest = trait
    parts = [" ".join(rest[place : place + 2]) for place in range(0, len(rest), 2)]
    return f"{label}{' with ' if parts else ''}{' and '.join(parts)}"
