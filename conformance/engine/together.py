"""Refusals of creations and releases tried together: one reconciliation serves the broken copies of many scenarios.

Each that is opened must be completed before the next, which takes a target its time. So the first scenario that needs one tries
what the others need too; whose turn comes later counts what was seen then. Only what went as it should is kept: whatever did
not is tried again by its own scenario, in a reconciliation of its own, so that one defect is not blamed on ten rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Side, catalogue
from conformance.engine.batch_laws import send_broken_copy, submit_elsewhere, use_earlier_periods
from conformance.engine.bench import Bench, Hindered, NotSeenYet
from conformance.engine.kill_matrix import KindOf, Refusal
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.properties import prove
from conformance.engine.together_parts import (
    CREATED_BY_ITSELF,
    Part,
    Seen,
    about,
    batch_of,
    entries_of,
    numbers,
    on_one_place,
    with_a_place_in_common,
)
from conformance.errors import TargetUnavailable, WaitTooLong
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.journal import Spent
from conformance.verdict.evidence import Outcome
from conformance.verdict.violation import Violation
from strategies.calls import Call, Edit, release_of
from strategies.faults import FaultBatch, Kind, fault_batches, possible
from strategies.periods import PERIOD
from strategies.reconciliations import total

ROUNDS: Final = 6
"""So often some are tried together, of creations and of releases: after each that did not go to its end the rest is once more."""


class Spoiled(Exception):
    """What comes now would say nothing: the rest is left to its scenarios."""


@dataclass(slots=True)
class Together:
    """What was tried ahead of its scenario's turn, in this run."""

    bench: Bench
    scenarios: Mapping[Refusal, str]
    """Every refusal of a creation or release that a scenario of the run says must be, with the scenario's id."""
    _seen: dict[Refusal, Seen] = field(default_factory=dict)
    _over: set[Refusal] = field(default_factory=set)
    """Those that were tried, whatever came of it, and those whose scenario had its turn."""
    _contradicted: dict[Refusal, str] = field(default_factory=dict)
    """What was not refused as documented, and what came of it."""
    _rounds: Counter[Endpoint] = field(default_factory=Counter)

    def counts(self, refusal: Refusal) -> bool:
        """Whether the running scenario has its evidence, by what was tried ahead; else it is to try it by itself."""
        if refusal not in self._over:
            self._try(refusal)
            self._over.add(refusal)
        seen = self._seen.pop(refusal, None)
        if seen is None:
            if refusal in self._contradicted:  # if it is refused now, who knows what comes of it the next time
                self.bench.withhold_refusals(self._contradicted[refusal])
            return False
        self.bench.session.ahead -= seen.spent
        self.bench.saw(Side.ACCEPTED, seen.accepted)
        for kind, exchange in zip(seen.part.kinds, seen.refused, strict=True):
            self.bench.saw(Side.REFUSED, exchange)
            self.bench.kinds.tried(KindOf(refusal, kind.name), clean=seen.clean)
        return True

    def _try(self, refusal: Refusal) -> None:
        session = self.bench.session
        if session.resuming or not session.options.alone or session.profile.refusals_per_kind != 1:
            return
        if refusal.endpoint is Endpoint.CREATE_RECONCILIATION and refusal.rule in CREATED_BY_ITSELF:
            return
        parts = self._parts(refusal)
        if len(parts) < 2 or parts[0].refusal != refusal or self._rounds[refusal.endpoint] >= ROUNDS:
            return
        self._rounds[refusal.endpoint] += 1
        try:
            if refusal.endpoint is Endpoint.CREATE_RECONCILIATION:
                self._creations(parts)
            else:
                self._releases(parts)
        except WaitTooLong:
            raise
        except TargetUnavailable:
            # So many calls in a row meet such a thing again, and each time all that they spent is spent once more.
            self._rounds[refusal.endpoint] = ROUNDS
        except (Spoiled, Violation, Hindered, NotSeenYet):
            return  # the scenarios meet the same, and say so
        finally:
            self.bench.story.clear()

    def _parts(self, first: Refusal) -> list[Part]:
        """What is still to be tried of the endpoint, the scenario's own first."""
        bench, scope = self.bench, self.bench.reconciliations.scope
        parts = []
        for refusal, scenario in self.scenarios.items():
            kinds = tuple(
                kind for kind in bench.kinds.chosen.get(refusal, ()) if possible(kind, scope, refusal.endpoint)
            )
            evidence = bench.session.evidence.scenarios[scenario]
            if (
                kinds
                and refusal.endpoint is first.endpoint
                and refusal not in self._over
                and evidence.outcome is Outcome.NOT_RUN
                and bench.session.missing_need(catalogue()[refusal.rule]) is None
            ):
                parts.append(Part(refusal, scenario, kinds))
        return sorted(parts, key=lambda part: part.refusal != first)

    @contextmanager
    def _spending_for(self, part: Part) -> Iterator[list[Spent]]:
        """What is sent in here is for that scenario; the list has what it took when it is over."""
        session, spent = self.bench.session, list[Spent]()
        about, before = session.journal.about, session.journal.spent()
        session.journal.about = f"{part.refusal.rule} {session.evidence.scenarios[part.scenario].name}"
        try:
            yield spent
        finally:
            session.journal.about = about
            spent.append(session.journal.spent() - before)

    def _keep(self, seen: Seen) -> None:
        self.bench.session.ahead += seen.spent
        self._seen[seen.part.refusal] = seen

    # -- creations -------------------------------------------------------------------------------------------------

    def _creations(self, parts: list[Part]) -> None:
        """Broken copies of one creation, for all rules; then itself."""
        bench, drawn = self.bench, list[FaultBatch]()
        scope = bench.reconciliations.scope
        parts = with_a_place_in_common(parts, scope)
        kinds = tuple(kind for part in parts for kind in part.kinds)
        strategy = fault_batches(scope, Endpoint.CREATE_RECONCILIATION, kinds)
        with self._hindrance_kept(bench.scenario):
            # What was drawn is kept by its name: other kinds, another name.
            named = sha256(repr([(part.refusal, part.kinds) for part in parts]).encode()).hexdigest()[:16]
            prove(bench, f"together {Endpoint.CREATE_RECONCILIATION.value} {named}", strategy, drawn.append, 1)
        if drawn and not self._creations_of(parts, drawn[-1]):
            # It had to wait for the one before: now it is known how long that takes.
            self._creations_of(parts, drawn[-1])

    def _creations_of(self, parts: list[Part], fault_batch: FaultBatch) -> bool:
        """Whether it need not wait; else what was refused may have been for that."""
        bench, reconciliations, batch = self.bench, self.bench.reconciliations, fault_batch.lawful.batch
        assert batch is not None
        bench.story.clear()
        bench.passing.begin_example()
        reconciliation, edits = reconciliations.begin(batch), iter(fault_batch.edits)
        use_earlier_periods(reconciliations, reconciliation, fault_batch)
        if not self._submitted(reconciliation, range(len(batch.orders))):
            raise Spoiled
        refused = list[tuple[Part, list[Exchange], bool, Spent]]()
        try:
            for part in parts:
                bench.story.clear()
                some = [next(edits) for _ in part.kinds]
                if [kind.name for kind, _ in some] != [kind.name for kind in part.kinds]:
                    raise LookupError(f"of {part.refusal} other kinds were drawn than are to be tried")
                self._over.add(part.refusal)
                if part.refusal.rule in CREATED_BY_ITSELF:
                    continue
                with self._spending_for(part) as spent:
                    found, clean = self._broken_copies(part, fault_batch.lawful, some, reconciliation)
                if found is not None:
                    refused.append((part, found, clean, spent[0]))
            with bench.keeping_faults() as faults:
                created = reconciliations.create(reconciliation, blame=False)
                if not created.is_accepted:
                    faults.clear()  # they may be what a refused one has left
            if reconciliation.waited:
                return False
            if created.status not in catalogue()["REC-01"].accepted:
                self._rounds[Endpoint.CREATE_RECONCILIATION] = ROUNDS  # what one has left is there also the next time
                raise Spoiled
            for part, found, clean, took in refused:
                self._keep(Seen(part, created, found, clean, took))
            return True
        finally:
            reconciliations.finish(reconciliation)

    # -- releases --------------------------------------------------------------------------------------------------

    def _releases(self, parts: list[Part]) -> None:
        """One reconciliation of the orders of all scenarios that drew the same place. Of each order every broken copy of the
        release is refused, and then itself accepted."""
        bench, reconciliations = self.bench, self.bench.reconciliations
        drawn = self._as_they_draw(parts)
        if parts[0].refusal not in {part.refusal for part, _ in drawn}:
            raise Spoiled
        drawn = on_one_place(drawn)
        if len(drawn) < 2:
            raise Spoiled
        bench.story.clear()
        bench.passing.begin_example()
        reconciliation, firsts = self._begin(drawn)
        sent = []
        for (part, fault_batch), first in zip(drawn, firsts, strict=True):
            with self._spending_for(part) as spent:
                there = self._submitted(reconciliation, numbers(fault_batch, first))
            sent.append((part, fault_batch, first, spent[0]))
            if not there:
                self._over.add(part.refusal)
                raise Spoiled
        bench.let_be_seen()
        orders = list(bench.story)
        if not reconciliations.create(reconciliation, blame=False).is_accepted:
            self._rounds[Endpoint.SUBMIT_RELEASE] = ROUNDS  # perhaps since it is for so many: no other would do better
            raise Spoiled
        created = bench.story[-1]
        try:
            for part, fault_batch, first, spent_before in sent:
                codes = {reconciliation.values[number]["code"] for number in numbers(fault_batch, first)}
                bench.story[:] = [*(one for one in orders if about(one, codes)), created]
                self._over.add(part.refusal)
                seen = self._release(part, fault_batch, first, reconciliation, spent_before)
                if seen is not None:
                    self._keep(seen)
        finally:
            reconciliations.finish(reconciliation)

    def _as_they_draw(self, parts: list[Part]) -> list[tuple[Part, FaultBatch]]:
        """What each scenario would try by itself: what does not go as it should is tried there again."""
        bench, found = self.bench, list[tuple[Part, FaultBatch]]()
        running, scope = bench.scenario, bench.reconciliations.scope
        for part in parts:
            drawn = list[FaultBatch]()
            bench.scenario = part.scenario
            try:
                with self._hindrance_kept(part.scenario):
                    name = f"{part.scenario} {part.refusal.endpoint.value}"
                    prove(bench, name, fault_batches(scope, part.refusal.endpoint, part.kinds), drawn.append, 1)
            except TargetUnavailable:
                pass  # it has nothing that is worth sending: its scenario says so
            finally:
                bench.scenario = running
            if drawn:
                found.append((part, drawn[-1]))
        return found

    @contextmanager
    def _hindrance_kept(self, scenario: str) -> Iterator[None]:
        """Drawing alone is no reason why a scenario has seen less."""
        evidence = self.bench.session.evidence.scenarios[scenario]
        before = evidence.hindrance, evidence.hindered_by
        try:
            yield
        finally:
            evidence.hindrance, evidence.hindered_by = before

    def _begin(self, drawn: list[tuple[Part, FaultBatch]]) -> tuple[OpenReconciliation, list[int]]:
        """All their orders in one reconciliation, with the number of each one's first order. The longest period serves all."""
        reconciliations, batches = self.bench.reconciliations, [batch_of(fault_batch) for _, fault_batch in drawn]
        longest = max(batches, key=lambda batch: batch.seconds)
        orders = [order for batch in batches for order in batch.orders]
        creation = {
            **longest.creation,
            "releasesQtd": entries_of(batches),
            "totalNetValue": total(self.bench.scope, orders),
        }
        releases = tuple(release for batch in batches for release in batch.releases)
        merged = replace(longest, orders=tuple(orders), creation=creation, releases=releases, namesake=None)
        reconciliation = reconciliations.begin(merged)
        period = reconciliation.values[0][PERIOD]
        # Codes and neighbours as each would have them by itself.
        own = [reconciliations.values_for(batch, period) for batch in batches]
        reconciliation.values = tuple(values for some in own for values in some)
        firsts = [sum(len(batch.orders) for batch in batches[:number]) for number in range(len(batches))]
        for (_, fault_batch), first in zip(drawn, firsts, strict=True):
            namesake = batch_of(fault_batch).namesake
            if namesake is not None:
                self._submit(Call(Endpoint.SUBMIT_ORDER, body=namesake), reconciliation, first)
        return reconciliation, firsts

    def _submitted(self, reconciliation: OpenReconciliation, numbers: range) -> bool:
        """Whether the orders were accepted; that one was not is told where its scenario sends it."""
        return all(
            self._submit(Call(Endpoint.SUBMIT_ORDER, body=reconciliation.batch.orders[number]), reconciliation, number)
            for number in numbers
        )

    def _submit(self, call: Call, reconciliation: OpenReconciliation, number: int) -> bool:
        with self.bench.keeping_faults() as faults:
            exchange = self.bench.send(call, reconciliation.values[number])
            faults.clear()
        self.bench.met(call, exchange)
        return exchange.is_accepted

    def _release(
        self,
        part: Part,
        fault_batch: FaultBatch,
        first: int,
        whole: OpenReconciliation,
        spent_before: Spent,
    ) -> Seen | None:
        """Try one scenario's part; None where it is to try it again by itself. Raises Spoiled where nothing more is to be had of
        the reconciliation."""
        bench, batch, own = self.bench, batch_of(fault_batch), numbers(fault_batch, first)
        view = OpenReconciliation(batch, tuple(whole.values[number] for number in own), whole.id)
        with self._spending_for(part) as spent, bench.keeping_faults() as faults:
            try:
                if not submit_elsewhere(bench, fault_batch, view):
                    return None
                for beside in range(1, len(batch.orders)):
                    self._lawful(view, beside)
                found, clean = self._broken_copies(part, fault_batch.lawful, fault_batch.edits, view)
                accepted = self._lawful(view, 0)
            finally:
                whole.after_refusal = whole.after_refusal or view.after_refusal
                whole.doubtful = whole.doubtful or view.doubtful
                whole.spoiled = whole.spoiled or view.spoiled
                whole.released |= {own[order] for order in view.released}
                whole.lost |= {own[order] for order in view.lost}
                faults.clear()  # where there are any, its scenario meets the same
        if found is None:
            return None
        return Seen(part, accepted, found, clean, spent_before + spent[0])

    def _lawful(self, view: OpenReconciliation, order: int) -> Exchange:
        exchange = self.bench.reconciliations.release(view, order)
        self.bench.met(release_of(view.batch, order), exchange)
        if not exchange.is_accepted:
            view.spoiled = True
            raise Spoiled
        return exchange

    def _broken_copies(
        self, part: Part, lawful: Call, edits: Sequence[tuple[Kind, Edit]], reconciliation: OpenReconciliation
    ) -> tuple[list[Exchange] | None, bool]:
        """The refusals of every broken copy, and whether no other rule was seen broken. No refusals where one was not as
        documented, or may have been for what is seen late. Raises Violation where one was not refused."""
        bench, wrongly = self.bench, list[Violation]()
        before, late = bench.observed, bench.late
        bench.passing.begin_try()
        try:
            found = [
                send_broken_copy(bench, part.rule, lawful, kind, edit, reconciliation, wrongly) for kind, edit in edits
            ]
        except Violation as violation:
            wrongly.append(violation)
            raise
        finally:
            if wrongly:
                self._contradicted[part.refusal] = (
                    f"beside others {wrongly[0].actual} ({wrongly[0].kind or part.refusal.fault}), and not by itself"
                )
        doubtful = wrongly or bench.late != late or bench.passing.leaves_doubt
        return None if doubtful else found, bench.observed == before
