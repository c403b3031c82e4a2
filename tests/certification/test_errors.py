"""ERR rules: how a refusal looks, and that nothing brings the server down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from pytest_bdd import given, parsers, scenarios, then

from conformance.contract.endpoints import INTEGRATOR_HEADER, TOKEN_HEADER, Endpoint, endpoint_of
from conformance.contract.jsontext import dumps, told
from conformance.contract.rules import Side
from conformance.engine import economy
from conformance.engine.bench import Bench
from conformance.engine.bounds import REFUSED_AT_MOST, Bound, codes_taken_faithfully, order_taken_faithfully
from conformance.engine.checks import check_refused, error_body_problem
from conformance.engine.laws import make_ready
from conformance.engine.properties import prove
from conformance.engine.schema_layer import run_schema_layer
from conformance.engine.unfinished import Hindered
from conformance.engine.values import Values
from conformance.engine.waiting import Waiting
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.http.building import AsItStands
from conformance.verdict.violation import Violation
from strategies import odd
from strategies.alike import pairs
from strategies.calls import Call, calls
from strategies.faults import FAULTS, Case, Kind, cases, order_faults, possible
from strategies.placeholders import fill
from strategies.reconciliations import Batch, batches, plain_order
from strategies.unbounded import AMOUNTS, AS_LAWFUL, CODES_BEYOND, LIKE, ODD_CODES, ORDERS_BEYOND, grown
from tests.certification.conftest import Experiment

scenarios("errors.feature")


# -- ERR-01, ERR-03: every refusal ---------------------------------------------------------------------------------


_REFUSED_BY = {
    Endpoint.GET_ORDER: ("ACC-02", "ACC-03", "QRY-02"),
    Endpoint.DELETE_ORDER: ("ACC-02", "ACC-03", "DEL-02"),
    Endpoint.CREATE_RECONCILIATION: ("ACC-02", "ACC-03", "REC-03", "REC-07", "REC-08"),
    Endpoint.SUBMIT_RELEASE: (
        "ACC-02",
        "ACC-03",
        "REL-02",
        "REL-03",
        "REL-04",
        "REL-05",
        "REL-07",
        "REL-10",
        "REL-13",
        "REL-17",
    ),
}
"""Rules whose faults are refused with the documented body, by endpoint."""


def _kinds(bench: Bench, endpoint: Endpoint) -> list[Kind]:
    """Every kind of fault that the endpoint refuses with a documented body."""
    if endpoint is Endpoint.SUBMIT_ORDER:
        kinds = [*order_faults()]
    else:
        kinds = [kind for rule in _REFUSED_BY[endpoint] for fault in FAULTS[rule].values() for kind in fault]
    return [kind for kind in kinds if possible(kind, bench.scope, endpoint)]


@st.composite
def _any_fault(draw: DrawFn, bench: Bench, endpoint: Endpoint, kinds: tuple[Kind, ...]) -> tuple[Kind, Case]:
    kind = draw(st.sampled_from(kinds))
    return kind, draw(cases(bench.scope, endpoint, kind))


def _some(bench: Bench) -> int:
    return max(2, bench.session.profile.sequences // 2)


@then("every refusal has the documented body, its code beginning with the status")
def every_refusal_has_the_documented_body(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(drawn: tuple[Kind, Case]) -> Waiting[None]:
        case = drawn[1]
        values = yield from make_ready(bench, case.lawful)
        if values is None:
            return
        try:
            check(case, values)
        finally:
            bench.reconciliations.finish_current()

    def check(case: Case, values: Values) -> None:
        refused = bench.reconciliations.follow(case.broken, bench.send(case.broken, values), lawful=False)
        if refused.status // 100 != 4:  # that it must be refused is its own rule's business
            return
        if problem := error_body_problem(refused):
            raise Violation(
                rule=experiment.rule.id,
                expected="the documented error body, the prefix of its code the status",
                actual=problem,
                exchange=refused,
                context=f"changed in one place: {case.edit}",
            )
        bench.saw(Side.REFUSED, refused)

    if (before := bench.known_refusal(experiment.endpoint)) is not None:
        bench.saw(Side.REFUSED, before)  # every other rule's refusals are looked at too: another would show no more
        return
    kinds = tuple(_kinds(bench, experiment.endpoint))
    prove(bench, bench.scenario, _any_fault(bench, experiment.endpoint, kinds), law, max(1, _some(bench) // 2))


@then("every refusal's message names the field that was wrong")
def every_message_names_the_field(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(drawn: tuple[Kind, Case]) -> None:
        kind, case = drawn
        values = bench.fresh(case.lawful.shape)
        refused = bench.send(case.broken, values)
        body = refused.json
        if refused.status != 400 or not isinstance(body, dict):  # not this rule's business
            return
        said = f"{body.get('errorMessage')} {body.get('errorSource')}"
        if str(kind.field).lower() not in said.lower():
            if not bench.is_accepted(case.lawful, bench.send(case.lawful, bench.fresh(case.lawful.shape))):
                raise Hindered("ORD-01: a lawful order was refused")  # the message may be about that
            raise Violation(
                rule=experiment.rule.id,
                expected=f"the message to name {kind.field}",
                actual=f"it said {told(body.get('errorMessage'))}",
                exchange=refused,
                context=f"changed in one place: {case.edit}",
            )
        bench.saw(Side.REFUSED, refused)

    kinds = tuple(kind for kind in _kinds(bench, Endpoint.SUBMIT_ORDER) if kind.field)
    prove(bench, bench.scenario, _any_fault(bench, Endpoint.SUBMIT_ORDER, kinds), law, _some(bench))


# -- ERR-02: no server error ---------------------------------------------------------------------------------------


def _check_no_server_error(experiment: Experiment, exchange: Exchange) -> None:
    if exchange.status // 100 == 5:
        actual = f"it answered {exchange.status}"
        raise Violation(rule=experiment.rule.id, expected="no server error", actual=actual, exchange=exchange)
    experiment.bench.saw(Side.CHECKED, exchange)


@then(parsers.re(r"no (?P<input_>.+) in it makes a server error"))
def no_odd_input_makes_a_server_error(experiment: Experiment, input_: str) -> None:
    bench = experiment.bench

    def law(odd_calls: list[Call]) -> None:
        values = bench.fresh(odd_calls[0].shape)
        for call in odd_calls:
            _check_no_server_error(experiment, bench.send(call, values))

    values = odd.INPUTS[input_][0]
    refused = _tried(experiment, values)
    # In a free field it is mostly accepted, which spends no client error.
    for value in values if experiment.bench.session.profile.kinds_at_most is None else refused:
        drawn = odd.odd_submissions(bench.scope, input_, value, refused=value in refused)
        prove(bench, f"{bench.scenario} {value}", drawn, law, _each(experiment))


@then("no odd text in a query or in credentials makes a server error")
def no_odd_query_makes_a_server_error(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(text: str) -> None:
        place = bench.scope.places[0]
        query = {"marketplaceCode": text, "channelName": place.channel, "accountId": str(place.account)}
        _check_no_server_error(experiment, bench.send(Call(Endpoint.GET_ORDER, query=query), {}))
        _check_no_server_error(experiment, bench.send(Call(Endpoint.CREATE_TOKEN, body={"credentials": text}), {}))

    for value in _tried(experiment, odd.QUERY_TEXTS)[::2]:
        prove(bench, f"{bench.scenario} {value}", odd.QUERY_TEXTS[value], law, _each(experiment))


@then("no missing or malformed parameter makes a server error")
def no_malformed_parameter_makes_a_server_error(experiment: Experiment) -> None:
    bench, place = experiment.bench, experiment.bench.scope.places[0]
    lawful = {"marketplaceCode": "0", "channelName": place.channel, "accountId": str(place.account)}
    queries = {
        "accountId empty": {**lawful, "accountId": ""},
        "a percent sign that escapes nothing": {**lawful, "marketplaceCode": AsItStands("%zz")},
        "none at all": {},
        "accountId no number": {**lawful, "accountId": "one"},
        "a byte that is no UTF-8": {**lawful, "marketplaceCode": AsItStands("%ff")},
        **{f"{name} left out": {key: value for key, value in lawful.items() if key != name} for name in lawful},
        "marketplaceCode empty": {**lawful, "marketplaceCode": ""},
        "accountId beyond 64 bits": {**lawful, "accountId": str(2**64)},
        "accountId negative": {**lawful, "accountId": "-1"},
        "everything empty": dict.fromkeys(lawful, ""),
    }

    def law(query: dict[str, str]) -> None:
        exchange = bench.send(Call(experiment.endpoint, query=query), {})
        _check_no_server_error(experiment, exchange)
        shown = exchange.json if experiment.endpoint is Endpoint.GET_ORDER and exchange.status // 100 == 2 else None
        if isinstance(shown, dict) and shown.get("marketplaceCode"):
            bench.observe("QRY-02", "no order to be found", "it showed one", exchange, "nothing names an order")

    most = len(queries) if bench.session.profile.client_errors is None else 5
    for name in economy.choose(list(queries), most, bench.session.seed):
        prove(bench, f"{bench.scenario} {name}", st.just(queries[name]), law, 1)

    if experiment.endpoint is Endpoint.GET_ORDER:
        prove(bench, f"{bench.scenario} twice", calls(bench.scope, Endpoint.GET_ORDER), _named_twice(experiment), 1)


def _named_twice(experiment: Experiment) -> Callable[[Call], None]:
    """The law that a query with a parameter twice makes no server error: of an order that is there, so that whoever takes the
    first of them or the last answers it and no client error is spent; who refuses the query spends one."""
    bench = experiment.bench

    def law(lookup: Call) -> None:
        values = bench.fresh(lookup.shape)
        order = Call(Endpoint.SUBMIT_ORDER, body=lookup.order)
        if bench.is_accepted(order, bench.send(order, values)):
            code = quote(values["code"], safe="")
            query = {**(lookup.query or {}), "marketplaceCode": AsItStands(f"{code}&marketplaceCode={code}")}
            _check_no_server_error(experiment, bench.send(Call(Endpoint.GET_ORDER, query=query), {}))

    return law


_UNDEMANDED: Final = (("status", "createdDate"), ("installment", "installmentQuantity"))
"""What nothing demands of a release, of each order's some."""


@then("without what nothing demands of it and of its releases it makes no server error")
def only_what_is_demanded_makes_no_server_error(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations

    def law(batch: Batch) -> None:
        reconciliation = reconciliations.begin(replace(batch, creation=_without(batch.creation, "totalNetValue")))
        if not reconciliations.submit_orders(reconciliation):
            return
        try:
            created = reconciliations.create_once(reconciliation)
            _check_no_server_error(experiment, created)
            if created.is_refused:
                reconciliation.batch = batch
                if not reconciliations.create(reconciliation).is_accepted:
                    return
            for number, names in enumerate(_UNDEMANDED):
                call = Call(Endpoint.SUBMIT_RELEASE, body=_without(batch.releases[number], *names))
                released = bench.send(call, reconciliation.values[number])
                _check_no_server_error(experiment, released)
                if released.is_accepted:
                    reconciliation.released.add(number)
                elif not reconciliations.released(reconciliation, number):
                    return
        except Violation:
            reconciliations.stray(reconciliation)  # it may have done what it was asked
            raise
        finally:
            reconciliations.finish(reconciliation)

    prove(bench, bench.scenario, batches(reconciliations.scope, at_least=2, at_most=2), law, 1)


def _without(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


# -- ERR-06: what no document bounds -------------------------------------------------------------------------------


@then(parsers.parse("with {what} it is taken as it is, or refused with 4xx"))
def taken_as_it_is_or_refused(experiment: Experiment, what: str) -> None:
    bench, codes = experiment.bench, CODES_BEYOND.get(what)
    beyond: Mapping[str, Any] = codes or ORDERS_BEYOND[what]
    bound = Bound(bench, REFUSED_AT_MOST if beyond in (ODD_CODES, AMOUNTS) else 1)
    profile = bench.session.profile
    for name in economy.choose(list(beyond), profile.kinds_at_most or len(beyond), bench.session.seed):
        if bound.is_reached:
            return
        law: Any = partial(codes_taken_faithfully, bench, experiment.rule, name, beyond[name], bound)
        drawn: st.SearchStrategy[Any] = pairs(bench.scope)
        if codes is None:
            law = partial(order_taken_faithfully, bench, experiment.rule, name, bound)
            # What is not kept of amounts as large as any may be is QRY-01's business.
            large = beyond is AMOUNTS
            drawn = grown(bench.scope, beyond[name], AS_LAWFUL.get(name), LIKE.get(name), types=("SHIP",), large=large)
        prove(bench, f"{bench.scenario} {name}", drawn, law, profile.refusals_per_kind)


# -- ERR-05: the schema layer --------------------------------------------------------------------------------------


@given("the OpenAPI document")
def the_openapi_document() -> None:
    """conformance/contract/openapi.yaml."""


@then(parsers.parse("whatever Schemathesis makes of {operation} in it is answered in a documented shape"))
def answered_in_a_documented_shape(experiment: Experiment, operation: str) -> None:
    run_schema_layer(experiment.bench, experiment.rule, operation)


def _tried(experiment: Experiment, values: odd.Values) -> list[str]:
    """The names of the values to try: in a certification every third, turning with the seed, and what stores choke on most."""
    profile, names = experiment.bench.session.profile, list(values)
    counted = profile.client_errors is not None
    turn, start = divmod(experiment.bench.session.seed, 3)
    tried = names[start :: 3 if counted else 1]
    for always in [name for name in names if name in odd.ALWAYS and name not in tried]:
        tried[turn % len(tried)] = always  # no more client errors than at any other seed
    return tried[: profile.kinds_at_most] or names[:1]


def _each(experiment: Experiment) -> int:
    return experiment.bench.session.profile.refusals_per_kind


# -- ERR-04: what is not documented --------------------------------------------------------------------------------


def _undocumented(bench: Bench, method: str, path: str, body: bytes | None = None) -> Exchange:
    client = bench.session.client
    headers = {TOKEN_HEADER: client.access_token(), INTEGRATOR_HEADER: str(client.target.integrator)}
    return bench.noted(client.send(method, path, headers=headers, content=body))


def _lawful_order(bench: Bench) -> bytes:
    """The body of a lawful submission: a server that takes PUT for POST would take it."""
    order = fill(
        plain_order(bench.scope.places[0], bench.scope.account_id_forms[0], 1, bench.scope.days.start),
        bench.fresh("amazon"),
    )
    return dumps(order).encode()


def _accepted_twin(experiment: Experiment) -> None:
    twin = Call(Endpoint.LIST_ACCOUNTS)
    exchange = experiment.bench.send(twin, {})
    if experiment.bench.is_accepted(twin, exchange):
        experiment.bench.saw(Side.ACCEPTED, exchange)


@then("every path that is not documented answers 404")
def undocumented_paths_answer_404(experiment: Experiment) -> None:
    bench = experiment.bench
    _accepted_twin(experiment)

    def law(word: str) -> None:
        exchange = _undocumented(bench, "GET", f"/no-such-path-{word}")
        if exchange.status != 404:
            raise Violation(
                rule=experiment.rule.id, expected="404", actual=f"it answered {exchange.status}", exchange=exchange
            )
        bench.saw(Side.REFUSED, exchange)

    words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12)
    prove(bench, bench.scenario, words, law, max(2, _some(bench) // 3))


@then(parsers.parse("every method that is not documented for {path} is refused with 4xx"))
def undocumented_methods_are_refused(experiment: Experiment, path: str) -> None:
    bench = experiment.bench
    _accepted_twin(experiment)
    for method in ("PATCH", "DELETE") if path == "/my-accounts" else ("PUT",):
        if endpoint_of(method, path) is not None:
            continue
        exchange = _undocumented(bench, method, path, _lawful_order(bench) if path == "/order" else None)
        check_refused(rule=experiment.rule, exchange=exchange, bench=bench, context=f"{method} is not documented")
        bench.saw(Side.REFUSED, exchange)
