"""Sequences of calls that fail are made shorter, within a number of tries."""

from __future__ import annotations

from contextlib import closing
from typing import Final

import pytest

from conformance.engine import machine
from conformance.engine.bench import Bench
from conformance.engine.frugal import size_of
from conformance.engine.machine import prove_machine
from conformance.run.session import Options, open_session
from conformance.verdict.violation import Violation

SEQUENCES: Final = 40


def test_the_shortest_is_looked_for_in_so_many_sequences_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a server that counts refused releases, Hypothesis went on looking for five minutes."""
    monkeypatch.setattr(machine, "SHRINKING_SEQUENCES", SEQUENCES)
    runs = list[machine._Run]()
    begin = machine._Run.begin

    def noted(run: machine._Run) -> None:
        runs.append(run)
        begin(run)

    monkeypatch.setattr(machine._Run, "begin", noted)
    with closing(open_session(Options(defects=("ord-16-refused-but-stored",), seed=2))) as session:
        bench = Bench(session, "machine")
        session.evidence.expect("machine", "WFL-04", "a scenario")
        with pytest.raises(Violation) as failed:
            prove_machine(bench)
    found = runs[0].found
    assert failed.value.rule == "ORD-16"
    assert size_of(failed.value) == min(map(size_of, found)) < size_of(found[0])
    assert SEQUENCES < runs[0].begun <= SEQUENCES + 2 * runs[0].examples
