"""The judge of reconciliations, by table: periods, what is active, and whatever may stand in a field of a creation."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.reconciliation_rules import judge_period
from conformance.mock.koncili import Koncili
from strategies.calls import LEFT_OUT
from strategies.scope import Place
from tests.suite.support.bodies import (
    DAY,
    ELSEWHERE,
    END,
    FINE_WITHOUT,
    HOUR,
    INIT,
    NEIGHBOUR,
    NO_ACCOUNT,
    NO_CHANNEL,
    VALUES,
    Body,
    Cells,
    breaches_of,
    broken_by,
    cell,
    creating,
    creation,
    open_world,
)
from tests.suite.support.properties import HOME, Bench


def test_what_the_tables_change_is_lawful() -> None:
    assert creating(Bench()) == []


# -- periods -------------------------------------------------------------------------------------------------------

PERIODS: Final[dict[str, tuple[str, str, str, str]]] = {
    # beside an earlier one from noon to one: beginning, end, what is broken where touching is allowed, and where it is not
    "long before": ("10:00:00Z", "11:00:00Z", "", ""),
    "long after": ("14:00:00Z", "15:00:00Z", "", ""),
    "a millisecond before": ("11:00:00Z", "11:59:59.999Z", "", ""),
    "a millisecond after": ("13:00:00.001Z", "14:00:00Z", "", ""),
    "touching its beginning": ("11:00:00Z", "12:00:00Z", "", "REC-11"),
    "touching its end": ("13:00:00Z", "14:00:00Z", "", "REC-11"),
    "touching its end, in other zones": ("10:00:00-03:00", "19:30:00+05:30", "", "REC-11"),
    "a millisecond over its beginning": ("11:00:00Z", "12:00:00.001Z", "REC-05", "REC-05"),
    "a millisecond over its end": ("12:59:59.999Z", "14:00:00Z", "REC-05", "REC-05"),
    "a microsecond over its end": ("12:59:59.9999999Z", "14:00:00Z", "REC-05", "REC-05"),
    "over its first half": ("11:30:00Z", "12:30:00Z", "REC-05", "REC-05"),
    "over its second half": ("12:30:00Z", "13:30:00Z", "REC-05", "REC-05"),
    "over its second half, in other zones": ("09:30:00-03:00", "19:00:00+05:30", "REC-05", "REC-05"),
    "inside": ("12:10:00Z", "12:50:00Z", "REC-04", "REC-04"),
    "inside, as long as a millisecond": ("12:10:00Z", "12:10:00.001Z", "REC-04", "REC-04"),
    "inside, from its beginning": ("12:00:00Z", "12:30:00Z", "REC-04", "REC-04"),
    "inside, to its end": ("12:30:00Z", "13:00:00Z", "REC-04", "REC-04"),
    "around": ("11:00:00Z", "14:00:00Z", "REC-04", "REC-04"),
    "around, from its beginning": ("12:00:00Z", "14:00:00Z", "REC-04", "REC-04"),
    "around, to its end": ("11:00:00Z", "13:00:00Z", "REC-04", "REC-04"),
    "equal": ("12:00:00Z", "13:00:00Z", "REC-04", "REC-04"),
    "equal, with milliseconds": ("12:00:00.000Z", "13:00:00.000Z", "REC-04", "REC-04"),
    "equal, in other zones": ("09:00:00-03:00", "18:30:00+05:30", "REC-04", "REC-04"),
    "inside as text only": ("12:10:00-03:00", "12:50:00-03:00", "", ""),
    "equal as text only": ("12:00:00+05:30", "13:00:00+05:30", "", ""),
    "no period, inside it": ("12:30:00Z", "12:30:00Z", "REC-03", "REC-03"),
    "its ends exchanged": ("13:00:00Z", "12:00:00Z", "REC-03", "REC-03"),
    "in order as text only": ("12:00:00Z", "12:30:00+01:00", "REC-03", "REC-03"),
}


@pytest.mark.parametrize(("begins", "ends", "allowed", "overlap"), PERIODS.values(), ids=PERIODS)
def test_a_period_beside_an_earlier_one(begins: str, ends: str, allowed: str, overlap: str) -> None:
    for reading, expected in {"allowed": allowed, "overlap": overlap}.items():
        bench = Bench(Koncili(readings={"adjacent-periods": reading}))
        bench.open(HOME, INIT, HOUR, finished=True)
        seen = creating(bench, periodInitDate=DAY + begins, periodEndDate=DAY + ends)
        assert seen == cell(expected), f"under adjacent-periods = {reading}"


def test_a_period_is_compared_with_every_earlier_one() -> None:
    bench = Bench()
    for begins in ("10:00:00Z", "12:00:00Z", "14:00:00Z"):
        bench.open(HOME, DAY + begins, HOUR, finished=True)
    assert creating(bench, periodInitDate=f"{DAY}11:00:00Z", periodEndDate=f"{DAY}12:00:00Z") == []
    assert creating(bench, periodInitDate=f"{DAY}10:30:00Z") == ["REC-05", "REC-04"]
    assert creating(bench, periodInitDate=f"{DAY}14:10:00Z", periodEndDate=f"{DAY}14:20:00Z") == ["REC-04"]


@pytest.mark.parametrize("only", ["periodInitDate", "periodEndDate"])
def test_what_is_no_period_overlaps_none(only: str) -> None:
    bench = Bench()
    bench.open(HOME, INIT, HOUR, finished=True)
    earlier = bench.koncili.world.reconciliations(HOME.account, HOME.channel)
    assert list(judge_period({only: f"{DAY}12:30:00Z"}, earlier, bench.koncili.readings)) == []


CROSSED: Final = [
    (HOME, ["REC-04"], ["REC-06", "REC-04"]),
    (NEIGHBOUR, [], []),
    (ELSEWHERE, [], []),
    (Place(HOME.account, ELSEWHERE.channel), [], []),
]


@pytest.mark.parametrize(
    ("place", "finished", "active"), CROSSED, ids=["its own", "a neighbour's", "of another channel", "of both"]
)
def test_only_reconciliations_of_the_account_and_channel_count(
    place: Place, finished: list[str], active: list[str]
) -> None:
    bench = Bench()
    bench.open(place, INIT, HOUR, finished=True)
    assert creating(bench) == finished
    bench.koncili.world.all_reconciliations[0].situation = None
    assert creating(bench) == active


@pytest.mark.parametrize("account_id", [HOME.account, str(HOME.account), f"00{HOME.account}"], ids=repr)
def test_an_account_is_the_same_however_its_id_is_written(account_id: object) -> None:
    bench = Bench()
    bench.open(HOME, INIT, HOUR, finished=True)
    assert creating(bench, accountId=account_id) == ["REC-04"]


def test_rec_06_none_while_an_earlier_one_is_active() -> None:
    bench = Bench()
    bench.open(HOME, f"{DAY}20:00:00Z")
    bench.open(HOME, f"{DAY}22:00:00Z", finished=True)
    assert creating(bench) == ["REC-06"]


@pytest.mark.parametrize("situation", ["CONCILIED", "ERROR"])
def test_rec_06_none_while_another_is_active(situation: str) -> None:
    bench = Bench()
    opened = bench.open(HOME, f"{DAY}20:00:00Z")
    assert creating(bench) == ["REC-06"]
    opened.situation = situation
    assert creating(bench) == []


# -- what stands in a field ----------------------------------------------------------------------------------------

FIELDS: Final[dict[str, Cells]] = {
    "channelName": ("REC-08", NO_CHANNEL),
    "accountId": ("REC-08", NO_ACCOUNT),
    "periodInitDate": ("REC-08", {}),
    "periodEndDate": ("REC-08", {}),
    "releasesQtd": ("REC-07", {"left out": "REC-08", "null": "REC-08", "whole": ""}),
    "totalNetValue": ("REC-08", {**FINE_WITHOUT, "whole": "", "fraction": ""}),
    "a field that no document names": ("", {}),
}


def test_the_table_of_fields_is_whole() -> None:
    assert creation().keys() <= FIELDS.keys()


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_judged_whatever_stands_in_it(name: str, value: str) -> None:
    assert {*creating(Bench(), **{name: VALUES[value]})} == broken_by(FIELDS[name], value)


COUNTS: Final[dict[str, tuple[object, str]]] = {
    "one": (1, ""),
    "very many": (10**30, ""),
    "zero": (0, "REC-07"),
    "minus one": (-1, "REC-07"),
    "a fraction": (Decimal("1.5"), "REC-07"),
}


@pytest.mark.parametrize(("count", "expected"), COUNTS.values(), ids=COUNTS)
def test_rec_07_releases_are_counted_from_one(count: object, expected: str) -> None:
    assert creating(Bench(), releasesQtd=count) == cell(expected)


@pytest.mark.parametrize("total", [0, Decimal("-0.01"), Decimal("1E+400"), 10**30], ids=repr)
def test_any_number_is_a_total(total: object) -> None:
    assert creating(Bench(), totalNetValue=total) == []


ID_FORMS: Final[dict[str, tuple[object, str, str, str]]] = {
    # accountId: what is broken under either, integer, string
    "a number": (HOME.account, "", "", "REC-08"),
    "text": (str(HOME.account), "", "REC-08", ""),
}


@pytest.mark.parametrize(("account", "either", "integer", "string"), ID_FORMS.values(), ids=ID_FORMS)
def test_an_account_id_is_written_as_the_reading_says(account: object, either: str, integer: str, string: str) -> None:
    for reading, expected in {"either": either, "integer": integer, "string": string}.items():
        bench = Bench(Koncili(readings={"account-id-type": reading}))
        assert creating(bench, accountId=account) == cell(expected), f"under account-id-type = {reading}"


# -- several faults ------------------------------------------------------------------------------------------------

IN_THE_WAY: Final = {("REC-06", "channelName"), ("REC-04", "periodInitDate")}
"""What a creation with a period of its own breaks besides, since one of that period is active."""

SEVERAL: Final[dict[str, tuple[Body, set[tuple[str, str]]]]] = {
    "count and total": (
        {"releasesQtd": 0, "totalNetValue": "203.63"},
        {("REC-07", "releasesQtd"), ("REC-08", "totalNetValue"), *IN_THE_WAY},
    ),
    "both ends": (
        {"periodInitDate": LEFT_OUT, "periodEndDate": "tomorrow"},
        {("REC-08", "periodInitDate"), ("REC-08", "periodEndDate")},
    ),
    "period and count": (
        {"periodInitDate": END, "releasesQtd": Decimal("1.5")},
        {("REC-03", "periodInitDate"), ("REC-07", "releasesQtd")},
    ),
    "count, and a period to come": (
        {"releasesQtd": -1, "periodInitDate": f"{DAY}14:00:00Z", "periodEndDate": f"{DAY}15:00:00Z"},
        {("REC-07", "releasesQtd"), ("REC-06", "channelName")},
    ),
    "count and account": (
        {"releasesQtd": None, "accountId": 7},
        {("REC-08", "releasesQtd"), ("ACC-02", "accountId")},
    ),
    "account and channel": (
        {"accountId": 7, "channelName": "none"},
        {("ACC-02", "accountId"), ("ACC-03", "channelName")},
    ),
}


@pytest.mark.parametrize(("changes", "expected"), SEVERAL.values(), ids=SEVERAL)
def test_several_faults_show_several_breaches(changes: Body, expected: set[tuple[str, str]]) -> None:
    found = breaches_of(open_world(), Endpoint.CREATE_RECONCILIATION, creation(**changes))
    assert {(breach.rule, breach.field) for breach in found} == expected
    assert all(breach.message for breach in found)
