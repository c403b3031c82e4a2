"""What fails on the way to a live endpoint: whole runs through a layer in which it fails, to verdict, exit code and words."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from conformance.mock.faults import When, always, every, nth, since
from conformance.target.config import load_target
from conformance.target.shared.store import open_store
from tests.suite.support.command_runs import COMMAND, Run, certify, kept_in
from tests.suite.support.stage import quick
from tests.suite.support.stage.bad_answers import BAD_ANSWERS
from tests.suite.support.stage.fault_proxy import FaultProxy, fault_proxy
from tests.suite.support.stage.hurry import hurried
from tests.suite.support.stage.mock import mock, target_file
from tests.suite.support.stage.tls import tls_listener
from tests.suite.support.stage.way import CREATE, DELETE, GET, POST, RELEASE, TOKEN, Stage, plans
from tests.suite.support.watched_command import ROOT

ENDLESS: Final = ("trickle", "endless-headers", "endless-announcements")
"""What ends only because every answer has its time."""

RULES: Final = ("AUTH-01", "ORD-04", "QRY-02", "DEL-01", "REC-01", "REL-01")
"""Enough to call every endpoint."""

PARTIAL, INCONCLUSIVE, NONCONFORMANT, CANNOT_RUN = 2, 2, 1, 3
IMPATIENT: Final = 1.0
"""Seconds that a run waits for an answer where none will come."""

OF_PERIODS: Final = ("REC-01", "REC-03", "REC-04", "REC-05", "REC-09", "REL-01", "REL-03", "WFL-01")
"""These open reconciliations of all lengths."""

ONCE: Final = {TOKEN: nth(2, TOKEN), GET: nth(3, GET), POST: nth(3, POST), DELETE: nth(2, DELETE)} | {
    CREATE: nth(2, CREATE),
    RELEASE: nth(2, RELEASE),
}
"""For each endpoint one of its requests, in the middle of the run."""

EVERYWHERE: Final = tuple(ONCE)
BEYOND_TOKENS: Final = tuple(call for call in ONCE if call != TOKEN)

PASSING: Final[dict[str, tuple[str, ...]]] = {
    "reset-before": EVERYWHERE,
    "reset-after": EVERYWHERE,
    "half-answer": EVERYWHERE,
    "half-headers": EVERYWHERE,
    "delay": EVERYWHERE,
    "silence": (GET, CREATE),
    "not-json-200": EVERYWHERE,
    "html-403": EVERYWHERE,
    "html-503": EVERYWHERE,
    "429": EVERYWHERE,
    "429-retry-after": EVERYWHERE,
    "502": EVERYWHERE,
    "502-after": EVERYWHERE,
    "504": EVERYWHERE,
    "redirect-elsewhere": BEYOND_TOKENS,
    "redirect-same-host": EVERYWHERE,
    "no-token": BEYOND_TOKENS,
    "revoked-token": BEYOND_TOKENS,
    "redirect-login": EVERYWHERE,
    # What can't be read, on a call that is sent again and on one that is not.
    **dict.fromkeys(BAD_ANSWERS, (GET, CREATE)),
}
"""What passes, and on which calls it happens, once on each of them: the verdicts are those of a run without it."""

LOST: Final = ("reset-after", "half-answer", "half-headers", "silence", "502-after", "bad-gzip", "huge", "trickle")
"""What loses the answer to a call that was carried out."""

NOW_AND_THEN: Final = (
    "reset-after",
    "half-answer",
    "not-json-200",
    "html-403",
    "html-503",
    "redirect-elsewhere",
    "redirect-same-host",
    "redirect-login",
    "bad-gzip",
    "cut-chunks",
    "short-length",
)
"""What happens to every seventh request: some rules may stay open, none fails."""

AGAIN: Final = "run again when the (target is up|way to the target is clear)"
PROXY: Final = "is a proxy or a login page in the way, or is the target down?"

UNREADABLE: Final = (INCONCLUSIVE, rf"no answer from .*an answer that can't be read: .*{AGAIN}")

STAYING: Final[dict[str, tuple[int, str]]] = {
    "refuse": (INCONCLUSIVE, rf"no answer from http://127\.0\.0\.1:\d+: .*Connection refused; .*{AGAIN}"),
    "reset-before": (INCONCLUSIVE, rf"no answer from .*Connection reset by peer; .*{AGAIN}"),
    "half-answer": (INCONCLUSIVE, rf"no answer from .*peer closed connection .*{AGAIN}"),
    "silence": (INCONCLUSIVE, rf"no answer from .*timed out; .*{AGAIN}"),
    "not-json-200": (INCONCLUSIVE, rf"200 with a page in place of JSON, each time; {re.escape(PROXY)}"),
    "html-403": (INCONCLUSIVE, rf"403 with a page in place of JSON, each time; {re.escape(PROXY)}"),
    "html-503": (INCONCLUSIVE, rf"503 with a page in place of JSON, each time; {re.escape(PROXY)}"),
    "504": (INCONCLUSIVE, rf"504 with a page in place of JSON, each time; {re.escape(PROXY)}"),
    "429": (INCONCLUSIVE, rf"still 429 after 3 tries; .*{AGAIN}"),
    "429-retry-after": (INCONCLUSIVE, rf"still 429 after 4 tries; .*{AGAIN}"),
    "502": (INCONCLUSIVE, rf"still 502 after 7 tries; .*{AGAIN}"),
    "redirect-elsewhere": (INCONCLUSIVE, r"redirects to localhost, where no token is sent; is base_url right"),
    "redirect-login": (INCONCLUSIVE, rf"302 \(a redirect\), each time; {re.escape(PROXY)}"),
    **dict.fromkeys(("bad-gzip", "bad-header", "unknown-coding"), UNREADABLE),
    "huge": (INCONCLUSIVE, rf"no answer from .*an answer of more than 2 MiB; .*{AGAIN}"),
    "trickle": (INCONCLUSIVE, rf"no answer from .*no whole answer within 1\.5 s; .*{AGAIN}"),
    "redirect-same-host": (INCONCLUSIVE, rf"301 with a page in place of JSON, each time; {re.escape(PROXY)}"),
    "no-token": (
        CANNOT_RUN,
        r"gives no access token for these credentials: 403 .*; check email, password and base_url",
    ),
}
"""What stays from the twentieth request on: the exit code, and what is said in the certificate and on the terminal."""

BLOCK: Final = r"Koncili has blocked this integrator \(423\) until \d{4}-\d\d-\d\d \d\d:\d\d UTC: .*; run again then"

AT_ONCE: Final[dict[str, str]] = {
    "refuse": r"no answer from http://127\.0\.0\.1:\d+: .*Connection refused; is base_url right, and is the target up\?",
    "reset-before": r"no answer from .*Connection reset by peer; is base_url right",
    "half-headers": r"no answer from .*; is base_url right",
    "silence": r"no answer from .*timed out; is base_url right",
    "not-json-200": rf"200 with a page in place of JSON, each time; {re.escape(PROXY)}",
    "html-403": rf"403 with a page in place of JSON, each time; {re.escape(PROXY)}",
    "html-503": rf"503 with a page in place of JSON, each time; {re.escape(PROXY)}",
    "504": rf"504 with a page in place of JSON, each time; {re.escape(PROXY)}",
    "423": BLOCK,
    **dict.fromkeys(("423-cut", "423-bad-gzip", "423-cut-headers", "423-for-ever"), BLOCK),
    "redirect-login": rf"302 \(a redirect\), each time; {re.escape(PROXY)}",
    "junk": r"no answer from .*an answer that can't be read: .*; is base_url right",
    "gzip-bomb": r"no answer from .*an answer of more than 2 MiB; is base_url right",
    "endless-headers": r"no answer from .*no whole answer within 1\.5 s; is base_url right",
    "429": r"still 429 after 3 tries; is base_url right, and is the target up\?",
    "500": r"gives no access token for these credentials: 500 .*; run again when it works",
    "502": r"still 502 after 7 tries; is base_url right, and is the target up\?",
    "redirect-elsewhere": r"redirects to localhost, where no token is sent; is base_url right",
    "redirect-same-host": rf"301 with a page in place of JSON, each time; {re.escape(PROXY)}",
    "no-token": r"gives no access token for these credentials: 403 .*; check email, password and base_url",
    "revoked-token": r"gives no access token for these credentials: 403 .*; check email, password and base_url",
}
"""What happens from the first request on, and what is said: the run can't begin, exit code 3."""


PAGES_OF_ITS_OWN: Final = (
    ("err-01-html-body", "ERR-01", NONCONFORMANT),
    ("err-04-path-200", "ERR-04", INCONCLUSIVE),  # which is recommended only
)
"""Defects of the mock that answer with pages, the rule that each breaks, and the exit code."""


def patience(fault: str) -> float:
    """How long to wait for an answer: not long where none comes."""
    return IMPATIENT if fault in {"silence", *ENDLESS} else quick.PATIENT


def as_without_faults(run: Run) -> None:
    """Every rule that was asked for is passed."""
    assert (run.verdicts("pass"), run.verdicts("fail", "inconclusive")) == (set(RULES), set()), run.output
    assert run.code == PARTIAL
    assert run.certificate["verdict"] == "partial"
    assert "not cleared away" not in run.output


def has_evidence(run: Run) -> None:
    """What passed over the wire is kept."""
    assert json.loads((run.reports / "traffic.har").read_text(encoding="utf-8"))["log"]["entries"]
    assert (run.reports / "summary.md").exists()


def is_cleared_away(layer: FaultProxy, target: Path) -> None:
    """`cleanup` does it, once the way is free."""
    layer.play()
    done = quick.command(target.parent, "cleanup", "--target", str(target))
    assert done.code == 0, done.output + done.errors


def test_a_way_without_faults(stage: Stage, layer: FaultProxy) -> None:
    run = stage.certify(stage.target(layer.base_url), *RULES)
    as_without_faults(run)
    has_evidence(run)


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_changes_no_verdict(stage: Stage, layer: FaultProxy, fault: str) -> None:
    layer.play(*plans(fault, *(ONCE[call] for call in PASSING[fault])))
    run = stage.certify(stage.target(layer.base_url), *RULES, patience=patience(fault))
    as_without_faults(run)
    assert {f"{passed.method} {passed.path}" for passed in layer.log if passed.fault} == set(PASSING[fault])


@pytest.mark.parametrize("seed", range(3))
def test_odd_input_leaves_nothing_that_nobody_can_delete(stage: Stage, layer: FaultProxy, seed: int) -> None:
    """An order is deleted by what a query says, whatever text was taken for its code. Each seed tries other texts."""
    target = stage.target(layer.base_url)
    run = quick.certify(target.parent, "--target", str(target), "--rule", "ERR-02", "--seed", str(seed))
    assert (run.code, run.verdicts("pass")) == (PARTIAL, {"ERR-02"}), run.output
    assert "not cleared away" not in run.output
    assert "nobody can delete" not in run.output


@pytest.mark.parametrize("when", [every(2), every(3), When(after=20, times=4)])
def test_a_token_that_one_machine_does_not_know_changes_no_verdict(stage: Stage, layer: FaultProxy, when: When) -> None:
    """What a fresh token is refused for says nothing of the call."""
    layer.play(*plans("unknown-token", when))
    as_without_faults(stage.certify(stage.target(layer.base_url), *RULES))


def test_tokens_that_no_machine_knows_leave_rules_open(stage: Stage, layer: FaultProxy) -> None:
    layer.play(*plans("unknown-token", since(21)))
    target = stage.target(layer.base_url)
    run = stage.certify(target, *RULES)
    assert (run.code, run.verdicts("fail")) == (INCONCLUSIVE, set()), run.output
    assert re.search(
        "gives a token and refuses it with 403 NO_TOKEN.*: run again when its tokens are taken", run.output
    )
    assert run.certificate["traffic"]["clientErrors"] < 40
    is_cleared_away(layer, target)


@pytest.mark.parametrize("fault", LOST)
def test_a_reconciliation_whose_answer_was_lost_is_found(stage: Stage, layer: FaultProxy, fault: str) -> None:
    """The very first of all: nobody knows yet what ids are like."""
    layer.play(*plans(fault, nth(1, CREATE)))
    run = stage.certify(stage.target(layer.base_url), *RULES, patience=patience(fault))
    as_without_faults(run)
    assert layer.faults() == [fault]
    creations = [passed.status for passed in layer.log if (passed.method, passed.path) == tuple(CREATE.split())]
    if fault != "502-after":
        assert creations[1:3] == [400, 201]  # one there is refused, one elsewhere shows what ids are like


@pytest.mark.parametrize("fault", ["reset-after", "502-after"])
def test_one_that_is_lost_while_the_one_before_may_be_going_on_is_completed(
    stage: Stage, layer: FaultProxy, fault: str
) -> None:
    """It would be waited for in vain: what waits for the one before asks what became of it."""
    layer.play(*plans("still-active", nth(2, CREATE)), *plans(fault, nth(3, CREATE)))
    run = stage.certify(stage.target(layer.base_url), *RULES)
    as_without_faults(run)
    assert layer.faults() == ["still-active", fault]
    assert "waiting" not in run.output


def test_a_period_that_others_have_used_is_left_also_while_one_may_be_going_on(tmp_path: Path) -> None:
    """What earlier runs, of which nothing is known any more, have taken is refused as what is active is."""
    with mock(tmp_path, variant="reconciles-at-once") as running:
        stage = Stage(running, tmp_path)
        first = stage.certify(stage.target(running.base_url), *OF_PERIODS)
        again = stage.certify(stage.target(running.base_url, long_of=stage.targets), *OF_PERIODS)
    assert (again.by_rule, again.verdicts("fail", "inconclusive")) == (first.by_rule, set()), again.output


def test_a_period_that_a_refused_creation_keeps_is_found_where_nothing_tells_what_is_finished(tmp_path: Path) -> None:
    """That the one before may be going on is no excuse: another is opened at once."""
    with mock(tmp_path, defect="rec-09-period-kept") as running, hurried(running):
        target = target_file(tmp_path / "target.toml", running.base_url, fixtures=None, pace="unlimited")
        run = certify(tmp_path / "reports", "--target", str(target), "--rule", "REC-09", "--profile", "smoke")
    assert run.verdicts("fail") == {"REC-09"}, run.output


@pytest.mark.parametrize("fault", NOW_AND_THEN)
def test_what_happens_now_and_then_fails_no_rule(stage: Stage, layer: FaultProxy, fault: str) -> None:
    layer.play(*plans(fault, every(7)))
    target = stage.target(layer.base_url)
    run = stage.certify(target, *RULES)
    assert (run.code, run.verdicts("fail")) == (INCONCLUSIVE, set()), run.output
    if "not cleared away" in run.output:
        is_cleared_away(layer, target)


@pytest.mark.parametrize(
    ("fault", "every_other", "broken"), [("closed-405", False, set()), ("closed-405", True, {"ERR-01"})]
)
def test_who_refuses_orders_for_a_while_may_be_in_maintenance_and_who_refuses_each_at_first_is_not(
    stage: Stage, layer: FaultProxy, fault: str, every_other: bool, broken: set[str]
) -> None:
    """What is sent again is accepted: of each other request that is the second try of one."""
    layer.play(*plans(fault, every(2, POST) if every_other else When(POST, after=4, times=6)))
    run = stage.certify(stage.target(layer.base_url), *RULES, "ORD-01", "ERR-01")
    assert (run.verdicts("fail"), run.verdicts("inconclusive")) == (broken, set()), run.output


@pytest.mark.parametrize("fault", STAYING)
def test_what_stays_leaves_rules_open(stage: Stage, layer: FaultProxy, fault: str) -> None:
    code, says = STAYING[fault]
    layer.play(*plans(fault, since(20)))
    target = stage.target(layer.base_url)
    run = stage.certify(target, *RULES, patience=patience(fault))
    assert (run.code, run.verdicts("fail")) == (code, set()), run.output
    assert (run.certificate["verdict"], "AUTH-01" in run.verdicts("pass")) == ("inconclusive", True)
    reasons = {rule: run.entry(rule)["reason"] for rule in run.verdicts("inconclusive")}
    assert [rule for rule, reason in reasons.items() if not re.search(says, reason)] == []
    assert re.search(says, run.output)
    assert "harness error" not in run.output
    has_evidence(run)
    if fault == "refuse":
        layer.listen()
    if stage.left():
        assert re.search(r"not cleared away: \d+ orders of this run", run.output)
        assert f"`koncili-conformance cleanup --target {target}` tries again" in run.output
        is_cleared_away(layer, target)


@pytest.mark.parametrize("fault", AT_ONCE)
def test_what_is_in_the_way_from_the_start(stage: Stage, layer: FaultProxy, fault: str) -> None:
    layer.play(*plans(fault, always()))
    run = stage.certify(stage.target(layer.base_url), *RULES, patience=patience(fault))
    assert run.code == CANNOT_RUN
    assert all(line.startswith("waiting ") for line in run.output.splitlines())
    assert re.search(f"^koncili-conformance: .*{AT_ONCE[fault]}", run.errors)


@pytest.mark.parametrize("fault", ["423", "silence", "redirect-elsewhere"])
def test_what_comes_between_the_checks_and_the_scenarios(stage: Stage, layer: FaultProxy, fault: str) -> None:
    """The second token of a run is asked for when pytest has begun; before that come the first, and the accounts."""
    layer.play(*plans(fault, since(3)))
    run = stage.certify(stage.target(layer.base_url), *RULES, patience=patience(fault))
    assert run.code == CANNOT_RUN
    assert re.search(AT_ONCE[fault], run.output)
    assert not (run.reports / "certificate.json").exists()


BLOCKING: Final = [("423", POST), ("423-cut", CREATE), ("423-bad-gzip", RELEASE), ("423-cut-headers", DELETE)]
"""How it is told, and to which call: deletions are what is cleared away by."""


@pytest.mark.parametrize(("fault", "call"), BLOCKING)
def test_a_block_ends_the_run_and_keeps_the_next_from_beginning(
    stage: Stage, layer: FaultProxy, fault: str, call: str
) -> None:
    layer.play(*plans(fault, ONCE[call]))
    target = stage.target(layer.base_url)
    run = stage.certify(target, *RULES)
    assert (run.code, run.verdicts("fail"), layer.log[-1].status) == (CANNOT_RUN, set(), 423)
    assert re.search(f"stopped: {AT_ONCE['423']}", run.output)
    assert all(re.search(AT_ONCE["423"], run.entry(rule)["reason"]) for rule in run.verdicts("inconclusive"))
    has_evidence(run)
    sent = len(layer.log)
    again = stage.certify(target, *RULES)
    assert (again.code, len(layer.log)) == (CANNOT_RUN, sent)
    assert re.search(f"^koncili-conformance: {AT_ONCE['423']}", again.errors)
    store = open_store(load_target(target))
    store.put("blocked-until", "0")  # when that time has come
    store.close()
    is_cleared_away(layer, target)


@pytest.mark.parametrize(("way", "processes"), [("workers", 2), ("plain pytest", 1)])
def test_a_block_ends_every_kind_of_run_with_3(stage: Stage, layer: FaultProxy, way: str, processes: int) -> None:
    """And whatever comes after it, without a request."""
    layer.play(*plans("423-cut", since(40)))
    target = stage.target(layer.base_url)
    environment = {**os.environ, **kept_in(target.parent / "state")}
    if way == "workers":
        command = [str(COMMAND), "certify", "--target", str(target), "--profile", "smoke", "--workers", "2"]
        command += ["--no-html", "--reports", str(target.parent / "reports")]
    else:
        command = [sys.executable, "-m", "pytest", "tests/certification", "-q", "--koncili-target", str(target)]
        command += ["--koncili-profile", "smoke", "--koncili-no-html", "-p", "no:cacheprovider", "-n", "0"]
        command += ["--koncili-reports", str(target.parent / "reports")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)
    told = done.stdout + done.stderr
    assert (done.returncode, "Traceback" in told) == (CANNOT_RUN, False), told
    assert re.search(AT_ONCE["423"], told)
    sent = len(layer.log)
    told_of_it = [passed.status for passed in layer.log].count(423)
    assert 1 <= told_of_it <= processes, "no process sends anything after it was told"
    for after in (["cleanup"], ["certify", "--dry-run"], ["certify"]):
        again = quick.command(target.parent, *after, "--target", str(target))
        # What the workers had sent by then differs: where it was nothing that stays, there is nothing to clear away.
        needs_none = after == ["cleanup"] and "nothing is left" in again.output
        assert (again.code, len(layer.log)) == (0 if needs_none else CANNOT_RUN, sent), again.output
        assert needs_none or re.search(f"^koncili-conformance: .*{AT_ONCE['423']}", again.errors)
    store = open_store(load_target(target))
    store.put("blocked-until", "0")  # when that time has come
    store.close()
    is_cleared_away(layer, target)


@pytest.mark.parametrize("call", [GET, POST, CREATE, RELEASE, DELETE])
def test_a_server_error_that_comes_again_is_a_finding(stage: Stage, layer: FaultProxy, call: str) -> None:
    layer.play(*plans("500", When(call, after=2, times=9)))  # then all can be cleared away
    run = stage.certify(stage.target(layer.base_url), *RULES)
    assert (run.code, "ERR-02" in run.verdicts("fail")) == (NONCONFORMANT, True), run.output
    assert "it answered 500" in run.entry("ERR-02")["reason"]


def test_a_certificate_that_is_not_trusted(stage: Stage, tmp_path: Path) -> None:
    with tls_listener(stage.mock.base_url, tmp_path) as secured:
        target = stage.target(secured.base_url)
        run = stage.certify(target, *RULES)
        assert run.code == CANNOT_RUN
        assert re.search("CERTIFICATE_VERIFY_FAILED.*let SSL_CERT_FILE name a file", run.errors)
        assert secured.layer.log == []
        as_without_faults(stage.certify(target, *RULES, SSL_CERT_FILE=str(secured.certificate)))


@pytest.mark.parametrize(("defect", "rule", "code"), PAGES_OF_ITS_OWN)
def test_pages_of_the_target_itself_are_a_finding(tmp_path: Path, defect: str, rule: str, code: int) -> None:
    with mock(tmp_path, defect=defect) as running, fault_proxy(running.base_url) as layer:
        stage = Stage(running, tmp_path)
        run = stage.certify(stage.target(layer.base_url), rule)
    # This mock takes its two seconds to reconcile, for which runs do not wait here: REC-01 may be open or fail.
    assert (run.code, run.verdicts("fail") - {"REC-01"}) == (code, {rule}), run.output
    assert "<html>" in run.entry(rule)["counterexample"]["response"]["body"]


@pytest.mark.parametrize("number", range(1, 8))
def test_a_deletion_whose_answer_is_lost_leaves_no_rule_open(stage: Stage, layer: FaultProxy, number: int) -> None:
    """Neither at once nor where the deletion is what was put off to the end of the run."""
    layer.play(*plans("half-answer", nth(number, DELETE)))
    rules = ("DEL-05", "DEL-06", "DEL-07")
    run = stage.certify(stage.target(layer.base_url), *rules)
    assert {run.by_rule[rule] for rule in rules} == {"pass"}, run.output
    assert layer.faults() == ["half-answer"]


@pytest.mark.parametrize(("call", "number"), [(DELETE, 1), (DELETE, 3), (CREATE, 1), (CREATE, 3), (RELEASE, 1)])
def test_what_a_gateway_delivers_twice_changes_no_verdict(
    unused_stage: Stage, unused_layer: FaultProxy, call: str, number: int
) -> None:
    """The second answer is a refusal of what the first delivery has done: DEL-01 and REC-09 were blamed for it, and what was
    opened so stayed active, of which nobody was told."""
    unused_layer.play(*plans("twice", nth(number, call)))
    rules = ("DEL-01", "REC-01", "REC-09", "REL-01", "WFL-01")
    run = unused_stage.certify(unused_stage.target(unused_layer.base_url), *rules)
    assert {run.by_rule[rule] for rule in rules} == {"pass"}, run.output
    assert unused_layer.faults() == ["twice"]
    assert run.certificate["traffic"]["clientErrors"] < 60


def test_a_target_that_refuses_each_deletion_that_it_carries_out_is_told(stage: Stage, layer: FaultProxy) -> None:
    layer.play(*plans("twice", always(DELETE)))
    run = stage.certify(stage.target(layer.base_url), "DEL-01")
    assert run.verdicts("fail") == {"DEL-01"}, run.output


@pytest.mark.parametrize("apart", range(8, 12))
def test_sequences_of_calls_are_begun_anew_where_an_answer_was_lost(
    stage: Stage, layer: FaultProxy, apart: int
) -> None:
    """Most of them meet that, and those that do not show too little."""
    layer.play(*plans("half-answer", every(apart, POST)))
    run = stage.certify(stage.target(layer.base_url), "WFL-04")
    assert run.by_rule["WFL-04"] == "pass", run.output


@pytest.mark.parametrize("rule", ["DEL-02", "DEL-05"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_refused_deletion_counts_though_a_502_came_before_it(
    stage: Stage, layer: FaultProxy, rule: str, number: int
) -> None:
    """What was gone before cannot have gone by the one without an answer: nothing is sent anew for that."""
    plain = stage.certify(stage.target(layer.base_url), rule)
    layer.play(*plans("502", nth(number, DELETE)))
    run = stage.certify(stage.target(layer.base_url), rule)
    assert run.by_rule[rule] == "pass", run.output
    assert "502" in layer.faults()
    spent = [each.certificate["traffic"]["clientErrors"] for each in (plain, run)]
    assert spent[0] == spent[1]
