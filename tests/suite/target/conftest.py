"""A client of a server that answers as it is told, and a session with the mock."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from conformance.run.session import Options, Session, open_session
from conformance.target.wire.client import KonciliClient
from tests.suite.support.told_server import Server, connect


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def client(server: Server) -> Iterator[KonciliClient]:
    with connect(server) as client:
        yield client


@pytest.fixture
def session() -> Iterator[Session]:
    session = open_session(Options())
    yield session
    session.close()


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have slept, each time."""
    naps: list[float] = []
    monkeypatch.setattr(time, "sleep", naps.append)
    return naps
