"""LIM rules: rates and the blacklist, seen on the suite's own mock only. What is sent here passes neither budget nor journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

import httpx
import pytest
from pytest_bdd import given, parsers, scenarios, then

from conformance.contract.endpoints import (
    ACCESS_TOKEN_FIELD,
    CREDENTIALS_FIELD,
    INTEGRATOR_HEADER,
    TOKEN_HEADER,
    Endpoint,
)
from conformance.contract.jsontext import dumps
from conformance.contract.limits import (
    BLOCK_SECONDS,
    CALLS_WHILE_BLOCKED,
    ERRORS_AN_HOUR,
    HOUR_SECONDS,
    MINUTE_SECONDS,
    PER_MINUTE,
)
from conformance.contract.rules import Side
from conformance.engine.properties import once
from conformance.engine.unfinished import Hindered
from conformance.mock.in_process import InProcess
from conformance.run.mock_control import Control
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.placeholders import fill
from strategies.reconciliations import plain_order
from tests.certification.conftest import Experiment

scenarios("limits.feature")

_ERRORS: Final = (b"", b'{"status": "NO_SUCH_STATUS"}', b"{}")
"""Bodies of which a server that misses one fault refuses another."""

TOO_MANY, BLOCKED = 429, 423

ENDPOINTS = {
    "order submissions": Endpoint.SUBMIT_ORDER,
    "order queries": Endpoint.GET_ORDER,
    "order deletions": Endpoint.DELETE_ORDER,
}


@dataclass(frozen=True, slots=True)
class Answered:
    """A call with its answer. What is shown of it is put together where it is shown: most of thousands are not."""

    endpoint: Endpoint
    request: httpx.Request
    status: int
    whole: Callable[[], httpx.Response]

    @property
    def is_accepted(self) -> bool:
        """Whether it was answered with a 2xx."""
        return self.status // 100 == 2


@dataclass(frozen=True)
class Limited:
    """A mock whose limits hold, one lawful order on it, and a bare client."""

    experiment: Experiment
    control: Control
    client: httpx.Client
    headers: dict[str, str]
    order: bytes
    query: dict[str, str]
    error: bytes = b""
    """A body that is refused."""
    built: dict[tuple[Endpoint, bytes | None, str], httpx.Request] = field(default_factory=dict)

    def call(self, endpoint: Endpoint, body: bytes | None = None) -> Answered:
        """Call the endpoint for the order; with another `body` where one is given."""
        posts = endpoint is Endpoint.SUBMIT_ORDER
        content = (self.order if body is None else body) if posts else None
        key = (endpoint, content, self.headers[TOKEN_HEADER])
        if key not in self.built:  # building it takes as long as sending it, thousands of times
            params = None if posts else self.query
            self.built[key] = self.client.build_request(
                endpoint.method, endpoint.path, content=content, params=params, headers=self.headers
            )
        request, transport = self.built[key], self.experiment.bench.session.transport
        # To the mock in process without the client's layers: of thousands of calls they would take half of the time.
        if isinstance(transport, InProcess):
            status, headers, body = transport.answer_again(request)
            stream = httpx.ByteStream(body)
            return Answered(endpoint, request, status, partial(httpx.Response, status, headers=headers, stream=stream))
        response = self.client.send(request) if transport is None else transport.handle_request(request)
        response.read()
        return Answered(endpoint, request, response.status_code, lambda: response)

    def shown(self, answered: Answered) -> Exchange:
        """It as an exchange, which is not recorded, but may be shown: its secrets are learnt."""
        request, response, endpoint = answered.request, answered.whole(), answered.endpoint
        exchange = Exchange(
            datetime.now(UTC), endpoint.method, str(request.url),
            {TOKEN_HEADER.lower(): request.headers[TOKEN_HEADER]}, request.content,
            answered.status, dict(response.headers), response.read(), 0.0, endpoint,
        )  # fmt: skip
        self.experiment.bench.session.journal.learn(exchange)
        return exchange

    def err(self, times: int) -> Answered:
        """Make so many client errors, well below the documented rate; the last of them."""
        for number in range(times):
            if number % (PER_MINUTE[Endpoint.SUBMIT_ORDER] // 2) == 0:
                self.control.advance(MINUTE_SECONDS)
            answered = self.call(Endpoint.SUBMIT_ORDER, self.error)
            if answered.status in {TOO_MANY, BLOCKED}:
                self.violated(f"client error {number + 1} of {times} to get its own answer", answered)
        return answered

    def block(self) -> None:
        """Err until the integrator is blocked; when that happens is LIM-02's business. The last call counts as one during
        the block."""
        self.renew()
        for _ in range(2):
            self.err(ERRORS_AN_HOUR // 2 - 5)
        for _ in range(ERRORS_AN_HOUR // 2):
            if self.call(Endpoint.SUBMIT_ORDER, self.error).status == BLOCKED:
                return
        raise Hindered("LIM-02: client errors do not block")

    def renew(self) -> None:
        """A new token: those who let hours pass need one."""
        body = dumps({CREDENTIALS_FIELD: self.experiment.bench.session.client.credentials}).encode()
        answer = self.client.post(
            Endpoint.CREATE_TOKEN.path, content=body, headers={"content-type": "application/json"}
        )
        if answer.status_code == BLOCKED:
            raise Violation(
                rule=self.experiment.rule.id, expected="no block any more", actual="a new token got 423", exchange=None
            )
        token = self.headers[TOKEN_HEADER] = answer.json()[ACCESS_TOKEN_FIELD]
        self.experiment.bench.session.redactor.learn_token(token, ACCESS_TOKEN_FIELD)  # no journal would

    def expect(self, answered: Answered, *, blocked: bool, when: str) -> None:
        """A call is answered 423, or is not."""
        if (answered.status == BLOCKED) != blocked:
            self.violated(f"{'423' if blocked else 'no 423'} to be answered {when}", answered)

    def violated(self, expected: str, answered: Answered) -> None:
        """The scenario's rule is broken."""
        actual = f"it answered {answered.status}"
        raise Violation(rule=self.experiment.rule.id, expected=expected, actual=actual, exchange=self.shown(answered))

    def saw(self, side: Side, answered: Answered) -> None:
        """The call shows that side of the scenario's rule."""
        self.experiment.bench.saw(side, self.shown(answered))


@contextmanager
def _limited(experiment: Experiment) -> Iterator[Limited]:
    bench, session = experiment.bench, experiment.bench.session
    assert session.control is not None
    place, values = bench.scope.places[0], bench.fresh("amazon")
    order = dumps(fill(plain_order(place, bench.scope.account_id_forms[0], 1, bench.scope.days.start), values)).encode()
    headers = {
        INTEGRATOR_HEADER: str(session.target.integrator),
        "content-type": "application/json",
    }
    query = {"marketplaceCode": values["code"], "channelName": place.channel, "accountId": str(place.account)}
    session.control.enforce_limits(on=True)
    try:
        with session.bare_client() as client:
            limited = Limited(experiment, session.control, client, headers, order, query)
            limited.renew()
            if not limited.call(Endpoint.SUBMIT_ORDER).is_accepted:  # one client error more than are counted here
                raise Hindered("ORD-01: a lawful order was refused")
            refused = [error for error in _ERRORS if limited.call(Endpoint.SUBMIT_ORDER, error).status // 100 == 4]
            if not refused:
                pytest.skip("not exercised: nothing that is sent gets a client error")
            session.control.enforce_limits(on=True)  # forgets what was counted so far
            yield replace(limited, error=refused[0])
    finally:
        session.control.enforce_limits(on=False)


@given("a mock that enforces the documented limits")
def a_mock_that_enforces_the_limits() -> None:
    """Switched on for as long as a law of this scenario runs."""


@then(parsers.parse("above the documented rate {calls} are answered 429, and a minute later no more"))
def too_many_calls_are_answered_429(experiment: Experiment, calls: str) -> None:
    endpoint = ENDPOINTS[calls]
    limit = PER_MINUTE[endpoint]

    def law() -> None:
        with _limited(experiment) as limited:
            for number in range(1, limit + 1):
                called = limited.call(endpoint)
                if called.status == TOO_MANY:
                    limited.violated(f"{limit} calls a minute to be answered, call {number} too", called)
            above = limited.call(endpoint)
            if above.status != TOO_MANY:
                limited.violated(f"429 to call {limit + 1} within a minute", above)
            limited.control.advance(MINUTE_SECONDS)
            after = limited.call(endpoint)
            if after.status == TOO_MANY:
                limited.violated("a call a minute later to be answered", after)
            limited.saw(Side.ACCEPTED, after)
            limited.saw(Side.REFUSED, above)

    once(experiment.bench, law)


@then("from the 500th client error on every call is answered 423, for an hour")
def client_errors_lead_to_423(experiment: Experiment) -> None:
    def law() -> None:
        with _limited(experiment) as limited:
            control = limited.control
            limited.err(ERRORS_AN_HOUR - 1)
            limited.expect(limited.call(Endpoint.SUBMIT_ORDER), blocked=False, when="after 499 client errors")
            control.advance(HOUR_SECONDS + 1)
            limited.renew()
            limited.err(1)
            limited.expect(limited.call(Endpoint.GET_ORDER), blocked=False, when="after 500 that took over an hour")
            limited.err(ERRORS_AN_HOUR - 1)
            for endpoint in PER_MINUTE:
                refused = limited.call(endpoint)
                limited.expect(refused, blocked=True, when=f"to {endpoint.label} after 500 client errors in an hour")
            # The mock's clock ticks where it serves a socket: a minute is margin enough.
            control.advance(BLOCK_SECONDS - 60)
            limited.expect(limited.call(Endpoint.GET_ORDER), blocked=True, when="a minute before the hour is over")
            control.advance(60)
            limited.renew()
            accepted = limited.call(Endpoint.GET_ORDER)
            limited.expect(accepted, blocked=False, when="when the hour is over")
            limited.saw(Side.ACCEPTED, accepted)
            limited.saw(Side.REFUSED, refused)

    once(experiment.bench, law)


@then("1000 calls during a block make it permanent, and 999 do not")
def calls_during_a_block_make_it_permanent(experiment: Experiment) -> None:
    def law() -> None:
        with _limited(experiment) as limited:
            for calls in (CALLS_WHILE_BLOCKED - 1, CALLS_WHILE_BLOCKED):
                limited.block()
                for _ in range(calls - 1):
                    called = limited.call(Endpoint.GET_ORDER)
                limited.expect(called, blocked=True, when="after 500 client errors in an hour")
                limited.control.advance(BLOCK_SECONDS)
                last = limited.call(Endpoint.GET_ORDER)
                for_good = calls == CALLS_WHILE_BLOCKED
                limited.expect(last, blocked=for_good, when=f"an hour after a block with {calls} calls in it")
                limited.saw(Side.REFUSED if for_good else Side.ACCEPTED, last)
            limited.control.advance(24 * HOUR_SECONDS)
            limited.expect(limited.call(Endpoint.GET_ORDER), blocked=True, when="a day after a permanent block")

    once(experiment.bench, law)
