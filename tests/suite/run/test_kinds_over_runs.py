"""What one run has no client errors for, the next runs of the same target take up; and a complete run tries all of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from conformance.engine.economy import Earlier, choose_kinds, makeable
from conformance.engine.kill_matrix import KindOf
from conformance.engine.kinds_tried import words_of
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Defect, Wire
from conformance.mock.wire import server_of
from conformance.profiles import PROFILES
from tests.suite.support.command_runs import Run, certify, ended, start
from tests.suite.support.properties import mock_scope
from tests.suite.support.stage.mock import target_file

RULE: Final = "ORD-13"
"""The rule whose faults have most kinds."""

TYPES: Final = {"a boolean": bool, "a list of it": list, "an object": dict}
"""By the name of a kind the type of its value."""

PATIENCE_SECONDS: Final = 240


@contextmanager
def served(*defects: Defect) -> Iterator[str]:
    """A mock with these defects on a socket, in a thread; its base URL."""
    with listening(Koncili(quirks=list(defects))) as base_url:
        yield base_url


@contextmanager
def listening(koncili: Koncili) -> Iterator[str]:
    """This mock on a socket, in a thread; its base URL."""
    server = server_of(koncili, Wire(), 0)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def takes(kind: KindOf) -> Defect:
    """A mock that takes this kind's value, and nothing else that it should not."""
    field, type_ = kind.refusal.fault.split()[1], TYPES[kind.name]
    return Defect(
        name="takes-another-type",
        statement="Takes a value of another type for one field.",
        rules=frozenset({RULE}),
        overlooks=lambda breach, request: breach.rule == RULE and isinstance(request.fields.get(field), type_),
    )


def a_kind_of_the_second_run() -> KindOf:
    """A kind that the first run of a target leaves and the second one tries."""
    scope, profile = mock_scope({}), PROFILES["certification"]
    first = choose_kinds(scope, profile, 0, {})
    history = {
        KindOf(refusal, kind.name): Earlier(60.0, passed=True, counts=True)
        for refusal, kinds in first.items()
        if refusal.rule == RULE
        for kind in kinds
    }
    second = choose_kinds(scope, profile, 0, history)
    return next(
        kind_of
        for refusal, kinds in second.items()
        if refusal.rule == RULE and ("Date has" in refusal.fault or "totalGrossValue" in refusal.fault)
        for kind in kinds
        if kind.name in TYPES and (kind_of := KindOf(refusal, kind.name)) not in history
    )


def tried(run: Run) -> set[str]:
    """The kinds that a run says it tried."""
    return set(run.entry(RULE)["kinds"]["tried"])


def left(run: Run) -> set[str]:
    """The kinds that a run says it left."""
    return set(run.entry(RULE)["kinds"]["left"])


def test_a_defect_that_only_a_left_kind_shows_is_caught_by_the_second_run(tmp_path: Path) -> None:
    kind = a_kind_of_the_second_run()
    target = tmp_path / "target.toml"
    arguments = ["--target", str(target), "--rule", RULE, "--profile", "certification"]
    with served(takes(kind)) as base_url:
        target_file(target, base_url, pace="unlimited")
        first = certify(tmp_path / "first", *arguments)
        assert first.by_rule[RULE] == "pass", first.output
        assert words_of(kind) in left(first)
        of = len(tried(first)) + len(left(first))
        assert first.entry(RULE)["reason"] == f"{len(tried(first))} of {of} kinds tried"
        assert f"{RULE} {len(tried(first))} of {of}" in first.output

        second = certify(tmp_path / "second", *arguments)
        assert second.by_rule[RULE] == "fail", second.output
        assert words_of(kind) in tried(second)

        # What failed comes again in the next run, whoever's turn it is: no failure is lost.
        third = certify(tmp_path / "third", *arguments)
        assert third.by_rule[RULE] == "fail", third.output
        assert words_of(kind) in tried(third)


def test_what_earlier_runs_tried_is_told_apart_and_another_target_begins_anew(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    arguments = ["--target", str(target), "--rule", RULE]
    with served() as base_url:
        target_file(target, base_url, pace="unlimited")
        first, second = (certify(tmp_path / name, *arguments) for name in ("first", "second"))
        assert tried(first) != tried(second)
        assert set(second.entry(RULE)["kinds"]["earlier"]) == tried(first) - tried(second)
        assert f"{len(tried(first) - tried(second))} more by earlier runs" in second.entry(RULE)["reason"]
    with served() as base_url:
        target_file(target, base_url, pace="unlimited")
        other = certify(tmp_path / "other", *arguments)
        assert tried(other) == tried(first)
        assert other.entry(RULE)["kinds"]["earlier"] == {}


def test_runs_against_the_mock_in_process_know_of_no_run_before(tmp_path: Path) -> None:
    runs = [certify(tmp_path / name, "--rule", RULE) for name in ("first", "second")]
    assert tried(runs[0]) == tried(runs[1])
    assert runs[1].entry(RULE)["kinds"]["earlier"] == {}
    other = certify(tmp_path / "other", "--rule", RULE, "--seed", "1")
    assert tried(other) != tried(runs[0])


def test_a_complete_run_goes_on_where_another_was_ended(tmp_path: Path) -> None:
    """With a small budget it waits for the next hour, and says so; Ctrl-C keeps what was seen."""
    target, every = tmp_path / "target.toml", sum(refusal.rule == RULE for refusal in makeable(mock_scope({})))
    arguments = ["--target", str(target), "--rule", RULE, "--complete"]
    with served() as base_url:
        target_file(target, base_url, pace="unlimited", error_budget=every)
        going = start(tmp_path / "first", *arguments, "--verbose")
        assert going.stdout is not None
        for line in going.stdout:
            if "waiting for the budget of client errors" in line or "the budget of client errors:" in line:
                break
        going.send_signal(signal.SIGINT)
        first = ended(going, tmp_path / "first", PATIENCE_SECONDS)
        assert first.code == 2, first.errors
        assert tried(first)
        assert left(first)

        target_file(target, base_url, pace="unlimited", error_budget=450)
        second = certify(tmp_path / "second", *arguments)
        assert second.by_rule[RULE] == "pass", second.output
        earlier = set(second.entry(RULE)["kinds"]["earlier"])
        assert tried(second) | earlier == tried(second) | left(second)
        assert earlier <= tried(first)
        assert earlier


@pytest.mark.parametrize("profile", ["smoke", "deep"])
def test_only_a_certification_is_made_complete(profile: str, tmp_path: Path) -> None:
    run = certify(tmp_path / "reports", "--complete", "--profile", profile)
    assert run.code == 3
    assert "--complete" in run.errors


def test_a_complete_run_against_the_mock_tries_every_kind(tmp_path: Path) -> None:
    run = certify(tmp_path / "reports", "--rule", RULE, "--complete")
    assert run.by_rule[RULE] == "pass"
    assert not left(run)
    assert run.entry(RULE)["reason"] == ""
