"""Whom to blame for a lawful release that was refused ahead of its scenario's turn, or when a reconciliation was to be completed,
and blocks its place for good: nothing can be tried there again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.refused_beside import blame_for_a_change
from conformance.engine.refused_release import likely_rule, proven_rule
from conformance.target.wire.exchange import Exchange
from strategies.scope import Place

if TYPE_CHECKING:
    from conformance.engine.reconciliation_calls import ReconciliationCalls
    from conformance.engine.reconciliations import Reconciliations


@dataclass(slots=True)
class SpoiledPlace:
    """Where the lawful release of an order was refused."""

    reconciliation: OpenReconciliation
    order: int
    refusal: Exchange
    story: tuple[Exchange, ...]
    rule: str | None = None
    """The one to blame, once that was looked for."""

    def tells_of(self, other: SpoiledPlace) -> bool:
        """Whether the other one is most likely to be blamed on the same rule: what is refused without refused ones before is
        refused after them too."""
        one, two = self.reconciliation, other.reconciliation
        if one.after_refusal != two.after_refusal:
            return two.after_refusal
        return (len(one.batch.orders) > 1) == (len(two.batch.orders) > 1)


def note_spoiled(
    reconciliations: ReconciliationCalls, reconciliation: OpenReconciliation, order: int, refusal: Exchange
) -> None:
    """Remember that a lawful release was refused where that is not told at once."""
    whole = reconciliation.within or reconciliation
    reconciliation.after_refusal = reconciliation.after_refusal or whole.after_refusal
    if not (reconciliation.doubtful or whole.doubtful):
        spoiled = SpoiledPlace(reconciliation, order, refusal, tuple(reconciliations.bench.story))
        reconciliations.spoiled_at.setdefault(reconciliation.place, spoiled)


def look_for_the_rule(reconciliations: Reconciliations, place: Place) -> None:
    """Find whom to blame for what was remembered of this place if it is blocked since, as long as another is free."""
    spoiled_at = reconciliations.spoiled_at
    spoiled = spoiled_at.get(place)
    if spoiled is None or spoiled.rule is not None:
        return
    if blame_for_a_change(reconciliations, spoiled.reconciliation):
        spoiled.rule = "REC-09"
    elif _stays_blocked(reconciliations, place):
        known = (one.rule for one in spoiled_at.values() if one.rule is not None and one.tells_of(spoiled))
        spoiled.rule = next(known, None) or proven_rule(reconciliations, spoiled.reconciliation, spoiled.order)


def blame_for_spoiled_places(reconciliations: Reconciliations) -> None:
    """Note what was found out of places that are blocked. Where one was freed its scenario tries the same again, and sees by
    itself whom to blame."""
    bench = reconciliations.bench
    if not reconciliations.spoiled_at:
        return
    reconciliations.look_again()
    spoiled_at = dict(reconciliations.spoiled_at)
    for place in sorted(spoiled_at, key=lambda place: spoiled_at[place].reconciliation.after_refusal):
        look_for_the_rule(reconciliations, place)
    reconciliations.spoiled_at.clear()  # with what was tried just now to find it out
    blocked = [one for place, one in spoiled_at.items() if _stays_blocked(reconciliations, place)]
    if blocked and not any(one.rule for one in blocked):
        blocked[0].rule = _likely(reconciliations, blocked[0])
    story = list(bench.story)
    for one in blocked:
        if one.rule is not None and one.rule not in bench.session.evidence.observed:
            bench.story[:] = one.story
            context = "releases were refused before" if one.rule == "REL-18" else ""
            actual = f"it answered {one.refusal.status}"
            bench.observe(one.rule, "the release to be accepted", actual, one.refusal, context)
    bench.story[:] = story


def _likely(reconciliations: Reconciliations, spoiled: SpoiledPlace) -> str | None:
    """Whom to blame where no place was free for a proof: refused releases only if one of as many orders went well without."""
    reconciliation = spoiled.reconciliation
    if not reconciliation.after_refusal:
        return likely_rule(reconciliations, reconciliation, spoiled.order)
    orders = len(reconciliation.batch.orders)
    like = [one for one in reconciliations.ids.values() if len(one.batch.orders) >= orders and not one.after_refusal]
    return "REL-18" if any(one.is_complete and not one.spoiled for one in like) else None


def _stays_blocked(reconciliations: Reconciliations, place: Place) -> bool:
    return place in reconciliations.blocked and reconciliations.bench.session.control is None
