"""Reconciliations one after the other, each of which shows that the one before has ended: where nothing notifies, another had to
be opened for that. The accounts take turns, so that one reconciles while the next is used. What is opened here also shows that
creations are accepted, each with an id of its own, and what laws say of creations alone (conformance/engine/creation_laws.py): of
any total, of a period beside that of an earlier one, of a second one while the first is active. What has ended shows what laws
say of reconciled orders (conformance/engine/reconciled_laws.py).

They are tried ahead of their scenarios' turns (conformance/engine/ahead.py): a scenario's law that does not go as it should is
tried again by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, Side, catalogue
from conformance.engine.ahead import Ahead, Example
from conformance.engine.bench import Bench
from conformance.engine.checks import check_refused
from conformance.engine.creations_seen import CreationLaw
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.orders_meanwhile import check_orders_go_on
from conformance.engine.planned import Besides, Created, Ending, Ends, Notes, Planned, planned_of
from conformance.engine.properties import name_within
from conformance.engine.reconciled_laws import Beside, LaterLaw, ReconciledLaw
from conformance.engine.refused_beside import refuse_beside
from conformance.engine.same_again import refuse_the_same
from conformance.engine.spoiled_places import look_for_the_rule
from conformance.engine.trial import Trial
from conformance.engine.unfinished import Hindered, Spoiled
from conformance.engine.waiting import Deferred
from conformance.engine.whole import Meanwhile, Whole, last_release, meanwhile_of, prove_by_itself
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.periods import PERIOD
from strategies.reconciliations import Batch
from strategies.scope import Place

LATE_ENOUGH_SECONDS: Final = 5.0
"""After so long, or twice as long as the target was seen to take, a first look is made where none must be made too early."""

Laws = Callable[[Bench, Rule], Sequence[Whole | CreationLaw] | Sequence[ReconciledLaw] | Sequence[LaterLaw]]
"""What a scenario of this rule can have tried in succession."""


def prove_whole(bench: Bench, rule: Rule, laws: Laws) -> None:
    """Prove the laws of the running scenario, by what was seen in the succession or else by themselves."""
    for whole in laws(bench, rule):
        if isinstance(whole, Whole) and not bench.succession.counts(whole.name):
            prove_by_itself(bench, whole)


@dataclass(slots=True)
class Succession(Ahead[Any]):
    """What was tried so, in this run."""

    created: list[Created] = field(default_factory=list)
    _ending: dict[Place, Ending] = field(default_factory=dict)
    _ended: dict[Place, OpenReconciliation] = field(default_factory=dict)
    """What has ended last there, where that is known."""
    _clean: Place | None = None
    """Where no creation is refused until one is seen to have ended, late enough: so it is known who ends by itself, where a
    refused one may stay active."""
    _over: set[Place] = field(default_factory=set)
    """Where something did not go as it should."""
    _ends: Ends = field(default_factory=Ends)
    _besides: Besides = field(default_factory=Besides)
    _waiting: defaultdict[Place, list[Planned]] = field(default_factory=lambda: defaultdict(list))
    """What is still to be opened."""
    _reconciled: list[Example[ReconciledLaw]] = field(default_factory=list)
    """Examples of laws of reconciled orders that none has shown yet."""
    _shown_as_wanted: set[tuple[str, str]] = field(default_factory=set)
    """The laws of reconciled orders of which one that is to be among their examples was shown."""
    _shown_last: list[tuple[Example[ReconciledLaw], Beside, Ending]] = field(default_factory=list)
    """What of them is to be shown when others have ended since."""
    _later: list[Example[LaterLaw]] = field(default_factory=list)
    """The same of what is refused in a later one."""

    def shows_creations(self, examples: int, *, releases: int = 1) -> bool:
        """Whether the running scenario has its evidence: so many creations, each for so many releases at least, were accepted."""
        self.try_once()
        some = [one.exchange for one in self.created if one.batch.creation["releasesQtd"] >= releases]
        if len(some) < examples:
            return False
        for exchange in some:
            self.bench.saw(Side.ACCEPTED, exchange)
        return True

    def _try_all(self, examples: list[Example[Any]]) -> None:
        self._besides.examples = [one for one in examples if isinstance(one.law, CreationLaw)]
        self._reconciled = [one for one in examples if isinstance(one.law, ReconciledLaw)]
        self._later = [one for one in examples if isinstance(one.law, LaterLaw)]
        for planned in planned_of([one for one in examples if isinstance(one.law, Whole)]):
            self._waiting[planned.batch.place].append(planned)
        self._keep_one_clean()
        while any(self._waiting.values()):
            for place, some in self._waiting.items():
                if some:
                    self._try(some.pop(0))
                if place in self._over:
                    some.clear()
        self._see_ends()
        for last in self._shown_last:
            self._show(*last)
        self._blame_refused_releases()
        if self.created:  # there are earlier ones that they may be about
            self._show_the_rest()

    def _keep_one_clean(self) -> None:
        """Where nothing tells of an end but room for the next one, each look is a creation that may be refused."""
        session, places = self.bench.session, self._waiting
        if session.control is not None or session.inbox is not None or len(places) == 1:
            return
        paired = {place for one in self._besides.examples for pair in one.law.while_active for place in pair}
        last_first = [*reversed(places.items())]
        for place, some in sorted(last_first, key=lambda there: there[0] in paired):
            plainly = (one for one in some if one.example.law.ended is not None and not one.looks_meanwhile)
            if (first := next(plainly, None)) is not None:
                some.remove(first)
                some.insert(0, first)
                self._clean = place
                return

    def _show_the_rest(self) -> None:
        """Open one for what laws say of creations after earlier ones that no other could show: by itself each opens two."""
        reconciliations = self.bench.reconciliations
        for one in [one for one in self._besides.examples if one.law.needs_earlier]:
            for place in reconciliations.scope.places:
                planned = Planned(reconciliations.plainest(place), one)
                if place in self._over or not self._besides.shows(planned, one):
                    continue
                if (opened := self._opened(planned)) is not None:
                    self._release_plainly(planned, opened)
                    self._besides.note_over(opened)
                break

    def _try(self, planned: Planned) -> None:
        """Open it, by which the one before is known to have ended, and send its releases."""
        try:
            self.bench.check_worth(planned.batch)
        except Hindered:  # by itself the law may be tried with others
            return
        self.bench.passing.begin_example()
        self._prepare(planned)
        opened = self._opened(planned)
        if opened is None and planned.seen_besides:  # by itself it may be
            planned = Planned(planned.example.batch, planned.example, planned.also)
            opened = self._opened(planned)
        self._go_through(planned, opened)

    def _go_through(self, planned: Planned, opened: OpenReconciliation | None) -> None:
        """Send its releases. Meanwhile the one that comes then is refused, and one of another account opened and gone through,
        where laws are about that."""
        bench, reconciliations, place = self.bench, self.bench.reconciliations, planned.batch.place
        began, one, notes, is_clean = list(bench.story), planned.example, Notes(), place == self._clean
        then = next(iter(self._waiting[place]), None)
        try:
            if place in self._ending:
                has_ended = self._ending[place].reconciliation.ended  # where another was opened there since
                is_free = has_ended or (opened is not None and place not in reconciliations.endless)
                self._see_end(place, is_free=is_free)
            if opened is None:
                self._over.add(place)
                return
            bench.story[:] = began
            later = self._refuse_again(opened)
            began = list(bench.story)  # what was refused in it is a part of it
            if not opened.spoiled:
                self._open_beside(opened)
            at_first = not reconciliations.refuses_second
            look = meanwhile_of([each.law for each in planned.examples])
            if then is not None and not is_clean:
                look = self._refusing(then, opened, look, at_first=at_first)
            if not opened.spoiled:
                with self._noted(one, began) as notes:
                    if one.law.go(opened, one.drawn, look):
                        notes.append(lambda: None)
        finally:
            story = list(bench.story)
            if opened is not None:
                reconciliations.finish(opened)
        if not notes:
            look_for_the_rule(reconciliations, place)
            self._over.add(place)
            return
        for refused, shown in later:
            self._keep(refused, [*shown, partial(self._saw_first_release, story)])
        self._ending[place] = Ending(planned, opened, story, notes)
        self._besides.note_over(opened)
        if reconciliations.notified(opened):
            self._see_end(place, is_free=True)

    def _prepare(self, planned: Planned) -> None:
        """Let it show examples of laws of creations too; where a first look must not be early, wait for the one before."""
        bench, reconciliations, place = self.bench, self.bench.reconciliations, planned.batch.place
        if place != self._clean:
            may_refuse = bench.session.control is not None or place in reconciliations.opened_at
            self._besides.prepare(planned, may_refuse=may_refuse)
        elif place in self._ending:
            bench.let_pass("a reconciliation to be finished", max(LATE_ENOUGH_SECONDS, 2 * reconciliations.pause))

    def _saw_first_release(self, story: Sequence[Exchange]) -> None:
        releases = (one for one in story if one.endpoint is Endpoint.SUBMIT_RELEASE and one.is_accepted)
        self.bench.saw(Side.ACCEPTED, next(releases))

    # -- what is refused before its releases -----------------------------------------------------------------------

    def _refuse_again(self, opened: OpenReconciliation) -> list[tuple[Example[Any], Notes]]:
        """Send what must be refused after the one before, an example of each law that is about that: it is shown once the first
        release of this one is accepted."""
        earlier, found = self._ended.get(opened.place), list[tuple[Example[Any], Notes]]()
        fitting = [one for one in self._later if earlier is not None and one.law.fits(earlier, opened)]
        for one in {one.key: one for one in fitting}.values():
            if earlier is None or opened.spoiled:
                break
            self._later.remove(one)
            with self._noted(one, list(self.bench.story)) as notes:
                self.bench.saw(Side.REFUSED, one.law.refused(earlier, opened))
            if notes:
                found.append((one, notes))
        return found

    def _open_beside(self, active: OpenReconciliation) -> None:
        """Open one of another account while this one is active, where a law is about that, and go through it."""
        may_be_active = self.bench.reconciliations.settling & self.bench.reconciliations.opened_at
        not_free = {*self._over, *self._ending, *may_be_active, self._clean}
        waiting = [one for place, some in self._waiting.items() if place not in not_free for one in some]
        found = self._besides.beside_active(active, waiting)
        if found is None:
            return
        wanted, planned = found
        if (opened := self._opened_at_first(planned)) is not None:
            self._waiting[planned.batch.place].remove(wanted)
            self._go_through(planned, opened)

    def _opened_at_first(self, planned: Planned) -> OpenReconciliation | None:
        """It, open, if its creation is accepted when it is sent once: what is active elsewhere may be in its way."""
        reconciliations, opened = self.bench.reconciliations, list[OpenReconciliation]()
        (one, notes) = planned.seen_besides[0]
        with self._noted(one):
            self._with_its_orders(planned)
        reconciliation = planned.reconciliation
        if reconciliation is None:
            return None
        self._send_beside(planned, reconciliation)
        with self._noted(one, list(self.bench.story)) as shown:
            created = reconciliations.create_once(reconciliation)
            if created.is_accepted:
                opened.append(reconciliation)
                self.bench.saw(Side.ACCEPTED, created)
                self.created.append(Created(planned.batch, created))
                self._besides.note_period(planned, reconciliation)
        notes.extend(shown)
        if opened and not notes:  # something else was not as it should be
            reconciliations.finish(opened[0])
        return opened[0] if opened and notes else None

    def _refusing(self, then: Planned, active: OpenReconciliation, look: Meanwhile, *, at_first: bool) -> Meanwhile:
        """Let it show that the next one is refused meanwhile: now, or when more was done. What is to be looked at then."""
        if at_first and not active.spoiled:
            self._refuse_meanwhile(then, active)
        return look if at_first else partial(self._look_and_refuse, then, look)

    def _look_and_refuse(self, then: Planned, look: Meanwhile, active: OpenReconciliation, released: int) -> None:
        """What is looked at meanwhile; and that the next one is refused, as it is before any release has come, when releases were
        refused, too, or when one is in and an order was asked for, updated and deleted. Raises Spoiled where it is not."""
        look(active, released)
        has_several = len(active.batch.orders) > 1
        if released != int(has_several):
            return
        bench, story, since = self.bench, list(self.bench.story), ""
        if has_several:
            since = "since one of its releases is in and orders were asked for, updated and deleted"
            if not bench.slow:  # else it may not be shown yet
                self._look_at_the_released(active)
            if not active.deleted_beside:
                check_orders_go_on(bench, active)
        elif active.after_refusal:
            since = "since a release of it was refused"
        self._refuse_meanwhile(then, active, since)
        bench.story[:] = story
        if active.spoiled:
            raise Spoiled("a second reconciliation was opened while one was active")

    def _look_at_the_released(self, active: OpenReconciliation) -> None:
        """Note a breach of QRY-01 where its first order, whose release is in, is not shown as it was sent."""
        bench, order, values = self.bench, active.batch.orders[0], active.values[0]
        shown = bench.query(active.place, values["code"])
        if not shown.is_accepted or active.sent_twice or not (problems := bench.problems(shown, order, values)):
            return
        alone = bench.fresh("amazon")
        if bench.submit(order, alone).is_accepted:  # what it shows of any order is told elsewhere
            anew = bench.query(active.place, alone["code"])
            if anew.is_accepted and not bench.problems(anew, order, alone):
                context = "its release is in, and its reconciliation is open"
                bench.observe("QRY-01", "the order as it was sent", "; ".join(problems), shown, context)

    def _refuse_meanwhile(self, then: Planned, active: OpenReconciliation, since: str = "") -> None:
        """Send the creation of the next one, which must be refused while this one is active. Where it was before and is not
        `since`, this one is not active any more."""
        one = self._besides.take_refused_before()
        if one is None:
            return
        bench, reconciliations = self.bench, self.bench.reconciliations
        self._besides.prepare(then)
        with self._noted(one) as notes:
            second = self._with_its_orders(then)
            refuse_the_same(bench, one.law.rule, active)  # first: who gives the place free with it takes the other one
            refused = refuse_beside(reconciliations, active, second)
            if refused.is_accepted and since:
                self._note_let_go(refused, since)
            context = "while another is active on this account and channel"
            check_refused(rule=one.law.rule, exchange=refused, bench=bench, context=context)
            reconciliations.refuses_second = True
            bench.saw(Side.REFUSED, refused)
        then.story = list(bench.story)
        if notes:
            then.seen_besides.append((one, list(notes)))
        else:
            reconciliations.refused_the_same = False  # its scenario is to see all of it

    def _note_let_go(self, second: Exchange, since: str) -> None:
        """It is seen here alone: by itself REC-06 is about one of which no release is in."""
        violation = Violation(
            rule="WFL-03",
            expected="a second one to be refused until all releases of the first are in",
            actual=f"it answered {second.status}",
            exchange=second,
            context=since,
        )
        violation.story = tuple(self.bench.story)
        self.bench.session.evidence.observe(violation, self.bench.session.redactor)

    # -- opening ---------------------------------------------------------------------------------------------------

    def _with_its_orders(self, planned: Planned) -> OpenReconciliation:
        """It is begun and its orders are sent. Raises Spoiled where one is refused."""
        if planned.reconciliation is None:
            reconciliation = self.bench.reconciliations.begin(planned.batch)
            if planned.begun is not None:
                planned.begun(reconciliation)
            if planned.begins:
                now = {PERIOD: planned.begins}
                reconciliation.values = tuple(values.having(**now) for values in reconciliation.values)
            if not self.bench.reconciliations.submit_orders(reconciliation):
                raise Spoiled("an order for a reconciliation was refused")
            planned.reconciliation = reconciliation
        return planned.reconciliation

    def _opened(self, planned: Planned) -> OpenReconciliation | None:
        """The reconciliation, open; None where it was not opened as it should be."""
        reconciliations, opened = self.bench.reconciliations, list[OpenReconciliation]()
        if self.bench.session.control is not None:
            reconciliations.endless.discard(planned.batch.place)
        with self._noted(planned.example, planned.story):
            self._with_its_orders(planned)
        reconciliation = planned.reconciliation
        if reconciliation is None or not self._refuses_first(planned, reconciliation):
            return None
        self._send_beside(planned, reconciliation)
        begins = reconciliation.values[0][PERIOD]
        with self._noted(planned.example, list(self.bench.story)) as notes:
            is_free_to_move = not planned.seen_besides and planned.begun is None
            created = reconciliations.create(reconciliation, blame=False, elsewhere=is_free_to_move)
            if created.status // 100 == 2:
                opened.append(reconciliation)
            if created.status in catalogue()["REC-01"].accepted:
                notes.append(lambda: None)
        if opened and not notes:  # something else was not as it should be
            reconciliations.finish(opened[0])
        if not opened or not notes:
            return None
        if reconciliation.values[0][PERIOD] != begins:
            planned.seen_besides.clear()  # it was accepted for another period than the one that it is about
        if reconciliation.waited:  # what was refused may have been refused for the one before
            again = [one for one, _ in planned.seen_besides if one.law.refused_first is not None]
            self._besides.examples += again
            planned.seen_besides = [one for one in planned.seen_besides if one[0] not in again]
        for one, others in planned.seen_besides:
            others.insert(0, partial(self.bench.saw, Side.ACCEPTED, created))
            if one.law.tells is not None and self.bench.session.is_open(one.law.tells[0]):
                self.bench.learn(*one.law.tells)
        self.created.append(Created(planned.batch, created))
        self._besides.note_period(planned, opened[0])
        return opened[0]

    def _refuses_first(self, planned: Planned, reconciliation: OpenReconciliation) -> bool:
        """Whether broken copies of its creation, where a law is about these, are refused as they should be."""
        bench, reconciliations = self.bench, self.bench.reconciliations
        for one, others in planned.seen_besides:
            if one.law.refused_first is None:
                continue
            rule, broken = one.law.refused_first(planned.batch, one.drawn)
            with self._noted(one, list(bench.story)) as notes:
                reconciliations.note_refused(reconciliation.place)
                refused = reconciliations.send_broken(reconciliation, broken)
                if refused.is_accepted:
                    reconciliations.stray(reconciliation)
                check_refused(rule=rule, exchange=refused, bench=bench)
                bench.saw(Side.REFUSED, refused)
            if not notes:
                return False
            others.extend(notes)
        return True

    def _send_beside(self, planned: Planned, reconciliation: OpenReconciliation) -> None:
        """Let it show what becomes of its orders once they are reconciled, where a law is about that."""
        fits = (one for one in self._reconciled if one.law.fits(planned.batch) and self._may_show(one, planned.batch))
        if planned.reconciled or (one := next(fits, None)) is None:
            return
        self._reconciled.remove(one)
        if one.law.is_the_one(planned.batch):
            self._shown_as_wanted.add(one.key)
        with self._noted(one, list(self.bench.story)):
            beside = one.law.beside(reconciliation)
            if beside is not None:
                planned.reconciled.append((one, beside))

    def _may_show(self, one: Example[ReconciledLaw], batch: Batch) -> bool:
        """Whether one of its law's examples is left, or was shown, for what is to be among them."""
        left = sum(other.key == one.key for other in self._reconciled)
        return left > 1 or one.key in self._shown_as_wanted or one.law.is_the_one(batch)

    # -- what has ended --------------------------------------------------------------------------------------------

    def _see_ends(self) -> None:
        """See that the last one at each place has ended: by opening one that shows something besides, or that other scenarios
        share, or else another."""
        bench, reconciliations = self.bench, self.bench.reconciliations
        for place, ending in tuple(self._ending.items()):
            if not ending.planned.needs_end or ending.reconciliation.ended:
                self._see_end(place, is_free=ending.reconciliation.ended or None)
            elif place == self._clean:  # what comes next may be refused
                self._look(place)
            else:
                self._show_another(place, ending)
        if self._ending:
            bench.together.try_ahead()
            bench.shelf.try_once()
        for place, ending in tuple(self._ending.items()):
            if reconciliations.newest_at(place) is ending.reconciliation:
                self._look(place)
            else:
                has_ended = ending.reconciliation.ended
                self._see_end(place, is_free=has_ended or place not in reconciliations.endless)

    def _show_another(self, place: Place, ending: Ending) -> None:
        """Open what shows a law of creations, if one is left that can be shown there, after what is ending."""
        planned = Planned(self.bench.reconciliations.plainest(place), ending.planned.example)
        self._besides.prepare(planned)
        if planned.seen_besides and (opened := self._opened(planned)) is not None:
            try:
                has_ended = ending.reconciliation.ended
                self._see_end(place, is_free=has_ended or place not in self.bench.reconciliations.endless)
            finally:
                self._release_plainly(planned, opened)

    def _look(self, place: Place) -> None:
        """See that the last one there has ended, by opening another for that alone."""
        looked = list[bool]()
        with self._noted(self._ending[place].planned.example):
            looked.append(self.bench.reconciliations.is_free(place))
        if looked:
            self._see_end(place, is_free=looked[0])

    def _release_plainly(self, planned: Planned, opened: OpenReconciliation) -> None:
        """Complete one that is no law's own; what its creation has shown is kept where that goes as it should."""
        reconciliations, shown = self.bench.reconciliations, list(planned.seen_besides)
        try:
            with self._noted(planned.example) as notes:
                if all(reconciliations.released(opened, order) for order in range(len(opened.batch.orders))):
                    notes.append(lambda: None)
        finally:
            reconciliations.finish(opened)
        received = reconciliations.notified(opened)
        done = received is not None and received.content["payload"].get("situation") == "CONCILIED"
        if notes and (done or not reconciliations.tells_ends(opened.place)):
            self._keep_besides(shown)

    def _see_end(self, place: Place, *, is_free: bool | None) -> None:
        """Keep what became of the one that was last there; `is_free` is None where nobody has looked. Where it did not end and no
        clock can be moved, nothing can be tried there again: what is seen now is all that its scenario will see."""
        ending = self._ending.pop(place)
        planned, reconciliation, went_well = ending.planned, ending.reconciliation, True
        reconciliation.ended = bool(is_free)
        if place == self._clean:
            self._clean = None
        for one in planned.examples:
            notes = Notes() if one is not planned.example else ending.notes
            went_well &= self._end_as_it_should(one, ending, notes, is_free=bool(is_free))
        if not went_well or is_free is False:
            return
        if is_free and not reconciliation.after_refusal:
            self._ends.seen.append(planned.batch)
        self._keep_besides(planned.seen_besides)
        if is_free and planned.reconciled:
            self._show_reconciled(ending)
        elif is_free:  # none of its orders was sent again since: what may become of these no document says
            self._ended[place] = reconciliation

    def _end_as_it_should(self, one: Example[Whole], ending: Ending, shown: Notes, *, is_free: bool) -> bool:
        """Whether it has ended as that law says, if it says anything; what is shown of it is kept."""
        bench, place, found = self.bench, ending.planned.batch.place, list[Violation]()
        if one.law.ended is None:
            self._keep(one, shown or [lambda: None])
            return True
        with self._noted(one, ending.story, for_itself=False) as notes:
            try:
                one.law.ended(ending.reconciliation, last_release(ending.story), is_free)
            except Violation as violation:
                violation.story = tuple(ending.story)
                found.append(violation)
                raise
        if found and place in bench.reconciliations.endless:
            if ending.reconciliation.after_refusal:
                self._ends.missed_after_refusal.append(ending)
                return False
            self._ends.missed = True
            if bench.session.control is None:
                self._kept[one.key].violation = self._kept[one.key].violation or found[0]
                return False
        self._keep(one, [*shown, *notes] if notes else notes)
        return bool(notes)

    def _blame_refused_releases(self) -> None:
        """What they keep from ending is no matter of the laws that it was to show: these are left to themselves."""
        ending = self._ends.missed_for_refused_ones()
        if ending is None:
            return
        self.bench.story[:] = ending.story
        expected = "the reconciliation to end with situation CONCILIED once all releases are in"
        last, context = last_release(ending.story), "releases were refused before"
        self.bench.observe("REL-18", expected, "it did not end", last, context)

    def _show_reconciled(self, ending: Ending) -> None:
        """What laws say of its orders, now that they are reconciled. What must be looked at later is put off at its scenario's
        turn."""
        for one, beside in ending.planned.reconciled:
            if one.law.when_others_ended:
                self._shown_last.append((one, beside, ending))
            else:
                self._show(one, beside, ending)

    def _show(self, one: Example[ReconciledLaw], beside: Beside, ending: Ending) -> None:
        bench, live = self.bench, self.bench.session.live
        with self._noted(one, ending.story) as notes:
            bench.trial = Trial()
            rest = bench.begun(one.law.reconciled(ending.reconciliation, beside))
            if rest is not None:
                if live is not None:  # until then other scenarios end, and their orders are deleted
                    live.spare()
                notes.append(partial(self._put_off, one.law.name, rest))
        self._keep(one, notes)

    def _put_off(self, law: str, deferred: Deferred) -> None:
        """Until then the running scenario has not decided it."""
        bench = self.bench
        bench.session.evidence.scenarios[bench.scenario].open_laws[name_within(bench, law)] = ""
        bench.put_off(law, deferred)

    def _keep_besides(self, shown: Sequence[tuple[Example[Any], Notes]]) -> None:
        for one, notes in shown:
            self._keep(one, notes)
