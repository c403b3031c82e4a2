"""index.html as a person meets it: in a real browser, from disk, by mouse and keyboard, heard, in both themes, on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, cast

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from conformance.audit.books_page import books_page
from conformance.audit.outcome import certify_recording
from conformance.audit.secrets import Secrets
from conformance.contract.rules import catalogue
from conformance.i18n.messages import LANGUAGES, Language, speaking
from conformance.report.page.render import BESIDE, page
from conformance.report.page.timeline import timeline_of
from tests.suite.support.bodies import entries, order
from tests.suite.support.example_certificates import FAILURES, ORDER, UNDECIDED, failing
from tests.suite.support.recorded_calls import BEGAN, Recording
from tests.suite.support.report_pages import HOSTILE, spoilt
from tests.suite.support.stage.browser import Opened, browser, opened

AA: Final = 4.5
"""What WCAG AA asks of the contrast of a text."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for all tests."""
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a failing run."""
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(page(failing(), BESIDE), encoding="utf-8")
    return path


@pytest.fixture
def shown(chromium: Browser, file: Path) -> Iterator[Page]:
    """The page, opened; whatever a test does with it, it complains of nothing and calls nobody."""
    with opened(chromium, file) as it:
        yield it.page
        it.check_quiet()


def rules_shown(page: Page) -> list[str]:
    """The rules of the list that can be seen."""
    visible = page.locator("details.rule:visible")
    return [str(one) for one in visible.evaluate_all("all => all.map(one => one.id)")]


def active(page: Page) -> str:
    """What has the focus: its id, else its class, else its value, else its text."""
    script = "(it => it.id || it.className || it.value || it.textContent.trim())(document.activeElement)"
    return str(page.evaluate(script))


# -- reading ---------------------------------------------------------------------------------------------------------


def test_the_outcome_and_the_first_failure_are_what_one_sees(shown: Page) -> None:
    expect(shown.get_by_role("heading", level=1)).to_have_text("Nonconformant")
    assert shown.title() == "✗ sandbox: nonconformant - Koncili conformance"
    failure = shown.get_by_role("article").filter(has_text="ORD-04")
    for words in (
        "it to be refused with 400",
        "it answered 200",
        "sendDate = (left out)",
        '"totalGrossValue": 203.630',
    ):
        expect(failure.get_by_text(words).first).to_be_visible()
    assert shown.locator("h1").bounding_box()["y"] < 200  # type: ignore[index]
    assert shown.locator("article").first.bounding_box()["y"] < 1000  # type: ignore[index]


def test_a_story_is_numbered(shown: Page) -> None:
    steps = shown.locator("article", has_text="ORD-16").get_by_role("listitem")
    expect(steps).to_have_count(3)
    assert steps.first.evaluate("it => getComputedStyle(it).listStyleType") == "decimal"


def test_what_was_in_the_certificate_runs_nothing_and_is_shown_as_it_was(chromium: Browser, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text(page(spoilt(HOSTILE)), encoding="utf-8")
    with opened(chromium, path) as it:
        it.page.on("dialog", lambda dialog: it.complaints.append(dialog.message))
        curl = it.page.locator(".story code").first.text_content()
        assert curl == HOSTILE.replace("\0", "\N{SYMBOL FOR NULL}")
        assert it.page.locator("script").count() == 1
        assert it.page.locator(".odd").first.evaluate("it => getComputedStyle(it, '::before').content") == '"U+0000"'
        it.check_quiet()


def test_the_policy_stops_what_is_not_ours(chromium: Browser, file: Path, tmp_path: Path) -> None:
    """What would happen if a text did become markup."""
    path = tmp_path / "index.html"
    slipped = (
        "<script>document.title = 'run'</script><img src='https://example.invalid/x.png'>"
        "<p style='color: red' id='red'>x</p>"
    )
    path.write_text(file.read_text(encoding="utf-8").replace("<main", f"{slipped}<main", 1), encoding="utf-8")
    with opened(chromium, path) as it:
        assert it.page.title() != "run"
        assert it.page.locator("#red").evaluate("it => getComputedStyle(it).color") != "rgb(255, 0, 0)"
        refused = [one for one in it.complaints if "Content Security Policy" in one]
        assert len(refused) == 3
        assert any("https://example.invalid/x.png" in one for one in refused)


# -- searching and filtering -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "rules"),
    [
        ("ord-04", {"ORD-04"}),
        ("malformed", {"AUTH-02", "ORD-08", "REC-08", "REL-17"}),
        ("ERP page", {"AUTH-05"}),
        ("lock the integrator", {"LIM-01", "LIM-02", "LIM-03"}),
        ("auth/refresh-token", {"AUTH-06", "AUTH-07", "CON-05", "ERR-02", "ERR-05"}),
        ("DELETE   /order inactive", {"ACC-05"}),
        ("no such words", set()),
    ],
)
def test_searching(query: str, rules: set[str], shown: Page) -> None:
    shown.get_by_role("searchbox").fill(query)
    assert set(rules_shown(shown)) == rules
    expect(shown.get_by_role("status").first).to_have_text(f"{len(rules)} of {len(catalogue().rules)} rules")
    assert shown.locator("tr[data-rule]:visible").count() == len(rules)
    expect(shown.get_by_text("Nothing here matches the filters.").last).to_be_visible(visible=not rules)


def test_filters_go_together(shown: Page) -> None:
    shown.get_by_role("checkbox", name=re.compile("fail")).check()
    assert set(rules_shown(shown)) == set(FAILURES)
    assert shown.get_by_role("article").count() == len(FAILURES)
    shown.get_by_label("Level").select_option("required")
    assert set(rules_shown(shown)) == set(FAILURES) - {"AUTH-08"}
    shown.get_by_label("Area").select_option("orders")
    shown.get_by_role("searchbox").fill("refused")
    assert set(rules_shown(shown)) == {"ORD-04", "ORD-10", "ORD-16"}
    assert shown.locator("article:visible").count() == 3
    expect(shown.locator("#count")).to_have_text(f"3 of {len(catalogue().rules)} rules")
    shown.get_by_role("checkbox", name=re.compile("waived")).check()
    assert set(rules_shown(shown)) == {"ORD-04", "ORD-05", "ORD-10", "ORD-16"}
    shown.get_by_role("button", name="Clear").click()
    assert len(rules_shown(shown)) == len(catalogue().rules)
    expect(shown.locator("#count")).to_have_text(f"{len(catalogue().rules)} rules")
    assert active(shown) == "query"
    expect(shown.get_by_role("button", name="Clear")).to_be_hidden()


def test_a_link_leads_to_a_rule_that_a_filter_hides(shown: Page) -> None:
    shown.get_by_role("checkbox", name=re.compile("fail")).check()
    shown.evaluate("location.hash = '#AUTH-05'")
    detail = shown.locator("#AUTH-05")
    expect(detail).to_have_attribute("open", "")
    expect(detail.get_by_text(UNDECIDED["AUTH-05"][1])).to_be_in_viewport()
    shown.locator("article").get_by_role("link", name="ORD-04").click()
    expect(shown.locator("#ORD-04 > dl")).to_be_in_viewport()


def test_a_page_opens_at_its_rule(chromium: Browser, file: Path) -> None:
    with opened(chromium, file) as it:
        it.page.goto(f"{file.as_uri()}#REL-07")
        it.page.reload()
        expect(it.page.locator("#REL-07 > dl")).to_be_in_viewport()
        it.check_quiet()


# -- copying ---------------------------------------------------------------------------------------------------------


def test_a_curl_line_is_copied_whole(shown: Page) -> None:
    shown.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = shown.get_by_role("button", name="Copy curl line of ORD-04")
    button.click()
    expect(shown.locator("#said")).to_have_text("Copied curl line of ORD-04")
    example = FAILURES["ORD-04"]["counterexample"]
    assert ORDER in example.curl
    assert shown.evaluate("navigator.clipboard.readText()") == example.curl


@pytest.mark.parametrize(("works", "said"), [(True, "Copied"), (False, "Selected")])
def test_without_a_clipboard_it_is_selected(works: bool, said: str, shown: Page) -> None:
    shown.evaluate(
        "works => { navigator.clipboard.writeText = () => Promise.reject(); document.execCommand = () => works; }",
        works,
    )
    button = shown.get_by_role("button", name="Copy curl line of ACC-02")
    button.click()
    expect(shown.locator("#said")).to_contain_text(said)
    assert shown.evaluate("getSelection().toString()") == FAILURES["ACC-02"]["counterexample"].curl


# -- the keyboard ----------------------------------------------------------------------------------------------------


def test_all_of_it_is_reached_by_keyboard(shown: Page) -> None:
    order = []
    for _ in range(30):
        shown.keyboard.press("Tab")
        order.append(active(shown))
    assert order[0] == "skip"
    wanted = ["skip", "theme", "pass", "fail", "not-exercised", "inconclusive", "waived", "query"]
    assert [one for one in order if one in wanted] == wanted
    shown.locator("[value=fail]").focus()
    shown.keyboard.press("Space")
    assert set(rules_shown(shown)) == set(FAILURES)
    outline = shown.locator("[value=fail]").evaluate("it => getComputedStyle(it).outlineStyle")
    assert outline == "solid"


def test_a_slash_goes_to_the_search_and_escape_empties_it(shown: Page) -> None:
    shown.keyboard.press("/")
    assert active(shown) == "query"
    shown.keyboard.type("ORD-04/")
    assert shown.get_by_role("searchbox").input_value() == "ORD-04/"
    assert rules_shown(shown) == []
    shown.keyboard.press("Escape")
    assert shown.get_by_role("searchbox").input_value() == ""
    assert len(rules_shown(shown)) == len(catalogue().rules)


def test_the_skip_link_skips(shown: Page) -> None:
    shown.keyboard.press("Tab")
    assert shown.locator(".skip").bounding_box()["y"] >= 0  # type: ignore[index]
    shown.keyboard.press("Enter")
    shown.keyboard.press("Tab")
    assert active(shown) == "pass"


# -- screen readers --------------------------------------------------------------------------------------------------


def test_what_a_screen_reader_finds(shown: Page) -> None:
    for role in ("banner", "main", "contentinfo", "search"):
        expect(shown.get_by_role(role)).to_have_count(1)
    expect(shown.get_by_role("navigation", name="On this page")).to_have_count(1)
    expect(shown.get_by_role("group", name="Rules by verdict").get_by_role("checkbox")).to_have_count(5)
    expect(shown.get_by_role("checkbox", name="6 fail 5 required 1 recommended")).to_have_count(1)
    expect(shown.get_by_role("searchbox", name=re.compile("Search rules"))).to_have_count(1)
    expect(shown.get_by_role("button", name="Dark", pressed=False)).to_have_count(1)
    levels = [
        int(str(one)[1])
        for one in shown.locator("h1, h2, h3, h4, h5, h6").evaluate_all("all => all.map(it => it.tagName)")
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_the_matrix_is_a_table_with_headers(shown: Page) -> None:
    table = shown.get_by_role("table", name=re.compile("Rules by endpoint"))
    expect(table.get_by_role("columnheader")).to_have_count(9)
    row = table.get_by_role("row").filter(has=shown.get_by_role("rowheader", name=re.compile("fail ACC-02")))
    expect(row.get_by_role("cell", name="broken here")).to_have_count(1)
    expect(row.get_by_role("cell", name="does not apply")).to_have_count(3)
    area = table.get_by_role("row").filter(has_text=re.compile("^orders$"))
    assert area.locator("th").get_attribute("scope") == "rowgroup"


# -- themes ----------------------------------------------------------------------------------------------------------

TEXTS: Final = {
    "h1": "h1", "lede": ".lede", "next step": ".next", "fact": "dt", "link": ".contents a", "hash": ".hash", "tag": ".tag",
    "number": ".tile.fail .number", "levels": ".levels", "waived": ".tile.waived .word",
    "inconclusive": ".tile.inconclusive .word",
    "not exercised": ".tile.not-exercised .word", "pass": ".tile.pass .word", "note": ".note", "intro": ".intro",
    "but": ".but dd",
    "code": "article pre code", "mark": "article pre mark", "copy": ".copy", "button": "#theme", "seal": ".seal",
    "cell": "td.pass span:last-child", "symbol of a cell": "td.pass [aria-hidden]", "broken": "td.broken.fail b",
    "waived, broken": "td.broken.waived b", "not exercised cell": "td.not-exercised b", "inconclusive cell": "td.inconclusive b",
    "statement": "tbody th > span:last-child", "rule": "details.rule summary", "reading": ".readings td", "footer": "footer p",
}  # fmt: skip


def luminance(colour: str) -> float:
    """The relative luminance of `rgb(r, g, b)` (WCAG 2)."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(text: str, behind: str) -> float:
    """The contrast of two colours, from 1 to 21."""
    lighter, darker = sorted((luminance(text), luminance(behind)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def colours(text: Locator) -> tuple[str, str]:
    """The colour of a text and of what is behind it."""
    script = """it => {
        let behind = it;
        while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
        return [getComputedStyle(it).color, getComputedStyle(behind).backgroundColor];
    }"""
    colour, behind = text.evaluate(script)
    return str(colour), str(behind)


def test_contrast_is_told_right() -> None:
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21)
    assert contrast("rgb(119, 119, 119)", "rgb(255, 255, 255)") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_can_be_read(dark: bool, chromium: Browser, file: Path) -> None:
    with opened(chromium, file, dark=dark) as it:
        found = {name: contrast(*colours(it.page.locator(selector).first)) for name, selector in TEXTS.items()}
        assert {name: round(one, 2) for name, one in found.items() if one < AA} == {}
        it.check_quiet()


def test_the_theme_follows_the_system_or_the_button(chromium: Browser, file: Path) -> None:
    with opened(chromium, file) as light, opened(chromium, file, dark=True) as dark:
        of_light, of_dark = colours(light.page.locator("body")), colours(dark.page.locator("body"))
        assert luminance(of_light[1]) > 0.8
        assert luminance(of_dark[1]) < 0.1
        light.page.get_by_role("button", name="Dark").click()
        assert colours(light.page.locator("body")) == of_dark
        expect(light.page.get_by_role("button", name="Dark", pressed=True)).to_have_count(1)
        dark.page.get_by_role("button", name="Dark").click()
        assert colours(dark.page.locator("body")) == of_light
        light.page.reload()
        assert colours(light.page.locator("body")) == of_dark
        for it in (light, dark):
            it.check_quiet()


def test_no_storage_is_no_error(chromium: Browser, file: Path) -> None:
    with opened(chromium, file) as it:
        denied = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('denied') }})"
        it.page.add_init_script(denied)
        it.page.reload()
        it.page.get_by_role("button", name="Dark").click()
        assert luminance(colours(it.page.locator("body"))[1]) < 0.1
        it.check_quiet()


# -- paper, small screens, no script ---------------------------------------------------------------------------------


def test_on_paper_all_of_it_is_there_and_no_controls(shown: Page) -> None:
    shown.get_by_role("searchbox").fill("ORD-04")
    shown.emulate_media(media="print", color_scheme="dark")
    for rule in ("AUTH-01", "ORD-04", "NTF-03"):
        expect(shown.locator(f"#{rule} > dl")).to_be_visible()
    assert shown.locator("details.rule:visible").count() == len(catalogue().rules)
    assert shown.locator("tr[data-rule]:visible").count() == len(catalogue().rules)
    assert shown.locator("article:visible").count() == len(FAILURES)
    expect(shown.locator(".seen .exchange")).to_be_visible()
    assert shown.locator("button:visible, input:visible, select:visible").count() == 0
    assert shown.get_by_text("Nothing here matches").locator("visible=true").count() == 0
    assert luminance(colours(shown.locator("article").first)[1]) > 0.8
    clipped = (
        "all => all.filter(it => it.scrollWidth > it.clientWidth + 1 || it.scrollHeight > it.clientHeight + 1).length"
    )
    assert shown.locator("pre, .hash").evaluate_all(clipped) == 0


@pytest.mark.parametrize("width", [360, 700, 1000], ids=["a phone", "twice as large", "a tablet"])
def test_a_narrow_page_does_not_scroll_sideways(width: int, chromium: Browser, file: Path) -> None:
    with opened(chromium, file, width=width, height=800) as it:
        it.page.get_by_role("button", name="Open all").click()
        assert it.page.evaluate("document.documentElement.scrollWidth") <= width
        first = it.page.locator("tr[data-rule] th").first
        before = first.bounding_box()
        it.page.locator(".matrix .scroll").evaluate("it => it.scrollLeft = 300")
        assert it.page.locator(".matrix .scroll").evaluate("it => it.scrollLeft") > 0
        assert first.bounding_box() == before
        it.check_quiet()


def test_the_header_of_the_matrix_stays(shown: Page) -> None:
    shown.locator("tr[data-rule=ORD-10]").evaluate("it => it.scrollIntoView({block: 'center', behavior: 'instant'})")
    expect(shown.get_by_role("columnheader", name="Rule", exact=True)).to_be_in_viewport()
    top = shown.locator(".bar-of-tools").bounding_box()
    header = shown.locator(".matrix thead th").first.bounding_box()
    assert top is not None
    assert header is not None
    assert header["y"] == pytest.approx(top["y"] + top["height"], abs=2)


@contextmanager
def without_script(chromium: Browser, path: Path) -> Iterator[Opened]:
    """The page in a browser that runs no scripts."""
    context = chromium.new_context(offline=True, java_script_enabled=False)
    try:
        it = context.new_page()
        it.goto(path.as_uri())
        yield Opened(it)
    finally:
        context.close()


def test_without_a_script_all_of_it_is_there_and_no_dead_controls(chromium: Browser, file: Path) -> None:
    with without_script(chromium, file) as it:
        assert it.page.locator("details.rule:visible").count() == len(catalogue().rules)
        assert it.page.locator("article:visible").count() == len(FAILURES)
        assert it.page.locator("button:visible, input:visible, select:visible").count() == 0
        it.page.locator("#ORD-04 > summary").click()
        expect(it.page.locator("#ORD-04 > dl")).to_be_visible()


def test_the_icon_tells_the_verdict(shown: Page) -> None:
    icon: Any = shown.locator("link[rel=icon]").get_attribute("href")
    assert "%E2%9C%97" in icon


# -- by axe-core -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spoken", LANGUAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(chromium: Browser, tmp_path: Path, spoken: Language, *, dark: bool) -> None:
    """With all that can be opened open, on a screen, a telephone and paper, how the run went and the last runs too."""
    certificate = failing()
    some = {
        str(entry.verdict): entry for entry in certificate.rules
    }  # of each verdict one: the whole page takes axe a minute
    certificate = certificate.model_copy(update={"rules": list(some.values())})
    timeline = timeline_of(
        {"startedDateTime": f"2026-11-28T12:00:{second:02}Z", "time": 5, "response": {"status": 404}}
        for second in range(9)
    )
    path, history = tmp_path / "index.html", {entry.id: ["pass", "fail", "waived"] for entry in certificate.rules}
    with speaking(spoken):
        path.write_text(page(certificate, BESIDE, history=history, timeline=timeline), encoding="utf-8")
    with opened(chromium, path, dark=dark) as it:
        assert it.page.locator("html").get_attribute("lang") == spoken
        open_all(it.page)
        for media, width in (("screen", 390), ("screen", 1400)) if dark else (("screen", 1400), ("print", 800)):
            it.page.emulate_media(media=cast("Any", media))
            it.page.set_viewport_size({"width": width, "height": 1000})
            assert axe_violations(it.page) == [], (media, width)


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_axe_finds_nothing_in_the_pages_of_an_audit(chromium: Browser, tmp_path: Path, spoken: Language) -> None:
    """Several rules broken, each with a call that shows it."""
    recording = Recording()
    recording.submit(order(extracts=entries(("SALE", "-1.00"), ("SHIP", "2.00"))))
    recording.submit(order("OPEN-1", status="odd", extracts=entries(("SALE", "5.01"), code="OPEN-1")))
    auditor = recording.audited()
    certificate = certify_recording(auditor, Secrets(), files=[], problems=[], started_at=BEGAN)
    with speaking(spoken):
        pages = {"index.html": page(certificate, BESIDE), "books.html": books_page(auditor.books, certificate)}
    for name, text in pages.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        with opened(chromium, tmp_path / name, dark=spoken != "en") as it:
            open_all(it.page)
            assert axe_violations(it.page) == [], name


def open_all(page: Page) -> None:
    """Open all that can be opened, and load axe-core."""
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))


def axe_violations(page: Page) -> list[tuple[str, str]]:
    """What axe-core finds: the rule, and the first place that breaks it."""
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 30, "the page was looked at"
    return [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]]
