"""The baseline's results as values, and side by side with this suite's own as a markdown table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final, NamedTuple

import click

from conformance.mock.defects import DEFECTS
from conformance.mock.variants import VARIANTS

CLEAN: Final = "clean"
PROOF_SCHEMA: Final = "koncili-conformance/proof/1"
REMEDY: Final = "make prove ARGS=--whole"
BEGIN: Final = "<!-- baseline: written by make baseline -->"
END: Final = "<!-- baseline: end -->"
UNKNOWN: Final = "?"


class Failure(NamedTuple):
    """What makes two reported failures the same."""

    check: str
    operation: str
    message: str

    def __str__(self) -> str:
        return f"{self.check}, {self.operation}: {self.message}"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of Schemathesis against the mock with one defect or variant, or the clean one."""

    name: str
    setting: str
    requests: int
    client_errors: int
    seconds: float
    failures: list[Failure]

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Run:
        """Raises ValueError where the row is of another shape."""
        try:
            return cls(**{**row, "failures": [Failure(*failure) for failure in row["failures"]]})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the result of a run: {error}") from None

    def beyond(self, clean: Run) -> list[Failure]:
        """What is not reported of the clean mock too."""
        return [failure for failure in self.failures if failure not in clean.failures]


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the two found and spent; None where it is not known."""

    defects: dict[str, bool]
    """By name, whether it was caught."""
    condemned_variants: int | None
    variants: int
    false_alarms: str
    clean: tuple[int, int, float]
    """Requests, client errors and seconds of the run with the clean mock."""
    figures: list[tuple[int, int, float]]
    """The same of every run with a defect; this suite's ends at the first rightly blamed failure, unless proved whole."""


def load_proof(path: Path) -> dict[str, Any] | None:
    """What this suite caught, if it is there. Raises ClickException where the file is of another kind."""
    if not path.exists():
        return None
    proof: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if proof.get("schema") != PROOF_SCHEMA:
        raise click.ClickException(f"{path}: not a {PROOF_SCHEMA}; make it anew with `{REMEDY}`")
    return proof


def table(runs: Mapping[str, Run], proof: Mapping[str, Any] | None, path: Path) -> str:
    """The comparison in markdown."""
    theirs = _theirs(runs)
    if proof:  # what only one of the two was given can't be compared
        proof = {
            **proof,
            **{kind: [row for row in proof[kind] if row["name"] in runs] for kind in ("defects", "variants")},
        }
    ours = _ours(proof) if proof else None
    given = len(theirs.defects.keys() & (ours or theirs).defects.keys())
    lines = [f"Of {len(DEFECTS)} defects {given} were given to both.", "", *_side_by_side(ours, theirs), ""]
    if ours is None or proof is None:
        lines += [
            f"What this suite catches is not known: {path} is missing. `{REMEDY}` makes it; then start this again.",
            "",
        ]
    else:
        lines += [*_by_family(proof, ours, theirs), "", *_only_theirs(ours, theirs), ""]
    return "\n".join([*lines, *_caught_list(runs), "", *_alarms(runs)])


def write(readme: Path, text: str) -> None:
    """Put the text between the two marker comments. Raises ClickException where they are missing."""
    before, begin, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise click.ClickException(
            f"{readme}: the comments {BEGIN} and {END} are missing; put them where the table goes"
        )
    readme.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


# -- the two sides -------------------------------------------------------------------------------------------------


def _theirs(runs: Mapping[str, Run]) -> Side:
    clean = runs[CLEAN]
    defects = [run for name, run in runs.items() if name in DEFECTS]
    variants = [run for name, run in runs.items() if name in VARIANTS]
    return Side(
        defects={run.name: bool(run.beyond(clean)) for run in defects},
        condemned_variants=sum(bool(run.failures) for run in variants),
        variants=len(variants),
        false_alarms=str(len(clean.failures)),
        clean=(clean.requests, clean.client_errors, clean.seconds),
        figures=[(run.requests, run.client_errors, run.seconds) for run in defects],
    )


def _ours(proof: Mapping[str, Any]) -> Side:
    defects, variants = proof["defects"], proof.get("variants", [])
    return Side(
        defects={row["name"]: row["verdict"] == "caught" for row in defects},
        condemned_variants=sum(row["verdict"] != "passed" for row in variants),
        variants=len(variants),
        false_alarms="0" if proof["clean"]["verdict"] == "passed" else proof["clean"]["verdict"],
        clean=(proof["clean"]["requests"], proof["clean"]["clientErrors"], proof["clean"]["seconds"]),
        figures=[(row["requests"], row["clientErrors"], row["seconds"]) for row in defects],
    )


# -- the parts of the text -----------------------------------------------------------------------------------------


def _side_by_side(ours: Side | None, theirs: Side) -> list[str]:
    rows = zip(_column(ours), _column(theirs), strict=True)
    lines = [f"| {title} | {left} | {right} |" for (title, left), (_, right) in rows]
    return ["| | this suite | Schemathesis |", "|---|---|---|", *lines]


def _column(side: Side | None) -> list[tuple[str, str]]:
    def mean(position: int, digits: int = 0) -> str:
        values = [figures[position] for figures in side.figures] if side else []
        return f"{fmean(values):,.{digits}f}" if values else UNKNOWN

    caught = f"{sum(side.defects.values())} of {len(side.defects)}" if side else UNKNOWN
    condemned = f"{side.condemned_variants} of {side.variants}" if side and side.variants else UNKNOWN
    return [
        ("defects caught", caught),
        ("false alarms on the clean mock", side.false_alarms if side else UNKNOWN),
        ("lawful variants condemned", condemned),
        ("requests, clean mock", f"{side.clean[0]:,}" if side else UNKNOWN),
        ("client errors (4xx), clean mock", f"{side.clean[1]:,}" if side else UNKNOWN),
        ("seconds, clean mock", f"{side.clean[2]:.1f}" if side else UNKNOWN),
        ("requests a defect, mean", mean(0)),
        ("client errors (4xx) a defect, mean", mean(1)),
        ("seconds a defect, mean", mean(2, 1)),
        ("seconds, all defects", f"{sum(figures[2] for figures in side.figures):,.0f}" if side else UNKNOWN),
    ]


def _by_family(proof: Mapping[str, Any], ours: Side, theirs: Side) -> list[str]:
    family = {row["name"]: row["family"] for row in proof["defects"] if row.get("family")}
    if not family:
        return ["The proof names no families."]
    of = Counter(family.values())
    caught = [
        Counter(family[name] for name, yes in side.defects.items() if yes and name in family) for side in (ours, theirs)
    ]
    lines = [f"| {name} | {count} | {caught[0][name]} | {caught[1][name]} |" for name, count in of.items()]
    return ["| family of defects | there are | this suite | Schemathesis |", "|---|---|---|---|", *lines]


def _only_theirs(ours: Side, theirs: Side) -> list[str]:
    names = [name for name, caught in theirs.defects.items() if caught and not ours.defects.get(name, True)]
    unproven = [name for name in theirs.defects if name not in ours.defects]
    lines = [f"Caught by Schemathesis and not by this suite: {_listed(names) or 'none'}."]
    return [*lines, f"Not in the proof, so not compared: {_listed(unproven)}."] if unproven else lines


def _caught_list(runs: Mapping[str, Run]) -> list[str]:
    caught = [name for name, yes in _theirs(runs).defects.items() if yes]
    return [f"Caught by Schemathesis: {_listed(caught) or 'none'}."]


def _alarms(runs: Mapping[str, Run]) -> list[str]:
    """What Schemathesis reports of mocks that do nothing wrong."""
    lawful = [run for name, run in runs.items() if run.failures and (name == CLEAN or name in VARIANTS)]
    if not lawful:
        return ["Of mocks that do nothing wrong it reports nothing."]
    return [
        "It reports of mocks that do nothing wrong:",
        "",
        *(f"- {run.name}: {_listed(run.failures)}" for run in lawful),
    ]


def _listed(names: Sequence[object]) -> str:
    return ", ".join(f"`{name}`" for name in names)
