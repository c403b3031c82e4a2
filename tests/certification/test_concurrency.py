"""CON rules: calls at once, by two of the integrator's workers or by a client and its own retry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

import pytest
from hypothesis import strategies as st
from pytest_bdd import given, parsers, scenarios, then, when

from conformance.concurrency.model import Delete, Ended, Query, Refresh, Submit
from conformance.contract.endpoints import REFRESH_TOKEN_FIELD, Endpoint
from conformance.engine.at_once import Asking, Attempt, version_shown
from conformance.engine.bench import Bench
from conformance.engine.lanes import prove_lanes
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.openings_at_once import open_one_of
from conformance.engine.properties import prove
from conformance.engine.tries import Common, Sending, Tried, explained, most_tries
from conformance.engine.tries_in_one import TriesInOne, asking_release, initial, note_released, release_alone
from conformance.engine.unfinished import Hindered
from conformance.engine.values import Values
from conformance.engine.waiting import OF_ANOTHER_SECOND, Waiting
from conformance.errors import TargetUnavailable
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.tokens import tokens_in
from strategies.calls import Call, release_of
from strategies.orders import Order
from strategies.periods import PERIOD, at
from strategies.placeholders import CODE, REFRESH_TOKEN
from strategies.reconciliations import Batch, plain_order
from strategies.scope import Place
from tests.certification.conftest import TWO_RECONCILIATIONS, Experiment

scenarios("concurrency.feature")

SECONDS: Final = 60
"""How long the periods last."""

SIZES: Final = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
"""How many extracts the orders have."""

Sizes = tuple[int, int, int]


@pytest.fixture
def how() -> dict[str, str]:
    """What the When step says of the scenario."""
    return {}


def _prove(experiment: Experiment, sending: Callable[[Sizes], Sending], tried: Callable[[], Tried] = Tried) -> None:
    def law(sizes: Sizes) -> Waiting[None]:
        yield from explained(experiment.bench, experiment.rule, sending(sizes), tried=tried())

    _prove_law(experiment, law)


def _prove_law(experiment: Experiment, law: Callable[[Sizes], Waiting[None]]) -> None:
    try:
        prove(experiment.bench, experiment.bench.scenario, SIZES, law, 1)
    finally:
        experiment.bench.reconciliations.finish_spare()


def _are_refused(exchanges: list[Exchange | None]) -> bool:
    return all(exchange is not None and exchange.is_refused for exchange in exchanges)


# -- Given ---------------------------------------------------------------------------------------------------------


@given(parsers.re(TWO_RECONCILIATIONS))
def their_periods(how: dict[str, str], periods: str) -> None:
    how["periods"] = periods


@given("a reconciliation of two orders that is open")
@given("a reconciliation of three orders that is open")
@given("a reconciliation that has room for one of two orders")
@given("a refresh token")
@given("a model of what each call may be answered")
def made_ready_for_each_example() -> None:
    """Each example makes its own."""


@given(parsers.re("(?P<order>an order that (nobody has sent|is there))"))
def what_there_is(how: dict[str, str], order: str) -> None:
    how["order"] = order


# -- When ----------------------------------------------------------------------------------------------------------


@when(parsers.re("two of the integrator's workers release one of its orders at once, with (?P<bodies>.+)"))
def releases_of_one_order(how: dict[str, str], bodies: str) -> None:
    how["bodies"] = bodies


@when(parsers.re("two of the integrator's workers delete and (?P<other>update|release) it at once"))
def deletion_and_another(how: dict[str, str], other: str) -> None:
    how["other"] = other


@when(
    parsers.re(
        "two of the integrator's workers (open them|release both orders|release two of its orders|use it) at once"
    )
)
@when(parsers.re("two of the integrator's workers (send|send different versions of|update and ask for) it at once"))
@when("two or three of the integrator's workers make any calls at once, round by round")
def sent_at_once() -> None:
    """The law sends them."""


# -- CON-01 --------------------------------------------------------------------------------------------------------


def _two_reconciliations(bench: Bench, sizes: Sizes, periods: str) -> tuple[OpenReconciliation, OpenReconciliation]:
    """Two reconciliations of one account, not open yet."""
    reconciliations = bench.reconciliations
    place = reconciliations.soonest()
    first = reconciliations.begin(reconciliations.plain(place, sizes[0], seconds=2 * SECONDS))
    if periods == "the same period":
        return first, OpenReconciliation(first.batch, first.values)
    second = reconciliations.begin(reconciliations.plain(place, sizes[1], seconds=2 * SECONDS))
    if periods == "periods that overlap":
        shorter = reconciliations.begin(reconciliations.plain(place, sizes[0], seconds=SECONDS))
        begin = first.values[0][PERIOD]
        middle = str(at(timedelta(seconds=SECONDS // 2)).change(begin))
        first = OpenReconciliation(shorter.batch, (shorter.values[0].having(**{PERIOD: begin}),))
        second = OpenReconciliation(
            reconciliations.plain(place, sizes[1], seconds=SECONDS), (second.values[0].having(**{PERIOD: middle}),)
        )
    return first, second


@then("at most one is accepted, and where none is the next one")
def at_most_one_is_open(experiment: Experiment, how: dict[str, str]) -> None:
    periods = how["periods"]

    def sending(sizes: Sizes) -> Sending:
        def opened_at_once(attempt: Attempt) -> Waiting[None]:
            yield from ()
            reconciliations = experiment.bench.reconciliations
            pair = _two_reconciliations(experiment.bench, sizes, periods)
            if not all(reconciliations.submit_orders(reconciliation) for reconciliation in pair):
                raise Hindered("an order for a reconciliation was refused")
            reconciliations.check_place(pair[0].place)
            opened = open_one_of(attempt, pair, periods)
            if opened is not None:
                reconciliations.finish(opened)

        return opened_at_once

    _prove(experiment, sending, experiment.bench.openings_at_once.tried)


# -- CON-02 and CON-03 ---------------------------------------------------------------------------------------------


def _opened(bench: Bench, sizes: tuple[int, ...], quantity: int | None = None) -> OpenReconciliation:
    """A reconciliation of orders with so many extracts that is open, for so many entries (by default all)."""
    reconciliations = bench.reconciliations
    spare = reconciliations.spare  # on the place that was looked at
    batch = reconciliations.plain(spare.place if spare is not None else reconciliations.soonest(), *sizes)
    if quantity is not None:
        batch = replace(batch, creation={**batch.creation, "releasesQtd": quantity})
    return reconciliations.take_spare(batch) or bench.openings_at_once.open_for(batch)


def _released(attempt: Attempt, reconciliation: OpenReconciliation, *asked: Asking) -> list[bool]:
    """Send releases at once; where all of them are refused, the first again. Which of the orders, by number, are in."""
    exchanges = attempt.at_once(*asked)
    note_released(attempt, reconciliation)
    if _are_refused(exchanges):
        release_alone(attempt, reconciliation, asked[0])
    return note_released(attempt, reconciliation)


def _see_whether_it_ended(
    attempt: Attempt, reconciliation: OpenReconciliation, *, must: bool, then: Batch | None = None
) -> None:
    """Take note of whether it is complete: by its notification, or, where it `must` be, by room for the next one, which most
    likely comes `then`."""
    reconciliations, bench = attempt.bench.reconciliations, attempt.bench
    if must:
        reconciliation.released = set(range(len(reconciliation.batch.orders)))
        story = list(bench.story)
        # A mock whose clock was moved far enough has notified, unless it was seen not to; elsewhere one may end without.
        is_told = bench.session.control is not None and all(map(reconciliations.tells_ends, bench.scope.places))
        ended = bool(reconciliations.wait(reconciliation)) or (
            not is_told and reconciliations.is_free(reconciliation.place, then)
        )
        bench.story[:] = story
        reconciliation.ended = ended
    else:
        ended = bool(reconciliations.notified(reconciliation))
    if must or ended:
        attempt.saw(Ended("it"), "see whether it is complete", ended, "complete" if ended else "not complete")
    if must and not ended and reconciliations.spare is None:  # what was opened there by now is for the next try
        reconciliations.free(reconciliation.place)


def _clear(attempt: Attempt, reconciliation: OpenReconciliation) -> None:
    """Complete it where its entries are in as they should be; else free the account, unless another was opened there since, which
    is for the next try."""
    if attempt.unexplained() is not None:
        if attempt.bench.reconciliations.spare is not None:
            return
        reconciliation.spoiled = True
    attempt.bench.reconciliations.finish(reconciliation)


def _tries_in_one(bench: Bench, each: tuple[int, ...], last: int) -> TriesInOne:
    return TriesInOne(bench, partial(_opened, bench), each, last, most_tries(bench))


NOBODY_KNOWS: Final = "none of the releases at once was answered so that one knows what became of it"


@then("exactly one release is accepted, and counts once")
def one_release_counts_once(experiment: Experiment, how: dict[str, str]) -> None:
    bench = experiment.bench

    def law(sizes: Sizes) -> Waiting[None]:
        # All orders are as large: where one is counted twice there is no room for the last one.
        tries = _tries_in_one(bench, (sizes[0],), sizes[0])

        def released_at_once(attempt: Attempt) -> Waiting[None]:
            yield from ()
            reconciliation, numbers = tries.take(attempt)
            order = numbers[0]
            again = release_of(reconciliation.batch, order)
            if how["bodies"] == "different dates":
                again = replace(again, body={**again.body, "releasedDate": at(timedelta(seconds=1))})
            asked = asking_release(reconciliation, order), asking_release(reconciliation, order, again)
            try:
                if not _released(attempt, reconciliation, *asked)[order]:
                    raise TargetUnavailable(NOBODY_KNOWS)
                _see_whether_it_ended(attempt, reconciliation, must=False)
                if not attempt.shares:
                    _release_left(attempt, reconciliation, [numbers.stop])
            finally:
                tries.give_back(attempt, reconciliation)

        def closing(attempt: Attempt) -> Waiting[None]:
            yield from ()
            reconciliation, left = tries.reconciliation, tries.begin_closing(attempt)
            assert reconciliation is not None
            try:
                _release_left(attempt, reconciliation, left)
            finally:
                tries.give_back(attempt, reconciliation)

        yield from explained(bench, experiment.rule, released_at_once, in_one=Common(tries, closing))

    _prove_law(experiment, law)


def _release_left(attempt: Attempt, reconciliation: OpenReconciliation, orders: Sequence[int]) -> None:
    """Release these by themselves, as long as all is explained."""
    for order in orders:
        if attempt.unexplained() is None:
            release_alone(attempt, reconciliation, asking_release(reconciliation, order))
            note_released(attempt, reconciliation)


@then("exactly one release is accepted, and it completes")
def one_release_fits(experiment: Experiment) -> None:
    def sending(sizes: Sizes) -> Sending:
        def released_at_once(attempt: Attempt) -> Waiting[None]:
            yield from ()
            reconciliation = _opened(experiment.bench, (sizes[0], sizes[0]), quantity=sizes[0])
            attempt.initial = initial(reconciliation)
            try:
                in_ = _released(
                    attempt, reconciliation, asking_release(reconciliation, 0), asking_release(reconciliation, 1)
                )
                if not any(in_):
                    raise TargetUnavailable(NOBODY_KNOWS)
                if attempt.unexplained() is None:
                    _see_whether_it_ended(attempt, reconciliation, must=True, then=reconciliation.batch)
            finally:
                _clear(attempt, reconciliation)

        return released_at_once

    _prove(experiment, sending)


@then("both are accepted, and with the third it completes")
def all_releases_fit(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(sizes: Sizes) -> Waiting[None]:
        tries = _tries_in_one(bench, (sizes[0], sizes[1]), sizes[0])

        def released_at_once(attempt: Attempt) -> Waiting[None]:
            yield from ()
            reconciliation, numbers = tries.take(attempt)
            try:
                in_ = _released(attempt, reconciliation, *(asking_release(reconciliation, order) for order in numbers))
                # What was refused for the other is taken now.
                _release_left(attempt, reconciliation, [order for order in numbers if not in_[order]])
                if not attempt.shares:
                    complete(attempt, reconciliation, [numbers.stop], then=reconciliation.batch)
            finally:
                tries.give_back(attempt, reconciliation)

        def complete(
            attempt: Attempt, reconciliation: OpenReconciliation, left: Sequence[int], then: Batch | None = None
        ) -> None:
            _release_left(attempt, reconciliation, left)
            if attempt.unexplained() is None and reconciliation.is_complete:
                _see_whether_it_ended(attempt, reconciliation, must=True, then=then)

        def closing(attempt: Attempt) -> Waiting[None]:
            yield from ()
            reconciliation, left = tries.reconciliation, tries.begin_closing(attempt)
            assert reconciliation is not None
            try:
                complete(attempt, reconciliation, left)
            finally:
                tries.give_back(attempt, reconciliation)

        yield from explained(bench, experiment.rule, released_at_once, in_one=Common(tries, closing))

    _prove_law(experiment, law)


# -- CON-04 and CON-05: orders -------------------------------------------------------------------------------------


def _versions(bench: Bench, place: Place, sizes: Sizes) -> dict[str, Order]:
    """Versions of an order that differ in their extracts and their total."""
    form = bench.scope.account_id_forms[0]
    return {f"v{n + 1}": plain_order(place, form, 4 * n + size, bench.scope.days.start) for n, size in enumerate(sizes)}


def _submission(values: Values, name: str, order: Order, *, seen: bool = False) -> Asking:
    return Asking(Call(Endpoint.SUBMIT_ORDER, body=order), values, Submit("A", name, seen), f"send {name}")


def _deletion(values: Values, place: Place) -> Asking:
    return Asking(_lookup(Endpoint.DELETE_ORDER, place), values, Delete("A"), "delete")


def _query(bench: Bench, values: Values, place: Place, versions: dict[str, Order]) -> Asking:
    call = _lookup(Endpoint.GET_ORDER, place)
    shows = partial(version_shown, bench, values=values, versions=versions)
    return Asking(call, values, Query("A"), "ask for it", shows=shows)


def _lookup(endpoint: Endpoint, place: Place) -> Call:
    query = {"marketplaceCode": CODE, "channelName": place.channel, "accountId": str(place.account)}
    return Call(endpoint, query=query)


def _submit(attempt: Attempt, asked: Asking) -> None:
    """Send a version by itself, before anything is sent at once."""
    if not attempt.bench.is_accepted(asked.call, attempt.ask(asked)):
        raise Hindered("ORD-01: a lawful order was refused")


def _show(attempt: Attempt, place: Place, values: Values, versions: dict[str, Order]) -> Waiting[str | None]:
    """What is stored; Hindered where it is wrong already, since nothing was sent at once yet."""
    shown = yield from attempt.look(place, values, versions)
    if attempt.unexplained() is not None:
        raise Hindered("QRY-01: an order is not shown as it was sent")
    return shown


@then("it is one order, and one deletion ends it")
def one_order(experiment: Experiment) -> None:
    def sending(sizes: Sizes) -> Sending:
        def sent(attempt: Attempt) -> Waiting[None]:
            bench = experiment.bench
            place = bench.scope.places[0]
            values, versions = bench.fresh("amazon"), _versions(bench, place, sizes)
            asked = _submission(values, "v1", versions["v1"])
            if _are_refused(attempt.at_once(asked, asked)):
                attempt.ask(asked)
            yield from attempt.look(place, values, versions)
            if attempt.unexplained() is None:
                attempt.ask(_deletion(values, place))
                yield from attempt.look(place, values, versions)

        return sent

    _prove(experiment, sending)


@then("what is stored is one of them, whole")
def one_version(experiment: Experiment, how: dict[str, str]) -> None:
    def sending(sizes: Sizes) -> Sending:
        def sent(attempt: Attempt) -> Waiting[None]:
            bench = experiment.bench
            place = bench.scope.places[0]
            values, versions = bench.fresh("amazon"), _versions(bench, place, sizes)
            if how["order"] == "an order that is there":
                _submit(attempt, _submission(values, "v3", versions["v3"]))
                yield from _show(attempt, place, values, versions)
            asked = [_submission(values, name, versions[name]) for name in ("v1", "v2")]
            if _are_refused(attempt.at_once(*asked)):
                attempt.ask(asked[0])
            yield from attempt.look(place, values, versions)

        return sent

    _prove(experiment, sending)


@then("what is shown is one of the versions, whole")
def one_version_shown(experiment: Experiment) -> None:
    bench = experiment.bench

    def sending(sizes: Sizes) -> Sending:
        def sent(attempt: Attempt) -> Waiting[None]:
            place = bench.scope.places[0]
            values, versions = bench.fresh("amazon"), _versions(bench, place, sizes)
            _submit(attempt, _submission(values, "v1", versions["v1"], seen=True))
            yield from _show(attempt, place, values, versions)
            update, query = _submission(values, "v2", versions["v2"]), _query(bench, values, place, versions)
            if _are_refused(attempt.at_once(update, query)):
                attempt.ask(update)
            yield from attempt.look(place, values, versions)

        return sent

    _prove(experiment, sending)


@then("some order of the calls explains how it ends")
def deletion_beside(experiment: Experiment, how: dict[str, str]) -> None:
    _prove(
        experiment, {"update": _deleted_and_updated, "release": _deleted_and_released}[how["other"]](experiment.bench)
    )


def _deleted_and_updated(bench: Bench) -> Callable[[Sizes], Sending]:
    def sending(sizes: Sizes) -> Sending:
        def sent(attempt: Attempt) -> Waiting[None]:
            place = bench.scope.places[0]
            values, versions = bench.fresh("amazon"), _versions(bench, place, sizes)
            _submit(attempt, _submission(values, "v1", versions["v1"]))
            yield from _show(attempt, place, values, versions)
            deletion, update = _deletion(values, place), _submission(values, "v2", versions["v2"])
            if _are_refused(attempt.at_once(deletion, update)):
                attempt.ask(update)
            yield from attempt.look(place, values, versions)

        return sent

    return sending


def _deleted_and_released(bench: Bench) -> Callable[[Sizes], Sending]:
    def sending(sizes: Sizes) -> Sending:
        def sent(attempt: Attempt) -> Waiting[None]:
            reconciliation = _opened(bench, (sizes[0],))
            place, values = reconciliation.place, reconciliation.values[0]
            versions = {"v1": reconciliation.batch.orders[0]}
            attempt.initial, reconciliation.may_fail = initial(reconciliation), True
            try:
                release = asking_release(reconciliation, 0)
                if _are_refused(attempt.at_once(_deletion(values, place), release)):
                    release_alone(attempt, reconciliation, release)
                reconciliation.spoiled = not note_released(attempt, reconciliation)[0]
            finally:
                bench.reconciliations.finish(reconciliation)
            yield from attempt.look(place, values, versions)

        return sent

    return sending


# -- CON-05: tokens ------------------------------------------------------------------------------------------------


@then("at most one gets a new pair")
def one_refresh(experiment: Experiment) -> None:
    bench = experiment.bench

    def sending(_: Sizes) -> Sending:
        def refreshed(attempt: Attempt) -> Waiting[None]:
            yield from ()
            # Tokens of one second may be equal: this one is not to be that of anybody else, nor that which it gets.
            bench.let_pass("a token of another second", OF_ANOTHER_SECOND)
            refresh = tokens_in(bench.session.client.create_token())[1]
            bench.let_pass("a token of another second", OF_ANOTHER_SECOND)
            if refresh is None:
                raise Hindered("AUTH-01: there is no refresh token")
            values = bench.fresh("amazon").having(refresh_token=refresh)
            call = Call(Endpoint.REFRESH_TOKEN, body={REFRESH_TOKEN_FIELD: REFRESH_TOKEN})
            asked = Asking(call, values, Refresh("it"), "refresh")
            attempt.at_once(asked, asked)

        return refreshed

    _prove(experiment, sending)


@then("some order of the calls explains all answers")
def any_calls(experiment: Experiment) -> None:
    prove_lanes(experiment.bench, experiment.rule)
