"""What a quirk can change of the mock, and the target file of one."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from decimal import Decimal
from typing import Final

import pytest

from conformance.contract.readings import READINGS, resolve
from conformance.contract.rules import catalogue
from conformance.mock import world
from conformance.mock.app import CONTROL_PATH
from conformance.mock.defects import DEFECTS, defect
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Defect, Quirk, Variant, table
from conformance.mock.target import mock_target_table, to_toml
from conformance.mock.variants import VARIANTS, variant
from conformance.profiles import PROFILES
from conformance.target.config import parse_target
from tests.suite.support import bodies
from tests.suite.support.mock_calls import Caller, order
from tests.suite.support.properties import HOME

# -- quirks ----------------------------------------------------------------------------------------------------------

QUIRKS: Final[dict[str, Quirk]] = {**DEFECTS, **VARIANTS}


def mock_with(quirk: Quirk) -> Koncili:
    """A mock with this quirk and the readings that it follows."""
    return Koncili(quirks=[quirk], readings=dict(quirk.readings) if isinstance(quirk, Variant) else {})


@pytest.mark.parametrize("name", QUIRKS)
def test_a_mock_with_a_quirk_gives_a_token(name: str) -> None:
    answer = Caller(mock_with(QUIRKS[name])).token()
    assert answer.status_code == (201 if name == "other-success-statuses" else 200)
    assert answer.json()["accessToken"]


MANY_DIGITS: Final = Decimal("8" * 45 + ".37")
"""An amount of more digits than are calculated with."""


def test_no_quirk_breaks_down_at_an_amount_of_many_digits(capsys: pytest.CaptureFixture[str]) -> None:
    extracts = [{**order()["extracts"][0], "value": MANY_DIGITS}]
    broken = []
    for name, quirk in QUIRKS.items():
        caller = Caller(mock_with(quirk))
        caller.submit(totalGrossValue=MANY_DIGITS, extracts=extracts)
        caller.look_up()
        if "Traceback" in capsys.readouterr().err:
            broken.append(name)
    assert broken == []


DONE_IN_A_CRASH: Final = {
    *(f"err-02-half-done-{call}" for call in ("creation", "release", "deletion")),
    "err-02-first-query",
    "err-02-first-release",
    "del-06-unique-key",
    "del-06-unique-key-with-a-flag",
}
"""Those that answer 500 to lawful calls: that is what is wrong with them."""


@pytest.mark.parametrize("name", [name for name in QUIRKS if name not in DONE_IN_A_CRASH])
def test_a_mock_with_a_quirk_answers_every_lawful_call(name: str) -> None:
    caller = Caller(mock_with(QUIRKS[name]))
    answers = [caller.call("GET", "/my-accounts"), caller.submit(), caller.submit(), caller.look_up()]
    answers += [caller.look_up("DELETE"), caller.look_up("DELETE"), caller.look_up(), caller.submit()]
    for body in (bodies.creation(), bodies.creation(**bodies.LATER)):
        answers.append(caller.call("POST", "/reconciliation", body))
        answers.append(caller.call("POST", "/reconciliation/release", bodies.release(releases=order()["extracts"])))
        answers.append(caller.call("POST", CONTROL_PATH, {"advanceSeconds": 86_400, "abandonReconciliations": True}))
        caller.headers["gumgaToken"], _ = caller.koncili.world.issue_tokens()
    answers += [caller.look_up("DELETE"), caller.look_up()]
    assert max(answer.status_code for answer in answers) < 500


BOUNDED_DATES: Final = {"no-old-orders", "no-far-dates"}
"""Those that refuse the ends of time."""


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_shows_any_date_that_it_takes(name: str) -> None:
    caller = Caller(mock_with(VARIANTS[name]))
    ends = {"createdDate": "0001-01-01T00:00:00+01:00", "approvedDate": "9999-12-31T23:59:59-01:00"}
    account = str(HOME.account) if name == "account-id-strings-only" else HOME.account
    answer = caller.submit(**ends, accountId=account)
    if name in BOUNDED_DATES:
        assert answer.status_code == 400
        return
    assert answer.status_code == 200
    caller.koncili.clock.advance(1800)
    assert caller.look_up().status_code == 200


@pytest.mark.parametrize("name", DEFECTS)
def test_the_rules_of_a_defect_are_in_the_catalogue(name: str) -> None:
    found = DEFECTS[name]
    assert found.rules
    assert found.rules <= set(catalogue().rules)
    assert found.needs_profile in PROFILES


@pytest.mark.parametrize("name", QUIRKS)
def test_a_quirk_says_what_it_does(name: str) -> None:
    quirk = QUIRKS[name]
    assert quirk.name == name
    assert quirk.statement[0].isupper()
    assert quirk.statement.endswith(".")


@pytest.mark.parametrize("name", VARIANTS)
def test_the_readings_of_a_variant_are_readings(name: str) -> None:
    for reading, value in VARIANTS[name].readings:
        assert value in READINGS[reading].values


@pytest.mark.parametrize(
    ("find", "wrong", "right"),
    [(defect, "ord-07-not-enforcd", "ord-07-not-enforced"), (variant, "more-feilds", "more-fields")],
    ids=["defect", "variant"],
)
def test_a_name_that_there_is_not_gets_names_that_there_are(
    find: Callable[[str], Quirk], wrong: str, right: str
) -> None:
    assert find(right).name == right
    with pytest.raises(KeyError, match=f"{wrong}.*{right}"):
        find(wrong)
    with pytest.raises(KeyError, match="zzz"):
        find("zzz")


def test_two_quirks_have_two_names() -> None:
    one = Defect(name="one", statement="Is one.", rules=frozenset({"ORD-01"}))
    with pytest.raises(ValueError, match="twice"):
        table(one, one)


# -- target file -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VARIANTS)
def test_the_mock_s_target_file_is_one(name: str) -> None:
    written = mock_target_table("http://127.0.0.1:8765", dict(VARIANTS[name].readings))
    read = tomllib.loads(to_toml(written))
    assert read == {key: value for key, value in written.items() if value != {}}
    target = parse_target(read, "mock.toml")
    assert (target.environment, target.base_url, target.pace) == ("mock", "http://127.0.0.1:8765", "unlimited")
    assert target.credentials.values() == (world.EMAIL, world.PASSWORD)
    assert [account.id for account in target.accounts] == [account.id for account in world.ENABLED]
    assert target.fixtures.foreign_order is not None
    assert target.fixtures.foreign_order.marketplace_code == world.FOREIGN_CODE
    assert dict(target.readings) == dict(resolve(dict(VARIANTS[name].readings))), "every reading is stated"


TEXTS: Final = ["plain", "", 'a "b" \\c', "tab\tnewline\n", "\x00\x1f", "São João", "\x7f", "🚚"]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_any_text_survives_toml(text: str) -> None:
    given = {"name": text, "table": {"key": text, "inner": {"text": text, "number": 7}}, "rows": [{"text": text}]}
    assert tomllib.loads(to_toml(given)) == given
