"""AUTH rules: tokens are given, die, are renewed once, and are needed everywhere."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st
from pytest_bdd import scenarios, then

from conformance.contract.endpoints import TOKEN_HEADER, Endpoint
from conformance.contract.readings import TOKEN_LIFETIME_SECONDS
from conformance.contract.rules import Side
from conformance.engine.bench import Bench
from conformance.engine.checks import check_accepted, check_refused
from conformance.engine.laws import make_ready
from conformance.engine.properties import once, prove
from conformance.engine.unfinished import Hindered
from conformance.engine.values import Values
from conformance.engine.waiting import OF_ANOTHER_SECOND, Waiting
from conformance.target.wire.admission import PAUSES
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.tokens import says_no_token, tokens_in
from conformance.verdict.violation import Violation
from strategies.calls import Call, Edit, calls
from tests.certification.conftest import Experiment

scenarios("authentication.feature")


def _new_pair(bench: Bench, rule: str, exchange: Exchange) -> tuple[str, str]:
    """Both tokens of an answer that must hold them."""
    bench.noted(exchange)
    access, refresh = tokens_in(exchange)
    if exchange.status // 100 != 2 or access is None or refresh is None:
        raise Violation(
            rule=rule,
            expected="an access token and a refresh token",
            actual=f"it answered {exchange.status} with {'an' if access else 'no'} access token and "
            f"{'a' if refresh else 'no'} refresh token",
            exchange=exchange,
        )
    return access, refresh


def _check_taken(experiment: Experiment, access: str, context: str) -> None:
    """A new token is taken, at once or when all machines know it. Raises a violation."""
    bench, call = experiment.bench, Call(Endpoint.LIST_ACCOUNTS, headers={TOKEN_HEADER: access})
    used = bench.send(call, {})
    for pause in PAUSES:
        if not says_no_token(used):
            break
        bench.let_pass("a token that is not known yet", pause)
        used = bench.send(call, {})
    check_accepted(rule=experiment.rule, exchange=used, context=context)


def _attempts(experiment: Experiment) -> range:
    return range(max(1, experiment.bench.session.profile.sequences // 3))


@then("every attempt gets an access token and a refresh token")
def every_attempt_gets_tokens(experiment: Experiment) -> None:
    bench = experiment.bench

    def law() -> None:
        exchange = bench.session.client.create_token()
        access, _ = _new_pair(bench, "AUTH-01", exchange)
        _check_taken(experiment, access, "with the new access token")
        bench.saw(Side.ACCEPTED, exchange)

    for _attempt in _attempts(experiment):
        once(bench, law)


NO_PAIR: Final = "AUTH-01: right credentials got no pair of tokens"


def _pair_to_refresh(bench: Bench) -> tuple[str, str] | None:
    """A pair to begin with, of another second than any before and after it; that there is one is AUTH-01's business."""
    bench.let_pass("a token of another second", OF_ANOTHER_SECOND)
    access, refresh = tokens_in(bench.session.client.create_token())
    bench.let_pass("a token of another second", OF_ANOTHER_SECOND)
    return (access, refresh) if access and refresh else None


@then("every refresh gets a new access token that works and a new refresh token")
def every_refresh_gets_new_tokens(experiment: Experiment) -> None:
    bench = experiment.bench

    def law() -> None:
        pair = _pair_to_refresh(bench)
        if pair is None:
            bench.hindered(NO_PAIR)
            return
        exchange = bench.session.client.refresh_token(pair[1])
        access, refresh = _new_pair(bench, "AUTH-06", exchange)
        if access == pair[0] or refresh == pair[1]:
            actual = f"the {'access' if access == pair[0] else 'refresh'} token was the old one"
            raise Violation(rule="AUTH-06", expected="a new pair", actual=actual, exchange=exchange)
        _check_taken(experiment, access, "with the new access token")
        bench.let_pass("a token of another second", OF_ANOTHER_SECOND)
        _new_pair(bench, "AUTH-06", bench.session.client.refresh_token(refresh))
        bench.saw(Side.ACCEPTED, exchange)

    for _attempt in _attempts(experiment):
        once(bench, law)


@then("every refresh token is taken once and refused after that")
def every_refresh_token_is_taken_once(experiment: Experiment) -> None:
    bench, client = experiment.bench, experiment.bench.session.client

    def law(number: int) -> None:
        pair = _pair_to_refresh(bench)
        if pair is None:
            bench.hindered(NO_PAIR)
            return
        first = bench.noted(client.refresh_token(pair[1]))
        if tokens_in(first)[0] is None:
            bench.hindered("AUTH-06: a refresh token that was not used before gets no tokens")
            return
        context, next_one = "the refresh token was used before", None
        if number > 0:  # a server may know only the newest of those that are void
            next_one = tokens_in(first)[1]
            bench.let_pass("a token of another second", OF_ANOTHER_SECOND)
            if next_one is None or tokens_in(bench.noted(client.refresh_token(next_one)))[0] is None:
                bench.hindered("AUTH-06: a refresh token that was not used before gets no tokens")
                return
            context = "the refresh token was used before, and the one that it got, too"
        second = bench.noted(client.refresh_token(pair[1]))
        check_refused(rule=experiment.rule, exchange=second, bench=bench, context=context)
        if next_one is not None:  # or void only those that a login gave
            renewed = bench.noted(client.refresh_token(next_one))
            context = "the refresh token, which a refresh gave, was used before"
            check_refused(rule=experiment.rule, exchange=renewed, bench=bench, context=context)
        if number == 0:
            other = bench.noted(client.refresh_token(pair[0]))
            check_refused(rule=experiment.rule, exchange=other, bench=bench, context="it is an access token")
        bench.saw(Side.ACCEPTED, first)
        bench.saw(Side.REFUSED, second)

    for number in _attempts(experiment):
        prove(bench, f"{bench.scenario} {number}", st.just(number), law, 1)


_WITHOUT_TOKEN: Final = {401, 403}
"""Statuses of a call whose token is not taken."""


def _check_alive(experiment: Experiment, exchange: Exchange, lifetime: int, margin: int) -> None:
    if exchange.status // 100 != 2:
        raise Violation(
            rule=experiment.rule.id,
            expected=f"a token to live for {lifetime} s",
            actual=f"{margin} s before that it got {exchange.status}",
            exchange=exchange,
        )


MARGIN_SECONDS = 1
REMOTE_MARGIN_SECONDS = 30
"""How near to its end a token is tried. Over a socket the requests themselves take time."""


@then("it is accepted just before the token's life is over and refused with 403 and NO_TOKEN just after")
def accepted_until_the_end_of_its_life(experiment: Experiment) -> None:
    bench, client, clock = experiment.bench, experiment.bench.session.client, experiment.bench.session.control
    assert clock is not None
    lifetime = TOKEN_LIFETIME_SECONDS[bench.scope.readings["token-lifetime"]]
    margin = MARGIN_SECONDS if bench.session.in_process else REMOTE_MARGIN_SECONDS

    def law(lawful: Call) -> Waiting[None]:
        values = yield from make_ready(bench, lawful)
        if values is None:
            return
        try:
            live_out(lawful, values)
        finally:
            bench.reconciliations.finish_current()

    def live_out(lawful: Call, values: Values) -> None:
        """Of two tokens one is just dead when the other is about to die: the same call is refused, then accepted."""
        elder = tokens_in(client.create_token())[0]
        clock.advance(2 * margin)
        younger = tokens_in(client.create_token())[0]
        if elder is None or younger is None:
            bench.hindered(NO_PAIR)
            return
        clock.advance(lifetime - 3 * margin)
        used = bench.send(Call(Endpoint.LIST_ACCOUNTS, headers={TOKEN_HEADER: elder}), {}, "use it once more")
        _check_alive(experiment, used, lifetime, margin)  # which does not make it live longer
        clock.advance(2 * margin)
        dead, alive = (Edit(("headers", TOKEN_HEADER), token).apply(lawful) for token in (elder, younger))
        after = bench.reconciliations.follow(dead, bench.send(dead, values))  # what it opens must be completed
        check_refused(rule=experiment.rule, exchange=after, bench=bench, context=f"{margin} s after {lifetime} s")
        bench.reconciliations.was_refused(lawful)
        with bench.keeping_faults() as faults:
            before = bench.reconciliations.follow(alive, bench.send(alive, values))
            if before.status // 100 != 2 and not bench.reconciliations.is_accepted(
                lawful, bench.send(lawful, values), faults
            ):
                raise Hindered("the call is refused with a new token too")
        if before.is_refused and before.status not in _WITHOUT_TOKEN:
            raise Hindered("the call was refused for another reason than its token")
        _check_alive(experiment, before, lifetime, margin)
        bench.saw(Side.ACCEPTED, before)
        bench.saw(Side.REFUSED, after)

    prove(bench, bench.scenario, calls(bench.scope, experiment.endpoint), law, max(1, len(_attempts(experiment)) // 2))
