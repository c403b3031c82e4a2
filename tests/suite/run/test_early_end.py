"""Once a required rule has failed no run waits for the budget, unless told to keep going: what is undecided is told with that
reason, and the failure stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.errors import WaitTooLong
from conformance.run.early_end import EarlyEnd
from conformance.run.options import Task
from conformance.run.session import Options, Session, open_session
from conformance.target.shared.budget import KEPT_BACK
from conformance.verdict.verdicts import Waiver
from conformance.verdict.violation import Violation
from tests.suite.support.command_runs import PATIENCE_SECONDS, certify, start
from tests.suite.support.stage.mock import StagedMock, mock, target_file

DEFECT: Final = "ord-06-send-date-demanded"
WORDS: Final = "the budget of this hour was spent after {} had failed; --keep-going waits"


@pytest.fixture
def staged(tmp_path: Path) -> Iterator[StagedMock]:
    with mock(tmp_path, defect=DEFECT) as running:
        yield running


@pytest.fixture
def sessions(staged: StagedMock, tmp_path: Path) -> Iterator[Any]:
    file = target_file(tmp_path / "sandbox.toml", staged.base_url, coordination=f"sqlite:{tmp_path / 's.sqlite'}")
    with ExitStack() as stack:

        def opened(**options: Any) -> Session:
            session = open_session(Options(target_file=file, **options))
            stack.callback(session.close)
            return session

        yield opened


def failing(session: Session, rule: str) -> None:
    exchange = session.client.call(Endpoint.LIST_ACCOUNTS)
    violation = Violation(rule=rule, expected="x", actual="y", exchange=exchange)
    session.evidence.observe(violation, session.redactor)


def test_what_is_required_decides(sessions: Any) -> None:
    session = sessions()
    decided = EarlyEnd(Task(options=session.options), session)
    failing(session, "ERR-03")
    decided.is_worth_waiting()
    failing(session, "ORD-01")
    with pytest.raises(WaitTooLong, match=WORDS.format("ORD-01")):
        decided.is_worth_waiting()


def test_a_failure_that_is_waived_does_not(sessions: Any) -> None:
    session = sessions()
    waivers = (
        Waiver("ORD-01", "known", date(2999, 1, 1), whole=True),
        Waiver("ORD-06", "no more", date(2001, 1, 1), whole=True),
    )
    decided = EarlyEnd(Task(options=session.options, waivers=waivers), session)
    failing(session, "ORD-01")
    decided.is_worth_waiting()
    failing(session, "ORD-06")
    with pytest.raises(WaitTooLong, match=WORDS.format("ORD-06")):
        decided.is_worth_waiting()


def test_who_keeps_going_waits(sessions: Any) -> None:
    session = sessions(keep_going=True)
    failing(session, "ORD-01")
    EarlyEnd(Task(options=session.options), session).is_worth_waiting()


def test_workers_of_one_run_tell_each_other(sessions: Any) -> None:
    one, other, another = (EarlyEnd(Task(options=Options()), sessions(), run) for run in ("run", "run", "another"))
    failing(one.session, "ORD-01")
    other.is_worth_waiting()
    one.tell()
    with pytest.raises(WaitTooLong, match=WORDS.format("ORD-01")):
        other.is_worth_waiting()
    another.is_worth_waiting()


# -- whole runs ----------------------------------------------------------------------------------------------------

RULES: Final = [
    part for rule in ("ORD-01", "ORD-02", "ORD-03", "ORD-04", "ORD-07", "ORD-09") for part in ("--rule", rule)
]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_ends_whose_verdict_stands(workers: str, staged: StagedMock, tmp_path: Path) -> None:
    """It would wait for an hour: its budget does not suffice."""
    budget = 12
    kept = f"sqlite:{tmp_path / 'store.sqlite'}"
    file = target_file(tmp_path / "sandbox.toml", staged.base_url, coordination=kept, error_budget=budget + KEPT_BACK)
    run = certify(tmp_path / "reports", "--target", str(file), "--workers", workers, *RULES)
    assert (run.code, run.certificate["verdict"]) == (1, "nonconformant"), run.output
    assert "ORD-01" in run.verdicts("fail")
    undecided = run.verdicts("inconclusive")
    assert undecided
    assert any(WORDS.format("ORD-01") in run.entry(rule)["reason"] for rule in undecided)
    assert f"stopped: {WORDS.format('ORD-01')}" in run.output
    state = staged.state()
    assert state["counts"]["clientErrors"] <= budget + KEPT_BACK
    assert "not cleared away" not in run.output


def test_one_that_keeps_going_waits(staged: StagedMock, tmp_path: Path) -> None:
    kept = f"sqlite:{tmp_path / 'store.sqlite'}"
    file = target_file(tmp_path / "sandbox.toml", staged.base_url, coordination=kept, error_budget=12 + KEPT_BACK)
    with start(tmp_path / "reports", "--target", str(file), "--keep-going", *RULES) as process:
        assert process.stdout is not None
        told = False
        for line in process.stdout:  # an hour, or until it is told to end: once, since twice leaves all to cleanup
            waits = "for the budget of client errors" in line and not line.startswith("It does not fit")
            if waits and not told:
                told = True
                process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 1
