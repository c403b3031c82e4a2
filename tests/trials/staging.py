"""Starts the server of the trials and runs of the suite against it, and measures them from outside."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from tests.suite.support.command_runs import COMMAND, without_ci
from tests.trials import world

ROOT: Final = Path(__file__).parents[2]
PATIENCE_SECONDS: Final = 300.0
CODE_OF_A_RUN_THAT_DID_NOT_END: Final = -99


@dataclass(frozen=True)
class Server:
    """A server that listens, seen from outside."""

    ports: Sequence[int]
    control: int

    @property
    def base_url(self) -> str:
        """Where Koncili begins."""
        return f"http://127.0.0.1:{self.ports[0]}"

    def told(self) -> dict[str, Any]:
        """What it has counted, and what is left there."""
        return self._ask("GET")

    def trail(self) -> list[str]:
        """The last calls, the oldest first."""
        return list(self._ask("GET", path="/trail")["trail"])

    def set(self, **settings: Any) -> None:
        """Plans of accidents, and manners."""
        self._ask("POST", json.dumps(settings))

    @property
    def requests(self) -> int:
        """How many it got."""
        return int(self.told()["requests"])

    def _ask(self, method: str, body: str | None = None, path: str = "/") -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.control, timeout=30)
        try:
            connection.request(method, path, body)
            told: dict[str, Any] = json.loads(connection.getresponse().read())
            return told
        finally:
            connection.close()


@contextmanager
def served(**settings: Any) -> Iterator[Server]:
    """A server with an empty world."""
    command = [sys.executable, "-m", "tests.trials.server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ports = json.loads(process.stdout.readline())
            server = Server(ports["ports"], ports["control"])
            if settings:
                server.set(**settings)
            yield server
        finally:
            process.kill()


@dataclass
class Ended:
    """How a command ended."""

    code: int
    output: str
    errors: str
    seconds: float
    megabytes: float
    """The most memory that one of its processes had."""

    @property
    def last(self) -> str:
        """Its last words."""
        lines = [line.strip() for line in (self.errors + "\n" + self.output).splitlines() if line.strip()]
        return lines[-1][:160] if lines else ""

    @property
    def traceback(self) -> bool:
        """Whether it broke down in a way that no user should see."""
        return any(word in self.output + self.errors for word in ("Traceback (most recent", "INTERNALERROR"))


@dataclass
class Going:
    """A command that is going on."""

    process: subprocess.Popen[bytes]
    _files: tuple[Any, Any]
    _begun: float = field(default_factory=time.monotonic)

    def kill(self, number: int = signal.SIGKILL, *, whole: bool = True) -> None:
        """Send a signal to it, and to all that it has started."""
        with suppress(ProcessLookupError):
            (os.killpg if whole else os.kill)(self.process.pid, number)

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended."""
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    @property
    def said(self) -> str:
        """What it has printed so far; read without moving the place where it goes on printing."""
        return "".join(os.pread(file.fileno(), 1 << 20, 0).decode(errors="replace") for file in self._files)

    def end(self, patience: float = PATIENCE_SECONDS) -> Ended:
        """Wait for its end; it is killed where that does not come."""
        until, late = time.monotonic() + patience, False
        while True:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                break
            if not late and time.monotonic() > until:
                self.kill()
                late = True
            time.sleep(0.02)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - self._begun
        self.kill()  # what it may have left
        told = []
        for file in self._files:
            file.seek(0)
            told.append(file.read().decode(errors="replace"))
            file.close()
        code = CODE_OF_A_RUN_THAT_DID_NOT_END if late else self.process.returncode
        return Ended(code, told[0], told[1], seconds, usage.ru_maxrss / 1024)


@dataclass
class Place:
    """A directory in which runs have their target files, state and reports."""

    path: Path
    server: Server
    budget: int = 400
    coordination: str = "sqlite"

    @property
    def state(self) -> Path:
        """XDG_STATE_HOME of the runs."""
        return self.path / "state"

    @property
    def cache(self) -> Path:
        """XDG_CACHE_HOME of the runs."""
        return self.path / "cache"

    def target(self, called: str = "sandbox", /, **changes: Any) -> Path:
        """A target file; changes replace its keys, None leaves one out."""
        table = {
            "name": "trial",
            "environment": "sandbox",
            "base_url": self.server.base_url,
            "integrator": world.INTEGRATOR,
            "pace": "unlimited",
            "error_budget": self.budget,
            "coordination": self.coordination,
            "credentials": {"email": world.EMAIL, "password": world.PASSWORD},
            "accounts": [{"id": one, "channel": world.CHANNEL} for one in (world.ACTIVE, world.SECOND)],
            "fixtures": {
                "inactive_account": {"id": world.INACTIVE, "channel": world.CHANNEL},
                "disabled_account": {"id": world.DISABLED, "channel": world.CHANNEL},
                "unauthorised_channel": {"id": world.ACTIVE, "channel": world.OTHER_CHANNEL},
                "foreign_order": {
                    "id": world.ACTIVE, "channel": world.CHANNEL, "marketplaceCode": world.FOREIGN_CODE,
                },
            },
            "readings": READINGS,
            **changes,
        }  # fmt: skip
        from conformance.mock.target import to_toml

        path = self.path / f"{called}.toml"
        path.write_text(to_toml({key: value for key, value in table.items() if value is not None}), encoding="utf-8")
        return path

    def start(self, *arguments: str, before: Sequence[str] = (), **rest: Any) -> Going:
        """`koncili-conformance` with those arguments; `before` stands before it, such as a wrapper."""
        return self.run([*before, str(COMMAND), *arguments], **rest)

    def run(
        self,
        command: Sequence[str],
        *,
        state: Path | None = None,
        cwd: Path = ROOT,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Going:
        """Any command, in the environment of the runs; a variable of "" is not set."""
        files = (tempfile.TemporaryFile(), tempfile.TemporaryFile())  # noqa: SIM115 - closed when it has ended
        own = {"XDG_STATE_HOME": str(state or self.state), "XDG_CACHE_HOME": str(self.cache), "HOME": str(self.path)}
        told = {**without_ci(), **own, **environment}
        return Going(
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=files[0], stderr=files[1], start_new_session=True, cwd=cwd,
                env={name: value for name, value in told.items() if value},
            ),
            files,
        )  # fmt: skip

    def certify(self, *more: str, target: Path | None = None, patience: float = PATIENCE_SECONDS, **rest: Any) -> Ended:
        """A whole run of `certify`."""
        return self.begin(*more, target=target, **rest).end(patience)

    def begin(self, *more: str, target: Path | None = None, reports: str = "reports", **rest: Any) -> Going:
        """The same, going on."""
        path = self.path / "sandbox.toml"
        chosen = target or (path if path.exists() else self.target())
        options = ["certify", "--target", str(chosen), "--reports", str(self.path / reports), "--no-html"]
        return self.start(*options, *more, **rest)

    def cleanup(self, *more: str, target: Path | None = None, patience: float = PATIENCE_SECONDS, **rest: Any) -> Ended:
        """A whole run of `cleanup`."""
        chosen = target or self.path / "sandbox.toml"
        return self.start("cleanup", "--target", str(chosen), *more, **rest).end(patience)

    def certificate(self, reports: str = "reports") -> Mapping[str, Any] | None:
        """The certificate that the last run left."""
        path = self.path / reports / "certificate.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def verdicts(self, reports: str = "reports") -> dict[str, str]:
        """The verdict on each rule."""
        return {one["id"]: one["verdict"] for one in (self.certificate(reports) or {"rules": []})["rules"]}

    def after(self, requests: int, going: Going, patience: float = 60.0) -> Going:
        """Wait until the server got so many requests, or the command ended."""
        until = time.monotonic() + patience
        while self.server.requests < requests and going.goes_on and time.monotonic() < until:
            time.sleep(0.01)
        return going


@contextmanager
def place(*, budget: int = 400, coordination: str = "sqlite", **settings: Any) -> Iterator[Place]:
    """A server, and a directory for runs against it."""
    with served(**settings) as server, tempfile.TemporaryDirectory(prefix="trial-") as directory:
        yield Place(Path(directory), server, budget, coordination)


READINGS: Final = {
    "extract-types": "workflow", "value-mismatch": "rejected", "account-id-type": "either",
    "adjacent-periods": "allowed", "period-bounds": "inclusive", "token-lifetime": "two-hours",
    "total-net-value": "unchecked", "empty-extracts": "rejected", "scalar-coercion": "rejected", "whole-as-decimal": "accepted",
}  # fmt: skip
