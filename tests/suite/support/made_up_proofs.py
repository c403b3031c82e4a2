"""Proofs in which nothing was run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from conformance.proof.proof import Fate, Proof, Subject, judge_proof, ratio
from conformance.verdict.certificate import Suite


def subject(name: str = "the plain mock", verdict: Fate = Fate.PASSED, **changes: Any) -> Subject:
    """What became of one mock."""
    figures: dict[str, Any] = {"scenarios": 3, "requests": 40, "client_errors": 5, "seconds": 0.25}
    return Subject(
        name=name, verdict=verdict, **{"family": "plain", "statement": f"Does {name}.", **figures, **changes}
    )


def defect(name: str, verdict: Fate = Fate.CAUGHT, **changes: Any) -> Subject:
    """A defect that may be blamed on ORD-04, and is where it was caught."""
    blamed = {Fate.CAUGHT: {"ORD-04": "accepted"}, Fate.MISBLAMED: {"ORD-01": "refused"}}.get(verdict, {})
    return subject(name, verdict, **{"family": "enforced in part", "rules": ("ORD-04",), "blamed": blamed, **changes})


def variant(name: str, verdict: Fate = Fate.PASSED, **changes: Any) -> Subject:
    """A variant; a rule was blamed for it where it was a false alarm."""
    blamed = {"QRY-01": "shown otherwise"} if verdict is Fate.FALSE_ALARM else {}
    return subject(name, verdict, **{"family": "variant", "blamed": blamed, **changes})


def proof(*subjects: Subject, clean: Subject | None = None, **changes: Any) -> Proof:
    """A proof in which these were run."""
    defects = tuple(one for one in subjects if one.rules)
    variants = tuple(one for one in subjects if not one.rules)
    sensitivity, specificity = ratio(defects, len(defects)), ratio(variants, len(variants))
    judged = judge_proof(
        clean=clean or subject(), sensitivity=sensitivity, specificity=specificity, everything="selected" not in changes
    )
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    given: dict[str, Any] = {
        "verdict": judged, "suite": Suite(version="1", commit=None), "profile": "certification", "seed": 4711,
        "mode": "first-blame", "started_at": now, "finished_at": now, "seconds": 7, "sensitivity": sensitivity,
        "specificity": specificity, "clean": clean or subject(), "defects": defects, "variants": variants,
    }  # fmt: skip
    return Proof(**{**given, **changes})


MIXED: Final = proof(
    defect("ord-04-caught"),
    defect("ord-04-missed", Fate.MISSED, reason="ORD-04 some scenario: nobody answered"),
    defect("ord-04-elsewhere", Fate.MISBLAMED, family="storing"),
    variant("same"),
    variant("odd", Fate.FALSE_ALARM),
    variant("stuck", Fate.UNDECIDED, reason="it came to no end within 180 s"),
)
