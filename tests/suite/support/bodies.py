"""Lawful bodies after S2's example, made by hand, for tables to change; and what judge and mock say of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import judge
from conformance.contract.order_rules import Breach
from conformance.mock import world
from conformance.mock.koncili import Koncili
from strategies.calls import LEFT_OUT, Call
from strategies.scope import Place
from tests.suite.support.properties import HOME, Bench, rules_of

Body = dict[str, Any]

NEIGHBOUR: Final = Place(world.ENABLED[1].id, world.ENABLED[1].channel)
"""Another account of the same channel."""

ELSEWHERE: Final = Place(world.ENABLED[2].id, world.ENABLED[2].channel)
"""An account of another channel."""

CODE: Final = "701-2798273-4005859"

KEY: Final = (HOME.account, HOME.channel, CODE)
"""Where the mock stores the order."""

DAY: Final = "2024-02-14T"
INIT: Final = f"{DAY}12:00:00Z"
END: Final = f"{DAY}13:00:00Z"
HOUR: Final = 3600

LATER: Final = {"periodInitDate": f"{DAY}14:00:00Z", "periodEndDate": f"{DAY}15:00:00Z"}
"""The hour after the next."""

Parts = Iterable[tuple[str, object]]
"""Types and values of extracts or entries; a value may be given as text."""

ENTRIES: Final = (("SALE", "203.63"), ("COMISSION", "-24.44"), ("SHIP", "-27.95"))
"""What S2's order has for extracts, and its release for entries."""

SALE, COMISSION, SHIP = ENTRIES

FIRST: Final = 237
"""The id of the first reconciliation of a mock (S2's example)."""


def changed(fields: Body, changes: Mapping[str, object]) -> Body:
    """The fields with these changes; what is LEFT_OUT goes."""
    return {name: value for name, value in {**fields, **changes}.items() if value is not LEFT_OUT}


def entries(*parts: tuple[str, object], code: str = CODE) -> list[Body]:
    """Extracts or entries of these types and values."""
    return [
        {"marketplaceCode": code, "type": type_, "value": Decimal(value) if isinstance(value, str) else value}
        for type_, value in parts
    ]


def on(place: Place) -> Body:
    """The fields that name a place."""
    return {"accountId": place.account, "channelName": place.channel}


def order(code: str = CODE, **changes: Any) -> Body:
    """A lawful order, changed."""
    lawful = {
        "marketplaceCode": code,
        "channelName": HOME.channel,
        "accountId": HOME.account,
        "status": "INVOICED",
        "createdDate": "2024-02-09T12:00:00Z",
        "extracts": entries(*ENTRIES, code=code),
    }
    return changed(lawful, changes)


def creation(**changes: Any) -> Body:
    """A lawful creation for the hour after noon, changed."""
    lawful = {
        "channelName": HOME.channel,
        "accountId": HOME.account,
        "periodInitDate": INIT,
        "periodEndDate": END,
        "releasesQtd": 3,
        "totalNetValue": Decimal("203.63"),
    }
    return changed(lawful, changes)


def release(code: str = CODE, **changes: Any) -> Body:
    """A lawful release in the first reconciliation of a mock, changed."""
    lawful = {
        "reconciliationId": FIRST,
        "channelName": HOME.channel,
        "accountId": HOME.account,
        "marketplaceCode": code,
        "status": "CONCLUDED",
        "createdDate": f"{DAY}12:12:12Z",
        "releasedDate": f"{DAY}12:30:00Z",
        "releaseType": "IN_CASH",
        "installment": 1,
        "installmentQuantity": 1,
        "releases": entries(*ENTRIES, code=code),
    }
    return changed(lawful, changes)


LAWFUL: Final = {Endpoint.CREATE_RECONCILIATION: creation(), Endpoint.SUBMIT_RELEASE: release()}

# -- what the judge says -------------------------------------------------------------------------------------------


def open_world(
    readings: Mapping[str, str] | None = None, *, extracts: Parts = ENTRIES, quantity: int = 3, place: Place = HOME
) -> Bench:
    """A world with the order, and with a reconciliation at that place for the hour after noon."""
    bench = Bench(Koncili(readings=readings))
    bench.koncili.world.put(KEY, order(extracts=entries(*extracts)))
    bench.open(place, INIT, HOUR, quantity=quantity)
    return bench


def breaches_of(bench: Bench, endpoint: Endpoint, body: Body) -> list[Breach]:
    """What the judge says of a body."""
    request = bench.request(Call(endpoint, body=body), bench.values())
    return judge(request, bench.koncili.world, bench.koncili.readings)


def creating(bench: Bench, **changes: Any) -> list[str]:
    """The rules that a changed creation breaks."""
    return rules_of(breaches_of(bench, Endpoint.CREATE_RECONCILIATION, creation(**changes)))


def releasing(bench: Bench, code: str = CODE, **changes: Any) -> list[str]:
    """The rules that a changed release breaks."""
    return rules_of(breaches_of(bench, Endpoint.SUBMIT_RELEASE, release(code, **changes)))


def cell(rules: str) -> list[str]:
    """The rules in a cell of a table, which names one, several, or none."""
    return rules.split()


VALUES: Final[dict[str, Any]] = {
    "left out": LEFT_OUT,
    "null": None,
    "true": True,
    "whole": 7,
    "fraction": Decimal("7.5"),
    "text": "seven",
    "digits": "7",
    "empty": "",
    "array": [7],
    "object": {"a": 7},
}
"""A value of every JSON type."""

Cells = tuple[str, dict[str, str]]
"""The rule that these values break in a field, and by name of the value what others break."""

NO_ACCOUNT: Final = dict.fromkeys(("whole", "digits"), "ACC-02")
NO_CHANNEL: Final = dict.fromkeys(("text", "digits", "empty"), "ACC-03")
FINE_WITHOUT: Final = dict.fromkeys(("left out", "null"), "")


def broken_by(cells: Cells, value: str) -> set[str]:
    """What the value of that name breaks."""
    rule, others = cells
    return {*cell(others.get(value, rule))}
