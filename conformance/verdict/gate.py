"""Whether a certificate lets a deployment go on. Pure: what was read and asked comes in, what each check found goes out.

The words for what was found are in conformance/report/gate_words.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from conformance.contract.readings import resolve
from conformance.contract.rules import Catalogue, Kind, Level, Rule, Side
from conformance.profiles import PROFILES
from conformance.verdict.certificate import Certificate, verdict_of
from conformance.verdict.certificate_file import CertificateFile
from conformance.verdict.digest import digest_of
from conformance.verdict.gate_case import (
    GO_ON,
    UNDECIDED,
    Asked,
    Case,
    Check,
    Decision,
    Found,
    Group,
    JudgedRule,
    Result,
)
from conformance.verdict.signature import SignatureState
from conformance.verdict.skips import is_beyond_live
from conformance.verdict.verdicts import EXIT_CODES, RuleVerdict, RunVerdict
from conformance.verdict.waivers import WaiverStatus

CLOCKS_APART_SECONDS: Final = 300
"""So much the clocks of two machines may differ."""


def decide(file: CertificateFile | None, asked: Asked, contract: Catalogue, unread: Mapping[Check, str]) -> Decision:
    """What every check finds. `unread` says of what could not be read why not (CERTIFICATE where there is no `file`): it is
    refused, and the other checks go on."""
    failed = {check: _refused(check, "unread", why=why) for check, why in unread.items()}
    if file is None:
        return Decision(tuple(failed[check] for check in Check if check in failed))
    case = Case.of(file, asked, contract)
    found = tuple(each for check in Check for each in ([failed[check]] if check in failed else CHECKS[check](case)))
    return Decision(found, tuple(_groups(case)))


def unsound(file: CertificateFile) -> tuple[Found, ...]:
    """What says that the file is not what a run wrote, whichever suite's run."""
    found = (*_digest(file), *_follows(file.certificate))
    return tuple(each for each in found if each.result is Result.REFUSED)


def _passed(check: Check, kind: str, **facts: object) -> Found:
    return Found(check, kind, Result.PASSED, GO_ON, facts)


def _noted(check: Check, kind: str, **facts: object) -> Found:
    return Found(check, kind, Result.NOTED, GO_ON, facts)


def _refused(check: Check, kind: str, **facts: object) -> Found:
    return Found(check, kind, Result.REFUSED, UNDECIDED, facts)


# -- the file ------------------------------------------------------------------------------------------------------


def _certificate(case: Case) -> Iterable[Found]:
    suite, kind = case.certificate.suite, case.certificate.kind
    if kind is case.asked.kind:
        yield _passed(Check.CERTIFICATE, "read", schema=case.certificate.schema_, suite=suite.version)
    else:
        yield _refused(Check.CERTIFICATE, f"of-an-{kind}", wanted=case.asked.kind.value)


def _digest(file: CertificateFile) -> Iterable[Found]:
    stated = file.certificate.digest
    try:
        actual = digest_of(file.document)
    except ValueError as error:
        yield _refused(Check.DIGEST, "impossible", why=str(error))
        return
    if stated is None:
        yield _refused(Check.DIGEST, "missing")
    elif stated != actual:
        yield _refused(Check.DIGEST, "wrong", stated=stated, actual=actual)
    else:
        yield _passed(Check.DIGEST, "right")


def _files(case: Case) -> Iterable[Found]:
    """Whether what the run left lies beside the certificate, unchanged."""
    stated, beside = case.certificate.files, case.asked.files
    others = [name for name, digest in stated.items() if beside.get(name) not in {None, digest}]
    absent = [name for name in stated if beside.get(name) is None]
    same = [name for name, digest in stated.items() if beside.get(name) == digest]
    if others:
        yield _refused(Check.FILES, "other", files=others)
    if absent and case.asked.alone:
        yield _noted(Check.FILES, "alone", files=absent)
    elif absent:
        yield _refused(Check.FILES, "absent", files=absent)
    if same and not others:
        yield _passed(Check.FILES, "same", files=same)
    elif not stated:
        yield _noted(Check.FILES, "none", files=[])


def _rules(case: Case) -> Iterable[Found]:
    wrong = [*_follows(case.certificate), *(_differs_from(case.contract, case) if case.is_of_this_contract else [])]
    if wrong:
        yield from wrong
    elif case.is_of_this_contract:
        yield _passed(Check.RULES, "whole", count=len(case.rules))
    else:
        yield _noted(Check.RULES, "not-compared")


def _follows(certificate: Certificate) -> Iterable[Found]:
    """Whether the rules stand each once, and the verdict follows from them."""
    entries = certificate.rules
    twice = [rule for rule, number in Counter(entry.id for entry in entries).items() if number > 1]
    if twice:
        yield _refused(Check.RULES, "twice", rules=twice)
    undated = [entry.id for entry in entries if entry.verdict is RuleVerdict.WAIVED and entry.waiver is None]
    if undated:
        yield _refused(Check.RULES, "undated", rules=undated)
    follows = certificate.follows
    if certificate.verdict is not follows:
        yield _refused(Check.RULES, "verdict", stated=certificate.verdict, follows=follows)


def _differs_from(contract: Catalogue, case: Case) -> Iterable[Found]:
    readings = {**resolve({}), **case.certificate.readings}
    unseen = [
        entry.id
        for entry in case.certificate.rules
        if entry.verdict is RuleVerdict.PASS
        and entry.id in contract.rules
        and not all(getattr(entry, side) for side in _sides(case, contract[entry.id], readings))
    ]
    if unseen:
        yield _refused(Check.RULES, "unseen", rules=unseen)
    stated = {entry.id: entry.level for entry in case.certificate.rules}
    missing = [rule for rule in contract.rules if rule not in stated and rule not in contract.added_later]
    if missing:
        yield _refused(Check.RULES, "missing", rules=missing)
    unknown = [rule for rule, level in stated.items() if rule not in contract.rules and level is not Level.LATER]
    if unknown:
        yield _refused(Check.RULES, "unknown", rules=unknown)
    other = [rule for rule, level in stated.items() if rule in contract.rules and contract[rule].level is not level]
    if other:
        yield _refused(Check.RULES, "level", rules=other)


def _sides(case: Case, rule: Rule, readings: Mapping[str, str]) -> tuple[Side, ...]:
    """The evidence without which a rule can't pass: of recorded calls that some were judged."""
    return (Side.CHECKED,) if case.certificate.kind is Kind.INTEGRATION else rule.sides_under(readings)


def _signature(case: Case) -> Iterable[Found]:
    signature = case.asked.signature
    facts = asdict(signature)
    kind = facts.pop("state").value
    match signature.state:
        case SignatureState.GOOD:
            yield _passed(Check.SIGNATURE, kind, **facts)
        case SignatureState.NOT_ASKED | SignatureState.NOT_LOOKED_AT:
            yield _noted(Check.SIGNATURE, kind, **facts)
        case _:
            yield _refused(Check.SIGNATURE, kind, **facts)


# -- what it is of -------------------------------------------------------------------------------------------------


def _age(case: Case) -> Iterable[Found]:
    finished, most = case.certificate.finished_at, case.asked.max_age
    age = (case.asked.now - finished).total_seconds()
    if age < -CLOCKS_APART_SECONDS:
        yield _refused(Check.AGE, "future", finished=finished)
    elif age > most:
        yield _refused(Check.AGE, "old", finished=finished, until=finished + timedelta(seconds=most), most=most)
    else:
        yield _passed(Check.AGE, "fresh", finished=finished, most=most)


def _contract(case: Case) -> Iterable[Found]:
    stated, own = case.certificate.contract, case.contract
    facts: dict[str, object] = {"version": stated.version, "sha256": stated.sha256}
    if case.is_of_this_contract:
        yield _passed(Check.CONTRACT, "same", **facts)
        yield from _later(case)
    else:
        facts |= {"own_version": own.version, "own_sha256": own.sha256, "suite": case.certificate.suite.version}
        yield _refused(
            Check.CONTRACT,
            "another" if stated.version in own.versions and stated.version != own.version else "other",
            **facts,
        )


def _proof(case: Case) -> Iterable[Found]:
    """Whether the suite that made it was proved, by its own code, wholly and not too long ago."""
    proof, suite, asked = case.certificate.proof, case.certificate.suite, case.asked
    if proof is None:
        yield _refused(Check.PROOF, "missing") if asked.require_proof else _noted(Check.PROOF, "none")
        return
    facts: dict[str, object] = {"sensitivity": str(proof.sensitivity), "specificity": str(proof.specificity)}
    facts |= {"finished": proof.finished_at, "most": asked.max_proof_age, "profile": proof.profile}
    age = (asked.now - proof.finished_at).total_seconds()
    if not asked.require_proof:
        yield _noted(Check.PROOF, "not-asked", **facts)
    elif suite.code is None or proof.code != suite.code:
        yield _refused(Check.PROOF, "other", **facts)
    elif asked.proof_beside not in {None, proof.digest}:
        yield _refused(Check.PROOF, "other-file", **facts)
    elif not proof.is_whole:
        yield _refused(Check.PROOF, "not-whole", **facts)
    elif _is_less(proof.profile, min(case.certificate.profile, PROFILE_OF_PROOFS, key=_order)):
        yield _refused(Check.PROOF, "too-little", **facts)
    elif age < -CLOCKS_APART_SECONDS:
        yield _refused(Check.PROOF, "future", **facts)
    elif age > asked.max_proof_age:
        yield _refused(Check.PROOF, "old", **facts)
    else:
        yield _passed(Check.PROOF, "whole", **facts)


PROFILE_OF_PROOFS: Final = "certification"
"""No more need be proved, whatever was certified."""


def _order(profile: str) -> int:
    return [*PROFILES].index(profile) if profile in PROFILES else len(PROFILES)


def _is_less(profile: str, least: str) -> bool:
    return profile not in PROFILES or _order(profile) < _order(least)


def _later(case: Case) -> Iterable[Found]:
    """What was added after the version that is decided by."""
    later = [f"{one.entry.id} {one.verdict}" for one in case.rules if one.entry.level is Level.LATER]
    if later:
        yield _noted(Check.CONTRACT, "later", version=case.contract.version, rules=later)


def _target(case: Case) -> Iterable[Found]:
    tested = case.certificate.target
    facts = {"name": tested.name, "environment": tested.environment, "base_url": tested.base_url}
    facts |= {"integrator": str(tested.integrator or "none"), "accounts": ", ".join(tested.accounts) or "none"}
    about = case.certificate.about.model_dump() if case.certificate.about else {}
    facts |= {name: about[name] for name in ("owner", "version") if about.get(name)}
    wanted = case.asked.target
    others = [each for each in wanted if facts.get(each.name) != each.value]
    for each in others:
        yield _refused(
            Check.TARGET,
            "other",
            what=each.name,
            stated=facts.get(each.name, "not stated"),
            wanted=each.value,
            option=each.option,
        )
    if wanted and not others:
        yield _passed(Check.TARGET, "same", **facts)
    elif not wanted:
        yield _noted(Check.TARGET, "mock" if tested.environment == "mock" else "not-asked", **facts)


def _readings(case: Case) -> Iterable[Found]:
    stated, how = case.certificate.readings, case.certificate.readings_from
    missing = [name for name in resolve({}) if name not in stated]
    others = {name: value for name, value in resolve({}).items() if name in stated and stated[name] != value}
    chosen = {name: stated[name] for name in others if how.get(name) == "stated"}
    told = [f"{name} = {value}" for name, value in chosen.items()]
    asked = case.asked.readings
    if missing and case.is_of_this_contract:
        yield _refused(Check.READINGS, "missing", readings=missing)
    if asked is not None and (differs := _differing(stated, chosen, asked)):
        yield _refused(Check.READINGS, "other", readings=differs)
    elif case.asked.strict_readings and chosen:
        yield _refused(Check.READINGS, "chosen", readings=told)
    elif chosen:
        yield _noted(Check.READINGS, "told", readings=told)
    else:
        probed = [f"{name} = {stated[name]}" for name in others]
        yield _passed(Check.READINGS, "probed" if probed else "default", readings=probed)


def _differing(stated: Mapping[str, str], chosen: Mapping[str, str], asked: Mapping[str, str]) -> list[str]:
    """The readings that the target file states otherwise than the run had them, and those chosen then that it states no more."""
    return [
        f"{name} = {stated.get(name, 'none')} (now {asked.get(name, 'not stated')})"
        for name in dict.fromkeys([*asked, *chosen])
        if stated.get(name) != asked.get(name)
    ]


def _profile(case: Case) -> Iterable[Found]:
    order, stated, least = list(PROFILES), case.certificate.profile, case.asked.profile
    if case.certificate.kind is Kind.INTEGRATION:
        yield _noted(Check.PROFILE, "recorded")
    elif stated in order and order.index(stated) >= order.index(least):
        yield _passed(Check.PROFILE, "enough", stated=stated)
    else:
        yield _refused(Check.PROFILE, "too-little", stated=stated, least=least)


def _coverage(case: Case) -> Iterable[Found]:
    """What earlier runs tried counts as long as a certificate of them would."""
    least = case.asked.min_coverage
    coverage = case.certificate.coverage(case.asked.now, case.asked.max_age)
    if coverage is None and least is None and case.certificate.kind is Kind.INTEGRATION:
        yield _noted(Check.COVERAGE, "recorded")
        return
    if coverage is None:
        yield _noted(Check.COVERAGE, "untold") if least is None else _refused(Check.COVERAGE, "unknown", least=least)
        return
    facts = {**asdict(coverage), "of": coverage.of, "percent": coverage.percent, "least": least}
    told = "-with-earlier" if coverage.earlier else ""
    if least is None:
        yield _noted(Check.COVERAGE, f"not-asked{told}", **facts)
    elif coverage.percent >= least:
        yield _passed(Check.COVERAGE, f"enough{told}", **facts)
    else:
        yield Found(Check.COVERAGE, f"too-little{told}", Result.REFUSED, EXIT_CODES[RunVerdict.PARTIAL], facts)


# -- what it says --------------------------------------------------------------------------------------------------


def _waivers(case: Case) -> Iterable[Found]:
    waived = [rule for rule in case.rules if rule.waiver is not None]
    if not waived:
        yield _noted(Check.WAIVERS, "none")
    for rule in waived:
        yield _waiver(rule)


def _waiver(rule: JudgedRule) -> Found:
    assert rule.waiver is not None
    waiver = rule.waiver
    facts = {"rule": waiver.rule, "reason": waiver.reason, "until": waiver.last_day, "covered": waiver.covered}
    facts |= {"verdict": rule.entry.verdict}
    match rule.waiver_status:
        case WaiverStatus.VALID if rule.waiver.rule != rule.entry.id:
            found = _passed(Check.WAIVERS, "hindered", **facts, hindered=rule.entry.id)
        case WaiverStatus.VALID:
            found = _passed(Check.WAIVERS, "valid", **facts)
        case WaiverStatus.IDLE:
            found = _noted(Check.WAIVERS, "idle", **facts)
        case WaiverStatus.STALE:
            found = _refused(Check.WAIVERS, "stale", **facts)
        case WaiverStatus.SHORT:
            left = [one.id for one in rule.entry.findings if not rule.waiver.covers(one.names)]
            found = Found(Check.WAIVERS, "short", Result.REFUSED, _code_of(rule), facts | {"left": ", ".join(left)})
        case _ if rule.verdict is RuleVerdict.FAIL:
            found = Found(Check.WAIVERS, "expired", Result.REFUSED, _code_of(rule), facts)
        case _:
            found = _refused(Check.WAIVERS, "expired-idle", **facts)
    return found


def _code_of(broken: JudgedRule) -> int:
    return EXIT_CODES[RunVerdict.NONCONFORMANT] if broken.is_required else UNDECIDED


def _skips(case: Case) -> Iterable[Found]:
    if case.certificate.kind is Kind.INTEGRATION and not case.asked.not_exercised:
        yield _noted(Check.SKIPS, "recorded")
        return
    stated = case.asked.not_exercised
    if stated is None:
        stated = case.certificate.target.not_exercised
    skipped = {rule.entry.id: rule for rule in case.rules if rule.verdict is RuleVerdict.NOT_EXERCISED}
    for rule in (rule for rule in stated if rule not in skipped):
        yield _refused(Check.SKIPS, "exercised", rule=rule, reason=stated[rule])
    unstated = [
        rule.entry.id
        for rule in skipped.values()
        if rule.is_required
        and rule.entry.id not in stated
        and not rule.is_left_out
        and not is_beyond_live(rule.entry.reason)
    ]
    if unstated:
        code = EXIT_CODES[RunVerdict.PARTIAL]
        yield Found(Check.SKIPS, "unstated", Result.REFUSED, code, {"count": len(unstated), "rules": unstated})
    for rule in (rule for rule in stated if rule in skipped):
        yield _noted(Check.SKIPS, "stated", rule=rule, reason=stated[rule])
    if not stated and not unstated:
        yield _noted(Check.SKIPS, "none")


def _verdict(case: Case) -> Iterable[Found]:
    kind = case.certificate.kind
    rules = ((rule.entry.level, rule.verdict, rule.entry.undecided) for rule in case.rules)
    recording = case.certificate.recording
    verdict = verdict_of(kind, rules, unreadable=recording.unreadable if recording else 0)
    told = "-recorded" if kind is Kind.INTEGRATION else ""
    required = [rule for rule in case.rules if rule.is_required]
    ids = {kind: [rule.entry.id for rule in required if rule.verdict is kind] for kind in RuleVerdict}
    facts: dict[str, object] = {kind.name.lower(): len(rules) for kind, rules in ids.items()}
    facts |= {"required": len(required), "waived": ids[RuleVerdict.WAIVED]}
    left_out = [rule.entry.id for rule in required if rule.is_left_out]
    if verdict is RunVerdict.CONFORMANT:
        yield _passed(Check.VERDICT, "conformant-waived" if facts["waived"] else f"{verdict}{told}", **facts)
    elif verdict is RunVerdict.PARTIAL and case.asked.accept_partial and left_out:
        facts |= {"left_out": len(left_out)}
        yield Found(Check.VERDICT, "partial-by-choice", Result.REFUSED, EXIT_CODES[verdict], facts)
    elif verdict is RunVerdict.PARTIAL and case.asked.accept_partial:
        yield _passed(Check.VERDICT, "partial-accepted", **facts)
    else:
        yield Found(Check.VERDICT, f"{verdict}{told}", Result.REFUSED, EXIT_CODES[verdict], facts)


_TOLD: Final[Mapping[Level, Sequence[RuleVerdict]]] = MappingProxyType(
    {
        Level.REQUIRED: (RuleVerdict.FAIL, RuleVerdict.INCONCLUSIVE, RuleVerdict.NOT_EXERCISED),
        Level.RECOMMENDED: (RuleVerdict.FAIL,),
        Level.LATER: (RuleVerdict.FAIL,),
    }
)
"""Of which rules the reasons are told; the waivers tell those of waived ones."""


def _groups(case: Case) -> Iterable[Group]:
    for level, verdicts in _TOLD.items():
        for verdict in verdicts:
            alike: dict[str, list[str]] = {}
            for rule in case.rules:
                if (rule.entry.level, rule.verdict) == (level, verdict):
                    alike.setdefault(rule.entry.reason, []).append(rule.entry.id)
            yield from (Group(level, verdict, reason, tuple(rules)) for reason, rules in alike.items())


CHECKS: Final[Mapping[Check, Callable[[Case], Iterable[Found]]]] = MappingProxyType(
    {
        Check.CERTIFICATE: _certificate,
        Check.DIGEST: lambda case: _digest(case.file),
        Check.FILES: _files,
        Check.RULES: _rules,
        Check.SIGNATURE: _signature,
        Check.AGE: _age,
        Check.CONTRACT: _contract,
        Check.PROOF: _proof,
        Check.TARGET: _target,
        Check.READINGS: _readings,
        Check.PROFILE: _profile,
        Check.COVERAGE: _coverage,
        Check.WAIVERS: _waivers,
        Check.SKIPS: _skips,
        Check.VERDICT: _verdict,
    }
)
