"""Whether a creation that was refused is active all the same: then nothing can be opened there any more."""

from __future__ import annotations

from conformance.contract.rules import Rule
from conformance.engine.bench import Bench
from conformance.errors import TargetUnavailable
from conformance.verdict.violation import Violation
from strategies.calls import creation_of


def check_nothing_stays_active(bench: Bench, rule: Rule) -> None:
    """Where a creation was refused and none is opened since, it may be active, or the one before may take so long: what is seen
    elsewhere does not tell. If that has ended, as its notification says, it is the refused one.

    Raises a violation, or TargetUnavailable where nobody knows."""
    reconciliations = bench.reconciliations
    for place in reconciliations.endless & reconciliations.refused_at:
        there = [one for one in reconciliations.ids.values() if one.place == place]
        beside = [one for one in reconciliations.endless if one != place and one.channel == place.channel]
        ends = len(there) > 1  # another was opened after one that was completed
        if ends and not beside and reconciliations.notified(there[-1]):
            bench.story.clear()
            again = reconciliations.begin(reconciliations.plain(place, 1))
            if not reconciliations.submit_orders(again):
                return
            asked = bench.send(creation_of(again.batch), again.values[0])
            if asked.is_accepted:  # it took so long
                reconciliations.opened(again, asked)
                reconciliations.finish(again)
                return
            violation = Violation(
                rule=rule.id,
                expected="a refused creation to leave nothing behind",
                actual=f"it answered {asked.status}, also after minutes",
                exchange=asked,
                context="the one before has ended, as its notification says, and the one after it was refused",
            )
            violation.story = tuple(bench.story)
            raise violation
        raise TargetUnavailable(
            f"since a creation was refused on account {place.account} none is opened there: it may be active"
        )
