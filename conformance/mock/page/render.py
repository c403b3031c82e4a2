"""Makes the mock's page: the template filled in, everything in it escaped, sealed by a policy of what the browser may do."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from conformance.escaping import visible
from conformance.i18n.formats import instant
from conformance.i18n.messages import language, mark, tr
from conformance.i18n.sentences import said
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Defect
from conformance.mock.world import MockWorld, OrderKey, Reconciliation, Version

HERE: Final = Path(__file__).parent

MOST_SHOWN: Final = 100
"""So many of each list, the newest first."""

STEPS: Final = (
    (60, mark("a minute")),
    (1800, mark("half an hour")),
    (3600, mark("an hour")),
    (7200, mark("two hours")),
)
"""By how much the clock can be moved, in seconds."""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order, as it is stored."""

    code: str
    place: str
    status: str
    gross: str
    standing: str


@dataclass(frozen=True, slots=True)
class ReconciliationRow:
    """A reconciliation."""

    id: int
    place: str
    period: str
    received: int
    quantity: int
    standing: str
    can_fail: bool


@dataclass(frozen=True, slots=True)
class Stock:
    """What lies in the mock, the newest first, and how much there is in all."""

    orders: list[OrderRow]
    orders_in_all: int
    reconciliations: list[ReconciliationRow]
    reconciliations_in_all: int


def page(koncili: Koncili, *, refresh: bool) -> str:
    """The page as it is now. `refresh`: it says that it is loaded anew again and again."""
    entries = koncili.log.entries()
    return _template().render(
        now=koncili.clock.now(),
        stock=koncili.look(stock_of),
        entries=list(islice(reversed(entries), MOST_SHOWN)),
        requests_in_all=koncili.log.requests,
        broken_in_all=koncili.log.broken,
        callback=koncili.notifier.url,
        limits=koncili.limits.enforced,
        defects=[quirk for quirk in koncili.quirks if isinstance(quirk, Defect)],
        variants=[quirk for quirk in koncili.quirks if not isinstance(quirk, Defect)],
        steps=STEPS,
        refresh=refresh,
        style=Markup(_style()),  # noqa: S704 - ours
    )


def stock_of(world: MockWorld) -> Stock:
    """What lies in it."""
    newest = islice(reversed(world.orders.items()), MOST_SHOWN)
    return Stock(
        [_order(key, versions[-1], world) for key, versions in newest if versions],
        len(world.orders),
        list(map(_reconciliation, islice(reversed(world.all_reconciliations), MOST_SHOWN))),
        len(world.all_reconciliations),
    )


def _order(key: OrderKey, version: Version, world: MockWorld) -> OrderRow:
    body: Mapping[str, Any] = version.body if isinstance(version.body, Mapping) else {}
    standing = {
        mark("deleted"): version.body is None,
        mark("reconciled"): key in world.reconciled,
        mark("released"): key in world.released,
        mark("shown later"): version.shown_at > world.clock.now(),
        mark("not by the API"): not version.through_api,
    }
    return OrderRow(
        key[2],
        f"{key[0]} {key[1]}",
        str(body.get("status", "")),
        str(body.get("totalGrossValue") if body.get("totalGrossValue") is not None else ""),
        next((name for name, holds in standing.items() if holds), mark("stored")),
    )


def _reconciliation(one: Reconciliation) -> ReconciliationRow:
    on_its_way = mark("reconciling") if one.finishes_at is not None else mark("active")
    return ReconciliationRow(
        one.id,
        f"{one.account} {one.channel}",
        f"{one.init.isoformat()} – {one.end.isoformat()}",  # noqa: RUF001 - a span
        one.received,
        one.quantity,
        one.situation or (mark("to end in ERROR") if one.fails else on_its_way),
        one.situation is None and not one.fails,
    )


def policy() -> str:
    """What the browser lets the page do: apply this style, send its own forms. It loads and runs nothing."""
    digest = base64.b64encode(sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


@cache
def _style() -> str:
    return (HERE / "page.css").read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(shown=lambda text: visible(str(text)), said=said, instant=instant)
    environment.globals.update(tr=tr, language=language)
    return environment.get_template("page.html.j2")
