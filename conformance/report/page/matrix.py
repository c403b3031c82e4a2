"""Rules by endpoints: what was seen of each rule where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from conformance.contract.endpoints import Endpoint, endpoint_of
from conformance.contract.rules import catalogue
from conformance.i18n.messages import mark, tr
from conformance.report.page.words import seen
from conformance.report.symbols import SYMBOLS
from conformance.verdict.certificate import RuleEntry
from conformance.verdict.verdicts import RuleVerdict

COLUMNS: Final = tuple(Endpoint)


@dataclass(frozen=True, slots=True)
class Cell:
    """A rule at an endpoint. `kind` is `away` where the rule does not apply, `broken` where the counterexample shows it, `idle`
    where the rule has a verdict from elsewhere, else the rule's verdict."""

    kind: str
    symbol: str
    text: str
    counts: tuple[str, ...] = ()


AWAY: Final = mark("does not apply")


def row_of(entry: RuleEntry, base_url: str) -> list[Cell]:
    """The cells of a rule, in the sequence of COLUMNS."""
    rule = catalogue().rules.get(entry.id)
    documented = {endpoint.label for endpoint in rule.endpoints} if rule else entry.endpoints.keys()
    broken = broken_at(entry, base_url)
    return [_cell(entry, endpoint, broken, applies=endpoint.label in documented) for endpoint in COLUMNS]


def broken_at(entry: RuleEntry, base_url: str) -> Endpoint | None:
    """The endpoint at which the counterexample shows the rule broken, if it is a documented one."""
    if entry.counterexample is None or entry.verdict not in {RuleVerdict.FAIL, RuleVerdict.WAIVED}:
        return None
    request = entry.counterexample.request
    try:
        path = urlsplit(str(request.get("url", ""))).path.removeprefix(urlsplit(base_url).path.rstrip("/"))
    except ValueError:  # a URL that a fault has spoilt
        return None
    return endpoint_of(str(request.get("method", "")), path)


def _cell(entry: RuleEntry, endpoint: Endpoint, broken: Endpoint | None, *, applies: bool) -> Cell:
    counts = tuple(seen(**entry.endpoints.get(endpoint.label, {})))
    if endpoint is broken:
        return Cell("broken", SYMBOLS[entry.verdict], tr("broken here"), counts)
    if not applies and not counts:
        return Cell("away", "—", tr(AWAY))
    if broken is not None or (entry.verdict is RuleVerdict.PASS and not counts):
        return Cell("idle", "", "" if counts else tr("nothing counted"), counts)
    return Cell(str(entry.verdict), SYMBOLS[entry.verdict], "" if counts else tr(entry.verdict), counts)
