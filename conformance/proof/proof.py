"""What a proof says: of each mock that was certified what became of it, and whether both ratios are whole. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from conformance.verdict.certificate import Suite

SCHEMA: Final = "koncili-conformance/proof/1"

Count = Annotated[int, Field(ge=0)]


class Fate(StrEnum):
    """What became of one mock."""

    CAUGHT = "caught"
    """A defect, and one of the rules that may be blamed was, and no other."""
    MISSED = "missed"
    """A defect that was not blamed on anything."""
    MISBLAMED = "misblamed"
    """A defect for which a rule was blamed that it does not break."""
    PASSED = "passed"
    """A variant, or the plain mock, and the verdict was conformant."""
    FALSE_ALARM = "false-alarm"
    """A variant of which a rule failed."""
    UNDECIDED = "undecided"
    """A variant of which a rule neither passed nor failed, or a run that came to no end or in which the suite broke down."""
    HELD_UP = "held-up"
    """A mock for which the run sent too many times as much as for the plain one."""


AS_IT_SHOULD_BE: Final = frozenset({Fate.CAUGHT, Fate.PASSED})


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Subject(_Part):
    """One mock, and how its certification ended."""

    name: str
    family: str
    statement: str
    rules: tuple[str, ...] = ()
    """For a defect: those that may be blamed."""
    verdict: Fate
    blamed: dict[str, str] = Field(default_factory=dict)
    """Every rule that failed, with the reason."""
    reason: str = ""
    """Why it is undecided."""
    beside: tuple[str, ...] = ()
    """The other variants that the mock was at once, whose figures these are as well."""
    counterexample: str = ""
    """The curl lines of the first failure."""
    scenarios: Count
    """How many were run, until it was clear."""
    requests: Count
    client_errors: Count
    seconds: Annotated[float, Field(ge=0)]

    @property
    def is_as_it_should_be(self) -> bool:
        """Whether the suite said the right thing."""
        return self.verdict in AS_IT_SHOULD_BE


class Ratio(_Part):
    """How many of how many."""

    right: Count
    of: Count

    @property
    def is_whole(self) -> bool:
        """Whether there was any, and all were right."""
        return self.right == self.of > 0

    def __str__(self) -> str:
        return f"{self.right}/{self.of}"


class Proof(_Part):
    """The proof as `proof.json` holds it."""

    schema_: Annotated[Literal["koncili-conformance/proof/1"], Field(alias="schema")] = SCHEMA
    verdict: Literal["whole", "not-whole", "partial"]
    """`partial`: what was run is as it should be, and not all was."""
    suite: Suite
    profile: str
    seed: int
    mode: Literal["first-blame", "whole"]
    """Whether a defect's run stopped at the first rule that was rightly blamed."""
    together: bool = False
    """Whether variants that have nothing to do with each other shared mocks, as far as these passed."""
    selected: str | None = None
    """What a name had to contain."""
    interrupted: bool = False
    started_at: AwareDatetime
    finished_at: AwareDatetime
    seconds: Annotated[float, Field(ge=0)]
    sensitivity: Ratio
    specificity: Ratio
    clean: Subject
    defects: tuple[Subject, ...]
    variants: tuple[Subject, ...]

    def to_json(self) -> str:
        """The proof as JSON text."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False) + "\n"


def ratio(subjects: Sequence[Subject], of: int) -> Ratio:
    """How many of so many subjects are as they should be."""
    return Ratio(right=sum(subject.is_as_it_should_be for subject in subjects), of=of)


TIMES_AT_MOST: Final = 3
"""How many times as many requests as to the plain mock a run may send, whatever is wrong with its target. (How long it waits says
nothing here: the mock's clock is moved, and costs nobody time.)"""


def held_up(subject: Subject, clean: Subject) -> Subject:
    """The subject, its verdict another where its run went on and on."""
    if subject.requests <= TIMES_AT_MOST * clean.requests:
        return subject
    reason = f"{subject.requests:,} requests, {TIMES_AT_MOST} times {clean.requests:,} at most"
    return subject.model_copy(
        update={"verdict": Fate.HELD_UP, "reason": "; ".join(filter(None, [reason, subject.reason]))}
    )


def fate_of_defect(blamed: Mapping[str, str], rules: frozenset[str]) -> Fate:
    """What the rules that failed make of a defect that may be blamed on these."""
    if blamed.keys() - rules:
        return Fate.MISBLAMED
    return Fate.CAUGHT if blamed else Fate.MISSED


def judge_proof(*, clean: Subject, sensitivity: Ratio, specificity: Ratio, everything: bool) -> str:
    """The verdict: nothing run, nothing proved."""
    ran = [part for part in (sensitivity, specificity) if part.of]
    if not clean.is_as_it_should_be or not ran or not all(part.is_whole for part in ran):
        return "not-whole"
    return "whole" if everything else "partial"
