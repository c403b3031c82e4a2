"""The end of a run for Allure: its results finished, the report made, the run remembered."""

from __future__ import annotations

import os
from pathlib import Path

from conformance.i18n.messages import tr
from conformance.i18n.sentences import said
from conformance.report.allure_history import History, HistoryUnavailable
from conformance.report.allure_results import finish
from conformance.report.files import HTML, Reports
from conformance.report.html import HtmlUnavailable, tool_directory, write_html
from conformance.verdict.certificate import Certificate
from conformance.verdict.evidence import Evidence


def finish_results(results: Path, evidence: Evidence, certificate: Certificate) -> None:
    """Finish what pytest left for Allure, with what is told of the CI system that runs it. Raises OSError."""
    finish(results, evidence, certificate, os.environ)


def make_page(reports: Reports, results: Path, certificate: Certificate) -> str:
    """Make the HTML report with the runs before this one, and remember this one; returns what to tell about it."""
    history, told = History.of(reports.directory, certificate), []
    try:
        told.append(history.hand_over(results))
    except (HistoryUnavailable, OSError) as error:
        told.append(tr("the report shows no earlier runs: {error}", error=said(str(error))))
    try:
        page = write_html(
            results,
            reports.path(HTML),
            title=f"Koncili conformance: {certificate.target.name}: {certificate.verdict}",
            tool_dir=tool_directory(),
            remember=lambda line: told.append(_remembered(history, line)),
        )
    except HtmlUnavailable as error:
        return tr("no HTML report: {error}", error=said(str(error)))
    return "\n".join([tr("report: {path}", path=page), *(line for line in told if line)])


def _remembered(history: History, line: str) -> str:
    try:
        history.add(line)
    except (HistoryUnavailable, OSError) as error:
        return tr("later reports will not show this run: {error}", error=said(str(error)))
    return ""
