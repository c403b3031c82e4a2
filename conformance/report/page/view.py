"""From a certificate to what its page shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import PRINTED_CONTRADICTIONS, READINGS
from conformance.contract.rules import Level, catalogue
from conformance.i18n.messages import mark, tr
from conformance.report.page import words
from conformance.report.page.example import Example, Reason, example_of, reason_of
from conformance.report.page.matrix import COLUMNS, Cell, row_of
from conformance.report.rulebook import expected
from conformance.report.summary import covered
from conformance.report.symbols import RUN_SYMBOLS, SYMBOLS
from conformance.verdict.certificate import Certificate, RuleEntry
from conformance.verdict.verdicts import RuleVerdict, kinds_tried

UNKNOWN: Final = mark("not in this suite's catalogue")
"""What is said of a rule that only another version of the suite knows."""

MOST_SPENDERS: Final = 8

UNDECIDED: Final = (RuleVerdict.INCONCLUSIVE, RuleVerdict.WAIVED, RuleVerdict.NOT_EXERCISED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingView:
    """A reading that the run followed."""

    id: str
    value: str
    others: tuple[str, ...]
    """What it could have been."""
    known_how: str
    disagreement: str
    rules: tuple[str, ...]
    """What it bears on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """All that the page tells of one rule."""

    id: str
    area: str
    statement: str
    level: Level
    verdict: RuleVerdict
    symbol: str
    source: str
    expected: str
    needs: tuple[str, ...]
    endpoints: tuple[tuple[str, list[str]], ...]
    """Where it applies, and what was seen there."""
    seen: list[str]
    requests: int
    client_errors: int
    reading: ReadingView | None
    reason: Reason
    kinds: KindsView | None
    example: Example | None
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class KindsView:
    """The kinds of a rule's faults; `earlier` and `left` are those that this run did not try."""

    words: str
    tried: list[str]
    earlier: list[str]
    left: list[str]


@dataclass(frozen=True, slots=True)
class Tile:
    """How many rules have a verdict."""

    verdict: RuleVerdict
    symbol: str
    required: int
    recommended: int
    later: int
    """Those added after the version of the contract that was asked for."""

    @property
    def total(self) -> int:
        """Those of all levels."""
        return self.required + self.recommended + self.later


@dataclass(frozen=True, slots=True)
class Spender:
    """A rule among those that spent most; `share` is in percent of the one that spent most."""

    rule: RuleView
    share: float


@dataclass(frozen=True, slots=True)
class Budget:
    """What the run took. `spent` is in percent of the budget, None where there is none."""

    most: int | None
    spent: float | None
    spenders: list[Spender]
    elsewhere: int
    """Client errors of no rule: logging in, probing, clearing away."""


@dataclass(frozen=True, slots=True)
class Shared:
    """The rules of one verdict that share a reason."""

    reason: str
    rules: list[RuleView]


@dataclass(frozen=True, slots=True)
class Undecided:
    """The rules of one verdict, by their reasons."""

    verdict: RuleVerdict
    symbol: str
    total: int
    reasons: list[Shared]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that the page shows, besides what the certificate itself says of the run."""

    certificate: Certificate
    digest: str
    symbol: str
    colour: RuleVerdict
    meaning: str
    next_step: str
    started: datetime
    finished: datetime
    """In UTC."""
    duration: str
    covered: str
    """How many kinds of faults were tried."""
    tiles: list[Tile]
    budget: Budget
    areas: list[tuple[str, list[RuleView]]]
    failures: list[RuleView]
    undecided: list[Undecided]
    remarks: list[RuleView]
    """Rules that passed, of which there is something to say all the same: a stale waiver."""
    columns: tuple[Endpoint, ...]
    readings: list[ReadingView]
    contradictions: tuple[str, ...]

    @property
    def rules(self) -> list[RuleView]:
        """All rules, area by area."""
        return [rule for _, rules in self.areas for rule in rules]

    @property
    def later(self) -> int:
        """How many rules came after the version of the contract that was asked for."""
        return sum(rule.level is Level.LATER for rule in self.rules)


def view_of(certificate: Certificate) -> View:
    """What the page of this certificate shows."""
    readings = [_reading(certificate, reading) for reading in certificate.readings]
    by_id = {reading.id: reading for reading in readings}
    rules = [_rule(entry, certificate.target.base_url, by_id) for entry in certificate.rules]
    failures = [rule for rule in rules if rule.verdict is RuleVerdict.FAIL]
    seconds = (certificate.finished_at - certificate.started_at).total_seconds()
    return View(
        certificate=certificate,
        digest=certificate.digest or "",
        symbol=RUN_SYMBOLS[certificate.verdict],
        colour=words.RUN_COLOURS[certificate.verdict],
        meaning=words.meaning(certificate),
        next_step=tr(words.NEXT_STEPS[certificate.verdict]),
        started=certificate.started_at.astimezone(UTC),
        finished=certificate.finished_at.astimezone(UTC),
        duration=words.duration(seconds),
        covered=covered(certificate),
        tiles=[_tile(verdict, rules) for verdict in RuleVerdict],
        budget=_budget(certificate, rules),
        areas=_by_area(rules),
        failures=sorted(failures, key=lambda rule: rule.level is not Level.REQUIRED),
        undecided=[part for verdict in UNDECIDED if (part := _undecided(verdict, rules)).total],
        remarks=[rule for rule in rules if rule.verdict is RuleVerdict.PASS and _is_remark(rule)],
        columns=COLUMNS,
        readings=readings,
        contradictions=PRINTED_CONTRADICTIONS,
    )


def _rule(entry: RuleEntry, base_url: str, readings: dict[str, ReadingView]) -> RuleView:
    rule = catalogue().rules.get(entry.id)
    labels = [endpoint.label for endpoint in rule.endpoints] if rule else []
    labels += [label for label in entry.endpoints if label not in labels]
    reason = reason_of(entry.reason)
    return RuleView(
        id=entry.id,
        area=rule.area if rule else mark("others"),
        statement=entry.statement,
        level=entry.level,
        verdict=entry.verdict,
        symbol=SYMBOLS[entry.verdict],
        source=rule.source if rule else tr(UNKNOWN),
        expected=expected(rule) if rule else tr(UNKNOWN),
        needs=rule.needs if rule else (),
        endpoints=tuple((label, words.seen(**entry.endpoints.get(label, {}))) for label in labels),
        seen=words.seen(entry.accepted, entry.refused, entry.checked),
        requests=entry.requests,
        client_errors=entry.client_errors,
        reading=readings.get(rule.reading or "") if rule else None,
        reason=reason,
        kinds=_kinds(entry),
        example=example_of(entry.counterexample, reason) if entry.counterexample else None,
        cells=row_of(entry, base_url),
    )


def _kinds(entry: RuleEntry) -> KindsView | None:
    if entry.kinds is None:
        return None
    left = [kind for kind in entry.kinds.left if kind not in entry.kinds.earlier]
    words = kinds_tried(len(entry.kinds.tried), len(entry.kinds.left), len(entry.kinds.earlier))
    return KindsView(words, entry.kinds.tried, list(entry.kinds.earlier), left)


def _is_remark(rule: RuleView) -> bool:
    """Whether what is said of a rule that passed is more than how many kinds were tried."""
    return bool(rule.reason.whole) and (rule.kinds is None or rule.reason.whole != rule.kinds.words)


def _reading(certificate: Certificate, reading_id: str) -> ReadingView:
    known, value = READINGS.get(reading_id), certificate.readings[reading_id]
    how = certificate.readings_from.get(reading_id)
    return ReadingView(
        id=reading_id,
        value=value,
        others=tuple(other for other in known.values if other != value) if known else (),
        known_how=words.KNOWN_HOW[how] if how else mark("not said"),
        disagreement=known.disagreement if known else UNKNOWN,
        rules=tuple(rule.id for rule in catalogue().rules.values() if rule.reading == reading_id),
    )


def _tile(verdict: RuleVerdict, rules: Iterable[RuleView]) -> Tile:
    levels = [rule.level for rule in rules if rule.verdict is verdict]
    return Tile(verdict, SYMBOLS[verdict], *(levels.count(level) for level in Level))


def _budget(certificate: Certificate, rules: Sequence[RuleView]) -> Budget:
    most, spent = certificate.target.error_budget, certificate.traffic.client_errors
    dearest = sorted((rule for rule in rules if rule.client_errors), key=lambda rule: -rule.client_errors)
    return Budget(
        most=most,
        spent=min(100.0, round(100 * spent / most, 1)) if most else None,
        spenders=[
            Spender(rule, round(100 * rule.client_errors / dearest[0].client_errors, 1))
            for rule in dearest[:MOST_SPENDERS]
        ],
        elsewhere=max(0, spent - sum(rule.client_errors for rule in rules)),
    )


def _by_area(rules: Iterable[RuleView]) -> list[tuple[str, list[RuleView]]]:
    found: dict[str, list[RuleView]] = {}
    for rule in rules:
        found.setdefault(rule.area, []).append(rule)
    return list(found.items())


def _undecided(verdict: RuleVerdict, rules: Iterable[RuleView]) -> Undecided:
    alike: dict[str, list[RuleView]] = {}
    for rule in rules:
        if rule.verdict is verdict:
            alike.setdefault(rule.reason.whole, []).append(rule)
    shared = [Shared(reason, found) for reason, found in alike.items()]
    return Undecided(verdict, SYMBOLS[verdict], sum(len(one.rules) for one in shared), shared)
