"""A process may be killed between any two writes of what it knows; whoever comes after it finds what is there all the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.mock.koncili import Koncili
from tests.suite.support.live_runs import Killed, OneRun, left, one_run

A, B = "701-0000000-0000001", "701-0000000-0000002"
LATER: Final = {"periodInitDate": "2024-03-01T00:00:00Z", "periodEndDate": "2024-03-02T00:00:00Z"}
WITHIN: Final = {"createdDate": "2024-03-01T12:00:00Z", "releasedDate": "2024-03-01T12:00:00Z"}


def _completes_two(run: OneRun) -> None:
    run.submit(A)
    run.release(A, run.create())
    run.live.waiting.sleep(5)
    run.submit(B)
    run.release(B, run.create(**LATER), **WITHIN)


def _leaves_one_active(run: OneRun) -> None:
    run.submit(A)
    run.create()
    run.live.tidy(last=True)


WAYS: Final = {"completes two": _completes_two, "leaves one active": _leaves_one_active}


def _killed_at_write(run: OneRun, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its `number`th write on nothing is written."""
    writes = count(1)
    store = run.live.store
    for name in ("put", "drop"):
        write: Callable[..., None] = getattr(store, name)

        def or_die(*args: Any, write: Callable[..., None] = write) -> None:
            if next(writes) >= number:
                raise Killed
            write(*args)

        monkeypatch.setattr(store, name, or_die)


@pytest.mark.parametrize("rescuers", [1, 2], ids=["a run", "a run and who clears away after it"])
@pytest.mark.parametrize("way", WAYS)
def test_what_it_left_is_found(way: str, rescuers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in count(1):
        koncili, store = Koncili(), tmp_path / f"{number}.sqlite"
        for home in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):  # what is kept apart from the store is of another mock
            monkeypatch.setenv(home, str(tmp_path / f"{number} {home}"))
        with one_run(koncili, store) as run, monkeypatch.context() as patch:
            _killed_at_write(run, number, patch)
            try:
                WAYS[way](run)
            except Killed:
                killed = True
            else:
                killed = False
            patch.undo()
            run.die()
        if rescuers == 2:
            with one_run(koncili, store) as rescuer, monkeypatch.context() as patch:
                _killed_at_write(rescuer, number, patch)
                with suppress(Killed):
                    rescuer.live.rescue_all()
                patch.undo()
                rescuer.die()
        with one_run(koncili, store) as rescuer:
            rescuer.live.rescue_all()
            assert rescuer.live.recovery.report.undone == [], number
        assert left(koncili) == ([], []), number
        if not killed:
            break
    assert number > 5
