"""What can be changed while a mock runs: variants, defects, limits; what it remembers: reset, snapshot, restore."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps, loads
from conformance.mock.defects import DEFECTS
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import readings_of
from conformance.mock.snapshot import snapshot_of
from conformance.mock.variants import VARIANTS, variant
from conformance.mock.world import FOREIGN_CODE
from tests.suite.support.bodies import CODE, FIRST, LATER, order
from tests.suite.support.mock_calls import Caller
from tests.suite.support.seller_client import Seller


@pytest.fixture
def seller() -> Seller:
    return Seller()


def snapshot(koncili: Koncili) -> Any:
    """As it comes over a socket."""
    return loads(dumps(koncili.look(snapshot_of)))


# -- variants, defects, limits ---------------------------------------------------------------------------------------


def test_a_defect_comes_and_goes(seller: Seller) -> None:
    early = {"sendDate": None, "status": "CONCLUDED"}
    assert seller.submit("A", **early) == 400
    seller.koncili.control({"defects": ["ord-04-not-enforced"]})
    assert seller.submit("A", **early) == 200
    seller.koncili.control({"defects": []})
    assert seller.submit("B", **early) == 400
    assert seller.look_up(Endpoint.GET_ORDER, "A").status == 200, "what was stored stays"


def test_several_at_once_and_each_kind_by_itself(seller: Seller) -> None:
    seller.koncili.control({"variants": ["one-hour-tokens", "codes-of-forty"], "defects": ["ord-04-not-enforced"]})
    assert seller.koncili.readings["token-lifetime"] == "one-hour"
    assert seller.koncili.world.token_seconds == 3600
    assert seller.submit("A" * 41) == 400
    seller.koncili.control({"defects": ["ord-05-not-enforced"]})
    assert {quirk.name for quirk in seller.koncili.quirks} == {
        "one-hour-tokens",
        "codes-of-forty",
        "ord-05-not-enforced",
    }
    seller.koncili.control({"variants": []})
    assert seller.koncili.readings["token-lifetime"] == "two-hours"
    assert seller.koncili.world.token_seconds == 7200
    assert seller.submit("A" * 41) == 200


def test_an_order_is_found_under_the_keys_of_each_defect(seller: Seller) -> None:
    folding = "qry-05-without-case"
    assert DEFECTS[folding].key is not None
    seller.submit("a")
    seller.submit("B")
    for switched in ([folding], [], [folding]):
        seller.koncili.control({"defects": switched})
        found = [seller.look_up(Endpoint.GET_ORDER, code).status for code in ("a", "B")]
        assert found == [200, 200], switched


def test_limits_of_a_defect_hold_from_when_it_comes(seller: Seller) -> None:
    seller.koncili.control({"enforceLimits": True, "defects": ["lim-01-one-fewer"]})
    assert {seller.submit() for _ in range(299)} == {200}
    assert seller.submit() == 429
    seller.koncili.control({"defects": []})
    assert {seller.submit() for _ in range(300)} == {200}, "counts are forgotten"
    assert seller.submit() == 429


UNSWITCHABLE: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "an unknown variant": ({"variants": ["one-hour-token"]}, "did you mean one-hour-tokens"),
    "an unknown defect": ({"defects": ["ord-04-not-enforce"]}, "did you mean ord-04-not-enforced"),
    "a name alone": ({"defects": "ord-04-not-enforced"}, "a list of names"),
    "no names": ({"variants": [1]}, "a list of names"),
    "one that only a start can have": ({"variants": ["chunked"]}, "start the mock with --variant chunked"),
    "a reset that is none": ({"reset": False}, "reset takes true"),
}


@pytest.mark.parametrize("what", UNSWITCHABLE)
def test_what_can_t_be_switched_to_is_told_and_changes_nothing(seller: Seller, what: str) -> None:
    command, says = UNSWITCHABLE[what]
    seller.submit()
    before = snapshot(seller.koncili), seller.koncili.quirks
    with pytest.raises(ValueError, match=says):
        seller.koncili.control({"enforceLimits": True, **command})
    assert (snapshot(seller.koncili), seller.koncili.quirks) == before
    assert not seller.koncili.limits.enforced


def test_variants_that_read_the_documents_differently_don_t_go_together() -> None:
    by_value: dict[tuple[str, str], str] = {}
    for one in VARIANTS.values():
        for reading in one.readings:
            by_value.setdefault(reading, one.name)
    disputed = next(reading for reading, _ in by_value if sum(other == reading for other, _ in by_value) > 1)
    pair = [name for (other, _), name in by_value.items() if other == disputed][:2]
    with pytest.raises(ValueError, match=f"reads {disputed} as"):
        readings_of([variant(name) for name in pair])
    with pytest.raises(ValueError, match=f"variants .*reads {disputed} as"):
        Koncili().control({"variants": pair})


# -- reset -----------------------------------------------------------------------------------------------------------


def test_a_reset_forgets_all_but_tokens_and_settings() -> None:
    caller = Caller()
    koncili = caller.koncili
    koncili.control({"callbackUrl": "http://127.0.0.1:1/", "advanceSeconds": 60, "defects": ["ord-04-not-enforced"]})
    koncili.control({"faults": [{"fault": "500"}]})
    caller.submit()
    moved = koncili.clock.now()
    koncili.control({"enforceLimits": True, "reset": True})
    assert koncili.state() == Koncili().state()
    assert koncili.log.entries() == []
    assert koncili.clock.now() == moved
    assert koncili.notifier.url == "http://127.0.0.1:1/"
    assert koncili.limits.enforced
    assert [quirk.name for quirk in koncili.quirks] == ["ord-04-not-enforced"]
    assert caller.submit().status_code == 200, "the token lives, and no fault happens"
    assert caller.look_up(marketplaceCode=FOREIGN_CODE).status_code == 200, (
        "what was there from the start is there again"
    )


def test_after_a_reset_ids_begin_anew_and_nothing_queued_leaves(seller: Seller) -> None:
    seller.reconcile(CODE)
    seller.wait()
    assert seller.koncili.world.all_reconciliations
    seller.koncili.control({"addFaults": [{"fault": "late-notification", "seconds": 60}]})
    seller.koncili.control({"notify": "TEST_NOTIFICATION"})
    before = len(seller.heard)
    seller.koncili.control({"reset": True})
    seller.wait(3600)
    assert len(seller.heard) == before
    assert seller.reconcile("A") == FIRST


# -- snapshot and restore --------------------------------------------------------------------------------------------


def test_what_was_restored_goes_on_where_it_was(seller: Seller) -> None:
    seller.submit("B", totalGrossValue=loads("203.630"))
    seller.look_up(Endpoint.DELETE_ORDER, "B")
    seller.reconcile("A")
    seller.wait()
    seller.create(**LATER)
    seller.submit("C")
    kept = snapshot(seller.koncili)
    other = Seller()
    other.koncili.control({"restore": kept})
    assert snapshot(other.koncili) == kept
    assert dumps(other.koncili.look(snapshot_of)) == dumps(seller.koncili.look(snapshot_of)), "to the digit"
    for one in (seller, other):
        assert one.look_up(Endpoint.GET_ORDER, "B").status == 404
        assert one.deletion("A") == 400, "it is reconciled"
        assert one.release("C", reconciliationId=FIRST + 1, releasedDate=LATER["periodInitDate"]) == 200
        one.wait()
        assert one.ended[-1] == (FIRST + 1, "CONCILIED")


def test_tokens_are_restored_and_the_clock_never_goes_back() -> None:
    caller = Caller()
    caller.koncili.control({"advanceSeconds": 600})
    kept = snapshot(caller.koncili)
    early, late = Koncili(), Koncili()
    late.control({"advanceSeconds": 10_000})
    then = late.clock.now()
    for koncili in (early, late):
        koncili.control({"restore": kept})
    assert early.clock.now() == caller.koncili.clock.now()
    assert late.clock.now() == then
    again = Caller(early)
    again.headers |= caller.headers
    assert again.submit().status_code == 200
    assert early.clock.now() - Koncili().clock.now() == timedelta(seconds=600)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "koncili-conformance/mock-snapshot/2"},
        {"orders": [{"key": [1, "C", "A"]}]},
        {"now": "yesterday"},
        {"refreshTokens": {"a": "spent"}},
        {"more": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_no_snapshot_is_refused_and_changes_nothing(seller: Seller, change: dict[str, Any]) -> None:
    seller.submit()
    kept = snapshot(seller.koncili)
    for none in ({**kept, **change}, {}, 7, None, [kept]):
        with pytest.raises(ValueError, match="restore takes what GET /_mock/snapshot gave"):
            seller.koncili.control({"restore": none})
    assert snapshot(seller.koncili) == kept


def test_any_order_survives_a_snapshot() -> None:
    caller = Caller()
    odd = {"note": "\u00e9\u2028\U0001f600", "deep": [[{"a": None}]], "huge": loads("12345678901234567890.123456789")}
    assert caller.call("POST", "/order", {**order("X"), **odd}).status_code == 200
    kept = snapshot(caller.koncili)
    other = Koncili()
    other.control({"restore": kept})
    (stored,) = [all_[-1].body for key, all_ in other.world.orders.items() if key[2] == "X"]
    assert stored is not None
    assert {name: stored[name] for name in odd} == odd
