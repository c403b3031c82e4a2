"""What the state machine draws from: orders on a few accounts, updates with one fault, broken creations and releases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from conformance.contract.endpoints import Endpoint
from strategies.calls import Call
from strategies.faults import FAULTS, Kind, cases, order_faults, possible
from strategies.money import most
from strategies.orders import Order, orders
from strategies.reconciliations import STATUSES, Batch, release, total
from strategies.scope import Place, Scope

MOST_PLACES: Final = 2

_IDENTITY: Final = {"marketplaceCode", "channelName", "accountId"}

# Faults that leave the period as it is: it is used right after.
BROKEN_CREATIONS: Final = ("REC-07",)
BROKEN_RELEASES: Final = ("REL-03", "REL-04", "REL-06", "REL-09", "REL-10")


def small_world(scope: Scope) -> Scope:
    """Two of the accounts, on one channel where there are two: the same code can be on both."""
    places = scope.places
    pairs = [(one, other) for one in places for other in places if one != other and one.channel == other.channel]
    return replace(scope, places=pairs[0] if pairs else places[:MOST_PLACES])


def some_orders(scope: Scope) -> st.SearchStrategy[Order]:
    """Orders that can be reconciled, two of them in one."""
    return orders(scope, statuses=STATUSES, releasable=True, limit=most(2))


@dataclass(frozen=True, slots=True)
class BrokenUpdate:
    """A submission with one fault, and the rule that the fault breaks."""

    call: Call
    kind: Kind


def broken_updates(scope: Scope) -> st.SearchStrategy[BrokenUpdate]:
    """Orders with one fault, not in what identifies them: such an update addresses the order that is there."""
    able = tuple(
        kind for kind in order_faults() if kind.field not in _IDENTITY and possible(kind, scope, Endpoint.SUBMIT_ORDER)
    )

    # Nothing in its parameters: Hypothesis prints them whole.
    @st.composite
    def updates(draw: DrawFn) -> BrokenUpdate:
        kind = draw(st.sampled_from(able))
        return BrokenUpdate(draw(cases(scope, Endpoint.SUBMIT_ORDER, kind)).broken, kind)

    return updates()


def batch_kinds(scope: Scope, rules: tuple[str, ...], endpoint: Endpoint) -> st.SearchStrategy[Kind]:
    """The faults of these rules that any creation or release can have."""
    every = [kind for rule in rules for fault in FAULTS[rule].values() for kind in fault]
    kinds = [kind for kind in every if set(kind.types) <= {"SALE"} and not kind.multiples]
    return st.sampled_from([kind for kind in kinds if possible(kind, scope, endpoint)])


def batch_of(scope: Scope, place: Place, bodies: tuple[Order, ...], creation: dict[str, Any], seconds: int) -> Batch:
    """The reconciliation of orders that are there; `creation` gives its period."""
    form = scope.account_id_forms[0]
    body = {
        "channelName": place.channel,
        "accountId": form(place.account),
        **creation,
        "releasesQtd": sum(len(body["extracts"]) for body in bodies),
        "totalNetValue": total(scope, list(bodies)),
    }
    releases = tuple(release(body, form(place.account), timedelta(seconds=seconds) / 2) for body in bodies)
    return Batch(place, bodies, body, releases, seconds, "amazon")
