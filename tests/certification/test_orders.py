"""ORD rules: what is accepted, what is refused, and what an update leaves behind."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from pytest_bdd import given, parsers, scenarios, then

from conformance.contract.coercion import as_taken
from conformance.contract.endpoints import Endpoint
from conformance.contract.instants import keeps_fraction, read_instant
from conformance.contract.jsontext import dumps
from conformance.contract.rules import Level, Rule, Side
from conformance.engine import laws
from conformance.engine.bounds import check_plain_codes
from conformance.engine.checks import check_accepted, check_refused, is_refused
from conformance.engine.printed_workflow import PRINTED_CODE, order_at
from conformance.engine.properties import prove
from conformance.engine.same_order import differences
from conformance.engine.unfinished import NotSeenYet
from conformance.engine.values import Values
from conformance.engine.waiting import Waiting
from conformance.verdict.violation import Violation
from strategies.calls import Call, calls
from strategies.dates import FIELDS, OPTIONAL, moved
from strategies.faults import FAULTS, Case, Kind, cases, order_faults, possible
from strategies.identifiers import SHAPES
from strategies.orders import Order, orders, place_of
from strategies.placeholders import fill
from strategies.scope import Scope
from strategies.spellings import FREE_TEXT, JSON_SPELLINGS, OTHER_SPELLINGS, Respelt, respelt
from strategies.updates import WALKS, updates
from strategies.written import QUOTED_AMOUNTS
from tests.certification.conftest import Experiment

scenarios("orders.feature")


# -- S2's own order ------------------------------------------------------------------------------------------------


@given("the order printed in S2, field for field")
def the_printed_order() -> None:
    """In `printed_workflow`."""


@then("it is accepted with 200 on every account")
def printed_order_accepted_on_every_account(experiment: Experiment) -> None:
    bench = experiment.bench
    for place in bench.scope.places:
        # One that has its releases may be refused when it is sent again.
        is_free = bench.reconciliations.takes_printed_code(place)
        exchange = bench.submit(order_at(bench, place), {"code": PRINTED_CODE} if is_free else bench.fresh("amazon"))
        check_accepted(rule=experiment.rule, exchange=exchange, context="the order printed in S2")
        bench.saw(Side.ACCEPTED, exchange)


FURTHER_DATES = FIELDS[2:]
"""The dates that an INVOICED order may have and need not."""

# -- acceptance ----------------------------------------------------------------------------------------------------


@then("with further dates or without them it is accepted with 200")
def accepted_with_or_without_further_dates(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(with_dates: Call) -> None:
        """The twin has the further dates: if even that is refused, they are not what is missing."""
        values = bench.fresh(with_dates.shape)
        if not bench.is_accepted(with_dates, bench.send(with_dates, values)):
            return
        body = {name: value for name, value in with_dates.body.items() if name not in FURTHER_DATES}
        exchange = bench.submit(body, bench.fresh(with_dates.shape))
        check_accepted(
            rule=experiment.rule, exchange=exchange, context="accepted with further dates, sent without them"
        )
        bench.saw(Side.ACCEPTED, exchange)

    wanted = calls(bench.scope, Endpoint.SUBMIT_ORDER, statuses=experiment.statuses, present=OPTIONAL["INVOICED"])
    prove(bench, bench.scenario, wanted, law, bench.session.profile.acceptances)


@then("every submission is answered as the reading says")
def empty_extracts_answered_as_the_reading_says(experiment: Experiment) -> None:
    bench = experiment.bench
    if bench.scope.readings["empty-extracts"] == "rejected":
        experiment.refuse()
        return
    emptied = calls(bench.scope, Endpoint.SUBMIT_ORDER).map(_without_extracts)
    laws.accept(bench, experiment.rule, emptied)


def _without_extracts(call: Call) -> Call:
    return Call(call.endpoint, body={**call.body, "extracts": []}, shape=call.shape)


# -- dates out of order where one between them is left out ---------------------------------------------------------


@then("without an approvedDate a sendDate before its createdDate is refused with 400 and code 400-3")
def refused_where_the_date_between_is_left_out(experiment: Experiment) -> None:
    bench, rule = experiment.bench, experiment.rule

    def law(call: Call) -> None:
        """No document says whether approvedDate may be left out: where it may not, it is there."""
        lawful = {**call.body, "approvedDate": None}
        twin = bench.submit(lawful, bench.fresh(call.shape))
        if twin.is_refused:
            lawful, twin = call.body, bench.submit(call.body, bench.fresh(call.shape))
        if not bench.is_accepted(call, twin):
            return
        broken = {**lawful, "sendDate": moved(lawful["createdDate"], -timedelta(hours=1))}
        refused = bench.submit(broken, bench.fresh(call.shape))
        check_refused(
            rule=rule, exchange=refused, bench=bench, context="its sendDate is an hour before its createdDate"
        )
        bench.saw(Side.ACCEPTED, twin)
        bench.saw(Side.REFUSED, refused)

    # Of an order that was canceled a server may look at its cancelDate alone; the other statuses come by the turns of the kinds.
    wanted = {"statuses": ("CANCELED",), "present": ("sendDate",), "apart": True}
    prove(bench, bench.scenario, calls(bench.scope, Endpoint.SUBMIT_ORDER, **wanted), law, 1)


# -- numbers as text -----------------------------------------------------------------------------------------------


@then("every submission is refused with 400, or taken at its value where the reading says so")
def refused_or_taken_at_its_value(experiment: Experiment) -> None:
    bench, rule = experiment.bench, experiment.rule
    if bench.scope.readings["scalar-coercion"] == "rejected":
        experiment.refuse()
        return

    def law(call: Call) -> Waiting[None]:
        """It may be shown as a number or as text."""
        values, place = bench.fresh(call.shape), place_of(call.body)
        check_accepted(rule=rule, exchange=bench.send(call, values), context="its numbers written as text")
        for attempt in range(2):
            passed = (yield) if attempt else True
            shown = bench.query(place, values["code"])
            taken = as_taken(shown.json, bench.scope.readings) if isinstance(shown.json, dict) else shown.json
            problems = differences(fill(call.body, values), taken)
            if not problems:
                bench.saw(Side.ACCEPTED, shown)
                return
            if not passed:
                raise NotSeenYet
        expected = "its numbers to be taken at their value"
        raise Violation(rule=rule.id, expected=expected, actual="; ".join(problems), exchange=shown)

    as_text = calls(bench.scope, Endpoint.SUBMIT_ORDER).map(lambda call: replace(call, spelling=QUOTED_AMOUNTS))
    prove(bench, bench.scenario, as_text, law, max(1, bench.session.profile.sequences // 2))
    experiment.refuse()  # text that is no number has no value


# -- spellings -----------------------------------------------------------------------------------------------------


@then(parsers.re(r"written with (?P<manner>.+) it is accepted and found as when written plainly"))
def accepted_and_found_as_when_written_plainly(experiment: Experiment, manner: str) -> None:
    bench, rule = experiment.bench, experiment.rule
    context = f"written with {manner}; written plainly such an order was accepted"

    def law(example: Respelt) -> Waiting[None]:
        place, shape = place_of(example.spelt.body), example.twin.shape
        plain = bench.fresh(shape)
        twin = bench.send(example.twin, plain)
        if shape not in SHAPES and not twin.is_accepted:  # such a code need not be taken
            shape = "amazon"
            plain = bench.fresh(shape)
            twin = bench.send(example.twin, plain)
        if not bench.is_accepted(example.twin, twin):
            return
        spelt = bench.fresh(shape)
        written = bench.send(example.spelt, spelt)
        if not written.is_accepted:  # by which status one is that is written plainly is ORD-01's business
            check_accepted(rule=rule, exchange=written, context=context)
        try:
            shown = yield from bench.settled(altered_as(rule), example.spelt.body, spelt, place, context=context)
        except Violation as altered:
            # What is altered however it is written is QRY-01's, or where it need not be taken ERR-06's.
            rule_of_all = "QRY-01" if shape in SHAPES else "ERR-06"
            yield from check_plain_codes(bench, example.twin.body, place)
            yield from bench.settled(rule_of_all, example.twin.body, plain, place, context=context)
            raise altered from None
        plainly = bench.query(place, plain["code"])
        if isinstance(plainly.json, dict) and (lost := lost_by_spelling(example, plainly.json, shown.json)):
            expected = "it to be found as when written plainly"
            raise Violation(rule=rule.id, expected=expected, actual=lost, exchange=shown, context=context)
        bench.saw(Side.ACCEPTED, shown)

    manners = JSON_SPELLINGS if rule.id == "ORD-19" else OTHER_SPELLINGS
    examples = max(1, bench.session.profile.sequences // 3)
    prove(bench, bench.scenario, respelt(bench.scope, manners[manner]), law, examples)


def lost_by_spelling(example: Respelt, plainly: Any, shown: Any) -> str:
    """What is kept of an order that is written plainly, and is not of the other, though no document says that it is kept: a
    text that no document names, and of an instant what is less than a second. Nothing where all is."""
    text = example.twin.body.get(FREE_TEXT)
    if text is not None and plainly.get(FREE_TEXT) == text != shown.get(FREE_TEXT):
        return f"{FREE_TEXT} was sent as {dumps(text)} and shown as {dumps(shown.get(FREE_TEXT))}"
    for name in FIELDS:
        was_kept, is_kept = (
            is_kept_whole(call.body.get(name), found.get(name))
            for call, found in ((example.twin, plainly), (example.spelt, shown))
        )
        if was_kept and not is_kept:
            return f"{name} was sent as {example.spelt.body.get(name)} and shown as {shown.get(name)}"
    return ""


def is_kept_whole(sent: Any, shown: Any) -> bool:
    """Whether a date is shown with its fraction of a second."""
    before, after = (read_instant(text) if isinstance(text, str) else None for text in (sent, shown))
    return before is not None and after is not None and keeps_fraction(before, after)


def altered_as(rule: Rule) -> str:
    """The rule that an order breaks that was accepted so written and is shown otherwise: be the spelling only recommended, what
    is accepted is to be found as it was sent."""
    return rule.id if rule.level is Level.REQUIRED else "QRY-01"


# -- updates -------------------------------------------------------------------------------------------------------


@st.composite
def _updates(draw: DrawFn, scope: Scope, before: str, after: str, little: str) -> tuple[Call, list[Order]]:
    """A submission, updates of it, and the first once more: who takes that for a repetition keeps what it replaces."""
    first: Call = draw(calls(scope, Endpoint.SUBMIT_ORDER, statuses=(before,)))
    return first, [*draw(updates(scope, place_of(first.body), before, after, little)), first.body]


@then("another submission of it leaves nothing of the first")
def update_leaves_nothing_of_the_first(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(update: tuple[Call, list[Order]]) -> Waiting[None]:
        first, others = update
        values, place = bench.fresh(first.shape), place_of(first.body)
        # Each is lawful by itself; only then does a refusal of the update say anything about updates.
        alone, submitted = [bench.fresh(first.shape) for _ in others], []
        if not bench.is_accepted(first, bench.submit(first.body, values)):
            return
        for order, code in zip(others, alone, strict=True):
            with bench.aside():
                submitted.append(bench.submit(order, code))
                if not bench.is_accepted(first, submitted[-1]):
                    return
        before = [None, first.body]
        for times, order in enumerate(others, 2):
            context = f"submitted {times} times, with other contents"
            check_accepted(rule=experiment.rule, exchange=bench.submit(order, values), context=context)
            states = tuple(before)
            try:
                shown = yield from bench.settled(
                    experiment.rule.id, order, values, place, before=states, context=context
                )
            except Violation:
                # What is not shown as it was sent when it is new, either, is no matter of updates.
                with bench.aside(submitted[times - 2]):
                    yield from bench.settled("QRY-01", order, alone[times - 2], place)
                if (last := before[-1]) is not None and last is not first.body:
                    check_one_update(last, order, first.shape)
                raise
            before.append(order)
        bench.saw(Side.ACCEPTED, shown)

    def check_one_update(order: Order, update: Order, shape: str) -> None:
        """Raises a violation that tells no more than this, where one update shows it too. Nothing is waited for: what was found
        stays found."""
        values, place = bench.fresh(shape), place_of(update)
        with bench.aside():
            if not all(bench.submit(one, values).is_accepted for one in (order, update)):
                return
            bench.let_be_shown()
            asked = bench.query(place, values["code"])
            problems = bench.problems(asked, update, values)
            if problems and asked.is_accepted and not bench.may_be_from_before(asked, order, values):
                raise Violation(
                    rule=experiment.rule.id,
                    expected="the order as it was last accepted",
                    actual="; ".join(problems),
                    exchange=asked,
                    context="submitted twice, with other contents",
                )

    examples = bench.session.profile.sequences
    for walk in WALKS[:examples]:
        name = f"{bench.scenario} {' '.join(walk)}"
        prove(bench, name, _updates(bench.scope, *walk), law, max(1, examples // len(WALKS)))


@then("sent twice it is found once, and gone after one deletion")
def sent_twice_it_is_found_once(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(call: Call) -> Waiting[None]:
        values, place = bench.fresh(call.shape), place_of(call.body)
        if not bench.is_accepted(call, bench.send(call, values)):
            return
        check_accepted(rule=experiment.rule, exchange=bench.send(call, values), context="accepted before, unchanged")
        try:
            shown = yield from bench.settled(
                experiment.rule.id, call.body, values, place, context="submitted twice, unchanged"
            )
        except Violation:
            # What is not shown as it was sent when it is sent once, either, is QRY-01's.
            once = bench.fresh(call.shape)
            if bench.is_accepted(call, bench.send(call, once)):
                yield from bench.settled("QRY-01", call.body, once, place)
            raise
        deletion = bench.delete_known(place, values["code"])
        context = "submitted twice, unchanged, and deleted once"
        if not deletion.is_accepted:
            # That none is deleted, whether it was sent twice or not, is DEL-01's business.
            once = bench.fresh(call.shape)
            if not bench.is_accepted(call, bench.send(call, once)):
                return
            alone = bench.delete_lawfully(place, once["code"])
            if not bench.is_accepted(Call(Endpoint.DELETE_ORDER), alone):
                return
            check_accepted(rule=experiment.rule, exchange=deletion, context=context)
        yield from bench.settled(experiment.rule.id, None, values, place, before=(call.body,), context=context)
        bench.saw(Side.ACCEPTED, shown)

    wanted = calls(bench.scope, Endpoint.SUBMIT_ORDER)
    prove(bench, bench.scenario, wanted, law, max(1, bench.session.profile.sequences // 2))


@st.composite
def _refused_updates(draw: DrawFn, scope: Scope, kind: Kind) -> tuple[Order, Case]:
    """An order, and a broken update of it for the same account and channel."""
    case: Case = draw(cases(scope, Endpoint.SUBMIT_ORDER, kind))
    return draw(orders(scope, places=(place_of(case.lawful.body),))), case


_FOUND_LATE: Final = (("ORD-07", "ORD-10"), ("ORD-11", "ORD-04"))
"""Rules that a server looks at when it has read all, and perhaps written some of it: of an update, and of a first submission."""


def _some_kinds(experiment: Experiment, late: Collection[str]) -> list[Kind]:
    """A kind of each of these rules, and others spread over the table. Faults in the identity are left out: such an update
    addresses no order."""
    identity = {"marketplaceCode", "channelName", "accountId"}
    makeable = [kind for kind in order_faults() if possible(kind, experiment.bench.scope, Endpoint.SUBMIT_ORDER)]
    able = [kind for kind in makeable if kind.field not in identity]
    wanted = max(1, experiment.bench.session.profile.sequences // 2)
    firsts = [next(kind for kind in chain(*FAULTS[rule].values()) if kind in makeable) for rule in late]
    spread = able[:: max(1, len(able) // wanted)]
    return [*firsts, *(kind for kind in reversed(spread) if kind not in firsts)][:wanted]


@then("an update that is refused leaves it as it was")
def refused_update_leaves_it_as_it_was(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(kind: Kind, update: tuple[Order, Case]) -> Waiting[None]:
        order, case = update
        values, place = bench.fresh(case.lawful.shape), place_of(order)
        accepted = bench.submit(order, values)
        if accepted.status not in experiment.rule.accepted:
            bench.is_accepted(Call(Endpoint.SUBMIT_ORDER), accepted)
            return
        yield from bench.settled("QRY-01", order, values, place)
        refused = bench.send(case.broken, values)
        if not is_refused(bench, kind, refused, f"an update, changed in one place: {case.edit}"):
            return
        yield
        context = f"after an update that was refused ({case.edit})"
        shown = yield from bench.settled(experiment.rule.id, order, values, place, context=context)
        bench.saw(Side.REFUSED, refused)
        bench.saw(Side.ACCEPTED, shown)

    for kind in _some_kinds(experiment, _FOUND_LATE[0]):
        name = f"{bench.scenario} {kind.field} {kind.name}"
        prove(bench, name, _refused_updates(bench.scope, kind), partial(law, kind), 1)


@then("a first submission that is refused is not to be found")
def refused_submission_is_not_found(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(kind: Kind, case: Case) -> Waiting[None]:
        values, place = bench.fresh(case.lawful.shape), place_of(case.lawful.body)
        refused = bench.send(case.broken, values)
        if not is_refused(bench, kind, refused, f"changed in one place: {case.edit}"):
            return
        yield
        context = f"after a first submission that was refused ({case.edit})"
        yield from bench.settled(experiment.rule.id, None, values, place, context=context)
        with bench.keeping_faults() as faults:
            twin = bench.send(case.lawful, values)
            accepted = bench.is_accepted_after_refusal(case.lawful, twin, faults)
        if accepted:
            yield from stored_after_refusal(case.lawful, values)
            bench.saw(Side.REFUSED, refused)
            bench.saw(Side.ACCEPTED, twin)

    def stored_after_refusal(lawful: Call, values: Values) -> Waiting[None]:
        """The right one is found then: who remembers a code whose order it refused may take it and drop it."""
        place, context = place_of(lawful.body), "accepted after a first submission that was refused"
        try:
            yield from bench.settled(experiment.rule.id, lawful.body, values, place, context=context)
        except Violation:
            # What is not shown as it was sent when nothing was refused before, either, is QRY-01's.
            alone = bench.fresh(lawful.shape)
            bench.query(place, alone["code"])  # as of the refused one: that it is not there may be kept
            if bench.is_accepted(lawful, bench.send(lawful, alone)):
                yield from bench.settled("QRY-01", lawful.body, alone, place)
            raise

    for kind in _some_kinds(experiment, _FOUND_LATE[1]):
        name = f"{bench.scenario} {kind.field} {kind.name}"
        prove(bench, name, cases(bench.scope, Endpoint.SUBMIT_ORDER, kind), partial(law, kind), 1)
