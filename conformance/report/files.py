"""The reports directory of a run: one run at a time, written whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from filelock import FileLock, Timeout

from conformance.errors import CannotRun
from conformance.i18n.messages import LANGUAGES, Language
from conformance.report.statement import statement
from conformance.report.summary import markdown
from conformance.report.traffic_file import NotWhole, write_traffic
from conformance.target.wire.redaction import Redactor
from conformance.verdict.certificate import Certificate
from conformance.verdict.digest import digest_of_file
from conformance.verdict.exchanges import Mark
from conformance.verdict.observed import ObservedEntry
from conformance.verdict.signature import signature_path

CERTIFICATE = "certificate.json"
SUMMARY = "summary.md"
JUNIT = "junit.xml"
CTRF = "ctrf.json"
MESSAGES = "cucumber.ndjson"
STATEMENT = "statement.intoto.json"
ALLURE_RESULTS = "allure-results"
HTML = "html"
TRAFFIC = "traffic.har"
PAGE = "index.html"
SHARD = "shard.json"
BOOKS = "books.csv"
BOOKS_PAGE = "books.html"
COMPARED = "compared"
"""The directory of the run on the mock beside it."""


def page_in(language: Language, spoken: Language) -> str:
    """The name of the page in a language; in that of the run it has the plain name."""
    return PAGE if language == spoken else f"index.{language}.html"


_PAGES = (PAGE, *(f"index.{language}.html" for language in LANGUAGES))

_MADE_BY_A_RUN = (
    CERTIFICATE, STATEMENT, SUMMARY, *_PAGES, JUNIT, CTRF, MESSAGES, TRAFFIC, SHARD, ALLURE_RESULTS, HTML, BOOKS, BOOKS_PAGE,
    COMPARED,
)  # fmt: skip


class Reports:
    """The directory where a run leaves its results."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock = FileLock(directory / ".lock")

    def path(self, name: str) -> Path:
        """The path of one result."""
        return self.directory / name

    def claim(self) -> None:
        """Make the directory this run's own and clear away what an earlier run left, unless that is done. Raises CannotRun."""
        if self._lock.is_locked:
            return
        self.share()
        try:
            self._clear()
        except OSError as error:
            raise CannotRun(
                f"{self.directory}: what the last run left cannot be removed: {error}; choose another place with --reports"
            ) from None

    def _clear(self) -> None:
        for name in _MADE_BY_A_RUN:
            path = self.path(name)
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        for part in self.directory.glob("traffic-*.har"):
            part.unlink()
        for name in (CERTIFICATE, STATEMENT):
            signature_path(self.path(name)).unlink(missing_ok=True)  # ssh-keygen would ask whether to overwrite it

    def share(self) -> None:
        """Make the directory this run's own and leave what is there. Raises CannotRun."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise CannotRun(
                f"another run is writing to {self.directory}; wait for it, or choose another place with --reports"
            ) from None
        except OSError as error:
            raise CannotRun(
                f"{self.directory} cannot be written: {error}; choose another place with --reports"
            ) from None

    def release(self) -> None:
        """Let the next run have the directory."""
        self._lock.release()

    def write(self, certificate: Certificate) -> None:
        """Write certificate, the statement over it, and summary. Raises CannotRun where the disk does not take them."""
        try:
            self.write_whole(CERTIFICATE, certificate.to_json())
            self.write_whole(STATEMENT, statement(certificate, CERTIFICATE, digest_of_file(self.path(CERTIFICATE))))
            self.write_whole(SUMMARY, markdown(certificate))
        except OSError as error:
            raise CannotRun(
                f"{self.directory}: the certificate cannot be written: {error}; make room or choose another place with "
                "--reports, then run again"
            ) from None

    def write_whole(self, name: str, text: str) -> None:
        """Write one result, or leave the one before. Raises OSError."""
        with self._whole(name) as stream:
            stream.write(text)

    @contextmanager
    def _whole(self, name: str) -> Iterator[IO[str]]:
        """Where one result is written; what was there before stays where that is not done to its end. Raises OSError."""
        with NamedTemporaryFile("w", encoding="utf-8", dir=self.directory, prefix=f".{name}.", delete=False) as stream:
            try:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
                Path(stream.name).replace(self.path(name))
            except BaseException:
                Path(stream.name).unlink(missing_ok=True)
                raise

    def traffic_of(self, worker: str) -> Path:
        """Where one process of a run writes its traffic."""
        return self.path(f"traffic-{worker}.har")

    def merge_traffic(
        self, redactor: Redactor, marks: Mapping[str, Sequence[Mark]]
    ) -> tuple[Mapping[str, str], ObservedEntry | None]:
        """Put what several processes wrote into one HAR file, in the order in which it was sent, with what each exchange is
        evidence of; its digest, by its name, and how the target answered. The file of a process that was killed stays as it is.

        One may have been told a secret that only another knew to be one: `redactor` knows those of all. Raises OSError.
        """
        parts = sorted(self.directory.glob("traffic-*.har"))
        whole = [path for path in parts or [self.path(TRAFFIC)] if path.exists()]
        found = None
        while whole and found is None:
            try:
                with self._whole(TRAFFIC) as stream:
                    found = write_traffic(stream, whole, redactor, marks, in_order=bool(parts))
            except NotWhole as error:
                whole.remove(error.path)
        for part in whole if parts else ():
            part.unlink()
        return {TRAFFIC: digest_of_file(self.path(TRAFFIC))} if self.path(TRAFFIC).exists() else {}, found
