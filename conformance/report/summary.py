"""The outcome of a run in words: for the terminal, and as summary.md."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import PRINTED_CONTRADICTIONS, READINGS
from conformance.contract.rules import Kind, Level, catalogue
from conformance.escaping import cell, fenced
from conformance.escaping import markdown as escaped
from conformance.i18n.formats import instant
from conformance.i18n.formats import number as numeral
from conformance.i18n.messages import mark, ntr, tr
from conformance.i18n.sentences import said
from conformance.planning.show import counted
from conformance.report import recorded
from conformance.report.lines import Line, Tone
from conformance.report.symbols import SYMBOLS
from conformance.verdict.certificate import Certificate, RuleEntry
from conformance.verdict.evidence import Outcome
from conformance.verdict.not_exercised import NEEDS_CONTROL
from conformance.verdict.verdicts import NOT_SELECTED, RuleVerdict, RunVerdict
from conformance.verdict.violation import SHOWS_IT

_NEXT_STEP = {
    RunVerdict.CONFORMANT: mark("Every required rule was seen to hold."),
    RunVerdict.NONCONFORMANT: mark(
        "Each failing rule has a counterexample: `koncili-conformance replay` sends it anew."
    ),
    RunVerdict.INCONCLUSIVE: mark("Nothing is decided: see the reasons, then run again."),
}

_CHOSEN_HOLD = mark("The required rules that were chosen were seen to hold; leave out --rule to certify all.")
_ALL_BUT_LIVE = mark("All that a live endpoint can show was seen to hold; the rest needs the suite's own mock.")
_MORE_NEEDED = mark("What was exercised was seen to hold; see what the other rules need, then run again.")

_ATTENTION = (RuleVerdict.FAIL, RuleVerdict.INCONCLUSIVE, RuleVerdict.NOT_EXERCISED, RuleVerdict.WAIVED)

WIDE = 4
"""A rule of so many endpoints has a line in the table of what was seen on each."""

COMPLETE = "--complete"

WIDTH = 118
"""Of the lines that list rules."""

MOST_SHOWN = 10
"""How many rules of a verdict the terminal tells in full."""

MOST_STEPS = 6
"""How many steps of a counterexample it shows, the last of them the one that shows it."""


_TONE = {
    RuleVerdict.PASS: Tone.GOOD,
    RuleVerdict.FAIL: Tone.BAD,
    RuleVerdict.NOT_EXERCISED: Tone.FAINT,
    RuleVerdict.INCONCLUSIVE: Tone.DOUBT,
    RuleVerdict.WAIVED: Tone.DOUBT,
}

_RUN_TONE = {
    RunVerdict.CONFORMANT: Tone.GOOD,
    RunVerdict.NONCONFORMANT: Tone.BAD,
    RunVerdict.PARTIAL: Tone.DOUBT,
    RunVerdict.INCONCLUSIVE: Tone.DOUBT,
}

SYMBOL_OF_OUTCOME = {
    Outcome.PASSED: (SYMBOLS[RuleVerdict.PASS], Tone.GOOD),
    Outcome.FAILED: (SYMBOLS[RuleVerdict.FAIL], Tone.BAD),
    Outcome.NOT_EXERCISED: (SYMBOLS[RuleVerdict.NOT_EXERCISED], Tone.FAINT),
    Outcome.INCONCLUSIVE: (SYMBOLS[RuleVerdict.INCONCLUSIVE], Tone.DOUBT),
    Outcome.NOT_RUN: (SYMBOLS[RuleVerdict.NOT_EXERCISED], Tone.FAINT),
}
"""How a scenario's end is told."""

_STEP: Final = re.compile(rf"# (\d+)\. (.*): (\d+)({re.escape(SHOWS_IT)})?")
"""The comment before a request of a story."""


def _of(certificate: Certificate, verdict: RuleVerdict) -> list[RuleEntry]:
    return [entry for entry in certificate.rules if entry.verdict is verdict]


def counts(certificate: Certificate) -> str:
    """How many rules have which verdict: `40 pass, 2 fail`."""
    found = Counter(entry.verdict for entry in certificate.rules)
    return ", ".join(with_verdict(found[verdict], verdict) for verdict in RuleVerdict if found[verdict])


def with_verdict(number: int, verdict: str) -> str:
    """How many rules have a verdict: `2 fail`. (In Portuguese the verdict has a plural)"""
    return ntr(f"{{number}} {verdict}", f"{{number}} {verdict}", number)


def _by_reason(entries: Iterable[RuleEntry]) -> dict[str, list[RuleEntry]]:
    """Rules that share a reason are told together: those left out, those that an interruption cut off."""
    alike: dict[str, list[RuleEntry]] = {}
    for entry in entries:
        alike.setdefault(entry.reason, []).append(entry)
    return alike


def _traffic(certificate: Certificate) -> str:
    traffic = certificate.traffic
    sent = {"request": traffic.requests, "client error": traffic.client_errors, "server error": traffic.server_errors}
    return ", ".join(counted(number, what) for what, number in sent.items())


def covered(certificate: Certificate) -> str:
    """How many kinds of faults were tried: `238 of 456 kinds of faults tried (52.1 %)`; "" where the certificate tells none."""
    coverage = certificate.coverage()
    if coverage is None:
        return ""
    earlier = ""
    if coverage.since is not None:
        earlier = tr(
            ", {number} more by earlier runs since {since:%Y-%m-%d %H:%M} UTC",
            number=coverage.earlier,
            since=coverage.since,
        )
    return ntr(
        "{tried} of {number:,} kind of faults tried{earlier} ({percent} %)",
        "{tried} of {number:,} kinds of faults tried{earlier} ({percent} %)",
        coverage.of,
        tried=coverage.tried,
        earlier=earlier,
        percent=coverage.percent,
    )


def kinds_of(entry: RuleEntry) -> str:
    """How many kinds of a rule's faults were tried: `3 of 7`; "" where they have none."""
    if entry.kinds is None:
        return ""
    return tr("{number} of {all}", number=len(entry.kinds.tried), all=len(entry.kinds.tried) + len(entry.kinds.left))


def _not_all_tried(certificate: Certificate) -> Iterator[Line]:
    """The rules that passed and did not try every kind of their faults."""
    rules = [
        f"{entry.id} {kinds_of(entry)}"
        for entry in _of(certificate, RuleVerdict.PASS)
        if entry.kinds and entry.kinds.left
    ]
    if rules:
        told = tr(
            "pass, with not all kinds tried ({option} tries them): {rules}", option=COMPLETE, rules=", ".join(rules)
        )
        for line in textwrap.wrap(told, WIDTH, subsequent_indent="  "):
            yield Line(line, Tone.FAINT)


def next_step(certificate: Certificate) -> str:
    """What the verdict means for whoever reads it, in a sentence or two: what is waived was not seen to hold."""
    waived = ", ".join(entry.id for entry in _of(certificate, RuleVerdict.WAIVED) if entry.level is Level.REQUIRED)
    if certificate.verdict is RunVerdict.CONFORMANT and waived:
        return tr("Every required rule was seen to hold but what is waived: {rules}.", rules=waived)
    if certificate.verdict is not RunVerdict.PARTIAL:
        return tr(_NEXT_STEP[certificate.verdict])
    but = " " + tr("Not so what is waived: {rules}.", rules=waived) if waived else ""
    missing = [entry for entry in _of(certificate, RuleVerdict.NOT_EXERCISED) if entry.level is Level.REQUIRED]
    if all(entry.reason == NOT_SELECTED for entry in missing):
        return tr(_CHOSEN_HOLD) + but
    live = all(entry.reason in NEEDS_CONTROL.values() for entry in missing)
    return tr(_ALL_BUT_LIVE if live else _MORE_NEEDED) + but


def verdict_line(certificate: Certificate) -> Line:
    """Target and verdict."""
    target = certificate.target
    verdict = tr(certificate.verdict).upper()
    return Line(f"{target.name} ({target.base_url}): {verdict}", _RUN_TONE[certificate.verdict])


def brief(certificate: Certificate) -> Iterator[Line]:
    """The verdict alone, and which rules fail."""
    for entry in _of(certificate, RuleVerdict.FAIL):
        yield Line(f"{SYMBOLS[entry.verdict]} {entry.id} ({tr(entry.level)}): {said(entry.statement)}", Tone.BAD)
    yield verdict_line(certificate)


def terminal(certificate: Certificate, again: Callable[[str], str] = lambda _: "") -> Iterator[Line]:
    """The summary for a terminal, failures first, line by line. `again` is the command that tries a finding again, given its
    id; "" where there is none."""
    for verdict in _ATTENTION:
        alike = _by_reason(_of(certificate, verdict))
        for reason, entries in list(alike.items())[:MOST_SHOWN]:
            if len(entries) > 1:
                rules = ntr(f"{{number}} rule {verdict}", f"{{number}} rules {verdict}", len(entries))
                yield Line(f"{SYMBOLS[verdict]} {rules}: {said(reason)}", _TONE[verdict])
            else:
                yield from _told(entries[0], again)
        if len(alike) > MOST_SHOWN:
            more = tr(
                "... and {number} more at {verdict}, in index.html", number=len(alike) - MOST_SHOWN, verdict=tr(verdict)
            )
            yield Line(more, _TONE[verdict])
    seconds = (certificate.finished_at - certificate.started_at).total_seconds()
    yield Line("")
    yield verdict_line(certificate)
    yield Line(tr("rules: {counts}", counts=counts(certificate)))
    if kinds := covered(certificate):
        yield Line(kinds)
        yield from _not_all_tried(certificate)
    ran = tr("profile {profile}, seed {seed}", profile=certificate.profile, seed=certificate.seed)
    yield Line(f"{ran}, {numeral(seconds, '.1f')} s: {_traffic(certificate)}")
    yield Line(next_step(certificate))


def _told(entry: RuleEntry, again: Callable[[str], str]) -> Iterator[Line]:
    verdict = f"{SYMBOLS[entry.verdict]} {entry.id} {tr(entry.verdict)} ({tr(entry.level)})"
    yield Line(f"{verdict}: {said(entry.statement)}", _TONE[entry.verdict])
    if entry.reason:
        yield Line(f"    {said(entry.reason)}")
    example = entry.counterexample
    if entry.verdict is RuleVerdict.FAIL and example and example.curl:
        yield from (Line(f"    {line}") for line in example.lanes)
        yield from _steps(example.curl.split("\n"))
        answer = f"{example.response.get('status')} {example.response.get('body')}"
        yield Line("    " + tr("answered {answer}", answer=answer))
    if entry.verdict is RuleVerdict.FAIL and entry.findings and (command := again(entry.findings[0].id)):
        yield Line("    " + tr("again, with new codes and periods: {command}", command=command))


def _steps(lines: Sequence[str]) -> Iterator[Line]:
    """The steps of a story: the one that shows the finding, and those before it as far as there is room."""
    each = 2 if len(lines) > 1 else 1  # a comment and a command
    steps = [lines[start : start + each] for start in range(0, len(lines), each)]
    decisive = next((number for number, step in enumerate(steps) if step[0].endswith(SHOWS_IT)), len(steps) - 1)
    first = max(0, decisive + 1 - MOST_STEPS)
    after = len(steps) - decisive - 1
    if first:
        yield Line("    " + tr("... {steps} before, in index.html", steps=counted(first, "step")), Tone.FAINT)
    yield from (Line(f"    {told_step(line)}") for step in steps[first : decisive + 1] for line in step)
    if after:
        yield Line("    " + tr("... {steps} after, in index.html", steps=counted(after, "step")), Tone.FAINT)


def told_step(line: str) -> str:
    """A line of a story: where it is a comment, what it says of the request that follows, in the language spoken."""
    found = _STEP.fullmatch(line)
    if found is None:
        return line
    number, what, status, shows_it = found.groups()
    return f"# {number}. {said(what)}: {status}{tr(SHOWS_IT) if shows_it else ''}"


def markdown(certificate: Certificate) -> str:
    """The summary as Markdown."""
    if certificate.kind is Kind.INTEGRATION:
        return recorded.markdown(certificate)
    lines = [
        f"# {escaped(certificate.target.name)}: {tr(certificate.verdict)}",
        "",
        f"{counts(certificate)}. {next_step(certificate)}",
        "",
        "- " + tr("target: {url}", url=f"{escaped(certificate.target.base_url)} ({certificate.target.environment})"),
        *about_lines(certificate),
        "- " + tr("profile {profile}, seed {seed}", profile=certificate.profile, seed=certificate.seed),
        *([f"- {kinds}"] if (kinds := covered(certificate)) else []),
        f"- {instant(certificate.started_at)} UTC: {_traffic(certificate)}",
        "- "
        + tr(
            "suite {suite}, contract {contract}", suite=certificate.suite.version, contract=certificate.contract.version
        )
        + _proved(certificate),
        "",
        tr("| rule | level | verdict | kinds tried | accepted | refused | checked | requests | 4xx | statement |"),
        "|---|---|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    ordered = sorted(certificate.rules, key=lambda entry: [*_ATTENTION, RuleVerdict.PASS].index(entry.verdict))
    lines += [
        f"| {entry.id} | {tr(entry.level)} | {SYMBOLS[entry.verdict]} {tr(entry.verdict)} | {kinds_of(entry)} | {entry.accepted} "
        f"| {entry.refused} | {entry.checked} | {entry.requests} | {entry.client_errors} | {cell(said(entry.statement))} |"
        for entry in ordered
    ]
    for verdict in _ATTENTION:
        for entry in _of(certificate, verdict):
            lines += ["", f"## {entry.id}: {tr(verdict)}", "", escaped(said(entry.reason))]
            if entry.counterexample and entry.counterexample.curl:
                answer = entry.counterexample.response
                if entry.counterexample.lanes:
                    lines += ["", *fenced("", "\n".join(entry.counterexample.lanes))]
                lines += ["", *fenced("sh", "\n".join(map(told_step, entry.counterexample.curl.split("\n"))))]
                lines += ["", *fenced("", f"{answer.get('status')} {answer.get('body')}")]
            if entry.verdict is RuleVerdict.FAIL and entry.findings and entry.findings[0].during is not None:
                command = f"koncili-conformance replay certificate.json {entry.findings[0].id}"
                lines += ["", tr("Again, with new codes and periods: {command}", command=f"`{command}`")]
    lines += _coverage(certificate)
    lines += _kinds_left(certificate)
    lines += ["", f"## {tr('Readings')}", "", tr("Where the documents disagree or stay silent, this run followed:"), ""]
    lines += [tr("| reading | value | known how | what the documents say |"), "|---|---|---|---|"]
    lines += [
        f"| {cell(reading)} | {cell(value)} | {cell(tr(certificate.readings_from[reading]))} "
        f"| {tr(READINGS[reading].disagreement)} |"
        for reading, value in certificate.readings.items()
    ]
    lines += ["", tr("Beyond that the documents contradict themselves:"), ""]
    lines += [f"- {tr(contradiction)}" for contradiction in PRINTED_CONTRADICTIONS]
    return "\n".join(lines) + "\n"


def about_lines(certificate: Certificate) -> list[str]:
    """Whose the target is, which version, whom to ask, where that is told."""
    told = certificate.about.model_dump() if certificate.about else {}
    return [f"- {tr(name)}: {escaped(text)}" for name, text in told.items() if text]


def _proved(certificate: Certificate) -> str:
    proof = certificate.proof
    if proof is None:
        return ""
    told = tr(
        "{sensitivity} defects caught, {specificity} variants passed",
        sensitivity=proof.sensitivity,
        specificity=proof.specificity,
    )
    return tr(", proved: {proof}", proof=told)


def _kinds_left(certificate: Certificate) -> list[str]:
    """The kinds that were not tried, rule by rule, those first that no run tried."""
    lines = []
    for entry in certificate.rules:
        left = entry.kinds.left if entry.kinds else []
        earlier = entry.kinds.earlier if entry.kinds else {}
        told = [cell(kind) + (tr(" (tried by an earlier run)") if kind in earlier else "") for kind in left]
        if told:
            head = tr("{rule}, {part} tried; left: {kinds}", rule=entry.id, part=kinds_of(entry), kinds="; ".join(told))
            lines.append(f"- {head}")
    if not lines:
        return []
    intro = tr("What one run has no client errors for, the next runs of the same target try.")
    on = tr("{command} goes on until all were tried.", command=f"`certify {COMPLETE}`")
    return [
        "",
        f"## {tr('Kinds of faults left')}",
        "",
        f"{intro} {on}",
        "",
        *lines,
    ]


def _coverage(certificate: Certificate) -> list[str]:
    """For the rules that hold on many endpoints, what was refused on each: a table."""
    wide = [entry for entry in certificate.rules if len(catalogue()[entry.id].endpoints) >= WIDE]
    wide = [entry for entry in wide if entry.refused]
    labels = [endpoint.label for endpoint in Endpoint if endpoint.needs_token]
    if not wide:
        return []
    intro = tr("How many calls were refused, each beside its accepted twin:")
    lines = ["", f"## {tr('Coverage by endpoint')}", "", intro, ""]
    lines += [f"| {tr('rule')} | " + " | ".join(labels) + " |", "|---|" + "---:|" * len(labels)]
    for entry in wide:
        documented = {endpoint.label for endpoint in catalogue()[entry.id].endpoints}
        cells = [
            str(entry.endpoints.get(label, {}).get("refused", 0)) if label in documented else "" for label in labels
        ]
        lines.append(f"| {entry.id} | {' | '.join(cells)} |")
    return lines
