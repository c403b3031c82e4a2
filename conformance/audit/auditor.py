"""Judges a stream of exchanges, call by call, each in the world of its moment.

What a call has done is taken note of when its answer was there: a call that was sent before that is judged without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from conformance.audit.books import Books
from conformance.audit.call import OF_TOKENS, TOO_MANY, Call, Came, times_of
from conformance.audit.callback_rules import notification_in
from conformance.audit.clients import Clients
from conformance.audit.environments import Environments
from conformance.audit.findings import Findings, Spot
from conformance.audit.legs import Legs
from conformance.audit.pace_rules import OVERLAP
from conformance.audit.recogniser import Recogniser
from conformance.audit.repeats import Held, Repeats
from conformance.contract.readings import resolve
from conformance.traffic.exchange import Exchange, Missing
from conformance.traffic.ordering import LONG_AGO

MOST_UNEXPLAINED: Final = 100
"""So many calls are named that were refused for no reason that the documents give."""


@dataclass(slots=True)
class Counts:
    """How much there was."""

    exchanges: int = 0
    unreadable: int = 0
    """Entries that can't be read."""
    repeated: int = 0
    """Calls and notifications that another file held too."""
    calls: int = 0
    notifications: int = 0
    client_errors: int = 0
    server_errors: int = 0
    throttled: int = 0
    without_token: int = 0
    """Calls that were refused for their token."""
    looked_at: int = 0
    """Calls that carry a token, and were not."""
    untimed: int = 0
    """Calls without a time."""
    first: datetime | None = None
    last: datetime | None = None

    def take(self, call: Call) -> None:
        """Count a call."""
        status = call.status or 0
        self.calls += 1
        self.client_errors += 400 <= status < 500  # noqa: PLR2004 - the class of client errors
        self.server_errors += status >= 500  # noqa: PLR2004 - the class of server errors
        self.throttled += status == TOO_MANY
        self.without_token += call.is_without_token
        self.looked_at += call.endpoint not in OF_TOKENS and call.came in {Came.ACCEPTED, Came.REFUSED}
        if call.started is None:
            self.untimed += 1
            return
        self.first = self.first or call.started
        self.last = max(self.last or call.started, call.ended or call.started)


@dataclass(slots=True)
class Unexplained:
    """Calls that were refused although nothing is wrong with them that the documents state: no fault of the integration's."""

    times: int = 0
    spots: list[Spot] = field(default_factory=list)

    def take(self, call: Call) -> None:
        """Take note of one."""
        self.times += 1
        if len(self.spots) < MOST_UNEXPLAINED:
            self.spots.append(Spot.of(call))


class Auditor:
    """Takes exchanges one after the other, in the order of their times, and says at the end what it found."""

    def __init__(self, *, readings: Mapping[str, str] | None = None, base_url: str | None = None) -> None:
        """`readings` are those that the endpoint is known to follow."""
        self.readings = resolve(readings or {})
        self.readings_from: dict[str, Literal["stated", "probed", "default"]] = dict.fromkeys(readings or {}, "stated")
        self.recogniser = Recogniser(base_url)
        self.findings = Findings()
        self.counts = Counts()
        self.unexplained = Unexplained()
        self._repeats, self._legs = Repeats(), Legs()
        self._until = LONG_AGO
        """What was answered by then is known; a call without a time comes right after the one before it."""
        self._clients, self._places = Clients(self.findings), Environments(self.findings, self.readings)

    @property
    def books(self) -> Books:
        """The books that the recording makes."""
        return self._places.books

    def take_all(self, exchanges: Iterable[Exchange]) -> None:
        """Judge all of them."""
        for exchange in exchanges:
            self.take(exchange)
        self.finish()

    def take(self, exchange: Exchange) -> None:
        """Judge one exchange."""
        if exchange.is_unreadable:
            self.counts.unreadable += 1
            self._clients.catch_up(self._until)
            self._clients.miss()
            self._places.catch_up(self._until)
            self._places.miss()
            return
        self.counts.exchanges += 1
        exchange = in_upper_case(exchange)
        if (held := self._repeats.held(exchange)) is not Held.NEVER:
            self._take_again(exchange, held)
            return
        if not isinstance(exchange.started, Missing):
            self._until = shortly_after(exchange.started)
        self._clients.catch_up(self._until)
        self._places.catch_up(self._until)
        if (notification := notification_in(exchange)) is not None:
            self.counts.notifications += 1
            self._places.hear(as_notified(exchange, self.counts.exchanges), notification)
            return
        call = self._read(exchange)
        if call is None:
            return
        if self._legs.holds(call):
            self.counts.repeated += 1
            return
        self.counts.take(call)
        broken, undecided = self.findings.broken, self.findings.undecided
        self._clients.take(call)
        is_explained = self._places.take(call)
        is_told = (broken, undecided) != (self.findings.broken, self.findings.undecided)
        if call.came is Came.REFUSED and not is_told and not is_explained:
            self.unexplained.take(call)

    def _take_again(self, exchange: Exchange, held: Held) -> None:
        """An exchange that was held before."""
        call = None if (is_notified := notification_in(exchange) is not None) else self._read(exchange)
        self.counts.repeated += is_notified or call is not None
        if call is not None and held is Held.IN_DOUBT:
            self._clients.doubt(call)
            self._places.doubt(call)

    def _read(self, exchange: Exchange) -> Call | None:
        return self.recogniser.read(exchange, self.counts.exchanges)

    def finish(self) -> None:
        """Judge what only the end decides."""
        self._clients.finish()
        self._places.finish()


def in_upper_case(exchange: Exchange) -> Exchange:
    """The exchange with its method as everybody writes it."""
    method = exchange.request.method
    if method.isupper():
        return exchange
    return replace(exchange, request=replace(exchange.request, method=method.upper()))


def shortly_after(time: datetime) -> datetime:
    """Until when answers must have been there to be known to a call of that time."""
    try:
        return time + OVERLAP
    except OverflowError:
        return time


def as_notified(exchange: Exchange, number: int) -> Call:
    """A notification as a call to the integration's own callback."""
    started, _ = times_of(exchange)
    return Call(
        number, exchange.origin, started, None, "POST", "", "", exchange.request.url, (), exchange, label="callback"
    )
