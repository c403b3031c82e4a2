"""Runs a function for each of many things in forked copies of this process, so many at a time.

A copy starts with all that this process has loaded and made, and what it does to it is gone with it. A pool of threads or of
lasting workers would not do: a fork needs a process without threads, and each task needs to be alone in its own.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any, Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class Lost(Exception):
    """A copy that ended without a result. The message says how."""


class Forks(Generic[Task, Result]):
    """So many copies at a time; each has so many seconds."""

    def __init__(self, work: Callable[[Task], Result], *, jobs: int, seconds: float) -> None:
        self._work = work
        self._jobs = jobs
        self._seconds = seconds
        self._context = multiprocessing.get_context("fork")
        self._running: dict[Connection, tuple[Task, ForkProcess, float]] = {}

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result | Lost]]:
        """Each task with its result, as they come. What still runs when nobody asks any more is ended."""
        waiting = list(reversed(list(tasks)))
        try:
            while waiting or self._running:
                while waiting and len(self._running) < self._jobs:
                    self._start(waiting.pop())
                yield from self._finished()
        finally:
            for _, process, _ in self._running.values():
                process.kill()
                process.join()
            self._running.clear()

    def _start(self, task: Task) -> None:
        sys.stdout.flush()
        receiver, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(target=self._copy, args=(task, sender))
        process.start()
        sender.close()
        self._running[receiver] = (task, process, time.monotonic() + self._seconds)

    def _copy(self, task: Task, sender: Connection) -> None:
        try:
            result: Any = self._work(task)
        except BaseException:
            result = Lost(traceback.format_exc())
        sender.send(result)

    def _finished(self) -> Iterator[tuple[Task, Result | Lost]]:
        next_end = min(end for _, _, end in self._running.values())
        for receiver in wait(list(self._running), timeout=max(0.0, next_end - time.monotonic())):
            assert isinstance(receiver, Connection)
            task, process, _ = self._running.pop(receiver)
            try:
                result: Result | Lost = receiver.recv()
            except EOFError:
                process.join()
                result = Lost(f"it ended with exit code {process.exitcode} and no result")
            process.join()
            yield task, result
        now = time.monotonic()
        for receiver, (task, process, end) in list(self._running.items()):
            if end <= now:
                del self._running[receiver]
                process.kill()
                process.join()
                yield task, Lost(f"it came to no end within {self._seconds:.0f} s")
