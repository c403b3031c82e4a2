"""In which orders faults are made: status, account, size and what was sent before come in turn. A server may look at some orders
only, and where each is drawn by itself a few faults leave some of them out."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from strategies.orders import STATUSES

T = TypeVar("T")

TURNS: Final = len(STATUSES)
"""After so many turns everything came."""

_CROWDED, _LARGE, _BARE = 1, 2, 3
"""In which turn an order has as many extracts as any, in which one a sale of very many reais, and in which one no more extracts
than the fault needs."""


def whose(some: tuple[T, ...], turn: int) -> tuple[T, ...]:
    """The one of these whose turn it is; none where there are none."""
    return (some[turn % len(some)],) if some else ()


def sized(turn: int) -> dict[str, Any]:
    """What `orders` is to be asked for: how many extracts, and how large a sale."""
    return {"crowded": turn % TURNS == _CROWDED, "large": turn % TURNS == _LARGE, "bare": turn % TURNS == _BARE}


def is_update(turn: int) -> bool:
    """Whether the order is there when the fault is sent. (Not by the parity: of two accounts each has both.)"""
    return turn % TURNS in {1, 2}
