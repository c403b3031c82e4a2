"""What the scenarios work with: calls are filled in, sent and checked here.

A law that must let time pass is a generator: each `yield` lets half an hour pass, and gets back whether it did. Against the
mock the clock moves; elsewhere the rest of the law is put off to the end of the run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import JSONValue, told
from conformance.contract.readings import CONSOLIDATION_SECONDS
from conformance.contract.rules import Rule, Side, catalogue
from conformance.engine.altered_codes import ASKED_AT_MOST as ALTERED_AT_MOST
from conformance.engine.altered_codes import altered, under
from conformance.engine.hindrances import Hindrances
from conformance.engine.kill_matrix import Refusal
from conformance.engine.kinds_tried import KindsTried
from conformance.engine.passing import PassingFaults
from conformance.engine.same_order import differences
from conformance.errors import Doubtful, TargetUnavailable
from conformance.run.session import Session
from conformance.target.config import Span
from conformance.target.wire.at_once import Sent
from conformance.target.wire.client import Calling
from conformance.target.wire.exchange import AT_ONCE, Exchange
from conformance.target.wire.http import InChunks
from conformance.target.wire.tokens import tokens_in
from conformance.verdict.violation import Violation
from strategies.calls import Call
from strategies.faults import Kind
from strategies.identifiers import Minter
from strategies.orders import Order
from strategies.placeholders import CODE, fill
from strategies.scope import DAYS, Days, Place, Scope
from strategies.written import written

if TYPE_CHECKING:
    from conformance.engine.reconciliations import Reconciliations
    from conformance.engine.shelf import Laws, Shelf
    from conformance.engine.succession import Laws as WholeLaws
    from conformance.engine.succession import Succession
    from conformance.engine.together import Together

SERVER_ERROR = 500

OF_ANOTHER_SECOND: Final = 1.1
"""Seconds after which a token is of another second: those of the same one may be equal, since JWTs hold whole seconds."""

LATE_SECONDS: Final = (0.5, 5.0)
"""Seconds after which a lawful call that reads an order is sent again where it was refused, one after the other."""

GREW_LATER: Final = 3
"""So often a target is taken to see orders still later than it was seen to."""

ASKED_IN_VAIN: Final = 3
"""After so many that were refused each time nothing is asked again: it costs client errors, and shows nothing."""

ASKED_AT_MOST = 3
"""How often a query is made for what is not shown yet: at once, after half an hour, and after an hour."""

ACCEPTED_BY = {
    Endpoint.CREATE_TOKEN: "AUTH-01",
    Endpoint.REFRESH_TOKEN: "AUTH-06",
    Endpoint.LIST_ACCOUNTS: "ACC-01",
    Endpoint.SUBMIT_ORDER: "ORD-01",
    Endpoint.GET_ORDER: "QRY-01",
    Endpoint.DELETE_ORDER: "DEL-01",
    Endpoint.CREATE_RECONCILIATION: "REC-01",
    Endpoint.SUBMIT_RELEASE: "REL-01",
}
"""The rule that says that a lawful call to the endpoint is accepted."""


class NotSeenYet(Exception):
    """An update may take 30 minutes to show, and so much time has not passed."""


class Spoiled(Exception):
    """Something did not go as it should where scenarios share a reconciliation: each tries it by itself, and says so."""


class Hindered(Exception):
    """The example can't be tried: what another rule demands is not to be had. The message says which."""


T = TypeVar("T")
Waiting = Generator[None, bool, T]
"""A law that lets time pass at each `yield`."""


@dataclass(slots=True)
class Deferred:
    """The rest of a law that is put off to the end of the run, and what its example has sent so far."""

    rest: Waiting[None]
    story: list[Exchange]
    since: datetime


class Values(Mapping[str, str]):
    """What fills the placeholders of one example: codes that are new, and what the client holds."""

    def __init__(self, session: Session, known: Mapping[str, str]) -> None:
        self._known = dict(known)
        self._session = session

    def having(self, **more: str) -> Values:
        """These values and more."""
        return Values(self._session, {**self._known, **more})

    def __getitem__(self, name: str) -> str:
        if name not in self._known:
            client = self._session.client
            match name:
                case "token":
                    return client.access_token()
                case "credentials":
                    return client.credentials
                case "email":
                    return client.email
                case "refresh_token":
                    return tokens_in(client.create_token())[1] or ""
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*self._known, "token", "credentials", "email", "refresh_token"))

    def __len__(self) -> int:
        return len(list(iter(self)))


@dataclass
class Bench:
    """The session, and the scope in which strategies draw for it. `scenario` is the id of the running scenario."""

    session: Session
    scenario: str = ""
    scope: Scope = field(init=False)
    minter: Minter = field(init=False)
    kinds: KindsTried = field(init=False)
    observed: int = 0
    """How often another rule than a scenario's was seen broken."""
    story: list[Exchange] = field(default_factory=list)
    """What the running example has sent so far, tokens aside."""
    shown: set[tuple[Place, str]] = field(default_factory=set)
    """The orders, by place and code, that a query has shown and that were not deleted since."""
    slow: bool = False
    """Whether a change was seen to show late: then nobody asks at once, since each query for an order that does not show
    yet spends a client error."""
    hindrances: Hindrances | None = field(init=False)
    """What lawful calls were refused for; None where client errors are not counted, so that each may be sent."""
    late: float = 0.0
    """Seconds that the target was seen to take until a release or a deletion sees an order."""
    grew_later: int = 0
    """How often that turned out to be too short."""
    asked_in_vain: int = 0
    """How many refusals of lawful calls stayed when they were asked again later."""
    shows_after: float = 0.0
    """Seconds that the target was seen to take until a query shows an order, a change or a deletion."""
    queried_in_vain: int = 0
    """How many queries showed nothing new when they were made again a little later."""
    altered_in_vain: set[str] = field(default_factory=set)
    """What may have been done to codes, and was asked for where an order was not shown: it was not shown under that either."""
    kept: list[Exchange] | None = None
    """The 5xx that are not noted against ERR-02 before it is known whom to blame; None where they are noted at once."""
    notes: list[Callable[[], None]] | None = None
    """Where evidence is kept for the scenario's turn; None where it is noted at once."""
    withheld: set[str] = field(default_factory=set)
    """Scenarios of which no refusal counts: what they are about was answered in two ways."""
    passing: PassingFaults = field(default_factory=PassingFaults)
    """The server errors in the running example that did not come again when the same was sent again."""
    deferred: defaultdict[tuple[str, str], list[Deferred]] = field(default_factory=lambda: defaultdict(list))
    """By scenario and law: what is put off to the end of the run."""

    refusal_scenarios: Mapping[Refusal, str] = field(default_factory=dict)
    """Every refusal of a creation or release that a scenario of the run says must be, with the scenario's id."""

    shared_laws: Mapping[str, tuple[Rule, Laws]] = field(default_factory=dict)
    """By scenario of the run: what can be tried in a reconciliation that others share."""

    whole_laws: Mapping[str, tuple[Rule, WholeLaws]] = field(default_factory=dict)
    """By scenario of the run: what needs reconciliations to itself, one after the other."""

    server_errors_at_once: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By scenario and call: in how many tries, one after the other, it met a server error when it was sent at once."""

    client_errors_at_once: int = 0
    """What all calls at once of the run have cost, with what was sent before and after them."""

    def __post_init__(self) -> None:
        target = self.session.target
        fixtures = {
            name: Place(fixture.id, fixture.channel)
            for name in ("inactive_account", "disabled_account", "unauthorised_channel", "foreign_order")
            if (fixture := getattr(target.fixtures, name)) is not None
        }
        foreign = target.fixtures.foreign_order
        self.scope = Scope(
            tuple(Place(account.id, account.channel) for account in target.accounts),
            self.session.readings,
            fixtures,
            foreign.marketplace_code if foreign else None,
            days_of(target.dates.orders),
        )
        self.kinds = KindsTried(self.session, self.scope)
        self.session.enter_kinds = self.kinds.enter
        self.session.forget_ahead = lambda: vars(self).pop("together", None)
        self.minter = Minter(self.session.run_number)
        self.hindrances = Hindrances() if self.session.budget.status() is not None else None

    @cached_property
    def reconciliations(self) -> Reconciliations:
        """The reconciliations of the run."""
        from conformance.engine.probes import probe_batches
        from conformance.engine.reconciliations import Reconciliations

        reconciliations = Reconciliations(self)
        probe_batches(self, reconciliations)
        return reconciliations

    @cached_property
    def shelf(self) -> Shelf:
        """What was tried in reconciliations that many scenarios share."""
        from conformance.engine.shelf import Shelf

        return Shelf(self, {**self.together.release_laws, **self.shared_laws})

    @cached_property
    def succession(self) -> Succession:
        """What was tried in reconciliations one after the other."""
        from conformance.engine.succession import Succession

        return Succession(self, self.whole_laws)

    @cached_property
    def together(self) -> Together:
        """What was tried ahead of its scenario's turn, since one reconciliation serves many."""
        from conformance.engine.together import Together

        return Together(self, self.refusal_scenarios)

    @property
    def circumstances(self) -> Hashable:
        """What else than the seed decides what strategies draw: the readings, and the places that can't be used any more."""
        blocked = self.reconciliations.blocked if "reconciliations" in vars(self) else ()
        return tuple(sorted(self.session.readings.items())), tuple(sorted(map(str, blocked)))

    def kinds_of(self, rule: Rule, endpoint: Endpoint, fault: str) -> tuple[Kind, ...]:
        """The kinds of a fault that its scenario tries, of those that it can make on this target."""
        return self.kinds.of(Refusal(rule.id, endpoint, fault))

    def try_kinds(self, *names: str) -> None:
        """From now on these kinds of the fault are tried: findings and recorded exchanges tell so."""
        self.session.evidence.trying = names
        self.session.journal.kind = names[0] if len(names) == 1 else ""

    def learn(self, reading: str, value: str) -> None:
        """Follow what was found out about the target."""
        self.session.readings[reading] = value
        self.session.readings_from[reading] = "probed"

    # -- sending ---------------------------------------------------------------------------------------------------

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
        self._note_passed(call, exchange.passed)
        return self.sent(replace(exchange, note=note) if note else exchange)

    def _let_end_before(self, call: Call) -> None:
        """Before a creation, lawful or broken: it may be refused for the one before, which may be going on."""
        if call.endpoint is Endpoint.CREATE_RECONCILIATION and "reconciliations" in vars(self):
            self.reconciliations.let_end(call.batch.place if call.batch is not None else None)

    def _note_passed(self, call: Call, passed: Exchange | None) -> None:
        """Take note of the server error that a call met before, if it met one. What most calls there meet is no accident."""
        self.passing.note(call, passed)
        if passed is not None and self.passing.is_usual(call.endpoint):
            actual = f"it answered {passed.status}, as to most calls there, and not when the same was sent again"
            self.observe("ERR-02", "no server error", actual, passed)

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

    @contextmanager
    def keeping_notes(self) -> Iterator[list[Callable[[], None]]]:
        """Keep what is seen in here for the scenario's turn."""
        self.notes = list[Callable[[], None]]()
        try:
            yield self.notes
        finally:
            self.notes = None

    # -- noting ----------------------------------------------------------------------------------------------------

    def saw(self, side: Side, exchange: Exchange | None = None) -> None:
        """Count a piece of evidence for the running scenario."""
        if side is Side.REFUSED and self.scenario in self.withheld:
            return
        self.when_it_counts(partial(self.session.evidence.saw, self.scenario, side, exchange))

    def withhold_refusals(self, why: str) -> None:
        """Count no refusal for the running scenario: what it is about was also answered otherwise."""
        self.withheld.add(self.scenario)
        self.hindered(why)

    def observe(self, rule: str, expected: str, actual: str, exchange: Exchange, context: str = "") -> None:
        """Note that a rule other than the scenario's was seen broken."""
        violation = Violation(rule=rule, expected=expected, actual=actual, exchange=exchange, context=context)
        violation.story = tuple(self.story)
        self.observed += 1
        self.when_it_counts(partial(self.session.evidence.observe, violation, self.session.redactor))

    def when_it_counts(self, note: Callable[[], None]) -> None:
        """Note something at once, or at the scenario's turn."""
        if self.notes is None:
            note()
        else:
            self.notes.append(note)

    def is_accepted(self, call: Call, exchange: Exchange) -> bool:
        """Whether a lawful call was accepted; if not, or with another 2xx than the documented one, that is noted against the rule
        that says it must be."""
        rule = catalogue()[ACCEPTED_BY[call.endpoint]]
        self.met(call, exchange)
        if exchange.status in rule.accepted:
            return True
        self.observe(rule.id, f"{rule.accepted}", f"a lawful call got {exchange.status}", exchange)
        if exchange.is_accepted:  # it is done, and what comes after it tells of other rules
            return True
        self.hindered(f"{rule.id}: a lawful call got {exchange.status}")
        return False

    def is_accepted_after_refusal(self, call: Call, exchange: Exchange, faults: list[Exchange]) -> bool:
        """The same for a lawful submission after a broken one of the same code, which may have left a trace: then ORD-16 is to
        blame, for the kept server errors too."""
        if call.endpoint is Endpoint.SUBMIT_ORDER and not exchange.is_accepted and self._is_accepted_elsewhere(call):
            actual = f"since one was refused, the right one of the same code got {exchange.status}"
            self.observe("ORD-16", "a refused submission to leave nothing behind", actual, exchange)
            self.hindered(f"ORD-16: {actual}")
            faults.clear()
            return False
        return self.is_accepted(call, exchange)

    def _is_accepted_elsewhere(self, call: Call) -> bool:
        """Whether it is accepted under a code that nobody has sent; that is in no counterexample's story."""
        story = list(self.story)
        again = self.send(call, self.fresh(call.shape))
        self.story[:] = story
        return again.is_accepted

    @contextmanager
    def aside(self, *known: Exchange) -> Iterator[None]:
        """What is sent in here has nothing to do with the rest of the example, so that no other counterexample tells it; one that
        is found in here tells only this, after what is `known`."""
        story, self.story[:] = list(self.story), known
        try:
            yield
        except Violation as violation:
            violation.story = violation.story or tuple(self.story)
            raise
        finally:
            self.story[:] = story

    def met(self, call: Call, exchange: Exchange) -> None:
        """Take note of what became of a lawful call: what is refused each time is sent less."""
        if self.hindrances is not None and (exchange.is_accepted or exchange.is_refused):
            self.hindrances.note(call, accepted=exchange.is_accepted)

    def check_worth(self, example: object) -> None:
        """Raises Hindered where an example is not worth its client errors: it holds what was refused each time."""
        if self.hindrances is not None and (why := self.hindrances.why_not(example)):
            raise Hindered(why)

    def hindered(self, reason: str) -> None:
        """Say why the running scenario may have seen less than it should. Raises Spoiled where it is tried for
        a scenario before its turn."""
        if self.notes is not None:
            raise Spoiled(reason)
        scenario = self.session.evidence.scenarios[self.scenario]
        scenario.hindrance = reason
        scenario.hindered_by = reason.partition(":")[0] if reason.partition(":")[0] in catalogue().rules else ""

    # -- time and what is seen late -----------------------------------------------------------------------------------

    def let_pass(self, what: str, seconds: float) -> None:
        """Let time pass, by moving the mock's clock or by waiting."""
        at_most = self.session.waiting.at_most
        if self.session.control is not None:
            self.session.control.advance(seconds)
        else:
            self.session.pause(what, seconds if at_most is None else min(seconds, at_most))

    def asked_again(self, send: Callable[[], Exchange]) -> Exchange:
        """The answer to a lawful call that reads an order. It may see the order, its change or its deletion late: a refusal
        counts where it comes again later."""
        exchange = send()
        if not exchange.is_refused or self.asked_in_vain >= ASKED_IN_VAIN:
            return exchange
        waited = 0.0
        for seconds in (*LATE_SECONDS, *((CONSOLIDATION_SECONDS,) if self.session.control is not None else ())):
            self.let_pass("an order to be seen", seconds)
            waited += seconds
            again = send()
            if again.is_refused:
                continue
            if self.grew_later >= GREW_LATER:  # it was waited for long enough before: nothing is late here
                return exchange
            self.late += waited
            self.grew_later += 1
            return again
        self.asked_in_vain += 1
        return again

    def let_be_seen(self) -> None:
        """Let so much time pass as the target was seen to take until whoever reads an order sees it."""
        if self.late:
            self.let_pass("an order to be seen", self.late)

    def delete_lawfully(self, place: Place, code: str, note: str = "") -> Exchange:
        """DELETE /order for an order that is there, again where it may not be seen yet."""
        self.let_be_seen()
        return self.asked_again(lambda: self.delete(place, code, note))

    # -- settling --------------------------------------------------------------------------------------------------

    def begin(self, law: str, rest: Waiting[None]) -> None:
        """Run a law that lets time pass: by moving the clock, or by putting off the rest of it where there is none."""
        control = self.session.control
        try:
            next(rest)
            while control is not None:
                control.advance(CONSOLIDATION_SECONDS)
                rest.send(True)  # noqa: FBT003 - a generator takes no keywords
        except StopIteration:
            return
        self.deferred[self.scenario, law].append(Deferred(rest, list(self.story), datetime.now(UTC)))
        self.session.deferred.add(self.scenario)

    def go_on(self, deferred: Deferred) -> None:
        """Run the rest of a law that was put off. Raises NotSeenYet where what it waits for has not come in time."""
        self.story[:] = deferred.story
        try:
            while True:
                left = CONSOLIDATION_SECONDS - (datetime.now(UTC) - deferred.since).total_seconds()
                if left > 0 and self.session.patient:
                    self.session.pause("an update to show", left)
                    left = 0
                deferred.since = datetime.now(UTC)
                deferred.rest.send(left <= 0)
        except StopIteration:
            return

    def settled(
        self,
        rule: str,
        order: Order | None,
        values: Mapping[str, str],
        place: Place,
        *,
        before: Sequence[Order | None] = (None,),
        context: str = "",
    ) -> Waiting[Exchange]:
        """Ask for an order until it shows as it should: `order` as accepted last, or gone (None).

        `before` are the earlier states (None: not there) that may still be seen for half an hour. Anything else is a
        violation of the rule. What shows later than documented is noted against QRY-03, and awaited for as long again.
        """
        key = (place, values["code"])
        # What was once shown can't be still to come.
        states = [state for state in before if state is not None or key not in self.shown]
        for attempt in range(ASKED_AT_MOST):
            passed = (yield) if attempt or self.slow else True
            exchange = self._query_as_late_as_it_shows(place, values["code"])
            problems = self.problems(exchange, order, values)
            if problems and any(self.may_be_from_before(exchange, state, values) for state in states):
                exchange = self._query_a_little_later(exchange, order, values, place)
                problems = self.problems(exchange, order, values)
            if not problems:
                (self.shown.discard if order is None else self.shown.add)(key)
                self.slow = self.slow or attempt > 0
                self.note_delay(attempt, exchange)
                if order is None:
                    self._note_absence(exchange, context)
                return exchange
            if not any(self.may_be_from_before(exchange, state, values) for state in states):
                break
            if not passed:
                if order is not None and states == [None]:
                    self._check_not_stored_under_another(rule, exchange, order, values, place, context)
                raise NotSeenYet
        expected = "the order to be gone" if order is None else "the order as it was last accepted"
        raise Violation(rule=rule, expected=expected, actual="; ".join(problems), exchange=exchange, context=context)

    def _query_as_late_as_it_shows(self, place: Place, code: str) -> Exchange:
        """Ask for an order after as long as the target was seen to take until a query shows what was sent."""
        if self.shows_after:
            self.let_pass("an order to be shown", self.shows_after)
        return self.query(place, code)

    def _query_a_little_later(
        self, exchange: Exchange, order: Order | None, values: Mapping[str, str], place: Place
    ) -> Exchange:
        """The answer to a query that showed what was before, made again soon where time can't be moved: a copy to read from lags
        by parts of a second, and each query too early spends a client error. How long it takes is learnt by the first ones."""
        if self.session.control is not None or self.queried_in_vain >= ASKED_IN_VAIN:
            return exchange
        waited = 0.0
        for seconds in LATE_SECONDS:
            self.let_pass("an order to be shown", seconds)
            waited += seconds
            again = self.query(place, values["code"])
            if not self.problems(again, order, values):
                self.shows_after += waited
                return again
        self.queried_in_vain += 1
        return exchange

    def _check_not_stored_under_another(
        self, rule: str, missing: Exchange, order: Order, values: Mapping[str, str], place: Place, context: str
    ) -> None:
        """Raises a violation where an order that is not shown is shown under what a server may have made of its code: it is not
        late. What was asked for in vain is not asked for again."""
        for how, code in altered(values["code"]):
            if how in self.altered_in_vain or len(self.altered_in_vain) >= ALTERED_AT_MOST:
                continue
            asked = self.query(place, code)
            if not asked.is_accepted:
                self.altered_in_vain.add(how)
            elif not differences(under(code, fill(order, values)), under(code, asked.json)):
                actual = f"it answered {missing.status}, and shows it under {told(code)}: its code {how}"
                expected = "the order as it was last accepted"
                raise Violation(rule=rule, expected=expected, actual=actual, exchange=asked, context=context)

    def note_delay(self, waits: int, exchange: Exchange) -> None:
        """Note against QRY-03 what took more than one half hour to show."""
        if waits > 1:
            self.observe("QRY-03", "an update to show within 30 minutes", "it showed later", exchange)

    def _note_absence(self, exchange: Exchange, context: str) -> None:
        """Note against QRY-02 an order that is gone and whose query is not answered as that of an unknown one."""
        rule = catalogue()["QRY-02"]
        if exchange.status not in rule.refused or exchange.error_code not in rule.codes:
            code = f"code {exchange.error_code}" if exchange.error_code is not None else "no errorCode"
            actual = f"it answered {exchange.status} with {code}"
            self.observe(rule.id, f"{rule.refused} and code {' or '.join(rule.codes)}", actual, exchange, context)

    def problems(self, exchange: Exchange, order: Order | None, values: Mapping[str, str]) -> list[str]:
        """In what an answer to a query differs from this state of the order; nothing where it does not.

        Gone is what is not shown. By which status and code a query says so is QRY-02's business.
        """
        succeeded = exchange.status // 100 == 2
        if order is None:
            if exchange.status >= SERVER_ERROR:
                return [f"it answered {exchange.status}"]
            shown = succeeded and _shows(exchange.json, values["code"])
            return ["it was still there"] if shown else []
        if not succeeded:
            return [f"it answered {exchange.status}"]
        return differences(fill(order, values), exchange.json)

    def may_be_from_before(self, exchange: Exchange, order: Order | None, values: Mapping[str, str]) -> bool:
        """Whether an answer to a query is one that this earlier state of the order explains. Before it was there (None) no
        order was shown: one of another code, or of none that is right, is no order that is still to come."""
        if order is None and exchange.status // 100 == 2 and _shows_one(exchange.json):
            return False
        return not self.problems(exchange, order, values)


def _shows_one(content: JSONValue) -> bool:
    """Whether an answer holds an order, of whatever code, in whatever it may be wrapped."""
    if isinstance(content, dict):
        named = content.get("marketplaceCode") is not None or bool(content.get("extracts"))
        return named or any(_shows_one(part) for part in content.values())
    return isinstance(content, list) and any(map(_shows_one, content))


def _body(call: Call, values: Mapping[str, str]) -> bytes | None:
    body = None if call.body is None else written(fill(call.body, values), call.spelling)
    if call.rendered is not None:
        body = call.rendered.change(body or b"")
    return InChunks(body) if body is not None and call.spelling.in_chunks else body


ONE_LIFE: Final = timedelta(days=62)
"""More than what the dates of one order are apart, those aside that are only expected."""


def days_of(span: Span | None) -> Days:
    """When orders are created, so that all that follows lies within the days that the target file names."""
    if span is None:
        return DAYS
    first, last = (datetime.combine(day, time(), UTC) for day in (span.first, span.last))
    return Days(first, int((last - ONE_LIFE - first).total_seconds()))


def _shows(content: JSONValue, code: str) -> bool:
    """Whether an answer holds an order of that code, in whatever it may be wrapped."""
    if isinstance(content, dict):
        return content.get("marketplaceCode") == code or any(_shows(part, code) for part in content.values())
    return isinstance(content, list) and any(_shows(part, code) for part in content)


def _lookup(endpoint: Endpoint, place: Place) -> Call:
    query: dict[str, Any] = {
        "marketplaceCode": CODE, "channelName": place.channel, "accountId": str(place.account),
    }  # fmt: skip
    return Call(endpoint, query=query)
