"""What a certification run holds: target, client, clock, evidence. One per process."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from conformance.contract.readings import resolve
from conformance.contract.rules import Rule, catalogue
from conformance.errors import CannotRun, TargetUnavailable, WaitTooLong
from conformance.mock.clock import VirtualClock
from conformance.mock.in_process import InProcess
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Quirk, readings_of
from conformance.mock.target import mock_target_table
from conformance.mock.wired import Wired
from conformance.planning.costs import COMPLETE
from conformance.planning.shards import Shard, rules_of
from conformance.profiles import PROFILES, Profile
from conformance.run.live import Live
from conformance.run.mock_control import Control, local_control, remote_control
from conformance.run.own_accounts import wrong_accounts
from conformance.run.production import check_permitted
from conformance.target.config import Target, load_target, parse_target
from conformance.target.inbox import Inbox
from conformance.target.shared.budget import Budget, NoLimits
from conformance.target.shared.calendar import DEFAULT_TRACKS, Calendar, Tracks, tracks
from conformance.target.shared.store_kinds import seen_by_smoke
from conformance.target.waiting import Waiting, silently
from conformance.target.wire.client import KonciliClient
from conformance.target.wire.http.building import no_cookies
from conformance.target.wire.journal import Journal, Spent
from conformance.target.wire.redaction import Redactor
from conformance.verdict.evidence import Evidence
from conformance.verdict.not_exercised import NEEDS_CONTROL, NEEDS_ONE_PROCESS

RUNS = 10**7
"""Run numbers have seven digits: what the codes of orders have room for."""

LARGEST_SEED = 2**53 - 1
"""What all readers of JSON take for the same number."""

MOCK_PORT = 8765
"""Where `koncili-conformance mock` listens, and what the mock in process calls itself, so that curl lines fit both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked for, on the command line or as pytest options."""

    target_file: Path | None = None
    profile: str = "certification"
    seed: int | None = None
    defects: tuple[str, ...] = ()
    """What the mock in process does wrong."""
    variants: tuple[str, ...] = ()
    """What it does otherwise, as the documents allow."""
    production_host: str | None = None
    """The host of a production target that the user allows."""
    patient: bool = False
    """Whether to wait for what takes time on a target whose clock can't be moved."""
    shrink: bool = True
    """Whether a counterexample is made smaller where the target allows it; the prover only wants to know that there is one."""
    max_wait: float | None = None
    """Seconds that the run may wait for any one thing: rates, budget, other runs, what the target takes its time for; None: as
    long as it takes."""
    keep_going: bool = False
    """Whether to wait for the budget although a required rule has failed, so that the verdict stands."""
    complete: bool = False
    """Whether every kind of fault is tried, however many hours of the budget that takes."""
    long_waivers: bool = False
    """Whether waivers may last longer than half a year from today."""
    contract: str | None = None
    """The version of the contract whose rules are scored; None: the newest."""
    proof: Path | None = None
    """The proof of this suite; None: the one beside the reports, if there is one."""
    shard: Shard | None = None
    """The part of the certification that this run does; None: all of it."""
    alone: bool = True
    """Whether this process is the run's only one: the clock of a mock on a socket is not to be moved by several."""
    listens: bool = True
    """Whether it is this process that listens for a live endpoint's notifications: of workers or shards one alone can."""


@dataclass(slots=True)
class Session:
    """A run in one process. `run_number` tells its orders from those of other runs."""

    options: Options
    target: Target
    readings: dict[str, str]
    """Every reading with the value that the run follows."""
    readings_from: dict[str, str]
    """How each is known: `stated` by the target file, `probed`, or the `default`."""
    profile: Profile
    seed: int
    run_number: int
    client: KonciliClient
    journal: Journal
    budget: Budget
    control: Control | None
    """What moves the mock's clock, limits and notifications; a live endpoint has none."""
    evidence: Evidence
    in_process: bool
    started_at: datetime
    calendar: Calendar
    """The periods of the run's reconciliations."""
    waiting: Waiting
    """How it waits, and how long at most."""
    live: Live | None = None
    """What the run shares with others, unless the target is the mock in process."""
    transport: httpx.BaseTransport | None = None
    """Leads to the mock in process."""
    drawn: dict[Hashable, list[Any]] | None = None
    """What the laws' first passes drew, and which kinds of faults were chosen, kept from run to run by the prover: drawing takes
    half of a run, and choosing as long as a defect that is caught soon."""
    replayed: Sequence[str] | None = None
    """The kinds of faults that scenarios try where a finding is replayed; None where it is for the run to choose."""
    resuming: bool = False
    """Whether scenarios now only go on with what they left for the end of the run."""
    deferred: set[str] = field(default_factory=set)
    """The scenarios that left something for the end of the run."""
    left_out: frozenset[str] = frozenset()
    """The selected scenarios that a smoke test has no client errors for."""
    kinds_left: int = 0
    """How many kinds of faults the run leaves to later ones, so that it ends within what is left of the hour's budget."""
    probed: Spent = field(default_factory=Spent)
    """What it took to find out about the target, whichever scenario was the first to need that."""
    ahead: Spent = field(default_factory=Spent)
    """What was sent for scenarios before their turn."""
    common_id: str = ""
    """The same for all workers of a run; "" where there are none."""
    enter_kinds: Callable[[], None] = lambda: None
    """Enters into the evidence which kinds of faults could have been tried."""
    forget_ahead: Callable[[], None] = lambda: None
    """Forgets what was tried ahead of its scenario's turn, so that a replay tries it anew."""
    forget_world: Callable[[], None] = lambda: None
    """Forgets what the run knows of what the target has: that is gone."""
    _inbox: Inbox | None = None

    @property
    def redactor(self) -> Redactor:
        """What knows the run's secrets."""
        return self.journal.redactor

    @property
    def shrinks(self) -> bool:
        """Whether a counterexample is shrunk: on live targets that would spend client errors."""
        return self.options.shrink and self.target.environment == "mock"

    def is_open(self, reading: str) -> bool:
        """Whether the target file leaves it to be found out."""
        return self.readings_from[reading] == "default"

    @property
    def patient(self) -> bool:
        """Whether to wait for what takes time."""
        return self.options.patient

    def missing_need(self, rule: Rule) -> str | None:
        """Why the rule can't be exercised on this target, or None where it can."""
        missing = missing_need(rule, self.target, controlled=self.control is not None)
        is_deaf = self.control is None and not self.options.listens and "callback_url" in rule.needs
        return NEEDS_ONE_PROCESS if missing is None and is_deaf else missing

    @property
    def inbox(self) -> Inbox | None:
        """Where the target's notifications arrive, opened on first use; None where it sends none, or where another process
        listens, or none of several workers. Raises CannotRun."""
        if self._inbox is None:
            fixtures = self.target.fixtures
            if self.control is not None:
                self._inbox = Inbox()
                self.control.call_back(self._inbox.url)
            elif fixtures.callback_url is not None and self.options.listens:
                host, port = fixtures.callback_address
                self._inbox = Inbox(host, port, urlsplit(fixtures.callback_url).path or "/")
        return self._inbox

    @property
    def spent_on_rules(self) -> Spent:
        """What was sent so far, without what it took to find out about the target, and for scenarios before their turn."""
        return self.journal.spent() - self.probed - self.ahead

    @contextmanager
    def probing(self) -> Iterator[None]:
        """What is sent in here finds out about the target."""
        before = self.journal.spent()
        try:
            yield
        finally:
            self.probed += self.journal.spent() - before

    def seen_by_smoke(self) -> int:
        """How many kinds of faults this run leaves to a smoke test of the same hour."""
        if self.live is None or not self.target.has_budget or planned_as(self.options) != "certification":
            return 0
        return seen_by_smoke(self.live.store, base_url=self.target.base_url, contract=catalogue().sha256)

    def preflight(self) -> None:
        """Make sure that the target is there, takes the credentials and has the accounts of the target file, and finish what
        killed runs have left.

        Raises CannotRun with the remedy.
        """
        self.log_in()
        if self.options.alone and (wrong := self.wrong_accounts()):
            raise CannotRun("\n".join([f"{self.options.target_file}: {wrong[0]}", *wrong[1:], "mend [[accounts]]"]))
        if self.live is not None:
            for run in self.live.dead_runs:
                with suppress(TargetUnavailable):  # the next run, or `cleanup`, goes on with it
                    self.live.rescue(run)

    def wrong_accounts(self) -> list[str]:
        """What is wrong with the accounts of the target file, line by line. Raises CannotRun."""
        if self.live is None:
            return []
        places = [(place.id, place.channel) for place in self.target.accounts]
        wrong = wrong_accounts(self.client, places, self.live.recovery.client.new_code)
        return [self.redactor.text(line) for line in wrong]

    def log_in(self) -> None:
        """Make sure that the target is there and takes the credentials. Raises CannotRun with the remedy."""
        try:
            self.client.access_token()
        except WaitTooLong as error:
            raise CannotRun(str(error)) from None
        except TargetUnavailable as error:
            raise CannotRun(f"{error}; is base_url right, and is the target up?") from None

    def pause(self, what: str, seconds: float) -> None:
        """Wait so long for something; meanwhile the other runs hear that this one is going on. Raises WaitTooLong."""
        self.waiting.wait(what, seconds)

    def sign(self) -> None:
        """Let the other runs hear that this one is going on. Raises CannotRun where they took it for dead."""
        if self.live is not None:
            self.live.run.sign()

    def bare_client(self) -> httpx.Client:
        """A client past budget, journal and retries, to see the limits of the suite's own mock. Raises ValueError for any
        other target."""
        if self.control is None:
            raise ValueError("only the suite's own mock may be asked past the limits")
        return httpx.Client(
            base_url=self.target.base_url, transport=self.transport, cookies=no_cookies(), trust_env=False
        )

    def close(self) -> None:
        """Let go of connections, the inbox, the HAR file and what is shared. Raises CannotRun where the store is gone."""
        if self._inbox is not None:
            self._inbox.close()
        self.client.close()
        self.journal.close()
        if self.live is not None:
            self.live.close()


def missing_need(rule: Rule, target: Target, *, controlled: bool) -> str | None:
    """Why the rule can't be exercised on the target, or None where it can; `controlled` is the suite's own mock."""
    need = first_missing(rule, target, controlled=controlled)
    if need is None or need in NEEDS_CONTROL:
        return NEEDS_CONTROL.get(need or "")
    return f"needs fixtures.{need} in the target file"


def first_missing(rule: Rule, target: Target, *, controlled: bool) -> str | None:
    """What the rule needs and the target has not: a fixture by its name, or one of NEEDS_CONTROL; None where it has all."""
    given = {*NEEDS_CONTROL, "callback_url"} if controlled else set[str]()
    return next((need for need in rule.needs if need not in given and not target.fixtures.has(need)), None)


def chosen_target(options: Options) -> Target:
    """The target of the options: the file's, else the mock in process. Raises CannotRun."""
    if options.target_file is None:
        try:
            readings = readings_of(chosen_quirks(options))
        except ValueError as error:
            raise CannotRun(f"--variant: {error}; leave one out") from None
        return parse_target(mock_target_table(f"http://127.0.0.1:{MOCK_PORT}", readings), "the mock's own target")
    if options.defects or options.variants:
        raise CannotRun("--defect and --variant apply to the mock in process; leave out --target")
    target = load_target(options.target_file)
    check_permitted(target, options.target_file, options.production_host)
    return target


def chosen_quirks(options: Options) -> list[Quirk]:
    """The defects and the variants of the options. Raises CannotRun where there is none of that name."""
    quirks: list[Quirk] = []
    try:
        if options.defects:
            from conformance.mock.defects import defect

            quirks += [defect(name) for name in options.defects]
        if options.variants:
            from conformance.mock.variants import variant

            quirks += [variant(name) for name in options.variants]
    except KeyError as error:
        raise CannotRun(str(error.args[0])) from None
    return quirks


def chosen_profile(options: Options) -> Profile:
    """The profile of the options. Raises CannotRun that lists the profiles."""
    if options.profile not in PROFILES:
        raise CannotRun(f"no profile {options.profile!r}; there are {', '.join(PROFILES)}")
    if options.complete and PROFILES[options.profile].client_errors is None:
        raise CannotRun(
            f"--complete and --profile {options.profile}: --complete is for the profile that leaves kinds of faults to the next "
            "runs, certification; deep tries them all anyway"
        )
    return PROFILES[options.profile]


def _tracks_of(target: Target) -> Tracks:
    """Where the target file lets periods lie."""
    span = target.dates.periods
    if span is None:
        return DEFAULT_TRACKS
    first, last = (datetime.combine(day, time(), UTC) for day in (span.first, span.last))
    return tracks(first, last)


def planned_as(options: Options) -> str:
    """Under which name the table of costs has what is asked for."""
    profile = chosen_profile(options).name
    return COMPLETE if options.complete else profile


def may_leave_kinds(options: Options, *, all_rules: bool) -> bool:
    """Whether a run of these options may leave kinds of faults to later ones, for want of client errors: shards would not choose
    alike, and some rules' own kinds are few."""
    return all_rules and options.shard is None and planned_as(options) == "certification"


def chosen_rules(options: Options, rules: Collection[str]) -> tuple[str, ...]:
    """The rules that a run is to certify, of those that are asked for (all, where none is). Raises CannotRun."""
    asked = [rule for rule in catalogue().rules if not rules or rule in rules]
    if options.shard is None:
        return tuple(asked) if rules else ()
    if options.shard.of > len(asked):
        raise CannotRun(f"--shard {options.shard}: there are only {len(asked)} rules to share out; take fewer shards")
    return rules_of(options.shard, asked, planned_as(options))


def is_to_listen(options: Options, target: Target, rules: Collection[str]) -> bool:
    """Whether a process that certifies these rules (all, where there are none) listens for notifications: alone it always does,
    of shards the one that has a rule about them."""
    about = (rule for rule in catalogue().rules.values() if not rules or rule.id in rules)
    has_rule = any("callback_url" in rule.needs and not missing_need(rule, target, controlled=False) for rule in about)
    return options.alone and (options.shard is None or has_rule)


def chosen_seed(options: Options) -> int:
    """The seed of the options; where none is given, that of the profile or one that is new each time. Raises CannotRun."""
    if options.seed is not None:
        if abs(options.seed) > LARGEST_SEED:
            raise CannotRun(f"--seed: {options.seed} is too large to be written down; give one of up to {LARGEST_SEED}")
        return options.seed
    return 0 if chosen_profile(options).fixed_seed else secrets.randbelow(2**32)


def open_session(options: Options, har: Path | None = None, tell: Callable[[str, float], None] = silently) -> Session:
    """Open a run: nothing is sent yet; `tell` shows what it waits for. Raises CannotRun."""
    target, profile = chosen_target(options), chosen_profile(options)
    readings = dict(resolve(target.readings))
    in_process = options.target_file is None
    journal = Journal(Redactor(), har, email_of(target, options))
    if target.store_password is not None:
        journal.redactor.learn(target.store_password, "password")
    control: Control | None
    transport: httpx.BaseTransport | None = None
    live: Live | None = None
    budget: Budget = NoLimits()
    waiting = Waiting(at_most=options.max_wait, tell=tell)
    run_number = 0 if in_process else secrets.randbelow(RUNS)
    if in_process:
        quirks = chosen_quirks(options)
        koncili = Koncili(clock=VirtualClock(), quirks=quirks, readings=target.readings)
        control = local_control(koncili)
        waiting.sleep = control.advance  # no other time passes there
        wire = next((quirk.wire for quirk in quirks if quirk.wire is not None), None)
        transport = Wired(koncili, wire) if wire else InProcess(koncili)
        calendar = Calendar(tracks=_tracks_of(target))
    else:
        control = remote_control(target.base_url) if may_be_controlled(target, options) else None
        try:
            live = Live.begin(target, waiting)
        except CannotRun as error:
            raise CannotRun(f"{options.target_file}: {error}") from None
        budget = live.budget
        # A mock may be a new one each time, and then all periods are free.
        calendar = Calendar(None if control else live.store.claim, live.store.now(), tracks=_tracks_of(target))
    now: Callable[[], datetime] = control.now if control else lambda: datetime.now(UTC)
    client = KonciliClient(
        target, journal=journal, budget=budget, readings=readings, now=now, transport=transport,
        ledger=live.ledger if live else None, waiting=waiting,
    )  # fmt: skip
    if live is not None:
        live.attach(client, calendar, run_number)
    return Session(
        options=options,
        target=target,
        readings=readings,
        readings_from={reading: "stated" if reading in target.readings else "default" for reading in readings},
        profile=profile,
        seed=chosen_seed(options),
        run_number=run_number,
        client=client,
        journal=journal,
        budget=budget,
        control=control,
        evidence=Evidence(),
        in_process=in_process,
        started_at=datetime.now(UTC),
        calendar=calendar,
        waiting=waiting,
        live=live,
        transport=transport,
    )


def may_be_controlled(target: Target, options: Options) -> bool:
    """Whether a target on a socket is asked for the control of the suite's own mock."""
    return options.alone and target.environment == "mock" and target.is_loopback


def email_of(target: Target, options: Options) -> str:
    """The email of the target's credentials. Raises CannotRun that names the file where there are none."""
    try:
        return target.credentials.values()[0]
    except CannotRun as error:
        raise CannotRun("\n".join(f"{options.target_file}: {line}" for line in str(error).splitlines())) from None
