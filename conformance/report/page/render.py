"""Makes index.html: the template filled in, everything in it escaped, sealed by a policy of what the browser may do."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from pydantic import ValidationError

from conformance.contract.rules import Kind
from conformance.errors import CannotRun
from conformance.i18n.formats import instant, number
from conformance.i18n.messages import LANGUAGES, NAMES, Language, can_speak, language, mark, ntr, speaking, tr
from conformance.i18n.sentences import said
from conformance.report.files import (
    BOOKS,
    BOOKS_PAGE,
    CERTIFICATE,
    HTML,
    JUNIT,
    PAGE,
    SUMMARY,
    TRAFFIC,
    Reports,
    page_in,
)
from conformance.report.page.recorded import recorded_view
from conformance.report.page.timeline import Timeline, timeline_of
from conformance.report.page.view import view_of
from conformance.report.page.words import spoken_by_script
from conformance.report.symbols import RUN_SYMBOLS
from conformance.report.traffic_file import NotWhole, entries_of
from conformance.report.verdict_history import remembered
from conformance.verdict.certificate import Certificate

HERE: Final = Path(__file__).parent

BESIDE: Final = (
    (f"{HTML}/index.html", mark("Allure report"), mark("every scenario with its steps and exchanges")),
    (SUMMARY, SUMMARY, mark("this page as Markdown")),
    (CERTIFICATE, CERTIFICATE, mark("what a gate reads, and what this page was made from")),
    (JUNIT, JUNIT, mark("the scenarios, for a CI")),
    (TRAFFIC, TRAFFIC, mark("every request and its answer")),
    (BOOKS_PAGE, BOOKS_PAGE, mark("what was expected, released and reconciled, by account and period")),
    (BOOKS, BOOKS, mark("the same for a spreadsheet")),
)
"""What a run may leave beside the page: path, name, what it is."""

# What a reader would not see, or would see wrongly: control characters, and those that turn the direction of writing.
_ODD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_WRITTEN: Final = {"\0": "\N{SYMBOL FOR NULL}", "\r": "&#13;"}
"""No HTML holds the first, and a browser reads the second as a line feed."""

_TAB_COLOURS: Final = {
    "pass": "#116329", "fail": "#b3261e", "not-exercised": "#2f5a8a", "inconclusive": "#8a5300", "waived": "#6639a6",
}  # fmt: skip


def page(
    certificate: Certificate,
    beside: Sequence[tuple[str, str, str]] = (),
    spoken: Language | None = None,
    *,
    history: Mapping[str, Sequence[str]] = MappingProxyType({}),
    timeline: Timeline | None = None,
) -> str:
    """The page of a certificate in the language spoken now, with links to what lies beside it (as in BESIDE), the verdicts of the
    last runs by rule, and how the run went. `spoken` is the language of the run, whose page has the plain name."""
    if certificate.kind is Kind.INTEGRATION:
        view, symbol = recorded_view(certificate), RUN_SYMBOLS[certificate.verdict]
        icon = icon_of(symbol, view.colour)
        elsewhere = _elsewhere(spoken or language())
        return filled("recorded.html.j2", view=view, run=certificate, beside=beside, icon=icon, elsewhere=elsewhere)
    view_ = view_of(certificate)
    icon = icon_of(view_.symbol, view_.colour)
    return filled(
        "page.html.j2",
        view=view_,
        run=certificate,
        beside=beside,
        icon=icon,
        elsewhere=_elsewhere(spoken or language()),
        history=history,
        timeline=timeline,
    )


def filled(template: str, **values: object) -> str:
    """A template of this folder filled in: everything is escaped, the style is the page's, and the policy seals it."""
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return (
        templates()
        .get_template(template)
        .render(
            **values,
            language=language(),
            policy=_policy(style, script),
            style=Markup(style),  # noqa: S704 - ours: nothing of the certificate goes into a style or a script
            script=Markup(script),  # noqa: S704
        )
    )


@cache
def templates() -> Environment:
    """What knows the templates: each is compiled once, for the pages in all languages."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(shown=shown, said=said, number=number, instant=instant)
    environment.globals.update(tr=tr, ntr=ntr, spoken_by_script=spoken_by_script)
    return environment


def write_page(reports: Reports, certificate: Certificate) -> Path:
    """Write the page of a run, when all else that it links to is there; returns its path. Raises OSError."""
    beside = [link for link in BESIDE if reports.path(link[0]).is_file()]
    is_run = certificate.kind is not Kind.INTEGRATION
    history: Mapping[str, Sequence[str]] = {}
    if is_run:
        with suppress(OSError):  # the page is there without earlier runs, too
            history = remembered(reports.directory, certificate)
    timeline = _timeline(reports.path(TRAFFIC)) if is_run else None
    spoken = language()
    for one in spoken_languages():
        with speaking(one):
            reports.write_whole(
                page_in(one, spoken), page(certificate, beside, spoken, history=history, timeline=timeline)
            )
    return reports.path(PAGE)


@cache
def spoken_languages() -> tuple[Language, ...]:
    """The languages whose catalogues can be read here; the page is made in each."""
    return tuple(one for one in LANGUAGES if can_speak(one))


def _elsewhere(spoken: Language) -> list[tuple[str, str, str]]:
    """The same page in the other languages: path, name of the language, its code."""
    return [(page_in(one, spoken), NAMES[one], one) for one in spoken_languages() if one != language()]


def _timeline(path: Path) -> Timeline | None:
    """How the run went, by the HAR that it left; None where there is none that can be read."""
    try:
        with path.open("rb") as stream:  # entry by entry: that of a deep run is large
            return timeline_of(entries_of(stream, path))
    except (OSError, NotWhole):
        return None


def page_told(reports: Reports, certificate: Certificate) -> str:
    """Write the page at the end of a run; returns what to tell about it."""
    try:
        return tr("page: {path}", path=write_page(reports, certificate))
    except OSError as error:
        return tr(
            "no page: {error}; `koncili-conformance report --reports {place}` tries again",
            error=error,
            place=reports.directory,
        )


def page_again(reports: Reports) -> Path:
    """Write the page anew from the certificate that a run left; returns its path. Raises CannotRun."""
    path = reports.path(CERTIFICATE)
    try:
        return write_page(reports, Certificate.model_validate_json(path.read_bytes()))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise CannotRun(
            f"{path}: is no certificate of this suite: {where}: {first['msg']}; run `koncili-conformance certify` again"
        ) from None
    except OSError as error:
        raise CannotRun(f"{reports.path(PAGE)}: cannot be made from {path}: {error}") from None


def shown(text: object) -> Markup:
    """A text for people: escaped, and what they would not see made visible. Copied, it is still what it was."""
    return Markup(_ODD.sub(_made_visible, str(escape(text))))  # noqa: S704 - escaped the moment before


def _made_visible(odd: re.Match[str]) -> str:
    character = odd[0]
    return f'<i class="odd" data-code="U+{ord(character):04X}">{_WRITTEN.get(character, character)}</i>'


def _policy(style: str, script: str) -> str:
    """What the browser lets the page do: apply this style, run this script, show its own icon. It loads nothing, and neither
    markup that slipped through nor a link could run anything: what is not these very bytes has another digest."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


def icon_of(symbol: str, colour: str) -> str:
    """A verdict for the tab of the browser."""
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<circle cx="16" cy="16" r="16" fill="{_TAB_COLOURS[colour]}"/>'
        '<text x="16" y="23" font-family="sans-serif" font-size="20" font-weight="700" text-anchor="middle" '
        f'fill="#fff">{symbol}</text></svg>'
    )
    return f"data:image/svg+xml,{quote(drawing)}"
