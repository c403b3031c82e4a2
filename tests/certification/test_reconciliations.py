"""REC rules: which reconciliations are opened, one at a time and each for a period of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import strategies as st
from pytest_bdd import scenarios, then

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Side, catalogue
from conformance.engine.batch_laws import refuse_in_batches
from conformance.engine.checks import check_accepted, check_refused
from conformance.engine.creation_laws import (
    MANY_RELEASES,
    OVERLAP_SECONDS,
    after_refusal_name,
    any_creation,
    any_total,
    beside_an_active_one,
    faults_of_others,
    free_after_refusal,
    of_another_account,
    other_than,
    pairs_of_places,
    second_while_active,
    some,
    touching_name,
)
from conformance.engine.creations_seen import CreationLaw
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.probes import probe_adjacent
from conformance.engine.properties import once, prove
from conformance.engine.refused_beside import refuse_beside
from conformance.engine.same_again import refuse_the_same
from conformance.engine.stays_active import check_nothing_stays_active
from conformance.engine.still_taken import check_still_taken
from conformance.engine.unfinished import Hindered
from conformance.verdict.violation import Violation
from strategies.calls import creation_of
from strategies.dates import printed
from strategies.periods import EARLIER_SECONDS, PERIOD, at
from strategies.reconciliations import Batch, batches
from strategies.scope import Place
from tests.certification.conftest import Experiment

scenarios("reconciliations.feature")


@then("every creation is accepted with 201 and an integer id")
def every_creation_gets_an_integer_id(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations
    before_any: dict[Place, Batch] = {}
    """What was refused where nothing had been opened yet: what others left active might have been in its way."""

    def law_of_earlier(batch: Batch) -> None:
        """One whose period ends shortly before that of an earlier reconciliation."""
        later = reconciliations.run_through(reconciliations.plain(batch.place, 1, seconds=EARLIER_SECONDS))
        reconciliation = reconciliations.begin(batch)
        init = datetime.fromisoformat(later.values[0][PERIOD]) - timedelta(seconds=3 * batch.seconds)
        reconciliation.values = tuple(values.having(**{PERIOD: printed(init)}) for values in reconciliation.values)
        check(reconciliation)

    def law(batch: Batch) -> None:
        check(reconciliations.begin(batch))

    def check(reconciliation: OpenReconciliation) -> None:
        if not reconciliations.submit_orders(reconciliation):
            return
        try:
            created = reconciliations.create(reconciliation, blame=False, elsewhere=True)
            if created.status not in experiment.rule.accepted:
                if reconciliation.place not in reconciliations.opened_at:
                    before_any.setdefault(reconciliation.place, reconciliation.batch)
                reconciliations.check_says_something(reconciliation, created)
            check_accepted(rule=experiment.rule, exchange=created, context=reconciliation.refused_for)
            bench.saw(Side.ACCEPTED, created)
        finally:
            reconciliations.finish(reconciliation)

    sequences = bench.session.profile.sequences
    if not bench.succession.shows_creations(sequences):
        prove(bench, bench.scenario, batches(reconciliations.scope, at_most=2), law, sequences)
    place = reconciliations.scope.places[0]
    if not bench.succession.shows_creations(1, releases=MANY_RELEASES):
        many = reconciliations.plain(place, *(MANY_RELEASES // 3,) * 3)
        prove(bench, f"{bench.scenario} of many releases", st.just(many), law, 1)
    for one in any_creation(bench, experiment.rule):
        if not bench.succession.counts(one.name) and isinstance(one, CreationLaw):
            prove(bench, one.name, one.strategy, law_of_earlier if one.needs_earlier else law, one.examples)
    for place, batch in before_any.items():
        if place in reconciliations.opened_at:
            prove(bench, f"{bench.scenario} once more on account {place.account}", st.just(batch), law, 1)


@then("no two have the same id")
def no_two_have_the_same_id(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations

    def law(batch: Batch) -> None:
        earlier = len(reconciliations.all_ids)
        reconciliations.run_through(batch)  # raises a violation where the id is not new
        if earlier:
            created = next(one for one in bench.story if one.endpoint is Endpoint.CREATE_RECONCILIATION)
            bench.saw(Side.ACCEPTED, created)

    examples = max(2, some(bench))
    if not bench.succession.shows_creations(examples):
        prove(bench, bench.scenario, batches(reconciliations.scope), law, examples)
    check_still_taken(bench)


@then("while it is active a second one is refused with 4xx, and accepted after")
def second_one_refused_while_active(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations

    def law(pair: tuple[Batch, Batch]) -> None:
        first, second = (reconciliations.begin(batch) for batch in pair)
        if not reconciliations.submit_orders(first) or not reconciliations.submit_orders(second):
            return
        if reconciliations.create(first).status // 100 != 2:
            return
        try:
            refuse_the_same(
                bench, experiment.rule, first
            )  # first: who gives the place free with it takes the other one
            refused = refuse_beside(reconciliations, first, second)
            context = "while another is active on this account and channel"
            check_refused(rule=experiment.rule, exchange=refused, bench=bench, context=context)
            if not all(reconciliations.released(first, order) for order in range(len(first.batch.orders))):
                return
        finally:
            reconciliations.finish(first)
        try:
            bench.saw(Side.ACCEPTED, reconciliations.create_after_refusal(second, while_active=True))
            bench.saw(Side.REFUSED, refused)
        finally:
            reconciliations.finish(second)

    for one in second_while_active(bench, experiment.rule):
        if not bench.succession.counts(one.name):
            prove(bench, one.name, one.strategy, law, one.examples)


@then("a creation that is refused leaves its period free")
def refused_creation_leaves_its_period_free(experiment: Experiment) -> None:
    bench = experiment.bench
    shown = {one.name: bench.succession.counts(one.name) for one in free_after_refusal(bench, experiment.rule)}
    for rule, kinds in faults_of_others(bench.scope).items():
        if not shown[after_refusal_name(bench, rule)]:
            refuse_in_batches(bench, catalogue()[rule], Endpoint.CREATE_RECONCILIATION, kinds)
    # And one that is found only among earlier reconciliations: what is written before one looks there stays, perhaps.
    if not shown[f"{bench.scenario} by an earlier"]:
        check_nothing_stays_active(bench)
        once(bench, lambda: _refused_by_an_earlier(experiment))
    check_nothing_stays_active(bench)


def _refused_by_an_earlier(experiment: Experiment) -> None:
    """One that lies partly over an earlier period is refused, and one of the rest of its period is accepted. Twice, where it
    is not: the rest may be an earlier run's."""
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations
    for last in (False, True):
        place = reconciliations.scope.places[0]
        earlier = reconciliations.run_through(reconciliations.plain(place, 1, seconds=EARLIER_SECONDS))
        ends = datetime.fromisoformat(earlier.values[0][PERIOD]) + timedelta(seconds=EARLIER_SECONDS)
        reconciliation = reconciliations.begin(reconciliations.plain(place, 2, seconds=OVERLAP_SECONDS))
        rest = {PERIOD: printed(ends + timedelta(seconds=1))}
        reconciliation.values = tuple(values.having(**rest) for values in reconciliation.values)
        if not reconciliations.submit_orders(reconciliation):
            return
        lawful = creation_of(reconciliation.batch)
        broken = replace(lawful, body={**lawful.body, "periodInitDate": at(timedelta(seconds=-OVERLAP_SECONDS))})
        reconciliations.note_refused(place)
        refused = reconciliations.send_broken(reconciliation, broken)
        if refused.status // 100 == 2:
            reconciliations.stray(reconciliation)
            context = f"its first {OVERLAP_SECONDS} s are the last of an earlier period"
            bench.observe("REC-05", "it to be refused with 4xx", f"it answered {refused.status}", refused, context)
        if refused.status // 100 != 4:
            raise Hindered(f"REC-05: a period partly over an earlier one got {refused.status}")
        try:
            created = reconciliations.create(reconciliation, blame=False)
            if created.status // 100 == 2:
                bench.saw(Side.ACCEPTED, created)
                bench.saw(Side.REFUSED, refused)
                return
            reconciliations.check_free(place)
            reconciliations.another_period(reconciliation)
            if reconciliations.create(reconciliation).status // 100 != 2:
                raise Hindered("REC-01: a proper reconciliation was refused")
        finally:
            reconciliations.finish(reconciliation)
        if last:
            raise Violation(
                rule=experiment.rule.id,
                expected="what is left of a period that was refused to be free",
                actual=f"it answered {created.status}",
                exchange=created,
                context="refused was a period partly over an earlier one; this one lies over none",
            )


@then("while it is active another account can have one of the same period")
def another_account_can_have_the_same_period(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations
    pairs = pairs_of_places(reconciliations.scope)
    if not pairs:
        pytest.skip("not exercised: needs a second account in the target file")

    def law(batch: Batch) -> None:
        place, other = pairs[0]
        first = reconciliations.begin(reconciliations.plain(place, 1, 1, seconds=batch.seconds))
        second = reconciliations.begin(batch)
        second.values = tuple(values.having(**{PERIOD: first.values[0][PERIOD]}) for values in second.values)
        if not reconciliations.submit_orders(first) or not reconciliations.submit_orders(second):
            return
        if reconciliations.create(first).status // 100 != 2:
            return
        try:
            created = reconciliations.create(second, blame=False)
            if created.status // 100 != 2:
                reconciliations.check_free(other)
            context = f"while one of the same period is active on account {place.account}"
            check_accepted(rule=experiment.rule, exchange=created, context=context)
            bench.saw(Side.ACCEPTED, created)
        finally:
            reconciliations.finish(second)
            reconciliations.finish(first)

    def law_of_finished(batch: Batch) -> None:
        other = other_than(batch.place, pairs)
        earlier = reconciliations.run_through(reconciliations.plain(other, 1))
        reconciliation = reconciliations.begin(batch)
        reconciliation.values = tuple(
            values.having(**{PERIOD: earlier.values[0][PERIOD]}) for values in reconciliation.values
        )
        if not reconciliations.submit_orders(reconciliation):
            return
        try:
            created = reconciliations.create(reconciliation, blame=False)
            if created.status // 100 != 2:
                reconciliations.check_says_something(reconciliation, created)
            context = f"one of the same period was completed on account {earlier.place.account}"
            check_accepted(rule=experiment.rule, exchange=created, context=context)
            bench.saw(Side.ACCEPTED, created)
        finally:
            reconciliations.finish(reconciliation)

    for one in beside_an_active_one(bench, experiment.rule):
        if not bench.succession.counts(one.name):
            prove(bench, one.name, one.strategy, law, one.examples)
    # Nearest and furthest: an account of the same channel, and one of another.
    for one in of_another_account(bench, experiment.rule):
        if not bench.succession.counts(one.name):
            prove(bench, one.name, one.strategy, law_of_finished, one.examples)


@then("one that begins or ends where it ends or begins is answered as the reading says")
def touching_period_answered_as_the_reading_says(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations
    shown = {after: bench.succession.counts(touching_name(bench, after=after)) for after in (True, False)}
    if not all(shown.values()):
        probe_adjacent(bench, reconciliations)
    allowed = bench.scope.readings["adjacent-periods"] == "allowed"

    def law(offset: int, batch: Batch) -> None:
        earlier = reconciliations.run_through(reconciliations.plain(batch.place, 1, seconds=EARLIER_SECONDS))
        init = datetime.fromisoformat(earlier.values[0][PERIOD]) + timedelta(seconds=offset)
        reconciliation = reconciliations.begin(batch)
        reconciliation.values = tuple(values.having(**{PERIOD: printed(init)}) for values in reconciliation.values)
        if not reconciliations.submit_orders(reconciliation):
            return
        context = "its period touches that of an earlier one"
        try:
            created = reconciliations.create(reconciliation, blame=False)
            if allowed:
                check_accepted(rule=experiment.rule, exchange=created, context=context)
            else:
                if created.status // 100 == 2:
                    reconciliation.spoiled = True
                check_refused(rule=experiment.rule, exchange=created, bench=bench, context=context)
                bench.saw(Side.REFUSED, created)
                reconciliations.another_period(reconciliation)
                created = reconciliations.create(reconciliation)
            if created.status // 100 == 2:
                bench.saw(Side.ACCEPTED, created)
        finally:
            reconciliations.finish(reconciliation)

    drawn = st.just(reconciliations.plain(reconciliations.scope.places[0], 2, seconds=EARLIER_SECONDS))
    for after in (True, False):
        if not shown[after]:
            offset = EARLIER_SECONDS if after else -EARLIER_SECONDS
            prove(bench, touching_name(bench, after=after), drawn, partial(law, offset), 1)


@then("whatever totalNetValue the reading allows, it is accepted and completes")
def any_allowed_total_is_accepted(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations

    def law(batch: Batch) -> None:
        reconciliation = reconciliations.begin(batch)
        if not reconciliations.submit_orders(reconciliation):
            return
        context = f"totalNetValue = {batch.creation['totalNetValue']}"
        try:
            created = reconciliations.create(reconciliation, blame=False)
            if created.status // 100 != 2:
                reconciliations.check_says_something(reconciliation, created)
            check_accepted(rule=experiment.rule, exchange=created, context=context)
        finally:
            reconciliations.finish(reconciliation)
        received = reconciliations.notified(reconciliation)
        situation = received and received.content["payload"].get("situation")
        if situation not in {None, "CONCILIED"}:
            actual = f"it ended with situation {situation}"
            raise Violation(
                rule=experiment.rule.id, expected="CONCILIED", actual=actual, exchange=created, context=context
            )
        if received is None and bench.session.inbox is not None and batch.creation["totalNetValue"] <= 0:
            # That it never ends is this rule's business where one alike, but of a positive total, does, and it does not again.
            story = list(bench.story)
            alike = replace(batch, creation={**batch.creation, "totalNetValue": Decimal("1.00")})
            of_a_positive, again = (
                reconciliations.notified(reconciliations.run_through(one)) for one in (alike, batch)
            )
            if of_a_positive is not None and again is None:
                bench.story[:] = story
                raise Violation(
                    rule=experiment.rule.id,
                    expected="it to end",
                    actual="it does not, and one of a positive total does",
                    exchange=created,
                    context=context,
                )
        bench.saw(Side.ACCEPTED, created)

    for one in any_total(bench, experiment.rule):
        if not bench.succession.counts(one.name):
            prove(bench, one.name, one.strategy, law, one.examples)
