"""What the suite's own tests share: the mock's world as a scope, calls made into requests, and properties that repeat."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from conformance.compat.hypothesis import draw_no_constants
from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import INTEGRATOR_HEADER, TOKEN_HEADER, Endpoint
from conformance.contract.judge import Request, judge
from conformance.contract.readings import resolve
from conformance.contract.rules import Side, catalogue
from conformance.mock import world
from conformance.mock.koncili import FIRST_ID, Koncili
from conformance.mock.world import Reconciliation
from conformance.target.shared.calendar import Calendar
from strategies.calls import Call, place_of
from strategies.faults import FAULTS, Kind, possible
from strategies.identifiers import Minter
from strategies.periods import EARLIER, EARLIER_SECONDS, LATEST, LONG, MONTH, PERIOD
from strategies.placeholders import fill
from strategies.reconciliations import Batch
from strategies.scope import Place, Scope
from strategies.written import written

T = TypeVar("T")

# Hypothesis would also draw the literals of the modules that are loaded when it looks: the examples are to be the same whichever
# tests run.
draw_no_constants()

HOME: Final = Place(world.ENABLED[0].id, world.ENABLED[0].channel)

_EITHER_WAY: Final[Mapping[str, Mapping[str, str]]] = {
    "default readings": {},
    "extended types": {"extract-types": "extended"},
    "portal types": {"extract-types": "portal"},
    "integer ids": {"account-id-type": "integer"},
    "string ids": {"account-id-type": "string"},
    "numbers as text taken": {"scalar-coercion": "accepted"},
}

ORDER_READINGS: Final = {**_EITHER_WAY, "empty extracts accepted": {"empty-extracts": "accepted"}}
"""By name: what a run chooses of the readings that bear on orders."""

BATCH_READINGS: Final = {
    **_EITHER_WAY,
    "discrepancies taken": {"value-mismatch": "discrepancy"},
    "touching is overlapping": {"adjacent-periods": "overlap"},
    "periods without their ends": {"period-bounds": "exclusive"},
    "totals of all entries": {"total-net-value": "sum-of-entries"},
    "gross totals": {"total-net-value": "gross"},
}
"""By name: what a run chooses of the readings that bear on reconciliations and releases."""

READINGS: Final[Mapping[str, Mapping[str, str]]] = ORDER_READINGS | BATCH_READINGS


BATCH_RULES: Final = tuple(rule_id for rule_id in FAULTS if rule_id.startswith(("REC-", "REL-")))
"""The rules about reconciliations and releases that have faults."""

EXAMPLES_OF_A_RUN: Final = 30

_UNEXPLAINED: Final = tuple(phase for phase in Phase if phase is not Phase.explain)
"""To say which parts of a counterexample matter Hypothesis traces every line: whoever only looks for the simplest example needs
none of that."""


def repeatable(examples: int, *, phases: Collection[Phase] = _UNEXPLAINED) -> settings:
    """Settings for so many examples, the same ones each time, however slow the machine."""
    return settings(
        max_examples=examples,
        phases=phases,
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=False,
        suppress_health_check=[HealthCheck.too_slow],
    )


def prove(strategy: st.SearchStrategy[T], law: Callable[[T], None], examples: int) -> None:
    """Run a law on so many examples, the same ones each time."""
    repeatable(examples)(given(strategy)(law))()


def sample(strategy: st.SearchStrategy[T], size: int, *, first_run: int = 0) -> list[T]:
    """So many examples of a strategy from several runs, as a certification draws them; the same ones each time.

    Within a run Hypothesis varies what it drew before, so that one long run shows less than several short ones.
    """
    found: list[T] = []

    def collect(example: T) -> None:
        found.append(example)

    for run in range(first_run, first_run + size // EXAMPLES_OF_A_RUN):
        seed(run)(repeatable(EXAMPLES_OF_A_RUN, phases=[Phase.generate])(given(strategy)(collect)))()
    return found


def tried(strategy: st.SearchStrategy[T]) -> T:
    """What a certification tries of a strategy of which it tries one example: the first that is not the simplest."""
    found: list[T] = []

    def collect(example: T) -> None:
        found.append(example)

    seed(0)(repeatable(2, phases=[Phase.generate])(given(strategy)(collect)))()
    return found[-1]


JSON_VALUES: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=8),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=4), parts, max_size=3),
    max_leaves=6,
)
"""JSON of every type; text may hold lone surrogates."""


EXTREMES: Final[list[Any]] = [
    10**4000,
    -(10**30),
    Decimal("1E+400"),
    Decimal("-1E-400"),
    Decimal("1E+999999999999999999"),
    Decimal("1E-999999999999999999"),
    Decimal("-0.0"),
    "9" * 5000,
    "\u0661\u0669",
    "\ud800",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    [[]] * 300,
]
"""What strategies of JSON seldom draw: the furthest that a number, an instant or a text can be."""


def mock_scope(readings: Mapping[str, str]) -> Scope:
    """What a run against the mock has to work with."""
    return Scope(
        places=tuple(Place(account.id, account.channel) for account in world.ENABLED),
        readings=resolve(readings),
        fixtures={
            "inactive_account": Place(world.INACTIVE.id, world.INACTIVE.channel),
            "disabled_account": Place(world.DISABLED.id, world.DISABLED.channel),
            "unauthorised_channel": Place(HOME.account, world.OTHER_CHANNEL),
        },
        foreign_code=world.FOREIGN_CODE,
    )


def faults(*rule_ids: str, readings: str = "default readings") -> Iterator[tuple[str, str, Kind, Endpoint]]:
    """Rule, fault, kind and endpoint: all that can be made under these readings, of these rules or of every rule."""
    scope = mock_scope(READINGS[readings])
    for rule_id in rule_ids or FAULTS:
        for fault, kinds in FAULTS[rule_id].items():
            for kind in kinds:
                for endpoint in catalogue()[rule_id].endpoints:
                    if possible(kind, scope, endpoint):
                        yield rule_id, fault, kind, endpoint


def under(*rule_ids: str, some: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str]]:
    """Rule and readings other than the default ones, where the rule refuses something under them."""
    return [
        (rule_id, readings)
        for rule_id in rule_ids
        for readings, chosen in some.items()
        if chosen and Side.REFUSED in catalogue()[rule_id].sides_under(resolve(chosen))
    ]


def order_faults(*rule_ids: str) -> dict[str, Kind]:
    """The kinds of these rules about orders that are submitted, by an id for a test."""
    return {
        f"{rule_id}: {fault}, {kind.name}": kind
        for rule_id, fault, kind, endpoint in faults(*rule_ids)
        if endpoint is Endpoint.SUBMIT_ORDER
    }


@dataclass
class Bench:
    """A mock, and what fills the placeholders of the calls to it."""

    koncili: Koncili = field(default_factory=Koncili)
    minter: Minter = field(default_factory=lambda: Minter(5))
    calendar: Calendar = field(default_factory=Calendar)

    def values(self, shape: str = "amazon") -> dict[str, str]:
        """Values for the placeholders of one example: codes that are new, tokens that live."""
        access, refresh = self.koncili.world.issue_tokens()
        return {
            "code": self.minter.mint(shape),
            "other_code": self.minter.mint(shape),
            "token": access,
            "refresh_token": refresh,
            "credentials": encode_credentials(world.EMAIL, world.PASSWORD),
            "email": world.EMAIL,
        }

    def ready(self, lawful: Call) -> dict[str, str]:
        """Values for a lawful call before which all is done that it asks for: its order is stored, or the orders of its
        batch, and for a release the reconciliation is open. What other examples opened is forgotten."""
        if lawful.batch is not None:
            return self._ready_for(lawful.endpoint, lawful.batch)
        values = self.values(lawful.shape)
        if lawful.order is not None:
            place = place_of(lawful)
            self.koncili.world.put((place.account, place.channel, values["code"]), fill(lawful.order, values))
        return values

    def _ready_for(self, endpoint: Endpoint, batch: Batch) -> dict[str, str]:
        self.koncili.control({"abandonReconciliations": True})
        values = self.begin(batch)[0]
        if endpoint is Endpoint.SUBMIT_RELEASE:
            quantity = batch.creation["releasesQtd"]
            opened = self.open(batch.place, values[PERIOD], batch.seconds, quantity=quantity)
            values["reconciliation"] = str(opened.id)
        return values

    def begin(self, batch: Batch) -> list[dict[str, str]]:
        """Values for each order of a batch, when all are stored and three reconciliations were there before.

        Each order is there on every account, so that a release sent to another one has no fault but that, and the namesake
        on its own.
        """
        begun = [self.values(batch.shape) for _ in batch.orders]
        for order, values in zip(batch.orders, begun, strict=True):
            for account in world.ENABLED:
                there = {"accountId": type(order["accountId"])(account.id), "channelName": account.channel}
                self.koncili.world.put((account.id, account.channel, values["code"]), fill({**order, **there}, values))
        if (namesake := batch.namesake) is not None:
            key = (int(namesake["accountId"]), namesake["channelName"], begun[0]["code"])
            self.koncili.world.put(key, fill(namesake, begun[0]))
        lasting = {EARLIER: EARLIER_SECONDS, LATEST: EARLIER_SECONDS, LONG: MONTH}
        periods = {name: self.calendar.allot(seconds) for name, seconds in lasting.items()}
        for name, begins in periods.items():
            self.open(batch.place, begins, lasting[name], finished=True)
        periods[PERIOD] = self.calendar.allot(batch.seconds)
        codes = [values["code"] for values in begun]
        neighbours = [*codes[1:], codes[0]]
        return [{**values, **periods, "neighbour": code} for values, code in zip(begun, neighbours, strict=True)]

    def open(
        self, place: Place, begins: str, seconds: float = EARLIER_SECONDS, *, quantity: int = 1, finished: bool = False
    ) -> Reconciliation:
        """Put a reconciliation of so many entries into the world."""
        known, init = self.koncili.world, datetime.fromisoformat(begins)
        number = FIRST_ID + known.reconciliations_opened
        known.reconciliations_opened += 1
        end = init + timedelta(seconds=seconds)
        opened = Reconciliation(number, place.account, place.channel, init, end, quantity)
        opened.situation = "CONCILIED" if finished else None
        known.all_reconciliations.append(opened)
        return opened

    def request(self, call: Call, values: Mapping[str, str]) -> Request:
        """The call as the mock gets it."""
        headers: dict[str, Any] = {}
        if call.endpoint.needs_token:
            headers = {TOKEN_HEADER: values["token"], INTEGRATOR_HEADER: world.INTEGRATOR}
        headers |= fill(dict(call.headers), values)
        body = b"" if call.body is None else written(fill(call.body, values), call.spelling)
        if call.rendered is not None:
            body = call.rendered.change(body)
        return Request(
            method=call.endpoint.method,
            path=call.endpoint.path,
            query=fill(dict(call.query), values),
            headers={name.lower(): value for name, value in headers.items() if value is not None},
            body=body,
        )

    def broken_rules(self, call: Call, values: Mapping[str, str]) -> list[str]:
        """The rules that the judge sees broken, in its order."""
        return rules_of(judge(self.request(call, values), self.koncili.world, self.koncili.readings))


def rules_of(breaches: Iterable[Any]) -> list[str]:
    """The ids of the rules that are broken, in order."""
    return [breach.rule for breach in breaches]
