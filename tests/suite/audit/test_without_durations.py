"""Where a recording does not tell how long calls took, what was sent at once has no sequence: no rule but CLI-17 is about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from conformance.traffic.exchange import NOT_RECORDED, Missing
from conformance.traffic.ndjson import line_of
from tests.suite.audit.test_in_parts import TINY, is_alike
from tests.suite.audit.test_repeats import seen_twice
from tests.suite.support.bodies import LATER, creation, entries, order, release
from tests.suite.support.recorded_calls import DONE, ERROR_400, TOKEN, Recording, verdict

HELD = ("no durations", "whole seconds", "whole seconds without durations")


def held(recording: Recording, how: str) -> Recording:
    """The recording as such a recorder has it."""
    found = [replace(one, took=one.took if how == "whole seconds" else NOT_RECORDED) for one in recording.exchanges]
    if how != "no durations":
        found = [
            replace(
                one,
                started=one.started if isinstance(one.started, Missing) else one.started.replace(microsecond=0),
                whole_seconds=True,
            )
            for one in found
        ]
    return Recording(found)


def renewed_at_once() -> Recording:
    recording = Recording()
    recording.log_in()
    recording.refresh(f"refresh-of-{TOKEN}", "second-token-of-this-morning")
    recording.refresh(f"refresh-of-{TOKEN}", status=401, answer=ERROR_400, after=0.02)
    return recording


def opened_at_once() -> Recording:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation())
    recording.open(creation(**LATER), status=400, answer=ERROR_400, after=0.02)
    recording.release(release())
    return recording


def released_at_once() -> Recording:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation())
    recording.release(release())
    recording.release(release(), status=400, answer=ERROR_400, after=0.02)
    return recording


def updated_beside_its_release() -> Recording:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation())
    recording.submit(order(status="CANCELED", cancelDate="2024-02-10T12:00:00Z", extracts=entries(("SALE", "1.00"))))
    recording.release(release(), after=0.02)
    return recording


def refused_at_once() -> Recording:
    recording = Recording()
    recording.submit(order())
    recording.submit(order(status="NEW"), status=400, answer=ERROR_400)
    recording.submit(order(status="NEW"), status=400, answer=ERROR_400, after=0.02)
    return recording


def test_what_was_on_its_way_when_the_same_was_refused_is_no_repetition() -> None:
    recording = refused_at_once()
    assert set(recording.broken()) == {"ORD-02", "CLI-17"}
    for how in HELD:
        auditor = held(recording, how).audited()
        assert {one.rule.id for one in auditor.findings.found} == {"ORD-02"}
        assert verdict(auditor, "CLI-12") == "undecided"


def test_what_was_on_its_way_when_the_same_was_given_up_is_no_repetition() -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation())
    recording.release(release(), status=None, took=timedelta(seconds=30))
    recording.release(release(), after=0.02)
    assert set(recording.broken()) == {"CLI-17"}


@pytest.mark.parametrize("apart", [0.003, 1.7, -1.7])
def test_a_refusal_that_two_recorders_hold_is_no_repetition(apart: float) -> None:
    recording = Recording()
    recording.submit(order(status="NEW"), status=400, answer=ERROR_400)
    recording.submit(order())
    assert set(seen_twice(recording, apart).broken()) == {"ORD-02"}


AT_ONCE = {one.__name__: one for one in (renewed_at_once, opened_at_once, released_at_once, updated_beside_its_release)}


@pytest.mark.parametrize("how", HELD)
@pytest.mark.parametrize("name", AT_ONCE)
def test_what_may_have_been_sent_at_once_is_told_by_no_other_rule(name: str, how: str, tmp_path: Path) -> None:
    recording = AT_ONCE[name]()
    assert set(recording.broken()) == {"CLI-17"}
    auditor = held(recording, how).audited()
    assert {one.rule.id for one in auditor.findings.found} <= {"CLI-17"}
    assert verdict(auditor, "CLI-17") in {"undecided", "broken"}
    path = tmp_path / "day.ndjson"
    path.write_bytes(b"".join(map(line_of, held(recording, how).exchanges)))
    assert is_alike([path], part_bytes=TINY)


@pytest.mark.parametrize(
    ("name", "rule"), [("renewed_at_once", "AUTH-07"), ("opened_at_once", "REC-06"), ("released_at_once", "CLI-02")]
)
@pytest.mark.parametrize("how", HELD)
def test_what_was_sent_one_after_the_other_is_told_by_its_own(name: str, rule: str, how: str) -> None:
    recording = AT_ONCE[name]()
    first = next(place for place, one in enumerate(recording.exchanges) if getattr(one.response, "status", 0) >= 400)
    for place in range(first, len(recording.exchanges)):
        one = recording.exchanges[place]
        if not isinstance(one.started, Missing):
            recording.exchanges[place] = replace(one, started=one.started + timedelta(seconds=3))
    assert set(held(recording, how).broken()) == {rule}


@pytest.mark.parametrize("how", HELD)
@pytest.mark.parametrize("latency", [0.02, 0.1, 0.4])
def test_what_a_quick_client_does_one_after_the_other_is_decided(how: str, latency: float) -> None:
    quick: dict[str, Any] = {"after": latency * 1.05, "took": timedelta(seconds=latency)}
    recording = Recording()
    recording.log_in(**quick)
    recording.submit(order(), **quick)
    recording.look_up(answer=order(), **quick)
    recording.open(creation(), **quick)
    recording.release(release(), **quick)
    recording.notify(DONE, **quick)
    recording.submit(order("701-2"), **quick)
    auditor = held(recording, how).audited()
    assert not auditor.findings.found
    for rule in ("CLI-01", "CLI-02", "CLI-03", "CLI-04", "CLI-05", "CLI-06", "CLI-18"):
        assert verdict(auditor, rule) == "kept", rule
