"""WFL rules: orders, reconciliation and releases together, and any sequence of calls."""

from __future__ import annotations

from typing import Any, Final

from pytest_bdd import given, scenarios, then

from conformance.contract.rules import Side
from conformance.engine import printed_workflow
from conformance.engine.bench import Bench, Hindered, Waiting
from conformance.engine.books import Book
from conformance.engine.checks import check_accepted, check_refused
from conformance.engine.laws import once, prove
from conformance.engine.machine import prove_machine
from conformance.verdict.violation import Violation
from strategies.calls import creation_of
from strategies.reconciliations import Batch, batches
from tests.certification.conftest import Trial

scenarios("workflow.feature")


MANY_ENTRIES: Final = 10


def _has_many_entries(batch: Batch) -> bool:
    return sum(len(release["releases"]) for release in batch.releases) > MANY_ENTRIES


def _wanted(trial: Trial) -> int:
    return max(1, trial.bench.session.profile.sequences // 2)


def _released_all(trial: Trial, book: Book, context: str = "") -> None:
    """Release every order of the book; an exact release that is refused breaks the scenario's rule."""
    for order in range(len(book.batch.orders)):
        released = trial.bench.books.release(book, order)
        if released.status // 100 != 2:
            book.spoiled = True
            # Alone in its reconciliation it may be refused too: then it is no matter of the workflow.
            rule = trial.bench.books.why_refused(book)
            raise Violation(
                rule="REL-01" if rule == "REL-01" else trial.rule.id,
                expected="every release to be accepted",
                actual=f"it answered {released.status}",
                exchange=released,
                context=context,
            )


def _check_reconciled(trial: Trial, book: Book) -> None:
    """The reconciliation is finished, as far as the target tells: by its notification, or by room for the next one."""
    bench, books = trial.bench, trial.bench.books
    last, story = bench.story[-1], list(bench.story)
    notified = books.wait(book)
    free = notified or books.is_free(book.place)
    bench.story[:] = story
    received: Any = books.notified(book)
    situation = received.content["payload"].get("situation") if received else None
    if not free or situation not in {None, "CONCILIED"}:
        raise Violation(
            rule=trial.rule.id,
            expected="the reconciliation to end with situation CONCILIED once all releases are in",
            actual=f"it ended with {situation}" if situation else "it did not end",
            exchange=last,
        )


@then("with its releases it ends reconciled")
def ends_reconciled(trial: Trial) -> None:
    bench, books = trial.bench, trial.bench.books

    def law(batch: Batch) -> None:
        book = _opened(bench, batch)
        try:
            _released_all(trial, book)
            last = bench.story[-1]
            _check_reconciled(trial, book)
            bench.saw(Side.ACCEPTED, last)
        finally:
            books.finish(book)

    least, most = trial.orders
    prove(bench, bench.scenario, batches(books.scope, at_least=least, at_most=most), law, _wanted(trial))
    if most > 1:
        long = batches(books.scope, at_least=most, at_most=most).filter(_has_many_entries)
        prove(bench, f"{bench.scenario} of many entries", long, law, 1)


def _opened(bench: Bench, batch: Batch) -> Book:
    book = bench.books.begin(batch)
    if not bench.books.submit_orders(book) or bench.books.create(book).status // 100 != 2:
        raise Hindered("an order or a reconciliation was refused")
    return book


@then("it stays active until the last release is in, and completes then")
def stays_active_until_the_last_release(trial: Trial) -> None:
    bench, books = trial.bench, trial.bench.books

    def law(batch: Batch) -> None:
        book = _opened(bench, batch)
        try:
            for order in range(len(batch.orders)):
                _check_active(trial, book, order)
                if not books.released(book, order):
                    return
            last = bench.story[-1]
            _check_reconciled(trial, book)
            bench.saw(Side.ACCEPTED, last)
        finally:
            books.finish(book)

    least, most = trial.orders
    prove(bench, bench.scenario, batches(books.scope, at_least=least, at_most=most), law, _wanted(trial))


def _check_active(trial: Trial, book: Book, received: int) -> None:
    """It is not completed yet: nothing notifies that it is, and a second one is refused."""
    bench, books = trial.bench, trial.bench.books
    if bench.session.control is not None:
        bench.session.control.advance(3600)
    orders = len(book.batch.orders)
    context = f"the releases of {received} of its {orders} orders are in"
    if books.notified(book):
        book.spoiled = True
        raise Violation(
            rule=trial.rule.id,
            expected="the reconciliation to wait for all of its releases",
            actual="it was completed",
            exchange=bench.story[-1],
            context=context,
        )
    if bench.session.inbox is None and received == orders - 1:
        other = books.begin(books.plain(book.place, 1))
        second = bench.send(creation_of(other.batch), other.values[0])
        if second.status // 100 == 2:
            books.stray(book)
        check_refused(rule=trial.rule, exchange=second, bench=bench, context=context)


@given("the order, reconciliation and release printed in S2")
def the_printed_workflow() -> None:
    """In `printed_workflow`."""


@then("with the date mended it ends reconciled, and the order can't be deleted")
def printed_workflow_ends_reconciled(trial: Trial) -> None:
    bench, books = trial.bench, trial.bench.books

    def law() -> Waiting[None]:
        book = printed_workflow.opened(bench, literally=False)
        try:
            released = books.release(book, 0)
            book.spoiled = released.status // 100 != 2
            check_accepted(rule=trial.rule, exchange=released, context="the release printed in S2, its date mended")
            _check_reconciled(trial, book)
        finally:
            books.finish(book)
        code = book.values[0]["code"]
        refused = bench.delete(book.place, code)
        if refused.status // 100 == 2:
            raise Violation(
                rule="DEL-04",
                expected="the deletion of a reconciled order to be refused",
                actual=f"it answered {refused.status}",
                exchange=refused,
            )
        yield from bench.settled("DEL-04", book.batch.orders[0], book.values[0], book.place, context="it is reconciled")
        bench.saw(Side.ACCEPTED, released)

    once(bench, law)


@given("a model of what was accepted")
def a_model_of_what_was_accepted() -> None:
    """In `machine`."""


@then("whatever is called in whatever sequence, the endpoint agrees with it")
def endpoint_agrees_with_the_model(trial: Trial) -> None:
    prove_machine(trial.bench)
