"""What a run tells the CI system that it runs in: GitHub's job summary and annotations. GitLab and Jenkins read junit.xml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from conformance.contract.rules import Level
from conformance.escaping import visible
from conformance.report.summary import markdown
from conformance.verdict.certificate import Certificate, RuleEntry
from conformance.verdict.verdicts import RuleVerdict

MOST_SUMMARY_BYTES: Final = 1024 * 1024
"""What GitHub takes of the job summary of one step; of a longer one it shows nothing."""

MOST_ANNOTATIONS: Final = 10
"""What GitHub shows of each kind of annotation of one step."""

MOST_SHOWN: Final = 1500
"""How many characters of a reason an annotation tells; the summary has the rest."""

CHECKOUT: Final = Path(__file__).parents[2]
"""Where features/ lies in a checkout. Beside an installed suite there is none."""

_TAGS = re.compile(r"\s*@[^#]*")
_FENCE = re.compile(r"(`{3,})[^`]*")


class Place(NamedTuple):
    """Where a rule's scenario stands: the path from the root of the workspace, and the line of its tag."""

    file: str
    line: int


def tell_ci(certificate: Certificate, environment: Mapping[str, str], checkout: Path = CHECKOUT) -> list[str]:
    """Add the summary to GitHub's job summary; what to print besides.

    Inputs: the certificate; the environment's variables; where the suite is checked out. Output: lines for standard
    output, none where GITHUB_STEP_SUMMARY and GITHUB_ACTIONS are not set. What cannot be written is told in a line and
    changes nothing else.
    """
    lines = []
    if environment.get("GITHUB_STEP_SUMMARY"):
        lines += _add_summary(Path(environment["GITHUB_STEP_SUMMARY"]), markdown(certificate))
    if environment.get("GITHUB_ACTIONS") == "true":
        workspace = Path(environment.get("GITHUB_WORKSPACE") or ".")
        lines += annotate(certificate, scenario_places(checkout, workspace))
    return lines


# -- the job summary -----------------------------------------------------------------------------------------------


def _add_summary(path: Path, text: str) -> list[str]:
    try:
        there = path.stat().st_size if path.exists() else 0
        with path.open("ab") as stream:
            stream.write(cut(text, MOST_SUMMARY_BYTES - there).encode(errors="replace"))
    except OSError as error:
        return [f"no job summary: {path} cannot be written: {error.strerror or error}"]
    return []


def cut(text: str, most: int) -> str:
    """Markdown of at most so many bytes: whole lines, an open code block closed, and a note that something is missing.

    Nothing where not even the note fits.
    """
    if _size(text) <= most:
        return text
    note = "\n**Cut here: GitHub takes no more of it. `summary.md` among the reports is whole.**\n"
    kept: list[str] = []
    room, fence = most - _size(note), ""
    for line in text.split("\n"):
        after = _fence_after(line, fence)
        room -= _size(line) + 1
        if room < _size(after) + 1:
            break
        kept.append(line)
        fence = after
    closed = [*kept, fence] if fence else kept
    return "\n".join([*closed, note]) if kept else ""


def _fence_after(line: str, fence: str) -> str:
    """The fence of the code block that is open after a line; empty where none is."""
    if fence:
        return "" if line == fence else fence
    opened = _FENCE.fullmatch(line)
    return opened[1] if opened else ""


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))


# -- annotations ---------------------------------------------------------------------------------------------------


def annotate(certificate: Certificate, places: Mapping[str, Place]) -> list[str]:
    """GitHub's workflow commands: an error for each required rule that fails, a warning for each other one, a notice
    for each that is waived. Where there are more of a kind than GitHub shows, the last says how many."""
    failing = [entry for entry in certificate.rules if entry.verdict is RuleVerdict.FAIL]
    kinds = {
        "error": [entry for entry in failing if entry.level is Level.REQUIRED],
        "warning": [entry for entry in failing if entry.level is not Level.REQUIRED],
        "notice": [entry for entry in certificate.rules if entry.verdict is RuleVerdict.WAIVED],
    }
    return [line for kind, entries in kinds.items() for line in _some(kind, entries, certificate.target.name, places)]


def _some(kind: str, entries: Sequence[RuleEntry], target: str, places: Mapping[str, Place]) -> Iterable[str]:
    whole = len(entries) <= MOST_ANNOTATIONS
    shown = entries if whole else entries[: MOST_ANNOTATIONS - 1]
    for entry in shown:
        title = f"{entry.id} {entry.verdict} ({entry.level}) on {visible(target)}"
        told = f"{entry.statement}\n{visible(entry.reason)}"
        yield _command(kind, title, told[:MOST_SHOWN], places.get(entry.id))
    if not whole:
        rest = entries[len(shown) :]
        yield _command(
            kind, f"{len(rest)} more rules on {visible(target)}", ", ".join(entry.id for entry in rest), None
        )


def _command(kind: str, title: str, message: str, place: Place | None) -> str:
    properties = {"file": place.file, "line": str(place.line)} if place else {}
    properties["title"] = title
    told = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
    return f"::{kind} {told}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    """As GitHub's runner reads it back: `%`, line ends, and in a property also what ends one. (All else is visible by now.)"""
    return "".join(f"%{ord(character):02X}" if character in f"%\r\n{more}" else character for character in text)


def scenario_places(checkout: Path, workspace: Path) -> dict[str, Place]:
    """By rule the first line in features/ that is tagged with it; none where the suite is installed, or lies outside of the
    workspace."""
    found: dict[str, Place] = {}
    features, root = (checkout / "features").resolve(), workspace.resolve()
    if not features.is_relative_to(root):
        return found
    for path in sorted(features.glob("*.feature")):
        file = path.relative_to(root).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if _TAGS.fullmatch(line):
                for tag in line.split():
                    found.setdefault(tag.removeprefix("@"), Place(file, number))
    return found
