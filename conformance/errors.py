"""What can keep a run from talking to its target, apart from any rule."""

from __future__ import annotations

from typing import Any

from conformance.escaping import lines


class _Told(Exception):
    """What is told to people and to CI systems, and may repeat what the target said: no part of its message acts on either."""

    def __init__(self, message: object = "") -> None:
        super().__init__(lines(str(message)))


class CannotRun(_Told):
    """The run cannot start or go on; the message names what is wrong and the remedy. Exit code 3."""


class StoreLost(CannotRun):
    """What the runs of an integrator share is not what this run began with: removed, replaced, emptied or set back."""


class TargetUnavailable(_Told):
    """The target did not answer, or only by passing failures (429, 502): no verdict can be had from that. `passed` is the server
    error that it had answered before, if it had."""

    passed: Any = None


class Doubtful(TargetUnavailable):
    """An answer was lost: what was asked may have been done. Where it was sent again and refused, `refusal` is that exchange."""

    def __init__(self, message: str, refusal: Any = None, passed: Any = None) -> None:
        super().__init__(message)
        self.refusal = refusal
        self.passed = passed


class NotLetIn(TargetUnavailable):
    """The target gives tokens and refuses them, whatever is called: what it was asked for was refused for nothing in it."""


class WaitTooLong(TargetUnavailable):
    """What must be waited for takes longer than the user wants to wait; nothing more is sent."""


class NotTried(TargetUnavailable):
    """What a law needs was refused each time before, so that it was not sent again: it decides nothing."""


class Wiped(TargetUnavailable):
    """All that the target had is gone at once: what was seen since says nothing of a rule."""


class GoneAway(WaitTooLong):
    """The target was there, and answers no more: who knows how long it would have to be waited for. Nothing more is sent."""
