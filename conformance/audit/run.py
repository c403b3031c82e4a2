"""An audit from the command line: recordings in, certificate and reports out."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from conformance.audit.auditor import Auditor
from conformance.audit.books import as_csv
from conformance.audit.books_page import books_page
from conformance.audit.outcome import certify_recording
from conformance.audit.secrets import Secrets
from conformance.audit.sharded.cluster import cluster
from conformance.audit.sharded.crew import processes
from conformance.audit.sharded.parts import PART_BYTES
from conformance.audit.sharded.run import audit_in_parts
from conformance.errors import CannotRun
from conformance.report.ci import tell_ci
from conformance.report.ctrf import ctrf
from conformance.report.files import BOOKS, BOOKS_PAGE, CERTIFICATE, CTRF, JUNIT, Reports
from conformance.report.junit import junit
from conformance.report.lines import Line
from conformance.report.page.render import page_told
from conformance.report.recorded import terminal
from conformance.traffic.exchange import Exchange
from conformance.traffic.files import Source
from conformance.traffic.problems import Problems
from conformance.traffic.reading import each_once, of_one_clock, read_sources
from conformance.traffic.remote import Remote
from conformance.verdict.certificate import Certificate
from conformance.verdict.evidence import Evidence
from conformance.verdict.verdicts import CANNOT_RUN, EXIT_CODES

BEFORE_ALL: Final = -1
"""The place of problems of no single recording."""

Work = Callable[
    [Sequence[Source], Problems, Mapping[str, str] | None, str | None],
    tuple[Auditor, Secrets],
]
"""Judges recordings under stated readings, at a base URL if that is known, and learns their secrets."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit came to."""

    certificate: Certificate
    auditor: Auditor


def audit(
    files: Sequence[Path | Remote],
    *,
    readings: Mapping[str, str] | None = None,
    base_url: str | None = None,
    work: Work | None = None,
) -> Audited:
    """Judge what these recordings hold, as one stream. Raises CannotRun where one can't be read at all."""
    started_at, problems = datetime.now(UTC), Problems()
    sources = each_once(files, problems.of(BEFORE_ALL))
    sources = of_one_clock(sources, problems.of)
    auditor, secrets = (work or in_one_process)(sources, problems, readings, base_url)
    auditor.books.rename_servers(secrets.text)
    certificate = certify_recording(auditor, secrets, files=files, problems=problems.told, started_at=started_at)
    return Audited(certificate, auditor)


def in_one_process(
    sources: Sequence[Source], problems: Problems, readings: Mapping[str, str] | None, base_url: str | None
) -> tuple[Auditor, Secrets]:
    """Judge recordings as they are read."""
    auditor, secrets = Auditor(readings=readings, base_url=base_url), Secrets()
    with seldom_collected():
        auditor.take_all(_learning(read_sources(sources, problems.of), secrets))
    return auditor, secrets


@contextmanager
def seldom_collected() -> Iterator[None]:
    """While millions of objects come and go, few of which refer to each other in a circle."""
    usual = gc.get_threshold()
    gc.set_threshold(20_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def by_workers(number: int, *, part_bytes: int = PART_BYTES) -> Work:
    """Judge recordings by so many worker processes."""

    def work(
        sources: Sequence[Source], problems: Problems, readings: Mapping[str, str] | None, base_url: str | None
    ) -> tuple[Auditor, Secrets]:
        with processes(number) as crew:
            return audit_in_parts(sources, crew, problems, readings=readings, base_url=base_url, part_bytes=part_bytes)

    return work


def by_cluster(address: str, *, part_bytes: int = PART_BYTES) -> Work:
    """Judge recordings by the workers of the Dask scheduler there."""

    def work(
        sources: Sequence[Source], problems: Problems, readings: Mapping[str, str] | None, base_url: str | None
    ) -> tuple[Auditor, Secrets]:
        with cluster(address) as crew:
            return audit_in_parts(sources, crew, problems, readings=readings, base_url=base_url, part_bytes=part_bytes)

    return work


def _learning(exchanges: Iterable[Exchange], secrets: Secrets) -> Iterator[Exchange]:
    for exchange in exchanges:
        secrets.learn(exchange)
        yield exchange


def run_audit(
    files: Sequence[Path | Remote],
    *,
    reports: Reports,
    say: Callable[[Line], None],
    readings: Mapping[str, str] | None = None,
    base_url: str | None = None,
    work: Work | None = None,
) -> int:
    """Audit, leave the results and tell them; the exit code. Raises CannotRun where nothing could be read or written."""
    reports.claim()
    outcome = audit(files, readings=readings, base_url=base_url, work=work)
    certificate, books = outcome.certificate, outcome.auditor.books
    try:
        reports.write_whole(BOOKS, as_csv(books))
        reports.write_whole(BOOKS_PAGE, books_page(books, certificate))
        reports.write(certificate)
        reports.write_whole(JUNIT, junit(certificate, Evidence()))
        reports.write_whole(CTRF, ctrf(certificate, Evidence()))
    except OSError as error:
        raise CannotRun(
            f"{reports.directory}: cannot be written: {error}; choose another place with --reports"
        ) from None
    for line in terminal(certificate):
        say(line)
    for text in tell_ci(certificate, os.environ):
        say(Line(text, is_command=text.startswith("::")))
    for text in (
        page_told(reports, certificate),
        f"certificate: {reports.path(CERTIFICATE)}",
        f"books: {reports.path(BOOKS)}",
    ):
        say(Line(text))
    return EXIT_CODES.get(certificate.verdict, CANNOT_RUN)
