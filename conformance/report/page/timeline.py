"""How a run went: requests and client errors over time, and how long nothing was sent. From the HAR that it left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

WIDTHS: Final = (1, 5, 15, 60, 300, 900, 3600, 6 * 3600)
"""Seconds that one bar may stand for."""

BARS_AT_MOST: Final = 60

WAIT_SECONDS: Final = 5.0
"""From so long on that nothing was sent and nothing was on its way the run waited."""

CLIENT_ERROR, SERVER_ERROR = 400, 500
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of the run. The shares are in percent of the most requests that any stretch had."""

    after: str
    requests: int
    client_errors: int
    share: float
    error_share: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """A run in stretches of the same length."""

    width: str
    bars: list[Bar]
    waits: int
    waited: str
    busiest: int

    @property
    def step(self) -> float:
        """How wide a bar is, in percent."""
        return 100 / len(self.bars)


def timeline_of(entries: Iterable[Mapping[str, Any]]) -> Timeline | None:
    """The timeline of the entries of a HAR; None where they have no times that can be read."""
    try:
        sent = sorted(_sent(entry) for entry in entries)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if not sent:
        return None
    begun, last = sent[0][0], max(ended for _, ended, _ in sent)
    width = next((width for width in WIDTHS if (last - begun) / width < BARS_AT_MOST), WIDTHS[-1])
    counts = [[0, 0] for _ in range(int((last - begun) // width) + 1)]
    gaps, ended_last = list[float](), begun
    for started, ended, status in sent:
        if started - ended_last >= WAIT_SECONDS:
            gaps.append(started - ended_last)
        ended_last = max(ended_last, ended)
        count = counts[int((started - begun) // width)]
        count[0] += 1
        count[1] += CLIENT_ERROR <= status < SERVER_ERROR
    busiest = max(requests for requests, _ in counts)
    bars = [
        Bar(_clock(place * width), requests, errors, 100 * requests / busiest, 100 * errors / busiest)
        for place, (requests, errors) in enumerate(counts)
    ]
    return Timeline(_span(width), bars, len(gaps), _span(round(sum(gaps))), busiest)


def _sent(entry: Mapping[str, Any]) -> tuple[float, float, int]:
    started = datetime.fromisoformat(entry["startedDateTime"]).timestamp()
    return started, started + max(0.0, float(entry["time"])) / 1000, int(entry["response"]["status"])


def _clock(seconds: int) -> str:
    minutes, left = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def _span(seconds: int) -> str:
    if seconds < MINUTE:
        return f"{seconds} s"
    minutes, left = divmod(seconds, MINUTE)
    return f"{minutes} min" + (f" {left} s" if left else "")
