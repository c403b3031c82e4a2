"""ACC rules: the account of every call exists, is active, enabled for API imports, and on its channel."""

from __future__ import annotations

from pytest_bdd import scenarios, then

from conformance.contract.coercion import id_text
from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Side
from conformance.engine.checks import check_accepted
from conformance.verdict.violation import Violation
from strategies.calls import Call
from tests.certification.conftest import Experiment

scenarios("accounts.feature")


@then("it holds every account of the target")
def holds_every_account(experiment: Experiment) -> None:
    bench = experiment.bench
    exchange = bench.send(Call(Endpoint.LIST_ACCOUNTS), {})
    check_accepted(rule=experiment.rule, exchange=exchange)
    listed = exchange.json if isinstance(exchange.json, list) else []
    found = {(id_text(row.get("id")), row.get("channelName")) for row in listed if isinstance(row, dict)}
    missing = [place for place in bench.scope.places if (str(place.account), place.channel) not in found]
    if missing or not isinstance(exchange.json, list):
        raise Violation(
            rule=experiment.rule.id,
            expected="a JSON array with every account of the target file",
            actual=f"{', '.join(f'{place.account} on {place.channel}' for place in missing) or 'an array'} was not there",
            exchange=exchange,
        )
    bench.saw(Side.ACCEPTED, exchange)
