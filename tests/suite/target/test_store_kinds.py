"""Which kinds of faults runs have tried, as the store keeps it: by target and contract, the same for all workers of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from conformance.target.shared.store_base import KINDS
from conformance.target.shared.store_kinds import StoredKinds, StoredTry
from conformance.target.shared.store_sqlite import SQLiteStore

ZERO, CENT = ("ORD-10", "POST /order: its value: zero"), ("ORD-10", "POST /order: its value: a cent")
URL: Final = "https://sandbox.koncili.example"
CONTRACT: Final = "a" * 64


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    with closing(SQLiteStore(tmp_path / "store.sqlite")) as store:
        yield store


def kinds(store: SQLiteStore, run: str, *, base_url: str = URL, contract: str = CONTRACT) -> StoredKinds:
    return StoredKinds(store, base_url=base_url, contract=contract, run=run)


def passed(found: StoredKinds) -> dict[tuple[str, str], bool]:
    return {kind: stored_try.passed for kind, stored_try in found.earlier.items()}


def test_what_a_run_tried_is_known_to_the_next_one(store: SQLiteStore) -> None:
    first = kinds(store, "first")
    assert first.earlier == {}
    first.note(*ZERO, passed=True)
    first.note(*CENT, passed=False)
    second = kinds(store, "second")
    assert passed(second) == {ZERO: True, CENT: False}
    assert 0 <= second.age(second.earlier[ZERO]) < 600
    assert second.instant(second.earlier[ZERO]).tzinfo is not None


def test_the_last_trial_counts(store: SQLiteStore) -> None:
    kinds(store, "first").note(*ZERO, passed=False)
    kinds(store, "second").note(*ZERO, passed=True)
    assert passed(kinds(store, "third")) == {ZERO: True}


def test_workers_of_a_run_know_what_was_before_it_and_nothing_of_each_other(store: SQLiteStore) -> None:
    """Else a worker that starts later would choose other kinds than those before."""
    kinds(store, "before").note(*ZERO, passed=True)
    early = kinds(store, "run")
    early.note(*ZERO, passed=False)
    early.note(*CENT, passed=True)
    late = kinds(store, "run")
    assert late.earlier == early.earlier
    assert passed(late) == {ZERO: True}
    assert passed(kinds(store, "after")) == {ZERO: False, CENT: True}


def test_another_target_has_tried_nothing(store: SQLiteStore) -> None:
    kinds(store, "first").note(*ZERO, passed=True)
    assert kinds(store, "second", base_url="https://other.example").earlier == {}
    assert passed(kinds(store, "third")) == {ZERO: True}


def test_what_was_tried_under_another_contract_is_forgotten(store: SQLiteStore) -> None:
    kinds(store, "first").note(*ZERO, passed=True)
    assert kinds(store, "second", contract="b" * 64).earlier == {}
    assert store.records(KINDS) == {}


def test_a_trial_has_an_instant_by_the_store_s_clock(store: SQLiteStore) -> None:
    found = kinds(store, "first")
    before = store.now()
    found.note(*ZERO, passed=True)
    stored_try = kinds(store, "second").earlier[ZERO]
    assert before <= stored_try.at <= store.now()
    assert found.age(StoredTry(store.now() - 90, passed=True)) >= 90
