"""Which scenarios a smoke test runs where client errors are counted: as many rules as they buy, each once. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from conformance.i18n.messages import mark
from conformance.planning.costs import Stage, client_errors_of, measured
from conformance.planning.turns import STOOD_ON, rank

SMOKE: Final = "smoke"

CLIENT_ERRORS: Final = 60
"""How many a smoke test spends at most on a server that does as documented: with a certification after it, an hour's worth."""

WITHOUT_CALLBACK: Final = 16
"""How many of these are kept where no notification tells when a reconciliation is finished: opening the next one does, and may
be refused."""

LEFT_OUT: Final = mark(f"a smoke test spends at most {CLIENT_ERRORS} client errors: the certification does this")
"""Why a scenario is not exercised that did not fit."""


LAWS: Final = (
    "DEL-01",
    "DEL-03",
    "DEL-04",
    "DEL-05",
    "DEL-06",
    "CON-",
    "ERR-",
    "WFL-",
    "AUTH-05",
    "AUTH-07",
    "ORD-16",
    "ORD-17",
    "QRY-01",
    "QRY-04",
    "QRY-05",
    "REC-06",
    "REC-09",
    "REL-01",
    "REL-11",
    "REL-12",
    "REL-13",
    "REL-18",
)
"""Rules whose client errors are those of laws over several calls, and not of kinds of faults."""


def left_out(scenarios: Collection[tuple[str, str]], shards: int = 1, spare: int = 0) -> frozenset[tuple[str, str]]:
    """Of these scenarios, by rule and name, those that a smoke test has no client errors for; `shards` share them, and `spare`
    of them are kept. What was never measured is not left out."""
    table = measured()[SMOKE]
    some = [stage for stage in table if (stage.rule, stage.name) in scenarios]
    around = [stage for stage in table if not stage.rule]
    kept = {
        (stage.rule, stage.name)
        for stage in _affordable(some, (CLIENT_ERRORS - spare) // shards - client_errors_of(around))
    }
    return frozenset((stage.rule, stage.name) for stage in some if (stage.rule, stage.name) not in kept)


def affordable(stages: Sequence[Stage], spare: int = 0) -> list[Stage]:
    """Of the stages of a smoke test those that it runs, what is outside of all scenarios among them."""
    left = left_out({(stage.rule, stage.name) for stage in stages if stage.rule}, spare=spare)
    return [stage for stage in stages if (stage.rule, stage.name) not in left]


def tries_kinds(stage: Stage) -> bool:
    """Whether the scenario's client errors are those of kinds of faults, and not of a law over several calls."""
    return bool(stage.rule) and not stage.rule.startswith(LAWS)


def _affordable(scenarios: Sequence[Stage], client_errors: int) -> list[Stage]:
    """The cheapest of each rule first, and before all what others stand on; then what else there is room for."""
    kept, left = list[Stage](), client_errors
    cheapest = _cheapest(scenarios)
    others = [stage for stage in scenarios if stage is not cheapest[stage.rule]]
    for stage in [*sorted(cheapest.values(), key=_need), *sorted(others, key=_worth)]:
        if stage.client_errors <= left:
            kept.append(stage)
            left -= stage.client_errors
    return kept


def _cheapest(scenarios: Iterable[Stage]) -> dict[str, Stage]:
    """By rule the first of those that cost least."""
    cheapest: dict[str, Stage] = {}
    for stage in scenarios:
        if stage.client_errors < cheapest.setdefault(stage.rule, stage).client_errors:
            cheapest[stage.rule] = stage
    return cheapest


def _need(stage: Stage) -> tuple[bool, int, int]:
    return stage.rule not in STOOD_ON, *_worth(stage)


def _worth(stage: Stage) -> tuple[int, int]:
    return stage.client_errors, rank(stage.rule)
