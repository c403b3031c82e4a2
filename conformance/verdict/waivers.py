"""Waivers: failures that are known and accepted for a time (TOML: rule, reason, until)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from enum import StrEnum
from pathlib import Path

from conformance.contract.rules import catalogue
from conformance.errors import CannotRun
from conformance.verdict.verdicts import RuleResult, RuleVerdict, Waiver

__all__ = ["Waiver", "WaiverStatus", "load_waivers", "waive", "waiver_status_of"]


class WaiverStatus(StrEnum):
    """What a waiver is worth on a day, to a rule with a verdict."""

    VALID = "valid"
    """The rule fails, and may."""
    EXPIRED = "expired"
    STALE = "stale"
    """The rule passes."""
    IDLE = "idle"
    """Whether the rule fails is not known."""


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """The waivers of a file. Raises CannotRun that names file, entry and remedy."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CannotRun(f"{path}: cannot be read as waivers: {error}") from None
    unknown = document.keys() - {"waivers"}
    if unknown:
        raise CannotRun(f"{path}: {', '.join(sorted(unknown))}: unknown; write each waiver as a [[waivers]] table")
    rows = document.get("waivers", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CannotRun(f"{path}: waivers must be an array of tables; write each waiver as a [[waivers]] table")
    waivers = tuple(_waiver(row, f"{path}: waivers[{number}]") for number, row in enumerate(rows))
    if len({waiver.rule for waiver in waivers}) != len(waivers):
        raise CannotRun(f"{path}: a rule is waived twice; keep one entry for each")
    return waivers


def _waiver(row: dict[str, object], where: str) -> Waiver:
    unknown = row.keys() - {"rule", "reason", "until"}
    if unknown:
        raise CannotRun(f"{where}.{min(unknown)}: a waiver has rule, reason and until, and nothing else")
    rule, reason, until = row.get("rule"), row.get("reason"), row.get("until")
    if not isinstance(rule, str) or rule not in catalogue().rules:
        raise CannotRun(f"{where}.rule: {rule!r} is no rule; `koncili-conformance rules` lists them")
    if not isinstance(reason, str) or not reason.strip():
        raise CannotRun(f"{where}.reason: say in words why {rule} may fail")
    if type(until) is not date:
        raise CannotRun(f"{where}.until: give the last day as a TOML date such as 2026-12-31, without quotes")
    return Waiver(rule, reason, until)


def waiver_status_of(verdict: RuleVerdict, waiver: Waiver, today: date) -> WaiverStatus:
    """What the waiver is worth today to a rule that a certificate gave that verdict."""
    if verdict is RuleVerdict.PASS:
        return WaiverStatus.STALE
    if today > waiver.until:
        return WaiverStatus.EXPIRED
    return WaiverStatus.VALID if verdict in {RuleVerdict.FAIL, RuleVerdict.WAIVED} else WaiverStatus.IDLE


def waive(results: Iterable[RuleResult], waivers: Iterable[Waiver], today: date) -> list[RuleResult]:
    """The results with waived failures marked. An expired waiver no longer counts; one that is not needed is stale."""
    by_rule = {waiver.rule: waiver for waiver in waivers}
    return [_waived(result, by_rule.get(result.rule.id), today) for result in results]


def _waived(result: RuleResult, waiver: Waiver | None, today: date) -> RuleResult:
    if waiver is None:
        return result
    if result.verdict is RuleVerdict.PASS:
        return replace(result, reason=f"stale waiver: the rule passes, remove it ({waiver.reason})")
    if result.verdict is not RuleVerdict.FAIL:
        return result
    if today > waiver.until:
        return replace(result, reason=f"{result.reason} [waiver expired on {waiver.until}]")
    reason = f"waived until {waiver.until}: {waiver.reason}"
    return replace(result, verdict=RuleVerdict.WAIVED, reason=reason, waiver=waiver)
