"""What a test must know of the mock and nobody could ask of Koncili: what lies in it, and what it has answered."""

from __future__ import annotations

from collections import Counter

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import JSONValue
from conformance.mock.limits import BLOCKED, TOO_MANY
from conformance.mock.world import MockWorld

OTHER = "other"
"""How calls are counted that address no documented endpoint."""


class Tally:
    """Counts what was answered, by status and by endpoint; not what the control interface answers."""

    def __init__(self) -> None:
        """Nothing is answered yet."""
        self._statuses: Counter[int] = Counter()
        self._calls: Counter[str] = Counter()

    def count(self, endpoint: Endpoint | None, status: int) -> None:
        """One more answer."""
        self._statuses[status] += 1
        self._calls[endpoint.label if endpoint else OTHER] += 1

    def table(self) -> dict[str, JSONValue]:
        """All counts. The client errors are all answers of the class 4xx, 429 and 423 among them."""
        client_errors = sum(n for status, n in self._statuses.items() if status // 100 == 4)  # noqa: PLR2004 - the class
        return {
            "requests": self._statuses.total(),
            "clientErrors": client_errors,
            str(TOO_MANY): self._statuses[TOO_MANY],
            str(BLOCKED): self._statuses[BLOCKED],
            "perEndpoint": dict(self._calls),
        }


def state_of(world: MockWorld, tally: Tally) -> dict[str, JSONValue]:
    """The orders that came through the API and are not deleted, the reconciliations, and the counts of all answers.

    An order is `reconciled` once all releases of its reconciliation are in, for from then on it is on its way.
    """
    on_their_way = (
        reconciliation.orders
        for reconciliation in world.all_reconciliations
        if reconciliation.situation is None and reconciliation.finishes_at is not None
    )
    reconciled = {world.key(key) for keys in (world.reconciled, *on_their_way) for key in keys}
    orders: list[JSONValue] = [
        {"account": key[0], "channel": key[1], "marketplaceCode": key[2], "reconciled": key in reconciled}
        for key, versions in world.orders.items()
        if versions and versions[-1].body is not None and versions[-1].through_api
    ]
    reconciliations: list[JSONValue] = [
        {
            "id": reconciliation.id,
            "account": reconciliation.account,
            "channel": reconciliation.channel,
            "init": reconciliation.init.isoformat(),
            "end": reconciliation.end.isoformat(),
            "active": reconciliation.situation is None,
            "quantity": reconciliation.quantity,
            "received": reconciliation.received,
        }
        for reconciliation in world.all_reconciliations
    ]
    return {"orders": orders, "reconciliations": reconciliations, "counts": tally.table()}
