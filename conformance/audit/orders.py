"""The orders of a recording, those that no call was about for a while packed: a recording may hold millions of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, Final

import msgspec

from conformance.audit.call import OrderKey, Place
from conformance.audit.states import GONE, UNSEEN, Order, Release, State, Version
from conformance.contract.reconciliation_rules import Entry
from conformance.traffic.exchange import Origin

MOST_AWAKE: Final = 4_000
"""So many orders are there as objects, ten times as large as packed."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_UNSEEN, _GONE = 0, 1

_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder().decode


class Orders:
    """Every order by its key, each an object while calls are about it. What is asked for stays the same object until
    MOST_AWAKE others were asked for."""

    def __init__(self) -> None:
        self._places: dict[Place, dict[str, bytes]] = {}
        """Packed, in the sequence in which they were first heard of; b"" of those that are objects."""
        self._awake: dict[OrderKey, Order] = {}
        self._unpackable: dict[OrderKey, Order] = {}
        """Those that hold what can't be packed: halves of surrogates, numbers of more than 64 bits."""
        self._shapes: dict[Any, int] = {}
        self._shape_of: list[Any] = []
        self._files: dict[str, int] = {}
        self._file_of: list[str] = []

    def get(self, key: OrderKey) -> Order:
        """The order of that key, as unseen where it is new."""
        order = self._awake.get(key)
        if order is None:
            orders = self._places.setdefault(key[:2], {})
            packed = orders.get(key[2], b"")
            order = self._unpacked(key, packed) if packed else self._unpackable.pop(key, None) or Order()
            orders[key[2]] = b""
            if len(self._awake) >= MOST_AWAKE:
                self._put_to_rest()
            self._awake[key] = order
        return order

    def of(self, place: Place) -> Iterator[Order]:
        """The orders of an account and channel, in the sequence in which they were first heard of; only to look at."""
        for code, packed in self._places.get(place, {}).items():
            key = (*place, code)
            yield self._unpacked(key, packed) if packed else self._awake.get(key) or self._unpackable[key]

    def __iter__(self) -> Iterator[tuple[OrderKey, Order]]:
        for place, codes in self._places.items():
            for code, order in zip(codes, self.of(place), strict=True):
                yield (*place, code), order

    def _put_to_rest(self) -> None:
        """Pack the half of the orders that were asked for first."""
        for key in list(islice(self._awake, MOST_AWAKE // 2)):
            order = self._awake.pop(key)
            try:
                self._places[key[:2]][key[2]] = self._packed(order)
            except (UnicodeEncodeError, OverflowError):
                self._unpackable[key] = order

    # -- an order in a few bytes -----------------------------------------------------------------------------------

    def _packed(self, order: Order) -> bytes:
        entries: dict[tuple[Entry, ...], int] = {}
        states = [self._packed_state(state, entries) for state in order.states]
        releases = [
            (
                _place_in(entries, one.entries),
                None if one.expected is None else _place_in(entries, one.expected),
                self._packed_origin(one.origin),
                one.reconciliation,
                _packed_time(one.at),
            )
            for one in order.releases
        ]
        return _ENCODE(
            (
                states,
                _packed_time(order.changed_at),
                self._packed_origin(order.sent),
                order.verified
                | order.sent_since << 1
                | order.may_be_released << 2
                | order.may_be_verified << 3
                | order.looked_since << 4,
                releases,
                self._packed_origin(order.deleted),
                [[part for type_, value in one for part in (type_, str(value))] for one in entries],
                order.unread,
                _packed_time(order.found_at),
                order.found_in,
                order.asked,
            )
        )

    def _unpacked(self, key: OrderKey, packed: bytes) -> Order:
        states, at, sent, flags, releases, deleted, lists, unread, found_at, found_in, asked = _DECODE(packed)
        entries = [tuple(zip(one[::2], map(Decimal, one[1::2]), strict=True)) for one in lists]
        return Order(
            states=[self._unpacked_state(state, entries) for state in states],
            changed_at=_time(at),
            sent=self._origin(sent),
            verified=bool(flags & 1),
            may_be_verified=bool(flags & 8),
            releases=[
                Release(
                    key,
                    entries[own],
                    None if expected is None else entries[expected],
                    self._known(origin),
                    number,
                    _time(sent_at),
                )
                for own, expected, origin, number, sent_at in releases
            ],
            sent_since=bool(flags & 2),
            may_be_released=bool(flags & 4),
            looked_since=bool(flags & 16),
            deleted=self._origin(deleted),
            unread=unread,
            found_at=_time(found_at),
            found_in=found_in,
            asked=asked,
        )

    def _packed_state(self, state: State, entries: dict[tuple[Entry, ...], int]) -> int | tuple[int, int]:
        if not isinstance(state, Version):
            return _UNSEEN if state is UNSEEN else _GONE
        shape = state.status, state.fields, state.extract_fields, state.is_shown
        number = self._shapes.setdefault(shape, len(self._shape_of))
        if number == len(self._shape_of):
            self._shape_of.append(shape)
        return number, _place_in(entries, state.entries)

    def _unpacked_state(self, state: Any, entries: list[tuple[Entry, ...]]) -> State:
        if isinstance(state, int):
            return UNSEEN if state == _UNSEEN else GONE
        status, fields, extract_fields, is_shown = self._shape_of[state[0]]
        return Version(status, entries[state[1]], fields, extract_fields, is_shown)

    def _packed_origin(self, origin: Origin | None) -> tuple[int, int] | None:
        if origin is None:
            return None
        number = self._files.setdefault(origin.file, len(self._file_of))
        if number == len(self._file_of):
            self._file_of.append(origin.file)
        return number, origin.entry

    def _origin(self, packed: Any) -> Origin | None:
        return None if packed is None else self._known(packed)

    def _known(self, packed: Any) -> Origin:
        return Origin(self._file_of[packed[0]], packed[1])


def _place_in(entries: dict[tuple[Entry, ...], int], one: tuple[Entry, ...]) -> int:
    return entries.setdefault(one, len(entries))


def _packed_time(at: datetime | None) -> int | None:
    """In microseconds since 1970."""
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def _time(packed: int | None) -> datetime | None:
    return None if packed is None else _EPOCH + packed * _MICROSECOND
