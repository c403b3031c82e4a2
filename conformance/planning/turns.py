"""In which order scenarios run at the documented pace: so that no rate lies idle while another is waited for. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from conformance.planning.costs import Stage, measured
from conformance.planning.course import RATES


def in_turn(costs: Sequence[Mapping[str, int]]) -> list[int]:
    """The numbers of scenarios with these requests by endpoint, in the order in which they are best run.

    Each belongs to the endpoint whose rate it uses most, and every endpoint's scenarios are spread evenly over the run.
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


def stages_in_turn(stages: Sequence[Stage]) -> list[Stage]:
    """The stages of a run at the documented pace: what is outside of scenarios stays where it is."""
    scenarios = [place for place, stage in enumerate(stages) if stage.rule]
    turns = in_turn([stages[place].requests for place in scenarios])
    moved = {place: stages[scenarios[turn]] for place, turn in zip(scenarios, turns, strict=True)}
    return [moved.get(place, stage) for place, stage in enumerate(stages)]


def costs_of(profile: str, scenarios: Sequence[tuple[str, str]]) -> list[Mapping[str, int]]:
    """The measured requests of scenarios, each given by its rule and name; nothing for one that was not measured."""
    known = {(stage.rule, stage.name): stage.requests for stage in measured()[profile]}
    return [known.get(scenario, {}) for scenario in scenarios]
