"""A Redis server of a test's own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SERVER: Final = "redis-server"
HOST: Final = "127.0.0.1"
PATIENCE_SECONDS: Final = 20


class NoRedis(Exception):
    """There is no redis-server on this machine, or it does not start."""


@dataclass(frozen=True)
class StagedRedis:
    """A Redis server that answers."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where it is, as a target file names it."""
        return f"redis://{HOST}:{self.port}/0"

    def stop(self) -> None:
        """End it at once: what it kept is gone. Another one can then have its port."""
        self.process.kill()
        self.process.wait()


@contextmanager
def redis_server(directory: Path, *, port: int = 0) -> Iterator[StagedRedis]:
    """An empty server that keeps nothing on disk; port 0 takes any free one. Raises NoRedis where there is none."""
    command = shutil.which(SERVER)
    if command is None:
        raise NoRedis(f"{SERVER} is not installed, and this test needs a real one: apt-get install redis-server")
    port = port or _free_port()
    options = ["--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "no", "--dir", str(directory)]
    log = directory / "redis.log"
    with log.open("wb") as output, subprocess.Popen([command, *options], stdout=output, stderr=output) as process:
        redis = StagedRedis(port, process)
        try:
            _await_pong(redis, log)
            yield redis
        finally:
            redis.stop()


def _await_pong(redis: StagedRedis, log: Path) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends and redis.process.poll() is None:
        if _answers(redis.port):
            return
        time.sleep(0.02)
    raise NoRedis(f"{SERVER} does not answer on port {redis.port}: {log.read_text(encoding='utf-8', errors='replace')}")


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
