"""The proof as results of Allure: one for each mock, below a suite of its own in the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from conformance.proof.proof import Fate, Proof, Subject

PREFIX: Final = "proof-"
"""How the names of these results begin, so that a new proof takes the place of the last."""

PARENT: Final = "Proof of the suite"

_STATUS: Final = {
    Fate.CAUGHT: "passed", Fate.PASSED: "passed", Fate.MISSED: "failed", Fate.MISBLAMED: "failed",
    Fate.FALSE_ALARM: "failed", Fate.UNDECIDED: "broken", Fate.HELD_UP: "failed",
}  # fmt: skip


def write_results(proof: Proof, directory: Path) -> None:
    """Write the proof's results beside those of a certification. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob(f"{PREFIX}*"):
        old.unlink()
    start = int(proof.started_at.timestamp() * 1000)
    for subject in (proof.clean, *proof.defects, *proof.variants):
        start = _write(subject, proof, directory, start)


def _write(subject: Subject, proof: Proof, directory: Path, start: int) -> int:
    """One result; returns when the next one may seem to begin."""
    stop = start + max(1, int(subject.seconds * 1000))
    attachments = []
    if subject.counterexample:
        name = f"{PREFIX}{uuid4()}-attachment.txt"
        (directory / name).write_text(subject.counterexample, encoding="utf-8")
        attachments.append({"name": "counterexample", "source": name, "type": "text/plain"})
    fleet = "Defects" if subject.rules else "Variants"
    result: dict[str, Any] = {
        "uuid": str(uuid4()),
        "historyId": f"{PREFIX}{subject.name}",
        "fullName": f"{PARENT}: {subject.name}",
        "name": subject.name,
        "status": _STATUS[subject.verdict],
        "statusDetails": {"message": _message(subject)},
        "stage": "finished",
        "start": start,
        "stop": stop,
        "description": _description(subject, proof),
        "attachments": attachments,
        "parameters": [{"name": "verdict", "value": str(subject.verdict)}],
        "labels": [
            {"name": name, "value": value}
            for name, value in (
                ("parentSuite", PARENT),
                ("suite", fleet),
                ("subSuite", subject.family),
                ("epic", PARENT),
                ("feature", fleet),
                ("story", subject.family),
                *(("tag", rule) for rule in subject.blamed),
            )
        ],
    }
    path = directory / f"{PREFIX}{result['uuid']}-result.json"
    path.write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
    return stop


def _message(subject: Subject) -> str:
    if subject.is_as_it_should_be:
        return ""
    return "\n".join([f"{subject.verdict}: {subject.statement}", *_reasons(subject), subject.reason]).strip()


def _reasons(subject: Subject) -> list[str]:
    return [f"{rule}: {reason}" for rule, reason in subject.blamed.items()]


def _description(subject: Subject, proof: Proof) -> str:
    parts = [subject.statement]
    if subject.rules:
        parts.append(f"Rules that may be blamed: {', '.join(subject.rules)}.")
    if subject.blamed:
        parts.append("Blamed:\n\n" + "\n".join(f"- {reason}" for reason in _reasons(subject)))
    parts.append(
        f"{subject.scenarios} scenarios, {subject.requests} requests, {subject.client_errors} client errors; "
        f"profile {proof.profile}, seed {proof.seed}."
    )
    return "\n\n".join(parts)
