"""Recorders that write the time of the answer in place of that of the call: a lawful day is lawful, and mistakes are found."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from conformance.audit.auditor import Auditor
from conformance.audit.run import audit
from conformance.traffic import manner
from conformance.traffic.exchange import Exchange, Missing
from conformance.traffic.manner import looked_at
from conformance.traffic.ndjson import line_of
from tests.suite.audit.test_in_parts import TINY, is_alike
from tests.suite.support.bodies import creation, order, release
from tests.suite.support.recorded_calls import DONE, ERROR_400, Recording


def day(seed: int, *, orders: int = 12, verified: bool = True) -> Recording:
    """A client that sends each call as soon as it has the answer to the one before, which takes now long and now short."""
    drawn = random.Random(seed)  # noqa: S311 - no secret
    recording, took = Recording(), timedelta()

    def how() -> dict[str, Any]:
        nonlocal took
        after, took = (
            took.total_seconds() + drawn.choice((0.005, 0.02)),
            timedelta(microseconds=drawn.randint(20_000, 900_000)),
        )
        return {"after": after, "took": took}

    recording.log_in(**how())
    codes = [f"701-{number}" for number in range(orders)]
    for code in codes:
        recording.submit(order(code), **how())
    recording.open(creation(releasesQtd=3 * orders), **how())
    for code in codes:
        if verified:
            recording.look_up(
                f"marketplaceCode={code}&channelName=CHANNEL_NAME&accountId=19055", answer=order(code), **how()
            )
        recording.release(release(code), **how())
    recording.notify(DONE, **how())
    return recording


def moved(exchanges: list[Exchange]) -> list[Exchange]:
    """The same as such a recorder writes it."""
    return [replace(one, started=one.started + one.took) for one in exchanges
            if not isinstance(one.started, Missing) and not isinstance(one.took, Missing)]  # fmt: skip


def audited(recording: Recording, folder: Path) -> Auditor:
    path = folder / "day.ndjson"
    path.write_bytes(b"".join(map(line_of, moved(recording.exchanges))))
    assert is_alike([path], part_bytes=TINY)
    return audit([path]).auditor


def found(auditor: Auditor) -> set[str]:
    return {one.rule.id for one in auditor.findings.found}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("orders", [1, 3, 12])
def test_a_lawful_day_is_lawful(seed: int, orders: int, tmp_path: Path) -> None:
    recording = day(seed, orders=orders)
    assert recording.broken() == {}
    assert found(audited(recording, tmp_path)) == set()


def test_orders_of_one_code_at_several_accounts_are_no_sign_of_a_recorder(tmp_path: Path) -> None:
    recording = day(1)
    for number in range(40):
        account, took = 19055 + number % 2, timedelta(seconds=0.02 if number % 2 else 0.9)
        query = f"marketplaceCode=702&channelName=CHANNEL_NAME&accountId={account}"
        recording.look_up(query, answer=order("702", accountId=account), after=0.04 if number % 2 else 2.0, took=took)
    assert found(audited(recording, tmp_path)) == set()


def test_what_nobody_asked_for_is_found(tmp_path: Path) -> None:
    assert found(audited(day(1, verified=False), tmp_path)) == {"CLI-01"}


def test_what_was_sent_at_once_is_found(tmp_path: Path) -> None:
    recording = day(1)
    recording.submit(order("702"), after=5, took=timedelta(seconds=0.3))
    recording.submit(order("702"), after=0.05, took=timedelta(seconds=0.35))
    assert found(audited(recording, tmp_path)) == {"CLI-17"}


@pytest.mark.parametrize(("wait", "broken"), [(1.2, False), (0.01, True)])
def test_a_wait_after_a_429_is_as_long_as_it_was(wait: float, broken: bool, tmp_path: Path) -> None:
    for recording in (day(1), Recording()):
        recording.look_up(status=429, after=5, took=timedelta(seconds=0.9))
        recording.look_up(answer=order("702"), after=0.9 + wait, took=timedelta(seconds=0.1))
        assert found(recording.audited()) == found(audited(recording, tmp_path)) == ({"CLI-10"} if broken else set())


def test_a_recorder_of_sending_times_is_taken_as_it_is(tmp_path: Path) -> None:
    recording = day(3)
    recording.release(release("701-1"), status=400, answer=ERROR_400, after=0.05, took=timedelta(seconds=0.01))
    path = tmp_path / "day.ndjson"
    path.write_bytes(b"".join(map(line_of, recording.exchanges)))
    assert [one.started for one in audit([path]).auditor.findings.found[0].spots] == [recording.exchanges[-1].started]


def test_two_workers_at_once_are_no_sign_of_such_a_recorder(tmp_path: Path) -> None:
    recording = Recording()
    recording.log_in()
    recording.submit(order(), took=timedelta(seconds=2.9))
    recording.submit(order(), after=1.5, took=timedelta(seconds=0.1))
    path = tmp_path / "day.ndjson"
    path.write_bytes(b"".join(map(line_of, recording.exchanges)))
    assert found(audit([path]).auditor) == {"CLI-17"}


def test_a_beginning_of_large_bodies_is_not_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    given = list[int]()
    exchanges = day(0).exchanges

    def noted() -> Iterator[Exchange]:
        for number, exchange in enumerate(exchanges):
            given.append(number)
            yield exchange

    monkeypatch.setattr(manner, "HELD_BYTES", 1_000)
    _, rest = looked_at(noted())
    assert 1 < len(given) < len(exchanges) // 2
    assert list(rest) == exchanges
