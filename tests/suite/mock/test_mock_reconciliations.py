"""The mock's reconciliations by themselves: opened, released, completed on its clock, told of, and nothing twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import pytest
from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps
from conformance.mock import world
from conformance.mock.koncili import Koncili
from conformance.mock.variants import variant
from strategies.calls import LEFT_OUT, creation_of, release_of
from strategies.reconciliations import Batch, batches
from strategies.scope import Place
from tests.suite.support.bodies import (
    CODE,
    DAY,
    ELSEWHERE,
    END,
    ENTRIES,
    FIRST,
    HOUR,
    INIT,
    LATER,
    LAWFUL,
    NEIGHBOUR,
    SALE,
    Body,
    creation,
    entries,
    on,
    order,
    release,
)
from tests.suite.support.properties import BATCH_READINGS, EXTREMES, HOME, JSON_VALUES, Bench, mock_scope, prove
from tests.suite.support.seller_client import RECONCILES_IN, Seller


@pytest.fixture
def seller() -> Seller:
    return Seller()


# -- opening -------------------------------------------------------------------------------------------------------


def test_ids_begin_with_that_of_the_example_and_none_comes_twice(seller: Seller) -> None:
    ids = [
        seller.send(Endpoint.CREATE_RECONCILIATION, creation(**on(place))).body
        for place in (HOME, NEIGHBOUR, ELSEWHERE)
    ]
    assert ids == [{"id": FIRST}, {"id": FIRST + 1}, {"id": FIRST + 2}]
    seller.koncili.control({"abandonReconciliations": True})
    again = seller.send(Endpoint.CREATE_RECONCILIATION, creation())
    assert (again.status, again.body) == (201, {"id": FIRST + 3})


def test_one_at_a_time_and_each_for_a_period_of_its_own(seller: Seller) -> None:
    assert seller.submit() == 200
    assert seller.create() == 201
    assert seller.create(**LATER) == 400
    assert seller.release() == 200
    assert seller.create(**LATER) == 400
    seller.wait()
    assert seller.create() == 400
    assert seller.create(**LATER) == 201


REFUSED_CREATIONS: Final[dict[str, tuple[Body, int]]] = {
    "no count": ({"releasesQtd": 0}, 400),
    "no total": ({"totalNetValue": "203.63"}, 400),
    "no period": ({"periodInitDate": END}, 400),
    "no account": ({"accountId": 7}, 404),
    "no channel": ({"channelName": LEFT_OUT}, 400),
    "an account that is inactive": ({"accountId": world.INACTIVE.id}, 403),
    "a channel of another account": ({"channelName": world.OTHER_CHANNEL}, 403),
}


@pytest.mark.parametrize(("changes", "status"), REFUSED_CREATIONS.values(), ids=REFUSED_CREATIONS)
def test_a_refused_creation_registers_no_period(seller: Seller, changes: Body, status: int) -> None:
    for _ in range(2):
        assert seller.create(**changes) == status
    assert seller.koncili.world.all_reconciliations == []
    assert seller.create() == 201


def test_a_creation_that_is_refused_while_another_is_active_registers_no_period(seller: Seller) -> None:
    seller.reconcile(CODE)
    assert seller.create(**LATER) == 400
    seller.wait()
    assert seller.create(**LATER) == 201


# -- releasing -----------------------------------------------------------------------------------------------------

REFUSED_RELEASES: Final[dict[str, Body]] = {
    "of no reconciliation": {"reconciliationId": FIRST + 1},
    "before the period": {"releasedDate": f"{DAY}11:59:59.999Z"},
    "not in cash": {"releaseType": "LATER"},
    "of another sign": {"releases": entries(("SALE", "-203.63"), *ENTRIES[1:])},
    "of another value": {"releases": entries(("SALE", "203.64"), *ENTRIES[1:])},
    "of fewer entries": {"releases": entries(*ENTRIES[:2])},
    "of more entries": {"releases": entries(*ENTRIES, ENTRIES[2])},
    "of another code": {"marketplaceCode": "X"},
    "of no order": release("X"),
    "of another account": on(NEIGHBOUR),
    "of no account": {"accountId": 7},
    "of an inactive account": {"accountId": world.INACTIVE.id},
}


@pytest.mark.parametrize("changes", REFUSED_RELEASES.values(), ids=REFUSED_RELEASES)
def test_a_refused_release_counts_nothing(seller: Seller, changes: Body) -> None:
    seller.submit()
    seller.submit("OTHER")
    seller.create(releasesQtd=6)
    for _ in range(3):
        assert 400 <= seller.release(**changes) < 500
    assert seller.release("OTHER") == 200
    seller.wait(86_400)
    assert seller.ended == []
    assert seller.release() == 200
    seller.wait()
    assert seller.ended == [(FIRST, "CONCILIED")]


def test_nothing_is_released_twice(seller: Seller) -> None:
    seller.submit()
    seller.submit("OTHER")
    seller.create(releasesQtd=6)
    assert [seller.release(), seller.release(), seller.release(releases=entries(SALE))] == [200, 400, 400]
    assert [seller.release("OTHER"), seller.release("OTHER")] == [200, 400]
    seller.wait()
    assert seller.create(**LATER) == 201
    assert seller.release(reconciliationId=FIRST + 1, releasedDate=f"{DAY}14:30:00Z") == 400
    assert seller.ended == [(FIRST, "CONCILIED")]


def test_nothing_is_released_beyond_what_was_announced(seller: Seller) -> None:
    for code in (CODE, "OTHER", "SMALL"):
        seller.submit(code, **({"extracts": entries(SALE, code=code)} if code == "SMALL" else {}))
    seller.create(releasesQtd=4)
    small = {"releases": entries(SALE, code="SMALL")}
    assert [seller.release(), seller.release("OTHER"), seller.release("SMALL", **small)] == [200, 400, 200]
    assert seller.release("OTHER") == 400
    seller.wait()
    assert seller.release("OTHER") == 400
    assert seller.deletion("OTHER") == 200, "what was refused is not reconciled"


def test_an_order_need_not_be_shown_to_be_released() -> None:
    seller = Seller(Koncili(quirks=[variant("half-hour-consolidation")]))
    assert seller.reconcile(CODE) == FIRST
    seller.wait()
    assert seller.look_up(Endpoint.GET_ORDER).status == 404
    assert seller.ended == [(FIRST, "CONCILIED")]


# -- completing ----------------------------------------------------------------------------------------------------


def test_it_completes_two_seconds_after_the_last_release_and_not_before(seller: Seller) -> None:
    seller.submit()
    seller.submit("OTHER")
    seller.create(releasesQtd=6)
    seller.release()
    seller.wait(10 * 86_400)
    assert seller.ended == [], "a release is missing"
    seller.release("OTHER")
    assert seller.ended == [], "nothing completes at once"
    seller.wait(1.999)
    assert (seller.ended, seller.create(**LATER)) == ([], 400)
    seller.wait(0.001)
    assert (seller.ended, seller.create(**LATER)) == ([(FIRST, "CONCILIED")], 201)
    seller.wait(86_400)
    assert len(seller.heard) == 1, "it is told once"


@pytest.mark.parametrize("how", ["a request", "a tick"])
def test_it_completes_whatever_comes_next(seller: Seller, how: str) -> None:
    seller.reconcile(CODE)
    seller.koncili.clock.advance(RECONCILES_IN)
    if how == "a request":
        assert seller.deletion() == 400, "the request itself finds it completed"
        assert seller.heard == [], "no request sends a notification"
    seller.koncili.tick()
    assert seller.ended == [(FIRST, "CONCILIED")]


def test_a_reconciled_order_is_kept_and_shown(seller: Seller) -> None:
    seller.reconcile(CODE, "OTHER")
    seller.submit("FREE")
    before = seller.look_up(Endpoint.GET_ORDER)
    seller.wait()
    for code in (CODE, "OTHER"):
        refused = seller.look_up(Endpoint.DELETE_ORDER, code)
        assert (refused.status, refused.body) == (
            400,
            {"errorMessage": f"Order {code} is reconciled", "errorCode": "400-0", "errorSource": "marketplaceCode"},
        )
        assert seller.look_up(Endpoint.GET_ORDER, code).status == 200
    assert seller.look_up(Endpoint.GET_ORDER) == before
    assert seller.deletion("FREE") == 200


def test_an_order_is_not_reconciled_before_it_completes(seller: Seller) -> None:
    seller.reconcile(CODE)
    seller.wait(1.999)
    assert seller.deletion() == 200


@pytest.mark.parametrize("place", [NEIGHBOUR, ELSEWHERE], ids=["of the channel", "of another channel"])
def test_another_account_is_left_alone(seller: Seller, place: Place) -> None:
    for code in (CODE, "KEPT"):
        seller.submit(code, **on(place))
    assert seller.reconcile(CODE) == FIRST
    assert seller.create(**on(place)) == 201, "nothing is active there"
    seller.wait()
    assert seller.release("KEPT", **on(place), reconciliationId=FIRST + 1) == 200
    assert seller.deletion(CODE, place) == 200, "the order of the same code is another"
    assert seller.deletion() == 400
    seller.wait()
    assert seller.ended == [(FIRST, "CONCILIED"), (FIRST + 1, "CONCILIED")]
    assert seller.deletion("KEPT", place) == 400


def test_several_are_completed_each_in_its_time(seller: Seller) -> None:
    seller.reconcile("A", place=HOME)
    seller.wait(1)
    seller.reconcile("B", place=ELSEWHERE)
    seller.wait(1)
    assert seller.ended == [(FIRST, "CONCILIED")]
    seller.wait(1)
    assert seller.ended == [(FIRST, "CONCILIED"), (FIRST + 1, "CONCILIED")]


# -- how it ends ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("init", "end"),
    [(INIT, END), (f"{DAY}09:00:00-03:00", f"{DAY}18:30:00+05:30"), (f"{DAY}12:00:00.000Z", f"{DAY}13:00:00.000Z")],
    ids=["in UTC", "in other zones", "with milliseconds"],
)
@pytest.mark.parametrize("account", [HOME.account, str(HOME.account)], ids=repr)
def test_a_reconciliation_that_ends_well_is_told(seller: Seller, init: str, end: str, account: object) -> None:
    seller.reconcile(CODE, periodInitDate=init, periodEndDate=end, accountId=account)
    seller.wait()
    assert seller.heard == [
        {
            "notificationType": "RECONCILIATION_COMPLETED",
            "timestamp": "2026-06-01T12:00:02.000Z",
            "payload": {
                "accountId": HOME.account,
                "reconciliationId": FIRST,
                "resolvedEndDate": END,
                "situation": "CONCILIED",
            },
        }
    ]


def test_a_reconciliation_that_fails_is_told_and_reconciles_nothing(seller: Seller) -> None:
    seller.reconcile(CODE)
    seller.koncili.control({"failReconciliation": FIRST})
    assert seller.heard == []
    seller.wait()
    payload = {"accountId": HOME.account, "reconciliationId": FIRST, "resolvedEndDate": None, "situation": "ERROR"}
    assert [one["payload"] for one in seller.heard] == [payload]
    assert seller.create(**LATER) == 201, "it is no longer active"
    assert seller.deletion() == 200


def test_one_that_is_to_fail_still_waits_for_its_releases(seller: Seller) -> None:
    seller.submit()
    seller.create()
    seller.koncili.control({"failReconciliation": FIRST})
    seller.wait(86_400)
    assert seller.ended == []
    seller.release()
    seller.wait()
    assert seller.ended == [(FIRST, "ERROR")]


def test_it_fails_where_an_order_was_deleted_meanwhile(seller: Seller) -> None:
    seller.reconcile(CODE, "OTHER")
    assert seller.deletion() == 200
    seller.wait()
    assert seller.ended == [(FIRST, "ERROR")]
    assert seller.deletion("OTHER") == 200, "with the one the other is not reconciled either"


TOTALS: Final[dict[str, tuple[object, str, str, str]]] = {
    # of 407.26 gross and 302.48 in all: how it ends where the total is not checked, the sum of entries, and the gross
    "the gross": (Decimal("407.26"), "CONCILIED", "ERROR", "CONCILIED"),
    "the sum of entries": (Decimal("302.48"), "CONCILIED", "CONCILIED", "ERROR"),
    "the sum, printed longer": (Decimal("302.4800"), "CONCILIED", "CONCILIED", "ERROR"),
    "a cent more than the sum": (Decimal("302.49"), "CONCILIED", "ERROR", "ERROR"),
    "a cent less than the gross": (Decimal("407.25"), "CONCILIED", "ERROR", "ERROR"),
    "the sum of one order": (Decimal("151.24"), "CONCILIED", "ERROR", "ERROR"),
    "zero": (0, "CONCILIED", "ERROR", "ERROR"),
    "none": (LEFT_OUT, "CONCILIED", "CONCILIED", "CONCILIED"),
}


@pytest.mark.parametrize(("total", "unchecked", "entire", "gross"), TOTALS.values(), ids=TOTALS)
def test_the_total_counts_as_the_reading_says(total: object, unchecked: str, entire: str, gross: str) -> None:
    for reading, expected in {"unchecked": unchecked, "sum-of-entries": entire, "gross": gross}.items():
        seller = Seller(Koncili(readings={"total-net-value": reading}))
        seller.reconcile(CODE, "OTHER", totalNetValue=total)
        seller.wait()
        assert seller.ended == [(FIRST, expected)], f"under total-net-value = {reading}"
        assert seller.deletion() == (400 if expected == "CONCILIED" else 200)


def test_a_differing_value_is_consolidated_where_the_reading_says_so() -> None:
    seller = Seller(Koncili(readings={"value-mismatch": "discrepancy"}))
    seller.submit()
    seller.create()
    assert seller.release(releases=entries(("SALE", "200.00"), *ENTRIES[1:])) == 200
    seller.wait()
    assert seller.ended == [(FIRST, "CONCILIED")]


@pytest.mark.parametrize("readings", BATCH_READINGS)
def test_every_lawful_batch_is_taken_whole_and_ends_well(readings: str) -> None:
    scope = mock_scope(BATCH_READINGS[readings])
    bench = Bench(Koncili(readings=scope.readings))
    seller = Seller(bench.koncili)

    def law(batch: Batch) -> None:
        begun = bench.begin(batch)
        created = bench.koncili.handle(bench.request(creation_of(batch), begun[0]))
        assert created.status == 201
        number = created.body["id"]  # type: ignore[index]
        for position, values in enumerate(begun):
            seller.wait(HOUR)
            assert (number, "CONCILIED") not in seller.ended
            sent = bench.request(release_of(batch, position), {**values, "reconciliation": str(number)})
            assert bench.koncili.handle(sent).status == 200
        seller.wait()
        assert seller.ended[-1:] == [(number, "CONCILIED")]

    prove(batches(scope, at_most=3), law, 12)


# -- any request ---------------------------------------------------------------------------------------------------

ODD_ENDS: Final[dict[str, tuple[dict[str, str], Body, Body]]] = {
    # the readings; changes of the creation; of the order's first extract, and so of the release
    "a period to the last instant there is": ({}, {"periodEndDate": "9999-12-31T23:59:59-23:59"}, {}),
    "a period from the first instant there is": ({}, {"periodInitDate": "0001-01-01T00:00:00+23:59"}, {}),
    "a total beyond any double": ({"total-net-value": "gross"}, {"totalNetValue": Decimal("1E+400")}, {}),
    "a value beyond any double": ({"total-net-value": "gross"}, {}, {"value": Decimal("1E+400")}),
    "a value of a very large exponent": (
        {"total-net-value": "gross"},
        {},
        {"value": Decimal("1E+999999999999999999")},
    ),
    "a very large exponent, not checked": ({}, {}, {"value": Decimal("1E+999999999999999999")}),
}


@pytest.mark.parametrize(("readings", "opened", "extract"), ODD_ENDS.values(), ids=ODD_ENDS)
def test_what_is_taken_can_be_completed(readings: dict[str, str], opened: Body, extract: Body) -> None:
    seller = Seller(Koncili(readings=readings))
    parts = [{**entries(SALE)[0], **extract}]
    assert seller.submit(extracts=parts) == 200
    assert seller.create(**{"releasesQtd": 1, **opened}) == 201
    assert seller.release(releases=parts) == 200
    seller.wait()
    assert [number for number, _ in seller.ended] == [FIRST]
    assert seller.look_up(Endpoint.GET_ORDER).status == 200


def test_no_sequence_of_creations_and_releases_makes_a_5xx(seller: Seller) -> None:
    numbers = st.integers(-1, 4) | st.integers(FIRST - 1, FIRST + 3)
    texts = st.sampled_from([CODE, "X", INIT, END, f"{DAY}12:30:00Z", "SALE", "IN_CASH", HOME.channel, "9" * 30])
    anything = JSON_VALUES | numbers | texts | st.sampled_from(EXTREMES)

    def changes(body: Body) -> st.SearchStrategy[Body]:
        return st.dictionaries(st.sampled_from([*body]), anything, max_size=2).map(lambda some: {**body, **some})

    bodies = st.one_of(
        *(st.tuples(st.just(endpoint), changes(body)) for endpoint, body in LAWFUL.items()),
        st.tuples(st.just(Endpoint.SUBMIT_ORDER), changes(order())),
    )

    def law(steps: list[tuple[Endpoint, Body]]) -> None:
        for endpoint, body in steps:
            answer = seller.send(endpoint, body)
            assert answer.status < 500
            dumps(answer.body)
            seller.wait()

    prove(st.lists(bodies, min_size=1, max_size=6), law, 150)
