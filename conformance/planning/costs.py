"""What each scenario costs, as measured (costs.json, written by `make costs`): the data that runs are planned from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from conformance.contract.endpoints import Endpoint

COSTS_FILE: Final = Path(__file__).with_name("costs.json")

PREFLIGHT, PROBING, CLEARING = "preflight", "probing", "clearing away"
"""The stages outside of all scenarios: asking for a token and the accounts, finding out the readings that the target file
leaves out, deleting what was sent."""


COMPLETE: Final = "complete"
"""What a certification of every kind of fault is called in the table, beside the profiles."""

RUNS: Final = ("smoke", "certification", COMPLETE, "deep")
"""All that is planned, the smallest first."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a run, with what it takes on a server that does as documented: a scenario, or what is around them."""

    rule: str
    """The scenario's; "" for what is outside of all scenarios."""
    name: str
    requests: Mapping[str, int]
    """By the label of the endpoint: `POST /order`, or `other`."""
    client_errors: int
    reconciliations: int = 0
    """How many it opens."""

    @property
    def size(self) -> int:
        """All its requests."""
        return sum(self.requests.values())


def requests_of(stages: Iterable[Stage]) -> Counter[str]:
    """The requests of several stages, by endpoint."""
    whole: Counter[str] = Counter()
    for stage in stages:
        whole.update(stage.requests)
    return whole


def client_errors_of(stages: Iterable[Stage]) -> int:
    """The client errors of several stages."""
    return sum(stage.client_errors for stage in stages)


@cache
def measured(file: Path = COSTS_FILE) -> Mapping[str, tuple[Stage, ...]]:
    """By profile the stages of a certification of all rules, in the order in which they run."""
    table = json.loads(file.read_text(encoding="utf-8"))
    return MappingProxyType({profile: tuple(map(_stage, rows)) for profile, rows in table.items()})


def _stage(row: Mapping[str, Any]) -> Stage:
    return Stage(
        row["rule"], row["name"], MappingProxyType(row["requests"]), row["clientErrors"], row.get("reconciliations", 0)
    )


def stages_of(profile: str, rules: Collection[str], *, probing: bool) -> list[Stage]:
    """The stages of a run of these rules; without `probing` every reading is known. Of clearing away it is the part that the
    rules' orders are of all."""
    everything = measured()[profile]
    around = {PREFLIGHT, CLEARING, *([PROBING] if probing else [])}
    stages = [stage for stage in everything if (stage.rule in rules if stage.rule else stage.name in around)]
    orders, all_orders = (requests_of(some)[Endpoint.SUBMIT_ORDER.label] for some in (stages, everything))
    return [_part(stage, orders, all_orders) if stage.name == CLEARING else stage for stage in stages]


def _part(stage: Stage, part: int, whole: int) -> Stage:
    """That part of a stage, rounded up."""
    requests = {label: -(-number * part // whole) for label, number in stage.requests.items()}
    return replace(stage, requests=requests, client_errors=-(-stage.client_errors * part // whole))


def as_json(table: Mapping[str, Iterable[Stage]]) -> str:
    """The table as it is kept: a line for each stage, so that a change of one scenario is a change of one line."""
    profiles = []
    for profile, stages in table.items():
        rows = ",\n".join(f"    {json.dumps(_row(stage), ensure_ascii=False)}" for stage in stages)
        profiles.append(f"  {json.dumps(profile)}: [\n{rows}\n  ]")
    return "{\n" + ",\n".join(profiles) + "\n}\n"


def _row(stage: Stage) -> dict[str, Any]:
    requests = dict(sorted(stage.requests.items()))
    opened = {"reconciliations": stage.reconciliations} if stage.reconciliations else {}
    return {"rule": stage.rule, "name": stage.name, "requests": requests, "clientErrors": stage.client_errors, **opened}
