"""Whether lawful calls are accepted, and what is not sent any more since it is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import catalogue
from conformance.engine.hindrances import Hindrances
from conformance.engine.sending import Sending
from conformance.engine.unfinished import Hindered
from conformance.target.wire.exchange import Exchange
from strategies.calls import Call
from strategies.orders import Order

ACCEPTED_BY = {
    Endpoint.CREATE_TOKEN: "AUTH-01",
    Endpoint.REFRESH_TOKEN: "AUTH-06",
    Endpoint.LIST_ACCOUNTS: "ACC-01",
    Endpoint.SUBMIT_ORDER: "ORD-01",
    Endpoint.GET_ORDER: "QRY-01",
    Endpoint.DELETE_ORDER: "DEL-01",
    Endpoint.CREATE_RECONCILIATION: "REC-01",
    Endpoint.SUBMIT_RELEASE: "REL-01",
}
"""The rule that says that a lawful call to the endpoint is accepted."""

_TRIED_AHEAD: Final = frozenset({ACCEPTED_BY[Endpoint.CREATE_RECONCILIATION], ACCEPTED_BY[Endpoint.SUBMIT_RELEASE]})


@dataclass
class Accepting(Sending):
    """Looks what becomes of lawful calls."""

    hindrances: Hindrances | None = field(init=False)
    """What lawful calls were refused for; None where client errors are not counted, so that each may be sent."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.hindrances = Hindrances() if self.session.budget.status() is not None else None

    def is_accepted(self, call: Call, exchange: Exchange, context: str = "") -> bool:
        """Whether a lawful call was accepted; if not, or with another 2xx than the documented one, that is noted against the rule
        that says it must be, with what is said there of the `context`."""
        rule = catalogue()[ACCEPTED_BY[call.endpoint]]
        self.met(call, exchange)
        if exchange.status in rule.accepted:
            return True
        self.observe(rule.id, f"{rule.accepted}", f"a lawful call got {exchange.status}", exchange, context)
        if exchange.is_accepted:  # it is done, and what comes after it tells of other rules
            return True
        self.hindered(f"{rule.id}: a lawful call got {exchange.status}")
        return False

    def is_accepted_after_refusal(
        self, call: Call, exchange: Exchange, faults: list[Exchange], before: Order | None = None
    ) -> bool:
        """The same for a lawful submission after a broken one of the same code, which may have left a trace: then ORD-16 is to
        blame, for the kept server errors too. `before` is what was accepted of that code before, where that was another order:
        the update may be refused for it alone."""
        is_order = call.endpoint is Endpoint.SUBMIT_ORDER
        if is_order and not exchange.is_accepted and self.is_accepted_elsewhere(call, before):
            actual = f"since one was refused, the right one of the same code got {exchange.status}"
            self.observe("ORD-16", "a refused submission to leave nothing behind", actual, exchange)
            self.hindered(f"ORD-16: {actual}")
            faults.clear()
            return False
        return self.is_accepted(call, exchange)

    def is_accepted_elsewhere(self, call: Call, before: Order | None = None) -> bool:
        """Whether it is accepted under a code that nobody has sent, or only what was `before`; that is in no counterexample's
        story."""
        story, values = list(self.story), self.fresh(call.shape)
        sent = [*([] if before is None else [Call(Endpoint.SUBMIT_ORDER, body=before)]), call]
        accepted = all(self.send(one, values).is_accepted for one in sent)
        self.story[:] = story
        return accepted

    def met(self, call: Call, exchange: Exchange) -> None:
        """Take note of what became of a lawful call: what is refused each time is sent less."""
        if self.hindrances is not None and (exchange.is_accepted or exchange.is_refused):
            self.hindrances.note(call, accepted=exchange.is_accepted)

    @property
    def tells_of_refusals(self) -> bool:
        """Whether the running scenario's rule is the one that says that lawful creations, or releases, are accepted: what is
        refused each time is what it is about. Where all were refused ahead of their scenarios' turns nobody else tells it."""
        scenario = self.session.evidence.scenarios.get(self.scenario)
        return scenario is not None and scenario.rule in _TRIED_AHEAD

    def check_worth(self, example: object) -> None:
        """Raises Hindered where an example is not worth its client errors: it holds what was refused each time, and the running
        scenario is not there to tell that."""
        if self.hindrances is None or self.tells_of_refusals:
            return
        if why := self.hindrances.why_not(example):
            raise Hindered(why)
