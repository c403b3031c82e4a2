"""Runs a command in a place of its own and watches it: what it shows, which files it leaves, what other users could see."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.suite.support.command_runs import kept_in

ROOT: Final = Path(__file__).parents[3]
COMMAND: Final = Path(sys.executable).parent / "koncili-conformance"
LOOK_SECONDS: Final = 0.5
READABLE_BY_OTHERS: Final = 0o077


@dataclass
class Watched:
    """A run and all that it left: below `home` everything but `given`, which the test put there."""

    home: Path
    given: set[Path] = field(default_factory=set)
    session: int = -1
    """That of its processes."""
    code: int = -1
    shown: bytes = b""
    """What it wrote to its terminal or to its pipe."""
    commands: set[bytes] = field(default_factory=set)
    """Command lines of its processes, and their environment without the user's variables."""
    open_to_others: set[str] = field(default_factory=set)
    """Files and directories that other users could have read while it ran or after."""

    @property
    def reports(self) -> Path:
        """Its reports directory."""
        return self.home / "work" / "reports"

    @property
    def shared(self) -> Path:
        """Where Hypothesis keeps its tables of characters for all runs: to make them takes seconds."""
        return self.home.parent / "hypothesis"

    def left(self) -> Iterator[tuple[str, bytes]]:
        """Everything that it left, by name."""
        yield "what it showed", self.shown
        yield "the process list", b"\n".join(sorted(self.commands))
        for path in sorted([*self.home.rglob("*"), *self.shared.rglob("*")]):
            if path.is_file() and path not in self.given:
                yield str(path.relative_to(self.home.parent)), path.read_bytes()


def watch(
    home: Path,
    *command: str,
    variables: dict[str, str] | None = None,
    terminal: bool = False,
    interrupt_at: bytes = b"",
    given: tuple[Path, ...] = (),
) -> Watched:
    """Run the command to its end. With `terminal` it writes to one; it gets Ctrl-C when it shows `interrupt_at`."""
    run = Watched(home, set(given))
    for name in ("work", "tmp", "state"):
        (home / name).mkdir(exist_ok=True, mode=0o755)
    own = {"HOME": str(home), "TMPDIR": str(home / "tmp"), "LANG": "C.UTF-8", **kept_in(home / "state")}
    own["HYPOTHESIS_STORAGE_DIRECTORY"] = str(run.shared)
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    master, slave = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen(
        command,
        cwd=home / "work",
        env={**kept, **own, **(variables or {})},
        stdin=slave if terminal else subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
        umask=0o022,  # that of most users; the process of the tests may have been given another by our plugin
        start_new_session=True,
    )
    run.session = process.pid
    os.close(slave)
    done = threading.Event()
    watcher = threading.Thread(target=_look_often, args=(run, done, {*(variables or {})}), daemon=True)
    watcher.start()
    try:
        run.shown = _read(master, process, interrupt_at)
        run.code = process.wait(timeout=120)
    finally:
        if process.poll() is None:
            process.kill()
        os.close(master)
        done.set()
        watcher.join()
    _look_at_files(run)
    return run


def certify(home: Path, *arguments: str, **how: object) -> Watched:
    """`koncili-conformance certify`, watched."""
    return watch(home, str(COMMAND), "certify", "--profile", "smoke", *arguments, **how)  # type: ignore[arg-type]


def plain_pytest(home: Path, *arguments: str, **how: object) -> Watched:
    """Plain pytest on the certification scenarios, watched; what it would keep in the checkout is below `home`."""
    start = [sys.executable, "-m", "pytest", str(ROOT / "tests" / "certification"), "-c", str(ROOT / "pyproject.toml")]
    kept = ["-o", f"cache_dir={home / 'work' / 'cache'}", "--koncili-profile", "smoke"]
    return watch(home, *start, *kept, *arguments, **how)  # type: ignore[arg-type]


def _read(master: int, process: subprocess.Popen[bytes], interrupt_at: bytes) -> bytes:
    shown = b""
    with suppress(OSError):  # a terminal whose other end is closed
        while part := os.read(master, 65536):
            shown += part
            if interrupt_at and interrupt_at in shown:
                os.killpg(process.pid, signal.SIGINT)
                interrupt_at = b""
    return shown


def _look_often(run: Watched, done: threading.Event, users_own: set[str]) -> None:
    while not done.wait(LOOK_SECONDS):
        _look_at_processes(run, users_own)
        _look_at_files(run)


def _look_at_processes(run: Watched, users_own: set[str]) -> None:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        with suppress(OSError):
            variables = (entry / "environ").read_bytes()
            # Not those of other tests, whose workers name these in their titles; a title may lie over the environment.
            if os.getsid(int(entry.name)) == run.session or str(run.home).encode() in variables:
                run.commands.add((entry / "cmdline").read_bytes().replace(b"\0", b" "))
                parts = variables.split(b"\0")
                run.commands |= {part for part in parts if part.split(b"=")[0].decode() not in users_own}


def _look_at_files(run: Watched) -> None:
    for place in ("work", "tmp", "state"):
        for directory, below, names in os.walk(run.home / place):
            for name in (*below, *names):
                path = f"{directory}/{name}"  # no Path: there are thousands, and this takes from the run's own time
                with suppress(OSError):
                    if os.stat(path).st_mode & READABLE_BY_OTHERS and Path(path) not in run.given:  # noqa: PTH116
                        run.open_to_others.add(path)
