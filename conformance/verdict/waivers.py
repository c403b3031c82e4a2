"""Waivers: failures that are known and accepted for a time, as a TOML file says.

A waiver names its rule, a reason, its last day (`until`), and what of the rule it covers: `kinds` (kinds of faults, scenarios
or ids of findings, as the certificate has them) or `whole = true`. `hinders` names rules that may stay inconclusive because of
it. `zone` at the head of the file says by whose clock days end.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from conformance.contract.rules import every_rule
from conformance.errors import CannotRun
from conformance.i18n.messages import mark
from conformance.verdict.verdicts import RuleResult, RuleVerdict, Waiver, clock_of

__all__ = ["Waiver", "WaiverStatus", "load_waivers", "waive", "waiver_status_of"]


class WaiverStatus(StrEnum):
    """What a waiver is worth on a day, to a rule with a verdict."""

    VALID = "valid"
    """The rule fails, and may."""
    SHORT = "short"
    """The rule fails by more than it covers."""
    EXPIRED = "expired"
    STALE = "stale"
    """The rule passes."""
    IDLE = "idle"
    """Whether the rule fails is not known."""


LONGEST_DAYS: Final = 180
"""So far ahead a waiver may last, unless somebody asks for longer ones: what nobody looks at again is no exception any more."""


def load_waivers(path: Path, now: datetime, *, long: bool = False) -> tuple[Waiver, ...]:
    """The waivers of a file; `long` ones may last longer than half a year from `now`. Raises CannotRun that names file, entry and
    remedy."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CannotRun(f"{path}: cannot be read as waivers: {error}") from None
    unknown = document.keys() - {"waivers", "zone"}
    if unknown:
        raise CannotRun(f"{path}: {', '.join(sorted(unknown))}: unknown; write each waiver as a [[waivers]] table")
    zone, rows = _zone(path, document.get("zone", "UTC")), document.get("waivers", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CannotRun(f"{path}: waivers must be an array of tables; write each waiver as a [[waivers]] table")
    waivers = tuple(_waiver(row, zone, f"{path}: waivers[{number}]") for number, row in enumerate(rows))
    if len({waiver.rule for waiver in waivers}) != len(waivers):
        raise CannotRun(f"{path}: a rule is waived twice; keep one entry for each")
    latest = (now + timedelta(days=LONGEST_DAYS)).date()
    late = [waiver for waiver in waivers if waiver.until > latest]
    if late and not long:
        raise CannotRun(
            f"{path}: {late[0].rule} is waived until {late[0].until}, more than {LONGEST_DAYS} days ahead;"
            f" give a day up to {latest}, or --long-waivers"
        )
    return waivers


def _zone(path: Path, name: object) -> str:
    try:
        clock_of(str(name))
    except ValueError as error:
        raise CannotRun(f"{path}: zone: {error}") from None
    return str(name)


_KEYS: Final = ("rule", "reason", "until", "kinds", "whole", "hinders")


def _waiver(row: dict[str, Any], zone: str, where: str) -> Waiver:
    unknown = row.keys() - {*_KEYS}
    if unknown:
        raise CannotRun(
            f"{where}.{min(unknown)}: a waiver has {', '.join(_KEYS[:-1])} and {_KEYS[-1]}, and nothing else"
        )
    rule, reason, until = row.get("rule"), row.get("reason"), row.get("until")
    if not _is_rule(rule):
        raise CannotRun(f"{where}.rule: {rule!r} is no rule; `koncili-conformance rules` lists them")
    if not isinstance(reason, str) or not reason.strip():
        raise CannotRun(f"{where}.reason: say in words why {rule} may fail")
    if type(until) is not date:
        raise CannotRun(f"{where}.until: give the last day as a TOML date such as 2026-12-31, without quotes")
    whole, kinds, hinders = row.get("whole", False), row.get("kinds", []), row.get("hinders", [])
    if not isinstance(whole, bool):
        raise CannotRun(f"{where}.whole: write true, without quotes, where all of {rule} may fail")
    if not _are_texts(kinds):
        raise CannotRun(f"{where}.kinds: list in quotes what of {rule} may fail, as the certificate names it")
    if whole == bool(kinds):
        raise CannotRun(
            f"{where}: say what of {rule} may fail, as the certificate names it: kinds = [...]; or whole = true for all of it"
        )
    if not _are_texts(hinders) or not all(_is_rule(one) for one in hinders):
        raise CannotRun(f"{where}.hinders: list the rules that may stay inconclusive because of {rule}")
    return Waiver(str(rule), reason, until, zone, whole, tuple(kinds), tuple(hinders))


def _is_rule(name: object) -> bool:
    return isinstance(name, str) and name in every_rule().rules


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value)


def waiver_status_of(verdict: RuleVerdict, waiver: Waiver, now: datetime) -> WaiverStatus:
    """What the waiver is worth now to its rule, which has that verdict, if it covers all that breaks it."""
    if verdict is RuleVerdict.PASS:
        return WaiverStatus.STALE
    if waiver.is_over(now):
        return WaiverStatus.EXPIRED
    return WaiverStatus.VALID if verdict in {RuleVerdict.FAIL, RuleVerdict.WAIVED} else WaiverStatus.IDLE


def waive(results: Iterable[RuleResult], waivers: Iterable[Waiver], now: datetime) -> list[RuleResult]:
    """The results with waived failures marked, and what they hinder. An expired waiver no longer counts; one that is not needed
    is stale."""
    by_rule = {waiver.rule: waiver for waiver in waivers}
    waived = [_waived(result, by_rule.get(result.rule.id), now) for result in results]
    counting = [result.waiver for result in waived if result.waiver is not None]
    return [_hindered(result, counting) for result in waived]


def _waived(result: RuleResult, waiver: Waiver | None, now: datetime) -> RuleResult:
    if waiver is None:
        return result
    if result.verdict is RuleVerdict.PASS:
        return replace(result, reason=f"stale waiver: the rule passes, remove it ({waiver.reason})")
    if result.verdict is not RuleVerdict.FAIL:
        return result
    if waiver.is_over(now):
        return replace(result, reason=f"{result.reason} [waiver expired on {waiver.until}]")
    left = [one for one in result.findings if not waiver.covers(one.names)]
    if left:
        first, *others = left
        told = mark(
            f"{first.reason} [not waived: {first.what}{f' (and {len(others)} more)' if others else ''}; the waiver covers "
            f"{waiver.covered}]"
        )
        return replace(result, reason=told, finding=first)
    reason = mark(f"waived until {waiver.last_day}: {waiver.reason} (covers {waiver.covered})")
    return replace(result, verdict=RuleVerdict.WAIVED, reason=reason, waiver=waiver)


def _hindered(result: RuleResult, waivers: Iterable[Waiver]) -> RuleResult:
    for waiver in waivers:
        if waiver.lets_be_hindered(result.rule.id, result.hindered_by):
            reason = mark(f"waived until {waiver.last_day} with {waiver.rule}, which stood in the way: {waiver.reason}")
            return replace(result, verdict=RuleVerdict.WAIVED, reason=reason, waiver=waiver)
    return result
