"""How long a target takes to reconcile, as the runs that share a store have seen it: plans tell how long the next run takes."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from conformance.target.shared.store_base import Store

_PREFIX: Final = "reconciles-in/"
"""Begins the records of how long targets take, by a digest of the base URL."""

_SHORT: Final = 16
"""How much of the digest tells targets apart."""


def note_reconciling(store: Store, base_url: str, seconds: float) -> None:
    """Keep that it took so long. Raises CannotRun where the store can't be written."""
    store.put(_key(base_url), f"{seconds:.1f}")


def seen_reconciling(store: Store, base_url: str) -> float | None:
    """The seconds that the last run saw it take, where one has waited for it. Raises CannotRun where the store can't be read."""
    text = store.records(_key(base_url)).get(_key(base_url))
    return float(text) if text is not None else None


def _key(base_url: str) -> str:
    return _PREFIX + sha256(base_url.encode()).hexdigest()[:_SHORT]
