"""A history as lanes side by side over time, for whoever reads it in a terminal, on a page or in a report."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from conformance.concurrency.history import History, Operation

MOST_SHOWN: Final = 8
"""How many calls a history shows at most: the last ones."""

WIDTH: Final = 32
"""Columns of a bar over the whole time."""


LONGEST_PAUSE: Final = 0.125
"""A pause in which nothing is under way is drawn no longer than this part of the time in which something is."""


def lanes(history: History) -> list[str]:
    """One line a call: its lane, a bar from when it was sent to when it was answered, the call, what became of it."""
    shown = sorted(history, key=lambda one: (one.sent, one.lane))[-MOST_SHOWN:]
    if not shown:
        return []
    begin = min(one.sent for one in shown)
    last = max((one.answered for one in shown if math.isfinite(one.answered)), default=begin)
    end = max(last, *(one.sent for one in shown))
    column, is_cut = _columns(shown, end)
    names = max(len(one.label) for one in shown)
    lines = [f"{'':8}{'0 ms':<{WIDTH - 10}}{_ms(end - begin):>10}{'  (pauses shortened)' if is_cut else ''}"]
    for one in shown:
        lines.append(
            f"lane {one.lane + 1:<3}{_bar(one, column, end)}  {one.label:<{names}}  {one.told or one.outcome}"
            f"  ({_ms(one.sent - begin)} to {_ms(one.answered - begin)})"
        )
    return lines


def _columns(shown: History, end: float) -> tuple[Callable[[float], float], bool]:
    """In which column an instant is drawn, and whether pauses are drawn shorter than they were."""
    spans = sorted((one.sent, min(one.answered, end)) for one in shown)
    busy: list[tuple[float, float]] = []
    for sent, answered in spans:
        if busy and sent <= busy[-1][1]:
            busy[-1] = busy[-1][0], max(busy[-1][1], answered)
        else:
            busy.append((sent, answered))
    longest = LONGEST_PAUSE * max(sum(after - before for before, after in busy), 1e-6)
    drawn: list[tuple[float, float, float]] = []  # from when to when, and how far to the left it begins
    at, is_cut, over = 0.0, False, busy[0][0]
    for before, after in busy:
        at += min(before - over, longest)
        is_cut = is_cut or before - over > longest
        drawn.append((before, after, at))
        at, over = at + after - before, after
    length = max(at, 1e-6)

    def column(instant: float) -> float:
        before, after, left = next(span for span in reversed(drawn) if span[0] <= instant)
        return (left + min(instant, after) - before) / length * WIDTH

    return column, is_cut


def _bar(one: Operation, column: Callable[[float], float], ends: float) -> str:
    first = min(WIDTH - 1, int(column(one.sent)))
    end = min(WIDTH, max(first + 1, math.ceil(column(min(one.answered, ends)))))
    closing = ">" if not math.isfinite(one.answered) else "|"
    body = "|" + "=" * (end - first - 2) + closing if end - first > 1 else "|"
    return f"{' ' * first}{body}".ljust(WIDTH)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if math.isfinite(seconds) else "no answer"
