"""Scenarios that are tried in succession, run by themselves: by rule, and what each opens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from conformance.contract.rules import catalogue
from conformance.engine.bench import Bench
from conformance.engine.creation_laws import CREATION_LAWS
from conformance.engine.printed_laws import PRINTED_LAWS
from conformance.engine.reconciled_laws import RECONCILED_LAWS
from conformance.engine.succession import Laws, prove_whole
from conformance.engine.whole_release_laws import WHOLE_RELEASE_LAWS, beyond_the_count, no_trace
from conformance.engine.workflow_laws import ends_reconciled, stays_active
from conformance.run.session import Options, open_session
from conformance.verdict.evidence import Outcome
from conformance.verdict.violation import Violation

WHOLE: Final[Mapping[str, Laws]] = {
    "WFL-01": partial(ends_reconciled, (1, 1)),
    "WFL-02": partial(ends_reconciled, (2, 4)),
    "WFL-03": partial(stays_active, (2, 3)),
    "REL-12": beyond_the_count,
    "REL-18": no_trace,
}
"""By rule, and each is a scenario."""

CREATIONS: Final = {
    "REC-01": "every creation is accepted with 201 and an integer id",
    "REC-06": "while it is active a second one is refused with 4xx, and accepted after",
    "REC-09": "a creation that is refused leaves its period free",
    "REC-10": "while it is active another account can have one of the same period",
    "REC-11": "one that begins or ends where it ends or begins is answered as the reading says",
    "REC-12": "whatever totalNetValue the reading allows, it is accepted and completes",
}
"""By rule, the laws of creations that any reconciliation shows."""

PRINTED: Final = {
    "REL-03": "the release is refused with 4xx as printed, and accepted with its date mended",
    "WFL-01 as printed": "with the date mended it ends reconciled, and the order can't be deleted",
}
"""The scenarios of what S2 prints, by their names here."""

RECONCILED: Final = {
    "DEL-04": "its deletion is refused with 4xx, and it stays as it was sent",
    "REL-11": "after it another of the same order in a later reconciliation is refused with 4xx",
    "REL-03 dated elsewhere": (
        "in a later reconciliation one that is dated within the period of an earlier one is refused with 4xx"
    ),
}
"""By rule, the laws of orders that are reconciled."""

RELEASED_TWICE: Final = "REL-11 in the same"

LAWS: Final[Mapping[str, Laws]] = {
    **WHOLE,
    RELEASED_TWICE: WHOLE_RELEASE_LAWS[
        "after it another of the same order in the same reconciliation is refused with 4xx"
    ],
    **{rule: CREATION_LAWS[then] for rule, then in CREATIONS.items()},
    **{rule: RECONCILED_LAWS[then] for rule, then in RECONCILED.items()},
    **{name: PRINTED_LAWS[then] for name, then in PRINTED.items()},
}


@contextmanager
def bench_for(*rules: str, together: bool = True, **options: Any) -> Iterator[Bench]:
    session = open_session(Options(**options))
    try:
        laws = {rule: (catalogue()[rule.split()[0]], LAWS[rule]) for rule in rules}
        bench = Bench(session, whole_laws=laws if together else {})
        for rule in {*rules, "REC-01"}:
            session.evidence.expect(rule, rule.split()[0], rule)
        yield bench
    finally:
        session.close()


def run(bench: Bench, rule: str) -> str:
    """Run one scenario; the rule that it sees broken, if it sees one."""
    session, broken = bench.session, ""
    bench.scenario = rule
    before = session.spent_on_rules
    try:
        prove_whole(bench, catalogue()[rule], WHOLE[rule])
    except Violation as violation:
        broken = violation.rule if violation.story else "a violation without its story"
    session.evidence.scenarios[rule].took(session.spent_on_rules - before)
    session.evidence.finish(rule, Outcome.FAILED if broken else Outcome.PASSED)
    return broken
