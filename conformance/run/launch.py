"""Runs the certification scenarios in this process, through pytest, for the command line."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final

import pytest

from conformance.compat.allure import leave_fixtures_out
from conformance.compat.pytest import plugins_are_modules
from conformance.compat.pytest_bdd import steps_found_once
from conformance.contract.readings import NEVER_PROBED, READINGS
from conformance.contract.rules import catalogue
from conformance.errors import CannotRun
from conformance.escaping import lines
from conformance.i18n.sentences import said
from conformance.planning.costs import stages_of
from conformance.planning.plan import Plan, make_plan
from conformance.planning.show import refusal
from conformance.report.files import Reports
from conformance.report.lines import Line
from conformance.report.progress import Progress
from conformance.report.screen import Loudness, Screen, is_lively, own_stream, tell
from conformance.run.certification import Certification
from conformance.run.live import budget_of, left_elsewhere
from conformance.run.options import check_known
from conformance.run.outcome import HARNESS_ERROR, in_words, is_full
from conformance.run.plugin import CERTIFICATION
from conformance.run.scenario import SCENARIOS, suite_root
from conformance.run.session import (
    Options,
    chosen_rules,
    chosen_target,
    email_of,
    may_be_controlled,
    may_leave_kinds,
    missing_need,
    open_session,
    planned_as,
)
from conformance.target.config import LARGEST_BUDGET, Target
from conformance.target.shared.budget_status import BudgetStatus, doubt_warnings
from conformance.target.shared.reconciling import seen_reconciling
from conformance.target.shared.store import open_store
from conformance.target.shared.store_kinds import seen_by_smoke
from conformance.target.waiting import Waiting
from conformance.target.wire.interrupts import SIGNALS, hear_no_more_of, is_ignored
from conformance.verdict.proven import own_proof
from conformance.verdict.verdicts import CANNOT_RUN, EXIT_CODES, RunVerdict
from conformance.verdict.waivers import load_waivers

INTERRUPTS_TAKEN = 2

WARNINGS: Final = "\n".join(
    [
        r"error:::(.*/)?(conformance|strategies|tests[./]certification)\b",
        # What it tells of is raised all the same, and an interruption is no breakdown of the plugin that it comes in.
        "ignore::pluggy.PluggyTeardownRaisedWarning",
    ]
)
"""Our own are errors; others' are not this run's business."""

PLUGINS: Final = (
    "conformance.run.plugin", "pytest_bdd.plugin", "xdist.plugin", "xdist.looponfail", "_hypothesis_pytestplugin",
    "allure_pytest.plugin",
)  # fmt: skip
"""All that a run needs, and no other that happens to be installed."""

NOT_WHOLE = "interrupted; the results may not be whole"


def scenarios(plugins: Sequence[str] = PLUGINS) -> list[str]:
    """Pytest's arguments for the certification scenarios, whatever directory and configuration pytest is called in."""
    root = suite_root()
    return [
        str(root / SCENARIOS),
        f"-c={os.devnull}", f"--rootdir={root}", f"--confcutdir={root}", *(f"-p{name}" for name in plugins),
        "-o", f"pythonpath={root}", "-o", f"bdd_features_base_dir={root / 'features'}/", "-o", f"filterwarnings={WARNINGS}",
        "-p", "no:cacheprovider", "--import-mode=importlib", "--assert=plain", "--strict-markers",
    ]  # fmt: skip


@contextmanager
def closed_list() -> Iterator[None]:
    """While pytest runs in here, and in workers too, it knows no plugin and no option but those that it is given: what else is
    installed, or set in the environment for somebody's own tests, changes no verdict."""
    kept = {name: os.environ.pop(name) for name in tuple(os.environ) if name.startswith(("PYTEST_", "HYPOTHESIS_"))}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        with steps_found_once(), plugins_are_modules():
            yield
    finally:
        for name in [name for name in os.environ if name.startswith("PYTEST_")]:
            del os.environ[name]
        os.environ.update(kept)


def plan_run(options: Options, rules: Sequence[str], waivers: Path | None) -> tuple[Plan, Target]:
    """What the run will spend, with nothing sent to find it out. Raises CannotRun that names what is wrong and the remedy."""
    check_known(rules)
    catalogue(version=options.contract)
    own_proof(options.proof, None)
    if waivers is not None:
        load_waivers(waivers, datetime.now(UTC), long=options.long_waivers)
    target = chosen_target(options)
    email_of(target, options)
    in_process = options.target_file is None
    controlled = in_process or may_be_controlled(target, options)
    known, all_rules = catalogue().rules, not rules
    rules = chosen_rules(options, rules)
    budget_status, seen, taken = (None, 0, None) if in_process else _known_of(target)
    chosen = [known[rule] for rule in known if not rules or rule in rules]
    reasons = {rule.id: missing_need(rule, target, controlled=controlled) for rule in chosen}
    return make_plan(
        planned_as(options),
        list(reasons),
        {rule: reason for rule, reason in reasons.items() if reason is not None},
        paced=target.pace == "documented",
        budget_status=budget_status,
        seen_by_smoke=seen if planned_as(options) == "certification" else 0,
        has_callback=in_process or target.fixtures.has("callback_url"),
        may_leave_kinds=may_leave_kinds(options, all_rules=all_rules),
        reconciles_in=target.reconciles_in if target.reconciles_in is not None else taken,
        accounts=len(target.accounts),
        probing=bool(READINGS.keys() - NEVER_PROBED - target.readings.keys()),
    ), target


def check_worth_it(plan: Plan, max_wait: float | None) -> None:
    """Raises CannotRun where the run would spend client errors and then end undecided, rather than wait for more."""
    if why := refusal(plan, max_wait):
        raise CannotRun(why)


def _known_of(target: Target) -> tuple[BudgetStatus | None, int, float | None]:
    """Where the budget stands, how many kinds of faults a certification may leave to the smoke test of the same hour, and how
    many seconds an earlier run saw the target take to reconcile."""
    store = open_store(target)
    try:
        budget = budget_of(target, store, Waiting())
        try:
            budget.check_block()
            budget_status, taken = budget.status(), seen_reconciling(store, target.base_url)
            if budget_status is None:
                return None, 0, taken
            doubts = doubt_warnings(budget_status, target.error_budget, LARGEST_BUDGET)
            seen = seen_by_smoke(store, base_url=target.base_url, contract=catalogue().sha256)
            warnings = (*store.warnings(), *doubts, *left_elsewhere(target, store))
            return replace(budget_status, warnings=warnings), seen, taken
        finally:
            budget.close()
    finally:
        store.close()


def preflight(options: Options, tell: Callable[[str, float], None]) -> list[str]:
    """Make sure of the target before pytest starts; `tell` shows what is waited for. What is to be said before it does, a line
    each. Raises CannotRun that names what is wrong and the remedy."""
    session = open_session(options, tell=tell)
    try:
        session.preflight()
        unkept = session.live.store.unkept() if session.live is not None else ()
        return [
            *unkept,
            *(
                f"the {name} is too short or too common a word to be blotted out wherever it stands: only where one belongs, as "
                f"in `password: ...`; choose another if reports go to others"
                for name in session.redactor.too_common
            ),
        ]
    except CannotRun:
        raise
    except Exception:  # an error of the suite itself, whose message may hold what the target answered
        raise CannotRun(session.redactor.text(f"harness error\n{traceback.format_exc()}")) from None
    finally:
        session.close()


def run_certification(
    options: Options,
    *,
    rules: Sequence[str],
    reports: Reports,
    waivers: Path | None,
    workers: int,
    loudness: Loudness,
    html: bool,
    plan: Plan,
) -> int:
    """Run the scenarios, and show them; the exit code of `certify`. `reports` are claimed."""
    stream = own_stream()
    stages = stages_of(plan.profile, plan.rules, probing=False)
    progress = Progress([*plan.rules, *plan.not_exercised], stages, plan.seconds if plan.is_limited else 0.0)
    screen = Screen(progress, stream, loudness=loudness, lively=is_lively(stream))
    ended = _Ended()
    arguments = [
        *scenarios(),
        "--no-header", "--tb=no", "--show-capture=no", "-rN", "-q",
        "-n", str(workers if workers > 1 else 0),
        *_own_options(options, rules=rules, reports=reports.directory, waivers=waivers), *([] if html else ["--koncili-no-html"]),
    ]  # fmt: skip
    # A CI system that loses patience sends SIGTERM: end as on Ctrl-C, with a certificate of what was seen.
    interrupts = _Interrupts(screen)
    for number in SIGNALS:
        if not is_ignored(number):
            signal.signal(number, interrupts)
    try:
        code = _shown(arguments, screen, [ended, reports])
    except KeyboardInterrupt:  # where pytest itself does not take it: after the last scenario
        _complain(NOT_WHOLE)
        return EXIT_CODES[RunVerdict.INCONCLUSIVE]
    except OSError as error:  # a disk that is full, above all: Allure writes for itself
        _complain(f"{reports.directory}: the results cannot be written: {error}; make room, run again")
        if ended.certification is not None:
            tell(list(ended.certification.ending.left_words()), stream)
        return CANNOT_RUN
    except Exception as error:
        if not interrupts.count:
            parts = error.exceptions if isinstance(error, ExceptionGroup) else ()
            if full := next(filter(is_full, parts), None):  # pytest gathers what is raised while it ends
                raise CannotRun(f"{reports.directory}: {in_words(full)}") from None
            raise
        _complain(NOT_WHOLE)  # pytest stumbles over what was interrupted while it ended
        return EXIT_CODES[RunVerdict.INCONCLUSIVE]
    stories = ended.certification.ending.stories if ended.certification is not None else []
    for story in (*screen.broke_down, *stories):
        _complain(f"{HARNESS_ERROR}\n{lines(story)}")
    if ended.certification is not None:
        ending = ended.certification.ending
        quiet = loudness is Loudness.QUIET
        places = [] if quiet else [Line(place) for place in ending.places]
        apart = [Line("")] if screen.has_told else []
        tell([*apart, *ending.told(quiet=quiet), *places], stream)
        if ending.certificate is not None or ending.exit_code != CANNOT_RUN:
            return ending.exit_code
    if code != CANNOT_RUN:
        print(screen.pytests.getvalue(), file=sys.stderr)
        _complain(f"pytest ended with {code!r} before anything was certified")
    return CANNOT_RUN


class _WithoutFixtures:
    """Allure's results without files about fixtures, where all tests are ours: those would be removed at the end."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """No fixture was used so far."""
        leave_fixtures_out(session.config)


def _complain(text: str) -> None:
    print(f"koncili-conformance: {said(text)}", file=sys.stderr)


def _shown(arguments: list[str], screen: Screen, plugins: list[object]) -> int:
    """Run pytest behind the screen; its exit code."""
    screen.begin()
    try:
        with closed_list():
            return pytest.main(arguments, plugins=[screen, _WithoutFixtures(), *plugins])
    finally:
        screen.end()


def _own_options(options: Options, *, rules: Sequence[str], reports: Path, waivers: Path | None) -> list[str]:
    """The options as our plugin takes them."""
    values = {
        "target": options.target_file, "profile": options.profile, "seed": options.seed, "reports": reports,
        "waivers": waivers, "shard": options.shard, "contract": options.contract,
        "proof": options.proof,
        "max-wait": None if options.max_wait is None else f"{options.max_wait:f}",
        "allow-production": options.production_host,
    }  # fmt: skip
    arguments = [f"--koncili-{name}={value}" for name, value in values.items() if value is not None]
    arguments += [f"--koncili-rule={rule}" for rule in rules]
    arguments += [f"--koncili-defect={defect}" for defect in options.defects]
    arguments += [f"--koncili-variant={variant}" for variant in options.variants]
    flags = {"--koncili-patient": options.patient, "--koncili-keep-going": options.keep_going}
    flags |= {"--koncili-complete": options.complete, "--koncili-long-waivers": options.long_waivers}
    return [*arguments, *(flag for flag, given in flags.items() if given)]


class _Interrupts:
    """What is done on Ctrl-C: the first ends the run, the second its clearing away, the third everything at once."""

    def __init__(self, screen: Screen) -> None:
        self.count = 0
        self._screen = screen

    def __call__(self, number: int, frame: FrameType | None) -> None:
        del frame
        hear_no_more_of(number)
        self.count += 1
        if self.count > INTERRUPTS_TAKEN:
            os._exit(EXIT_CODES[RunVerdict.INCONCLUSIVE])
        self._screen.interrupted()
        raise KeyboardInterrupt


class _Ended:
    """Takes the certification before pytest lets go of it."""

    certification: Certification | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        self.certification = config.stash.get(CERTIFICATION, None)
