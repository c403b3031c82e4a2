"""In which order scenarios run on a live endpoint: first those of the rules on which others stand, then required ones, then
recommended ones; and within these so that no rate lies idle while another is waited for. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from conformance.contract.rules import Level, catalogue
from conformance.planning.costs import Stage, measured
from conformance.planning.timeline import RATES

STOOD_ON: Final = ("AUTH-01", "ORD-01", "QRY-01", "DEL-01", "REC-01", "REL-01")
"""The rules by which every other one is shown: where one of these fails, what a run spends on the rest may show nothing."""


def rank(rule: str) -> int:
    """How soon a rule's scenarios run: the lower, the sooner."""
    if rule in STOOD_ON:
        return 0
    known = catalogue().rules.get(rule)
    return 2 if known is not None and known.level is Level.RECOMMENDED else 1


def in_turn(rules: Sequence[str], costs: Sequence[Mapping[str, int]], *, paced: bool = True) -> list[int]:
    """The numbers of scenarios of these rules, with these requests by endpoint, in the order in which they are best run;
    where the target is not `paced`, those of one rank in the order in which they come."""
    ranks = [rank(rule) for rule in rules]
    turns: list[int] = []
    for wanted in sorted(set(ranks)):
        some = [number for number, found in enumerate(ranks) if found == wanted]
        best = _spread([costs[number] for number in some]) if paced else range(len(some))
        turns += [some[place] for place in best]
    return turns


def _spread(costs: Sequence[Mapping[str, int]]) -> list[int]:
    """The order that keeps every rate busy.

    Each scenario belongs to the endpoint whose rate it uses most, and every endpoint's are spread evenly over the run.
    """
    groups: defaultdict[str, list[int]] = defaultdict(list)
    shares = [_shares(requests) for requests in costs]
    for number, own in enumerate(shares):
        groups[max(own, key=own.__getitem__, default="")].append(number)
    places: dict[int, float] = {}
    for label, numbers in groups.items():
        whole = sum(shares[number].get(label, 0.0) for number in numbers) or 1.0
        done = 0.0
        for number in numbers:
            share = shares[number].get(label, 0.0)
            places[number] = (done + share / 2) / whole
            done += share
    return sorted(places, key=lambda number: (places[number], number))


def _shares(requests: Mapping[str, int]) -> dict[str, float]:
    """How many minutes of each endpoint's rate they take."""
    return {label: number / RATES[label] for label, number in requests.items() if number}


def stages_in_turn(stages: Sequence[Stage], *, paced: bool = True) -> list[Stage]:
    """The stages of a run on a live endpoint: what is outside of scenarios stays where it is."""
    scenarios = [place for place, stage in enumerate(stages) if stage.rule]
    some = [stages[place] for place in scenarios]
    turns = in_turn([stage.rule for stage in some], [stage.requests for stage in some], paced=paced)
    moved = {place: stages[scenarios[turn]] for place, turn in zip(scenarios, turns, strict=True)}
    return [moved.get(place, stage) for place, stage in enumerate(stages)]


def costs_of(profile: str, scenarios: Sequence[tuple[str, str]]) -> list[Mapping[str, int]]:
    """The measured requests of scenarios, each given by its rule and name; nothing for one that was not measured."""
    known = {(stage.rule, stage.name): stage.requests for stage in measured().get(profile, ())}
    return [known.get(scenario, {}) for scenario in scenarios]
