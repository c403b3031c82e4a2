"""The verdicts again, from the exchanges of a run alone: what its HAR holds beside what its certificate says. Pure.

First whether they are the exchanges that were recorded (the certificate has the digest of the file, each entry its number and
digest), then what they say: each refusal and acceptance that is evidence is held against the catalogue anew, and each rule's
counts and verdict must follow from them.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from conformance.contract.readings import resolve
from conformance.contract.rules import Catalogue, Rule, Side
from conformance.verdict.by_itself import OF_BODIES, broken_by
from conformance.verdict.certificate import Certificate, RuleEntry
from conformance.verdict.exchanges import BROKEN, FIELD, digest_of_entry
from conformance.verdict.verdicts import RuleVerdict

MOST_TOLD: Final = 20
"""How many entries that are not as recorded are named."""


@dataclass(frozen=True, slots=True)
class Rejudged:
    """What came of it."""

    entries: int = 0
    evidence: int = 0
    """How many pieces of evidence the entries are."""
    rules: int = 0
    """How many rules' verdicts follow from them."""
    by_itself: int = 0
    """How many pieces of evidence follow from what a call's body breaks by itself, however the entry is marked."""
    elsewhere: dict[str, int] = field(default_factory=dict)
    """By rule: evidence that is in no recorded exchange (notifications, calls past the limits): it can't be judged anew."""
    altered: tuple[str, ...] = ()
    """In what the exchanges are not those of the run."""
    differs: tuple[str, ...] = ()
    """In what the certificate does not follow from them."""

    @property
    def holds(self) -> bool:
        """Whether they are the run's, and the certificate follows from them."""
        return not self.altered and not self.differs


def rejudge(certificate: Certificate, name: str, raw: bytes, contract: Catalogue) -> Rejudged:
    """Judge what the HAR of that name and content says beside a certificate of that contract."""
    altered = [*_file(certificate, name, raw)]
    try:
        log = json.loads(raw)["log"]
        entries = list(log["entries"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return Rejudged(altered=(*altered, f"{name} can't be read: {why}"))
    altered += list(_entries(log, entries, certificate))[:MOST_TOLD]
    marks = list(_marks(entries))
    elsewhere = _elsewhere(log)
    readings, base_path = {**resolve({}), **certificate.readings}, urlsplit(certificate.target.base_url).path
    breaches = {id(entry): broken_by(entry, readings, base_path) for entry in entries}
    differs = [problem for entry, mark in marks if (problem := _wrong(entry, mark, contract, breaches[id(entry)]))]
    differs += list(_accepted(entries, breaches, certificate))[:MOST_TOLD]
    by_itself = sum(breaches[id(entry)] is not None and mark.get("rule") in OF_BODIES for entry, mark in marks)
    by_rule: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for _, mark in marks:
        by_rule[str(mark.get("rule"))][str(mark.get("side"))] += 1
    for (rule, side), count in elsewhere.items():
        by_rule[rule][side] += count
    for rule_entry in certificate.rules:
        differs += _differs(rule_entry, by_rule[rule_entry.id], contract, certificate.readings)
    unseen: Counter[str] = Counter()
    for (rule, _), count in elsewhere.items():
        unseen[rule] += count
    return Rejudged(
        len(entries), len(marks), sum(bool(by_rule[entry.id]) for entry in certificate.rules), by_itself, dict(unseen),
        tuple(altered), tuple(differs),
    )  # fmt: skip


# -- whether they are the run's ------------------------------------------------------------------------------------


def _file(certificate: Certificate, name: str, raw: bytes) -> Iterator[str]:
    stated = certificate.files.get(name)
    if stated is None:
        yield f"the certificate has no digest of {name}: it is of an older suite, or of a run that left none; certify again"
    elif stated != f"sha256:{sha256(raw).hexdigest()}":
        yield f"{name} is not the file that the run wrote: its digest is not the certificate's"


def _entries(log: Mapping[str, Any], entries: list[Any], certificate: Certificate) -> Iterator[str]:
    """Which entries are not as recorded: altered, dropped, doubled, out of order."""
    numbers: list[int] = []
    for place, entry in enumerate(entries, 1):
        own = entry.get(FIELD) if isinstance(entry, dict) else None
        number = own.get("number") if isinstance(own, dict) else None
        if type(number) is not int:
            yield f"entry {place} was not written by the run"
            continue
        if own is None or own.get("digest") != digest_of_entry(entry):
            yield f"entry {place} was altered"
        if numbers and number < numbers[-1]:
            yield f"entry {place} is out of order: it was number {number}"
        numbers.append(number)
    for number, count in Counter(numbers).items():
        if count > 1:
            yield f"the exchange with number {number} stands {count} times"
    own = log.get(FIELD)
    written = own.get("entries") if isinstance(own, dict) else None
    if type(written) is not int:
        yield "it does not say how many entries the run wrote"
    elif missing := written - len({number for number in numbers if 1 <= number <= written}):
        first = next(number for number in range(1, written + 1) if number not in set(numbers))
        yield f"{missing} of {written} exchanges are missing, the first of them number {first}"
    if certificate.traffic.requests != len(entries):
        yield f"it has {len(entries)} entries, where the certificate tells {certificate.traffic.requests} requests"


# -- what they say -------------------------------------------------------------------------------------------------


def _marks(entries: Iterable[Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for entry in entries:
        own = entry.get(FIELD) if isinstance(entry, dict) else None
        evidence = own.get("evidence") if isinstance(own, dict) else None
        for mark in evidence if isinstance(evidence, list) else ():
            if isinstance(mark, dict):
                yield entry, mark


def _elsewhere(log: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    own = log.get(FIELD)
    told = own.get("elsewhere") if isinstance(own, dict) else None
    rows = [row for row in told if isinstance(row, dict)] if isinstance(told, list) else []
    return {
        (str(row.get("rule")), str(row.get("side"))): row["count"]
        for row in rows
        if type(row.get("count")) is int and row["count"] > 0
    }


def _accepted(
    entries: Iterable[Any], breaches: Mapping[int, frozenset[str] | None], certificate: Certificate
) -> Iterator[str]:
    """What was accepted although its body breaks a rule, which the certificate says to hold; whether it is marked so or not."""
    held = {entry.id for entry in certificate.rules if entry.verdict is RuleVerdict.PASS}
    for place, entry in enumerate(entries, 1):
        broken = (breaches[id(entry)] or frozenset()) & OF_BODIES & held
        if broken and is_success(_status(entry)):
            yield f"entry {place} was accepted, and its body breaks {', '.join(sorted(broken))}: the certificate says pass"


def _status(entry: Any) -> Any:
    response = entry.get("response") if isinstance(entry, dict) else None
    return response.get("status") if isinstance(response, dict) else None


def is_success(status: Any) -> bool:
    """Whether it is a 2xx."""
    return type(status) is int and status // 100 == 2  # noqa: PLR2004


def _wrong(
    entry: Mapping[str, Any], mark: Mapping[str, Any], contract: Catalogue, broken: frozenset[str] | None
) -> str:
    """In what an exchange is no evidence of what it stands for; "" where it is. `broken` is what its body breaks by itself."""
    rule = contract.rules.get(str(mark.get("rule")))
    if rule is None:
        return f"evidence of {mark.get('rule')}, which is no rule of this contract"
    response = entry.get("response")
    status = response.get("status") if isinstance(response, dict) else None
    name, scenario, side = rule.id, mark.get("scenario"), mark.get("side")
    where = f"{name}, {scenario}: an exchange stands for {side}"
    if type(status) is not int:
        return f"{where} without a status"
    if broken is not None and rule.id in OF_BODIES and (problem := _by_body(rule.id in broken, mark, status)):
        return f"{where}, and {problem}"
    if side == Side.ACCEPTED and not is_success(status):
        return f"{where}, and was answered {status}"
    if side == Side.REFUSED and not _is_refusal(status, response, rule):
        return f"{where}, and was answered {status}, where {rule.refused} is documented"
    return ""


def _by_body(breaks: bool, mark: Mapping[str, Any], status: int) -> str:  # noqa: FBT001
    """In what a body contradicts what its exchange stands for."""
    match mark.get("side"):
        case Side.REFUSED if not breaks:
            return "its body does not break the rule"
        case Side.ACCEPTED if breaks:
            return "its body breaks the rule"
        case side if side == BROKEN and is_success(status) and not breaks:
            return "it was accepted, and its body does not break the rule"
        case _:
            return ""


def _is_refusal(status: int, response: Any, rule: Rule) -> bool:
    if status not in rule.refused:
        return False
    return not rule.codes or _error_code(response) in rule.codes


def _error_code(response: Mapping[str, Any]) -> Any:
    content = response.get("content")
    try:
        body = json.loads(content["text"]) if isinstance(content, dict) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return body.get("errorCode") if isinstance(body, dict) else None


def _differs(
    entry: RuleEntry, seen: Mapping[str, int], contract: Catalogue, readings: Mapping[str, str]
) -> Iterator[str]:
    """In what an entry of the certificate does not follow from what was seen."""
    rule = entry.id
    for side in Side:
        stated = getattr(entry, side)
        if stated != seen.get(side, 0):
            yield f"{rule}: the certificate counts {stated} {side}, the exchanges {seen.get(side, 0)}"
    broken = bool(seen.get(BROKEN))
    fails = entry.verdict is RuleVerdict.FAIL or (entry.verdict is RuleVerdict.WAIVED and not entry.hindered_by)
    if broken and not fails:
        yield f"{rule}: the certificate says {entry.verdict}, and an exchange shows it broken"
    elif fails and not broken:
        yield f"{rule}: the certificate says {entry.verdict}, and no exchange shows it broken"
    elif entry.verdict is RuleVerdict.PASS and entry.id in contract.rules:
        lacks = [side for side in contract[entry.id].sides_under(readings) if not seen.get(side)]
        if lacks:
            yield f"{rule}: the certificate says pass, and no exchange shows it {' or '.join(lacks)}"
