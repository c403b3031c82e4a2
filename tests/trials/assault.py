"""What an attack on the budget of client errors has to work with: runs that spend all they can, stores, clocks, and the table.

An attack is a function that does its worst; what it got out of the server within any hour decides. Its docstring says what it is.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.suite.support.stage.redis import StagedRedis, redis_server
from tests.trials import world
from tests.trials.staging import ROOT, Ended, Going, Place, served
from tests.trials.table import Row

SQLITE, REDIS = "sqlite", "redis"
PROMISED: Final = 450
"""No target may get more within an hour, whatever happens."""

SPENDS: Final = ("--profile", "deep", *(p for r in ("AUTH-02", "QRY-02", "DEL-02", "ORD-13") for p in ("--rule", r)))
"""A run that spends all there is: many examples of rules that refuse."""

WAITS: Final = re.compile(r"waiting \d+:\d\d (?:min|h)|waiting \d+ (?:min|h)")
"""What a run says where it waits for minutes, for the budget above all."""

ENDS_WITHIN_SECONDS: Final = 60.0

FAKETIME: Final = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
"""Debian's package faketime: shifts what a process reads of the wall clock, and not of the monotonic one."""


class NotTried(Exception):
    """What the attack needs is not there; the message says what."""


@dataclass
class Trial(Place):
    """One attack at work: its server, its directory, its store."""

    redis: StagedRedis | None = None
    ends: list[Ended] = field(default_factory=list)
    stack: list[Going] = field(default_factory=list)
    """What goes on."""
    exits: ExitStack = field(default_factory=ExitStack)
    """Ends what else was started for the trial."""
    has_faked: bool = False
    """Whether a clock was shifted: libfaketime lets time.sleep fail where a signal interrupts it, which is no run's fault."""
    _number: int = 0

    # -- runs ----------------------------------------------------------------------------------------------------------

    def spending(self, *more: str, target: Path | None = None, **rest: Any) -> Going:
        """A run that spends all that it gets, going on."""
        self._number += 1
        rest.setdefault("reports", f"reports{self._number}")
        going = self.begin(*SPENDS, *more, target=target, **rest)
        self.stack.append(going)
        return going

    def ended(self, going: Going, patience: float = 240.0) -> Ended:
        """Wait for its end, and note how it ended. What waits for minutes is ended as by Ctrl-C: it has spent all it gets."""
        until = time.monotonic() + patience
        while self.is_busy(going) and time.monotonic() < until:
            time.sleep(0.05)
        if going.goes_on:
            going.kill(signal.SIGINT)
        self.stack.remove(going)
        self.ends.append(going.end(ENDS_WITHIN_SECONDS))
        return self.ends[-1]

    @staticmethod
    def is_busy(going: Going) -> bool:
        """Whether it goes on and waits for nothing."""
        return going.goes_on and not WAITS.search(going.said)

    def spend(self, *more: str, target: Path | None = None, **rest: Any) -> Ended:
        """A whole run that spends all that it gets."""
        return self.ended(self.spending(*more, target=target, **rest))

    def clean(self, *more: str, target: Path | None = None, **rest: Any) -> Ended:
        """A `cleanup`."""
        self.ends.append(self.cleanup("--max-wait", "1s", *more, target=target, **rest))
        return self.ends[-1]

    def until(self, errors: int, *going: Going, patience: float = 120.0) -> None:
        """Wait until the server gave so many client errors, or none of these runs goes on."""
        ends = time.monotonic() + patience
        while self.errors < errors and time.monotonic() < ends and (not going or any(one.goes_on for one in going)):
            time.sleep(0.02)

    @property
    def errors(self) -> int:
        """Client errors so far."""
        return int(self.server.told()["clientErrors"])

    @property
    def some(self) -> int:
        """A third of the budget: a moment in the middle of a run."""
        return self.budget // 3

    # -- the store -----------------------------------------------------------------------------------------------------

    @property
    def stores(self) -> list[Path]:
        """The files of the stores in the state directory."""
        return sorted(self.state.rglob("*.sqlite"))

    def with_wal(self) -> list[Path]:
        """These, and what SQLite keeps beside them."""
        return [path for path in self.state.rglob("*") if path.is_file() and ".sqlite" in path.name]

    def tell(self, *words: str) -> None:
        """A command to Redis."""
        assert self.redis is not None
        told(self.redis.port, *words)

    # -- the clock -----------------------------------------------------------------------------------------------------

    def at(self, shift: str, *, monotonic: bool = False) -> dict[str, str]:
        """The environment of a run whose wall clock is so far ahead (`+30d`) or behind (`-2h`); its monotonic one too?"""
        return {**self._faked(), "FAKETIME": shift, "FAKETIME_DONT_FAKE_MONOTONIC": "0" if monotonic else "1"}

    def clock_file(self) -> tuple[Path, dict[str, str]]:
        """A file whose content is the shift of the clock, and the environment of a run that follows it."""
        path = self.path / "clock"
        path.write_text("+0")
        return path, {**self._faked(), "FAKETIME_TIMESTAMP_FILE": str(path), "FAKETIME_NO_CACHE": "1"}

    def _faked(self) -> dict[str, str]:
        self.has_faked = True
        if FAKETIME is None:
            raise NotTried("needs libfaketime: apt-get install faketime")
        return {"LD_PRELOAD": str(FAKETIME), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


Attack = Callable[[Trial], None]


@dataclass(frozen=True)
class Known:
    """An attack by name."""

    name: str
    does: Attack
    stores: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What it is."""
        return " ".join((self.does.__doc__ or "").split())


ATTACKS: Final[dict[str, Known]] = {}


def attack(*stores: str) -> Callable[[Attack], Attack]:
    """Enter an attack, for these stores."""

    def entered(does: Attack) -> Attack:
        name = does.__name__.replace("_", "-")
        ATTACKS[name] = Known(name, does, stores)
        return does

    return entered


@dataclass(frozen=True)
class Outcome:
    """What an attack got out of the server."""

    attack: str
    sentence: str
    store: str
    budget: int
    codes: Sequence[int]
    most: int
    """The most client errors in any hour, by the server."""
    left: Sequence[str]
    traceback: bool
    seconds: float
    said: str
    not_tried: str = ""

    @property
    def wins(self) -> bool:
        """Whether the promise is broken: more than 450 of 500, or as much of a smaller budget."""
        return self.most > PROMISED * self.budget / 400

    @property
    def row(self) -> Row:
        """For the table."""
        word = "BROKEN" if self.wins else "over its own budget" if self.most > self.budget else "held"
        left = f", left: {', '.join(self.left)}" if self.left else ""
        story = ", TRACEBACK" if self.traceback else ""
        seen = f"{self.most} client errors ({word}), exit codes {' '.join(map(str, self.codes))}{left}{story}"
        facts = {"most": self.most, "budget": self.budget, "codes": list(self.codes), "said": self.said}
        return Row(
            "budget", f"{self.attack} ({self.store})", self.sentence, f"at most {PROMISED * self.budget // 400}",
            f"not tried: {self.not_tried}" if self.not_tried else seen, self.wins or self.traceback, self.seconds, facts,
        )  # fmt: skip


def carry_out(known: Known, store: str, budget: int) -> Outcome:
    """Carry an attack out against a server of its own."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="trial-") as directory, served(blocks=False) as server:
        path, reason = Path(directory), ""
        with _store(store, path) as redis:
            if redis is not None:  # new ones give only a part of the budget anyway
                redis.is_known_for_an_hour(world.INTEGRATOR)
            trial = Trial(path, server, budget, redis.url if redis else "sqlite", redis=redis)
            trial.target()
            try:
                known.does(trial)
            except NotTried as cause:
                reason = str(cause)
            finally:
                while trial.stack:
                    trial.stack[-1].kill()
                    trial.ended(trial.stack[-1])
                trial.exits.close()
            told_ = server.told()
        left = [f"{len(told_[what])} {what}" for what in ("active", "deletable") if told_[what]]
        left += [f"{told_['overlaps']} overlaps"] if told_["overlaps"] else []
        return Outcome(
            known.name, known.sentence, store, budget, [one.code for one in trial.ends], told_["mostInAnHour"], left,
            any(one.traceback for one in trial.ends) and not trial.has_faked, time.monotonic() - begun,
            trial.ends[-1].last if trial.ends else "", reason,
        )  # fmt: skip


@contextmanager
def _store(store: str, path: Path) -> Iterator[StagedRedis | None]:
    if store == SQLITE:
        yield None
        return
    (path / "redis").mkdir()
    with redis_server(path / "redis") as redis:
        yield redis


def told(port: int, *words: str) -> bytes:
    """Send a command to a Redis server; the beginning of its answer."""
    sent = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent)
        return connection.recv(4096)


def plain_pytest(trial: Trial, target: Path) -> Going:
    """The same run by plain pytest."""
    rules = [f"--koncili-rule={SPENDS[place + 1]}" for place, one in enumerate(SPENDS) if one == "--rule"]
    options = ["--koncili-target", str(target), "--koncili-profile=deep", *rules]
    reports = ["--koncili-reports", str(trial.path / "plain"), "--koncili-no-html", "-p", "no:cacheprovider"]
    going = trial.run([sys.executable, "-m", "pytest", "-q", "tests/certification", *options, *reports], cwd=ROOT)
    trial.stack.append(going)
    return going


def stopped(going: Going) -> None:
    """Let a run stand still."""
    going.kill(signal.SIGSTOP)


def continued(going: Going) -> None:
    """Let it go on."""
    going.kill(signal.SIGCONT)


def overwrite(paths: Sequence[Path], content: bytes) -> None:
    """Let files hold this and nothing else."""
    for path in paths:
        path.write_bytes(content)


def remove(paths: Sequence[Path]) -> None:
    """Remove files."""
    for path in paths:
        path.unlink(missing_ok=True)


def home() -> Path:
    """The home directory that a process without HOME gets."""
    import pwd

    return Path(pwd.getpwuid(os.getuid()).pw_dir)
