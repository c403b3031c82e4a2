"""What a certification run holds: target, client, clock, evidence. One per process."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import httpx

from conformance.contract.readings import resolve
from conformance.contract.rules import Rule
from conformance.errors import CannotRun, TargetUnavailable
from conformance.mock.app import CONTROL_PATH, make_app
from conformance.mock.clock import VirtualClock
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Quirk, Variant
from conformance.mock.target import mock_target_table
from conformance.profiles import PROFILES, Profile
from conformance.target.budget import Budget, NoLimits, budget_for
from conformance.target.client import TIMEOUT, KonciliClient
from conformance.target.config import Target, load_target, parse_target
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
    alone: bool = True
    """Whether this process is the run's only one: the clock of a mock on a socket is not to be moved by several."""


class MovableClock(Protocol):
    """A clock that can be moved forward; a live endpoint has none."""

    def now(self) -> datetime: ...
    def advance(self, seconds: float) -> None: ...


class RemoteClock:
    """The clock of a mock on a socket, moved through its control interface."""

    def __init__(self, base_url: str) -> None:
        self._url = base_url + CONTROL_PATH
        self._added = timedelta()

    def now(self) -> datetime:
        """Real time and what was added, in UTC."""
        return datetime.now(UTC) + self._added

    def advance(self, seconds: float) -> None:
        """Move the mock's clock. Raises TargetUnavailable where the mock does not take it."""
        try:
            httpx.post(self._url, json={"advanceSeconds": seconds}, timeout=TIMEOUT).raise_for_status()
        except httpx.HTTPError as error:
            raise TargetUnavailable(f"the mock's clock at {self._url} cannot be moved: {error}") from None
        self._added += timedelta(seconds=seconds)

    def is_there(self) -> bool:
        """Whether it is the suite's own mock that answers."""
        try:
            answer = httpx.get(self._url, timeout=TIMEOUT)
            return answer.is_success and answer.json().get("mock") == "koncili-conformance"
        except (httpx.HTTPError, ValueError, AttributeError):
            return False


@dataclass(slots=True)
class Session:
    """A run in one process. `run_number` tells its orders from those of other runs."""

    options: Options
    target: Target
    readings: Mapping[str, str]
    profile: Profile
    seed: int
    run_number: int
    client: KonciliClient
    journal: Journal
    budget: Budget
    clock: MovableClock | None
    evidence: Evidence
    in_process: bool
    started_at: datetime

    @property
    def redactor(self) -> Redactor:
        """What knows the run's secrets."""
        return self.journal.redactor

    @property
    def shrinks(self) -> bool:
        """Whether a counterexample is shrunk: on live targets that would spend client errors."""
        return self.target.environment == "mock"

    def missing_need(self, rule: Rule) -> str | None:
        """Why the rule can't be exercised on this target, or None where it can."""
        for need in rule.needs:
            if need == "clock":
                if self.clock is None:
                    return "needs a clock that can be moved; a live endpoint has none"
            elif not self.target.fixtures.has(need):
                return f"needs fixtures.{need} in the target file"
        return None

    def preflight(self) -> None:
        """Make sure that the target is there and takes the credentials. Raises CannotRun with the remedy."""
        try:
            self.client.access_token()
        except TargetUnavailable as error:
            raise CannotRun(f"{error}; is base_url right, and is the target up?") from None

    def close(self) -> None:
        """Let go of connections, the budget's store and the HAR file."""
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
    readings = resolve(target.readings)
    in_process = options.target_file is None
    seed = options.seed if options.seed is not None else 0 if profile.fixed_seed else secrets.randbelow(2**32)
    try:
        email, _ = target.credentials.values()
    except CannotRun as error:
        raise CannotRun("\n".join(f"{options.target_file}: {line}" for line in str(error).splitlines())) from None
    journal = Journal(Redactor(), har, email)
    clock: MovableClock | None
    transport: httpx.BaseTransport | None = None
    budget: Budget
    if in_process:
        clock = VirtualClock()
        quirk = chosen_quirk(options)
        koncili = Koncili(clock=clock, quirks=[quirk] if quirk else [], readings=target.readings)
        transport, budget = httpx.WSGITransport(make_app(koncili)), NoLimits()
    else:
        remote = RemoteClock(target.base_url)
        movable = options.alone and target.environment == "mock" and target.is_loopback
        clock = remote if movable and remote.is_there() else None
        budget = _budget(target)
    now: Callable[[], datetime] = clock.now if clock else lambda: datetime.now(UTC)
    return Session(
        options=options,
        target=target,
        readings=readings,
        profile=profile,
        seed=seed,
        run_number=0 if in_process else secrets.randbelow(10**7),
        client=KonciliClient(target, journal=journal, budget=budget, readings=readings, now=now, transport=transport),
        journal=journal,
        budget=budget,
        clock=clock,
        evidence=Evidence(),
        in_process=in_process,
        started_at=datetime.now(UTC),
    )


def _budget(target: Target) -> Budget:
    try:
        return budget_for(target)
    except OSError as error:
        raise CannotRun(
            f"the budget of client errors cannot be kept: {error}; name another place in `coordination`"
        ) from None
