"""The outcome of an audit in words: for the terminal, and as summary.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from conformance.contract.rules import Level, every_rule
from conformance.escaping import cell, fenced
from conformance.escaping import markdown as escaped
from conformance.report.lines import Line, Tone
from conformance.report.symbols import SYMBOLS
from conformance.verdict.certificate import (
    Certificate,
    FindingEntry,
    RecordedFinding,
    RecordingEntry,
    RuleEntry,
    SpotEntry,
)
from conformance.verdict.verdicts import RuleVerdict, RunVerdict

MOST_ENTRIES: Final = 8
"""So many entries of a finding are named on one line."""

MOST_REASONS: Final = 10

NO_CALL: Final = "no call to Koncili in this recording"

_RUN_TONE: Final = {
    RunVerdict.CONFORMANT: Tone.GOOD,
    RunVerdict.NONCONFORMANT: Tone.BAD,
    RunVerdict.PARTIAL: Tone.DOUBT,
    RunVerdict.INCONCLUSIVE: Tone.DOUBT,
}

_NEXT: Final = {
    RunVerdict.CONFORMANT: "Every required rule that the recorded calls are about was kept.",
    RunVerdict.NONCONFORMANT: "Mend each cause below, and record again.",
    RunVerdict.PARTIAL: "Nothing required was seen broken; what could not be judged is told with its reason.",
    RunVerdict.INCONCLUSIVE: "Nothing is decided: no required rule was seen to be kept.",
}


def next_step(certificate: Certificate) -> str:
    """What the verdict means for whoever reads it."""
    if certificate.recording is not None and not certificate.recording.calls:
        return f"Nothing is decided: {NO_CALL}."
    if (
        certificate.verdict is RunVerdict.PARTIAL
        and certificate.recording is not None
        and certificate.recording.unreadable
    ):
        number = certificate.recording.unreadable
        entries = "one entry" if number == 1 else f"{number:,} entries"
        return f"Nothing required was seen broken; {entries} can't be read, and what was called there nobody knows."
    return _NEXT[certificate.verdict]


def source_of(rule: str) -> str:
    """Where the documents say it."""
    known = every_rule().rules.get(rule)
    return known.source if known else "not in this suite's catalogue"


def detail(finding: FindingEntry) -> RecordedFinding:
    """Where recorded calls show it."""
    return finding.recorded or RecordedFinding(pointer="", value="", instead="", times=1, entries=[])


def spot_told(spot: SpotEntry) -> str:
    """`entry 41 of day.har, 2026-11-28 10:00:00+00:00`"""
    at = f", {spot.time.isoformat(sep=' ', timespec='milliseconds')}" if spot.time else ""
    return f"entry {spot.entry} of {spot.file}{at}"


def entries_told(finding: FindingEntry) -> str:
    """How often, and where: `3 times: entries 41, 57, 60`."""
    if len(detail(finding).entries) == 1:
        return "once" if detail(finding).times == 1 else f"{detail(finding).times} times"
    named = ", ".join(str(spot.entry) for spot in detail(finding).entries[:MOST_ENTRIES])
    more = ", …" if len(detail(finding).entries) > MOST_ENTRIES else ""
    return f"{'once' if detail(finding).times == 1 else f'{detail(finding).times} times'}, entries {named}{more}"


def place_told(finding: FindingEntry) -> str:
    """Where in the call, and what stands there: `/releases/1/value is -24.45`."""
    if not detail(finding).pointer:
        return detail(finding).value
    return f"{detail(finding).pointer} is {detail(finding).value}" if detail(finding).value else detail(finding).pointer


def verdict_line(certificate: Certificate) -> Line:
    """What was audited, and the verdict."""
    where = f" (calls to {certificate.target.base_url})" if certificate.target.base_url else ""
    return Line(f"{certificate.target.name}{where}: {certificate.verdict.upper()}", _RUN_TONE[certificate.verdict])


def counted(certificate: Certificate) -> str:
    """How much was read."""
    recording = certificate.recording or EMPTY
    parts = [f"{recording.calls} calls to Koncili among {recording.exchanges} recorded exchanges"]
    parts += [f"{recording.notifications} notifications"] if recording.notifications else []
    parts += [f"{recording.repeated} that two files held, judged once"] if recording.repeated else []
    parts += [f"{recording.untimed} calls without a time"] if recording.untimed else []
    return ", ".join(parts)


EMPTY: Final = RecordingEntry(
    files=[], exchanges=0, calls=0, notifications=0, untimed=0, unexplained=0, unexplained_entries=[], problems=[],
    ties_out=True,
)  # fmt: skip


def terminal(certificate: Certificate) -> Iterator[Line]:
    """The summary for a terminal, what is broken first, line by line."""
    for entry in _of(certificate, RuleVerdict.FAIL):
        yield Line(f"{SYMBOLS[entry.verdict]} {entry.id} ({entry.level}): {entry.statement}", Tone.BAD)
        for finding in entry.findings:
            yield Line(f"    {finding.endpoint}: {finding.reason}")
            if place := place_told(finding):
                yield Line(f"    {place}")
            yield Line(f"    {spot_told(detail(finding).entries[0])}; {entries_told(finding)}")
            yield Line(f"    {source_of(entry.id)}. Instead: {detail(finding).instead}", Tone.FAINT)
    undecided = [entry for entry in _of(certificate, RuleVerdict.NOT_EXERCISED) if entry.undecided]
    for reason, entries in list(_by_reason(undecided).items())[:MOST_REASONS]:
        yield Line(
            f"{SYMBOLS[RuleVerdict.NOT_EXERCISED]} {', '.join(entry.id for entry in entries)}: {reason}", Tone.DOUBT
        )
    yield from _remarks(certificate)
    yield Line("")
    yield verdict_line(certificate)
    yield Line(counted(certificate))
    yield Line(f"rules: {rules_told(certificate)}")
    yield Line(next_step(certificate))


def _remarks(certificate: Certificate) -> Iterator[Line]:
    recording = certificate.recording or EMPTY
    for problem in recording.problems[:MOST_REASONS]:
        yield Line(f"not read: {problem}", Tone.DOUBT)
    if len(recording.problems) > MOST_REASONS:
        yield Line(f"not read: {len(recording.problems) - MOST_REASONS} more, in certificate.json", Tone.DOUBT)
    if recording.unexplained:
        yield Line(unexplained(recording), Tone.FAINT)
    if not recording.ties_out:
        yield Line("the books do not tie out: see books.html", Tone.DOUBT)


def unexplained(recording: RecordingEntry) -> str:
    """The calls that were refused for no reason that a document gives."""
    named = ", ".join(str(spot.entry) for spot in recording.unexplained_entries[:MOST_ENTRIES])
    more = ", …" if recording.unexplained > MOST_ENTRIES else ""
    calls = "call was" if recording.unexplained == 1 else "calls were"
    why = "for no reason that a document gives, which is no fault"
    return f"{recording.unexplained} {calls} refused {why}: entries {named}{more}"


def rules_told(certificate: Certificate) -> str:
    """How many rules were kept, broken, not to be judged, and not the subject of any call."""
    skipped = _of(certificate, RuleVerdict.NOT_EXERCISED)
    counts = {
        "kept": len(_of(certificate, RuleVerdict.PASS)),
        "broken": len(_of(certificate, RuleVerdict.FAIL)),
        "can't be judged for every call": sum(bool(entry.undecided) for entry in skipped),
        "about calls that were not made": sum(not entry.undecided for entry in skipped),
    }
    return ", ".join(f"{number} {what}" for what, number in counts.items() if number)


def _of(certificate: Certificate, verdict: RuleVerdict) -> list[RuleEntry]:
    found = [entry for entry in certificate.rules if entry.verdict is verdict]
    return sorted(found, key=lambda entry: entry.level is not Level.REQUIRED)


def _by_reason(entries: Iterable[RuleEntry]) -> dict[str, list[RuleEntry]]:
    alike: dict[str, list[RuleEntry]] = {}
    for entry in entries:
        alike.setdefault(entry.reason.partition(": ")[2] or entry.reason, []).append(entry)
    return alike


# -- Markdown ------------------------------------------------------------------------------------------------------


def markdown(certificate: Certificate) -> str:
    """The summary as Markdown."""
    recording = certificate.recording or EMPTY
    lines = [
        f"# {escaped(certificate.target.name)}: {certificate.verdict}",
        "",
        f"{rules_told(certificate)}. {next_step(certificate)}",
        "",
        *(f"- recording: {escaped(file)}" for file in recording.files),
        f"- {escaped(counted(certificate))}",
        *([f"- calls to {escaped(certificate.target.base_url)}"] if certificate.target.base_url else []),
        f"- suite {certificate.suite.version}, contract {certificate.contract.version}",
        f"- the books {'tie out' if recording.ties_out else 'do **not** tie out'}: books.csv, books.html",
    ]
    for entry in _of(certificate, RuleVerdict.FAIL):
        lines += ["", f"## {entry.id} ({entry.level}): {escaped(entry.statement)}"]
        for finding in entry.findings:
            lines += ["", *_finding(entry, finding)]
        if entry.counterexample and entry.counterexample.curl:
            lines += ["", *fenced("sh", entry.counterexample.curl)]
    lines += _table(certificate)
    if recording.unexplained:
        lines += ["", "## Refused for no documented reason", "", escaped(unexplained(recording))]
    if recording.problems:
        lines += ["", "## Not read", "", *(f"- {escaped(problem)}" for problem in recording.problems)]
    return "\n".join(lines) + "\n"


def _finding(entry: RuleEntry, finding: FindingEntry) -> list[str]:
    return [
        f"- **{finding.endpoint}**: {escaped(finding.reason)}",
        *([f"- at fault: {escaped(place)}"] if (place := place_told(finding)) else []),
        f"- {escaped(spot_told(detail(finding).entries[0]))}; {escaped(entries_told(finding))}",
        f"- the documents: {escaped(source_of(entry.id))}",
        f"- instead: {escaped(detail(finding).instead)}",
    ]


def _table(certificate: Certificate) -> list[str]:
    order: Sequence[RuleVerdict] = (RuleVerdict.FAIL, RuleVerdict.NOT_EXERCISED, RuleVerdict.PASS)
    lines = ["", "## Rules", "", "| rule | level | verdict | judged | not to be judged | statement | reason |"]
    lines += ["|---|---|---|---:|---:|---|---|"]
    for verdict in order:
        lines += [
            f"| {entry.id} | {entry.level} | {SYMBOLS[entry.verdict]} {entry.verdict} | {entry.checked} "
            f"| {entry.undecided} | {cell(entry.statement)} | {cell(entry.reason)} |"
            for entry in _of(certificate, verdict)
        ]
    return lines
