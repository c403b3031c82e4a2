"""What each scenario costs, as measured (costs.json, written by `make costs`): the data that runs are planned from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

COSTS_FILE: Final = Path(__file__).with_name("costs.json")

PREFLIGHT, PROBING, CLEARING = "preflight", "probing", "clearing away"
"""The stages outside of all scenarios: asking for a token, finding out the readings that the target file leaves out, deleting
what was sent."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a run, with what it takes on a server that does as documented: a scenario, or what is around them."""

    rule: str
    """The scenario's; "" for what is outside of all scenarios."""
    name: str
    requests: Mapping[str, int]
    """By the label of the endpoint: `POST /order`, or `other`."""
    client_errors: int

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
    return Stage(row["rule"], row["name"], MappingProxyType(row["requests"]), row["clientErrors"])


def as_json(table: Mapping[str, Iterable[Stage]]) -> str:
    """The table as it is kept: a line for each stage, so that a change of one scenario is a change of one line."""
    profiles = []
    for profile, stages in table.items():
        rows = ",\n".join(f"    {json.dumps(_row(stage), ensure_ascii=False)}" for stage in stages)
        profiles.append(f"  {json.dumps(profile)}: [\n{rows}\n  ]")
    return "{\n" + ",\n".join(profiles) + "\n}\n"


def _row(stage: Stage) -> dict[str, Any]:
    requests = dict(sorted(stage.requests.items()))
    return {"rule": stage.rule, "name": stage.name, "requests": requests, "clientErrors": stage.client_errors}
