"""No fault hides behind a second one: on the server that is tolerant of it, the broken call is lawful altogether."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import Request, judge
from conformance.contract.order_rules import Breach
from conformance.mock.defects import DEFECTS
from conformance.mock.defects.lenient_values import LENIENT_VALUES
from conformance.mock.defects.tolerance import TOLERANCE
from strategies.faults import FAULTS, Case, Kind, cases
from tests.suite.support.properties import Bench, faults, mock_scope, prove

EXAMPLES: Final = 6

NO_INSTANTS: Final = tuple(kind.name for kinds in FAULTS["ORD-21"].values() for kind in kinds)


def _rolled_over(rule_id: str) -> tuple[str, ...]:
    """The kinds of a rule that a lenient reader of dates takes."""
    names = [kind.name for kinds in FAULTS[rule_id].values() for kind in kinds]
    return tuple(dict.fromkeys(name for name in names if "impossible" in name or "text after it" in name))


TOLERANT_OF: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "ord-09-any-case": dict.fromkeys(("ORD-02", "ORD-09", "REL-04", "REL-05"), ("lower case",)),
    "ord-09-trimmed": dict.fromkeys(("ORD-02", "ORD-09", "REL-04", "REL-05"), ("a blank after it",)),
    "rel-05-any-case": {"REL-05": ("lower case",)},
    "rel-05-trimmed": {"REL-05": ("a blank after it",)},
    "ord-09-lists": dict.fromkeys(("ORD-02", "ORD-09", "REL-04", "REL-05"), ("a list of it",)),
    "ord-02-hyphens": {"ORD-02": ("hyphens in it",), "REL-04": ("a hyphen in it",)},
    "ord-11-trimmed": {
        "ORD-11": ("with a blank after it",), "REL-10": ("with a blank after it, in one entry",),
    },
    "rel-10-beginnings": {"ORD-11": ("one character less",), "REL-10": ("one character less, in one entry",)},
    "rel-10-in-any-case": {"ORD-11": ("in lower case",), "REL-10": ("in lower case, in one entry",)},
    "ord-09-either-spelling": dict.fromkeys(("ORD-02", "ORD-09", "REL-05"), ("other spelling",)),
    "ord-09-types-of-the-portal": {"ORD-09": ("RETURN_COMISSION", "RETURN_SHIP", "RETURN_SALE", "ADJUSTMENT")},
    "ord-02-ordinals": {"ORD-02": ("an ordinal as text",), "ORD-13": ("an ordinal",)},
    "ord-09-ordinals": {"ORD-09": ("an ordinal", "an ordinal as text")},
    "ord-02-filled-in": {"ORD-02": ("left out", "null", "empty")},
    "ord-11-filled-in": {"ORD-11": ("left out", "null", "empty")},
    "ord-12-filled-in": {
        "ORD-12 its marketplaceCode is missing": (
            "left out", "null", "empty", "left out, in the extracts too", "empty, in the extracts too",
        )
    },
    "ord-13-elements-dropped": {
        "ORD-13 one extract is not an object": ("a string", "null", "a number"),
        "ORD-13 its extracts has another JSON type": ("one extract alone",),
    },
    "ord-13-numbers-as-text": {
        "ORD-13 one of its numbers is written as text": ("value as text", "totalGrossValue as text", "percentage as text"),
        "REC-08 one of its fields has another JSON type": ("totalNetValue as text",),
        "REL-17 one of its entries is malformed": ("value as text",),
    },
    "rec-07-counts-as-text": {
        "REC-07": ("a fraction", "its number as text"),
        "REL-17 one of its fields has another JSON type": ("reconciliationId as text", "installment as text"),
    },
    "ord-13-epochs": {"ORD-13": ("seconds since 1970", "milliseconds since 1970")},
    "ord-08-epochs-as-text": {
        "ORD-08 one of its dates is malformed": ("seconds since 1970 as text for approvedDate",),
        "ORD-08 the expectedDate of one extract is malformed": ("seconds since 1970 as text",),
        "REC-08": ("periodInitDate, seconds since 1970 as text",),
        "REL-17": ("releasedDate, seconds since 1970 as text",),
    },
    "ord-08-hours-of-one-digit": {"ORD-08 one of its dates is malformed": ("an hour of one digit for createdDate",)},
    "ord-13-values-of-an-object": {"ORD-13 its extracts has another JSON type": ("an object",)},
    "ord-08-general-parser": {
        "ORD-08 one of its dates is malformed": ("the form of HTTP for createdDate", "the form of HTTP for cancelDate"),
        "ORD-08 the expectedDate of one extract is malformed": ("the form of HTTP",),
        "REC-08": ("periodInitDate, the form of HTTP",),
        "REL-17": ("releasedDate, the form of HTTP",),
    },
    "ord-13-leading-number": {"ORD-13": ("value, a number and a word", "with a decimal comma, as text")},
    "ord-13-decimal-commas": {"ORD-13": ("with a decimal comma, as text",)},
    "ord-13-not-a-number-as-text": {"ORD-13": ("not a number, as text",)},
    "ord-13-empty-is-none": {"ORD-13": ("empty",)},
    "ord-13-leading-digits": {"ORD-13": ("with letters after it", "with a fraction")},
    "ord-13-lists-unwrapped": {
        "ORD-13": ("a list of it",),
        "REC-07": ("a list of it",),
        "REC-08": ("channelName in a list", "periodEndDate in a list", "accountId in a list"),
        "REL-17 one of its fields has another JSON type": tuple(
            f"{name} in a list"
            for name in ("reconciliationId", "channelName", "accountId", "marketplaceCode", "releasedDate")
        ),
        "REL-17 one of its entries is malformed": ("value in a list",),
    },
    "ord-13-anything-as-text": {"ORD-13": ("a number, in the extracts too", "a boolean, in the extracts too")},
    "ord-08-unreadable-is-none": {
        "ORD-08 one of its dates is malformed": (
            "the form of HTTP for createdDate", "empty for estimatedDeliveryDate", "no date for cancelDate of another status",
        ),
        "ORD-08 the expectedDate of one extract is malformed": ("the form of HTTP", "empty"),
    },
    "ord-13-booleans-as-numbers": {
        "ORD-13 the value of one extract has another JSON type": ("a boolean",),
        "REC-07": ("a boolean",),
    },
    "ord-12-zero-for-none": {
        "ORD-12 the value of one extract is missing": ("left out",),
        "ORD-13 the value of one extract has another JSON type": ("null", "an object", "an array"),
    },
    "ord-08-rolled-over": {rule_id: _rolled_over(rule_id) for rule_id in ("ORD-08", "REC-08", "REL-17")},
    "rel-17-elements-dropped": {"REL-17": ("an entry that is no object", "an entry that is null")},
    "ord-21-taken-as-utc": {"ORD-21": NO_INSTANTS},
    # A releasedDate lies in a period of seconds.
    "ord-21-taken-as-brasilia": {"ORD-21": tuple(name for name in NO_INSTANTS if "releasedDate" not in name)},
    "ord-22-text-after": {"ORD-22": ("text after it", "another object after it")},
    "ord-22-json5": {
        "ORD-22": (
            "a comma after the last member", "a comma after the last extract", "names in single quotes", "a comment in it",
            "a line of comment in it", "names without quotes", "a byte order mark encoded twice before it",
        )
    },
    "ord-22-yaml-comments": {"ORD-22": ("a line of comment with a hash",)},
    "ord-22-control-characters": {"ORD-22": ("a line's end in a text",)},
    "ord-22-missing-values": {"ORD-22": ("nothing between two commas",)},
    "ord-11-loosely": {"ORD-11": ("with a zero before it",)},
    "ord-14-nan-beside": {"ORD-14": ("NaN in a field of its own",)},
    "ord-14-plus": {"ORD-14": ("a plus before a number",)},
    "ord-14-points": {"ORD-14": ("nothing before the point of a number",)},
    "ord-14-nan": {"ORD-14": ("NaN for a number",), "REC-08": ("NaN for a number",)},
    "ord-14-zeros": dict.fromkeys(("ORD-14", "REC-08", "REL-17"), ("a zero before a number",)),
}  # fmt: skip
"""By tolerant server: the kinds of fault that it makes lawful, by rule, or by rule and fault."""


def _kinds(key: str, names: tuple[str, ...]) -> list[Kind]:
    rule_id, _, fault = key.partition(" ")
    return [
        kind for words, kinds in FAULTS[rule_id].items() if fault in {"", words} for kind in kinds if kind.name in names
    ]


TOLERATED: Final = [
    pytest.param(server, kind, id=f"{server}: {key}, {kind.name}")
    for server, by_rule in TOLERANT_OF.items()
    for key, names in by_rule.items()
    for kind in _kinds(key, names)
]


def breaches_of(bench: Bench, case: Case, mended: Callable[[Request], Request]) -> list[Breach]:
    """What a judge still finds in the broken call when a tolerant server has mended it."""
    request = bench.request(case.broken, bench.ready(case.lawful))
    return judge(mended(request), bench.koncili.world, bench.koncili.readings)


@pytest.mark.parametrize(("server", "kind"), TOLERATED)
def test_a_broken_call_is_lawful_on_the_server_that_is_tolerant_of_it(server: str, kind: Kind) -> None:
    bench, scope, defect = Bench(), mock_scope({}), DEFECTS[server]
    mended = defect.judges or defect.reads
    assert mended is not None

    def law(case: Case) -> None:
        assert breaches_of(bench, case, mended) == [], "a second fault hides the first"

    endpoints = [endpoint for _, _, other, endpoint in faults() if other is kind]
    assert endpoints
    for endpoint in endpoints:
        prove(cases(scope, endpoint, kind), law, EXAMPLES)


@pytest.mark.parametrize("server", TOLERANT_OF)
def test_every_kind_that_is_named_exists(server: str) -> None:
    for key, names in TOLERANT_OF[server].items():
        assert {kind.name for kind in _kinds(key, names)} == set(names), key


def test_every_tolerant_server_has_kinds() -> None:
    assert set(TOLERANT_OF) >= {defect.name for defect in (*TOLERANCE, *LENIENT_VALUES)}


@pytest.mark.parametrize("rule_id", ["ORD-21", "ORD-22"])
def test_every_kind_of_what_is_nearly_lawful_has_a_tolerant_server(rule_id: str) -> None:
    tolerated = {kind.name for by_rule in TOLERANT_OF.values() for kind in _kinds(rule_id, by_rule.get(rule_id, ()))}
    assert tolerated == {kind.name for kinds in FAULTS[rule_id].values() for kind in kinds}


# -- every kind ----------------------------------------------------------------------------------------------------

READERS: Final = {
    name: mend for name in TOLERANT_OF if (mend := DEFECTS[name].judges or DEFECTS[name].reads) is not None
}

MEETS_ANOTHER: Final[Mapping[tuple[str, str], str]] = {
    # by kind and server: why the second fault can't be helped
    (
        "an object",
        "ord-13-elements-dropped",
    ): "an object of extracts is no extract; `one extract alone` is tried, too",
    ("cancelDate without an offset, a blank for the T", "ord-08-unreadable-is-none"): (
        "no order has a cancelDate that need not be there; one of the others is optional, and tried, too"
    ),
    ("releasedDate without an offset", "ord-21-taken-as-brasilia"): "a releasedDate lies in a period of seconds",
    (
        "the form of HTTP for cancelDate",
        "ord-08-unreadable-is-none",
    ): "a cancelled order must have one; createdDate need not be there",
    ("a period without offsets", "ord-08-unreadable-is-none"): "both ends of a period are demanded",
    ("releasedDate without an offset", "ord-08-unreadable-is-none"): "a releasedDate is demanded",
    ("periodEndDate without a time of day", "ord-08-unreadable-is-none"): "both ends of a period are demanded",
}
"""Where the broken call breaks a second rule for whoever reads it so."""

EVERY_KIND: Final = [
    pytest.param(rule_id, kind, endpoint, id=f"{rule_id} {endpoint.label} {fault}, {kind.name}")
    for rule_id, fault, kind, endpoint in faults()
]


@pytest.mark.parametrize(("rule_id", "kind", "endpoint"), EVERY_KIND)
def test_whoever_tolerates_a_fault_finds_no_other(rule_id: str, kind: Kind, endpoint: Endpoint) -> None:
    """A server that does not look at what is wrong accepts the call, and so does every one that reads something else in it."""
    bench, scope = Bench(), mock_scope({})

    def law(case: Case) -> None:
        request = bench.request(case.broken, bench.ready(case.lawful))
        world, readings = bench.koncili.world, bench.koncili.readings
        assert {breach.rule for breach in judge(request, world, readings)} == {rule_id}, "looked away, it is not lawful"
        for server, mend in READERS.items():
            mended = mend(request)
            rules = {breach.rule for breach in judge(mended, world, readings)}
            if mended.body != request.body and rule_id not in rules and (kind.name, server) not in MEETS_ANOTHER:
                assert rules == set(), f"what {server} reads is refused for another reason"

    prove(cases(scope, endpoint, kind), law, EXAMPLES)


def test_what_can_not_be_helped_is_there() -> None:
    names = {kind.name for _, _, kind, _ in faults()}
    assert {name for name, _ in MEETS_ANOTHER} <= names
    assert {server for _, server in MEETS_ANOTHER} <= set(READERS)


# -- dates out of order --------------------------------------------------------------------------------------------

ONE_PAIR: Final = {
    f"{kind.field}: {words}, {kind.name}": kind
    for words, kinds in FAULTS["ORD-07"].items()
    for kind in kinds
    if kind.name != "by days"  # past others too
}


@pytest.mark.parametrize("kind", ONE_PAIR.values(), ids=ONE_PAIR)
def test_dates_are_out_of_order_in_one_pair_alone(kind: Kind) -> None:
    """A server that compares all pairs but this one would refuse them for another."""
    bench = Bench()

    def law(case: Case) -> None:
        assert [breach.rule for breach in breaches_of(bench, case, lambda request: request)] == ["ORD-07"]

    prove(cases(mock_scope({}), Endpoint.SUBMIT_ORDER, kind), law, EXAMPLES)
