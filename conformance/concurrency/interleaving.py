"""A history as lanes side by side over time, for whoever reads it in a terminal, on a page or in a report."""

from __future__ import annotations

import math
from typing import Final

from conformance.concurrency.history import History, Operation

MOST_SHOWN: Final = 8
"""How many calls a history shows at most: the last ones."""

WIDTH: Final = 32
"""Columns of a bar over the whole time."""


def lanes(history: History) -> list[str]:
    """One line a call: its lane, a bar from when it was sent to when it was answered, the call, what became of it."""
    shown = sorted(history, key=lambda one: (one.sent, one.lane))[-MOST_SHOWN:]
    if not shown:
        return []
    begin = min(one.sent for one in shown)
    last = max((one.answered for one in shown if math.isfinite(one.answered)), default=begin)
    length = max(last - begin, max(one.sent for one in shown) - begin, 1e-6)
    names = max(len(one.label) for one in shown)
    lines = [f"{'':8}{'0 ms':<{WIDTH - 8}}{_ms(length):>8}"]
    for one in shown:
        lines.append(
            f"lane {one.lane + 1:<3}{_bar(one, begin, length)}  {one.label:<{names}}  {one.told or one.outcome}"
            f"  ({_ms(one.sent - begin)} to {_ms(one.answered - begin)})"
        )
    return lines


def _bar(one: Operation, begin: float, length: float) -> str:
    first = min(WIDTH - 1, int((one.sent - begin) / length * WIDTH))
    ends = min(one.answered - begin, length)
    end = min(WIDTH, max(first + 1, math.ceil(ends / length * WIDTH)))
    closing = ">" if not math.isfinite(one.answered) else "|"
    body = "|" + "=" * (end - first - 2) + closing if end - first > 1 else "|"
    return f"{' ' * first}{body}".ljust(WIDTH)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if math.isfinite(seconds) else "no answer"
