"""How long a target takes to reconcile, as the runs that share a store have seen it: plans tell how long the next run takes."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from conformance.target.shared.store_base import Store

FIRST_PAUSE: Final = 0.1
"""Seconds after which it is looked for the first time whether a reconciliation has ended; each wait is twice the one before."""

LONGER: Final = 1.1
"""How much longer than it was seen to take is waited from then on: a look too early costs a client error."""

_PREFIX: Final = "reconciles-in/"
"""Begins the records of how long targets take, by a digest of the base URL."""

_SHORT: Final = 16
"""How much of the digest tells targets apart."""


def seconds_until_seen(takes: float) -> float:
    """After how many seconds a run sees the end of a reconciliation that takes so long, where nothing notifies: it has looked
    ever more seldom for that of the first, and takes the middle of the last wait for it."""
    waited, wait = 0.0, FIRST_PAUSE
    while waited + wait < takes:
        waited, wait = waited + wait, 2 * wait
    pause = LONGER * (waited + wait / 2)
    while pause < takes:  # it looks in vain, and waits as long again
        pause *= LONGER * 1.5
    return pause if takes else 0.0


def note_reconciling(store: Store, base_url: str, seconds: float) -> None:
    """Keep that it took so long. Raises CannotRun where the store can't be written."""
    store.put(_key(base_url), f"{seconds:.1f}")


def seen_reconciling(store: Store, base_url: str) -> float | None:
    """The seconds that the last run saw it take, where one has waited for it. Raises CannotRun where the store can't be read."""
    text = store.records(_key(base_url)).get(_key(base_url))
    return float(text) if text is not None else None


def _key(base_url: str) -> str:
    return _PREFIX + sha256(base_url.encode()).hexdigest()[:_SHORT]
