"""The Allure report of a run, opened from disk in a real browser: what a person finds in it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from conformance.contract.rules import catalogue
from tests.suite.support.made_once import made_once
from tests.suite.support.stage.browser import Opened, browser, opened
from tests.suite.support.watched_command import Watched, certify

RULES: Final = ("--rule=ORD-04", "--rule=QRY-02")
CI: Final = {
    "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "ana/shop",
    "GITHUB_WORKFLOW": "certify", "GITHUB_RUN_NUMBER": "12", "GITHUB_RUN_ID": "991", "GITHUB_TOKEN": "s3cret-of-ci",
}  # fmt: skip
SCENARIO: Final = "A concluded order needs its sendDate"
STORY: Final = f"ORD-04 {catalogue()['ORD-04'].statement}"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """A run without a failure, then one with a defect, into the same directory."""
    return made_once(tmp_path_factory, "allure-in-browser", _two_runs)


def _two_runs(home: Path) -> Watched:
    first = certify(home, *RULES)
    assert first.code == 2, first.shown
    second = certify(home, *RULES, "--seed=5", "--defect=ord-04-not-enforced", variables=CI)
    assert second.code == 1, second.shown
    return second


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture
def report(chromium: Browser, run: Watched) -> Iterator[Opened]:
    """The report, read by a person: at the end it has complained of nothing and called nobody."""
    with opened(chromium, run.reports / "html" / "index.html") as shown:
        expect(shown.page.get_by_text("Koncili conformance: mock: nonconformant")).to_be_visible()
        yield shown
        shown.check_quiet()


def opened_at(page: Page, scenario: str) -> Page:
    """The page, at a scenario of the list."""
    page.get_by_text(scenario).click()
    expect(page.get_by_test_id("test-result-description")).to_be_visible()
    return page


def test_the_list_shows_every_rule_and_what_failed_first(report: Opened) -> None:
    page = report.page
    expect(page.get_by_text(STORY)).to_be_visible()
    expect(page.get_by_text(SCENARIO)).to_be_visible()  # without opening anything
    for rule in ("ORD-05", "ORD-06"):
        expect(page.get_by_text(f"{rule} {catalogue()[rule].statement}")).to_be_attached()
    above, below = (
        page.get_by_text(text).bounding_box() for text in (STORY, f"ORD-05 {catalogue()['ORD-05'].statement}")
    )
    assert above is not None
    assert below is not None
    assert above["y"] < below["y"]


def test_a_failure_tells_its_counterexample(report: Opened) -> None:
    page = opened_at(report.page, SCENARIO)
    expect(page.get_by_test_id("test-result-error").first).to_contain_text("accepted what must be refused")
    description = page.frame_locator('[data-testid="test-result-description-frame"]')
    expect(description.get_by_text("Expected: accepted with 2xx; refused with 400.")).to_be_visible()
    page.get_by_text("counterexample: curl").click()
    expect(page.get_by_text("curl -i -X POST")).to_contain_text("$KONCILI_TOKEN")
    page.get_by_text("counterexample: request and answer").click()
    exchange = page.get_by_test_id("http-attachment-content")
    expect(exchange.get_by_text('"totalGrossValue": ')).to_be_visible()
    expect(exchange.get_by_text("200 OK").first).to_be_visible()


def test_a_pass_tells_what_it_counted(report: Opened) -> None:
    page = report.page
    page.get_by_text(catalogue()["QRY-02"].endpoints[0].label, exact=True).click()
    page.get_by_text(f"QRY-02 {catalogue()['QRY-02'].statement}").click()
    page.get_by_text("An order that does not exist is not found").click()
    expect(page.get_by_text(re.compile(r": \d+ quer(y|ies) refused, \d+ twins? accepted$"))).to_be_visible()


def test_what_was_not_exercised_says_why(report: Opened) -> None:
    page = report.page
    page.get_by_text(f"ORD-05 {catalogue()['ORD-05'].statement}").click()
    page.get_by_text("A canceled order needs its cancelDate").click()
    expect(page.get_by_text("not selected").first).to_be_visible()


def test_the_target_the_run_and_who_ran_it_are_told(report: Opened) -> None:
    page = report.page
    for told in ("mock (mock)", "http://127.0.0.1:8765", "nonconformant", "smoke", "GitHub Actions · certify #12"):
        expect(page.get_by_text(told, exact=True).first).to_be_visible()
    page.get_by_text("Show more").click()
    expect(page.get_by_text("reading workflow (stated)")).to_be_visible()


def test_what_went_wrong_is_sorted_by_its_kind(report: Opened) -> None:
    page = report.page
    page.get_by_text("Categories").first.click()
    expect(page.get_by_text("accepted what must be refused")).to_be_visible()
    expect(page.get_by_text(STORY)).to_be_visible()
    expect(page.get_by_text("not exercised")).to_be_visible()


def test_the_run_before_is_remembered(report: Opened) -> None:
    page = opened_at(report.page, SCENARIO)
    page.get_by_test_id("test-result-tab-history").click()
    expect(page.get_by_test_id("test-result-history-item")).to_have_count(1)


def test_a_rule_leads_to_its_place_in_our_own_page(chromium: Browser, run: Watched, tmp_path: Path) -> None:
    copied = shutil.copytree(run.reports, tmp_path / "reports")
    (copied / "index.html").write_text('<meta charset="utf-8"><p id="ORD-04">our own page</p>')
    with opened(chromium, copied / "html" / "index.html") as shown:
        page = opened_at(shown.page, SCENARIO)
        page.get_by_test_id("test-result-meta-link").get_by_text("the order workflow page (S1)").click()
        page.wait_for_url("**/reports/index.html#ORD-04")
        expect(page.get_by_text("our own page")).to_be_visible()


def test_nothing_is_left_of_the_environment_and_one_run_is_kept_for_each(run: Watched) -> None:
    [kept] = (run.reports / "history").glob("*.jsonl")
    assert len(kept.read_text().splitlines()) == 2
    assert [where for where, raw in run.left() if b"s3cret-of-ci" in raw] == []
    assert json.loads((run.reports / "allure-results" / "executor.json").read_text())["buildOrder"] == 12


def test_each_scenario_has_one_result_and_only_failures_have_failed(run: Watched) -> None:
    results = [json.loads(path.read_text()) for path in (run.reports / "allure-results").glob("*-result.json")]
    assert len({result["historyId"] for result in results}) == len(results) > len(catalogue().rules)
    failed = {result["name"] for result in results if result["status"] == "failed"}
    assert failed == {
        f"A concluded order needs its {date}" for date in ("sendDate", "estimatedDeliveryDate", "deliveryDate")
    }
    assert not any(label["name"] == "scenario" for result in results for label in result["labels"])
