"""What the gate decided, in words: line by line for people, or as JSON for machines."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import click

from conformance.escaping import line
from conformance.i18n.formats import instant, number
from conformance.i18n.messages import ENGLISH, language, mark, ntr, speaking, tr
from conformance.i18n.sentences import said
from conformance.planning.show import span
from conformance.verdict.changes import Changes
from conformance.verdict.gate_case import Check, Decision, Found, Group, Result
from conformance.verdict.verdicts import RuleVerdict

MOST_OF_A_REASON: Final = 400
"""So many characters of a reason are told; the certificate has the rest."""

WIDTH: Final = 118

DAY_SECONDS: Final = 86_400

_AS_WRITTEN: Final = "take the file as the run left it (never mend one by hand), or certify again"

_TRIED: Final = "{tried} of {of} kinds of faults were tried ({percent} %)"
_TRIED_EARLIER: Final = (
    "{tried} of {of} kinds of faults were tried, and {earlier} more by earlier runs since {since} ({percent} %)"
)
_MORE_KINDS: Final = (
    "certify again: the next runs try what is left, and `certify --complete` goes on until every kind was tried"
)

_PROVE: Final = "run `koncili-conformance prove` with the suite that certifies, whole, and certify again"

WORDS: Final[Mapping[tuple[Check, str], tuple[str, str]]] = MappingProxyType(
    {
        (Check.CERTIFICATE, "read"): ("{schema}, written by version {suite} of the suite", ""),
        (Check.CERTIFICATE, "of-an-integration"): (
            "it is of an integration's recorded calls, and says nothing of an endpoint",
            "give the certificate of `koncili-conformance certify`, or ask for this one by --kind integration",
        ),
        (Check.CERTIFICATE, "of-an-endpoint"): (
            "it is of an endpoint, and says nothing of an integration's calls",
            "give the certificate of `koncili-conformance audit`, or leave out --kind integration",
        ),
        (Check.CERTIFICATE, "unread"): ("{why}", "nothing else could be looked at; mend this first"),
        (Check.DIGEST, "right"): (
            "the content is what was written; this finds accidents and careless edits, and only a signature stops somebody "
            "who recomputes it",
            "",
        ),
        (Check.DIGEST, "missing"): (
            "there is none: an older suite wrote this, or somebody took it out",
            "certify again with this version of the suite",
        ),
        (Check.DIGEST, "wrong"): (
            "the content was changed after it was written: its digest is {actual:.19}..., and it says {stated:.19}...",
            _AS_WRITTEN,
        ),
        (Check.DIGEST, "impossible"): ("the content is none that a run writes: {why}", _AS_WRITTEN),
        (Check.FILES, "same"): ("{files} beside it, of the same run", ""),
        (Check.FILES, "absent"): (
            "{files} of its run is not beside it, or can't be read: nobody can see what the verdicts rest on",
            "keep what a run leaves together; or --alone, where only the certificate is kept",
        ),
        (Check.FILES, "alone"): ("{files} of its run is not beside it, as asked (--alone)", ""),
        (Check.FILES, "none"): ("it tells of none beside it", ""),
        (Check.FILES, "other"): (
            "{files} beside it is of another run, or was changed since",
            "keep what a run leaves together, as it left it",
        ),
        (Check.RULES, "whole"): ("all {count} of the catalogue, each once; the verdict follows from theirs", ""),
        (Check.RULES, "not-compared"): ("each once, and the verdict follows; their catalogue is not this suite's", ""),
        (Check.RULES, "twice"): ("more than once: {rules}", _AS_WRITTEN),
        (Check.RULES, "unseen"): ("said to pass, but nothing was seen of them: {rules}", _AS_WRITTEN),
        (Check.RULES, "undated"): ("waived without saying until when: {rules}", _AS_WRITTEN),
        (Check.RULES, "verdict"): ("the certificate says {stated}, but {follows} follows from its rules", _AS_WRITTEN),
        (Check.RULES, "missing"): ("missing: {rules}", _AS_WRITTEN),
        (Check.RULES, "unknown"): ("not in the catalogue: {rules}", _AS_WRITTEN),
        (Check.RULES, "level"): ("required or recommended otherwise than in the catalogue: {rules}", _AS_WRITTEN),
        (Check.SIGNATURE, "not-asked"): ("none was asked for (--allowed-signers FILE does)", ""),
        (Check.SIGNATURE, "not-looked-at"): (
            "{path} is there, but none was asked for (--allowed-signers FILE does)",
            "",
        ),
        (Check.SIGNATURE, "good"): ("good, of {signer}, with {key}", ""),
        (Check.SIGNATURE, "missing"): (
            "{path}: there is no such signature",
            "sign the certificate where it was made: ssh-keygen -Y sign -f KEY -n koncili-conformance CERTIFICATE",
        ),
        (Check.SIGNATURE, "no-list"): (
            "{allowed}: the list of allowed signers cannot be read",
            "give a file with a line for each signer: NAME, and the public key as in id_ed25519.pub",
        ),
        (Check.SIGNATURE, "no-tool"): ("ssh-keygen is not installed", "install OpenSSH (Debian: openssh-client)"),
        (Check.SIGNATURE, "bad"): (
            "{path}: not a signature of this content: {said}",
            "sign the certificate as the run left it, with -n koncili-conformance",
        ),
        (Check.SIGNATURE, "unknown"): (
            "good, with {key}, but that is nobody's in {allowed}: {said}",
            "let somebody in the list sign, or enter this key there if you know whose it is",
        ),
        (Check.SIGNATURE, "somebody-elses"): (
            "good, with {key}, but that is not {signer}'s in {allowed}: {said}",
            "let {signer} sign, or ask for another with --signer",
        ),
        (Check.AGE, "fresh"): ("of {finished}, at most {most} old", ""),
        (Check.AGE, "old"): ("of {finished}; with --max-age {most} it counted until {until}", "certify again"),
        (Check.AGE, "future"): (
            "of {finished}, which here is still to come",
            "set the clock of this machine, or of the one that certified, and certify again",
        ),
        (Check.CONTRACT, "unread"): ("{why}", "name one of these, or none for the newest"),
        (Check.CONTRACT, "same"): ("{version}, as this suite has it", ""),
        (Check.CONTRACT, "later"): ("added after {version}, and not scored: {rules}", ""),
        (Check.CONTRACT, "another"): (
            "certified by {version} ({sha256:.12}), and {own_version} ({own_sha256:.12}) is decided by",
            "ask the gate for {version} (--contract {version}), or certify again with --contract {own_version}",
        ),
        (Check.CONTRACT, "other"): (
            "{version} ({sha256:.12}), where this suite has {own_version} ({own_sha256:.12})",
            "certify again with this suite, or ask the gate of the one that wrote it (version {suite})",
        ),
        (Check.PROOF, "none"): ("it tells of none, and none was asked for (--require-proof does)", ""),
        (Check.PROOF, "not-asked"): (
            "{sensitivity} defects caught, {specificity} variants passed, of {finished}; none asked for (--require-proof does)",
            "",
        ),
        (Check.PROOF, "whole"): (
            "{sensitivity} defects caught, {specificity} variants passed, of {finished}, by the same code",
            "",
        ),
        (Check.PROOF, "missing"): (
            "it tells of none: nobody can see what the suite that made it catches",
            "run `koncili-conformance prove` with the suite that certifies (its proof.json lies in --reports, or is named by "
            "--proof FILE), and certify again",
        ),
        (Check.PROOF, "other"): ("it is of another state of the suite than certified", _PROVE),
        (Check.PROOF, "other-file"): (
            "proof.json beside it is not the one that it tells of",
            "keep what a run leaves together, as it left it; or certify again",
        ),
        (Check.PROOF, "not-whole"): (
            "{sensitivity} defects were caught and {specificity} variants passed: not all, or not all were run",
            _PROVE,
        ),
        (Check.PROOF, "too-little"): ("it was proved with the profile {profile} only", _PROVE),
        (Check.PROOF, "future"): (
            "of {finished}, which here is still to come",
            "set the clock of this machine, or of the one that proved, and prove again",
        ),
        (Check.PROOF, "old"): ("of {finished}, and at most {most} old is asked for (--max-proof-age)", _PROVE),
        (Check.TARGET, "unread"): ("{why}", "mend the option or the target file"),
        (Check.TARGET, "same"): ("{name} ({base_url}, {environment}), as asked", ""),
        (Check.TARGET, "mock"): (
            "{name} ({base_url}), the suite's own MOCK: this says nothing of any real endpoint (--environment sandbox "
            "would refuse it)",
            "",
        ),
        (Check.TARGET, "not-asked"): (
            "{name} ({base_url}, {environment}); none was asked for (--target FILE or --environment does)",
            "",
        ),
        (Check.TARGET, "other"): (
            "its {what} is {stated}, and {option} asks for {wanted}",
            "certify the target that is to be deployed to, and give that certificate",
        ),
        (Check.PROFILE, "recorded"): ("none: recorded calls were judged, nothing was sent", ""),
        (Check.COVERAGE, "recorded"): ("none: recorded calls were judged, no fault was tried", ""),
        (Check.PROFILE, "enough"): ("{stated}", ""),
        (Check.PROFILE, "too-little"): (
            "{stated}, and at least {least} is asked for",
            "certify with --profile {least}; where less is enough, say so to the gate with --profile",
        ),
        (Check.COVERAGE, "not-asked"): (f"{_TRIED}; no more was asked for (--min-coverage PERCENT does)", ""),
        (Check.COVERAGE, "not-asked-with-earlier"): (
            f"{_TRIED_EARLIER}; no more was asked for (--min-coverage PERCENT does)",
            "",
        ),
        (Check.COVERAGE, "enough"): (_TRIED, ""),
        (Check.COVERAGE, "enough-with-earlier"): (_TRIED_EARLIER, ""),
        (Check.COVERAGE, "too-little"): (f"{_TRIED}, and at least {{least}} % is asked for", _MORE_KINDS),
        (Check.COVERAGE, "too-little-with-earlier"): (
            f"{_TRIED_EARLIER}, and at least {{least}} % is asked for",
            _MORE_KINDS,
        ),
        (Check.COVERAGE, "untold"): (
            "it does not say which kinds of faults were tried, as an older suite wrote it",
            "",
        ),
        (Check.COVERAGE, "unknown"): (
            "it does not say which kinds of faults were tried, as an older suite wrote it, and at least {least} % is asked for",
            "certify again with this version of the suite",
        ),
        (Check.READINGS, "default"): ("where the documents disagree it was read as the suite does by default", ""),
        (Check.READINGS, "probed"): ("found out by probing, other than by default: {readings}", ""),
        (Check.READINGS, "told"): (
            "the target file chose, other than by default: {readings}; rules were judged by that",
            "",
        ),
        (Check.READINGS, "chosen"): (
            "the target file chose, other than by default: {readings}",
            "take them out of [readings] and certify again: what is not stated is found out by probing, or the default",
        ),
        (Check.READINGS, "other"): (
            "the run had other readings than the target file states: {readings}",
            "certify again with this target file",
        ),
        (Check.READINGS, "missing"): ("missing: {readings}", _AS_WRITTEN),
        (Check.SKIPS, "unread"): ("{why}", "mend the file of --expect"),
        (Check.SKIPS, "recorded"): ("rules that no recorded call is about hinder nothing, and need no statement", ""),
        (Check.SKIPS, "none"): ("no rule was skipped but by choice or for what no live endpoint can show", ""),
        (Check.SKIPS, "stated"): ("{rule} need not be exercised: {reason}", ""),
        (Check.SKIPS, "exercised"): (
            "{rule} was to be skipped ({reason}), and was not",
            "take {rule} out of [not_exercised]: it would hide it the next time",
        ),
        (Check.SKIPS, "unstated"): (
            "required rules that were not exercised, and nobody said that they need not be: {rules}",
            "give the target what these rules need (their reasons are below) and certify again; what it can't show is stated "
            "with its reason in the table [not_exercised] of the target file or of --expect FILE",
        ),
        (Check.WAIVERS, "unread"): ("{why}", "mend the waivers file"),
        (Check.WAIVERS, "none"): ("none", ""),
        (Check.WAIVERS, "valid"): ("{rule} may fail until {until}: {reason} (covers {covered})", ""),
        (Check.WAIVERS, "hindered"): (
            "{hindered} may stay inconclusive until {until}, since {rule} stands in its way: {reason}",
            "",
        ),
        (Check.WAIVERS, "short"): (
            "{rule} fails by more than its waiver covers ({covered}): {left}",
            "mend that, or let the waiver's `kinds` name it as the certificate does",
        ),
        (Check.WAIVERS, "idle"): ("{rule} might fail until {until} ({reason}), but is {verdict}", ""),
        (Check.WAIVERS, "stale"): (
            "{rule} passes: its waiver until {until} ({reason}) is stale",
            "take the waiver of {rule} out of the file: it would hide the next failure",
        ),
        (Check.WAIVERS, "expired"): (
            "{rule} fails, and its waiver expired: it counted until {until} ({reason})",
            "mend what breaks {rule}, or agree on a new date and give it with --waivers FILE",
        ),
        (Check.WAIVERS, "expired-idle"): (
            "{rule} is {verdict}, and its waiver expired: it counted until {until} ({reason})",
            "take the waiver of {rule} out of the file, or agree on a new date",
        ),
        (Check.VERDICT, "conformant"): ("conformant: every required rule was seen to hold", ""),
        (Check.VERDICT, "conformant-recorded"): (
            "conformant: {pass} required rules were kept, and {not_exercised} are about calls that were not made",
            "",
        ),
        (Check.VERDICT, "partial-recorded"): (
            "partial; of {required} required rules {not_exercised} are about calls that were not made or can't be judged",
            "record from the beginning, with bodies and times, or take it as it is: --accept-partial",
        ),
        (Check.VERDICT, "inconclusive-recorded"): (
            "inconclusive: no required rule was seen to be kept",
            "record the integration while it works, and audit that",
        ),
        (Check.VERDICT, "nonconformant-recorded"): (
            "nonconformant; required rules that are broken: {fail} of {required}",
            "mend the integration (the certificate has each cause, with the entries that show it) and record it again; what must "
            "be lived with for a time goes into --waivers FILE",
        ),
        (Check.VERDICT, "conformant-waived"): ("conformant, but for what is waived: {waived}", ""),
        (Check.VERDICT, "partial-accepted"): (
            "partial, and accepted as such; required rules that were not exercised: {not_exercised} of {required}",
            "",
        ),
        (Check.VERDICT, "partial-by-choice"): (
            "partial, since required rules were left out by choice: {left_out} of {required}",
            "certify without --rule and other selections: --accept-partial is for what a target can't show",
        ),
        (Check.VERDICT, "partial"): (
            "partial; required rules that were not exercised: {not_exercised} of {required}",
            "give the target what these rules need and certify again, or take it as it is: --accept-partial",
        ),
        (Check.VERDICT, "inconclusive"): (
            "inconclusive; of {required} required rules {inconclusive} are, and {not_exercised} were not exercised",
            "clear what stood in the way of the rules above and certify again",
        ),
        (Check.VERDICT, "nonconformant"): (
            "nonconformant; required rules that fail: {fail} of {required}",
            "mend the target (the certificate has a counterexample of each, with curl lines) and certify again; what must be "
            "lived with for a time goes into --waivers FILE",
        ),
    }
)
"""What was found, and what to do about a refusal, by check and kind."""

DECISIONS: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        0: ("pass", "PASSES: the deployment may go on"),
        1: ("nonconformant", "REFUSED: required rules are broken"),
        2: ("incomplete", "REFUSED: not all that is asked for was seen to hold"),
        3: ("undecided", "REFUSED: nothing is decided before this is put right"),
    }
)
"""By exit code: a word for machines, and for people."""

_SIGNS: Final = {Result.PASSED: ("✓", "green"), Result.REFUSED: ("✗", "red"), Result.NOTED: ("-", None)}

_RULE_SIGNS: Final = {
    RuleVerdict.PASS: "✓",
    RuleVerdict.FAIL: "✗",
    RuleVerdict.NOT_EXERCISED: "○",
    RuleVerdict.INCONCLUSIVE: "?",
    RuleVerdict.WAIVED: "~",
}

_NEWLY: Final = {
    RuleVerdict.FAIL: mark("newly failing"),
    RuleVerdict.INCONCLUSIVE: mark("newly inconclusive"),
    RuleVerdict.NOT_EXERCISED: mark("newly not exercised"),
    RuleVerdict.WAIVED: mark("newly waived"),
    RuleVerdict.PASS: mark("newly passing"),
}


def found_in_words(found: Found) -> str:
    """What a check found."""
    return _filled(tr(WORDS[found.check, found.kind][0]), found.facts)


def remedy_in_words(found: Found) -> str:
    """What to do about a refusal."""
    return _filled(tr(WORDS[found.check, found.kind][1]), found.facts)


def _filled(words: str, facts: Mapping[str, object]) -> str:
    told = {name: _said(value) for name, value in facts.items()}
    if "why" in told:  # the message of an error
        told["why"] = said(told["why"])
    return words.format_map(told)


def _said(value: object) -> str:
    match value:
        case str():
            return clean(value)
        case datetime():
            return _at(value)
        case float() | Decimal():
            return _duration(value) if isinstance(value, float) else number(value, "")
        case [*parts]:
            return ", ".join(map(_said, parts))
        case _:
            return str(value)


def _at(value: datetime) -> str:
    if language() == ENGLISH:
        return value.isoformat(" ", "seconds").replace("+00:00", " UTC")
    return f"{instant(value)} UTC" if value.utcoffset() == timedelta() else instant(value, "%Y-%m-%d %H:%M:%S %z")


def clean(text: str) -> str:
    """The text in one line, without what a terminal or a CI system would act on: a certificate may be anybody's."""
    return line(" ".join(text.split()))


def _duration(seconds: float) -> str:
    days, rest = divmod(seconds, DAY_SECONDS)
    if rest or not days:
        return span(seconds)
    return ntr("{number} day", "{number} days", round(days))


# -- for people ----------------------------------------------------------------------------------------------------


def text(decision: Decision, changes: Changes | str | None) -> Iterable[str]:
    """The decision line by line, in colour: every check, what changed, then what to do. `changes` may be why the baseline
    cannot be read."""
    for found in decision.checks:
        sign, colour = _SIGNS[found.result]
        yield f"{click.style(sign, fg=colour)} {tr(found.check):11}  {found_in_words(found)}"
        if found.check is Check.VERDICT:
            for group in decision.groups:
                yield from _group(group)
    if changes is not None:
        yield ""
        yield from _changes(changes)
    yield ""
    passes = not decision.exit_code
    headline = f"{tr(DECISIONS[decision.exit_code][1])} ({tr('exit code {code}', code=decision.exit_code)})"
    yield click.style(headline, fg="green" if passes else "red", bold=True)
    remedies: dict[str, list[str]] = {}
    for found in decision.refusals:
        remedies.setdefault(remedy_in_words(found), []).append(tr(found.check))
    yield from (f"  {', '.join(dict.fromkeys(checks))}: {remedy}" for remedy, checks in remedies.items())


def _group(group: Group) -> Iterable[str]:
    of_level = "" if group.level == "required" else f" ({tr(group.level)}, {tr('never decides')})"
    rules = group.rules[0] if len(group.rules) == 1 else f"{len(group.rules)} rules"
    reason = said(clean(group.reason).removeprefix(f"{rules}: "))
    if len(reason) > MOST_OF_A_REASON:
        reason = f"{reason[:MOST_OF_A_REASON]}..."
    which = f"{rules} {tr(group.verdict)}"
    if len(group.rules) > 1:
        which = ntr(f"{{number}} rule {group.verdict}", f"{{number}} rules {group.verdict}", len(group.rules))
    yield f"    {_RULE_SIGNS[group.verdict]} {which}{of_level}: {reason}"
    if len(group.rules) > 1:
        yield from _listed("      ", group.rules)


def _listed(head: str, rules: Iterable[str]) -> list[str]:
    """Rules in as many lines as they take."""
    told = textwrap.wrap(f"{head}{_said(list(rules))}", WIDTH, subsequent_indent="      ", drop_whitespace=True)
    return [line(part) for part in told]  # what stood in the middle may begin one now


def _changes(changes: Changes | str) -> Iterable[str]:
    if isinstance(changes, str):
        yield tr("baseline: nothing to compare with: {why}", why=clean(changes))
        return
    yield tr("since the baseline of {since}:", since=_said(changes.since))
    for difference in changes.differences:
        before, after = clean(difference.before), clean(difference.after)
        yield "  ! " + tr(
            "its {what} was {before}, and is {after}", what=tr(difference.what), before=before, after=after
        )
    if changes.is_newer:
        yield "  ! " + tr("it is later than the certificate: what is told as new is old")
    for doubt in changes.doubts:
        yield "  ! " + tr("it is not to be trusted: {why}", why=f"{tr(doubt.check)}: {found_in_words(doubt)}")
    some = [(f"{_RULE_SIGNS[verdict]} {tr(words)}", changes.newly[verdict]) for verdict, words in _NEWLY.items()]
    some += [
        (f"+ {tr('new in the catalogue')}", changes.added),
        (f"- {tr('no more in the catalogue')}", changes.removed),
    ]
    for words, rules in some:
        if rules:
            yield from _listed(f"  {words}: ", rules)
    if not any(rules for _, rules in some):
        yield "  " + tr("no rule has another verdict")


# -- for machines --------------------------------------------------------------------------------------------------


def as_json(certificate: str, decision: Decision, changes: Changes | str | None) -> str:
    """The same as JSON, in English; `certificate` is its path."""
    with speaking(ENGLISH):
        document = _document(certificate, decision, changes)
    return json.dumps(document, indent=2).replace("##", r"#\u0023")  # `##[` is a command wherever it stands in a log


def _document(certificate: str, decision: Decision, changes: Changes | str | None) -> dict[str, Any]:
    return {
        "certificate": certificate,
        "decision": DECISIONS[decision.exit_code][0],
        "exitCode": decision.exit_code,
        "checks": [
            {
                "check": found.check,
                "result": found.result,
                "kind": found.kind,
                "exitCode": found.code,
                "found": found_in_words(found),
                "remedy": remedy_in_words(found),
            }
            for found in decision.checks
        ],
        "rules": [
            {"level": group.level, "verdict": group.verdict, "reason": group.reason, "rules": group.rules}
            for group in decision.groups
        ],
        "changes": _changes_as_json(changes),
    }


def _changes_as_json(changes: Changes | str | None) -> dict[str, Any] | None:
    if changes is None:
        return None
    if isinstance(changes, str):
        return {"unread": changes}
    rules: dict[str, Sequence[str]] = {verdict.value: rules for verdict, rules in changes.newly.items()}
    return {
        "since": changes.since.isoformat(),
        "newly": rules,
        "added": changes.added,
        "removed": changes.removed,
        "differences": [
            {"what": each.what, "before": each.before, "after": each.after} for each in changes.differences
        ],
        "doubts": [found_in_words(doubt) for doubt in changes.doubts],
        "baselineIsNewer": changes.is_newer,
    }
