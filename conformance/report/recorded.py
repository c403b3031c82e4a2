"""The outcome of an audit in words: for the terminal, and as summary.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from conformance.contract.rules import Level, every_rule
from conformance.escaping import cell, fenced
from conformance.escaping import markdown as escaped
from conformance.i18n.formats import instant
from conformance.i18n.messages import ENGLISH, language, mark, ntr, tr
from conformance.i18n.sentences import said
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
    RunVerdict.CONFORMANT: mark("Every required rule that the recorded calls are about was kept."),
    RunVerdict.NONCONFORMANT: mark("Mend each cause below, and record again."),
    RunVerdict.PARTIAL: mark("Nothing required was seen broken; what could not be judged is told with its reason."),
    RunVerdict.INCONCLUSIVE: mark("Nothing is decided: no required rule was seen to be kept."),
}


def next_step(certificate: Certificate) -> str:
    """What the verdict means for whoever reads it."""
    if certificate.recording is not None and not certificate.recording.calls:
        return tr("Nothing is decided: {why}.", why=said(NO_CALL))
    if (
        certificate.verdict is RunVerdict.PARTIAL
        and certificate.recording is not None
        and certificate.recording.unreadable
    ):
        number = certificate.recording.unreadable
        return ntr(
            "Nothing required was seen broken; one entry can't be read, and what was called there nobody knows.",
            "Nothing required was seen broken; {number:,} entries can't be read, and what was called there nobody knows.",
            number,
        )
    return tr(_NEXT[certificate.verdict])


def source_of(rule: str) -> str:
    """Where the documents say it."""
    known = every_rule().rules.get(rule)
    return known.source if known else tr("not in this suite's catalogue")


def detail(finding: FindingEntry) -> RecordedFinding:
    """Where recorded calls show it."""
    return finding.recorded or RecordedFinding(pointer="", value="", instead="", times=1, entries=[])


def spot_told(spot: SpotEntry) -> str:
    """`entry 41 of day.har, 2026-11-28 10:00:00+00:00`"""
    at = ""
    if spot.time:
        at = spot.time.isoformat(sep=" ", timespec="milliseconds")
        at = f", {at if language() == ENGLISH else instant(spot.time, '%Y-%m-%d %H:%M:%S %z')}"
    return tr("entry {number} of {file}", number=spot.entry, file=spot.file) + at


def entries_told(finding: FindingEntry) -> str:
    """How often, and where: `3 times: entries 41, 57, 60`."""
    if len(detail(finding).entries) == 1:
        return _times(detail(finding).times)
    named = ", ".join(str(spot.entry) for spot in detail(finding).entries[:MOST_ENTRIES])
    more = ", …" if len(detail(finding).entries) > MOST_ENTRIES else ""
    return tr("{times}, entries {entries}", times=_times(detail(finding).times), entries=f"{named}{more}")


def _times(number: int) -> str:
    return tr("once") if number == 1 else ntr("{number} time", "{number} times", number)


def place_told(finding: FindingEntry) -> str:
    """Where in the call, and what stands there: `/releases/1/value is -24.45`."""
    if not detail(finding).pointer:
        return detail(finding).value
    if not detail(finding).value:
        return detail(finding).pointer
    return tr("{pointer} is {what}", pointer=detail(finding).pointer, what=detail(finding).value)


def verdict_line(certificate: Certificate) -> Line:
    """What was audited, and the verdict."""
    where = tr(" (calls to {url})", url=certificate.target.base_url) if certificate.target.base_url else ""
    return Line(f"{certificate.target.name}{where}: {tr(certificate.verdict).upper()}", _RUN_TONE[certificate.verdict])


def counted(certificate: Certificate) -> str:
    """How much was read."""
    recording = certificate.recording or EMPTY
    parts = [
        tr(
            "{calls} calls to Koncili among {exchanges} recorded exchanges",
            calls=recording.calls,
            exchanges=recording.exchanges,
        )
    ]
    parts += [tr("{number} notifications", number=recording.notifications)] if recording.notifications else []
    parts += [tr("{number} that two files held, judged once", number=recording.repeated)] if recording.repeated else []
    parts += [tr("{number} calls without a time", number=recording.untimed)] if recording.untimed else []
    return ", ".join(parts)


EMPTY: Final = RecordingEntry(
    files=[], exchanges=0, calls=0, notifications=0, untimed=0, unexplained=0, unexplained_entries=[], problems=[],
    ties_out=True,
)  # fmt: skip


def terminal(certificate: Certificate) -> Iterator[Line]:
    """The summary for a terminal, what is broken first, line by line."""
    for entry in _of(certificate, RuleVerdict.FAIL):
        yield Line(f"{SYMBOLS[entry.verdict]} {entry.id} ({tr(entry.level)}): {said(entry.statement)}", Tone.BAD)
        for finding in entry.findings:
            yield Line(f"    {finding.endpoint}: {said(finding.reason)}")
            if place := place_told(finding):
                yield Line(f"    {place}")
            yield Line(f"    {spot_told(detail(finding).entries[0])}; {entries_told(finding)}")
            instead = said(detail(finding).instead)
            yield Line(
                "    " + tr("{source}. Instead: {instead}", source=source_of(entry.id), instead=instead), Tone.FAINT
            )
    undecided = [entry for entry in _of(certificate, RuleVerdict.NOT_EXERCISED) if entry.undecided]
    for reason, entries in list(_by_reason(undecided).items())[:MOST_REASONS]:
        yield Line(
            f"{SYMBOLS[RuleVerdict.NOT_EXERCISED]} {', '.join(entry.id for entry in entries)}: {said(reason)}",
            Tone.DOUBT,
        )
    yield from _remarks(certificate)
    yield Line("")
    yield verdict_line(certificate)
    yield Line(counted(certificate))
    yield Line(tr("rules: {counts}", counts=rules_told(certificate)))
    yield Line(next_step(certificate))


def _remarks(certificate: Certificate) -> Iterator[Line]:
    recording = certificate.recording or EMPTY
    for problem in recording.problems[:MOST_REASONS]:
        yield Line(tr("not read: {what}", what=problem), Tone.DOUBT)
    if len(recording.problems) > MOST_REASONS:
        more = len(recording.problems) - MOST_REASONS
        yield Line(tr("not read: {number} more, in certificate.json", number=more), Tone.DOUBT)
    if recording.unexplained:
        yield Line(unexplained(recording), Tone.FAINT)
    if not recording.ties_out:
        yield Line(tr("the books do not tie out: see books.html"), Tone.DOUBT)


def unexplained(recording: RecordingEntry) -> str:
    """The calls that were refused for no reason that a document gives."""
    named = ", ".join(str(spot.entry) for spot in recording.unexplained_entries[:MOST_ENTRIES])
    more = ", …" if recording.unexplained > MOST_ENTRIES else ""
    return ntr(
        "{number} call was refused for no reason that a document gives, which is no fault: entries {entries}",
        "{number} calls were refused for no reason that a document gives, which is no fault: entries {entries}",
        recording.unexplained,
        entries=f"{named}{more}",
    )


def rules_told(certificate: Certificate) -> str:
    """How many rules were kept, broken, not to be judged, and not the subject of any call."""
    skipped = _of(certificate, RuleVerdict.NOT_EXERCISED)
    kept, broken = len(_of(certificate, RuleVerdict.PASS)), len(_of(certificate, RuleVerdict.FAIL))
    unjudged = sum(bool(entry.undecided) for entry in skipped)
    unmade = len(skipped) - unjudged
    counts = {
        ntr("{number} kept", "{number} kept", kept): kept,
        ntr("{number} broken", "{number} broken", broken): broken,
        ntr("{number} can't be judged for every call", "{number} can't be judged for every call", unjudged): unjudged,
        ntr("{number} about calls that were not made", "{number} about calls that were not made", unmade): unmade,
    }
    return ", ".join(told for told, number in counts.items() if number)


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
        f"# {escaped(certificate.target.name)}: {tr(certificate.verdict)}",
        "",
        f"{rules_told(certificate)}. {next_step(certificate)}",
        "",
        *("- " + tr("recording: {file}", file=escaped(file)) for file in recording.files),
        f"- {escaped(counted(certificate))}",
        *(
            ["- " + tr("calls to {url}", url=escaped(certificate.target.base_url))]
            if certificate.target.base_url
            else []
        ),
        "- "
        + tr(
            "suite {suite}, contract {contract}", suite=certificate.suite.version, contract=certificate.contract.version
        ),
        "- "
        + (
            tr("the books tie out: books.csv, books.html")
            if recording.ties_out
            else tr("the books do **not** tie out: books.csv, books.html")
        ),
    ]
    for entry in _of(certificate, RuleVerdict.FAIL):
        lines += ["", f"## {entry.id} ({tr(entry.level)}): {escaped(said(entry.statement))}"]
        for finding in entry.findings:
            lines += ["", *_finding(entry, finding)]
        if entry.counterexample and entry.counterexample.curl:
            lines += ["", *fenced("sh", entry.counterexample.curl)]
    lines += _table(certificate)
    if recording.unexplained:
        lines += ["", f"## {tr('Refused for no documented reason')}", "", escaped(unexplained(recording))]
    if recording.problems:
        lines += ["", f"## {tr('Not read')}", "", *(f"- {escaped(problem)}" for problem in recording.problems)]
    return "\n".join(lines) + "\n"


def _finding(entry: RuleEntry, finding: FindingEntry) -> list[str]:
    return [
        f"- **{finding.endpoint}**: {escaped(said(finding.reason))}",
        *(["- " + tr("at fault: {place}", place=escaped(place))] if (place := place_told(finding)) else []),
        f"- {escaped(spot_told(detail(finding).entries[0]))}; {escaped(entries_told(finding))}",
        "- " + tr("the documents: {source}", source=escaped(source_of(entry.id))),
        "- " + tr("instead: {instead}", instead=escaped(said(detail(finding).instead))),
    ]


def _table(certificate: Certificate) -> list[str]:
    order: Sequence[RuleVerdict] = (RuleVerdict.FAIL, RuleVerdict.NOT_EXERCISED, RuleVerdict.PASS)
    head = tr("| rule | level | verdict | judged | not to be judged | statement | reason |")
    lines = ["", f"## {tr('Rules')}", "", head]
    lines += ["|---|---|---|---:|---:|---|---|"]
    for verdict in order:
        lines += [
            f"| {entry.id} | {tr(entry.level)} | {SYMBOLS[entry.verdict]} {tr(entry.verdict)} | {entry.checked} "
            f"| {entry.undecided} | {cell(said(entry.statement))} | {cell(said(entry.reason))} |"
            for entry in _of(certificate, verdict)
        ]
    return lines
