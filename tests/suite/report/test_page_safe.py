"""index.html lets nothing out and nothing in, and is made of whatever certificate there is."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.contract.rules import catalogue
from conformance.errors import CannotRun
from conformance.report.files import CERTIFICATE, PAGE, Reports
from conformance.report.page.render import BESIDE, page, page_again, page_told
from conformance.report.page.view import UNKNOWN
from conformance.verdict.certificate import Certificate
from tests.suite.support.example_certificates import (
    failing,
    passing,
)
from tests.suite.support.report_pages import HOSTILE, Read, read, spoilt


@pytest.fixture(scope="module")
def shown() -> Read:
    """The page of a failing run."""
    return read(failing(), BESIDE)


# -- nothing gets out of it ------------------------------------------------------------------------------------------


def outline(of: Read) -> Iterator[tuple[str, tuple[str, ...]]]:
    for element in of.elements:
        if element.attributes.get("class") != "odd":
            yield element.tag, tuple(sorted(element.attributes))


def test_no_text_becomes_markup() -> None:
    harmless, hostile = read(spoilt("x" * len(HOSTILE))), read(spoilt(HOSTILE))
    assert list(outline(hostile)) == list(outline(harmless))
    assert not any(name.startswith("on") for element in hostile.elements for name in element.attributes)
    assert Counter(element.tag for element in hostile.elements)["script"] == 1
    # what is shown, and copied, is what was there; but for a NUL, which HTML cannot hold
    code = [element.text for element in hostile.all("code") if "pre" in element.within]
    assert HOSTILE.replace("\0", "\N{SYMBOL FOR NULL}") in code


def test_what_nobody_would_see_is_made_visible() -> None:
    odd = {element.attributes["data-code"] for element in read(spoilt(HOSTILE)).all("i", class_="odd")}
    assert odd == {"U+0000", "U+0007", "U+001B", "U+000D", "U+202E", "U+2066", "U+FEFF", "U+E0041"}
    assert read(spoilt("Ação 日本 \U0001f600\t-")).all("i") == []


def test_nothing_is_loaded_from_anywhere(shown: Read) -> None:
    links = [
        element.attributes[name] for element in shown.elements for name in ("src", "href") if name in element.attributes
    ]
    beside = {"index.pt-BR.html", *(path for path, _, _ in BESIDE)}
    assert beside <= set(links)
    ids = [element.attributes["id"] for element in shown.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    for link in links:
        assert (
            link in {*beside, "index.pt-BR.html"}
            or link.startswith("data:image/svg+xml,")
            or link.removeprefix("#") in ids
        ), link
    assert not {element.tag for element in shown.elements} & {
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "audio",
        "video",
    }
    assert not any("style" in element.attributes for element in shown.elements)  # the policy would not have it


def test_the_policy_lets_run_what_is_ours_alone(shown: Read) -> None:
    (policy,) = shown.all("meta", **{"http-equiv": "Content-Security-Policy"})
    rules = dict(rule.split(" ", 1) for rule in policy.attributes["content"].split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for tag in ("style", "script"):
        (element,) = shown.all(tag)
        digest = base64.b64encode(sha256(element.text.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert "unsafe" not in policy.attributes["content"]
    assert shown.elements.index(policy) < min(
        shown.elements.index(shown.all(tag)[0]) for tag in ("style", "script", "link")
    )


def test_only_what_was_made_is_linked(tmp_path: Path) -> None:
    reports = Reports(tmp_path)
    (tmp_path / CERTIFICATE).write_text("{}")
    assert page_told(reports, passing()) == f"page: {tmp_path / PAGE}"
    text = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert 'href="certificate.json"' in text
    assert "Allure" not in text
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").touch()
    page_told(reports, passing())
    assert 'href="html/index.html"' in (tmp_path / PAGE).read_text(encoding="utf-8")


# -- certificates of other versions, sizes, files --------------------------------------------------------------------


def test_an_older_certificate_has_a_page_too() -> None:
    run = json.loads(failing().to_json())
    del run["target"]["errorBudget"]
    for rule in run["rules"]:
        for name in ("endpoints", "requests", "clientErrors", "counterexample"):
            del rule[name]
    run["rules"][0]["id"] = "OLD-01"
    run["readings"]["old-reading"] = "so"
    shown = read(Certificate.model_validate_json(json.dumps(run)))
    (old,) = shown.all("details", id="OLD-01")
    assert UNKNOWN in old.text
    assert UNKNOWN in shown.all("tr", id="reading-old-reading")[0].text
    assert len(shown.all("details", class_="rule")) == len(catalogue().rules)


def test_a_page_is_small() -> None:
    assert len(page(failing(), BESIDE).encode()) < 400_000


def test_a_new_run_clears_the_page_away(tmp_path: Path) -> None:
    (tmp_path / PAGE).write_text("of another run")
    reports = Reports(tmp_path)
    reports.claim()
    reports.release()
    assert not (tmp_path / PAGE).exists()


def test_a_page_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    told = page_told(Reports(tmp_path / "gone"), passing())
    assert told.startswith("no page: ")
    assert told.endswith(f"`koncili-conformance report --reports {tmp_path / 'gone'}` tries again")


def test_the_page_is_made_anew_from_the_certificate(tmp_path: Path) -> None:
    (tmp_path / CERTIFICATE).write_text(failing().to_json(), encoding="utf-8")
    done = CliRunner().invoke(main, ["report", "--reports", str(tmp_path)])
    assert f"page: {tmp_path / PAGE}" in done.output
    assert (done.exit_code, "no results there" in done.output) == (3, True)  # of Allure, which a run leaves as well
    (tmp_path / PAGE).unlink()
    assert page_again(Reports(tmp_path)) == tmp_path / PAGE
    assert (tmp_path / PAGE).read_text(encoding="utf-8").count('<details class="rule"') == len(catalogue().rules)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the file: Invalid JSON"),
        ('{"schema": "other"}', r"schema: Input should be"),
        ("[]", "the file: Input should be"),
    ],
)
def test_what_is_no_certificate_is_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / CERTIFICATE).write_text(text)
    with pytest.raises(
        CannotRun, match=f"certificate.json: is no certificate of this suite: {message}.*; run `koncili"
    ):
        page_again(Reports(tmp_path))
    assert not (tmp_path / PAGE).exists()
