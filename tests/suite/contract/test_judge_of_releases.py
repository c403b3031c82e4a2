"""The judge of releases, by table: their date, their entries beside the extracts, and whatever may stand in a field."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import judge
from conformance.contract.reconciliation_rules import entries_of
from strategies.calls import LEFT_OUT, Call
from strategies.scope import Place
from tests.suite.support.bodies import (
    CODE,
    COMISSION,
    DAY,
    ELSEWHERE,
    END,
    ENTRIES,
    FINE_WITHOUT,
    HOUR,
    INIT,
    KEY,
    NEIGHBOUR,
    NO_ACCOUNT,
    NO_CHANNEL,
    SALE,
    SHIP,
    VALUES,
    Body,
    Cells,
    Parts,
    breaches_of,
    broken_by,
    cell,
    changed,
    entries,
    on,
    open_world,
    release,
    releasing,
)
from tests.suite.support.properties import HOME, rules_of


def test_what_the_tables_change_is_lawful() -> None:
    assert releasing(open_world()) == []


# -- when it is released -------------------------------------------------------------------------------------------

RELEASED: Final[dict[str, tuple[str, str, str]]] = {
    # in a reconciliation of noon to one: releasedDate, what is broken where the ends belong to it, and where they don't
    "in the middle": (f"{DAY}12:30:00Z", "", ""),
    "at its beginning": (INIT, "", "REL-20"),
    "at its end": (END, "", "REL-20"),
    "at its beginning, with milliseconds": (f"{DAY}12:00:00.000Z", "", "REL-20"),
    "at its beginning, in another zone": (f"{DAY}09:00:00-03:00", "", "REL-20"),
    "at its end, in another zone": (f"{DAY}18:30:00+05:30", "", "REL-20"),
    "a millisecond after its beginning": (f"{DAY}12:00:00.001Z", "", ""),
    "a millisecond before its end": (f"{DAY}12:59:59.999Z", "", ""),
    "a millisecond before it": (f"{DAY}11:59:59.999Z", "REL-03", "REL-03"),
    "a millisecond after it": (f"{DAY}13:00:00.001Z", "REL-03", "REL-03"),
    "a second before it": (f"{DAY}11:59:59Z", "REL-03", "REL-03"),
    "a second after it": (f"{DAY}13:00:01Z", "REL-03", "REL-03"),
    "four days before it": ("2024-02-10T12:30:00Z", "REL-03", "REL-03"),
    "within it as text only": (f"{DAY}12:30:00-03:00", "REL-03", "REL-03"),
    "within it, the next day as text": ("2024-02-15T01:30:00+13:00", "", ""),
    "the first instant there is": ("0001-01-01T00:00:00+23:59", "REL-03", "REL-03"),
    "the last instant there is": ("9999-12-31T23:59:59-23:59", "REL-03", "REL-03"),
}


@pytest.mark.parametrize("when", RELEASED)
def test_a_release_is_dated_within_the_period(when: str) -> None:
    released, inclusive, exclusive = RELEASED[when]
    half_open = exclusive if when.startswith("at its end") else inclusive
    for reading, expected in {"inclusive": inclusive, "exclusive": exclusive, "half-open": half_open}.items():
        seen = releasing(open_world({"period-bounds": reading}), releasedDate=released)
        assert seen == cell(expected), f"under period-bounds = {reading}"


def test_a_release_is_dated_within_the_period_of_its_own_reconciliation() -> None:
    bench = open_world()
    bench.open(HOME, f"{DAY}14:00:00Z", HOUR, quantity=3)
    assert releasing(bench, releasedDate=f"{DAY}14:30:00Z") == ["REL-03"]
    assert releasing(bench, releasedDate=f"{DAY}14:30:00Z", reconciliationId=238) == []


# -- the entries and the extracts ----------------------------------------------------------------------------------

TWO_SHIPS: Final = (SALE, ("SHIP", "-5.00"), ("SHIP", "-7.00"))

MATCHES: Final[dict[str, tuple[Parts, Parts, str, str]]] = {
    # extracts, entries, what is broken where values must be identical, and where discrepancies are taken
    "exact": (ENTRIES, ENTRIES, "", ""),
    "in another sequence": (ENTRIES, (SHIP, SALE, COMISSION), "", ""),
    "two alike": ((SALE, SHIP, SHIP), (SHIP, SALE, SHIP), "", ""),
    "the same numbers in other words": (
        (("SALE", "200.00"), COMISSION),
        (("SALE", 200), ("COMISSION", "-24.440")),
        "",
        "",
    ),
    "of all five types": (
        (*ENTRIES, ("RETURN_COMISSION", "24.44"), ("RETURN_SHIP", "-1.00")),
        (*ENTRIES, ("RETURN_COMISSION", "24.44"), ("RETURN_SHIP", "-1.00")),
        "",
        "",
    ),
    "none": (ENTRIES, (), "REL-09", "REL-09"),
    "one fewer": (ENTRIES, (SALE, COMISSION), "REL-09", "REL-09"),
    "one fewer, of two alike": ((SALE, SHIP, SHIP), (SALE, SHIP), "REL-09", "REL-09"),
    "one more": (ENTRIES, (*ENTRIES, ("SHIP", "-0.01")), "REL-09", "REL-09"),
    "one twice": (ENTRIES, (*ENTRIES, SALE), "REL-09", "REL-09"),
    "one in place of two": (
        (SALE, ("SHIP", "-5.00"), ("SHIP", "-7.00")),
        (SALE, ("SHIP", "-12.00")),
        "REL-09",
        "REL-09",
    ),
    "another type": (ENTRIES, (SALE, COMISSION, ("RETURN_SHIP", "-27.95")), "REL-07", "REL-07"),
    "one type twice, another missing": (ENTRIES, (SALE, SHIP, SHIP), "REL-07", "REL-07"),
    "another type and another value": (ENTRIES, (SALE, ("SHIP", "-1.00"), SHIP), "REL-07", "REL-07"),
    "a cent more": (ENTRIES, (("SALE", "203.64"), COMISSION, SHIP), "REL-08", ""),
    "a cent less": (ENTRIES, (SALE, ("COMISSION", "-24.43"), SHIP), "REL-08", ""),
    "half a cent more": (ENTRIES, (("SALE", "203.635"), COMISSION, SHIP), "REL-08", ""),
    "a thousandth of a cent": (ENTRIES, (("SALE", "203.63001"), COMISSION, SHIP), "", ""),
    "a cent moved, the sum the same": (ENTRIES, (("SALE", "203.64"), ("COMISSION", "-24.45"), SHIP), "REL-08", ""),
    "values exchanged between types": (ENTRIES, (SALE, ("COMISSION", "-27.95"), ("SHIP", "-24.44")), "REL-08", ""),
    "values exchanged within a type": (TWO_SHIPS, (SALE, ("SHIP", "-7.00"), ("SHIP", "-5.00")), "", ""),
    "one value twice within a type": (TWO_SHIPS, (SALE, ("SHIP", "-5.00"), ("SHIP", "-5.00")), "REL-08", ""),
    "one value as often as another should be": (
        (*TWO_SHIPS, ("SHIP", "-5.00")),
        (*TWO_SHIPS, ("SHIP", "-7.00")),
        "REL-08",
        "",
    ),
    "the other sign": (ENTRIES, (SALE, COMISSION, ("SHIP", "27.95")), "REL-08", ""),
    "as a float has it": ((("SALE", "0.30"),), (("SALE", "0.30000000000000004"),), "", ""),
    "an extract that no release takes": ((SALE, ("ADJUSTMENT", "1.00")), (SALE,), "REL-09", "REL-09"),
    "an extract that no release takes, mirrored": (
        (SALE, ("ADJUSTMENT", "1.00")),
        (SALE, ("ADJUSTMENT", "1.00")),
        "REL-05",
        "REL-05",
    ),
}


@pytest.mark.parametrize(("extracts", "parts", "rejected", "discrepancy"), MATCHES.values(), ids=MATCHES)
def test_entries_match_the_extracts(extracts: Parts, parts: Parts, rejected: str, discrepancy: str) -> None:
    for reading, expected in {"rejected": rejected, "discrepancy": discrepancy}.items():
        bench = open_world({"value-mismatch": reading}, extracts=extracts, quantity=9)
        assert releasing(bench, releases=entries(*parts)) == cell(expected), f"under value-mismatch = {reading}"


@pytest.mark.parametrize(
    "item",
    [{"type": "SHIP"}, {"value": 1}, {"type": 7, "value": 1}, {"type": "SHIP", "value": "1"}, "SHIP", None],
    ids=repr,
)
def test_only_what_has_a_type_and_a_value_is_an_entry(item: object) -> None:
    sale: Any = {"type": "SALE", "value": 2}
    assert entries_of([sale, item, sale]) == (("SALE", Decimal(2)), ("SALE", Decimal(2)))


def test_what_is_no_array_has_no_entries() -> None:
    assert entries_of(None) == entries_of({"type": "SALE", "value": 2}) == ()


SIGNS: Final[dict[str, tuple[str, str, str, str]]] = {
    # a type: what is broken by minus one, zero and one where the extract has that value
    "SALE": ("SALE", "REL-06", "REL-06", ""),
    "COMISSION": ("COMISSION", "", "REL-06", "REL-06"),
    "SHIP": ("SHIP", "", "", ""),
    "RETURN_COMISSION": ("RETURN_COMISSION", "REL-06", "REL-06", ""),
    "RETURN_SHIP": ("RETURN_SHIP", "", "", ""),
    "RETURN_SALE": ("RETURN_SALE", "REL-05", "REL-05", "REL-05"),
}


@pytest.mark.parametrize(("type_", "minus", "zero", "plus"), SIGNS.values(), ids=SIGNS)
def test_an_entry_has_the_sign_of_its_type(type_: str, minus: str, zero: str, plus: str) -> None:
    for value, expected in {-1: minus, 0: zero, 1: plus}.items():
        bench = open_world(extracts=[(type_, value)])
        assert releasing(bench, releases=entries((type_, value))) == cell(expected), f"{type_} = {value}"


# -- how many, and once --------------------------------------------------------------------------------------------

ANNOUNCED: Final[dict[str, tuple[int, int, bool, str]]] = {
    # releasesQtd, how many were received before, whether it is still active, what a release of three breaks
    "as many": (3, 0, True, ""),
    "more to come": (4, 0, True, ""),
    "one too few announced": (2, 0, True, "REL-12"),
    "the last three": (6, 3, True, ""),
    "one of them beyond": (5, 3, True, "REL-12"),
    "all received": (3, 3, True, "REL-12"),
    "finished": (3, 3, False, "REL-12"),
    "finished though not complete": (6, 0, False, "REL-12"),
}


@pytest.mark.parametrize(("quantity", "received", "active", "expected"), ANNOUNCED.values(), ids=ANNOUNCED)
def test_rel_12_no_more_entries_than_announced(quantity: int, received: int, active: bool, expected: str) -> None:
    bench = open_world(quantity=quantity)
    (opened,) = bench.koncili.world.all_reconciliations
    opened.received, opened.situation = received, None if active else "CONCILIED"
    assert releasing(bench) == cell(expected)


@pytest.mark.parametrize("quantity", [3, 6], ids=["no room left", "room left"])
def test_rel_11_an_order_is_released_once(quantity: int) -> None:
    bench = open_world(quantity=quantity)
    bench.open(NEIGHBOUR, f"{DAY}12:00:00Z", HOUR, quantity=9)
    bench.koncili.world.put((NEIGHBOUR.account, NEIGHBOUR.channel, CODE), {"extracts": entries(*ENTRIES)})
    bench.koncili.world.released.add(KEY)
    assert releasing(bench) == ["REL-11"]
    assert releasing(bench, releases=entries(SALE)) == ["REL-11"]
    # The order of the same code on another account is another order.
    assert releasing(bench, **on(NEIGHBOUR), reconciliationId=238) == []


def test_rel_13_an_order_that_is_gone_or_another_account_s_is_unknown() -> None:
    bench = open_world()
    assert releasing(bench, "X") == ["REL-13"]
    bench.koncili.world.put(KEY, None)
    assert releasing(bench) == ["REL-13"]
    bench.koncili.world.put((NEIGHBOUR.account, NEIGHBOUR.channel, CODE), {"extracts": entries(*ENTRIES)})
    assert releasing(bench) == ["REL-13"]


def test_a_release_is_matched_with_the_order_as_it_was_last_accepted() -> None:
    bench = open_world()
    bench.koncili.world.put(KEY, {"extracts": entries(SALE)})
    assert releasing(bench) == ["REL-09"]
    assert releasing(bench, releases=entries(SALE)) == []


@pytest.mark.parametrize("place", [NEIGHBOUR, ELSEWHERE], ids=["of the channel", "of another channel"])
def test_rel_14_a_reconciliation_is_of_one_account(place: Place) -> None:
    bench = open_world(place=place)
    assert releasing(bench) == ["REL-14"]
    bench.koncili.world.put((place.account, place.channel, CODE), {"extracts": entries(*ENTRIES)})
    assert releasing(bench) == ["REL-14"]
    assert releasing(bench, **on(place)) == []


def test_rel_14_a_reconciliation_is_of_one_channel() -> None:
    assert releasing(open_world(place=Place(HOME.account, ELSEWHERE.channel))) == ["REL-14"]


INSTALLMENTS: Final[dict[str, tuple[object, object, str]]] = {
    "one of one": (1, 1, ""),
    "one of two": (1, 2, ""),
    "two of two": (2, 2, ""),
    "left out": (LEFT_OUT, LEFT_OUT, ""),
    "null": (None, None, ""),
    "only which": (2, None, ""),
    "only of how many": (None, 2, ""),
    "zero of one": (0, 1, "REL-16"),
    "minus one": (-1, 1, "REL-16"),
    "two of one": (2, 1, "REL-16"),
    "one of zero": (1, 0, "REL-16"),
    "zero of zero": (0, 0, "REL-16"),
    "zero": (0, None, "REL-16"),
    "of minus one": (None, -1, "REL-16"),
    "a fraction": (Decimal("1.5"), 2, "REL-17"),
    "a whole number with a point": (Decimal("1.0"), 1, ""),
    "of a whole number with a point": (1, Decimal("1.0"), ""),
    "of a fraction": (1, Decimal("1.5"), "REL-17"),
    "a boolean": (True, 1, "REL-17"),
    "two of another type": ("1", "1", "REL-17 REL-17"),
    "one of another type, the other zero": ("1", 0, "REL-17"),
}


@pytest.mark.parametrize(("installment", "quantity", "expected"), INSTALLMENTS.values(), ids=INSTALLMENTS)
def test_an_installment_counts_from_one(installment: object, quantity: object, expected: str) -> None:
    seen = releasing(open_world(), installment=installment, installmentQuantity=quantity)
    assert seen == cell(expected)


# -- what stands in a field ----------------------------------------------------------------------------------------

FIELDS: Final[dict[str, Cells]] = {
    "reconciliationId": ("REL-17", dict.fromkeys(("left out", "null", "whole"), "REL-02")),
    "channelName": ("REL-17", NO_CHANNEL),
    "accountId": ("REL-17", NO_ACCOUNT),
    "marketplaceCode": ("REL-17", dict.fromkeys(("text", "digits"), "REL-10")),
    "status": ("REL-17", FINE_WITHOUT),
    "createdDate": ("REL-17", FINE_WITHOUT),
    "releasedDate": ("REL-17", {}),
    "releaseType": ("REL-04", {}),
    "installment": ("REL-17", {**FINE_WITHOUT, "whole": "REL-16"}),
    "installmentQuantity": ("REL-17", {**FINE_WITHOUT, "whole": ""}),
    "releases": ("REL-17", {}),
    "a field that no document names": ("", {}),
}

OF_AN_ENTRY: Final[dict[str, Cells]] = {
    "marketplaceCode": ("REL-10", {}),
    "type": ("REL-05", {}),
    "value": ("REL-17", dict.fromkeys(("whole", "fraction"), "REL-08")),
    "a field that no document names": ("", {}),
}


def test_the_tables_of_fields_are_whole() -> None:
    assert release().keys() <= FIELDS.keys()
    assert release()["releases"][0].keys() <= OF_AN_ENTRY.keys()


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_judged_whatever_stands_in_it(name: str, value: str) -> None:
    assert {*releasing(open_world(), **{name: VALUES[value]})} == broken_by(FIELDS[name], value)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", OF_AN_ENTRY)
@pytest.mark.parametrize("position", [0, 2], ids=["of the first", "of the last"])
def test_every_field_of_an_entry_is_judged_whatever_stands_in_it(position: int, name: str, value: str) -> None:
    parts = entries(*ENTRIES)
    parts[position] = changed(parts[position], {name: VALUES[value]})
    assert {*releasing(open_world(), releases=parts)} == broken_by(OF_AN_ENTRY[name], value)


@pytest.mark.parametrize("value", [None, True, 7, "SALE", [], [{}]], ids=repr)
def test_an_entry_is_an_object(value: object) -> None:
    assert releasing(open_world(), releases=[*entries(SALE, COMISSION), value]) == ["REL-17"]


IDS: Final[dict[str, tuple[object, str]]] = {
    "its own": (237, ""),
    "another": (238, "REL-02"),
    "zero": (0, "REL-02"),
    "negative": (-237, "REL-02"),
    "thirty digits": (10**30, "REL-02"),
    "as text": ("237", "REL-17"),
    "with a point": (Decimal("237.0"), ""),
    "as a fraction": (Decimal("237.5"), "REL-17"),
}


@pytest.mark.parametrize(("number", "expected"), IDS.values(), ids=IDS)
def test_rel_02_a_reconciliation_is_named_by_its_id(number: object, expected: str) -> None:
    assert releasing(open_world(), reconciliationId=number) == cell(expected)


@pytest.mark.parametrize("status", ["INVOICED", "PAID_WAITING_DELIVERY", "CONCLUDED", "CANCELED"])
def test_a_release_tells_any_status_of_an_order(status: str) -> None:
    assert releasing(open_world(), status=status) == []
    assert releasing(open_world(), status=status.lower()) == ["REL-17"]


ID_FORMS: Final[dict[str, tuple[object, str, str, str]]] = {
    # accountId: what is broken under either, integer, string
    "a number": (HOME.account, "", "", "REL-17"),
    "text": (str(HOME.account), "", "REL-17", ""),
}


@pytest.mark.parametrize(("account", "either", "integer", "string"), ID_FORMS.values(), ids=ID_FORMS)
def test_an_account_id_is_written_as_the_reading_says(account: object, either: str, integer: str, string: str) -> None:
    for reading, expected in {"either": either, "integer": integer, "string": string}.items():
        seen = releasing(open_world({"account-id-type": reading}), accountId=account)
        assert seen == cell(expected), f"under account-id-type = {reading}"


# -- several faults ------------------------------------------------------------------------------------------------

SEVERAL: Final[dict[str, tuple[Body, set[tuple[str, str]]]]] = {
    "date, type of release, installment": (
        {"releasedDate": "2024-02-10T13:13:13Z", "releaseType": "LATER", "installment": 0},
        {("REL-03", "releasedDate"), ("REL-04", "releaseType"), ("REL-16", "installment")},
    ),
    "date and values": (
        {"releasedDate": "2024-02-10T13:13:13Z", "releases": entries(("SALE", "1.00"), COMISSION, SHIP)},
        {("REL-03", "releasedDate"), ("REL-08", "releases")},
    ),
    "too many, and more than announced": (
        {"releases": entries(*ENTRIES, SHIP)},
        {("REL-09", "releases"), ("REL-12", "releases")},
    ),
    "no reconciliation, no order": (
        {"reconciliationId": 7, "marketplaceCode": "X", "releases": entries(*ENTRIES, code="X")},
        {("REL-02", "reconciliationId"), ("REL-13", "marketplaceCode")},
    ),
    "type, sign and code of three entries": (
        {"releases": [*entries(("FREIGHT", 1), ("COMISSION", 1)), *entries(SHIP, code="X")]},
        {("REL-05", "releases[0].type"), ("REL-06", "releases[1].value"), ("REL-10", "releases[2].marketplaceCode")},
    ),
    "code and value of one entry": (
        {"releases": [{"type": "SALE", "value": "203.63"}]},
        {("REL-10", "releases[0].marketplaceCode"), ("REL-17", "releases[0].value")},
    ),
    "status, date of creation, account": (
        {"status": "SOLD", "createdDate": 7, "accountId": 7},
        {("REL-17", "status"), ("REL-17", "createdDate"), ("ACC-02", "accountId")},
    ),
    "another account, another day": (
        {**on(NEIGHBOUR), "releasedDate": "2024-02-10T13:13:13Z"},
        {("REL-14", "reconciliationId"), ("REL-03", "releasedDate"), ("REL-13", "marketplaceCode")},
    ),
}


@pytest.mark.parametrize(("changes", "expected"), SEVERAL.values(), ids=SEVERAL)
def test_several_faults_show_several_breaches(changes: Body, expected: set[tuple[str, str]]) -> None:
    found = breaches_of(open_world(), Endpoint.SUBMIT_RELEASE, release(**changes))
    assert {(breach.rule, breach.field) for breach in found} == expected
    assert all(breach.message for breach in found)


def test_breaches_come_in_the_sequence_a_server_looks() -> None:
    bench = open_world()
    body = release(releaseType="LATER", accountId=7)
    request = bench.request(Call(Endpoint.SUBMIT_RELEASE, headers={"gumgaToken": "x"}, body=body), bench.values())
    assert rules_of(judge(request, bench.koncili.world, bench.koncili.readings)) == ["AUTH-04", "REL-04", "ACC-02"]
