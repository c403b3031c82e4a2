"""Laws that let time pass, and how long what is waited for takes.

A law that must let time pass is a generator: each `yield` lets half an hour pass, and gets back whether it did. Against the
mock the clock moves; elsewhere the rest of the law is put off to the end of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final, TypeVar

from conformance.engine.trial import Trial
from conformance.target.wire.exchange import Exchange

T = TypeVar("T")
Waiting = Generator[None, bool, T]
"""A law that lets time pass at each `yield`."""


OF_ANOTHER_SECOND: Final = 1.1
"""Seconds after which a token is of another second: those of the same one may be equal, since JWTs hold whole seconds."""


@dataclass(slots=True)
class Deferred:
    """The rest of a law that is put off to the end of the run, and what its example has sent so far."""

    rest: Waiting[None]
    story: list[Exchange]
    since: float
    """By the clock of what is waited for, in seconds: the time of day somebody may set."""
    trial: Trial
    """What has come of it so far."""
    anew: Callable[[], Waiting[None] | None] | None = None
    """The law once more on its example, with new codes. None where that can't be had."""
    more_tries: int = 0
    """How often it may still be tried anew."""
