"""An audit in parts finds the same as one of the whole: certificate and books, byte for byte but for the times of the audit."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.audit.books import as_csv
from conformance.audit.books_page import books_page
from conformance.audit.run import Audited, Work, audit, by_workers
from conformance.audit.sharded.crew import processes
from conformance.audit.sharded.routing import NOBODY
from conformance.traffic.exchange import NOT_RECORDED, Exchange
from conformance.traffic.ndjson import line_of
from examples.integrator.mistakes import MISTAKES
from tests.suite.audit.test_any_recording import recordings
from tests.suite.audit.test_outcome import SECRETS, command, faulty
from tests.suite.support.bodies import CODE, creation, entries, order, release
from tests.suite.support.in_parts import Here, in_parts_of
from tests.suite.support.integrations import record
from tests.suite.support.recorded_calls import HEADERS, QUERY, Recording

RECORDINGS: Final = Path(__file__).parents[1] / "traffic" / "recordings"
TINY: Final = 2_000
"""Bytes of a part: one or two calls."""


def results(audited: Audited) -> tuple[str, str, str]:
    """Certificate, books and their page, without the times of the audit."""
    certificate = json.loads(audited.certificate.to_json())
    for name in ("startedAt", "finishedAt", "digest"):
        certificate.pop(name, None)
    books = audited.auditor.books
    return json.dumps(certificate), as_csv(books), books_page(books, audited.certificate)


def is_alike(files: Sequence[Path], *, part_bytes: int = TINY, crew: Here | None = None, **how: Any) -> bool:
    """Whether both ways find the same in these files."""
    whole = results(audit(files, **how))
    assert results(audit(files, work=in_parts_of(part_bytes, crew), **how)) == whole
    return True


@pytest.fixture(scope="module")
def integrations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Recordings of the example, and of each of its mistakes."""
    folder = tmp_path_factory.mktemp("integrations")
    found = {name or "none": folder / f"{name}.ndjson" for name in (None, *MISTAKES)}
    for name, path in found.items():
        record(path, mistake=None if name == "none" else name)
    return found


@pytest.mark.parametrize(
    "path",
    sorted(path for path in RECORDINGS.iterdir() if path.is_file() and path.suffix != ".md"),
    ids=lambda path: path.name,
)
def test_what_recorders_wrote_is_found_alike(path: Path) -> None:
    assert is_alike([path])


@pytest.mark.parametrize("mistake", ["none", *MISTAKES])
def test_each_mistake_is_found_alike(mistake: str, integrations: dict[str, Path]) -> None:
    crew = Here()
    assert is_alike([integrations[mistake]], crew=crew)
    assert crew.parts > 5


def test_several_recordings_at_once_are_found_alike(integrations: dict[str, Path]) -> None:
    files = [
        integrations["recalculated"],
        RECORDINGS / "mock.ndjson",
        RECORDINGS / "mitmproxy.zhar",
        RECORDINGS / "vcr.yaml",
    ]
    assert is_alike(files)
    assert is_alike(files[::-1], part_bytes=10**6)


def test_stated_readings_and_a_base_url_are_taken_alike(integrations: dict[str, Path]) -> None:
    base_url = "http://127.0.0.1:8765"
    assert is_alike([integrations["own-status"]], readings={"extract-types": "portal"}, base_url=base_url)
    assert is_alike([integrations["own-status"]], base_url="https://elsewhere.example")


def in_a_file(exchanges: Sequence[Exchange], folder: Path | str) -> Path:
    """The exchanges as lines of JSON, as they come."""
    path = Path(folder) / "day.ndjson"
    path.write_bytes(b"".join(map(line_of, exchanges)))
    return path


ACCOUNTS: Final = ("19055", '"19055"', "19056", "19055.0", '"one"', "null", "20001")


@st.composite
def of_several_accounts(draw: st.DrawFn) -> list[Exchange]:
    """Some exchanges, of several accounts."""
    found = []
    for exchange in draw(recordings()):
        account = draw(st.sampled_from(ACCOUNTS)).encode()
        request, body = exchange.request, exchange.request.body
        if isinstance(body, bytes):
            body = body.replace(b"19055", account) if b'"accountId": 19055' in body else body
        url = request.url.replace("19055", account.decode().strip('"'))
        found.append(replace(exchange, request=replace(request, body=body, url=url)))
    return found


def writable(exchange: Exchange) -> bool:
    """Whether a line of JSON can hold it."""
    try:
        line_of(exchange)
    except (UnicodeEncodeError, OverflowError):
        return False
    return True


def test_a_call_to_what_is_not_documented_says_nothing_of_an_accounts_server(tmp_path: Path) -> None:
    recording = Recording()
    recording.call("GET", "/reconciliation", creation())
    recording.call("POST", "/order", order(), host="")
    assert is_alike([in_a_file(recording.exchanges, tmp_path)], part_bytes=500)


@settings(deadline=None)
@given(exchanges=of_several_accounts())
def test_any_recording_is_found_alike(exchanges: list[Exchange]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert is_alike([in_a_file([one for one in exchanges if writable(one)], folder)], part_bytes=500)


# -- what ties accounts together -----------------------------------------------------------------------------------


def two_accounts() -> Iterator[tuple[str, Callable[[Recording], object]]]:
    """Calls after an order and a reconciliation of account 19055 that are about another one."""
    other: dict[str, Any] = {"accountId": 19056}
    yield "a release by another account", lambda day: day.release(release(**other), status=400)
    yield "a release by nobody", lambda day: day.release(release(accountId="one"), status=400)
    yield "the same id again", lambda day: day.open(creation(**other))
    yield (
        "a notification of another account",
        lambda day: day.notify({**other, "reconciliationId": 237, "situation": "ERROR"}),
    )
    yield "a notification of nobody", lambda day: day.notify({"reconciliationId": 237, "situation": "CONCILIED"})


@pytest.mark.parametrize("calls", [call for _, call in two_accounts()], ids=[name for name, _ in two_accounts()])
def test_accounts_that_name_one_reconciliation_are_judged_together(
    calls: Callable[[Recording], object], tmp_path: Path
) -> None:
    day = Recording()
    day.log_in()
    day.submit(order())
    day.look_up(answer=order())
    day.open(creation())
    calls(day)
    day.release(release())
    day.release(release(CODE), status=400)
    day.notify({"accountId": 19055, "reconciliationId": 237, "situation": "CONCILIED"})
    crew = Here()
    assert is_alike([in_a_file(day.exchanges, tmp_path)], crew=crew)
    assert any(len(buckets) > 1 for buckets in crew.groups)


def test_accounts_apart_are_judged_apart(tmp_path: Path) -> None:
    day = Recording()
    for number, account in enumerate((19055, 19056, 20001, 20002)):
        query = QUERY.replace("19055", str(account))
        day.submit(order(accountId=account))
        day.look_up(query, answer=order(accountId=account))
        day.open(creation(accountId=account), number=237 + number)
        day.release(release(accountId=account, reconciliationId=237 + number, releases=entries(("SALE", "1.00"))))
    day.call("GET", "/my-accounts", headers=HEADERS)
    crew = Here()
    assert is_alike([in_a_file(day.exchanges, tmp_path)], crew=crew)
    assert {NOBODY} in crew.groups
    assert len(crew.groups) >= 4
    assert all(len(buckets) == 1 for buckets in crew.groups)


def test_a_base_url_that_only_a_body_shows_is_known_alike(tmp_path: Path) -> None:
    day = Recording()
    how: dict[str, Any] = {"host": "https://gateway.example", "headers": {}}
    day.call("GET", "/status", host="https://gateway.example", headers=HEADERS)
    day.submit(order(status="SHIPPED"), **how)
    day.call("GET", "/my-accounts", **how)
    day.call("GET", "/status", host="https://gateway.example", headers=HEADERS, status=404)
    path = in_a_file(day.exchanges, tmp_path)
    assert is_alike([path])
    assert audit([path]).auditor.counts.calls == 3


def test_secrets_are_blotted_out_alike(tmp_path: Path) -> None:
    path = in_a_file(faulty().exchanges, tmp_path)
    assert is_alike([path])
    certificate, *_ = results(audit([path], work=in_parts_of(TINY)))
    assert not [secret for secret in SECRETS if secret in certificate]


# -- parts of a file -----------------------------------------------------------------------------------------------


def test_a_call_without_a_time_follows_the_one_before_it_across_parts(tmp_path: Path) -> None:
    day = Recording()
    for number in range(6):
        day.submit(order(f"A-{number}", note="n" * 3_000))
        day.look_up(QUERY.replace(CODE, f"A-{number}"), answer=order(f"A-{number}"))
    exchanges = [replace(one, started=NOT_RECORDED) if one.origin.entry % 4 else one for one in day.exchanges]
    for part_bytes in (500, 1_500, 4_000):
        assert is_alike([in_a_file(exchanges, tmp_path)], part_bytes=part_bytes)


def test_what_is_broken_in_a_part_is_told_as_of_the_whole(tmp_path: Path) -> None:
    day = Recording()
    for number in range(8):
        day.submit(order(f"A-{number}", status="SHIPPED"))
    lines = [line_of(one) for one in day.exchanges]
    odd = [b"\n", b"{broken\n", b"\r\n", b'{"request": {}}\n', b" " * 3_000 + b"\n", b"[" * 3_000 + b"\n"]
    path = tmp_path / "day.ndjson"
    path.write_bytes(
        b"".join(line for pair in zip(lines, [*odd, b"", b""], strict=True) for line in pair) + lines[0][:-9]
    )
    for part_bytes in (100, 700, 5_000):
        assert is_alike([path], part_bytes=part_bytes)
    problems = audit([path]).certificate.recording
    assert problems is not None
    assert len(problems.problems) == 4


def test_worker_processes_find_the_same(integrations: dict[str, Path]) -> None:
    files = [integrations["recalculated"], RECORDINGS / "mitmproxy.har"]
    work: Work = by_workers(2, part_bytes=20_000)
    assert results(audit(files, work=work)) == results(audit(files))


def test_the_command_lets_workers_work(integrations: dict[str, Path], tmp_path: Path) -> None:
    day = integrations["recalculated"]
    told = [
        command("audit", day, "--reports", tmp_path / name, *how)
        for name, how in (("one", ()), ("two", ("--workers", "2")))
    ]
    one, two = (done.stdout.replace(str(tmp_path / name), "") for done, name in zip(told, ("one", "two"), strict=True))
    assert told[0].returncode == told[1].returncode == 1
    assert one == two


def interrupted(endless: Path, writing: ExitStack) -> Future[bytes]:
    """What a worker was at when its audit was interrupted: it reads what never ends."""
    with suppress(KeyboardInterrupt), processes(1) as crew:
        reading = crew.begin(Path.read_bytes, endless)
        writing.enter_context(endless.open("wb"))  # as soon as the worker has opened it
        raise KeyboardInterrupt
    return reading


def test_an_interrupted_audit_waits_for_no_worker(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless")
    with ExitStack() as writing:
        assert isinstance(interrupted(tmp_path / "endless", writing).exception(), BrokenProcessPool)
