"""What tests of the engine have in common."""

from __future__ import annotations

import time

import pytest

from conformance.engine.bench import Bench
from conformance.mock.koncili import Koncili
from conformance.run.mock_control import Control, local_control
from conformance.run.session import Session


@pytest.fixture
def mocks(monkeypatch: pytest.MonkeyPatch) -> list[Koncili]:
    """The mocks that sessions of the test have."""
    mocks = list[Koncili]()

    def noted_control(koncili: Koncili) -> Control:
        mocks.append(koncili)
        return local_control(koncili)

    monkeypatch.setattr("conformance.run.session.local_control", noted_control)
    return mocks


@pytest.fixture
def without_a_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a clock nor notifications; what is waited for passes by the mock's clock."""
    opened = Bench.__post_init__

    def begin(bench: Bench) -> None:
        opened(bench)
        control = bench.session.control
        assert control is not None
        passed = 0.0

        def pass_by(seconds: float) -> None:
            nonlocal passed
            passed += seconds
            control.advance(seconds)

        monkeypatch.setattr(bench.session.waiting, "sleep", pass_by)
        monkeypatch.setattr(bench.session.waiting, "clock", lambda: time.monotonic() + passed)
        bench.session.control = None

    monkeypatch.setattr(Bench, "__post_init__", begin)
    monkeypatch.setattr(Session, "inbox", None)
    monkeypatch.setattr(Session, "shrinks", False)
