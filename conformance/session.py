"""What a certification run holds: target, client, clock, evidence. One per process."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from conformance.contract.readings import resolve
from conformance.contract.rules import Rule
from conformance.control import Control, local_control, remote_control
from conformance.errors import CannotRun, TargetUnavailable
from conformance.mock.app import make_app
from conformance.mock.clock import VirtualClock
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Quirk, Variant
from conformance.mock.target import mock_target_table
from conformance.mock.wired import Wired
from conformance.profiles import PROFILES, Profile
from conformance.target.budget import Budget, NoLimits, budget_for
from conformance.target.client import KonciliClient, no_cookies
from conformance.target.config import Target, load_target, parse_target
from conformance.target.inbox import Inbox
from conformance.target.journal import Journal
from conformance.target.redaction import Redactor
from conformance.verdict.evidence import Evidence

MOCK_PORT = 8765
"""Where `koncili-conformance mock` listens, and what the mock in process calls itself, so that curl lines fit both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked for, on the command line or as pytest options."""

    target_file: Path | None = None
    profile: str = "certification"
    seed: int | None = None
    defect: str | None = None
    variant: str | None = None
    allow_production: bool = False
    patient: bool = False
    """Whether to wait for what takes time on a target whose clock can't be moved."""
    shrink: bool = True
    """Whether a counterexample is made smaller where the target allows it; the prover only wants to know that there is one."""
    alone: bool = True
    """Whether this process is the run's only one: the clock of a mock on a socket is not to be moved by several."""


_NEEDS_CONTROL = {
    "clock": "needs a clock that can be moved; a live endpoint has none",
    "mock": "needs the suite's own mock: on a live endpoint it would lock the integrator out, or nothing documented causes it",
}


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
    transport: httpx.BaseTransport | None = None
    """Leads to the mock in process."""
    drawn: dict[Hashable, list[Any]] | None = None
    """What the laws' first passes drew, kept from run to run by the prover, since drawing it takes half of a run."""
    resuming: bool = False
    """Whether scenarios now only go on with what they left for the end of the run."""
    deferred: set[str] = field(default_factory=set)
    """The scenarios that left something for the end of the run."""
    at_end: list[Callable[[], None]] = field(default_factory=list)
    """What is to be done when all scenarios have run."""
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
        for need in rule.needs:
            if need in _NEEDS_CONTROL:
                if self.control is None:
                    return _NEEDS_CONTROL[need]
            elif need == "callback_url" and self.control is not None:
                continue
            elif not self.target.fixtures.has(need):
                return f"needs fixtures.{need} in the target file"
        return None

    @property
    def inbox(self) -> Inbox | None:
        """Where the target's notifications arrive, opened on first use; None where it sends none. Raises CannotRun."""
        if self._inbox is None:
            fixtures = self.target.fixtures
            if self.control is not None:
                self._inbox = Inbox()
                self.control.call_back(self._inbox.url)
            elif fixtures.callback_url is not None:
                host, port = fixtures.callback_address
                self._inbox = Inbox(host, port, urlsplit(fixtures.callback_url).path or "/")
        return self._inbox

    def preflight(self) -> None:
        """Make sure that the target is there and takes the credentials. Raises CannotRun with the remedy."""
        try:
            self.client.access_token()
        except TargetUnavailable as error:
            raise CannotRun(f"{error}; is base_url right, and is the target up?") from None

    def bare_client(self) -> httpx.Client:
        """A client past budget, journal and retries, to see the limits of the suite's own mock. Raises ValueError for any
        other target."""
        if self.control is None:
            raise ValueError("only the suite's own mock may be asked past the limits")
        return httpx.Client(base_url=self.target.base_url, transport=self.transport, cookies=no_cookies())

    def close(self) -> None:
        """Let go of connections, the inbox, the budget's store and the HAR file."""
        if self._inbox is not None:
            self._inbox.close()
        self.client.close()
        self.budget.close()
        self.journal.close()


def chosen_target(options: Options) -> Target:
    """The target of the options: the file's, else the mock in process. Raises CannotRun."""
    if options.target_file is None:
        quirk = chosen_quirk(options)
        readings = dict(quirk.readings) if isinstance(quirk, Variant) else {}
        return parse_target(mock_target_table(f"http://127.0.0.1:{MOCK_PORT}", readings), "the mock's own target")
    if options.defect or options.variant:
        raise CannotRun("--defect and --variant apply to the mock in process; leave out --target")
    target = load_target(options.target_file)
    if target.environment == "production" and not options.allow_production:
        raise CannotRun(
            f"{options.target_file}: {target.name} is a production target, and this suite sends orders that are wrong on "
            "purpose; add --allow-production if that is what you want"
        )
    return target


def chosen_quirk(options: Options) -> Quirk | None:
    """The defect or variant of the options. Raises CannotRun where there is none of that name."""
    try:
        if options.defect:
            from conformance.mock.defects import defect

            return defect(options.defect)
        if options.variant:
            from conformance.mock.variants import variant

            return variant(options.variant)
    except KeyError as error:
        raise CannotRun(str(error.args[0])) from None
    return None


def chosen_profile(options: Options) -> Profile:
    """The profile of the options. Raises CannotRun that lists the profiles."""
    try:
        return PROFILES[options.profile]
    except KeyError:
        raise CannotRun(f"no profile {options.profile!r}; there are {', '.join(PROFILES)}") from None


def open_session(options: Options, har: Path | None = None) -> Session:
    """Open a run: nothing is sent yet. Raises CannotRun."""
    target, profile = chosen_target(options), chosen_profile(options)
    readings = dict(resolve(target.readings))
    in_process = options.target_file is None
    seed = options.seed if options.seed is not None else 0 if profile.fixed_seed else secrets.randbelow(2**32)
    try:
        email, _ = target.credentials.values()
    except CannotRun as error:
        raise CannotRun("\n".join(f"{options.target_file}: {line}" for line in str(error).splitlines())) from None
    journal = Journal(Redactor(), har, email)
    control: Control | None
    transport: httpx.BaseTransport | None = None
    budget: Budget
    if in_process:
        quirk = chosen_quirk(options)
        koncili = Koncili(clock=VirtualClock(), quirks=[quirk] if quirk else [], readings=target.readings)
        control, budget = local_control(koncili), NoLimits()
        if quirk is not None and quirk.wire is not None:
            transport = Wired(koncili, quirk.wire)
        else:
            transport = httpx.WSGITransport(make_app(koncili))
    else:
        ours = options.alone and target.environment == "mock" and target.is_loopback
        control = remote_control(target.base_url) if ours else None
        budget = _budget(target)
    now: Callable[[], datetime] = control.now if control else lambda: datetime.now(UTC)
    return Session(
        options=options,
        target=target,
        readings=readings,
        readings_from={reading: "stated" if reading in target.readings else "default" for reading in readings},
        profile=profile,
        seed=seed,
        run_number=0 if in_process else secrets.randbelow(10**7),
        client=KonciliClient(target, journal=journal, budget=budget, readings=readings, now=now, transport=transport),
        journal=journal,
        budget=budget,
        control=control,
        evidence=Evidence(),
        in_process=in_process,
        started_at=datetime.now(UTC),
        transport=transport,
    )


def _budget(target: Target) -> Budget:
    try:
        return budget_for(target)
    except OSError as error:
        raise CannotRun(
            f"the budget of client errors cannot be kept: {error}; name another place in `coordination`"
        ) from None
