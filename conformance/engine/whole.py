"""What a law says of whole reconciliations, from their opening to their end, and how it is proved by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule
from conformance.engine.bench import Bench
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.properties import prove
from conformance.target.wire.exchange import Exchange
from strategies.reconciliations import Batch

Meanwhile = Callable[[OpenReconciliation, int], None]
"""Given it open and how many of its orders are released, before each release. Raises a violation."""


def itself(example: Batch) -> Batch:
    """The batch of an example that is nothing else."""
    return example


@dataclass(frozen=True, slots=True)
class Whole:
    """A law of a scenario each of whose examples needs a reconciliation to itself, from its opening to its end."""

    rule: Rule
    name: str
    strategy: st.SearchStrategy[Any]
    go: Callable[[OpenReconciliation, Any, Meanwhile], bool]
    """Given it open, and its example: sends all its releases, the last one last, each after what is looked at meanwhile; whether
    they are in as they should be. Raises a violation."""
    examples: int
    ended: Callable[[OpenReconciliation, Exchange, bool], None] | None = None
    """Given the reconciliation, the answer to its last release and whether there is room for the next one: says what became of
    it. Raises a violation. None where the law says nothing of its end."""
    batch_of: Callable[[Any], Batch] = itself
    meanwhile: Meanwhile | None = None
    """What is looked at while it is open."""
    is_shown_by: Callable[[Batch], bool] | None = None
    """Whether a reconciliation that another law opens for that batch shows it, too; None where each needs its own."""
    fills_up: bool = False
    """Whether examples are opened only as far as other laws open fewer."""
    begun: Callable[[OpenReconciliation], None] | None = None
    """Given it before its orders are sent: says what its values are. Nothing else is to be shown by its creation then."""


def meanwhile_of(laws: Sequence[Whole]) -> Meanwhile:
    """What all of these look at."""

    def look(reconciliation: OpenReconciliation, released: int) -> None:
        for law in laws:
            if law.meanwhile is not None:
                law.meanwhile(reconciliation, released)

    return look


def last_release(story: Sequence[Exchange]) -> Exchange:
    """The last release that was accepted."""
    return [one for one in story if one.endpoint is Endpoint.SUBMIT_RELEASE and one.is_accepted][-1]


def prove_by_itself(bench: Bench, whole: Whole) -> None:
    """Prove it in reconciliations of its own; each is completed before the next is opened."""
    reconciliations = bench.reconciliations

    def law(example: Any) -> None:
        reconciliation = reconciliations.open_for(whole.batch_of(example))
        try:
            if not whole.go(reconciliation, example, meanwhile_of([whole])) or whole.ended is None:
                return
            last, story = last_release(bench.story), list(bench.story)
            is_free = bool(reconciliations.wait(reconciliation)) or reconciliations.is_free(reconciliation.place)
            reconciliation.ended = is_free
            bench.story[:] = story
            whole.ended(reconciliation, last, is_free)
        finally:
            reconciliations.finish(reconciliation)

    prove(bench, whole.name, whole.strategy, law, whole.examples)
