"""In what two certificates differ that saw the same drawn calls, rule by rule: of a target, and of the mock beside it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.verdict.certificate import Certificate, RuleEntry
from conformance.verdict.observed import ObservedEntry, own_form
from conformance.verdict.verdicts import RuleVerdict

STATED_BY: Final[Mapping[str, str]] = {
    Endpoint.CREATE_TOKEN.label: "AUTH-01",
    Endpoint.REFRESH_TOKEN.label: "AUTH-06",
    Endpoint.LIST_ACCOUNTS.label: "ACC-01",
    Endpoint.SUBMIT_ORDER.label: "ORD-01",
    Endpoint.GET_ORDER.label: "QRY-01",
    Endpoint.DELETE_ORDER.label: "DEL-01",
    Endpoint.CREATE_RECONCILIATION.label: "REC-01",
    Endpoint.SUBMIT_RELEASE.label: "REL-01",
}
"""The rule that says that what is right is accepted, by endpoint."""

SHOWN: Final = "QRY-01"
"""The rule about how an order is shown."""

_DECIDED: Final = (RuleVerdict.PASS, RuleVerdict.FAIL)
_AS_SENT: Final = "as it was sent"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which they differ."""

    rule: str
    what: str
    target: str
    mock: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of them, in the order of the catalogue, and the rules about which nothing can be said."""

    differences: tuple[Difference, ...]
    compared: int
    undecided: tuple[str, ...]
    """Rules that only one of the two could decide."""


def compared(target: Certificate, mock: Certificate) -> Comparison:
    """In what the target and the mock differ. Both must have been given the same rules, profile and seed."""
    there = {entry.id: entry for entry in mock.rules}
    pairs = [(entry, there[entry.id]) for entry in target.rules if entry.id in there]
    decided = [pair for pair in pairs if all(_verdict(one) in _DECIDED for one in pair)]
    found = [difference for pair in decided for difference in _verdicts(*pair)]
    if target.observed is not None and mock.observed is not None:
        found += _answers(target.observed, mock.observed, {entry.id for entry, _ in decided})
    order = [entry.id for entry in target.rules]
    undecided = [
        entry.id for entry, other in pairs if (_verdict(entry) in _DECIDED) is not (_verdict(other) in _DECIDED)
    ]
    return Comparison(tuple(sorted(found, key=lambda one: order.index(one.rule))), len(decided), tuple(undecided))


def _verdict(entry: RuleEntry) -> RuleVerdict:
    """A waived rule fails all the same."""
    return RuleVerdict.FAIL if entry.verdict is RuleVerdict.WAIVED and not entry.hindered_by else entry.verdict


def _verdicts(target: RuleEntry, mock: RuleEntry) -> Iterator[Difference]:
    one, other = _verdict(target), _verdict(mock)
    if one is not other:
        yield Difference(target.id, "verdict", *(_with_reason(entry) for entry in (target, mock)))
    elif one is RuleVerdict.FAIL and {each.id for each in target.findings} != {each.id for each in mock.findings}:
        yield Difference(target.id, "what breaks it", *(_with_reason(entry) for entry in (target, mock)))


def _with_reason(entry: RuleEntry) -> str:
    verdict = _verdict(entry)
    return f"{verdict}: {entry.reason}" if verdict is RuleVerdict.FAIL and entry.reason else str(verdict)


def _answers(target: ObservedEntry, mock: ObservedEntry, decided: set[str]) -> Iterator[Difference]:
    for rule in target.refusals.keys() & mock.refusals.keys() & decided:
        one, other = (_listed(each.refusals[rule]) for each in (target, mock))
        if set(target.refusals[rule]) - set(mock.refusals[rule]):
            yield Difference(rule, "refusal", one, other)
    for label in target.statuses.keys() & mock.statuses.keys():
        one, other = (_listed(_accepted(each.statuses[label])) for each in (target, mock))
        if one and other and one != other:
            yield Difference(STATED_BY[label], f"{label} accepted with", one, other)
    for kind in target.forms.keys() & mock.forms.keys():
        one, other = (own_form(kind, each.forms[kind]) for each in (target, mock))
        if one != other:
            yield Difference(SHOWN, f"form of {kind}", one or _AS_SENT, other or _AS_SENT)


def _accepted(statuses: Mapping[str, int]) -> list[str]:
    return [status for status in statuses if status.startswith("2")]


def _listed(texts: Mapping[str, int] | list[str]) -> str:
    return ", ".join(sorted(texts))
