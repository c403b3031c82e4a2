"""What the server of the trials counts of itself: every answer with its time, by no clock but its own."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

HOUR_SECONDS: Final = 3600.0
MINUTE_SECONDS: Final = 60.0
BLOCKED_AT: Final = 500
"""So many client errors within an hour, and every call gets 423 for an hour."""


@dataclass
class Tally:
    """Counts, for several threads at once."""

    blocks: bool = True
    requests: int = 0
    lost: int = 0
    """Answers that were kept back although the work was done."""
    blocked_calls: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    """Client errors by method, path, status and message."""
    _errors: list[float] = field(default_factory=list)
    _calls: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _blocked_until: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def arrived(self, call: str) -> bool:
        """Count a call that came; whether it is blocked."""
        with self._lock:
            now = time.monotonic()
            self.requests += 1
            self._calls[call].append(now)
            if not self.blocks:
                return False
            if now < self._blocked_until:
                self.blocked_calls += 1
                return True
            return False

    def answered(self, call: str, status: int, why: str = "") -> None:
        """Count a status that was given, or that was on its way when the answer was lost."""
        with self._lock:
            now = time.monotonic()
            self.statuses[str(status)] += 1
            if 400 <= status < 500:
                self._errors.append(now)
                self.refused[f"{call} {status} {why}"[:120]] += 1
                if (
                    self.blocks
                    and now >= self._blocked_until
                    and _most(self._errors[-BLOCKED_AT:], HOUR_SECONDS) >= 500
                ):
                    self._blocked_until = now + HOUR_SECONDS

    def lost_one(self) -> None:
        """Count an answer that was kept back."""
        with self._lock:
            self.lost += 1

    def told(self) -> dict[str, Any]:
        """All of it."""
        with self._lock:
            return {
                "requests": self.requests,
                "clientErrors": len(self._errors),
                "mostInAnHour": _most(self._errors, HOUR_SECONDS),
                "lost": self.lost,
                "blockedCalls": self.blocked_calls,
                "statuses": dict(self.statuses),
                "refused": dict(self.refused.most_common(60)),
                "mostInAMinute": {call: _most(came, MINUTE_SECONDS) for call, came in self._calls.items()},
            }


def _most(instants: list[float], seconds: float) -> int:
    """The most that lie within any so many seconds."""
    most, begin = 0, 0
    for place, instant in enumerate(instants):
        while instant - instants[begin] >= seconds:
            begin += 1
        most = max(most, place - begin + 1)
    return most
