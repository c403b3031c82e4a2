"""A mock for a test: served on a free port of loopback by this process, and asked by the test what its client did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

from conformance.contract.credentials import encode_credentials
from conformance.contract.judge import Request
from conformance.mock.exactly_once import ExactlyOnce, Judgement, plans, told
from conformance.mock.fault_plans import plan_of
from conformance.mock.koncili import Koncili
from conformance.mock.named_quirks import defects_named, variants_named
from conformance.mock.notifications import Heard
from conformance.mock.quirks import Answer, readings_of
from conformance.mock.request_log import Entry, Violation, line_of
from conformance.mock.serve import ticked, ticking_koncili
from conformance.mock.target import mock_target_table, to_toml
from conformance.mock.wire import PLAIN, listening
from conformance.mock.world import EMAIL, ENABLED, INTEGRATOR, PASSWORD, Account, OrderKey

__all__ = ["Account", "Clock", "Credentials", "KonciliMock", "StoredOrder", "Violation", "koncili_mock"]

DELIVERY_SECONDS: Final = 30.0
"""How long a command waits for notifications that another thread delivers."""

MOST_TOLD: Final = 10
"""So many calls are told where an assertion fails."""


class SeenCall(NamedTuple):
    """A call and its answer, and when each was."""

    request: Request
    answer: Answer
    came: datetime
    answered: datetime


class SeenNotification(NamedTuple):
    """A notification that was posted, and what was answered."""

    url: str
    body: bytes
    heard: Heard | None
    left: datetime
    answered: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """What gets a token."""

    email: str
    password: str

    @property
    def encoded(self) -> str:
        """The value of `credentials` in `POST /public/api/auth/token`."""
        return encode_credentials(self.email, self.password)


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order as it lies in the mock."""

    code: str
    account: int
    channel: str
    body: Mapping[str, Any]
    """As it was sent last, its numbers as int or Decimal."""
    releases: int
    """How often it was released."""
    is_reconciled: bool


def carry_out(koncili: Koncili, commands: Mapping[str, Any]) -> None:
    """Carry out commands, and return when what is due is delivered, by whichever thread."""
    koncili.control(commands)
    koncili.notifier.await_rest(DELIVERY_SECONDS)


class Clock:
    """The mock's clock: real time, and what was added."""

    def __init__(self, koncili: Koncili) -> None:
        self._koncili = koncili

    def now(self) -> datetime:
        """The instant it shows, in UTC."""
        return self._koncili.clock.now()

    def advance(self, seconds: float) -> None:
        """Move it on by so many seconds, and do what is due by then: when it returns it is done. Raises ValueError."""
        carry_out(self._koncili, {"advanceSeconds": seconds})


class KonciliMock:
    """A mock that listens at `base_url`."""

    def __init__(self, koncili: Koncili, base_url: str) -> None:
        """`koncili_mock` makes one."""
        self.koncili = koncili
        """The mock itself; what is below is promised, what it has is not."""
        self.base_url: Final = base_url
        self.credentials: Final = Credentials(EMAIL, PASSWORD)
        self.integrator: Final = INTEGRATOR
        """For the header of this name."""
        self.accounts: Final[Sequence[Account]] = ENABLED
        """Those that are enabled for API imports."""
        self.clock: Final = Clock(koncili)
        self._lock = Lock()
        self._seen: list[SeenCall | SeenNotification] = []
        self._judges: ExactlyOnce | None = None
        koncili.witness = self._saw
        koncili.notifier.witness = self._overheard

    # -- how it is ---------------------------------------------------------------------------------------------------

    @property
    def target(self) -> dict[str, Any]:
        """A target file's table that leads here; every reading is stated."""
        return mock_target_table(self.base_url, self.koncili.readings)

    def write_target(self, path: Path) -> Path:
        """Write the target file; returns its path."""
        path.write_text(to_toml(self.target), encoding="utf-8")
        return path

    def notify(self, url: str | None) -> None:
        """Send notifications to this URL from now on, or nowhere. Raises ValueError where it is none."""
        self.koncili.control({"callbackUrl": url})

    def command(self, **commands: Any) -> None:
        """Carry out commands of `POST /_mock`, such as `failReconciliation=237`, and deliver what is due. Raises ValueError."""
        carry_out(self.koncili, commands)

    def reset(self) -> None:
        """Forget orders, reconciliations, counts, faults and calls; tokens, the clock and settings stay."""
        self.koncili.control({"reset": True})
        with self._lock:
            self._seen.clear()
        if self._judges is not None:
            self.lose_answers()

    # -- faults ------------------------------------------------------------------------------------------------------

    def fail_next(
        self,
        times: int = 1,
        fault: str = "502",
        *,
        call: str | None = None,
        order: str | None = None,
        every: int = 1,
        after: int = 0,
        seconds: float = 1,
    ) -> None:
        """Let this happen to the next so many calls, beside what was asked for before.

        `call` is one such as "POST /order", `order` a marketplaceCode; each `every`-th, `after` so many. The faults, and what
        `seconds` means for them, are in docs/mock.md. Raises ValueError for what there is not.
        """
        stated = {"fault": fault, "times": times, "every": every, "after": after, "seconds": seconds}
        places = {name: value for name, value in (("call", call), ("order", order)) if value is not None}
        self.koncili.faults.play([plan_of({**stated, **places})], beside=True)

    def lose_answers(self) -> None:
        """Let the answers to every other POST /order and POST /reconciliation/release be lost, cut, wrong or late, as `mock
        --certify-client` does, and follow what the client does: see `exactly_once`."""
        before, self._judges = self._judges, ExactlyOnce()
        log, quirk = self.koncili.log, before.quirk if before is not None else None
        log.tells = [tell for tell in log.tells if before is None or tell != before.take]
        log.tells.append(self._judges.take)
        self.koncili.switch([*(one for one in self.koncili.quirks if one is not quirk), self._judges.quirk])
        self.koncili.faults.play(plans())

    # -- what came of it ---------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[Entry]:
        """The calls of late, the newest last."""
        return self.koncili.log.entries()

    @property
    def violations(self) -> list[Violation]:
        """The rules that calls of late broke: rule, JSON pointer, message."""
        return [one for entry in self.koncili.log.entries(broken=True) for one in entry.violations]

    @property
    def orders(self) -> list[StoredOrder]:
        """The orders that came through the API and are not deleted."""

        def stored(koncili: Koncili) -> list[StoredOrder]:
            world = koncili.world
            return [
                StoredOrder(key[2], key[0], key[1], versions[-1].body, self._times(key), key in world.reconciled)
                for key, versions in world.orders.items()
                if versions[-1].body is not None and versions[-1].through_api
            ]

        return self.koncili.look(lambda _: stored(self.koncili))

    def _times(self, key: OrderKey) -> int:
        return sum(one.orders.count(key) for one in self.koncili.world.all_reconciliations)

    def exactly_once(self) -> Judgement:
        """How the client stands since `lose_answers`: each order paid once, twice, lost or left open. Raises RuntimeError where
        no answers were lost."""
        if self._judges is None:
            raise RuntimeError("call lose_answers() first: only lost answers show what a client makes of them")
        return self.koncili.look(self._judges.judge)

    # -- assertions --------------------------------------------------------------------------------------------------

    def assert_released_once(self, order: str, *, account: int | None = None) -> None:
        """The books have exactly one release of the order of this marketplaceCode. Raises AssertionError with the calls."""
        __tracebackhide__ = True
        released = self.koncili.look(
            lambda world: [
                key
                for one in world.all_reconciliations
                for key in one.orders
                if key[2] == order and account in {None, key[0]}
            ]
        )
        if len(released) == 1:
            return
        times = f"{len(released)} times" if released else "never"
        calls = [line_of(entry) for entry in self.requests if entry.order == order]
        story = "\n".join(f"  {call}" for call in calls[-MOST_TOLD:]) or "  no call named it"
        raise AssertionError(f"order {order} was released {times}, not once:\n{story}")

    def assert_exactly_once(self) -> None:
        """No order was paid twice, lost or left open since `lose_answers`. Raises AssertionError, RuntimeError."""
        __tracebackhide__ = True
        judgement = self.exactly_once()
        if judgement.exit_code == 1 or any(one.times != 1 for one in judgement.orders):
            raise AssertionError("\n".join(told(judgement)))

    def assert_conformant(self, *, allow: Sequence[str] = (), recommended: bool = False) -> None:
        """No call broke a required rule, by an audit of all that was sent: those of bodies, and of how an integration calls.

        `allow` are ids of rules that may be broken; with `recommended` those that are only recommended count too. Raises
        AssertionError that says rule, place, and what to send instead.
        """
        __tracebackhide__ = True
        from conformance.audit.auditor import Auditor
        from conformance.contract.rules import Level
        from conformance.testing.exchanges import exchanges_of

        with self._lock:
            seen = list(self._seen)
        auditor = Auditor(readings=self.koncili.readings, base_url=self.base_url)
        auditor.take_all(exchanges_of(seen))
        found = [
            finding
            for finding in auditor.findings.found
            if finding.rule.id not in allow and (recommended or finding.rule.level is Level.REQUIRED)
        ]
        if found:
            lines = [
                f"{one.rule.id} {one.pointer}".rstrip()
                + f": {one.says} ({one.call.label}, exchange {one.call.origin.entry}); {one.instead}"
                for one in found
            ]
            raise AssertionError(
                "\n".join([f"{len(found)} rules are broken:" if len(found) > 1 else "a rule is broken:", *lines])
            )

    # -- what it sees ------------------------------------------------------------------------------------------------

    def _saw(self, request: Request, answer: Answer, came: datetime, answered: datetime) -> None:
        with self._lock:
            self._seen.append(SeenCall(request, answer, came, answered))

    def _overheard(self, url: str, body: bytes, heard: Heard | None, left: datetime, answered: datetime) -> None:
        with self._lock:
            self._seen.append(SeenNotification(url, body, heard, left, answered))


@contextmanager
def koncili_mock(
    *,
    variants: Sequence[str] = (),
    defects: Sequence[str] = (),
    limits: bool = False,
    faults: Sequence[Mapping[str, Any]] = (),
    lose_answers: bool = False,
) -> Iterator[KonciliMock]:
    """A mock on a free port, until the block ends. Raises ValueError for names and faults that there are not.

    `faults` are tables such as `{"fault": "502", "call": "POST /order", "times": 2}`; `lose_answers`: see the method.
    """
    quirks = [*defects_named(defects), *variants_named(variants)]
    readings_of(quirks)
    koncili = ticking_koncili(quirks, limits=limits)
    wire = next((quirk.wire for quirk in quirks if quirk.wire is not None), PLAIN)
    with ExitStack() as stack:
        base_url = stack.enter_context(listening(koncili, wire))
        stack.enter_context(ticked(koncili))
        mock = KonciliMock(koncili, base_url)
        if lose_answers:
            mock.lose_answers()
        koncili.faults.play([plan_of(table) for table in faults], beside=True)
        yield mock
