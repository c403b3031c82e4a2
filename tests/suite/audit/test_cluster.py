"""An audit by the workers of a Dask cluster, which share no memory, and one of which is killed in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.audit.run import audit, by_cluster
from conformance.audit.sharded.merging import known_of
from conformance.errors import CannotRun
from conformance.traffic.remote import Remote, matching
from tests.suite.audit.test_in_parts import results
from tests.suite.audit.test_outcome import command
from tests.suite.support.integrations import record

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PATIENCE_SECONDS: Final = 120


@dataclass
class Cluster:
    """A scheduler and its workers, processes of their own."""

    address: str
    workers: list[subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers."""
    from distributed import Client  # which takes every process that collects the tests a second

    folder = tmp_path_factory.mktemp("cluster")
    known = folder / "scheduler.json"
    dask = str(Path(sys.executable).parent / "dask")
    environment = {**os.environ, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "error"}
    how = ["--scheduler-file", str(known), "--no-dashboard"]
    with ExitStack() as closing, (folder / "log").open("wb") as log:

        def begin(*words: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen([dask, *words], stdout=log, stderr=log, cwd=folder, env=environment)
            closing.callback(process.wait)
            closing.callback(process.kill)
            return process

        begin("scheduler", "--host", "127.0.0.1", "--port", "0", *how)
        address = _address_in(known)
        worker = ("worker", "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", *how)
        workers = [begin(*worker, "--local-directory", str(folder / name)) for name in ("one", "two")]
        with Client(address, timeout=PATIENCE_SECONDS, set_as_default=False) as client:
            client.wait_for_workers(len(workers), timeout=PATIENCE_SECONDS)
        yield Cluster(address, workers)


def _address_in(path: Path) -> str:
    """The address that a scheduler has written down."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        try:
            return str(json.loads(path.read_text())["address"])
        except (OSError, ValueError):  # not yet, or not whole
            time.sleep(0.05)
    raise AssertionError("the scheduler did not begin")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Remote]:
    """Recordings that lie together, compressed and not, by their URLs."""
    folder = tmp_path_factory.mktemp("recorded")
    for name in ("recalculated", "at-once", "no-integrator"):
        day = folder / f"{name}.ndjson"
        record(day, mistake=name)
        if name != "at-once":
            (folder / f"{name}.ndjson.zst").write_bytes(zstd.compress(day.read_bytes()))
            day.unlink()
    found = matching(f"file://{folder}/*.ndjson*")
    assert len(found) == 3
    return found


def test_a_cluster_finds_the_same_though_a_worker_is_killed(
    cluster: Cluster, recorded: Sequence[Remote], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = results(audit(recorded))
    assert results(audit(recorded, work=by_cluster(cluster.address, part_bytes=9_000))) == alone

    killed = []

    def kill_and_learn(*known: Any, **how: Any) -> Any:
        """Between the passes: what it held is needed in the second."""
        cluster.workers[0].kill()
        killed.append(cluster.workers[0].wait())
        return known_of(*known, **how)

    monkeypatch.setattr("conformance.audit.sharded.run.known_of", kill_and_learn)
    assert results(audit(recorded, work=by_cluster(cluster.address, part_bytes=9_000))) == alone
    assert len(killed) == 1


def test_a_scheduler_that_is_not_there_is_told(recorded: Sequence[Remote], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.audit.sharded.cluster.PATIENCE_SECONDS", 1)
    with pytest.raises(CannotRun, match="no scheduler is to be reached"):
        audit(recorded, work=by_cluster("tcp://127.0.0.1:9"))


def test_workers_and_a_cluster_are_not_given_together(tmp_path: Path) -> None:
    done = command("audit", "day.ndjson", "--workers", "2", "--dask", "tcp://127.0.0.1:9", "--reports", tmp_path)
    assert done.returncode == 3
    assert "give one of them" in done.stderr


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("file:///nowhere/at/all/day.har", "day.har"),
        ("file:///nowhere/at/all/*.har", "names no recording"),
        ("nonsense://me:secret-4711@bucket/day.har", "can't be opened"),
    ],
)
def test_a_url_that_names_no_recording_ends_with_3(url: str, told: str, tmp_path: Path) -> None:
    done = command("audit", url, "--reports", tmp_path)
    assert done.returncode == 3
    assert told in done.stderr
    assert "secret-4711" not in done.stderr
    assert "Traceback" not in done.stderr
