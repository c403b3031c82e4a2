"""`koncili-conformance gate` as a user meets it: exit codes and words."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conformance import __version__
from conformance.cli import main
from conformance.contract.rules import catalogue
from conformance.mock.target import mock_target_table, to_toml
from conformance.report.gate_words import DECISIONS, WORDS, found_in_words, remedy_in_words
from conformance.verdict.certificate import SCHEMA
from conformance.verdict.gate_case import WEIGHTS, Check, Found, Result
from conformance.verdict.signature import SignatureState
from conformance.verdict.verdicts import Kinds, RuleVerdict, RunVerdict
from tests.suite.support.command_runs import COMMAND, Run, certify
from tests.suite.support.gate_cases import CLOCK, REQUIRED, Document, document, sealed

FAIL, SKIP, UNKNOWN = RuleVerdict.FAIL, RuleVerdict.NOT_EXERCISED, RuleVerdict.INCONCLUSIVE
ONE, TWO, THREE = REQUIRED[:3]
FINISHED = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
LATER = f"{FINISHED.date() + timedelta(days=90)}"


@dataclass(frozen=True)
class Gate:
    """A directory from which the gate is asked."""

    directory: Path

    def file(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return path

    def certificate(self, written: Document, name: str = "certificate.json") -> Path:
        return self.file(name, json.dumps(written))

    def ask(self, *options: object, of: Document | None = None) -> tuple[int, str]:
        """Exit code and output."""
        path = self.certificate(document(finished=FINISHED) if of is None else of)
        done = CliRunner().invoke(main, ["gate", str(path), *map(str, options)])
        return done.exit_code, done.output

    def waiver(self, rule: str, until: str) -> Path:
        return self.file(
            "waivers.toml", f'[[waivers]]\nrule = "{rule}"\nreason = "ticket 4711"\nuntil = {until}\nwhole = true\n'
        )

    def target(self, **changes: str) -> Path:
        """A target file whose credentials nobody has set."""
        credentials = {"email_env": "KONCILI_NOT_SET_EMAIL", "password_env": "KONCILI_NOT_SET_PASSWORD"}
        table = mock_target_table("https://koncili.example") | {"name": "ours", "environment": "sandbox"}
        table["readings"] = {}
        return self.file("target.toml", to_toml(table | {"pace": "documented", "credentials": credentials} | changes))


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def made(verdicts: dict[str, RuleVerdict] | None = None, **changes: Any) -> Document:
    """A certificate of a run that ended an hour ago."""
    return document(verdicts, **{"finished": FINISHED, **changes})


def make(verdicts: dict[str, RuleVerdict] | None = None, **changes: Any) -> Callable[[], Document]:
    """The same, made where it is looked at: every process of a test run has the table of cases."""
    return partial(made, verdicts, **changes)


def test_a_sound_certificate_passes_with_a_line_for_each_check(gate: Gate) -> None:
    code, output = gate.ask()
    lines = output.splitlines()
    ours = (catalogue(), f"{FINISHED:%Y-%m-%d %H:%M:%S} UTC")
    assert code == 0
    assert lines == [
        f"✓ certificate  {SCHEMA}, written by version {__version__} of the suite",
        "✓ digest       the content is what was written; this finds accidents and careless edits, and only a signature stops "
        "somebody who recomputes it",
        "- files        it tells of none beside it",
        f"✓ rules        all {len(ours[0].rules)} of the catalogue, each once; the verdict follows from theirs",
        "- signature    none was asked for (--allowed-signers FILE does)",
        f"✓ age          of {ours[1]}, at most 7 days old",
        f"✓ contract     {ours[0].version}, as this suite has it",
        "- proof        it tells of none, and none was asked for (--require-proof does)",
        "- target       ours (https://koncili.example, sandbox); none was asked for (--target FILE or --environment does)",
        "✓ readings     found out by probing, other than by default: extract-types = portal",
        "✓ profile      certification",
        "- coverage     it does not say which kinds of faults were tried, as an older suite wrote it",
        "- waivers      none",
        "- skips        no rule was skipped but by choice or for what no live endpoint can show",
        "✓ verdict      conformant: every required rule was seen to hold",
        "",
        "PASSES: the deployment may go on (exit code 0)",
    ]


TWO_OF_THREE = Kinds(("a", "b"), ("c",))

CASES: list[tuple[Callable[[], Document], str, int, list[str]]] = [
    (make({ONE: FAIL}), "", 1, [
        f"✗ verdict      nonconformant; required rules that fail: 1 of {len(REQUIRED)}",
        f"    ✗ {ONE} fail: why it is fail",
        "REFUSED: required rules are broken (exit code 1)",
        "  verdict: mend the target (the certificate has a counterexample of each, with curl lines) and certify again",
    ]),
    (make({ONE: SKIP, TWO: SKIP}), "", 2, [
        f"✗ verdict      partial; required rules that were not exercised: 2 of {len(REQUIRED)}",
        f"    ○ 2 rules not-exercised: {CLOCK}\n      {ONE}, {TWO}\n",
        "REFUSED: not all that is asked for was seen to hold (exit code 2)",
        "  verdict: give the target what these rules need and certify again, or take it as it is: --accept-partial",
    ]),
    (make({ONE: SKIP, TWO: SKIP}), "--accept-partial", 0, [
        f"✓ verdict      partial, and accepted as such; required rules that were not exercised: 2 of {len(REQUIRED)}",
        f"    ○ 2 rules not-exercised: {CLOCK}\n      {ONE}, {TWO}\n",
        "PASSES: the deployment may go on (exit code 0)",
    ]),
    (make({ONE: UNKNOWN}), "--accept-partial", 2, ["✗ verdict      inconclusive; of", f"    ? {ONE} inconclusive: why"]),
    (make({"REC-10": FAIL}), "", 0, ["    ✗ REC-10 fail (recommended, never decides): why it is fail"]),
    (make(profile="smoke"), "", 3, [
        "✗ profile      smoke, and at least certification is asked for", "  profile: certify with --profile certification;",
        "REFUSED: nothing is decided before this is put right (exit code 3)",
    ]),
    (make(kinds=TWO_OF_THREE), "", 0, ["- coverage     2 of 3 kinds of faults were tried (66.6 %); no more was asked"]),
    (make(kinds=TWO_OF_THREE), "--min-coverage 66.6%", 0, ["✓ coverage     2 of 3 kinds of faults were tried (66.6 %)"]),
    (make(kinds=TWO_OF_THREE), "--min-coverage 67", 2, [
        "✗ coverage     2 of 3 kinds of faults were tried (66.6 %), and at least 67 % is asked for",
        "REFUSED: not all that is asked for was seen to hold (exit code 2)",
        "  coverage: certify again: the next runs try what is left, and `certify --complete` goes on until every kind was tried",
    ]),
    (make(), "--readings strict", 0, ["✓ readings     found out by probing, other than by default: extract-types = portal"]),
    (make(), "--min-coverage 1", 3, ["✗ coverage     it does not say which", "  coverage: certify again with this version"]),
    (make(profile="smoke"), "--profile smoke", 0, ["✓ profile      smoke"]),
    (make(), "--max-age 59m", 3, ["✗ age          of", "UTC; with --max-age 59 min it counted until", "  age: certify again"]),
    (make(), "--max-age 1d", 0, ["at most 1 day old"]),
    (make(), "--max-age 36h", 0, ["at most 36 h old"]),
    (make(finished=FINISHED + timedelta(hours=2)), "", 3, ["✗ age          of", "which here is still to come"]),
    (make(environment="mock"), "", 0, ["- target       ours (https://koncili.example), the suite's own MOCK: this says nothing"]),
    (make(environment="mock"), "--environment sandbox", 3, [
        "✗ target       its environment is mock, and --environment asks for sandbox", "  target: certify the target that is",
    ]),
    (make(), "--environment sandbox --target-name ours --base-url HTTPS://Koncili.example:443/", 0, [
        "✓ target       ours (https://koncili.example, sandbox), as asked",
    ]),
    (make(), "--target-name another", 3, ["✗ target       its name is ours, and --target-name asks for another"]),
    (make(), "--base-url https://x:y@koncili.example", 3, ["✗ target       --base-url: must hold no user name or password"]),
    (make({ONE: FAIL, TWO: SKIP}, profile="smoke"), "--max-age 1s --environment mock", 3, [
        "✗ age ", "✗ target ", "✗ profile ", "✗ verdict      nonconformant",
        "  age: ", "  target: ", "  profile: ", "  verdict: ",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("certificate", "options", "code", "words"), CASES, ids=range(len(CASES)))
def test_certificates_and_options(
    certificate: Callable[[], Document], options: str, code: int, words: Iterable[str], gate: Gate
) -> None:
    ended, output = gate.ask(*options.split(), of=certificate())
    assert ended == code, output
    assert [each for each in words if each not in output] == [], output


def test_a_skip_is_let_through_where_a_file_states_it(gate: Gate) -> None:
    certificate = made({TWO: SKIP})
    next(entry for entry in certificate["rules"] if entry["id"] == TWO)["reason"] = (
        "needs fixtures.x in the target file"
    )
    certificate = sealed(certificate)
    code, output = gate.ask("--accept-partial", of=certificate)
    assert code == 2
    assert (
        f"✗ skips        required rules that were not exercised, and nobody said that they need not be: {TWO}" in output
    )
    stated = gate.file("expect.toml", f'[not_exercised]\n{TWO} = "no such account there"\n')
    code, output = gate.ask("--accept-partial", "--expect", stated, of=certificate)
    assert (code, f"- skips        {TWO} need not be exercised: no such account there" in output) == (0, True)
    code, output = gate.ask("--expect", stated)
    assert (code, f"✗ skips        {TWO} was to be skipped (no such account there), and was not" in output) == (3, True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[not_exercised]\nORD-99 = "why"', "not_exercised names ORD-99, which is no rule"),
        ('[not_exercised]\nORD-04 = " "', "not_exercised must say in words why ORD-04 is not exercised"),
        ("not_exercised = 3", "not_exercised must be a table"),
        ('[skips]\nORD-04 = "why"', "must hold the table [not_exercised] and nothing else"),
        ("[[", "cannot be read"),
    ],
)
def test_what_is_wrong_in_a_file_of_skips_is_named(text: str, words: str, gate: Gate) -> None:
    code, output = gate.ask("--expect", gate.file("expect.toml", text))
    assert (code, words in output) == (3, True), output


def test_gating_twice_says_the_same(gate: Gate) -> None:
    for certificate in (made(), made({ONE: FAIL, TWO: SKIP})):
        assert gate.ask(of=certificate) == gate.ask(of=certificate)


# -- edited certificates -------------------------------------------------------------------------------------------


def test_an_edited_certificate_is_refused_with_the_remedy(gate: Gate) -> None:
    edited = {**made({ONE: FAIL}), "verdict": "conformant"}
    code, output = gate.ask(of=edited)
    assert code == 3
    stated, actual = edited["digest"][:19], sealed(edited)["digest"][:19]
    assert (
        f"✗ digest       the content was changed after it was written: its digest is {actual}..., and it says {stated}"
        in output
    )
    assert "✗ rules        the certificate says conformant, but nonconformant follows from its rules" in output
    assert (
        output.count("  digest, rules: take the file as the run left it (never mend one by hand), or certify again\n")
        == 1
    )


def test_words_of_a_certificate_can_not_act_on_a_terminal_or_pass_for_lines_of_ours(gate: Gate) -> None:
    certificate = made({ONE: FAIL})
    entry = next(entry for entry in certificate["rules"] if entry["id"] == ONE)
    entry["reason"] = "\x1b[2Jcleared\n✓ verdict      conformant\u202e" + "x" * 1000
    _, output = gate.ask(of=sealed(certificate))
    (line,) = [line for line in output.splitlines() if line.startswith(f"    ✗ {ONE} fail")]
    assert line.startswith(rf"    ✗ {ONE} fail: \x1b[2Jcleared ✓ verdict conformant\u202exx")
    assert len(line) < 450
    assert "\x1b" not in output


@pytest.mark.parametrize(
    ("text", "words"), [("{}", "is no certificate"), ("{", "is not JSON"), (None, "there is no such")]
)
def test_what_is_no_certificate_is_refused_and_named(text: str | None, words: str, gate: Gate) -> None:
    path = gate.directory / "certificate.json"
    if text is not None:
        path.write_text(text)
    waivers = gate.file("waivers.toml", "[[")
    done = CliRunner().invoke(main, ["gate", str(path), "--waivers", str(waivers)])
    assert done.exit_code == 3
    assert f"✗ certificate  {path}: {words}" in done.output
    assert f"✗ waivers      {waivers}: cannot be read as waivers" in done.output
    assert "  waivers: mend the waivers file" in done.output


# -- target files, waivers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "✓ target       ours (https://koncili.example, sandbox), as asked"),
        ({"name": "theirs"}, "its name is ours, and --target {path} asks for theirs"),
        ({"environment": "production"}, "its environment is sandbox, and --target {path} asks for production"),
        (
            {"base_url": "https://b.example"},
            "its base_url is https://koncili.example, and --target {path} asks for https://b",
        ),
        ({"integrator": "x"}, "✗ target       {path}: integrator is not a UUID"),
    ],
)
def test_a_target_file_says_what_must_have_been_tested(changes: dict[str, str], words: str, gate: Gate) -> None:
    path = gate.target(**changes)
    code, output = gate.ask("--target", path)
    assert code == (3 if changes else 0), output
    assert words.format(path=path) in output


@pytest.mark.parametrize(
    ("verdict", "until", "code", "words"),
    [
        (FAIL, LATER, 0, [
            f"✓ waivers      {ONE} may fail until {LATER}: ticket 4711", f"but for what is waived: {ONE}",
        ]),
        (FAIL, "2020-01-31", 1, [
            f"✗ waivers      {ONE} fails, and its waiver expired: it counted until 2020-01-31 (ticket 4711)",
            f"  waivers: mend what breaks {ONE}, or agree on a new date and give it with --waivers FILE",
        ]),
        (RuleVerdict.PASS, LATER, 3, [
            f"✗ waivers      {ONE} passes: its waiver until {LATER} (ticket 4711) is stale",
            f"  waivers: take the waiver of {ONE} out of the file",
        ]),
        (UNKNOWN, "2020-01-31", 3, [f"✗ waivers      {ONE} is inconclusive, and its waiver expired"]),
        (SKIP, LATER, 2, [f"- waivers      {ONE} might fail until {LATER} (ticket 4711), but is not-exercised"]),
    ],
)  # fmt: skip
def test_waivers(verdict: RuleVerdict, until: str, code: int, words: Iterable[str], gate: Gate) -> None:
    ended, output = gate.ask("--waivers", gate.waiver(ONE, until), of=made({ONE: verdict}))
    assert ended == code, output
    assert [each for each in words if each not in output] == [], output


# -- signatures ----------------------------------------------------------------------------------------------------


def test_a_signature_is_demanded_where_signers_are_named(gate: Gate) -> None:
    key, allowed = str(gate.directory / "key"), gate.directory / "allowed_signers"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    allowed.write_text(f"ci@koncili.example {Path(f'{key}.pub').read_text()}")
    code, output = gate.ask("--allowed-signers", allowed)
    assert code == 3
    assert f"✗ signature    {gate.directory / 'certificate.json.sig'}: there is no such signature" in output
    assert (
        "  signature: sign the certificate where it was made: ssh-keygen -Y sign -f KEY -n koncili-conformance"
        in output
    )

    signing = ["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "koncili-conformance"]
    subprocess.run([*signing, str(gate.certificate(made()))], check=True)
    code, output = gate.ask("--allowed-signers", allowed)
    assert code == 0, output
    assert "✓ signature    good, of ci@koncili.example, with ED25519 key SHA256:" in output
    code, output = gate.ask("--allowed-signers", allowed, "--signer", "lead@koncili.example")
    assert code == 3
    assert "but that is not lead@koncili.example's in" in output
    assert "certificate.json.sig is there, but none was asked for" in gate.ask()[1]

    forged = sealed({**made({ONE: FAIL}), "verdict": "nonconformant", "seed": 7})
    code, output = gate.ask("--allowed-signers", allowed, of=forged)
    assert code == 3
    assert "✓ digest " in output
    assert "certificate.json.sig: not a signature of this content: Signature verification failed" in output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--signer", "ci@koncili.example"], "--signer needs --allowed-signers FILE"),
        (["--allowed-signers", "allowed", "--signer", ""], "--signer is empty"),
    ],
)
def test_a_signer_needs_a_name_and_a_list(options: list[str], words: str, gate: Gate) -> None:
    code, output = gate.ask(*options)
    assert code == 3
    assert words in output


# -- what changed --------------------------------------------------------------------------------------------------


def test_what_changed_since_the_baseline_is_told_and_decides_nothing(gate: Gate) -> None:
    older = FINISHED - timedelta(days=30)
    baseline = gate.certificate(document({ONE: FAIL, TWO: SKIP}, finished=older, profile="deep"), "baseline.json")
    code, output = gate.ask("--baseline", baseline, of=made({TWO: FAIL, THREE: SKIP, REQUIRED[3]: UNKNOWN}))
    assert code == 1
    start = output.index("since the baseline")
    assert output[start:].splitlines()[:6] == [
        f"since the baseline of {older:%Y-%m-%d %H:%M:%S} UTC:",
        "  ! its profile was deep, and is certification",
        f"  ✗ newly failing: {TWO}",
        f"  ? newly inconclusive: {REQUIRED[3]}",
        f"  ○ newly not exercised: {THREE}",
        f"  ✓ newly passing: {ONE}",
    ]


def test_a_baseline_that_changes_nothing_or_can_not_be_trusted_is_called_so(gate: Gate) -> None:
    code, output = gate.ask("--baseline", gate.certificate(made(), "baseline.json"))
    assert (code, "  no rule has another verdict" in output) == (0, True)
    code, output = gate.ask("--baseline", gate.directory / "none.json")
    assert (code, "baseline: nothing to compare with: " in output) == (0, True)
    edited = {**made(finished=FINISHED + timedelta(minutes=1)), "seed": 8}
    code, output = gate.ask("--baseline", gate.certificate(edited, "baseline.json"))
    assert code == 0
    assert "  ! it is later than the certificate" in output
    assert "  ! it is not to be trusted: digest: the content was changed" in output


def test_rules_that_came_and_went_are_told(gate: Gate) -> None:
    before = made()
    before["rules"][0]["id"] = "OLD-01"
    _, output = gate.ask("--baseline", gate.certificate(sealed(before), "baseline.json"))
    assert (
        f"  + new in the catalogue: {next(iter(catalogue().rules))}\n  - no more in the catalogue: OLD-01\n" in output
    )


# -- for machines, for terminals -----------------------------------------------------------------------------------


def test_json_says_the_same_for_machines(gate: Gate) -> None:
    baseline = gate.certificate(made(), "baseline.json")
    code, output = gate.ask("--format", "json", "--baseline", baseline, of=made({ONE: FAIL}))
    said = json.loads(output)
    assert (code, said["exitCode"], said["decision"]) == (1, 1, "nonconformant")
    assert said["certificate"] == str(gate.directory / "certificate.json")
    assert [check["check"] for check in said["checks"]] == list(Check)
    assert said["checks"][-1]["result"] == "refused"
    assert said["checks"][-1]["kind"] == "nonconformant"
    assert said["rules"] == [{"level": "required", "verdict": "fail", "reason": "why it is fail", "rules": [ONE]}]
    assert said["changes"]["newly"]["fail"] == [ONE]
    assert said["changes"]["since"] == FINISHED.isoformat()


def test_json_is_json_whatever_could_not_be_read(gate: Gate) -> None:
    code, output = gate.ask("--format", "json", "--waivers", gate.directory / "none.toml", of={})
    said = json.loads(output)
    assert (code, said["decision"], said["changes"]) == (3, "undecided", None)
    assert [(check["check"], check["kind"]) for check in said["checks"]] == [
        ("certificate", "unread"),
        ("waivers", "unread"),
    ]
    _, output = gate.ask("--format", "json", "--baseline", gate.directory / "none.json")
    assert "there is no such certificate" in json.loads(output)["changes"]["unread"]


@pytest.mark.parametrize(("no_colour", "coloured"), [("", True), ("1", False)])
def test_a_terminal_gets_colours_unless_it_wants_none(no_colour: str, coloured: bool, gate: Gate) -> None:
    path = gate.certificate(made())
    ours, theirs = pty.openpty()
    environment = {**os.environ, "NO_COLOR": no_colour, "TERM": "xterm"}
    subprocess.run([COMMAND, "gate", path], stdout=theirs, check=True, env=environment)
    os.close(theirs)
    shown = os.read(ours, 100_000)
    os.close(ours)
    assert (b"\x1b[32m" in shown) is coloured
    assert "✓".encode() in shown


def test_every_kind_of_refusal_says_what_to_do_and_nothing_else_does() -> None:
    class Anything(dict[str, object]):
        def __missing__(self, name: str) -> str:
            return f"<{name}>"

    refused = {key for key, (_, remedy) in WORDS.items() if remedy}
    fine = {"read", "right", "whole", "not-compared", "not-asked", "not-looked-at", "good", "fresh", "same", "mock", "enough",
            "untold", "alone", "not-asked-with-earlier", "enough-with-earlier", "default", "probed", "told", "stated",
            "hindered", "recorded", "later", "conformant-recorded",
            "none", "valid", "idle", "conformant", "conformant-waived", "partial-accepted"}  # fmt: skip
    assert {kind for check, kind in WORDS.keys() - refused} == fine
    assert {kind for check, kind in WORDS if check is Check.SIGNATURE} == set(SignatureState)
    assert {kind for check, kind in WORDS if check is Check.VERDICT} >= set(RunVerdict)
    assert set(DECISIONS) == set(WEIGHTS)
    empty = Found(Check.RULES, "missing", Result.REFUSED, 3, {"rules": ["A", "B"]})
    assert found_in_words(empty) == "missing: A, B"
    assert remedy_in_words(empty)


# -- a real run ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def waived(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of two rules, one of them broken and waived."""
    directory = tmp_path_factory.mktemp("waived")
    waivers = directory / "waivers.toml"
    waivers.write_text('[[waivers]]\nrule = "ORD-04"\nreason = "ticket 4711"\nuntil = 2099-12-31\nwhole = true\n')
    rules = ("--rule", "ORD-04", "--rule", "ORD-05")
    return certify(
        directory / "reports", *rules, "--defect", "ord-04-not-enforced", "--waivers", str(waivers), "--long-waivers"
    )


def test_what_certify_writes_the_gate_takes(waived: Run) -> None:
    """All of it, but that rules were left out."""
    assert waived.code == 2, waived.output
    path = waived.reports / "certificate.json"
    done = CliRunner().invoke(main, ["gate", str(path), "--accept-partial", "--environment", "mock"])
    assert done.exit_code == 2, done.output
    assert done.output.count("✗") == 1
    assert "required rules were left out by choice" in done.output
    assert "✓ waivers      ORD-04 may fail until 2099-12-31: ticket 4711" in done.output
    assert "rules not-exercised: not selected" in done.output


def test_a_seed_that_no_digest_can_hold_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    run = certify(tmp_path, "--rule", "ORD-05", "--seed", str(2**53))
    assert run.code == 3
    assert "--seed: 9007199254740992 is too large to be written down; give one of up to 9007199254740991" in run.errors
