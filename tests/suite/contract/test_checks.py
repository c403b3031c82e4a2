"""The checks for an integrator's own code: the judge's findings, with pointers, in two languages; and what they take."""

from __future__ import annotations

import ast
import doctest
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import ModuleType
from typing import Any, Final

import koncili_conformance
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.contract import checks, instants, order_rules, reconciliation_rules
from conformance.contract.checks import Violation, check_order, check_reconciliation, check_release
from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps
from conformance.i18n import sentences
from tests.suite.support.bodies import (
    ENTRIES,
    LAWFUL,
    VALUES,
    breaches_of,
    changed,
    creation,
    entries,
    open_world,
    order,
    release,
)
from tests.suite.support.properties import Bench

LATER: Final = {"periodInitDate": "2024-02-14T12:30:00Z", "periodEndDate": "2024-02-14T15:00:00Z"}
CHECKS: Final[Mapping[Endpoint, tuple[Callable[[Any], list[Violation]], dict[str, Any]]]] = {
    Endpoint.SUBMIT_ORDER: (check_order, order()),
    Endpoint.CREATE_RECONCILIATION: (check_reconciliation, LAWFUL[Endpoint.CREATE_RECONCILIATION]),
    Endpoint.SUBMIT_RELEASE: (check_release, LAWFUL[Endpoint.SUBMIT_RELEASE]),
}


def test_the_examples_in_the_documentation_are_right() -> None:
    found = doctest.testmod(checks, raise_on_error=True)
    assert found.attempted > 15


def test_an_installation_has_them_under_its_one_name() -> None:
    assert koncili_conformance.check_order is check_order
    assert {name for name in dir(koncili_conformance) if not name.startswith("_")} >= {"import_module"}
    assert all(getattr(koncili_conformance, name) for name in koncili_conformance.__all__)
    with pytest.raises(AttributeError, match="check_nothing"):
        koncili_conformance.check_nothing  # noqa: B018


@pytest.mark.parametrize(
    ("endpoint", "name"), [(endpoint, name) for endpoint, (_, lawful) in CHECKS.items() for name in lawful]
)
@pytest.mark.parametrize("value", VALUES)
def test_they_find_what_the_judge_finds_in_a_world_that_knows_the_account(
    endpoint: Endpoint, name: str, value: str
) -> None:
    check, lawful = CHECKS[endpoint]
    body = changed(lawful, {name: VALUES[value]})
    alone = (
        {"REL-02", "REL-03", "REL-13", "REL-14", "ACC-02", "ACC-03"}
        if value not in {"left out", "null"}
        else {"ACC-02"}
    )
    bench = Bench() if endpoint is not Endpoint.SUBMIT_RELEASE else open_world()
    judged = [(one.rule, one.message) for one in breaches_of(bench, endpoint, body) if one.rule not in alone]
    found = [(one.rule, one.message) for one in check(body) if one.rule not in alone]
    if endpoint is Endpoint.SUBMIT_RELEASE:  # what hangs on the order: the body alone does not show it
        judged = [one for one in judged if one[0] not in {"REL-07", "REL-08", "REL-09", "REL-12"}]
    assert found == judged
    assert [(one.rule, one.message) for one in check(dumps(body)) if one.rule not in alone] == judged


@pytest.mark.parametrize(
    ("place", "pointer"),
    [
        ({"createdDate": "yesterday"}, "/createdDate"),
        ({"accountId": None}, "/accountId"),
        ({"extracts": [*entries(*ENTRIES[:2]), 7]}, "/extracts/2"),
        ({"extracts": [{**entries(*ENTRIES)[0], "expectedDate": 7}]}, "/extracts/0/expectedDate"),
    ],
)
def test_a_violation_points_to_its_place(place: Mapping[str, Any], pointer: str) -> None:
    assert [one.pointer for one in check_order(order(**place))] == [pointer]


def test_a_release_is_checked_in_view_of_its_order_and_reconciliation() -> None:
    assert check_release(release(), order=order(), reconciliation=creation()) == []
    wrong: dict[str, dict[str, Any]] = {
        "REL-03": {"releasedDate": "2024-02-15T12:00:00Z"},
        "REL-07": {"releases": entries(*[("SALE", "203.63"), ("SALE", "203.63"), ("SHIP", "-27.95")])},
        "REL-08": {"releases": entries(*[("SALE", "203.64"), *ENTRIES[1:]])},
        "REL-09": {"releases": entries(*ENTRIES[:2])},
        "REL-14": {"accountId": 19056},
        "REL-02": {"reconciliationId": None},
    }
    for rule, changes in wrong.items():
        assert [one.rule for one in check_release(release(**changes), order=order(), reconciliation=creation())] == [
            rule
        ]
    assert [one.rule for one in check_release(release("X"), order=order())] == ["REL-10"]
    assert [one.rule for one in check_release(release(), order=order(), reconciliation=creation(releasesQtd=2))] == [
        "REL-12"
    ]
    assert check_release(release(), order=json.dumps(order(), default=float)) == []


def test_a_reconciliation_is_checked_beside_earlier_ones_of_its_place() -> None:
    assert [one.rule for one in check_reconciliation(creation(**LATER), earlier=[creation()])] == ["REC-05"]
    assert [one.rule for one in check_reconciliation(creation(), earlier=[creation()])] == ["REC-04"]
    assert check_reconciliation(creation(**LATER), earlier=[creation(accountId=19056)]) == []


def test_floats_are_what_encoders_write() -> None:
    as_floats = json.loads(json.dumps(order(totalGrossValue=203.63), default=float))
    assert check_order(as_floats) == []
    assert check_release(json.loads(json.dumps(release(), default=float)), order=as_floats) == []
    for value in (float("nan"), float("inf")):
        assert [one.rule for one in check_order(order(totalGrossValue=value))] == ["ORD-13"]
        extracts = [*entries(*ENTRIES[:2]), {**entries(ENTRIES[2])[0], "value": value}]
        assert [(one.rule, one.pointer) for one in check_order(order(extracts=extracts))] == [
            ("ORD-13", "/extracts/2/value")
        ]


@pytest.mark.parametrize(
    ("body", "rule"),
    [("", "ORD-14"), (b"\xff", "ORD-14"), ("[]", "ORD-14"), ({}.keys(), "ORD-14"), ("{'a': 1}", "ORD-22")],
)
def test_what_is_no_json_object_is_told(body: Any, rule: str) -> None:
    (found,) = check_order(body)
    assert (found.rule, found.pointer) == (rule, "")


def test_readings_and_languages_that_there_are_not_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="extract-type: there is no such reading"):
        check_order(order(), readings={"extract-type": "portal"})
    with pytest.raises(ValueError, match="language: 'fr'"):
        check_order(order(), language="fr")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="order: is no lawful order: ORD-02"):
        check_release(release(), order=order(status="NEW"))
    with pytest.raises(ValueError, match="reconciliation: is no lawful reconciliation: REC-07"):
        check_release(release(), reconciliation=creation(releasesQtd=0))


def test_a_reading_is_followed() -> None:
    body = order(extracts=entries(("SALE", "1.00"), ("RETURN_SHIP", "1.00")))
    assert [one.rule for one in check_order(body)] == ["ORD-09"]
    assert check_order(body, readings={"extract-types": "extended"}) == []


# -- words ---------------------------------------------------------------------------------------------------------


def said(module: ModuleType) -> Iterator[str]:
    """Every message of a breach in a module, with something in each of its holes."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Breach"):
            continue
        words = node.args[2]
        parts = words.values if isinstance(words, ast.JoinedStr) else [words]
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts)


@pytest.mark.parametrize(
    "message", sorted({words for module in (order_rules, reconciliation_rules, checks) for words in said(module)})
)
def test_every_message_has_its_portuguese(message: str) -> None:
    for lacks in ("offset", "time of day and its offset"):
        text = message.replace("its 7 is missing", f"its {lacks} is missing")
        translated = sentences.said(text, "pt-BR")
        assert translated != text
        assert not re.search(r"\b(is|not|the|of|must|for)\b", translated)
        assert translated.count("7") == text.count("7")


def test_a_violation_is_told_in_portuguese() -> None:
    found = check_order(order(status="CONCLUDED", createdDate="2026-11-03", extracts=[]), language="pt")
    assert [one.message for one in found] == [
        "createdDate não indica um instante: faltam a hora e o fuso horário; escreva 2026-11-03T00:00:00-03:00",
        "sendDate é obrigatório para CONCLUDED",
        "estimatedDeliveryDate é obrigatório para CONCLUDED",
        "deliveryDate é obrigatório para CONCLUDED",
        "extracts está vazio",
    ]
    assert found[0] == Violation("ORD-21", "/createdDate", found[0].message)


# -- the fast way to read an instant -------------------------------------------------------------------------------

TWO: Final = st.integers(0, 99).map(lambda n: f"{n:02}")


@given(
    st.dates(),
    TWO,
    TWO,
    TWO,
    st.sampled_from(["", ".5", ".123", ".123456"]),
    st.sampled_from("+-"),
    TWO,
    TWO,
    st.booleans(),
)
def test_an_instant_is_read_alike_in_the_fast_way(
    day: Any, hour: str, minute: str, second: str, fraction: str, sign: str, hours: str, minutes: str, is_utc: bool
) -> None:
    text = f"{day}T{hour}:{minute}:{second}{fraction}" + ("Z" if is_utc else f"{sign}{hours}:{minutes}")
    slow = instants._read(instants._SENT, text, end_of_day=False)
    assert instants.parse_instant(text) == slow
    if slow is not None:
        assert isinstance(slow, datetime)
        assert slow.utcoffset() == instants.parse_instant(text).utcoffset()  # type: ignore[union-attr]
    assert instants.parse_instant(f"2026-02-30T{hour}:00:00Z") is None
