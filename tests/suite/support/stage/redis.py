"""A Redis server of a test's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import redis

from conformance.target.shared.store_redis import RedisStore
from tests.suite.support.stage.ports import free_port

SERVER: Final = os.environ.get("KONCILI_REDIS_SERVER", "redis-server")
"""The server, by its name or path: valkey-server does as well."""

HOST: Final = "127.0.0.1"
PATIENCE_SECONDS: Final = 20


AN_HOUR_AND_MORE: Final = 2 * 3600


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

    def command(self, *words: str) -> Any:
        """Have it carry out a command."""
        with closing(redis.Redis.from_url(self.url, decode_responses=True)) as client:
            return client.execute_command(*words)  # type: ignore[no-untyped-call]

    def key(self, name: str) -> str:
        """The key of a store that ends so."""
        (key,) = [key for key in self.command("KEYS", "koncili-conformance:*") if key.endswith(f":{name}")]
        return str(key)

    def is_known_for_an_hour(self, integrator: str) -> None:
        """As if runs of that integrator had shared it for longer than an hour: a new store gives only a part of the budget."""
        with closing(RedisStore(self.url, sha256(integrator.encode()).hexdigest()[:16])) as store:
            store.now()
        self.command("HINCRBYFLOAT", self.key("about"), "made", str(-AN_HOUR_AND_MORE))

    def stop(self) -> None:
        """End it at once: what it kept is gone. Another one can then have its port."""
        self.process.kill()
        self.process.wait()


@contextmanager
def redis_server(
    directory: Path, *settings: str, port: int = 0, saves: str = "", appends: bool = False
) -> Iterator[StagedRedis]:
    """A server on any free port, or on this one. It is empty and keeps nothing on disk, unless it `saves` now and then or
    `appends` to a file what it is told: another one in the same directory then begins with that. More settings are options of
    its command line. Raises NoRedis where there is none."""
    command = shutil.which(SERVER)
    if command is None:
        raise NoRedis(f"{SERVER} is not installed, and this test needs a real one: apt-get install redis-server")
    port = port or free_port()
    options = ["--port", str(port), "--bind", HOST, "--dir", str(directory), "--save", saves]
    options += ["--appendonly", "yes" if appends else "no", *settings]
    log = directory / "redis.log"
    with log.open("wb") as output, subprocess.Popen([command, *options], stdout=output, stderr=output) as process:
        staged = StagedRedis(port, process)
        try:
            _await_pong(staged, log)
            yield staged
        finally:
            staged.stop()


def _await_pong(staged: StagedRedis, log: Path) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends and staged.process.poll() is None:
        if _answers(staged.port):
            return
        time.sleep(0.02)
    raise NoRedis(
        f"{SERVER} does not answer on port {staged.port}: {log.read_text(encoding='utf-8', errors='replace')}"
    )


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False
