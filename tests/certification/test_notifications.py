"""NTF rules: what the integrator's callback URL is told, once and in the documented shape."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from hypothesis import strategies as st
from pytest_bdd import given, parsers, scenarios, then

from conformance.contract.coercion import id_text
from conformance.contract.endpoints import Endpoint
from conformance.contract.instants import parse_local, read_instant
from conformance.contract.jsontext import dumps
from conformance.contract.openapi import webhook_validator
from conformance.contract.rules import Side
from conformance.engine.notices import ARRIVAL_SECONDS
from conformance.engine.open_reconciliation import OpenReconciliation, is_about
from conformance.engine.properties import once, prove
from conformance.engine.waiting import Waiting
from conformance.target.inbox import Received
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call
from strategies.reconciliations import Batch, batches
from tests.certification.conftest import Experiment

scenarios("notifications.feature")

COMPLETED = "RECONCILIATION_COMPLETED"


def _arrived(experiment: Experiment, since: int) -> list[Received]:
    """What has arrived since so many had; over a socket a second delivery is given time. What tells again what was told before
    is no answer to what was done since, unless nothing else came: it may come twice, and late."""
    inbox = experiment.bench.session.inbox
    assert inbox is not None
    if not experiment.bench.session.in_process:
        time.sleep(ARRIVAL_SECONDS)
    before, after = inbox.parted(since)
    told = {_what_it_tells(one) for one in before}
    return [one for one in after if _what_it_tells(one) not in told] or after


def _count(experiment: Experiment) -> int:
    inbox = experiment.bench.session.inbox
    assert inbox is not None
    return inbox.arrived


def _check_arrived(experiment: Experiment, type_: str, arrived: list[Received], exchange: Exchange | None) -> Any:
    """One arrived, in the shape of its type, or the same several times; its payload."""
    told = list(dict.fromkeys(_what_it_tells(one) for one in arrived))
    if len(told) != 1:
        came = "none came" if not told else f"{len(told)} came that differ: {' and '.join(told)}"
        _violated(experiment, f"one {type_} notification", came, exchange)
    problems = [
        f"{'/'.join(map(str, problem.instance_path)) or 'the notification'}: {problem.message}"
        for problem in webhook_validator(type_).iter_errors(_plain(arrived[0].content))
    ]
    if problems:
        shown = arrived[0].body[:300].decode(errors="replace")
        _violated(experiment, f"{type_} in its documented shape", f"{'; '.join(problems)} in {shown}", exchange)
    content: Any = arrived[0].content
    payload = content["payload"]
    ended = payload.get("resolvedEndDate") if isinstance(payload, dict) else None
    if isinstance(ended, str) and not (read_instant(ended) or parse_local(ended)):
        _violated(experiment, "resolvedEndDate to be a date", f"it was {dumps(ended)}", exchange)
    return payload


def _what_it_tells(received: Received) -> str:
    """All of a notification but when it was made: it may come several times."""
    content = received.content
    if not isinstance(content, dict):
        return received.body.decode(errors="replace")
    return dumps({name: content[name] for name in sorted(content) if name in {"notificationType", "payload"}})


def _plain(value: Any) -> Any:
    """JSON as the validator takes it: money is a matter of other rules."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value if isinstance(value, str | int | None) else float(value)


def _violated(experiment: Experiment, expected: str, actual: str, exchange: Exchange | None) -> None:
    raise Violation(rule=experiment.rule.id, expected=expected, actual=actual, exchange=exchange)


def _about(received: Received, reconciliation: OpenReconciliation) -> bool:
    """Whether it may be meant to tell of this reconciliation, malformed as it may be."""
    content: Any = received.content
    named = isinstance(content, dict) and content.get("notificationType") == COMPLETED
    return is_about(received, reconciliation) or named or str(reconciliation.id).encode() in received.body


def _about_another(received: Received, reconciliation: OpenReconciliation, known: Iterable[OpenReconciliation]) -> bool:
    """Whether it tells of another reconciliation of the run, whose notification comes late."""
    return any(is_about(received, one) for one in known if one.id != reconciliation.id)


def _names(received: Received, reconciliation: OpenReconciliation) -> bool:
    """Whether it is this reconciliation's by its id, whatever else it tells."""
    content: Any = received.content
    payload = content.get("payload") if isinstance(content, dict) else None
    return isinstance(payload, dict) and id_text(payload.get("reconciliationId")) == str(reconciliation.id)


def _arrived_about(
    experiment: Experiment, reconciliation: OpenReconciliation, since: int
) -> tuple[list[Received], list[Received]]:
    """What may be meant to tell of it; and of that what tells of it for sure, if anything does, or else what does not tell of
    another of the run, whose notification came late. Others may reconcile at the same time, and be told here."""
    known = experiment.bench.reconciliations.ids.values()
    about = [one for one in _arrived(experiment, since) if _about(one, reconciliation)]
    surely = [one for one in about if _names(one, reconciliation)]
    return about, surely or [one for one in about if not _about_another(one, reconciliation, known)]


def _awaited(experiment: Experiment, reconciliation: OpenReconciliation, since: int) -> list[Received]:
    """What tells of it. Where nothing came in as long as one is waited for it may go on: then it is looked at whether it has
    ended, and a notification of it has time until the next one ends. Raises Hindered where it goes on, or where the user does
    not want to wait for what may come."""
    about, arrived = _arrived_about(experiment, reconciliation, since)
    if arrived:
        return arrived
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations
    story = list(bench.story)
    another = reconciliations.opened_after(reconciliation.place)
    try:
        reconciliations.hear_out()
        _, arrived = _arrived_about(experiment, reconciliation, since)
    finally:
        reconciliations.finish(another)
        bench.story[:] = story
    return arrived or about


def _check_completed(
    experiment: Experiment,
    reconciliation: OpenReconciliation,
    arrived: list[Received],
    situation: str | None,
    exchange: Exchange | None,
) -> None:
    """It is told of in the documented shape, with this situation, or with either where that is None."""
    payload = _check_arrived(experiment, COMPLETED, arrived, exchange)
    expected = {"accountId": str(reconciliation.place.account), "reconciliationId": str(reconciliation.id)}
    if situation is not None:
        expected["situation"] = situation
    told = {name: id_text(payload.get(name)) for name in expected}
    if told != expected:
        wrong = [f"{name} was {told[name]}, not {value}" for name, value in expected.items() if told[name] != value]
        _violated(experiment, f"the payload to tell of reconciliation {reconciliation.id}", "; ".join(wrong), exchange)
    if exchange is not None:
        experiment.bench.saw(Side.CHECKED, exchange)


@then("that it is completed is notified, with situation CONCILIED")
def completion_is_notified(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations

    def law(batch: Batch, *, is_sent_twice: bool = False) -> None:
        since, reconciliation = _count(experiment), reconciliations.begin(batch)
        if is_sent_twice:
            first, reconciliation.sent_twice = Call(Endpoint.SUBMIT_ORDER, body=batch.orders[0]), True
            if not bench.is_accepted(first, bench.send(first, reconciliation.values[0])):
                return
        reconciliations.run(reconciliation)
        last = bench.story[-1]
        arrived = _awaited(experiment, reconciliation, since)
        _check_completed(experiment, reconciliation, arrived, "CONCILIED", last)

    def of_each() -> Waiting[None]:
        yield  # until the others have ended, too
        _check_all_were_notified(experiment)
        _check_what_each_tells(experiment)
        bench.saw(Side.CHECKED)

    least, most = experiment.orders
    drawn = batches(reconciliations.scope, at_least=least, at_most=most)
    examples = bench.session.profile.sequences // 2
    own = max(1, examples - 1)
    if not _is_shown_by_others(experiment, own, is_sent_twice=False):
        prove(bench, bench.scenario, drawn, law, own)
    if examples > 1 and not _is_shown_by_others(experiment, 1, is_sent_twice=True):
        twice, elsewhere = partial(law, is_sent_twice=True), reconciliations.scope.places[-1:]
        another = batches(reconciliations.scope, at_least=least, at_most=most, places=elsewhere)
        prove(bench, f"{bench.scenario} with an order that was sent twice", another, twice, 1)
    prove(bench, f"{bench.scenario} of each", st.none(), lambda _: of_each(), 1)


def _check_all_were_notified(experiment: Experiment) -> None:
    """Whatever the run has seen to end, on any account."""
    reconciliations = experiment.bench.reconciliations
    if not (silent := reconciliations.hear_out()):
        return
    one = silent[0].reconciliation
    ended = f"none came of {one.id} on account {one.place.account}, after which another was accepted there"
    raise Violation(
        rule=experiment.rule.id,
        expected=f"one {COMPLETED} notification of each reconciliation that has ended",
        actual=f"{ended}; of {len(silent)} of {len(reconciliations.all_ids)} none came",
        exchange=silent[0].opened_after,
    )


def _tells_of_failure(received: Received) -> bool:
    """Whether it says that a reconciliation ended in ERROR: its shape is NTF-02's."""
    content: Any = received.content
    return bool(content["payload"].get("situation") == "ERROR")


def _told_of_others(experiment: Experiment) -> Iterator[tuple[OpenReconciliation, list[Received]]]:
    """The run's reconciliations, whatever they were opened for, with what has come of each."""
    inbox, reconciliations = experiment.bench.session.inbox, experiment.bench.reconciliations
    assert inbox is not None
    _, received = inbox.parted(reconciliations.told_before)
    for one in [*reconciliations.ids.values()]:
        if arrived := [notice for notice in received if is_about(notice, one)]:
            yield one, arrived


def _is_shown_by_others(experiment: Experiment, wanted: int, *, is_sent_twice: bool) -> bool:
    """Whether so many that other scenarios completed were notified as they should be, of orders that were sent once or twice:
    then it needs none of its own. Where anything is amiss its own show what."""
    told = list[Exchange]()
    for one, arrived in _told_of_others(experiment):
        if one.completed_by is None or one.spoiled or one.may_fail or one.sent_twice != is_sent_twice:
            continue
        try:
            _check_completed(experiment, one, arrived, "CONCILIED", None)
        except Violation:
            return False
        told.append(one.completed_by)
    if len(told) < wanted:
        return False
    for last in told[-wanted:]:
        experiment.bench.saw(Side.CHECKED, last)
    return True


def _check_what_each_tells(experiment: Experiment) -> None:
    """What has come of the others: few of the scenario's own are of another account, or of many orders. How they ended is their
    own scenarios' business."""
    for one, arrived in _told_of_others(experiment):
        if as_it_should := [notice for notice in arrived if not _tells_of_failure(notice)]:
            _check_completed(experiment, one, as_it_should, None, None)


@then("that it failed is notified, with situation ERROR")
def failure_is_notified(experiment: Experiment) -> None:
    bench, reconciliations, control = (
        experiment.bench,
        experiment.bench.reconciliations,
        experiment.bench.session.control,
    )
    assert control is not None

    def law(batch: Batch) -> None:
        since, reconciliation = _count(experiment), reconciliations.begin(batch)
        if (
            not reconciliations.submit_orders(reconciliation)
            or reconciliations.create(reconciliation).status // 100 != 2
        ):
            return
        assert reconciliation.id is not None
        try:
            control.fail(reconciliation.id)
            reconciliation.may_fail = True
            if not reconciliations.released(reconciliation, 0):
                return
            last = bench.story[-1]
        finally:
            reconciliations.finish(reconciliation)
        about, arrived = _arrived_about(experiment, reconciliation, since)
        _check_completed(experiment, reconciliation, arrived or about, "ERROR", last)

    prove(bench, bench.scenario, batches(reconciliations.scope), law, max(1, bench.session.profile.sequences // 3))


@given("a mock that notifies what it is asked to")
def a_mock_that_notifies() -> None:
    """Through its control interface."""


@then(parsers.parse("{type_} comes in its documented shape"))
def notification_in_its_documented_shape(experiment: Experiment, type_: str) -> None:
    control = experiment.bench.session.control
    assert control is not None

    def law() -> None:
        since = _count(experiment)
        control.notify(type_)
        _check_arrived(experiment, type_, _arrived(experiment, since), None)
        experiment.bench.saw(Side.CHECKED)

    once(experiment.bench, law)
