"""Which kinds of faults the runs of a target have tried, kept in the store: what one run leaves, the next ones take up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from conformance.target.shared.store_base import KINDS, Store, by_wall_clock

_SHORT: Final = 16
"""How much of a digest tells targets and contracts apart."""


@dataclass(frozen=True, slots=True)
class StoredTry:
    """How a kind was tried last."""

    at: float
    """By the store's clock."""
    passed: bool
    """Whether it was refused as it must be, and nothing else was seen broken with it. What did not pass is tried again first."""
    by_smoke: bool = False
    """Whether a smoke test tried it: the certification that follows has that evidence."""


SMOKE_SECONDS: Final = 3600.0
"""For so long the evidence of a smoke test counts for a certification: what it spent is still of the hour's budget."""


class StoredKinds:
    """The tries of one target (its base URL) under one contract. `run` is the same for all workers of a run: none of them sees
    what the others have tried meanwhile, so that all choose alike."""

    def __init__(self, store: Store, *, base_url: str, contract: str, run: str, smoke: bool = False) -> None:
        """`contract` is a digest of the catalogue. What was tried under another one is forgotten. `smoke` is whether this run is
        a smoke test."""
        self._store = store
        self._run = run
        self._smoke = smoke
        target = f"{KINDS}{sha256(base_url.encode()).hexdigest()[:_SHORT]}/"
        self._prefix = f"{target}{contract[:_SHORT]}/"
        records = store.records(target)
        store.drop(*(key for key in records if not key.startswith(self._prefix)))
        self.earlier: Mapping[tuple[str, str], StoredTry] = {
            (rule, kind): stored_try
            for key, text in records.items()
            if key.startswith(self._prefix) and (stored_try := self._stored_try(json.loads(text))) is not None
            for rule, _, kind in [key.removeprefix(self._prefix).partition("/")]
        }
        """By rule and kind, how each was tried last before this run."""

    def _stored_try(self, record: Mapping[str, Any]) -> StoredTry | None:
        if record["run"] == self._run:
            before = record["before"]
            return StoredTry(*before) if before else None
        return StoredTry(record["at"], record["passed"], record.get("smoke", False))

    def note(self, rule: str, kind: str, *, passed: bool) -> None:
        """Keep that this run tried a kind. Raises CannotRun where the store can't be written."""
        before = self.earlier.get((rule, kind))
        record = {
            "run": self._run,
            "at": self._store.now(),
            "passed": passed,
            "smoke": self._smoke,
            "before": [before.at, before.passed, before.by_smoke] if before else None,
        }
        self._store.put(f"{self._prefix}{rule}/{kind}", json.dumps(record))

    def age(self, stored_try: StoredTry) -> float:
        """How many seconds ago a kind was tried."""
        return self._store.now() - stored_try.at

    def instant(self, stored_try: StoredTry) -> datetime:
        """When a kind was tried, by the time of day in UTC."""
        return by_wall_clock(self._store, stored_try.at)


def is_left_to_smoke(stored: StoredKinds, stored_try: StoredTry) -> bool:
    """Whether a certification leaves a kind to the smoke test that saw it refused."""
    return stored_try.by_smoke and stored_try.passed and stored.age(stored_try) < SMOKE_SECONDS


def seen_by_smoke(store: Store, *, base_url: str, contract: str) -> int:
    """How many kinds a certification of the target that begins now leaves to the smoke test before it."""
    stored = StoredKinds(store, base_url=base_url, contract=contract, run="")
    return sum(is_left_to_smoke(stored, stored_try) for stored_try in stored.earlier.values())
