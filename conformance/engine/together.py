"""Refusals of creations and releases tried together: one reconciliation serves the broken copies of many scenarios.

Each that is opened must be completed before the next, which takes a target its time. So the first scenario that needs one tries
what the others need too; whose turn comes later counts what was seen then. Only what went as it should is kept: whatever did
not is tried again by its own scenario, in a reconciliation of its own, so that one defect is not blamed on ten rules. Broken
creations come before one and the same lawful one; broken releases are tried on the shelf (conformance/engine/shelf.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, Side, catalogue
from conformance.engine.batch_laws import (
    ROOM_FOR_MORE,
    refused_name,
    send_broken_copy,
    submit_elsewhere,
    use_earlier_periods,
)
from conformance.engine.bench import Bench
from conformance.engine.kill_matrix import KindOf, Refusal
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.properties import prove
from conformance.engine.release_turns import Comes, Turn, by_turns
from conformance.engine.shelf import Laws, Shared, submitted_unblamed, within_one_period
from conformance.engine.together_parts import (
    CREATED_BY_ITSELF,
    WITHIN_THE_PERIOD,
    Part,
    Seen,
    batch_of,
    with_a_place_in_common,
)
from conformance.engine.unfinished import Hindered, NotSeenYet, Spoiled
from conformance.errors import TargetUnavailable, WaitTooLong
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.journal import Spent
from conformance.verdict.evidence import Outcome
from conformance.verdict.violation import Violation
from strategies.calls import Call, Edit
from strategies.faults import FaultBatch, Kind, fault_batches, possible

ROUNDS: Final = 6
"""So often some creations are tried together: after each time that did not go to its end the rest is once more."""


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
    _rounds: int = 0

    def counts(self, refusal: Refusal) -> bool:
        """Whether the running scenario has its evidence, by what was tried ahead; else it is to try it by itself."""
        if refusal.endpoint is Endpoint.SUBMIT_RELEASE:
            names = [law.name for law in self._release_laws(refusal, self.bench, catalogue()[refusal.rule])]
            # What was tried of each is taken, also where another is to be tried by itself: then all are.
            counts = all([*map(self.bench.shelf.counts, names)]) and bool(names)
        else:
            counts = self._creation_counts(refusal)
        if (
            not counts and refusal in self._contradicted
        ):  # if it is refused now, who knows what comes of it the next time
            self.bench.withhold_refusals(self._contradicted[refusal])
        return counts

    # -- creations -------------------------------------------------------------------------------------------------

    def _creation_counts(self, refusal: Refusal) -> bool:
        if refusal not in self._over:
            self._try(refusal)
            self._over.add(refusal)
        seen = self._seen.pop(refusal, None)
        if seen is None:
            return False
        self.bench.session.ahead -= seen.spent
        self.bench.saw(Side.ACCEPTED, seen.accepted)
        for kind, exchange in zip(seen.part.kinds, seen.refused, strict=True):
            self.bench.saw(Side.REFUSED, exchange)
            self.bench.kinds.tried(KindOf(refusal, kind.name), clean=seen.clean)
        return True

    def try_ahead(self) -> None:
        """Try what scenarios need of creations, if that was not done yet: who asks for it sees what was opened for it."""
        for refusal in self.scenarios:
            if not self._rounds and refusal.endpoint is Endpoint.CREATE_RECONCILIATION:
                self._try(refusal)

    def _try(self, refusal: Refusal) -> None:
        session = self.bench.session
        if (
            session.replayed is not None
            or session.resuming
            or not session.options.alone
            or session.profile.refusals_per_kind != 1
        ):
            return
        if refusal.rule in CREATED_BY_ITSELF:
            return
        parts = self._parts(refusal)
        if len(parts) < 2 or parts[0].refusal != refusal or self._rounds >= ROUNDS:
            return
        self._rounds += 1
        try:
            self._creations(parts)
        except WaitTooLong:
            raise
        except TargetUnavailable:
            # So many calls in a row meet such a thing again, and each time all that they spent is spent once more.
            self._rounds = ROUNDS
        except (Spoiled, Violation, Hindered, NotSeenYet):
            return  # the scenarios meet the same, and say so
        finally:
            self.bench.story.clear()

    def _parts(self, first: Refusal) -> list[Part]:
        """What is still to be tried of creations, the scenario's own first."""
        bench, scope = self.bench, self.bench.reconciliations.scope
        parts = []
        for refusal, scenario in self.scenarios.items():
            kinds = tuple(kind for kind in bench.kinds.of(refusal) if possible(kind, scope, refusal.endpoint))
            evidence = bench.session.evidence.scenarios[scenario]
            if (
                kinds
                and refusal.endpoint is Endpoint.CREATE_RECONCILIATION
                and refusal not in self._over
                and evidence.outcome is Outcome.NOT_RUN
                and scenario not in bench.session.left_out
                and bench.session.missing_need(catalogue()[refusal.rule]) is None
            ):
                parts.append(Part(refusal, scenario, kinds))
        return sorted(parts, key=lambda part: part.refusal != first)

    @contextmanager
    def _spending_for(self, part: Part) -> Iterator[list[Spent]]:
        """What is sent in here is for that scenario, as it would be by itself; the list has what it took when it is over."""
        session, evidence, spent = self.bench.session, self.bench.session.evidence, list[Spent]()
        about, before = session.journal.about, session.journal.spent()
        running, trying = evidence.running, evidence.trying
        session.journal.about = f"{part.refusal.rule} {evidence.scenarios[part.scenario].name}"
        evidence.begin(part.scenario)
        self.bench.try_kinds(*(kind.name for kind in part.kinds))
        try:
            yield spent
        finally:
            session.journal.about = about
            evidence.begin(running)
            self.bench.try_kinds(*trying)
            spent.append(session.journal.spent() - before)

    def _keep(self, seen: Seen) -> None:
        self.bench.session.ahead += seen.spent
        self._seen[seen.part.refusal] = seen

    def _creations(self, parts: list[Part]) -> None:
        """Broken copies of one creation, for all rules; then itself."""
        bench, drawn = self.bench, list[FaultBatch]()
        scope = bench.reconciliations.scope
        parts = with_a_place_in_common(parts, scope)
        kinds = tuple(kind for part in parts for kind in part.kinds)
        strategy = fault_batches(scope, Endpoint.CREATE_RECONCILIATION, kinds)
        with self._hindrance_kept():
            # What was drawn is kept by its name: other kinds, another name.
            named = sha256(repr([(part.refusal, part.kinds) for part in parts]).encode()).hexdigest()[:16]
            prove(
                bench,
                f"together {Endpoint.CREATE_RECONCILIATION.value} {named}",
                strategy,
                drawn.append,
                1,
                is_tried=False,
            )
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
        use_earlier_periods(reconciliations, reconciliation, fault_batch, opened_before=True)
        if not submitted_unblamed(bench, reconciliation):
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
                    found, clean = self._broken_copies(part.refusal, fault_batch.lawful, some, reconciliation)
                if found is not None:
                    refused.append((part, found, clean, spent[0]))
            with bench.keeping_faults() as faults:
                created = reconciliations.create(reconciliation, blame=False)
                if not created.is_accepted:
                    faults.clear()  # they may be what a refused one has left
            if reconciliation.waited:
                return False
            if created.status not in catalogue()["REC-01"].accepted:
                self._rounds = ROUNDS  # what one has left is there also the next time
                raise Spoiled
            for part, found, clean, took in refused:
                self._keep(Seen(part, created, found, clean, took))
            return True
        finally:
            reconciliations.finish(reconciliation)

    @contextmanager
    def _hindrance_kept(self) -> Iterator[None]:
        """Drawing alone is no reason why the running scenario has seen less."""
        evidence = self.bench.session.evidence.scenarios[self.bench.scenario]
        before = evidence.hindrance, evidence.hindered_by
        try:
            yield
        finally:
            evidence.hindrance, evidence.hindered_by = before

    # -- releases --------------------------------------------------------------------------------------------------

    @property
    def release_laws(self) -> dict[str, tuple[Rule, Laws]]:
        """By scenario: the refusals of releases, as they can be tried on the shelf."""
        return {
            scenario: (catalogue()[refusal.rule], partial(self._release_laws, refusal))
            for refusal, scenario in self.scenarios.items()
            if refusal.endpoint is Endpoint.SUBMIT_RELEASE
        }

    def _release_laws(self, refusal: Refusal, bench: Bench, rule: Rule) -> list[Shared[FaultBatch]]:
        """The broken copies of its releases that come in one turn are a law."""
        scope, seconds = bench.reconciliations.shared_scope, None
        if refusal.rule in WITHIN_THE_PERIOD:
            scope, seconds = within_one_period(scope)
        kinds = tuple(kind for kind in bench.kinds.of(refusal) if possible(kind, scope, refusal.endpoint))
        if not kinds or Side.REFUSED not in rule.sides_under(bench.session.readings):
            return []
        return [
            Shared(
                rule,
                refused_name(bench, refusal.endpoint, turn),
                fault_batches(
                    scope, refusal.endpoint, some, seconds, crowded=turn.crowded, bare=turn.bare, turn=turn.number
                ),
                partial(self._refused_release, refusal, turn),
                examples=1,
                batch_of=batch_of,
                whole_period=refusal.rule in WITHIN_THE_PERIOD,
                needs_room=refusal.rule in ROOM_FOR_MORE,
                comes=turn.comes,
            )
            for turn, some in by_turns(refusal.rule, kinds).items()
        ]

    def _refused_release(self, refusal: Refusal, turn: Turn, fault_batch: FaultBatch) -> None:
        """Every broken copy of a release is refused, and then itself accepted."""
        bench, reconciliations, batch = self.bench, self.bench.reconciliations, batch_of(fault_batch)
        reconciliation = reconciliations.open_for(batch)
        if not submit_elsewhere(bench, fault_batch, reconciliation):
            return
        others = range(1, len(batch.orders))
        for beside in others if turn.comes is not Comes.FIRST else ():
            reconciliations.released(reconciliation, beside)
        found, clean = self._broken_copies(refusal, fault_batch.lawful, fault_batch.edits, reconciliation)
        reconciliations.released(reconciliation, 0)
        if found is None:
            raise Spoiled("a broken release was not refused as documented")
        bench.saw(Side.ACCEPTED, bench.story[-1])
        for (kind, _), exchange in zip(fault_batch.edits, found, strict=True):
            bench.saw(Side.REFUSED, exchange)
            bench.when_it_counts(partial(bench.kinds.tried, KindOf(refusal, kind.name), clean=clean))

    def _broken_copies(
        self,
        refusal: Refusal,
        lawful: Call,
        edits: Sequence[tuple[Kind, Edit]],
        reconciliation: OpenReconciliation,
    ) -> tuple[list[Exchange] | None, bool]:
        """The refusals of every broken copy, and whether no other rule was seen broken. No refusals where one was not as
        documented, or may have been for what is seen late. Raises Violation where one was not refused."""
        bench, wrongly = self.bench, list[Violation]()
        before, late = bench.observed, bench.late
        bench.passing.begin_try()
        try:
            found = [
                send_broken_copy(bench, catalogue()[refusal.rule], lawful, kind, edit, reconciliation, wrongly)
                for kind, edit in edits
            ]
        except Violation as violation:
            wrongly.append(violation)
            raise
        finally:
            if wrongly:
                self._contradicted[refusal] = (
                    f"beside others {wrongly[0].actual} ({wrongly[0].kind or refusal.fault}), and not by itself"
                )
        doubtful = wrongly or bench.late != late or bench.passing.leaves_doubt
        return None if doubtful else found, bench.observed == before
