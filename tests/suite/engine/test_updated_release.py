"""A release of what its order was before: refused, or taken by who sees updates late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from conformance.contract.rules import catalogue
from conformance.engine.bench import Bench
from conformance.engine.properties import prove
from conformance.engine.release_laws import SHARED_LAWS
from conformance.engine.updated_release import accepted_as_updated
from conformance.mock import defects as mock_defects
from conformance.mock.defects.left_behind import LEFT_BEHIND
from conformance.run.session import Options, open_session
from conformance.verdict.violation import Violation

ACCEPTED = "every release is accepted with 2xx"

AS_BEFORE = next(one for one in LEFT_BEHIND if one.name == "rel-08-as-it-was-before")


@contextmanager
def bench_for(*defects: str, together: bool) -> Iterator[Bench]:
    with closing(open_session(Options(defects=defects, shrink=False))) as session:
        laws = {ACCEPTED: (catalogue()["REL-01"], SHARED_LAWS[ACCEPTED])}
        bench = Bench(session, ACCEPTED, shared_laws=laws if together else {})
        session.evidence.expect(ACCEPTED, "REL-01", ACCEPTED)
        yield bench


def blamed(bench: Bench) -> str:
    law = accepted_as_updated(bench, catalogue()["REL-01"])
    try:
        prove(bench, law.name, law.strategy, law.law, law.examples)
    except Violation as violation:
        return violation.rule
    return ""


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize(
    "defect",
    ["", "rel-08-as-it-was-before", "rel-08-as-it-was-in-between", "rel-01-as-it-was-first", "rel-01-counted-at-first"],
)
def test_whoever_sees_updates_at_once_takes_what_is_last_and_nothing_else(defect: str) -> None:
    with bench_for(*filter(None, [defect]), together=False) as bench:
        assert blamed(bench) == defect[:6].upper()


@pytest.mark.usefixtures("without_a_clock")
def test_whoever_takes_what_an_order_was_before_now_and_then_may_see_it_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of two replicas one is behind."""
    asked = iter(range(1000))

    def now_and_then(*request: object) -> bool:
        assert AS_BEFORE.forgives is not None
        return AS_BEFORE.forgives(*request) and next(asked) % 2 == 0  # type: ignore[arg-type]  # the hook's own arguments

    monkeypatch.setattr(mock_defects, "defect", lambda _: replace(AS_BEFORE, forgives=now_and_then))
    with bench_for(AS_BEFORE.name, together=False) as bench:
        assert blamed(bench) == ""
        assert next(asked) > 1
