"""What is put off to the end of a run, and tried anew where it meets what passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.engine.bench import Bench
from conformance.engine.properties import TRIED_AGAIN, once
from conformance.engine.reference_model import Model
from conformance.engine.waiting import Waiting
from conformance.errors import TargetUnavailable, WaitTooLong
from conformance.run.session import Options, open_session
from conformance.target.wire.exchange import Exchange
from strategies.calls import Call

LOST = TargetUnavailable("no answer")


@pytest.fixture
def bench() -> Iterator[Bench]:
    session = open_session(Options())
    session.evidence.expect("scenario", "QRY-01", "a scenario")
    session.control = None
    bench = Bench(session)
    bench.scenario = "scenario"
    yield bench
    session.close()


@pytest.mark.parametrize("patient", [False, True], ids=["not patient", "patient"])
def test_without_a_clock_the_rest_of_a_law_is_put_off(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, patient: bool
) -> None:
    monkeypatch.setattr("conformance.engine.settling.CONSOLIDATION_SECONDS", 0.05 if patient else 1800)
    session, passed = bench.session, []
    session.options = replace(session.options, patient=patient)

    def law() -> Waiting[None]:
        passed.append((yield))

    once(bench, law)
    assert (passed, session.deferred) == ([], {"scenario"})
    session.resuming = True
    once(bench, law)
    assert (passed, session.deferred) == ([patient], set())


class SetClock(datetime):
    """A clock that somebody sets forward by an hour whenever it is asked."""

    hours = 0

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        cls.hours += 1
        return cls(2026, 6, 1, tzinfo=tz) + timedelta(hours=cls.hours)


def test_a_clock_that_is_set_forward_lets_no_half_hour_pass(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an order shows a moment later would be judged as after half an hour."""
    for module in ("settling", "reference_model"):
        monkeypatch.setattr(f"conformance.engine.{module}.datetime", SetClock, raising=False)
    session, passed = bench.session, []

    def law() -> Waiting[None]:
        passed.append((yield))

    once(bench, law)
    session.resuming = True
    once(bench, law)
    assert (passed, session.deferred) == ([False], set())
    model = Model(bench, {})
    assert model.now() - model.now() < timedelta(minutes=1)
    assert -(model.now() - model.now()) < timedelta(minutes=1)


class Told:
    """A law whose examples fail later as often as `failures` says, and what became of it."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.begun = self.shown = 0

    def law(self) -> Waiting[None]:
        self.begun += 1
        yield
        if self.failures:
            raise self.failures.pop(0)
        self.shown += 1

    def to_the_end(self, bench: Bench) -> None:
        """Run it, and what is put off of it."""
        once(bench, self.law)
        bench.session.resuming = True
        once(bench, self.law)


@pytest.mark.parametrize("lost", range(1 + TRIED_AGAIN))
def test_what_loses_an_answer_later_is_tried_anew(bench: Bench, lost: int) -> None:
    told = Told(*[LOST] * lost)
    told.to_the_end(bench)
    assert (told.begun, told.shown, bench.session.deferred) == (1 + lost, 1, set())


def test_what_loses_an_answer_each_time_says_nothing(bench: Bench) -> None:
    told = Told(*[LOST] * 10)
    with pytest.raises(TargetUnavailable):
        told.to_the_end(bench)
    assert (told.begun, told.shown, bench.session.deferred) == (1 + TRIED_AGAIN, 0, set())


def test_nothing_is_tried_anew_where_nothing_more_is_sent(bench: Bench) -> None:
    told = Told(WaitTooLong("run again later"))
    with pytest.raises(WaitTooLong):
        told.to_the_end(bench)
    assert told.begun == 1


def _note_a_passing_fault(bench: Bench) -> None:
    fault = Exchange(datetime.now(UTC), "POST", "https://h/", {}, b"", 500, {}, b"", 0.0, Endpoint.SUBMIT_ORDER)
    bench.passing.note(Call(Endpoint.SUBMIT_ORDER), fault)


@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
def test_what_may_be_half_done_is_not_gone_on_with(bench: Bench, later: bool) -> None:
    """Only the one that was tried anew is."""
    begun: list[int] = []
    ended: list[int] = []

    def law() -> Waiting[None]:
        number = len(begun)
        begun.append(number)
        if not (later or number):
            _note_a_passing_fault(bench)
        yield
        if later and not number:
            _note_a_passing_fault(bench)
        yield
        ended.append(number)

    once(bench, law)
    bench.session.resuming = True
    once(bench, law)
    assert (begun, ended) == ([0, 1], [1])
