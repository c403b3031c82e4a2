"""MariaDB in a folder of its own, for the small servers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final

NOWHERE: Final = subprocess.DEVNULL


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def waited(connect: Callable[[], object], process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Until it can be connected to."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            connect()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit(f"process {process.pid} does not listen")


NAME: Final = f"koncili_{os.getpid()}"
"""The database's, of each process its own: several may share a server."""


@contextmanager
def running(statements: str, listening: Sequence[str] = ("--skip-networking",)) -> Iterator[Path]:
    """The socket of a server with a new database that these statements have filled; its user is root, without a password.

    It is the server whose socket STACKS_MARIADB names, or one that is started, which takes some seconds."""
    shared = os.environ.get("STACKS_MARIADB")
    with nullcontext(Path(shared)) if shared else server(listening) as place:
        command = ["mariadb", "--no-defaults", f"--socket={place}", "-uroot"]
        made = f"CREATE DATABASE {NAME} CHARACTER SET utf8mb4; USE {NAME}; {statements}"
        subprocess.run(command, input=made.encode(), check=True)
        try:
            yield place
        finally:
            subprocess.run(command, input=f"DROP DATABASE {NAME}".encode(), check=True)


@contextmanager
def server(listening: Sequence[str] = ("--skip-networking",)) -> Iterator[Path]:
    """The socket of a server of its own, ended with the block."""
    with tempfile.TemporaryDirectory(prefix="koncili-mariadb-") as directory:
        data, place = Path(directory, "data"), Path(directory, "socket")
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
             "--skip-test-db", "--user=root"], check=True, stdout=NOWHERE, stderr=NOWHERE,
        )  # fmt: skip
        process = subprocess.Popen(
            ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={place}", *listening, "--user=root",
             "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M"], stdout=NOWHERE, stderr=NOWHERE,
        )  # fmt: skip

        def reach() -> None:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(place))

        try:
            waited(reach, process)
            yield place
        finally:
            process.terminate()
            process.wait()
