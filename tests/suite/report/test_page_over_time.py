"""What the page tells beyond the certificate: how the run went, the verdicts of the last runs; and what was changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conformance.i18n.messages import LANGUAGES, Language, speaking
from conformance.report.page.example import example_of, reason_of
from conformance.report.page.render import page
from conformance.report.page.timeline import BARS_AT_MOST, timeline_of
from conformance.report.verdict_history import SUFFIX, remembered
from conformance.verdict.certificate import Counterexample
from conformance.verdict.violation import SHOWS_IT
from tests.suite.support.example_certificates import failing

BEGUN = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def entry(second: float, status: int = 200, took: float = 0.01) -> dict[str, Any]:
    """An entry of a HAR."""
    started = BEGUN + timedelta(seconds=second)
    return {"startedDateTime": started.isoformat(), "time": 1000 * took, "response": {"status": status}}


# -- how the run went ------------------------------------------------------------------------------------------------


def test_requests_and_client_errors_are_counted_by_stretches() -> None:
    found = timeline_of([entry(0), entry(0.5, 404), entry(2.1), entry(2.2, 500)])
    assert found is not None
    assert found.width == "1 s"
    assert [(bar.after, bar.requests, bar.client_errors) for bar in found.bars] == [
        ("0:00", 2, 1), ("0:01", 0, 0), ("0:02", 2, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("hours", [0.01, 0.5, 3, 40])
def test_a_long_run_has_no_more_bars_than_can_be_told_apart(hours: float) -> None:
    found = timeline_of([entry(3600 * hours * place / 500) for place in range(501)])
    assert found is not None
    assert len(found.bars) <= BARS_AT_MOST
    assert sum(bar.requests for bar in found.bars) == 501


def test_a_wait_is_where_nothing_is_on_its_way() -> None:
    found = timeline_of([entry(0), entry(30), entry(31, took=20), entry(51.5)])
    assert found is not None
    assert (found.waits, found.waited) == (1, "30 s")


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([entry(0), entry(1)], "It never waited for 5 s."),
        ([entry(0), entry(30)], "It waited 1 time for 5 s and more, 30 s in all."),
        ([entry(0), entry(30), entry(60)], "It waited 2 times for 5 s and more, "),
    ],
)
def test_how_often_a_run_waited_is_told(entries: list[dict[str, Any]], told: str) -> None:
    assert told in page(failing(), timeline=timeline_of(entries))


@pytest.mark.parametrize("entries", [[], [{}], [{**entry(0), "startedDateTime": "noon"}], [{**entry(0), "time": None}]])
def test_without_times_there_is_none(entries: list[dict[str, Any]]) -> None:
    assert timeline_of(entries) is None


# -- the last runs ---------------------------------------------------------------------------------------------------


def test_the_last_twenty_runs_are_kept_each_once(tmp_path: Path) -> None:
    certificate = failing()
    rule = certificate.rules[0].id
    for number in range(25):
        run = certificate.model_copy(update={"started_at": BEGUN + timedelta(hours=number)})
        for _ in range(2):
            found = remembered(tmp_path, run)
    assert len(found[rule]) == 20
    assert set(found[rule]) == {str(certificate.rules[0].verdict)}


def test_what_is_no_run_in_the_file_is_left_out(tmp_path: Path) -> None:
    certificate = failing()
    remembered(tmp_path, certificate)
    (file,) = (tmp_path / "history").glob(f"*{SUFFIX}")
    odd = ["{", "[]", '{"run": 1}', json.dumps({"run": "2026", "verdicts": {certificate.rules[0].id: "<script>"}})]
    file.write_text(file.read_text(encoding="utf-8") + "\n".join(odd), encoding="utf-8")
    assert remembered(tmp_path, certificate)[certificate.rules[0].id] == [str(certificate.rules[0].verdict)]


@pytest.mark.parametrize(
    ("seconds", "told"), [((0, 30), "1 time "), ((0, 30, 60), "2 times "), ((0, 1), "never waited")]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_tells_waits(seconds: tuple[float, ...], told: str, language: Language) -> None:
    with speaking(language):
        text = page(failing(), timeline=timeline_of(map(entry, seconds)))
    assert told in text or language != "en"


def test_the_page_shows_both() -> None:
    certificate = failing()
    timeline = timeline_of([entry(0), entry(1, 404)])
    plain = page(certificate)
    text = page(certificate, history={certificate.rules[0].id: ["pass", "fail", "pass"]}, timeline=timeline)
    assert 'aria-label="pass, fail, pass"' in text
    assert "3 runs: 2 pass, 1 fail" in text
    assert "How the run went" in text
    assert "How the run went" not in plain
    assert "Last runs" not in plain


# -- what was there before -------------------------------------------------------------------------------------------


def counterexample(twin: str, broken: str = '{"code": "701", "status": "CONCLUDED"}') -> Counterexample:
    """One whose decisive request comes first, and its twin after it."""
    curl = (
        f"# 1. POST /order: 200{SHOWS_IT}\ncurl -X POST --data-raw '{broken}' https://koncili.example/order\n"
        f"# 2. POST /order: 200\ncurl -X POST --data-raw '{twin}' https://koncili.example/order"
    )
    request = {"method": "POST", "url": "https://koncili.example/order", "headers": {}, "body": broken}
    return Counterexample.model_validate(
        {"request": request, "response": {"status": 200, "headers": {}, "body": ""}, "curl": curl, "lanes": []}
    )


CHANGED = reason_of("ORD-04: expected a, but b (changed in one place: sendDate = (left out))")


def test_the_old_value_is_that_of_the_twin() -> None:
    found = example_of(counterexample('{"code": "701", "sendDate": "2024-01-01", "status": "CONCLUDED"}'), CHANGED)
    assert found.old == '"2024-01-01"'


def test_an_order_that_is_another_one_is_no_twin() -> None:
    found = example_of(counterexample('{"code": "702", "sendDate": "2024-01-01", "status": "CONCLUDED"}'), CHANGED)
    assert found.old == ""


def test_a_decisive_request_that_comes_first_is_a_step_of_its_own() -> None:
    found = example_of(counterexample('{"code": "701"}'), CHANGED)
    assert [(step.what, step.status, step.is_shown) for step in found.steps] == [
        ("POST /order", "200", True), ("POST /order", "200", False),
    ]  # fmt: skip
