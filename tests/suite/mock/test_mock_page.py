"""The mock's page for people, in a real browser: what was asked and what was wrong with it, the clock, and buttons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect

from conformance.mock.koncili import Koncili
from conformance.mock.page.render import MOST_SHOWN
from conformance.mock.quirks import Wire
from conformance.mock.variants import variant
from conformance.mock.wire import listening
from tests.suite.support.bodies import FIRST
from tests.suite.support.mock_calls import Caller
from tests.suite.support.seller_client import Seller
from tests.suite.support.stage.browser import PATIENCE_MILLISECONDS, browser

HOSTILE: Final = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">\u202e{{ 7 * 7 }}"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for all tests."""
    with browser() as started:
        yield started


@dataclass
class Shown:
    """The page of a mock, in the browser."""

    page: Page
    koncili: Koncili
    url: str
    complaints: list[str]


@pytest.fixture
def shown(chromium: Browser) -> Iterator[Shown]:
    """The page of a new mock, not yet loaded; whatever a test does with it, it complains of nothing."""
    koncili, complaints = Koncili(), list[str]()
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    with listening(koncili, Wire()) as base_url:
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        try:
            yield Shown(page, koncili, f"{base_url}/_mock/", complaints)
        finally:
            context.close()
    assert complaints == []


def rows(page: Page, table: str) -> Any:
    """The rows of a table, by its heading."""
    return page.get_by_role("table", name=table).locator("tbody tr")


def test_what_was_wrong_with_a_call_is_seen(shown: Shown) -> None:
    caller = Caller(shown.koncili)
    caller.submit()
    caller.submit(status="CANCELED")
    shown.page.goto(shown.url)
    expect(shown.page.get_by_text("1 broke a rule")).to_be_visible()
    expect(rows(shown.page, "Requests")).to_have_count(2)
    newest = rows(shown.page, "Requests").first
    expect(newest).to_contain_text("ORD-05 /cancelDate cancelDate is mandatory for CANCELED")
    expect(newest.locator("pre")).to_be_hidden()
    newest.get_by_text("ORD-05").click()
    expect(newest.locator("pre")).to_contain_text('"status": "CANCELED"')


def test_a_button_moves_the_clock(shown: Shown) -> None:
    shown.page.goto(shown.url)
    expect(shown.page.locator("time")).to_have_text("2026-06-01 12:00:00 UTC")
    shown.page.get_by_role("button", name="two hours").click()
    expect(shown.page.locator("time")).to_have_text("2026-06-01 14:00:00 UTC")
    assert shown.page.url == shown.url, "to load it again moves nothing"


def test_a_reconciliation_can_be_let_fail(shown: Shown) -> None:
    seller = Seller(shown.koncili)
    seller.reconcile("A")
    shown.page.goto(shown.url)
    expect(rows(shown.page, "Reconciliations").first).to_contain_text("3 of 3")
    expect(rows(shown.page, "Orders").first).to_contain_text("A")
    expect(rows(shown.page, "Orders").first).to_contain_text("released")
    shown.page.get_by_role("button", name="let it end in ERROR").click()
    expect(rows(shown.page, "Reconciliations").first).to_contain_text("to end in ERROR")
    shown.page.get_by_role("button", name="a minute").click()
    expect(rows(shown.page, "Reconciliations").first).to_contain_text("ERROR")
    assert seller.ended == [(FIRST, "ERROR")]


def test_settings_are_seen_and_switched(shown: Shown) -> None:
    shown.koncili.switch([variant("codes-of-forty")])
    shown.page.goto(shown.url)
    expect(shown.page.get_by_text("codes-of-forty")).to_be_visible()
    shown.page.get_by_role("button", name="hold to the documented ones").click()
    expect(shown.page.get_by_text("Limits: held to")).to_be_visible()
    assert shown.koncili.limits.enforced
    Caller(shown.koncili).submit()
    shown.page.reload()
    shown.page.get_by_role("button", name="Reset").click()
    expect(shown.page.get_by_text("None so far.").first).to_be_visible()
    assert shown.koncili.log.requests == 0


def test_it_can_be_kept_up_to_date(shown: Shown) -> None:
    shown.page.goto(shown.url)
    shown.page.get_by_role("link", name="Keep it up to date").click()
    expect(shown.page.get_by_role("link", name="stop")).to_be_visible()
    Caller(shown.koncili).submit()
    expect(rows(shown.page, "Requests")).to_have_count(1, timeout=PATIENCE_MILLISECONDS)
    shown.page.get_by_role("link", name="stop").click()
    expect(shown.page.get_by_role("link", name="Keep it up to date")).to_be_visible()


def test_what_clients_send_is_text(shown: Shown) -> None:
    caller = Caller(shown.koncili)
    caller.submit(marketplaceCode=HOSTILE, extracts=[{"marketplaceCode": HOSTILE, "type": "SALE", "value": 1}])
    caller.submit(status=HOSTILE)
    caller.call("GET", f"/{HOSTILE}", note=HOSTILE)
    shown.page.goto(shown.url)
    assert shown.page.title() == "Mock Koncili"
    for table in ("Requests", "Orders"):
        expect(rows(shown.page, table).filter(has_text="<script>").first).to_be_visible()
        assert "\u202e" not in shown.page.get_by_role("table", name=table).inner_text()
        assert "49" not in rows(shown.page, table).filter(has_text="{{ 7 * 7 }}").first.inner_text()
    assert shown.page.locator("main script, main img").count() == 0


def test_the_newest_of_many_are_shown() -> None:
    caller = Caller()
    for number in range(MOST_SHOWN + 5):
        caller.submit(marketplaceCode=f"A-{number}", extracts=[])
    text = caller.call("GET", "/_mock/").text
    assert text.count('<tr class="broken">') == MOST_SHOWN
    assert f"The newest {MOST_SHOWN} of {MOST_SHOWN + 5}" in text


def test_the_browser_lets_it_do_nothing_but_send_its_forms() -> None:
    policy = Caller().call("GET", "/_mock/").headers["content-security-policy"]
    directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert directives.pop("style-src").startswith("'sha256-")
    assert directives == {
        "default-src": "'none'",
        "img-src": "data:",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


def test_a_button_that_is_none_is_refused() -> None:
    caller = Caller()
    answer = caller.call("POST", "/_mock/", b"advanceSeconds=many")
    assert (answer.status_code, answer.json()["errorMessage"]) == (
        400,
        "/_mock/: advanceSeconds takes a number that is not negative, not 'many'",
    )
    assert caller.call("POST", "/_mock/", b"").status_code == 400
