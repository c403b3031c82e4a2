"""What every target may ask of all runs together, read from the state of a staged mock."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from typing import Any

State = dict[str, Any]


def overlaps(state: State) -> list[tuple[int, int]]:
    """The ids of reconciliations of one account whose periods have an instant in common."""
    periods = defaultdict(list)
    for one in state["reconciliations"]:
        begin, end = datetime.fromisoformat(one["init"]), datetime.fromisoformat(one["end"])
        periods[one["account"], one["channel"]].append((begin, end, one["id"]))
    return [
        (one[2], following[2])
        for place in periods.values()
        for one, following in pairwise(sorted(place))
        if following[0] <= one[1]
    ]


def active(state: State) -> list[int]:
    """The ids of reconciliations that still wait for releases: one that has them all ends by itself."""
    return [one["id"] for one in state["reconciliations"] if one["active"] and one["received"] < one["quantity"]]


def deletable(state: State) -> list[str]:
    """The codes of orders that could be deleted."""
    return [one["marketplaceCode"] for one in state["orders"] if not one["reconciled"]]
