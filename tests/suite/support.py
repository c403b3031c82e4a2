"""What the suite's own tests share: the mock's world as a scope, calls made into requests, and properties that repeat."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import conformance
import strategies
from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import INTEGRATOR_HEADER, TOKEN_HEADER, Endpoint
from conformance.contract.jsontext import dumps
from conformance.contract.judge import Request, judge
from conformance.contract.readings import resolve
from conformance.contract.rules import catalogue
from conformance.mock import world
from conformance.mock.koncili import Koncili
from strategies.calls import Call, place_of
from strategies.faults import FAULTS, Kind, possible
from strategies.holes import fill
from strategies.identifiers import Minter
from strategies.scope import Place, Scope

T = TypeVar("T")

# Hypothesis also draws the literals of the library's modules, of those that are loaded when it looks: all are, from here on,
# so that the examples are the same whichever tests run.
for _package in (conformance, strategies):
    for _module in walk_packages(_package.__path__, f"{_package.__name__}."):
        import_module(_module.name)

HOME: Final = Place(world.ENABLED[0].id, world.ENABLED[0].channel)

READINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "default readings": {},
    "extended types": {"extract-types": "extended"},
    "portal types": {"extract-types": "portal"},
    "integer ids": {"account-id-type": "integer"},
    "string ids": {"account-id-type": "string"},
    "empty extracts accepted": {"empty-extracts": "accepted"},
}
"""By name: what a run chooses of the readings that bear on orders."""


EXAMPLES_OF_A_RUN: Final = 30


def repeatable(examples: int, *, phases: Collection[Phase] = tuple(Phase)) -> settings:
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


def order_faults(*rule_ids: str) -> dict[str, Kind]:
    """The kinds of these rules about orders, by an id for a test."""
    return {f"{rule_id}: {fault}, {kind.name}": kind for rule_id, fault, kind, _ in faults(*rule_ids)}


@dataclass
class Bench:
    """A mock, and what fills the holes of the calls to it."""

    koncili: Koncili = field(default_factory=Koncili)
    minter: Minter = field(default_factory=lambda: Minter(5))

    def values(self, shape: str = "amazon") -> dict[str, str]:
        """Values for the holes of one example: codes that are new, tokens that live."""
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
        """Values for a lawful call whose order, if it asks for one, has been stored."""
        values = self.values(lawful.shape)
        if lawful.order is not None:
            place = place_of(lawful)
            self.koncili.world.put((place.account, place.channel, values["code"]), fill(lawful.order, values))
        return values

    def request(self, call: Call, values: Mapping[str, str]) -> Request:
        """The call as the mock gets it."""
        headers: dict[str, Any] = {}
        if call.endpoint.needs_token:
            headers = {TOKEN_HEADER: values["token"], INTEGRATOR_HEADER: world.INTEGRATOR}
        headers |= fill(dict(call.headers), values)
        body = b"" if call.body is None else dumps(fill(call.body, values)).encode()
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
