"""What holds for all of the suite's own tests."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from conformance.compat.frames import with_room
from tests.suite.support.command_runs import kept_in
from tests.suite.support.no_power_cuts import wait_for_no_disk

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # begun with & by a script: whatever the tests start would ignore it, too
    signal.signal(signal.SIGINT, signal.default_int_handler)

wait_for_no_disk()

WAITING: Final = ("tests/suite/run/", "tests/suite/commandline/", "tests/suite/target/test_bad_answers.py")


def pytest_configure() -> None:
    """How fast a machine draws and runs examples is no test's business."""
    usual = settings.get_profile(settings.get_current_profile_name())
    settings.register_profile("slow machine", usual, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("slow machine")


def pytest_collectstart() -> None:
    """Only where tests are collected: the process that hands them out to others would look for no garbage ever after."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Twenty thousand tests are no garbage: not while they are collected, nor each time that Python looks for some."""
    gc.enable()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits more than it computes comes first: at the end it would keep one process, and leave the machine idle."""
    items.sort(key=lambda item: not item.nodeid.startswith(WAITING))  # otherwise as they were


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tests that certify in this process take as long as the command does, where frames have room."""
    vars(item)["runtest"] = partial(with_room, item.runtest)


@pytest.fixture(scope="session")
def _states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Paths at which nothing is yet. No `tmp_path` of each test: pytest looks through all that there are for each new one, which
    for twenty thousand tests took minutes."""
    directory = tmp_path_factory.mktemp("own-states")
    return (directory / str(number) for number in count())


@pytest.fixture(autouse=True)
def _state_of_ones_own(_states: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs share belongs to the test, not to whoever runs it, nor to the other tests."""
    for name, value in kept_in(next(_states)).items():
        monkeypatch.setenv(name, value)
