"""Calls are filled in and sent, and what became of them is in the story of the example."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.engine.noting import Noting
from conformance.engine.passing import PassingFaults
from conformance.engine.values import Values
from conformance.errors import Doubtful, TargetUnavailable
from conformance.target.wire.at_once import Sent
from conformance.target.wire.client import Calling
from conformance.target.wire.exchange import AT_ONCE, Exchange
from conformance.target.wire.http.building import InChunks
from strategies.calls import Call
from strategies.identifiers import Minter
from strategies.orders import Order
from strategies.placeholders import CODE, fill
from strategies.scope import Place
from strategies.written import written

SERVER_ERROR = 500

CHANGES: Final = frozenset(
    {Endpoint.SUBMIT_ORDER, Endpoint.DELETE_ORDER, Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE}
)
"""What may change what an order shows, or what can be done to it."""


@dataclass
class Sending(Noting):
    """Sends calls for the running scenario."""

    minter: Minter = field(init=False)
    kept: list[Exchange] | None = None
    """The 5xx that are not noted against ERR-02 before it is known whom to blame; None where they are noted at once."""
    passing: PassingFaults = field(default_factory=PassingFaults)
    """The server errors in the running example that did not come again when the same was sent again."""
    server_errors_at_once: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By scenario and call: in how many tries, one after the other, it met a server error when it was sent at once."""
    changed: float = -math.inf
    """When the last call was over that may have changed an order, in seconds by the clock of what is waited for."""
    client_errors_at_once: int = 0
    """What all calls at once of the run have cost, with what was sent before and after them."""

    def __post_init__(self) -> None:
        self.minter = Minter(self.session.run_number)

    def fresh(self, shape: str) -> Values:
        """New values for the placeholders of one example."""
        return Values(self.session, {"code": self.minter.mint(shape), "other_code": self.minter.mint(shape)})

    def send(self, call: Call, values: Mapping[str, str], note: str = "") -> Exchange:
        """Fill the call and send it. A 5xx is noted against ERR-02, whatever the caller makes of it. `note` says in a
        counterexample what it is about."""
        self._let_end_before(call)
        try:
            exchange = self.session.client.call(
                call.endpoint,
                query=fill(call.query, values),
                body=_body(call, values),
                headers=fill(dict(call.headers), values),
            )
        except TargetUnavailable as error:
            self._note_passed(call, error.passed)
            raise
        finally:
            self._note_change(call)
        self._note_passed(call, exchange.passed)
        return self.sent(replace(exchange, note=note) if note else exchange)

    def _let_end_before(self, call: Call) -> None:
        """Let what must have ended before the call end; here nothing is known that must."""

    def _note_change(self, call: Call) -> None:
        """Take note that a call is over, whatever came of it: an answer may be lost, and what was refused half done."""
        if call.endpoint in CHANGES:
            self.changed = self.clock

    @property
    def clock(self) -> float:
        """The time in seconds by the clock of what is waited for."""
        return self.session.waiting.clock()

    @property
    def unchanged(self) -> float:
        """Seconds since anything was sent that may have changed an order; 0 where time is moved, which passes only then."""
        return self.clock - self.changed if self.session.control is None else 0.0

    def _note_passed(self, call: Call, passed: Exchange | None) -> None:
        """Take note of what a call met in passing before its answer, if it met any. What most calls there meet is no accident."""
        self.passing.note(call, passed)
        if passed is not None and self.passing.is_usual(call):
            actual = f"it answered {passed.status}, as to most calls there, and not when the same was sent again"
            rule, expected = self.passing.breach(passed)
            self.observe(rule, expected, actual, passed)

    def may_spend_at_once(self, client_errors: int) -> bool:
        """Whether all calls at once have cost fewer client errors than this, or nobody counts them."""
        return self.session.profile.client_errors is None or self.client_errors_at_once < client_errors

    def send_at_once(
        self, calls: Sequence[tuple[Call, Mapping[str, str], str]], offsets: Sequence[float] = ()
    ) -> list[Sent]:
        """Fill the calls, each with its values and a note, and send them at once, each so many seconds after all are ready. What
        of them is answered is in the story, in the order in which it was given."""
        control = self.session.control
        for call, _, _ in calls:
            self._let_end_before(call)
        filled = [
            Calling(
                call.endpoint, fill(call.query, values) or None, _body(call, values), fill(dict(call.headers), values)
            )
            for call, values, _ in calls
        ]
        self.session.client.access_token()  # before the mock waits for so many calls
        if control is not None:
            control.expect_at_once(len(calls))
        results = self.session.client.call_at_once(filled, offsets)
        for call, _, _ in calls:
            self._note_change(call)
        noted = [
            replace(one, exchange=replace(one.exchange, note=f"{AT_ONCE}{note}")) if one.exchange else one
            for one, (_, _, note) in zip(results, calls, strict=True)
        ]
        for one in noted:
            if one.exchange is not None:
                self.story.append(one.exchange)
        return noted

    def sent(self, exchange: Exchange) -> Exchange:
        """Take an exchange into the story; a 5xx is noted against ERR-02."""
        self.story.append(exchange)
        live = self.session.live
        if live is not None and exchange.endpoint is Endpoint.SUBMIT_ORDER and exchange.is_refused:
            live.refused(exchange.request_body)
        return self.noted(exchange)

    def noted(self, exchange: Exchange) -> Exchange:
        """The exchange; a 5xx is noted against ERR-02, or kept for who finds out whom to blame for it."""
        if exchange.status >= SERVER_ERROR and self.kept is not None:
            self.kept.append(exchange)
        elif exchange.status >= SERVER_ERROR:
            self.observe("ERR-02", "no server error", f"it answered {exchange.status}", exchange)
        return exchange

    @contextmanager
    def keeping_faults(self) -> Iterator[list[Exchange]]:
        """Keep the 5xx that lawful calls get in here: after a refused one they may be what that has left. Those that are still
        there at the end are noted; whoever finds out that another rule is to blame for them takes them out."""
        before, kept = self.kept, list[Exchange]()
        self.kept = kept
        try:
            yield kept
        finally:
            self.kept = before
            for exchange in kept:
                self.noted(exchange)

    def submit(self, order: Order, values: Mapping[str, str]) -> Exchange:
        """POST /order."""
        return self.send(Call(Endpoint.SUBMIT_ORDER, body=order), values)

    def query(self, place: Place, code: str, note: str = "") -> Exchange:
        """GET /order."""
        return self.send(_lookup(Endpoint.GET_ORDER, place), {"code": code}, note)

    def delete(self, place: Place, code: str, note: str = "") -> Exchange:
        """DELETE /order."""
        return self.send(_lookup(Endpoint.DELETE_ORDER, place), {"code": code}, note)

    def delete_again(self, place: Place, code: str) -> Exchange:
        """DELETE /order of one that is gone: it is refused whatever became of the same request before whose answer was lost."""
        try:
            return self.delete(place, code)
        except Doubtful as doubt:
            if doubt.refusal is None:
                raise
            return self.sent(doubt.refusal)


def _body(call: Call, values: Mapping[str, str]) -> bytes | None:
    body = None if call.body is None else written(fill(call.body, values), call.spelling)
    if call.rendered is not None:
        body = call.rendered.change(body or b"")
    return InChunks(body) if body is not None and call.spelling.in_chunks else body


def _lookup(endpoint: Endpoint, place: Place) -> Call:
    query: dict[str, Any] = {
        "marketplaceCode": CODE, "channelName": place.channel, "accountId": str(place.account),
    }  # fmt: skip
    return Call(endpoint, query=query)
