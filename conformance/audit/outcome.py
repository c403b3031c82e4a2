"""The certificate of an audit: every rule with its verdict, each cause with its entries, and no secret in any of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from conformance.audit.auditor import Auditor
from conformance.audit.call import Call
from conformance.audit.findings import Finding, Spot
from conformance.audit.header_rules import TOKEN
from conformance.audit.secrets import Secrets
from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import told
from conformance.contract.rules import Kind, Level, catalogue
from conformance.escaping import visible
from conformance.target.wire.exchange import Exchange as WireExchange
from conformance.target.wire.exchange import as_curl
from conformance.traffic.exchange import Missing
from conformance.traffic.remote import Remote
from conformance.verdict.certificate import (
    Certificate,
    Contract,
    Counterexample,
    FindingEntry,
    RecordedFinding,
    RecordingEntry,
    RuleEntry,
    SpotEntry,
    Suite,
    Tested,
    TrafficCounts,
    verdict_of,
    writable,
)
from conformance.verdict.verdicts import RuleVerdict
from conformance.verdict.violation import request_of, response_of

NO_CALL: Final = "no call to Koncili in this recording"
NEVER_TAKEN: Final = "the server has refused every call for its token: none shows that the right one is sent"
NOT_SEEN: Final = "no recorded call is about it"
UNTOLD: Final = "(not recorded)"

MOST_VALUE: Final = 500
"""So many characters of a value at fault are told."""

TOLD_AT_MOST: Final = 3
"""So many of a list are told in one line."""

MOST_PROBLEMS: Final = 100

PROFILE: Final = "audit"


def certify_recording(
    auditor: Auditor, secrets: Secrets, *, files: Sequence[Path | Remote], problems: Sequence[str], started_at: datetime
) -> Certificate:
    """The certificate of what was audited."""
    contract = catalogue(Kind.INTEGRATION)
    rules = [_entry(auditor, secrets, rule) for rule in contract.rules]
    counts = auditor.counts
    readings = dict(auditor.readings)
    names = [secrets.text(file.name) for file in files]
    recording = RecordingEntry(
        files=[secrets.text(str(file)) for file in files],
        exchanges=counts.exchanges,
        unreadable=counts.unreadable,
        repeated=counts.repeated,
        calls=counts.calls,
        notifications=counts.notifications,
        untimed=counts.untimed,
        unexplained=auditor.unexplained.times,
        unexplained_entries=_spots(auditor.unexplained.spots, secrets),
        problems=[visible(secrets.text(problem)) for problem in (*_several(auditor), *problems[:MOST_PROBLEMS])],
        ties_out=auditor.books.ties_out,
    )
    return Certificate(
        kind=Kind.INTEGRATION,
        verdict=verdict_of(
            Kind.INTEGRATION,
            ((rule.level, rule.verdict, rule.undecided) for rule in rules),
            unreadable=counts.unreadable,
        ),
        suite=Suite.own(),
        contract=Contract(version=contract.version, sha256=contract.sha256),
        target=Tested(
            name=writable(_first(names)),
            environment="recording",
            base_url=secrets.text(auditor.recogniser.base_url),
        ),
        profile=PROFILE,
        seed=0,
        started_at=started_at,
        finished_at=datetime.now(UTC),
        readings=readings,
        readings_from={reading: auditor.readings_from.get(reading, "default") for reading in readings},
        traffic=TrafficCounts(
            requests=counts.calls,
            client_errors=counts.client_errors,
            server_errors=counts.server_errors,
            throttled=counts.throttled,
        ),
        rules=rules,
        recording=recording,
    ).sealed


def _several(auditor: Auditor) -> list[str]:
    """A word on recordings of several Koncilis, such as a sandbox and a mock."""
    bases = auditor.recogniser.bases
    if len(bases) <= 1:
        return []
    told = ", ".join(bases[:5])
    return [
        f"there are calls to {len(bases)} base URLs ({told}): each server is judged as an environment of its own, unless the "
        "same token is used at another; --base-url takes one of them"
    ]


def _entry(auditor: Auditor, secrets: Secrets, rule_id: str) -> RuleEntry:
    findings, rule = auditor.findings, auditor.findings.rules[rule_id]
    tally = findings.tallies[rule_id]
    never_taken = auditor.counts.without_token if rule_id == TOKEN and not auditor.counts.looked_at else 0
    found = [finding for finding in findings.found if finding.rule.id == rule_id]
    verdict, reason = _verdict(auditor, rule_id, found)
    return RuleEntry(
        id=rule_id,
        level=Level(rule.level),
        statement=rule.statement,
        verdict=verdict,
        accepted=0,
        refused=0,
        checked=tally.kept + tally.broken,
        reason=writable(secrets.text(reason)),
        endpoints={label: {"checked": number} for label, number in sorted(tally.endpoints.items())},
        undecided=max(tally.undecided, never_taken),
        findings=[_finding(one, secrets) for one in found],
        counterexample=_example(found[0].call, secrets) if found else None,
    )


def _first(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    left = len(names) - TOLD_AT_MOST
    return ", ".join(names[:TOLD_AT_MOST]) + (f" and {left} more" if left > 0 else "")


def _verdict(auditor: Auditor, rule_id: str, found: Sequence[Finding]) -> tuple[RuleVerdict, str]:
    tally, counts = auditor.findings.tallies[rule_id], auditor.counts
    if found:
        causes = [
            f"{one.says} (entry {one.call.origin.entry}, {'once' if one.times == 1 else f'{one.times} times'})"
            for one in found
        ]
        left = len(causes) - TOLD_AT_MOST
        more = [f"and {left} more causes"] if left > 0 else []
        return RuleVerdict.FAIL, "; ".join([*causes[:TOLD_AT_MOST], *more])
    if not auditor.counts.calls:
        return RuleVerdict.NOT_EXERCISED, NO_CALL
    if rule_id == TOKEN and counts.without_token and not counts.looked_at:
        return RuleVerdict.NOT_EXERCISED, NEVER_TAKEN
    if tally.undecided:
        reason = auditor.findings.reason(rule_id)
        of = tally.undecided + tally.kept
        return RuleVerdict.NOT_EXERCISED, f"{tally.undecided} of {of} calls can't be judged: {reason}"
    if not tally.kept:
        return RuleVerdict.NOT_EXERCISED, NOT_SEEN
    return RuleVerdict.PASS, ""


def _finding(finding: Finding, secrets: Secrets) -> FindingEntry:
    shown = "" if finding.value is None else secrets.text(told(finding.value))
    return FindingEntry(
        id=finding.id,
        endpoint=finding.endpoint,
        kind="",
        scenario="",
        reason=writable(visible(secrets.text(finding.says))),
        recorded=RecordedFinding(
            pointer=writable(secrets.text(finding.pointer)),
            value=writable(shown if len(shown) <= MOST_VALUE else f"{shown[:MOST_VALUE]}…"),
            instead=writable(visible(secrets.text(finding.instead))),
            times=finding.times,
            entries=_spots(finding.spots, secrets),
        ),
    )


def _spots(spots: Iterable[Spot], secrets: Secrets) -> list[SpotEntry]:
    return [
        SpotEntry(file=secrets.text(spot.origin.file), entry=spot.origin.entry, time=spot.started) for spot in spots
    ]


# -- an exchange that shows it -------------------------------------------------------------------------------------


def _example(call: Call, secrets: Secrets) -> Counterexample:
    """The call and its answer for a report, with every secret blotted out, also those that nobody has learnt."""
    wire = secrets.without(call)
    request, response = request_of(wire, secrets.redactor), response_of(wire, secrets.redactor)
    if isinstance(call.exchange.request.body, Missing):
        request["body"] = UNTOLD
    if call.answer is None:
        response = {"status": UNTOLD if isinstance(call.exchange.response, Missing) else "no answer"}
    elif isinstance(call.answer.body, Missing):
        response["body"] = UNTOLD
    return Counterexample(
        request=writable(request), response=writable(response), curl=writable(_curl(call, wire, secrets))
    )


def _curl(call: Call, wire: WireExchange, secrets: Secrets) -> str:
    if isinstance(call.exchange.request.body, Missing) or not isinstance(call.endpoint, Endpoint):
        return ""
    if not urlsplit(call.url).netloc:
        return ""
    return as_curl(wire, secrets.redactor)
