"""Which runs are going on: each says so in the shared store, and goes on saying it, so that what a dead one left is known."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from conformance.errors import CannotRun
from conformance.target.shared.store_base import ORIGIN, TAKEN_FOR_DEAD
from conformance.target.shared.uptime import since_boot

if TYPE_CHECKING:
    from conformance.target.shared.store_base import Store

LIFE_SECONDS: Final = 180.0
"""How long after its last sign of life a run on another machine is taken for dead: longer than any call may take."""

SIGN_EVERY_SECONDS: Final = 15.0

_DEAD_STATES: Final = frozenset("ZX")
"""Of /proc/PID/stat: a process that has ended and that nobody has asked about yet."""

_PREFIX: Final = "run/"


@dataclass(slots=True)
class Run:
    """This run, from the first request to the last. `id` is new for each process of it."""

    store: Store
    id: str = field(default_factory=lambda: uuid4().hex[:12])
    locks: set[str] = field(default_factory=set)
    """The locks that it holds: they live as long as it does."""
    _signed_at: float = field(default=float("-inf"))

    @property
    def record(self) -> str:
        """The record that says that it is going on."""
        return _PREFIX + self.id

    def begin(self, base_url: str = "") -> None:
        """Say that the run is going on, and where it creates what it may leave."""
        about = {
            "machine": _machine(),
            "process": _process(os.getpid()),
            "startedAt": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        # Its sign of life comes first: seen from another machine it is dead without.
        self.store.lock(_PREFIX + self.id, self.id, LIFE_SECONDS)
        if base_url:
            self.store.put(ORIGIN + self.id, base_url)
        self.store.put(self.record, json.dumps(about))
        self._signed_at = since_boot()

    def sign(self) -> None:
        """Say again that it is going on, if it is time to. Raises CannotRun where others took it for dead meanwhile."""
        if since_boot() - self._signed_at < SIGN_EVERY_SECONDS:
            return
        if _PREFIX + self.id not in self.store.records(_PREFIX + self.id):
            raise CannotRun(TAKEN_FOR_DEAD)
        for name in (_PREFIX + self.id, *self.locks):
            if not self.store.lock(name, self.id, LIFE_SECONDS):
                raise CannotRun(
                    f"this run stood still for so long that another took over what it held ({name}); run again"
                )
        self._signed_at = since_boot()

    def end(self) -> None:
        """Say that it has ended, and let go of everything."""
        for name in (*self.locks, _PREFIX + self.id):
            self.store.unlock(name, self.id)
        self.store.drop(_PREFIX + self.id)


def origin_of(store: Store, run: str) -> str | None:
    """The base URL at which a run creates what it may leave; None of runs of earlier versions, whose stores knew one only."""
    return store.records(ORIGIN + run).get(ORIGIN + run) or None


def forget_origin(store: Store, run: str) -> None:
    """Nothing is left of a run."""
    store.drop(ORIGIN + run)


def known_runs(store: Store) -> Mapping[str, dict[str, Any]]:
    """What is known of every run that has not ended, by its id: machine, process and startedAt."""
    return {key.removeprefix(_PREFIX): json.loads(text) for key, text in store.records(_PREFIX).items()}


def is_alive(store: Store, run: str) -> bool:
    """Whether a run is going on, as far as can be known from here."""
    about = known_runs(store).get(run)
    if about is None:
        return False
    if about["machine"] == _machine():
        return bool(_process(int(about["process"].split()[0])) == about["process"])
    return store.owner(_PREFIX + run) is not None


def take(store: Store, lock: str, run: str) -> bool:
    """Take a lock that no living run holds."""
    while not store.lock(lock, run, LIFE_SECONDS):
        owner = store.owner(lock)
        if owner is not None:
            if is_alive(store, owner):
                return False
            store.unlock(lock, owner)
    return True


def bury(store: Store, run: str) -> None:
    """Forget a run that is dead: should it come back to life, it notices."""
    store.unlock(_PREFIX + run, run)
    store.drop(_PREFIX + run)


def _machine() -> str:
    """What tells places apart in which the same pid is another process: hosts, boots and containers."""
    parts = [socket.gethostname()]
    for path in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        try:
            parts.append(str(Path(path).readlink()) if path.endswith("/pid") else Path(path).read_text().strip())
        except OSError:  # no Linux
            continue
    return " ".join(parts)


def _process(pid: int) -> str:
    """The process of that number, told from any that had it before; "gone" where there is no such process, or
    only what is left of it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return f"{pid} gone"
    except PermissionError:  # it is another user's
        pass
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # no Linux
        return f"{pid}"
    state, begun_at = after_name[0], after_name[19]
    return f"{pid} gone" if state in _DEAD_STATES else f"{pid} {begun_at}"
